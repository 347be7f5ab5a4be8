/*
 * bind_leaf: the leaves of expressions: columns, constants, parameters; and types by OID.
 *
 * A column is found through the range table of its scope. A column of a join's own range-table entry
 * (USING, NATURAL) stands for an expression over the join's inputs and is bound as that. A parameter
 * is a constant: its value is part of what the plan is.
 */
#include "engine/sql/bind.h"

#include <string.h>

#include "engine/expr/delegate.h"
#include "engine/sql/bind_row.h"
#include "engine/sql/refuse.h"

bool bind_type(struct binder *b, uint32_t type, int32_t typmod, uint32_t collation,
               struct column_type *out)
{
    *out = (struct column_type){b->cat->type(b->cat->ctx, type, b->err), typmod, NULL};
    if (!out->type)
        return false;
    if (collation)
        out->collation = b->cat->collation(b->cat->ctx, collation, b->err);
    return !collation || out->collation;
}

const struct pgnode *bind_resolve_alias(void *scope, const struct pgnode *node)
{
    struct scope *sc = scope;
    for (int i = 0; i < PGNODE_MAX_DEPTH && pgn_is(node, "VAR"); i++) {
        int64_t varno = pgn_int(node, "varno"), attno = pgn_int(node, "varattno");
        if (pgn_int(node, "varlevelsup") || varno < 1 || varno > (int64_t)sc->nrtes)
            break;
        const struct pgnode *aliases = pgn_field(sc->rtes[varno - 1].node, "joinaliasvars");
        if (attno < 1 || attno > (int64_t)aliases->n)
            break;
        node = aliases->items[attno - 1];
    }
    return node;
}

/* The column as its own query has it. */
static struct pgnode *at_its_level(struct binder *b, const struct pgnode *node)
{
    struct pgnode *copy = arena_memdup(b->scratch, node, sizeof *node);
    struct pgnode *zero = ARENA_NEW(b->scratch, struct pgnode);
    *zero = (struct pgnode){.kind = PGN_ATOM, .len = 1, .text = "0"};
    copy->items = arena_memdup(b->scratch, node->items, node->n * sizeof(struct pgnode *));
    for (uint32_t i = 0; i < node->n; i++)
        if (strcmp(node->names[i], "varlevelsup") == 0)
            copy->items[i] = zero;
    return copy;
}

/* A column of an outer query: whatever it stands for there, above or below the grouping. */
static const struct expr *bind_outer_var(struct binder *b, struct scope *sc,
                                         const struct pgnode *node)
{
    int64_t up = pgn_int(node, "varlevelsup");
    while (up-- > 0 && sc)
        sc = sc->parent;
    if (sc)
        return bind_expr(b, sc, at_its_level(b, node));
    bind_broken(b, "a column of an outer query that isn't there");
    return NULL;
}

const struct expr *bind_var(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    int64_t attno = pgn_int(node, "varattno");
    const struct pgnode *resolved = bind_resolve_alias(sc, node);
    if (resolved != node)
        return bind_expr(b, sc, resolved);
    if (pgn_int(node, "varlevelsup") > 0)
        return bind_outer_var(b, sc, node);
    struct rte *rte = bind_find_rte(b, sc, pgn_int(node, "varno"));
    if (!rte)
        return NULL;
    if (attno == 0)
        return bind_whole_row(b, sc, rte, node);
    if (attno < 0) {
        refuse_system_column((int)attno, b->err);
        return NULL;
    }
    if (rte->bound && pgn_bool(rte->node, "self_reference") && attno <= (int64_t)rte->ncols &&
        !rte->cols[attno - 1].rel) {
        err_soft(b->err, "a column of SEARCH or CYCLE within the recursive part");
        return NULL;
    }
    if (!rte->bound || attno > (int64_t)rte->ncols || !rte->cols[attno - 1].rel) {
        bind_broken(b, "a column that isn't there");
        return NULL;
    }
    const struct lcol *c = &rte->cols[attno - 1];
    uint32_t collation = c->ct.collation ? c->ct.collation->oid : 0;
    if (pgn_int(rte->node, "rtekind") == 3 && pgn_oid(node, "varcollid") != collation) {
        err_soft(b->err, "a function in FROM with columns of other collations");
        return NULL;
    }
    return lcol_expr(b->arena, c);
}

