/*
 * topset_tiny: a set of a few rows, in place of a tree whose one leaf would have room for many.
 *
 * Private to topset.c and topset_tiny.c. Where a topset's memory is shared by many sets (partset.h)
 * most of them hold a row or two: those are a short list in order, which grows by doubling up to
 * TINY_MAX rows and becomes a tree with the next. It doesn't turn back.
 *
 * Its handle is in `root`, and `height` is TINY_HEIGHT.
 */
#ifndef PALIMPSEST_ARRANGE_TOPSET_TINY_H
#define PALIMPSEST_ARRANGE_TOPSET_TINY_H

#include "engine/arrange/topset_node.h"

#define TINY_HEIGHT UINT32_MAX
#define TINY_MAX    8

struct tiny_entry {
    int64_t weight;
    uint32_t record;
};

struct tiny {
    uint32_t n, cap;
    struct tiny_entry e[];
};

static inline struct tiny *tiny_at(const struct topset *t)
{
    return slab_at(&t->nodes, t->root);
}

/* An empty set becomes a tiny one without rows. */
void tiny_begin(struct topset *t);
/* Where the row is (*found) or belongs. */
uint32_t tiny_find(const struct topset *t, const uint8_t *row, bool *found);
int64_t tiny_rank(const struct topset *t, uint32_t at);
/* Puts a record in before the entry at that place; there are fewer than TINY_MAX. */
void tiny_insert(struct topset *t, uint32_t at, uint32_t record, int64_t weight);
/* Takes the entry out; the record is the caller's. With the last one the set is empty. */
void tiny_remove(struct topset *t, uint32_t at);
/* See topset_range(). */
void tiny_range(const struct topset *t, int64_t from, int64_t to, topset_fn *fn, void *arg);
/* The rows go into the leaf of a tree; abbrevs[TINY_MAX]: theirs. */
void tiny_to_tree(struct topset *t, const uint64_t *abbrevs);

#endif
