/*
 * bind_apply: the joins with a clause's subqueries, and conditions that have some.
 *
 * While a clause is bound, its subqueries are collected in a struct applies, in the order in which
 * they are needed: joins, by which their columns come into expressions, and filters. When all of the
 * clause is bound, bind_applied() puts them on top of its input. The joins are dependent ones, since
 * a subquery may use columns of the input (plan/pass_decorrelate).
 *
 * An outer join's own conditions work on pairs: their joins go to the side that may be missing.
 */
#include "engine/sql/bind_sublink.h"

#include <string.h>

#include "engine/plan/carry.h"

bool bind_has_sublink(const struct pgnode *node)
{
    if (pgn_is(node, "SUBLINK"))
        return true;
    for (uint32_t i = 0; i < node->n; i++)
        if (bind_has_sublink(node->items[i]))
            return true;
    return false;
}

void bind_apply_add(struct binder *b, struct applies *list, enum join_kind kind,
                    struct logical *right, const struct exprs *conds)
{
    struct apply a = {kind, right, conds ? *conds : (struct exprs){0}, NULL};
    AVEC_PUSH(b->arena, *list, a);
}

void bind_apply_filter(struct binder *b, struct applies *list, const struct expr *cond)
{
    struct exprs conds = {0};
    AVEC_PUSH(b->arena, conds, cond);
    bind_apply_add(b, list, JOIN_INNER, NULL, &conds);
}

/* ------------------------------------------------------------ what isn't evaluated */

/*
 * CASE WHEN x <> 0 THEN (SELECT sum(v / x) FROM t) END: the join answers the subquery for every row,
 * but where Postgres doesn't evaluate it, it must not fail. So it sees x as NULL there. One that looks
 * at no column gets one to look at, and then has no rows.
 */
struct guarding {
    struct binder *b;
    const struct lcol *cols, *guarded;
    size_t n;
};

static const struct expr *guarded_column(void *ctx, const struct expr *column)
{
    const struct guarding *g = ctx;
    for (size_t i = 0; i < g->n; i++)
        if (g->cols[i].rel == column->rel && g->cols[i].no == column->col)
            return lcol_expr(g->b->arena, &g->guarded[i]);
    return NULL;
}

/* No rows where the condition doesn't hold, before anything is computed of them. */
static struct logical *without_rows(struct binder *b, struct logical *n, const struct expr *cond)
{
    bool both = n->kind == LOGICAL_UNION || n->kind == LOGICAL_SETOP ||
                (n->kind == LOGICAL_JOIN && n->join == JOIN_FULL);
    if (!n->nin)
        return logical_where(b->arena, n, cond);
    for (size_t i = 0; i < (both ? n->nin : 1); i++)
        n->in[i] = without_rows(b, n->in[i], cond);
    return n;
}

static struct logical *guard(struct binder *b, struct logical *n, const struct apply *a)
{
    uint32_t rel = b->next_rel++;
    struct lcol *cols = ARENA_ARRAY(b->arena, struct lcol, 2 * n->ncols + 1);
    struct lcol *guarded = cols + n->ncols;
    struct exprs exprs = {0};
    struct guarding g = {b, n->cols, guarded, n->ncols};
    bool any = tree_uses(a->right, n->cols, n->ncols);
    for (size_t i = 0; i < n->ncols; i++) {
        cols[i] = n->cols[i];
        AVEC_PUSH(b->arena, exprs, lcol_expr(b->arena, &n->cols[i]));
    }
    for (size_t i = 0; i < (any ? n->ncols : 1); i++) {
        const struct expr *v = any ? lcol_expr(b->arena, &n->cols[i]) : sublink_truth(b, true);
        const struct expr *args[3] = {a->guard, v, expr_const(b->arena, value_null(), v->ct)};
        guarded[i] = (struct lcol){rel, (uint32_t)i + 1, v->ct, any ? n->cols[i].name : ""};
        AVEC_PUSH(b->arena, exprs, expr_case(b->arena, args, 3, v->ct));
    }
    struct logical *p = logical_project(b->arena, n, rel, exprs.v, NULL, exprs.n);
    p->cols = cols;
    if (any)
        tree_subst(b->arena, a->right, guarded_column, &g);
    else
        without_rows(b, a->right, lcol_expr(b->arena, &guarded[0]));
    return p;
}

