/*
 * registry: plans by canonical key, under one lock. See plan.h.
 *
 * Lock order: the registry's lock is held while messages are posted to the worker and the reader,
 * so that they learn of a plan's beginning and end in the order they happen; a mailbox's lock is
 * the only one ever taken inside it.
 */
#include "daemon/plan.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/memory.h"
#include "daemon/reader.h"
#include "daemon/worker.h"
#include "engine/base/hash.h"

#define BUCKETS 4096

struct entry {
    struct entry *next;
    struct plan *plan; /* one reference */
};

struct registry {
    pthread_mutex_t lock;
    struct worker *const *workers; /* borrowed */
    size_t nworkers;
    size_t *load;          /* plans on each worker */
    struct reader *reader; /* borrowed */
    size_t max_plans;
    size_t nplans, nidle;
    struct plan *idle, *idle_last; /* those that linger, oldest first */
    uint64_t last_id;
    struct entry *buckets[BUCKETS];
};

struct plan *plan_ref(struct plan *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void plan_unref(struct plan *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    plan_spec_unref(p->spec);
    free(p);
}

struct registry *registry_new(struct worker *const *workers, size_t nworkers, struct reader *reader,
                              size_t max_plans)
{
    struct registry *r = NEW(struct registry);
    pthread_mutex_init(&r->lock, NULL);
    r->workers = workers;
    r->nworkers = nworkers;
    r->load = xcalloc(nworkers, sizeof *r->load);
    r->reader = reader;
    r->max_plans = max_plans;
    return r;
}

void registry_free(struct registry *r)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry *e = r->buckets[i], *next; e; e = next) {
            next = e->next;
            plan_unref(e->plan);
            free(e);
        }
    pthread_mutex_destroy(&r->lock);
    free(r->load);
    free(r);
}

static struct entry **bucket_of(struct registry *r, const char *key)
{
    return &r->buckets[hash_bytes(key, strlen(key)) % BUCKETS];
}

static struct plan *find(struct registry *r, const char *key)
{
    for (struct entry *e = *bucket_of(r, key); e; e = e->next)
        if (strcmp(e->plan->spec->key, key) == 0)
            return e->plan;
    return NULL;
}

static struct worker *least_loaded(struct registry *r)
{
    size_t best = 0;
    for (size_t i = 1; i < r->nworkers; i++)
        if (r->load[i] < r->load[best])
            best = i;
    return r->workers[best];
}

static void post_to_worker(struct plan *p, enum worker_msg_kind kind)
{
    struct wmsg_plan *m = NEW(struct wmsg_plan);
    m->m.kind = kind;
    m->plan = plan_ref(p);
    worker_post(p->worker, &m->m);
}

static void post_to_reader(struct registry *r, struct plan *p, enum reader_msg_kind kind)
{
    struct rmsg_plan *m = NEW(struct rmsg_plan);
    m->m.kind = kind;
    m->plan = plan_ref(p);
    reader_post(r->reader, &m->m);
}

static struct plan *add(struct registry *r, const struct plan_spec *spec)
{
    struct plan *p = NEW(struct plan);
    struct entry *e = NEW(struct entry);
    struct entry **bucket = bucket_of(r, spec->key);
    atomic_init(&p->refs, 1);
    atomic_init(&p->state, PLAN_SEEDING);
    p->id = ++r->last_id;
    p->spec = plan_spec_ref(spec);
    p->worker = least_loaded(r);
    p->registry = r;
    e->plan = p; /* the first reference is the registry's */
    e->next = *bucket;
    *bucket = e;
    r->nplans++;
    r->load[worker_no(p->worker)]++;
    post_to_worker(p, W_ADD);
    post_to_reader(r, p, R_ADD_PLAN);
    return p;
}

/* Takes the plan out of the table, if it is still there, and drops the table's reference. */
static void unlist(struct registry *r, struct plan *p)
{
    for (struct entry **link = bucket_of(r, p->spec->key); *link; link = &(*link)->next)
        if ((*link)->plan == p) {
            struct entry *e = *link;
            *link = e->next;
            free(e);
            r->nplans--;
            r->load[worker_no(p->worker)]--;
            p->retired = true;
            plan_unref(p);
            return;
        }
}

/* ---- lingering ----------------------------------------------------------------------------- */

