/*
 * pass_prune: columns nobody needs are dropped, from the root down to the scans. State is memory:
 * a source row has only what the statement uses, down to no column at all for count(*).
 *
 * After it, a node's cols are exactly those its parent needs, in their old order; what an operator
 * needs of its inputs for itself (conditions, keys) is in the inputs' cols only. DISTINCT,
 * INTERSECT/EXCEPT and recursions need all columns of their inputs, whatever is needed of them.
 */
#include "engine/plan/passes.h"

struct need {
    VEC(uint64_t) ids; /* rel << 32 | no */
};

struct pruning {
    struct arena *a;
    struct logical_ctes ctes;
    struct need *cte_needs; /* one a CTE */
};

static bool is_needed(const struct need *need, uint32_t rel, uint32_t no)
{
    uint64_t id = (uint64_t)rel << 32 | no;
    for (size_t i = 0; i < need->ids.n; i++)
        if (need->ids.v[i] == id)
            return true;
    return false;
}

static void need_col(struct need *need, uint32_t rel, uint32_t no)
{
    if (!is_needed(need, rel, no))
        VEC_PUSH(need->ids, (uint64_t)rel << 32 | no);
}

static void need_cols(struct need *need, const struct logical *n)
{
    for (size_t i = 0; i < n->ncols; i++)
        need_col(need, n->cols[i].rel, n->cols[i].no);
}

static void need_expr(struct need *need, const struct expr *e)
{
    if (e->kind == EXPR_COLUMN)
        need_col(need, e->rel, e->col);
    for (uint32_t i = 0; i < e->nargs; i++)
        need_expr(need, e->args[i]);
}

static void need_exprs(struct need *need, const struct expr *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        need_expr(need, v[i]);
}

static void keep_cols(struct logical *n, const struct need *need)
{
    size_t kept = 0;
    for (size_t i = 0; i < n->ncols; i++)
        if (is_needed(need, n->cols[i].rel, n->cols[i].no))
            n->cols[kept++] = n->cols[i];
    n->ncols = kept;
}

static void keep_projections(struct logical *n, const struct need *need, struct need *below)
{
    size_t kept = 0;
    for (size_t i = 0; i < n->ncols; i++) {
        if (!is_needed(need, n->cols[i].rel, n->cols[i].no))
            continue;
        n->cols[kept] = n->cols[i];
        n->exprs[kept++] = n->exprs[i];
    }
    n->ncols = n->nexprs = kept;
    need_exprs(below, n->exprs, n->nexprs);
}

static void keep_aggs(struct logical *n, const struct need *need, struct need *below)
{
    size_t kept = 0;
    need_exprs(below, n->exprs, n->nexprs);
    for (size_t i = 0; i < n->naggs; i++) {
        if (!is_needed(need, n->rel, n->aggno[i]))
            continue;
        need_exprs(below, n->aggs[i].args, n->aggs[i].spec.nargs);
        if (n->aggs[i].filter)
            need_expr(below, n->aggs[i].filter);
        n->aggs[kept] = n->aggs[i];
        n->aggno[kept++] = n->aggno[i];
    }
    n->naggs = kept;
}

/* Rows that nobody asks the numbers of aren't numbered. */
static void drop_ordinal(struct logical *n)
{
    uint32_t no = 1;
    for (size_t i = 0; i < n->ncalls; i++)
        no += (uint32_t)n->calls[i].ncols;
    if (n->ordinality && !n->nconds && !logical_find(n, n->rel, no))
        n->ordinality = false;
}

static void need_win_expr(void *ctx, const struct expr **e)
{
    need_expr(ctx, *e);
}

static void keep_wins(struct logical *n, const struct need *need, struct need *below)
{
    size_t kept = 0;
    for (size_t i = 0; i < n->nwins; i++) {
        if (!is_needed(need, n->rel, n->winno[i]))
            continue;
        window_call_each(&n->wins[i], need_win_expr, below);
        n->wins[kept] = n->wins[i];
        n->winno[kept++] = n->winno[i];
    }
    n->nwins = kept;
}

static void need_of_cte(struct pruning *p, const struct logical *n, const struct need *need)
{
    for (size_t k = 0; k < p->ctes.n; k++) {
        if (p->ctes.v[k] != n->cte)
            continue;
        for (size_t i = 0; i < n->ncols; i++) {
            const struct lcol *out = &n->cte->out[n->cols[i].no - 1];
            if (is_needed(need, n->cols[i].rel, n->cols[i].no))
                need_col(&p->cte_needs[k], out->rel, out->no);
        }
    }
}

