/*
 * op_impl: what operators share and the circuit sees of them. Included by op_*.c and circuit.c only.
 *
 * An operator is a struct that begins with struct op, registered with circuit_add() by its
 * constructor, which also gives it its inputs. In each step the circuit empties `out`, and calls
 * cls->step() when an input has changed (and for all of them in the first step): it reads
 * op_input(op, i) and fills `out` with op_emit(), or points `result` at an input's delta where the
 * output is the same changes.
 *
 * Rows in a delta live until the next step begins: in env->step, in the input, or in state that is
 * freed only at the beginning of the operator's next step (arrange_settle() and its kin).
 */
#ifndef PALIMPSEST_OP_OP_IMPL_H
#define PALIMPSEST_OP_OP_IMPL_H

#include "engine/base/vec.h"
#include "engine/op/errset.h"
#include "engine/op/op.h"

struct op_env {
    struct arena *step;    /* rows of this step's deltas */
    struct arena scratch;  /* results of expressions; op_env_next_row() forgets them */
    uint8_t *scratch_mark; /* scratch.next after the last reset */
    struct errset *errors;
    struct err err; /* for whoever evaluates; content undefined */
    bool first;     /* the circuit's first step */
    bool broken;    /* more of a row has been retracted than there was: the circuit is void */
};

struct op_class {
    const char *name;
    void (*step)(struct op *op, struct op_env *env);
    void (*free)(struct op *op); /* what the operator owns beyond struct op; NULL = nothing */
    /* Appends what there is to say beyond the name: " on (#0) = (#1)". NULL = nothing. */
    void (*describe)(const struct op *op, struct buf *b);
    struct op_stats (*stats)(const struct op *op); /* NULL: keeps no state */
    bool consolidated; /* its output holds each row once, if its inputs' do or not */
};

struct op {
    const struct op_class *cls;
    const struct layout *layout; /* counted; of the output */
    struct op **ins;             /* owned array of borrowed operators */
    size_t nins;
    size_t no;               /* position in the circuit */
    struct op_asker *askers; /* owned array: what may ask Postgres, see op_asks() */
    size_t naskers;
    struct delta out;           /* owned; this step's output */
    const struct delta *result; /* &out, or an input's */
};

/* An expression with delegated calls, over the rows of an input. */
struct op_asker {
    const struct expr *e; /* borrowed */
    size_t input;
};

/* Registers the operator, whose first member is struct op; takes the layout reference over. */
void circuit_add(struct circuit *c, struct op *op, const struct op_class *cls,
                 const struct layout *layout, struct op *const *ins, size_t nins);

/* These are evaluated over each changed row of the input (as input 0 of the expression): those that
 * ask Postgres are asked for together before the step. */
void op_asks(struct op *op, size_t input, const struct expr *const *exprs, size_t n);

static inline const struct delta *op_input(const struct op *op, size_t i)
{
    return op->ins[i]->result;
}

static inline void op_emit(struct op *op, const uint8_t *row, int64_t weight)
{
    struct change c = {row, weight};
    VEC_PUSH(op->out, c);
}

/* Forgets the results of expressions for the row before. */
static inline void op_env_next_row(struct op_env *env)
{
    if (env->scratch.next != env->scratch_mark) {
        arena_reset(&env->scratch);
        env->scratch_mark = env->scratch.next;
    }
}

/* Plain columns are read without a call. */
static inline bool op_eval(const struct expr *e, struct eval_ctx *cx, struct value *out,
                           struct err *err)
{
    if (e->kind == EXPR_COLUMN) {
        *out = row_get(cx->layout[e->input], cx->row[e->input], e->col);
        return true;
    }
    return expr_eval(e, cx, out, err);
}

/* The inner join of an operator with itself on the same keys; op_join() makes it where it can. */
struct op *op_join_self(struct circuit *c, struct op *in, const struct expr *const *keys, size_t n,
                        const struct expr *residual, const bool *nullsafe);

/* "(#0, #1 + 1)" */
void op_describe_exprs(const struct expr *const *exprs, size_t n, struct buf *b);

#endif
