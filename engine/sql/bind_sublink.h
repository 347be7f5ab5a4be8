/*
 * bind_sublink: what the files that bind subqueries in expressions share. Between them only.
 *
 *     bind_apply    a clause's list of joins and filters; conditions
 *     bind_sublink  the subquery; EXISTS, ARRAY, scalar and row subqueries
 *     bind_any      IN, ANY, ALL
 */
#ifndef PALIMPSEST_SQL_BIND_SUBLINK_H
#define PALIMPSEST_SQL_BIND_SUBLINK_H

#include "engine/sql/bind.h"

enum sublink { /* as Postgres numbers them */
    SUBLINK_EXISTS,
    SUBLINK_ALL,
    SUBLINK_ANY,
    SUBLINK_ROWCOMPARE,
    SUBLINK_EXPR,
    SUBLINK_ARRAY = 6
};

static inline struct column_type sublink_boolean(void)
{
    return (struct column_type){type_native(OID_BOOL), -1, NULL};
}

static inline const struct expr *sublink_truth(struct binder *b, bool v)
{
    return expr_const(b->arena, value_bool(v), sublink_boolean());
}

bool bind_is_sublink(const struct pgnode *node, enum sublink type);

/* ------------------------------------------------------------ bind_apply */

void bind_apply_add(struct binder *b, struct applies *list, enum join_kind kind,
                    struct logical *right, const struct exprs *conds);
void bind_apply_filter(struct binder *b, struct applies *list, const struct expr *cond);
/* The subquery's columns for the expression in hand. */
void bind_apply_columns(struct binder *b, struct scope *sc, struct logical *right);

/* ------------------------------------------------------------ bind_sublink */

struct logical *bind_subselect(struct binder *b, struct scope *sc, const struct pgnode *node,
                               struct bound *sub);
/* The testexpr, with the subquery's columns for its parameters. */
const struct expr *bind_sublink_test(struct binder *b, struct scope *sc, const struct pgnode *node,
                                     const struct lcol *cols, size_t n);

/* Aggregates over the subquery, as they are put together. */
struct summary {
    struct group_agg *v; /* in the plan's arena: frames of the binder are many and deep */
    size_t n, cap;
};

/* One more, to be filled in. */
static inline struct group_agg *summary_push(struct binder *b, struct summary *s)
{
    AVEC_PUSH(b->arena, *s, (struct group_agg){0});
    return &s->v[s->n - 1];
}

MUST_CHECK bool summary_add(struct binder *b, struct summary *s, uint32_t fn, const char *name,
                            const struct expr *arg, struct column_type result);
MUST_CHECK bool summary_add_bool_or(struct binder *b, struct summary *s, const struct expr *arg);
/* A grouping without keys over in; s's aggregates are its columns in order. */
struct logical *summary_node(struct binder *b, struct summary *s, struct logical *in);
/* Whether there is a row of in: a column that is true, or NULL. */
const struct expr *bind_any_row(struct binder *b, struct scope *sc, struct logical *in);

/* ------------------------------------------------------------ bind_any */

const struct expr *bind_any(struct binder *b, struct scope *sc, const struct pgnode *node,
                            bool all);
/* EXISTS and IN as conjuncts. */
MUST_CHECK bool bind_semi(struct binder *b, struct scope *sc, const struct pgnode *node,
                          enum join_kind kind);
/* x NOT IN (…) as a conjunct; node is the IN. */
MUST_CHECK bool bind_not_in(struct binder *b, struct scope *sc, const struct pgnode *node);

#endif
