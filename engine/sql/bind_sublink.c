/*
 * bind_sublink: subqueries in expressions.
 *
 * A subquery is joined to what the expression's clause works on, and in the expression columns of
 * that join take its place. The joins and filters of a clause are collected in a struct applies and
 * put on top of the clause's input when all of it is bound; the joins are dependent ones, since the
 * subquery may use columns of the input (plan/pass_decorrelate).
 *
 *     EXISTS, IN as conjuncts       semi join; NOT EXISTS: anti join
 *     NOT IN as a conjunct          anti join, and the NULLs looked at apart
 *     EXISTS, ANY, ALL elsewhere    left join with aggregates over the subquery, which tell in three
 *                                   values what the expression is
 *     ARRAY(SELECT x …)             left join with array_agg over it
 *     (SELECT x …)                  left join with its row; of more than one the count is above 1,
 *                                   and the error is raised where the value is used
 *
 * An outer join's own conditions work on pairs: their joins go to the side that may be missing.
 *
 * The same subquery is bound twice where it is looked at in two ways: equal operators are built once.
 */
#include "engine/sql/bind.h"

#include <string.h>

#include "engine/expr/pgfuncs.h"
#include "engine/plan/carry.h"
#include "engine/sql/pgops.h"
#include "engine/sql/refuse.h"

enum sublink { /* as Postgres numbers them */
    SUBLINK_EXISTS,
    SUBLINK_ALL,
    SUBLINK_ANY,
    SUBLINK_ROWCOMPARE,
    SUBLINK_EXPR,
    SUBLINK_ARRAY = 6
};

#define AGG_COUNT_ROWS 2803
#define AGG_BOOL_AND   2517
#define AGG_BOOL_OR    2518
#define FN_INT8_GT     470

/* ------------------------------------------------------------ clauses */

static struct column_type boolean(void)
{
    return (struct column_type){type_native(OID_BOOL), -1, NULL};
}

static const struct expr *truth(struct binder *b, bool v)
{
    return expr_const(b->arena, value_bool(v), boolean());
}

static const struct expr *unknown(struct binder *b)
{
    return expr_const(b->arena, value_null(), boolean());
}

static const struct expr *column_of(struct binder *b, const struct lcol *c)
{
    return lcol_expr(b->arena, c);
}

bool bind_has_sublink(const struct pgnode *node)
{
    if (pgn_is(node, "SUBLINK"))
        return true;
    for (uint32_t i = 0; i < node->n; i++)
        if (bind_has_sublink(node->items[i]))
            return true;
    return false;
}

static void add_apply(struct binder *b, struct applies *list, enum join_kind kind,
                      struct logical *right, const struct exprs *conds)
{
    struct apply a = {kind, right, conds ? *conds : (struct exprs){0}, NULL};
    AVEC_PUSH(b->arena, *list, a);
}

static void add_filter(struct binder *b, struct applies *list, const struct expr *cond)
{
    struct exprs conds = {0};
    AVEC_PUSH(b->arena, conds, cond);
    add_apply(b, list, JOIN_INNER, NULL, &conds);
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
            return column_of(g->b, &g->guarded[i]);
    return NULL;
}

static struct logical *filtered(struct binder *b, struct logical *n, const struct expr *cond)
{
    struct exprs conds = {0};
    AVEC_PUSH(b->arena, conds, cond);
    return logical_filter(b->arena, n, &conds);
}

/* No rows where the condition doesn't hold, before anything is computed of them. */
static struct logical *without_rows(struct binder *b, struct logical *n, const struct expr *cond)
{
    bool both = n->kind == LOGICAL_UNION || n->kind == LOGICAL_SETOP ||
                (n->kind == LOGICAL_JOIN && n->join == JOIN_FULL);
    if (!n->nin)
        return filtered(b, n, cond);
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
        AVEC_PUSH(b->arena, exprs, column_of(b, &n->cols[i]));
    }
    for (size_t i = 0; i < (any ? n->ncols : 1); i++) {
        const struct expr *v = any ? column_of(b, &n->cols[i]) : truth(b, true);
        const struct expr *args[3] = {a->guard, v, expr_const(b->arena, value_null(), v->ct)};
        guarded[i] = (struct lcol){rel, (uint32_t)i + 1, v->ct, any ? n->cols[i].name : ""};
        AVEC_PUSH(b->arena, exprs, expr_case(b->arena, args, 3, v->ct));
    }
    struct logical *p = logical_project(b->arena, n, rel, exprs.v, NULL, exprs.n);
    p->cols = cols;
    if (any)
        tree_subst(b->arena, a->right, guarded_column, &g);
    else
        without_rows(b, a->right, column_of(b, &guarded[0]));
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

