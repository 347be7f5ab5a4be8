/*
 * catalog_load: see catalog_load.h. Tables and functions; types and collations are in
 * catalog_types.c.
 */
#include "daemon/catalog_load.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

/* Objects of initdb have smaller OIDs (FirstNormalObjectId in access/transam.h). */
#define FIRST_NORMAL_OID 16384

static char *dup_value(struct catalog_load *cl, const PGresult *res, int row, int col)
{
    return arena_strdup(&cl->arena, PQgetvalue(res, row, col));
}

static bool is_true(const PGresult *res, int row, int col)
{
    return PQgetvalue(res, row, col)[0] == 't';
}

static uint32_t oid_value(const PGresult *res, int row, int col)
{
    return (uint32_t)strtoul(PQgetvalue(res, row, col), NULL, 10);
}

static bool load_class(struct catalog_load *cl, struct cat_table *t, struct err *err)
{
    static const char sql[] =
        "SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, "
        "n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast'), "
        "pg_catalog.row_security_active(c.oid), "
        "pg_catalog.has_table_privilege(c.oid, 'SELECT') "
        "OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT') "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = $1";
    PGresult *res = pgconn_query_about(cl->conn, sql, t->oid, err);
    if (!res)
        return false;
    bool found = PQntuples(res) == 1, allowed = found && is_true(res, 0, 7);
    if (found) {
        t->schema = dup_value(cl, res, 0, 0);
        t->name = dup_value(cl, res, 0, 1);
        t->relkind = *PQgetvalue(res, 0, 2);
        t->persistence = *PQgetvalue(res, 0, 3);
        t->replident = *PQgetvalue(res, 0, 4);
        t->is_catalog = is_true(res, 0, 5) && t->oid < FIRST_NORMAL_OID;
        t->row_security = is_true(res, 0, 6);
    }
    PQclear(res);
    if (!found)
        return err_set(err, "42P01", "relation with OID %u does not exist", t->oid);
    if (!allowed)
        return err_set(err, "42501", "permission denied for %s %s",
                       t->relkind == 'v' ? "view" : "table", t->name);
    return true;
}

/* The columns of unique indexes, "1 2,3?": those that may hold NULLs are marked, and come last. */
static void read_unique(struct catalog_load *cl, struct cat_table *t, const char *text)
{
    size_t n = *text != '\0';
    for (const char *p = text; *p; p++)
        n += *p == ',';
    uint64_t *sets = ARENA_ARRAY(&cl->arena, uint64_t, n);
    t->unique = sets;
    while (*text) {
        uint64_t set = 0;
        bool fits = true;
        for (; *text && *text != ',' && *text != '?'; text += *text == ' ') {
            long attno = strtol(text, (char **)&text, 10);
            fits &= attno >= 1 && attno <= 64;
            set |= fits ? (uint64_t)1 << (attno - 1) : 0;
        }
        bool nullable = *text == '?';
        text += nullable;
        if (fits)
            sets[t->nunique++] = set;
        t->ntelling += fits && !nullable;
        text += *text == ',';
    }
}

