/*
 * conn: see conn.h. Input, the states and the end; output is in conn_out.c.
 */
#include "daemon/conn.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/admission.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/conn_int.h"
#include "daemon/cut.h"
#include "daemon/dispatch.h"
#include "daemon/log.h"
#include "daemon/memory.h"
#include "daemon/server.h"
#include "daemon/sub.h"
#include "daemon/version.h"
#include "protocol/reply.h"

#define READ_SIZE      16384
#define LINES_PER_TURN 32 /* fairness: then the others get their turn */
#define LINGER_MS      2000
#define DRAINED_PART   64     /* of the limit: so little is as good as nothing */
#define KERNEL_BYTES   262144 /* unsent ones in the socket: more could not be taken back */

/* ---- lists of the loop --------------------------------------------------------------------- */

static void list_ready(struct conn *c)
{
    if (c->is_ready)
        return;
    struct conn_queue *q = &c->loop->ready;
    c->is_ready = true;
    c->ready_next = NULL;
    *q->end = c;
    q->end = &c->ready_next;
    q->n++;
}

static void watch(struct conn *c)
{
    struct loop *l = c->loop;
    c->is_watching = true;
    c->watch_prev = NULL;
    c->watch_next = l->watchers;
    if (l->watchers)
        l->watchers->watch_prev = c;
    l->watchers = c;
}

static void unwatch(struct conn *c)
{
    c->is_watching = false;
    *(c->watch_prev ? &c->watch_prev->watch_next : &c->loop->watchers) = c->watch_next;
    if (c->watch_next)
        c->watch_next->watch_prev = c->watch_prev;
}

void conn_update_watching(struct conn *c)
{
    bool want = c->state != CONN_DEAD && cut_is_waiting(c);
    if (want && !c->is_watching)
        watch(c);
    else if (!want && c->is_watching)
        unwatch(c);
}

/* ---- end ----------------------------------------------------------------------------------- */

void conn_end(struct conn *c, const char *reason)
{
    if (c->state == CONN_DEAD)
        return;
    log_debug("client %s: connection ends: %s", c->peer.text, reason);
    c->state = CONN_DEAD;
    event_del(&c->readable);
    event_del(&c->writable);
    c->dead_next = c->loop->dead;
    c->loop->dead = c;
}

/* Everything the connection had, in an order in which each part can still reach what it needs. */
void conn_bury(struct conn *c)
{
    struct loop *l = c->loop;
    assert(c->state == CONN_DEAD && !c->is_ready && !c->is_dirty);
    if (c->is_watching)
        unwatch(c);
    while (c->subs)
        sub_free(c->subs);
    cut_fini(c);
    outq_fini(&c->out);
    conn_count_output(c);
    line_fini(&c->in);
    close(c->fd);
    *(c->prev ? &c->prev->next : &l->conns) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    l->nconns--;
    admission_leave(l->server->admission, &c->peer);
    free(c);
}

/* All that was asked for is answered: say BYE if that was asked for too, send what is queued. */
static void finish_if_answered(struct conn *c)
{
    if (c->state != CONN_FINISHING || c->pending > 0)
        return;
    if (c->bye) {
        buf_reset(&c->loop->line);
        reply_bye(&c->loop->line);
        conn_send(c, &c->loop->line);
    }
    c->state = CONN_CLOSING;
    conn_list_dirty(c);
}

static void finish(struct conn *c)
{
    if (c->state != CONN_OPEN)
        return;
    c->state = CONN_FINISHING;
    event_del(&c->readable);
    finish_if_answered(c);
}

void conn_quit(struct conn *c)
{
    c->bye = true;
    finish(c);
}

void conn_close(struct conn *c, const struct err *why)
{
    if (!conn_takes_output(c))
        return;
    buf_reset(&c->loop->line);
    reply_error(&c->loop->line, NULL, why);
    conn_send(c, &c->loop->line);
    event_del(&c->readable);
    c->state = CONN_CLOSING;
    conn_list_dirty(c);
}

void conn_drain(struct conn *c)
{
    struct err err;
    err_set(&err, ERR_ADMIN_SHUTDOWN, "the daemon is shutting down");
    conn_close(c, &err);
}

