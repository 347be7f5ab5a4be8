/*
 * rowslab: room for many small, immutable rows, named by 32-bit handles.
 *
 * A store holds millions of rows; a malloc and a pointer each would cost as much as the row itself.
 * Rows lie in chunks of up to CHUNK_BYTES, each chunk cut into slots of one size. Fixed-length rows
 * get slots of exactly their length; others the next of a list of sizes; a row too long for that is
 * malloc'ed, and its slot holds the pointer. A chunk whose last row goes is given back at once.
 *
 * The invariant: a handle is (chunk number << SLOT_BITS | slot) + 1, so 0 names nothing, and a bit
 * in the chunk's bitmap is set exactly while its slot is in use. That bitmap is what rowslab_next()
 * walks. 2^20 chunks are more than the memory of any machine this runs on.
 *
 * Owned by a store; one thread at a time.
 */
#ifndef PALIMPSEST_DAEMON_ROWSLAB_H
#define PALIMPSEST_DAEMON_ROWSLAB_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/vec.h"

#define SLAB_CLASSES   64
#define SLAB_BIG_CLASS (SLAB_CLASSES - 1) /* slots are pointers to rows of their own */
#define SLAB_SLOT_BITS 12

struct rowslab_chunk {
    uint8_t *mem;       /* owned; NULL: this number is free */
    uint64_t *used;     /* owned: one bit a slot */
    uint32_t slot_size; /* bytes */
    uint32_t nslots;
    uint32_t nused;
    uint32_t fresh;      /* slots from here on were never used */
    uint32_t free_slot;  /* head of the list of freed slots, slot + 1; 0 = none */
    uint32_t next, prev; /* chunk + 1 in the list of its class's chunks with room; 0 = end */
    uint8_t cls;
};

struct rowslab {
    uint32_t fixed; /* bytes of every row; 0 = rows differ */
    VEC(struct rowslab_chunk) chunks;
    VEC(uint32_t) free_numbers;       /* of chunks given back */
    uint32_t with_room[SLAB_CLASSES]; /* chunk + 1, head of the list; 0 = none */
    uint64_t bytes;                   /* held */
};

void rowslab_init(struct rowslab *s, uint32_t fixed_len);
void rowslab_fini(struct rowslab *s); /* also empties it for reuse */
/* Room for len bytes; *handle gets its name. */
uint8_t *rowslab_alloc(struct rowslab *s, uint32_t len, uint32_t *handle);
/* len is that of the row when it was allocated. */
void rowslab_free(struct rowslab *s, uint32_t handle, uint32_t len);

/* Every slot in use, in order of place: start with *cursor = 0, until NULL. */
uint8_t *rowslab_next(const struct rowslab *s, uint64_t *cursor);

static inline uint8_t *rowslab_slot_row(const struct rowslab_chunk *c, size_t slot)
{
    uint8_t *place = c->mem + slot * c->slot_size, *row = place;
    if (c->cls == SLAB_BIG_CLASS)
        memcpy(&row, place, sizeof row);
    return row;
}

static inline uint8_t *rowslab_get(const struct rowslab *s, uint32_t handle)
{
    return rowslab_slot_row(&s->chunks.v[(handle - 1) >> SLAB_SLOT_BITS],
                            (handle - 1) & ((1u << SLAB_SLOT_BITS) - 1));
}

#endif
