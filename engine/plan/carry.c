/*
 * carry: the rules, one function a kind of node. See carry.h.
 */
#include "engine/plan/carry.h"
#include "engine/plan/pulled.h"

#include "engine/expr/expr.h"

/* ------------------------------------------------------------ expressions */

/* Outer columns by what is carried for them. */
struct rename {
    struct carry *k;
    const struct lcol *to;
};

static const struct expr *renamed(void *ctx, const struct expr *column)
{
    const struct rename *r = ctx;
    for (size_t i = 0; i < r->k->n; i++)
        if (r->k->outer[i].rel == column->rel && r->k->outer[i].no == column->col)
            return lcol_expr(r->k->c->arena, &r->to[i]);
    return NULL;
}

static void rename_exprs(struct rename *r, const struct expr ***v, size_t n)
{
    const struct expr **out = ARENA_ARRAY(r->k->c->arena, const struct expr *, n);
    for (size_t i = 0; i < n; i++)
        out[i] = expr_subst(r->k->c->arena, (*v)[i], renamed, r);
    *v = out;
}

static struct logical *copy_of(struct carry *k, const struct logical *n)
{
    struct logical *copy = arena_memdup(k->c->arena, n, sizeof *n);
    copy->in = arena_memdup(k->c->arena, n->in, (n->nin ? n->nin : 1) * sizeof(struct logical *));
    return copy;
}

/* n's columns and more. */
static struct lcol *cols_and(struct carry *k, const struct logical *n, const struct lcol *more,
                             size_t nmore)
{
    struct lcol *all = ARENA_ARRAY(k->c->arena, struct lcol, n->ncols + nmore);
    if (n->ncols)
        memcpy(all, n->cols, n->ncols * sizeof *all);
    if (nmore)
        memcpy(all + n->ncols, more, nmore * sizeof *all);
    return all;
}

/* The node gives the carried columns too. */
static void add_cols(struct carry *k, struct logical *n, const struct lcol *cols)
{
    n->cols = cols_and(k, n, cols, k->n);
    n->ncols += k->n;
}

/* Exactly n's columns, then the carried ones. */
static struct logical *in_order(struct carry *k, const struct logical *n, struct logical *carried,
                                const struct lcol *out)
{
    return logical_keep(k->c->arena, carried, cols_and(k, n, out, k->n), n->ncols + k->n);
}

/* The expressions, then the carried columns. */
static const struct expr **exprs_and_cols(struct carry *k, const struct expr *const *v, size_t n,
                                          const struct lcol *cols)
{
    struct exprs all = {0};
    exprs_append(k->c->arena, &all, v, n);
    for (size_t i = 0; i < k->n; i++)
        AVEC_PUSH(k->c->arena, all, lcol_expr(k->c->arena, &cols[i]));
    return all.v;
}

/* out: fresh identities (rel, from + 1 …) for what cols are. */
static void fresh_cols(const struct carry *k, uint32_t rel, size_t from, const struct lcol *cols,
                       struct lcol *out)
{
    for (size_t i = 0; i < k->n; i++)
        out[i] = (struct lcol){rel, (uint32_t)(from + i) + 1, cols[i].ct, cols[i].name};
}

/* Conditions that both sides are of the same case. */
static void add_same_case(struct carry *k, struct logical *join, const struct lcol *l,
                          const struct lcol *r)
{
    struct exprs conds = {0};
    exprs_append(k->c->arena, &conds, join->conds, join->nconds);
    for (size_t i = 0; i < k->n; i++)
        AVEC_PUSH(
            k->c->arena, conds,
            expr_same(k->c->arena, lcol_expr(k->c->arena, &l[i]), lcol_expr(k->c->arena, &r[i])));
    join->conds = conds.v;
    join->nconds = conds.n;
}

static struct logical *source(struct carry *k, struct lcol *out)
{
    if (k->source)
        return k->source(k, out);
    err_soft(k->err, "a part of a recursion that doesn't refer to itself");
    return NULL;
}

