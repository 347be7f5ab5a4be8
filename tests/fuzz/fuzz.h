/*
 * fuzz: rounds of random statements kept live through random transactions, each view compared with
 * Postgres after every commit.
 *
 * The main process owns the servers and speaks with neither daemon nor client: each round, and each
 * attempt at a smaller case, is a forked child, so that a daemon that crashes or a client that gives
 * up ends one child only. What the child saw comes back in shared memory.
 *
 *     fuzz_round.c   a round, in its child: subscribe, change, compare
 *     fuzz_shrink.c  a failure made small, and printed as a script of tests/sql
 *     fuzz_smith.c   statements of sqlsmith
 *     fuzz_sql.c     the loop and the counts
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon_proc.h"
#include "tests/e2e/live.h"
#include "tests/fuzz/gen.h"

enum {
    FUZZ_STATEMENTS = 24, /* tried a round; Postgres doesn't accept all of them */
    FUZZ_CHANGES = 10,
    FUZZ_REASONS = 40,
    FUZZ_REPORT = 1 << 16
};

enum outcome {
    OUTCOME_RIGHT = 0,
    OUTCOME_WRONG = 3,
    OUTCOME_INVALID = 4, /* Postgres doesn't take it */
    OUTCOME_DIED = 5,    /* the daemon, or the client gave it up */
};

struct fuzz_counts {
    unsigned long rounds, statements, modes[3], commits, comparisons, failing; /* failing: as in
                                                                                  Postgres */
    unsigned long spelling; /* equal values spelled in another way, where several are there */
    unsigned long disputed; /* an error that one of the two didn't run into */
    unsigned long wrong, crashes;
};

struct fuzz_reason {
    char text[100];
    unsigned long n;
};

/* Shared between the processes. */
struct fuzz_shared {
    struct fuzz_counts counts;
    struct fuzz_reason reasons[FUZZ_REASONS];
    int statement, change; /* of the first failure; change -1 = before any */
    char report[FUZZ_REPORT];
};

extern struct fuzz_shared *fuzz_shared;
extern struct cluster *fuzz_cluster;
extern struct daemon_proc *fuzz_daemon;

/* A case: what it takes to see a failure. */
struct fuzz_change {
    struct gen_texts texts; /* of one transaction */
};

struct fuzz_case {
    struct gen_texts schema;
    VEC(struct node *) statements;
    VEC(bool) risky;
    VEC(struct fuzz_change) changes;
    bool foreign; /* statements of another generator, that may call anything: what is answered again
                     is not held against an answer of another moment */
};

/* Tables and changes, from the generator's seed; db has the tables afterwards. */
void fuzz_begin(struct fuzz_case *c, struct gen *g, PGconn *db);
/* One more statement, if Postgres takes it. */
void fuzz_add(struct fuzz_case *c, PGconn *db, struct node *n, bool risky);
void fuzz_case_fini(struct fuzz_case *c);
/* In a child: all statements of the case through its changes, or only the one that is picked (-1 =
 * all). */
enum outcome fuzz_run(struct fuzz_case *c, int pick);
/* sqlsmith's statements over the schema that conninfo leads to, into the case. */
void fuzz_add_smith(struct fuzz_case *c, struct arena *a, PGconn *db, uint64_t seed);
/* Smaller, then printed. */
void fuzz_shrink(struct fuzz_case *c, struct arena *a, int statement, int change, FILE *out);
/* The daemon is there again if it isn't. True if it had gone. */
bool fuzz_revive(void);

#endif
