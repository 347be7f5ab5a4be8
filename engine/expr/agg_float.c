/*
 * agg_float: sum(x) and avg(x) of real and double precision, exactly.
 *
 * Law: the state is a function of the multiset of values alone. A float sum that is added to and
 * subtracted from drifts (1e20 + 1 - 1e20 is 0), so the running sum is kept exactly, as an integer
 * times a power of two, and rounded once in result(). Postgres rounds after every row: where its
 * sum depends on the order of the rows, ours may differ from it in the last digits; where every
 * partial sum is exact they are equal. sum(real) is rounded to real.
 *
 * State: a 128-bit integer with its exponent, in place; values of very different size (or infinite,
 * NaN, -0) get an extension on the heap with a GMP integer and counts. All finite doubles lie on a
 * grid of 2098 bits, so even that is bounded, at some 280 bytes.
 *
 * Traps: -0 is the sum of nothing but -0 (though avg's is 0); NaN and infinities are counted, since
 * they can't be subtracted; a sum beyond the range is an error, as in Postgres.
 */
#include "engine/expr/agg_classes.h"

#include <gmp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/value/numeric.h"

struct float_ext {
    int64_t nan, inf, neg_inf, neg_zero; /* how many values are these */
    bool is_big;                         /* the finite sum is big * 2^exp, not the small one */
    mpz_t big;
};

struct float_sum {
    int64_t n;
    uint64_t low, high;    /* the sum / 2^exp, in two's complement, while it fits */
    struct float_ext *ext; /* owned; NULL mostly */
    int32_t exp;
};

#define SMALL_BITS 126 /* of magnitude that the in-place sum may have */

static int128_t small_of(const struct float_sum *s)
{
    return (int128_t)((unsigned __int128)s->high << 64 | s->low);
}

static void small_set(struct float_sum *s, int128_t sum)
{
    s->low = (uint64_t)(unsigned __int128)sum;
    s->high = (uint64_t)((unsigned __int128)sum >> 64);
}

static int bits_of(int128_t x)
{
    unsigned __int128 m = x < 0 ? -(unsigned __int128)x : (unsigned __int128)x;
    uint64_t high = (uint64_t)(m >> 64), low = (uint64_t)m;
    return high ? 128 - __builtin_clzll(high) : low ? 64 - __builtin_clzll(low) : 0;
}

static struct float_ext *extend(struct float_sum *s)
{
    if (!s->ext) {
        s->ext = NEW(struct float_ext);
        mpz_init(s->ext->big);
    }
    return s->ext;
}

/* z = the 128-bit x */
static void set_int128(mpz_t z, int128_t x)
{
    unsigned __int128 m = x < 0 ? -(unsigned __int128)x : (unsigned __int128)x;
    uint64_t words[2] = {(uint64_t)m, (uint64_t)(m >> 64)};
    mpz_import(z, 2, -1, sizeof words[0], 0, 0, words);
    if (x < 0)
        mpz_neg(z, z);
}

static void make_big(struct float_sum *s)
{
    struct float_ext *x = extend(s);
    set_int128(x->big, small_of(s));
    x->is_big = true;
    small_set(s, 0);
}

/* big += term * 2^exp, on the finer of both grids. */
static void big_add(struct float_sum *s, int128_t term, int exp)
{
    struct float_ext *x = s->ext;
    mpz_t t;
    mpz_init(t);
    set_int128(t, term);
    if (exp < s->exp) {
        mpz_mul_2exp(x->big, x->big, (mp_bitcnt_t)(s->exp - exp));
        s->exp = exp;
    } else {
        mpz_mul_2exp(t, t, (mp_bitcnt_t)(exp - s->exp));
    }
    mpz_add(x->big, x->big, t);
    mpz_clear(t);
}

/* sum += term * 2^exp in place; false: it doesn't fit. */
static bool small_add(struct float_sum *s, int128_t term, int exp)
{
    int128_t sum = small_of(s);
    int shift;
    if (!sum)
        s->exp = exp;
    shift = s->exp - exp;
    if (shift > 0) {
        if (bits_of(sum) + shift > SMALL_BITS)
            return false;
        sum *= (int128_t)1 << shift;
        s->exp = exp;
    } else if (shift < 0) {
        if (bits_of(term) - shift > SMALL_BITS)
            return false;
        term *= (int128_t)1 << -shift;
    }
    sum += term; /* both below 2^126 */
    small_set(s, sum);
    return bits_of(sum) <= SMALL_BITS;
}

/* x = m * 2^e with the smallest m. */
static int64_t split(double x, int *e)
{
    int64_t m = (int64_t)ldexp(frexp(x, e), 53);
    int zeros = __builtin_ctzll((uint64_t)m);
    *e += zeros - 53;
    return m / ((int64_t)1 << zeros);
}

static void count_special(struct float_sum *s, double x, int64_t weight)
{
    struct float_ext *ext = extend(s);
    if (isnan(x))
        ext->nan += weight;
    else if (isinf(x))
        *(x > 0 ? &ext->inf : &ext->neg_inf) += weight;
    else
        ext->neg_zero += weight;
}

