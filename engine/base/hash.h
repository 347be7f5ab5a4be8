/*
 * hash: one hash function for the whole tree (XXH3, header-only).
 *
 * For tables in memory: the values may change between versions. What clients see (a plan's key) uses
 * XXH3_64bits directly over a canonical text, whose value never changes.
 */
#ifndef PALIMPSEST_BASE_HASH_H
#define PALIMPSEST_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash_bytes(const void *p, size_t len)
{
    return XXH3_64bits(p, len);
}

/* Mixes a 64-bit value into a running hash (a finaliser of the murmur family). */
static inline uint64_t hash_mix(uint64_t h, uint64_t v)
{
    h ^= v;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 32;
    h *= 0xc4ceb9fe1a85ec53ULL;
    return h ^ (h >> 29);
}

#endif
