/*
 * pass_push: filters go down, and outer joins become inner ones where that changes nothing.
 *
 * One recursion from the root with two lists in hand:
 *
 *   conds   conditions that the rows of this node must still pass; whoever can't pass them further
 *           down puts a filter on top of itself
 *   hints   conditions that are checked somewhere above; not to be repeated, but they tell which
 *           rows will be thrown away. So "LEFT JOIN b … WHERE b.x = 1" is an inner join: the rows
 *           with NULLs for b would not pass.
 *
 * What may pass where:
 *
 *   project      with the columns replaced by their expressions
 *   inner join   to the side that has all the columns; else it becomes part of the join condition
 *   left join    WHERE to the left side only; ON to the right side only. SELECT … FROM a LEFT JOIN b
 *                ON a.x = b.x AND a.y = 1 keeps the rows with a.y <> 1, with NULLs for b
 *   semi join    WHERE to the left side; ON to the side that has all the columns
 *   anti join    the same, but what ON says of the left side alone stays: who fails it has no partner
 *                and is kept
 *   full join    nothing
 *   flatmap      conditions on what its input gives. An outer one is as a left join
 *   group        conditions on keys, where there are keys. Without, HAVING false gives no row but
 *                WHERE false gives one
 *   recursion    nothing
 *   distinct, UNION, INTERSECT: yes, as Postgres does; EXCEPT: no
 *   LIMIT        nothing; of each partition (DISTINCT ON): conditions on what partitions it
 *   window       the same. SELECT … FROM (SELECT id, x, rank() OVER (PARTITION BY x …) FROM a) s
 *                WHERE id = 1 ranks among all rows of that x
 */
#include "engine/expr/delegate.h"
#include "engine/plan/implied.h"
#include "engine/plan/passes.h"

/* Beyond this a condition isn't rewritten any more: columns used twice at each of many levels would
 * grow it without end. */
#define MAX_EXPR_SIZE 2000

static struct logical *push(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                            const struct exprs *hints);

static const struct exprs nothing = {0};

/* ------------------------------------------------------------ lists of conditions */

/* In half units, as Postgres's cost_qual_eval() counts: a function call 1, a list half a call per
 * element, a cast through text 2. */
static size_t cost(const struct expr *e)
{
    size_t n = 0;
    switch (e->kind) {
    case EXPR_FUNC:
    case EXPR_DISTINCT:
    case EXPR_SAME:
    case EXPR_NULLIF:
    case EXPR_MINMAX: n = 2; break;
    case EXPR_IN: n = e->nargs - 1; break;
    case EXPR_IN_ARRAY: n = 10; break;
    case EXPR_VIA_IO: n = 4; break;
    case EXPR_DELEGATED: n = 2 * (size_t)e->call->cost; break;
    default: break;
    }
    for (uint32_t i = 0; i < e->nargs; i++)
        n += cost(e->args[i]);
    return n;
}

void exprs_sort_by_cost(struct exprs *l)
{
    for (size_t i = 1; i < l->n; i++) {
        const struct expr *e = l->v[i];
        size_t k = i, this = cost(e);
        for (; k > 0 && cost(l->v[k - 1]) > this; k--)
            l->v[k] = l->v[k - 1];
        l->v[k] = e;
    }
}

/* ANDs are taken apart, constant trues left out. */
static void add_cond(struct pass_ctx *c, struct exprs *l, const struct expr *e)
{
    e = implied_factor(c->arena, e);
    if (e->kind == EXPR_AND) {
        for (uint32_t i = 0; i < e->nargs; i++)
            add_cond(c, l, e->args[i]);
        return;
    }
    if (e->kind == EXPR_CONST && !e->value.null && e->value.i)
        return;
    AVEC_PUSH(c->arena, *l, e);
}

static void add_conds(struct pass_ctx *c, struct exprs *l, const struct expr *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_cond(c, l, v[i]);
}

static struct logical *filtered(struct pass_ctx *c, struct logical *n, const struct exprs *conds)
{
    struct exprs sorted = {0};
    exprs_append(c->arena, &sorted, conds->v, conds->n);
    exprs_sort_by_cost(&sorted);
    return logical_filter(c->arena, n, &sorted);
}

/* ------------------------------------------------------------ rewriting columns */

/* What a node's columns are in terms of its input's. */
struct rewrite {
    const struct lcol *cols;
    const struct expr *const *exprs;
    size_t n;
};

static const struct expr *rewrite_column(void *ctx, const struct expr *column)
{
    const struct rewrite *r = ctx;
    for (size_t i = 0; i < r->n; i++)
        if (r->cols[i].rel == column->rel && r->cols[i].no == column->col)
            return r->exprs[i];
    return NULL;
}

