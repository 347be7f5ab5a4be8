/*
 * agg_hypothetical: rank, dense_rank, percent_rank and cume_dist WITHIN GROUP: where a row of the
 * direct arguments would stand among the group's rows.
 *
 * Law: with `before` the rows that sort before it and `upto` those that don't sort after it, of n:
 *
 *     rank = before + 1              percent_rank = before / n, 0 of none
 *     dense_rank = distinct(before) + 1    cume_dist = (upto + 1) / (n + 1)
 *
 * Rows with NULLs count as the order has them. Cost: O(log n) a change and a result; dense_rank
 * walks over the rows before.
 */
#include "engine/expr/agg_classes.h"
#include "engine/expr/agg_rows.h"

static bool rank_finish(const struct agg_spec *spec, const void *state, const struct value *direct,
                        struct arena *a, struct value *out, struct err *err)
{
    (void)a, (void)err;
    *out = value_int(rows_before(spec, state, direct, false) + 1);
    return true;
}

static bool percent_rank_finish(const struct agg_spec *spec, const void *state,
                                const struct value *direct, struct arena *a, struct value *out,
                                struct err *err)
{
    int64_t n = ordset_total(state);
    (void)a, (void)err;
    *out = value_float(0);
    if (n > 0)
        out->f = (double)rows_before(spec, state, direct, false) / (double)n;
    return true;
}

static bool cume_dist_finish(const struct agg_spec *spec, const void *state,
                             const struct value *direct, struct arena *a, struct value *out,
                             struct err *err)
{
    int64_t n = ordset_total(state);
    (void)a, (void)err;
    *out = value_float((double)(rows_before(spec, state, direct, true) + 1) / (double)(n + 1));
    return true;
}

struct distinct {
    const struct agg_spec *spec;
    const struct value *direct;
    struct value last[AGG_MAX_ARGS];
    int64_t n;
};

static bool count_distinct(void *ctx, const struct value *vals, int64_t weight)
{
    struct distinct *d = ctx;
    (void)weight;
    if (rows_compare(d->spec, vals, d->direct) >= 0)
        return false;
    if (d->n && rows_compare(d->spec, vals, d->last) == 0)
        return true;
    for (uint32_t i = 0; i < d->spec->nargs; i++)
        d->last[i] = vals[i];
    d->n++;
    return true;
}

static bool dense_rank_finish(const struct agg_spec *spec, const void *state,
                              const struct value *direct, struct arena *a, struct value *out,
                              struct err *err)
{
    struct distinct d = {.spec = spec, .direct = direct};
    (void)a, (void)err;
    rows_each(spec, state, count_distinct, &d);
    *out = value_int(d.n + 1);
    return true;
}

const struct agg_class agg_rank = {ROWS_CLASS("rank", NULL), .finish = rank_finish};
const struct agg_class agg_dense_rank = {ROWS_CLASS("dense_rank", NULL),
                                         .finish = dense_rank_finish};
const struct agg_class agg_percent_rank = {ROWS_CLASS("percent_rank", NULL),
                                           .finish = percent_rank_finish};
const struct agg_class agg_cume_dist = {ROWS_CLASS("cume_dist", NULL), .finish = cume_dist_finish};
