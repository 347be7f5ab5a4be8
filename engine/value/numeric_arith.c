/*
 * numeric_arith: sums, differences, products, quotients and remainders of numerics.
 *
 * Laws for the display scale of a result: sum, difference and remainder have the larger of the two,
 * a product their sum (at most 16383, rounded), a quotient what select_div_scale() says. NaN and
 * the infinities are settled first, in one function an operation; what follows is finite.
 */
#include "engine/value/numeric_rep.h"

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static struct value inf_of_sign(int sign)
{
    return sign < 0 ? numeric_ninf : numeric_pinf;
}

static bool is_nan(struct value v)
{
    return num_kind(v) == NUMERIC_NAN;
}

static bool either_special(struct value x, struct value y)
{
    return num_is_special(x) || num_is_special(y);
}

static bool division_by_zero(struct err *err)
{
    return err_set(err, ERR_DIVISION_BY_ZERO, "division by zero");
}

/* ------------------------------------------------------------ add and subtract */

static struct value add_special(struct value x, struct value y, int ysign)
{
    if (is_nan(x) || is_nan(y))
        return numeric_nan;
    int sx = num_is_special(x) ? numeric_sign(x) : 0;
    int sy = num_is_special(y) ? numeric_sign(y) * ysign : 0;
    if (sx * sy < 0)
        return numeric_nan;
    return inf_of_sign(sx ? sx : sy);
}

static bool add_big(struct value x, struct value y, int ysign, struct arena *a, struct value *out,
                    struct err *err)
{
    int dx = num_dscale(x), dy = num_dscale(y);
    mpz_t p, q;
    mpz_init(p);
    mpz_init(q);
    num_load_big(p, x);
    num_load_big(q, y);
    if (dx < dy)
        num_mul_pow10(p, (unsigned long)(dy - dx));
    else
        num_mul_pow10(q, (unsigned long)(dx - dy));
    if (ysign < 0)
        mpz_sub(p, p, q);
    else
        mpz_add(p, p, q);
    bool ok = num_store_big(p, max_int(dx, dy), a, out, err);
    mpz_clear(p);
    mpz_clear(q);
    return ok;
}

static bool add_signed(struct value x, struct value y, int ysign, struct arena *a,
                       struct value *out, struct err *err)
{
    if (either_special(x, y)) {
        *out = add_special(x, y, ysign);
        return true;
    }
    int128_t p, q;
    int dx = num_dscale(x), dy = num_dscale(y);
    if (num_load_small(x, &p) && num_load_small(y, &q) &&
        (dx < dy ? num_scale_up(&p, dy - dx) : num_scale_up(&q, dx - dy))) {
        *out = numeric_from_int128(ysign < 0 ? p - q : p + q, max_int(dx, dy), a);
        return true;
    }
    return add_big(x, y, ysign, a, out, err);
}

bool numeric_add(struct value x, struct value y, struct arena *a, struct value *out,
                 struct err *err)
{
    return add_signed(x, y, 1, a, out, err);
}

bool numeric_sub(struct value x, struct value y, struct arena *a, struct value *out,
                 struct err *err)
{
    return add_signed(x, y, -1, a, out, err);
}

/* ------------------------------------------------------------ multiply */

static struct value mul_special(struct value x, struct value y)
{
    int sign = numeric_sign(x) * numeric_sign(y);
    return sign ? inf_of_sign(sign) : numeric_nan; /* a factor NaN, or infinity times zero */
}

static bool mul_big(struct value x, struct value y, struct arena *a, struct value *out,
                    struct err *err)
{
    long dscale = num_dscale(x) + num_dscale(y);
    mpz_t p, q;
    mpz_init(p);
    mpz_init(q);
    num_load_big(p, x);
    num_load_big(q, y);
    mpz_mul(p, p, q);
    if (dscale > NUMERIC_DSCALE_MAX) {
        num_shift_round_big(p, NUMERIC_DSCALE_MAX - dscale);
        dscale = NUMERIC_DSCALE_MAX;
    }
    bool ok = num_store_big(p, dscale, a, out, err);
    mpz_clear(p);
    mpz_clear(q);
    return ok;
}

