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
 * Each join keeps its inputs, so what comes first is what makes few rows: joins in which one side's
 * key is unique, so that the rows of the other don't multiply; among them those of inputs that a
 * filter cuts down, an equality with a constant before any other; then those of the fewest inputs;
 * else the order is the one written. No statistics: they would give the same statement another plan,
 * and key, from day to day.
 *
 * Outer joins stay where they are and are inputs of such a run. Semi and anti joins on top of it
 * (EXISTS, IN) are conditions: they are placed on an input before its rows are multiplied, or last.
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

/* Columns of one relation, as bits by number - 1, that are unique among a part's rows. */
struct unique {
    uint32_t rel;
    uint64_t cols;
};

/* What is known of a part. */
struct part {
    struct logical *node;
    enum cut cut;
    size_t ninputs; /* of the run, that it is made of */
    struct {
        struct unique *v;
        size_t n, cap;
    } unique;
};

/* A semi or anti join on top of the run, which is one condition more: it may come at any place where
 * all that it looks at is. */
struct semi {
    enum join_kind kind;
    struct logical *right;
    const struct expr **conds;
    size_t nconds;
    bool placed;
};

struct run {
    struct pass_ctx *c;
    struct {
        struct semi *v;
        size_t n, cap;
    } semis; /* the outermost first */
    struct {
        struct part *v;
        size_t n, cap;
    } parts;
    struct exprs conds;
};

static bool is_inner(const struct logical *n)
{
    return n->kind == LOGICAL_JOIN && n->join == JOIN_INNER;
}

static bool is_semi(const struct logical *n)
{
    return n->kind == LOGICAL_JOIN && (n->join == JOIN_SEMI || n->join == JOIN_ANTI);
}

