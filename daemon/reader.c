/*
 * reader: the thread's life, its mailbox, and what other threads see of it. See reader.h; what it
 * does while it streams is in reader_stream.c.
 *
 *                open                      lost, or it makes no sense
 *   CONNECTING ─────────▶ STREAMING ─────────────────────────────────▶ CONNECTING, after a pause
 *        └────────────────────┴───────────── R_STOP ──▶ STOPPED (slot dropped)
 *
 * With a named slot a connection that is lost costs little: what the stream has carried is kept
 * meanwhile (`kept`), rows too if it was between two transactions, and if the slot still stands there
 * the stream goes on. Else nothing is known any more and tables are read again.
 */
#include "daemon/reader_int.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/pgconn.h"
#include "daemon/rerun.h"
#include "daemon/thread.h"

#define RING_XIDS  (256u * 1024)
#define SEED_PARTS 16
#define CLOSE_MS   2000
#define ALIVE_MS   30000
#define STABLE_MS  10000 /* a session of this length was a good one */

/* ---- for other threads --------------------------------------------------------------------- */

static void tell_verdict(void *arg, const struct feed_asker *who, const struct verdict *v)
{
    struct lmsg_verified *m = NEW(struct lmsg_verified);
    (void)arg;
    m->m.kind = L_VERIFIED;
    m->sub = who->sub;
    m->verdict = verdict_copy(v);
    loop_post(who->loop, &m->m);
}

struct reader *reader_new(const struct config *cfg)
{
    struct reader *r = NEW(struct reader);
    r->cfg = cfg;
    mailbox_init(&r->box);
    pthread_mutex_init(&r->lock, NULL);
    feed_init(&r->feed, &r->out);
    r->feed.tell = tell_verdict;
    r->feed.limits = (struct feed_limits){.retry_min = (uint64_t)cfg->postgres_reconnect_min,
                                          .retry_max = (uint64_t)cfg->postgres_reconnect_max,
                                          .rerun_interval = (uint64_t)cfg->engine_rerun_interval,
                                          .seed_parts = SEED_PARTS};
    r->feed.ing.max_txn_bytes = (size_t)cfg->postgres_transaction_bytes;
    r->feed.ing.max_pending_bytes = (size_t)cfg->postgres_pending_bytes;
    ring_init(&r->feed.ing.ring, (size_t)cfg->postgres_ring_bytes, RING_XIDS);
    r->feed.ing.marks_wanted = &r->marks_wanted;
    atomic_store(&r->round_at, clock_ms());
    return r;
}

void reader_set_workers(struct reader *r, struct worker *const *workers, size_t n)
{
    r->out.workers = workers;
    r->out.nworkers = n;
}

void reader_set_hydrator(struct reader *r, void (*post)(void *arg, struct msg *job), void *arg)
{
    r->feed.ask = post;
    r->feed.ask_arg = arg;
}

void reader_set_rerun(struct reader *r, void (*post)(void *arg, struct msg *job), void *arg)
{
    r->feed.ask_rerun = post;
    r->feed.ask_rerun_arg = arg;
}

void reader_set_verifier(struct reader *r, void (*post)(void *arg, struct msg *job), void *arg)
{
    r->feed.ask_check = post;
    r->feed.ask_check_arg = arg;
}

void reader_post(struct reader *r, struct msg *m)
{
    mailbox_post(&r->box, m);
}

void reader_status(struct reader *r, struct reader_status *out)
{
    pthread_mutex_lock(&r->lock);
    *out = r->status;
    pthread_mutex_unlock(&r->lock);
    out->applied = atomic_load_explicit(&r->applied, memory_order_acquire);
    out->received = atomic_load_explicit(&r->received, memory_order_relaxed);
}

lsn_t reader_turned_at(const struct reader *r)
{
    return atomic_load(&r->turned_at);
}

void reader_explain(struct reader *r, const struct err *why)
{
    pthread_mutex_lock(&r->lock);
    if (r->status.state == STREAM_CONNECTING)
        r->status.last_error = *why;
    pthread_mutex_unlock(&r->lock);
}