/* Conditions that can be said below go, rewritten, to down; the others to stay (where not NULL). */
static void rewrite_conds(struct pass_ctx *c, const struct exprs *conds, struct rewrite *r,
                          struct exprs *down, struct exprs *stay)
{
    for (size_t i = 0; i < conds->n; i++) {
        const struct expr *e = conds->v[i];
        if (expr_refs_only(e, r->cols, r->n)) {
            const struct expr *below = expr_subst(c->arena, e, rewrite_column, r);
            if (expr_size(below, MAX_EXPR_SIZE) < MAX_EXPR_SIZE) {
                add_cond(c, down, below);
                continue;
            }
        }
        if (stay)
            AVEC_PUSH(c->arena, *stay, e);
    }
}

static struct logical *push_through(struct pass_ctx *c, struct logical *n, size_t input,
                                    struct rewrite *r, const struct exprs *conds,
                                    const struct exprs *hints, struct exprs *stay)
{
    struct exprs down = {0}, hints_down = {0};
    rewrite_conds(c, conds, r, &down, stay);
    rewrite_conds(c, hints, r, &hints_down, NULL);
    n->in[input] = push(c, n->in[input], &down, &hints_down);
    return n;
}

static struct logical *push_project(struct pass_ctx *c, struct logical *n,
                                    const struct exprs *conds, const struct exprs *hints)
{
    struct rewrite r = {n->cols, n->exprs, n->ncols};
    struct exprs stay = {0};
    return filtered(c, push_through(c, n, 0, &r, conds, hints, &stay), &stay);
}

static struct logical *push_group(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                                  const struct exprs *hints)
{
    struct lcol *keys = ARENA_ARRAY(c->arena, struct lcol, n->nexprs);
    struct exprs stay = {0};
    for (size_t i = 0; i < n->nexprs; i++)
        keys[i] = (struct lcol){n->rel, (uint32_t)i + 1, n->exprs[i]->ct, ""};
    struct rewrite r = {keys, n->exprs, n->nexprs};
    if (!n->nexprs) {
        n->in[0] = push(c, n->in[0], &nothing, &nothing);
        return filtered(c, n, conds);
    }
    return filtered(c, push_through(c, n, 0, &r, conds, hints, &stay), &stay);
}

/* The columns of a set operation as columns of one of its inputs, by position. */
static struct rewrite branch_rewrite(struct pass_ctx *c, const struct logical *n,
                                     const struct logical *in)
{
    const struct expr **exprs = ARENA_ARRAY(c->arena, const struct expr *, n->ncols);
    for (size_t i = 0; i < n->ncols; i++)
        exprs[i] = lcol_expr(c->arena, &in->cols[i]);
    return (struct rewrite){n->cols, exprs, n->ncols};
}

static struct logical *push_setop(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                                  const struct exprs *hints)
{
    bool except =
        n->kind == LOGICAL_SETOP && (n->setop == SETOP_EXCEPT || n->setop == SETOP_EXCEPT_ALL);
    struct exprs above = except ? *conds : nothing;
    for (size_t i = 0; i < n->nin; i++) {
        if (except) {
            n->in[i] = push(c, n->in[i], &nothing, &nothing);
            continue;
        }
        struct rewrite r = branch_rewrite(c, n, n->in[i]);
        struct exprs stay = {0};
        push_through(c, n, i, &r, conds, hints, &stay);
        above = stay; /* the same for every input: plain columns replace plain columns */
    }
    return filtered(c, n, &above);
}

/* ------------------------------------------------------------ joins */

static bool any_rejects_nulls(const struct exprs *l, const struct logical *side)
{
    for (size_t i = 0; i < l->n; i++)
        if (expr_rejects_nulls(l->v[i], side->cols, side->ncols))
            return true;
    return false;
}

static void swap_inputs(struct logical *n)
{
    struct logical *l = n->in[0];
    n->in[0] = n->in[1];
    n->in[1] = l;
}

/* An outer join keeps rows with NULLs for a side; if they won't pass what comes above, it needn't. */
static void simplify_join(struct logical *n, const struct exprs *conds, const struct exprs *hints)
{
    if (n->join != JOIN_LEFT && n->join != JOIN_FULL)
        return;
    bool right_null_gone = any_rejects_nulls(conds, n->in[1]) || any_rejects_nulls(hints, n->in[1]);
    if (n->join == JOIN_LEFT) {
        if (right_null_gone)
            n->join = JOIN_INNER;
        return;
    }
    bool left_null_gone = any_rejects_nulls(conds, n->in[0]) || any_rejects_nulls(hints, n->in[0]);
    if (left_null_gone && right_null_gone) {
        n->join = JOIN_INNER;
    } else if (left_null_gone) {
        n->join = JOIN_LEFT;
    } else if (right_null_gone) {
        n->join = JOIN_LEFT; /* of the right side; columns have names, so sides may change places */
        swap_inputs(n);
    }
}

