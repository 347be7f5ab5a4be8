/*
 * watch: all clients of a run, and the promises of PROTOCOL.md checked line by line.
 *
 * One thread serves every connection; it never waits for one. What each kind of client does:
 *
 *     steady   subscribes and stays
 *     each     the same with PROGRESS each: at every PROGRESS its views must be one cut
 *     bank     the same with the bank's statements, and SYNCs all the time: its own writers' commits
 *              must be there
 *     slow     reads a little now and then
 *     churn    subscribes, releases, asks once, reuses ids, disconnects
 *
 * A client that loses its connection comes back and asks for the same again, from where it stands
 * (`since`) or from scratch. A subscription that was refused or has ended is asked for again.
 *
 * Now and then one has a view VERIFYed.
 *
 * Checked at every line: no line for an id that isn't there, contiguous blocks, LSNs that rise,
 * retracts before asserts, no row on both sides, no retract of a row that isn't there, nothing
 * empty; money that adds up (statements.h); views of one statement at one LSN that are equal; no
 * DELTA from below a PROGRESS.
 *
 * The main thread settles all clients after a fault and then compares what they hold with Postgres.
 */
#ifndef TESTS_FAULTS_WATCH_H
#define TESTS_FAULTS_WATCH_H

#include <libpq-fe.h>

#include "tests/faults/statements.h"
#include "tests/faults/world.h"

struct watch;

struct watch_counts {
    uint64_t connections, disconnects, subscriptions, snapshots, deltas, rows, resyncs, failures,
        errors, progress, syncs;
    uint64_t totals, cuts, own_writes, twins; /* checks of the bank, and of equal views */
    uint64_t resumed, too_old;                /* with `since`: gone on from there; sent whole */
    uint64_t verified, unverified;            /* VERIFYs answered; that could not be told */
    uint64_t compared;                        /* views with Postgres */
};

/* What the faults of a round may do to clients. */
struct watch_allowance {
    bool disconnects;
    bool ends;      /* subscriptions may end with an error, if they can be had again */
    bool unnoticed; /* for a moment views may differ from what Postgres would answer: DDL */
    bool gaps;      /* for a moment changes may be missing: nothing published them */
};

struct watch *watch_start(struct world *w, uint64_t seed, bool bank_only);
void watch_free(struct watch *w);

/* Some clients go, others come, to make n. */
void watch_shuffle(struct watch *w, unsigned n);
void watch_allow(struct watch *w, const struct watch_allowance *a);
/* Every client disconnects and comes back; abruptly or not. */
void watch_disconnect_all(struct watch *w);
/* Connects and disconnects in quick succession. */
void watch_storm(struct watch *w, unsigned n);

/* Every client connected, every subscription there and SYNCed. Nobody writes meanwhile. False, and
 * reported, if that takes longer than ms. */
bool watch_settle(struct watch *w, unsigned ms);
/* Settled: how many views differ from Postgres's answers; reported if `tell`. */
unsigned watch_compare(struct watch *w, PGconn *db, bool tell);
void watch_go_on(struct watch *w);
struct watch_counts watch_counts(struct watch *w);

#endif
