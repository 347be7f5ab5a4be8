/*
 * numeric_stat: variance and standard deviation from a count, a sum and a sum of squares.
 *
 * As Postgres's numeric_stddev_internal() computes them: the numerator exactly, one division with
 * div_var()'s choice of scale, and the root of that rounded quotient at the same scale.
 */
#include "engine/value/numeric_rep.h"

/* round(sqrt(x)) at x's own scale. A root that lies half-way between two results is exact, so one
 * more digit, rounded down, decides. */
static bool root_of(struct value x, struct arena *a, struct value *out, struct err *err)
{
    int dscale = num_dscale(x);
    mpz_t z;
    mpz_init(z);
    num_load_big(z, x);
    num_mul_pow10(z, (unsigned long)dscale + 2);
    mpz_sqrt(z, z);
    num_shift_round_big(z, -1);
    bool ok = num_store_big(z, dscale, a, out, err);
    mpz_clear(z);
    return ok;
}

/* n * sumsq - sum * sum, at the scale of the squares. */
static bool numerator(int64_t n, struct value sum, struct value sumsq, struct arena *a,
                      struct value *out, struct err *err)
{
    int dscale = 2 * num_dscale(sum), by = dscale - num_dscale(sumsq);
    mpz_t x, y;
    mpz_init(x);
    mpz_init(y);
    num_load_big(x, sumsq);
    if (by > 0)
        num_mul_pow10(x, (unsigned long)by);
    mpz_mul_si(x, x, n);
    num_load_big(y, sum);
    mpz_mul(y, y, y);
    mpz_sub(x, x, y);
    bool ok = num_store_big(x, dscale, a, out, err);
    mpz_clear(x);
    mpz_clear(y);
    return ok;
}

bool numeric_variance(int64_t n, struct value sum, struct value sumsq, bool sample, bool root,
                      struct arena *a, struct value *out, struct err *err)
{
    int128_t divisor = (int128_t)n * (sample ? n - 1 : n);
    if (num_is_special(sum)) {
        *out = numeric_nan;
        return true;
    }
    if (!numerator(n, sum, sumsq, a, out, err))
        return false;
    if (numeric_sign(*out) <= 0) {
        *out = numeric_from_int64(0, a);
        return true;
    }
    return numeric_div(*out, numeric_from_int128(divisor, 0, a), a, out, err) &&
           (!root || root_of(*out, a, out, err));
}
