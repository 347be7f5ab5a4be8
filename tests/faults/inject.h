/*
 * inject: what goes wrong in production, done on purpose.
 *
 * A fault has a beginning and, unless it is over at once, an end that puts things right; between the
 * two the workload goes on, and another fault may begin. The main thread does them.
 */
#ifndef TESTS_FAULTS_INJECT_H
#define TESTS_FAULTS_INJECT_H

#include "tests/faults/watch.h"
#include "tests/faults/work.h"

struct scene {
    struct world *world;
    struct watch *watch;
    struct rng rng;
    PGconn *db;   /* may be broken: scene_db() */
    PGconn *held; /* a session that keeps a transaction open */
};

struct fault {
    const char *name;
    void (*begin)(struct scene *s);
    void (*end)(struct scene *s); /* NULL: over at once */
    struct watch_allowance allows;
    bool blocks_sql; /* while it lasts nothing can be asked of Postgres */
    bool needs_sql;  /* to begin */
    bool new_daemon; /* what the old one held is gone */
};

extern const struct fault faults[];
extern const size_t nfaults;

/* A session that works, or NULL while there is no server. */
PGconn *scene_db(struct scene *s);

/* inject_sql.c: those that are done with SQL. */
void fault_publication_gone(struct scene *s);
void fault_publication_back(struct scene *s);
void fault_table_unpublished(struct scene *s);
void fault_inserts_only(struct scene *s);
void fault_slot_dropped(struct scene *s);
void fault_ddl(struct scene *s);
void fault_ddl_back(struct scene *s);
void fault_partitions(struct scene *s);
void fault_partitions_back(struct scene *s);
void fault_identity(struct scene *s);
void fault_identity_back(struct scene *s);
void fault_rewritten(struct scene *s);
void fault_view_replaced(struct scene *s);
void fault_recreated(struct scene *s);
void fault_large_transaction(struct scene *s);
void fault_truncate(struct scene *s);
void fault_subtransactions(struct scene *s);
void fault_prepare(struct scene *s);
void fault_prepared_ends(struct scene *s);
void fault_open_transaction(struct scene *s);
void fault_open_transaction_ends(struct scene *s);
void fault_no_standby(struct scene *s);
void fault_standby_back(struct scene *s);

#endif
