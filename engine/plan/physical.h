/*
 * physical: a logical plan as the list of op_* calls that make its circuit, ready to be replayed.
 *
 * Made once, when the spec is: here column identities become positions. plan_build() only replays
 * the list, on any thread and as often as needed, and allocates nothing in the plan's arena; so the
 * spec stays immutable. The i-th step is the i-th operator of the circuit.
 */
#ifndef PALIMPSEST_PLAN_PHYSICAL_H
#define PALIMPSEST_PLAN_PHYSICAL_H

#include "engine/plan/logical.h"
#include "engine/plan/plan.h"

enum physical_kind {
    PHYS_SOURCE,
    PHYS_ONE_ROW,
    PHYS_MAP,
    PHYS_FILTER,
    PHYS_JOIN,
    PHYS_GROUP,
    PHYS_DISTINCT,
    PHYS_UNION,
    PHYS_SETOP,
    PHYS_TOPK,
    PHYS_FLATMAP,
    PHYS_RECURSE,
    PHYS_INPUT, /* in the body of a recursion: what comes from outside */
    PHYS_WINDOW
};

/* One operator; its fields are the arguments of its op_* constructor. */
struct physical_op {
    enum physical_kind kind;
    const char *text; /* for EXPLAIN: what it does, with names */
    const size_t *in; /* indexes of earlier operators */
    size_t nin;
    size_t source;             /* SOURCE: index in spec->sources; INPUT: in the recursion's in,
                                * 0 = the recursive rows */
    const struct expr **exprs; /* MAP, GROUP's keys */
    size_t nexprs;
    const struct expr *cond; /* FILTER; JOIN: residual or NULL */
    enum join_kind join;
    const struct expr **lkeys, **rkeys;
    const bool *nullsafe; /* NULL = no key is */
    size_t nkeys;
    const struct group_agg *aggs;
    size_t naggs;
    enum setop_kind setop;
    const struct sort_key *sort;
    size_t nsort;
    const struct expr **part; /* TOPK, WINDOW */
    size_t npart;
    const struct window_call *wins; /* WINDOW */
    size_t nwins;
    int64_t limit, offset;
    bool with_ties;
    struct flatmap_spec flatmap;
    struct recursion_spec recursion;
    struct physical *body; /* RECURSE */
};

struct physical {
    struct physical_op *v;
    size_t n, cap;
    size_t output;
};

/* Fills spec->sources and spec->physical from spec->root; the output row has root's columns in
 * order. False where a source can't be read (a generated column is needed). */
MUST_CHECK bool physical_plan(struct plan_spec *spec, struct err *err);

/* Its first step (sources.c): fills spec->sources; *tables says which table each one is. */
MUST_CHECK bool sources_plan(struct plan_spec *spec, const struct logical_table ***tables,
                             struct err *err);
/* The source that a scan of t reads; nsources where there is none. */
size_t sources_find(const struct plan_spec *spec, const struct logical_table *const *tables,
                    const struct logical_table *t);

/* Its last step (share.c): operators that do the same over the same inputs become one. */
void physical_share(struct arena *a, struct physical *phys);

/* ------------------------------------------------------------ text (show.c) */

/* One line of what a node does, without its inputs. */
void logical_describe(const struct logical *n, struct buf *b);
/* The whole tree, a line a node, inputs indented below; then the shared CTEs. For tests and logs. */
void logical_show(const struct logical *root, struct buf *b);

/* The canonical key (canon.c): 16 hex digits. */
void canon_key(const struct plan_spec *spec, const char *environment, char out[17]);
/* Appends what decides the operator's rows, its inputs by their numbers: operators with equal text
 * are interchangeable. False where that isn't written down for its kind. */
bool canon_op(const struct physical_op *o, struct buf *out);

#endif
