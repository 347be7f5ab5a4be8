/*
 * numeric: exact decimals with Postgres's rules for display scale.
 *
 * Encoding (value.p): one header byte (0 plus, 1 minus, 2 NaN, 3 +Infinity, 4 -Infinity), the
 * display scale as two bytes little endian, then the magnitude of the coefficient little endian
 * without leading zero bytes; value = coefficient * 10^-scale. Zero is plus with no magnitude. One
 * value at one scale has one encoding, so equal text means equal bytes. Coefficients of up to 126
 * bits are computed natively, larger ones by GMP.
 *
 * Result scales, rounding (half away from zero) and limits (16383 digits after the point, 131072
 * before) are those of Postgres's src/backend/utils/adt/numeric.c. Results are in the arena.
 */
#ifndef PALIMPSEST_VALUE_NUMERIC_H
#define PALIMPSEST_VALUE_NUMERIC_H

#include "engine/value/value.h"

/* Unpacked small form: everything the native path needs. */
typedef __int128 int128_t;

struct value numeric_from_int64(int64_t v, struct arena *a);
struct value numeric_from_int128(int128_t v, int dscale, struct arena *a);
MUST_CHECK bool numeric_parse(const char *s, size_t len, struct arena *a, struct value *out,
                              struct err *err); /* 22P02 on bad syntax; blanks around allowed */
void numeric_print(struct value v, struct buf *b);

bool numeric_is_nan(struct value v);
bool numeric_is_inf(struct value v); /* either sign */
int numeric_sign(struct value v);    /* -1, 0, 1; infinities by sign; NaN 0 */
int numeric_dscale(struct value v);

int numeric_cmp(struct value a, struct value b); /* NaN = NaN, NaN above all */
uint64_t numeric_hash(struct value v);           /* 1.0 and 1.00 hash alike */

MUST_CHECK bool numeric_add(struct value x, struct value y, struct arena *a, struct value *out,
                            struct err *err);
MUST_CHECK bool numeric_sub(struct value x, struct value y, struct arena *a, struct value *out,
                            struct err *err);
MUST_CHECK bool numeric_mul(struct value x, struct value y, struct arena *a, struct value *out,
                            struct err *err);
MUST_CHECK bool numeric_div(struct value x, struct value y, struct arena *a, struct value *out,
                            struct err *err); /* 22012 */
MUST_CHECK bool numeric_mod(struct value x, struct value y, struct arena *a, struct value *out,
                            struct err *err);
MUST_CHECK bool numeric_div_trunc(struct value x, struct value y, struct arena *a,
                                  struct value *out, struct err *err); /* div() */
struct value numeric_neg(struct value x, struct arena *a);
struct value numeric_abs(struct value x, struct arena *a);
/* round()/trunc() to a scale that may be negative; ceil, floor: scale 0. */
MUST_CHECK bool numeric_round(struct value x, int scale, struct arena *a, struct value *out,
                              struct err *err);
MUST_CHECK bool numeric_trunc(struct value x, int scale, struct arena *a, struct value *out,
                              struct err *err);
MUST_CHECK bool numeric_ceil(struct value x, struct arena *a, struct value *out, struct err *err);
MUST_CHECK bool numeric_floor(struct value x, struct arena *a, struct value *out, struct err *err);
/* The numeric(p,s) length coercion. */
MUST_CHECK bool numeric_apply_typmod(struct value x, int32_t typmod, struct arena *a,
                                     struct value *out, struct err *err); /* 22003 */
/* Rounded half away from zero; 22003 "integer out of range" and its kin name the target. */
MUST_CHECK bool numeric_to_int64(struct value x, int64_t *out, struct err *err);
/* The same for a target of 2, 4 or 8 bytes, with its name in the message. */
MUST_CHECK bool numeric_to_int(struct value x, int bytes, int64_t *out, struct err *err);
/* The casts to float8 and float4: 22003 beyond their range. */
MUST_CHECK bool numeric_to_float(struct value x, bool is_float4, double *out, struct err *err);
MUST_CHECK bool numeric_from_double(double d, bool is_float4, struct arena *a, struct value *out,
                                    struct err *err); /* 15 (float4: 6) significant digits */

/* An exact running sum that can be subtracted from: sum() and avg(). Small sums in an __int128 at
 * a common scale; beyond that GMP. */
struct numeric_sum;
struct numeric_sum *numeric_sum_new(void);
void numeric_sum_free(struct numeric_sum *s);
void numeric_sum_add(struct numeric_sum *s, struct value v, int64_t weight);
/* sum(): the scale is the largest display scale among the values now in it; NaN and infinities as
 * Postgres combines them. */
MUST_CHECK bool numeric_sum_result(const struct numeric_sum *s, struct arena *a, struct value *out,
                                   struct err *err);
/* avg(): sum / n with numeric_div's scale. */
MUST_CHECK bool numeric_sum_avg(const struct numeric_sum *s, int64_t n, struct arena *a,
                                struct value *out, struct err *err);
size_t numeric_sum_bytes(const struct numeric_sum *s);

/* var_pop() of n values or, as a sample, var_samp(); their roots are the standard deviations. Of NaN
 * and infinities it is NaN. sumsq has twice the scale of sum; n is above 0, of a sample above 1. */
MUST_CHECK bool numeric_variance(int64_t n, struct value sum, struct value sumsq, bool sample,
                                 bool root, struct arena *a, struct value *out, struct err *err);

#endif
