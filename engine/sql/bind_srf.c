/*
 * bind_srf: set-returning functions, in FROM and in the select list, as LOGICAL_FLATMAP.
 *
 * In FROM, the functions of one item run in lockstep (ROWS FROM). An item that uses columns of what
 * stands before it in the same FROM is applied to it, row by row; one that doesn't stands for itself,
 * over one row, and is joined:
 *
 *     FROM t, unnest(t.tags) tag                    flatmap over t
 *     FROM t JOIN generate_series(1, 9) n ON …      a join, by its key
 *
 * In the select list, calls are collected while its expressions are bound, each replaced by the
 * column of its result. Those that are as deeply nested run in lockstep, the innermost first, above
 * the grouping; those that grouping keys are made of below it. As in Postgres, of two calls that are
 * written the same there is one.
 */
#include "engine/sql/bind.h"

#include <string.h>

#include "engine/sql/refuse.h"

#define OID_DEFAULT_COLLATION 100
#define OID_C_COLLATION       950

/* ------------------------------------------------------------ a call */

bool bind_call_args(struct binder *b, struct scope *sc, const struct pgnode *node,
                    struct srf_call *out)
{
    const struct pgnode *args = pgn_field(node, "args");
    out->args = ARENA_ARRAY(b->arena, const struct expr *, args->n);
    for (uint32_t i = 0; i < args->n; i++)
        if (!(out->args[i] = bind_expr(b, sc, args->items[i])))
            return false;
    out->nargs = args->n;
    return true;
}

/* Of a function's one result, or where it gives rows of several columns, of all of them. */
static bool call_columns(struct binder *b, const struct pgnode *node, struct srf_call *out)
{
    struct column_type *cols = ARENA_ARRAY(b->arena, struct column_type, 2);
    out->cols = cols;
    out->ncols = out->srf->types[0] ? 2 : 1;
    if (out->ncols == 1)
        return bind_type(b, pgn_oid(node, "funcresulttype"), -1, pgn_oid(node, "funccollid"),
                         &cols[0]);
    for (int i = 0; i < 2; i++)
        if (!bind_type(b, out->srf->types[i], -1,
                       out->srf->types[i] == OID_TEXT ? OID_DEFAULT_COLLATION : 0, &cols[i]))
            return false;
    return true;
}

static bool bind_set_call(struct binder *b, struct scope *sc, const struct pgnode *node,
                          struct srf_call *out)
{
    *out = (struct srf_call){.srf = srf_lookup(pgn_oid(node, "funcid"))};
    if (!out->srf)
        return bind_rows_call(b, sc, node, NULL, out);
    out->name = out->srf->name;
    if (!bind_call_args(b, sc, node, out) || !call_columns(b, node, out))
        return false;
    if (out->nargs != out->srf->nargs)
        return bind_broken(b, "a function with other arguments");
    if (out->srf->fn == srf_unnest && !out->args[0]->ct.type->elem)
        return err_soft(b->err, "unnest of type %s", out->args[0]->ct.type->name);
    return true;
}

static bool is_composite(const struct type *t)
{
    return t->oid == OID_RECORD || t->json == JSON_COMPOSITE;
}

/* ------------------------------------------------------------ FROM */

/* A value standing in FROM: one row of it. */
static bool bind_scalar_call(struct binder *b, struct scope *sc, const struct pgnode *node,
                             struct srf_call *out)
{
    const struct expr *e = bind_expr(b, sc, node);
    if (!e)
        return false;
    *out = (struct srf_call){.name = "", .nargs = 1, .ncols = 1};
    out->args = ARENA_ARRAY(b->arena, const struct expr *, 1);
    out->args[0] = e;
    out->cols = arena_memdup(b->arena, &e->ct, sizeof e->ct);
    return true;
}

uint32_t bind_default_collation(const struct type *t)
{
    if (t->oid == OID_NAME)
        return OID_C_COLLATION;
    return t->kind == TYPE_TEXT || t->kind == TYPE_BPCHAR ? OID_DEFAULT_COLLATION : 0;
}

/* What returns rows of a type that is known by its fields gives them as columns. */
static bool expand_call(struct binder *b, struct srf_call *c)
{
    const struct type *t = c->cols[0].type;
    if (t->json != JSON_COMPOSITE || (c->srf && c->srf->fn != srf_unnest))
        return err_soft(b->err, "a function in FROM that returns type %s", t->name);
    struct column_type *cols = ARENA_ARRAY(b->arena, struct column_type, t->nfields);
    for (size_t i = 0; i < t->nfields; i++)
        cols[i] = (struct column_type){t->fields[i].type, -1, t->fields[i].collation};
    c->cols = cols;
    c->ncols = t->nfields;
    c->expand = true;
    return true;
}

static bool bind_range_call(struct binder *b, struct scope *sc, const struct pgnode *function,
                            struct srf_call *out)
{
    const struct pgnode *node = pgn_field(function, "funcexpr");
    bool call = pgn_is(node, "FUNCEXPR"), set = call && pgn_bool(node, "funcretset");
    bool rows = set || (call && pgn_oid(node, "funcresulttype") == OID_RECORD);
    bool ok;
    if (rows && !srf_lookup(pgn_oid(node, "funcid")))
        ok = bind_rows_call(b, sc, node, function, out);
    else
        ok = set ? bind_set_call(b, sc, node, out) : bind_scalar_call(b, sc, node, out);
    if (!ok)
        return false;
    if (!out->expand && out->ncols == 1 && is_composite(out->cols[0].type) && !expand_call(b, out))
        return false;
    if ((int64_t)out->ncols != pgn_int(function, "funccolcount"))
        return err_soft(b->err, "a function in FROM that returns rows with dropped columns");
    return true;
}

