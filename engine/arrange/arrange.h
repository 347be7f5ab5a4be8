/*
 * arrange: an arrangement: a weighted multiset of packed rows, indexed by a key of theirs.
 *
 * What joins keep of each input. The rows of one key are a doubly linked list, found through a hash
 * table of keys; a row is found in its key's list, or, once a key has more than a few rows, through a
 * second table by its bytes. So an update costs the same whatever the number of rows of its key.
 *
 * Invariant: an entry's weight is never 0; rows are told apart by their bytes. Within a step weights
 * may be negative (a retraction that runs before its assertion), between steps that is a bug.
 *
 * Memory a row: 10 bytes and the row, rounded up to 4, and 10 to 20 bytes a key in the table (8-byte
 * slots, 40 to 80 percent taken). Each entry may carry a payload of fixed size of its owner's,
 * zeroed at first.
 *
 * An entry that has reached weight 0 is unlinked at once, but its bytes stay readable until
 * arrange_settle(), so that changes under way may borrow rows. Handles are those of slab.h.
 *
 * Owned by one operator now; nothing in here knows which, so that arrangements can be shared.
 */
#ifndef PALIMPSEST_ARRANGE_ARRANGE_H
#define PALIMPSEST_ARRANGE_ARRANGE_H

#include "engine/base/htab.h"
#include "engine/arrange/keyspec.h"
#include "engine/arrange/slab.h"
#include "engine/base/vec.h"

struct arrange_entry {
    uint32_t next;  /* in the key's list, 0 = last; top bit: the row is out of line */
    uint32_t prev;  /* or, in the first of a list, ARRANGE_HEAD and the number of entries */
    int16_t weight; /* or WEIGHT_WIDE: see arrange.c */
    uint8_t data[]; /* payload, then the row, or a pointer to it */
};

#define ARRANGE_TOP  0x80000000u
#define ARRANGE_DATA offsetof(struct arrange_entry, data)

struct arrange {
    const struct keyspec *spec;  /* borrowed */
    const struct layout *layout; /* borrowed */
    struct slab slab;
    struct htab keys;  /* first entry of each key */
    struct htab rows;  /* entries of the keys that have many */
    struct htab wides; /* indexes + 1 into wide */
    VEC(struct arrange_wide) wide;
    VEC(uint32_t) dead; /* unlinked since the last settle; next holds the key's list no more */
    uint64_t nrows;     /* entries */
    size_t outline_bytes;
    uint32_t payload;
};

/* A weight that doesn't fit its entry. */
struct arrange_wide {
    uint32_t handle; /* 0 = unused */
    int64_t weight;
};

/* Rows have spec->layout. */
void arrange_init(struct arrange *a, const struct keyspec *spec, size_t payload);
void arrange_fini(struct arrange *a);

/* The first entry of the key with these values and this hash, or 0. */
uint32_t arrange_find(const struct arrange *a, uint32_t hash, const struct value *vals,
                      struct arena *scratch);
/* Adds weight to the row, whose key is vals. Returns its entry, or 0 if it is gone by that. */
uint32_t arrange_add(struct arrange *a, const uint8_t *row, uint32_t hash, const struct value *vals,
                     int64_t weight, struct arena *scratch);
/* Frees what was unlinked. At the start of a step, when nobody borrows any more. */
void arrange_settle(struct arrange *a);
size_t arrange_bytes(const struct arrange *a);
int64_t arrange_wide_weight(const struct arrange *a, uint32_t handle);

static inline struct arrange_entry *arrange_at(const struct arrange *a, uint32_t handle)
{
    return slab_at(&a->slab, handle);
}

static inline uint32_t arrange_next(const struct arrange *a, uint32_t handle)
{
    return arrange_at(a, handle)->next & ~ARRANGE_TOP;
}

static inline const uint8_t *arrange_row(const struct arrange *a, uint32_t handle)
{
    const struct arrange_entry *e = arrange_at(a, handle);
    const uint8_t *place = e->data + a->payload, *row = place;
    if (e->next & ARRANGE_TOP)
        memcpy(&row, place, sizeof row);
    return row;
}

static inline int64_t arrange_weight(const struct arrange *a, uint32_t handle)
{
    int16_t w = arrange_at(a, handle)->weight;
    return w != INT16_MIN ? w : arrange_wide_weight(a, handle);
}

/* Asks for the memory a key's look-up will need: first its slot in the table, later (stage 2) its
 * first entry. */
static inline void arrange_prefetch(const struct arrange *a, uint32_t hash, int stage)
{
    struct hpos at;
    uint32_t h;
    if (stage == 1)
        htab_prefetch(&a->keys, hash);
    else if ((h = htab_first(&a->keys, hash, &at)))
        __builtin_prefetch(arrange_at(a, h));
}

/* Not aligned. Valid while the entry lives. */
static inline uint8_t *arrange_payload(const struct arrange *a, uint32_t handle)
{
    return arrange_at(a, handle)->data;
}

#endif