static void ext_free(struct float_sum *s)
{
    mpz_clear(s->ext->big);
    free(s->ext);
    s->ext = NULL;
}

/* Drops the extension when it holds nothing any more. */
static void settle(struct float_sum *s)
{
    struct float_ext *x = s->ext;
    if (x->is_big && mpz_sgn(x->big) == 0)
        x->is_big = false;
    if (!x->is_big && !x->nan && !x->inf && !x->neg_inf && !x->neg_zero)
        ext_free(s);
}

static void float_add(const struct agg_spec *spec, void *state, const struct value *args,
                      int64_t weight)
{
    struct float_sum *s = state;
    double x = args[0].f;
    (void)spec;
    s->n += weight;
    if (!isfinite(x) || (x == 0 && signbit(x))) {
        count_special(s, x, weight);
    } else if (x != 0) {
        int exp;
        int128_t term = (int128_t)split(x, &exp) * weight;
        if (s->ext && s->ext->is_big) {
            big_add(s, term, exp);
        } else {
            struct float_sum before = *s;
            if (!small_add(s, term, exp)) {
                *s = before;
                make_big(s);
                big_add(s, term, exp);
            }
        }
    }
    if (s->ext)
        settle(s);
}

/* The top 64 bits of |z|, the last one set if any below is: rounds like the whole. *shift: what was
 * cut off. */
static uint64_t top_bits(const mpz_t z, int *shift)
{
    size_t bits = mpz_sizeinbase(z, 2);
    uint64_t top;
    mpz_t t;
    *shift = bits > 64 ? (int)(bits - 64) : 0;
    mpz_init(t);
    mpz_tdiv_q_2exp(t, z, (mp_bitcnt_t)*shift);
    top = mpz_get_ui(t); /* of the magnitude */
    mpz_clear(t);
    if (*shift && mpz_scan1(z, 0) < (mp_bitcnt_t)*shift)
        top |= 1;
    return top;
}

/* The finite part of the sum, rounded once. The grid is no finer than that of the subnormals, so
 * scaling the rounded integer is exact. */
static double rounded(const struct float_sum *s, bool is_float4)
{
    int shift = 0;
    double d;
    if (s->ext && s->ext->is_big) {
        uint64_t top = top_bits(s->ext->big, &shift);
        d = is_float4 ? (double)(float)top : (double)top;
        d *= mpz_sgn(s->ext->big);
    } else {
        int128_t sum = small_of(s);
        d = is_float4 ? (double)(float)sum : (double)sum;
    }
    d = ldexp(d, s->exp + shift);
    return is_float4 ? (double)(float)d : d;
}

/* The sum of at least one value. */
static bool total(const struct float_sum *s, bool is_float4, double *sum, struct err *err)
{
    const struct float_ext *x = s->ext;
    if (x && (x->nan || (x->inf && x->neg_inf)))
        *sum = NAN;
    else if (x && (x->inf || x->neg_inf))
        *sum = x->inf ? INFINITY : -INFINITY;
    else if (x && x->neg_zero == s->n)
        *sum = -0.0;
    else if (isinf(*sum = rounded(s, is_float4)))
        return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "value out of range: overflow");
    return true;
}

static bool sum_result(const struct float_sum *s, bool is_float4, struct value *out,
                       struct err *err)
{
    double sum;
    *out = value_null();
    if (s->n <= 0)
        return true;
    if (!total(s, is_float4, &sum, err))
        return false;
    *out = value_float(sum);
    return true;
}

static bool float8_result(const struct agg_spec *spec, const void *state, struct arena *a,
                          struct value *out, struct err *err)
{
    (void)spec, (void)a;
    return sum_result(state, false, out, err);
}

static bool float4_result(const struct agg_spec *spec, const void *state, struct arena *a,
                          struct value *out, struct err *err)
{
    (void)spec, (void)a;
    return sum_result(state, true, out, err);
}

/* Postgres's avg divides its sum, a double, by the count; a sum of zeros starts from +0 there. */
static bool avg_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    const struct float_sum *s = state;
    (void)spec, (void)a;
    if (!sum_result(s, false, out, err))
        return false;
    if (!out->null)
        out->f = (out->f + 0.0) / (double)s->n;
    return true;
}

static void float_fini(const struct agg_spec *spec, void *state)
{
    struct float_sum *s = state;
    (void)spec;
    if (s->ext)
        ext_free(s);
}

static size_t float_bytes(const struct agg_spec *spec, const void *state)
{
    const struct float_sum *s = state;
    (void)spec;
    if (!s->ext)
        return 0;
    return sizeof *s->ext + mpz_size(s->ext->big) * sizeof(mp_limb_t);
}

#define FLOAT_CLASS(cname, result_fn)                                                              \
    {                                                                                              \
        .name = cname, .state_size = sizeof(struct float_sum), .strict = true, .add = float_add,   \
        .result = result_fn, .fini = float_fini, .bytes = float_bytes,                             \
    }

const struct agg_class agg_sum_float4 = FLOAT_CLASS("sum", float4_result);
const struct agg_class agg_sum_float8 = FLOAT_CLASS("sum", float8_result);
const struct agg_class agg_avg_float = FLOAT_CLASS("avg", avg_result);
