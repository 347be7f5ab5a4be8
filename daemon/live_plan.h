/*
 * live_plan: a plan as its worker holds it: the plan_host, where its subscribers are, and how rows
 * of a leaf become rows of a source.
 *
 * Belongs to one worker thread. What it has to say goes to the event loops as messages (worker.h);
 * a loop is told only while it has subscribers of the plan.
 */
#ifndef PALIMPSEST_DAEMON_LIVE_PLAN_H
#define PALIMPSEST_DAEMON_LIVE_PLAN_H

#include "daemon/waiting.h"
#include "daemon/worker.h"

/* How rows of one leaf layout become rows of one source; made on first use. */
struct row_mapping {
    uint32_t relid;
    size_t source;            /* number in the spec */
    struct leaf_layout *leaf; /* counted; NULL = not made yet */
    bool identical;           /* same columns in the same order: rows pass as they are */
    uint32_t *from;           /* owned; position in the leaf of each source column */
};

/* What leads from the last state of another plan to the one last emitted here; the same for many. */
struct difference {
    struct payload *from, *net; /* one reference each */
    lsn_t at;                   /* of the state it leads to */
};

struct live_plan {
    struct plan *plan;      /* one reference */
    struct plan_host *host; /* owned; NULL once the plan has ended */
    struct worker *worker;
    struct err end; /* why it ended */
    enum end_cause cause;
    struct difference difference; /* the last one asked for; from is NULL if there is none */
    bool current;  /* seeded and getting steps; a rerun: answered since it was last stale */
    lsn_t holds;   /* a rerun's answer is that of all LSNs up to this one; LSN_MAX: no end known */
    lsn_t held;    /* while not current: how far the view was the answer */
    bool touched;  /* in the step under way */
    bool lost;     /* void since a question went unanswered, until the next W_STALE */
    bool diverged; /* was wrong: the next state replaces what subscribers hold */
    bool
        unsettled; /* subscribers were told STALE or FAILED: they hear of its end, changed or not */
    size_t *subs;  /* owned; subscribers on each loop */
    struct waiting waiting;
    VEC(struct row_mapping) mappings; /* one for each leaf of each source */
    struct arena rows;                /* rows mapped for the step under way */
    struct live_log *log;             /* owned; live_check.h; NULL: isn't being verified */
};

struct live_plan *live_plan_new(struct plan *p, struct worker *w, const struct plan_limits *limits,
                                size_t nloops);
void live_plan_free(struct live_plan *lp);

/* Pushes the fragment into every source of the plan that reads its leaf. */
void live_plan_push(struct live_plan *lp, const struct fragment *f);
/* Ends a step (or a seed) and tells the subscribers what came of it. holds: as plan_host_commit's,
 * where the plan has been current. */
void live_plan_commit(struct live_plan *lp, lsn_t lsn, lsn_t holds);
void live_plan_seed_part(struct live_plan *lp, const struct step *part);
/* A rerun: out of date from lsn on. */
void live_plan_touched(struct live_plan *lp, lsn_t lsn);
/* A rerun: the whole result (taken over) or the error as of lsn, which holds below until. */
void live_plan_answer(struct live_plan *lp, struct bag *rows, const struct err *err, lsn_t lsn,
                      lsn_t until);
/* It has turned out to be wrong: what comes of the next seed replaces what subscribers hold. */
void live_plan_diverged(struct live_plan *lp);
void live_plan_stale(struct live_plan *lp);
/* The source's rows come from these leaves from now on. */
void live_plan_set_leaves(struct live_plan *lp, size_t source, const uint32_t *leaves, size_t n);
void live_plan_end(struct live_plan *lp, const struct err *err, enum end_cause cause);
/* There is no memory for what was being done: it ends with 53200. */
void live_plan_give_up(struct live_plan *lp);
void live_plan_attach(struct live_plan *lp, const struct wmsg_attach *a);
void live_plan_detach(struct live_plan *lp, const struct wmsg_attach *a);
/* Whoever waits for the view gets it, if there is one now; and who came back with an LSN that the worker
 * hadn't passed, if it has now. */
void live_plan_serve_waiting(struct live_plan *lp);
/* Up to which LSN the view is the answer, as far as it is known. */
lsn_t live_plan_holds(const struct live_plan *lp);
/* What led to states at or before this LSN is not kept any longer. */
void live_plan_forget(struct live_plan *lp, lsn_t upto);
void live_plan_forget_waiting(struct live_plan *lp);
/* What the loops are told; sub as lmsg_plan's. */
struct lmsg_plan *live_plan_message(struct live_plan *lp, enum loop_msg_kind kind, uint64_t sub);
/* The plan may have been dropped already. */
void live_plan_explain(const struct wmsg_attach *a);

#endif
