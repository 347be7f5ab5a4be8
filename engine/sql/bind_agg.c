/*
 * bind_agg: GROUP BY and aggregates.
 *
 * Above the grouping, the select list and HAVING may use keys and aggregates only. Postgres has
 * checked that; here each expression that equals a key, and each aggregate call, becomes a column
 * of the group node. Columns that follow from a grouped primary key (functional dependency) are
 * added to the keys: they are the same throughout a group, so the groups stay what they are.
 *
 *     bind_grouping_begin   keys over FROM        → scope.grouping
 *     bind_grouped          from bind_expr, node by node; aggregates are collected as they come
 *     bind_grouping_end     the group node, HAVING above it
 */
#include "engine/sql/bind_agg.h"

#include <string.h>

#include "engine/sql/pgops.h"

static bool add_key(struct binder *b, struct grouping *g, const struct pgnode *node, int64_t ref,
                    const struct expr *e)
{
    if (!bind_needs_equality(b, &e->ct, "GROUP BY"))
        return false;
    AVEC_PUSH(b->scratch, g->key_nodes, node);
    AVEC_PUSH(b->scratch, g->refs, ref);
    AVEC_PUSH(b->scratch, g->keys, e);
    return true;
}

bool bind_grouping_begin(struct binder *b, struct scope *sc)
{
    const struct pgnode *clauses = pgn_field(sc->query, "groupClause");
    const struct pgnode *targets = pgn_field(sc->query, "targetList");
    struct grouping *g = ARENA_NEW(b->scratch, struct grouping);
    g->rel = b->next_rel++;
    for (uint32_t i = 0; i < clauses->n; i++) {
        int64_t at = bind_sortgroup_entry(b, targets, clauses->items[i]);
        if (at < 0)
            return false;
        const struct pgnode *node = pgn_field(targets->items[at], "expr");
        const struct expr *e = bind_expr(b, sc, node);
        int64_t ref = pgn_int(clauses->items[i], "tleSortGroupRef");
        if (!e || !add_key(b, g, node, ref, e))
            return false;
    }
    sc->grouping = g;
    return true;
}

static const struct expr *group_column(struct binder *b, const struct grouping *g, uint32_t no,
                                       struct column_type ct)
{
    struct lcol c = {g->rel, no, ct, ""};
    return lcol_expr(b->arena, &c);
}

/* ------------------------------------------------------------ aggregates */

static bool too_many(struct binder *b)
{
    return err_soft(b->err, "an aggregate of so many arguments");
}

/* Those that are there only to be sorted by come after the function's own. */
static bool bind_agg_args(struct binder *b, struct scope *sc, const struct pgnode *node,
                          struct bound_call *c)
{
    const struct pgnode *args = pgn_field(node, "args");
    for (uint32_t i = 0; i < args->n; i++) {
        const struct pgnode *arg = args->items[i];
        size_t n = c->call.nargs;
        if (n == AGG_MAX_ARGS)
            return too_many(b);
        const struct expr *e = bind_expr(b, sc, pgn_field(arg, "expr"));
        if (!e)
            return false;
        c->agg->args[n] = e;
        c->args[n] = e->ct;
        c->refs[n] = pgn_int(arg, "ressortgroupref");
        c->call.nargs++;
        c->call.nown += !pgn_bool(arg, "resjunk");
    }
    return true;
}

/* Over the groups and not over their rows: they are the same throughout a group. */
static bool bind_direct_args(struct binder *b, struct scope *sc, const struct pgnode *node,
                             struct bound_call *c)
{
    const struct pgnode *list = pgn_field(node, "aggdirectargs");
    if (list->n > AGG_MAX_DIRECT)
        return too_many(b);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct expr *e = bind_expr(b, sc, list->items[i]);
        if (!e)
            return false;
        c->agg->direct[i] = e;
        c->direct[i] = e->ct;
        c->call.ndirect++;
    }
    return true;
}

int32_t bind_agg_sorted(struct binder *b, const struct bound_call *c, const struct pgnode *clause)
{
    int64_t ref = pgn_int(clause, "tleSortGroupRef");
    for (uint32_t i = 0; ref && i < c->call.nargs; i++)
        if (c->refs[i] == ref)
            return (int32_t)i;
    bind_broken(b, "an aggregate's ORDER BY without its expression");
    return -1;
}