/* The rows of n without the cases; NULL where they can't be had so. */
static struct logical *carry_pull(struct carry *k, struct logical *n, struct pulled *p)
{
    *p = (struct pulled){.c = k->c, .outer = k->outer, .nouter = k->n};
    return k->source && !k->is_leaf ? pull_conds(p, n) : NULL;
}

/* For each case all of n, which doesn't depend on it. */
static struct logical *carry_beside(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *s = source(k, out);
    if (!s || n->kind == LOGICAL_ONE_ROW)
        return s;
    return logical_join(k->c->arena, JOIN_INNER, s, n);
}

/* ------------------------------------------------------------ one input */

static struct logical *carry_filter(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *f = copy_of(k, n);
    struct rename r = {k, out};
    if (!(f->in[0] = carry_through(k, n->in[0], out)))
        return NULL;
    rename_exprs(&r, &f->conds, f->nconds);
    add_cols(k, f, out);
    return f;
}

static struct logical *carry_project(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *p = copy_of(k, n);
    struct rename r = {k, out};
    if (!(p->in[0] = carry_through(k, n->in[0], out)))
        return NULL;
    rename_exprs(&r, &p->exprs, p->nexprs);
    p->exprs = exprs_and_cols(k, p->exprs, p->nexprs, out);
    p->nexprs += k->n;
    add_cols(k, p, out);
    return p;
}

static struct logical *carry_distinct(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *in = carry_through(k, n->in[0], out);
    return in ? logical_distinct(k->c->arena, in_order(k, n, in, out)) : NULL;
}

/* A limit and a window are of each case. */
static struct logical *carry_parts(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *t = copy_of(k, n);
    struct rename r = {k, out};
    if (!(t->in[0] = carry_through(k, n->in[0], out)))
        return NULL;
    t->part = ARENA_ARRAY(k->c->arena, struct logical_id, n->npart + k->n);
    if (n->npart)
        memcpy(t->part, n->part, n->npart * sizeof *t->part);
    for (size_t i = 0; i < k->n; i++)
        t->part[t->npart++] = (struct logical_id){out[i].rel, out[i].no};
    t->wins = wins_subst(k->c->arena, n, renamed, &r);
    add_cols(k, t, out);
    return t;
}

static struct logical *carry_flatmap(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *f = copy_of(k, n);
    struct rename r = {k, out};
    if (!(f->in[0] = carry_through(k, n->in[0], out)))
        return NULL;
    f->calls = calls_subst(k->c->arena, n, renamed, &r);
    rename_exprs(&r, &f->conds, f->nconds);
    add_cols(k, f, out);
    return f;
}

/* ------------------------------------------------------------ grouping */

static const struct expr *const_true(struct carry *k)
{
    struct column_type ct = {type_native(OID_BOOL), -1, NULL};
    return expr_const(k->c->arena, value_bool(true), ct);
}

/* The rows, each with a column that is true. */
static struct logical *marked(struct carry *k, struct logical *rows, struct lcol *there)
{
    struct logical *m = logical_keep(k->c->arena, rows, rows->cols, rows->ncols);
    struct exprs all = {0};
    exprs_append(k->c->arena, &all, m->exprs, m->nexprs);
    AVEC_PUSH(k->c->arena, all, const_true(k));
    *there = (struct lcol){k->c->next_rel++, 1, all.v[all.n - 1]->ct, "there"};
    m->cols = cols_and(k, m, there, 1);
    m->exprs = all.v;
    m->ncols = m->nexprs = all.n;
    return m;
}

/*
 * Every case with its rows, or with a row of NULLs where it has none; *there tells which.
 *
 *     SELECT (SELECT count(*) FROM t WHERE t.x = o.x) FROM o     is 0, not nothing, where no t is
 *
 * Where the rows can be had without the cases (p), the two meet on the conditions pulled out.
 */
