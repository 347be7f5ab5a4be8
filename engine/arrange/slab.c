/*
 * slab: see slab.h. A free record holds the handle of the next one of its size in its first bytes,
 * which is why no record is smaller than four. What is left of a chunk when a record no longer fits
 * becomes a free record itself, so that rows of mixed sizes waste little.
 */
#include "engine/arrange/slab.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define CHUNK_BYTES 65536

void slab_init(struct slab *s, unsigned unit_shift, size_t max_record)
{
    size_t chunk = CHUNK_BYTES;
    assert(unit_shift >= 2 && unit_shift <= 4);
    while (chunk < max_record * 8)
        chunk *= 2;
    memset(s, 0, sizeof *s);
    s->unit_shift = (uint8_t)unit_shift;
    while (((size_t)1 << (s->chunk_shift + unit_shift)) < chunk)
        s->chunk_shift++;
}

void slab_fini(struct slab *s)
{
    for (uint32_t i = 0; i < s->nchunks; i++)
        free(s->chunks[i]);
    free(s->chunks);
    free(s->free_heads);
    s->chunks = NULL;
    s->free_heads = NULL;
    s->nchunks = s->cap_chunks = s->nfree_heads = 0;
    s->next = s->end = s->live = 0;
}

static uint32_t *free_head(struct slab *s, uint32_t units)
{
    if (units >= s->nfree_heads) {
        uint32_t n = units + 1;
        s->free_heads = xrealloc(s->free_heads, n * sizeof *s->free_heads);
        memset(s->free_heads + s->nfree_heads, 0, (n - s->nfree_heads) * sizeof *s->free_heads);
        s->nfree_heads = n;
    }
    return &s->free_heads[units];
}

static void push_free(struct slab *s, uint32_t handle, uint32_t units)
{
    uint32_t *head = free_head(s, units);
    memcpy(slab_at(s, handle), head, sizeof *head);
    *head = handle;
}

static void add_chunk(struct slab *s)
{
    if (s->end > s->next)
        push_free(s, s->next, s->end - s->next);
    if (s->nchunks == s->cap_chunks) {
        s->cap_chunks = s->cap_chunks ? s->cap_chunks * 2 : 4;
        s->chunks = xrealloc(s->chunks, s->cap_chunks * sizeof *s->chunks);
    }
    if (((uint64_t)s->nchunks + 1) << s->chunk_shift > SLAB_HANDLE_MAX)
        alloc_give_up("an operator's state is out of handles");
    s->chunks[s->nchunks] = xmalloc_data((size_t)1 << (s->chunk_shift + s->unit_shift));
    s->next = s->nchunks << s->chunk_shift;
    s->nchunks++;
    s->end = s->nchunks << s->chunk_shift;
    if (s->next == 0)
        s->next = 1; /* handle 0 means none */
}

static uint32_t units_of(const struct slab *s, size_t size)
{
    size_t unit = (size_t)1 << s->unit_shift;
    return size <= unit ? 1 : (uint32_t)((size + unit - 1) >> s->unit_shift);
}

uint32_t slab_alloc(struct slab *s, size_t size)
{
    uint32_t units = units_of(s, size);
    assert(units < 1u << s->chunk_shift);
    s->live++;
    if (units < s->nfree_heads && s->free_heads[units]) {
        uint32_t handle = s->free_heads[units];
        memcpy(&s->free_heads[units], slab_at(s, handle), sizeof handle);
        return handle;
    }
    if (s->end - s->next < units)
        add_chunk(s);
    uint32_t handle = s->next;
    s->next += units;
    return handle;
}

void slab_free(struct slab *s, uint32_t handle, size_t size)
{
    assert(handle && s->live);
    s->live--;
    push_free(s, handle, units_of(s, size));
}

void slab_trim(struct slab *s)
{
    assert(!s->live);
    if (!s->nchunks)
        return;
    for (uint32_t i = 1; i < s->nchunks; i++)
        free(s->chunks[i]);
    s->nchunks = 1;
    s->next = 1;
    s->end = 1u << s->chunk_shift;
    if (s->nfree_heads)
        memset(s->free_heads, 0, s->nfree_heads * sizeof *s->free_heads);
}

size_t slab_bytes(const struct slab *s)
{
    size_t units = s->nchunks ? s->next : 0;
    return (units << s->unit_shift) + s->cap_chunks * sizeof *s->chunks +
           s->nfree_heads * sizeof *s->free_heads;
}