static bool bind_agg_order(struct binder *b, const struct pgnode *node, struct bound_call *c)
{
    const struct pgnode *clauses = pgn_field(node, "aggorder");
    if (clauses->n > AGG_MAX_ARGS)
        return too_many(b);
    for (uint32_t i = 0; i < clauses->n; i++) {
        const struct pgnode *clause = clauses->items[i];
        int32_t at = bind_agg_sorted(b, c, clause);
        bool desc;
        if (at < 0)
            return false;
        if (!pgops_sort(pgn_oid(clause, "sortop"), c->args[at].type, &desc))
            return err_soft(b->err, "aggregate %s with ORDER BY over type %s", c->call.name,
                            c->args[at].type->name);
        c->sort[i] = (struct agg_sort){(uint32_t)at, desc, pgn_bool(clause, "nulls_first")};
        c->call.nsort++;
    }
    return true;
}

/* What the call is over. */
static bool bind_agg_inputs(struct binder *b, struct scope *sc, const struct pgnode *node,
                            struct bound_call *c)
{
    const struct pgnode *filter = pgn_field(node, "aggfilter");
    struct applies *above = sc->applies;
    sc->applies = NULL; /* direct arguments are computed where the groups are made */
    bool ok = bind_direct_args(b, sc, node, c);
    sc->applies = &sc->grouping->below;
    sc->grouping->inside = true;
    ok = ok && bind_agg_args(b, sc, node, c) &&
         (pgn_is_null(filter) || (c->agg->filter = bind_expr(b, sc, filter)));
    sc->grouping->inside = false;
    sc->applies = above;
    return ok;
}

static bool bind_native(struct binder *b, const struct pgnode *node, struct bound_call *c)
{
    uint32_t inputcoll = pgn_oid(node, "inputcollid");
    for (size_t i = 0; c->agg->distinct && i < c->call.nargs; i++)
        if (!bind_needs_equality(b, &c->args[i], "an aggregate with DISTINCT"))
            return false;
    if (!bind_agg_order(b, node, c))
        return false;
    if (inputcoll && !(c->call.collation = b->cat->collation(b->cat->ctx, inputcoll, b->err)))
        return false;
    return agg_resolve(&c->call, &c->agg->spec, b->err);
}

/* Without a native version Postgres computes it, from the rows that column no of the groups has. */
static bool bind_delegated(struct binder *b, const struct grouping *g, uint32_t no,
                           const struct pgnode *node, struct bound_call *c, const struct expr **out)
{
    struct err native = *b->err;
    struct column_type json = {.typmod = -1};
    if (!native.soft)
        return false;
    err_clear(b->err);
    c->agg->distinct = false;
    if (!(json.type = b->cat->type(b->cat->ctx, OID_JSON, b->err)))
        return false;
    agg_collect_spec(c->args, c->call.nargs, json, &c->agg->spec);
    bool ok = bind_agg_collected(b, node, c, group_column(b, g, no, json), out);
    if (!ok && b->err->soft)
        *b->err = native;
    return ok;
}

static bool bind_agg_call(struct binder *b, struct scope *sc, const struct pgnode *node,
                          uint32_t no, struct group_agg *agg, const struct expr **out)
{
    char volatility;
    const struct grouping *g = sc->grouping;
    struct bound_call c = {.agg = agg, .call = {.fnoid = pgn_oid(node, "aggfnoid")}};
    const char *name = b->cat->function_name(b->cat->ctx, c.call.fnoid, &volatility);
    *agg = (struct group_agg){.distinct = !pgn_is_null(pgn_field(node, "aggdistinct"))};
    c.call.name = arena_strdup(b->arena, name);
    c.call.args = c.args;
    c.call.direct = c.direct;
    c.call.sort = c.sort;
    if (!bind_type(b, pgn_oid(node, "aggtype"), -1, pgn_oid(node, "aggcollid"), &c.call.result) ||
        !bind_agg_inputs(b, sc, node, &c))
        return false;
    if (!bind_native(b, node, &c))
        return bind_delegated(b, g, no, node, &c, out);
    *out = group_column(b, g, no, agg->spec.result);
    return true;
}

static bool bind_aggref(struct binder *b, struct scope *sc, const struct pgnode *node,
                        const struct expr **out)
{
    struct grouping *g = sc->grouping;
    struct group_agg agg;
    size_t i = 0;
    while (i < g->agg_nodes.n && !pgn_equal(g->agg_nodes.v[i], node, bind_resolve_alias, sc))
        i++;
    if (i == g->agg_nodes.n) {
        if (!bind_agg_call(b, sc, node, BIND_AGG_NO + (uint32_t)i, &agg, out))
            return false;
        AVEC_PUSH(b->scratch, g->agg_nodes, node);
        AVEC_PUSH(b->scratch, g->aggs, agg);
        AVEC_PUSH(b->scratch, g->results, *out);
    }
    *out = g->results.v[i];
    return true;
}

/* ------------------------------------------------------------ above the grouping */

