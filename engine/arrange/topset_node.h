/*
 * topset_node: the nodes of a topset's tree, and what keeps them neither too full nor too empty.
 *
 * Private to topset.c and topset_node.c. Leaves hold rows, inner nodes hold children; both keep, for
 * each entry, the abbreviation and the record of its first row and the weight below it, so that
 * searching is the same in both:
 *
 *     inner   first row of child | weight of child | child
 *     leaf    row                | weight of row
 *
 * A node that is full when an entry comes is split; one that has become nearly empty is joined with a
 * neighbour under the same parent if both fit. Entries of a parent always name the first row that is
 * in the child now: path_fix_first() sees to that when a leaf's first row changes.
 */
#ifndef PALIMPSEST_ARRANGE_TOPSET_NODE_H
#define PALIMPSEST_ARRANGE_TOPSET_NODE_H

#include "engine/arrange/topset.h"

#define FAN        32
#define MAX_HEIGHT 16

struct node {
    uint32_t n;
    uint32_t record[FAN];
    uint64_t abbrev[FAN]; /* UINT64_MAX behind the n-th */
    int64_t weight[FAN];
    uint32_t child[FAN]; /* inner nodes only: a leaf ends before it */
};

/* The way from the root to an entry of a leaf; level 0 is the leaf. */
struct path {
    struct node *node[MAX_HEIGHT + 1];
    uint32_t handle[MAX_HEIGHT + 1];
    uint32_t at[MAX_HEIGHT + 1];
};

static inline const uint8_t *topset_record_row(const struct topset *t, uint32_t handle)
{
    const uint8_t *flag = slab_at(&t->records, handle), *outline;
    if (!*flag)
        return flag + 1;
    memcpy(&outline, flag + 1, sizeof outline);
    return outline;
}

static inline struct node *node_at(const struct topset *t, uint32_t handle)
{
    return slab_at(&t->nodes, handle);
}

static inline int64_t weight_before(const struct node *n, uint32_t at)
{
    int64_t w = 0;
    for (uint32_t i = 0; i < at; i++)
        w += n->weight[i];
    return w;
}

uint32_t node_new(struct topset *t, bool is_leaf);
/* Makes room before, or takes out, an entry; what the gap holds is undefined. */
void node_open_gap(struct node *n, uint32_t at, bool is_leaf);
void node_close_gap(struct node *n, uint32_t at, bool is_leaf);

/* After the first row of the node at this level has changed. */
void path_fix_first(struct path *p, uint32_t level, uint32_t height);
/* Room for one more entry in the leaf, splitting what is full from the top down. */
void path_make_room(struct topset *t, struct path *p);
/* The leaf has lost an entry. The path is of no use afterwards. */
void path_shrink(struct topset *t, struct path *p);

#endif
