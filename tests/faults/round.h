/*
 * round: a workload, a fault or two at a random moment, quiet, and every client's view compared with
 * Postgres. What the fault suite and the soak do again and again.
 */
#ifndef TESTS_FAULTS_ROUND_H
#define TESTS_FAULTS_ROUND_H

#include "tests/faults/inject.h"

struct run {
    uint64_t seed;
    bool bank_only;
    unsigned patience; /* how many times longer things may take: sanitizers, valgrind */
    struct world world;
    struct watch *watch;
    struct work *work;
    struct scene scene;
};

/* A number from the environment. */
unsigned long setting(const char *name, unsigned long otherwise);

void run_begin(struct run *r, uint64_t seed, bool production);
/* Everything is released and stopped; what is left behind is reported. */
void run_end(struct run *r);

/* The faults' beginnings and ends, with the workload going on around and between; b may be NULL. */
void run_faults(struct run *r, const struct fault *a, const struct fault *b, unsigned ms);
void run_allow(struct run *r, const struct fault *a, const struct fault *b);
/* The writers pause, all views are compared. False, and reported, if something is wrong. */
bool run_compare(struct run *r, bool ddl);
/* Another fault that can happen while a lasts; NULL if the dice say that one is enough. */
const struct fault *run_second_fault(struct run *r, const struct fault *a);

#endif
