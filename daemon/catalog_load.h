/*
 * catalog_load: answers the engine's questions about tables, types, collations and functions from a
 * session's catalog, within the transaction that analyses a statement.
 *
 * Tables live in the loader's arena and die with it; types and collations are interned by the engine
 * and live for ever. Every relation that was looked at is remembered with whether it is a view, so
 * that the plan can be watched. Refusals that need the catalog are made here: no privilege (42501),
 * a partition that is a foreign table, no replica identity.
 */
#ifndef PALIMPSEST_DAEMON_CATALOG_LOAD_H
#define PALIMPSEST_DAEMON_CATALOG_LOAD_H

#include "daemon/pgconn.h"
#include "engine/base/vec.h"
#include "engine/plan/plan.h"
#include "engine/sql/catalog.h"
#include "engine/value/value.h"

/* The answer to one question of struct catalog_names. */
struct catalog_name {
    const void *kind; /* whose answer it is */
    uint32_t oid;
    int64_t more;
    const void *answer; /* in the loader's arena */
};

/* A constant whose text is known; both in the loader's arena. */
struct catalog_constant {
    uint32_t type;
    const char *datum;
    size_t len;
    const char *text;
};

struct catalog_load {
    struct pgconn *conn;     /* borrowed */
    const char *publication; /* borrowed: a table already in it needs no identity, see below */
    struct arena arena;
    VEC(struct cat_table *) tables;
    VEC(struct plan_view) views;            /* those inlined */
    VEC(struct plan_view) functions;        /* of users, that the plan asks for */
    VEC(struct catalog_constant) constants; /* see catalog_constants.c */
    size_t constants_views;                 /* views they were looked for in, + 1; 0 = not yet */
    VEC(struct catalog_name) names;         /* looked up so far; see catalog_names.c */
    struct catalog catalog;                 /* what the engine gets; ctx is this object */
};

void catalog_load_init(struct catalog_load *cl, struct pgconn *conn, const char *publication);
void catalog_load_fini(struct catalog_load *cl);

/* SQL for what a function of pg_proc p is, in a hash: another one after CREATE OR REPLACE. */
#define CATALOG_FUNCTION_MARK                                                                      \
    "pg_catalog.md5(pg_catalog.concat_ws('|', p.prosrc, p.probin, p.prosqlbody::pg_catalog.text, " \
    "p.proconfig, p.prolang, p.prorettype, p.proisstrict, p.provolatile, p.pronamespace, "         \
    "p.proname))"
/* The same for a view: class c in namespace n, with rule r. Under another name it is another. */
#define CATALOG_VIEW_MARK                                                                          \
    "pg_catalog.md5(pg_catalog.concat(r.ev_action, '|', n.nspname, '.', c.relname))"

/* Answers about names; in catalog_names.c. */
extern const struct catalog_names catalog_load_names;
/* Of struct catalog_names; in catalog_constants.c. */
const char *catalog_constant_text(void *ctx, uint32_t type, const char *datum, size_t len);

/* A type by OID over any session: domains are their base type. Interned. NULL with err. */
const struct type *catalog_load_type(struct pgconn *conn, uint32_t oid, struct err *err);
const struct collation *catalog_load_collation(struct pgconn *conn, uint32_t oid, struct err *err);

#endif
