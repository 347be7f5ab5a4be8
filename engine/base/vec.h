/*
 * vec: a typed growing array, as three fields and a macro.
 *
 *     struct { int *v; size_t n, cap; } ids = {0};
 *     VEC_PUSH(ids, 7);
 *     VEC_FREE(ids);
 *
 * VEC(type) declares such an anonymous struct. Growth is by xrealloc_data() (see alloc.h).
 */
#ifndef PALIMPSEST_BASE_VEC_H
#define PALIMPSEST_BASE_VEC_H

#include <stdlib.h>

#include "engine/base/alloc.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n, cap;                                                                             \
    }

#define VEC_RESERVE(vec, want)                                                                     \
    do {                                                                                           \
        if ((vec).cap < (want)) {                                                                  \
            size_t cap_ = (vec).cap ? (vec).cap * 2 : 8;                                           \
            if (cap_ < (want))                                                                     \
                cap_ = (want);                                                                     \
            (vec).v = xrealloc_data((vec).v, cap_ * sizeof *(vec).v);                              \
            (vec).cap = cap_;                                                                      \
        }                                                                                          \
    } while (0)

#define VEC_PUSH(vec, item)                                                                        \
    do {                                                                                           \
        VEC_RESERVE(vec, (vec).n + 1);                                                             \
        (vec).v[(vec).n++] = (item);                                                               \
    } while (0)

#define VEC_FREE(vec)                                                                              \
    do {                                                                                           \
        free((vec).v);                                                                             \
        (vec).v = NULL;                                                                            \
        (vec).n = (vec).cap = 0;                                                                   \
    } while (0)

#endif
