/*
 * bind: from the analysed tree to a logical plan.
 *
 * bind_statement() is for plan/; the rest is between the bind_*.c files:
 *
 *     bind_query   one QUERY: WHERE, grouping, select list, DISTINCT, ORDER BY, LIMIT
 *     bind_srf     set-returning functions, in FROM and in the select list
 *     bind_from    the range table: tables, views, subqueries, CTEs, VALUES, joins
 *     bind_rows    set-returning functions without a native version
 *     bind_values  VALUES
 *     bind_setop   UNION, INTERSECT, EXCEPT
 *     bind_recursive  WITH RECURSIVE; bind_search_cycle  its SEARCH and CYCLE clauses
 *     bind_agg     grouping keys and aggregates
 *     bind_window  window functions
 *     bind_expr    scalar expressions
 *     bind_sublink subqueries in them, with bind_any and bind_apply
 *     bind_levels  aggregates in them that belong to an outer query
 *     bind_leaf    columns, constants, parameters, types
 *
 * A scope is one QUERY while it is bound; scopes are chained outwards, as Postgres counts
 * varlevelsup and ctelevelsup. The tree comes from Postgres, but nothing in it is trusted: an index
 * out of range is an error, not a crash.
 */
#ifndef PALIMPSEST_SQL_BIND_H
#define PALIMPSEST_SQL_BIND_H

#include "engine/plan/logical.h"
#include "engine/plan/plan.h"
#include "engine/sql/pgnode.h"

struct binder {
    struct arena *arena;   /* the plan's: nodes and expressions */
    struct arena *scratch; /* trees, scopes: gone when the statement is bound */
    const struct catalog *cat;
    const struct plan_input *in;
    struct err *err;
    uint32_t next_rel;
    int depth;      /* of queries within queries, views included */
    int expr_depth; /* of expressions within expressions, join aliases included */
    size_t nfroms;  /* FROM items bound so far */
    bool lazy;      /* LIMIT without an order reads no further than it must, see bind_recursive.c */
};

#define BIND_MAX_DEPTH 64
#define BIND_MAX_FROM  500

/* Column numbers of aggregates begin here, above those of any keys. */
#define BIND_AGG_NO 100000

/* One entry of a range table, once its FROM item is bound. */
struct rte {
    const struct pgnode *node;
    bool bound;
    const struct lcol *cols; /* by attnum - 1; rel 0 = a dropped column */
    size_t ncols;
    struct lcol present; /* true, or NULL above an outer join without partner; rel 0 = not there */
};

struct cte_entry {
    const struct pgnode *node;  /* COMMONTABLEEXPR */
    struct logical_cte *shared; /* NULL until first referenced */
    bool binding;
    struct logical_rec *rec;     /* while the recursive part is bound */
    const struct lcol *rec_cols; /* types and names of its columns */
};

/*
 * A clause's subqueries, while it is bound: what is to be put on top of the clause's input, in order.
 * A join with the subquery, by which its columns come into the expression, or a filter.
 */
struct apply {
    enum join_kind kind;
    struct logical *right; /* NULL: a filter */
    struct exprs conds;
    const struct expr *guard; /* the subquery is evaluated for rows where it holds; NULL = all */
};

struct applies {
    struct apply *v;
    size_t n, cap;
};

struct grouping;
struct bind_srfs;
struct windowing;

/* Levels of set-returning functions in a select list whose order is kept for LIMIT. */
#define BIND_MAX_ORDINALS 8

struct scope {
    struct scope *parent;
    const struct pgnode *query;
    struct rte *rtes;
    size_t nrtes;
    struct cte_entry *ctes;
    size_t nctes;
    struct grouping *grouping; /* above the grouping: select list and HAVING; else NULL */
    struct windowing *windows; /* what bind_window collects; NULL until there is one */
    /* What CASETESTEXPR stands for: the innermost CASE x WHEN's x. */
    const struct expr *case_arg;
    struct bind_srfs *srfs; /* collects the set-returning calls of a select list; else NULL */
    /* Columns of the select list's projection that number the rows of such calls. */
    struct logical_id ordinals[BIND_MAX_ORDINALS];
    size_t nordinals;
    struct applies *applies;   /* of the clause in hand; NULL: no subquery may be there */
    const struct expr *guard;  /* what is being bound is evaluated only where it holds; or NULL */
    const struct lcol *params; /* of the subquery whose test is in hand */
    size_t nparams;
};

