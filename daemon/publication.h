/*
 * publication: sees to it that a table's changes are in the stream, whole, before it is read.
 *
 * A table that isn't published is added, under a lock that waits for its open writers: a
 * transaction that wrote before and after the ADD would be delivered in part. Where somebody else
 * published it there was no such lock, so until the writers of that time have ended it isn't read.
 *
 * A table without replica identity is never added: its UPDATEs and DELETEs would fail from then on.
 * What this process has made and added is taken back when it stops, so that the user's database is
 * as it was.
 *
 * Belongs to the hydrator's thread, but for publication_note_created().
 */
#ifndef PALIMPSEST_DAEMON_PUBLICATION_H
#define PALIMPSEST_DAEMON_PUBLICATION_H

#include "daemon/hydrate_int.h"
#include "engine/base/vec.h"

struct config;

/* How far we trust that a table is delivered whole. */
struct pub_table {
    uint32_t relid;
    uint32_t since; /* xmin of the catalog row that publishes it; 0: not known yet */
    uint64_t seen;  /* xids below this may have written before it was published */
    bool whole;     /* none of those writers is left */
    bool added;     /* by this process */
};

struct publication {
    VEC(struct pub_table) tables; /* those looked at so far */
};

void publication_init(struct publication *p);
void publication_fini(struct publication *p);

/*
 * Looks up the tables' names and makes sure that each is published. Tables that can't be are
 * failed. False with err when nothing can be said of any of them.
 */
MUST_CHECK bool publication_ensure(struct publication *p, struct pgconn *c,
                                   const struct config *cfg, struct reading *r, size_t n,
                                   struct err *err);

/* What kind of publication is of use: else false with 55000. Any thread. */
MUST_CHECK bool publication_is_fit(const char *name, bool all_kinds, bool via_root,
                                   struct err *err);
/* Any thread: this process has made the publication. */
void publication_note_created(void);
/* Drops what this process has made or added, unless another daemon is at work in the database. Best
 * effort, over a session of its own. */
void publication_clean_up(struct publication *p, const struct config *cfg);

#endif
