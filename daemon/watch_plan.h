/*
 * watch_plan: are the tables and views of each plan still those that it was made with? Part of the
 * watch.
 *
 * ATTACH, DETACH, DROP of a partition, INHERIT change which rows a table has without a single row
 * in the stream. At every poll the leaves of each table in use are compared with those its plans
 * were made with and with those of the poll before; where they differ the reader is told, and makes
 * those plans start over that read others. It may be told twice: it knows what each plan reads.
 *
 * A view's definition is in the plan, and so are names: when a view, a table or a column that is read is
 * another one, or gone, or what the table's rows mean has changed, the plan ends and its subscribers
 * ask again. Against the plan itself is held what it remembers (names, numbers, definitions): that
 * catches what happened before anyone looked. The rest is held against the look before.
 *
 * A plan is looked at when it is new or when something it reads looks different, so that a poll costs
 * little, however many there are.
 */
#ifndef PALIMPSEST_DAEMON_WATCH_PLAN_H
#define PALIMPSEST_DAEMON_WATCH_PLAN_H

#include "daemon/fingerprint.h"
#include "daemon/plan.h"
#include "engine/base/vec.h"

struct reader;

/* A table, view or function as it is now. */
struct relation_now {
    const struct fingerprint *f;      /* borrowed */
    const struct fingerprint *before; /* borrowed; NULL = it is seen for the first time */
    uint32_t *leaves;                 /* owned; ascending */
    size_t n;
    bool gone;      /* it is no table or view (any more) */
    bool different; /* from before, or seen for the first time */
    bool remade;    /* its rows mean something else */
    bool tell;      /* the reader, of its leaves */
};

struct relations_now {
    VEC(struct relation_now) v; /* by ascending oid */
    uint64_t known;             /* plans up to this id have been looked at before */
    uint64_t asked;             /* plans up to this id were there when Postgres was asked */
};

/* In ascending order of oid. */
void watch_plans_add(struct relations_now *l, const struct fingerprint *f,
                     const struct fingerprint *before);
/* Tells the reader what it may not know, ends plans, and empties the list. */
void watch_plans_check(struct relations_now *l, struct registry *registry, struct reader *reader);

#endif
