/*
 * analyst: see analyst.h. The thread and its session: statements are taken as they come, each is asked
 * of Postgres (inquiry.h) unless an equal one was since it came, and becomes a plan of the registry.
 */
#include "daemon/analyst.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/inquiry.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/table.h"
#include "daemon/thread.h"
#include "daemon/worker.h"
#include "engine/base/alloc.h"
#include "engine/base/hash.h"
#include "engine/base/vec.h"

/* More answers than these are not kept: whoever sends so many statements sends different ones. */
#define ANSWERS_MAX 16384

struct answer {
    struct table_link by_text;
    uint64_t asked_ns;            /* when Postgres began to be asked */
    const struct plan_spec *spec; /* counted */
    struct buf text;              /* statement and parameters */
};

struct analyst {
    pthread_t thread;
    struct mailbox box;
    struct pgstop stop;
    struct pgconn conn;
    struct registry *registry; /* borrowed */
    struct table answers;      /* that may serve a message which waits already */
    VEC(struct answer *) kept; /* the same, owned */
    atomic_uint_least64_t asked;
};

void analysis_free(struct analysis *a)
{
    if (a->plan && a->keep)
        registry_leave(a->registry, a->plan, clock_ms());
    else if (a->plan)
        registry_release(a->registry, a->plan);
    if (a->spec)
        plan_spec_unref(a->spec);
    for (size_t i = 0; i < a->nparams; i++)
        free(a->params[i]);
    free(a->params);
    free(a->err);
    free(a->sql);
    free(a);
}

/* ---- answers for many ---------------------------------------------------------------------- */

/*
 * A storm of equal statements is analysed once. An answer serves only those that had been read from
 * their clients before it was asked for, so it is never older than the question: a statement sent
 * after a CREATE OR REPLACE VIEW is never read with the view as it was before.
 */

static void write_text(const struct analysis *a, struct buf *b)
{
    buf_add(b, a->sql, strlen(a->sql) + 1);
    for (size_t i = 0; i < a->nparams; i++) {
        buf_addc(b, a->params[i] ? '=' : 'N');
        if (a->params[i])
            buf_add(b, a->params[i], strlen(a->params[i]) + 1);
    }
}

static struct answer *find_answer(const struct analyst *an, const struct buf *text)
{
    uint64_t hash = hash_bytes(text->data, text->len);
    for (struct table_link *t = table_first(&an->answers, hash); t; t = table_next(t)) {
        struct answer *a = TABLE_MEMBER(t, struct answer, by_text);
        if (a->text.len == text->len && memcmp(a->text.data, text->data, text->len) == 0)
            return a;
    }
    return NULL;
}

static void forget_answers(struct analyst *an)
{
    for (size_t i = 0; i < an->kept.n; i++) {
        struct answer *a = an->kept.v[i];
        table_remove(&an->answers, &a->by_text);
        plan_spec_unref(a->spec);
        buf_fini(&a->text);
        free(a);
    }
    VEC_FREE(an->kept);
}

/* Takes the text over. */
static void keep_answer(struct analyst *an, struct buf *text, const struct plan_spec *spec,
                        uint64_t asked_ns)
{
    struct answer *a = find_answer(an, text);
    if (a) {
        plan_spec_unref(a->spec);
    } else {
        if (an->kept.n == ANSWERS_MAX)
            forget_answers(an);
        a = NEW(struct answer);
        a->text = *text;
        buf_init(text);
        table_add(&an->answers, &a->by_text, hash_bytes(a->text.data, a->text.len));
        VEC_PUSH(an->kept, a);
    }
    a->spec = plan_spec_ref(spec);
    a->asked_ns = asked_ns;
}

/* ---- one statement -------------------------------------------------------------------------- */

/* A table of the statement is locked by another session: the statement goes to the end of the queue,
 * for as long as Postgres may take to analyse one. */
static bool wait_for_lock(struct analyst *an, struct analysis *job, const struct err *err)
{
    uint64_t now = clock_ms();
    if (strcmp(err->sqlstate, "55P03") != 0)
        return false;
    if (!job->give_up_at) {
        const struct config *cfg = config_current();
        uint64_t limit = (uint64_t)cfg->postgres_statement_timeout;
        job->give_up_at = limit ? now + limit : UINT64_MAX;
        config_unref(cfg);
    }
    if (now >= job->give_up_at)
        return false;
    mailbox_post(&an->box, &job->m);
    return true;
}

/* What a server says that the stream doesn't come from any more is asked again of the one it comes
 * from. */
static const struct plan_spec *inquire_here(struct analyst *an, const struct analysis *job,
                                            struct err *err)
{
    const struct plan_spec *spec = inquire(&an->conn, job, err);
    if (!spec || pgconn_is_renewed(&an->conn))
        return spec;
    plan_spec_unref(spec);
    return inquire(&an->conn, job, err);
}

