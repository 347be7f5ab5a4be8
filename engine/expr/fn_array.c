/*
 * fn_array: the shape of arrays, and containment.
 *
 * Called through pgfuncs.def. Arrays are text (value/parts.h); comparison is fn_value.c's.
 */
#include "engine/expr/pgfuncs.h"
#include "engine/value/parts.h"

static struct array_dims dims_of(const struct expr *e, const struct value *v)
{
    struct array_dims d;
    array_measure(e->args[0]->ct.type, v[0], &d);
    return d;
}

/* Of a dimension that isn't there it is NULL. */
static bool give_bound(struct value *out, const struct array_dims *d, int64_t dim, int64_t bound)
{
    *out = dim >= 1 && dim <= d->n ? value_int(bound) : value_null();
    return true;
}

static size_t place(const struct array_dims *d, int64_t dim)
{
    return dim >= 1 && dim <= d->n ? (size_t)dim - 1 : 0;
}

FN(fn_array_length)
{
    struct array_dims d = dims_of(e, v);
    return give_bound(out, &d, v[1].i, d.length[place(&d, v[1].i)]);
}

FN(fn_array_lower)
{
    struct array_dims d = dims_of(e, v);
    return give_bound(out, &d, v[1].i, d.lower[place(&d, v[1].i)]);
}

FN(fn_array_upper)
{
    struct array_dims d = dims_of(e, v);
    size_t i = place(&d, v[1].i);
    return give_bound(out, &d, v[1].i, (int64_t)d.lower[i] + d.length[i] - 1);
}

FN(fn_array_ndims)
{
    struct array_dims d = dims_of(e, v);
    return give_bound(out, &d, d.n, d.n);
}

FN(fn_array_cardinality)
{
    struct array_dims d = dims_of(e, v);
    int64_t n = d.n > 0;
    for (int i = 0; i < d.n; i++)
        n *= d.length[i];
    return fn_int(out, n);
}

/* ------------------------------------------------------------ containment */

struct elements {
    struct value *v;
    size_t n;
};

static struct elements read_elements(const struct type *t, struct value array, struct arena *a)
{
    struct parts r;
    struct part p;
    struct elements out = {.v = arena_alloc(a, (array.len / 2 + 1) * sizeof *out.v)};
    array_open(t, array, a, &r);
    while (array_next(&r, &p))
        if (!part_value(t->elem, &p, a, &out.v[out.n++]))
            out.v[out.n - 1] = value_null();
    return out;
}

static bool is_among(const struct column_type *ct, struct value x, const struct elements *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!list->v[i].null && value_same(ct, x, list->v[i]))
            return true;
    return false;
}

/* Whether all of b's elements (or any) are among a's. A NULL is never among them. */
static bool matches(const struct expr *e, struct eval_ctx *cx, struct value a, struct value b,
                    bool all)
{
    const struct type *t = e->args[0]->ct.type;
    struct column_type elem = {t->elem, -1, e->collation};
    struct elements x = read_elements(t, a, cx->arena), y = read_elements(t, b, cx->arena);
    for (size_t i = 0; i < y.n; i++)
        if ((!y.v[i].null && is_among(&elem, y.v[i], &x)) != all)
            return !all;
    return all;
}

FN(fn_array_contains)
{
    return fn_bool(out, matches(e, cx, v[0], v[1], true));
}

FN(fn_array_contained)
{
    return fn_bool(out, matches(e, cx, v[1], v[0], true));
}

FN(fn_array_overlap)
{
    return fn_bool(out, matches(e, cx, v[0], v[1], false));
}
