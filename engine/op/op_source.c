/*
 * op_source: where changes enter a circuit; and the one row of a SELECT without FROM.
 *
 * Law       source: out = what was pushed; one_row: out = {() : 1} in the first step, then nothing
 * State     none
 * Cost      none beyond the push
 * Weights   any; the caller pushes the net change of whole transactions
 * Traps     the delta is not consolidated: only an assert right after its own retract is cancelled
 */
#include "engine/op/op_impl.h"

struct source {
    struct op op;
    const char *label; /* borrowed */
};

static void describe_source(const struct op *op, struct buf *b)
{
    buf_addc(b, ' ');
    buf_adds(b, ((const struct source *)op)->label);
}

static const struct op_class source_class = {.name = "source", .describe = describe_source};

struct op *op_source(struct circuit *c, const struct layout *layout, const char *label)
{
    struct source *s = NEW(struct source);
    s->label = label;
    circuit_add(c, &s->op, &source_class, layout_ref(layout), NULL, 0);
    return &s->op;
}

static void step_one_row(struct op *op, struct op_env *env)
{
    static const uint8_t empty_row[1];
    if (env->first)
        op_emit(op, empty_row, 1);
}

static const struct op_class one_row_class = {
    .name = "one row", .step = step_one_row, .consolidated = true};

struct op *op_one_row(struct circuit *c)
{
    struct op *op = NEW(struct op);
    circuit_add(c, op, &one_row_class, layout_new(NULL, 0), NULL, 0);
    return op;
}
