/*
 * fn_float: real and double precision: comparison, arithmetic, rounding, casts.
 *
 * Called through pgfuncs.def. A real is held exactly in the double of struct value; its arithmetic
 * is done in float, so that it rounds as Postgres's does. An infinite result of finite operands and
 * a zero product or quotient of operands that aren't are errors, as Postgres has them.
 *
 * exp, ln, log10, power go through libm like Postgres's; they agree to the last digit where both
 * run on the same libm.
 */
#include <math.h>

#include "engine/expr/pgfuncs.h"
#include "engine/value/float.h"

FN_COMPARISONS(fn_f, float_cmp(v[0].f, v[1].f))

static bool overflows(struct err *err)
{
    return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "value out of range: overflow");
}

static bool underflows(struct err *err)
{
    return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "value out of range: underflow");
}

/* The sum or difference r of a and b. */
static bool checked_sum(struct value *out, double r, double a, double b, struct err *err)
{
    if (isinf(r) && !isinf(a) && !isinf(b))
        return overflows(err);
    return fn_float(out, r);
}

static bool checked_product(struct value *out, double r, double a, double b, struct err *err)
{
    if (isinf(r) && !isinf(a) && !isinf(b))
        return overflows(err);
    if (r == 0 && a != 0 && b != 0)
        return underflows(err);
    return fn_float(out, r);
}

static bool checked_quotient(struct value *out, double r, double a, double b, struct err *err)
{
    if (isinf(r) && !isinf(a))
        return overflows(err);
    if (r == 0 && a != 0 && !isinf(b))
        return underflows(err);
    return fn_float(out, r);
}

static bool is_zero_divide(const struct value *v)
{
    return v[1].f == 0 && !isnan(v[0].f);
}

static bool by_zero(struct err *err)
{
    return err_set(err, ERR_DIVISION_BY_ZERO, "division by zero");
}

FN(fn_float8_pl)
{
    return checked_sum(out, v[0].f + v[1].f, v[0].f, v[1].f, err);
}
FN(fn_float8_mi)
{
    return checked_sum(out, v[0].f - v[1].f, v[0].f, v[1].f, err);
}
FN(fn_float8_mul)
{
    return checked_product(out, v[0].f * v[1].f, v[0].f, v[1].f, err);
}

FN(fn_float8_div)
{
    if (is_zero_divide(v))
        return by_zero(err);
    return checked_quotient(out, v[0].f / v[1].f, v[0].f, v[1].f, err);
}

FN(fn_float4_pl)
{
    return checked_sum(out, (float)v[0].f + (float)v[1].f, v[0].f, v[1].f, err);
}

FN(fn_float4_mi)
{
    return checked_sum(out, (float)v[0].f - (float)v[1].f, v[0].f, v[1].f, err);
}

FN(fn_float4_mul)
{
    return checked_product(out, (float)v[0].f * (float)v[1].f, v[0].f, v[1].f, err);
}

FN(fn_float4_div)
{
    if (is_zero_divide(v))
        return by_zero(err);
    return checked_quotient(out, (float)v[0].f / (float)v[1].f, v[0].f, v[1].f, err);
}

FN(fn_float_um)
{
    return fn_float(out, -v[0].f);
}
FN(fn_float_abs)
{
    return fn_float(out, fabs(v[0].f));
}
FN(fn_f_larger)
{
    return fn_float(out, float_cmp(v[0].f, v[1].f) > 0 ? v[0].f : v[1].f);
}
FN(fn_f_smaller)
{
    return fn_float(out, float_cmp(v[0].f, v[1].f) < 0 ? v[0].f : v[1].f);
}

FN(fn_float_round)
{
    return fn_float(out, rint(v[0].f));
}
FN(fn_float_trunc)
{
    return fn_float(out, v[0].f >= 0 ? floor(v[0].f) : -floor(-v[0].f));
}
FN(fn_float_ceil)
{
    return fn_float(out, ceil(v[0].f));
}
FN(fn_float_floor)
{
    return fn_float(out, floor(v[0].f));
}
FN(fn_float_sign)
{
    return fn_float(out, v[0].f > 0 ? 1 : v[0].f < 0 ? -1 : 0);
}

