/*
 * expr_array: the nodes that make arrays and look into them: ARRAY[…], a[i], x op ANY/ALL (array).
 *
 * Arrays are text (value/parts.h), read element by element; an array that is constant is taken apart
 * once, when the node is made. Arrays of arrays and slices are not here.
 *
 * NULLs: a NULL array makes ANY, ALL and subscripts NULL, as a NULL subscript does.
 */
#include <string.h>

#include "engine/expr/eval.h"
#include "engine/value/array_text.h"

static struct expr *node(struct arena *a, enum expr_kind kind, struct column_type ct,
                         const struct expr *const *args, size_t nargs)
{
    struct expr *e = ARENA_NEW(a, struct expr);
    e->kind = kind;
    e->ct = ct;
    e->nargs = (uint32_t)nargs;
    e->args = arena_memdup(a, args, nargs * sizeof *args);
    e->eval = eval_choose(e);
    return e;
}

/* ------------------------------------------------------------ ARRAY[…] */

struct expr *expr_array(struct arena *a, const struct expr *const *items, size_t n,
                        struct column_type result, struct err *err)
{
    if (result.type->order == ORDER_ARRAY && result.type->elem)
        return node(a, EXPR_ARRAY, result, items, n);
    err_soft(err, "ARRAY[…] of type %s", result.type->name);
    return NULL;
}

bool eval_array(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct array_dims dims = {.n = e->nargs > 0, .length = {(int32_t)e->nargs}, .lower = {1}};
    struct value *v = arena_zalloc(cx->arena, (e->nargs + 1) * sizeof *v);
    struct buf text;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!expr_eval(e->args[i], cx, &v[i], err))
            return false;
    buf_init(&text);
    array_print(e->ct.type, &dims, v, &text);
    *out = value_bytes(arena_memdup(cx->arena, text.data, text.len), text.len);
    buf_fini(&text);
    return true;
}

/* ------------------------------------------------------------ a[i][j] */

struct expr *expr_element(struct arena *a, const struct expr *array,
                          const struct expr *const *subscripts, size_t n, struct column_type result,
                          struct err *err)
{
    const struct type *t = array->ct.type;
    if (t->order != ORDER_ARRAY || t->elem != result.type || !n || n > MAX_DIMENSIONS) {
        err_soft(err, "a subscript of type %s", t->name);
        return NULL;
    }
    const struct expr *args[MAX_DIMENSIONS + 1] = {array};
    memcpy(args + 1, subscripts, n * sizeof *args);
    return node(a, EXPR_ELEMENT, result, args, n + 1);
}

/* How many elements stand before the one at these subscripts; -1: there is no such one. */
static int64_t offset_of(const struct array_dims *d, const struct value *subscripts, uint32_t n)
{
    int64_t at = 0;
    if ((uint32_t)d->n != n)
        return -1;
    for (uint32_t i = 0; i < n; i++) {
        int64_t k = subscripts[i].i - d->lower[i];
        if (k < 0 || k >= d->length[i])
            return -1;
        at = at * d->length[i] + k;
    }
    return at;
}

bool eval_element(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    const struct type *t = e->args[0]->ct.type;
    struct value v[MAX_DIMENSIONS + 1];
    struct array_dims dims;
    struct parts parts;
    struct part part;
    bool null = false;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!expr_eval(e->args[i], cx, &v[i], err))
            return false;
        null |= v[i].null;
    }
    *out = value_null();
    if (null)
        return true;
    array_measure(t, v[0], &dims);
    int64_t at = offset_of(&dims, v + 1, e->nargs - 1);
    array_open(t, v[0], cx->arena, &parts);
    for (int64_t i = 0; i <= at; i++)
        if (!array_next(&parts, &part))
            return true;
    if (at >= 0 && !part_value(t->elem, &part, cx->arena, out))
        *out = value_null();
    return true;
}

/* ------------------------------------------------------------ ANY, ALL */

/* One constant for each element. */
static const struct expr **constants(struct arena *a, const struct expr *array, size_t *n)
{
    const struct type *t = array->ct.type;
    struct column_type ct = {t->elem, -1, array->ct.collation};
    struct value v = array->value, item;
    const struct expr **out = ARENA_ARRAY(a, const struct expr *, v.len / 2 + 1);
    struct parts parts;
    struct part part;
    array_open(t, v, a, &parts);
    for (*n = 0; array_next(&parts, &part); (*n)++) {
        if (!part_value(t->elem, &part, a, &item))
            item = value_null();
        out[*n] = expr_const(a, item, ct);
    }
    return out;
}

struct expr *expr_in_array(struct arena *a, uint32_t op_funcid, bool use_or, const struct expr *x,
                           const struct expr *array, const struct collation *coll, struct err *err)
{
    struct column_type boolean = {type_native(OID_BOOL), -1, NULL};
    const struct expr *args[2] = {x, array};
    size_t n;
    if (array->ct.type->order != ORDER_ARRAY || !array->ct.type->elem) {
        err_soft(err, "ANY or ALL of type %s", array->ct.type->name);
        return NULL;
    }
    if (array->kind == EXPR_CONST && array->value.null)
        return expr_const(a, value_null(), boolean);
    if (array->kind == EXPR_CONST) {
        const struct expr **items = constants(a, array, &n);
        return expr_in(a, op_funcid, use_or, x, items, n, coll, err);
    }
    /* Its function and its checks are those of a list. */
    const struct expr *in = expr_in(a, op_funcid, use_or, x, NULL, 0, coll, err);
    if (!in)
        return NULL;
    struct expr *e = node(a, EXPR_IN_ARRAY, boolean, args, 2);
    e->func = in->func;
    e->collation = coll;
    e->flag = use_or;
    return e;
}

bool eval_in_array(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    const struct type *t = e->args[1]->ct.type;
    bool decisive = e->flag, null = false;
    struct value v[2], array, r;
    struct parts parts;
    struct part part;
    if (!expr_eval(e->args[0], cx, &v[0], err) || !expr_eval(e->args[1], cx, &array, err))
        return false;
    *out = value_null();
    if (array.null)
        return true;
    array_open(t, array, cx->arena, &parts);
    for (; array_next(&parts, &part);) {
        if (v[0].null)
            return true;
        if (!part_value(t->elem, &part, cx->arena, &v[1]) || v[1].null) {
            null = true;
            continue;
        }
        if (!e->func->fn(e, cx, v, &r, err))
            return false;
        null |= r.null;
        if (!r.null && (r.i != 0) == decisive) {
            *out = value_bool(decisive);
            return true;
        }
    }
    if (!null)
        *out = value_bool(!decisive);
    return true;
}
