/*
 * catalog_names: how SQL names what the catalog holds, for the questions that running plans ask of
 * Postgres. Each answer is remembered for the rest of the analysis.
 *
 * The session that a question goes to has an empty search path: names of pg_catalog are found there
 * without their schema, all others need it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/catalog_load.h"

static const void *remembered(const struct catalog_load *cl, const void *kind, uint32_t oid,
                              int64_t more)
{
    for (size_t i = 0; i < cl->names.n; i++) {
        const struct catalog_name *n = &cl->names.v[i];
        if (n->kind == kind && n->oid == oid && n->more == more)
            return n->answer;
    }
    return NULL;
}

static const void *remember(struct catalog_load *cl, const void *kind, uint32_t oid, int64_t more,
                            const void *answer)
{
    struct catalog_name n = {kind, oid, more, answer};
    if (answer)
        VEC_PUSH(cl->names, n);
    return answer;
}

static char *text_at(struct catalog_load *cl, const PGresult *res, int col)
{
    return PQgetisnull(res, 0, col) ? NULL : arena_strdup(&cl->arena, PQgetvalue(res, 0, col));
}

static bool flag_at(const PGresult *res, int col)
{
    return *PQgetvalue(res, 0, col) == 't';
}

/* One row, or NULL with err. */
static PGresult *one_row(PGresult *res, const char *what, uint32_t oid, struct err *err)
{
    if (!res || PQntuples(res) == 1)
        return res;
    PQclear(res);
    err_set(err, ERR_UNDEFINED_OBJECT, "%s with OID %u does not exist", what, oid);
    return NULL;
}

static const struct cat_call *name_function(void *ctx, uint32_t oid, struct err *err)
{
    static const char kind[] = "function";
    struct catalog_load *cl = ctx;
    const struct cat_call *known = remembered(cl, kind, oid, 0);
    if (known)
        return known;
    PGresult *res = one_row(
        pgconn_queryf(cl->conn, err,
                      "SELECT pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.\"', "
                      "pg_catalog.replace(p.proname, '\"', '\"\"'), '\"'), p.proname, "
                      "p.provolatile, p.oid < 16384 AND n.nspname = 'pg_catalog', "
                      "pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AND "
                      "pg_catalog.has_schema_privilege(n.oid, 'USAGE'), "
                      "pg_catalog.round(p.procost::numeric), CASE WHEN p.oid >= 16384 "
                      "THEN " CATALOG_FUNCTION_MARK " END FROM pg_catalog.pg_proc p "
                      "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = %u",
                      oid),
        kind, oid, err);
    if (!res)
        return NULL;
    struct cat_call *f = ARENA_NEW(&cl->arena, struct cat_call);
    f->sql = text_at(cl, res, 0);
    f->name = text_at(cl, res, 1);
    f->volatility = *PQgetvalue(res, 0, 2);
    f->is_builtin = flag_at(res, 3);
    f->may_execute = flag_at(res, 4);
    f->cost = (uint32_t)strtoul(PQgetvalue(res, 0, 5), NULL, 10);
    f->mark = text_at(cl, res, 6);
    if (f->mark) {
        struct plan_view v = {.oid = oid};
        snprintf(v.mark, sizeof v.mark, "%s", f->mark);
        VEC_PUSH(cl->functions, v);
    } else {
        f->mark = "";
    }
    PQclear(res);
    return remember(cl, kind, oid, 0, f);
}

static const struct cat_operator *name_operator(void *ctx, uint32_t oid, struct err *err)
{
    static const char kind[] = "operator";
    struct catalog_load *cl = ctx;
    const struct cat_operator *known = remembered(cl, kind, oid, 0);
    if (known)
        return known;
    PGresult *res = one_row(
        pgconn_queryf(cl->conn, err,
                      "SELECT pg_catalog.concat('OPERATOR(', pg_catalog.quote_ident(n.nspname), "
                      "'.', o.oprname, ')'), o.oprcode::oid FROM pg_catalog.pg_operator o JOIN "
                      "pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = %u",
                      oid),
        kind, oid, err);
    if (!res)
        return NULL;
    struct cat_operator *op = ARENA_NEW(&cl->arena, struct cat_operator);
    op->sql = text_at(cl, res, 0);
    op->funcid = (uint32_t)strtoul(PQgetvalue(res, 0, 1), NULL, 10);
    PQclear(res);
    return remember(cl, kind, oid, 0, op);
}

/* A type of pg_catalog as format_type() prints it; others by schema and name, with what format_type()
 * adds for the typmod. Casts from text that are functions are not input functions. */
