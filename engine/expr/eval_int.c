/*
 * eval_int: integer comparison and arithmetic on columns and constants without a detour.
 *
 * `value > 10` and `a + b` are what most filters and projections are made of. For the functions
 * below, a node whose left argument is an int32 or int64 column and whose right one is such a
 * column too, or a constant, is evaluated in one function: two loads, the null bits, the operation.
 *
 * A specialised function looks once more whether its arguments still are what it was chosen for and
 * else takes the general way, so that a tree whose arguments were replaced is slow, never wrong.
 *
 * To add an operation: a line in INT_OPS.
 */
#include "engine/expr/eval.h"

/* The general way, with the operation through the table. */
static bool general(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct value v[2];
    if (!expr_eval(e->args[0], cx, &v[0], err) || !expr_eval(e->args[1], cx, &v[1], err))
        return false;
    if (v[0].null || v[1].null) {
        *out = value_null();
        return true;
    }
    return e->func->fn(e, cx, v, out, err);
}

static inline bool is_null(const struct expr *column, const struct eval_ctx *cx)
{
    return row_is_null(cx->row[column->input], column->col);
}

#define DEFINE_COLUMN_CONST(name, ctype, column_eval, apply)                                       \
    static bool name(const struct expr *e, struct eval_ctx *cx, struct value *out,                 \
                     struct err *err)                                                              \
    {                                                                                              \
        const struct expr *x = e->args[0], *y = e->args[1];                                        \
        ctype a;                                                                                   \
        int64_t b;                                                                                 \
        if (x->eval != column_eval || y->eval != eval_const || y->value.null)                      \
            return general(e, cx, out, err);                                                       \
        memcpy(&a, column_at(x, cx), sizeof a);                                                    \
        b = y->value.i;                                                                            \
        *out = (struct value){.null = is_null(x, cx)};                                             \
        return out->null || (apply);                                                               \
    }

#define DEFINE_COLUMN_COLUMN(name, ctype, column_eval, apply)                                      \
    static bool name(const struct expr *e, struct eval_ctx *cx, struct value *out,                 \
                     struct err *err)                                                              \
    {                                                                                              \
        const struct expr *x = e->args[0], *y = e->args[1];                                        \
        ctype a, b;                                                                                \
        if (x->eval != column_eval || y->eval != column_eval)                                      \
            return general(e, cx, out, err);                                                       \
        memcpy(&a, column_at(x, cx), sizeof a);                                                    \
        memcpy(&b, column_at(y, cx), sizeof b);                                                    \
        *out = (struct value){.null = is_null(x, cx) | is_null(y, cx)};                            \
        return out->null || (apply);                                                               \
    }

static bool ranged4(struct value *out, int64_t r, struct err *err)
{
    out->i = r;
    return r == (int32_t)r || int_out_of_range(err, TYPE_INT4);
}

/* Also of a comparison, which always succeeds: the comma's right side. */
#define COMPARE(op)  (out->i = (int64_t)a op(int64_t) b, true)
#define SMALL(op)    ranged4(out, (int64_t)a op(int64_t) b, err)
#define BIG(builtin) (!builtin((int64_t)a, (int64_t)b, &out->i) || int_out_of_range(err, TYPE_INT8))

#define INT_OPS(X)                                                                                 \
    X(eq, fn_i_eq, COMPARE(==))                                                                    \
    X(ne, fn_i_ne, COMPARE(!=))                                                                    \
    X(lt, fn_i_lt, COMPARE(<))                                                                     \
    X(le, fn_i_le, COMPARE(<=))                                                                    \
    X(gt, fn_i_gt, COMPARE(>))                                                                     \
    X(ge, fn_i_ge, COMPARE(>=))                                                                    \
    X(add4, fn_int4_pl, SMALL(+))                                                                  \
    X(sub4, fn_int4_mi, SMALL(-))                                                                  \
    X(mul4, fn_int4_mul, SMALL(*))                                                                 \
    X(add8, fn_int8_pl, BIG(__builtin_add_overflow))                                               \
    X(sub8, fn_int8_mi, BIG(__builtin_sub_overflow))                                               \
    X(mul8, fn_int8_mul, BIG(__builtin_mul_overflow))

#define DEFINE(op, fn, apply)                                                                      \
    DEFINE_COLUMN_CONST(op##_column32_const, int32_t, eval_column_int32, apply)                    \
    DEFINE_COLUMN_CONST(op##_column64_const, int64_t, eval_column_int64, apply)                    \
    DEFINE_COLUMN_COLUMN(op##_column32_column32, int32_t, eval_column_int32, apply)                \
    DEFINE_COLUMN_COLUMN(op##_column64_column64, int64_t, eval_column_int64, apply)
INT_OPS(DEFINE)

static const struct fast {
    pgfunc_fn *fn;
    eval_fn *column32_const, *column64_const, *column32_column32, *column64_column64;
} fast[] = {
#define ROW(op, fn, apply)                                                                         \
    {fn, op##_column32_const, op##_column64_const, op##_column32_column32, op##_column64_column64},
    INT_OPS(ROW)
#undef ROW
};

static bool is_column(const struct expr *e, enum rep rep)
{
    return e->kind == EXPR_COLUMN && e->ct.type->rep == rep;
}

eval_fn *eval_choose_int(const struct expr *e)
{
    const struct fast *f = fast, *end = fast + sizeof fast / sizeof fast[0];
    const struct expr *x, *y;
    if (e->nargs != 2)
        return NULL;
    while (f < end && f->fn != e->func->fn)
        f++;
    if (f == end)
        return NULL;
    x = e->args[0];
    y = e->args[1];
    if (y->kind == EXPR_CONST && !y->value.null)
        return is_column(x, REP_INT32)   ? f->column32_const
               : is_column(x, REP_INT64) ? f->column64_const
                                         : NULL;
    if (is_column(x, REP_INT32) && is_column(y, REP_INT32))
        return f->column32_column32;
    if (is_column(x, REP_INT64) && is_column(y, REP_INT64))
        return f->column64_column64;
    return NULL;
}
