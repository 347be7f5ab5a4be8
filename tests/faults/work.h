/*
 * work: writers, each a thread with its own session, that change the tables of statements.h at
 * random: small transactions on all of them, transfers between accounts, now and then something
 * large or odd.
 *
 * Errors are part of it: a unique violation, a lock that isn't to be had, a server that goes away.
 */
#ifndef TESTS_FAULTS_WORK_H
#define TESTS_FAULTS_WORK_H

#include "tests/faults/world.h"

#define WRITERS 4

struct work;

struct work_counts {
    unsigned long commits, rollbacks, errors, transfers;
};

struct work *work_start(struct world *w, uint64_t seed, bool bank_only);
/* They run from now on, with so long between transactions. */
void work_go(struct work *k, unsigned pause_ms);
/* Returns when all of them are between transactions. */
void work_pause(struct work *k);
void work_free(struct work *k);
struct work_counts work_counts(const struct work *k);
/* What a writer is known to have committed durably last: its row of `written` has this or more. */
unsigned long work_written(unsigned writer);

/* One transfer (or move, split…) inside a transaction; false if something failed. bank.c */
bool bank_transfer(PGconn *db, struct rng *r);

#endif
