/*
 * fn_int: smallint, integer, bigint, boolean: comparison, arithmetic, bits, casts between them.
 *
 * Called through pgfuncs.def. All three widths are in value.i, so comparisons (also of date, of
 * timestamps and of booleans) are written once. Arithmetic is done in 64 bits with the overflow
 * builtins and then held to the width of the result: no signed overflow ever happens in C.
 *
 * Invariant: a result is in the range of its type, or the error is Postgres's.
 */
#include "engine/expr/pgfuncs.h"

FN(fn_i_eq)
{
    return fn_bool(out, v[0].i == v[1].i);
}
FN(fn_i_ne)
{
    return fn_bool(out, v[0].i != v[1].i);
}
FN(fn_i_lt)
{
    return fn_bool(out, v[0].i < v[1].i);
}
FN(fn_i_le)
{
    return fn_bool(out, v[0].i <= v[1].i);
}
FN(fn_i_gt)
{
    return fn_bool(out, v[0].i > v[1].i);
}
FN(fn_i_ge)
{
    return fn_bool(out, v[0].i >= v[1].i);
}

bool int_out_of_range(struct err *err, enum type_kind kind)
{
    const char *name = kind == TYPE_INT2 ? "smallint" : kind == TYPE_INT4 ? "integer" : "bigint";
    return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "%s out of range", name);
}

static inline bool ranged2(struct value *out, int64_t r, struct err *err)
{
    if (r != (int16_t)r)
        return int_out_of_range(err, TYPE_INT2);
    return fn_int(out, r);
}

static inline bool ranged4(struct value *out, int64_t r, struct err *err)
{
    if (r != (int32_t)r)
        return int_out_of_range(err, TYPE_INT4);
    return fn_int(out, r);
}

static bool by_zero(struct err *err)
{
    return err_set(err, ERR_DIVISION_BY_ZERO, "division by zero");
}

/* Operands of up to 32 bits: sums and products are exact in 64. */
FN(fn_int2_pl)
{
    return ranged2(out, v[0].i + v[1].i, err);
}
FN(fn_int2_mi)
{
    return ranged2(out, v[0].i - v[1].i, err);
}
FN(fn_int2_mul)
{
    return ranged2(out, v[0].i * v[1].i, err);
}
FN(fn_int4_pl)
{
    return ranged4(out, v[0].i + v[1].i, err);
}
FN(fn_int4_mi)
{
    return ranged4(out, v[0].i - v[1].i, err);
}
FN(fn_int4_mul)
{
    return ranged4(out, v[0].i * v[1].i, err);
}

FN(fn_int8_pl)
{
    if (__builtin_add_overflow(v[0].i, v[1].i, &out->i))
        return int_out_of_range(err, TYPE_INT8);
    return fn_int(out, out->i);
}

FN(fn_int8_mi)
{
    if (__builtin_sub_overflow(v[0].i, v[1].i, &out->i))
        return int_out_of_range(err, TYPE_INT8);
    return fn_int(out, out->i);
}

FN(fn_int8_mul)
{
    if (__builtin_mul_overflow(v[0].i, v[1].i, &out->i))
        return int_out_of_range(err, TYPE_INT8);
    return fn_int(out, out->i);
}

FN(fn_int2_div)
{
    return v[1].i ? ranged2(out, v[0].i / v[1].i, err) : by_zero(err);
}

FN(fn_int4_div)
{
    return v[1].i ? ranged4(out, v[0].i / v[1].i, err) : by_zero(err);
}

FN(fn_int8_div)
{
    if (!v[1].i)
        return by_zero(err);
    if (v[1].i == -1) {
        if (v[0].i == INT64_MIN)
            return int_out_of_range(err, TYPE_INT8);
        return fn_int(out, -v[0].i);
    }
    return fn_int(out, v[0].i / v[1].i);
}

/* The remainder has the dividend's sign; x % -1 is 0 for every x (the smallest one traps in C). */
FN(fn_int_mod)
{
    if (!v[1].i)
        return by_zero(err);
    return fn_int(out, v[1].i == -1 ? 0 : v[0].i % v[1].i);
}