static bool side_has(const struct expr *e, const struct logical *side)
{
    return expr_refs_only(e, side->cols, side->ncols);
}

/* What a side may leave out, since the join's conditions would: `all` are those that every row of the
 * join passes, `both` those among them that are about both sides. Appended to what it is told. */
static void tell_side(struct pass_ctx *c, const struct logical *side, const struct exprs *all,
                      const struct exprs *both, struct exprs *told)
{
    struct exprs implied = {0};
    implied_constants(c->arena, all, both, &implied);
    for (size_t i = 0; i < implied.n; i++)
        if (side_has(implied.v[i], side))
            AVEC_PUSH(c->arena, *told, implied.v[i]);
    for (size_t i = 0; i < both->n; i++) {
        const struct expr *e = implied_by_or(c->arena, both->v[i], side->cols, side->ncols);
        if (e)
            AVEC_PUSH(c->arena, *told, e);
    }
}

static struct logical *push_inner(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                                  const struct exprs *hints)
{
    struct exprs all = {0}, left = {0}, right = {0}, both = {0}, told = {0};
    add_conds(c, &all, n->conds, n->nconds);
    add_conds(c, &all, conds->v, conds->n);
    for (size_t i = 0; i < all.n; i++) {
        const struct expr *e = all.v[i];
        bool to_left = side_has(e, n->in[0]), to_right = side_has(e, n->in[1]);
        if (to_left)
            AVEC_PUSH(c->arena, left, e);
        if (to_right) /* without columns: both */
            AVEC_PUSH(c->arena, right, e);
        if (!to_left && !to_right)
            AVEC_PUSH(c->arena, both, e);
    }
    exprs_append(c->arena, &told, both.v, both.n);
    exprs_append(c->arena, &told, hints->v, hints->n);
    tell_side(c, n->in[0], &all, &both, &left);
    tell_side(c, n->in[1], &all, &both, &right);
    n->in[0] = push(c, n->in[0], &left, &told);
    n->in[1] = push(c, n->in[1], &right, &told);
    exprs_sort_by_cost(&both);
    n->conds = both.v;
    n->nconds = both.n;
    return n;
}

static struct logical *push_left(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                                 const struct exprs *hints)
{
    struct exprs on = {0}, left = {0}, right = {0}, kept = {0}, above = {0}, told = {0};
    struct exprs matched = {0}; /* what a row of the right side and its partner pass */
    add_conds(c, &on, n->conds, n->nconds);
    for (size_t i = 0; i < on.n; i++) {
        if (side_has(on.v[i], n->in[1]))
            AVEC_PUSH(c->arena, right, on.v[i]);
        else
            AVEC_PUSH(c->arena, kept, on.v[i]);
    }
    for (size_t i = 0; i < conds->n; i++) {
        if (side_has(conds->v[i], n->in[0]))
            AVEC_PUSH(c->arena, left, conds->v[i]);
        else
            AVEC_PUSH(c->arena, above, conds->v[i]);
    }
    exprs_append(c->arena, &told, above.v, above.n);
    exprs_append(c->arena, &told, hints->v, hints->n);
    exprs_append(c->arena, &matched, left.v, left.n);
    exprs_append(c->arena, &matched, on.v, on.n);
    tell_side(c, n->in[1], &matched, &kept, &right);
    n->in[0] = push(c, n->in[0], &left, &told);
    n->in[1] = push(c, n->in[1], &right, &kept);
    exprs_sort_by_cost(&kept);
    n->conds = kept.v;
    n->nconds = kept.n;
    return filtered(c, n, &above);
}

/* Semi and anti joins: all columns are the left side's. */
static struct logical *push_one_sided(struct pass_ctx *c, struct logical *n,
                                      const struct exprs *conds, const struct exprs *hints)
{
    struct exprs on = {0}, left = {0}, right = {0}, kept = {0}, matched = {0};
    add_conds(c, &on, n->conds, n->nconds);
    add_conds(c, &left, conds->v, conds->n);
    for (size_t i = 0; i < on.n; i++) {
        if (side_has(on.v[i], n->in[1]))
            AVEC_PUSH(c->arena, right, on.v[i]);
        else if (n->join == JOIN_SEMI && side_has(on.v[i], n->in[0]))
            AVEC_PUSH(c->arena, left, on.v[i]);
        else
            AVEC_PUSH(c->arena, kept, on.v[i]);
    }
    exprs_append(c->arena, &matched, left.v, left.n);
    exprs_append(c->arena, &matched, on.v, on.n);
    tell_side(c, n->in[1], &matched, &kept, &right);
    n->in[0] = push(c, n->in[0], &left, hints);
    n->in[1] = push(c, n->in[1], &right, &kept);
    exprs_sort_by_cost(&kept);
    n->conds = kept.v;
    n->nconds = kept.n;
    return n;
}

