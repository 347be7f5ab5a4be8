/*
 * loop: see loop.h.
 */
#include "daemon/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/admission.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/conn.h"
#include "daemon/cut.h"
#include "daemon/dispatch.h"
#include "daemon/drain.h"
#include "daemon/fanout.h"
#include "daemon/log.h"
#include "daemon/loop_int.h"
#include "daemon/reask.h"
#include "daemon/plan.h"
#include "daemon/server.h"
#include "daemon/thread.h"
#include "daemon/watch.h"
#include "engine/base/alloc.h"

/* ---- the mailbox --------------------------------------------------------------------------- */

static void begin_drain(struct loop *l, uint64_t until_ms)
{
    l->draining = true;
    l->drain_until_ms = until_ms;
    for (struct conn *c = l->conns; c; c = c->next) {
        if (until_ms == 0)
            conn_end(c, "shutting down");
        else
            conn_drain(c);
    }
}

static void take_progress(struct loop *l, struct lmsg_progress *m)
{
    lsn_t *passed = &l->passed[worker_no(m->worker)];
    bool back = m->lsn < *passed;
    *passed = m->lsn;
    if (back)
        cut_turned_back(l);
    l->cuts_due = true;
    free(m);
}

void loop_handle_message(struct loop *l, struct msg *m)
{
    switch (m->kind) {
    case L_SNAPSHOT:
    case L_CATCHUP:
    case L_DIFFERENCE:
    case L_RESUME:
    case L_DELTA:
    case L_FAILED:
    case L_ENDED:
    case L_HOLDS:
    case L_DIVERGED:
    case L_STALE: fanout_plan_message(l, (struct lmsg_plan *)m); break;
    case L_PROGRESS: take_progress(l, (struct lmsg_progress *)m); break;
    case L_ANALYZED: dispatch_analyzed(l, (struct analysis *)m); break;
    case L_EXPLAINED: dispatch_explained(l, (struct lmsg_explained *)m); break;
    case L_VERIFIED: dispatch_verified(l, (struct lmsg_verified *)m); break;
    case L_MARKS: marks_take(l, (struct lmsg_marks *)m); break;
    case L_SYNCED: cut_sync_answered(l, (struct sync_request *)m); break;
    case L_ADOPT:
        conn_adopt(l, ((struct lmsg_adopt *)m)->fd, &((struct lmsg_adopt *)m)->peer);
        free(m);
        break;
    case L_DRAIN:
        begin_drain(l, ((struct lmsg_drain *)m)->until_ms);
        free(m);
        break;
    default: assert(!"a message that loops don't take");
    }
}

static void take_messages(struct loop *l)
{
    *l->inbox_end = mailbox_take(&l->box);
    while (*l->inbox_end)
        l->inbox_end = &(*l->inbox_end)->next;
}

static struct msg *first_of(struct msg **list, struct msg ***end)
{
    struct msg *m = *list;
    if (!m)
        return NULL;
    *list = m->next;
    if (!*list)
        *end = list;
    return m;
}

struct msg *loop_next_message(struct loop *l)
{
    struct msg *m = first_of(&l->inbox, &l->inbox_end);
    if (m)
        atomic_fetch_sub_explicit(&l->backlog, 1, memory_order_relaxed);
    return m;
}

struct msg *loop_next_answer(struct loop *l)
{
    return first_of(&l->answers, &l->answers_end);
}

void loop_put_aside(struct loop *l, struct msg *m)
{
    m->next = NULL;
    *l->answers_end = m;
    l->answers_end = &m->next;
}

static void wake_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    take_messages(arg);
}

void loop_post(struct loop *l, struct msg *m)
{
    atomic_fetch_add_explicit(&l->backlog, 1, memory_order_relaxed);
    mailbox_post(&l->box, m);
}

size_t loop_backlog(const struct loop *l)
{
    bool ended = atomic_load_explicit(&l->ended, memory_order_relaxed);
    return ended ? 0 : atomic_load_explicit(&l->backlog, memory_order_relaxed);
}

int loop_no(const struct loop *l)
{
    return l->no;
}

/* ---- once a second ------------------------------------------------------------------------- */

