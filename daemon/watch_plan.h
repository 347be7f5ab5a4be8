/*
 * watch_plan: are the tables and views of each plan still those that it was made with? Part of the
 * watch.
 *
 * ATTACH, DETACH, DROP of a partition, INHERIT change which rows a table has without a single row
 * in the stream. At every poll the leaves of each table in use are compared with those its plans
 * were made with and with those of the poll before; where they differ the reader is told, and makes
 * those plans start over that read others. It may be told twice: it knows what each plan reads.
 *
 * A view's definition is in the plan: when it is another than the plan was made with, the plan ends
 * and its subscribers ask again. So does a plan whose table is gone.
 */
#ifndef PALIMPSEST_DAEMON_WATCH_PLAN_H
#define PALIMPSEST_DAEMON_WATCH_PLAN_H

#include "daemon/plan.h"
#include "engine/base/vec.h"

struct reader;

/* A table or view as it is now. */
struct relation_now {
    uint32_t oid;
    char mark[33];    /* of a view: as in struct plan_view; else "" */
    uint32_t *leaves; /* owned; ascending */
    size_t n;
    bool tell, gone;
};

struct relations_now {
    VEC(struct relation_now) v; /* by ascending oid */
};

/* In ascending order of oid. leaves: OIDs separated by commas, ascending; NULL: the relation is gone.
 * changed: not those of the poll before. */
void watch_plans_add(struct relations_now *l, uint32_t oid, const char *leaves, const char *mark,
                     bool changed);
/* Tells the reader what it may not know, ends plans, and empties the list. */
void watch_plans_check(struct relations_now *l, struct registry *registry, struct reader *reader);

#endif
