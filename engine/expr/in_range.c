/*
 * in_range: see in_range.h. NaN is above all other values and equal to itself; from an infinite base
 * by an infinite offset the other way, all values are in range.
 */
#include "engine/expr/in_range.h"

#include <math.h>

#include "engine/value/interval.h"
#include "engine/value/numeric.h"

static bool negative(struct err *err)
{
    return err_set(err, "22013", "invalid preceding or following size in window function");
}

static bool in_range_int(struct value val, struct value base, struct value offset, bool sub,
                         bool less, bool *in, struct arena *scratch, struct err *err)
{
    (void)scratch;
    if (offset.i < 0)
        return negative(err);
    int128_t sum = sub ? (int128_t)base.i - offset.i : (int128_t)base.i + offset.i;
    *in = less ? val.i <= sum : val.i >= sum;
    return true;
}

static bool in_range_float(struct value val, struct value base, struct value offset, bool sub,
                           bool less, bool *in, struct arena *scratch, struct err *err)
{
    (void)scratch;
    if (isnan(offset.f) || offset.f < 0)
        return negative(err);
    if (isnan(val.f)) {
        *in = isnan(base.f) || !less;
    } else if (isnan(base.f)) {
        *in = less;
    } else if (isinf(offset.f) && isinf(base.f) && (sub ? base.f > 0 : base.f < 0)) {
        *in = true;
    } else {
        double sum = sub ? base.f - offset.f : base.f + offset.f;
        *in = less ? val.f <= sum : val.f >= sum;
    }
    return true;
}

/* The sum of an infinite base or offset: which infinity it is, or 0 where it is none. */
static int infinite_sum(struct value base, struct value offset, bool sub)
{
    if (numeric_is_inf(offset))
        return sub ? -1 : 1;
    return numeric_is_inf(base) ? numeric_sign(base) : 0;
}

static bool in_range_numeric(struct value val, struct value base, struct value offset, bool sub,
                             bool less, bool *in, struct arena *scratch, struct err *err)
{
    struct value sum;
    if (numeric_is_nan(offset) || numeric_sign(offset) < 0)
        return negative(err);
    if (numeric_is_nan(val)) {
        *in = numeric_is_nan(base) || !less;
        return true;
    }
    if (numeric_is_nan(base)) {
        *in = less;
        return true;
    }
    if (numeric_is_inf(offset) && numeric_is_inf(base) && numeric_sign(base) == (sub ? 1 : -1)) {
        *in = true;
        return true;
    }
    int infinite = infinite_sum(base, offset, sub);
    int side = numeric_is_inf(val) ? numeric_sign(val) : 0;
    if (infinite || side) { /* val - sum has the sign of */
        int c = side - infinite;
        *in = less ? c <= 0 : c >= 0;
        return true;
    }
    if (!(sub ? numeric_sub(base, offset, scratch, &sum, err)
              : numeric_add(base, offset, scratch, &sum, err)))
        return false;
    *in = less ? numeric_cmp(val, sum) <= 0 : numeric_cmp(val, sum) >= 0;
    return true;
}

/* ------------------------------------------------------------ dates and times */

static bool in_range_moment(int64_t val, int64_t base, struct value offset, bool zoned, bool sub,
                            bool less, bool *in, struct err *err)
{
    struct interval iv = interval_load(offset);
    int64_t sum;
    if (interval_span(iv) < 0)
        return negative(err);
    if ((sub && !interval_neg(iv, &iv, err)) || !timestamp_add_interval(base, iv, zoned, &sum, err))
        return false;
    *in = less ? val <= sum : val >= sum;
    return true;
}

static bool in_range_timestamp(struct value val, struct value base, struct value offset, bool sub,
                               bool less, bool *in, struct arena *scratch, struct err *err)
{
    (void)scratch;
    return in_range_moment(val.i, base.i, offset, false, sub, less, in, err);
}

static bool in_range_timestamptz(struct value val, struct value base, struct value offset, bool sub,
                                 bool less, bool *in, struct arena *scratch, struct err *err)
{
    (void)scratch;
    return in_range_moment(val.i, base.i, offset, true, sub, less, in, err);
}

static bool in_range_date(struct value val, struct value base, struct value offset, bool sub,
                          bool less, bool *in, struct arena *scratch, struct err *err)
{
    int64_t v, b;
    (void)scratch;
    return date_to_timestamp(val.i, &v, err) && date_to_timestamp(base.i, &b, err) &&
           in_range_moment(v, b, offset, false, sub, less, in, err);
}

static bool in_range_interval(struct value val, struct value base, struct value offset, bool sub,
                              bool less, bool *in, struct arena *scratch, struct err *err)
{
    struct interval iv = interval_load(offset), b = interval_load(base), sum;
    (void)scratch;
    if (interval_span(iv) < 0)
        return negative(err);
    if (!(sub ? interval_sub(b, iv, &sum, err) : interval_add(b, iv, &sum, err)))
        return false;
    int c = interval_cmp(interval_load(val), sum);
    *in = less ? c <= 0 : c >= 0;
    return true;
}

/* Only the offset's time counts, and the sum isn't wrapped at midnight. */
static bool in_range_time(struct value val, struct value base, struct value offset, bool sub,
                          bool less, bool *in, struct arena *scratch, struct err *err)
{
    int64_t by = interval_load(offset).time, sum;
    (void)scratch;
    if (by < 0)
        return negative(err);
    if (__builtin_add_overflow(base.i, sub ? -by : by, &sum))
        *in = less; /* beyond all times */
    else
        *in = less ? val.i <= sum : val.i >= sum;
    return true;
}

static bool in_range_timetz(struct value val, struct value base, struct value offset, bool sub,
                            bool less, bool *in, struct arena *scratch, struct err *err)
{
    int64_t by = interval_load(offset).time;
    struct timetz sum = timetz_load(base);
    (void)scratch;
    if (by < 0)
        return negative(err);
    if (__builtin_add_overflow(sum.time, sub ? -by : by, &sum.time)) {
        *in = less;
        return true;
    }
    int c = timetz_cmp(timetz_load(val), sum);
    *in = less ? c <= 0 : c >= 0;
    return true;
}

static const struct {
    uint32_t oid;
    in_range_fn *fn;
} table[] = {
    {4126, in_range_int},         {4127, in_range_int},      {4128, in_range_int},
    {4129, in_range_int},         {4130, in_range_int},      {4131, in_range_int},
    {4132, in_range_int},         {4133, in_range_date},     {4134, in_range_timestamp},
    {4135, in_range_timestamptz}, {4136, in_range_interval}, {4137, in_range_time},
    {4138, in_range_timetz},      {4139, in_range_float},    {4140, in_range_float},
    {4141, in_range_numeric},
};

in_range_fn *in_range_lookup(uint32_t funcid)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].oid == funcid)
            return table[i].fn;
    return NULL;
}