/* ------------------------------------------------------------ the subquery */

/* Its columns for the expression. */
static void add_columns(struct binder *b, struct scope *sc, struct logical *right)
{
    struct apply a = {.kind = JOIN_LEFT, .right = right};
    if (sc->guard && !tree_is_safe(right))
        a.guard = sc->guard;
    AVEC_PUSH(b->arena, *sc->applies, a);
}

/* Of several rows the order counts for ARRAY alone. */
static struct logical *bind_subselect(struct binder *b, struct scope *sc, const struct pgnode *node,
                                      struct bound *sub)
{
    const struct pgnode *query = pgn_field(node, "subselect");
    bool ordered = pgn_int(node, "subLinkType") == SUBLINK_ARRAY;
    return bind_query(b, query, sc, ordered, sub) ? sub->root : NULL;
}

/* The testexpr, with the subquery's columns for its parameters. */
static const struct expr *bind_test(struct binder *b, struct scope *sc, const struct pgnode *node,
                                    const struct lcol *cols, size_t n)
{
    const struct lcol *saved = sc->params;
    size_t nsaved = sc->nparams;
    sc->params = cols;
    sc->nparams = n;
    const struct expr *e = bind_expr(b, sc, pgn_field(node, "testexpr"));
    sc->params = saved;
    sc->nparams = nsaved;
    return e;
}

/* ------------------------------------------------------------ aggregates over it */

struct summary {
    struct logical *node;
    struct group_agg aggs[BIND_MAX_SUMMARY];
    size_t n;
};

static bool add_agg(struct binder *b, struct summary *s, uint32_t fn, const char *name,
                    const struct expr *arg, struct column_type result)
{
    struct group_agg *g = &s->aggs[s->n++];
    *g = (struct group_agg){0};
    g->args[0] = arg;
    return agg_lookup(fn, name, arg ? &arg->ct : NULL, arg ? 1 : 0, result, NULL, &g->spec, b->err);
}

static bool add_bool_or(struct binder *b, struct summary *s, const struct expr *arg)
{
    return add_agg(b, s, AGG_BOOL_OR, "bool_or", arg, boolean());
}

/* A grouping without keys over in; s's aggregates are its columns in order. */
static struct logical *summarize(struct binder *b, struct summary *s, struct logical *in)
{
    struct logical *n = logical_new(b->arena, LOGICAL_GROUP, 1);
    n->in[0] = in;
    n->rel = b->next_rel++;
    n->naggs = n->ncols = s->n;
    n->aggs = arena_memdup(b->arena, s->aggs, s->n * sizeof *s->aggs);
    n->aggno = ARENA_ARRAY(b->arena, uint32_t, s->n);
    n->cols = ARENA_ARRAY(b->arena, struct lcol, s->n);
    for (size_t i = 0; i < s->n; i++) {
        n->aggno[i] = BIND_AGG_NO + (uint32_t)i;
        n->cols[i] =
            (struct lcol){n->rel, n->aggno[i], s->aggs[i].spec.result, s->aggs[i].spec.cls->name};
    }
    return n;
}

/* Whether there is a row of in: a column that is true, or NULL. */
static const struct expr *bind_any_row(struct binder *b, struct scope *sc, struct logical *in)
{
    struct summary s = {0};
    if (!add_bool_or(b, &s, truth(b, true)))
        return NULL;
    struct logical *n = summarize(b, &s, in);
    add_columns(b, sc, n);
    return column_of(b, &n->cols[0]);
}