static struct logical *push_join(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                                 const struct exprs *hints)
{
    simplify_join(n, conds, hints);
    if (n->join == JOIN_INNER)
        return push_inner(c, n, conds, hints);
    if (n->join == JOIN_LEFT)
        return push_left(c, n, conds, hints);
    if (n->join == JOIN_SEMI || n->join == JOIN_ANTI)
        return push_one_sided(c, n, conds, hints);
    struct exprs on = {0};
    add_conds(c, &on, n->conds, n->nconds);
    exprs_sort_by_cost(&on);
    n->conds = on.v;
    n->nconds = on.n;
    n->in[0] = push(c, n->in[0], &nothing, &nothing);
    n->in[1] = push(c, n->in[1], &nothing, &nothing);
    return filtered(c, n, conds);
}

/* ------------------------------------------------------------ */

static struct logical *push_filter(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                                   const struct exprs *hints)
{
    struct exprs all = {0};
    add_conds(c, &all, n->conds, n->nconds);
    add_conds(c, &all, conds->v, conds->n);
    return push(c, n->in[0], &all, hints);
}

/* A partition that passes passes whole. */
static struct logical *push_partitioned(struct pass_ctx *c, struct logical *n,
                                        const struct exprs *conds)
{
    struct lcol *keys = ARENA_ARRAY(c->arena, struct lcol, n->npart);
    struct exprs down = {0}, stay = {0};
    for (size_t i = 0; i < n->npart; i++)
        keys[i] = (struct lcol){.rel = n->part[i].rel, .no = n->part[i].no};
    for (size_t i = 0; i < conds->n; i++) {
        if (n->npart && expr_refs_only(conds->v[i], keys, n->npart))
            AVEC_PUSH(c->arena, down, conds->v[i]);
        else
            AVEC_PUSH(c->arena, stay, conds->v[i]);
    }
    n->in[0] = push(c, n->in[0], &down, &nothing);
    return filtered(c, n, &stay);
}

/* The calls' columns come into being here; the input's are the same below. */
static struct logical *push_flatmap(struct pass_ctx *c, struct logical *n,
                                    const struct exprs *conds, const struct exprs *hints)
{
    struct exprs down = {0}, stay = {0}, told = {0};
    size_t nmade;
    struct logical made = {.cols = logical_made(c->arena, n, &nmade)};
    made.ncols = nmade;
    exprs_append(c->arena, &stay, conds->v, conds->n);
    if (n->outer && (any_rejects_nulls(conds, &made) || any_rejects_nulls(hints, &made))) {
        add_conds(c, &stay, n->conds, n->nconds);
        n->outer = false;
        n->nconds = 0;
    }
    for (size_t i = 0; i < stay.n; i++)
        AVEC_PUSH(c->arena, *(side_has(stay.v[i], n->in[0]) ? &down : &told), stay.v[i]);
    stay = told;
    told = (struct exprs){0};
    exprs_append(c->arena, &told, stay.v, stay.n);
    exprs_append(c->arena, &told, hints->v, hints->n);
    n->in[0] = push(c, n->in[0], &down, &told);
    return filtered(c, n, &stay);
}

static struct logical *push(struct pass_ctx *c, struct logical *n, const struct exprs *conds,
                            const struct exprs *hints)
{
    switch (n->kind) {
    case LOGICAL_FILTER: return push_filter(c, n, conds, hints);
    case LOGICAL_PROJECT: return push_project(c, n, conds, hints);
    case LOGICAL_JOIN: return push_join(c, n, conds, hints);
    case LOGICAL_GROUP: return push_group(c, n, conds, hints);
    case LOGICAL_UNION:
    case LOGICAL_SETOP: return push_setop(c, n, conds, hints);
    case LOGICAL_DISTINCT: n->in[0] = push(c, n->in[0], conds, hints); return n;
    case LOGICAL_TOPK:
    case LOGICAL_WINDOW: return push_partitioned(c, n, conds);
    case LOGICAL_FLATMAP: return push_flatmap(c, n, conds, hints);
    case LOGICAL_RECURSE:
        for (size_t i = 0; i < n->nin; i++)
            n->in[i] = push(c, n->in[i], &nothing, &nothing);
        break;
    case LOGICAL_SCAN:
    case LOGICAL_ONE_ROW:
    case LOGICAL_SELF:
    case LOGICAL_CTE: break;
    }
    return filtered(c, n, conds);
}

struct logical *pass_push_filters(struct pass_ctx *c, struct logical *root)
{
    return push(c, root, &nothing, &nothing);
}
