/*
 * agg: aggregate functions as states that rows can be added to and taken out of.
 *
 * An aggregate is linear in the rows it has seen: add(state, args, weight) with a negative weight
 * undoes an earlier add exactly. Those that aren't (min, max) keep what they need to answer after a
 * retraction. DISTINCT and FILTER are the group operator's business, not the aggregate's: add() is
 * called with what passed the filter, and for DISTINCT only when a value appears or disappears.
 *
 * The laws each class must keep, and the tests check: add(x,w); add(x,-w) leaves the same result as
 * before; the order of adds doesn't matter; result() doesn't change the state.
 */
#ifndef PALIMPSEST_EXPR_AGG_H
#define PALIMPSEST_EXPR_AGG_H

#include "engine/value/value.h"

struct agg_spec; /* below */

struct agg_class {
    const char *name;
    size_t state_size; /* of a zero-initialised state; zero must be the empty state */
    bool strict;       /* rows whose (first) argument is NULL are not added */
    void (*add)(const struct agg_spec *spec, void *state, const struct value *args, int64_t weight);
    /* false: the group is erroneous (sum out of range). The value may point into the arena or the
     * state. An empty state's result is what Postgres answers for no rows: NULL, or 0 for count. */
    bool (*result)(const struct agg_spec *spec, const void *state, struct arena *a,
                   struct value *out, struct err *err);
    void (*fini)(void *state);          /* NULL if it owns nothing */
    size_t (*bytes)(const void *state); /* memory beyond state_size; NULL = none */
};

/* One aggregate call as a plan has it. The FILTER and argument expressions are in op.h. */
struct agg_spec {
    const struct agg_class *cls;
    uint32_t nargs; /* 0 for count(*) */
    struct column_type args[2];
    struct column_type result;
    const struct collation *collation;
};

/* Finds the class by pg_proc OID and fills in spec; false with 0A000 naming the aggregate. */
MUST_CHECK bool agg_lookup(uint32_t aggfnoid, const char *name, const struct column_type *args,
                           size_t nargs, struct column_type result,
                           const struct collation *collation, struct agg_spec *spec,
                           struct err *err);

#endif
