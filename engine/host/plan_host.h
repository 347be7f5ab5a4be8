/*
 * plan_host: one live plan on its worker: the circuit, the cached view and the recent deltas.
 *
 * Life:   SEEDING ──commit(seed)──▶ LIVE ◀──▶ FAILED (an erroneous row exists)
 *                                    │ ▲
 *                     plan_host_rebuild() │ commit(seed): the difference to the cached view
 *                                    ▼ │
 *                                  REBUILDING (serves the old view, gets no transactions)
 *
 * A rerun's plan has no circuit: its owner commits whole results by plan_host_answer(), and a rebuild
 * leaves it as it is.
 *
 * The owner (the worker thread) pushes the changes of one step and commits them; the result says
 * what subscribers must be told. No I/O, no locks, no clock.
 */
#ifndef PALIMPSEST_HOST_PLAN_HOST_H
#define PALIMPSEST_HOST_PLAN_HOST_H

#include "engine/host/bag.h"
#include "engine/host/payload.h"
#include "engine/plan/plan.h"

enum plan_state {
    PLAN_SEEDING,
    PLAN_LIVE,
    PLAN_FAILED,
    PLAN_REBUILDING
};

struct plan_limits {
    uint64_t max_rows;      /* of the result; beyond: 53400 */
    uint64_t history_bytes; /* of recent deltas kept for catching up */
    uint64_t plan_bytes;    /* of everything the plan holds; beyond: 53200; 0 = no limit */
};

enum plan_event_kind {
    PLAN_UNCHANGED,
    PLAN_DELTA,    /* payload: send it */
    PLAN_ERROR,    /* became FAILED: err says why; silent until it recovers */
    PLAN_OVERFLOW, /* it has grown past max_rows or plan_bytes: err; the plan can't go on */
    PLAN_LOST      /* see plan_host_is_lost(): to be rebuilt, then seeded again */
};

struct plan_event {
    enum plan_event_kind kind;
    struct payload *payload; /* PLAN_DELTA: one reference, the caller's */
    struct err err;
};

struct plan_host;

struct plan_host *plan_host_new(const struct plan_spec *spec, const struct plan_limits *limits);
void plan_host_free(struct plan_host *p);

/* Adds one row change of source i to the step under way. The row is in the layout of
 * spec->sources[i] and must stay until the commit. */
void plan_host_push(struct plan_host *p, size_t source, const uint8_t *row, int64_t weight);
/* A question to Postgres has gone unanswered, or the state has turned out to contradict itself, in
 * some step since the last rebuild. What is pushed and committed until then is void. */
bool plan_host_is_lost(const struct plan_host *p);
/* It is lost because it contradicts itself, see circuit_is_broken(). */
bool plan_host_is_broken(const struct plan_host *p);
/* While seeding: runs what was pushed through the circuit so far without emitting anything, so that
 * a seed of any size takes bounded working memory. */
void plan_host_absorb(struct plan_host *p);
/* Ends the step at lsn. After a seed or rebuild: the difference to what was last emitted, just
 * behind it if lsn isn't later. holds: the LSN up to which the answer is surely what it was before the
 * step; lsn - 1 if the step is one commit. */
struct plan_event plan_host_commit(struct plan_host *p, lsn_t lsn, lsn_t holds);
/* A rerun's step: the whole result as of lsn (taken over; rows as answer.h has them), or the error that
 * Postgres answers with. Told is the difference to what was last emitted, just behind it if lsn isn't
 * later. */
struct plan_event plan_host_answer(struct plan_host *p, struct bag *result, const struct err *error,
                                   lsn_t lsn, lsn_t holds);
/* Somebody holds a state of this LSN (that of a plan before this one): whatever is emitted from now on
 * is behind it. */
void plan_host_follow(struct plan_host *p, lsn_t lsn);
/*
 * Takes the emitted view's rows, as JSON texts, out of left: what is then left is what one side has and
 * the other doesn't. Only while LIVE.
 */
void plan_host_compare(struct plan_host *p, struct bag *left);
/* Nobody can be led from a state before to one after: the history begins anew. */
void plan_host_break_history(struct plan_host *p);
/* Starts over with an empty circuit; the cached view stays what it was until the next commit. */
void plan_host_rebuild(struct plan_host *p);

enum plan_state plan_host_state(const struct plan_host *p);
const struct err *plan_host_error(const struct plan_host *p); /* while FAILED */
lsn_t plan_host_lsn(const struct plan_host *p);               /* of the last emitted state */
/* The whole view as last emitted, in ORDER BY order. Cached until it changes. The caller's
 * reference. */
struct payload *plan_host_snapshot(struct plan_host *p);
/* The same when the plan has come to its end, FAILED or not; afterwards it may only be freed. NULL if
 * no state was ever emitted. */
struct payload *plan_host_last_words(struct plan_host *p);
/* The net change from the state emitted at `since` to the current one, or NULL when the history
 * doesn't reach back. May have 0 rows. */
struct payload *plan_host_changes_since(struct plan_host *p, lsn_t since);
/* A client says it holds the answer as of since. Calls fn for each delta that it lacks, oldest first, or
 * once for their net change (which may have no rows) if they are larger than max_bytes in all. Returns
 * false, without a call, if that isn't an emitted state that the history reaches back to; else *base is
 * that state's LSN. */
bool plan_host_resume(struct plan_host *p, lsn_t since, size_t max_bytes,
                      void (*fn)(void *arg, struct payload *payload), void *arg, lsn_t *base);
/* What led to states at or before this LSN is not kept any longer. */
void plan_host_forget(struct plan_host *p, lsn_t upto);
/* Whether any state was ever emitted (a plan may fail before its first SNAPSHOT). */
bool plan_host_has_view(const struct plan_host *p);

uint64_t plan_host_rows(const struct plan_host *p);
uint64_t plan_host_bytes(const struct plan_host *p);
/* False with 53200: it holds more than plan_bytes. */
MUST_CHECK bool plan_host_fits(const struct plan_host *p, struct err *err);
const struct circuit *plan_host_circuit(const struct plan_host *p); /* NULL for a rerun */

#endif
