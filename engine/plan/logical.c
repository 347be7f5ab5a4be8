/*
 * logical: nodes of the logical plan, and the verifier that runs after every pass. See logical.h.
 */
#include "engine/plan/logical.h"

#include <string.h>

struct logical *logical_new(struct arena *a, enum logical_kind kind, size_t nin)
{
    struct logical *n = ARENA_NEW(a, struct logical);
    n->kind = kind;
    n->nin = nin;
    n->in = ARENA_ARRAY(a, struct logical *, nin ? nin : 1);
    n->limit = -1;
    return n;
}

static void take_cols(struct arena *a, struct logical *n, const struct logical *from)
{
    n->ncols = from->ncols;
    n->cols = arena_memdup(a, from->cols, from->ncols * sizeof *from->cols);
}

struct logical *logical_filter(struct arena *a, struct logical *in, const struct exprs *conds)
{
    if (!conds->n)
        return in;
    struct logical *n = logical_new(a, LOGICAL_FILTER, 1);
    n->in[0] = in;
    n->conds = arena_memdup(a, conds->v, conds->n * sizeof *conds->v);
    n->nconds = conds->n;
    take_cols(a, n, in);
    return n;
}

struct logical *logical_where(struct arena *a, struct logical *in, const struct expr *cond)
{
    struct exprs conds = {0};
    AVEC_PUSH(a, conds, cond);
    return logical_filter(a, in, &conds);
}

struct logical *logical_join(struct arena *a, enum join_kind kind, struct logical *left,
                             struct logical *right)
{
    struct logical *n = logical_new(a, LOGICAL_JOIN, 2);
    n->join = kind;
    n->in[0] = left;
    n->in[1] = right;
    if (kind == JOIN_SEMI || kind == JOIN_ANTI) {
        take_cols(a, n, left);
        return n;
    }
    n->ncols = left->ncols + right->ncols;
    n->cols = ARENA_ARRAY(a, struct lcol, n->ncols);
    if (left->ncols)
        memcpy(n->cols, left->cols, left->ncols * sizeof *n->cols);
    if (right->ncols)
        memcpy(n->cols + left->ncols, right->cols, right->ncols * sizeof *n->cols);
    return n;
}

struct logical *logical_distinct(struct arena *a, struct logical *in)
{
    struct logical *n = logical_new(a, LOGICAL_DISTINCT, 1);
    n->in[0] = in;
    take_cols(a, n, in);
    return n;
}

struct logical *logical_topk(struct arena *a, struct logical *in, struct logical_sort *sort,
                             size_t nsort, struct logical_id *part, size_t npart)
{
    struct logical *n = logical_new(a, LOGICAL_TOPK, 1);
    n->in[0] = in;
    n->sort = sort;
    n->nsort = nsort;
    n->part = part;
    n->npart = npart;
    take_cols(a, n, in);
    return n;
}

struct lcol *logical_made(struct arena *a, const struct logical *n, size_t *count)
{
    size_t total = n->ordinality + n->nwins, at = 0;
    for (size_t i = 0; i < n->ncalls; i++)
        total += n->calls[i].ncols;
    struct lcol *cols = ARENA_ARRAY(a, struct lcol, total);
    for (size_t i = 0; i < n->ncalls; i++)
        for (size_t k = 0; k < n->calls[i].ncols; k++, at++)
            cols[at] = (struct lcol){n->rel, (uint32_t)at + 1, n->calls[i].cols[k], ""};
    if (n->ordinality)
        cols[at] = (struct lcol){
            n->rel, (uint32_t)at + 1, {type_native(OID_INT8), -1, NULL}, "ordinality"};
    for (size_t i = 0; i < n->nwins; i++)
        cols[i] = (struct lcol){n->rel, n->winno[i], *window_call_type(&n->wins[i]), ""};
    *count = total;
    return cols;
}

struct logical *logical_flatmap(struct arena *a, struct logical *in, uint32_t rel,
                                struct srf_call *calls, size_t ncalls, bool ordinality,
                                const char *const *names)
{
    struct logical *n = logical_new(a, LOGICAL_FLATMAP, 1);
    size_t nmade;
    n->in[0] = in;
    n->rel = rel;
    n->calls = calls;
    n->ncalls = ncalls;
    n->ordinality = ordinality;
    struct lcol *made = logical_made(a, n, &nmade);
    for (size_t i = 0; names && i < nmade; i++)
        made[i].name = names[i] ? names[i] : "";
    n->ncols = in->ncols + nmade;
    n->cols = ARENA_ARRAY(a, struct lcol, n->ncols);
    if (in->ncols)
        memcpy(n->cols, in->cols, in->ncols * sizeof *n->cols);
    memcpy(n->cols + in->ncols, made, nmade * sizeof *made);
    return n;
}

