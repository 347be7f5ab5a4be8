/*
 * rerun: the thread that asks Postgres whole statements again.
 *
 * The reader posts a struct rerun_job and gets it back as R_ANSWERED, always. All statements of a job
 * are answered in one snapshot, so that their results belong together: a client that holds several
 * of them and asks for consistent cuts would else wait for ever under a steady load.
 *
 * The tables are locked ACCESS SHARE before the snapshot is taken, as the hydrator does, so that no
 * rewrite or TRUNCATE comes in between. What Postgres says of a statement while it runs is its result
 * (a division by zero), what it says of it before means that it no longer holds (its table is gone).
 */
#ifndef PALIMPSEST_DAEMON_RERUN_H
#define PALIMPSEST_DAEMON_RERUN_H

#include "daemon/plan.h"
#include "daemon/reader.h"
#include "engine/host/bag.h"

struct rerun;

enum rerun_outcome {
    RERUN_AGAIN,  /* no answer: a lock, the connection; err says why */
    RERUN_ROWS,   /* rows is the result */
    RERUN_FAILED, /* Postgres answers with err */
    RERUN_ENDED   /* the statement no longer holds: err */
};

struct rerun_item {
    struct plan *plan; /* one reference */
    uint32_t *leaves;  /* owned: the tables to lock */
    size_t nleaves;
    enum rerun_outcome outcome;
    bool bare;       /* rows are JSON texts alone */
    struct bag rows; /* else as host/answer.h has them */
    struct err err;
    uint64_t took; /* ms */
};

/* The job, there and back as R_ANSWERED. */
struct rerun_job {
    struct msg m;
    uint64_t epoch;           /* the reader's session; a job of an older one is thrown away */
    struct rerun_item *items; /* owned */
    size_t n;
    bool timed;           /* some statement runs because time has gone by: the WAL is to move too */
    bool check;           /* not for a rerun: a plan is verified (feed_verify.c) */
    struct snapshot snap; /* result; as of it all rows are */
};

void rerun_job_free(struct rerun_job *job);

/* name: of the thread; borrowed. */
struct rerun *rerun_new(const char *name, struct reader *reader);
void rerun_start(struct rerun *r);
/* Any thread; the job comes back to the reader, always. */
void rerun_post(void *rerun, struct msg *job);
/* Interrupts what is under way and joins. */
void rerun_stop(struct rerun *r);
void rerun_free(struct rerun *r);

#endif
