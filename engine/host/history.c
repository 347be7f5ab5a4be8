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

void history_fini(struct history *h)
{
    history_clear(h);
    VEC_FREE(h->entries);
}

static void drop_oldest(struct history *h)
{
    struct payload *p = h->entries.v[h->first++].payload;
    h->bytes -= sizeof *p + p->len;
    payload_unref(p);
}

void history_clear(struct history *h)
{
    while (h->first < h->entries.n)
        drop_oldest(h);
    h->first = h->entries.n = 0;
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

void history_add(struct history *h, lsn_t from, struct payload *payload)
{
    struct history_entry e = {.from = from, .payload = payload_ref(payload)};
    struct alloc_guard *guard = alloc_suspend(); /* a few bytes: the payload would be lost */
    VEC_PUSH(h->entries, e);
    alloc_resume(guard);
    h->bytes += sizeof *payload + payload->len;
    while (h->bytes > h->max_bytes)
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