void reader_want_marks(struct reader *r, bool more)
{
    atomic_fetch_add_explicit(&r->marks_wanted, more ? 1 : (size_t)-1, memory_order_relaxed);
}

bool reader_is_alive(const struct reader *r)
{
    return clock_ms() - atomic_load_explicit(&r->round_at, memory_order_relaxed) < ALIVE_MS;
}

void reader_publish_positions(struct reader *r)
{
    atomic_store_explicit(&r->received, r->feed.ing.position, memory_order_relaxed);
    atomic_store_explicit(&r->applied, r->out.lsn, memory_order_release);
}

void reader_publish_status(struct reader *r, enum stream_state state, const struct err *err)
{
    struct reader_status s = {.state = state,
                              .txns = r->feed.ing.txns,
                              .changes = r->feed.ing.changes,
                              .store_bytes = feed_store_bytes(&r->feed),
                              .store_rows = feed_store_rows(&r->feed),
                              .tables_waiting = feed_tables_waiting(&r->feed),
                              .verify = r->feed.check.stats};
    if (s.tables_waiting)
        s.table_error = r->feed.table_err;
    feed_publish_store_bytes(&r->feed);
    reader_publish_positions(r);
    pthread_mutex_lock(&r->lock);
    if (err)
        s.last_error = *err;
    else if (state != STREAM_STREAMING)
        s.last_error = r->status.last_error;
    r->status = s;
    pthread_mutex_unlock(&r->lock);
}

/* ---- mailbox ------------------------------------------------------------------------------- */

static void handle(struct reader *r, struct msg *m)
{
    switch ((enum reader_msg_kind)m->kind) {
    case R_ADD_PLAN: feed_add_plan(&r->feed, ((struct rmsg_plan *)m)->plan); break;
    case R_RESEED:
        feed_reseed(&r->feed, ((struct rmsg_plan *)m)->plan, clock_ms());
        plan_unref(((struct rmsg_plan *)m)->plan);
        break;
    case R_DROP_PLAN:
        feed_drop_plan(&r->feed, ((struct rmsg_plan *)m)->plan);
        plan_unref(((struct rmsg_plan *)m)->plan);
        break;
    case R_HYDRATED: feed_hydrated(&r->feed, (struct hydrate_job *)m); return; /* freed there */
    case R_ANSWERED: feed_answered(&r->feed, (struct rerun_job *)m); return;   /* likewise */
    case R_SCHEMA_CHANGED: {
        struct rmsg_schema *s = (struct rmsg_schema *)m;
        feed_schema_changed(&r->feed, s->relids, s->n);
        free(s->relids);
        break;
    }
    case R_TREE_CHANGED: {
        struct rmsg_tree *t = (struct rmsg_tree *)m;
        feed_tree_changed(&r->feed, t->table, t->leaves, t->n);
        free(t->leaves);
        break;
    }
    case R_VERIFY: {
        struct rmsg_verify *v = (struct rmsg_verify *)m;
        feed_verify(&r->feed, v->plan, &(struct feed_asker){v->loop, v->sub});
        plan_unref(v->plan);
        break;
    }
    case R_CHECKED: {
        struct rmsg_checked *c = (struct rmsg_checked *)m;
        feed_checked(&r->feed, c->plan, &c->verdict);
        plan_unref(c->plan);
        break;
    }
    case R_VISIBLE: {
        struct rmsg_visible *v = (struct rmsg_visible *)m;
        feed_visible(&r->feed, &v->snap);
        snapshot_fini(&v->snap);
        break;
    }
    case R_STOP: atomic_store(&r->stopping, true); break;
    }
    free(m);
}

void reader_serve_mailbox(struct reader *r)
{
    assert(!r->feed.ing.in_txn);
    for (struct msg *m = mailbox_take(&r->box), *next; m; m = next) {
        next = m->next;
        handle(r, m);
    }
}

void reader_sign_of_life(struct reader *r)
{
    atomic_store_explicit(&r->round_at, clock_ms(), memory_order_relaxed);
}

