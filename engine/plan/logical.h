/*
 * logical: the plan between the analysed statement and the circuit.
 *
 * A tree of relational operators. A column is an identity (rel, no) that stays the same wherever the
 * column passes through: rel is made when the column comes into being (one per FROM item, per
 * projection, per grouping), no numbers within. Expressions (engine/expr) refer to columns by
 * identity: EXPR_COLUMN with rel != 0 and col = no. Positions come in plan/build and nowhere else.
 * Above an outer join the same identity stands for the value or the NULL the join put in its place.
 *
 * `cols` is what a node gives its parent, in order. A CTE that is referenced more than once is a
 * struct logical_cte of its own, which several LOGICAL_CTE leaves point at; all else is a tree.
 *
 * Everything lives in the arena of the plan_spec. Nodes are changed by passes until the spec is
 * complete, and immutable afterwards.
 *
 * To add a kind: here, in logical.c (verify), show, canon, build, and each pass.
 */
#ifndef PALIMPSEST_PLAN_LOGICAL_H
#define PALIMPSEST_PLAN_LOGICAL_H

#include <string.h>

#include "engine/base/vec.h"
#include "engine/op/op.h"
#include "engine/sql/catalog.h"

struct lcol {
    uint32_t rel, no;
    struct column_type ct;
    const char *name; /* for people; "" = none */
};

enum logical_kind {
    LOGICAL_SCAN,     /* rows of a base table; no = attnum */
    LOGICAL_ONE_ROW,  /* one row without columns */
    LOGICAL_CTE,      /* rows of a shared CTE; no - 1 is the index in cte->out */
    LOGICAL_FILTER,   /* rows for which all conds hold, tried in order */
    LOGICAL_PROJECT,  /* cols[i] = exprs[i] */
    LOGICAL_JOIN,     /* left ++ right on keys and conds */
    LOGICAL_GROUP,    /* no 1..nexprs: keys; aggs[i] is no aggno[i] */
    LOGICAL_DISTINCT, /* columns keep their identity */
    LOGICAL_UNION,    /* UNION ALL: cols[i] is cols[i] of each input */
    LOGICAL_SETOP,    /* INTERSECT, EXCEPT: column no is cols[no - 1] of both inputs */
    LOGICAL_TOPK,     /* columns keep their identity */
    LOGICAL_FLATMAP, /* the input's columns and the calls': no 1… over all calls, then the ordinal */
    LOGICAL_RECURSE, /* WITH RECURSIVE: cols[i] is cols[i] of base in[0] and body in[1] */
    LOGICAL_SELF,    /* within the body: the rows of the recursion; no 1…, then the iteration */
    LOGICAL_WINDOW   /* so do its input's; behind them wins[i] is no winno[i] */
};

struct logical_sort {
    uint32_t rel, no;
    bool desc, nulls_first;
};

struct logical_id {
    uint32_t rel, no;
};

struct logical;

/* A base table as a scan sees it; copied from the catalog into the plan's arena. */
struct logical_table {
    uint32_t oid;
    const char *schema, *name;
    const uint32_t *leaves;
    size_t nleaves;
    bool only;                   /* FROM ONLY where that makes a difference */
    const char *const *colnames; /* by attnum - 1 */
    const bool *generated;       /* by attnum - 1 */
    size_t ncols;
    const uint64_t *unique; /* see struct cat_table */
    size_t nunique, ntelling;
};

struct logical_cte {
    struct logical *root;
    struct lcol *out; /* the columns references count by; never pruned */
    size_t nout;
    size_t refs; /* LOGICAL_CTE leaves that point here, while binding */
    const char *name;
    bool apart; /* MATERIALIZED: not put in place of its reference */
    bool whole; /* Postgres computes all its columns, asked for or not, so their errors count */
};

/* What a RECURSE node and the SELF leaves of its body have in common. */
struct logical_rec {
    uint32_t rel; /* names it in canon.c */
    struct recursion_spec spec;
    size_t ncols;   /* without the iteration */
    bool is_tagged; /* by pass_iterate: SELF and the body's root have one more column, a bigint */
    /*
     * What SEARCH and CYCLE add: the last nextra of the ncols columns, which the body doesn't give
     * until pass_iterate makes it do so. extra[i] is column i of them, over the body's other columns
     * and over what SELF gives: (rel, 1…nextra) its extra columns, (rel, nextra + 1) the iteration.
     * stop, if not NULL: whether SELF's row goes no further, over the same.
     */
    const struct expr **extra;
    size_t nextra;
    const struct expr *stop;
};

struct logical {
    enum logical_kind kind;
    struct lcol *cols;
    size_t ncols;
    struct logical **in;
    size_t nin;

