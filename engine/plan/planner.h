/*
 * planner: physical.c's work in hand, for the parts of it that have files of their own.
 *
 * A planner fills one list of operators. The body of a recursion is a list of its own, filled by a
 * planner within that of what is around it (physical_recurse.c): what doesn't depend on the
 * recursion is planned outside and comes in as an input.
 */
#ifndef PALIMPSEST_PLAN_PLANNER_H
#define PALIMPSEST_PLAN_PLANNER_H

#include "engine/plan/physical.h"

struct place {
    uint32_t rel, no, at;
};

/* Where a node's columns are. */
struct stream {
    size_t op;
    uint32_t width; /* columns of the operator's row */
    struct place *places;
    size_t n;
};

struct shared {
    const struct logical_cte *cte;
    struct stream stream;
};

/* An operator outside, and the one inside that gives its rows. */
struct import {
    size_t outside, inside;
};

struct planner {
    struct plan_spec *spec;
    struct arena *a;
    struct physical *phys;
    const struct logical_table **tables; /* of spec->sources */
    struct {
        size_t *v;
        size_t n, cap;
    } source_ops; /* the operator of each source */
    struct {
        struct shared *v;
        size_t n, cap;
    } shared;
    struct planner *outer;         /* of a body: what is around it; else NULL */
    const struct logical_rec *rec; /* of a body: whose */
    struct {
        struct import *v;
        size_t n, cap;
    } imports;
};

struct stream planner_node(struct planner *p, const struct logical *n);
struct physical_op *planner_add_op(struct planner *p, enum physical_kind kind,
                                   const struct stream *const *ins, size_t nin, const char *text);
const char *planner_text(struct planner *p, const struct logical *n);
/* The last operator's row as it is: cols[i] at position i. */
struct stream planner_fresh_stream(struct planner *p, const struct lcol *cols, size_t n);
/* The columns as the whole row, in order; costs an operator unless they are that already. */
struct stream planner_exact(struct planner *p, struct stream s, const struct lcol *cols, size_t n);
const struct place *stream_find(const struct stream *s, uint32_t rel, uint32_t no);

/* physical_recurse.c */
struct stream plan_recurse(struct planner *p, const struct logical *n);
struct stream plan_self(struct planner *p, const struct logical *n);
/* Within a body: whether n has nothing to do with the recursion; then *out is it, from outside. */
bool plan_import(struct planner *p, const struct logical *n, struct stream *out);

#endif