/* A bound query: its visible columns in order, and its ORDER BY (columns of root). */
struct bound {
    struct logical *root;
    struct lcol *out;
    size_t nout;
    struct logical_sort *sort;
    size_t nsort;
};

MUST_CHECK bool bind_statement(struct binder *b, struct bound *out);
/* top: the ORDER BY of a query without LIMIT matters. */
MUST_CHECK bool bind_query(struct binder *b, const struct pgnode *query, struct scope *parent,
                           bool top, struct bound *out);

/* NULL with the error set. */
struct logical *bind_from(struct binder *b, struct scope *sc);
struct logical *bind_rte(struct binder *b, struct scope *sc, int64_t rtindex);
struct rte *bind_find_rte(struct binder *b, struct scope *sc, int64_t rtindex);
struct logical *bind_values(struct binder *b, struct scope *sc, struct rte *rte);
/* A function that Postgres calls for us, in FROM (function: its RANGETBLFUNCTION) or in a select list
 * (NULL), as a call that takes its rows apart. */
MUST_CHECK bool bind_rows_call(struct binder *b, struct scope *sc, const struct pgnode *node,
                               const struct pgnode *function, struct srf_call *out);
/* The arguments of a FUNCEXPR. */
MUST_CHECK bool bind_call_args(struct binder *b, struct scope *sc, const struct pgnode *node,
                               struct srf_call *out);
/* Of a column that a function makes. The statement may have it otherwise: bind_var() sees to that. */
uint32_t bind_default_collation(const struct type *t);
/* left, if not NULL: what the functions may be applied to; then the node's in[0] is left. */
struct logical *bind_range_function(struct binder *b, struct scope *sc, struct rte *rte,
                                    struct logical *left);
/* The columns of a set operation; one of its branches in those types. */
struct setop_type {
    struct column_type *v;
    size_t n;
};
MUST_CHECK bool bind_setop_types(struct binder *b, const struct pgnode *node,
                                 struct setop_type *out);
struct logical *bind_setop_branch(struct binder *b, struct scope *sc, const struct pgnode *node,
                                  const struct setop_type *types);
/* A recursive WITH query, of the scope home; a reference to it from within its recursive part. */
struct logical *bind_recursive(struct binder *b, struct scope *home, struct cte_entry *e);
/* SEARCH and CYCLE: the extra columns of the recursion n and of its base; then, when its body is
 * bound, what they are from iteration to iteration. */
MUST_CHECK bool bind_search_cycle(struct binder *b, struct scope *sc, const struct pgnode *cte,
                                  struct logical *n);
MUST_CHECK bool bind_search_cycle_body(struct binder *b, const struct pgnode *cte,
                                       struct logical *n);
struct logical *bind_self(struct binder *b, const struct cte_entry *e, struct rte *rte);
struct logical *bind_setops(struct binder *b, struct scope *sc, const struct pgnode *node);