/* Waits for fd (-1: for nothing) and serves the mailbox meanwhile. False: stop. */
static bool wait_for(void *arg, int fd, short events, int timeout_ms)
{
    struct reader *r = arg;
    struct pollfd p[2] = {{.fd = r->box.efd, .events = POLLIN}, {.fd = fd, .events = events}};
    poll(p, fd < 0 ? 1 : 2, timeout_ms);
    reader_sign_of_life(r);
    reader_serve_mailbox(r);
    return !atomic_load(&r->stopping);
}

/* ---- sessions ------------------------------------------------------------------------------ */

/* A server with another history can't be caught up with: LSNs that clients hold mean nothing there,
 * and after a failover commits that they were told of may be missing. All statements are asked again,
 * and not of the server before. */
static void check_history(struct reader *r, const struct walsender_info *info)
{
    struct err err;
    bool other = r->system_id && r->system_id != info->system_id;
    bool promoted = r->system_id && r->timeline != info->timeline;
    bool elsewhere = r->system_id && r->database != info->database;
    bool back = r->system_id && info->start < r->feed.ing.position;
    r->system_id = info->system_id;
    r->database = info->database;
    r->timeline = info->timeline;
    if (!other && !promoted && !elsewhere && !back)
        return;
    err_set(&err, "55000", "the server's history is not the one seen before (%s)",
            other       ? "another cluster"
            : promoted  ? "another timeline"
            : elsewhere ? "another database"
                        : "its WAL position has gone back");
    log_warn("%s; all plans are made anew", err.message);
    if (r->feed.ing.position > atomic_load(&r->turned_at))
        atomic_store(&r->turned_at, r->feed.ing.position);
    pgconn_renew();
    reader_serve_mailbox(r);
    feed_end_all(&r->feed, &err);
    r->out.lsn = 0;
}

bool reader_is_redirected(const struct reader *r, const struct config *cfg, struct err *err)
{
    if (!r->conninfo || pgconn_is_same_target(r->conninfo, cfg->postgres_conninfo))
        return false;
    err_set(err, ERR_CANNOT_CONNECT_NOW, "postgres.conninfo has changed");
    return true;
}

static struct walsender *open_stream(struct reader *r, struct walsender_info *info, struct err *err)
{
    const struct config *cfg = config_current();
    struct err redirected;
    if (reader_is_redirected(r, cfg, &redirected))
        pgconn_renew();
    free(r->conninfo);
    r->conninfo = xstrdup(cfg->postgres_conninfo);
    struct walsender *ws = walsender_open(cfg, wait_for, r, &r->ws_memory, info, err);
    config_unref(cfg);
    return ws;
}

static void begin_anew(struct reader *r, struct walsender_info *info)
{
    if (r->kept)
        feed_suspend(&r->feed);
    check_history(r, info);
    if (r->feed.postmaster_start && r->feed.postmaster_start != info->postmaster_start)
        pgconn_renew();
    feed_resume(&r->feed, info->start, info->origin, info->postmaster_start);
}

static bool connect_once(struct reader *r, struct err *err)
{
    struct walsender_info info;
    char lsn[LSN_TEXT_MAX];
    reader_publish_status(r, STREAM_CONNECTING, NULL);
    r->ws = open_stream(r, &info, err);
    if (!r->ws)
        return false;
    log_repeat_end(&r->trouble);
    lsn_print(info.start, lsn);
    log_info("streaming from %s, timeline %" PRIu32 "%s", lsn, info.timeline,
             info.resumed ? ": nothing was missed" : "");
    if (info.resumed)
        feed_go_on(&r->feed);
    else
        begin_anew(r, &info);
    r->kept = false;
    reader_publish_status(r, STREAM_STREAMING, NULL);
    return true;
}

/* A pause that grows with each failure in a row, during which the mailbox is served. */
static void pause_before_retry(struct reader *r, uint64_t *pause)
{
    uint64_t until = clock_ms() + *pause, now;
    while ((now = clock_ms()) < until && wait_for(r, -1, 0, (int)(until - now)))
        ;
    *pause = *pause * 2;
    if (*pause > (uint64_t)r->cfg->postgres_reconnect_max)
        *pause = (uint64_t)r->cfg->postgres_reconnect_max;
}

