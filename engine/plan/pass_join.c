/*
 * pass_join: the order of inner joins, and which equalities are keys.
 *
 * A run of inner joins is taken apart into its inputs and conditions and put together again
 * greedily, along equalities: what stays apart forms groups of its own, joined last by whatever
 * condition there is. So a cross product is made only where the statement has nothing to connect two
 * groups by:
 *
 *     FROM a, b, c WHERE a.x = c.x AND c.y = b.y      →  (a ⋈ c) ⋈ b, not (a × b) ⋈ c
 *
 * Each join keeps its inputs, so those that are cut down by a filter come first, an equality with a
 * constant before any other, and take what they are connected with along; else the order is the one
 * written. No statistics: they would give the same statement another plan, and key, from day to day.
 *
 * Outer joins stay where they are and are inputs of such a run.
 *
 * An equality is a key if its function agrees with btree equality of the two types (pgops.h); both
 * sides are cast to one type, so that int4 = int8 finds its partner by hash. EXPR_SAME, which a
 * decorrelated subquery is joined by, is a null-safe key. What isn't, stays as a residual condition.
 */
#include "engine/plan/passes.h"

#include "engine/expr/pgfuncs.h"
#include "engine/sql/pgops.h"

/* ------------------------------------------------------------ keys */

/* e as a key of that type under that collation; NULL where it can't be one. */
static const struct expr *key_expr(struct pass_ctx *c, const struct expr *e, uint32_t type,
                                   const struct collation *coll)
{
    uint32_t funcid = 0;
    struct err err;
    struct column_type ct = {e->ct.type, -1, coll};
    if (e->ct.type->oid != type) {
        ct.type = type_native(type);
        if (pgops_implicit_cast(e->ct.type->oid, type, &funcid) != CAST_FUNC)
            return NULL;
        e = expr_func(c->arena, funcid, NULL, &e, 1, ct, NULL, &err);
        e = e ? expr_fold(c->arena, e) : NULL;
    } else if (e->ct.collation != coll && e->ct.collation) {
        e = expr_relabel(c->arena, e, ct, &err);
    }
    return e && type_has_equality(&ct) ? e : NULL;
}

struct key {
    const struct expr *l, *r;
    bool nullsafe;
};

static bool has_columns_of(const struct expr *e, const struct logical *side)
{
    return expr_has_columns(e) && expr_refs_only(e, side->cols, side->ncols);
}

/* Whether cond is an equality between the two sides; then *out are its keys, left's first. */
static bool as_key(struct pass_ctx *c, const struct expr *cond, const struct logical *left,
                   const struct logical *right, struct key *out)
{
    bool same = cond->kind == EXPR_SAME;
    if (!same && (cond->kind != EXPR_FUNC || cond->nargs != 2))
        return false;
    const struct expr *x = cond->args[0], *y = cond->args[1];
    uint32_t type =
        same ? x->ct.type->oid : pgops_key_type(cond->func->oid, x->ct.type, y->ct.type);
    bool straight = has_columns_of(x, left) && has_columns_of(y, right);
    if (!type || !(straight || (has_columns_of(y, left) && has_columns_of(x, right))))
        return false;
    if (!same) {
        x = key_expr(c, x, type, cond->collation);
        y = key_expr(c, y, type, cond->collation);
    }
    *out = straight ? (struct key){x, y, same} : (struct key){y, x, same};
    return x && y;
}

/* Splits the join's conditions into keys and residual. */
static void extract_keys(struct pass_ctx *c, struct logical *n)
{
    struct exprs rest = {0}, l = {0}, r = {0};
    bool *nullsafe = ARENA_ARRAY(c->arena, bool, n->nconds);
    for (size_t i = 0; i < n->nconds; i++) {
        struct key k;
        if (as_key(c, n->conds[i], n->in[0], n->in[1], &k)) {
            nullsafe[l.n] = k.nullsafe;
            AVEC_PUSH(c->arena, l, k.l);
            AVEC_PUSH(c->arena, r, k.r);
        } else {
            AVEC_PUSH(c->arena, rest, n->conds[i]);
        }
    }
    n->conds = rest.v;
    n->nconds = rest.n;
    n->lkeys = l.v;
    n->rkeys = r.v;
    n->nullsafe = nullsafe;
    n->nkeys = l.n;
}

/* ------------------------------------------------------------ order */

/* How much a part is cut down by its own filters. */
enum cut {
    CUT_NONE,
    CUT_FILTERED,
    CUT_PINNED /* a column equals a constant */
};

struct run {
    struct pass_ctx *c;
    struct {
        struct logical **v;
        size_t n, cap;
    } parts;
    struct {
        enum cut *v; /* of each part */
        size_t n, cap;
    } cuts;
    struct exprs conds;
};

static bool is_inner(const struct logical *n)
{
    return n->kind == LOGICAL_JOIN && n->join == JOIN_INNER;
}

static bool is_pin(const struct expr *e)
{
    if (e->kind != EXPR_FUNC || e->nargs != 2 ||
        !pgops_key_type(e->func->oid, e->args[0]->ct.type, e->args[1]->ct.type))
        return false;
    return e->args[0]->kind == EXPR_CONST || e->args[1]->kind == EXPR_CONST;
}

