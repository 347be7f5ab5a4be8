/*
 * keymap: a map from a key (values, compared as keyspec.h says) to a record of fixed size.
 *
 * What group, distinct and the set operations keep: a record is the owner's payload, zeroed at
 * first, and the key as a packed row: the representative, the spelling in which the key was first
 * seen, kept as long as the record lives. Records don't move.
 *
 * A removed record can't be found any more, but its bytes stay readable until keymap_settle(), so
 * that changes under way may borrow the representative.
 *
 * Memory: payload, one byte and the row, rounded up to 16 (rows above a limit are malloc'ed), 10 to 20
 * bytes in the table. Owned by one operator; one thread.
 */
#ifndef PALIMPSEST_ARRANGE_KEYMAP_H
#define PALIMPSEST_ARRANGE_KEYMAP_H

#include "engine/base/htab.h"
#include "engine/arrange/keyspec.h"
#include "engine/arrange/slab.h"
#include "engine/base/vec.h"

struct keymap {
    struct layout *layout; /* counted; of the representatives */
    struct keyspec *spec;  /* owned; the whole of such a row */
    struct slab slab;
    struct htab table;
    VEC(uint32_t) dead;
    struct value *vals;   /* owned; room for one key */
    size_t payload;       /* rounded up to 16 */
    size_t outline_bytes; /* of the rows that are not in their records */
};

/* cts: the types of the key's columns. */
void keymap_init(struct keymap *m, const struct column_type *cts, size_t n, size_t payload);
void keymap_fini(struct keymap *m);

/* The record with this key, or 0. hash: of vals by m->spec, or by any spec with the same parts. */
uint32_t keymap_find(const struct keymap *m, uint32_t hash, const struct value *vals);
/* The same with the key as a row of m->layout, compared by its bytes. Only for bytewise specs. */
uint32_t keymap_find_row(const struct keymap *m, uint32_t hash, const uint8_t *row, uint32_t len);
/* A new record; there is none with this key. The row is copied. */
uint32_t keymap_insert(struct keymap *m, uint32_t hash, const uint8_t *row);
void keymap_remove(struct keymap *m, uint32_t handle);
/* Frees what was removed. At the start of a step, when nobody borrows any more. */
void keymap_settle(struct keymap *m);
size_t keymap_bytes(const struct keymap *m);
static inline size_t keymap_count(const struct keymap *m)
{
    return m->table.count;
}

/* Asks for the memory a key's look-up will need: first its slot in the table, later (stage 2) its
 * record. */
static inline void keymap_prefetch(const struct keymap *m, uint32_t hash, int stage)
{
    struct hpos at;
    uint32_t h;
    if (stage == 1)
        htab_prefetch(&m->table, hash);
    else if ((h = htab_first(&m->table, hash, &at)))
        __builtin_prefetch((const uint8_t *)slab_at(&m->slab, h) + m->payload);
}

/* Aligned to 16. */
static inline void *keymap_payload(const struct keymap *m, uint32_t handle)
{
    return slab_at(&m->slab, handle);
}

static inline const uint8_t *keymap_row(const struct keymap *m, uint32_t handle)
{
    const uint8_t *outline = (const uint8_t *)slab_at(&m->slab, handle) + m->payload;
    const uint8_t *place = outline + 1, *row = place;
    if (*outline)
        memcpy(&row, place, sizeof row);
    return row;
}

#endif
