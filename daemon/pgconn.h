/*
 * pgconn: an ordinary session of Postgres for one thread: connecting, reconnecting, statements.
 *
 * Every session is the same wherever it is opened and whatever the role, the database or a reload
 * of the server's configuration say: the settings that values are printed by are pinned by startup
 * options. Only the search path is the role's own where it has a meaning: the analyst reads users'
 * statements under it, and it decides how the name of a table is printed when one is a value. All other statements of the daemon name pg_catalog throughout.
 *
 * Nothing here blocks for ever: every wait looks at the thread's struct pgstop too, and has a deadline
 * of our own, somewhat after the one that Postgres was given; a server or a network that has gone
 * silent in the middle of an answer ends the session. A lost session is
 * opened again when it is next asked for, not more often than the backoff allows; in between every
 * call fails at once with 57P03 and the reason.
 *
 *      pgconn_open()  CLOSED ──▶ checked and pinned: OPEN ──any failure of the session──▶ CLOSED
 *                        └── too early after a failure: 57P03
 *
 * A pgconn belongs to one thread.
 */
#ifndef PALIMPSEST_DAEMON_PGCONN_H
#define PALIMPSEST_DAEMON_PGCONN_H

#include <libpq-fe.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/vec.h"

/* Tells a thread's sessions to give up. Made before the thread starts, freed after it has ended. */
struct pgstop {
    int efd; /* readable from pgstop_trigger() on */
};

void pgstop_init(struct pgstop *s);
void pgstop_fini(struct pgstop *s);
void pgstop_trigger(struct pgstop *s); /* any thread */
bool pgstop_is_triggered(const struct pgstop *s);

#define PGCONN_STREAM_NAME "palimpsestd replication" /* as application_name */

enum pgconn_purpose {
    PGCONN_CATALOG,  /* analysis of statements: the role's search path, statement_timeout */
    PGCONN_SNAPSHOT, /* reading tables and publishing them: no statement_timeout */
    PGCONN_RERUN,    /* users' statements, by qualified names */
    PGCONN_WATCH,    /* small queries */
    PGCONN_DELEGATE, /* questions of running plans: read only, statement_timeout */
    PGCONN_STREAM    /* replication; opened and used by walsender.h, not as a struct pgconn */
};

struct config;

/* Starts connecting, as PQconnectStartParams(), with everything pinned that this file is about.
 * failures: attempts that have failed so far; where there are several hosts, it begins with another
 * one after each. */
PGconn *pgconn_start(enum pgconn_purpose purpose, const struct config *cfg, unsigned failures);

struct pgconn {
    enum pgconn_purpose purpose;
    const struct pgstop *stop; /* borrowed */
    PGconn *pg;                /* NULL while closed */
    char *row;                 /* owned: what pgconn_copy_row() gave last */
    PGresult *result;          /* owned: what pgconn_rows_next() gave last */
    uint64_t retry_at, pause;  /* ms: not before; how long after the next failure */
    unsigned failures;         /* failed attempts to connect, ever */
    uint64_t deadline;         /* ms: of the answer being waited for; 0 = none */
    unsigned patience;         /* doublings of how long the rows of a table may keep us waiting */
    struct err last;           /* why it is closed */
    int server_version;        /* as PQserverVersion(), of the open session */
    uint64_t sessions;      /* opened so far: a new number means nothing is left of the old one */
    VEC(const char *) kept; /* prepared in the session that had this number: */
    uint64_t kept_session;
    uint64_t server;   /* pgconn_renew() calls seen when it was opened */
    uint64_t prepared; /* fingerprint's: in which of the sessions its statement is prepared */
};

void pgconn_init(struct pgconn *c, enum pgconn_purpose purpose, const struct pgstop *stop);
void pgconn_close(struct pgconn *c);

/* Opens the session if it is closed and an attempt is due. False: 57P03 (or what the server said of
 * the session), 57P01 once stopped. */
MUST_CHECK bool pgconn_open(struct pgconn *c, struct err *err);
/* The stream comes from another server than before. A session with the old one may live on, were it
 * only demoted or cut off; every pgconn_open() outside a transaction leaves it. Any thread. */