static void begin_to_linger(struct registry *r, struct plan *p, uint64_t now_ms)
{
    p->idle_since = now_ms;
    p->idle_next = NULL;
    p->idle_prev = r->idle_last;
    *(p->idle_prev ? &p->idle_prev->idle_next : &r->idle) = p;
    r->idle_last = p;
    r->nidle++;
}

static void stop_lingering(struct registry *r, struct plan *p)
{
    *(p->idle_prev ? &p->idle_prev->idle_next : &r->idle) = p->idle_next;
    *(p->idle_next ? &p->idle_next->idle_prev : &r->idle_last) = p->idle_prev;
    p->idle_prev = p->idle_next = NULL;
    p->idle_since = 0;
    r->nidle--;
}

static void drop(struct registry *r, struct plan *p)
{
    post_to_reader(r, p, R_DROP_PLAN);
    unlist(r, p);
}

static void drop_oldest_idle(struct registry *r)
{
    struct plan *p = r->idle;
    stop_lingering(r, p);
    drop(r, p);
}

void registry_expire(struct registry *r, uint64_t before_ms)
{
    pthread_mutex_lock(&r->lock);
    while (r->idle && r->idle->idle_since <= before_ms)
        drop_oldest_idle(r);
    pthread_mutex_unlock(&r->lock);
}

/* ---- users --------------------------------------------------------------------------------- */

struct plan *registry_acquire(struct registry *r, const struct plan_spec *spec, struct err *err)
{
    pthread_mutex_lock(&r->lock);
    struct plan *p = find(r, spec->key);
    if (!p && r->nplans >= r->max_plans && r->idle)
        drop_oldest_idle(r);
    if (!p && r->nplans >= r->max_plans) {
        pthread_mutex_unlock(&r->lock);
        err_set(err, ERR_LIMIT_EXCEEDED, "too many live plans (limits.plans is %zu)", r->max_plans);
        return NULL;
    }
    if (!p && !memory_admit("no new plan can be made", err)) {
        pthread_mutex_unlock(&r->lock);
        return NULL;
    }
    if (!p)
        p = add(r, spec);
    else if (p->users == 0)
        stop_lingering(r, p);
    p->users++;
    atomic_fetch_add_explicit(&p->subscribers, 1, memory_order_relaxed);
    plan_ref(p);
    pthread_mutex_unlock(&r->lock);
    return p;
}

static bool take_user(struct plan *p)
{
    assert(p->users > 0);
    atomic_fetch_sub_explicit(&p->subscribers, 1, memory_order_relaxed);
    return --p->users == 0;
}

struct plan *registry_join(struct registry *r, struct plan *p)
{
    pthread_mutex_lock(&r->lock);
    assert(p->users > 0);
    p->users++;
    atomic_fetch_add_explicit(&p->subscribers, 1, memory_order_relaxed);
    pthread_mutex_unlock(&r->lock);
    return plan_ref(p);
}

void registry_release(struct registry *r, struct plan *p)
{
    pthread_mutex_lock(&r->lock);
    if (take_user(p))
        drop(r, p);
    pthread_mutex_unlock(&r->lock);
    plan_unref(p);
}

void registry_leave(struct registry *r, struct plan *p, uint64_t now_ms)
{
    pthread_mutex_lock(&r->lock);
    bool last = take_user(p);
    if (last && p->retired)
        drop(r, p);
    else if (last)
        begin_to_linger(r, p, now_ms);
    pthread_mutex_unlock(&r->lock);
    plan_unref(p);
}

void registry_retire(struct registry *r, struct plan *p)
{
    pthread_mutex_lock(&r->lock);
    if (!p->retired && p->users == 0) {
        stop_lingering(r, p);
        drop(r, p); /* nobody will release it */
    } else {
        unlist(r, p);
    }
    pthread_mutex_unlock(&r->lock);
}

void registry_reseed(struct registry *r, struct plan *p)
{
    post_to_reader(r, p, R_RESEED);
}

void registry_tell_reader(struct registry *r, struct msg *m)
{
    reader_post(r->reader, m);
}

size_t registry_count(struct registry *r, size_t *lingering)
{
    pthread_mutex_lock(&r->lock);
    size_t n = r->nplans;
    *lingering = r->nidle;
    pthread_mutex_unlock(&r->lock);
    return n;
}

void registry_each(struct registry *r, void (*fn)(void *arg, struct plan *p), void *arg)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry *e = r->buckets[i]; e; e = e->next)
            fn(arg, e->plan);
    pthread_mutex_unlock(&r->lock);
}
