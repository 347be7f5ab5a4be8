/*
 * apply: see apply.h.
 */
#include "daemon/apply.h"

#include <string.h>

#include "daemon/faults.h"

void delta_push(struct delta *d, const uint8_t *row, int64_t weight)
{
    VEC_PUSH(*d, ((struct change){.row = row, .weight = weight}));
}

/* What one tuple becomes: the values of the leaf's columns. */
struct row_source {
    const struct pgo_tuple *tuple;
    const uint8_t *old; /* unchanged TOAST values come from here; NULL = there are none */
    bool key_only;      /* leave out what is not identity: the tuple says NULL for it */
};

static bool is_key(const struct leaf_layout *leaf, uint32_t col)
{
    for (uint32_t i = 0; i < leaf->nkey; i++) {
        if (leaf->key[i] == col)
            return true;
    }
    return false;
}

static enum apply_result read_field(const struct apply_target *t, const struct pg_field *f,
                                    uint32_t col, const uint8_t *old, struct value *out,
                                    struct err *err)
{
    const struct layout *l = t->leaf->layout;
    switch ((enum pg_field_kind)f->kind) {
    case PG_NULL: *out = value_null(); return APPLY_OK;
    case PG_TEXT:
        if (!value_parse(l->cols[col].ct.type, f->data, f->len, t->arena, out, err))
            return APPLY_BAD;
        return APPLY_OK;
    case PG_UNCHANGED:
        if (!old)
            return APPLY_MISSING;
        *out = row_get(l, old, col);
        return APPLY_OK;
    case PG_BINARY: break;
    }
    err_set(err, ERR_PROTOCOL, "a value came in binary form, which was not asked for");
    return APPLY_BAD;
}

static enum apply_result make_row(const struct apply_target *t, const struct row_source *src,
                                  const uint8_t **row, struct err *err)
{
    struct value vals[PG_COLUMNS_MAX];
    const struct pgo_tuple *tuple = src->tuple;
    /* A tuple is as wide as its Relation message, or the server has lied. */
    if (tuple->n != t->map->rel->ncols) {
        err_set(err, ERR_PROTOCOL, "a row has %zu columns where its table has %u", tuple->n,
                t->map->rel->ncols);
        return APPLY_BAD;
    }
    for (size_t i = 0; i < tuple->n; i++) {
        int32_t to = t->map->to[i];
        if (to < 0)
            continue;
        if (src->key_only && !is_key(t->leaf, (uint32_t)to)) {
            vals[to] = value_null();
            continue;
        }
        enum apply_result r =
            read_field(t, &tuple->fields[i], (uint32_t)to, src->old, &vals[to], err);
        if (r != APPLY_OK)
            return r;
    }
    return row_pack(t->leaf->layout, vals, t->arena, row, err) ? APPLY_OK : APPLY_BAD;
}

static void emit(const struct apply_target *t, const uint8_t *row, int64_t weight)
{
    if (t->out)
        delta_push(t->out, row, weight);
}

/* The old row of a table without key: whole in the message. */
static enum apply_result old_from_message(const struct apply_target *t, const struct pgo_message *m,
                                          const uint8_t **old, struct err *err)
{
    struct row_source src = {.tuple = &m->change.old};
    if (m->change.old_kind != PGO_OLD_ROW)
        return APPLY_MISFIT;
    return make_row(t, &src, old, err);
}

/* The old row of a table with key: a copy of the store's. */
static enum apply_result old_from_store(const struct apply_target *t, const struct pgo_message *m,
                                        const uint8_t **old, struct err *err)
{
    bool told = m->change.old_kind != PGO_OLD_NONE;
    struct row_source src = {.tuple = told ? &m->change.old : &m->change.new, .key_only = true};
    const uint8_t *key;
    enum apply_result r = make_row(t, &src, &key, err);
    if (r != APPLY_OK)
        return r;
    const uint8_t *kept = store_find(t->store, key);
    if (!kept)
        return APPLY_MISSING;
    *old = arena_memdup(t->arena, kept, row_len(t->leaf->layout, kept));
    return APPLY_OK;
}

static enum apply_result find_old(const struct apply_target *t, const struct pgo_message *m,
                                  const uint8_t **old, struct err *err)
{
    return t->leaf->nkey ? old_from_store(t, m, old, err) : old_from_message(t, m, old, err);
}

static enum apply_result apply_insert(const struct apply_target *t, const struct pgo_message *m,
                                      struct err *err)
{
    struct row_source src = {.tuple = &m->change.new};
    const uint8_t *row;
    enum apply_result r = make_row(t, &src, &row, err);
    if (r != APPLY_OK)
        return r;
    if (t->store && !FAULT("row") && !store_insert(t->store, row))
        return APPLY_MISSING;
    emit(t, row, 1);
    return APPLY_OK;
}

static enum apply_result apply_delete(const struct apply_target *t, const struct pgo_message *m,
                                      struct err *err)
{
    const uint8_t *old;
    enum apply_result r = find_old(t, m, &old, err);
    if (r != APPLY_OK)
        return r;
    if (t->store && !store_delete(t->store, old))
        return APPLY_MISSING;
    emit(t, old, -1);
    return APPLY_OK;
}

static enum apply_result apply_update(const struct apply_target *t, const struct pgo_message *m,
                                      struct err *err)
{
    const uint8_t *old, *new;
    enum apply_result r = find_old(t, m, &old, err);
    if (r != APPLY_OK)
        return r;
    struct row_source src = {.tuple = &m->change.new, .old = old};
    r = make_row(t, &src, &new, err);
    if (r != APPLY_OK)
        return r;
    uint32_t len = row_len(t->leaf->layout, old);
    if (row_len(t->leaf->layout, new) == len && memcmp(old, new, len) == 0)
        return APPLY_OK; /* nothing that anybody looks at has changed */
    if (t->store && !store_replace(t->store, old, new))
        return APPLY_MISSING;
    emit(t, old, -1);
    emit(t, new, 1);
    return APPLY_OK;
}

enum apply_result apply_change(const struct apply_target *t, struct relation *rel,
                               const struct pgo_message *m, struct err *err)
{
    if (!colmap_set(t->map, rel, t->leaf))
        return APPLY_MISFIT;
    switch (m->kind) {
    case PGO_INSERT: return apply_insert(t, m, err);
    case PGO_UPDATE: return apply_update(t, m, err);
    default: return apply_delete(t, m, err);
    }
}
