/*
 * op_distinct: each row once; also UNION without ALL, over op_union.
 *
 * Law       out(r) = [in(r) > 0], so d(out)(r) = [in'(r) > 0] - [in(r) > 0]
 * State     the count of every distinct row
 * Cost      O(1) a change
 * NULLs     are equal to each other
 * Weights   the input's are never negative between steps: else the circuit is broken
 * Traps     rows are equal by type (1.0 = 1.00), not by bytes: what is asserted is a spelling that
 *           some row has, the first one as long as it is there
 * See also  rowcount.h
 */
#include "engine/op/rowcount.h"

struct distinct {
    struct op op;
    struct rowcount rc;
};

static int64_t is_there(int kind, const int64_t n[2])
{
    (void)kind;
    return n[0] > 0;
}

static void step_distinct(struct op *op, struct op_env *env)
{
    struct distinct *d = (struct distinct *)op;
    rowcount_begin(&d->rc);
    rowcount_apply(&d->rc, op_input(op, 0), 0, env);
    rowcount_emit(&d->rc, op, env, is_there, 0);
}

static void free_distinct(struct op *op)
{
    rowcount_fini(&((struct distinct *)op)->rc);
}

static struct op_stats stats_distinct(const struct op *op)
{
    return rowcount_stats(&((const struct distinct *)op)->rc);
}

static const struct op_class distinct_class = {.name = "distinct",
                                               .step = step_distinct,
                                               .free = free_distinct,
                                               .stats = stats_distinct,
                                               .consolidated = true};

struct op *op_distinct(struct circuit *c, struct op *in)
{
    struct distinct *d = NEW(struct distinct);
    rowcount_init(&d->rc, in->layout);
    circuit_add(c, &d->op, &distinct_class, layout_ref(in->layout), &in, 1);
    return &d->op;
}
