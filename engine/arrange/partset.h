/*
 * partset: the rows of each partition as an ordered set of its own, all in one topset's memory.
 *
 * What LIMIT by partition and window functions keep of their input. A partition is what is equal by
 * a keyspec; it is taken in hand, worked on as a topset, and put back:
 *
 *     uint32_t h = partset_open(ps, row, scratch, &err);
 *     topset_add(&ps->set, row, weight, …);
 *     partset_close(ps, h);                        // gone if it has no rows left
 *
 * Memory: that of topset.h a row and of keymap.h, with a payload of 32 bytes, a partition. Removed
 * rows and partitions stay readable until partset_settle(). Owned by one operator; one thread.
 */
#ifndef PALIMPSEST_ARRANGE_PARTSET_H
#define PALIMPSEST_ARRANGE_PARTSET_H

#include "engine/arrange/keymap.h"
#include "engine/arrange/topset.h"

struct partset_part {
    struct topset_root set;
    uint32_t touched; /* the owner's; 0 at first. While it is set an empty partition stays */
};

struct partset {
    struct topset set;    /* the partition in hand */
    struct keyspec *spec; /* owned */
    struct keymap parts;  /* payload: struct partset_part */
};

/* part over input 0; they and keys are borrowed. npart may be 0: one partition. */
void partset_init(struct partset *ps, const struct layout *l, const struct expr *const *part,
                  size_t npart, const struct sort_key *keys, size_t nkeys);
void partset_fini(struct partset *ps);

/* Takes the row's partition in hand, made if it isn't there. 0: its key fails. */
uint32_t partset_open(struct partset *ps, const uint8_t *row, struct arena *scratch,
                      struct err *err);
/* Takes a known one in hand. */
void partset_load(struct partset *ps, uint32_t handle);
/* Puts what is in hand back. */
void partset_close(struct partset *ps, uint32_t handle);

void partset_settle(struct partset *ps);
size_t partset_bytes(const struct partset *ps);

static inline struct partset_part *partset_part(const struct partset *ps, uint32_t handle)
{
    return keymap_payload(&ps->parts, handle);
}

#endif
