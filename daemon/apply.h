/*
 * apply: one change of a table, as pgoutput sends it, onto a leaf: its store, and if wanted the
 * fragment of the step under way.
 *
 *   identity            old row comes from              store
 *   key (d, i)          the store, by key               always there
 *   FULL (f)            the message ('O')               always there: the row must be in it
 *   none                no UPDATE or DELETE can come    there only while a plan waits to be seeded
 *
 * A change that needs a row which isn't there is never guessed at: the caller reads the table
 * again. Rows made here lie in the arena given; those of the store are copied out before it
 * changes.
 *
 * Belongs to the reader's thread. No I/O.
 */
#ifndef PALIMPSEST_DAEMON_APPLY_H
#define PALIMPSEST_DAEMON_APPLY_H

#include "daemon/relation.h"
#include "daemon/store.h"

enum apply_result {
    APPLY_OK,
    APPLY_MISFIT,  /* the table isn't what the leaf's layout says any more */
    APPLY_MISSING, /* the old row is not there, or a new one already is */
    APPLY_BAD      /* a value can't be read: err */
};

struct apply_target {
    struct leaf_layout *leaf; /* borrowed */
    struct store *store;      /* borrowed; NULL: rows of this leaf aren't kept */
    struct colmap *map;       /* borrowed; kept beside the leaf */
    struct arena *arena;      /* for the rows; borrowed */
    struct delta *out;        /* gets the changes; NULL: only the store counts */
};

/* m is an INSERT, UPDATE or DELETE of the leaf, in the shape of rel. */
enum apply_result apply_change(const struct apply_target *t, struct relation *rel,
                               const struct pgo_message *m, struct err *err);

void delta_push(struct delta *d, const uint8_t *row, int64_t weight);

#endif
