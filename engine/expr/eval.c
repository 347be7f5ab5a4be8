/*
 * eval: the evaluation functions of the nodes, and which one a node gets.
 *
 * Called through expr->eval. A node evaluates its arguments itself, and only those it needs: AND,
 * OR, CASE, COALESCE and IN stop where Postgres stops, so that an argument that would fail is not
 * touched. A boolean is value.i 0 or 1, or NULL; a condition that is NULL does not hold.
 *
 * Invariant: eval returns true with *out set, or false with *err set. *out may borrow from the row,
 * from a constant or from the context's arena.
 */
#include <assert.h>

#include "engine/expr/eval.h"

bool eval_const(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    (void)cx, (void)err;
    *out = e->value;
    return true;
}

/* A fixed-width column: null bit, then the bytes at its offset. */
#define EVAL_COLUMN(name, ctype, member)                                                           \
    bool name(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)       \
    {                                                                                              \
        ctype x;                                                                                   \
        (void)err;                                                                                 \
        memcpy(&x, column_at(e, cx), sizeof x);                                                    \
        *out = (struct value){.member = x, .null = row_is_null(cx->row[e->input], e->col)};        \
        return true;                                                                               \
    }

static eval_fn eval_column_bool, eval_column_float32, eval_column_float64;
EVAL_COLUMN(eval_column_int32, int32_t, i)
EVAL_COLUMN(eval_column_int64, int64_t, i)
EVAL_COLUMN(eval_column_bool, uint8_t, i)
EVAL_COLUMN(eval_column_float32, float, f)
EVAL_COLUMN(eval_column_float64, double, f)

static bool eval_column_any(const struct expr *e, struct eval_ctx *cx, struct value *out,
                            struct err *err)
{
    (void)err;
    *out = row_get(cx->layout[e->input], cx->row[e->input], e->col);
    return true;
}

static eval_fn *choose_column(const struct expr *e)
{
    switch (e->ct.type->rep) {
    case REP_BOOL: return eval_column_bool;
    case REP_INT32: return eval_column_int32;
    case REP_INT64: return eval_column_int64;
    case REP_FLOAT32: return eval_column_float32;
    case REP_FLOAT64: return eval_column_float64;
    case REP_FIXED16:
    case REP_BYTES: break;
    }
    return eval_column_any;
}

/* Functions: all arguments are evaluated before NULL is looked for, as Postgres does. */
static bool eval_func1(const struct expr *e, struct eval_ctx *cx, struct value *out,
                       struct err *err)
{
    struct value v;
    if (!expr_eval(e->args[0], cx, &v, err))
        return false;
    if (v.null) {
        *out = value_null();
        return true;
    }
    return e->func->fn(e, cx, &v, out, err);
}

static bool eval_func2(const struct expr *e, struct eval_ctx *cx, struct value *out,
                       struct err *err)
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

static bool eval_func(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct value v[PGFUNC_MAX_ARGS];
    bool null = false;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!expr_eval(e->args[i], cx, &v[i], err))
            return false;
        null |= v[i].null;
    }
    if (null) {
        *out = value_null();
        return true;
    }
    return e->func->fn(e, cx, v, out, err);
}

static eval_fn *choose_func(const struct expr *e)
{
    eval_fn *fast = eval_choose_int(e);
    if (fast)
        return fast;
    return e->nargs == 1 ? eval_func1 : e->nargs == 2 ? eval_func2 : eval_func;
}

/* AND: false wins over NULL, NULL over true. OR: the mirror image. */
static bool eval_and_or(const struct expr *e, struct eval_ctx *cx, struct value *out,
                        struct err *err)
{
    bool decisive = e->kind == EXPR_OR, null = false;
    for (uint32_t i = 0; i < e->nargs; i++) {
        struct value v;
        if (!expr_eval(e->args[i], cx, &v, err))
            return false;
        if (!v.null && (v.i != 0) == decisive) {
            *out = value_bool(decisive);
            return true;
        }
        null |= v.null;
    }
    *out = null ? value_null() : value_bool(!decisive);
    return true;
}

static bool eval_not(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    if (!expr_eval(e->args[0], cx, out, err))
        return false;
    if (!out->null)
        out->i = !out->i;
    return true;
}

