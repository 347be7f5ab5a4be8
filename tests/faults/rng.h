/*
 * rng: random choices that a seed repeats (splitmix64). One for each thread that chooses, each made
 * from the run's seed and a number of its own, so that none depends on how fast another is.
 */
#ifndef TESTS_FAULTS_RNG_H
#define TESTS_FAULTS_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline struct rng rng_from(uint64_t seed, uint64_t stream)
{
    struct rng r = {seed * 0x9e3779b97f4a7c15ULL + stream};
    r.state = rng_next(&r);
    return r;
}

/* 0 … n-1; n > 0. */
static inline unsigned rng_below(struct rng *r, unsigned n)
{
    return (unsigned)((rng_next(r) >> 32) * n >> 32);
}

static inline int rng_between(struct rng *r, int least, int most)
{
    return least + (int)rng_below(r, (unsigned)(most - least + 1));
}

static inline bool rng_chance(struct rng *r, unsigned percent)
{
    return rng_below(r, 100) < percent;
}

#endif
