/*
 * outbox: what the reader sends to the workers, and how much of it is still under way.
 *
 * Every step goes to every worker that has plans, in one order. A reference to each is kept until
 * the workers have dropped theirs: the number and bytes of those still held are the backlog, by
 * which the reader folds transactions into one step and in the end stops reading from Postgres.
 * Workers without plans need no waking for every commit; they are told the position now and then.
 *
 * Belongs to the reader's thread.
 */
#ifndef PALIMPSEST_DAEMON_OUTBOX_H
#define PALIMPSEST_DAEMON_OUTBOX_H

#include "daemon/worker.h"

struct outbox {
    struct worker *const *workers; /* borrowed */
    size_t nworkers;
    VEC(struct step *) sent; /* counted; sent.v[first..n) may still be held by workers */
    size_t first;
    size_t bytes;             /* of those */
    lsn_t lsn;                /* of the last step */
    bool behind;              /* some worker without plans doesn't know lsn yet */
    VEC(size_t) nplans;       /* on each worker, by its place in workers; empty: none yet */
    VEC(struct step *) spare; /* empty ones, for the next steps */
};

void outbox_fini(struct outbox *o);
/* An empty step, new or used before. */
struct step *outbox_new_step(struct outbox *o);
/* To all workers that have plans; takes the reference. */
void outbox_step(struct outbox *o, struct step *s);
/* Tells the position to those that were left out. */
void outbox_catch_up(struct outbox *o);
/* The plan's worker has one plan more, or less. */
void outbox_count_plan(struct outbox *o, const struct plan *p, bool more);
/* A part of a plan's seed, to its worker; takes the reference; NULL with last if there are no more
 * rows. */
void outbox_seed(struct outbox *o, struct plan *p, struct step *part, bool last, lsn_t lsn);
void outbox_plan(struct outbox *o, enum worker_msg_kind kind, struct plan *p);
/* The source's rows come from these leaves from now on. */
void outbox_leaves(struct outbox *o, struct plan *p, size_t source, const uint32_t *leaves,
                   size_t n);
/* A rerun's answer is out of date from this commit on. */
void outbox_touched(struct outbox *o, struct plan *p, lsn_t lsn);
/* A rerun's answer as of lsn, which holds below `until`: rows are taken over; err: it is an error;
 * check: the worker says R_CHECKED. */
void outbox_answer(struct outbox *o, struct plan *p, struct bag *rows, const struct err *err,
                   lsn_t lsn, lsn_t until, bool check);
/* The same, to be compared with what the plan has told; rows are JSON texts and taken over. The answer
 * is that of all LSNs from shown to below until, of which lsn is one. */
void outbox_check(struct outbox *o, struct plan *p, struct bag *rows, const struct err *err,
                  lsn_t shown, lsn_t until, lsn_t lsn);
void outbox_end(struct outbox *o, struct plan *p, const struct err *err, enum end_cause cause);
/* Steps and parts not finished by the workers; afterwards o->bytes is theirs. */
size_t outbox_backlog(struct outbox *o);

#endif