static bool eval_is_null(const struct expr *e, struct eval_ctx *cx, struct value *out,
                         struct err *err)
{
    struct value v;
    if (!expr_eval(e->args[0], cx, &v, err))
        return false;
    *out = value_bool(v.null != e->flag);
    return true;
}

static bool eval_bool_test(const struct expr *e, struct eval_ctx *cx, struct value *out,
                           struct err *err)
{
    struct value v;
    bool is_true, is_false, r = false;
    if (!expr_eval(e->args[0], cx, &v, err))
        return false;
    is_true = !v.null && v.i;
    is_false = !v.null && !v.i;
    switch ((enum bool_test)e->op) {
    case IS_TRUE: r = is_true; break;
    case IS_NOT_TRUE: r = !is_true; break;
    case IS_FALSE: r = is_false; break;
    case IS_NOT_FALSE: r = !is_false; break;
    case IS_UNKNOWN: r = v.null; break;
    case IS_NOT_UNKNOWN: r = !v.null; break;
    }
    *out = value_bool(r);
    return true;
}

/* The = function on two values that aren't NULL; an = that answers NULL has found no equality. */
static bool are_equal(const struct expr *e, struct eval_ctx *cx, const struct value *v, bool *equal,
                      struct err *err)
{
    struct value r;
    if (!e->func->fn(e, cx, v, &r, err))
        return false;
    *equal = !r.null && r.i;
    return true;
}

static bool eval_distinct(const struct expr *e, struct eval_ctx *cx, struct value *out,
                          struct err *err)
{
    struct value v[2];
    bool equal;
    if (!expr_eval(e->args[0], cx, &v[0], err) || !expr_eval(e->args[1], cx, &v[1], err))
        return false;
    if (v[0].null || v[1].null)
        equal = v[0].null && v[1].null;
    else if (!are_equal(e, cx, v, &equal, err))
        return false;
    *out = value_bool(equal == e->flag);
    return true;
}

static bool eval_same(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct value x, y;
    if (!expr_eval(e->args[0], cx, &x, err) || !expr_eval(e->args[1], cx, &y, err))
        return false;
    *out = value_bool(x.null || y.null ? x.null && y.null : value_same(&e->args[0]->ct, x, y));
    return true;
}

static bool eval_raise(const struct expr *e, struct eval_ctx *cx, struct value *out,
                       struct err *err)
{
    (void)cx, (void)out;
    switch ((enum raise)e->op) {
    case RAISE_MANY_ROWS: break;
    }
    return err_set(err, "21000", "more than one row returned by a subquery used as an expression");
}

static bool eval_nullif(const struct expr *e, struct eval_ctx *cx, struct value *out,
                        struct err *err)
{
    struct value v[2];
    bool equal = false;
    if (!expr_eval(e->args[0], cx, &v[0], err) || !expr_eval(e->args[1], cx, &v[1], err))
        return false;
    if (!v[0].null && !v[1].null && !are_equal(e, cx, v, &equal, err))
        return false;
    *out = equal ? value_null() : v[0];
    return true;
}

static bool eval_case(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    uint32_t i;
    for (i = 0; i + 1 < e->nargs; i += 2) {
        bool holds;
        if (!expr_holds(e->args[i], cx, &holds, err))
            return false;
        if (holds)
            return expr_eval(e->args[i + 1], cx, out, err);
    }
    return expr_eval(e->args[i], cx, out, err);
}

static bool eval_coalesce(const struct expr *e, struct eval_ctx *cx, struct value *out,
                          struct err *err)
{
    *out = value_null();
    for (uint32_t i = 0; i < e->nargs && out->null; i++)
        if (!expr_eval(e->args[i], cx, out, err))
            return false;
    return true;
}

/* GREATEST and LEAST pass over NULLs; of equal values the first one stays. */
static bool eval_minmax(const struct expr *e, struct eval_ctx *cx, struct value *out,
                        struct err *err)
{
    struct column_type ct = {e->ct.type, e->ct.typmod, e->collation};
    *out = value_null();
    for (uint32_t i = 0; i < e->nargs; i++) {
        struct value v;
        int cmp;
        if (!expr_eval(e->args[i], cx, &v, err))
            return false;
        if (v.null)
            continue;
        cmp = out->null ? 0 : value_cmp(&ct, v, *out);
        if (out->null || (e->flag ? cmp > 0 : cmp < 0))
            *out = v;
    }
    return true;
}

