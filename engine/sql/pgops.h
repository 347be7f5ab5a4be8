/*
 * pgops: what the planner must know of Postgres's built-in operators and casts, by OID.
 *
 * Sorting names an operator ("<" or ">" of a btree family), joins name an equality function, set
 * operations leave their column casts to the planner. An operator that isn't in these tables can't
 * be used for sorting or as a hash key: sorting is then refused, a join keeps it as a residual.
 *
 * To make another type native: its lines in the three tables.
 */
#ifndef PALIMPSEST_SQL_PGOPS_H
#define PALIMPSEST_SQL_PGOPS_H

#include "engine/value/type.h"

/* Whether the sort operator is the default btree "<" or ">" of that type. */
bool pgops_sort(uint32_t sortop, const struct type *t, bool *desc);

/* For an equality function over a and b that agrees with btree equality: the OID of the type both
 * sides are to be compared in (either of theirs), or 0 where it can't be a hash key. */
uint32_t pgops_key_type(uint32_t eq_funcid, const struct type *a, const struct type *b);

/* Implicit cast between native types as the planner adds it. */
enum pgops_cast {
    CAST_NONE,
    CAST_SAME,
    CAST_RELABEL,
    CAST_FUNC
};
enum pgops_cast pgops_implicit_cast(uint32_t from, uint32_t to, uint32_t *funcid);

#endif
