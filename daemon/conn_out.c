/*
 * conn_out: a connection's output: queueing, and writing as much as the socket takes.
 */
#include <errno.h>
#include <event2/event.h>
#include <sys/uio.h>

#include "daemon/conn_int.h"
#include "daemon/server.h"

#define IOVECS           64
#define WRITES_PER_FLUSH 16
#define EARLY_FLUSH      65536 /* bytes queued in one turn that are worth a write of their own */

void conn_list_dirty(struct conn *c)
{
    if (c->is_dirty)
        return;
    struct conn_queue *q = &c->loop->dirty;
    c->is_dirty = true;
    c->dirty_next = NULL;
    *q->end = c;
    q->end = &c->dirty_next;
    q->n++;
}

bool conn_takes_output(const struct conn *c)
{
    return c->state == CONN_OPEN || c->state == CONN_FINISHING;
}

void conn_send(struct conn *c, const struct buf *line)
{
    conn_send_block(c, line, NULL);
}

void conn_count_output(struct conn *c)
{
    size_t now = outq_bytes(&c->out);
    /* Unsigned: a smaller one wraps, and so does the sum, back. */
    if (now != c->out_counted)
        COUNT(c->loop->server->output_queued, now - c->out_counted);
    c->out_counted = now;
}

static void add_block(struct conn *c, const struct buf *header, struct payload *payload)
{
    outq_add(&c->out, header->data, header->len);
    if (payload)
        outq_add_payload(&c->out, payload);
    conn_count_output(c);
    conn_list_dirty(c);
}

void conn_send_block(struct conn *c, const struct buf *header, struct payload *payload)
{
    if (!conn_takes_output(c))
        return;
    add_block(c, header, payload);
    outq_pin(&c->out);
}

void conn_send_droppable(struct conn *c, const struct buf *header, struct payload *payload,
                         uint64_t sub, lsn_t before)
{
    if (!conn_takes_output(c))
        return;
    outq_mark(&c->out, sub, before);
    add_block(c, header, payload);
}

static ssize_t write_once(struct conn *c)
{
    struct iovec iov[IOVECS];
    int pieces = outq_peek(&c->out, iov, IOVECS);
    struct msghdr mh = {.msg_iov = iov, .msg_iovlen = (size_t)pieces};
    if (pieces == 1)
        return send(c->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sendmsg(c->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Writes what the socket takes, within bounds. False when the connection is broken. */
static bool write_out(struct conn *c)
{
    for (int i = 0; i < WRITES_PER_FLUSH && outq_bytes(&c->out) > 0; i++) {
        ssize_t n = write_once(c);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        outq_sent(&c->out, (size_t)n);
        COUNT(c->loop->server->bytes_sent, (uint64_t)n);
    }
    return true;
}

void conn_try_write(struct conn *c)
{
    if (c->state == CONN_DEAD)
        return;
    bool ok = write_out(c);
    conn_count_output(c);
    if (!ok)
        conn_end(c, "can't write");
    else if (outq_bytes(&c->out) > 0)
        event_add(&c->writable, NULL);
}

/* When all together have too much queued, whoever has more than an equal share is the slow one. */
static size_t output_limit(const struct conn *c)
{
    const struct loop *l = c->loop;
    const struct server *srv = l->server;
    if (COUNTED(srv->output_queued) <= l->all_output_limit)
        return l->output_limit;
    size_t share = l->all_output_limit / (COUNTED(srv->connections) + 1);
    return share < l->output_limit ? share : l->output_limit;
}

bool conn_has_room(struct conn *c, size_t bytes)
{
    size_t limit = output_limit(c);
    size_t queued = outq_bytes(&c->out);
    if (queued == 0 || (queued < EARLY_FLUSH && queued + bytes <= limit))
        return true;
    /* While we wait for the socket another try is in vain. */
    if (!event_pending(&c->writable, EV_WRITE, NULL))
        conn_try_write(c);
    queued = outq_bytes(&c->out);
    return queued == 0 || queued + bytes <= limit;
}
