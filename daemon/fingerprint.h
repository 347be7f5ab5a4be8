/*
 * fingerprint: what the daemon relies on of a table, as text, so that a change can be seen.
 *
 * DDL writes no row changes; whoever keeps rows has to look at the catalog. The watch does so at a
 * low rate and compares with the time before. The first "before" of a table must be no later than
 * its rows: the hydrator takes it in the very snapshot it copies them from and leaves it as a note,
 * which the watch picks up. So a change right after the rows were read isn't missed.
 *
 * What counts for rows that were read: the file, the identity, the publication, and all that follows.
 * What counts for what a statement means: the name, the columns it reads, the table's kind, primary
 * key, privileges and policies, labels of enums, fields of composites. A column that is added changes
 * nothing for anyone.
 */
#ifndef PALIMPSEST_DAEMON_FINGERPRINT_H
#define PALIMPSEST_DAEMON_FINGERPRINT_H

#include "daemon/pgconn.h"
#include "engine/base/vec.h"

struct fingerprint {
    uint32_t relid;
    char *core;          /* owned; "" = the relation is gone */
    char *meaning;       /* owned */
    char *schema, *name; /* owned */
    char *columns;       /* owned; a line for each, by number */
    char *tree;    /* owned; leaves below it (itself, if it is one): OIDs, ascending, with commas */
    char mark[33]; /* of a view or function: MD5 of its definition, as in struct plan_view */
    bool torn;     /* rows read at another one are in use too: it holds for nothing */
};

struct fingerprints {
    VEC(struct fingerprint) v; /* by ascending relid */
};

/* Asks for those of the relations, which ascend; adds them to out, which is empty. */
MUST_CHECK bool fingerprints_load(struct fingerprints *out, struct pgconn *c,
                                  const uint32_t *relids, size_t n, struct err *err);
void fingerprints_free(struct fingerprints *f);
const struct fingerprint *fingerprints_find(const struct fingerprints *f, uint32_t relid);
/* Rows read at `before` are good at `after`. */
bool fingerprint_holds(const struct fingerprint *before, const struct fingerprint *after);
/* The number of the first column beyond `than` that isn't any more what it was; 0 = none. */
uint32_t fingerprint_next_altered(const struct fingerprint *before, const struct fingerprint *after,
                                  uint32_t than);
/* The column of this number has this name. */
bool fingerprint_has_column(const struct fingerprint *f, uint32_t attnum, const char *name);

/* The hydrator leaves what it saw (taken over); the watch takes all that was left. Any thread. */
void fingerprints_leave(struct fingerprints *f);
/* Replaces in `seen` what has a note, and adds those it doesn't have. What differs is torn: plans
 * may still hold rows of the one before. */
void fingerprints_pick_up(struct fingerprints *seen);

#endif
