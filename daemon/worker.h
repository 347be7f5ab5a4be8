/*
 * worker: a thread that runs plans.
 *
 * All that happens to a plan comes through its worker's mailbox, in one order: steps and seeds from
 * the reader, attaches and detaches from the event loops. So "attach and snapshot" needs no lock:
 * what was applied before the attach is in its SNAPSHOT, what comes after is a DELTA. What goes out
 * to one event loop is one mailbox too, in the same order: a loop that has delivered a snapshot to
 * a subscriber then gives it every delta that follows.
 *
 * A plan gets steps only between its seed and the next W_STALE; the reader keeps that promise, the
 * worker relies on it.
 */
#ifndef PALIMPSEST_DAEMON_WORKER_H
#define PALIMPSEST_DAEMON_WORKER_H

#include "daemon/mailbox.h"
#include "daemon/plan.h"
#include "daemon/step.h"
#include "engine/host/compare.h"
#include "engine/host/plan_host.h"

struct loop;
struct worker;

enum worker_msg_kind {
    W_STEP,   /* reader: struct wmsg_step */
    W_ADD,    /* registry: a new plan; comes before anything else about it */
    W_SEED,   /* reader: a part of a plan's seed; last = commit it at its LSN, then it gets steps */
    W_STALE,  /* reader: the plan's tables are being read again; no steps until the next seed */
    W_LEAVES, /* reader: a source's rows come from other leaves now; W_STALE or a seed follows */
    W_TOUCHED, /* reader: a rerun's answer is out of date from an LSN on; before the step of it */
    W_ANSWER,  /* reader: a rerun's answer */
    W_END,     /* reader, watch: the plan can't go on; err for its subscribers */
    W_RECORD, /* reader: the plan is going to be verified; what it tells from now on is kept for it */
    W_FORGET,   /* reader: it isn't */
    W_CHECK,    /* reader: what Postgres answers a plan's statement; the worker says R_CHECKED */
    W_DIVERGED, /* reader: the plan is wrong; W_STALE follows, and then a state that replaces all */
    W_DROP,     /* reader, after R_DROP_PLAN: forget it */
    W_ATTACH,   /* loop: a subscriber joins, or catches up */
    W_DETACH,   /* loop: one subscriber less on that loop */
    W_EXPLAIN,  /* loop: describe the running circuit */
    W_STOP
};

struct wmsg_step {
    struct msg m;
    struct step *step; /* one reference */
};

struct wmsg_plan { /* W_ADD, W_STALE, W_RECORD, W_FORGET, W_DIVERGED, W_DROP */
    struct msg m;
    struct plan *plan; /* one reference */
};

struct wmsg_seed {
    struct msg m;
    struct plan *plan; /* one reference */
    struct step *part; /* rows; one reference; NULL with last if there are none */
    bool last;         /* the seed is whole; commit at lsn */
    lsn_t lsn;
};

struct wmsg_leaves {
    struct msg m;
    struct plan *plan; /* one reference */
    size_t source;     /* its number in the plan's spec */
    uint32_t *leaves;  /* owned */
    size_t n;
};

struct wmsg_touched {
    struct msg m;
    struct plan *plan; /* one reference */
    lsn_t lsn;
};

struct wmsg_answer {
    struct msg m;
    struct plan *plan; /* one reference */
    struct bag rows;   /* owned; as host/answer.h has them */
    struct err err;    /* if set: Postgres answers with an error */
    lsn_t lsn;         /* as of which it is */
    lsn_t until;       /* holds below it; LSN_MAX: until further notice */
    bool check;        /* the worker says R_CHECKED: is it what the plan has told so far? */
};

struct wmsg_check {
    struct msg m;
    struct plan *plan; /* one reference */
    struct bag rows;   /* owned; JSON texts */
    struct err err;    /* if set: Postgres answers with an error */
    lsn_t shown;       /* the answer is that of all LSNs from this one… */
    lsn_t until;       /* …to below this one; LSN_MAX: up to now */
    lsn_t lsn;         /* one of them, to be told */
};

/* Why a plan has ended, and what that means for its subscribers. */
enum end_cause {
    END_FINAL,   /* it has done what it can't do: they get the error */
    END_REFUSED, /* its tables can't be read as it needs them: their statements are asked again */
    END_CHANGED, /* what it was made from is another now: likewise */
    END_TIMELINE /* the server has another history: likewise, and what they hold means nothing */
};

struct wmsg_end {
    struct msg m;
    struct plan *plan; /* one reference */
    struct err err;
    enum end_cause cause;
};

enum attach_how {
    ATTACH_NEW,      /* the view, then deltas */
    ATTACH_RESUME,   /* holds the view as of since, it says: what it missed, or else RESYNC */
    ATTACH_CATCH_UP, /* holds the state that was emitted at since (0: none yet): the net change, or
                      * else RESYNC */
};

