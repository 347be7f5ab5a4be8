/*
 * bind_sublink: subqueries in expressions.
 *
 * A subquery is joined to what the expression's clause works on (bind_apply), and in the expression
 * columns of that join take its place.
 *
 *     EXISTS            left join with one row that tells whether there is any; as a conjunct a semi
 *                       or anti join
 *     ANY, ALL          bind_any
 *     ARRAY(SELECT x …) left join with array_agg over it
 *     (SELECT x …)      left join with its row; of more than one the count is above 1, and the error
 *                       is raised where the value is used
 */
#include "engine/sql/bind_sublink.h"

#include <string.h>

#include "engine/plan/carry.h"
#include "engine/sql/refuse.h"

#define AGG_COUNT_ROWS 2803
#define AGG_BOOL_OR    2518
#define FN_INT8_GT     470

/* ------------------------------------------------------------ the subquery */

/* Of several rows the order counts for ARRAY alone. */
struct logical *bind_subselect(struct binder *b, struct scope *sc, const struct pgnode *node,
                               struct bound *sub)
{
    const struct pgnode *query = pgn_field(node, "subselect");
    bool ordered = pgn_int(node, "subLinkType") == SUBLINK_ARRAY;
    return bind_query(b, query, sc, ordered, sub) ? sub->root : NULL;
}

/* The testexpr, with the subquery's columns for its parameters. */
const struct expr *bind_sublink_test(struct binder *b, struct scope *sc, const struct pgnode *node,
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

bool summary_add(struct binder *b, struct summary *s, uint32_t fn, const char *name,
                 const struct expr *arg, struct column_type result)
{
    struct group_agg *g = summary_push(b, s);
    g->args[0] = arg;
    return agg_lookup(fn, name, arg ? &arg->ct : NULL, arg ? 1 : 0, result, NULL, &g->spec, b->err);
}

bool summary_add_bool_or(struct binder *b, struct summary *s, const struct expr *arg)
{
    return summary_add(b, s, AGG_BOOL_OR, "bool_or", arg, sublink_boolean());
}

/* A grouping without keys over in; s's aggregates are its columns in order. */
struct logical *summary_node(struct binder *b, struct summary *s, struct logical *in)
{
    struct logical *n = logical_new(b->arena, LOGICAL_GROUP, 1);
    n->in[0] = in;
    n->rel = b->next_rel++;
    n->naggs = n->ncols = s->n;
    n->aggs = s->v;
    n->aggno = ARENA_ARRAY(b->arena, uint32_t, s->n);
    n->cols = ARENA_ARRAY(b->arena, struct lcol, s->n);
    for (size_t i = 0; i < s->n; i++) {
        n->aggno[i] = BIND_AGG_NO + (uint32_t)i;
        n->cols[i] =
            (struct lcol){n->rel, n->aggno[i], s->v[i].spec.result, s->v[i].spec.cls->name};
    }
    return n;
}

/* Whether there is a row of in: a column that is true, or NULL. */
const struct expr *bind_any_row(struct binder *b, struct scope *sc, struct logical *in)
{
    struct summary s = {0};
    if (!summary_add_bool_or(b, &s, sublink_truth(b, true)))
        return NULL;
    struct logical *n = summary_node(b, &s, in);
    bind_apply_columns(b, sc, n);
    return lcol_expr(b->arena, &n->cols[0]);
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
        g->args[i + 1] = lcol_expr(b->arena, c);
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
    struct summary s = {0};
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
    struct group_agg *g = summary_push(b, &s);
    g->args[0] = lcol_expr(b->arena, &sub.out[0]);
    if (!sort_args(b, &sub, g, &call, types, sort) || !agg_resolve(&call, &g->spec, b->err))
        return NULL;
    struct logical *n = summary_node(b, &s, in);
    const struct expr *args[2] = {lcol_expr(b->arena, &n->cols[0]), empty_array(b, call.result)};
    bind_apply_columns(b, sc, n);
    return args[1] ? expr_coalesce(b->arena, args, 2, call.result) : NULL;
}
/* ------------------------------------------------------------ EXISTS */

static const struct expr *bind_exists(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct bound sub;
    struct logical *in = bind_subselect(b, sc, node, &sub);
    const struct expr *any = in ? bind_any_row(b, sc, in) : NULL;
    const struct expr *args[2] = {any, sublink_truth(b, false)};
    return any ? expr_coalesce(b->arena, args, 2, sublink_boolean()) : NULL;
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
    if (!at_most_one(in)) {
        for (size_t i = 0; i < sub.nout; i++) {
            struct group_agg *g = summary_push(b, &s);
            g->args[0] = lcol_expr(b->arena, &sub.out[i]);
            agg_single(&sub.out[i].ct, &g->spec);
        }
        if (!summary_add(b, &s, AGG_COUNT_ROWS, "count(*)", NULL, int8))
            return false;
        in = summary_node(b, &s, in);
        *out = in->cols;
        const struct expr *args[2] = {lcol_expr(b->arena, &in->cols[sub.nout]),
                                      expr_const(b->arena, value_int(1), int8)};
        *many = expr_func(b->arena, FN_INT8_GT, NULL, args, 2, sublink_boolean(), NULL, b->err);
    }
    bind_apply_columns(b, sc, in);
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
    return unless_many(b, many, lcol_expr(b->arena, &out[0]));
}

static const struct expr *bind_row_compare(struct binder *b, struct scope *sc,
                                           const struct pgnode *node)
{
    const struct expr *many;
    const struct lcol *out;
    size_t n;
    if (!bind_row(b, sc, node, &many, &out, &n))
        return NULL;
    return unless_many(b, many, bind_sublink_test(b, sc, node, out, n));
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
        return lcol_expr(b->arena, &sc->params[id - 1]);
    bind_broken(b, "a subquery's column that isn't there");
    return NULL;
}