/* Of a type that we can't read, Postgres may know the text; b->err says that it isn't read. */
static bool value_from_catalog(struct binder *b, uint32_t oid, const struct type *t,
                               const struct pgnode *datum, struct value *out)
{
    const struct catalog_names *names = b->cat->names;
    const char *text = NULL;
    if (b->err->soft && names)
        text = names->constant(b->cat->ctx, oid, datum->text, datum->len);
    if (!text)
        return false;
    err_clear(b->err);
    text = arena_strdup(b->arena, text);
    return value_parse(t, text, strlen(text), b->arena, out, b->err);
}

const struct expr *bind_const(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct column_type ct;
    struct value v = value_null();
    (void)sc;
    if (!bind_type(b, pgn_oid(node, "consttype"), (int32_t)pgn_int(node, "consttypmod"),
                   pgn_oid(node, "constcollid"), &ct))
        return NULL;
    if (!pgn_bool(node, "constisnull")) {
        const struct pgnode *datum = pgn_field(node, "constvalue");
        if (datum->kind != PGN_DATUM) {
            bind_broken(b, "a constant without a value");
            return NULL;
        }
        if (!value_from_datum(ct.type, (const uint8_t *)datum->text, datum->len,
                              pgn_bool(node, "constbyval"), b->arena, &v, b->err) &&
            !value_from_catalog(b, pgn_oid(node, "consttype"), ct.type, datum, &v))
            return NULL;
    }
    return expr_const(b->arena, v, ct);
}

const struct expr *bind_param(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    int64_t id = pgn_int(node, "paramid");
    struct column_type ct;
    if (pgn_int(node, "paramkind") == 2)
        return bind_sublink_param(b, sc, node);
    if (pgn_int(node, "paramkind") != 0 || id < 1 || id > (int64_t)b->in->nparams) {
        err_set(b->err, "42P02", "there is no parameter $%lld", (long long)id);
        return NULL;
    }
    const struct column_type *given = &b->in->param_types[id - 1];
    if (!bind_type(b, pgn_oid(node, "paramtype"), (int32_t)pgn_int(node, "paramtypmod"),
                   pgn_oid(node, "paramcollid"), &ct))
        return NULL;
    if (ct.type != given->type && ct.type->rep != given->type->rep) {
        bind_broken(b, "a parameter of another type");
        return NULL;
    }
    return expr_const(b->arena, value_dup(ct.type, b->in->params[id - 1], b->arena), ct);
}

/* ------------------------------------------------------------ constant expressions */

static bool has_columns_or_queries(const struct pgnode *node)
{
    if (pgn_is(node, "VAR") || pgn_is(node, "SUBLINK"))
        return true;
    for (uint32_t i = 0; i < node->n; i++)
        if (has_columns_or_queries(node->items[i]))
            return true;
    return false;
}

bool bind_constant(struct binder *b, const struct pgnode *node, const char *what,
                   struct column_type *ct, struct value *out)
{
    struct scope empty = {0};
    struct eval_ctx cx = {.arena = b->arena};
    struct err err;
    err_clear(&err);
    if (has_columns_or_queries(node))
        return err_soft(b->err, "%s with an expression that isn't constant", what);
    const struct expr *e = bind_expr(b, &empty, node);
    if (!e)
        return false;
    if (expr_is_delegated(e))
        return err_soft(b->err, "%s with a function that has no native version", what);
    *ct = e->ct;
    if (!expr_eval(e, &cx, out, &err)) {
        *b->err = err;
        return false;
    }
    return true;
}
