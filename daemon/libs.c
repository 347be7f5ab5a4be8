/*
 * libs: see libs.h.
 */
#include "daemon/libs.h"

#include <event2/event.h>
#include <gmp.h>
#include <jansson.h>
#include <stdlib.h>

#include "engine/base/alloc.h"

static void *realloc_sized(void *p, size_t old, size_t size)
{
    (void)old;
    return xrealloc(p, size);
}

static void free_sized(void *p, size_t size)
{
    (void)size;
    free(p);
}

void libs_use_our_allocator(void)
{
    mp_set_memory_functions(xmalloc, realloc_sized, free_sized);
    json_set_alloc_funcs(xmalloc, free);
    event_set_mem_functions(xmalloc, xrealloc, free);
}
