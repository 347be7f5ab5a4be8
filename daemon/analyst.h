/*
 * analyst: the thread that asks Postgres what a statement means.
 *
 * An event loop posts a struct analysis and gets the same object back as L_ANALYZED, with a plan
 * (SUBSCRIBE, QUERY), with a spec alone (EXPLAIN), or with an error. The loop may have lost
 * interest by then (RELEASE, a closed connection): it then gives back what the result holds, see
 * analysis_free(). So nothing is ever cancelled, and nobody waits for the thread.
 *
 * The analyst owns one ordinary session of Postgres; while that can't be had, every analysis ends
 * at once with 57P03. It takes one statement at a time, in order, each within a time limit.
 */
#ifndef PALIMPSEST_DAEMON_ANALYST_H
#define PALIMPSEST_DAEMON_ANALYST_H

#include "daemon/mailbox.h"
#include "daemon/plan.h"
#include "engine/base/lsn.h"

struct analyst;
struct config;
struct loop;

enum analyst_msg_kind {
    A_ANALYZE = 300,
    A_STOP
};

struct analysis {
    struct msg m;      /* A_ANALYZE on the way there, L_ANALYZED on the way back */
    struct loop *loop; /* borrowed: whom to answer */
    uint64_t sub;      /* the loop's name for who asks; carried back */
    uint64_t question; /* the same where many ask (reask.h); 0 = one does */
    char *sql;         /* owned; UTF-8, one statement, no trailing ';' */
    char **params;     /* owned array of owned texts of $1…; NULL element = SQL NULL */
    size_t nparams;
    bool explain;        /* spec alone: don't make a plan */
    uint64_t posted_ns;  /* when the question came */
    bool keep;           /* if it comes too late, its plan lingers: the client may come back */
    uint64_t give_up_at; /* the analyst's: ms, when to stop waiting for a lock; 0 = not waiting */
    bool wants_wal;      /* also how far the server's WAL goes */
    /* Result: err is set, or spec (and plan unless explain) are. */
    const struct plan_spec *spec; /* one reference */
    struct plan *plan;            /* from registry_acquire(): one reference and one user */
    struct registry *registry;    /* borrowed; where plan was acquired, set together with it */
    lsn_t wal_lsn;                /* if wanted: pg_current_wal_insert_lsn() */
    struct err *err;              /* owned; NULL: none */
};

/* Frees the object and what it still owns; a plan left in it is released to its registry. */
void analysis_free(struct analysis *a);

struct analyst *analyst_new(const struct config *cfg, struct registry *registry);
void analyst_start(struct analyst *a);
/* Any thread; the analysis comes back to a->loop, always. */
void analyst_post(struct analyst *a, struct analysis *job);
/* How many times Postgres was asked what a statement means. Any thread. */
uint64_t analyst_asked(const struct analyst *a);
/* Answers what is waiting with 57P01 and joins. */
void analyst_stop(struct analyst *a);
void analyst_free(struct analyst *a);

#endif
