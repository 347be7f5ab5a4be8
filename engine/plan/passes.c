/*
 * passes: the table, the driver, and the passes too small for a file. See passes.h.
 */
#include "engine/plan/passes.h"

#include <assert.h>

struct logical *pass_inline_ctes(struct pass_ctx *c, struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        n->in[i] = pass_inline_ctes(c, n->in[i]);
    if (n->kind != LOGICAL_CTE || n->cte->refs != 1 || n->cte->apart)
        return n;
    const struct logical_cte *cte = n->cte;
    const struct expr **exprs = ARENA_ARRAY(c->arena, const struct expr *, cte->nout);
    const char **names = ARENA_ARRAY(c->arena, const char *, cte->nout);
    for (size_t i = 0; i < cte->nout; i++) {
        exprs[i] = lcol_expr(c->arena, &cte->out[i]);
        names[i] = cte->out[i].name;
    }
    struct logical *body = pass_inline_ctes(c, cte->root);
    return logical_project(c->arena, body, n->rel, exprs, names, cte->nout);
}

/* ------------------------------------------------------------ projections */

struct uses {
    const struct lcol *column;
    size_t n;
};

static void count_uses(const struct expr *e, struct uses *u)
{
    if (e->kind == EXPR_COLUMN)
        u->n += e->rel == u->column->rel && e->col == u->column->no;
    for (uint32_t i = 0; i < e->nargs; i++)
        count_uses(e->args[i], u);
}

/* Whether putting inner's expressions in place of its columns computes nothing twice. */
static bool is_mergeable(const struct logical *outer, const struct logical *inner)
{
    for (size_t i = 0; i < inner->ncols; i++) {
        struct uses u = {&inner->cols[i], 0};
        if (inner->exprs[i]->kind == EXPR_COLUMN || inner->exprs[i]->kind == EXPR_CONST)
            continue;
        for (size_t k = 0; k < outer->nexprs; k++)
            count_uses(outer->exprs[k], &u);
        if (u.n > 1)
            return false;
    }
    return true;
}

static const struct expr *inner_expr(void *ctx, const struct expr *column)
{
    const struct logical *inner = ctx;
    for (size_t i = 0; i < inner->ncols; i++)
        if (inner->cols[i].rel == column->rel && inner->cols[i].no == column->col)
            return inner->exprs[i];
    return NULL;
}

struct logical *pass_merge_projections(struct pass_ctx *c, struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        n->in[i] = pass_merge_projections(c, n->in[i]);
    if (n->kind != LOGICAL_PROJECT || n->in[0]->kind != LOGICAL_PROJECT ||
        !is_mergeable(n, n->in[0]))
        return n;
    for (size_t i = 0; i < n->nexprs; i++)
        n->exprs[i] = expr_subst(c->arena, n->exprs[i], inner_expr, n->in[0]);
    n->in[0] = n->in[0]->in[0];
    return n;
}

static pass_fn *const passes[] = {
    pass_inline_ctes,       pass_push_filters, pass_limit_windows,  pass_pull_projections,
    pass_merge_projections, pass_order_joins,  pass_lift_delegated,
};

static void check(const struct logical *root)
{
    bool valid = logical_is_valid(root);
    assert(valid);
    (void)valid;
}

struct logical *passes_run(struct pass_ctx *c, struct logical *root)
{
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        struct logical_ctes ctes;
        root = passes[i](c, root);
        logical_ctes(root, &ctes);
        for (size_t k = 0; k < ctes.n; k++)
            ctes.v[k]->root = passes[i](c, ctes.v[k]->root);
        VEC_FREE(ctes);
        check(root);
    }
    pass_prune(c->arena, root);
    check(root);
    return root;
}
