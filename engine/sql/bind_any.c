/*
 * bind_any: IN, ANY and ALL, in three values.
 *
 *     IN as a conjunct        semi join
 *     NOT IN as a conjunct    anti join, and the NULLs looked at apart
 *     = ANY, IN elsewhere     whether a row is equal, by key; and whether one may be, for NULLs
 *     < ANY, > ALL …          from the least or the greatest value
 *     anything else           the test on every row
 *
 * The same subquery is bound twice where it is looked at in two ways: equal operators are built once.
 */
#include "engine/sql/bind_sublink.h"

#include <string.h>

#include "engine/expr/pgfuncs.h"
#include "engine/sql/pgops.h"

static const struct expr *unknown(struct binder *b)
{
    return expr_const(b->arena, value_null(), sublink_boolean());
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
    const struct expr *test = in ? bind_sublink_test(b, sc, node, sub.out, sub.nout) : NULL;
    if (!test || !matchings(b, test, sub.out, sub.nout, &ours, &theirs) ||
        !summary_add_bool_or(b, &s, sublink_truth(b, true)) ||
        !summary_add_bool_or(b, &s, any_is_null(b, &theirs)))
        return NULL;
    struct logical *n = summary_node(b, &s, in);
    bind_apply_columns(b, sc, n);
    const struct expr *null[2] = {any_is_null(b, &ours), lcol_expr(b->arena, &n->cols[1])};
    const struct expr *both[2] = {lcol_expr(b->arena, &n->cols[0]),
                                  expr_bool(b->arena, EXPR_OR, null, 2)};
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
        const struct expr *test = in ? bind_sublink_test(b, sc, node, sub.out, sub.nout) : NULL;
        if (!test || !matchings(b, test, sub.out, sub.nout, &of[0], &of[1]))
            return NULL;
        in = logical_where(b->arena, in, any_is_null(b, &of[side]));
        in = logical_where(b->arena, in, expr_is_null(b->arena, test, false));
        if (!(either[side] = bind_any_row(b, sc, in)))
            return NULL;
    }
    return expr_bool(b->arena, EXPR_OR, either, 2);
}

/* true where `yes` holds, else NULL where `maybe` does, else false. */
static const struct expr *three_values(struct binder *b, const struct expr *yes,
                                       const struct expr *maybe)
{
    const struct expr *args[5] = {yes, sublink_truth(b, true), maybe, unknown(b),
                                  sublink_truth(b, false)};
    return expr_fold(b->arena, expr_case(b->arena, args, 5, sublink_boolean()));
}

/* By trying the test on every row. */
static const struct expr *bind_any_by_test(struct binder *b, struct scope *sc, struct logical *in,
                                           const struct expr *test, bool all)
{
    struct summary s = {0};
    /* ALL is true unless one is not: the mirror image */
    const struct expr *tried =
        all ? expr_fold(b->arena, expr_bool(b->arena, EXPR_NOT, &test, 1)) : test;
    if (!summary_add_bool_or(b, &s, tried) ||
        !summary_add_bool_or(b, &s, expr_is_null(b->arena, test, false)))
        return NULL;
    struct logical *n = summary_node(b, &s, in);
    bind_apply_columns(b, sc, n);
    const struct expr *e =
        three_values(b, lcol_expr(b->arena, &n->cols[0]), lcol_expr(b->arena, &n->cols[1]));
    return all ? expr_bool(b->arena, EXPR_NOT, &e, 1) : e;
}

/* Of "x < y" and its kin: which end of the subquery's y decides for ANY; the other does for ALL. */
enum end {
    END_NONE,
    END_LEAST,
    END_GREATEST
};

static enum end deciding_end(const struct expr *e, const struct lcol *cols, size_t n, bool all)
{
    const char *symbol = e->kind == EXPR_FUNC && e->nargs == 2 ? e->func->symbol : NULL;
    if (!symbol || (symbol[0] != '<' && symbol[0] != '>') || (symbol[1] && symbol[1] != '=') ||
        expr_refs_any(e->args[0], cols, n) || !expr_refs_any(e->args[1], cols, n))
        return END_NONE;
    return (symbol[0] == '<') != all ? END_GREATEST : END_LEAST;
}

/* max and min by type; 0 where there is none. */
static uint32_t end_agg(const struct type *t, enum end end)
{
    static const uint32_t aggs[][3] = {{OID_INT8, 2115, 2131},      {OID_INT4, 2116, 2132},
                                       {OID_INT2, 2117, 2133},      {OID_FLOAT4, 2119, 2135},
                                       {OID_FLOAT8, 2120, 2136},    {OID_DATE, 2122, 2138},
                                       {OID_TIMESTAMP, 2126, 2142}, {OID_TIMESTAMPTZ, 2127, 2143},
                                       {OID_TEXT, 2129, 2145},      {OID_NUMERIC, 2130, 2146}};
    for (size_t i = 0; i < sizeof aggs / sizeof *aggs; i++)
        if (aggs[i][0] == t->oid)
            return aggs[i][end == END_GREATEST ? 1 : 2];
    return 0;
}