/* Semi joins over an inner join. */
static bool is_run(const struct logical *n)
{
    while (is_semi(n))
        n = n->in[0];
    return is_inner(n);
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

/* A table's unique keys; the keys of a grouping. */
static void note_unique(struct pass_ctx *c, struct part *p)
{
    const struct logical *n = p->node;
    while (n->kind == LOGICAL_FILTER)
        n = n->in[0];
    for (size_t i = 0; n->kind == LOGICAL_SCAN && i < n->table->nunique; i++) {
        struct unique u = {n->rel, n->table->unique[i]};
        AVEC_PUSH(c->arena, p->unique, u);
    }
    if (n->kind == LOGICAL_GROUP && n->nexprs && n->nexprs < 64) {
        struct unique u = {n->rel, ((uint64_t)1 << n->nexprs) - 1};
        AVEC_PUSH(c->arena, p->unique, u);
    }
}

static void flatten(struct run *r, struct logical *n)
{
    if (is_semi(n) && is_run(n)) {
        struct semi s = {n->join, pass_order_joins(r->c, n->in[1]), n->conds, n->nconds, false};
        AVEC_PUSH(r->c->arena, r->semis, s);
        flatten(r, n->in[0]);
        return;
    }
    if (!is_inner(n)) {
        struct part p = {.node = pass_order_joins(r->c, n), .ninputs = 1};
        p.cut = cut_of(p.node);
        note_unique(r->c, &p);
        AVEC_PUSH(r->c->arena, r->parts, p);
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
    while (i < r->parts.n && !has_columns_of(e, r->parts.v[i].node))
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
    return as_key(r->c, cond, r->parts.v[out->i].node, r->parts.v[out->j].node, &k);
}

/* The first two parts that cond has columns of. */
static bool any_pair(struct run *r, const struct expr *cond, struct pair *out)
{
    size_t found = 0;
    for (size_t i = 0; i < r->parts.n && found < 2; i++)
        if (expr_refs_any(cond, r->parts.v[i].node->cols, r->parts.v[i].node->ncols))
            *(found++ ? &out->j : &out->i) = i;
    return found == 2;
}

/* Whether the keys of the pair hold all of these columns of the part, each as it is. */
static bool keys_cover(struct run *r, struct pair p, const struct unique *u)
{
    uint64_t covered = 0;
    for (size_t k = 0; k < r->conds.n; k++) {
        struct pair q;
        if (!key_pair(r, r->conds.v[k], &q) || q.i != p.i || q.j != p.j)
            continue;
        for (int side = 0; side < 2; side++) {
            const struct expr *e = r->conds.v[k]->args[side];
            if (e->kind == EXPR_COLUMN && e->rel == u->rel && e->col >= 1 && e->col <= 64)
                covered |= (uint64_t)1 << (e->col - 1);
        }
    }
    return (u->cols & ~covered) == 0;
}

/* Whether a row of the other side has at most one partner in part `one` of the pair. */
static bool is_single(struct run *r, struct pair p, size_t one)
{
    const struct part *part = &r->parts.v[one];
    for (size_t i = 0; i < part->unique.n; i++)
        if (keys_cover(r, p, &part->unique.v[i]))
            return true;
    return false;
}

/* What speaks for joining this pair next; the first difference decides. */
struct merit {
    bool single;  /* no row multiplies */
    enum cut cut; /* of the more cut side */
    unsigned cuts;
    size_t fewer; /* inputs, counted down */
};

static struct merit merit_of(struct run *r, struct pair p)
{
    const struct part *x = &r->parts.v[p.i], *y = &r->parts.v[p.j];
    return (struct merit){.single = is_single(r, p, p.i) || is_single(r, p, p.j),
                          .cut = x->cut > y->cut ? x->cut : y->cut,
                          .cuts = (unsigned)x->cut + (unsigned)y->cut,
                          .fewer = SIZE_MAX - x->ninputs - y->ninputs};
}

static bool is_better(const struct merit *a, const struct merit *b)
{
    if (a->single != b->single)
        return a->single;
    if (a->cut != b->cut)
        return a->cut > b->cut;
    if (a->cuts != b->cuts)
        return a->cuts > b->cuts;
    return a->fewer > b->fewer;
}

/* What to join next: by a key if there is one, else by any condition, else the first two. */
static struct pair next_pair(struct run *r)
{
    struct pair best = {r->parts.n, r->parts.n}, p = {0, 0};
    struct merit most = {0};
    for (int pass = 0; pass < 2 && best.i == r->parts.n; pass++)
        for (size_t k = 0; k < r->conds.n; k++) {
            if (!(pass ? any_pair : key_pair)(r, r->conds.v[k], &p))
                continue;
            struct merit m = merit_of(r, p);
            bool earlier = p.i < best.i || (p.i == best.i && p.j < best.j);
            if (best.i < r->parts.n &&
                (is_better(&most, &m) || (!is_better(&m, &most) && !earlier)))
                continue;
            best = p;
            most = m;
        }
    return best.i == r->parts.n ? (struct pair){0, 1} : best;
}

/* What is unique on one side stays so where the other side has at most one partner for each row. */
static struct part join_of(struct run *r, struct pair p)
{
    const struct part *x = &r->parts.v[p.i], *y = &r->parts.v[p.j];
    struct part joined = {.cut = x->cut > y->cut ? x->cut : y->cut,
                          .ninputs = x->ninputs + y->ninputs};
    joined.node = logical_join(r->c->arena, JOIN_INNER, x->node, y->node);
    for (size_t i = 0; i < x->unique.n && is_single(r, p, p.j); i++)
        AVEC_PUSH(r->c->arena, joined.unique, x->unique.v[i]);
    for (size_t i = 0; i < y->unique.n && is_single(r, p, p.i); i++)
        AVEC_PUSH(r->c->arena, joined.unique, y->unique.v[i]);
    return joined;
}

/* Part i becomes the join of i and j, with all conditions that can be checked there. */
static void join_parts(struct run *r, size_t i, size_t j)
{
    struct part joined = join_of(r, (struct pair){i, j});
    struct logical *n = joined.node;
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
    r->parts.v[i] = joined;
    for (size_t k = j + 1; k < r->parts.n; k++)
        r->parts.v[k - 1] = r->parts.v[k];
    r->parts.n--;
}

/* ------------------------------------------------------------ semi joins in a run */

static bool looks_only_at(const struct expr *e, const struct logical *l, const struct logical *r)
{
    if (e->kind == EXPR_COLUMN)
        return logical_find(l, e->rel, e->col) || logical_find(r, e->rel, e->col);
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!looks_only_at(e->args[i], l, r))
            return false;
    return true;
}

static bool can_place(const struct semi *s, const struct logical *part)
{
    bool any = false;
    for (size_t i = 0; i < s->nconds; i++) {
        if (!looks_only_at(s->conds[i], part, s->right))
            return false;
        any |= expr_refs_any(s->conds[i], part->cols, part->ncols);
    }
    return any;
}

/* What the run's semi joins leave of part i: those that look at nothing else, innermost first; all
 * where it is the only part. */
static void place_semis(struct run *r, size_t i)
{
    struct part *p = &r->parts.v[i];
    for (size_t k = r->semis.n; k-- > 0;) {
        struct semi *s = &r->semis.v[k];
        if (s->placed || (r->parts.n > 1 && !can_place(s, p->node)))
            continue;
        struct logical *n = logical_join(r->c->arena, s->kind, p->node, s->right);
        n->conds = s->conds;
        n->nconds = s->nconds;
        extract_keys(r->c, n);
        p->node = n;
        p->cut = p->cut == CUT_NONE ? CUT_FILTERED : p->cut;
        s->placed = true;
    }
}

/* Before the rows of a part multiply, it is better to have fewer; after it, where the other side cuts
 * them down. */
static void place_before(struct run *r, struct pair p)
{
    const size_t side[2] = {p.i, p.j};
    for (int k = 0; k < 2; k++)
        if (!is_single(r, p, side[!k]) && r->parts.v[side[!k]].cut == CUT_NONE)
            place_semis(r, side[k]);
}

static struct logical *order_run(struct pass_ctx *c, struct logical *n)
{
    struct run r = {.c = c};
    flatten(&r, n);
    while (r.parts.n > 1) {
        struct pair p = next_pair(&r);
        place_before(&r, p);
        join_parts(&r, p.i, p.j);
    }
    place_semis(&r, 0);
    return r.parts.v[0].node;
}

struct logical *pass_order_joins(struct pass_ctx *c, struct logical *n)
{
    if (is_run(n))
        return order_run(c, n);
    for (size_t i = 0; i < n->nin; i++)
        n->in[i] = pass_order_joins(c, n->in[i]);
    if (n->kind == LOGICAL_JOIN)
        extract_keys(c, n);
    return n;
}
