/*
 * outq: what is to be sent to one client, in order.
 *
 * Two kinds of bytes: small ones of this client alone (headers, replies), which are copied into
 * chunks, and payloads shared by every subscriber of a plan, which are referenced. The queue hands
 * out an iovec for writev() and forgets what was sent; an empty queue holds no memory but its ring.
 *
 * No sockets here: conn.c writes. The invariant: bytes is the sum of the items' lengths, and no
 * item is empty. Cost: O(1) an item.
 */
#ifndef PALIMPSEST_DAEMON_OUTQ_H
#define PALIMPSEST_DAEMON_OUTQ_H

#include <sys/uio.h>

#include "engine/host/payload.h"

/* Payloads up to this size are copied: cheaper than a reference count shared between processors
 * and an iovec entry, and a burst of small deltas becomes one piece. */
#define OUTQ_COPY_MAX 256

struct outq_item;

struct outq {
    struct outq_item *ring; /* owned; cap is a power of two, or 0 */
    uint32_t head, n, cap;
    size_t bytes; /* not yet sent */
};

void outq_init(struct outq *q);
void outq_fini(struct outq *q);
void outq_add(struct outq *q, const void *data, size_t len);
void outq_add_payload(struct outq *q, struct payload *p); /* takes a reference of its own */
/* The first bytes to send, in at most max pieces; returns how many pieces. */
int outq_peek(const struct outq *q, struct iovec *iov, int max);
/* The first n bytes were sent. */
void outq_sent(struct outq *q, size_t n);

static inline size_t outq_bytes(const struct outq *q)
{
    return q->bytes;
}

#endif
