/*
 * pulled: see pulled.h. One function a kind of node; each gives back a node of its own where
 * something changes, and never changes what it was given.
 */
#include "engine/plan/pulled.h"

#include "engine/plan/carry.h"
#include "engine/expr/pgfuncs.h"
#include "engine/sql/pgops.h"

/* Columns replaced by expressions that use them twice could grow without end. */
#define MAX_EXPR_SIZE 2000

static bool is_outer(const struct pulled *p, const struct expr *e)
{
    return expr_refs_any(e, p->outer, p->nouter);
}

const struct expr *pulled_expr(void *pulled, const struct expr *column)
{
    const struct pulled *p = pulled;
    for (size_t i = 0; i < p->cols.n; i++)
        if (p->cols.v[i].rel == column->rel && p->cols.v[i].no == column->col)
            return p->exprs.v[i];
    return NULL;
}

static const struct expr *in_terms_of_rest(struct pulled *p, const struct expr *e)
{
    return expr_subst(p->c->arena, e, pulled_expr, p);
}

static void stands_for(struct pulled *p, const struct lcol *c, const struct expr *e)
{
    for (size_t i = 0; i < p->cols.n; i++)
        if (p->cols.v[i].rel == c->rel && p->cols.v[i].no == c->no) {
            p->exprs.v[i] = e;
            return;
        }
    AVEC_PUSH(p->c->arena, p->cols, *c);
    AVEC_PUSH(p->c->arena, p->exprs, e);
}

/* Conditions that look outside of `rest` go to p, also those that look further out: where they stay
 * they would keep the rest dependent. Without a rest, where none may go: those of p's outer columns. */
static void sort_out(struct pulled *p, const struct logical *rest, const struct expr *const *v,
                     size_t n, struct exprs *own)
{
    for (size_t i = 0; i < n; i++) {
        const struct expr *e = in_terms_of_rest(p, v[i]);
        if (e->kind == EXPR_AND)
            sort_out(p, rest, e->args, e->nargs, own);
        else if (rest ? !expr_refs_only(e, rest->cols, rest->ncols) : is_outer(p, e))
            AVEC_PUSH(p->c->arena, p->conds, e);
        else
            AVEC_PUSH(p->c->arena, *own, e);
    }
}

/* ------------------------------------------------------------ equalities as keys */

static bool is_own(const struct logical *rest, const struct expr *e)
{
    return expr_refs_any(e, rest->cols, rest->ncols);
}

/* The side of the equality that is the subquery's own, over `rest`; NULL where cond is none. */
static const struct expr *own_side(const struct pulled *p, const struct logical *rest,
                                   const struct expr *cond)
{
    if (cond->nargs != 2 || (cond->kind != EXPR_SAME && cond->kind != EXPR_FUNC))
        return NULL;
    const struct expr *x = cond->args[0], *y = cond->args[1];
    if (cond->kind == EXPR_FUNC && !pgops_key_type(cond->func->oid, x->ct.type, y->ct.type))
        return NULL;
    const struct expr *own = is_own(rest, x) ? x : y, *other = own == x ? y : x;
    if (is_outer(p, own) || is_own(rest, other) || !is_own(rest, own))
        return NULL;
    return type_has_equality(&own->ct) && expr_is_safe(own) ? own : NULL;
}

/* What doesn't concern the subquery's own columns is the same for all rows of a case. */
static bool all_are_keys(const struct pulled *p, const struct logical *rest)
{
    for (size_t i = 0; i < p->conds.n; i++)
        if (is_own(rest, p->conds.v[i]) && !own_side(p, rest, p->conds.v[i]))
            return false;
    return true;
}

/* Puts column (rel, from + 1 …) in the place of each equality's own side; these are the keys. */
static void make_keys(struct pulled *p, const struct logical *rest, uint32_t rel, size_t from,
                      struct exprs *keys)
{
    for (size_t i = 0; i < p->conds.n; i++) {
        const struct expr *cond = p->conds.v[i], *own = own_side(p, rest, cond);
        if (!own)
            continue;
        struct lcol key = {rel, (uint32_t)(from + keys->n) + 1, own->ct, ""};
        const struct expr *col = lcol_expr(p->c->arena, &key);
        const struct expr *args[2] = {own == cond->args[0] ? col : cond->args[0],
                                      own == cond->args[0] ? cond->args[1] : col};
        AVEC_PUSH(p->c->arena, *keys, own);
        p->conds.v[i] = expr_with_args(p->c->arena, cond, args);
    }
}

