/*
 * outq: what is to be sent to one client, in order.
 *
 * Two kinds of bytes: small ones of this client alone (headers, replies), which are copied into
 * chunks, and payloads shared by every subscriber of a plan, which are referenced. The queue hands
 * out an iovec for writev() and forgets what was sent; an empty queue holds no memory but a small ring.
 *
 * A block may be marked as droppable: when the client is too slow, the droppable blocks at the
 * queue's end that have not begun to be sent are taken back. Everything else is a pin: what stands
 * before it stays, so that a promise (SYNCED) and a whole view are never pulled apart from what they
 * rest on.
 *
 *     sent │ rest of a block under way │ … PONG SYNCED │ DELTA DELTA PROGRESS DELTA
 *                                                    pinned └── can be taken back ──┘
 *
 * No sockets here: conn.c writes. The invariant: added - sent is the sum of the items' lengths, and
 * no item is empty. Cost: O(1) an item.
 */
#ifndef PALIMPSEST_DAEMON_OUTQ_H
#define PALIMPSEST_DAEMON_OUTQ_H

#include <sys/uio.h>

#include "engine/base/vec.h"
#include "engine/host/payload.h"

/* Payloads up to this size are copied: cheaper than a reference count shared between processors
 * and an iovec entry, and a burst of small deltas becomes one piece. */
#define OUTQ_COPY_MAX 256

struct outq_item;

/* Where a droppable block begins. */
struct outq_mark {
    uint64_t start; /* in bytes ever added */
    uint64_t sub;   /* whose it is; 0 = nobody's */
    lsn_t before;   /* what the subscription has without it */
};

struct outq {
    struct outq_item *ring; /* owned; cap is a power of two, or 0 */
    uint32_t head, n, cap;
    uint64_t added, sent, pinned; /* in bytes ever; those before pinned are sent come what may */
    VEC(struct outq_mark) marks;  /* in order; some may lie before pinned or sent */
};

void outq_init(struct outq *q);
void outq_fini(struct outq *q);
void outq_add(struct outq *q, const void *data, size_t len);
void outq_add_payload(struct outq *q, struct payload *p); /* takes a reference of its own */
/* What is added next is a droppable block. */
void outq_mark(struct outq *q, uint64_t sub, lsn_t before);
/* What has been added so far stays. */
void outq_pin(struct outq *q);
/* Takes back what can be taken back and calls fn for each mark of it, oldest first. */
void outq_take_back(struct outq *q, void (*fn)(void *arg, const struct outq_mark *m), void *arg);
/* The first bytes to send, in at most max pieces; returns how many pieces. */
int outq_peek(const struct outq *q, struct iovec *iov, int max);
/* The first n bytes were sent. */
void outq_sent(struct outq *q, size_t n);

static inline size_t outq_bytes(const struct outq *q)
{
    return (size_t)(q->added - q->sent);
}

#endif