void pgconn_renew(void);
/* It is open, and was opened since the last pgconn_renew(). */
bool pgconn_is_renewed(const struct pgconn *c);
/* Milliseconds until pgconn_open() would try again; 0 = it is open or would try now. */
uint64_t pgconn_retry_in(const struct pgconn *c);

/*
 * One statement with text parameters through the extended protocol. NULL with Postgres's own error
 * if it fails; a lost session is closed and is 57P03. types may be NULL.
 */
PGresult *pgconn_query(struct pgconn *c, const char *sql, size_t nparams, const uint32_t *types,
                       const char *const *params, struct err *err);
/* The same for a question that is asked again and again: it is prepared when it is asked first. sql is
 * known by its address, which stays what it is. The other one has an OID as its parameter. */
PGresult *pgconn_query_kept(struct pgconn *c, const char *sql, size_t nparams,
                            const char *const *params, struct err *err);
PGresult *pgconn_query_about(struct pgconn *c, const char *sql, uint32_t oid, struct err *err);
/* Opens the session if need be and runs a statement that may be run twice: when a session that was
 * thought open turns out to have ended, on a new one. */
PGresult *pgconn_query_fresh(struct pgconn *c, const char *sql, struct err *err);
/* pgconn_query() with the statement's text from a format, for OIDs and other numbers of our own. */
PGresult *pgconn_queryf(struct pgconn *c, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for statements without rows. */
MUST_CHECK bool pgconn_exec(struct pgconn *c, const char *sql, struct err *err);
/* Ends a transaction whose outcome nobody needs. A session that can't even do that is closed. */
void pgconn_rollback(struct pgconn *c);

/* Parses the statement as the unnamed one and describes it. NULL with err. */
PGresult *pgconn_describe(struct pgconn *c, const char *sql, struct err *err);

/* COPY … TO STDOUT: begin, then rows until *len is 0. The row is valid until the next call. */
MUST_CHECK bool pgconn_copy_begin(struct pgconn *c, const char *sql, struct err *err);
MUST_CHECK bool pgconn_copy_row(struct pgconn *c, char **row, size_t *len, struct err *err);

/*
 * A statement whose rows are taken one at a time. Begin parses it: what Postgres says of it then is about
 * the statement, *parsed tells. Then rows until *row is NULL; each is valid until the next call and holds
 * one tuple. On false, or if the caller has seen enough, pgconn_rows_end() drops what is left.
 */
MUST_CHECK bool pgconn_rows_begin(struct pgconn *c, const char *sql, size_t nparams,
                                  const uint32_t *types, const char *const *params, bool *parsed,
                                  struct err *err);
MUST_CHECK bool pgconn_rows_next(struct pgconn *c, const PGresult **row, struct err *err);
void pgconn_rows_end(struct pgconn *c);

/* Whether two conninfos differ in nothing but secrets. */
bool pgconn_is_same_target(const char *one, const char *other);

/* Why connecting has failed: 57P03, in one line, with a hint at what the operator can do. False. */
bool pgconn_connect_error(const PGconn *pg, enum pgconn_purpose purpose, struct err *err);
/* False with err: the server is too old; or it is a standby, or without logical WAL, just now. */
MUST_CHECK bool pgconn_is_known_version(int version, struct err *err);
MUST_CHECK bool pgconn_is_fit(bool standby, bool logical, struct err *err);
/* libpq's messages are lines; ours are sentences. */
void pgconn_copy_line(char *dst, size_t size, const char *src);

/* Fills err in from a failed result: SQLSTATE, message, hint, detail, position. Returns false. */
bool pgconn_result_error(const PGresult *res, const char *fallback, struct err *err);

/* Appends "name", quoted for SQL. */
void pg_quote_name(struct buf *b, const char *name);
/* Appends 'text', quoted for SQL. */
void pg_quote_literal(struct buf *b, const char *text);
/* Appends an array literal {1,2,3}. */
void pg_oid_array(struct buf *b, const uint32_t *oids, size_t n);

/*
 * The longest wait for a lock, ms, in a transaction that may hold others already. A user's statement
 * that waits for one of those, and for whom we wait (TRUNCATE locks a partitioned table and then its
 * partitions), is ended by Postgres after its deadlock_timeout, a second: we give up well before, and
 * try again. No more than postgres.lock_timeout.
 */
long long pgconn_brief_lock_ms(const struct config *cfg);

#endif
