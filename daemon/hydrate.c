/*
 * hydrate: the hydrator's thread, and the transaction in which the tables of a job are read.
 *
 *     published? ─▶ BEGIN, lock each table ─▶ snapshot ─▶ read each table ─▶ COMMIT ─▶ flush WAL
 *                        ▲                                   │
 *                        └── without a table that failed ◀───┘
 *
 * The order is what makes it exact. Locks come before the statement that takes the snapshot: a
 * rewrite or TRUNCATE committed in between would show as an empty table, and the stream would carry
 * no rows for it. A table that fails aborts the transaction, so the others are read anew.
 *
 * A job may ask no more than that its tables be published.
 *
 * One job at a time, one session. A job always comes back to the reader, except those that are
 * still waiting when we stop.
 */
#include "daemon/hydrate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/feed.h"
#include "daemon/fingerprint.h"
#include "daemon/log.h"
#include "daemon/publication.h"
#include "daemon/snapshot.h"
#include "daemon/thread.h"

enum {
    H_STOP = 300
};

struct hydrator {
    struct reader *reader; /* borrowed */
    struct mailbox box;
    struct pgconn conn;
    struct publication pub;
    struct pgstop stopping;
    struct msg stop;
    bool started;
    pthread_t thread;
};

/* ---- a table that fails -------------------------------------------------------------------- */

/* Errors that may be gone at the next attempt: of the connection, of locks and conflicts, of the
 * server's resources, and those of a catalog that is just changing. All others stay. */
static bool is_permanent(const struct err *err)
{
    static const char *const passing[] = {"08", "25", "40",    "53",    "55",   "57",
                                          "58", "XX", "42P01", "42704", "42710"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (strncmp(err->sqlstate, passing[i], strlen(passing[i])) == 0)
            return false;
    }
    return true;
}

bool reading_fail(struct reading *r)
{
    r->failed = true;
    r->t->permanent = is_permanent(&r->t->err);
    return false;
}

bool reading_refuse(struct reading *r, const char *sqlstate, const char *fmt, ...)
{
    char text[sizeof r->t->err.message];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(&r->t->err, sqlstate, "%s", text);
    r->failed = r->t->permanent = true;
    return false;
}

bool hydrate_exec(struct pgconn *c, struct err *err, const char *fmt, ...)
{
    struct buf sql = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&sql, fmt, ap);
    va_end(ap);
    bool ok = pgconn_exec(c, buf_cstr(&sql), err);
    buf_fini(&sql);
    return ok;
}

/* ---- the transaction ----------------------------------------------------------------------- */

static bool begin(struct pgconn *c, const struct config *cfg, struct err *err)
{
    return hydrate_exec(c, err, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") &&
           hydrate_exec(c, err, "SET LOCAL lock_timeout = %lld", pgconn_brief_lock_ms(cfg)) &&
           hydrate_exec(c, err, "SET LOCAL row_security = off");
}

static bool lock(struct pgconn *c, struct reading *r)
{
    struct err *err = &r->t->err;
    if (hydrate_exec(c, err, "LOCK TABLE ONLY %s IN ACCESS SHARE MODE", r->name))
        return true;
    if (strcmp(err->sqlstate, "42501") == 0)
        err_hint(err, "GRANT SELECT ON %s TO the role that palimpsestd connects as.", r->name);
    return reading_fail(r);
}

/* The first statement that takes the snapshot. A standby's names no running transactions. */
static bool take_snapshot(struct pgconn *c, struct snapshot *out, struct err *err)
{
    PGresult *res = pgconn_queryf(
        c, err,
        "SELECT pg_catalog.pg_current_snapshot(), pg_catalog.pg_is_in_recovery(), "
        "CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN "
        "pg_catalog.pg_current_wal_insert_lsn() END, "
        "(extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint "
        "- 946684800000000");
    if (!res)
        return false;
    const char *lsn = PQgetvalue(res, 0, 2);
    bool standby = PQgetvalue(res, 0, 1)[0] == 't';
    bool ok = !standby && lsn_parse(lsn, strlen(lsn), &out->insert_lsn) &&
              snapshot_parse(PQgetvalue(res, 0, 0), out);
    out->postmaster_start = strtoll(PQgetvalue(res, 0, 3), NULL, 10);
    PQclear(res);
    if (standby)
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                       "the server is a standby; a live view needs the primary");
    return ok || err_set(err, ERR_PROTOCOL, "the snapshot can't be read");
}

static int compare_oids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What the rows go with, for the watch to compare with. */
static bool leave_fingerprints(struct pgconn *c, const struct hydrate_job *job,
                               const struct reading *r, struct err *err)
{
    struct fingerprints f = {{0}};
    uint32_t *relids = xcalloc(job->ntables ? job->ntables : 1, sizeof *relids);
    size_t n = 0;
    for (size_t i = 0; i < job->ntables; i++) {
        if (!r[i].failed)
            relids[n++] = job->tables[i].relid;
    }
    if (n)
        qsort(relids, n, sizeof *relids, compare_oids);
    bool ok = fingerprints_load(&f, c, relids, n, err);
    fingerprints_leave(&f);
    free(relids);
    return ok;
}

enum outcome {
    OUTCOME_DONE,
    OUTCOME_AGAIN, /* one table more has failed */
    OUTCOME_FAILED /* err says why */
};

/* Tables read so far belong to a transaction that is no more. */
static void drop_stores(struct hydrate_job *job)
{
    for (size_t i = 0; i < job->ntables; i++) {
        store_free(job->tables[i].store);
        job->tables[i].store = NULL;
    }
}

