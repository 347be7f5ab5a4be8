/*
 * rowslab: see slab.h. Classes of slot sizes: steps of 16 bytes up to 512, then a quarter more each
 * time, so that at most a fifth of a long row's slot is waste.
 */
#include "daemon/rowslab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES    (256u * 1024)
#define MIN_SLOT       4u /* a freed slot holds the number of the next one */
#define MAX_SLOT       (32u * 1024)
#define MAX_SLOTS      (1u << SLAB_SLOT_BITS)
#define SLAB_BIG_CLASS (SLAB_CLASSES - 1) /* one row a chunk: never has room, never in a list */
#define MAX_CHUNKS     (UINT32_MAX >> SLAB_SLOT_BITS)

void rowslab_init(struct rowslab *s, uint32_t fixed_len)
{
    memset(s, 0, sizeof *s);
    s->fixed = fixed_len;
}

static void release_memory(struct rowslab *s, struct rowslab_chunk *c)
{
    size_t words = (c->nslots + 63) / 64;
    for (uint32_t i = 0; c->cls == SLAB_BIG_CLASS && i < c->fresh; i++) {
        if (c->used[i >> 6] >> (i & 63) & 1)
            free(rowslab_slot_row(c, i));
    }
    s->bytes -= (uint64_t)c->slot_size * c->nslots + words * sizeof *c->used;
    free(c->mem);
    free(c->used);
    memset(c, 0, sizeof *c);
}

void rowslab_fini(struct rowslab *s)
{
    for (size_t i = 0; i < s->chunks.n; i++) {
        if (s->chunks.v[i].mem)
            release_memory(s, &s->chunks.v[i]);
    }
    VEC_FREE(s->chunks);
    VEC_FREE(s->free_numbers);
    rowslab_init(s, s->fixed);
}

/* The class of a length, and the size of its slots. */
static uint32_t class_of(const struct rowslab *s, uint32_t len, uint32_t *slot_size)
{
    *slot_size = len < MIN_SLOT ? MIN_SLOT : len;
    if (len > MAX_SLOT) {
        *slot_size = sizeof(uint8_t *);
        return SLAB_BIG_CLASS;
    }
    if (s->fixed)
        return 0;
    if (len <= 512) {
        uint32_t cls = len ? (len - 1) / 16 : 0;
        *slot_size = (cls + 1) * 16;
        return cls;
    }
    uint32_t cls = 32, size = 640;
    while (size < len) {
        size += size / 4;
        cls++;
    }
    *slot_size = size;
    return cls;
}

static void link_chunk(struct rowslab *s, uint32_t no)
{
    struct rowslab_chunk *c = &s->chunks.v[no];
    c->prev = 0;
    c->next = s->with_room[c->cls];
    if (c->next)
        s->chunks.v[c->next - 1].prev = no + 1;
    s->with_room[c->cls] = no + 1;
}

static void unlink_chunk(struct rowslab *s, uint32_t no)
{
    struct rowslab_chunk *c = &s->chunks.v[no];
    if (c->next)
        s->chunks.v[c->next - 1].prev = c->prev;
    if (c->prev)
        s->chunks.v[c->prev - 1].next = c->next;
    else
        s->with_room[c->cls] = c->next;
    c->next = c->prev = 0;
}

static uint32_t new_chunk(struct rowslab *s, uint32_t cls, uint32_t slot_size)
{
    uint32_t no;
    if (s->free_numbers.n) {
        no = s->free_numbers.v[--s->free_numbers.n];
    } else {
        no = (uint32_t)s->chunks.n;
        assert(no < MAX_CHUNKS);
        VEC_PUSH(s->chunks, (struct rowslab_chunk){0});
    }
    struct rowslab_chunk *c = &s->chunks.v[no];
    c->cls = (uint8_t)cls;
    c->slot_size = slot_size;
    c->nslots = CHUNK_BYTES / slot_size;
    if (c->nslots > MAX_SLOTS)
        c->nslots = MAX_SLOTS;
    size_t words = (c->nslots + 63) / 64;
    c->mem = xmalloc((size_t)slot_size * c->nslots);
    c->used = xcalloc(words, sizeof *c->used);
    s->bytes += (uint64_t)slot_size * c->nslots + words * sizeof *c->used;
    link_chunk(s, no);
    return no;
}

static uint32_t take_slot(struct rowslab_chunk *c)
{
    uint32_t slot;
    if (c->free_slot) {
        slot = c->free_slot - 1;
        memcpy(&c->free_slot, c->mem + (size_t)slot * c->slot_size, sizeof c->free_slot);
    } else {
        slot = c->fresh++;
    }
    c->used[slot >> 6] |= 1ULL << (slot & 63);
    c->nused++;
    return slot;
}

uint8_t *rowslab_alloc(struct rowslab *s, uint32_t len, uint32_t *handle)
{
    uint32_t slot_size, cls = class_of(s, len, &slot_size), no;
    if (s->with_room[cls])
        no = s->with_room[cls] - 1;
    else
        no = new_chunk(s, cls, slot_size);
    struct rowslab_chunk *c = &s->chunks.v[no];
    uint32_t slot = take_slot(c);
    if (c->nused == c->nslots)
        unlink_chunk(s, no);
    *handle = (no << SLAB_SLOT_BITS | slot) + 1;
    uint8_t *p = c->mem + (size_t)slot * c->slot_size;
    if (cls != SLAB_BIG_CLASS)
        return p;
    uint8_t *row = xmalloc(len);
    memcpy(p, &row, sizeof row);
    s->bytes += len;
    return row;
}

void rowslab_free(struct rowslab *s, uint32_t handle, uint32_t len)
{
    uint32_t no = (handle - 1) >> SLAB_SLOT_BITS, slot = (handle - 1) & (MAX_SLOTS - 1);
    struct rowslab_chunk *c = &s->chunks.v[no];
    assert(c->used[slot >> 6] >> (slot & 63) & 1);
    if (c->cls == SLAB_BIG_CLASS) {
        free(rowslab_slot_row(c, slot));
        s->bytes -= len;
    }
    bool was_full = c->nused == c->nslots;
    c->used[slot >> 6] &= ~(1ULL << (slot & 63));
    if (--c->nused == 0) {
        if (!was_full)
            unlink_chunk(s, no);
        release_memory(s, c);
        VEC_PUSH(s->free_numbers, no);
        return;
    }
    memcpy(c->mem + (size_t)slot * c->slot_size, &c->free_slot, sizeof c->free_slot);
    c->free_slot = slot + 1;
    if (was_full)
        link_chunk(s, no);
}

uint8_t *rowslab_next(const struct rowslab *s, uint64_t *cursor)
{
    uint64_t no = *cursor >> SLAB_SLOT_BITS, slot = *cursor & (MAX_SLOTS - 1);
    for (; no < s->chunks.n; no++, slot = 0) {
        const struct rowslab_chunk *c = &s->chunks.v[no];
        while (c->mem && slot < c->fresh) {
            uint64_t word = c->used[slot >> 6] >> (slot & 63);
            if (!word) {
                slot = (slot | 63) + 1;
                continue;
            }
            slot += (uint64_t)__builtin_ctzll(word);
            uint8_t *p = rowslab_slot_row(c, slot);
            *cursor = (no << SLAB_SLOT_BITS) + slot + 1;
            return p;
        }
    }
    *cursor = no << SLAB_SLOT_BITS;
    return NULL;
}
