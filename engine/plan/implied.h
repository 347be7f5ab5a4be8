/*
 * implied: conditions that follow from others, so that rows nobody needs are left out at the scan
 * instead of being kept by a join.
 *
 * Called by pass_push. What is returned is in the arena. None of it changes which rows a statement
 * gives; it only lets a side of a join know earlier what the join would throw away:
 *
 *     FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.id = 7
 *         o.user_id = 7 follows: one user's orders are kept instead of everybody's
 *     FROM nation a, nation b WHERE (a.name = 'F' AND b.name = 'G') OR (a.name = 'G' AND b.name = 'F')
 *         a.name = 'F' OR a.name = 'G' follows, and the same for b
 */
#ifndef PALIMPSEST_PLAN_IMPLIED_H
#define PALIMPSEST_PLAN_IMPLIED_H

#include "engine/plan/logical.h"

/*
 * Appends to out what the columns of equalities in `links` must be, given the constants their other
 * sides are compared with in `known`; transitively. Where a link and a constant use the same
 * equality, over the same type and collation.
 */
void implied_constants(struct arena *a, const struct exprs *known, const struct exprs *links,
                       struct exprs *out);

/* What the disjunction says about these columns alone: one of the parts of its arms that use nothing
 * else. NULL where an arm says nothing of them, or something that might fail. */
const struct expr *implied_by_or(struct arena *a, const struct expr *e, const struct lcol *cols,
                                 size_t n);

/* (x AND y) OR (x AND z) as x AND (y OR z); e itself where the arms have nothing in common. */
const struct expr *implied_factor(struct arena *a, const struct expr *e);

#endif