static enum cut cut_of(const struct logical *n)
{
    while (n->kind == LOGICAL_PROJECT)
        n = n->in[0];
    if (n->kind != LOGICAL_FILTER)
        return CUT_NONE;
    for (size_t i = 0; i < n->nconds; i++)
        if (is_pin(n->conds[i]))
            return CUT_PINNED;
    return CUT_FILTERED;
}

static void flatten(struct run *r, struct logical *n)
{
    if (!is_inner(n)) {
        n = pass_order_joins(r->c, n);
        AVEC_PUSH(r->c->arena, r->parts, n);
        AVEC_PUSH(r->c->arena, r->cuts, cut_of(n));
        return;
    }
    flatten(r, n->in[0]);
    flatten(r, n->in[1]);
    exprs_append(r->c->arena, &r->conds, n->conds, n->nconds);
}

/* The part that has all of e's columns; parts.n where none does, or where e has no columns. */
static size_t part_of(const struct run *r, const struct expr *e)
{
    size_t i = 0;
    while (i < r->parts.n && !has_columns_of(e, r->parts.v[i]))
        i++;
    return i;
}

struct pair {
    size_t i, j; /* i < j */
};

/* The two parts that cond is a key of. */
static bool key_pair(struct run *r, const struct expr *cond, struct pair *out)
{
    struct key k;
    if (cond->nargs != 2)
        return false;
    size_t x = part_of(r, cond->args[0]), y = part_of(r, cond->args[1]);
    if (x == y || x == r->parts.n || y == r->parts.n)
        return false;
    *out = x < y ? (struct pair){x, y} : (struct pair){y, x};
    return as_key(r->c, cond, r->parts.v[out->i], r->parts.v[out->j], &k);
}

/* The first two parts that cond has columns of. */
static bool any_pair(struct run *r, const struct expr *cond, struct pair *out)
{
    size_t found = 0;
    for (size_t i = 0; i < r->parts.n && found < 2; i++)
        if (expr_refs_any(cond, r->parts.v[i]->cols, r->parts.v[i]->ncols))
            *(found++ ? &out->j : &out->i) = i;
    return found == 2;
}

/* The better its more cut side, then its other side; then the order written. */
static bool is_better(const struct run *r, struct pair p, struct pair than)
{
    enum cut a = r->cuts.v[p.i], b = r->cuts.v[p.j], x, y;
    if (than.i == r->parts.n)
        return true;
    x = r->cuts.v[than.i];
    y = r->cuts.v[than.j];
    if ((a > b ? a : b) != (x > y ? x : y))
        return (a > b ? a : b) > (x > y ? x : y);
    if (a + b != x + y)
        return a + b > x + y;
    return p.i < than.i || (p.i == than.i && p.j < than.j);
}

/* What to join next: by a key if there is one, else by any condition, else the first two. */
static struct pair next_pair(struct run *r)
{
    struct pair best = {r->parts.n, r->parts.n}, p = {0, 0};
    for (int pass = 0; pass < 2 && best.i == r->parts.n; pass++)
        for (size_t k = 0; k < r->conds.n; k++)
            if ((pass ? any_pair : key_pair)(r, r->conds.v[k], &p) && is_better(r, p, best))
                best = p;
    return best.i == r->parts.n ? (struct pair){0, 1} : best;
}

/* Part i becomes the join of i and j, with all conditions that can be checked there. */
static void join_parts(struct run *r, size_t i, size_t j)
{
    struct logical *n = logical_join(r->c->arena, JOIN_INNER, r->parts.v[i], r->parts.v[j]);
    struct exprs here = {0}, later = {0};
    for (size_t k = 0; k < r->conds.n; k++) {
        if (expr_refs_only(r->conds.v[k], n->cols, n->ncols))
            AVEC_PUSH(r->c->arena, here, r->conds.v[k]);
        else
            AVEC_PUSH(r->c->arena, later, r->conds.v[k]);
    }
    exprs_sort_by_cost(&here);
    n->conds = here.v;
    n->nconds = here.n;
    extract_keys(r->c, n);
    r->conds = later;
    r->parts.v[i] = n;
    if (r->cuts.v[j] > r->cuts.v[i])
        r->cuts.v[i] = r->cuts.v[j];
    for (size_t k = j + 1; k < r->parts.n; k++) {
        r->parts.v[k - 1] = r->parts.v[k];
        r->cuts.v[k - 1] = r->cuts.v[k];
    }
    r->parts.n--;
}

static struct logical *order_run(struct pass_ctx *c, struct logical *n)
{
    struct run r = {.c = c};
    flatten(&r, n);
    while (r.parts.n > 1) {
        struct pair p = next_pair(&r);
        join_parts(&r, p.i, p.j);
    }
    return r.parts.v[0];
}

struct logical *pass_order_joins(struct pass_ctx *c, struct logical *n)
{
    if (is_inner(n))
        return order_run(c, n);
    for (size_t i = 0; i < n->nin; i++)
        n->in[i] = pass_order_joins(c, n->in[i]);
    if (n->kind == LOGICAL_JOIN)
        extract_keys(c, n);
    return n;
}
