/*
 * hydrate_int: what the files of the hydrator share: one table on its way from an OID to a store.
 *
 * A table fails by itself, with err and permanent in its hydrate_table; the others of the job go
 * on. Belongs to the hydrator's thread.
 */
#ifndef PALIMPSEST_DAEMON_HYDRATE_INT_H
#define PALIMPSEST_DAEMON_HYDRATE_INT_H

#include "daemon/pgconn.h"
#include "daemon/reader.h"

struct reading {
    struct hydrate_table *t; /* borrowed: the result goes there */
    char *name;              /* owned: schema.table, quoted; NULL until looked up */
    bool failed;             /* t->err says why */
};

/* Marks the table as failed by t->err; whether for good follows from its SQLSTATE. Returns false. */
bool reading_fail(struct reading *r);
/* The same with an error of our own that no retry can heal. */
bool reading_refuse(struct reading *r, const char *sqlstate, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* pgconn_exec() of a formatted statement. */
MUST_CHECK bool hydrate_exec(struct pgconn *c, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Which index of table c identifies its rows in the stream: the condition of a join with i. */
#define IDENTITY_INDEX                                                                             \
    "i.indrelid = c.oid AND i.indisvalid AND i.indisunique AND i.indimmediate "                    \
    "AND i.indpred IS NULL AND CASE c.relreplident WHEN 'd' THEN i.indisprimary "                  \
    "WHEN 'i' THEN i.indisreplident ELSE false END"

#define QUOTED_NAME "pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)"

/* The layout of what is needed of the table, as the open transaction sees it; NULL: it failed. */
struct leaf_layout *hydrate_layout(struct pgconn *c, struct reading *r);
/* Reads the locked table into t->store. False: it failed, and the transaction can't go on. */
MUST_CHECK bool hydrate_copy(struct pgconn *c, struct reading *r);

#endif
