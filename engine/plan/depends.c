/*
 * depends: which parts of a tree look at columns from outside of it. See carry.h.
 *
 * A column is named by identity wherever it is used, so a column of an outer query is simply one
 * that nothing in the subtree makes. Shared bodies are looked at once in a walk, however often they
 * are referred to: what depends ends the walk.
 */
#include "engine/plan/carry.h"

static bool any_refs(const struct expr *const *v, size_t n, const struct lcol *cols, size_t ncols)
{
    for (size_t i = 0; i < n; i++)
        if (expr_refs_any(v[i], cols, ncols))
            return true;
    return false;
}

bool group_agg_refs_any(const struct group_agg *g, const struct lcol *cols, size_t n)
{
    return any_refs(g->args, g->spec.nargs, cols, n) ||
           any_refs(g->direct, g->spec.ndirect, cols, n) ||
           (g->filter && expr_refs_any(g->filter, cols, n));
}

void group_agg_subst(struct arena *a, struct group_agg *g, expr_subst_fn *fn, void *ctx)
{
    for (size_t i = 0; i < g->spec.nargs; i++)
        g->args[i] = expr_subst(a, g->args[i], fn, ctx);
    if (g->filter)
        g->filter = expr_subst(a, g->filter, fn, ctx);
}

void group_agg_subst_direct(struct arena *a, struct group_agg *g, expr_subst_fn *fn, void *ctx)
{
    for (size_t i = 0; i < g->spec.ndirect; i++)
        g->direct[i] = expr_subst(a, g->direct[i], fn, ctx);
}

struct srf_call *calls_subst(struct arena *a, const struct logical *n, expr_subst_fn *fn, void *ctx)
{
    struct srf_call *calls = arena_memdup(a, n->calls, n->ncalls * sizeof *calls);
    for (size_t i = 0; i < n->ncalls; i++) {
        calls[i].args = ARENA_ARRAY(a, const struct expr *, calls[i].nargs);
        for (size_t k = 0; k < calls[i].nargs; k++)
            calls[i].args[k] = expr_subst(a, n->calls[i].args[k], fn, ctx);
    }
    return calls;
}

struct win_subst {
    struct arena *arena;
    expr_subst_fn *fn;
    void *ctx;
};

static void subst_one(void *ctx, const struct expr **e)
{
    struct win_subst *s = ctx;
    *e = expr_subst(s->arena, *e, s->fn, s->ctx);
}

struct window_call *wins_subst(struct arena *a, const struct logical *n, expr_subst_fn *fn,
                               void *ctx)
{
    struct win_subst s = {a, fn, ctx};
    struct window_call *wins = arena_memdup(a, n->wins, n->nwins * sizeof *wins);
    for (size_t i = 0; i < n->nwins; i++)
        window_call_each(&wins[i], subst_one, &s);
    return wins;
}

struct looking {
    const struct lcol *cols;
    size_t ncols;
    bool found;
};

static void look_at_one(void *ctx, const struct expr **e)
{
    struct looking *l = ctx;
    l->found |= expr_refs_any(*e, l->cols, l->ncols);
}

static bool wins_ref_any(const struct logical *n, const struct lcol *cols, size_t ncols)
{
    struct looking l = {cols, ncols, false};
    for (size_t i = 0; i < n->nwins; i++)
        window_call_each(&n->wins[i], look_at_one, &l);
    return l.found;
}

bool calls_ref_any(const struct logical *n, const struct lcol *cols, size_t ncols)
{
    for (size_t i = 0; i < n->ncalls; i++)
        if (any_refs(n->calls[i].args, n->calls[i].nargs, cols, ncols))
            return true;
    return false;
}

bool node_uses(const struct logical *n, const struct lcol *cols, size_t ncols)
{
    for (size_t i = 0; i < n->naggs; i++)
        if (group_agg_refs_any(&n->aggs[i], cols, ncols))
            return true;
    if (calls_ref_any(n, cols, ncols) || wins_ref_any(n, cols, ncols))
        return true;
    return any_refs(n->conds, n->nconds, cols, ncols) ||
           any_refs(n->exprs, n->nexprs, cols, ncols) ||
           any_refs(n->lkeys, n->nkeys, cols, ncols) || any_refs(n->rkeys, n->nkeys, cols, ncols);
}

