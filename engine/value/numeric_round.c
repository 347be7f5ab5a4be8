/*
 * numeric_round: roundings of a numeric to a scale, and its casts to and from other types.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "engine/value/float.h"
#include "engine/value/numeric_rep.h"

/* ------------------------------------------------------------ to a scale */

enum rounding {
    ROUND_HALF_AWAY,
    ROUND_TO_ZERO,
    ROUND_UP,
    ROUND_DOWN
};

/* What to add to the quotient truncated towards zero; twice is 2 |remainder| compared with the
 * divisor. */
static int adjust(enum rounding how, int sign, bool exact, int twice)
{
    switch (how) {
    case ROUND_HALF_AWAY: return twice >= 0 ? sign : 0;
    case ROUND_TO_ZERO: return 0;
    case ROUND_UP: return !exact && sign > 0 ? 1 : 0;
    case ROUND_DOWN: return !exact && sign < 0 ? -1 : 0;
    }
    return 0;
}

/* c with n decimal digits dropped; n <= NUMERIC_POW10_SMALL. */
static int128_t drop_small(int128_t c, int n, enum rounding how)
{
    int128_t d = num_pow10(n), q = c / d, r = c % d;
    if (r < 0)
        r = -r;
    return q + adjust(how, (c > 0) - (c < 0), r == 0, r >= d - r ? 1 : -1);
}

static void drop_big(mpz_t z, unsigned long n, enum rounding how)
{
    mpz_t p, r;
    int sign = mpz_sgn(z);
    mpz_init(p);
    mpz_init(r);
    mpz_ui_pow_ui(p, 10, n);
    mpz_tdiv_qr(z, r, z, p);
    bool exact = mpz_sgn(r) == 0;
    mpz_mul_2exp(r, r, 1);
    int by = adjust(how, sign, exact, mpz_cmpabs(r, p));
    if (by > 0)
        mpz_add_ui(z, z, 1);
    else if (by < 0)
        mpz_sub_ui(z, z, 1);
    mpz_clear(p);
    mpz_clear(r);
}

static bool to_scale_big(struct value x, int scale, enum rounding how, struct arena *a,
                         struct value *out, struct err *err)
{
    int drop = num_dscale(x) - scale;
    mpz_t z;
    mpz_init(z);
    num_load_big(z, x);
    if (drop > 0)
        drop_big(z, (unsigned long)drop, how);
    else
        num_mul_pow10(z, (unsigned long)-drop);
    if (scale < 0)
        num_mul_pow10(z, (unsigned long)-scale);
    bool ok = num_store_big(z, scale < 0 ? 0 : scale, a, out, err);
    mpz_clear(z);
    return ok;
}

/* Finite x at exactly this scale; a negative scale rounds before the point and shows scale 0. */
static bool to_scale(struct value x, int scale, enum rounding how, struct arena *a,
                     struct value *out, struct err *err)
{
    int drop = num_dscale(x) - scale;
    int128_t c;
    if (drop == 0) {
        *out = x;
        return true;
    }
    if (num_load_small(x, &c) && drop <= NUMERIC_POW10_SMALL) {
        if (drop > 0)
            c = drop_small(c, drop, how);
        if (num_scale_up(&c, drop < 0 ? -drop : 0) && num_scale_up(&c, scale < 0 ? -scale : 0)) {
            *out = numeric_from_int128(c, scale < 0 ? 0 : scale, a);
            return true;
        }
    }
    return to_scale_big(x, scale, how, a, out, err);
}

static bool to_any_scale(struct value x, int scale, enum rounding how, struct arena *a,
                         struct value *out, struct err *err)
{
    if (num_is_special(x)) {
        *out = x;
        return true;
    }
    if (scale < -NUMERIC_INT_DIGITS - 1)
        scale = -NUMERIC_INT_DIGITS - 1;
    if (scale > NUMERIC_DSCALE_MAX)
        scale = NUMERIC_DSCALE_MAX;
    return to_scale(x, scale, how, a, out, err);
}

bool numeric_round(struct value x, int scale, struct arena *a, struct value *out, struct err *err)
{
    return to_any_scale(x, scale, ROUND_HALF_AWAY, a, out, err);
}

bool numeric_trunc(struct value x, int scale, struct arena *a, struct value *out, struct err *err)
{
    return to_any_scale(x, scale, ROUND_TO_ZERO, a, out, err);
}

bool numeric_ceil(struct value x, struct arena *a, struct value *out, struct err *err)
{
    return to_any_scale(x, 0, ROUND_UP, a, out, err);
}

bool numeric_floor(struct value x, struct arena *a, struct value *out, struct err *err)
{
    return to_any_scale(x, 0, ROUND_DOWN, a, out, err);
}

/* ------------------------------------------------------------ numeric(p,s) */