static bool load_columns(struct catalog_load *cl, struct cat_table *t, struct err *err)
{
    static const char sql[] = "SELECT attname, attnum, attisdropped, attgenerated <> '', "
                              "atttypid, atttypmod, attcollation, (SELECT "
                              "string_agg(x.indkey::text || CASE WHEN k.n THEN '?' ELSE '' "
                              "END, ',' ORDER BY k.n) FROM pg_catalog.pg_index x, "
                              "LATERAL (SELECT NOT bool_and(a.attnotnull) AS n "
                              "FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.indrelid "
                              "AND a.attnum = ANY (x.indkey)) k WHERE x.indrelid = attrelid "
                              "AND x.indisunique AND x.indisvalid "
                              "AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL "
                              "AND x.indnkeyatts = x.indnatts) FROM pg_catalog.pg_attribute "
                              "WHERE attrelid = $1 AND attnum > 0 ORDER BY attnum";
    PGresult *res = pgconn_query_about(cl->conn, sql, t->oid, err);
    if (!res)
        return false;
    bool ok = true;
    t->ncols = (size_t)PQntuples(res);
    if (t->ncols)
        read_unique(cl, t, PQgetvalue(res, 0, 7));
    struct cat_column *cols = ARENA_ARRAY(&cl->arena, struct cat_column, t->ncols);
    t->cols = cols;
    for (size_t i = 0; ok && i < t->ncols; i++) {
        int r = (int)i;
        cols[i].name = dup_value(cl, res, r, 0);
        cols[i].attnum = (int16_t)atoi(PQgetvalue(res, r, 1));
        cols[i].dropped = is_true(res, r, 2);
        cols[i].generated = is_true(res, r, 3);
        cols[i].ct.typmod = atoi(PQgetvalue(res, r, 5));
        uint32_t collation = oid_value(res, r, 6);
        if (cols[i].dropped)
            continue;
        cols[i].ct.type = catalog_load_type(cl->conn, oid_value(res, r, 4), err);
        if (cols[i].ct.type && collation)
            cols[i].ct.collation = catalog_load_collation(cl->conn, collation, err);
        ok = cols[i].ct.type && (!collation || cols[i].ct.collation);
    }
    PQclear(res);
    return ok;
}

/* What is wrong with a leaf, as an error; true if nothing is. Columns of the query in load_leaves. */
static bool check_leaf(const struct catalog_load *cl, const struct cat_table *t,
                       const PGresult *res, int r, struct err *err)
{
    const char *name = PQgetvalue(res, r, 1);
    char kind = *PQgetvalue(res, r, 2), persistence = *PQgetvalue(res, r, 3);
    if (kind == 'f')
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                       "foreign table %s, a part of %s, can't be kept live", name, t->name);
    if (persistence != 'p')
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                       "%s table %s, a part of %s, can't be kept live: its changes are not in the "
                       "WAL",
                       persistence == 'u' ? "unlogged" : "temporary", name, t->name);
    /* Of the table itself, not of a column: LOCK TABLE wants no less. */
    if (!is_true(res, r, 5)) {
        err_set(err, "42501", "permission denied for table %s", name);
        return err_hint(err, "GRANT SELECT ON %s TO %s;", name, PQuser(cl->conn->pg));
    }
    if (is_true(res, r, 4))
        return true;
    err_set(
        err, ERR_FEATURE_NOT_SUPPORTED,
        "table %s has no replica identity (no primary key): publishing it would make its UPDATEs "
        "and DELETEs fail",
        name);
    return err_hint(err, "Run: ALTER TABLE %s REPLICA IDENTITY FULL;", name);
}

/*
 * The table itself or what is below it. A table without identity that is published already can only
 * be inserted into (Postgres refuses its updates), so its rows are never changed behind our back.
 */
