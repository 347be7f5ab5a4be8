/*
 * carry: columns taken along through a subtree.
 *
 * A subtree that stands for other rows from case to case (a correlated subquery: for each row of the
 * outer query; the step of a recursion: for each iteration) becomes one that gives the rows of all
 * cases at once, each with the columns that say whose it is: the carried columns. Every operator has
 * its rule, after Neumann and Kemper, "Unnesting Arbitrary Queries":
 *
 *     filter, projection   over the carried input
 *     group, distinct      the carried columns are keys too. A grouping without keys has a row even
 *                          for a case that has no input: it starts from the cases themselves
 *     join                 the side that depends is carried; both, and they meet on equal cases
 *     UNION, set operation every input is carried: what is the same differs by case
 *     limit, window        one for each case
 *
 * The caller says where the cases come from, either or both of
 *
 *     source   cases known beforehand: a leaf with a row for each; expressions in the subtree name
 *              the case's columns by outer[i]
 *     leaf     a leaf of the subtree that gives the columns itself
 *
 * Called by pass_decorrelate. To add a kind of node: its rule in carry.c, and in depends.c whether it
 * looks at outer columns by itself.
 */
#ifndef PALIMPSEST_PLAN_CARRY_H
#define PALIMPSEST_PLAN_CARRY_H

#include "engine/plan/passes.h"

struct carried_cte {
    struct logical_cte *from, *to;
};

struct carry {
    struct pass_ctx *c;
    struct err *err;
    const struct lcol *outer; /* what the subtree calls them; rel 0: it doesn't use them */
    size_t n;
    void *ctx;
    /* A fresh leaf with exactly the columns out[n]; NULL with err: there is none. */
    struct logical *(*source)(struct carry *k, struct lcol *out);
    /* Whether this leaf gives them by itself, and then the leaf that does, with out[n] among its
     * columns. Both may be NULL. */
    bool (*is_leaf)(struct carry *k, const struct logical *n);
    struct logical *(*leaf)(struct carry *k, struct logical *n, struct lcol *out);
    struct {
        struct carried_cte *v;
        size_t n, cap;
    } ctes; /* shared bodies that depend: carried once */
};

/* n with the columns out[k->n] besides its own. Nodes are made anew where they change; n itself
 * must not be used any more. NULL with k->err set, soft, where a node can't. */
struct logical *carry_through(struct carry *k, struct logical *n, struct lcol *out);

/* ------------------------------------------------------------ what depends (depends.c) */

/* Whether anything in the tree, shared bodies included, uses one of these columns, which no node in
 * it makes. */
bool tree_uses(const struct logical *n, const struct lcol *cols, size_t ncols);
/* The node's own expressions only. */
bool node_uses(const struct logical *n, const struct lcol *cols, size_t ncols);
/* Whether nothing it computes of rows can raise an error; conditions don't count. */
bool tree_is_safe(const struct logical *n);
/* Columns from outside replaced wherever they are used, in place, in shared bodies too. */
void tree_subst(struct arena *a, struct logical *n, expr_subst_fn *fn, void *ctx);
bool carry_depends(struct carry *k, const struct logical *n);

/* What an aggregate call is given for each row rewritten, in place; what it is given for the group. */
void group_agg_subst(struct arena *a, struct group_agg *g, expr_subst_fn *fn, void *ctx);
void group_agg_subst_direct(struct arena *a, struct group_agg *g, expr_subst_fn *fn, void *ctx);
/* The calls of a FLATMAP with their arguments rewritten. */
struct srf_call *calls_subst(struct arena *a, const struct logical *n, expr_subst_fn *fn,
                             void *ctx);
/* The calls of a WINDOW likewise. */
struct window_call *wins_subst(struct arena *a, const struct logical *n, expr_subst_fn *fn,
                               void *ctx);
bool calls_ref_any(const struct logical *n, const struct lcol *cols, size_t ncols);
bool group_agg_refs_any(const struct group_agg *g, const struct lcol *cols, size_t n);

/* A projection that gives its input's columns under their own names: those of cols[n]. */
struct logical *logical_keep(struct arena *a, struct logical *in, const struct lcol *cols,
                             size_t n);

#endif
