/*
 * feed_int: what feed.c, feed_read.c and feed_seed.c share. Nobody else includes it.
 */
#ifndef PALIMPSEST_DAEMON_FEED_INT_H
#define PALIMPSEST_DAEMON_FEED_INT_H

#include "daemon/feed.h"

/* feed.c */
void feed_set_state(struct feed *f, struct fed_plan *p, enum fed_state state);
void feed_end_plan(struct feed *f, struct fed_plan *p, const struct err *err);
bool feed_needs(const struct fed_plan *p, const struct leaf *leaf);
/* All plans that read the leaf start over. */
void feed_make_stale_on(struct feed *f, const struct leaf *leaf);
/* Asks to be run again at that time. */
void feed_wake_at(struct feed *f, uint64_t when);

/* The plan starts over. */
void feed_make_stale(struct feed *f, struct fed_plan *p);
/* The plans that read the leaf, and itself, start over: it is read again. */
void feed_lose_leaf(struct feed *f, struct leaf *leaf);
struct fed_plan *feed_find_plan(const struct feed *f, const struct plan *plan);

/* feed_verify.c */
/* Whatever can be done now. */
void feed_verify_run(struct feed *f);
void feed_verify_answered(struct feed *f, struct rerun_job *job); /* takes it */
/* A rerun's answer, or its error, goes to the worker: whether it is to be compared there. */
bool feed_verify_answer(struct feed *f, struct fed_plan *p, const struct err *err);
void feed_verify_touched(struct feed *f, struct leaf *const *leaves, size_t n, uint32_t xid,
                         lsn_t end);
/* The plan has lost its footing. */
void feed_verify_stale(struct feed *f, struct fed_plan *p);
/* It goes, or has ended. */
void feed_verify_gone(struct feed *f, struct fed_plan *p);
/* The session is gone: nobody need wait for verdicts. */
void feed_verify_suspend(struct feed *f);
void feed_verify_fini(struct feed *f);
/* The plan is to be verified when its turn comes. */
void feed_verify_want(struct feed *f, struct fed_plan *p);
/* Its leaves tell when they are changed, or no longer. */
void feed_verify_watch(struct fed_plan *p, bool on);

/* feed_read.c */
/* The leaf isn't asked for again before a pause, which grows. */
void feed_retry_later(struct feed *f, struct leaf *leaf);
/* Logs why the table could not be had, once, and keeps it for STATUS. */
void feed_table_trouble(struct feed *f, struct leaf *leaf, const char *what, const struct err *why);
/* The same when there is no use in trying again; the log isn't filled by who asks again and again. */
void feed_table_refused(struct feed *f, const struct leaf *leaf, const struct err *why);
/* It could. */
void feed_table_is_well(struct leaf *leaf);
/* Asks for those of the plan's leaves that lack something and aren't being read. */
void feed_request_leaves(struct feed *f, struct fed_plan *p);
/* Puts hydrations that have caught up into use, and throws away those that are doomed. */
void feed_finish_reads(struct feed *f);

/* feed_rerun.c */
void feed_rerun_add(struct feed *f, struct fed_plan *p);
void feed_rerun_remove(struct feed *f, struct fed_plan *p);
/* Its tables aren't what they were, or nothing is known of them any more. */
void feed_rerun_restart(struct feed *f, struct fed_plan *p);
void feed_rerun_touched(void *feed, struct leaf *const *leaves, size_t n, uint32_t xid, lsn_t end);
/* The session is gone, and with it what was asked. */
void feed_rerun_forget_jobs(struct feed *f);
/* The error says nothing of the data: it may be gone without a change that we would see. */
bool feed_rerun_is_no_answer(const struct err *err);
void feed_rerun_wake_at(struct feed *f, uint64_t when);
/* Whatever can be done now. */
void feed_rerun_run(struct feed *f);

/* feed_publish.c */
/* All of the plan's tables are in the stream. */
bool feed_are_published(const struct fed_plan *p);
/* Asks for those that are not known to be. */
void feed_request_publishing(struct feed *f, struct fed_plan *p);
/* A job that only published tables. */
void feed_rerun_published(struct feed *f, struct hydrate_job *job);

/* feed_seed.c */
/* All columns that are needed of the leaf are in the layout. */
bool feed_layout_serves(const struct leaf_layout *leaf, const struct need *n);
bool feed_leaf_serves(const struct need *n);
bool feed_can_seed(const struct fed_plan *p);
/* Posts parts until the plan is seeded (true) or too many are under way. */
bool feed_seed(struct feed *f, struct fed_plan *p);
/* Rows of tables without identity are kept only while a plan waits for them. */
void feed_drop_idle_stores(struct feed *f);

/* feed_verdict.c */
/* The check is over; what it was about is the caller's to say. */
void feed_verify_finish(struct feed *f);
/* Once more, unless it has been tried often enough. */
void feed_verify_try_again(struct feed *f);
/* Tells the askers, and does about the plan what is to be done. */
void feed_verify_conclude(struct feed *f, const struct verdict *v);

#endif
