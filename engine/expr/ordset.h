/*
 * ordset: an ordered multiset of values of one type, for aggregates that aren't folds.
 *
 * One per group, and most groups are small: empty and one-value sets are in the struct itself; from
 * two on it is a B-tree whose nodes grow as they fill, O(log n) to add and to remove, O(height) to
 * the first, last or k-th value. Nodes that empty are freed; others are not merged, as in
 * Postgres's own index.
 *
 * Each distinct value has a weight, which may be negative for a while within a step (a retract may
 * come before its assert); only values of positive weight are shown. Values that compare equal but
 * are spelled differently (1.0 and 1.00, 0 and -0) are entries of their own, so that a retract
 * always takes away what the assert has put in.
 *
 * Fixed-width values are kept in the entry; all others (blobs) are copied to the heap. What a set
 * holds and how it is ordered (struct ordset_type) is the same for every call on it.
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

struct ordset_type {
    struct column_type ct; /* of the values, where order is NULL */
    bool blobs;
    /* For blobs that are more than a value of a type; ties are ordered by bytes. */
    int (*order)(const void *ctx, struct value a, struct value b);
    const void *ctx;
};

static inline bool rep_is_blob(enum rep rep)
{
    return rep == REP_BYTES || rep == REP_FIXED16;
}

static inline struct ordset_type ordset_of(const struct column_type *ct)
{
    return (struct ordset_type){.ct = *ct, .blobs = rep_is_blob(ct->type->rep)};
}

/* v is not NULL; copied if it is kept. */
void ordset_add(struct ordset *s, const struct ordset_type *t, struct value v, int64_t weight);
/* The least or greatest value of positive weight; false: none. Borrowed from the set. */
bool ordset_first(const struct ordset *s, const struct ordset_type *t, bool greatest,
                  struct value *out);
void ordset_fini(struct ordset *s, bool blobs);
size_t ordset_bytes(const struct ordset *s, bool blobs);

/* The rest is for sets without negative weights: between steps. */

/* How many values there are, counted by weight. */
int64_t ordset_total(const struct ordset *s);
/* The value at position k, from 0; k is below the total. */
struct value ordset_nth(const struct ordset *s, const struct ordset_type *t, int64_t k);
/* How many values there are, by weight, for which cmp gives a number below 0. It must be one that
 * rises with the order. */
typedef int ordset_probe(const void *ctx, struct value v);
int64_t ordset_count_below(const struct ordset *s, const struct ordset_type *t, ordset_probe *cmp,
                           const void *ctx);
/* All values in order, each once with its weight, until fn returns false. */
typedef bool ordset_visit(void *ctx, struct value v, int64_t weight);
bool ordset_each(const struct ordset *s, const struct ordset_type *t, ordset_visit *fn, void *ctx);

#endif