FN(fn_int2_um)
{
    return ranged2(out, -v[0].i, err);
}
FN(fn_int4_um)
{
    return ranged4(out, -v[0].i, err);
}

FN(fn_int8_um)
{
    if (v[0].i == INT64_MIN)
        return int_out_of_range(err, TYPE_INT8);
    return fn_int(out, -v[0].i);
}

FN(fn_identity)
{
    *out = v[0];
    return true;
}

FN(fn_int2_abs)
{
    return ranged2(out, v[0].i < 0 ? -v[0].i : v[0].i, err);
}
FN(fn_int4_abs)
{
    return ranged4(out, v[0].i < 0 ? -v[0].i : v[0].i, err);
}

FN(fn_int8_abs)
{
    return v[0].i < 0 ? fn_int8_um(e, cx, v, out, err) : fn_int(out, v[0].i);
}

FN(fn_i_larger)
{
    return fn_int(out, v[0].i > v[1].i ? v[0].i : v[1].i);
}

FN(fn_i_smaller)
{
    return fn_int(out, v[0].i < v[1].i ? v[0].i : v[1].i);
}

/* Magnitudes as unsigned, so that the smallest integers are no special case. */
static uint64_t magnitude(int64_t i)
{
    return i < 0 ? -(uint64_t)i : (uint64_t)i;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static uint64_t lcm(int64_t x, int64_t y, bool *overflow)
{
    uint64_t a = magnitude(x), b = magnitude(y), r;
    *overflow = false;
    if (!a || !b)
        return 0;
    *overflow = __builtin_mul_overflow(a / gcd(a, b), b, &r) || r > INT64_MAX;
    return r;
}

FN(fn_int4_gcd)
{
    return ranged4(out, (int64_t)gcd(magnitude(v[0].i), magnitude(v[1].i)), err);
}

FN(fn_int8_gcd)
{
    uint64_t g = gcd(magnitude(v[0].i), magnitude(v[1].i));
    return g > INT64_MAX ? int_out_of_range(err, TYPE_INT8) : fn_int(out, (int64_t)g);
}

FN(fn_int4_lcm)
{
    bool overflow;
    uint64_t r = lcm(v[0].i, v[1].i, &overflow);
    return overflow ? int_out_of_range(err, TYPE_INT4) : ranged4(out, (int64_t)r, err);
}

FN(fn_int8_lcm)
{
    bool overflow;
    uint64_t r = lcm(v[0].i, v[1].i, &overflow);
    return overflow ? int_out_of_range(err, TYPE_INT8) : fn_int(out, (int64_t)r);
}

/* Bits. Sign extension commutes with and, or, xor, not: one version for all widths. */
FN(fn_int_and)
{
    return fn_int(out, v[0].i & v[1].i);
}
FN(fn_int_or)
{
    return fn_int(out, v[0].i | v[1].i);
}
FN(fn_int_xor)
{
    return fn_int(out, v[0].i ^ v[1].i);
}
FN(fn_int_not)
{
    return fn_int(out, ~v[0].i);
}

/* Shift counts wrap at the machine word Postgres computes in: 32 bits for smallint too. */
FN(fn_int2_shl)
{
    return fn_int(out, (int16_t)((uint32_t)v[0].i << (v[1].i & 31)));
}
FN(fn_int4_shl)
{
    return fn_int(out, (int32_t)((uint32_t)v[0].i << (v[1].i & 31)));
}
FN(fn_int8_shl)
{
    return fn_int(out, (int64_t)((uint64_t)v[0].i << (v[1].i & 63)));
}
FN(fn_int4_shr)
{
    return fn_int(out, v[0].i >> (v[1].i & 31));
}
FN(fn_int8_shr)
{
    return fn_int(out, v[0].i >> (v[1].i & 63));
}

/* Casts. Widening ones are fn_identity. */
FN(fn_to_int2)
{
    return ranged2(out, v[0].i, err);
}
FN(fn_to_int4)
{
    return ranged4(out, v[0].i, err);
}
FN(fn_int_bool)
{
    return fn_bool(out, v[0].i != 0);
}
