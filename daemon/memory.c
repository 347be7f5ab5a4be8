/*
 * memory: see memory.h. Finding out how much there may be is in memory_limit.c.
 */
#include "daemon/memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/memory_limit.h"
#include "daemon/reader.h"
#include "daemon/server.h"
#include "daemon/thread.h"
#include "daemon/worker.h"
#include "engine/base/alloc.h"

#define RESERVE      (16u * 1024 * 1024)
#define LOOK_FAR_MS  50
#define LOOK_NEAR_MS 5 /* more than half of the limit is in use */
#define LOOK_ASK_MS  1000
#define LOOK_COST    20 /* of the time, looking takes at most one part in so many */
#define SPARE_MS     5000
#define SPARE_MIN    (16u * 1024 * 1024)
#define PATIENCE_MS  5000
#define WORTH_PART   64  /* of what is in use: a plan that large is worth ending */
#define NEXT_MS      200 /* for things to get better by themselves, before a plan is ended */

struct memory {
    struct server *server; /* borrowed */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;       /* under lock */
    uint64_t wait_until; /* ms: no plan is ended before */
    uint64_t used_then;
    uint64_t over_since; /* ms */
    bool said;           /* that the limit is reached */
    bool near;           /* more than half of it may be in use */
    uint64_t asked_at;   /* ms: the allocator */
    bool had_spare;      /* it held much that is not in use… */
    uint64_t spare_at;   /* …ms: when that is looked at again */
    int statm;
};

static atomic_uint_least64_t used, limit, plans_ended;
static atomic_bool over;

uint64_t memory_used(void)
{
    return atomic_load_explicit(&used, memory_order_relaxed);
}

uint64_t memory_limit(void)
{
    return atomic_load_explicit(&limit, memory_order_relaxed);
}

bool memory_is_over(void)
{
    return atomic_load_explicit(&over, memory_order_relaxed) || alloc_is_short();
}

uint64_t memory_plans_ended(void)
{
    return COUNTED(plans_ended);
}

void memory_refuse(const char *what, struct err *err)
{
    err_set(err, ERR_OUT_OF_MEMORY, "out of memory: %s", what);
    if (!atomic_load_explicit(&over, memory_order_relaxed))
        err_hint(err, "The system has no memory left for the daemon.");
    else
        err_hint(err, "limits.max_memory is %llu MiB, of which %llu are in use.",
                 (unsigned long long)memory_limit() >> 20, (unsigned long long)memory_used() >> 20);
}

bool memory_admit(const char *what, struct err *err)
{
    if (!memory_is_over())
        return true;
    memory_refuse(what, err);
    return false;
}

void memory_count_plan(void)
{
    COUNT(plans_ended, 1);
}

/* ---- looking ------------------------------------------------------------------------------- */

struct plans_seen {
    uint64_t bytes;
    struct plan *largest; /* one reference; NULL = none */
    uint64_t most;
};