bool numeric_mul(struct value x, struct value y, struct arena *a, struct value *out,
                 struct err *err)
{
    if (either_special(x, y)) {
        *out = mul_special(x, y);
        return true;
    }
    int128_t p, q, product;
    int dscale = num_dscale(x) + num_dscale(y);
    if (dscale <= NUMERIC_DSCALE_MAX && num_load_small(x, &p) && num_load_small(y, &q) &&
        !__builtin_mul_overflow(p, q, &product)) {
        *out = numeric_from_int128(product, dscale, a);
        return true;
    }
    return mul_big(x, y, a, out, err);
}

/* ------------------------------------------------------------ divide */

/* A finite value's place in base 10000, which Postgres computes in: the power of its first digit
 * that isn't zero, and that digit. Both 0 for zero. */
struct leading {
    int weight;
    int digit;
};

static struct leading leading_of(struct value v)
{
    int128_t c;
    int dscale = num_dscale(v);
    if (num_is_zero(v))
        return (struct leading){0, 0};
    bool small = num_load_small(v, &c);
    mpz_t z;
    if (!small) {
        mpz_init(z);
        num_load_big(z, v);
    }
    int exponent = (small ? num_digits_small(c) : (int)num_digits_big(z)) - 1 - dscale;
    int weight = exponent >= 0 ? exponent / 4 : -((-exponent + 3) / 4);
    int shift = dscale + weight * 4; /* decimal digits of the coefficient below the first one */
    int digit;
    if (small) {
        c = c < 0 ? -c : c;
        digit = (int)(shift >= 0 ? c / num_pow10(shift) : c * num_pow10(-shift));
    } else {
        mpz_t p;
        mpz_init(p);
        mpz_ui_pow_ui(p, 10, (unsigned long)max_int(shift, 0));
        mpz_tdiv_q(p, z, p);
        num_mul_pow10(p, (unsigned long)max_int(-shift, 0));
        mpz_abs(p, p);
        digit = (int)mpz_get_si(p);
        mpz_clear(p);
        mpz_clear(z);
    }
    return (struct leading){weight, digit};
}

/* At least 16 significant digits and either operand's scale, at most 1000 digits. */
static int select_div_scale(struct value x, struct value y)
{
    struct leading lx = leading_of(x), ly = leading_of(y);
    int weight = lx.weight - ly.weight - (lx.digit <= ly.digit); /* of the quotient, at least */
    int scale = max_int(16 - weight * 4, 0);
    scale = max_int(scale, max_int(num_dscale(x), num_dscale(y)));
    return scale < 1000 ? scale : 1000;
}

static bool div_special(struct value x, struct value y, struct arena *a, struct value *out,
                        struct err *err)
{
    if (is_nan(x) || is_nan(y) || (num_is_special(x) && num_is_special(y)))
        *out = numeric_nan;
    else if (num_is_special(y))
        *out = numeric_from_int64(0, a);
    else if (num_is_zero(y))
        return division_by_zero(err);
    else
        *out = inf_of_sign(numeric_sign(x) * numeric_sign(y));
    return true;
}

/* shift: the power of ten between the quotient of the coefficients and the result's. */
static bool div_small(int128_t p, int128_t q, int shift, int128_t *out)
{
    if (!(shift >= 0 ? num_scale_up(&p, shift) : num_scale_up(&q, -shift)))
        return false;
    if (q < 0) {
        p = -p;
        q = -q;
    }
    *out = num_div_round(p, q);
    return true;
}

static bool div_big(struct value x, struct value y, int shift, int dscale, struct arena *a,
                    struct value *out, struct err *err)
{
    mpz_t p, q;
    mpz_init(p);
    mpz_init(q);
    num_load_big(p, x);
    num_load_big(q, y);
    num_mul_pow10(shift >= 0 ? p : q, (unsigned long)(shift >= 0 ? shift : -shift));
    if (mpz_sgn(q) < 0) {
        mpz_neg(p, p);
        mpz_neg(q, q);
    }
    num_div_round_big(p, q);
    bool ok = num_store_big(p, dscale, a, out, err);
    mpz_clear(p);
    mpz_clear(q);
    return ok;
}

