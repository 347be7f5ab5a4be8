/*
 * rowcount: see rowcount.h. Each row that a step touches is remembered once, with its counts before;
 * the outcome is decided when all changes are in, since counts may be negative in between.
 */
#include "engine/op/rowcount.h"

#include <assert.h>

void rowcount_init(struct rowcount *rc, const struct layout *l)
{
    struct column_type *cts = xcalloc(l->ncols, sizeof *cts);
    for (uint32_t i = 0; i < l->ncols; i++)
        cts[i] = l->cols[i].ct;
    rc->bytewise = key_types_are_bytewise(cts, l->ncols);
    keymap_init(&rc->map, cts, l->ncols,
                rc->bytewise ? sizeof(struct rowcount_counts) : sizeof(struct rowcount_spelled));
    free(cts);
}

static struct spellings *spellings_of(const struct rowcount *rc, uint32_t handle)
{
    return &((struct rowcount_spelled *)keymap_payload(&rc->map, handle))->spellings;
}

static const uint8_t *shown(const struct rowcount *rc, uint32_t handle)
{
    const uint8_t *representative = keymap_row(&rc->map, handle);
    return rc->bytewise ? representative
                        : spellings_shown(spellings_of(rc, handle), representative);
}

static void fini_spellings(void *arg, uint32_t handle)
{
    struct rowcount *rc = arg;
    spellings_fini(spellings_of(rc, handle));
}

void rowcount_fini(struct rowcount *rc)
{
    if (!rc->bytewise)
        htab_each(&rc->map.table, fini_spellings, rc);
    keymap_fini(&rc->map);
    VEC_FREE(rc->touched);
}

void rowcount_begin(struct rowcount *rc)
{
    keymap_settle(&rc->map);
}

static uint32_t find_or_insert(struct rowcount *rc, const uint8_t *row)
{
    struct keymap *m = &rc->map;
    bool has_null;
    for (uint32_t i = 0; i < m->layout->ncols; i++)
        m->vals[i] = row_get(m->layout, row, i);
    uint32_t hash = keyspec_hash(m->spec, m->vals, &has_null);
    uint32_t h = rc->bytewise ? keymap_find_row(m, hash, row, row_len(m->layout, row))
                              : keymap_find(m, hash, m->vals);
    return h ? h : keymap_insert(m, hash, row);
}

static void touch(struct rowcount *rc, uint32_t handle, struct op_env *env)
{
    struct rowcount_counts *counts = keymap_payload(&rc->map, handle);
    struct rowcount_touched t = {handle, {counts->n[0], counts->n[1]}, NULL};
    const uint8_t *row = rc->bytewise ? NULL : shown(rc, handle);
    if (counts->touched)
        return;
    if (row && row != keymap_row(&rc->map, handle))
        t.shown = arena_memdup(env->step, row, row_len(rc->map.layout, row));
    VEC_PUSH(rc->touched, t);
    counts->touched = 1;
}

void rowcount_apply(struct rowcount *rc, const struct delta *d, int side, struct op_env *env)
{
    for (size_t i = 0; i < d->n; i++) {
        uint32_t handle = find_or_insert(rc, d->v[i].row);
        struct rowcount_counts *counts = keymap_payload(&rc->map, handle);
        touch(rc, handle, env);
        counts->n[side] += d->v[i].weight;
        if (!rc->bytewise && side == 0)
            spellings_count(spellings_of(rc, handle), rc->map.layout, keymap_row(&rc->map, handle),
                            d->v[i].row, d->v[i].weight);
    }
}

/* From so many times the row before to so many times the row now. */
static void emit_change(struct rowcount *rc, struct op *op, const struct rowcount_touched *t,
                        int64_t before, int64_t after)
{
    const uint8_t *old = t->shown ? t->shown : keymap_row(&rc->map, t->handle);
    const uint8_t *now = shown(rc, t->handle);
    uint32_t len = row_len(rc->map.layout, old);
    if (old == now || (row_len(rc->map.layout, now) == len && memcmp(old, now, len) == 0)) {
        if (after != before)
            op_emit(op, now, after - before);
        return;
    }
    if (before)
        op_emit(op, old, -before);
    if (after)
        op_emit(op, now, after);
}

void rowcount_emit(struct rowcount *rc, struct op *op, struct op_env *env,
                   int64_t (*fn)(int kind, const int64_t n[2]), int kind)
{
    for (size_t i = 0; i < rc->touched.n; i++) {
        const struct rowcount_touched *t = &rc->touched.v[i];
        struct rowcount_counts *counts = keymap_payload(&rc->map, t->handle);
        int64_t before = fn(kind, t->before), after = fn(kind, counts->n);
        env->broken |= counts->n[0] < 0 || counts->n[1] < 0;
        counts->touched = 0;
        if (before || after)
            emit_change(rc, op, t, before, after);
        if (!counts->n[0] && !counts->n[1]) {
            if (!rc->bytewise)
                spellings_fini(spellings_of(rc, t->handle));
            keymap_remove(&rc->map, t->handle);
        }
    }
    rc->touched.n = 0;
}

struct op_stats rowcount_stats(const struct rowcount *rc)
{
    return (struct op_stats){keymap_count(&rc->map),
                             keymap_bytes(&rc->map) + rc->touched.cap * sizeof *rc->touched.v};
}
