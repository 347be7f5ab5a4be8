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
    keymap_init(&rc->map, cts, l->ncols, sizeof(struct rowcount_counts));
    rc->bytewise = keyspec_is_bytewise(rc->map.spec);
    free(cts);
}

void rowcount_fini(struct rowcount *rc)
{
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

void rowcount_apply(struct rowcount *rc, const struct delta *d, int side)
{
    for (size_t i = 0; i < d->n; i++) {
        uint32_t handle = find_or_insert(rc, d->v[i].row);
        struct rowcount_counts *counts = keymap_payload(&rc->map, handle);
        if (!counts->touched) {
            struct rowcount_touched t = {handle, {counts->n[0], counts->n[1]}};
            VEC_PUSH(rc->touched, t);
            counts->touched = 1;
        }
        counts->n[side] += d->v[i].weight;
    }
}

void rowcount_emit(struct rowcount *rc, struct op *op, struct op_env *env,
                   int64_t (*fn)(int kind, const int64_t n[2]), int kind)
{
    for (size_t i = 0; i < rc->touched.n; i++) {
        const struct rowcount_touched *t = &rc->touched.v[i];
        struct rowcount_counts *counts = keymap_payload(&rc->map, t->handle);
        int64_t change = fn(kind, counts->n) - fn(kind, t->before);
        env->broken |= counts->n[0] < 0 || counts->n[1] < 0;
        counts->touched = 0;
        if (change)
            op_emit(op, keymap_row(&rc->map, t->handle), change);
        if (!counts->n[0] && !counts->n[1])
            keymap_remove(&rc->map, t->handle);
    }
    rc->touched.n = 0;
}

struct op_stats rowcount_stats(const struct rowcount *rc)
{
    return (struct op_stats){keymap_count(&rc->map),
                             keymap_bytes(&rc->map) + rc->touched.cap * sizeof *rc->touched.v};
}