static bool load_leaves(struct catalog_load *cl, struct cat_table *t, struct err *err)
{
    static const char sql[] =
        "WITH RECURSIVE t(oid) AS (VALUES ($2::oid) UNION SELECT i.inhrelid "
        "FROM pg_catalog.pg_inherits i JOIN t ON i.inhparent = t.oid "
        "WHERE NOT COALESCE((pg_catalog.to_jsonb(i) ->> 'inhdetachpending')::bool, false)) "
        "SELECT t.oid, t.oid::regclass, c.relkind, c.relpersistence, "
        "c.relreplident = 'f' OR EXISTS (SELECT 1 FROM pg_catalog.pg_index x "
        "WHERE x.indrelid = c.oid AND x.indisvalid AND (CASE c.relreplident WHEN 'd' THEN "
        "x.indisprimary AND x.indimmediate WHEN 'i' THEN x.indisreplident ELSE false END)) "
        "OR EXISTS (SELECT 1 FROM pg_catalog.pg_publication p, "
        "pg_catalog.pg_get_publication_tables(p.pubname::text) g "
        "WHERE p.pubname = $1 AND g.relid = t.oid), "
        "pg_catalog.has_table_privilege(c.oid, 'SELECT') "
        "FROM t JOIN pg_catalog.pg_class c ON c.oid = t.oid WHERE c.relkind <> 'p' "
        "ORDER BY 1";
    char oid[16];
    const char *const values[] = {cl->publication, oid};
    snprintf(oid, sizeof oid, "%u", t->oid);
    PGresult *res = pgconn_query_kept(cl->conn, sql, 2, values, err);
    if (!res)
        return false;
    bool ok = true;
    uint32_t *leaves = ARENA_ARRAY(&cl->arena, uint32_t, PQntuples(res));
    for (int r = 0; ok && r < PQntuples(res); r++) {
        ok = check_leaf(cl, t, res, r, err);
        leaves[t->nleaves++] = oid_value(res, r, 0);
    }
    PQclear(res);
    t->leaves = leaves;
    if (t->relkind == 'r') {
        t->leaves_only = ARENA_NEW(&cl->arena, uint32_t);
        *(uint32_t *)(uintptr_t)t->leaves_only = t->oid;
        t->nleaves_only = 1;
    }
    return ok;
}

static bool load_view(struct catalog_load *cl, struct cat_table *t, struct err *err)
{
    PGresult *res = pgconn_queryf(cl->conn, err,
                                  "SELECT r.ev_action, " CATALOG_VIEW_MARK " FROM "
                                  "pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON "
                                  "c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON "
                                  "n.oid = c.relnamespace "
                                  "WHERE r.ev_class = %u AND r.rulename = '_RETURN'",
                                  t->oid);
    if (!res)
        return false;
    bool found = PQntuples(res) == 1;
    if (found) {
        struct plan_view v = {.oid = t->oid};
        t->view_tree = dup_value(cl, res, 0, 0);
        snprintf(v.mark, sizeof v.mark, "%s", PQgetvalue(res, 0, 1));
        VEC_PUSH(cl->views, v);
    }
    PQclear(res);
    return found || err_set(err, "42P01", "view %s has no definition", t->name);
}

static bool load_table(struct catalog_load *cl, struct cat_table *t, struct err *err)
{
    if (!load_class(cl, t, err))
        return false;
    if (t->relkind == 'v')
        return load_columns(cl, t, err) && (t->is_catalog || load_view(cl, t, err));
    /* What can't be kept live anyway is refused by the engine, which knows how to say so. */
    bool ordinary = (t->relkind == 'r' || t->relkind == 'p') && t->persistence == 'p' &&
                    !t->is_catalog && !t->row_security;
    return load_columns(cl, t, err) && (!ordinary || load_leaves(cl, t, err));
}

static const struct cat_table *find_table(void *ctx, uint32_t oid, struct err *err)
{
    struct catalog_load *cl = ctx;
    for (size_t i = 0; i < cl->tables.n; i++)
        if (cl->tables.v[i]->oid == oid)
            return cl->tables.v[i];
    struct cat_table *t = ARENA_NEW(&cl->arena, struct cat_table);
    t->oid = oid;
    if (!load_table(cl, t, err))
        return NULL;
    VEC_PUSH(cl->tables, t);
    return t;
}

static const struct type *find_type(void *ctx, uint32_t oid, struct err *err)
{
    struct catalog_load *cl = ctx;
    return catalog_load_type(cl->conn, oid, err);
}

static const struct collation *find_collation(void *ctx, uint32_t oid, struct err *err)
{
    struct catalog_load *cl = ctx;
    return catalog_load_collation(cl->conn, oid, err);
}