static void throw_away_input(struct conn *c, const char *end_reason)
{
    char junk[READ_SIZE];
    ssize_t n = recv(c->fd, junk, sizeof junk, MSG_DONTWAIT);
    bool more_may_come = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    if (end_reason)
        conn_end(c, end_reason);
    else if (!more_may_come)
        conn_end(c, "closed");
}

static void linger(struct conn *c)
{
    c->state = CONN_LINGERING;
    c->linger_until_ms = c->loop->now_ms + LINGER_MS;
    if (c->end_of_input || shutdown(c->fd, SHUT_WR) < 0)
        conn_end(c, "closed");
    else if (c->loop->draining)
        throw_away_input(c, "shutting down"); /* once: there is no time to wait for more */
    else
        event_add(&c->readable, NULL);
}

/* ---- flushing ------------------------------------------------------------------------------ */

static bool may_read(const struct conn *c)
{
    return c->state == CONN_OPEN && c->pending < c->loop->pending_limit &&
           outq_bytes(&c->out) <= c->loop->output_limit / 2;
}

/* There is room for what had to wait. */
static void take_up_again(struct conn *c)
{
    sub_catch_up_next(c);
    if (marks_are_waiting(c))
        c->loop->cuts_due = true;
}

void conn_flush(struct conn *c)
{
    /* Waiting for the socket already: it will tell. */
    if (event_pending(&c->writable, EV_WRITE, NULL))
        return;
    conn_try_write(c);
    if (c->state == CONN_DEAD)
        return;
    if (c->state == CONN_CLOSING && outq_bytes(&c->out) == 0)
        linger(c);
    if (outq_bytes(&c->out) <= c->loop->output_limit / DRAINED_PART)
        take_up_again(c);
    conn_wake(c);
}

static void writable_cb(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd, (void)what;
    loop_called(c->loop);
    conn_list_dirty(c);
}

/* ---- input --------------------------------------------------------------------------------- */

static bool has_input(const struct conn *c)
{
    return line_pending(&c->in) > 0 || c->end_of_input;
}

void conn_wake(struct conn *c)
{
    if (!may_read(c))
        return;
    if (has_input(c))
        list_ready(c);
    else
        event_add(&c->readable, NULL);
}

void conn_request_begun(struct conn *c)
{
    c->pending++;
}

void conn_request_done(struct conn *c)
{
    assert(c->pending > 0);
    c->pending--;
    finish_if_answered(c);
    conn_wake(c);
}

static void bad_line(struct conn *c, const struct err *err)
{
    buf_reset(&c->loop->line);
    reply_error(&c->loop->line, NULL, err);
    conn_send(c, &c->loop->line);
}

/* Level-triggered: what isn't going to be read now must not wake us. */
static void pause_reading(struct conn *c)
{
    if (c->state == CONN_OPEN)
        event_del(&c->readable);
}

/* The last word of a connection that we close. */
static void close_with(struct conn *c, const struct err *err)
{
    if (c->state != CONN_OPEN)
        return;
    bad_line(c, err);
    event_del(&c->readable);
    c->state = CONN_CLOSING;
    conn_list_dirty(c);
}

static void note_half_line(struct conn *c)
{
    if (!line_is_begun(&c->in))
        c->line_since_ms = 0;
    else if (!c->line_since_ms)
        c->line_since_ms = c->loop->now_ms;
}

/* Handles what has been read, as far as the connection's turn goes. */
static size_t handle_lines(struct conn *c)
{
    const char *text;
    size_t len;
    struct err err;
    for (size_t i = 0; i < LINES_PER_TURN; i++) {
        if (!may_read(c)) {
            pause_reading(c); /* conn_wake() comes again */
            return i;
        }
        switch (line_next(&c->in, &text, &len, &err)) {
        case LINE_NONE:
            note_half_line(c);
            if (c->end_of_input) {
                finish(c);
            } else {
                line_trim(&c->in);
                event_add(&c->readable, NULL);
            }
            return i;
        case LINE_READY:
            c->line_since_ms = 0;
            c->requested = true;
            dispatch_line(c, text, len);
            break;
        case LINE_BAD:
            c->line_since_ms = 0;
            bad_line(c, &err);
            break;
        }
    }
    pause_reading(c);
    list_ready(c);
    return LINES_PER_TURN;
}

