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
    size_t ntelling; /* the first of them, whose columns are never NULL: they tell all rows apart */
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

/* A function as it is called in SQL. */
struct cat_call {
    const char *sql;  /* "schema"."name" */
    const char *name; /* without schema and quotes */
    char volatility;  /* pg_proc's i, s, v */
    bool is_builtin;  /* of initdb, in pg_catalog */
    bool may_execute; /* the daemon's role may */
    uint32_t cost;    /* pg_proc's, rounded */
    const char *mark; /* of a user's function: what its definition is now; else "" */
};

struct cat_operator {
    const char *sql; /* OPERATOR("schema".+) */
    uint32_t funcid;
};

/* A type as it is named in SQL, with its typmod. */
struct cat_type_name {
    const char *sql;
    const char
        *array; /* of it, without typmod; NULL: casts from text go through its input function */
    char io;    /* volatility of input and output, the worse one */
    bool is_collatable;
    bool is_pseudo;
};

/* The columns of the rows that a function returns by its OUT parameters, by type. */
struct cat_columns {
    const uint32_t *types;
    size_t n;
};

/* How SQL names things, for questions to Postgres: quoted, with their schema, the same in any session.
 * All return NULL with err. */
struct catalog_names {
    const struct cat_call *(*function)(void *ctx, uint32_t oid, struct err *err);
    const struct cat_operator *(*op)(void *ctx, uint32_t oid, struct err *err);
    const struct cat_type_name *(*type)(void *ctx, uint32_t oid, int32_t typmod, struct err *err);
    const char *(*collation)(void *ctx, uint32_t oid, struct err *err);
    /* Attribute number no of a composite type; of the record that a function returns by its OUT
     * parameters, if funcid isn't 0. */
    const char *(*field)(void *ctx, uint32_t type, uint32_t funcid, int no, struct err *err);
    const struct cat_columns *(*columns)(void *ctx, uint32_t funcid, struct err *err);
    /* The text form of a constant of the statement under analysis, given as the bytes of its Datum.
     * NULL, without err, where it isn't known. */
    const char *(*constant)(void *ctx, uint32_t type, const char *datum, size_t len);
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
    const struct catalog_names *names; /* NULL: nothing can be delegated */
};

#endif
