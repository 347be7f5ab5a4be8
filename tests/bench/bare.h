/*
 * bare: the floor under every latency: a pgoutput reader that does nothing but note when a commit
 * arrived. Runs on a thread of its own with a temporary slot.
 */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

#include <stdint.h>

#include "tests/e2e/cluster.h"

struct bare;

struct bare *bare_start(const struct cluster *c, const char *publication);
/* When commit number n (from 1) arrived, in bench_ns(); waits for it. */
int64_t bare_commit_time(struct bare *b, uint64_t n);
uint64_t bare_commits(struct bare *b);
void bare_stop(struct bare *b);

#endif
