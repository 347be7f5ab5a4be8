/*
 * group_diff: see group_diff.h.
 *
 * What a group gave before and gives now are two sequences in the same order, and mostly the same at
 * both ends: equal beginnings and ends are left out at once, what is between goes through
 * consolidation.
 */
#include "engine/op/group_diff.h"

#include <string.h>

#include "engine/circuit/consolidate.h"

#define KEEP_ROWS 8192 /* lists with more room than that are given back after a step */

void group_diff_init(struct group_diff *g, const struct layout *in, const struct expr *const *group,
                     size_t ngroup, const struct sort_key *keys, size_t nkeys, group_diff_fn *fn,
                     void *ctx)
{
    *g = (struct group_diff){.fn = fn, .ctx = ctx};
    partset_init(&g->groups, in, group, ngroup, keys, nkeys);
}

void group_diff_fini(struct group_diff *g)
{
    partset_fini(&g->groups);
    VEC_FREE(g->touched);
    VEC_FREE(g->rows);
    VEC_FREE(g->before);
    VEC_FREE(g->after);
    VEC_FREE(g->changes);
}

static bool collect_row(void *arg, const uint8_t *row, int64_t count)
{
    struct group_diff *g = arg;
    while (count-- > 0)
        VEC_PUSH(g->rows, row);
    return true;
}

/* Appends the output of the group in hand. */
static void compute(struct group_diff *g, int64_t sign, struct op_env *env, struct delta *out)
{
    struct topset *set = &g->groups.set;
    g->rows.n = 0;
    topset_range(set, 0, topset_total(set), collect_row, g);
    if (g->rows.n)
        g->fn(g->ctx, g->rows.v, g->rows.n, sign, env, out);
}

/* Keeps the output of the group in hand as it is before the step. */
static void touch(struct group_diff *g, uint32_t handle, struct op_env *env)
{
    struct partset_part *p = partset_part(&g->groups, handle);
    struct group_touched t = {handle, g->before.n, 0};
    if (p->touched)
        return;
    p->touched = 1;
    compute(g, -1, env, &g->before);
    t.n = g->before.n - t.start;
    VEC_PUSH(g->touched, t);
}

static void apply_change(struct group_diff *g, const struct change *ch, struct op_env *env)
{
    const uint8_t *kept;
    op_env_next_row(env);
    uint32_t handle = partset_open(&g->groups, ch->row, &env->scratch, &env->err);
    if (!handle) {
        errset_add(env->errors, &env->err, ch->weight);
        return;
    }
    touch(g, handle, env);
    if (topset_add(&g->groups.set, ch->row, ch->weight, 0, &kept, &env->scratch) == TOPSET_BROKEN)
        env->broken = true;
    partset_close(&g->groups, handle);
}

/* ------------------------------------------------------------ the difference */

static bool same_row(const struct layout *l, const uint8_t *a, const uint8_t *b)
{
    uint32_t len = row_len(l, a);
    return row_len(l, b) == len && (len == 0 || memcmp(a, b, len) == 0);
}

static void add_difference(struct group_diff *g, const struct layout *l, const struct change *old,
                           size_t nold, const struct change *new, size_t nnew)
{
    size_t same = 0;
    while (same < nold && same < nnew && same_row(l, old[same].row, new[same].row))
        same++;
    while (nold > same && nnew > same && same_row(l, old[nold - 1].row, new[nnew - 1].row)) {
        nold--;
        nnew--;
    }
    for (size_t i = same; i < nold; i++) {
        struct change c = {old[i].row, -1};
        VEC_PUSH(g->changes, c);
    }
    for (size_t i = same; i < nnew; i++)
        VEC_PUSH(g->changes, new[i]);
}

static void finish_group(struct group_diff *g, const struct group_touched *t,
                         const struct layout *l, struct op_env *env)
{
    partset_part(&g->groups, t->handle)->touched = 0;
    partset_load(&g->groups, t->handle);
    g->after.n = 0;
    compute(g, 1, env, &g->after);
    add_difference(g, l, g->before.v + t->start, t->n, g->after.v, g->after.n);
    partset_close(&g->groups, t->handle);
}

static void shrink(struct delta *d)
{
    d->n = 0;
    if (d->cap > KEEP_ROWS)
        VEC_FREE(*d);
}

void group_diff_step(struct group_diff *g, struct op *op, struct op_env *env)
{
    const struct delta *in = op_input(op, 0);
    partset_settle(&g->groups);
    for (int retracts = 0; retracts < 2; retracts++) /* asserts first: no row is ever negative */
        for (size_t i = 0; i < in->n; i++)
            if ((in->v[i].weight < 0) == retracts)
                apply_change(g, &in->v[i], env);
    for (size_t i = 0; i < g->touched.n; i++)
        finish_group(g, &g->touched.v[i], op->layout, env);
    consolidate(op->layout, &g->changes, env->step, &op->out);
    g->touched.n = 0;
    shrink(&g->before);
    shrink(&g->after);
    shrink(&g->changes);
    if (g->rows.cap > KEEP_ROWS)
        VEC_FREE(g->rows);
}

struct op_stats group_diff_stats(const struct group_diff *g)
{
    size_t lists = (g->before.cap + g->after.cap + g->changes.cap) * sizeof *g->changes.v +
                   g->rows.cap * sizeof *g->rows.v + g->touched.cap * sizeof *g->touched.v;
    return (struct op_stats){g->groups.set.nrows, partset_bytes(&g->groups) + lists};
}
