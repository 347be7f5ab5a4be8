/*
 * reader: the thread. It waits on the replication connection and on its mailbox, and between them
 * moves what there is to move: messages into ingest, steps to the workers, jobs to the hydrator.
 *
 *              open                       lost, or the stream makes no sense
 *   CONNECTING ────▶ STREAMING ───────────────────────────────────────────▶ CONNECTING (after a
 * pause) └───────────────┴──────── R_STOP ──────▶ STOPPED (slot dropped)
 *
 * One round of the streaming loop: mailbox and feed (between transactions only), as many messages
 * as there are (bounded, so that the mailbox is served), steps, acknowledgement, sleep. What is
 * slow is not done here.
 */
#include "daemon/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/feed.h"
#include "daemon/log.h"
#include "daemon/walsender.h"

#define ACK_MS          2000  /* acknowledge at least so often, and when asked */
#define SILENCE_MS      10000 /* nothing came for so long: ask for a sign of life */
#define DEAD_MS         300000 /* no sign: a walsender busy with others' changes may be silent long */
#define ROUND_MESSAGES  20000  /* in one round */
#define NAP_IN_TXN_NS   300000 /* the rest of a transaction comes in pieces: let some gather */
#define NAP_IN_FLOOD_NS 100000
#define LARGE_TXN       64 /* messages */
#define SPIN_NS         20000
#define FLOOD_MESSAGES  32 /* so many at once, or… */
#define FLOOD_WINDOW_NS 5000000
#define FLOOD_TXNS      50  /* …so many in the window: see is_flooded() */
#define STATUS_MS       200 /* how old STATUS may be */
#define PROGRESS_MS     2   /* between two steps that carry nothing but a position */
#define FOLD_BYTES      (1u << 20)
#define RING_XIDS       (256u * 1024)
#define SEED_PARTS      16
#define CLOSE_MS        2000
#define ALIVE_MS        30000
#define STABLE_MS       10000 /* a session of this length was a good one */

struct reader {
    const struct config *cfg; /* borrowed: main's, of the start */
    pthread_t thread;
    bool started;
    struct mailbox box;
    atomic_bool stopping;
    struct outbox out;
    struct feed feed;
    struct walsender *ws; /* NULL: not connected */
    bool paused;          /* the workers have too much: read no more */
    bool seeding;         /* seeds are under way: read no more */
    bool wants_ack;
    uint64_t window_at, window_txns; /* ns; ingest's count then */
    bool flooded;
    size_t txn_messages; /* of the transaction under way, or the last one */
    uint64_t acked_at, heard_at, asked_at, progress_at; /* ms */
    uint64_t system_id;                      /* of the server last connected to; 0 = none yet */
    atomic_uint_least64_t round_at;          /* ms: for the watchdog */
    atomic_uint_least64_t received, applied; /* LSNs, fresher than status */
    pthread_mutex_t lock;                    /* of status */
    struct reader_status status;
};

/* ---- for other threads --------------------------------------------------------------------- */

