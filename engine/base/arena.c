/*
 * arena: blocks in a chain, each at least twice the one before up to a limit, so that big steps take
 * few mallocs and small ones little memory. See arena.h.
 */
#include "engine/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define FIRST_BLOCK 4096
#define MAX_BLOCK   (1024 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data */
    uint8_t data[];
};

static void enter_block(struct arena *a, struct arena_block *b)
{
    a->current = b;
    a->next = b->data;
    a->end = b->data + b->size;
}

void arena_init(struct arena *a)
{
    memset(a, 0, sizeof *a);
}

static void free_chain(struct arena *a, struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        a->bytes -= sizeof *b + b->size;
        free(b);
        b = next;
    }
}

void arena_fini(struct arena *a)
{
    free_chain(a, a->first);
    arena_init(a);
}

void arena_reset(struct arena *a)
{
    if (!a->first)
        return;
    free_chain(a, a->first->next);
    a->first->next = NULL;
    enter_block(a, a->first);
}

void *arena_grow(struct arena *a, size_t size)
{
    size_t want = a->current ? a->current->size * 2 : FIRST_BLOCK;
    if (want > MAX_BLOCK)
        want = MAX_BLOCK;
    if (want < size)
        want = size;
    struct arena_block *b = xmalloc_data(sizeof *b + want);
    b->next = NULL;
    b->size = want;
    if (a->current)
        a->current->next = b;
    else
        a->first = b;
    a->bytes += sizeof *b + want;
    enter_block(a, b);
    a->next += size;
    return b->data;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);
    return size ? memset(p, 0, size) : p;
}

void *arena_memdup(struct arena *a, const void *p, size_t len)
{
    void *q = arena_alloc(a, len);
    if (len)
        memcpy(q, p, len);
    return q;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *q = arena_alloc(a, len + 1);
    memcpy(q, s, len);
    q[len] = '\0';
    return q;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}
