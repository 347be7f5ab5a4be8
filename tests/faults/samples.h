/*
 * samples: what the daemon takes, over time: memory, descriptors, threads, and what it says of itself.
 *
 * A thread takes a sample every so often, prints it as a line and writes it to a CSV file; at the
 * end the curve is judged.
 */
#ifndef TESTS_FAULTS_SAMPLES_H
#define TESTS_FAULTS_SAMPLES_H

#include "tests/faults/round.h"

struct sample {
    double t; /* s since the beginning */
    long rss_kb, threads, fds;
    unsigned long long memory_used, plans, subscriptions, connections, lag,
        output_queued; /* STATUS */
    unsigned long commits;
    uint64_t deltas, compared, resyncs;
};

struct samples;

/* csv: a path, or NULL. */
struct samples *samples_start(struct run *r, const char *csv, unsigned every_ms);
struct sample samples_take(struct samples *s); /* now, unrecorded */
/* Ends the thread, prints the closing table and reports what grows. */
void samples_close(struct samples *s);

#endif