static PGresult *ask_type_name(struct catalog_load *cl, uint32_t oid, int32_t typmod,
                               struct err *err)
{
    return pgconn_queryf(
        cl->conn, err,
        "SELECT CASE WHEN n.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, %d) ELSE "
        "pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', "
        "pg_catalog.quote_ident(t.typname), CASE WHEN t.typelem = 0 THEN pg_catalog.substr("
        "pg_catalog.format_type(t.oid, %d), pg_catalog.length(pg_catalog.format_type(t.oid, -1)) + "
        "1) END) END, CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_cast c WHERE c.castsource = 25 "
        "AND c.casttarget = t.oid AND c.castmethod = 'f') THEN CASE WHEN n.nspname = 'pg_catalog' "
        "THEN pg_catalog.format_type(t.oid, -1) ELSE pg_catalog.concat("
        "pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(t.typname)) END || '[]' "
        "END, CASE WHEN 'v' IN (i.provolatile, o.provolatile) THEN 'v' WHEN 's' IN "
        "(i.provolatile, o.provolatile) AND n.nspname <> 'pg_catalog' AND t.typtype = 'b' AND "
        "t.typelem = 0 THEN 's' ELSE 'i' END, t.typcollation <> 0, t.typtype = 'p' "
        "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace "
        "JOIN pg_catalog.pg_proc i ON i.oid = t.typinput "
        "JOIN pg_catalog.pg_proc o ON o.oid = t.typoutput WHERE t.oid = %u",
        typmod, typmod, oid);
}

static const struct cat_type_name *name_type(void *ctx, uint32_t oid, int32_t typmod,
                                             struct err *err)
{
    static const char kind[] = "type";
    struct catalog_load *cl = ctx;
    const struct cat_type_name *known = remembered(cl, kind, oid, typmod);
    if (known)
        return known;
    PGresult *res = one_row(ask_type_name(cl, oid, typmod, err), kind, oid, err);
    if (!res)
        return NULL;
    struct cat_type_name *t = ARENA_NEW(&cl->arena, struct cat_type_name);
    t->sql = text_at(cl, res, 0);
    t->array = text_at(cl, res, 1);
    t->io = *PQgetvalue(res, 0, 2);
    t->is_collatable = flag_at(res, 3);
    t->is_pseudo = flag_at(res, 4);
    PQclear(res);
    return remember(cl, kind, oid, typmod, t);
}

static const char *name_collation(void *ctx, uint32_t oid, struct err *err)
{
    static const char kind[] = "collation";
    struct catalog_load *cl = ctx;
    const char *known = remembered(cl, kind, oid, 0);
    if (known)
        return known;
    PGresult *res =
        one_row(pgconn_queryf(cl->conn, err,
                              "SELECT pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.\"', "
                              "pg_catalog.replace(c.collname, '\"', '\"\"'), '\"') FROM "
                              "pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n "
                              "ON n.oid = c.collnamespace WHERE c.oid = %u",
                              oid),
                kind, oid, err);
    const char *sql = res ? text_at(cl, res, 0) : NULL;
    PQclear(res);
    return remember(cl, kind, oid, 0, sql);
}

static const char *name_field(void *ctx, uint32_t type, uint32_t funcid, int no, struct err *err)
{
    static const char kind[] = "field";
    struct catalog_load *cl = ctx;
    uint32_t oid = funcid ? funcid : type;
    const char *known = remembered(cl, kind, oid, no);
    PGresult *res;
    if (known)
        return known;
    if (funcid)
        res = pgconn_queryf(cl->conn, err,
                            "SELECT pg_catalog.quote_ident(a.name) FROM pg_catalog.pg_proc p, "
                            "LATERAL (SELECT u.name, pg_catalog.row_number() OVER (ORDER BY u.o) "
                            "AS no FROM unnest(p.proargnames, p.proargmodes) WITH "
                            "ORDINALITY AS u(name, mode, o) WHERE u.mode IN ('o', 'b', 't')) a "
                            "WHERE p.oid = %u AND a.no = %d AND a.name <> ''",
                            funcid, no);
    else
        res = pgconn_queryf(cl->conn, err,
                            "SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_type t "
                            "JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid "
                            "WHERE t.oid = %u AND a.attnum = %d AND NOT a.attisdropped",
                            type, no);
    res = one_row(res, kind, oid, err);
    const char *sql = res ? text_at(cl, res, 0) : NULL;
    PQclear(res);
    return remember(cl, kind, oid, no, sql);
}

static const struct cat_columns *name_columns(void *ctx, uint32_t funcid, struct err *err)
{
    static const char kind[] = "columns";
    struct catalog_load *cl = ctx;
    const struct cat_columns *known = remembered(cl, kind, funcid, 0);
    if (known)
        return known;
    PGresult *res = pgconn_queryf(
        cl->conn, err,
        "SELECT u.type FROM pg_catalog.pg_proc p, unnest(p.proallargtypes, p.proargmodes) WITH "
        "ORDINALITY AS u(type, mode, o) WHERE p.oid = %u AND u.mode IN ('o', 'b', 't') ORDER BY "
        "u.o",
        funcid);
    if (!res)
        return NULL;
    struct cat_columns *c = ARENA_NEW(&cl->arena, struct cat_columns);
    c->n = (size_t)PQntuples(res);
    uint32_t *types = ARENA_ARRAY(&cl->arena, uint32_t, c->n);
    for (size_t i = 0; i < c->n; i++)
        types[i] = (uint32_t)strtoul(PQgetvalue(res, (int)i, 0), NULL, 10);
    c->types = types;
    PQclear(res);
    return remember(cl, kind, funcid, 0, c);
}

const struct catalog_names catalog_load_names = {.function = name_function,
                                                 .op = name_operator,
                                                 .type = name_type,
                                                 .collation = name_collation,
                                                 .field = name_field,
                                                 .columns = name_columns,
                                                 .constant = catalog_constant_text};