/* A column that Postgres let through although it is no key: it follows from one. */
static bool add_dependent(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct grouping *g = sc->grouping;
    if (pgn_is_null(pgn_field(sc->query, "constraintDeps")))
        return bind_broken(b, "a column that is not grouped");
    g->inside = true;
    const struct expr *e = bind_expr(b, sc, node);
    g->inside = false;
    return e && add_key(b, g, node, 0, e);
}

/* Where all keys are in the one set there is, it is 0. */
static bool bind_groupingfunc(struct binder *b, struct scope *sc, const struct pgnode *node,
                              const struct expr **out)
{
    struct grouping *g = sc->grouping;
    struct column_type ct = {type_native(OID_INT4), -1, NULL};
    if (pgn_field(sc->query, "groupingSets")->n)
        *out = group_column(b, g, bind_grouping_call(b, g, node), ct);
    else
        *out = expr_const(b->arena, value_int(0), ct);
    return true;
}

bool bind_grouped(struct binder *b, struct scope *sc, const struct pgnode *node,
                  const struct expr **out)
{
    struct grouping *g = sc->grouping;
    bool is_call = pgn_is(node, "AGGREF") || pgn_is(node, "GROUPINGFUNC");
    *out = NULL;
    if (is_call && pgn_int(node, "agglevelsup") > 0)
        return (*out = bind_at_level(b, sc, node, pgn_int(node, "agglevelsup"))) != NULL;
    if (!g || g->inside)
        return true;
    if (pgn_is(node, "AGGREF"))
        return bind_aggref(b, sc, node, out);
    if (pgn_is(node, "GROUPINGFUNC"))
        return bind_groupingfunc(b, sc, node, out);
    for (size_t i = 0; i < g->keys.n; i++)
        if (pgn_equal(g->key_nodes.v[i], node, bind_resolve_alias, sc)) {
            *out = group_column(b, g, (uint32_t)i + 1, g->keys.v[i]->ct);
            return true;
        }
    node = bind_resolve_alias(sc, node);
    if (!pgn_is(node, "VAR") || pgn_int(node, "varlevelsup"))
        return true;
    if (!add_dependent(b, sc, node))
        return false;
    *out = group_column(b, g, (uint32_t)g->keys.n, g->keys.v[g->keys.n - 1]->ct);
    return true;
}

/* "min(orders.amount)", for people. */
static const char *agg_name(struct binder *b, const struct pgnode *node)
{
    char volatility;
    const char *name = b->cat->function_name(b->cat->ctx, pgn_oid(node, "aggfnoid"), &volatility);
    const char *paren = strchr(name, '(');
    return arena_strndup(b->arena, name, paren ? (size_t)(paren - name) : strlen(name));
}

static const char *key_name(const struct logical *in, const struct expr *key)
{
    const struct lcol *c = key->kind == EXPR_COLUMN ? logical_find(in, key->rel, key->col) : NULL;
    return c ? c->name : "";
}

struct logical *bind_group_node(struct binder *b, const struct grouping *g, struct logical *in)
{
    struct logical *n = logical_new(b->arena, LOGICAL_GROUP, 1);
    n->in[0] = in;
    n->rel = g->rel;
    n->nexprs = g->keys.n;
    n->naggs = g->aggs.n;
    n->exprs = arena_memdup(b->arena, g->keys.v, n->nexprs * sizeof *n->exprs);
    n->aggs = arena_memdup(b->arena, g->aggs.v, n->naggs * sizeof *n->aggs);
    n->aggno = ARENA_ARRAY(b->arena, uint32_t, n->naggs);
    n->ncols = n->nexprs + n->naggs;
    n->cols = ARENA_ARRAY(b->arena, struct lcol, n->ncols);
    for (size_t i = 0; i < n->nexprs; i++)
        n->cols[i] =
            (struct lcol){g->rel, (uint32_t)i + 1, n->exprs[i]->ct, key_name(in, n->exprs[i])};
    for (size_t i = 0; i < n->naggs; i++) {
        n->aggno[i] = BIND_AGG_NO + (uint32_t)i;
        n->cols[n->nexprs + i] = (struct lcol){g->rel, n->aggno[i], n->aggs[i].spec.result,
                                               agg_name(b, g->agg_nodes.v[i])};
    }
    return n;
}

struct logical *bind_grouping_end(struct binder *b, struct scope *sc, struct logical *in)
{
    struct grouping *g = sc->grouping;
    struct grouping_sets sets;
    struct applies having = {0};
    if (!bind_filter(b, sc, pgn_field(sc->query, "havingQual"), &having))
        return NULL;
    in = bind_applied(b, &g->below, in);
    if (!pgn_field(sc->query, "groupingSets")->n)
        return bind_applied(b, &having, bind_group_node(b, g, in));
    if (!grouping_sets_expand(b, g, sc->query, &sets))
        return NULL;
    return bind_applied(b, &having, bind_group_union(b, g, &sets, in));
}
