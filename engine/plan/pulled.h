/*
 * pulled: the conditions of a subquery that look at the outer query, taken out of it.
 *
 *     (SELECT b.y + 1 FROM b WHERE b.x = a.x AND b.z > 0)   is   b WHERE b.z > 0
 *                                                           with a.x = b.x to be met on
 *                                                           and  b.y + 1 for its column
 *
 * What is left doesn't depend on the outer query and stands for all its rows at once; it may give
 * other columns than the subquery did, so what those are is handed out too. An equality passes a
 * grouping, a DISTINCT and a LIMIT by becoming a key of it. A grouping without keys has one row for
 * each outer row: pulled out of it, the row may be missing, and `one` tells that its columns' exprs
 * are to be evaluated all the same, over NULLs.
 */
#ifndef PALIMPSEST_PLAN_PULLED_H
#define PALIMPSEST_PLAN_PULLED_H

#include "engine/plan/passes.h"

struct pulled {
    struct pass_ctx *c;
    const struct lcol *outer; /* the columns that aren't the subquery's own */
    size_t nouter;
    struct exprs conds; /* over what is left and outer columns */
    struct {
        struct lcol *v;
        size_t n, cap;
    } cols;
    struct exprs exprs; /* what cols are; a column that isn't among them is itself */
    bool one;
};

/* What is left, or NULL: there is more to it than conditions. n isn't touched. p has c and outer. */
struct logical *pull_conds(struct pulled *p, struct logical *n);

/* An expr_subst_fn over a struct pulled. */
const struct expr *pulled_expr(void *pulled, const struct expr *column);

#endif
