/*
 * topset: a weighted multiset of rows in an order, addressed by rank.
 *
 * What LIMIT keeps of its input. A B+tree whose inner nodes know the weight of their subtrees, so that
 * adding a row tells its rank, and the rows at any range of ranks are found, in O(log n). A row of
 * weight w takes w ranks. The order is that of the sort keys, then of the rows' bytes, so it is total.
 *
 * Nodes hold the first sort key of each entry as 64 bits that never contradict the order (abbrev.h),
 * side by side, so that most searches look at no row at all.
 *
 * Memory a row: the row and a byte, rounded up to 4, and 20 bytes in a leaf that is a quarter to
 * wholly full; where sets may be tiny (topset_tiny.h), up to 8 rows take 16 bytes each. A removed row's bytes stay readable until topset_settle(). Owned by one operator; one
 * thread.
 */
#ifndef PALIMPSEST_ARRANGE_TOPSET_H
#define PALIMPSEST_ARRANGE_TOPSET_H

#include "engine/arrange/slab.h"
#include "engine/arrange/sort_key.h"
#include "engine/base/vec.h"
#include "engine/value/row.h"

struct topset {
    const struct layout *layout; /* borrowed */
    const struct sort_key *keys; /* borrowed */
    size_t nkeys;
    struct slab records; /* rows */
    struct slab nodes;
    uint32_t root;   /* 0 = empty */
    uint32_t height; /* levels of inner nodes */
    bool tiny;       /* few rows are a list, not a tree; for memory that many sets share */
    int64_t total;   /* weight of all rows */
    uint64_t nrows;
    size_t outline_bytes;
    VEC(uint32_t) dead; /* records removed since the last settle */
};

void topset_init(struct topset *t, const struct layout *l, const struct sort_key *keys,
                 size_t nkeys);
void topset_fini(struct topset *t);

/* One of many sets that share a topset's memory: it is loaded, worked on as if it were the only one,
 * and stored again. Zero is the empty set. nrows and the bytes are those of all. */
struct topset_root {
    int64_t total;
    uint32_t root, height;
};

static inline void topset_load(struct topset *t, const struct topset_root *r)
{
    t->total = r->total;
    t->root = r->root;
    t->height = r->height;
}

static inline void topset_store(const struct topset *t, struct topset_root *r)
{
    *r = (struct topset_root){t->total, t->root, t->height};
}

/* Frees what the loaded set holds outside of the shared memory; it is empty then. For each set before
 * topset_fini(). */
void topset_forget(struct topset *t);

/* Adds weight, which must not leave the row with a negative one (then nothing is done and the result
 * is TOPSET_BROKEN), and returns the row's rank: the
 * weight of all rows before it. A rank that is not below bound need not be exact: whatever is
 * returned isn't either. *kept is the tree's own copy of the row. */
#define TOPSET_BROKEN (-1)
int64_t topset_add(struct topset *t, const uint8_t *row, int64_t weight, int64_t bound,
                   const uint8_t **kept, struct arena *scratch);
/* Where the row is, or would be: the weight of all rows before it. *weight: its own, or 0. */
int64_t topset_rank(const struct topset *t, const uint8_t *row, int64_t *weight,
                    struct arena *scratch);
int64_t topset_total(const struct topset *t);

/* Calls fn for the rows at ranks from … to - 1, in order, with how many of these ranks each takes,
 * until fn returns false. */
typedef bool topset_fn(void *arg, const uint8_t *row, int64_t count);
void topset_range(const struct topset *t, int64_t from, int64_t to, topset_fn *fn, void *arg);

/* The order of the set: 0 only for equal rows. */
int topset_cmp(const struct topset *t, const uint8_t *a, const uint8_t *b);
/* Compares by the sort keys alone; 0: peers. */
int topset_cmp_keys(const struct topset *t, const uint8_t *a, const uint8_t *b);
void topset_settle(struct topset *t);
size_t topset_bytes(const struct topset *t);

#endif
