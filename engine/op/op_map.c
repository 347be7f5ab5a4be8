/*
 * op_map: computes a new row from each row.
 *
 * Law       out = f(in), so d(out) = f(d(in))
 * State     none
 * Cost      one evaluation per expression and change; nothing when f is the row itself
 * NULLs     are the expressions' business
 * Weights   kept
 * Traps     two rows may map to one: the output is not consolidated. A row for which an expression
 *           fails has no output; its weight goes to the error set instead
 */
#include <stdlib.h>

#include "engine/op/op_impl.h"

struct map {
    struct op op;
    const struct expr *const *exprs; /* borrowed */
    size_t n;
    bool identity;      /* the columns of the input in their order */
    struct value *vals; /* owned; room for one row */
};

static bool compute(struct map *m, struct eval_ctx *cx, struct op_env *env, const uint8_t **row)
{
    for (size_t i = 0; i < m->n; i++)
        if (!op_eval(m->exprs[i], cx, &m->vals[i], &env->err))
            return false;
    return row_pack(m->op.layout, m->vals, env->step, row, &env->err);
}

static void step_map(struct op *op, struct op_env *env)
{
    struct map *m = (struct map *)op;
    const struct delta *in = op_input(op, 0);
    struct eval_ctx cx = {.layout = {op->ins[0]->layout}, .arena = &env->scratch};
    if (m->identity) {
        op->result = in;
        return;
    }
    for (size_t i = 0; i < in->n; i++) {
        const uint8_t *row;
        op_env_next_row(env);
        cx.row[0] = in->v[i].row;
        if (compute(m, &cx, env, &row))
            op_emit(op, row, in->v[i].weight);
        else
            errset_add(env->errors, &env->err, in->v[i].weight);
    }
}

static void free_map(struct op *op)
{
    free(((struct map *)op)->vals);
}

static void describe_map(const struct op *op, struct buf *b)
{
    const struct map *m = (const struct map *)op;
    buf_addc(b, ' ');
    op_describe_exprs(m->exprs, m->n, b);
}

static const struct op_class map_class = {
    .name = "map", .step = step_map, .free = free_map, .describe = describe_map};

static bool is_identity(const struct layout *in, const struct expr *const *exprs, size_t n)
{
    if (n != in->ncols)
        return false;
    for (size_t i = 0; i < n; i++)
        if (exprs[i]->kind != EXPR_COLUMN || exprs[i]->col != i)
            return false;
    return true;
}

struct op *op_map(struct circuit *c, struct op *in, const struct expr *const *exprs, size_t n)
{
    struct map *m = NEW(struct map);
    struct column_type *cts = xcalloc(n, sizeof *cts);
    for (size_t i = 0; i < n; i++)
        cts[i] = exprs[i]->ct;
    m->exprs = exprs;
    m->n = n;
    m->identity = is_identity(in->layout, exprs, n);
    m->vals = xcalloc(n, sizeof *m->vals);
    circuit_add(c, &m->op, &map_class, layout_new(cts, n), &in, 1);
    op_asks(&m->op, 0, exprs, n);
    free(cts);
    return &m->op;
}
