/*
 * op_join_self: an inner join of an operator with itself on the same columns: one arrangement
 * serves both sides.
 *
 * Law       d(A x A) = A x dA + dA x A'          (x: same key and the residual is true)
 * State     A arranged by key, once
 * Cost      O(pairs affected) a change
 * NULLs     a NULL in a key matches nothing (such rows aren't kept), unless that key is null-safe. A
 *           residual that is NULL is no match
 * Weights   pairs multiply; within a step they may be negative
 * Traps     three walks over the changes, since old and new A are one object: as right rows against
 *           the old A; into A; as left rows against the new A. A pair of two new rows is met in the
 *           last walk alone
 * See also  op_join.c, which makes these where both inputs and both keys are the same
 */
#include <stdlib.h>

#include "engine/arrange/arrange.h"
#include "engine/op/concat.h"
#include "engine/op/op_impl.h"

struct self_join {
    struct op op;
    struct keyspec *spec; /* owned */
    struct arrange arr;
    struct concat concat;
    const struct expr *const *keys; /* borrowed */
    const struct expr *residual;    /* borrowed; NULL = none */
    struct value *vals;             /* owned; the key of the change under way */
};

enum walk {
    WALK_RIGHT,
    WALK_KEEP,
    WALK_LEFT
};

static void emit_pair(struct self_join *j, const uint8_t *left, const uint8_t *right,
                      int64_t weight, struct op_env *env)
{
    bool holds = true;
    struct eval_ctx cx = {
        .layout = {j->spec->layout, j->spec->layout}, .row = {left, right}, .arena = &env->scratch};
    if (j->residual && !expr_holds(j->residual, &cx, &holds, &env->err)) {
        errset_add(env->errors, &env->err, weight);
        return;
    }
    if (!holds)
        return;
    const uint8_t *row = concat_rows(&j->concat, left, right, env->step, &env->err);
    if (row)
        op_emit(&j->op, row, weight);
    else
        errset_add(env->errors, &env->err, weight);
}

static void meet(struct self_join *j, const struct change *ch, uint32_t hash, enum walk walk,
                 struct op_env *env)
{
    uint32_t h = arrange_find(&j->arr, hash, j->vals, &env->scratch);
    for (; h; h = arrange_next(&j->arr, h)) {
        const uint8_t *partner = arrange_row(&j->arr, h);
        int64_t weight = ch->weight * arrange_weight(&j->arr, h);
        if (walk == WALK_RIGHT)
            emit_pair(j, partner, ch->row, weight, env);
        else
            emit_pair(j, ch->row, partner, weight, env);
    }
}

static void step_change(struct self_join *j, const struct change *ch, enum walk walk,
                        struct op_env *env)
{
    bool has_null;
    op_env_next_row(env);
    if (!keyspec_eval(j->spec, ch->row, &env->scratch, j->vals, &env->err)) {
        if (walk != WALK_KEEP) /* both sides fail */
            errset_add(env->errors, &env->err, ch->weight);
        return;
    }
    uint32_t hash = keyspec_hash(j->spec, j->vals, &has_null);
    if (has_null)
        return;
    if (walk == WALK_KEEP)
        arrange_add(&j->arr, ch->row, hash, j->vals, ch->weight, &env->scratch);
    else
        meet(j, ch, hash, walk, env);
}

static void step_self_join(struct op *op, struct op_env *env)
{
    struct self_join *j = (struct self_join *)op;
    const struct delta *in = op_input(op, 0);
    arrange_settle(&j->arr);
    for (enum walk walk = WALK_RIGHT; walk <= WALK_LEFT; walk++)
        for (size_t i = 0; i < in->n; i++)
            step_change(j, &in->v[i], walk, env);
}

static void free_self_join(struct op *op)
{
    struct self_join *j = (struct self_join *)op;
    arrange_fini(&j->arr);
    keyspec_free(j->spec);
    concat_fini(&j->concat);
    free(j->vals);
}

static void describe_self_join(const struct op *op, struct buf *b)
{
    const struct self_join *j = (const struct self_join *)op;
    buf_adds(b, " on ");
    op_describe_exprs(j->keys, j->spec->n, b);
    if (j->residual) {
        buf_adds(b, " and ");
        expr_print(j->residual, NULL, b);
    }
}

static struct op_stats stats_self_join(const struct op *op)
{
    const struct self_join *j = (const struct self_join *)op;
    return (struct op_stats){j->arr.nrows, arrange_bytes(&j->arr)};
}

static const struct op_class self_join_class = {.name = "self-join",
                                                .step = step_self_join,
                                                .free = free_self_join,
                                                .describe = describe_self_join,
                                                .stats = stats_self_join};

struct op *op_join_self(struct circuit *c, struct op *in, const struct expr *const *keys, size_t n,
                        const struct expr *residual, const bool *nullsafe)
{
    struct self_join *j = NEW(struct self_join);
    struct op *ins[2] = {in, in};
    j->keys = keys;
    j->residual = residual;
    j->vals = xcalloc(n, sizeof *j->vals);
    j->spec = keyspec_new(in->layout, keys, n, NULL);
    for (size_t i = 0; i < n && nullsafe; i++)
        j->spec->part[i].null_safe = nullsafe[i];
    concat_init(&j->concat, in->layout, in->layout);
    arrange_init(&j->arr, j->spec, 0);
    circuit_add(c, &j->op, &self_join_class, layout_ref(j->concat.layout), ins, 2);
    return &j->op;
}