struct logical *logical_project(struct arena *a, struct logical *in, uint32_t rel,
                                const struct expr *const *exprs, const char *const *names, size_t n)
{
    struct logical *p = logical_new(a, LOGICAL_PROJECT, 1);
    p->in[0] = in;
    p->rel = rel;
    p->ncols = p->nexprs = n;
    p->cols = ARENA_ARRAY(a, struct lcol, n);
    p->exprs = ARENA_ARRAY(a, const struct expr *, n);
    for (size_t i = 0; i < n; i++) {
        p->exprs[i] = exprs[i];
        p->cols[i] =
            (struct lcol){rel, (uint32_t)i + 1, exprs[i]->ct, names && names[i] ? names[i] : ""};
    }
    return p;
}

const struct lcol *logical_find(const struct logical *n, uint32_t rel, uint32_t no)
{
    for (size_t i = 0; i < n->ncols; i++)
        if (n->cols[i].rel == rel && n->cols[i].no == no)
            return &n->cols[i];
    return NULL;
}

const struct expr *lcol_expr(struct arena *a, const struct lcol *c)
{
    struct expr *e = expr_column(a, 0, c->no, c->ct);
    e->rel = c->rel;
    return e;
}

/* ------------------------------------------------------------ CTEs */

struct cte_walk {
    VEC(struct logical_cte *) done; /* in post-order: what is referred to comes first */
};

static void walk_ctes(struct logical *n, struct cte_walk *w)
{
    for (size_t i = 0; i < n->nin; i++)
        walk_ctes(n->in[i], w);
    if (n->kind != LOGICAL_CTE)
        return;
    for (size_t i = 0; i < w->done.n; i++)
        if (w->done.v[i] == n->cte)
            return;
    walk_ctes(n->cte->root, w);
    VEC_PUSH(w->done, n->cte);
}

void logical_ctes(struct logical *root, struct logical_ctes *out)
{
    struct cte_walk w = {0};
    walk_ctes(root, &w);
    *out = (struct logical_ctes){0};
    for (size_t i = w.done.n; i-- > 0;)
        VEC_PUSH(*out, w.done.v[i]);
    VEC_FREE(w.done);
}

/* ------------------------------------------------------------ verifier */

static bool gives(const struct logical *n, uint32_t rel, uint32_t no)
{
    for (size_t i = 0; i < n->nin; i++)
        if (logical_find(n->in[i], rel, no))
            return true;
    return false;
}

static bool is_made(const struct logical *n, uint32_t rel, uint32_t no)
{
    size_t total = n->ordinality;
    for (size_t i = 0; i < n->ncalls; i++)
        total += n->calls[i].ncols;
    if (rel != n->rel)
        return false;
    for (size_t i = 0; i < n->nwins; i++)
        if (n->winno[i] == no)
            return true;
    return n->kind == LOGICAL_FLATMAP && no >= 1 && no <= total;
}

static bool expr_is_valid(const struct expr *e, const struct logical *n)
{
    if (e->kind == EXPR_COLUMN &&
        (!e->rel ||
         !(gives(n, e->rel, e->col) || (n->kind == LOGICAL_FLATMAP && is_made(n, e->rel, e->col)))))
        return false;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!expr_is_valid(e->args[i], n))
            return false;
    return true;
}

static bool exprs_are_valid(const struct expr *const *v, size_t len, const struct logical *n)
{
    for (size_t i = 0; i < len; i++)
        if (!expr_is_valid(v[i], n))
            return false;
    return true;
}

/* Direct arguments are over the keys of the group itself. */
static bool direct_is_valid(const struct expr *e, const struct logical *n)
{
    if (e->kind == EXPR_COLUMN && (e->rel != n->rel || e->col < 1 || e->col > n->nexprs))
        return false;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!direct_is_valid(e->args[i], n))
            return false;
    return true;
}

