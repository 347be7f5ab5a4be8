/*
 * reader: the other end of a subscription as a benchmark wants it: a thread that reads a socket and
 * notes when each whole DELTA was there, parsing no more than the headers.
 */
#ifndef TESTS_BENCH_READER_H
#define TESTS_BENCH_READER_H

#include <stdint.h>

struct delta_reader;

/* Connects, subscribes and waits for the SNAPSHOT; *snapshot_ns gets how long that took. */
struct delta_reader *delta_reader_start(int port, const char *sql, int64_t *snapshot_ns);
uint64_t delta_reader_count(struct delta_reader *r);
/* When delta number n (from 1) was whole; waits for it. */
int64_t delta_reader_time(struct delta_reader *r, uint64_t n);
/* The LSN of the last delta. */
uint64_t delta_reader_lsn(struct delta_reader *r);
/* Sends SYNC; the answer is read and counted like a delta's arrival. */
void delta_reader_sync(struct delta_reader *r);
uint64_t delta_reader_syncs(struct delta_reader *r);
void delta_reader_stop(struct delta_reader *r);

#endif