/* |x| < 10^digits, for finite x whose scale was rounded already. */
static bool below_power(struct value x, int digits)
{
    int128_t c;
    if (num_is_zero(x))
        return true;
    int have;
    if (num_load_small(x, &c)) {
        have = num_digits_small(c);
    } else {
        mpz_t z;
        mpz_init(z);
        num_load_big(z, x);
        have = (int)num_digits_big(z);
        mpz_clear(z);
    }
    return have - num_dscale(x) <= digits;
}

static bool field_overflow(int precision, int scale, bool infinite, struct err *err)
{
    int digits = precision - scale;
    err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "numeric field overflow");
    if (infinite)
        return err_detail(err, "A field with precision %d, scale %d cannot hold an infinite value.",
                          precision, scale);
    return err_detail(err,
                      "A field with precision %d, scale %d must round to an absolute value less "
                      "than %s%d.",
                      precision, scale, digits ? "10^" : "", digits ? digits : 1);
}

bool numeric_apply_typmod(struct value x, int32_t typmod, struct arena *a, struct value *out,
                          struct err *err)
{
    *out = x;
    if (typmod < 4)
        return true;
    int precision = (typmod - 4) >> 16 & 0xFFFF;
    int scale = (((typmod - 4) & 0x7FF) ^ 1024) - 1024; /* eleven bits and a sign */
    if (num_is_special(x))
        return num_kind(x) == NUMERIC_NAN || field_overflow(precision, scale, true, err);
    if (!to_scale(x, scale, ROUND_HALF_AWAY, a, out, err))
        return false;
    return below_power(*out, precision - scale) || field_overflow(precision, scale, false, err);
}

/* ------------------------------------------------------------ integers */

static const char *int_name(int bytes)
{
    return bytes == 8 ? "bigint" : bytes == 4 ? "integer" : "smallint";
}

bool numeric_to_int(struct value x, int bytes, int64_t *out, struct err *err)
{
    const char *name = int_name(bytes);
    int drop = num_dscale(x);
    int128_t c;
    if (num_is_special(x))
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED, "cannot convert %s to %s",
                       num_kind(x) == NUMERIC_NAN ? "NaN" : "infinity", name);
    if (!num_load_small(x, &c) || drop > NUMERIC_POW10_SMALL) {
        mpz_t z;
        mpz_init(z);
        num_load_big(z, x);
        num_shift_round_big(z, -drop);
        bool fits = mpz_fits_slong_p(z);
        c = fits ? mpz_get_si(z) : (int128_t)1 << 100;
        mpz_clear(z);
    } else if (drop) {
        c = drop_small(c, drop, ROUND_HALF_AWAY);
    }
    int128_t limit = (int128_t)1 << (bytes * 8 - 1);
    *out = (int64_t)c;
    return (c >= -limit && c < limit) ||
           err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "%s out of range", name);
}

bool numeric_to_int64(struct value x, int64_t *out, struct err *err)
{
    return numeric_to_int(x, 8, out, err);
}

/* ------------------------------------------------------------ floats */

/* Coefficient and power of ten both exact as doubles: then one division rounds right. */
static bool to_double_exact(struct value x, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int128_t c;
    if (num_dscale(x) > 22 || !num_load_small(x, &c) || c > 1LL << 53 || c < -(1LL << 53))
        return false;
    *out = (double)(int64_t)c / powers[num_dscale(x)];
    return true;
}

static double special_to_double(struct value x)
{
    if (num_kind(x) == NUMERIC_NAN)
        return (double)NAN;
    return num_kind(x) == NUMERIC_PINF ? (double)INFINITY : -(double)INFINITY;
}

bool numeric_to_float(struct value x, bool is_float4, double *out, struct err *err)
{
    if (num_is_special(x)) {
        *out = special_to_double(x);
        return true;
    }
    if (!is_float4 && to_double_exact(x, out))
        return true;
    struct buf b;
    buf_init(&b);
    numeric_print(x, &b);
    bool ok = float_parse(b.data, b.len, is_float4, out, err);
    buf_fini(&b);
    return ok;
}

bool numeric_from_double(double d, bool is_float4, struct arena *a, struct value *out,
                         struct err *err)
{
    char text[64];
    if (!isfinite(d)) {
        *out = isnan(d) ? numeric_nan : d > 0 ? numeric_pinf : numeric_ninf;
        return true;
    }
    if (fabs(d) < (is_float4 ? 1e6 : 1e15) && d == (double)(int64_t)d) {
        *out = numeric_from_int64((int64_t)d, a);
        return true;
    }
    int n = snprintf(text, sizeof text, "%.*g", is_float4 ? 6 : 15, d);
    return numeric_parse(text, (size_t)n, a, out, err);
}
