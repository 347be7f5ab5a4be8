/*
 * exact_sum: see exact_sum.h. All finite doubles lie on a grid of 2098 bits and their products on one
 * of twice that, so a sum is bounded at some 550 bytes; mostly it is a word or two.
 */
#include "engine/expr/exact_sum.h"

#include <math.h>

void exact_init(struct exact_sum *s)
{
    mpz_init(s->z);
    s->exp = 0;
}

void exact_fini(struct exact_sum *s)
{
    mpz_clear(s->z);
}

size_t exact_bytes(const struct exact_sum *s)
{
    return mpz_size(s->z) * sizeof(mp_limb_t);
}

/* x = m * 2^e; the smallest odd m, or 0. */
static int64_t split(double x, int *e)
{
    if (x == 0) {
        *e = 0;
        return 0;
    }
    int64_t m = (int64_t)ldexp(frexp(x, e), 53);
    int zeros = __builtin_ctzll((uint64_t)m);
    *e += zeros - 53;
    return m / ((int64_t)1 << zeros);
}

void exact_add(struct exact_sum *s, double x, double y, int64_t weight)
{
    int ex, ey, exp;
    mpz_t t;
    int64_t mx = split(x, &ex), my = split(y, &ey);
    if (!mx || !my)
        return;
    exp = ex + ey;
    mpz_init_set_si(t, mx);
    mpz_mul_si(t, t, my);
    mpz_mul_si(t, t, weight);
    if (!mpz_sgn(s->z)) {
        s->exp = exp;
    } else if (exp < s->exp) {
        mpz_mul_2exp(s->z, s->z, (mp_bitcnt_t)(s->exp - exp));
        s->exp = exp;
    } else {
        mpz_mul_2exp(t, t, (mp_bitcnt_t)(exp - s->exp));
    }
    mpz_add(s->z, s->z, t);
    mpz_clear(t);
}

/* z * 2^exp to the nearest double; z is spoiled. */
static double rounded(mpz_t z, int exp)
{
    size_t bits = mpz_sizeinbase(z, 2), cut = bits > 64 ? bits - 64 : 0;
    bool inexact = cut && mpz_scan1(z, 0) < cut;
    int sign = mpz_sgn(z);
    if (!sign)
        return 0;
    mpz_tdiv_q_2exp(z, z, cut);
    return sign * ldexp((double)(mpz_get_ui(z) | inexact), exp + (int)cut);
}

double exact_value(const struct exact_sum *s)
{
    mpz_t z;
    mpz_init_set(z, s->z);
    double d = rounded(z, s->exp);
    mpz_clear(z);
    return d;
}

/* z /= n with enough bits that what is cut off doesn't decide; *exp follows. */
static void divide(mpz_t z, int *exp, int64_t n)
{
    mpz_t r, d;
    size_t bits = mpz_sizeinbase(z, 2);
    mp_bitcnt_t by = bits < 140 ? 140 - bits : 0;
    mpz_init(r);
    mpz_init_set_si(d, n);
    mpz_mul_2exp(z, z, by);
    *exp -= (int)by;
    mpz_tdiv_qr(z, r, z, d);
    if (mpz_sgn(r))
        mpz_setbit(z, 0);
    mpz_clear(r);
    mpz_clear(d);
}

double exact_deviation(const struct exact_sum *xy, const struct exact_sum *x,
                       const struct exact_sum *y, int64_t n)
{
    int exp = x->exp + y->exp;
    mpz_t a, b;
    mpz_init_set(a, xy->z);
    mpz_init(b);
    mpz_mul_si(a, a, n);
    mpz_mul(b, x->z, y->z);
    if (!mpz_sgn(b)) {
        exp = xy->exp;
    } else if (!mpz_sgn(a)) {
        /* only the product counts */
    } else if (xy->exp > exp) {
        mpz_mul_2exp(a, a, (mp_bitcnt_t)(xy->exp - exp));
    } else {
        mpz_mul_2exp(b, b, (mp_bitcnt_t)(exp - xy->exp));
        exp = xy->exp;
    }
    mpz_sub(a, a, b);
    divide(a, &exp, n);
    double d = rounded(a, exp);
    mpz_clear(a);
    mpz_clear(b);
    return d;
}
