/*
 * shim: makes allocations of another program fail. A library for LD_PRELOAD, and what it and the test
 * that is its master share: a file in memory, named by ALLOC_SHIM.
 */
#ifndef TESTS_ALLOC_SHIM_H
#define TESTS_ALLOC_SHIM_H

#include <stdatomic.h>
#include <stdint.h>

struct shim {
    atomic_uint_least64_t seen;    /* allocations of at least `least` bytes, ever */
    atomic_uint_least64_t fail_at; /* from this one on… */
    atomic_uint_least64_t fail_to; /* …up to and without this one they fail */
    atomic_uint_least64_t least;   /* bytes; smaller ones don't count and never fail */
    atomic_uint_least64_t failed;  /* how many have */
};

#endif
