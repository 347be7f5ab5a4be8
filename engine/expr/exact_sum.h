/*
 * exact_sum: sums of products of doubles that can be subtracted from: an integer of any size times a
 * power of two. Rounded to a double only when it is looked at. Used by the aggregates of floats that
 * need more than one sum (agg_moments.c); agg_float.c has a smaller form for a sum alone.
 */
#ifndef PALIMPSEST_EXPR_EXACT_SUM_H
#define PALIMPSEST_EXPR_EXACT_SUM_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exact_sum {
    mpz_t z;
    int exp; /* the sum is z * 2^exp */
};

void exact_init(struct exact_sum *s);
void exact_fini(struct exact_sum *s);
size_t exact_bytes(const struct exact_sum *s);
/* s += x * y * weight; x and y are finite. */
void exact_add(struct exact_sum *s, double x, double y, int64_t weight);
/* The sum, rounded; infinite where it is out of range. */
double exact_value(const struct exact_sum *s);
/* xy - x * y / n, rounded: the sum of products of the deviations from the means. */
double exact_deviation(const struct exact_sum *xy, const struct exact_sum *x,
                       const struct exact_sum *y, int64_t n);

#endif
