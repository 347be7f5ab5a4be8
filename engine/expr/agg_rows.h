/*
 * agg_rows: the rows of a group, in order, for aggregates that aren't folds.
 *
 * What add() is given is kept as one packed tuple in an ordered multiset (ordset.h). The order is
 * the call's own first; what it leaves open is decided by the values themselves, ascending and NULLs
 * last, and then by their bytes. So the order is a function of the group's rows: one that isn't
 * touched never changes. It is also what Postgres has for DISTINCT, which sorts by the arguments.
 *
 * Used by agg_array.c, agg_string.c, agg_json.c, agg_hypothetical.c.
 */
#ifndef PALIMPSEST_EXPR_AGG_ROWS_H
#define PALIMPSEST_EXPR_AGG_ROWS_H

#include "engine/expr/agg.h"
#include "engine/expr/ordset.h"

/* The state: an ordset; zero is empty. */
void rows_add(const struct agg_spec *spec, void *state, const struct value *args, int64_t weight);
void rows_fini(const struct agg_spec *spec, void *state);
size_t rows_bytes(const struct agg_spec *spec, const void *state);

/* vals: what add() was given, spec->nargs of them, borrowed from the state. */
typedef bool rows_visit(void *ctx, const struct value *vals, int64_t weight);
bool rows_each(const struct agg_spec *spec, const struct ordset *rows, rows_visit *fn, void *ctx);

/* By the call's ORDER BY alone. */
int rows_compare(const struct agg_spec *spec, const struct value *a, const struct value *b);
/* How many rows come before one with these values, or before all that sort like it and after them. */
int64_t rows_before(const struct agg_spec *spec, const struct ordset *rows,
                    const struct value *vals, bool or_equal);

#define ROWS_CLASS(cname, result_fn)                                                               \
    .name = cname, .state_size = sizeof(struct ordset), .ordered = true, .add = rows_add,          \
    .result = result_fn, .fini = rows_fini, .bytes = rows_bytes

#endif