static struct logical *cases_with_rows(struct carry *k, struct logical *in, struct pulled *p,
                                       struct lcol *out, struct lcol *there)
{
    struct arena *a = k->c->arena;
    struct lcol *mine = ARENA_ARRAY(a, struct lcol, k->n);
    struct logical *rows = carry_pull(k, in, p);
    bool pulled = rows && !p->one;
    struct rename r = {k, out};
    if (!pulled) {
        *p = (struct pulled){0};
        rows = carry_through(k, in, mine);
    }
    struct logical *cases = rows ? source(k, out) : NULL;
    if (!cases)
        return NULL;
    struct logical *j = logical_join(a, JOIN_LEFT, cases, marked(k, rows, there));
    j->conds = p->conds.v;
    j->nconds = p->conds.n;
    rename_exprs(&r, &j->conds, j->nconds);
    if (!pulled)
        add_same_case(k, j, out, mine);
    return j;
}

/* The aggregates see only what is a row; so they answer for none what they answer for none. */
static void only_rows(struct carry *k, struct logical *g, const struct lcol *there)
{
    for (size_t i = 0; i < g->naggs; i++) {
        struct group_agg *agg = &g->aggs[i];
        const struct expr *both[2] = {lcol_expr(k->c->arena, there), agg->filter};
        agg->filter = agg->filter ? expr_bool(k->c->arena, EXPR_AND, both, 2) : both[0];
    }
}

static struct logical *carry_group(struct carry *k, struct logical *n, struct lcol *out)
{
    struct arena *a = k->c->arena;
    struct logical *g = copy_of(k, n);
    struct lcol there, *keys = ARENA_ARRAY(a, struct lcol, k->n);
    struct rename r = {k, keys};
    struct pulled p = {0};
    g->in[0] = n->nexprs ? carry_through(k, n->in[0], keys)
                         : cases_with_rows(k, n->in[0], &p, keys, &there);
    if (!g->in[0])
        return NULL;
    rename_exprs(&r, &g->exprs, g->nexprs);
    g->aggs = arena_memdup(a, n->aggs, n->naggs * sizeof *n->aggs);
    for (size_t i = 0; i < g->naggs; i++) {
        group_agg_subst(a, &g->aggs[i], pulled_expr, &p);
        group_agg_subst(a, &g->aggs[i], renamed, &r);
    }
    if (!n->nexprs)
        only_rows(k, g, &there);
    fresh_cols(k, g->rel, g->nexprs, keys, out);
    for (size_t i = 0; i < g->naggs; i++)
        group_agg_subst_direct(a, &g->aggs[i], renamed, &(struct rename){k, out});
    g->exprs = exprs_and_cols(k, g->exprs, g->nexprs, keys);
    g->nexprs += k->n;
    add_cols(k, g, out);
    return g;
}

/* ------------------------------------------------------------ joins */

/* Both sides carried. Of a full join's row either side may be missing, its case isn't. */
static struct logical *carry_full(struct carry *k, struct logical *n, struct lcol *out)
{
    struct arena *a = k->c->arena;
    struct lcol *l = ARENA_ARRAY(a, struct lcol, k->n), *r = ARENA_ARRAY(a, struct lcol, k->n);
    struct logical *left = carry_through(k, n->in[0], l);
    struct logical *right = left ? carry_through(k, n->in[1], r) : NULL;
    struct rename rn = {k, l};
    if (!right)
        return NULL;
    struct logical *j = logical_join(a, JOIN_FULL, left, right);
    j->conds = n->conds;
    j->nconds = n->nconds;
    rename_exprs(&rn, &j->conds, j->nconds);
    add_same_case(k, j, l, r);
    struct logical *p = logical_keep(a, j, n->cols, n->ncols);
    struct exprs all = {0};
    exprs_append(a, &all, p->exprs, p->nexprs);
    for (size_t i = 0; i < k->n; i++) {
        const struct expr *either[2] = {lcol_expr(a, &l[i]), lcol_expr(a, &r[i])};
        AVEC_PUSH(a, all, expr_coalesce(a, either, 2, l[i].ct));
    }
    p->exprs = all.v;
    p->nexprs = all.n;
    fresh_cols(k, k->c->next_rel++, 0, l, out);
    add_cols(k, p, out);
    return p;
}

