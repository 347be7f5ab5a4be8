/*
 * keyspec: see keyspec.h. The hash mixes the parts in order; it is the upper half of a 64-bit hash,
 * since htab.h takes 32 bits.
 */
#include "engine/arrange/keyspec.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/alloc.h"

static enum key_mode key_mode_of(const struct column_type *ct)
{
    switch (ct->type->rep) {
    case REP_BOOL:
    case REP_INT32:
    case REP_INT64: return KEY_INT;
    case REP_FIXED16: return ct->type->kind == TYPE_INTERVAL ? KEY_GENERAL : KEY_BYTES;
    case REP_FLOAT32:
    case REP_FLOAT64: return KEY_GENERAL;
    case REP_BYTES: break;
    }
    if (ct->type->kind == TYPE_BYTEA || ct->type->kind == TYPE_ENUM)
        return KEY_BYTES;
    if (ct->type->kind == TYPE_OPAQUE)
        return ct->type->text_is_identity ? KEY_BYTES : KEY_GENERAL;
    if (ct->type->kind == TYPE_TEXT && (!ct->collation || ct->collation->deterministic))
        return KEY_BYTES;
    return KEY_GENERAL;
}

static struct keyspec *keyspec_alloc(const struct layout *l, size_t n)
{
    struct keyspec *k = xcalloc(1, sizeof *k + n * sizeof k->part[0]);
    k->layout = l;
    k->n = (uint32_t)n;
    return k;
}

struct key_part key_part_of(const struct layout *l, const struct expr *e,
                            const struct column_type *ct)
{
    bool plain = e->kind == EXPR_COLUMN;
    assert(!plain || e->input == 0);
    return (struct key_part){.expr = e,
                             .col = plain ? e->col : KEY_COMPUTED,
                             .offset = plain ? l->cols[e->col].offset : 0,
                             .mode = key_mode_of(ct),
                             .rep = e->ct.type->rep,
                             .ct = *ct};
}

struct keyspec *keyspec_new(const struct layout *l, const struct expr *const *exprs, size_t n,
                            const struct column_type *cts)
{
    struct keyspec *k = keyspec_alloc(l, n);
    for (size_t i = 0; i < n; i++)
        k->part[i] = key_part_of(l, exprs[i], cts ? &cts[i] : &exprs[i]->ct);
    return k;
}

struct keyspec *keyspec_new_whole(const struct layout *l)
{
    struct keyspec *k = keyspec_alloc(l, l->ncols);
    for (uint32_t i = 0; i < l->ncols; i++)
        k->part[i] = (struct key_part){.col = i,
                                       .offset = l->cols[i].offset,
                                       .mode = key_mode_of(&l->cols[i].ct),
                                       .rep = l->cols[i].ct.type->rep,
                                       .ct = l->cols[i].ct};
    return k;
}

void keyspec_free(struct keyspec *k)
{
    free(k);
}

bool keyspec_is_bytewise(const struct keyspec *k)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (k->part[i].mode == KEY_GENERAL)
            return false;
    return true;
}

bool key_types_are_bytewise(const struct column_type *cts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (key_mode_of(&cts[i]) == KEY_GENERAL)
            return false;
    return true;
}

static bool eval_part(const struct keyspec *k, uint32_t i, const uint8_t *row,
                      struct arena *scratch, struct value *out, struct err *err)
{
    if (k->part[i].col != KEY_COMPUTED) {
        *out = row_get(k->layout, row, k->part[i].col);
        return true;
    }
    struct eval_ctx cx = {.layout = {k->layout}, .row = {row}, .arena = scratch};
    return expr_eval(k->part[i].expr, &cx, out, err);
}

bool keyspec_eval_slow(const struct keyspec *k, const uint8_t *row, struct arena *scratch,
                       struct value *vals, struct err *err)
{
    for (uint32_t i = 0; i < k->n; i++)
        if (!eval_part(k, i, row, scratch, &vals[i], err))
            return false;
    return true;
}

static bool same_part(const struct key_part *p, struct value a, struct value b)
{
    if (a.null || b.null)
        return a.null && b.null;
    if (p->mode == KEY_INT)
        return a.i == b.i;
    if (p->mode == KEY_BYTES)
        return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
    return value_same(&p->ct, a, b);
}

bool keyspec_matches_slow(const struct keyspec *k, const uint8_t *row, const struct value *vals,
                          struct arena *scratch)
{
    for (uint32_t i = 0; i < k->n; i++) {
        struct value v;
        struct err err;
        bool ok = eval_part(k, i, row, scratch, &v, &err);
        assert(ok);
        if (!ok || !same_part(&k->part[i], v, vals[i]))
            return false;
    }
    return true;
}

uint32_t keyspec_hash_slow(const struct keyspec *k, const struct value *vals, bool *has_null)
{
    uint64_t h = KEY_HASH_SEED;
    *has_null = false;
    for (uint32_t i = 0; i < k->n; i++) {
        uint64_t part = KEY_HASH_NULL;
        if (vals[i].null)
            *has_null |= !k->part[i].null_safe;
        else if (k->part[i].mode == KEY_INT)
            part = (uint64_t)vals[i].i;
        else if (k->part[i].mode == KEY_BYTES)
            part = hash_bytes(vals[i].p, vals[i].len);
        else
            part = value_hash(&k->part[i].ct, vals[i]);
        h = hash_mix(h, part);
    }
    return (uint32_t)(h >> 32);
}
