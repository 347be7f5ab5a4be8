/*
 * history: a queue of payload references, and the netting of their lines.
 */
#include "engine/host/history.h"

#include <string.h>

#include "engine/base/buf.h"
#include "engine/host/bag.h"
#include "engine/host/encode.h"

void history_init(struct history *h, size_t max_bytes)
{
    memset(h, 0, sizeof *h);
    h->max_bytes = max_bytes;
}

/* From where on the state after it is the answer, and surely not the one before it: that may have been
 * given out for one beyond the LSN of this, when a change comes to light late. */
static lsn_t reached(const struct history_entry *e)
{
    return e->holds >= e->payload->lsn ? e->holds + 1 : e->payload->lsn;
}

static void drop_oldest(struct history *h)
{
    const struct history_entry *e = &h->entries.v[h->first++];
    h->bytes -= sizeof *e->payload + e->payload->len;
    h->base = reached(e);
    payload_unref(e->payload);
}

void history_clear(struct history *h)
{
    while (h->first < h->entries.n)
        drop_oldest(h);
    h->first = h->entries.n = 0;
}

void history_fini(struct history *h)
{
    history_clear(h);
    VEC_FREE(h->entries);
}

void history_start(struct history *h, lsn_t base)
{
    history_clear(h);
    h->base = base;
}

/* Moves the live part to the front once the dead part is the larger one: amortised O(1). */
static void compact(struct history *h)
{
    size_t live = h->entries.n - h->first;
    if (h->first <= live)
        return;
    memmove(h->entries.v, h->entries.v + h->first, live * sizeof *h->entries.v);
    h->first = 0;
    h->entries.n = live;
}

void history_add(struct history *h, lsn_t from, lsn_t holds, struct payload *payload)
{
    struct history_entry e = {.from = from, .holds = holds, .payload = payload_ref(payload)};
    struct alloc_guard *guard = alloc_suspend(); /* a few bytes: the payload would be lost */
    VEC_PUSH(h->entries, e);
    alloc_resume(guard);
    h->bytes += sizeof *payload + payload->len;
    while (h->bytes > h->max_bytes)
        drop_oldest(h);
    compact(h);
}

void history_forget(struct history *h, lsn_t upto)
{
    while (h->first < h->entries.n && h->entries.v[h->first].payload->lsn <= upto)
        drop_oldest(h);
    compact(h);
}

/* The first entry that ends after `since`. */
static size_t first_after(const struct history *h, lsn_t since)
{
    size_t lo = h->first, hi = h->entries.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (h->entries.v[mid].payload->lsn > since)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

bool history_find(const struct history *h, lsn_t since, size_t *first)
{
    size_t i = first_after(h, since);
    *first = i;
    if (i < h->entries.n && since > h->entries.v[i].holds)
        return false;
    return since >= (i > h->first ? reached(&h->entries.v[i - 1]) : h->base);
}

static void drop_lines(void *lines)
{
    bag_fini(lines);
}

struct payload *history_net(const struct history *h, lsn_t since, lsn_t now)
{
    if (since >= now)
        return payload_new(now, 0, NULL, 0);
    size_t i = first_after(h, since);
    if (i == h->entries.n || h->entries.v[i].from > since)
        return NULL;
    if (i + 1 == h->entries.n && h->entries.v[i].payload->lsn == now)
        return payload_ref(h->entries.v[i].payload);
    struct bag lines;
    struct alloc_cleanup cleanup;
    bag_init(&lines);
    alloc_cleanup(&cleanup, drop_lines, &lines);
    for (; i < h->entries.n; i++)
        encode_collect_lines(h->entries.v[i].payload, &lines);
    struct payload *net = encode_lines(&lines, now);
    alloc_cleanup_done(&cleanup);
    bag_fini(&lines);
    return net;
}
