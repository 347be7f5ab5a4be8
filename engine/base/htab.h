/*
 * htab: an index from 32-bit hashes to handles that grows without a stall.
 *
 * Extendible hashing: a directory, indexed by the hash's top bits, of segments, each a small
 * open-addressing table indexed by the low bits. A full segment is split in two; only it is
 * rehashed (some ten microseconds), never the whole table, so that an insert into a table of a
 * million costs at worst what it costs in one of thousands. A small table is one segment that
 * doubles.
 *
 * Handles are whatever the caller keeps records under, never 0. The table compares hashes only: the
 * caller walks the candidates of a hash and compares the records:
 *
 *     struct hpos at;
 *     for (uint32_t h = htab_first(t, hash, &at); h; h = htab_next(&at))
 *         if (is_mine(h)) …            // htab_set(&at, other) or htab_remove(t, &at) may follow
 *
 * Any insertion or removal ends the walk. Embedded in its owner; one thread.
 */
#ifndef PALIMPSEST_BASE_HTAB_H
#define PALIMPSEST_BASE_HTAB_H

#include <stddef.h>
#include <stdint.h>

struct hslot {
    uint32_t hash;
    uint32_t handle; /* 0 = free */
};

struct hseg {
    uint32_t mask;  /* slots - 1 */
    uint32_t used;  /* slots taken */
    uint32_t depth; /* how many of the hash's top bits all its entries share */
    struct hslot slots[];
};

struct htab {
    struct hseg **dir; /* owned; 1 << depth entries, each segment owned once; NULL while empty */
    uint32_t depth;
    size_t count;
    size_t bytes;
};

struct hpos {
    struct hseg *seg;
    uint32_t slot;
    uint32_t hash;
};

void htab_init(struct htab *t);
void htab_fini(struct htab *t);
void htab_insert(struct htab *t, uint32_t hash, uint32_t handle);
void htab_remove(struct htab *t, const struct hpos *at);
/* Calls fn for every handle, in no order. fn must not change the table. */
void htab_each(const struct htab *t, void (*fn)(void *arg, uint32_t handle), void *arg);

static inline struct hseg *htab_segment(const struct htab *t, uint32_t hash)
{
    return t->dir[t->depth ? hash >> (32 - t->depth) : 0];
}

static inline uint32_t htab_scan(struct hpos *at)
{
    const struct hseg *s = at->seg;
    for (;; at->slot = (at->slot + 1) & s->mask) {
        const struct hslot *slot = &s->slots[at->slot];
        if (!slot->handle || slot->hash == at->hash)
            return slot->handle;
    }
}

static inline uint32_t htab_first(const struct htab *t, uint32_t hash, struct hpos *at)
{
    if (!t->count)
        return 0;
    at->seg = htab_segment(t, hash);
    at->hash = hash;
    at->slot = hash & at->seg->mask;
    return htab_scan(at);
}

static inline uint32_t htab_next(struct hpos *at)
{
    at->slot = (at->slot + 1) & at->seg->mask;
    return htab_scan(at);
}

static inline void htab_set(const struct hpos *at, uint32_t handle)
{
    at->seg->slots[at->slot].handle = handle;
}

/* Asks the cache for the place a hash will be looked up at. */
static inline void htab_prefetch(const struct htab *t, uint32_t hash)
{
    if (t->count) {
        const struct hseg *s = htab_segment(t, hash);
        __builtin_prefetch(&s->slots[hash & s->mask]);
    }
}

#endif