/* ------------------------------------------------------------ ARRAY */

#define AGG_ARRAY           2335
#define AGG_ARRAY_OF_ARRAYS 4053

/* What it is sorted by comes behind the value, as the aggregate wants it. */
static bool sort_args(struct binder *b, const struct bound *sub, struct group_agg *g,
                      struct agg_call *call, struct column_type *types, struct agg_sort *sort)
{
    if (sub->nsort >= AGG_MAX_ARGS)
        return err_soft(b->err, "ARRAY(SELECT …) with so many sort keys");
    for (size_t i = 0; i < sub->nsort; i++) {
        const struct logical_sort *s = &sub->sort[i];
        const struct lcol *c = logical_find(sub->root, s->rel, s->no);
        if (!c)
            return bind_broken(b, "a sort key that isn't there");
        g->args[i + 1] = column_of(b, c);
        types[i + 1] = c->ct;
        sort[i] = (struct agg_sort){(uint32_t)i + 1, s->desc, s->nulls_first};
    }
    call->nsort = sub->nsort;
    call->nargs += sub->nsort;
    return true;
}

static const struct expr *empty_array(struct binder *b, struct column_type ct)
{
    struct value v;
    if (!value_parse(ct.type, "{}", 2, b->arena, &v, b->err))
        return NULL;
    return expr_const(b->arena, v, ct);
}

/* Of no rows it is empty, where array_agg is NULL. */
static const struct expr *bind_array(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct bound sub;
    struct summary s = {.n = 1};
    struct column_type types[AGG_MAX_ARGS];
    struct agg_sort sort[AGG_MAX_ARGS];
    struct agg_call call = {
        .name = "array_agg", .args = types, .nargs = 1, .nown = 1, .sort = sort};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    if (!in)
        return NULL;
    if (sub.nout != 1) {
        bind_broken(b, "ARRAY(SELECT …) without its column");
        return NULL;
    }
    types[0] = sub.out[0].ct;
    call.result = (struct column_type){b->cat->array_type(b->cat->ctx, types[0].type->oid, b->err),
                                       -1, types[0].collation};
    if (!call.result.type)
        return NULL;
    call.fnoid = call.result.type == types[0].type ? AGG_ARRAY_OF_ARRAYS : AGG_ARRAY;
    s.aggs[0].args[0] = column_of(b, &sub.out[0]);
    if (!sort_args(b, &sub, &s.aggs[0], &call, types, sort) ||
        !agg_resolve(&call, &s.aggs[0].spec, b->err))
        return NULL;
    struct logical *n = summarize(b, &s, in);
    const struct expr *args[2] = {column_of(b, &n->cols[0]), empty_array(b, call.result)};
    add_columns(b, sc, n);
    return args[1] ? expr_coalesce(b->arena, args, 2, call.result) : NULL;
}

/* ------------------------------------------------------------ EXISTS */

static const struct expr *bind_exists(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct bound sub;
    struct logical *in = bind_subselect(b, sc, node, &sub);
    const struct expr *any = in ? bind_any_row(b, sc, in) : NULL;
    const struct expr *args[2] = {any, truth(b, false)};
    return any ? expr_coalesce(b->arena, args, 2, boolean()) : NULL;
}

/* ------------------------------------------------------------ ANY, ALL */

/* An equality of something of the clause with something of the subquery, by which rows can be found
 * by key. */
struct matching {
    const struct expr *ours, *theirs;
};

static bool is_matching(const struct expr *e, const struct lcol *cols, size_t n,
                        struct matching *out)
{
    if (e->kind != EXPR_FUNC || e->nargs != 2 ||
        !pgops_key_type(e->func->oid, e->args[0]->ct.type, e->args[1]->ct.type))
        return false;
    bool first = expr_refs_any(e->args[0], cols, n), second = expr_refs_any(e->args[1], cols, n);
    *out = first ? (struct matching){e->args[1], e->args[0]}
                 : (struct matching){e->args[0], e->args[1]};
    return first != second;
}

