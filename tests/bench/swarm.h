/*
 * swarm: thousands of protocol clients in one thread: connects them, sends what it is told, counts
 * what comes, and holds the views of a few of them, so that what so many were sent can be compared
 * with what Postgres answers.
 *
 * It costs the machine as little as a client can: one epoll, one buffer, lines are counted and not
 * kept. Sources are spread over 127.0.0.0/8, so that ports don't run out. A connection that ends
 * though it wasn't closed, an ERROR and a broken promise in a kept view end the program.
 *
 * A swarm belongs to one thread; there may be several.
 */
#ifndef TESTS_BENCH_SWARM_H
#define TESTS_BENCH_SWARM_H

#include "tests/bench/bench.h"
#include "tests/e2e/client.h"

struct member;

struct swarm_counts {
    uint64_t hellos, accepted, snapshots, deltas, syncs;
};

struct swarm {
    int epfd, port;
    struct member **members; /* owned; those that were closed are NULL */
    size_t n, cap;
    size_t open;
    char *input;                /* what was read, for all of them */
    struct swarm_counts counts; /* ever; a block counts when it is whole */
    int64_t first_ns, last_ns; /* when the first block since swarm_mark() was whole, and the last */
    bool marked;
    struct samples
        *ages; /* if set: of each row that came in a DELTA, how long ago, in us, its first
                           * column says that it was written (bench_ns()) */
};

struct swarm *swarm_new(int port);
void swarm_free(struct swarm *s); /* closes all */
/* One more connection; its number. It is sent to and read from by swarm_turn(). */
size_t swarm_open(struct swarm *s);
void swarm_close(struct swarm *s, size_t member);
void swarm_send(struct swarm *s, size_t member, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* SUBSCRIBE, and the view is held from its SNAPSHOT on; ncols: columns of the statement. */
struct view *swarm_keep(struct swarm *s, size_t member, const char *id, const char *sql,
                        size_t ncols);
/* Reads and writes what can be, having waited for at most so long. */
void swarm_turn(struct swarm *s, int timeout_ms);
/* Turns until the counter (one of counts) has reached n; the program ends after four minutes. */
void swarm_until(struct swarm *s, const uint64_t *counter, uint64_t n);
/* first_ns is that of the next block. */
void swarm_mark(struct swarm *s);

#endif
