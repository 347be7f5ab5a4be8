/*
 * catalog: what the SQL front end asks of the database while it binds a statement.
 *
 * The engine does no I/O: it calls through this table of functions. The daemon answers from its
 * catalog session, tests from fixtures. Everything returned stays valid until the statement is
 * bound (types and collations for ever, see type.h). A failed look-up fills in err.
 */
#ifndef PALIMPSEST_SQL_CATALOG_H
#define PALIMPSEST_SQL_CATALOG_H

#include "engine/value/type.h"
#include "engine/base/err.h"

struct cat_column {
    const char *name;
    int16_t attnum; /* 1-based; dropped columns are in the list, so that attnum - 1 is the index */
    bool dropped;
    bool generated; /* stored generated: not in the replication stream before Postgres 18 */
    struct column_type ct;
};

struct cat_table {
    uint32_t oid;
    const char *schema, *name;
    char relkind;      /* pg_class.relkind: r, p, v, m, f… */
    char persistence;  /* pg_class.relpersistence: p, u, t */
    char replident;    /* pg_class.relreplident: d, n, f, i */
    bool is_catalog;   /* in pg_catalog or information_schema */
    bool row_security; /* policies apply to the daemon's role */
    const struct cat_column *cols;
    size_t ncols;
    /* Sets of columns that are unique among the table's rows, as bits by attnum - 1; those with
     * columns beyond 64 are left out. Only to choose by: they may be dropped at any time. */
    const uint64_t *unique;
    size_t nunique;
    /* The ordinary tables whose rows these are: itself, or the leaves of a partitioned table, or the
     * table and its inheritance children. Sorted by OID. */
    const uint32_t *leaves;
    size_t nleaves;
    const uint32_t *leaves_only; /* FROM ONLY: itself alone; empty for a partitioned table */
    size_t nleaves_only;
    const char *view_tree; /* relkind v: pg_rewrite.ev_action of its _RETURN rule */
};

struct cat_function {
    const char *signature; /* "public.f(integer)" */
    const char *name;      /* proname */
    char volatility;       /* i, s, v; of an aggregate: of all its parts */
    bool builtin;          /* made by initdb */
    bool in_c;
    const char *extension; /* it belongs to, or NULL */
};

struct catalog {
    void *ctx;
    const struct cat_table *(*table)(void *ctx, uint32_t oid, struct err *err);
    const struct type *(*type)(void *ctx, uint32_t oid, struct err *err);
    const struct collation *(*collation)(void *ctx, uint32_t oid, struct err *err);
    /* Name for messages ("lower(text)", "generate_series"); never NULL. volatility: pg_proc's i, s, v. */
    const char *(*function_name)(void *ctx, uint32_t oid, char *volatility);
    bool (*function)(void *ctx, uint32_t oid, struct cat_function *out, struct err *err);
    /* Whether an operator that sorts is a ">". */
    bool (*sorts_descending)(void *ctx, uint32_t operator);
    /* What ARRAY(SELECT x) is for an x of this type: its array type, or itself if it is an array. */
    const struct type *(*array_type)(void *ctx, uint32_t oid, struct err *err);
};

#endif
