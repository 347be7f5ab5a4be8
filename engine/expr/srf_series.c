/*
 * srf_series: generate_series() over numbers and moments.
 *
 * As Postgres does it: the start, then one step after the other for as long as the stop isn't
 * passed; what would overflow the type is past any stop.
 */
#include "engine/expr/srf.h"
#include "engine/value/interval.h"
#include "engine/value/numeric.h"

#define ERR_INVALID_PARAMETER "22023"

static bool no_step(struct err *err)
{
    return err_set(err, ERR_INVALID_PARAMETER, "step size cannot equal zero");
}

static bool series_int(const struct srf_call *c, const struct value *args, int64_t min, int64_t max,
                       struct srf_rows *out, struct err *err)
{
    int64_t at = args[0].i, stop = args[1].i, step = c->nargs > 2 ? args[2].i : 1;
    if (!step)
        return no_step(err);
    while (step > 0 ? at <= stop : at >= stop) {
        struct value *row = srf_row(out, err);
        if (!row)
            return false;
        *row = value_int(at);
        if (__builtin_add_overflow(at, step, &at) || at < min || at > max)
            break;
    }
    return true;
}

bool srf_series_int4(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                     struct err *err)
{
    return series_int(c, args, INT32_MIN, INT32_MAX, out, err);
}

bool srf_series_int8(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                     struct err *err)
{
    return series_int(c, args, INT64_MIN, INT64_MAX, out, err);
}

static bool series_bounds(const struct value *args, size_t n, struct err *err)
{
    static const char *const names[] = {"start", "stop", "step size"};
    for (size_t i = 0; i < n; i++) {
        if (numeric_is_nan(args[i]))
            return err_set(err, ERR_INVALID_PARAMETER, "%s%s cannot be NaN", names[i],
                           i < 2 ? " value" : "");
        if (numeric_is_inf(args[i]))
            return err_set(err, ERR_INVALID_PARAMETER, "%s%s cannot be infinity", names[i],
                           i < 2 ? " value" : "");
    }
    return true;
}

bool srf_series_numeric(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                        struct err *err)
{
    struct value at = args[0];
    struct value step = c->nargs > 2 ? args[2] : numeric_from_int64(1, out->arena);
    if (!series_bounds(args, c->nargs, err))
        return false;
    int sign = numeric_sign(step);
    if (!sign)
        return no_step(err);
    while (numeric_cmp(at, args[1]) * sign <= 0) {
        struct value *row = srf_row(out, err);
        if (!row)
            return false;
        *row = at;
        if (!numeric_add(at, step, out->arena, &at, err))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------ moments */

/* Each is one step behind the one before, by the calendar: from January 31 by months, the second is
 * February 29 and the third March 29. */
static bool series_moment(const struct value *args, bool zoned, struct srf_rows *out,
                          struct err *err)
{
    int64_t at = args[0].i, stop = args[1].i;
    struct interval step = interval_load(args[2]);
    int sign = interval_cmp(step, (struct interval){0});
    if (!sign)
        return no_step(err);
    while (sign > 0 ? at <= stop : at >= stop) {
        struct value *row = srf_row(out, err);
        if (!row)
            return false;
        *row = value_int(at);
        if (!timestamp_add_interval(at, step, zoned, &at, err))
            return false;
    }
    return true;
}

bool srf_series_timestamp(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                          struct err *err)
{
    (void)c;
    return series_moment(args, false, out, err);
}

bool srf_series_timestamptz(const struct srf_call *c, const struct value *args,
                            struct srf_rows *out, struct err *err)
{
    (void)c;
    return series_moment(args, true, out, err);
}