/* The columns of n and the keys as a projection over what is left; *nkeys of them come last. NULL
 * where a column depends. */
static struct logical *project_with_keys(struct pulled *p, struct logical *in,
                                         const struct logical *n, size_t *nkeys)
{
    struct exprs exprs = {0}, keys = {0};
    uint32_t rel = p->c->next_rel++;
    for (size_t i = 0; i < n->ncols; i++) {
        const struct expr *e = in_terms_of_rest(p, lcol_expr(p->c->arena, &n->cols[i]));
        if (is_outer(p, e) || !expr_is_safe(e))
            return NULL;
        AVEC_PUSH(p->c->arena, exprs, e);
    }
    make_keys(p, in, rel, n->ncols, &keys);
    exprs_append(p->c->arena, &exprs, keys.v, keys.n);
    struct logical *out = logical_project(p->c->arena, in, rel, exprs.v, NULL, exprs.n);
    for (size_t i = 0; i < n->ncols; i++) {
        out->cols[i] = n->cols[i];
        stands_for(p, &n->cols[i], lcol_expr(p->c->arena, &n->cols[i]));
    }
    *nkeys = keys.n;
    return out;
}

/* ------------------------------------------------------------ nodes */

static struct logical *pull_filter(struct pulled *p, struct logical *n)
{
    struct exprs own = {0};
    struct logical *in = pull_conds(p, n->in[0]);
    if (!in || p->one)
        return NULL;
    sort_out(p, in, n->conds, n->nconds, &own);
    return logical_filter(p->c->arena, in, &own);
}

static struct logical *pull_project(struct pulled *p, struct logical *n)
{
    struct logical *in = pull_conds(p, n->in[0]);
    if (!in)
        return NULL;
    const struct expr **exprs = ARENA_ARRAY(p->c->arena, const struct expr *, n->nexprs);
    for (size_t i = 0; i < n->nexprs; i++) {
        exprs[i] = in_terms_of_rest(p, n->exprs[i]);
        if (expr_size(exprs[i], MAX_EXPR_SIZE) >= MAX_EXPR_SIZE)
            return NULL;
    }
    for (size_t i = 0; i < n->nexprs; i++)
        stands_for(p, &n->cols[i], exprs[i]);
    return in;
}

static struct logical *pull_join(struct pulled *p, struct logical *n)
{
    struct exprs own = {0};
    struct logical *l, *r;
    if (n->join == JOIN_FULL || (n->join != JOIN_INNER && tree_uses(n->in[1], p->outer, p->nouter)))
        return NULL;
    if (!(l = pull_conds(p, n->in[0])) || p->one || !(r = pull_conds(p, n->in[1])) || p->one)
        return NULL;
    size_t before = p->conds.n;
    struct logical *j = logical_join(p->c->arena, n->join, l, r);
    sort_out(p, n->join == JOIN_INNER ? j : NULL, n->conds, n->nconds, &own);
    if (n->join != JOIN_INNER && p->conds.n > before)
        return NULL;
    j->conds = own.v;
    j->nconds = own.n;
    return j;
}

/* What the aggregate answers for no rows; false where it isn't known. */
static bool answer_for_nothing(struct pulled *p, const struct group_agg *g, struct value *out)
{
    struct err err;
    if (!g->spec.cls->result)
        return false;
    void *state = arena_alloc(p->c->arena, g->spec.cls->state_size);
    memset(state, 0, g->spec.cls->state_size);
    return g->spec.cls->result(&g->spec, state, p->c->arena, out, &err);
}

/* The columns of a grouping without keys where the row is missing. */
static bool pull_defaults(struct pulled *p, const struct logical *g)
{
    for (size_t i = 0; i < g->naggs; i++) {
        struct lcol c = {g->rel, g->aggno[i], g->aggs[i].spec.result, ""};
        const struct expr *either[2] = {lcol_expr(p->c->arena, &c), NULL};
        struct value v;
        if (!answer_for_nothing(p, &g->aggs[i], &v))
            return false;
        if (v.null)
            continue;
        either[1] = expr_const(p->c->arena, v, c.ct);
        stands_for(p, &c, expr_coalesce(p->c->arena, either, 2, c.ct));
    }
    p->one = true;
    return true;
}