static struct logical *carry_join(struct carry *k, struct logical *n, struct lcol *out)
{
    struct arena *a = k->c->arena;
    bool right = carry_depends(k, n->in[1]);
    bool left = carry_depends(k, n->in[0]) || !right || n->join != JOIN_INNER;
    struct lcol *r = right && left ? ARENA_ARRAY(a, struct lcol, k->n) : out;
    struct logical *in[2] = {n->in[0], n->in[1]};
    struct rename rn = {k, out};
    if (n->join == JOIN_FULL)
        return carry_full(k, n, out);
    if (left && !(in[0] = carry_through(k, n->in[0], out)))
        return NULL;
    if (right && !(in[1] = carry_through(k, n->in[1], r)))
        return NULL;
    struct logical *j = logical_join(a, n->join, in[0], in[1]);
    j->conds = n->conds;
    j->nconds = n->nconds;
    rename_exprs(&rn, &j->conds, j->nconds);
    if (left && right)
        add_same_case(k, j, out, r);
    return j;
}

/* ------------------------------------------------------------ by position */

static struct logical *carry_setop(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *u = copy_of(k, n);
    struct lcol *mine = ARENA_ARRAY(k->c->arena, struct lcol, k->n);
    for (size_t i = 0; i < n->nin; i++) {
        struct logical *in = carry_through(k, n->in[i], mine);
        if (!in)
            return NULL;
        u->in[i] = in_order(k, n->in[i], in, mine);
    }
    fresh_cols(k, n->rel, n->ncols, mine, out);
    add_cols(k, u, out);
    return u;
}

/* ------------------------------------------------------------ leaves */

/* The shared body carried, once for all its references within the subtree. */
static struct logical_cte *carried_cte(struct carry *k, struct logical_cte *from)
{
    struct arena *a = k->c->arena;
    struct lcol *mine = ARENA_ARRAY(a, struct lcol, k->n);
    for (size_t i = 0; i < k->ctes.n; i++)
        if (k->ctes.v[i].from == from)
            return k->ctes.v[i].to;
    struct logical_cte *to = arena_memdup(a, from, sizeof *from);
    if (!(to->root = carry_through(k, from->root, mine)))
        return NULL;
    to->out = ARENA_ARRAY(a, struct lcol, from->nout + k->n);
    if (from->nout)
        memcpy(to->out, from->out, from->nout * sizeof *to->out);
    for (size_t i = 0; i < k->n; i++)
        to->out[to->nout++] = mine[i];
    struct carried_cte done = {from, to};
    AVEC_PUSH(a, k->ctes, done);
    return to;
}

static struct logical *carry_cte(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *leaf = copy_of(k, n);
    size_t before = n->cte->nout;
    if (!(leaf->cte = carried_cte(k, n->cte)))
        return NULL;
    fresh_cols(k, leaf->rel, before, leaf->cte->out + before, out);
    add_cols(k, leaf, out);
    return leaf;
}

/* Where all that depends are conditions, and columns made above the rows: the cases and the rows
 * meet on them. NULL where there is more to it; p is then meaningless. */
static struct logical *carry_pulled(struct carry *k, struct logical *n, struct lcol *out)
{
    struct arena *a = k->c->arena;
    struct pulled p;
    struct rename r = {k, out};
    struct logical *rows = carry_pull(k, n, &p), *j;
    if (!rows || p.one || !(j = carry_beside(k, rows, out)))
        return NULL;
    rename_exprs(&r, &p.conds.v, p.conds.n);
    j = logical_filter(a, j, &p.conds);
    struct logical *out_node = in_order(k, n, j, out);
    for (size_t i = 0; i < n->ncols; i++) {
        out_node->exprs[i] = expr_subst(a, out_node->exprs[i], pulled_expr, &p);
        out_node->exprs[i] = expr_subst(a, out_node->exprs[i], renamed, &r);
    }
    return out_node;
}