const struct expr *bind_expr(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_var(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_const(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_param(struct binder *b, struct scope *sc, const struct pgnode *node);
/* An aggregate or grouping() of the query so many levels up, whose column it is there. */
const struct expr *bind_at_level(struct binder *b, struct scope *sc, const struct pgnode *node,
                                 int64_t up);
/* The conjuncts of a condition, in order, appended to out. NULL conditions give none. */
MUST_CHECK bool bind_conds(struct binder *b, struct scope *sc, const struct pgnode *node,
                           struct exprs *out);
bool bind_has_sublink(const struct pgnode *node);
/* The conjuncts of a condition: those without a subquery, and what the others come to. */
MUST_CHECK bool bind_conds_apart(struct binder *b, struct scope *sc, const struct pgnode *node,
                                 struct exprs *plain, struct applies *with);
/* A condition as filters and joins. */
MUST_CHECK bool bind_filter(struct binder *b, struct scope *sc, const struct pgnode *node,
                            struct applies *out);
/* The list on top of n. */
struct logical *bind_applied(struct binder *b, const struct applies *list, struct logical *n);
const struct expr *bind_sublink(struct binder *b, struct scope *sc, const struct pgnode *node);
const struct expr *bind_sublink_param(struct binder *b, struct scope *sc,
                                      const struct pgnode *node);
MUST_CHECK bool bind_type(struct binder *b, uint32_t type, int32_t typmod, uint32_t collation,
                          struct column_type *out);
/* The node's input collation; *ok false with the error set. */
const struct collation *bind_input_collation(struct binder *b, const struct pgnode *node, bool *ok);
/* The list, bound; NULL with the error set, *n its length. */
const struct expr **bind_args(struct binder *b, struct scope *sc, const struct pgnode *list,
                              size_t *n);
/* e with what is constant in it evaluated; NULL stays NULL. */
const struct expr *bind_fold(struct binder *b, const struct expr *e);
/* After a native version was refused: whether Postgres can be asked instead; the error is gone then. */
bool bind_can_delegate(struct binder *b);
/* e in the type of the set operation's column. */
const struct expr *bind_coerce(struct binder *b, const struct expr *e, struct column_type to);

/* Set-returning functions of a select list: what sc->srfs has collected goes on top of in; ordinals
 * get the columns that number the rows, up to BIND_MAX_ORDINALS. */
struct bind_srfs *bind_srfs_begin(struct binder *b);
const struct expr *bind_target_srf(struct binder *b, struct scope *sc, const struct pgnode *node);
struct logical *bind_srfs_end(struct binder *b, struct bind_srfs *s, struct logical *in,
                              struct logical_id *ordinals, size_t *nordinals);

/* Starts grouping: binds the keys over the scope's FROM. */
MUST_CHECK bool bind_grouping_begin(struct binder *b, struct scope *sc);
/* What node is above the grouping (a key or an aggregate): *out, or NULL where it is neither. */
MUST_CHECK bool bind_grouped(struct binder *b, struct scope *sc, const struct pgnode *node,
                             const struct expr **out);
struct logical *bind_grouping_end(struct binder *b, struct scope *sc, struct logical *in);

/* A window function is a column; it is collected in sc->windows. */
const struct expr *bind_window_func(struct binder *b, struct scope *sc, const struct pgnode *node);
/* When the select list is bound: the window functions that were met, over `in`. targets: the select
 * list's expressions, which PARTITION BY and ORDER BY refer to. NULL with the error set. */
struct logical *bind_windows_end(struct binder *b, struct scope *sc, struct logical *in,
                                 const struct expr *const *targets);

/* The value of an expression that is none of a row's: LIMIT's, a frame's offset. what names it in
 * messages. False: it isn't constant (soft), or fails. */
MUST_CHECK bool bind_constant(struct binder *b, const struct pgnode *node, const char *what,
                              struct column_type *ct, struct value *out);

/* The TARGETENTRY of that ressortgroupref: its index, or -1 with the error set. */
int64_t bind_sortgroup_entry(struct binder *b, const struct pgnode *targets,
                             const struct pgnode *clause);
/* A join's alias column stands for an expression over its inputs; other nodes for themselves. */
const struct pgnode *bind_resolve_alias(void *scope, const struct pgnode *node);

/* A scope for the query: its range table and WITH list, nothing bound yet. */
MUST_CHECK bool bind_open_scope(struct binder *b, const struct pgnode *query, struct scope *parent,
                                struct scope *sc);
bool bind_broken(struct binder *b, const char *what);
/* Which way a SORTGROUPCLAUSE sorts a column of this type, in the clause named `what`. */
MUST_CHECK bool bind_sort_order(struct binder *b, const struct pgnode *clause,
                                const struct column_type *ct, const char *what, bool *desc);
MUST_CHECK bool bind_needs_equality(struct binder *b, const struct column_type *ct,
                                    const char *what);

#endif
