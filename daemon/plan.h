/*
 * plan: the handle that threads share of one live plan, and the registry that finds it by key.
 *
 * The handle holds what never changes (spec, worker, id) and a few counters; the state of the plan
 * (struct plan_host) belongs to its worker alone. A plan lives while it has users: subscriptions
 * that are attached or on their way. registry_acquire() and registry_release() count them under one
 * lock, so two subscribers racing for the same statement get the same plan, and the last release
 * decides once. After it the reader and the worker are told to drop what they hold, in that order;
 * the handle itself is freed with its last reference.
 *
 *      registry_acquire()           registry_release(), last user
 *   ───────────────────▶ REGISTERED ───────────────▶ gone from the registry ──▶ reader: R_DROP_PLAN
 *      first: reader gets R_ADD_PLAN      ▲     ▲                            ──▶ worker: W_DROP
 *                 registry_leave(), last user │     │ registry_expire(), or the place is needed
 *                                         ▼     │
 *                                        LINGERING ◀─ registry_acquire() leads back
 *
 * A lingering plan goes on being maintained: its clients went without a word and may come back for what
 * they missed.
 */
#ifndef PALIMPSEST_DAEMON_PLAN_H
#define PALIMPSEST_DAEMON_PLAN_H

#include "engine/plan/plan.h"

struct worker;
struct reader;
struct registry;
struct live_plan;
struct msg;

struct plan {
    atomic_int refs;
    uint64_t id;                  /* unique over the daemon's life */
    const struct plan_spec *spec; /* counted */
    struct worker *worker;        /* borrowed; lives longer than any plan */
    struct registry *registry;    /* borrowed; likewise */
    struct live_plan *live;       /* the worker's own state of it; nobody else looks */
    /* The registry's, under its lock: */
    size_t users;
    bool retired;        /* not in the table any more */
    uint64_t idle_since; /* ms; of one that lingers: on the list, the oldest first */
    struct plan *idle_prev, *idle_next;
    /* For LIST and STATUS; written by the worker, read by anyone. */
    atomic_uint_least64_t rows, bytes, lsn;
    atomic_uint_least64_t
        store_bytes;  /* of tables that no other plan needs; written by the reader */
    atomic_int state; /* enum plan_state */
    atomic_int subscribers;
};

struct plan *plan_ref(struct plan *p);
void plan_unref(struct plan *p);

struct registry *registry_new(struct worker *const *workers, size_t nworkers, struct reader *reader,
                              size_t max_plans);
void registry_free(struct registry *r);
/*
 * The live plan with spec's key, or a new one made from spec (then the reader is told, and the
 * worker with the fewest plans gets it). Counts one user and returns one reference to the handle.
 * When there are max_plans already the plan that has lingered longest makes room; if none lingers,
 * NULL with 53400; with 53200 when there is no memory for it. Any thread.
 */
struct plan *registry_acquire(struct registry *r, const struct plan_spec *spec, struct err *err);
/* One user more of a plan that has one; one reference. Any thread. */
struct plan *registry_join(struct registry *r, struct plan *p);
/* Counts one user less and drops the caller's reference. Any thread. */
void registry_release(struct registry *r, struct plan *p);
/* The same for a user who may come back: the last one leaves the plan lingering. */
void registry_leave(struct registry *r, struct plan *p, uint64_t now_ms);
/* Drops the plans that have lingered since before a time. Called once a second. */
void registry_expire(struct registry *r, uint64_t before_ms);
/* A plan that can't go on (its table was dropped) is taken out of the registry at once, so that a
 * new SUBSCRIBE makes a fresh one; its users still release it. */
void registry_retire(struct registry *r, struct plan *p);
/* The plan's worker has lost its state: the reader is told to seed it again. Any thread. */
void registry_reseed(struct registry *r, struct plan *p);
/* Passes a worker's news (enum reader_msg_kind) on to the reader. Any thread. */
void registry_tell_reader(struct registry *r, struct msg *m);
/* How many plans there are, and how many of them linger. */
size_t registry_count(struct registry *r, size_t *lingering);
/* Calls fn for each plan under the lock: short and without calling back into the registry. */
void registry_each(struct registry *r, void (*fn)(void *arg, struct plan *p), void *arg);

#endif
