/*
 * group_diff: see group_diff.h.
 *
 * A step is four walks: changes are looked up in the groups as they are, which tells each group's
 * run; the runs' output is computed; the changes are applied; the runs' output is computed again.
 * What a run gave and gives are two sequences in the same order and mostly the same at both ends:
 * equal beginnings and ends are left out at once, what is between goes through consolidation.
 */
#include "engine/op/group_diff.h"

#include <string.h>

#include "engine/op/consolidate.h"

#define KEEP_ROWS 8192 /* lists with more room than that are given back after a step */

void group_diff_init(struct group_diff *g, const struct layout *in, const struct expr *const *group,
                     size_t ngroup, const struct sort_key *keys, size_t nkeys,
                     const struct group_reach *reach, group_diff_fn *fn, void *ctx)
{
    *g = (struct group_diff){.reach = *reach, .fn = fn, .ctx = ctx};
    partset_init(&g->groups, in, group, ngroup, keys, nkeys);
}

void group_diff_fini(struct group_diff *g)
{
    partset_fini(&g->groups);
    VEC_FREE(g->touched);
    VEC_FREE(g->handles);
    VEC_FREE(g->rows);
    VEC_FREE(g->before);
    VEC_FREE(g->after);
    VEC_FREE(g->changes);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ------------------------------------------------------------ the output of a run */

static bool collect_row(void *arg, const uint8_t *row, int64_t count)
{
    struct group_diff *g = arg;
    while (count-- > 0)
        VEC_PUSH(g->rows, row);
    return true;
}

/* Of rows from … to - 1 of the group in hand; appended. */
static void compute(struct group_diff *g, int64_t from, int64_t to, int64_t sign,
                    struct op_env *env, struct delta *out)
{
    const struct topset *set = &g->groups.set;
    int64_t total = topset_total(set);
    int64_t first = g->reach.back > from ? 0 : from - g->reach.back;
    int64_t last = g->reach.ahead > total - to ? total : to + g->reach.ahead;
    if (from >= to)
        return;
    g->rows.n = 0;
    topset_range(set, first, last, collect_row, g);
    struct group_run run = {.rows = g->rows.v,
                            .n = g->rows.n,
                            .from = (size_t)(from - first),
                            .to = (size_t)(to - first),
                            .base = first};
    g->fn(g->ctx, &run, sign, env, out);
}

/* ------------------------------------------------------------ which run it is */

static bool keep_row(void *arg, const uint8_t *row, int64_t count)
{
    const uint8_t **kept = arg;
    (void)count;
    *kept = row;
    return false;
}

static const uint8_t *row_at(const struct topset *set, int64_t rank)
{
    const uint8_t *row = NULL;
    topset_range(set, rank, rank + 1, keep_row, &row);
    return row;
}

/* The rank of the first row that comes behind the peers of this one (or that is the first of them). */
static int64_t peers_end(const struct topset *set, const uint8_t *row, bool first)
{
    int64_t lo = 0, hi = topset_total(set);
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        int c = topset_cmp_keys(set, row_at(set, mid), row);
        if (c < 0 || (c == 0 && !first))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Widens the run to what a change of this row concerns; the group in hand is as before the step. All of
 * the row's copies are taken in, since more than one change may take some away. */
static void widen(struct group_diff *g, struct group_touched *t, const uint8_t *row,
                  struct arena *scratch)
{
    const struct topset *set = &g->groups.set;
    int64_t weight, from = topset_rank(set, row, &weight, scratch), to = from + weight;
    if (g->reach.peers) {
        from = peers_end(set, row, true);
        to = larger(to, peers_end(set, row, false));
    }
    from = g->reach.before > from ? 0 : from - g->reach.before;
    to = g->reach.behind > topset_total(set) - to ? topset_total(set) : to + g->reach.behind;
    t->from = smaller(t->from, from);
    t->to = larger(t->to, to);
}

static bool is_all(const struct group_diff *g)
{
    return g->reach.before == GROUP_ALL && g->reach.behind == GROUP_ALL;
}

/* The run's ends don't part peers. */
static void round_to_peers(const struct group_diff *g, struct group_touched *t)
{
    const struct topset *set = &g->groups.set;
    if (!g->reach.peers)
        return;
    if (t->from > 0 && t->from < topset_total(set))
        t->from = peers_end(set, row_at(set, t->from), true);
    if (t->to > 0 && t->to < topset_total(set))
        t->to = peers_end(set, row_at(set, t->to - 1), false);
}

static struct group_touched *touch(struct group_diff *g, uint32_t handle)
{
    struct partset_part *p = partset_part(&g->groups, handle);
    int64_t total = topset_total(&g->groups.set);
    struct group_touched t = {.handle = handle, .from = total};
    if (!p->touched) {
        if (is_all(g)) {
            t.from = 0;
            t.to = total;
        }
        VEC_PUSH(g->touched, t);
        p->touched = (uint32_t)g->touched.n;
    }
    return &g->touched.v[p->touched - 1];
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

/* ------------------------------------------------------------ the step */

static void find_runs(struct group_diff *g, const struct delta *in, struct op_env *env)
{
    g->handles.n = 0;
    for (size_t i = 0; i < in->n; i++) {
        op_env_next_row(env);
        uint32_t handle = partset_open(&g->groups, in->v[i].row, &env->scratch, &env->err);
        VEC_PUSH(g->handles, handle);
        if (!handle) {
            errset_add(env->errors, &env->err, in->v[i].weight);
            continue;
        }
        struct group_touched *t = touch(g, handle);
        if (!is_all(g) && topset_total(&g->groups.set))
            widen(g, t, in->v[i].row, &env->scratch);
    }
}

static void compute_before(struct group_diff *g, struct op_env *env)
{
    for (size_t i = 0; i < g->touched.n; i++) {
        struct group_touched *t = &g->touched.v[i];
        partset_load(&g->groups, t->handle);
        round_to_peers(g, t);
        t->behind = topset_total(&g->groups.set) - t->to;
        t->start = g->before.n;
        compute(g, t->from, t->to, -1, env, &g->before);
        t->count = g->before.n - t->start;
    }
}

static void apply_changes(struct group_diff *g, const struct delta *in, struct op_env *env)
{
    const uint8_t *kept;
    for (int retracts = 0; retracts < 2; retracts++) /* asserts first: no row is ever negative */
        for (size_t i = 0; i < in->n; i++) {
            uint32_t handle = g->handles.v[i];
            if (!handle || (in->v[i].weight < 0) != retracts)
                continue;
            op_env_next_row(env);
            partset_load(&g->groups, handle);
            if (topset_add(&g->groups.set, in->v[i].row, in->v[i].weight, 0, &kept,
                           &env->scratch) == TOPSET_BROKEN)
                env->broken = true;
            partset_close(&g->groups, handle);
        }
}

static void compute_after(struct group_diff *g, const struct layout *l, struct op_env *env)
{
    for (size_t i = 0; i < g->touched.n; i++) {
        const struct group_touched *t = &g->touched.v[i];
        partset_part(&g->groups, t->handle)->touched = 0;
        partset_load(&g->groups, t->handle);
        g->after.n = 0;
        compute(g, t->from, topset_total(&g->groups.set) - t->behind, 1, env, &g->after);
        add_difference(g, l, g->before.v + t->start, t->count, g->after.v, g->after.n);
        partset_close(&g->groups, t->handle);
    }
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
    find_runs(g, in, env);
    compute_before(g, env);
    apply_changes(g, in, env);
    compute_after(g, op->layout, env);
    consolidate(op->layout, &g->changes, env->step, &op->out);
    g->touched.n = 0;
    shrink(&g->before);
    shrink(&g->after);
    shrink(&g->changes);
    if (g->rows.cap > KEEP_ROWS)
        VEC_FREE(g->rows);
    if (g->handles.cap > KEEP_ROWS)
        VEC_FREE(g->handles);
}

struct op_stats group_diff_stats(const struct group_diff *g)
{
    size_t lists = (g->before.cap + g->after.cap + g->changes.cap) * sizeof *g->changes.v +
                   g->rows.cap * sizeof *g->rows.v + g->touched.cap * sizeof *g->touched.v +
                   g->handles.cap * sizeof *g->handles.v;
    return (struct op_stats){g->groups.set.nrows, partset_bytes(&g->groups) + lists};
}
