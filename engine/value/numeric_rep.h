/*
 * numeric_rep: the encoding of a numeric taken apart, for the numeric_*.c files only.
 *
 * Two ways to compute: natively in an __int128 where the coefficients have at most 126 bits (so
 * that a sum of two never overflows), else with GMP. Each operation tries the first and falls back
 * to the second; the results are the same.
 */
#ifndef PALIMPSEST_VALUE_NUMERIC_REP_H
#define PALIMPSEST_VALUE_NUMERIC_REP_H

#include <gmp.h>
#include <string.h>

#include "engine/value/numeric.h"

typedef unsigned __int128 uint128_t;

enum numeric_kind {
    NUMERIC_PLUS,
    NUMERIC_MINUS,
    NUMERIC_NAN,
    NUMERIC_PINF,
    NUMERIC_NINF
};

#define NUMERIC_HEADER      3
#define NUMERIC_SMALL_BITS  126
#define NUMERIC_DSCALE_MAX  16383
#define NUMERIC_INT_DIGITS  131072 /* before the point, at most */
#define NUMERIC_POW10_SMALL 37     /* 10^37 < 2^126 */

extern const struct value numeric_nan, numeric_pinf, numeric_ninf;

static inline int num_kind(struct value v)
{
    return v.p[0];
}
static inline bool num_is_special(struct value v)
{
    return v.p[0] >= NUMERIC_NAN;
}
static inline int num_dscale(struct value v)
{
    return v.p[1] | v.p[2] << 8;
}
static inline bool num_is_zero(struct value v)
{
    return v.len == NUMERIC_HEADER && !num_is_special(v);
}
static inline bool num_fits_small(int128_t c)
{
    return c < (int128_t)1 << NUMERIC_SMALL_BITS && c > -((int128_t)1 << NUMERIC_SMALL_BITS);
}

/* The signed coefficient of a finite value, if it is a small one. */
static inline bool num_load_small(struct value v, int128_t *c)
{
    uint32_t n = v.len - NUMERIC_HEADER;
    uint128_t m = 0;
    if (n <= 8) {
        uint64_t m64 = 0;
        memcpy(&m64, v.p + NUMERIC_HEADER, n);
        m = m64;
    } else if (n <= 16) {
        memcpy(&m, v.p + NUMERIC_HEADER, n);
        if (m >> NUMERIC_SMALL_BITS)
            return false;
    } else {
        return false;
    }
    *c = v.p[0] == NUMERIC_MINUS ? -(int128_t)m : (int128_t)m;
    return true;
}

extern const int64_t num_pow10_64[19];

/* 10^n for n <= NUMERIC_POW10_SMALL. */
int128_t num_pow10(int n);
/* *c *= 10^n; false, with *c untouched, when that isn't small any more. */
bool num_scale_up(int128_t *c, int n);
/* c / d, rounded half away from zero; d > 0. */
int128_t num_div_round(int128_t c, int128_t d);

/* The signed coefficient of a finite value; z is initialised. */
void num_load_big(mpz_t z, struct value v);
void num_set_int128(mpz_t z, int128_t c);
void num_mul_pow10(mpz_t z, unsigned long n);
/* z = round(z / d) half away from zero; d > 0. */
void num_div_round_big(mpz_t z, const mpz_t d);
/* z = round(z * 10^n), n of either sign. */
void num_shift_round_big(mpz_t z, long n);

/* Encodes z * 10^-dscale; 22003 "value overflows numeric format" beyond the limits. */
MUST_CHECK bool num_store_big(const mpz_t z, long dscale, struct arena *a, struct value *out,
                              struct err *err);

/* Sets "value overflows numeric format" and returns false. */
bool num_overflows(struct err *err);

/* Decimal digits of |z|, at least 1. */
size_t num_digits_big(const mpz_t z);
int num_digits_small(int128_t c);

#endif
