/*
 * rerun: the thread and its jobs. See rerun.h; how a job is answered is in rerun_ask.c.
 *
 * A job always comes back to the reader, except those that are still waiting when we stop.
 */
#include <pthread.h>
#include <stdlib.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/memory.h"
#include "daemon/rerun_int.h"
#include "daemon/thread.h"
#include "engine/base/alloc.h"

enum {
    RERUN_STOP = 501,
};

struct rerun {
    const char *name;      /* borrowed */
    struct reader *reader; /* borrowed */
    struct mailbox box;
    struct pgconn conn;
    struct pgstop stopping;
    struct msg stop;
    bool started;
    pthread_t thread;
};

/* ---- jobs ---------------------------------------------------------------------------------- */

/* The answer counts when the stream is past the snapshot's position: a message flushes the WAL and
 * moves the stream, rather than the WAL writer at its leisure. */
static void move_wal(struct rerun *t, const struct rerun_job *job)
{
    struct reader_status rs;
    struct err err;
    reader_status(t->reader, &rs);
    if (rs.received >= job->snap.insert_lsn && !job->timed)
        return;
    if (!rerun_exec(&t->conn, &err,
                    "SELECT pg_catalog.pg_logical_emit_message(true, 'palimpsestd', '')"))
        log_debug("the WAL is not flushed early: %s", err.message);
}

static void send_back(struct rerun *t, struct rerun_job *job)
{
    job->m.kind = R_ANSWERED;
    reader_post(t->reader, &job->m);
}

static void run_job(struct rerun *t, struct rerun_job *job)
{
    const struct config *cfg = config_current();
    struct err err;
    if (job->check && !memory_admit("verifying stopped", &job->items[0].err)) {
        job->items[0].outcome = RERUN_ENDED;
        send_back(t, job);
        config_unref(cfg);
        return;
    }
    bool ok = rerun_ask(&t->conn, cfg, job, &err);
    if (ok)
        move_wal(t, job);
    for (size_t i = 0; !ok && i < job->n; i++) {
        job->items[i].outcome = RERUN_AGAIN;
        job->items[i].err = err;
        bag_clear(&job->items[i].rows);
    }
    config_unref(cfg);
    send_back(t, job);
}

/* True: go on. */
static bool run_list(struct rerun *t, struct msg *list)
{
    bool go_on = true;
    while (list) {
        struct msg *m = list;
        list = m->next;
        if (m == &t->stop)
            go_on = false;
        else if (pgstop_is_triggered(&t->stopping))
            rerun_job_free((struct rerun_job *)m);
        else
            run_job(t, (struct rerun_job *)m);
    }
    return go_on;
}

static void *rerun_main(void *arg)
{
    struct rerun *t = arg;
    while (run_list(t, mailbox_wait(&t->box, -1)))
        ;
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

struct rerun *rerun_new(const char *name, struct reader *reader)
{
    struct rerun *t = NEW(struct rerun);
    t->name = name;
    t->reader = reader;
    t->stop.kind = RERUN_STOP;
    pgstop_init(&t->stopping);
    mailbox_init(&t->box);
    pgconn_init(&t->conn, PGCONN_RERUN, &t->stopping);
    return t;
}

void rerun_start(struct rerun *t)
{
    thread_start(&t->thread, t->name, rerun_main, t);
    t->started = true;
}

void rerun_post(void *rerun, struct msg *job)
{
    struct rerun *t = rerun;
    mailbox_post(&t->box, job);
}

void rerun_stop(struct rerun *t)
{
    if (!t->started)
        return;
    pgstop_trigger(&t->stopping);
    mailbox_post(&t->box, &t->stop);
    pthread_join(t->thread, NULL);
    t->started = false;
    pgconn_close(&t->conn);
}

void rerun_free(struct rerun *t)
{
    if (!t)
        return;
    pgstop_trigger(&t->stopping);
    run_list(t, mailbox_take(&t->box));
    mailbox_fini(&t->box);
    pgconn_close(&t->conn);
    pgstop_fini(&t->stopping);
    free(t);
}
