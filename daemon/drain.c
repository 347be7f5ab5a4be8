/*
 * drain: see drain.h. All on the first loop's thread.
 */
#include "daemon/drain.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/reader.h"
#include "daemon/server.h"
#include "daemon/thread.h"
#include "daemon/worker.h"

/* A worker with steps waiting and no progress for so long is taken for dead: no sign of life is
 * given for it, and the service manager restarts us. */
#define STUCK_MS 30000

struct worker_pulse {
    uint64_t steps; /* done when last looked at */
    uint64_t since_ms;
};

struct supervisor {
    struct server *server;
    const struct config_source *source; /* borrowed */
    int fd;
    struct event *signals, *pulse; /* owned */
    bool ready, draining;
    struct worker_pulse *workers; /* owned */
    uint64_t next_sign_ms;
};

static void fill(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void signals_block(void)
{
    sigset_t set;
    fill(&set);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* ---- the end ------------------------------------------------------------------------------- */

static void drain_loops(struct server *srv, uint64_t until_ms)
{
    for (size_t i = 0; i < srv->nloops; i++) {
        struct lmsg_drain *m = NEW(struct lmsg_drain);
        m->m.kind = L_DRAIN;
        m->until_ms = until_ms;
        loop_post(srv->loops[i], &m->m);
    }
}

static void drain(struct supervisor *s, const char *signal_name)
{
    if (s->draining) {
        log_warn("%s again: closing all connections now", signal_name);
        drain_loops(s->server, 0);
        return;
    }
    const struct config *cfg = config_current();
    uint64_t limit_ms = (uint64_t)cfg->daemon_drain_timeout;
    config_unref(cfg);
    log_info("%s: shutting down", signal_name);
    s->draining = true;
    notify_stopping();
    listener_stop(s->server->listener);
    drain_loops(s->server, clock_ms() + limit_ms);
}

/* ---- reload -------------------------------------------------------------------------------- */

static void report(const bool changed[CONFIG_COUNT], const bool refused[CONFIG_COUNT])
{
    for (enum config_key k = 0; k < CONFIG_COUNT; k++) {
        if (changed[k])
            log_info("reload: %s has changed", config_key_name(k));
        if (refused[k])
            log_warn("reload: %s can be changed by a restart only", config_key_name(k));
    }
}

static void reload(struct supervisor *s)
{
    bool changed[CONFIG_COUNT] = {0}, refused[CONFIG_COUNT] = {0};
    struct err err;
    notify_reloading();
    const struct config *old = config_current();
    struct config *cfg = config_reload(old, s->source, changed, refused, &err);
    config_unref(old);
    if (cfg) {
        report(changed, refused);
        log_set_level((enum log_level)cfg->log_level);
        config_publish(cfg);
        log_info("configuration reloaded");
    } else {
        log_error("reload: %s; the old configuration stays", err.message);
    }
    notify_ready();
}

static void signal_cb(evutil_socket_t fd, short what, void *arg)
{
    struct supervisor *s = arg;
    struct signalfd_siginfo si;
    (void)what;
    while (read(fd, &si, sizeof si) == (ssize_t)sizeof si) {
        if (si.ssi_signo == SIGHUP)
            reload(s);
        else
            drain(s, si.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
    }
}

/* ---- signs of life ------------------------------------------------------------------------- */

static bool is_stuck(struct worker_pulse *p, struct worker *w, uint64_t now)
{
    uint64_t steps = COUNTED(worker_stats(w)->steps);
    if (steps != p->steps || worker_backlog(w) == 0) {
        p->steps = steps;
        p->since_ms = now;
    }
    return now - p->since_ms > STUCK_MS;
}

static bool all_alive(struct supervisor *s, uint64_t now)
{
    bool alive = reader_is_alive(s->server->reader);
    for (size_t i = 0; i < s->server->nworkers; i++)
        alive &= !is_stuck(&s->workers[i], s->server->workers[i], now);
    return alive;
}

static void tell_when_ready(struct supervisor *s)
{
    struct reader_status rs;
    reader_status(s->server->reader, &rs);
    if (s->ready || rs.state != STREAM_STREAMING)
        return;
    s->ready = true;
    notify_ready();
    log_info("ready");
}

/* Ten times a second until ready, then as often as the watchdog wants. */
static void pulse_cb(evutil_socket_t fd, short what, void *arg)
{
    struct supervisor *s = arg;
    uint64_t now = clock_ms(), every = notify_watchdog_ms();
    (void)fd, (void)what;
    tell_when_ready(s);
    if (every > 0 && now >= s->next_sign_ms && all_alive(s, now)) {
        notify_watchdog();
        s->next_sign_ms = now + every / 2;
    }
    uint64_t ms = !s->ready ? 100 : every > 0 && every < 2000 ? every / 2 : 1000;
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    event_add(s->pulse, &tv);
}

struct supervisor *supervisor_new(struct server *srv, struct loop *first,
                                  const struct config_source *source)
{
    struct supervisor *s = NEW(struct supervisor);
    sigset_t set;
    fill(&set);
    s->server = srv;
    s->source = source;
    s->workers = xcalloc(srv->nworkers, sizeof *s->workers);
    s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->fd < 0)
        start_failed("a signal descriptor");
    s->signals = event_new(first->base, s->fd, EV_READ | EV_PERSIST, signal_cb, s);
    s->pulse = evtimer_new(first->base, pulse_cb, s);
    event_add(s->signals, NULL);
    pulse_cb(-1, 0, s);
    return s;
}

void supervisor_free(struct supervisor *s)
{
    event_free(s->signals);
    event_free(s->pulse);
    close(s->fd);
    free(s->workers);
    free(s);
}