bool numeric_div(struct value x, struct value y, struct arena *a, struct value *out,
                 struct err *err)
{
    if (either_special(x, y))
        return div_special(x, y, a, out, err);
    if (num_is_zero(y))
        return division_by_zero(err);
    int dscale = select_div_scale(x, y);
    int shift = dscale + num_dscale(y) - num_dscale(x);
    int128_t p, q, quotient;
    if (num_load_small(x, &p) && num_load_small(y, &q) && div_small(p, q, shift, &quotient)) {
        *out = numeric_from_int128(quotient, dscale, a);
        return true;
    }
    return div_big(x, y, shift, dscale, a, out, err);
}

/* ------------------------------------------------------------ quotient and remainder in integers
 */

static bool int_div_special(struct value x, struct value y, bool want_mod, struct arena *a,
                            struct value *out, struct err *err)
{
    if (!want_mod)
        return div_special(x, y, a, out, err);
    if (is_nan(x) || is_nan(y))
        *out = numeric_nan;
    else if (num_is_zero(y))
        return division_by_zero(err);
    else
        *out = num_is_special(x) ? numeric_nan : x;
    return true;
}

static bool int_div_big(struct value x, struct value y, bool want_mod, struct arena *a,
                        struct value *out, struct err *err)
{
    int dx = num_dscale(x), dy = num_dscale(y), dscale = max_int(dx, dy);
    mpz_t p, q;
    mpz_init(p);
    mpz_init(q);
    num_load_big(p, x);
    num_load_big(q, y);
    num_mul_pow10(p, (unsigned long)(dscale - dx));
    num_mul_pow10(q, (unsigned long)(dscale - dy));
    if (want_mod)
        mpz_tdiv_r(p, p, q);
    else
        mpz_tdiv_q(p, p, q);
    bool ok = num_store_big(p, want_mod ? dscale : 0, a, out, err);
    mpz_clear(p);
    mpz_clear(q);
    return ok;
}

/* Truncated towards zero; the remainder has the dividend's sign. */
static bool int_div(struct value x, struct value y, bool want_mod, struct arena *a,
                    struct value *out, struct err *err)
{
    if (either_special(x, y))
        return int_div_special(x, y, want_mod, a, out, err);
    if (num_is_zero(y))
        return division_by_zero(err);
    int128_t p, q;
    int dx = num_dscale(x), dy = num_dscale(y), dscale = max_int(dx, dy);
    if (num_load_small(x, &p) && num_load_small(y, &q) && num_scale_up(&p, dscale - dx) &&
        num_scale_up(&q, dscale - dy)) {
        *out = numeric_from_int128(want_mod ? p % q : p / q, want_mod ? dscale : 0, a);
        return true;
    }
    return int_div_big(x, y, want_mod, a, out, err);
}

bool numeric_mod(struct value x, struct value y, struct arena *a, struct value *out,
                 struct err *err)
{
    return int_div(x, y, true, a, out, err);
}

bool numeric_div_trunc(struct value x, struct value y, struct arena *a, struct value *out,
                       struct err *err)
{
    return int_div(x, y, false, a, out, err);
}

/* ------------------------------------------------------------ sign */

static struct value with_kind(struct value x, enum numeric_kind kind, struct arena *a)
{
    uint8_t *p = arena_memdup(a, x.p, x.len);
    p[0] = (uint8_t)kind;
    return value_bytes(p, x.len);
}

struct value numeric_neg(struct value x, struct arena *a)
{
    switch (num_kind(x)) {
    case NUMERIC_NAN: return numeric_nan;
    case NUMERIC_PINF: return numeric_ninf;
    case NUMERIC_NINF: return numeric_pinf;
    case NUMERIC_MINUS: return with_kind(x, NUMERIC_PLUS, a);
    default: return num_is_zero(x) ? x : with_kind(x, NUMERIC_MINUS, a);
    }
}

struct value numeric_abs(struct value x, struct arena *a)
{
    return numeric_sign(x) < 0 ? numeric_neg(x, a) : x;
}
