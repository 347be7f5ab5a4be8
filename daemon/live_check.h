/*
 * live_check: is a plan right? What its worker does about VERIFY and the audit.
 *
 * The reader has Postgres answer the plan's statement and says of which LSNs the answer is
 * (feed_verify.c). The plan has moved on meanwhile: from W_RECORD on it keeps the deltas that it
 * tells, and is taken back by those that are later than the answer. That can't be done where one
 * delta is of commits on both sides of it, nor where the plan has failed or was rebuilt in between;
 * then the reader is told so, and asks again.
 *
 *     W_RECORD   Δ110   Δ120   Δ130          W_CHECK: shown 110, until 120
 *                              the view now, less Δ130 and Δ120, is what the answer must be
 *
 * A rerun's plan is compared with the next answer before it takes it over, if nothing was touched in
 * between. Belongs to the worker's thread.
 */
#ifndef PALIMPSEST_DAEMON_LIVE_CHECK_H
#define PALIMPSEST_DAEMON_LIVE_CHECK_H

#include "daemon/live_plan.h"

/* A delta of a plan that is going to be verified. */
struct told {
    lsn_t from;              /* of commits behind this one, up to the payload's LSN */
    struct payload *payload; /* one reference */
};

struct live_log {
    VEC(struct told) told;
    size_t bytes;
    bool broken; /* there are gaps: nothing can be taken back by it */
};

void live_check_record(struct live_plan *lp);
/* What the plan is about to tell its subscribers; if it is recorded. */
void live_check_tell(struct live_plan *lp, const struct plan_event *ev);
void live_check_forget(struct live_plan *lp);
/* lp may be NULL: the plan has gone. */
void live_check(struct live_plan *lp, struct wmsg_check *m);
/* There is no memory for it. */
void live_check_give_up(struct live_plan *lp, const struct wmsg_check *m);
/* Before the answer is taken over. */
void live_check_answer(struct live_plan *lp, const struct wmsg_answer *m);

#endif
