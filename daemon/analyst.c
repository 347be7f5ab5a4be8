/*
 * analyst: see analyst.h. The thread and its session: statements are taken as they come, each is
 * asked of Postgres (inquiry.h) unless an equal one just was, and becomes a plan of the registry.
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
#include "daemon/worker.h"
#include "engine/base/alloc.h"
#include "engine/base/hash.h"

#define CACHE_SIZE 256

struct cached {
    uint64_t hash;                /* of text */
    struct buf text;              /* statement and parameters */
    const struct plan_spec *spec; /* counted; NULL = free */
};

struct analyst {
    pthread_t thread;
    struct mailbox box;
    struct pgstop stop;
    struct pgconn conn;
    struct registry *registry;       /* borrowed */
    struct cached cache[CACHE_SIZE]; /* of the messages taken together */
    size_t ncached;
};

void analysis_free(struct analysis *a)
{
    if (a->plan)
        registry_release(a->registry, a->plan);
    if (a->spec)
        plan_spec_unref(a->spec);
    for (size_t i = 0; i < a->nparams; i++)
        free(a->params[i]);
    free(a->params);
    free(a->sql);
    free(a);
}

/* ---- the cache ----------------------------------------------------------------------------- */

/*
 * A storm of equal statements is analysed once. An answer serves only those that were waiting before
 * it was asked for, so it is never older than the question: a statement sent after a CREATE OR
 * REPLACE VIEW is never read with the view as it was before.
 */

static void cache_text(const struct analysis *a, struct buf *b)
{
    buf_reset(b);
    buf_add(b, a->sql, strlen(a->sql) + 1);
    for (size_t i = 0; i < a->nparams; i++) {
        buf_addc(b, a->params[i] ? '=' : 'N');
        if (a->params[i])
            buf_add(b, a->params[i], strlen(a->params[i]) + 1);
    }
}

static const struct plan_spec *cache_find(struct analyst *an, const struct buf *text)
{
    uint64_t hash = hash_bytes(text->data, text->len);
    struct cached *c = &an->cache[hash % CACHE_SIZE];
    if (!c->spec || c->hash != hash || c->text.len != text->len ||
        memcmp(c->text.data, text->data, text->len) != 0)
        return NULL;
    return plan_spec_ref(c->spec);
}

static void cache_drop(struct cached *c)
{
    if (c->spec)
        plan_spec_unref(c->spec);
    buf_fini(&c->text);
    memset(c, 0, sizeof *c);
}

static void cache_clear(struct analyst *an)
{
    for (size_t i = 0; an->ncached && i < CACHE_SIZE; i++)
        cache_drop(&an->cache[i]);
    an->ncached = 0;
}

/* Takes the text over. */
static void cache_put(struct analyst *an, struct buf *text, const struct plan_spec *spec)
{
    uint64_t hash = hash_bytes(text->data, text->len);
    struct cached *c = &an->cache[hash % CACHE_SIZE];
    cache_drop(c);
    c->hash = hash;
    c->text = *text;
    c->spec = plan_spec_ref(spec);
    an->ncached++;
    buf_init(text);
}

/* ---- one statement -------------------------------------------------------------------------- */

/* A table of the statement is locked by another session: the statement goes to the end of the queue,
 * for as long as Postgres may take to analyse one. */
static bool wait_for_lock(struct analyst *an, struct analysis *job)
{
    uint64_t now = clock_ms();
    if (strcmp(job->err.sqlstate, "55P03") != 0)
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

static void work_on(struct analyst *an, struct analysis *job)
{
    struct buf text;
    buf_init(&text);
    err_clear(&job->err);
    cache_text(job, &text);
    job->spec = cache_find(an, &text);
    if (!job->spec) {
        uint64_t t0 = clock_ns();
        job->spec = inquire(&an->conn, job, &job->err);
        log_debug("analysed in %llu us: %.200s", (unsigned long long)(clock_ns() - t0) / 1000,
                  job->sql);
        if (job->spec)
            cache_put(an, &text, job->spec);
    }
    buf_fini(&text);
    if (!job->spec && wait_for_lock(an, job))
        return;
    if (job->spec && !job->explain) {
        job->plan = registry_acquire(an->registry, job->spec, &job->err);
        job->registry = an->registry;
        if (!job->plan) {
            plan_spec_unref(job->spec);
            job->spec = NULL;
        }
    }
    job->m.kind = L_ANALYZED;
    loop_post(job->loop, &job->m);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void refuse(struct analysis *job)
{
    err_set(&job->err, ERR_ADMIN_SHUTDOWN, "the daemon is shutting down");
    job->m.kind = L_ANALYZED;
    loop_post(job->loop, &job->m);
}

static void *analyst_main(void *arg)
{
    struct analyst *an = arg;
    bool go_on = true;
    pthread_setname_np(pthread_self(), "analyst");
    while (go_on) {
        struct msg *next, *first = mailbox_wait(&an->box, -1);
        cache_clear(an);
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
    mailbox_init(&an->box);
    pgstop_init(&an->stop);
    pgconn_init(&an->conn, PGCONN_CATALOG, &an->stop);
    return an;
}

void analyst_start(struct analyst *an)
{
    if (pthread_create(&an->thread, NULL, analyst_main, an) != 0)
        abort(); /* at start-up only */
}

void analyst_post(struct analyst *an, struct analysis *job)
{
    job->m.kind = A_ANALYZE;
    mailbox_post(&an->box, &job->m);
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
    cache_clear(an);
    mailbox_fini(&an->box);
    pgstop_fini(&an->stop);
    free(an);
}