/* All of a test's parts, where all are matchings. */
static bool matchings(struct binder *b, const struct expr *e, const struct lcol *cols, size_t n,
                      struct exprs *ours, struct exprs *theirs)
{
    struct matching m;
    for (uint32_t i = 0; e->kind == EXPR_AND && i < e->nargs; i++)
        if (!matchings(b, e->args[i], cols, n, ours, theirs))
            return false;
    if (e->kind == EXPR_AND)
        return true;
    if (!is_matching(e, cols, n, &m))
        return false;
    AVEC_PUSH(b->arena, *ours, m.ours);
    AVEC_PUSH(b->arena, *theirs, m.theirs);
    return true;
}

static const struct expr *any_is_null(struct binder *b, const struct exprs *l)
{
    const struct expr **v = ARENA_ARRAY(b->arena, const struct expr *, l->n);
    for (size_t i = 0; i < l->n; i++)
        v[i] = expr_fold(b->arena, expr_is_null(b->arena, l->v[i], false));
    return l->n == 1 ? v[0] : expr_fold(b->arena, expr_bool(b->arena, EXPR_OR, v, l->n));
}

/*
 * Whether x = y is unknown for some row of the subquery, none being equal: there is a row, and x is
 * NULL or a y is. Both are told by one row for the subquery (for each case of it), which changes only
 * when the first NULL comes or the last one goes.
 */
static const struct expr *bind_unknown_one(struct binder *b, struct scope *sc,
                                           const struct pgnode *node)
{
    struct bound sub;
    struct summary s = {0};
    struct exprs ours = {0}, theirs = {0};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    const struct expr *test = in ? bind_test(b, sc, node, sub.out, sub.nout) : NULL;
    if (!test || !matchings(b, test, sub.out, sub.nout, &ours, &theirs) ||
        !add_bool_or(b, &s, truth(b, true)) || !add_bool_or(b, &s, any_is_null(b, &theirs)))
        return NULL;
    struct logical *n = summarize(b, &s, in);
    add_columns(b, sc, n);
    const struct expr *null[2] = {any_is_null(b, &ours), column_of(b, &n->cols[1])};
    const struct expr *both[2] = {column_of(b, &n->cols[0]), expr_bool(b->arena, EXPR_OR, null, 2)};
    return expr_bool(b->arena, EXPR_AND, both, 2);
}

/*
 * The same of rows of several columns, where (1, NULL) = (2, NULL) is false: the test is tried, but
 * only on the subquery's rows that have a NULL, and for the clause's rows that have one.
 */
static const struct expr *bind_unknown_rows(struct binder *b, struct scope *sc,
                                            const struct pgnode *node)
{
    const struct expr *either[2];
    for (int side = 0; side < 2; side++) {
        struct bound sub;
        struct exprs of[2] = {{0}, {0}};
        struct logical *in = bind_subselect(b, sc, node, &sub);
        const struct expr *test = in ? bind_test(b, sc, node, sub.out, sub.nout) : NULL;
        if (!test || !matchings(b, test, sub.out, sub.nout, &of[0], &of[1]))
            return NULL;
        in = filtered(b, in, any_is_null(b, &of[side]));
        in = filtered(b, in, expr_is_null(b->arena, test, false));
        if (!(either[side] = bind_any_row(b, sc, in)))
            return NULL;
    }
    return expr_bool(b->arena, EXPR_OR, either, 2);
}

/* true where `yes` holds, else NULL where `maybe` does, else false. */
static const struct expr *three_values(struct binder *b, const struct expr *yes,
                                       const struct expr *maybe)
{
    const struct expr *args[5] = {yes, truth(b, true), maybe, unknown(b), truth(b, false)};
    return expr_fold(b->arena, expr_case(b->arena, args, 5, boolean()));
}