/*
 * x < ANY (…) is x < the greatest, x < ALL (…) is x < the least; where that doesn't decide, a NULL on
 * either side leaves it open. NULL without an error: it can't be told so.
 */
static const struct expr *bind_any_by_end(struct binder *b, struct scope *sc, struct logical *in,
                                          const struct expr *test, enum end end, bool all)
{
    struct summary s = {0};
    const struct expr *ours = test->args[0], *theirs = test->args[1];
    uint32_t fn = end_agg(theirs->ct.type, end);
    struct err err;
    struct group_agg *g = summary_push(b, &s);
    g->args[0] = theirs;
    if (!fn || !agg_lookup(fn, end == END_GREATEST ? "max" : "min", &theirs->ct, 1, theirs->ct,
                           test->collation, &g->spec, &err))
        return NULL;
    if (!summary_add_bool_or(b, &s, sublink_truth(b, true)) ||
        !summary_add_bool_or(b, &s, expr_is_null(b->arena, theirs, false)))
        return NULL;
    struct logical *n = summary_node(b, &s, in);
    bind_apply_columns(b, sc, n);
    const struct expr *pair[2] = {ours, lcol_expr(b->arena, &n->cols[0])};
    const struct expr *decided = expr_with_args(b->arena, test, pair);
    const struct expr *null[2] = {expr_fold(b->arena, expr_is_null(b->arena, ours, false)),
                                  lcol_expr(b->arena, &n->cols[2])};
    const struct expr *open[2] = {lcol_expr(b->arena, &n->cols[1]),
                                  expr_bool(b->arena, EXPR_OR, null, 2)};
    const struct expr *maybe = expr_bool(b->arena, EXPR_AND, open, 2);
    if (!all)
        return three_values(b, decided, maybe);
    const struct expr *e = three_values(b, expr_bool_test(b->arena, decided, IS_FALSE), maybe);
    return expr_bool(b->arena, EXPR_NOT, &e, 1);
}

const struct expr *bind_any(struct binder *b, struct scope *sc, const struct pgnode *node, bool all)
{
    struct bound sub;
    struct exprs ours = {0}, theirs = {0};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    const struct expr *test = in ? bind_sublink_test(b, sc, node, sub.out, sub.nout) : NULL;
    if (!test)
        return NULL;
    enum end end = deciding_end(test, sub.out, sub.nout, all);
    const struct expr *by_end = end ? bind_any_by_end(b, sc, in, test, end, all) : NULL;
    if (by_end || err_is_set(b->err))
        return by_end;
    if (all || !matchings(b, test, sub.out, sub.nout, &ours, &theirs))
        return bind_any_by_test(b, sc, in, test, all);
    const struct expr *found = bind_any_row(b, sc, logical_where(b->arena, in, test));
    const struct expr *maybe = !found       ? NULL
                               : ours.n > 1 ? bind_unknown_rows(b, sc, node)
                                            : bind_unknown_one(b, sc, node);
    return maybe ? three_values(b, found, maybe) : NULL;
}

/* ------------------------------------------------------------ conjuncts */

bool bind_semi(struct binder *b, struct scope *sc, const struct pgnode *node, enum join_kind kind)
{
    struct bound sub;
    struct exprs on = {0};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    if (!in)
        return false;
    if (bind_is_sublink(node, SUBLINK_ANY)) {
        const struct expr *test = bind_sublink_test(b, sc, node, sub.out, sub.nout);
        if (!test)
            return false;
        if (deciding_end(test, sub.out, sub.nout, false)) {
            const struct expr *e = bind_any(b, sc, node, false);
            if (e)
                bind_apply_filter(b, sc->applies, e);
            return e;
        }
        AVEC_PUSH(b->arena, on, test);
    }
    bind_apply_add(b, sc->applies, kind, in, &on);
    return true;
}

/* x NOT IN (…) of one column: nothing is equal, and nothing is unknown. */
bool bind_not_in(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct bound sub;
    struct exprs on = {0}, ours = {0}, theirs = {0};
    struct logical *in = bind_subselect(b, sc, node, &sub);
    const struct expr *e = in ? bind_sublink_test(b, sc, node, sub.out, sub.nout) : NULL;
    if (!e)
        return false;
    if (!matchings(b, e, sub.out, sub.nout, &ours, &theirs) || ours.n > 1) {
        e = bind_any(b, sc, node, false);
        if (e)
            bind_apply_filter(b, sc->applies, expr_bool(b->arena, EXPR_NOT, &e, 1));
        return e;
    }
    AVEC_PUSH(b->arena, on, e);
    bind_apply_add(b, sc->applies, JOIN_ANTI, in, &on);
    e = bind_unknown_one(b, sc, node);
    if (e)
        bind_apply_filter(b, sc->applies, expr_bool_test(b->arena, e, IS_NOT_TRUE));
    return e;
}