static void see_plan(void *arg, struct plan *p)
{
    struct plans_seen *seen = arg;
    uint64_t bytes = COUNTED(p->bytes) + COUNTED(p->store_bytes);
    seen->bytes += COUNTED(p->bytes);
    if (seen->largest && bytes <= seen->most)
        return;
    plan_unref(seen->largest);
    seen->largest = plan_ref(p);
    seen->most = bytes;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* The sanitizer's allocator doesn't tell: the sum of what is accounted for. */
static uint64_t in_use(struct memory *m)
{
    struct reader_status rs;
    struct plans_seen seen = {0};
    reader_status(m->server->reader, &rs);
    registry_each(m->server->registry, see_plan, &seen);
    plan_unref(seen.largest);
    return seen.bytes + rs.store_bytes + COUNTED(m->server->output_queued);
}
#else
static uint64_t in_use(struct memory *m)
{
    struct mallinfo2 mi = mallinfo2();
    uint64_t bytes = mi.uordblks + mi.hblkhd, reserved = alloc_reserved();
    (void)m;
    return bytes > reserved ? bytes - reserved : 0;
}
#endif

/* Asking the allocator takes its locks and walks its free lists: seldom, while there is far to go. */
static uint64_t resident(const struct memory *m)
{
    char text[64] = "";
    unsigned long long total, pages = UINT64_MAX / 4096;
    if (m->statm >= 0 && pread(m->statm, text, sizeof text - 1, 0) > 0)
        (void)sscanf(text, "%llu %llu", &total, &pages);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What a storm left behind in the allocator's hands, if it is much and has not been used since the
 * look before. */
static void give_back(struct memory *m, uint64_t in_use_now)
{
    uint64_t pages = resident(m), spare = pages > in_use_now ? pages - in_use_now : 0;
    bool much = spare > SPARE_MIN && spare > in_use_now / 4;
    if (much && m->had_spare) {
        (void)malloc_trim(0);
        much = false;
    }
    m->had_spare = much;
}

static void look(struct memory *m)
{
    const struct config *cfg = config_current();
    uint64_t most = memory_limit_of(cfg), now = clock_ms();
    config_unref(cfg);
    m->near = alloc_is_short() || resident(m) > most / 2;
    if (!m->near && memory_limit() == most && now - m->asked_at < LOOK_ASK_MS)
        return;
    m->asked_at = now;
    uint64_t bytes = in_use(m);
    atomic_store_explicit(&limit, most, memory_order_relaxed);
    atomic_store_explicit(&used, bytes, memory_order_relaxed);
    atomic_store_explicit(&over, bytes > most, memory_order_relaxed);
    alloc_set_over(bytes > most);
    if (now >= m->spare_at) {
        give_back(m, bytes);
        m->spare_at = now + SPARE_MS;
    }
}

/* ---- too much ------------------------------------------------------------------------------ */

/* To end a small one helps nobody, unless there are only small ones. */
static void end_largest(struct memory *m, bool whatever)
{
    struct plans_seen seen = {0};
    registry_each(m->server->registry, see_plan, &seen);
    if (!seen.largest || (!whatever && seen.most < memory_used() / WORTH_PART)) {
        plan_unref(seen.largest);
        return;
    }
    struct wmsg_end *end = NEW(struct wmsg_end);
    end->m.kind = W_END;
    end->plan = seen.largest;
    memory_refuse("the plan was ended", &end->err);
    log_warn("memory: %llu of %llu MiB are in use: plan %s ends, with %llu MiB",
             (unsigned long long)memory_used() >> 20, (unsigned long long)memory_limit() >> 20,
             seen.largest->spec->key, (unsigned long long)seen.most >> 20);
    worker_post(seen.largest->worker, &end->m);
}

/* A step that takes too much is given up by itself, and what was ended goes in its own time: its worker
 * may be busy, its subscribers have to be told. So there is a pause while nothing gets better. */
static void shed(struct memory *m)
{
    uint64_t now = clock_ms();
    if (!memory_is_over()) {
        m->said = false;
        return;
    }
    if (!m->said)
        log_warn("memory: %llu of %llu MiB are in use%s", (unsigned long long)memory_used() >> 20,
                 (unsigned long long)memory_limit() >> 20,
                 alloc_is_short() ? ", and the system gives no more" : "");
    if (!m->said || memory_used() < m->used_then)
        m->wait_until = now + NEXT_MS;
    if (!m->said)
        m->over_since = now;
    registry_expire(m->server->registry, now + 1); /* nobody would miss them */
    m->said = true;
    m->used_then = memory_used();
    if (now < m->wait_until)
        return;
    m->wait_until = now + NEXT_MS;
    end_largest(m, now - m->over_since > PATIENCE_MS);
}

/* ---- the thread ---------------------------------------------------------------------------- */

/* False: stop. */
static bool sleep_ms(struct memory *m, uint64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&m->lock);
    while (!m->stopping && pthread_cond_timedwait(&m->wake, &m->lock, &until) == 0)
        ;
    bool go_on = !m->stopping;
    pthread_mutex_unlock(&m->lock);
    return go_on;
}

/* Refused again: then memory stays short. */
static void take_reserve_again(void)
{
    (void)malloc_trim(0);
    (void)alloc_reserve(RESERVE);
}

static void *memory_main(void *arg)
{
    struct memory *m = arg;
    uint64_t pause = LOOK_FAR_MS;
    while (sleep_ms(m, pause)) {
        uint64_t t0 = clock_ns();
        look(m);
        uint64_t cost_ms = (clock_ns() - t0) / 1000000;
        pause = m->near ? LOOK_NEAR_MS : LOOK_FAR_MS;
        if (pause < cost_ms * LOOK_COST)
            pause = cost_ms * LOOK_COST;
        if (alloc_is_short())
            take_reserve_again();
        shed(m);
    }
    return NULL;
}

struct memory *memory_new(struct server *server)
{
    struct memory *m = NEW(struct memory);
    pthread_condattr_t attr;
    m->server = server;
    m->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (!alloc_reserve(RESERVE))
        log_warn("memory: no reserve of %u MiB can be taken", RESERVE >> 20);
    look(m);
    log_info("memory: the limit is %llu MiB", (unsigned long long)memory_limit() >> 20);
    return m;
}

void memory_start(struct memory *m)
{
    thread_start(&m->thread, "memory", memory_main, m);
    m->started = true;
}

void memory_stop(struct memory *m)
{
    if (!m->started)
        return;
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    m->started = false;
}

void memory_free(struct memory *m)
{
    if (m->statm >= 0)
        close(m->statm);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
