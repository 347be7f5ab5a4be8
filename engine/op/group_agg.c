/*
 * group_agg: see group_agg.h.
 */
#include "engine/op/group_agg.h"

void group_agg_init(struct agg *a, const struct group_agg *call, size_t offset,
                    const struct layout *l)
{
    *a = (struct agg){.call = call, .offset = offset};
    if (call->distinct)
        a->seen = group_distinct_new(&call->spec);
    a->plain = !call->filter && !call->distinct && call->spec.nargs < 2;
    if (a->plain && call->spec.nargs) {
        a->arg = key_part_of(l, call->args[0], &call->args[0]->ct);
        a->plain = a->arg.col != KEY_COMPUTED && a->arg.mode == KEY_INT;
    }
}

void group_agg_fini(struct agg *a)
{
    if (a->seen)
        group_distinct_free(a->seen);
}

void group_agg_add_general(const struct agg *a, uint32_t handle, void *state, struct eval_ctx *cx,
                           int64_t weight, struct op_env *env)
{
    const struct group_agg *call = a->call;
    struct value args[AGG_MAX_ARGS];
    bool passes = true;
    if (call->filter) {
        if (!expr_holds(call->filter, cx, &passes, &env->err))
            goto fail;
        if (!passes)
            return;
    }
    for (uint32_t i = 0; i < call->spec.nargs; i++)
        if (!op_eval(call->args[i], cx, &args[i], &env->err))
            goto fail;
    if (agg_skips(&call->spec, args))
        return;
    if (a->seen)
        group_distinct_add(a->seen, handle, state, args, weight, env);
    else
        call->spec.cls->add(&call->spec, state, args, weight);
    return;
fail:
    errset_add(env->errors, &env->err, weight);
}

void group_agg_describe(const struct group_agg *a, struct buf *b)
{
    buf_adds(b, a->spec.cls->name);
    if (a->spec.nargs)
        buf_adds(b, a->distinct ? "(distinct " : "(");
    for (uint32_t i = 0; i < a->spec.nown; i++) {
        if (i)
            buf_adds(b, ", ");
        expr_print(a->args[i], NULL, b);
    }
    for (uint32_t i = 0; i < a->spec.nsort; i++) {
        buf_adds(b, i ? ", " : " order by ");
        expr_print(a->args[a->spec.sort[i].arg], NULL, b);
        buf_adds(b, a->spec.sort[i].desc ? " desc" : "");
    }
    if (a->spec.nargs)
        buf_addc(b, ')');
    if (a->filter) {
        buf_adds(b, " filter ");
        expr_print(a->filter, NULL, b);
    }
}