/* By trying the test on every row. */
static const struct expr *bind_any_by_test(struct binder *b, struct scope *sc, struct logical *in,
                                           const struct expr *test, bool all)
{
    struct summary s = {0};
    /* ALL is true unless one is not: the mirror image */
    const struct expr *tried =
        all ? expr_fold(b->arena, expr_bool(b->arena, EXPR_NOT, &test, 1)) : test;
    if (!add_bool_or(b, &s, tried) || !add_bool_or(b, &s, expr_is_null(b->arena, test, false)))
        return NULL;
    struct logical *n = summarize(b, &s, in);
    add_columns(b, sc, n);
    const struct expr *e = three_values(b, column_of(b, &n->cols[0]), column_of(b, &n->cols[1]));
    return all ? expr_bool(b->arena, EXPR_NOT, &e, 1) : e;
}

static const struct expr *bind_any(struct binder *b, struct scope *sc, const struct pgnode *node,
                                   bool all)
{
    struct bound sub;
    struct exprs ours = {0}, theirs = {0};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    const struct expr *test = in ? bind_test(b, sc, node, sub.out, sub.nout) : NULL;
    if (!test)
        return NULL;
    if (all || !matchings(b, test, sub.out, sub.nout, &ours, &theirs))
        return bind_any_by_test(b, sc, in, test, all);
    const struct expr *found = bind_any_row(b, sc, filtered(b, in, test));
    const struct expr *maybe = !found       ? NULL
                               : ours.n > 1 ? bind_unknown_rows(b, sc, node)
                                            : bind_unknown_one(b, sc, node);
    return maybe ? three_values(b, found, maybe) : NULL;
}

/* ------------------------------------------------------------ one row */

static bool at_most_one(const struct logical *n)
{
    switch (n->kind) {
    case LOGICAL_ONE_ROW: return true;
    case LOGICAL_PROJECT:
    case LOGICAL_FILTER:
    case LOGICAL_DISTINCT: return at_most_one(n->in[0]);
    case LOGICAL_GROUP: return !n->nexprs;
    case LOGICAL_TOPK:
        return (!n->npart && !n->with_ties && n->limit >= 0 && n->limit <= 1) ||
               at_most_one(n->in[0]);
    case LOGICAL_JOIN:
        return n->join != JOIN_FULL && at_most_one(n->in[0]) &&
               (n->join == JOIN_SEMI || n->join == JOIN_ANTI || at_most_one(n->in[1]));
    default: return false;
    }
}

/* The subquery's row, joined: *many is NULL or holds where there are more; out[n] its columns. */
static bool bind_row(struct binder *b, struct scope *sc, const struct pgnode *node,
                     const struct expr **many, const struct lcol **out, size_t *n)
{
    struct bound sub;
    struct summary s = {0};
    struct column_type int8 = {type_native(OID_INT8), -1, NULL};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    *many = NULL;
    if (!in)
        return false;
    *out = sub.out;
    *n = sub.nout;
    if (sub.nout >= BIND_MAX_SUMMARY)
        return err_soft(b->err, "a subquery of so many columns");
    if (!at_most_one(in)) {
        for (size_t i = 0; i < sub.nout; i++) {
            struct group_agg *g = &s.aggs[s.n++];
            *g = (struct group_agg){0};
            g->args[0] = column_of(b, &sub.out[i]);
            agg_single(&sub.out[i].ct, &g->spec);
        }
        if (!add_agg(b, &s, AGG_COUNT_ROWS, "count(*)", NULL, int8))
            return false;
        in = summarize(b, &s, in);
        *out = in->cols;
        const struct expr *args[2] = {column_of(b, &in->cols[sub.nout]),
                                      expr_const(b->arena, value_int(1), int8)};
        *many = expr_func(b->arena, FN_INT8_GT, NULL, args, 2, boolean(), NULL, b->err);
    }
    add_columns(b, sc, in);
    return true;
}

static const struct expr *unless_many(struct binder *b, const struct expr *many,
                                      const struct expr *e)
{
    if (!many || !e)
        return e;
    const struct expr *args[3] = {many, expr_raise(b->arena, RAISE_MANY_ROWS, e->ct), e};
    return expr_case(b->arena, args, 3, e->ct);
}