struct logical *bind_applied(struct binder *b, const struct applies *list, struct logical *n)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct apply *a = &list->v[i];
        if (!a->right) {
            n = logical_filter(b->arena, n, &a->conds);
            continue;
        }
        if (a->guard)
            n = guard(b, n, a);
        n = logical_join(b->arena, a->kind, n, a->right);
        n->dependent = true;
        n->conds = a->conds.v;
        n->nconds = a->conds.n;
    }
    return n;
}

/* Its columns for the expression. */
void bind_apply_columns(struct binder *b, struct scope *sc, struct logical *right)
{
    struct apply a = {.kind = JOIN_LEFT, .right = right};
    if (sc->guard && !tree_is_safe(right))
        a.guard = sc->guard;
    AVEC_PUSH(b->arena, *sc->applies, a);
}

/* ------------------------------------------------------------ conjuncts */

bool bind_is_sublink(const struct pgnode *node, enum sublink type)
{
    return pgn_is(node, "SUBLINK") && pgn_int(node, "subLinkType") == (int64_t)type;
}

/* What is negated; a PGN_NULL node where nothing is. */
static const struct pgnode *negated(const struct pgnode *node)
{
    const struct pgnode *args = pgn_field(node, "args");
    const char *op = pgn_str(node, "boolop");
    if (pgn_is(node, "BOOLEXPR") && op && strcmp(op, "not") == 0 && args->n == 1)
        return args->items[0];
    return pgn_field(node, "");
}

static bool bind_conjunct(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *inner = negated(node);
    if (bind_is_sublink(node, SUBLINK_EXISTS) || bind_is_sublink(node, SUBLINK_ANY))
        return bind_semi(b, sc, node, JOIN_SEMI);
    if (bind_is_sublink(inner, SUBLINK_EXISTS))
        return bind_semi(b, sc, inner, JOIN_ANTI);
    if (bind_is_sublink(inner, SUBLINK_ANY))
        return bind_not_in(b, sc, inner);
    const struct expr *e = bind_expr(b, sc, node);
    if (e)
        bind_apply_filter(b, sc->applies, e);
    return e;
}

static bool bind_conjuncts(struct binder *b, struct scope *sc, const struct pgnode *node,
                           struct exprs *plain)
{
    const struct pgnode *args = pgn_field(node, "args");
    const char *op = pgn_str(node, "boolop");
    bool with = bind_has_sublink(node);
    if (with && pgn_is(node, "BOOLEXPR") && op && strcmp(op, "and") == 0) {
        for (uint32_t i = 0; i < args->n; i++)
            if (!bind_conjuncts(b, sc, args->items[i], plain))
                return false;
        return true;
    }
    return with ? bind_conjunct(b, sc, node) : bind_conds(b, sc, node, plain);
}

bool bind_conds_apart(struct binder *b, struct scope *sc, const struct pgnode *node,
                      struct exprs *plain, struct applies *with)
{
    struct applies *saved = sc->applies;
    sc->applies = with;
    bool ok = bind_conjuncts(b, sc, node, plain);
    sc->applies = saved;
    return ok;
}

/* What has no subquery in it is tried first. */
bool bind_filter(struct binder *b, struct scope *sc, const struct pgnode *node, struct applies *out)
{
    struct exprs plain = {0};
    struct applies with = {0};
    if (!bind_conds_apart(b, sc, node, &plain, &with))
        return false;
    if (plain.n)
        bind_apply_add(b, out, JOIN_INNER, NULL, &plain);
    for (size_t i = 0; i < with.n; i++)
        AVEC_PUSH(b->arena, *out, with.v[i]);
    return true;
}