struct walk {
    struct carry *k; /* for its leaves; may be NULL */
    const struct lcol *cols;
    size_t ncols;
    VEC(const struct logical_cte *) seen;
};

static bool walk(struct walk *w, const struct logical *n)
{
    if (node_uses(n, w->cols, w->ncols) || (w->k && w->k->is_leaf && w->k->is_leaf(w->k, n)))
        return true;
    for (size_t i = 0; i < n->nin; i++)
        if (walk(w, n->in[i]))
            return true;
    if (n->kind != LOGICAL_CTE)
        return false;
    for (size_t i = 0; i < w->seen.n; i++)
        if (w->seen.v[i] == n->cte)
            return false;
    VEC_PUSH(w->seen, n->cte);
    return walk(w, n->cte->root);
}

bool tree_uses(const struct logical *n, const struct lcol *cols, size_t ncols)
{
    struct walk w = {.cols = cols, .ncols = ncols};
    bool uses = ncols && walk(&w, n);
    VEC_FREE(w.seen);
    return uses;
}

bool carry_depends(struct carry *k, const struct logical *n)
{
    struct walk w = {.k = k, .cols = k->outer, .ncols = k->n};
    bool depends = walk(&w, n);
    VEC_FREE(w.seen);
    return depends;
}

/* ------------------------------------------------------------ whole trees */

struct tree_walk {
    struct arena *arena;
    expr_subst_fn *fn;
    void *ctx;
    VEC(struct logical_cte *) seen;
};

static bool is_new(struct tree_walk *w, struct logical_cte *cte)
{
    for (size_t i = 0; i < w->seen.n; i++)
        if (w->seen.v[i] == cte)
            return false;
    VEC_PUSH(w->seen, cte);
    return true;
}

static void subst_all(struct tree_walk *w, const struct expr **v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = expr_subst(w->arena, v[i], w->fn, w->ctx);
}

static void subst_tree(struct tree_walk *w, struct logical *n)
{
    subst_all(w, n->conds, n->nconds);
    subst_all(w, n->exprs, n->nexprs);
    for (size_t i = 0; i < n->naggs; i++) {
        group_agg_subst(w->arena, &n->aggs[i], w->fn, w->ctx);
        group_agg_subst_direct(w->arena, &n->aggs[i], w->fn, w->ctx);
    }
    if (n->ncalls)
        n->calls = calls_subst(w->arena, n, w->fn, w->ctx);
    if (n->nwins)
        n->wins = wins_subst(w->arena, n, w->fn, w->ctx);
    for (size_t i = 0; i < n->nin; i++)
        subst_tree(w, n->in[i]);
    if (n->kind == LOGICAL_CTE && is_new(w, n->cte))
        subst_tree(w, n->cte->root);
}

void tree_subst(struct arena *a, struct logical *n, expr_subst_fn *fn, void *ctx)
{
    struct tree_walk w = {.arena = a, .fn = fn, .ctx = ctx};
    subst_tree(&w, n);
    VEC_FREE(w.seen);
}

static bool all_safe(const struct expr *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!expr_is_safe(v[i]))
            return false;
    return true;
}

static bool is_safe(struct tree_walk *w, const struct logical *n)
{
    if (!all_safe(n->exprs, n->nexprs) || n->ncalls || n->nwins)
        return false;
    for (size_t i = 0; i < n->naggs; i++)
        if (!all_safe(n->aggs[i].args, n->aggs[i].spec.nargs) ||
            (n->aggs[i].filter && !expr_is_safe(n->aggs[i].filter)))
            return false;
    for (size_t i = 0; i < n->nin; i++)
        if (!is_safe(w, n->in[i]))
            return false;
    return n->kind != LOGICAL_CTE || !is_new(w, n->cte) || is_safe(w, n->cte->root);
}

bool tree_is_safe(const struct logical *n)
{
    struct tree_walk w = {0};
    bool safe = is_safe(&w, n);
    VEC_FREE(w.seen);
    return safe;
}

struct logical *logical_keep(struct arena *a, struct logical *in, const struct lcol *cols, size_t n)
{
    const struct expr **exprs = ARENA_ARRAY(a, const struct expr *, n);
    for (size_t i = 0; i < n; i++)
        exprs[i] = lcol_expr(a, &cols[i]);
    struct logical *p = logical_project(a, in, 0, exprs, NULL, n);
    for (size_t i = 0; i < n; i++)
        p->cols[i] = cols[i];
    return p;
}