/* Postgres aggregates the rows of one case only. What can fail isn't to be tried for others. */
static bool aggs_are_safe(const struct pulled *p, const struct logical *g)
{
    for (size_t i = 0; i < g->naggs; i++) {
        const struct group_agg *agg = &g->aggs[i];
        if (group_agg_refs_any(agg, p->outer, p->nouter) ||
            (agg->filter && !expr_is_safe(agg->filter)))
            return false;
        for (size_t k = 0; k < agg->spec.nargs; k++)
            if (!expr_is_safe(agg->args[k]))
                return false;
    }
    return true;
}

static struct logical *pull_group(struct pulled *p, struct logical *n)
{
    struct arena *a = p->c->arena;
    struct logical *in = pull_conds(p, n->in[0]);
    struct exprs keys = {0}, added = {0};
    if (!in || p->one || !all_are_keys(p, in))
        return NULL;
    struct logical *g = arena_memdup(a, n, sizeof *n);
    g->in = arena_memdup(a, &in, sizeof in);
    g->aggs = arena_memdup(a, n->aggs, n->naggs * sizeof *n->aggs);
    for (size_t i = 0; i < g->naggs; i++)
        group_agg_subst(a, &g->aggs[i], pulled_expr, p);
    for (size_t i = 0; i < n->nexprs; i++) {
        AVEC_PUSH(a, keys, in_terms_of_rest(p, n->exprs[i]));
        if (is_outer(p, keys.v[i]) || !expr_is_safe(keys.v[i]))
            return NULL;
    }
    if (!aggs_are_safe(p, g) || (!n->nexprs && !pull_defaults(p, g)))
        return NULL;
    make_keys(p, in, n->rel, n->nexprs, &added);
    exprs_append(a, &keys, added.v, added.n);
    g->exprs = keys.v;
    g->nexprs = keys.n;
    g->cols = ARENA_ARRAY(a, struct lcol, n->ncols + added.n);
    memcpy(g->cols, n->cols, n->ncols * sizeof *g->cols);
    for (size_t i = 0; i < added.n; i++)
        g->cols[g->ncols++] =
            (struct lcol){n->rel, (uint32_t)(n->nexprs + i) + 1, added.v[i]->ct, ""};
    return g;
}

/* Of each case the distinct rows, or the first ones: of all, those of each key. */
static struct logical *pull_by_key(struct pulled *p, struct logical *n)
{
    size_t nkeys;
    struct logical *in = pull_conds(p, n->in[0]);
    if (!in || p->one || !all_are_keys(p, in) || !(in = project_with_keys(p, in, n->in[0], &nkeys)))
        return NULL;
    if (n->kind == LOGICAL_DISTINCT)
        return logical_distinct(p->c->arena, in);
    struct logical_id *part = ARENA_ARRAY(p->c->arena, struct logical_id, n->npart + nkeys);
    for (size_t i = 0; i < n->npart; i++)
        part[i] = n->part[i];
    for (size_t i = 0; i < nkeys; i++) {
        const struct lcol *c = &in->cols[in->ncols - nkeys + i];
        part[n->npart + i] = (struct logical_id){c->rel, c->no};
    }
    struct logical *t = logical_topk(p->c->arena, in, n->sort, n->nsort, part, n->npart + nkeys);
    t->limit = n->limit;
    t->offset = n->offset;
    t->with_ties = n->with_ties;
    return t;
}

struct logical *pull_conds(struct pulled *p, struct logical *n)
{
    if (!tree_uses(n, p->outer, p->nouter))
        return n;
    switch (n->kind) {
    case LOGICAL_FILTER: return pull_filter(p, n);
    case LOGICAL_PROJECT: return pull_project(p, n);
    case LOGICAL_JOIN: return pull_join(p, n);
    case LOGICAL_GROUP: return pull_group(p, n);
    case LOGICAL_DISTINCT:
    case LOGICAL_TOPK: return pull_by_key(p, n);
    case LOGICAL_UNION:
    case LOGICAL_SETOP:
    case LOGICAL_WINDOW:  /* as with aggregates */
    case LOGICAL_FLATMAP: /* calls may fail, and Postgres makes them for the rows of a case only */
    case LOGICAL_RECURSE:
    case LOGICAL_SELF:
    case LOGICAL_CTE:
    case LOGICAL_SCAN:
    case LOGICAL_ONE_ROW: break;
    }
    return NULL;
}
