/*
 * float: float4 and float8 as text and as keys.
 *
 * Both are carried as double (a float4 exactly). Text is the shortest that reads back as the same
 * number, in Postgres's notation. For equality, order and hashing -0 is 0, all NaNs are one value
 * and greater than everything else.
 */
#ifndef PALIMPSEST_VALUE_FLOAT_H
#define PALIMPSEST_VALUE_FLOAT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"

#define FLOAT_TEXT_MAX 32

/* Writes the text form (no NUL) and returns its length. */
size_t float_print(double d, bool is_float4, char out[FLOAT_TEXT_MAX]);

/* Postgres's input syntax: blanks around, NaN, [+-]inf[inity]. 22P02, 22003 out of range. */
MUST_CHECK bool float_parse(const char *s, size_t len, bool is_float4, double *out,
                            struct err *err);

static inline int float_cmp(double a, double b)
{
    if (a < b)
        return -1;
    if (a > b)
        return 1;
    if (a == b)
        return 0;
    return isnan(a) - isnan(b);
}

/* The bits of d with what compares equal made equal. */
uint64_t float_key(double d);

#endif
