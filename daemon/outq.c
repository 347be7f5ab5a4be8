/*
 * outq: see outq.h. A ring of items, each a chunk of copied bytes or a payload.
 */
#include "daemon/outq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define CHUNK_MIN 512
#define CHUNK_MAX 16384
/* What an empty queue keeps, for the next delta. */
#define KEPT_ITEMS 8
#define KEPT_MARKS 8

struct chunk {
    size_t used, cap;
    char data[];
};

struct outq_item {
    struct chunk *chunk;     /* owned, or NULL: then it is */
    struct payload *payload; /* counted */
    const char *next;        /* first byte not yet sent */
    size_t len;              /* bytes from there on */
};

void outq_init(struct outq *q)
{
    memset(q, 0, sizeof *q);
}

static struct outq_item *item_at(const struct outq *q, uint32_t i)
{
    return &q->ring[(q->head + i) & (q->cap - 1)];
}

static void item_drop(struct outq_item *it)
{
    if (it->payload)
        payload_unref(it->payload);
    free(it->chunk);
}

void outq_fini(struct outq *q)
{
    for (uint32_t i = 0; i < q->n; i++)
        item_drop(item_at(q, i));
    free(q->ring);
    VEC_FREE(q->marks);
    outq_init(q);
}

static void ring_grow(struct outq *q)
{
    uint32_t cap = q->cap ? q->cap * 2 : 4;
    struct outq_item *ring = xmalloc(cap * sizeof *ring);
    for (uint32_t i = 0; i < q->n; i++)
        ring[i] = *item_at(q, i);
    free(q->ring);
    q->ring = ring;
    q->head = 0;
    q->cap = cap;
}

static struct outq_item *item_push(struct outq *q)
{
    if (q->n == q->cap)
        ring_grow(q);
    struct outq_item *it = item_at(q, q->n++);
    memset(it, 0, sizeof *it);
    return it;
}

/* Chunks double from one to the next, so that a reply takes little and a burst few. */
static struct outq_item *chunk_push(struct outq *q, size_t want)
{
    size_t cap = CHUNK_MIN;
    if (q->n > 0 && item_at(q, q->n - 1)->chunk)
        cap = item_at(q, q->n - 1)->chunk->cap * 2;
    if (cap > CHUNK_MAX)
        cap = CHUNK_MAX;
    if (cap < want)
        cap = want;
    struct outq_item *it = item_push(q);
    it->chunk = xmalloc(sizeof *it->chunk + cap);
    it->chunk->used = 0;
    it->chunk->cap = cap;
    it->next = it->chunk->data;
    return it;
}

void outq_add(struct outq *q, const void *data, size_t len)
{
    if (len == 0)
        return;
    struct outq_item *it = q->n > 0 ? item_at(q, q->n - 1) : NULL;
    if (!it || !it->chunk || it->chunk->cap - it->chunk->used < len)
        it = chunk_push(q, len);
    memcpy(it->chunk->data + it->chunk->used, data, len);
    it->chunk->used += len;
    it->len += len;
    q->added += len;
}

void outq_add_payload(struct outq *q, struct payload *p)
{
    if (p->len <= OUTQ_COPY_MAX) {
        outq_add(q, p->data, p->len);
        return;
    }
    struct outq_item *it = item_push(q);
    it->payload = payload_ref(p);
    it->next = p->data;
    it->len = p->len;
    q->added += p->len;
}

int outq_peek(const struct outq *q, struct iovec *iov, int max)
{
    int n = 0;
    for (; n < max && (uint32_t)n < q->n; n++) {
        const struct outq_item *it = item_at(q, (uint32_t)n);
        iov[n].iov_base = (void *)(uintptr_t)it->next;
        iov[n].iov_len = it->len;
    }
    return n;
}

/* Of ten thousand queues nearly all are empty. */
static void keep_little(struct outq *q)
{
    if (q->cap > KEPT_ITEMS) {
        free(q->ring);
        q->ring = NULL;
        q->head = q->cap = 0;
    }
    if (q->marks.cap > KEPT_MARKS)
        VEC_FREE(q->marks);
}

void outq_sent(struct outq *q, size_t n)
{
    assert(n <= outq_bytes(q));
    q->sent += n;
    if (q->sent == q->added)
        q->marks.n = 0;
    while (n > 0) {
        struct outq_item *it = item_at(q, 0);
        if (n < it->len) {
            it->next += n;
            it->len -= n;
            return;
        }
        n -= it->len;
        item_drop(it);
        q->head = (q->head + 1) & (q->cap - 1);
        q->n--;
    }
    if (q->n == 0)
        keep_little(q);
}

/* ---- taking back --------------------------------------------------------------------------- */

/* A queue that never runs empty keeps no marks of what was sent long ago. */
static void drop_old_marks(struct outq *q)
{
    size_t gone = q->marks.n / 2;
    if (q->marks.n < q->marks.cap || !gone || q->marks.v[gone - 1].start >= q->sent)
        return;
    q->marks.n -= gone;
    memmove(q->marks.v, q->marks.v + gone, q->marks.n * sizeof *q->marks.v);
}

void outq_mark(struct outq *q, uint64_t sub, lsn_t before)
{
    drop_old_marks(q);
    struct outq_mark m = {.start = q->added, .sub = sub, .before = before};
    VEC_PUSH(q->marks, m);
}

void outq_pin(struct outq *q)
{
    q->pinned = q->added;
    q->marks.n = 0;
}

/* Drops bytes at the end until only `end` were ever added. A payload is dropped as a whole, since no
 * mark lies inside one. */
static void truncate_to(struct outq *q, uint64_t end)
{
    while (q->added > end) {
        struct outq_item *it = item_at(q, q->n - 1);
        size_t cut = (size_t)(q->added - end);
        if (cut >= it->len) {
            q->added -= it->len;
            item_drop(it);
            q->n--;
        } else {
            assert(it->chunk);
            it->len -= cut;
            it->chunk->used -= cut;
            q->added -= cut;
        }
    }
}

void outq_take_back(struct outq *q, void (*fn)(void *arg, const struct outq_mark *m), void *arg)
{
    size_t i = 0;
    /* A block whose first byte was sent has begun. */
    while (i < q->marks.n && (q->marks.v[i].start < q->sent || q->marks.v[i].start < q->pinned))
        i++;
    if (i == q->marks.n)
        return;
    truncate_to(q, q->marks.v[i].start);
    struct outq_mark *marks = q->marks.v;
    size_t n = q->marks.n;
    memset(&q->marks, 0, sizeof q->marks); /* fn may pin */
    for (; i < n; i++)
        fn(arg, &marks[i]);
    free(marks);
}
