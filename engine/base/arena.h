/*
 * arena: bump allocation for things that die together (a request, a step, a statement's tree).
 *
 * An arena never gives back a single object. arena_reset() forgets all of them but keeps the first
 * block, so that an arena reused for every step settles at no malloc at all. Blocks come from
 * xmalloc_data(), see alloc.h.
 *
 * Alignment is 8 bytes. Threads: an arena belongs to one thread at a time.
 */
#ifndef PALIMPSEST_BASE_ARENA_H
#define PALIMPSEST_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *first;   /* owned; kept over arena_reset() */
    struct arena_block *current; /* borrowed from the chain at first */
    uint8_t *next;               /* where the next object goes, in current */
    uint8_t *end;                /* end of current */
    size_t bytes;                /* memory held in all blocks */
};

void arena_init(struct arena *a);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a);
void *arena_grow(struct arena *a, size_t size); /* slow path of arena_alloc() */

static inline void *arena_alloc(struct arena *a, size_t size)
{
    size = (size + !size + 7) & ~(size_t)7; /* nothing has an address too: never NULL */
    if ((size_t)(a->end - a->next) < size)
        return arena_grow(a, size);
    void *p = a->next;
    a->next += size;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size);
void *arena_memdup(struct arena *a, const void *p, size_t len);
/* Copies and adds a terminating NUL. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type)      ((type *)arena_zalloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_zalloc((arena), sizeof(type) * (size_t)(n)))

#endif