static const struct plan_spec *ask(struct analyst *an, const struct analysis *job, struct buf *text,
                                   struct err *err)
{
    uint64_t t0 = clock_ns();
    atomic_fetch_add_explicit(&an->asked, 1, memory_order_relaxed);
    const struct plan_spec *spec = inquire_here(an, job, err);
    log_debug("analysed in %llu us: %.200s", (unsigned long long)(clock_ns() - t0) / 1000,
              job->sql);
    if (spec)
        keep_answer(an, text, spec, t0);
    return spec;
}

static bool find_wal_lsn(struct analyst *an, struct analysis *job, struct err *err)
{
    PGresult *res =
        pgconn_query_fresh(&an->conn, "SELECT pg_catalog.pg_current_wal_insert_lsn()", err);
    if (!res)
        return false;
    const char *text = PQgetvalue(res, 0, 0);
    bool ok = lsn_parse(text, strlen(text), &job->wal_lsn) ||
              err_set(err, ERR_PROTOCOL, "the WAL position can't be read");
    PQclear(res);
    return ok;
}

static void drop_spec(struct analysis *job)
{
    plan_spec_unref(job->spec);
    job->spec = NULL;
}

static void give_back(struct analysis *job, const struct err *err)
{
    if (err) {
        job->err = NEW(struct err);
        *job->err = *err;
    }
    job->m.kind = L_ANALYZED;
    loop_post(job->loop, &job->m);
}

static void work_on(struct analyst *an, struct analysis *job)
{
    struct buf text;
    struct err err;
    buf_init(&text);
    err_clear(&err);
    write_text(job, &text);
    const struct answer *known = find_answer(an, &text);
    if (known && known->asked_ns > job->posted_ns)
        job->spec = plan_spec_ref(known->spec);
    else
        job->spec = ask(an, job, &text, &err);
    buf_fini(&text);
    if (!job->spec && wait_for_lock(an, job, &err))
        return;
    if (job->spec && job->wants_wal && !find_wal_lsn(an, job, &err))
        drop_spec(job);
    if (job->spec && !job->explain) {
        job->plan = registry_acquire(an->registry, job->spec, &err);
        job->registry = an->registry;
        if (!job->plan)
            drop_spec(job);
    }
    give_back(job, job->spec ? NULL : &err);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void refuse(struct analysis *job)
{
    struct err err;
    err_set(&err, ERR_ADMIN_SHUTDOWN, "the daemon is shutting down");
    give_back(job, &err);
}

/* The next messages; those that come while nothing waits can't be served by what was asked before. */
static struct msg *take(struct analyst *an)
{
    struct msg *first = mailbox_take(&an->box);
    if (first)
        return first;
    forget_answers(an);
    return mailbox_wait(&an->box, -1);
}

static void *analyst_main(void *arg)
{
    struct analyst *an = arg;
    bool go_on = true;
    while (go_on) {
        struct msg *next, *first = take(an);
        for (struct msg *m = first; m; m = next) {
            next = m->next;
            if (m->kind == A_STOP) {
                go_on = false;
                free(m);
            } else if (!go_on || pgstop_is_triggered(&an->stop)) {
                refuse((struct analysis *)m);
            } else {
                work_on(an, (struct analysis *)m);
            }
        }
    }
    pgconn_close(&an->conn);
    return NULL;
}

struct analyst *analyst_new(const struct config *cfg, struct registry *registry)
{
    struct analyst *an = NEW(struct analyst);
    (void)cfg; /* read anew for every statement: parts of it are reloadable */
    an->registry = registry;
    table_init(&an->answers);
    mailbox_init(&an->box);
    pgstop_init(&an->stop);
    pgconn_init(&an->conn, PGCONN_CATALOG, &an->stop);
    return an;
}

void analyst_start(struct analyst *an)
{
    thread_start(&an->thread, "analyst", analyst_main, an);
}

void analyst_post(struct analyst *an, struct analysis *job)
{
    job->m.kind = A_ANALYZE;
    job->posted_ns = clock_ns();
    mailbox_post(&an->box, &job->m);
}

uint64_t analyst_asked(const struct analyst *an)
{
    return atomic_load_explicit(&an->asked, memory_order_relaxed);
}

void analyst_stop(struct analyst *an)
{
    struct msg *m = NEW(struct msg);
    m->kind = A_STOP;
    pgstop_trigger(&an->stop);
    mailbox_post(&an->box, m);
    pthread_join(an->thread, NULL);
}

void analyst_free(struct analyst *an)
{
    for (struct msg *m = mailbox_take(&an->box), *next; m; m = next) {
        next = m->next;
        analysis_free((struct analysis *)m);
    }
    forget_answers(an);
    table_fini(&an->answers);
    mailbox_fini(&an->box);
    pgstop_fini(&an->stop);
    free(an);
}
