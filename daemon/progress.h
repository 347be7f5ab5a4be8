/*
 * progress: consistent cuts for one connection.
 *
 * A connection that asked for PROGRESS sees its subscriptions advance together: what a worker sends
 * is held here until every worker that runs one of its subscriptions has passed that LSN, and is
 * then given out in LSN order, with a statement "everything up to here, nothing later" between.
 * All workers go through the same sequence of LSNs (see step.h), so the cuts of different workers
 * are the same cuts.
 *
 *     worker 1:  Δ100      Δ120            passed 120     given out: Δ100 PROGRESS 100
 *     worker 2:       Δ110                 passed 110                Δ110 PROGRESS 110; Δ120 waits
 *
 * A subscription that isn't current (being seeded, behind, its plan being rebuilt) blocks the cut.
 * One that jumps (a SNAPSHOT, a net change over several commits) is at no cut below where it
 * landed: the floor. Deltas below the floor are given out without a statement.
 *
 * A rerun's answer comes after the workers have passed its LSN, and holds up to an LSN that is known: the
 * limit. It is a jump too, from the first commit that touched its tables to the last one.
 *
 * Pure bookkeeping: no clock, no sockets, no threads. Owned by a connection, used on its loop. A
 * connection without PROGRESS uses it only to count its subscriptions by worker.
 */
#ifndef PALIMPSEST_DAEMON_PROGRESS_H
#define PALIMPSEST_DAEMON_PROGRESS_H

#include "engine/base/err.h"
#include "engine/base/lsn.h"
#include "engine/host/payload.h"
#include "protocol/request.h"

/* One change of one subscription, waiting for its cut. */
struct held {
    lsn_t lsn;
    uint64_t sub;            /* the loop's name for the subscription */
    struct payload *payload; /* one reference; NULL: the plan failed */
    struct err *err;         /* owned; why it failed */
};

struct held_queue;

struct progress {
    enum progress_mode mode;
    size_t nworkers;
    struct held_queue *queues; /* owned, one a worker and one for reruns; NULL until the first
                                * subscription */
    size_t blocked;            /* subscriptions that are not current */
    size_t held;               /* entries in all queues */
    size_t held_bytes;
    lsn_t limit;  /* no cut beyond it: up to where the answers of reruns hold */
    lsn_t floor;  /* no cut below it */
    lsn_t stated; /* last statement */
    lsn_t given;  /* newest entry given out */
    bool owes;    /* something was given out that no statement covers yet */
};

enum progress_step {
    PROGRESS_WAIT, /* nothing to do now */
    PROGRESS_GIVE, /* out: deliver it; payload and err become the caller's */
    PROGRESS_STATE /* out->lsn: say PROGRESS */
};

void progress_init(struct progress *p, size_t nworkers);
void progress_fini(struct progress *p);

/* A subscription runs on this worker, or no longer. */
void progress_join(struct progress *p, int worker);
void progress_leave(struct progress *p, int worker);
void progress_block(struct progress *p);
void progress_unblock(struct progress *p);
void progress_raise_floor(struct progress *p, lsn_t lsn);
/* LSNs begin anew, as the server has another history. Nothing is held any more. */
void progress_turn_back(struct progress *p);

/* Takes the payload's reference and err over. LSNs of one worker never fall; those of reruns, whose
 * queue has the number nworkers, come in any order. */
void progress_hold(struct progress *p, int worker, const struct held *h);

/* Up to where every worker concerned has come; LSN_MAX if none is, 0 while blocked. */
lsn_t progress_cut(const struct progress *p, const lsn_t *passed);
/* The next thing to do, given how far each worker has come; call until PROGRESS_WAIT. */
enum progress_step progress_next(struct progress *p, const lsn_t *passed, struct held *out);
/* Whether the cut may be stated: nothing of a later one has been given out. It has where the cut has gone
 * back, as when a subscription was added that isn't as far as the others. */
bool progress_can_state(const struct progress *p, lsn_t cut);
/* Takes out entries without regard to cuts, oldest first: when the mode is switched off, or the
 * queue has grown too large. False when there is none. */
bool progress_take(struct progress *p, struct held *out);
/* LSN of the oldest entry held, LSN_MAX if none. */
lsn_t progress_oldest(const struct progress *p);
lsn_t progress_newest(const struct progress *p); /* likewise; 0 if none */

void held_fini(struct held *h);

#endif
