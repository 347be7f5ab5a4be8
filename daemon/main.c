/*
 * main: puts the daemon together, runs it, and takes it apart.
 *
 *     reader ──steps──▶ workers ──payloads──▶ loops ◀──▶ clients
 *       │ ▲                ▲                    │
 *       ▼ │ tables         └── registry ◀── analyst: statements
 *     hydrator, rerun   watch: the catalog, the WAL's position
 *
 * Each box is a thread (or several) with a mailbox; nothing else is shared but the registry. What is
 * made first is freed last, and threads end in the direction of the flow: when the loops have let
 * their clients go, nobody asks for anything any more; then the reader stops giving steps to the
 * workers. Messages still under way are freed with the mailbox they lie in.
 */
#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "daemon/admission.h"
#include "daemon/analyst.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/drain.h"
#include "daemon/hydrate.h"
#include "daemon/libs.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/reader.h"
#include "daemon/rerun.h"
#include "daemon/server.h"
#include "daemon/version.h"
#include "daemon/watch.h"
#include "daemon/worker.h"
#include "engine/base/alloc.h"

/* The clients are gone; if the threads don't end within this time, the process does. */
#define STOP_LIMIT_S 30

static struct server server;

static void make_threads(struct server *s, const struct config *cfg)
{
    struct plan_limits limits = {
        .max_rows = (uint64_t)cfg->limits_result_rows,
        .history_bytes = (uint64_t)cfg->limits_history_bytes,
        .plan_bytes = (uint64_t)cfg->limits_plan_bytes,
    };
    s->nworkers = (size_t)cfg->engine_workers;
    s->nloops = (size_t)cfg->engine_io_threads;
    s->loops = xcalloc(s->nloops, sizeof(struct loop *));
    s->workers = xcalloc(s->nworkers, sizeof(struct worker *));
    for (size_t i = 0; i < s->nloops; i++)
        s->loops[i] = loop_new((int)i, s, s->nworkers);
    for (size_t i = 0; i < s->nworkers; i++)
        s->workers[i] =
            worker_new((int)i, &limits, (size_t)cfg->limits_delegated_bytes, s->loops, s->nloops);
    s->reader = reader_new(cfg);
    reader_set_workers(s->reader, s->workers, s->nworkers);
    s->registry = registry_new(s->workers, s->nworkers, s->reader, (size_t)cfg->limits_plans);
    s->hydrator = hydrator_new(cfg, s->reader);
    reader_set_hydrator(s->reader, hydrator_post, s->hydrator);
    s->rerun = rerun_new("rerun", s->reader);
    reader_set_rerun(s->reader, rerun_post, s->rerun);
    s->verifier = rerun_new("verifier", s->reader);
    reader_set_verifier(s->reader, rerun_post, s->verifier);
    s->analyst = analyst_new(cfg, s->registry);
    s->watch = watch_new(cfg, s->reader, s->registry);
    s->memory = memory_new(s);
}

static void start_threads(struct server *s)
{
    for (size_t i = 0; i < s->nworkers; i++)
        worker_start(s->workers[i]);
    hydrator_start(s->hydrator);
    rerun_start(s->rerun);
    rerun_start(s->verifier);
    reader_start(s->reader);
    analyst_start(s->analyst);
    watch_start(s->watch);
    memory_start(s->memory);
    for (size_t i = 1; i < s->nloops; i++)
        loop_start(s->loops[i]);
}

static void stop_threads(struct server *s)
{
    for (size_t i = 1; i < s->nloops; i++)
        loop_join(s->loops[i]);
    memory_stop(s->memory);
    analyst_stop(s->analyst);
    watch_stop(s->watch);
    reader_stop(s->reader);
    rerun_stop(s->rerun);
    rerun_stop(s->verifier);
    hydrator_stop(s->hydrator);
    for (size_t i = 0; i < s->nworkers; i++)
        worker_stop(s->workers[i]);
}

/* Workers before loops, loops before the registry: what lies in a mailbox may be passed on once
 * more, to one that still exists. */
static void free_threads(struct server *s)
{
    memory_free(s->memory);
    analyst_free(s->analyst);
    watch_free(s->watch);
    for (size_t i = 0; i < s->nworkers; i++)
        worker_free(s->workers[i]);
    for (size_t i = 0; i < s->nloops; i++)
        loop_free(s->loops[i]);
    rerun_free(s->rerun);
    rerun_free(s->verifier);
    hydrator_free(s->hydrator);
    reader_free(s->reader);
    registry_free(s->registry);
    listener_free(s->listener);
    admission_free(s->admission);
    free(s->workers);
    free(s->loops);
}

/* Every client is a descriptor: take as many as we are allowed. */
static void raise_descriptor_limit(void)
{
    struct rlimit rl;
    if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
        rl.rlim_cur = rl.rlim_max;
        setrlimit(RLIMIT_NOFILE, &rl);
    }
}

/* The C library's idea of local time is the one that conversions between timestamps use. */
static void set_timezone(const struct config *cfg)
{
    setenv("TZ", cfg->engine_timezone, 1);
    tzset();
}

static void libevent_log_cb(int severity, const char *text)
{
    if (severity >= EVENT_LOG_WARN)
        log_warn("libevent: %s", text);
}

static int run(const struct config *cfg, const struct config_source *source)
{
    struct err err;
    server.started_ms = clock_ms();
    log_info("palimpsestd %s starts, %lld workers, %lld io threads", PALIMPSEST_VERSION,
             (long long)cfg->engine_workers, (long long)cfg->engine_io_threads);
    server.listener = listener_new(&server, cfg, &err);
    if (!server.listener) {
        log_error("%s", err.message);
        return 1;
    }
    make_threads(&server, cfg);
    server.admission = admission_new(&server);
    start_threads(&server);
    struct loop *first = server.loops[0];
    struct supervisor *sup = supervisor_new(&server, first, source);
    listener_start(server.listener, first);
    loop_run(first);
    supervisor_free(sup);
    alarm(STOP_LIMIT_S);
    stop_threads(&server);
    free_threads(&server);
    log_info("ended");
    return 0;
}

static int start(const struct options *o)
{
    struct err err;
    struct config *cfg = config_load(&o->source, &err);
    if (!cfg) {
        fprintf(stderr, "palimpsestd: %s\n", err.message);
        if (err.hint[0])
            fprintf(stderr, "palimpsestd: %s\n", err.hint);
        return 1;
    }
    if (o->action == OPTIONS_CHECK) {
        config_unref(cfg);
        puts("the configuration is valid");
        return 0;
    }
    log_set_level((enum log_level)cfg->log_level);
    set_timezone(cfg);
    config_publish(cfg);
    const struct config *current = config_current();
    int status = run(current, &o->source);
    config_unref(current);
    config_publish(NULL);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    log_init();
    notify_init();
    signals_block();
    libs_use_our_allocator();
    event_set_log_callback(libevent_log_cb);
    raise_descriptor_limit();
    options_parse(&o, argc, argv);
    int status = o.action == OPTIONS_EXIT ? o.status : start(&o);
    options_fini(&o);
    return status;
}