static void prune(struct pruning *p, struct logical *n, const struct need *need);

/* By position: the inputs keep what the result keeps. */
static void prune_union(struct pruning *p, struct logical *n, const struct need *need)
{
    for (size_t k = 0; k < n->nin; k++) {
        struct need below = {0};
        for (size_t i = 0; i < n->ncols; i++)
            if (is_needed(need, n->cols[i].rel, n->cols[i].no))
                need_col(&below, n->in[k]->cols[i].rel, n->in[k]->cols[i].no);
        prune(p, n->in[k], &below);
        VEC_FREE(below.ids);
    }
    keep_cols(n, need);
}

/* What the node needs of its inputs for itself and for its parent. */
static void need_below(struct pruning *p, struct logical *n, const struct need *need,
                       struct need *below)
{
    for (size_t i = 0; i < need->ids.n; i++)
        VEC_PUSH(below->ids, need->ids.v[i]);
    need_exprs(below, n->conds, n->nconds);
    need_exprs(below, n->lkeys, n->nkeys);
    need_exprs(below, n->rkeys, n->nkeys);
    for (size_t i = 0; i < n->nsort; i++)
        need_col(below, n->sort[i].rel, n->sort[i].no);
    for (size_t i = 0; i < n->npart; i++)
        need_col(below, n->part[i].rel, n->part[i].no);
    for (size_t i = 0; i < n->ncalls; i++)
        need_exprs(below, n->calls[i].args, n->calls[i].nargs);
    switch (n->kind) {
    case LOGICAL_PROJECT: keep_projections(n, need, below); break;
    case LOGICAL_GROUP: keep_aggs(n, need, below); break;
    case LOGICAL_WINDOW: keep_wins(n, need, below); break;
    case LOGICAL_CTE: need_of_cte(p, n, need); break;
    case LOGICAL_DISTINCT:
    case LOGICAL_SETOP:
    case LOGICAL_RECURSE:
        for (size_t i = 0; i < n->nin; i++)
            need_cols(below, n->in[i]);
        break;
    default: break;
    }
}

static void prune(struct pruning *p, struct logical *n, const struct need *need)
{
    struct need below = {0};
    if (n->kind == LOGICAL_UNION) {
        prune_union(p, n, need);
        return;
    }
    need_below(p, n, need, &below);
    for (size_t i = 0; i < n->nin; i++)
        prune(p, n->in[i], &below);
    keep_cols(n, need);
    drop_ordinal(n);
    VEC_FREE(below.ids);
}

/*
 * Columns that may fail are computed where Postgres computes them, though nobody needs them: in a
 * WITH query that is not put in place of its references.
 *
 *     WITH x AS (SELECT a, 1 / b AS c FROM t) SELECT count(*) FROM x, x y
 *         fails while a b is 0; without WITH, 1 / b would never be computed
 */
static void need_risky(struct need *need, const struct logical_cte *cte)
{
    const struct logical *n = cte->root;
    if (!cte->whole)
        return;
    while (n->nin == 1 && n->kind != LOGICAL_PROJECT && n->kind != LOGICAL_GROUP)
        n = n->in[0];
    for (size_t i = 0; n->kind == LOGICAL_PROJECT && i < n->ncols; i++)
        if (!expr_is_safe(n->exprs[i]) && logical_find(cte->root, n->cols[i].rel, n->cols[i].no))
            need_col(need, n->cols[i].rel, n->cols[i].no);
}

void pass_prune(struct arena *a, struct logical *root)
{
    struct pruning p = {.a = a};
    struct need all = {0};
    logical_ctes(root, &p.ctes);
    p.cte_needs = ARENA_ARRAY(a, struct need, p.ctes.n);
    need_cols(&all, root);
    prune(&p, root, &all);
    VEC_FREE(all.ids);
    for (size_t i = 0; i < p.ctes.n; i++) {
        need_risky(&p.cte_needs[i], p.ctes.v[i]);
        prune(&p, p.ctes.v[i]->root, &p.cte_needs[i]);
        VEC_FREE(p.cte_needs[i].ids);
    }
    VEC_FREE(p.ctes);
}
