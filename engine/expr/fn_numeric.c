/*
 * fn_numeric: numeric: comparison, arithmetic, rounding, casts.
 *
 * Called through pgfuncs.def. Thin: scales, rounding, limits and messages are value/numeric's.
 */
#include "engine/expr/pgfuncs.h"
#include "engine/value/numeric.h"

FN_COMPARISONS(fn_numeric, numeric_cmp(v[0], v[1]))

FN(fn_numeric_add)
{
    return numeric_add(v[0], v[1], cx->arena, out, err);
}
FN(fn_numeric_sub)
{
    return numeric_sub(v[0], v[1], cx->arena, out, err);
}
FN(fn_numeric_mul)
{
    return numeric_mul(v[0], v[1], cx->arena, out, err);
}
FN(fn_numeric_div)
{
    return numeric_div(v[0], v[1], cx->arena, out, err);
}
FN(fn_numeric_mod)
{
    return numeric_mod(v[0], v[1], cx->arena, out, err);
}
FN(fn_numeric_div_trunc)
{
    return numeric_div_trunc(v[0], v[1], cx->arena, out, err);
}
FN(fn_numeric_ceil)
{
    return numeric_ceil(v[0], cx->arena, out, err);
}
FN(fn_numeric_floor)
{
    return numeric_floor(v[0], cx->arena, out, err);
}
FN(fn_numeric_round)
{
    return numeric_round(v[0], (int)v[1].i, cx->arena, out, err);
}
FN(fn_numeric_trunc)
{
    return numeric_trunc(v[0], (int)v[1].i, cx->arena, out, err);
}
FN(fn_numeric_round0)
{
    return numeric_round(v[0], 0, cx->arena, out, err);
}
FN(fn_numeric_trunc0)
{
    return numeric_trunc(v[0], 0, cx->arena, out, err);
}

FN(fn_numeric_um)
{
    *out = numeric_neg(v[0], cx->arena);
    return true;
}

FN(fn_numeric_abs)
{
    *out = numeric_abs(v[0], cx->arena);
    return true;
}

FN(fn_numeric_sign)
{
    if (numeric_is_nan(v[0]))
        *out = v[0];
    else
        *out = numeric_from_int64(numeric_sign(v[0]), cx->arena);
    return true;
}

FN(fn_numeric_larger)
{
    *out = numeric_cmp(v[0], v[1]) > 0 ? v[0] : v[1];
    return true;
}

FN(fn_numeric_smaller)
{
    *out = numeric_cmp(v[0], v[1]) < 0 ? v[0] : v[1];
    return true;
}

/* scale(): NULL for NaN and the infinities. */
FN(fn_numeric_scale)
{
    if (numeric_is_nan(v[0]) || numeric_is_inf(v[0]))
        *out = value_null();
    else
        *out = value_int(numeric_dscale(v[0]));
    return true;
}

/* The length coercion of numeric(p,s). */
FN(fn_numeric_typmod)
{
    return numeric_apply_typmod(v[0], (int32_t)v[1].i, cx->arena, out, err);
}

FN(fn_int_numeric)
{
    *out = numeric_from_int64(v[0].i, cx->arena);
    return true;
}

FN(fn_float4_numeric)
{
    return numeric_from_double(v[0].f, true, cx->arena, out, err);
}
FN(fn_float8_numeric)
{
    return numeric_from_double(v[0].f, false, cx->arena, out, err);
}

static bool to_int(struct value x, int bytes, struct value *out, struct err *err)
{
    int64_t i;
    return numeric_to_int(x, bytes, &i, err) && fn_int(out, i);
}

FN(fn_numeric_int2)
{
    return to_int(v[0], 2, out, err);
}
FN(fn_numeric_int4)
{
    return to_int(v[0], 4, out, err);
}
FN(fn_numeric_int8)
{
    return to_int(v[0], 8, out, err);
}

static bool to_float(struct value x, bool is_float4, struct value *out, struct err *err)
{
    double d;
    return numeric_to_float(x, is_float4, &d, err) && fn_float(out, d);
}

FN(fn_numeric_float4)
{
    return to_float(v[0], true, out, err);
}
FN(fn_numeric_float8)
{
    return to_float(v[0], false, out, err);
}
