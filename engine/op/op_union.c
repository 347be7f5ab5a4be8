/*
 * op_union: UNION ALL of any number of inputs.
 *
 * Law       out = sum of the inputs, so d(out) = sum of their changes
 * State     none
 * Cost      copies the list of changes, not the rows; nothing when only one input has changed
 * NULLs     nothing to do with them
 * Weights   added up downstream: the output is not consolidated
 * Traps     the inputs' rows must be packed alike (same reps): typmods and names may differ
 */
#include <assert.h>

#include "engine/op/op_impl.h"

static void step_union(struct op *op, struct op_env *env)
{
    const struct delta *only = NULL;
    size_t changed = 0;
    (void)env;
    for (size_t i = 0; i < op->nins; i++)
        if (op_input(op, i)->n) {
            only = op_input(op, i);
            changed++;
        }
    if (changed == 1) {
        op->result = only;
        return;
    }
    op->result = &op->out;
    for (size_t i = 0; i < op->nins; i++)
        for (size_t k = 0; k < op_input(op, i)->n; k++)
            VEC_PUSH(op->out, op_input(op, i)->v[k]);
}

static const struct op_class union_class = {.name = "union all", .step = step_union};

static void assert_same_reps(const struct layout *a, const struct layout *b)
{
    assert(a->ncols == b->ncols);
    for (uint32_t i = 0; i < a->ncols; i++)
        assert(a->cols[i].ct.type->rep == b->cols[i].ct.type->rep);
    (void)b;
}

struct op *op_union(struct circuit *c, struct op *const *ins, size_t n)
{
    struct op *op = NEW(struct op);
    for (size_t i = 1; i < n; i++)
        assert_same_reps(ins[0]->layout, ins[i]->layout);
    circuit_add(c, op, &union_class, layout_ref(ins[0]->layout), ins, n);
    return op;
}
