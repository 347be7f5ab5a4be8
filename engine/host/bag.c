/*
 * bag: chained hash table with the bytes inline in the entry. It doubles when it holds as many
 * entries as buckets and never shrinks while in use; bag_clear() gives everything back.
 */
#include "engine/host/bag.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/hash.h"

#define MIN_BUCKETS 16

void bag_init(struct bag *b)
{
    memset(b, 0, sizeof *b);
}

void bag_fini(struct bag *b)
{
    for (size_t i = 0; i < b->nbuckets; i++) {
        struct bag_entry *e = b->buckets[i];
        while (e) {
            struct bag_entry *next = e->next;
            free(e);
            e = next;
        }
    }
    free(b->buckets);
    bag_init(b);
}

void bag_clear(struct bag *b)
{
    bag_fini(b);
}

static void grow(struct bag *b)
{
    size_t n = b->nbuckets ? b->nbuckets * 2 : MIN_BUCKETS;
    struct bag_entry **buckets = xcalloc_data(n, sizeof *buckets);
    for (size_t i = 0; i < b->nbuckets; i++) {
        struct bag_entry *e = b->buckets[i];
        while (e) {
            struct bag_entry *next = e->next;
            e->next = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
            e = next;
        }
    }
    free(b->buckets);
    b->bytes += (n - b->nbuckets) * sizeof *buckets;
    b->buckets = buckets;
    b->nbuckets = n;
}

/* The link that points at the entry, or at the end of its bucket's chain. */
static struct bag_entry **find(const struct bag *b, const void *bytes, size_t len, uint32_t hash)
{
    struct bag_entry **link = &b->buckets[hash & (b->nbuckets - 1)];
    while (*link && !((*link)->hash == hash && (*link)->len == len &&
                      memcmp((*link)->bytes, bytes, len) == 0))
        link = &(*link)->next;
    return link;
}

int64_t bag_add(struct bag *b, const void *bytes, size_t len, int64_t weight)
{
    uint32_t hash = (uint32_t)hash_bytes(bytes, len);
    if (b->nentries >= b->nbuckets)
        grow(b);
    struct bag_entry **link = find(b, bytes, len, hash);
    struct bag_entry *e = *link;
    b->total += weight;
    if (!e) {
        e = xmalloc_data(sizeof *e + len);
        e->next = NULL;
        e->weight = weight;
        e->hash = hash;
        e->len = (uint32_t)len;
        memcpy(e->bytes, bytes, len);
        *link = e;
        b->nentries++;
        b->bytes += sizeof *e + len;
        return weight;
    }
    e->weight += weight;
    if (e->weight)
        return e->weight;
    *link = e->next;
    b->nentries--;
    b->bytes -= sizeof *e + len;
    free(e);
    return 0;
}

int64_t bag_weight(const struct bag *b, const void *bytes, size_t len)
{
    if (!b->nentries)
        return 0;
    struct bag_entry *e = *find(b, bytes, len, (uint32_t)hash_bytes(bytes, len));
    return e ? e->weight : 0;
}

const struct bag_entry *bag_next(const struct bag *b, struct bag_cursor *c)
{
    if (c->entry)
        c->entry = c->entry->next;
    while (!c->entry && c->bucket < b->nbuckets)
        c->entry = b->buckets[c->bucket++];
    return c->entry;
}