FN(fn_float_sqrt)
{
    if (v[0].f < 0)
        return err_set(err, "2201F", "cannot take square root of a negative number");
    return fn_float(out, sqrt(v[0].f));
}

FN(fn_float_exp)
{
    double x = v[0].f, r;
    if (isnan(x) || isinf(x))
        return fn_float(out, isinf(x) && x < 0 ? 0 : x);
    r = exp(x);
    if (isinf(r))
        return overflows(err);
    return r == 0 ? underflows(err) : fn_float(out, r);
}

static bool log_domain(double x, struct err *err)
{
    if (x == 0)
        return err_set(err, "2201E", "cannot take logarithm of zero");
    if (x < 0)
        return err_set(err, "2201E", "cannot take logarithm of a negative number");
    return true;
}

FN(fn_float_ln)
{
    return log_domain(v[0].f, err) && fn_float(out, log(v[0].f));
}
FN(fn_float_log10)
{
    return log_domain(v[0].f, err) && fn_float(out, log10(v[0].f));
}

/* x to an infinite power: Postgres settles these by hand rather than by libm. */
static double power_infinite_exponent(double x, double y)
{
    double m = fabs(x);
    if (m == 1)
        return 1;
    return (y > 0) == (m > 1) ? INFINITY : 0;
}

/* x = +-infinity, y finite and not 0. */
static double power_infinite_base(double x, double y)
{
    bool odd = floor(y) == y && fmod(y, 2) != 0;
    if (x > 0)
        return y < 0 ? 0 : INFINITY;
    if (y < 0)
        return odd ? -0.0 : 0;
    return odd ? -INFINITY : INFINITY;
}

FN(fn_float_power)
{
    double x = v[0].f, y = v[1].f, r;
    if (isnan(x))
        return fn_float(out, y == 0 ? 1 : x);
    if (isnan(y))
        return fn_float(out, x == 1 ? 1 : y);
    if (x == 0 && y < 0)
        return err_set(err, "2201F", "zero raised to a negative power is undefined");
    if (x < 0 && floor(y) != y)
        return err_set(err, "2201F",
                       "a negative number raised to a non-integer power yields a complex result");
    if (isinf(y))
        return fn_float(out, power_infinite_exponent(x, y));
    if (isinf(x))
        return fn_float(out, y == 0 ? 1 : power_infinite_base(x, y));
    r = pow(x, y);
    if (isinf(r))
        return overflows(err);
    return r == 0 && x != 0 ? underflows(err) : fn_float(out, r);
}

/* Casts. real to double precision and smallint or integer to it are exact. */
FN(fn_float8_float4)
{
    float r = (float)v[0].f;
    if (isinf(r) && !isinf(v[0].f))
        return overflows(err);
    if (r == 0 && v[0].f != 0)
        return underflows(err);
    return fn_float(out, (double)r);
}

FN(fn_int_float8)
{
    return fn_float(out, (double)v[0].i);
}
FN(fn_int_float4)
{
    return fn_float(out, (double)(float)v[0].i);
}

/* Rounds half to even; limit is 2^(bits-1), which a double holds exactly. */
static bool to_int(struct value *out, double x, double limit, enum type_kind kind, struct err *err)
{
    double r = rint(x);
    if (!(r >= -limit && r < limit))
        return int_out_of_range(err, kind);
    return fn_int(out, (int64_t)r);
}

FN(fn_float_int2)
{
    return to_int(out, v[0].f, 0x1p15, TYPE_INT2, err);
}
FN(fn_float_int4)
{
    return to_int(out, v[0].f, 0x1p31, TYPE_INT4, err);
}
FN(fn_float_int8)
{
    return to_int(out, v[0].f, 0x1p63, TYPE_INT8, err);
}
