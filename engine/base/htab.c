/*
 * htab: growth and removal; the look-up is inline in htab.h.
 *
 * Linear probing with at most 4/5 of the slots taken, removal by moving later entries back, so that
 * there are no tombstones and probing never gets slower with age. Segments never shrink: a table
 * that was large keeps its slots until it is empty.
 *
 * The directory is bounded: when hashes are so skewed that 2^20 segments don't separate them, the
 * full segment doubles instead of being split.
 */
#include "engine/base/htab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define FIRST_SLOTS 8
#define SPLIT_SLOTS 4096 /* a segment of this size splits instead of doubling */
#define MAX_DEPTH   20

void htab_init(struct htab *t)
{
    memset(t, 0, sizeof *t);
}

static size_t seg_size(uint32_t slots)
{
    return sizeof(struct hseg) + slots * sizeof(struct hslot);
}

static struct hseg *seg_new(struct htab *t, uint32_t slots, uint32_t depth)
{
    struct hseg *s = xcalloc(1, seg_size(slots));
    s->mask = slots - 1;
    s->depth = depth;
    t->bytes += seg_size(slots);
    return s;
}

static void seg_free(struct htab *t, struct hseg *s)
{
    t->bytes -= seg_size(s->mask + 1);
    free(s);
}

/* The first directory index after i that doesn't hold the same segment. */
static size_t next_segment(const struct htab *t, size_t i)
{
    return i + ((size_t)1 << (t->depth - t->dir[i]->depth));
}

void htab_fini(struct htab *t)
{
    size_t n = t->dir ? (size_t)1 << t->depth : 0;
    for (size_t i = 0, next; i < n; i = next) {
        next = next_segment(t, i);
        free(t->dir[i]);
    }
    free(t->dir);
    htab_init(t);
}

static void seg_put(struct hseg *s, uint32_t hash, uint32_t handle)
{
    uint32_t i = hash & s->mask;
    while (s->slots[i].handle)
        i = (i + 1) & s->mask;
    s->slots[i] = (struct hslot){hash, handle};
    s->used++;
}

static void dir_point(struct htab *t, size_t from, size_t to, struct hseg *s)
{
    for (size_t i = from; i < to; i++)
        t->dir[i] = s;
}

static void dir_double(struct htab *t)
{
    size_t n = (size_t)1 << t->depth;
    struct hseg **dir = xmalloc(2 * n * sizeof *dir);
    for (size_t i = 0; i < n; i++)
        dir[2 * i] = dir[2 * i + 1] = t->dir[i];
    free(t->dir);
    t->dir = dir;
    t->depth++;
    t->bytes += n * sizeof *dir;
}

/* Replaces the segment at directory index i by one twice as large, or by two that share the load. */
static void seg_grow(struct htab *t, size_t i)
{
    struct hseg *old = t->dir[i];
    uint32_t slots = old->mask + 1;
    bool split = slots >= SPLIT_SLOTS && old->depth < MAX_DEPTH;
    if (split && old->depth == t->depth) {
        dir_double(t);
        i *= 2;
    }
    size_t span = (size_t)1 << (t->depth - old->depth);
    size_t from = i & ~(span - 1);
    struct hseg *lo, *hi;
    if (split) {
        lo = seg_new(t, slots, old->depth + 1);
        hi = seg_new(t, slots, old->depth + 1);
    } else {
        lo = hi = seg_new(t, slots * 2, old->depth);
    }
    uint32_t bit = 0x80000000u >> old->depth;
    for (uint32_t k = 0; k < slots; k++)
        if (old->slots[k].handle)
            seg_put(old->slots[k].hash & bit ? hi : lo, old->slots[k].hash, old->slots[k].handle);
    dir_point(t, from, from + span / 2, lo);
    dir_point(t, from + span / 2, from + span, hi);
    seg_free(t, old);
}

void htab_insert(struct htab *t, uint32_t hash, uint32_t handle)
{
    assert(handle);
    if (!t->dir) {
        t->dir = xmalloc(sizeof *t->dir);
        t->bytes += sizeof *t->dir;
        t->dir[0] = seg_new(t, FIRST_SLOTS, 0);
    }
    struct hseg *s = htab_segment(t, hash);
    while ((s->used + 1) * 5 > (s->mask + 1) * 4) {
        seg_grow(t, t->depth ? hash >> (32 - t->depth) : 0);
        s = htab_segment(t, hash);
    }
    seg_put(s, hash, handle);
    t->count++;
}

void htab_remove(struct htab *t, const struct hpos *at)
{
    struct hseg *s = at->seg;
    uint32_t hole = at->slot, i = hole;
    for (;;) {
        i = (i + 1) & s->mask;
        if (!s->slots[i].handle)
            break;
        /* An entry may move back into the hole unless its home lies between the hole and itself. */
        uint32_t home = s->slots[i].hash & s->mask;
        if (((i - home) & s->mask) >= ((i - hole) & s->mask)) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    }
    s->slots[hole].handle = 0;
    s->used--;
    if (--t->count == 0)
        htab_fini(t);
}

void htab_each(const struct htab *t, void (*fn)(void *arg, uint32_t handle), void *arg)
{
    size_t n = t->dir ? (size_t)1 << t->depth : 0;
    for (size_t i = 0; i < n; i = next_segment(t, i)) {
        const struct hseg *s = t->dir[i];
        for (uint32_t k = 0; k <= s->mask; k++)
            if (s->slots[k].handle)
                fn(arg, s->slots[k].handle);
    }
}
