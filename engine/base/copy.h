/*
 * copy: memcpy() for a few dozen bytes whose number isn't known before.
 *
 * For rows on their way into records: a call costs more than copying them, and the string
 * instruction that the compiler puts in its place, where it can tell that the length is bounded,
 * costs ten times as much. Long ones are right, but better off with memcpy().
 */
#ifndef PALIMPSEST_BASE_COPY_H
#define PALIMPSEST_BASE_COPY_H

#include <stdint.h>
#include <string.h>

/* The two must not overlap. The last words are copied in one piece, over what came before. */
static inline void copy_short(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= 16) {
        for (size_t i = 0; i < n - 16; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
    }
}

#endif
