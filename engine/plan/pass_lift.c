/*
 * pass_lift: what Postgres computes goes where it is asked for many rows at once.
 *
 * Projections and filters ask for all of a step's rows in one question. Joins evaluate their keys
 * for rows they hold as well, and their conditions for each pair; windows their arguments for the
 * rows of whole partitions. So keys and arguments with delegated calls are computed by a projection
 * below, as columns of their own, and an inner join's conditions with such calls become a filter
 * above it. An outer, semi or anti join keeps its conditions: they decide what has no partner.
 *
 *     a JOIN b ON f(a.x) = b.y AND g(a.x, b.z)
 *     filter g(a.x, b.z) (join k = b.y (project a.*, k = f(a.x)) b)
 *
 * The columns made here have no names and go no further than the node they are made for.
 */
#include "engine/plan/passes.h"

#include "engine/expr/delegate.h"

/* in with the expressions as further columns; where they are is told by replacing them. */
struct lifted {
    struct pass_ctx *c;
    const struct logical *in;
    uint32_t rel;
    struct exprs made;
};

static bool can_lift(const struct lifted *l, const struct expr *e)
{
    return expr_is_delegated(e) && expr_refs_only(e, l->in->cols, l->in->ncols);
}

static void lift(void *ctx, const struct expr **e)
{
    struct lifted *l = ctx;
    if (!can_lift(l, *e))
        return;
    if (!l->rel)
        l->rel = l->c->next_rel++;
    AVEC_PUSH(l->c->arena, l->made, *e);
    struct lcol col = {l->rel, (uint32_t)l->made.n, (*e)->ct, ""};
    *e = lcol_expr(l->c->arena, &col);
}

static struct logical *finish(struct lifted *l, struct logical *in)
{
    struct arena *a = l->c->arena;
    size_t n = in->ncols + l->made.n;
    if (!l->made.n)
        return in;
    struct logical *p = logical_new(a, LOGICAL_PROJECT, 1);
    p->in[0] = in;
    p->rel = l->rel;
    p->ncols = p->nexprs = n;
    p->cols = ARENA_ARRAY(a, struct lcol, n);
    p->exprs = ARENA_ARRAY(a, const struct expr *, n);
    for (size_t i = 0; i < n; i++) {
        size_t k = i - in->ncols;
        bool own = i >= in->ncols;
        p->cols[i] =
            own ? (struct lcol){l->rel, (uint32_t)k + 1, l->made.v[k]->ct, ""} : in->cols[i];
        p->exprs[i] = own ? l->made.v[k] : lcol_expr(a, &in->cols[i]);
    }
    return p;
}

/* Of the n expressions at v; they are over the node's input i. */
static void lift_all(struct pass_ctx *c, struct logical *n, size_t i, const struct expr **v,
                     size_t len)
{
    struct lifted l = {.c = c, .in = n->in[i]};
    for (size_t k = 0; k < len; k++)
        lift(&l, &v[k]);
    n->in[i] = finish(&l, n->in[i]);
}

static struct logical *lift_join(struct pass_ctx *c, struct logical *n)
{
    struct exprs stay = {0}, above = {0};
    lift_all(c, n, 0, n->lkeys, n->nkeys);
    lift_all(c, n, 1, n->rkeys, n->nkeys);
    if (n->join != JOIN_INNER)
        return n;
    for (size_t i = 0; i < n->nconds; i++) {
        struct exprs *to = expr_is_delegated(n->conds[i]) ? &above : &stay;
        AVEC_PUSH(c->arena, *to, n->conds[i]);
    }
    if (!above.n)
        return n;
    n->conds = stay.v;
    n->nconds = stay.n;
    return logical_filter(c->arena, n, &above);
}

/* Arguments of a call with FILTER are evaluated for the rows that pass it, and no others. */
static void lift_window(struct pass_ctx *c, struct logical *n)
{
    struct lifted l = {.c = c, .in = n->in[0]};
    for (size_t i = 0; i < n->nwins; i++)
        if (!n->wins[i].is_agg || !n->wins[i].agg.filter)
            window_call_each(&n->wins[i], lift, &l);
    n->in[0] = finish(&l, n->in[0]);
}

struct logical *pass_lift_delegated(struct pass_ctx *c, struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        n->in[i] = pass_lift_delegated(c, n->in[i]);
    if (n->kind == LOGICAL_JOIN)
        return lift_join(c, n);
    if (n->kind == LOGICAL_WINDOW)
        lift_window(c, n);
    return n;
}
