/*
 * slab: many small records of a few sizes, named by 32-bit handles instead of pointers.
 *
 * For the state of operators: a handle is half a pointer, a record has no malloc header, and a
 * million of them are a few thousand chunks that go back in one sweep. A record stays where it is
 * until it is freed; its handle is not 0. Records are cut from chunks of one size and recycled
 * through a free list per size; memory of freed records is used again, and given back to the system
 * only by slab_fini() or, once nothing is left, by slab_trim().
 *
 * Handles count units of 1 << unit_shift bytes and take 31 bits, so that owners may keep a flag in
 * the top one: with units of 4 bytes a slab holds 8 GiB. Beyond that it gives up
 * (alloc_give_up()).
 *
 * Owned by the arrangement, map or tree it is embedded in; one thread.
 */
#ifndef PALIMPSEST_ARRANGE_SLAB_H
#define PALIMPSEST_ARRANGE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_HANDLE_MAX 0x7fffffffu

struct slab {
    uint8_t **chunks; /* owned array of owned chunks */
    uint32_t nchunks, cap_chunks;
    uint32_t next;        /* handle of the first unused unit of the last chunk */
    uint32_t end;         /* handle just past that chunk */
    uint32_t *free_heads; /* owned; by record size in units; 0 = none */
    uint32_t nfree_heads;
    uint32_t live; /* records allocated and not freed */
    uint8_t unit_shift;
    uint8_t chunk_shift; /* units in a chunk: 1 << chunk_shift */
};

/* Records will be at most max_record bytes and aligned to 1 << unit_shift (2 to 4). */
void slab_init(struct slab *s, unsigned unit_shift, size_t max_record);
void slab_fini(struct slab *s);
/* The content is undefined. */
uint32_t slab_alloc(struct slab *s, size_t size);
/* size: as given to slab_alloc(), or any that rounds to the same number of units. */
void slab_free(struct slab *s, uint32_t handle, size_t size);
/* Forgets all chunks but the first. Only while no record is live. */
void slab_trim(struct slab *s);
size_t slab_bytes(const struct slab *s); /* memory touched */

static inline void *slab_at(const struct slab *s, uint32_t handle)
{
    uint32_t unit = handle & ((1u << s->chunk_shift) - 1);
    return s->chunks[handle >> s->chunk_shift] + ((size_t)unit << s->unit_shift);
}

#endif
