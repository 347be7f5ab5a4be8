/*
 * watch_tree: partitions and inheritance children that come and go. Part of the watch.
 *
 * ATTACH, DETACH, DROP of a partition, INHERIT change which rows a table has without a single row
 * in the stream. At every poll the leaves of each table in use are compared with those its plans
 * were made with and with those of the poll before; where they differ the reader is told, and makes
 * those plans start over that read others. It may be told twice: it knows what each plan reads.
 */
#ifndef PALIMPSEST_DAEMON_WATCH_TREE_H
#define PALIMPSEST_DAEMON_WATCH_TREE_H

#include "daemon/plan.h"
#include "engine/base/vec.h"

struct reader;

struct table_tree {
    uint32_t table;
    uint32_t *leaves; /* owned; ascending */
    size_t n;
    bool tell;
};

struct tree_list {
    VEC(struct table_tree) v; /* by ascending table */
};

/* In ascending order of table. leaves: OIDs separated by commas, ascending. */
void watch_trees_add(struct tree_list *l, uint32_t table, const char *leaves, bool changed);
/* Tells the reader what it may not know, and empties the list. */
void watch_trees_tell(struct tree_list *l, struct registry *registry, struct reader *reader);

#endif
