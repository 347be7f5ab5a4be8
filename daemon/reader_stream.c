/*
 * reader_stream: what the reader's thread does while it is connected.
 *
 * One round: mailbox and feed (between transactions only), as many messages as there are (bounded,
 * so that the mailbox is served), steps, acknowledgement, sleep. What is slow is not done here.
 *
 * How long it sleeps decides about latency and about what each commit costs: a lone small
 * transaction is taken in one go, the pieces of a large one and the commits of a flood are let
 * gather for a moment.
 */
#include "daemon/reader_int.h"

#include <poll.h>
#include <time.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/marks.h"

#define ACK_MS          2000   /* acknowledge at least so often, and when asked */
#define SILENCE_MS      10000  /* nothing came for so long: ask for a sign of life */
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
#define CATCH_UP_MS     20
#define FOLD_BYTES      (1u << 20)

/* ---- what comes in ------------------------------------------------------------------------- */

static bool has_too_much(struct reader *r)
{
    outbox_backlog(&r->out);
    return r->out.bytes > (size_t)r->cfg->engine_backlog_bytes;
}

/* Loops don't wait for what they are told here: it is enough that it comes at all. */
static void send_marks(struct reader *r)
{
    size_t n;
    if (r->feed.ing.marks_ignored)
        log_debug("marks ignored, not UTF-8 of 1 to 1024 bytes without control characters: %zu",
                  r->feed.ing.marks_ignored);
    struct loop *const *loops = worker_loops(r->out.workers[0], &n);
    for (size_t i = 0; i < n && r->feed.ing.marks.n; i++) {
        struct lmsg_marks *m = NEW(struct lmsg_marks);
        m->m.kind = L_MARKS;
        for (size_t k = 0; k < r->feed.ing.marks.n; k++)
            VEC_PUSH(m->tokens, payload_ref(r->feed.ing.marks.v[k]));
        loop_post(loops[i], &m->m);
    }
    ingest_forget_marks(&r->feed.ing);
}

/* After each COMMIT: its changes go out at once, unless the workers are behind; then they are
 * folded with the next ones into a step of limited size. Not beside reruns: their answers may be as of
 * any commit, and PROGRESS names it, so the other views must stop there too. */
static void after_commit(struct reader *r)
{
    if (r->feed.ing.marks.n || r->feed.ing.marks_ignored)
        send_marks(r);
    if (!r->feed.ing.step)
        return;
    if (outbox_backlog(&r->out) < (size_t)r->cfg->engine_backlog_steps || r->feed.reruns.n ||
        ingest_step_bytes(&r->feed.ing) >= FOLD_BYTES)
        feed_flush(&r->feed);
    r->paused = has_too_much(r);
}

/* What the watch has told before it wrote the message counts from here on: workers hear of it before
 * they hear of a later position, and a SYNC waits for what comes of it. */
static void at_sync(struct reader *r)
{
    r->feed.ing.synced = false;
    reader_serve_mailbox(r);
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
            if (ing->synced)
                at_sync(r);
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

/* Workers without plans aren't woken for each commit. */
static int catch_up(struct reader *r, uint64_t now)
{
    if (!r->out.behind)
        return STATUS_MS;
    if (now - r->caught_up_at < CATCH_UP_MS)
        return (int)(CATCH_UP_MS - (now - r->caught_up_at));
    outbox_catch_up(&r->out);
    r->caught_up_at = now;
    return STATUS_MS;
}

/* Sends what is held back as soon as the workers have room. Returns after how many milliseconds it
 * wants to be called again. */
static int send_steps(struct reader *r, uint64_t now)
{
    struct ingest *ing = &r->feed.ing;
    if (ing->in_txn)
        return STATUS_MS;
    size_t backlog = outbox_backlog(&r->out);
    if (ing->step) {
        if (backlog >= (size_t)r->cfg->engine_backlog_steps)
            return 1;
        feed_flush(&r->feed);
    }
    if (ing->position <= r->out.lsn)
        return catch_up(r, now);
    if (now - r->progress_at < PROGRESS_MS)
        return PROGRESS_MS;
    struct step *s = outbox_new_step(&r->out);
    s->lsn = ing->position;
    outbox_step(&r->out, s);
    r->progress_at = now;
    return catch_up(r, now);
}

/* A walsender that is busy with others' changes may be silent for a while; one that was asked more
 * than once answers in the end. */
static bool acknowledge(struct reader *r, uint64_t now, struct err *err)
{
    uint64_t silent = now - r->heard_at, soon = r->silence / 3;
    if (soon > SILENCE_MS)
        soon = SILENCE_MS;
    bool ask = silent >= soon && now - r->asked_at >= soon;
    if (silent >= r->silence)
        return err_set(err, ERR_CANNOT_CONNECT_NOW, "Postgres has been silent for %llu ms",
                       (unsigned long long)r->silence);
    if (!r->wants_ack && !ask && now - r->acked_at < ACK_MS)
        return true;
    r->wants_ack = false;
    r->acked_at = now;
    if (ask)
        r->asked_at = now;
    reader_publish_status(r, STREAM_STREAMING, NULL);
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

/* Sleeps until there is something to do, timeout ms at most. */
static bool sleep_until_needed(struct reader *r, size_t nread, int timeout, uint64_t now,
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
    if (r->paused || r->seeding)
        timeout = 1;
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
    reader_sign_of_life(r);
    if (!r->feed.ing.in_txn) {
        reader_serve_mailbox(r);
        r->seeding = !feed_run(&r->feed, now);
        r->paused = has_too_much(r);
    }
    if (r->paused || r->seeding)
        r->heard_at = now; /* it is we who don't listen */
    else if (!read_stream(r, &nread, now, err))
        return false;
    int timeout = send_steps(r, now);
    reader_publish_positions(r);
    return acknowledge(r, now, err) && sleep_until_needed(r, nread, timeout, now, err);
}

/* False with err: it is another server now that we should be connected with. */
static bool look_at_config(struct reader *r, struct err *err)
{
    const struct config *cfg = config_current();
    bool redirected = reader_is_redirected(r, cfg, err);
    r->silence = (uint64_t)cfg->postgres_silence_timeout;
    r->feed.limits.audit_interval = (uint64_t)cfg->engine_audit_interval;
    config_unref(cfg);
    return !redirected;
}

void reader_stream(struct reader *r, struct err *err)
{
    uint64_t now = clock_ms(), published = 0;
    if (!look_at_config(r, err))
        return;
    r->acked_at = r->heard_at = r->asked_at = now;
    r->paused = r->seeding = r->wants_ack = false;
    while (!atomic_load(&r->stopping) && round_of_stream(r, err)) {
        now = clock_ms();
        if (now - published < STATUS_MS)
            continue;
        published = now;
        reader_publish_status(r, STREAM_STREAMING, NULL);
        if (!look_at_config(r, err))
            return;
    }
}