/*
 * x op ANY (list): true as soon as one comparison is, else NULL if one was, else false. ALL: the
 * mirror image. An empty list decides without x.
 */
static bool eval_in(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    bool decisive = e->flag, null = false;
    struct value v[2], r;
    if (!expr_eval(e->args[0], cx, &v[0], err))
        return false;
    if (v[0].null && e->nargs > 1) {
        *out = value_null();
        return true;
    }
    for (uint32_t i = 1; i < e->nargs; i++) {
        if (!expr_eval(e->args[i], cx, &v[1], err))
            return false;
        if (v[1].null) {
            null = true;
            continue;
        }
        if (!e->func->fn(e, cx, v, &r, err))
            return false;
        if (r.null) {
            null = true;
        } else if ((r.i != 0) == decisive) {
            *out = value_bool(decisive);
            return true;
        }
    }
    *out = null ? value_null() : value_bool(!decisive);
    return true;
}

static bool eval_relabel(const struct expr *e, struct eval_ctx *cx, struct value *out,
                         struct err *err)
{
    return expr_eval(e->args[0], cx, out, err);
}

/* The same four bytes in Postgres, but one has a sign and the other has none. */
static bool eval_int4_oid(const struct expr *e, struct eval_ctx *cx, struct value *out,
                          struct err *err)
{
    if (!expr_eval(e->args[0], cx, out, err))
        return false;
    if (!out->null)
        out->i = e->ct.type->kind == TYPE_OID ? (int64_t)(uint32_t)out->i : (int32_t)out->i;
    return true;
}

/* cidr shows the mask of a whole address, inet doesn't. */
static bool eval_cidr_inet(const struct expr *e, struct eval_ctx *cx, struct value *out,
                           struct err *err)
{
    if (!expr_eval(e->args[0], cx, out, err))
        return false;
    if (out->null)
        return true;
    bool v6 = memchr(out->p, ':', out->len) != NULL;
    const char *mask = v6 ? "/128" : "/32";
    size_t n = strlen(mask);
    if (out->len > n && memcmp(out->p + out->len - n, mask, n) == 0)
        out->len -= (uint32_t)n;
    return true;
}

static eval_fn *choose_relabel(const struct expr *e)
{
    if (e->args[0]->ct.type->oid == OID_CIDR && e->ct.type->oid == OID_INET)
        return eval_cidr_inet;
    bool from_oid = e->args[0]->ct.type->kind == TYPE_OID, to_oid = e->ct.type->kind == TYPE_OID;
    return from_oid != to_oid ? eval_int4_oid : eval_relabel;
}

eval_fn *eval_choose(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_COLUMN: return choose_column(e);
    case EXPR_CONST: return eval_const;
    case EXPR_FUNC: return choose_func(e);
    case EXPR_AND:
    case EXPR_OR: return eval_and_or;
    case EXPR_NOT: return eval_not;
    case EXPR_IS_NULL: return eval_is_null;
    case EXPR_BOOL_TEST: return eval_bool_test;
    case EXPR_DISTINCT: return eval_distinct;
    case EXPR_SAME: return eval_same;
    case EXPR_ROW: return eval_row;
    case EXPR_APPEND: return eval_append;
    case EXPR_ON_PATH: return eval_on_path;
    case EXPR_RAISE: return eval_raise;
    case EXPR_CASE: return eval_case;
    case EXPR_COALESCE: return eval_coalesce;
    case EXPR_NULLIF: return eval_nullif;
    case EXPR_MINMAX: return eval_minmax;
    case EXPR_IN: return eval_in;
    case EXPR_IN_ARRAY: return eval_in_array;
    case EXPR_ARRAY: return eval_array;
    case EXPR_ELEMENT: return eval_element;
    case EXPR_RELABEL: return choose_relabel(e);
    case EXPR_VIA_IO: return eval_via_io;
    case EXPR_DELEGATED: return eval_delegated;
    }
    assert(!"unknown expression kind");
    return NULL;
}
