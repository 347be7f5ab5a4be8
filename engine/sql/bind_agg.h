/*
 * bind_agg: a query's grouping while it is bound. Between the files that bind it only.
 *
 * Above the grouping everything is a column of relation `rel`: keys are numbered from 1, aggregates
 * from AGG_NO_BASE, grouping() calls from GROUPING_NO_BASE. Whether they come out of one group node
 * or, with grouping sets, of a union of several, is decided at the end.
 */
#ifndef PALIMPSEST_SQL_BIND_AGG_H
#define PALIMPSEST_SQL_BIND_AGG_H

#include "engine/sql/bind.h"

#define AGG_NO_BASE      BIND_AGG_NO
#define GROUPING_NO_BASE 200000

struct grouping {
    uint32_t rel;
    bool inside; /* an aggregate's argument is being bound: over FROM, not over the groups */
    VEC(const struct pgnode *) key_nodes;
    VEC(const struct expr *) keys;
    VEC(int64_t) refs; /* each key's ressortgroupref; 0: it only follows from keys */
    VEC(const struct pgnode *) agg_nodes;
    VEC(struct group_agg) aggs;
    VEC(const struct expr *) results; /* of each aggregate, above the grouping */
    VEC(const struct pgnode *) calls; /* of grouping() */
    struct applies below;             /* subqueries in what is aggregated */
};

/* An aggregate call, as it is put together. */
struct bound_call {
    struct group_agg *agg;
    struct agg_call call;
    struct column_type args[AGG_MAX_ARGS], direct[AGG_MAX_DIRECT];
    struct agg_sort sort[AGG_MAX_ARGS];
    int64_t refs[AGG_MAX_ARGS]; /* ressortgroupref of each argument */
};

/* Which argument a clause of the call's ORDER BY sorts by; -1 with the error set: none. */
int32_t bind_agg_sorted(struct binder *b, const struct bound_call *c, const struct pgnode *clause);
/* The call as an expression for Postgres, over the group's column that has its rows. */
MUST_CHECK bool bind_agg_collected(struct binder *b, const struct pgnode *node,
                                   struct bound_call *c, const struct expr *rows,
                                   const struct expr **out);

/* A grouping set: bit i is set if keys.v[i] is one of its keys. */
typedef uint64_t grouping_set;

/* The sets of GROUP BY, multiplied out; false where there are too many of them. */
struct grouping_sets {
    grouping_set *v;
    size_t n, cap;
};
MUST_CHECK bool grouping_sets_expand(struct binder *b, const struct grouping *g,
                                     const struct pgnode *query, struct grouping_sets *out);

/* The grouping's columns from the rows of `in`, by one group node. */
struct logical *bind_group_node(struct binder *b, const struct grouping *g, struct logical *in);
/* The same by one group node for each set, over `in` as what they share. */
struct logical *bind_group_union(struct binder *b, const struct grouping *g,
                                 const struct grouping_sets *sets, struct logical *in);

/* GROUPING(a, b …) is a column of the groups: its number, found or added. */
uint32_t bind_grouping_call(struct binder *b, struct grouping *g, const struct pgnode *node);
#endif
