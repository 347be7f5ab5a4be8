/*
 * pgconn: an ordinary session of Postgres, with settings that can't change under our feet.
 *
 * Everything that shapes the text of a value is pinned through startup options, so it survives a
 * reload of the server's configuration and the role's own settings (the replication session in
 * walsender_open.c pins the same). The search path is left to the role: it is the user's statement
 * that is analysed; our own queries name pg_catalog.
 *
 * A session belongs to one thread, which may block in it; pgconn_interrupt() from another thread
 * ends what it waits for, at shutdown. Commits are waited for only locally, so a synchronous
 * standby that is away can't hold us up.
 */
#ifndef PALIMPSEST_DAEMON_PGCONN_H
#define PALIMPSEST_DAEMON_PGCONN_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdint.h>

#include "engine/base/err.h"

struct config;

struct pgconn {
    PGconn *conn;         /* owned; NULL while not connected */
    const char *purpose;  /* in application_name: "palimpsestd <purpose>"; static */
    pthread_mutex_t lock; /* over conn being set and unset, for the interrupter */
    bool interrupted;     /* under lock: don't connect any more */
    int64_t retry_at;     /* ms of the monotonic clock: no attempt before */
    int64_t pause;        /* ms after the last failed attempt */
    struct err last;      /* why there is no connection */
};

void pgconn_init(struct pgconn *c, const char *purpose);
void pgconn_fini(struct pgconn *c);
/* Connects unless connected; fails at once with the last error while it is too early for another
 * attempt (postgres.reconnect_min, doubled up to reconnect_max). 57P03, or the server's own code. */
MUST_CHECK bool pgconn_ensure(struct pgconn *c, const struct config *cfg, struct err *err);
void pgconn_close(struct pgconn *c);
/* Any thread: makes whatever the session is waiting for fail, now and in future. */
void pgconn_interrupt(struct pgconn *c);

/*
 * One statement by the extended protocol, text in and out. NULL with err on failure: Postgres's
 * SQLSTATE, message, position, hint and detail; when the connection is lost it is closed and the
 * error is 57P03. types may be NULL; values[i] NULL is SQL NULL.
 */
PGresult *pgconn_query(struct pgconn *c, const char *sql, const Oid *types,
                       const char *const *values, int nvalues, struct err *err);
PGresult *pgconn_queryf(struct pgconn *c, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for statements whose result doesn't matter. */
MUST_CHECK bool pgconn_run(struct pgconn *c, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* ROLLBACK, whatever the state; closes the connection if even that fails. */
void pgconn_rollback(struct pgconn *c);
/* Fills err from a failed result (which may be NULL: the connection is gone). Returns false. */
bool pgconn_error(struct pgconn *c, const PGresult *res, struct err *err);

/* "{1,2,3}" for a parameter of type oid[]; malloc'd. */
char *pgconn_oid_array(const uint32_t *oids, size_t n);

#endif
