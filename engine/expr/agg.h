/*
 * agg: aggregate functions as states that rows can be added to and taken out of.
 *
 * An aggregate is linear in the rows it has seen: add(state, args, weight) with a negative weight
 * undoes an earlier add exactly. Those that aren't (min, array_agg, percentile_cont) keep what they
 * need to answer after a retraction. DISTINCT and FILTER are the group operator's business, not the
 * aggregate's: add() is called with what passed the filter, and for DISTINCT only when a value
 * appears or disappears.
 *
 * ORDER BY inside an aggregate is part of its spec: the values it sorts by are among those given to
 * add(), after the function's own arguments where they aren't among these. WITHIN GROUP is the
 * same: there the sorted values are the arguments. Direct arguments, which are the same throughout a
 * group, come with finish().
 *
 * The laws each class must keep, and the tests check: add(x,w); add(x,-w) leaves the same result as
 * before; the order of adds doesn't matter; result() doesn't change the state.
 */
#ifndef PALIMPSEST_EXPR_AGG_H
#define PALIMPSEST_EXPR_AGG_H

#include "engine/value/value.h"

/* Values given to add(), and direct arguments; a call with more is answered by Postgres. */
#define AGG_MAX_ARGS   24
#define AGG_MAX_DIRECT 8

struct agg_spec; /* below */

struct agg_class {
    const char *name;
    size_t state_size; /* of a zero-initialised state; zero must be the empty state */
    bool strict;       /* rows of which one of the function's own arguments is NULL are not added */
    bool ordered;      /* the ORDER BY inside counts; for others it is left out when binding */
    void (*add)(const struct agg_spec *spec, void *state, const struct value *args, int64_t weight);
    /* false: the group is erroneous (sum out of range). The value may point into the arena or the
     * state. An empty state's result is what Postgres answers for no rows: NULL, or 0 for count. */
    bool (*result)(const struct agg_spec *spec, const void *state, struct arena *a,
                   struct value *out, struct err *err);
    /* In place of result() for those with direct arguments. */
    bool (*finish)(const struct agg_spec *spec, const void *state, const struct value *direct,
                   struct arena *a, struct value *out, struct err *err);
    /* NULL if it owns nothing */
    void (*fini)(const struct agg_spec *spec, void *state);
    /* memory beyond state_size; NULL = none */
    size_t (*bytes)(const struct agg_spec *spec, const void *state);
};

/* One key of an ORDER BY inside an aggregate. */
struct agg_sort {
    uint32_t arg; /* which of the values given to add() */
    bool desc, nulls_first;
};

/* One aggregate call as a plan has it. The FILTER and argument expressions are in op.h. */
struct agg_spec {
    const struct agg_class *cls;
    uint32_t fnoid;   /* pg_proc's */
    uint32_t nargs;   /* values given to add(); 0 for count(*) */
    uint32_t nown;    /* the first of them: the function's own arguments */
    uint32_t nsort;   /* keys of its order */
    uint32_t ndirect; /* direct arguments */
    struct column_type args[AGG_MAX_ARGS];
    struct column_type result;
    const struct collation *collation;
    struct agg_sort sort[AGG_MAX_ARGS];
    struct column_type direct[AGG_MAX_DIRECT];
};

/* What a statement says of a call. Arrays are read, not kept. */
struct agg_call {
    uint32_t fnoid;
    const char *name; /* for messages and EXPLAIN; kept */
    const struct column_type *args;
    size_t nargs, nown;
    const struct agg_sort *sort;
    size_t nsort;
    const struct column_type *direct;
    size_t ndirect;
    struct column_type result;
    const struct collation *collation;
};

/* Finds the class by pg_proc OID and fills in spec; false with a soft 0A000 naming the aggregate. */
MUST_CHECK bool agg_resolve(const struct agg_call *call, struct agg_spec *spec, struct err *err);
/* The same for a call without direct arguments or an order of its own. */
MUST_CHECK bool agg_lookup(uint32_t aggfnoid, const char *name, const struct column_type *args,
                           size_t nargs, struct column_type result,
                           const struct collation *collation, struct agg_spec *spec,
                           struct err *err);

/* The group's rows themselves, as JSON (agg_collect.c); nargs is at most AGG_MAX_ARGS. */
void agg_collect_spec(const struct column_type *args, size_t nargs, struct column_type json,
                      struct agg_spec *spec);

/* Whether a strict aggregate doesn't see these values. */
static inline bool agg_skips(const struct agg_spec *spec, const struct value *args)
{
    if (!spec->cls->strict)
        return false;
    for (uint32_t i = 0; i < spec->nown; i++)
        if (args[i].null)
            return true;
    return false;
}

/* The value of the one row there is, NULL for none; of more than one row any. For every type. */
void agg_single(const struct column_type *ct, struct agg_spec *spec);

#endif
