/*
 * op_filter: keeps the rows for which a condition is true.
 *
 * Law       out = {r : w in in, cond(r) is true}, so d(out) is the same of d(in)
 * State     none
 * Cost      one evaluation a change
 * NULLs     a condition that is NULL keeps nothing
 * Weights   kept
 * Traps     a row for which the condition fails is not kept; its weight goes to the error set
 */
#include "engine/op/op_impl.h"

struct filter {
    struct op op;
    const struct expr *cond; /* borrowed */
};

static void step_filter(struct op *op, struct op_env *env)
{
    const struct filter *f = (const struct filter *)op;
    const struct delta *in = op_input(op, 0);
    struct eval_ctx cx = {.layout = {op->layout}, .arena = &env->scratch};
    for (size_t i = 0; i < in->n; i++) {
        bool holds;
        op_env_next_row(env);
        cx.row[0] = in->v[i].row;
        if (!expr_holds(f->cond, &cx, &holds, &env->err))
            errset_add(env->errors, &env->err, in->v[i].weight);
        else if (holds)
            op_emit(op, in->v[i].row, in->v[i].weight);
    }
}

static void describe_filter(const struct op *op, struct buf *b)
{
    buf_addc(b, ' ');
    expr_print(((const struct filter *)op)->cond, NULL, b);
}

static const struct op_class filter_class = {
    .name = "filter", .step = step_filter, .describe = describe_filter};

struct op *op_filter(struct circuit *c, struct op *in, const struct expr *cond)
{
    struct filter *f = NEW(struct filter);
    f->cond = cond;
    circuit_add(c, &f->op, &filter_class, layout_ref(in->layout), &in, 1);
    op_asks(&f->op, 0, &cond, 1);
    return &f->op;
}