    uint32_t rel;                      /* of the columns it makes; 0 where it only passes them on */
    const struct logical_table *table; /* SCAN */
    struct logical_cte *cte;           /* CTE */
    struct logical_rec *rec;           /* RECURSE, SELF */
    const struct expr **conds;         /* FILTER, JOIN (what isn't a key), FLATMAP if outer */
    size_t nconds;
    const struct expr **exprs; /* PROJECT: one a column; GROUP: the keys */
    size_t nexprs;
    enum join_kind join; /* JOIN; a right join is a left join with its inputs swapped */
    bool dependent;      /* JOIN: in[1] may use in[0]'s columns; none after pass_decorrelate */
    const struct expr **lkeys, **rkeys; /* JOIN */
    const bool *nullsafe;               /* JOIN: of each key whether NULLs match; NULL = none */
    size_t nkeys;
    struct group_agg *aggs; /* GROUP */
    uint32_t *aggno;
    size_t naggs;
    enum setop_kind setop;     /* SETOP */
    struct logical_sort *sort; /* TOPK, WINDOW */
    size_t nsort;
    /* TOPK, WINDOW: of each group of rows equal on these; none: of all rows */
    struct logical_id *part;
    size_t npart;
    struct window_call *wins; /* WINDOW */
    uint32_t *winno;
    size_t nwins;
    int64_t limit, offset; /* TOPK; limit -1 = none */
    bool with_ties;
    struct srf_call *calls; /* FLATMAP; in lockstep */
    size_t ncalls;
    bool ordinality, outer; /* FLATMAP; outer: rows without any stay, with NULLs */
};

/* As VEC_PUSH, but growing in an arena: for lists that live as long as the plan, or whose maker may
 * give up half-way. */
#define AVEC_PUSH(arena, vec, item)                                                                \
    do {                                                                                           \
        if ((vec).n == (vec).cap) {                                                                \
            size_t cap_ = (vec).cap ? (vec).cap * 2 : 4;                                           \
            void *v_ = arena_alloc((arena), cap_ * sizeof *(vec).v);                               \
            if ((vec).n)                                                                           \
                memcpy(v_, (vec).v, (vec).n * sizeof *(vec).v);                                    \
            (vec).v = v_;                                                                          \
            (vec).cap = cap_;                                                                      \
        }                                                                                          \
        (vec).v[(vec).n++] = (item);                                                               \
    } while (0)

/* Lists of conditions while a pass has them in hand; in the arena. */
struct exprs {
    const struct expr **v;
    size_t n, cap;
};
void exprs_append(struct arena *a, struct exprs *l, const struct expr *const *v, size_t n);

/* Nodes with their columns worked out where that needs no choice. */
struct logical *logical_new(struct arena *a, enum logical_kind kind, size_t nin);
struct logical *logical_filter(struct arena *a, struct logical *in, const struct exprs *conds);
/* By one condition. */
struct logical *logical_where(struct arena *a, struct logical *in, const struct expr *cond);
struct logical *logical_join(struct arena *a, enum join_kind kind, struct logical *left,
                             struct logical *right);
struct logical *logical_distinct(struct arena *a, struct logical *in);
/* sort and part are borrowed. No limit, no offset, no ties yet. */
struct logical *logical_topk(struct arena *a, struct logical *in, struct logical_sort *sort,
                             size_t nsort, struct logical_id *part, size_t npart);
/* What calls give for each row of in; names: of the columns they make, may be NULL. calls is borrowed. */
struct logical *logical_flatmap(struct arena *a, struct logical *in, uint32_t rel,
                                struct srf_call *calls, size_t ncalls, bool ordinality,
                                const char *const *names);
/* The columns a FLATMAP makes of its own, needed or not; in a. */
struct lcol *logical_made(struct arena *a, const struct logical *flatmap, size_t *n);
/* Projection; cols are new identities (rel, 1…n) with the expressions' types. names may be NULL. */
struct logical *logical_project(struct arena *a, struct logical *in, uint32_t rel,
                                const struct expr *const *exprs, const char *const *names,
                                size_t n);

const struct lcol *logical_find(const struct logical *n, uint32_t rel, uint32_t no);
const struct expr *lcol_expr(struct arena *a, const struct lcol *c);

/* The shared CTEs reachable from root, each after all that refer to it. */
struct logical_ctes {
    struct logical_cte **v;
    size_t n, cap;
};
void logical_ctes(struct logical *root, struct logical_ctes *out);

/* Every column used is one an input gives, and counts fit their kind. What was bound from a damaged
 * tree may fail this; after a pass it is asserted. */
MUST_CHECK bool logical_is_valid(const struct logical *root);

/* ------------------------------------------------------------ expressions over identities */

/* Puts something in each column's place: returns what stands for column (rel, no), or NULL to keep it. */
typedef const struct expr *expr_subst_fn(void *ctx, const struct expr *column);
const struct expr *expr_subst(struct arena *a, const struct expr *e, expr_subst_fn *fn, void *ctx);
/* Nodes of the expression, counted as a tree, but no further than max. */
size_t expr_size(const struct expr *e, size_t max);
bool expr_refs_any(const struct expr *e, const struct lcol *cols, size_t n);
/* Whether all columns e uses are among these (true where it uses none). */
bool expr_refs_only(const struct expr *e, const struct lcol *cols, size_t n);
bool expr_has_columns(const struct expr *e);
/* Whether both are the same expression, written the same (canon.c). */
bool expr_equal(const struct expr *a, const struct expr *b);
/* Whether e, with arguments that can be had, never raises an error: comparisons and logic. */
bool expr_is_safe(const struct expr *e);
/* Whether e can't be true when all these columns are NULL. */
bool expr_rejects_nulls(const struct expr *e, const struct lcol *cols, size_t n);

#endif