/* The table has failed; the whole job has if it is the session that is lost. */
static enum outcome table_failed(struct hydrator *h, const struct reading *r, struct err *err)
{
    if (pgstop_is_triggered(&h->stopping) || (!h->conn.pg && !r->t->permanent)) {
        *err = r->t->err;
        return OUTCOME_FAILED;
    }
    return OUTCOME_AGAIN;
}

static enum outcome attempt(struct hydrator *h, const struct config *cfg, struct hydrate_job *job,
                            struct reading *r, struct err *err)
{
    struct pgconn *c = &h->conn;
    if (!pgconn_open(c, err) || !begin(c, cfg, err))
        return OUTCOME_FAILED;
    for (size_t i = 0; i < job->ntables; i++) {
        if (!r[i].failed && !lock(c, &r[i]))
            return table_failed(h, &r[i], err);
    }
    if (!take_snapshot(c, &job->snap, err) || !leave_fingerprints(c, job, r, err))
        return OUTCOME_FAILED;
    for (size_t i = 0; i < job->ntables; i++) {
        if (!r[i].failed && !hydrate_copy(c, &r[i]))
            return table_failed(h, &r[i], err);
    }
    return hydrate_exec(c, err, "COMMIT") ? OUTCOME_DONE : OUTCOME_FAILED;
}

/* ---- jobs ---------------------------------------------------------------------------------- */

/* The rows count only when the stream is past the snapshot's position, and it carries flushed WAL:
 * the commit of this message flushes it, rather than the WAL writer at its leisure. */
static void flush_wal(struct pgconn *c)
{
    struct err err;
    if (!hydrate_exec(c, &err,
                      "SELECT pg_catalog.pg_logical_emit_message(true, 'palimpsestd', '')"))
        log_debug("the WAL is not flushed early: %s", err.message);
}

static bool any_store(const struct hydrate_job *job)
{
    for (size_t i = 0; i < job->ntables; i++) {
        if (job->tables[i].store)
            return true;
    }
    return false;
}

static bool read_tables(struct hydrator *h, const struct config *cfg, struct hydrate_job *job,
                        struct reading *r)
{
    struct pgconn *c = &h->conn;
    enum outcome o;
    if (!pgconn_open(c, &job->err) ||
        !publication_ensure(&h->pub, c, cfg, r, job->ntables, &job->err))
        return false;
    if (job->publish)
        return leave_fingerprints(c, job, r, &job->err);
    while ((o = attempt(h, cfg, job, r, &job->err)) != OUTCOME_DONE) {
        drop_stores(job);
        if (c->pg)
            pgconn_rollback(c);
        if (o == OUTCOME_FAILED)
            return false;
        err_clear(&job->err);
    }
    if (any_store(job))
        flush_wal(c);
    return true;
}

static void run_job(struct hydrator *h, struct hydrate_job *job)
{
    const struct config *cfg = config_current();
    struct reading *r = xcalloc(job->ntables ? job->ntables : 1, sizeof *r);
    for (size_t i = 0; i < job->ntables; i++)
        r[i].t = &job->tables[i];
    err_clear(&job->err);
    if (!read_tables(h, cfg, job, r) && !err_is_set(&job->err))
        err_set(&job->err, ERR_CANNOT_CONNECT_NOW, "the tables could not be read");
    for (size_t i = 0; i < job->ntables; i++)
        free(r[i].name);
    free(r);
    config_unref(cfg);
    job->m.kind = R_HYDRATED;
    reader_post(h->reader, &job->m);
}

/* True: go on. */
static bool run_list(struct hydrator *h, struct msg *list)
{
    bool go_on = true;
    while (list) {
        struct msg *m = list;
        list = m->next;
        if (m == &h->stop)
            go_on = false;
        else if (pgstop_is_triggered(&h->stopping))
            hydrate_job_free((struct hydrate_job *)m);
        else
            run_job(h, (struct hydrate_job *)m);
    }
    return go_on;
}

static void *hydrator_main(void *arg)
{
    struct hydrator *h = arg;
    while (run_list(h, mailbox_wait(&h->box, -1)))
        ;
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

struct hydrator *hydrator_new(const struct config *cfg, struct reader *reader)
{
    struct hydrator *h = NEW(struct hydrator);
    (void)cfg; /* each job takes the one in force */
    h->reader = reader;
    h->stop.kind = H_STOP;
    pgstop_init(&h->stopping);
    mailbox_init(&h->box);
    pgconn_init(&h->conn, PGCONN_SNAPSHOT, &h->stopping);
    publication_init(&h->pub);
    return h;
}

void hydrator_start(struct hydrator *h)
{
    thread_start(&h->thread, "hydrator", hydrator_main, h);
    h->started = true;
}

void hydrator_post(void *hydrator, struct msg *job)
{
    struct hydrator *h = hydrator;
    mailbox_post(&h->box, job);
}

void hydrator_stop(struct hydrator *h)
{
    if (!h->started)
        return;
    pgstop_trigger(&h->stopping);
    mailbox_post(&h->box, &h->stop);
    pthread_join(h->thread, NULL);
    h->started = false;
    pgconn_close(&h->conn);
    const struct config *cfg = config_current();
    publication_clean_up(&h->pub, cfg);
    config_unref(cfg);
}

void hydrator_free(struct hydrator *h)
{
    if (!h)
        return;
    pgstop_trigger(&h->stopping);
    run_list(h, mailbox_take(&h->box));
    mailbox_fini(&h->box);
    pgconn_close(&h->conn);
    pgstop_fini(&h->stopping);
    publication_fini(&h->pub);
    free(h);
}