static const struct expr *bind_scalar(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct expr *many;
    const struct lcol *out;
    size_t n;
    if (!bind_row(b, sc, node, &many, &out, &n))
        return NULL;
    if (n != 1) {
        bind_broken(b, "a scalar subquery without its column");
        return NULL;
    }
    return unless_many(b, many, column_of(b, &out[0]));
}

static const struct expr *bind_row_compare(struct binder *b, struct scope *sc,
                                           const struct pgnode *node)
{
    const struct expr *many;
    const struct lcol *out;
    size_t n;
    if (!bind_row(b, sc, node, &many, &out, &n))
        return NULL;
    return unless_many(b, many, bind_test(b, sc, node, out, n));
}

const struct expr *bind_sublink(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    if (!sc->applies) {
        err_soft(b->err, "a subquery in this place");
        return NULL;
    }
    switch (pgn_int(node, "subLinkType")) {
    case SUBLINK_EXISTS: return bind_exists(b, sc, node);
    case SUBLINK_ALL: return bind_any(b, sc, node, true);
    case SUBLINK_ANY: return bind_any(b, sc, node, false);
    case SUBLINK_ROWCOMPARE: return bind_row_compare(b, sc, node);
    case SUBLINK_EXPR: return bind_scalar(b, sc, node);
    case SUBLINK_ARRAY: return bind_array(b, sc, node);
    default: err_soft(b->err, "this kind of subquery"); return NULL;
    }
}

const struct expr *bind_sublink_param(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    int64_t id = pgn_int(node, "paramid");
    if (id >= 1 && id <= (int64_t)sc->nparams)
        return column_of(b, &sc->params[id - 1]);
    bind_broken(b, "a subquery's column that isn't there");
    return NULL;
}

/* ------------------------------------------------------------ conjuncts */

static bool is_sublink(const struct pgnode *node, enum sublink type)
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

static bool bind_semi(struct binder *b, struct scope *sc, const struct pgnode *node,
                      enum join_kind kind)
{
    struct bound sub;
    struct exprs on = {0};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    if (!in)
        return false;
    if (is_sublink(node, SUBLINK_ANY)) {
        const struct expr *test = bind_test(b, sc, node, sub.out, sub.nout);
        if (!test)
            return false;
        AVEC_PUSH(b->arena, on, test);
    }
    add_apply(b, sc->applies, kind, in, &on);
    return true;
}

/* x NOT IN (…) of one column: nothing is equal, and nothing is unknown. */
static bool bind_not_in(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct bound sub;
    struct exprs on = {0}, ours = {0}, theirs = {0};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    const struct expr *e = in ? bind_test(b, sc, node, sub.out, sub.nout) : NULL;
    if (!e)
        return false;
    if (!matchings(b, e, sub.out, sub.nout, &ours, &theirs) || ours.n > 1) {
        e = bind_any(b, sc, node, false);
        if (e)
            add_filter(b, sc->applies, expr_bool(b->arena, EXPR_NOT, &e, 1));
        return e;
    }
    AVEC_PUSH(b->arena, on, e);
    add_apply(b, sc->applies, JOIN_ANTI, in, &on);
    e = bind_unknown_one(b, sc, node);
    if (e)
        add_filter(b, sc->applies, expr_bool_test(b->arena, e, IS_NOT_TRUE));
    return e;
}

static bool bind_conjunct(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *not = negated(node);
    if (is_sublink(node, SUBLINK_EXISTS) || is_sublink(node, SUBLINK_ANY))
        return bind_semi(b, sc, node, JOIN_SEMI);
    if (is_sublink(not, SUBLINK_EXISTS))
        return bind_semi(b, sc, not, JOIN_ANTI);
    if (is_sublink(not, SUBLINK_ANY))
        return bind_not_in(b, sc, not );
    const struct expr *e = bind_expr(b, sc, node);
    if (e)
        add_filter(b, sc->applies, e);
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
        add_apply(b, out, JOIN_INNER, NULL, &plain);
    for (size_t i = 0; i < with.n; i++)
        AVEC_PUSH(b->arena, *out, with.v[i]);
    return true;
}