static bool aggs_are_valid(const struct logical *n)
{
    for (size_t i = 0; i < n->naggs; i++) {
        const struct group_agg *g = &n->aggs[i];
        if (!exprs_are_valid(g->args, g->spec.nargs, n) ||
            (g->filter && !expr_is_valid(g->filter, n)))
            return false;
        for (uint32_t k = 0; k < g->spec.ndirect; k++)
            if (!direct_is_valid(g->direct[k], n))
                return false;
    }
    return true;
}

static bool calls_are_valid(const struct logical *n)
{
    for (size_t i = 0; i < n->ncalls; i++)
        if (!exprs_are_valid(n->calls[i].args, n->calls[i].nargs, n))
            return false;
    return true;
}

struct call_check {
    const struct logical *n;
    bool valid;
};

static void check_call_expr(void *ctx, const struct expr **e)
{
    struct call_check *c = ctx;
    c->valid &= *e && expr_is_valid(*e, c->n);
}

static bool wins_are_valid(const struct logical *n)
{
    struct call_check c = {n, true};
    for (size_t i = 0; i < n->nwins; i++)
        window_call_each(&n->wins[i], check_call_expr, &c);
    return c.valid;
}

static bool passes_through(const struct logical *n)
{
    return n->kind == LOGICAL_FILTER || n->kind == LOGICAL_JOIN || n->kind == LOGICAL_DISTINCT ||
           n->kind == LOGICAL_TOPK || n->kind == LOGICAL_FLATMAP || n->kind == LOGICAL_WINDOW;
}

/* An identity comes once, and from an input where it isn't made here. */
static bool cols_are_valid(const struct logical *n)
{
    for (size_t i = 0; i < n->ncols; i++) {
        const struct lcol *c = &n->cols[i];
        if (logical_find(n, c->rel, c->no) != c)
            return false;
        if (passes_through(n) && !gives(n, c->rel, c->no) && !is_made(n, c->rel, c->no))
            return false;
    }
    return true;
}

static bool shape_is_valid(const struct logical *n)
{
    switch (n->kind) {
    case LOGICAL_SCAN:
    case LOGICAL_ONE_ROW:
    case LOGICAL_CTE: return n->nin == 0;
    case LOGICAL_SELF: return n->nin == 0 && n->rec;
    case LOGICAL_RECURSE:
        return n->nin == 2 && n->rec && n->in[0]->ncols == n->rec->ncols &&
               n->in[1]->ncols == n->rec->ncols + (n->rec->is_tagged ? 1 : 0) -
                                      (n->rec->is_tagged ? 0 : n->rec->nextra);
    case LOGICAL_JOIN: return n->nin == 2 && !n->dependent;
    case LOGICAL_PROJECT: return n->nin == 1 && n->ncols == n->nexprs;
    case LOGICAL_SETOP: return n->nin == 2 && n->in[0]->ncols == n->in[1]->ncols;
    case LOGICAL_UNION:
        for (size_t i = 0; i < n->nin; i++)
            if (n->in[i]->ncols != n->ncols)
                return false;
        return n->nin > 0;
    case LOGICAL_FILTER:
    case LOGICAL_GROUP:
    case LOGICAL_DISTINCT:
    case LOGICAL_FLATMAP:
    case LOGICAL_TOPK:
    case LOGICAL_WINDOW: break;
    }
    return n->nin == 1;
}

static bool tree_is_valid(const struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        if (!tree_is_valid(n->in[i]))
            return false;
    for (size_t i = 0; i < n->nsort; i++)
        if (!gives(n, n->sort[i].rel, n->sort[i].no))
            return false;
    for (size_t i = 0; i < n->npart; i++)
        if (!gives(n, n->part[i].rel, n->part[i].no))
            return false;
    return shape_is_valid(n) && cols_are_valid(n) && aggs_are_valid(n) && calls_are_valid(n) &&
           wins_are_valid(n) && wins_are_valid(n) && exprs_are_valid(n->conds, n->nconds, n) &&
           exprs_are_valid(n->exprs, n->nexprs, n) && exprs_are_valid(n->lkeys, n->nkeys, n) &&
           exprs_are_valid(n->rkeys, n->nkeys, n);
}

bool logical_is_valid(const struct logical *root)
{
    struct logical_ctes ctes;
    bool valid = tree_is_valid(root);
    logical_ctes((struct logical *)root, &ctes);
    for (size_t i = 0; i < ctes.n && valid; i++)
        valid = tree_is_valid(ctes.v[i]->root);
    VEC_FREE(ctes);
    return valid;
}