static bool calls_refer_to(const struct logical *n, const struct logical *left)
{
    for (size_t i = 0; i < n->ncalls; i++)
        for (size_t k = 0; k < n->calls[i].nargs; k++)
            if (expr_refs_any(n->calls[i].args[k], left->cols, left->ncols))
                return true;
    return false;
}

struct logical *bind_range_function(struct binder *b, struct scope *sc, struct rte *rte,
                                    struct logical *left)
{
    const struct pgnode *functions = pgn_field(rte->node, "functions");
    const struct pgnode *colnames = pgn_field(pgn_field(rte->node, "eref"), "colnames");
    struct srf_call *calls = ARENA_ARRAY(b->arena, struct srf_call, functions->n);
    bool ordinality = pgn_bool(rte->node, "funcordinality");
    size_t ncols = ordinality;
    struct applies applies = {0};
    for (uint32_t i = 0; i < functions->n; i++) {
        sc->applies = &applies;
        bool ok = bind_range_call(b, sc, functions->items[i], &calls[i]);
        sc->applies = NULL;
        if (!ok)
            return NULL;
        ncols += calls[i].ncols;
    }
    const char **names = ARENA_ARRAY(b->arena, const char *, ncols);
    for (size_t i = 0; i < ncols && i < colnames->n; i++)
        names[i] = arena_strdup(b->arena, colnames->items[i]->text);
    struct logical *one = bind_applied(b, &applies, logical_new(b->arena, LOGICAL_ONE_ROW, 0));
    struct logical *n =
        logical_flatmap(b->arena, one, b->next_rel++, calls, functions->n, ordinality, names);
    rte->bound = true;
    /* Before them are those of subqueries in the arguments. */
    rte->cols = arena_memdup(b->arena, n->cols + one->ncols, ncols * sizeof *n->cols);
    rte->ncols = ncols;
    if (left && !applies.n && calls_refer_to(n, left))
        n = logical_flatmap(b->arena, left, n->rel, calls, functions->n, ordinality, names);
    return n;
}

/* ------------------------------------------------------------ select list */

struct srf_level {
    uint32_t rel;
    VEC(struct srf_call) calls;
    VEC(const struct pgnode *) nodes; /* of calls */
};

struct bind_srfs {
    VEC(struct srf_level) levels; /* innermost first */
    size_t depth;                 /* of the levels that the expression being bound has used */
};

struct bind_srfs *bind_srfs_begin(struct binder *b)
{
    return ARENA_NEW(b->scratch, struct bind_srfs);
}

static const struct expr *call_column(struct binder *b, const struct srf_level *l, size_t i)
{
    struct lcol c = {l->rel, (uint32_t)i + 1, l->calls.v[i].cols[0], ""};
    return lcol_expr(b->arena, &c);
}

static const struct expr *find_call(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct bind_srfs *s = sc->srfs;
    for (size_t k = 0; k < s->levels.n; k++)
        for (size_t i = 0; i < s->levels.v[k].nodes.n; i++)
            if (pgn_equal(s->levels.v[k].nodes.v[i], node, bind_resolve_alias, sc)) {
                s->depth = k + 1 > s->depth ? k + 1 : s->depth;
                return call_column(b, &s->levels.v[k], i);
            }
    return NULL;
}

const struct expr *bind_target_srf(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct bind_srfs *s = sc->srfs;
    struct srf_call call;
    const struct expr *found;
    if (!s) {
        bind_broken(b, "a set-returning function where there can be none");
        return NULL;
    }
    if ((found = find_call(b, sc, node)))
        return found;
    size_t outside = s->depth;
    s->depth = 0;
    if (!bind_set_call(b, sc, node, &call))
        return NULL;
    if (call.ncols != 1 || is_composite(call.cols[0].type)) {
        err_soft(b->err, "function %s, which returns rows, in the select list", call.name);
        return NULL;
    }
    size_t at = s->depth;
    if (at == s->levels.n) {
        struct srf_level fresh = {.rel = b->next_rel++};
        AVEC_PUSH(b->scratch, s->levels, fresh);
    }
    AVEC_PUSH(b->arena, s->levels.v[at].calls, call);
    AVEC_PUSH(b->scratch, s->levels.v[at].nodes, node);
    s->depth = at + 1 > outside ? at + 1 : outside;
    return call_column(b, &s->levels.v[at], s->levels.v[at].calls.n - 1);
}

struct logical *bind_srfs_end(struct binder *b, struct bind_srfs *s, struct logical *in,
                              struct logical_id *ordinals, size_t *nordinals)
{
    *nordinals = 0;
    for (size_t k = 0; k < s->levels.n; k++) {
        const struct srf_level *l = &s->levels.v[k];
        in = logical_flatmap(b->arena, in, l->rel, l->calls.v, l->calls.n, true, NULL);
        if (*nordinals < BIND_MAX_ORDINALS)
            ordinals[(*nordinals)++] = (struct logical_id){l->rel, in->cols[in->ncols - 1].no};
    }
    return in;
}
