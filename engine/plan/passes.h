/*
 * passes: what makes a bound plan a good one. Each takes a tree and gives an equivalent tree;
 * passes_run() runs the table of them over the statement and its shared CTEs, with the verifier
 * after each.
 *
 * "Equivalent" follows Postgres's planner where evaluation order shows (an expression that fails):
 * filters go down as far as Postgres would push them, and what meets at one place is tried in the
 * order of Postgres's cost estimate, then in the order written.
 *
 * To add a pass: its function here, its line in the table in passes.c.
 */
#ifndef PALIMPSEST_PLAN_PASSES_H
#define PALIMPSEST_PLAN_PASSES_H

#include "engine/plan/logical.h"

struct pass_ctx {
    struct arena *arena;
    uint32_t next_rel;
};

typedef struct logical *pass_fn(struct pass_ctx *c, struct logical *root);

struct logical *passes_run(struct pass_ctx *c, struct logical *root);

/* Dependent joins become ordinary ones. Runs before the others, over the statement as it was bound:
 * NULL with err, soft, where one can't. */
struct logical *pass_decorrelate(struct pass_ctx *c, struct logical *root, struct err *err);
/* The bodies of recursions get their tags. Runs after that. */
MUST_CHECK bool pass_iterate(struct pass_ctx *c, struct logical *root, struct err *err);
/* Puts a CTE that is referenced once in the place of its reference. */
pass_fn pass_inline_ctes;
/* Filters go down to the scans; outer joins whose NULL rows are filtered out become inner ones. */
pass_fn pass_push_filters;
/* A window that is wanted up to a rank only is given the rows up to that. */
pass_fn pass_limit_windows;
/* Projections below joins give way, so that joins of subqueries and views are ordered as one. */
pass_fn pass_pull_projections;
/* A projection of a projection becomes one, where nothing is computed twice by it. */
pass_fn pass_merge_projections;
/* Runs of inner joins are put in an order that follows their keys; equalities become join keys. */
pass_fn pass_order_joins;

/* What Postgres computes is computed by projections and filters, where it can be. The last one. */
pass_fn pass_lift_delegated;

/* Drops the columns nobody needs. root keeps all of its own. Over the whole statement at once, since
 * what a shared CTE must give follows from all of its references. */
void pass_prune(struct arena *a, struct logical *root);

/* Sorts conditions by Postgres's estimate of their cost, stable. */
void exprs_sort_by_cost(struct exprs *l);

#endif
