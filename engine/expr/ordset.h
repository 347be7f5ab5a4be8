/*
 * ordset: an ordered multiset of values of one type, for min() and max().
 *
 * One per group, and most groups are small: empty and one-value sets are in the struct itself; from
 * two on it is a B-tree whose nodes grow as they fill, O(log n) to add and to remove, O(height) to
 * the first or last value. Nodes that empty are freed; others are not merged, as in Postgres's own
 * index.
 *
 * Each distinct value has a weight, which may be negative for a while within a step (a retract may
 * come before its assert); only values of positive weight are shown. Values that compare equal but
 * are spelled differently (1.0 and 1.00, 0 and -0) are entries of their own, so that a retract
 * always takes away what the assert has put in.
 *
 * Fixed-width values are kept in the entry; texts and numerics are copied to the heap. Which it is
 * (blobs) is the same for every call on a set.
 */
#ifndef PALIMPSEST_EXPR_ORDSET_H
#define PALIMPSEST_EXPR_ORDSET_H

#include "engine/value/value.h"

struct ordset_tree;

struct ordset_entry {
    uint64_t key;   /* value.i, the bits of value.f, or a pointer to an owned blob */
    int64_t weight; /* 0: no entry */
};

/* Zero is the empty set. */
struct ordset {
    struct ordset_entry one;  /* while tree is NULL */
    struct ordset_tree *tree; /* owned */
};

/* v is not NULL; copied if it is kept. */
void ordset_add(struct ordset *s, const struct column_type *ct, bool blobs, struct value v,
                int64_t weight);
/* The least or greatest value of positive weight; false: none. Borrowed from the set. */
bool ordset_first(const struct ordset *s, const struct column_type *ct, bool blobs, bool greatest,
                  struct value *out);
void ordset_fini(struct ordset *s, bool blobs);
size_t ordset_bytes(const struct ordset *s, bool blobs);

#endif