/* Once, not at every attempt. */
static void log_trouble(struct reader *r, const struct err *err)
{
    char text[sizeof err->message + sizeof err->hint + 64];
    snprintf(text, sizeof text, "no stream from Postgres: %s%s%s", err->message,
             err->hint[0] ? "; hint: " : "", err->hint);
    log_repeat(&r->trouble, LOG_LEVEL_WARN, clock_ms(), text);
}

/* The connection is what was lost, not the stream: a walsender that fails on what it decodes would
 * fail on it again. */
static bool may_go_on(const struct reader *r, const struct err *err)
{
    return r->cfg->postgres_slot[0] && strncmp(err->sqlstate, "57P", 3) == 0;
}

static void end_session(struct reader *r, const struct err *err)
{
    bool stopping = atomic_load(&r->stopping);
    r->kept = !stopping && may_go_on(r, err);
    r->ws_memory.resume_at = r->kept ? r->feed.ing.position : 0;
    if (r->kept)
        feed_cut_off(&r->feed);
    else if (!stopping)
        feed_suspend(&r->feed);
    else if (!r->feed.ing.in_txn)
        feed_flush(&r->feed);
    walsender_close(r->ws, stopping, CLOSE_MS);
    r->ws = NULL;
}

static void *reader_main(void *arg)
{
    struct reader *r = arg;
    struct err err;
    uint64_t pause = (uint64_t)r->cfg->postgres_reconnect_min;
    while (!atomic_load(&r->stopping)) {
        err_clear(&err);
        if (connect_once(r, &err)) {
            uint64_t since = clock_ms();
            reader_stream(r, &err);
            if (clock_ms() - since > STABLE_MS)
                pause = (uint64_t)r->cfg->postgres_reconnect_min;
            end_session(r, &err);
        }
        if (atomic_load(&r->stopping))
            break;
        log_trouble(r, &err);
        reader_publish_status(r, STREAM_CONNECTING, &err);
        pause_before_retry(r, &pause);
    }
    reader_publish_status(r, STREAM_STOPPED, NULL);
    return NULL;
}

void reader_start(struct reader *r)
{
    r->started = true;
    thread_start(&r->thread, "reader", reader_main, r);
}

void reader_stop(struct reader *r)
{
    struct msg *m = NEW(struct msg);
    m->kind = R_STOP;
    atomic_store(&r->stopping, true);
    reader_post(r, m);
    if (r->started)
        pthread_join(r->thread, NULL);
    r->started = false;
}

static void discard(struct msg *m)
{
    switch ((enum reader_msg_kind)m->kind) {
    case R_ADD_PLAN:
    case R_RESEED:
    case R_DROP_PLAN: plan_unref(((struct rmsg_plan *)m)->plan); break;
    case R_HYDRATED: hydrate_job_free((struct hydrate_job *)m); return;
    case R_ANSWERED: rerun_job_free((struct rerun_job *)m); return;
    case R_VERIFY: plan_unref(((struct rmsg_verify *)m)->plan); break;
    case R_CHECKED:
        plan_unref(((struct rmsg_checked *)m)->plan);
        verdict_fini(&((struct rmsg_checked *)m)->verdict);
        break;
    case R_SCHEMA_CHANGED: free(((struct rmsg_schema *)m)->relids); break;
    case R_TREE_CHANGED: free(((struct rmsg_tree *)m)->leaves); break;
    case R_VISIBLE: snapshot_fini(&((struct rmsg_visible *)m)->snap); break;
    case R_STOP: break;
    }
    free(m);
}

/* After the stop, when nobody posts any more. The workers may be gone already. */
void reader_free(struct reader *r)
{
    for (struct msg *m = mailbox_take(&r->box), *next; m; m = next) {
        next = m->next;
        discard(m);
    }
    free(r->conninfo);
    feed_fini(&r->feed);
    outbox_fini(&r->out);
    mailbox_fini(&r->box);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