static void look_at_config(struct loop *l)
{
    const struct config *cfg = config_current();
    l->output_limit = (size_t)cfg->limits_output_bytes;
    l->pending_limit = (size_t)cfg->limits_requests_per_connection;
    l->subs_limit = (size_t)cfg->limits_subscriptions_per_connection;
    l->all_subs_limit = (size_t)cfg->limits_subscriptions;
    l->all_output_limit = (size_t)cfg->limits_output_total_bytes;
    l->first_request_ms = (uint64_t)cfg->limits_first_request_ms;
    l->line_time_ms = (uint64_t)cfg->limits_line_time;
    l->linger_ms = (uint64_t)cfg->engine_linger;
    config_unref(cfg);
}

static void tick_cb(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    (void)fd, (void)what;
    look_at_config(l);
    reask_tick(l);
    if (l->no == 0 && l->now_ms >= l->linger_ms)
        registry_expire(l->server->registry, l->now_ms - l->linger_ms);
    for (struct conn *c = l->conns; c; c = c->next) {
        conn_tick(c);
        if (l->draining && l->now_ms >= l->drain_until_ms)
            conn_end(c, "didn't read in time while shutting down");
    }
}

/* ---- the thread ---------------------------------------------------------------------------- */

void loop_run(struct loop *l)
{
    struct timeval second = {.tv_sec = 1};
    event_add(l->wake, NULL);
    event_add(l->tick, &second);
    while (!l->stopped) {
        event_base_loop(l->base, EVLOOP_ONCE | (loop_has_work(l) ? EVLOOP_NONBLOCK : 0));
        l->now_ms = clock_ms();
        loop_finish_turn(l);
    }
    atomic_store_explicit(&l->ended, true, memory_order_relaxed);
}

static void *thread_main(void *arg)
{
    loop_run(arg);
    return NULL;
}

void loop_start(struct loop *l)
{
    thread_start(&l->thread, "loop", thread_main, l);
}

void loop_join(struct loop *l)
{
    pthread_join(l->thread, NULL);
}

/* ---- life ---------------------------------------------------------------------------------- */

struct loop *loop_new(int no, struct server *server, size_t nworkers)
{
    struct loop *l = NEW(struct loop);
    struct event_config *ec = event_config_new();
    l->no = no;
    l->server = server;
    l->passed = xcalloc(nworkers, sizeof *l->passed);
    l->now_ms = clock_ms();
    mailbox_init(&l->box);
    l->inbox_end = &l->inbox;
    l->answers_end = &l->answers;
    l->ready.end = &l->ready.first;
    l->dirty.end = &l->dirty.first;
    l->late.end = &l->late.first;
    /* Each base belongs to one thread: no locks in it. */
    event_config_set_flag(ec, EVENT_BASE_FLAG_NOLOCK);
    l->base = event_base_new_with_config(ec);
    event_config_free(ec);
    if (!l->base)
        start_failed("an event base");
    event_base_priority_init(l->base, 2);
    l->wake = event_new(l->base, l->box.efd, EV_READ | EV_PERSIST, wake_cb, l);
    event_priority_set(l->wake, 0); /* messages don't wait for sockets */
    l->tick = event_new(l->base, -1, EV_PERSIST, tick_cb, l);
    table_init(&l->subs);
    table_init(&l->sub_ids);
    table_init(&l->fans);
    rest_init(l);
    table_init(&l->statements);
    table_init(&l->questions);
    buf_init(&l->line);
    buf_init(&l->rest);
    arena_init(&l->parsed);
    look_at_config(l);
    return l;
}

/* What others have posted after the end: each message gives back what it holds. */
static void drop(struct loop *l, struct msg *m)
{
    switch (m->kind) {
    case L_ADOPT:
        close(((struct lmsg_adopt *)m)->fd);
        admission_leave(l->server->admission, &((struct lmsg_adopt *)m)->peer);
        free(m);
        break;
    case L_PROGRESS: /* the workers are gone already */
    case L_DRAIN: free(m); break;
    default: loop_handle_message(l, m); /* nobody is left whom it could concern */
    }
}

void loop_free(struct loop *l)
{
    assert(!l->conns);
    take_messages(l);
    for (struct msg *m; (m = loop_next_answer(l));)
        loop_handle_message(l, m);
    for (struct msg *m; (m = loop_next_message(l));)
        drop(l, m);
    mailbox_fini(&l->box);
    event_free(l->wake);
    event_free(l->tick);
    rest_fini(l);
    event_base_free(l->base);
    table_fini(&l->subs);
    table_fini(&l->sub_ids);
    table_fini(&l->fans);
    table_fini(&l->questions);
    table_fini(&l->statements);
    buf_fini(&l->line);
    buf_fini(&l->rest);
    arena_fini(&l->parsed);
    free(l->passed);
    free(l);
}