/* ------------------------------------------------------------ recursion */

/* Within the body of a recursion that is carried: its references to itself give the columns too. */
struct within {
    struct carry *k;
    const struct logical_rec *from;
    struct logical_rec *to;
    const struct lcol *cols; /* what is carried, for their types */
};

static bool is_self(struct carry *k, const struct logical *n)
{
    const struct within *w = k->ctx;
    if (n->kind == LOGICAL_SELF && n->rec == w->from)
        return true;
    return w->k->is_leaf && w->k->is_leaf(w->k, n);
}

static struct logical *self_with_case(struct carry *k, struct logical *n, struct lcol *out)
{
    const struct within *w = k->ctx;
    if (n->kind != LOGICAL_SELF || n->rec != w->from)
        return w->k->leaf(w->k, n, out);
    struct logical *self = copy_of(k, n);
    self->rec = w->to;
    fresh_cols(k, n->rel, w->from->ncols, w->cols, out);
    add_cols(k, self, out);
    return self;
}

static struct logical *source_outside(struct carry *k, struct lcol *out)
{
    const struct within *w = k->ctx;
    return source(w->k, out);
}

/* One recursion for all cases: each row says whose it is. */
static struct logical *carry_recurse(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *r = copy_of(k, n);
    if (n->rec->nextra) {
        err_soft(k->err, "a SEARCH or CYCLE clause within a correlated subquery");
        return NULL;
    }
    struct lcol *mine = ARENA_ARRAY(k->c->arena, struct lcol, k->n);
    struct lcol *theirs = ARENA_ARRAY(k->c->arena, struct lcol, k->n);
    struct within w = {k, n->rec, arena_memdup(k->c->arena, n->rec, sizeof *n->rec), mine};
    struct carry inside = *k;
    inside.ctx = &w;
    inside.source = k->source ? source_outside : NULL;
    inside.is_leaf = is_self;
    inside.leaf = self_with_case;
    w.to->ncols += k->n;
    struct logical *base = carry_through(k, n->in[0], mine);
    struct logical *body = base ? carry_through(&inside, n->in[1], theirs) : NULL;
    if (!body)
        return NULL;
    r->rec = w.to;
    r->in[0] = in_order(k, n->in[0], base, mine);
    r->in[1] = in_order(k, n->in[1], body, theirs);
    fresh_cols(k, n->rel, n->ncols, mine, out);
    add_cols(k, r, out);
    return r;
}

struct logical *carry_through(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *met;
    if (k->is_leaf && k->is_leaf(k, n))
        return k->leaf(k, n, out);
    if (!carry_depends(k, n))
        return carry_beside(k, n, out);
    if ((met = carry_pulled(k, n, out)) || err_is_set(k->err))
        return met;
    switch (n->kind) {
    case LOGICAL_FILTER: return carry_filter(k, n, out);
    case LOGICAL_PROJECT: return carry_project(k, n, out);
    case LOGICAL_JOIN: return carry_join(k, n, out);
    case LOGICAL_GROUP: return carry_group(k, n, out);
    case LOGICAL_DISTINCT: return carry_distinct(k, n, out);
    case LOGICAL_UNION:
    case LOGICAL_SETOP: return carry_setop(k, n, out);
    case LOGICAL_WINDOW:
    case LOGICAL_TOPK: return carry_parts(k, n, out);
    case LOGICAL_CTE: return carry_cte(k, n, out);
    case LOGICAL_FLATMAP: return carry_flatmap(k, n, out);
    case LOGICAL_RECURSE: return carry_recurse(k, n, out);
    case LOGICAL_SELF:
    case LOGICAL_SCAN:
    case LOGICAL_ONE_ROW: break;
    }
    err_soft(k->err, "a correlated subquery of this form");
    return NULL;
}
