/*
 * step: what the reader gives to the workers: the changes of one committed transaction, or under
 * backlog of a run of them, with old rows already resolved.
 *
 * A step is immutable once posted, counted atomically and shared by all workers. Every worker gets
 * every step, in the same order and with the same boundaries, so that all plans advance through the
 * same sequence of LSNs and a connection can be shown consistent cuts.
 */
#ifndef PALIMPSEST_DAEMON_STEP_H
#define PALIMPSEST_DAEMON_STEP_H

#include "engine/base/lsn.h"
#include "engine/base/vec.h"
#include "engine/op/op.h"

/* The columns kept of one ordinary table (a leaf), and which of them identify a row. A new version
 * (other columns, other types) is a new object, so pointer equality tells whether a mapping made
 * for one still holds. */
struct leaf_layout {
    atomic_int refs;
    uint32_t relid;
    char replident; /* pg_class.relreplident when it was made */
    uint32_t file;  /* pg_class.relfilenode then: rows read from different files need not agree */
    uint32_t ncols;
    int16_t *attnums;      /* owned; ascending */
    char **names;          /* owned */
    uint32_t *typeids;     /* owned: pg_type OIDs of the columns, a domain's own; NULL: layout's */
    uint32_t nkey;         /* identity columns; 0: rows are identified by all their bytes */
    uint32_t *key;         /* owned; positions of the identity columns */
    struct layout *layout; /* owned */
};

struct leaf_layout *leaf_layout_ref(struct leaf_layout *l);
void leaf_layout_unref(struct leaf_layout *l);

/* The changes of one leaf in one step. An update is its old row at -1 and its new one at +1. */
struct fragment {
    uint32_t relid;
    struct leaf_layout *leaf; /* counted */
    struct delta changes;     /* rows in the step's arena, in leaf->layout */
};

struct step {
    atomic_int refs;
    lsn_t lsn;                      /* end of the last transaction's commit record */
    uint32_t ntxns;                 /* 0: nothing but progress up to lsn */
    size_t bytes;                   /* of the arena: what it counts for in the backlog */
    struct arena arena;             /* owns the rows */
    VEC(struct fragment) fragments; /* at most one per leaf */
};

struct step *step_new(void);
struct step *step_ref(struct step *s);
void step_unref(struct step *s);
/* Empty again, as new; the first block of its arena stays. For the one holder of its one reference. */
void step_reset(struct step *s);
/* The fragment of this leaf, added if it is not there yet. */
struct fragment *step_fragment(struct step *s, struct leaf_layout *leaf);

/* The rows of all leaves a plan reads, at one LSN: what a plan starts from. Same shape as a step;
 * all weights positive. Big tables come in several fragments of bounded size. */

#endif