/* What there is no memory for is the end of whoever asked for it; see engine/base/alloc.h. */
static size_t guarded(struct conn *c, size_t (*fn)(struct conn *c))
{
    struct alloc_guard g;
    size_t n = 0;
    if (ALLOC_GUARDED(&g)) {
        n = fn(c);
        alloc_unguard(&g);
        return n;
    }
    struct err err;
    memory_refuse("the request was given up", &err);
    close_with(c, &err);
    return 0;
}

size_t conn_handle_lines(struct conn *c)
{
    return guarded(c, handle_lines);
}

/* Reads once: what is left in the socket is there in the next turn too. */
static size_t read_in(struct conn *c)
{
    ssize_t n = recv(c->fd, line_room(&c->in, READ_SIZE), READ_SIZE, MSG_DONTWAIT);
    if (n > 0) {
        line_added(&c->in, (size_t)n);
    } else if (n == 0) {
        c->end_of_input = true;
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        conn_end(c, strerror(errno));
        return 0;
    }
    list_ready(c);
    return 0;
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd, (void)what;
    loop_called(c->loop);
    if (c->state == CONN_OPEN)
        (void)guarded(c, read_in);
    else if (c->state == CONN_LINGERING)
        throw_away_input(c, NULL);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void set_socket_options(int fd)
{
    int on = 1, idle_s = 60, interval_s = 15, probes = 4, unacked_ms = 120000;
    int unsent = KERNEL_BYTES;
    /* On a Unix socket these fail, and nothing is lost by it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof unacked_ms);
}

static size_t line_limit(void)
{
    const struct config *cfg = config_current();
    size_t limit = (size_t)cfg->limits_line_bytes;
    config_unref(cfg);
    return limit;
}

void conn_adopt(struct loop *l, int fd, const struct peer *peer)
{
    struct conn *c = NEW(struct conn);
    c->loop = l;
    c->fd = fd;
    c->peer = *peer;
    c->opened_ms = l->now_ms;
    set_socket_options(fd);
    line_init(&c->in, line_limit());
    outq_init(&c->out);
    progress_init(&c->progress, l->server->nworkers);
    event_assign(&c->readable, l->base, fd, EV_READ | EV_PERSIST, readable_cb, c);
    event_assign(&c->writable, l->base, fd, EV_WRITE, writable_cb, c);
    event_add(&c->readable, NULL);
    c->next = l->conns;
    if (l->conns)
        l->conns->prev = c;
    l->conns = c;
    l->nconns++;
    buf_reset(&l->line);
    reply_hello(&l->line, PALIMPSEST_VERSION);
    conn_send(c, &l->line);
    if (l->draining)
        conn_drain(c);
}

static bool is_too_slow(const struct conn *c)
{
    const struct loop *l = c->loop;
    return l->line_time_ms > 0 && c->line_since_ms > 0 &&
           l->now_ms - c->line_since_ms >= l->line_time_ms && may_read(c);
}

static bool never_asked(const struct conn *c)
{
    const struct loop *l = c->loop;
    return !c->requested && l->first_request_ms > 0 &&
           l->now_ms - c->opened_ms >= l->first_request_ms;
}

/* The last word to a client that has run out of time. */
static void close_late(struct conn *c, const char *sqlstate, const char *message, const char *key)
{
    struct err err;
    err_set(&err, sqlstate, "%s", message);
    err_hint(&err, "The limit is %s.", key);
    close_with(c, &err);
}

/* The peer is gone altogether, though we have no reason to read or write just now. */
static bool is_hung_up(const struct conn *c)
{
    struct pollfd p = {.fd = c->fd};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* Once a second. */
void conn_tick(struct conn *c)
{
    struct loop *l = c->loop;
    if (c->line_since_ms && !may_read(c))
        c->line_since_ms = l->now_ms; /* it is we who don't listen */
    if (c->state == CONN_LINGERING && l->now_ms >= c->linger_until_ms)
        conn_end(c, "closed");
    else if (c->state == CONN_OPEN && is_too_slow(c))
        close_late(c, ERR_PROTOCOL, "a line was begun and has not ended in time",
                   "limits.line_time");
    else if (c->state == CONN_OPEN && never_asked(c))
        close_late(c, ERR_IDLE, "no request came in time", "limits.first_request_ms");
    else if (c->state != CONN_DEAD && !event_pending(&c->readable, EV_READ, NULL) &&
             !event_pending(&c->writable, EV_WRITE, NULL) && is_hung_up(c))
        conn_end(c, "hung up");
}
