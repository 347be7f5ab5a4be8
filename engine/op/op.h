/*
 * op: the operators of a circuit and how they are put together.
 *
 * A circuit is a list of operators in topological order; each has up to two inputs (union: any
 * number) and one output layout. One step moves one batch of changes through all of them: every
 * operator turns the changes of its inputs into the change of its output and keeps what state it
 * needs. A change is a row with a weight: +k asserts it k times, -k retracts it.
 *
 * Constructors take positions, never names; key and output expressions see input 0 = the (left)
 * input row and, for joins' residuals, input 1 = the right one. They borrow everything passed in
 * (expressions, specs), which lives in the plan's arena for as long as the circuit does.
 *
 * Errors in expressions are data: see errset in circuit.h. Threads: a circuit belongs to one thread.
 *
 * To add an operator: one file op_x.c with its laws in the header, an op_class, a constructor here,
 * a line in plan/build.c and in tests' naive oracle.
 */
#ifndef PALIMPSEST_OP_OP_H
#define PALIMPSEST_OP_OP_H

#include "engine/arrange/sort_key.h"
#include "engine/expr/agg.h"
#include "engine/expr/expr.h"
#include "engine/expr/srf.h"
#include "engine/expr/win_frame.h"

struct circuit;
struct op;

/* A change on its way between operators: rows are borrowed from the step's arena or from the
 * producer's state until the end of the step. */
struct change {
    const uint8_t *row;
    int64_t weight; /* never 0 */
};

struct delta {
    struct change *v;
    size_t n, cap;
};

enum join_kind {
    JOIN_INNER,
    JOIN_LEFT,
    JOIN_FULL,
    JOIN_SEMI,
    JOIN_ANTI
};

struct group_agg {
    struct agg_spec spec;
    const struct expr *args[AGG_MAX_ARGS];     /* spec.nargs of them */
    const struct expr *direct[AGG_MAX_DIRECT]; /* spec.ndirect of them: over the group's keys */
    const struct expr *filter;                 /* NULL = all rows */
    bool distinct;
};

/* Set-returning functions called for each row, in lockstep; see op_flatmap.c. */
struct flatmap_spec {
    const struct srf_call *calls;
    size_t ncalls;
    bool ordinality; /* a bigint column counts the rows of each input row, behind the calls' */
    bool outer;      /* an input row without any comes out once, with NULLs */
    const struct expr *cond; /* outer: over input 0, and input 1 = the calls' columns; or NULL */
    const uint32_t *outs;    /* the output's columns: input's, then behind them the calls' */
    size_t nouts;
};

/* A window function, or an aggregate over the frame. One that is ordered has a value more than its own
 * arguments, by which it is: the operator puts the row's number there. */
struct window_call {
    bool is_agg;
    struct win_spec win;  /* if it is none */
    struct group_agg agg; /* if it is; never distinct */
    const struct win_frame *frame;
};

/* Calls fn for each of the call's expressions. */
static inline void window_call_each(struct window_call *c,
                                    void (*fn)(void *ctx, const struct expr **e), void *ctx)
{
    uint32_t nargs = c->is_agg ? c->agg.spec.nown : c->win.nargs;
    for (uint32_t i = 0; i < nargs; i++)
        fn(ctx, c->is_agg ? &c->agg.args[i] : &c->win.args[i]);
    if (c->is_agg && c->agg.filter)
        fn(ctx, &c->agg.filter);
}

static inline const struct column_type *window_call_type(const struct window_call *c)
{
    return c->is_agg ? &c->agg.spec.result : &c->win.result;
}

/* Rows pushed by circuit_push() come out here. label is for EXPLAIN and must outlive the circuit. */
struct op *op_source(struct circuit *c, const struct layout *layout, const char *label);
/* Exactly one row without columns, for SELECT without FROM; asserted in the first step. */
struct op *op_one_row(struct circuit *c);
struct op *op_map(struct circuit *c, struct op *in, const struct expr *const *exprs, size_t n);
struct op *op_filter(struct circuit *c, struct op *in, const struct expr *cond);
struct op *op_flatmap(struct circuit *c, struct op *in, const struct flatmap_spec *spec);
/*
 * Equi-join on pairs of key expressions (over input 0 of their own side; types of a pair compare as
 * keytypes[i]), with an optional residual over both rows. nkeys may be 0 (cross or theta join). SQL
 * equality: a NULL in a key matches nothing, unless nullsafe[i]: then NULLs match each other there
 * (nullsafe NULL: nowhere). Output: left ++ right columns; SEMI and ANTI: the left ones.
 */
struct op *op_join(struct circuit *c, struct op *left, struct op *right, enum join_kind kind,
                   const struct expr *const *lkeys, const struct expr *const *rkeys, size_t nkeys,
                   const struct expr *residual, const bool *nullsafe);
/* Output: keys, then aggregates. Without keys there is one row even over no input. */
struct op *op_group(struct circuit *c, struct op *in, const struct expr *const *keys, size_t nkeys,
                    const struct group_agg *aggs, size_t naggs);
/* DISTINCT by type equality (value_same) over all columns; one representative is kept. */
struct op *op_distinct(struct circuit *c, struct op *in);
/* UNION ALL; all inputs have the same layout reps. */
struct op *op_union(struct circuit *c, struct op *const *ins, size_t n);
/* INTERSECT/EXCEPT [ALL] by type equality. */
enum setop_kind {
    SETOP_INTERSECT,
    SETOP_INTERSECT_ALL,
    SETOP_EXCEPT,
    SETOP_EXCEPT_ALL
};
struct op *op_setop(struct circuit *c, struct op *left, struct op *right, enum setop_kind kind);
/* Rows offset .. offset+limit of the order, ties broken by the whole row; limit -1 = no limit.
 * with_ties keeps all rows equal to the last one on the keys. With part[npart] that for each group of
 * rows equal on these expressions. */
struct op *op_topk(struct circuit *c, struct op *in, const struct expr *const *part, size_t npart,
                   const struct sort_key *keys, size_t nkeys, int64_t limit, int64_t offset,
                   bool with_ties);

/* Window functions over rows equal on part[npart], ordered by the keys, ties broken by the whole row.
 * Output: the input's columns, then one a call. Calls of one frame name it by the same pointer. */
struct op *op_window(struct circuit *c, struct op *in, const struct expr *const *part, size_t npart,
                     const struct sort_key *keys, size_t nkeys, const struct window_call *calls,
                     size_t ncalls);

/* WITH RECURSIVE; see circuit/op_recurse.c. */
struct recursion_spec {
    const char *name;
    bool distinct; /* UNION, not UNION ALL */
    int64_t max_iterations, max_rows;
};
/*
 * ins[0] is the base, the others what the body reads of the outside, which comes out of sources[i - 1]
 * of the body. The body is a nested circuit (circuit_new_nested()), owned from here on. Its source
 * self gives the recursive rows: the base's columns and a bigint, the iteration, which is the last
 * column of its output too.
 */
struct op *op_recurse(struct circuit *c, struct op *const *ins, size_t nins,
                      const struct recursion_spec *spec, struct circuit *body, struct op *self,
                      struct op *const *sources);

const struct layout *op_layout(const struct op *op);

/* What EXPLAIN shows of an operator's state now. */
struct op_stats {
    uint64_t rows;  /* rows or groups held */
    uint64_t bytes; /* memory held */
};

#endif