static const char *function_name(void *ctx, uint32_t oid, char *volatility)
{
    struct catalog_load *cl = ctx;
    struct err ignored;
    const char *name = "unknown function";
    PGresult *res = pgconn_queryf(cl->conn, &ignored,
                                  "SELECT oid::regprocedure, provolatile FROM pg_catalog.pg_proc "
                                  "WHERE oid = %u",
                                  oid);
    *volatility = 'v';
    if (res && PQntuples(res) == 1) {
        name = dup_value(cl, res, 0, 0);
        *volatility = *PQgetvalue(res, 0, 1);
    }
    PQclear(res);
    return name;
}

/* An aggregate is declared immutable whatever its functions are. */
static bool find_function(void *ctx, uint32_t oid, struct cat_function *out, struct err *err)
{
    struct catalog_load *cl = ctx;
    PGresult *res = pgconn_queryf(
        cl->conn, err,
        "SELECT p.oid::regprocedure, p.proname, GREATEST(p.provolatile::text, CASE WHEN p.oid >= "
        "%d THEN "
        "(SELECT max(f.provolatile::text) FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc f "
        "ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, "
        "a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn) WHERE a.aggfnoid = p.oid) END), "
        "l.lanname IN ('c', 'internal'), e.extname FROM pg_catalog.pg_proc p "
        "JOIN pg_catalog.pg_language l ON l.oid = p.prolang "
        "LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::regclass "
        "AND d.objid = p.oid AND d.deptype = 'e' "
        "AND d.refclassid = 'pg_catalog.pg_extension'::regclass "
        "LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE p.oid = %u",
        FIRST_NORMAL_OID, oid);
    if (!res)
        return false;
    bool found = PQntuples(res) == 1;
    if (found)
        *out = (struct cat_function){.signature = dup_value(cl, res, 0, 0),
                                     .name = dup_value(cl, res, 0, 1),
                                     .volatility = *PQgetvalue(res, 0, 2),
                                     .builtin = oid < FIRST_NORMAL_OID,
                                     .in_c = is_true(res, 0, 3),
                                     .extension =
                                         PQgetisnull(res, 0, 4) ? NULL : dup_value(cl, res, 0, 4)};
    PQclear(res);
    return found || err_set(err, "42883", "function with OID %u does not exist", oid);
}

static bool sorts_descending(void *ctx, uint32_t operator)
{
    struct catalog_load *cl = ctx;
    struct err ignored;
    PGresult *res = pgconn_queryf(cl->conn, &ignored,
                                  "SELECT FROM pg_catalog.pg_amop WHERE amopopr = %u AND "
                                  "amopmethod = 403 AND amopstrategy = 5 LIMIT 1",
                                  operator);
    bool descending = res && PQntuples(res) == 1;
    PQclear(res);
    return descending;
}

static const struct type *array_type(void *ctx, uint32_t oid, struct err *err)
{
    struct catalog_load *cl = ctx;
    PGresult *res = pgconn_queryf(cl->conn, err,
                                  "SELECT CASE WHEN typarray <> 0 THEN typarray ELSE oid END "
                                  "FROM pg_catalog.pg_type WHERE oid = %u",
                                  oid);
    if (!res)
        return NULL;
    uint32_t array = 0;
    if (PQntuples(res) == 1)
        array = (uint32_t)strtoul(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    return find_type(cl, array, err);
}

void catalog_load_init(struct catalog_load *cl, struct pgconn *conn, const char *publication)
{
    memset(cl, 0, sizeof *cl);
    cl->conn = conn;
    cl->publication = publication;
    arena_init(&cl->arena);
    cl->catalog = (struct catalog){.ctx = cl,
                                   .table = find_table,
                                   .type = find_type,
                                   .collation = find_collation,
                                   .function_name = function_name,
                                   .function = find_function,
                                   .sorts_descending = sorts_descending,
                                   .array_type = array_type,
                                   .names = &catalog_load_names};
}

void catalog_load_fini(struct catalog_load *cl)
{
    VEC_FREE(cl->tables);
    VEC_FREE(cl->views);
    VEC_FREE(cl->functions);
    VEC_FREE(cl->names);
    VEC_FREE(cl->constants);
    arena_fini(&cl->arena);
}
