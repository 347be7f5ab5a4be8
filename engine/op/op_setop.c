/*
 * op_setop: INTERSECT and EXCEPT, with and without ALL.
 *
 * Law       with a, b the counts of a row left and right, it is in the output
 *               INTERSECT ALL  min(a, b)          INTERSECT  [a > 0 and b > 0]
 *               EXCEPT ALL     max(0, a - b)      EXCEPT     [a > 0 and b = 0]
 *           times; d(out) is the difference of that before and after
 * State     both counts of every distinct row of either side
 * Cost      O(1) a change
 * NULLs     are equal to each other
 * Weights   the inputs' are never negative between steps: else the circuit is broken
 * Traps     rows are equal by type; what goes out is a spelling of the left side
 * See also  rowcount.h
 */
#include "engine/op/rowcount.h"

struct setop {
    struct op op;
    enum setop_kind kind;
    struct rowcount rc;
};

static int64_t outcome(int kind, const int64_t n[2])
{
    switch ((enum setop_kind)kind) {
    case SETOP_INTERSECT: return n[0] > 0 && n[1] > 0;
    case SETOP_INTERSECT_ALL: return n[0] < n[1] ? n[0] : n[1];
    case SETOP_EXCEPT: return n[0] > 0 && n[1] == 0;
    case SETOP_EXCEPT_ALL: return n[0] > n[1] ? n[0] - n[1] : 0;
    }
    return 0;
}

static void step_setop(struct op *op, struct op_env *env)
{
    struct setop *s = (struct setop *)op;
    rowcount_begin(&s->rc);
    rowcount_apply(&s->rc, op_input(op, 0), 0, env);
    rowcount_apply(&s->rc, op_input(op, 1), 1, env);
    rowcount_emit(&s->rc, op, env, outcome, (int)s->kind);
}

static void free_setop(struct op *op)
{
    rowcount_fini(&((struct setop *)op)->rc);
}

static void describe_setop(const struct op *op, struct buf *b)
{
    static const char *const names[] = {" intersect", " intersect all", " except", " except all"};
    buf_adds(b, names[((const struct setop *)op)->kind]);
}

static struct op_stats stats_setop(const struct op *op)
{
    return rowcount_stats(&((const struct setop *)op)->rc);
}

static const struct op_class setop_class = {.name = "set operation",
                                            .step = step_setop,
                                            .free = free_setop,
                                            .describe = describe_setop,
                                            .stats = stats_setop,
                                            .consolidated = true};

struct op *op_setop(struct circuit *c, struct op *left, struct op *right, enum setop_kind kind)
{
    struct setop *s = NEW(struct setop);
    struct op *ins[2] = {left, right};
    s->kind = kind;
    rowcount_init(&s->rc, left->layout);
    circuit_add(c, &s->op, &setop_class, layout_ref(left->layout), ins, 2);
    return &s->op;
}
