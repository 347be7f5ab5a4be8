/*
 * pass_pull: projections below joins and limits are dissolved, so that subqueries and views don't
 * stand between joins that could be ordered together, and renaming alone costs and hides nothing.
 *
 * A projection's columns are replaced by their expressions wherever they are used above, up to the
 * next node that computes expressions of its own (a projection, a grouping). Columns that are plain
 * columns may pass everything. Expressions may pass inner joins and the side of an outer join that
 * is always there:
 *
 *     a LEFT JOIN (SELECT x, 1 AS one FROM b) s ON …      s.one is NULL where there is no b,
 *                                                         so it must be computed below the join
 *
 * and do so only from above a join, where it pays; else the join would keep the columns that an
 * expression is made of instead of the expression.
 */
#include "engine/plan/passes.h"

#define MAX_EXPR_SIZE 500

/* What columns of dissolved projections stand for, on the way up. */
struct pending {
    struct {
        struct lcol *v;
        size_t n, cap;
    } cols;
    struct exprs exprs;
};

static struct logical *pull(struct pass_ctx *c, struct logical *n, struct pending *up,
                            bool computed);

static const struct expr *pending_expr(void *ctx, const struct expr *column)
{
    const struct pending *p = ctx;
    for (size_t i = 0; i < p->cols.n; i++)
        if (p->cols.v[i].rel == column->rel && p->cols.v[i].no == column->col)
            return p->exprs.v[i];
    return NULL;
}

static void apply(struct pass_ctx *c, const struct expr **v, size_t n, struct pending *p)
{
    for (size_t i = 0; i < n; i++)
        v[i] = expr_subst(c->arena, v[i], pending_expr, p);
}

static bool can_dissolve(const struct logical *n, bool computed)
{
    const struct logical *in = n->in[0];
    bool over_join = in->kind == LOGICAL_JOIN && in->join == JOIN_INNER;
    for (size_t i = 0; i < n->nexprs; i++) {
        if (n->exprs[i]->kind == EXPR_COLUMN)
            continue;
        if (!computed || !over_join || expr_size(n->exprs[i], MAX_EXPR_SIZE) >= MAX_EXPR_SIZE)
            return false;
    }
    return true;
}

static struct logical *pull_project(struct pass_ctx *c, struct logical *n, struct pending *up,
                                    bool computed)
{
    struct pending below = {0};
    n->in[0] = pull(c, n->in[0], &below, true);
    apply(c, n->exprs, n->nexprs, &below);
    if (!up || !can_dissolve(n, computed))
        return n;
    for (size_t i = 0; i < n->ncols; i++) {
        AVEC_PUSH(c->arena, up->cols, n->cols[i]);
        AVEC_PUSH(c->arena, up->exprs, n->exprs[i]);
    }
    return n->in[0];
}

static struct logical *pull_group(struct pass_ctx *c, struct logical *n)
{
    struct pending below = {0};
    n->in[0] = pull(c, n->in[0], &below, true);
    apply(c, n->exprs, n->nexprs, &below);
    for (size_t i = 0; i < n->naggs; i++) {
        apply(c, n->aggs[i].args, n->aggs[i].spec.nargs, &below);
        if (n->aggs[i].filter)
            apply(c, &n->aggs[i].filter, 1, &below);
    }
    return n;
}

/* The columns of a node that passes its inputs' through, anew. */
static void renew_cols(struct pass_ctx *c, struct logical *n)
{
    bool one_side = n->kind == LOGICAL_JOIN && (n->join == JOIN_SEMI || n->join == JOIN_ANTI);
    size_t nin = one_side ? 1 : n->nin, at = 0, nmade = 0;
    struct lcol *made = logical_made(c->arena, n, &nmade);
    for (size_t i = 0; i < nmade; i++)
        made[i] = *logical_find(n, made[i].rel, made[i].no);
    n->ncols = nmade;
    for (size_t i = 0; i < nin; i++)
        n->ncols += n->in[i]->ncols;
    n->cols = ARENA_ARRAY(c->arena, struct lcol, n->ncols);
    for (size_t i = 0; i < nin; i++)
        for (size_t k = 0; k < n->in[i]->ncols; k++)
            n->cols[at++] = n->in[i]->cols[k];
    for (size_t i = 0; i < nmade; i++)
        n->cols[at++] = made[i];
}

/* What is ordered or partitioned by is named by column: only columns take its place here. */
static void rename_column(const struct pending *p, uint32_t *rel, uint32_t *no)
{
    struct expr column = {.rel = *rel, .col = *no};
    const struct expr *e = pending_expr((void *)p, &column);
    if (e) {
        *rel = e->rel;
        *no = e->col;
    }
}

struct win_apply {
    struct pass_ctx *c;
    struct pending *p;
};

static void apply_to_win(void *ctx, const struct expr **e)
{
    struct win_apply *a = ctx;
    apply(a->c, e, 1, a->p);
}

static struct logical *pull_through(struct pass_ctx *c, struct logical *n, struct pending *up,
                                    const bool computed[2])
{
    struct pending here = {0};
    for (size_t i = 0; i < n->nin; i++)
        n->in[i] = pull(c, n->in[i], up ? &here : NULL, computed[i]);
    if (!up)
        return n;
    apply(c, n->conds, n->nconds, &here);
    for (size_t i = 0; i < n->ncalls; i++)
        apply(c, n->calls[i].args, n->calls[i].nargs, &here);
    for (size_t i = 0; i < n->nsort; i++)
        rename_column(&here, &n->sort[i].rel, &n->sort[i].no);
    for (size_t i = 0; i < n->npart; i++)
        rename_column(&here, &n->part[i].rel, &n->part[i].no);
    for (size_t i = 0; i < n->nwins; i++)
        window_call_each(&n->wins[i], apply_to_win, &(struct win_apply){c, &here});
    renew_cols(c, n);
    for (size_t i = 0; i < here.cols.n; i++) {
        AVEC_PUSH(c->arena, up->cols, here.cols.v[i]);
        AVEC_PUSH(c->arena, up->exprs, here.exprs.v[i]);
    }
    return n;
}

static struct logical *pull(struct pass_ctx *c, struct logical *n, struct pending *up,
                            bool computed)
{
    bool sides[2] = {computed, computed};
    switch (n->kind) {
    case LOGICAL_PROJECT: return pull_project(c, n, up, computed);
    case LOGICAL_GROUP: return pull_group(c, n);
    case LOGICAL_FILTER: return pull_through(c, n, up, sides);
    case LOGICAL_JOIN:
        sides[0] = computed && n->join != JOIN_FULL;
        sides[1] = computed && n->join == JOIN_INNER;
        return pull_through(c, n, up, sides);
    case LOGICAL_FLATMAP:
    case LOGICAL_WINDOW:
    case LOGICAL_TOPK: sides[0] = false; return pull_through(c, n, up, sides);
    case LOGICAL_DISTINCT: /* what is distinct is said by the projection */
    case LOGICAL_UNION:
    case LOGICAL_SETOP:
    case LOGICAL_RECURSE:
        for (size_t i = 0; i < n->nin; i++)
            n->in[i] = pull(c, n->in[i], NULL, false);
        return n;
    case LOGICAL_SCAN:
    case LOGICAL_ONE_ROW:
    case LOGICAL_SELF:
    case LOGICAL_CTE: break;
    }
    return n;
}

struct logical *pass_pull_projections(struct pass_ctx *c, struct logical *root)
{
    return pull(c, root, NULL, false);
}