struct wmsg_attach { /* W_ATTACH, W_DETACH and W_EXPLAIN */
    struct msg m;
    struct plan *plan; /* one reference */
    struct loop *loop;
    uint64_t sub; /* the loop's name for the subscription */
    enum attach_how how;
    lsn_t since;
    bool foreign;           /* RESUME: since may be of another history */
    size_t max_bytes;       /* RESUME: more than this in all is sent as one net change */
    lsn_t behind;           /* the first state it gets has a later LSN than this */
    struct payload *former; /* one reference; a plan before this one left the subscriber with this
                             * SNAPSHOT: it gets the difference; NULL = it gets a SNAPSHOT */
};

/* Messages to an event loop; loops own them after posting. */
enum loop_msg_kind {
    L_ANALYZED = 100, /* analyst: see analyst.h */
    L_SNAPSHOT,       /* to one subscriber: whole view; from now on it gets the plan's deltas */
    L_CATCHUP,        /* to one subscriber: net change since what it holds; then deltas again */
    L_RESUME,         /* to one subscriber: the deltas that it missed; then deltas again */
    L_DIFFERENCE,     /* to one: from what another plan left it with; then deltas */
    L_DELTA,          /* to all subscribers of the plan on this loop that have been given a state */
    L_FAILED,         /* to all, or (sub != 0) to one that attached to a failed plan */
    L_ENDED,          /* to all: the plan can't go on */
    L_PROGRESS,       /* this worker has sent everything up to lsn for all plans that are current */
    L_HOLDS, /* a rerun's state holds as far as `holds` says; lsn: it is as of that, 0 = as before */
    L_STALE,     /* plan is being rebuilt: it does not count as current until its next message */
    L_EXPLAINED, /* answer to W_EXPLAIN */
    L_DIVERGED,  /* to all: the plan has been wrong; this whole view replaces what they hold */
    L_VERIFIED,  /* reader: answer to R_VERIFY, struct lmsg_verified */
    L_MARKS,     /* reader: tokens of a commit, see marks.h */
    L_SYNCED,    /* watch: WAL position for a SYNC, see watch.h */
    L_STOP
};

/* L_SNAPSHOT, L_CATCHUP, L_RESUME, L_DIFFERENCE, L_DELTA, L_FAILED, L_ENDED, L_HOLDS, L_DIVERGED, L_STALE
 */
struct lmsg_plan {
    struct msg m;
    struct plan *plan;       /* one reference */
    uint64_t sub;            /* 0 = all of the plan on this loop */
    struct payload *payload; /* one reference; NULL where there is none. L_ENDED: a SNAPSHOT of
                              * the last state, for what comes after it */
    lsn_t lsn;               /* of the state; also when payload is NULL */
    lsn_t holds;             /* the plan's state is that of all LSNs from its own to this one; of
                              * those that get steps LSN_MAX: as far as the worker has come */
    bool resync;             /* L_SNAPSHOT: replaces what the subscriber holds (RESYNC first) */
    bool current;            /* L_SNAPSHOT, L_CATCHUP, L_DELTA: the plan is live after it */
    enum end_cause cause;    /* L_ENDED */
    lsn_t base;              /* L_RESUME: of the state that the subscriber holds */
    VEC(struct payload *) missed; /* L_RESUME: what led from there to lsn; counted */
    struct err err; /* L_FAILED, L_ENDED; the others end before it: it is large, and of
                                   * SNAPSHOTs there may be hundreds of thousands under way */
};

struct lmsg_progress {
    struct msg m;
    struct worker *worker;
    lsn_t lsn;
};

struct lmsg_verified {
    struct msg m;
    uint64_t sub;
    struct verdict verdict; /* owned */
};

struct lmsg_explained {
    struct msg m;
    uint64_t sub;
    struct buf text; /* owned */
};

struct worker_stats {
    atomic_uint_least64_t steps, txns, busy_ns; /* busy_ns: CPU time of the thread */
};

struct worker *worker_new(int no, const struct plan_limits *limits, size_t delegated_bytes,
                          struct loop *const *loops, size_t nloops);
void worker_start(struct worker *w);
void worker_post(struct worker *w, struct msg *m);
/* Steps waiting and being worked on: what the reader looks at to fold transactions under backlog.
 */
size_t worker_backlog(const struct worker *w);
lsn_t worker_lsn(const struct worker *w); /* applied up to */
int worker_no(const struct worker *w);
struct loop *const *worker_loops(const struct worker *w, size_t *n); /* borrowed */
const struct worker_stats *worker_stats(const struct worker *w);
/* Posts W_STOP and joins. */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);

#endif
