/*
 * doubt: is what Postgres answers a statement the only right answer?
 *
 * Often it isn't, and asked again it may answer otherwise: the last digits of a float sum depend on
 * the order of its rows, LIMIT takes any of the rows that are equal on the sort keys, GROUP BY shows
 * any of several equal spellings (1.0 and 1.00). Where Postgres and a view differ, that must be known
 * before one of them is called wrong.
 *
 * The analysis errs on one side: what isn't known to be determined is in doubt. It goes up the logical
 * plan, keeping for each node whether its rows are determined and for each column what of its value
 * isn't. A doubtful value that decides about rows (in a condition, a key, an order) puts all in doubt.
 *
 *     SELECT a, sum(f) FROM t GROUP BY a              digits of sum(f) in doubt
 *     SELECT a FROM t GROUP BY a HAVING sum(f) > 1    all in doubt: rows hang on those digits
 *     SELECT a FROM t ORDER BY a LIMIT 3              determined: the rows that are equal are equal
 *     SELECT a, b FROM t ORDER BY a LIMIT 3           in doubt, unless a is unique
 */
#ifndef PALIMPSEST_PLAN_DOUBT_H
#define PALIMPSEST_PLAN_DOUBT_H

#include "engine/plan/plan.h"

/* Fills in spec->doubt from spec->root. */
void doubt_find(struct plan_spec *spec);

#endif