struct reader *reader_new(const struct config *cfg)
{
    struct reader *r = NEW(struct reader);
    r->cfg = cfg;
    mailbox_init(&r->box);
    pthread_mutex_init(&r->lock, NULL);
    feed_init(&r->feed, &r->out);
    r->feed.limits = (struct feed_limits){.retry_min = (uint64_t)cfg->postgres_reconnect_min,
                                          .retry_max = (uint64_t)cfg->postgres_reconnect_max,
                                          .seed_parts = SEED_PARTS};
    r->feed.ing.max_txn_bytes = (size_t)cfg->postgres_transaction_bytes;
    r->feed.ing.max_pending_bytes = (size_t)cfg->postgres_pending_bytes;
    ring_init(&r->feed.ing.ring, (size_t)cfg->postgres_ring_bytes, RING_XIDS);
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

bool reader_is_alive(const struct reader *r)
{
    return clock_ms() - atomic_load_explicit(&r->round_at, memory_order_relaxed) < ALIVE_MS;
}

/* After every round. Who sees `applied` sees the `received` that it follows from. */
static void publish_positions(struct reader *r)
{
    atomic_store_explicit(&r->received, r->feed.ing.position, memory_order_relaxed);
    atomic_store_explicit(&r->applied, r->out.lsn, memory_order_release);
}

static void publish_status(struct reader *r, enum stream_state state, const struct err *err)
{
    struct reader_status s = {.state = state,
                              .txns = r->feed.ing.txns,
                              .changes = r->feed.ing.changes,
                              .store_bytes = feed_store_bytes(&r->feed),
                              .store_rows = feed_store_rows(&r->feed)};
    publish_positions(r);
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
    case R_DROP_PLAN:
        feed_drop_plan(&r->feed, ((struct rmsg_plan *)m)->plan);
        plan_unref(((struct rmsg_plan *)m)->plan);
        break;
    case R_HYDRATED: feed_hydrated(&r->feed, (struct hydrate_job *)m); return; /* freed there */
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

static void serve_mailbox(struct reader *r)
{
    assert(!r->feed.ing.in_txn);
    for (struct msg *m = mailbox_take(&r->box), *next; m; m = next) {
        next = m->next;
        handle(r, m);
    }
}

static void sign_of_life(struct reader *r)
{
    atomic_store_explicit(&r->round_at, clock_ms(), memory_order_relaxed);
}

/* Waits for fd (-1: for nothing) and serves the mailbox meanwhile. False: stop. */
static bool wait_for(void *arg, int fd, short events, int timeout_ms)
{
    struct reader *r = arg;
    struct pollfd p[2] = {{.fd = r->box.efd, .events = POLLIN}, {.fd = fd, .events = events}};
    poll(p, fd < 0 ? 1 : 2, timeout_ms);
    sign_of_life(r);
    serve_mailbox(r);
    return !atomic_load(&r->stopping);
}

/* ---- what comes in ------------------------------------------------------------------------- */

static bool has_too_much(struct reader *r)
{
    outbox_backlog(&r->out);
    return r->out.bytes > (size_t)r->cfg->engine_backlog_bytes;
}

/* After each COMMIT: its changes go out at once, unless the workers are behind; then they are
 * folded with the next ones into a step of limited size. */
static void after_commit(struct reader *r)
{
    if (!r->feed.ing.step)
        return;
    if (outbox_backlog(&r->out) < (size_t)r->cfg->engine_backlog_steps ||
        ingest_step_bytes(&r->feed.ing) >= FOLD_BYTES)
        feed_flush(&r->feed);
    r->paused = has_too_much(r);
}

/* Takes what has been received already. False with err: the session is over. */
static bool take_messages(struct reader *r, size_t *n, struct err *err)
{
    struct ingest *ing = &r->feed.ing;
    struct walsender_msg m;
    while (!r->paused && *n < ROUND_MESSAGES) {
        uint64_t txns = ing->txns;
        switch (walsender_next(r->ws, &m, err)) {
        case WALSENDER_NOTHING: return true;
        case WALSENDER_GONE: return false;
        case WALSENDER_ALIVE:
            ingest_alive(ing, m.lsn);
            r->wants_ack |= m.wants_reply;
            break;
        case WALSENDER_DATA:
            r->txn_messages = ing->in_txn ? r->txn_messages + 1 : 0;
            if (!ingest_message(ing, m.data, m.len, err))
                return false;
            if (ing->txns != txns)
                after_commit(r);
            break;
        }
        ++*n;
    }
    return true;
}

/* Everything that is there, received or still in the socket, up to the limits of a round. */
static bool read_stream(struct reader *r, size_t *n, uint64_t now, struct err *err)
{
    size_t before;
    uint64_t spin_until = 0;
    bool again;
    *n = 0;
    do {
        before = *n;
        if (!walsender_receive(r->ws, err) || !take_messages(r, n, err))
            return false;
        /* BEGIN, changes and COMMIT of a small transaction come as messages of their own, a few
         * microseconds apart: less than it costs to fall asleep and be woken for each. */
        if (*n != before && r->feed.ing.in_txn && r->txn_messages < LARGE_TXN)
            spin_until = clock_ns() + SPIN_NS;
        else if (!r->feed.ing.in_txn || r->txn_messages >= LARGE_TXN)
            spin_until = 0;
        again = *n != before || (spin_until && clock_ns() < spin_until);
    } while (again && *n < ROUND_MESSAGES && !r->paused);
    if (*n)
        r->heard_at = now;
    return true;
}

/* ---- what goes out ------------------------------------------------------------------------- */

/* Sends what is held back as soon as the workers have room. True: something is still held. */
static bool send_steps(struct reader *r, uint64_t now)
{
    struct ingest *ing = &r->feed.ing;
    if (ing->in_txn)
        return false;
    size_t backlog = outbox_backlog(&r->out);
    if (ing->step) {
        if (backlog >= (size_t)r->cfg->engine_backlog_steps)
            return true;
        feed_flush(&r->feed);
    }
    if (ing->position <= r->out.lsn)
        return false;
    if (now - r->progress_at < PROGRESS_MS)
        return true;
    struct step *s = step_new();
    s->lsn = ing->position;
    outbox_step(&r->out, s);
    r->progress_at = now;
    return false;
}

static bool acknowledge(struct reader *r, uint64_t now, struct err *err)
{
    bool ask = now - r->heard_at >= SILENCE_MS && now - r->asked_at >= SILENCE_MS;
    if (now - r->heard_at >= DEAD_MS)
        return err_set(err, ERR_CANNOT_CONNECT_NOW, "Postgres has been silent for %d s",
                       DEAD_MS / 1000);
    if (!r->wants_ack && !ask && now - r->acked_at < ACK_MS)
        return true;
    r->wants_ack = false;
    r->acked_at = now;
    if (ask)
        r->asked_at = now;
    publish_status(r, STREAM_STREAMING, NULL);
    return walsender_acknowledge(r->ws, r->feed.ing.position, ask, err);
}

/* ---- the streaming loop -------------------------------------------------------------------- */

static void nap(long ns)
{
    struct timespec ts = {.tv_nsec = ns};
    nanosleep(&ts, NULL);
}

/* When commits come in by the thousands, whoever wrote them doesn't wait for each one's delta; then
 * being woken for each, which the walsender pays for too, is a waste. */
static bool is_flooded(struct reader *r, size_t nread)
{
    uint64_t now = clock_ns(), txns = r->feed.ing.txns;
    if (now - r->window_at >= FLOOD_WINDOW_NS) {
        r->flooded =
            txns - r->window_txns >= FLOOD_TXNS && now - r->window_at < 2 * FLOOD_WINDOW_NS;
        r->window_at = now;
        r->window_txns = txns;
    }
    return nread >= FLOOD_MESSAGES || (nread && r->flooded);
}

/* Sleeps until there is something to do. `held`: something waits for the workers. */
static bool sleep_until_needed(struct reader *r, size_t nread, bool held, uint64_t now,
                               struct err *err)
{
    struct ingest *ing = &r->feed.ing;
    bool may_read = !r->paused && !r->seeding;
    if (nread >= ROUND_MESSAGES && may_read)
        return true;
    if (may_read && nread && ing->in_txn && r->txn_messages >= LARGE_TXN) {
        nap(NAP_IN_TXN_NS);
        return true;
    }
    if (may_read && is_flooded(r, nread)) {
        nap(NAP_IN_FLOOD_NS);
        return true;
    }
    struct pollfd p[2] = {
        {.fd = walsender_fd(r->ws), .events = may_read ? POLLIN : 0},
        {.fd = r->box.efd, .events = POLLIN},
    };
    if (walsender_wants_write(r->ws))
        p[0].events |= POLLOUT;
    int timeout = held || r->paused || r->seeding ? 1 : STATUS_MS;
    if (r->feed.retry_at && timeout > 1) {
        int64_t left = (int64_t)(r->feed.retry_at - now);
        timeout = left < 0 ? 0 : left < timeout ? (int)left : timeout;
    }
    /* In the middle of a transaction the mailbox has to wait. */
    poll(p, ing->in_txn ? 1 : 2, timeout);
    return p[0].revents & POLLOUT ? walsender_flush(r->ws, err) : true;
}

static bool round_of_stream(struct reader *r, struct err *err)
{
    uint64_t now = clock_ms();
    size_t nread = 0;
    sign_of_life(r);
    if (!r->feed.ing.in_txn) {
        serve_mailbox(r);
        r->seeding = !feed_run(&r->feed, now);
        r->paused = has_too_much(r);
    }
    if (!r->paused && !r->seeding && !read_stream(r, &nread, now, err))
        return false;
    bool held = send_steps(r, now);
    publish_positions(r);
    return acknowledge(r, now, err) && sleep_until_needed(r, nread, held, now, err);
}

static void stream(struct reader *r, struct err *err)
{
    uint64_t now = clock_ms(), published = 0;
    r->acked_at = r->heard_at = r->asked_at = now;
    r->paused = r->seeding = r->wants_ack = false;
    while (!atomic_load(&r->stopping) && round_of_stream(r, err)) {
        now = clock_ms();
        if (now - published < STATUS_MS)
            continue;
        published = now;
        publish_status(r, STREAM_STREAMING, NULL);
    }
}

/* ---- sessions ------------------------------------------------------------------------------ */

/* A server with another history can't be caught up with: LSNs that clients hold mean nothing there.
 */
static void check_history(struct reader *r, const struct walsender_info *info)
{
    struct err err;
    bool other = r->system_id && r->system_id != info->system_id;
    bool back = r->system_id && info->start < r->feed.ing.position;
    r->system_id = info->system_id;
    if (!other && !back)
        return;
    err_set(&err, "55000", "the server's history is not the one seen before (%s)",
            other ? "another cluster" : "its WAL position has gone back");
    err_hint(&err, "Subscribe again.");
    log_error("%s; all subscriptions end", err.message);
    feed_end_all(&r->feed, &err);
    r->out.lsn = 0;
}

static bool connect_once(struct reader *r, struct err *err)
{
    struct walsender_info info;
    char lsn[LSN_TEXT_MAX];
    publish_status(r, STREAM_CONNECTING, NULL);
    r->ws = walsender_open(r->cfg, wait_for, r, &info, err);
    if (!r->ws)
        return false;
    check_history(r, &info);
    lsn_print(info.start, lsn);
    log_info("streaming from %s, timeline %" PRIu32, lsn, info.timeline);
    feed_resume(&r->feed, info.start, info.origin, info.postmaster_start);
    publish_status(r, STREAM_STREAMING, NULL);
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

static void end_session(struct reader *r)
{
    bool stopping = atomic_load(&r->stopping);
    if (!stopping)
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
    pthread_setname_np(pthread_self(), "reader");
    while (!atomic_load(&r->stopping)) {
        err_clear(&err);
        if (connect_once(r, &err)) {
            uint64_t since = clock_ms();
            stream(r, &err);
            if (clock_ms() - since > STABLE_MS)
                pause = (uint64_t)r->cfg->postgres_reconnect_min;
            end_session(r);
        }
        if (atomic_load(&r->stopping))
            break;
        log_warn("no stream from Postgres: %s", err.message);
        publish_status(r, STREAM_CONNECTING, &err);
        pause_before_retry(r, &pause);
    }
    publish_status(r, STREAM_STOPPED, NULL);
    return NULL;
}

void reader_start(struct reader *r)
{
    r->started = true;
    if (pthread_create(&r->thread, NULL, reader_main, r) != 0)
        abort(); /* at start-up only */
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
    case R_DROP_PLAN: plan_unref(((struct rmsg_plan *)m)->plan); break;
    case R_HYDRATED: hydrate_job_free((struct hydrate_job *)m); return;
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
    feed_fini(&r->feed);
    outbox_fini(&r->out);
    mailbox_fini(&r->box);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
