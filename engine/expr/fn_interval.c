/*
 * fn_interval: interval, time and timetz: arithmetic among them and with moments, casts, and the
 * constructors of dates and times from numbers.
 *
 * Called through pgfuncs.def. The arithmetic is in value/interval_arith.c; here are the shapes of
 * the arguments. Comparison is fn_value.c's.
 */
#include <limits.h>
#include <math.h>

#include "engine/expr/pgfuncs.h"
#include "engine/value/interval.h"
#include "engine/value/numeric.h"

static bool give(struct value *out, struct interval iv, struct eval_ctx *cx)
{
    *out = interval_store(iv, cx->arena);
    return true;
}

/* ------------------------------------------------------------ interval */

FN(fn_interval_um)
{
    struct interval r;
    return interval_neg(interval_load(v[0]), &r, err) && give(out, r, cx);
}

FN(fn_interval_pl)
{
    struct interval r;
    return interval_add(interval_load(v[0]), interval_load(v[1]), &r, err) && give(out, r, cx);
}

FN(fn_interval_mi)
{
    struct interval r;
    return interval_sub(interval_load(v[0]), interval_load(v[1]), &r, err) && give(out, r, cx);
}

FN(fn_interval_mul)
{
    struct interval r;
    return interval_mul(interval_load(v[0]), v[1].f, &r, err) && give(out, r, cx);
}

FN(fn_mul_d_interval)
{
    struct interval r;
    return interval_mul(interval_load(v[1]), v[0].f, &r, err) && give(out, r, cx);
}

FN(fn_interval_div)
{
    struct interval r;
    return interval_div(interval_load(v[0]), v[1].f, &r, err) && give(out, r, cx);
}

FN(fn_justify_hours)
{
    struct interval r;
    return interval_justify_hours(interval_load(v[0]), &r, err) && give(out, r, cx);
}

FN(fn_justify_days)
{
    struct interval r;
    return interval_justify_days(interval_load(v[0]), &r, err) && give(out, r, cx);
}

FN(fn_justify_interval)
{
    struct interval r;
    return interval_justify(interval_load(v[0]), &r, err) && give(out, r, cx);
}

FN(fn_interval_isfinite)
{
    return fn_bool(out, interval_is_finite(interval_load(v[0])));
}

/* make_interval(years, months, weeks, days, hours, mins, secs) */
FN(fn_make_interval)
{
    int64_t month = v[0].i * 12 + v[1].i, day = v[2].i * 7 + v[3].i;
    double secs = v[6].f, usec = rint(secs * (double)USECS_PER_SEC);
    if (isnan(secs) || isinf(secs) || month != (int32_t)month || day != (int32_t)day ||
        fabs(usec) > 9.2e18)
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "interval out of range");
    struct interval iv = {0, (int32_t)day, (int32_t)month};
    iv.time = v[4].i * USECS_PER_HOUR + v[5].i * USECS_PER_MIN;
    if (__builtin_add_overflow(iv.time, (int64_t)usec, &iv.time))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "interval out of range");
    return give(out, iv, cx);
}

/* ------------------------------------------------------------ moments and intervals */

static bool add(struct value *out, int64_t ts, struct value interval, bool zoned, bool minus,
                struct err *err)
{
    struct interval iv = interval_load(interval);
    int64_t r;
    if (minus && !interval_neg(iv, &iv, err))
        return false;
    return timestamp_add_interval(ts, iv, zoned, &r, err) && fn_int(out, r);
}

FN(fn_ts_pl_interval)
{
    return add(out, v[0].i, v[1], false, false, err);
}

FN(fn_ts_mi_interval)
{
    return add(out, v[0].i, v[1], false, true, err);
}

FN(fn_interval_pl_ts)
{
    return add(out, v[1].i, v[0], false, false, err);
}

FN(fn_tstz_pl_interval)
{
    return add(out, v[0].i, v[1], true, false, err);
}

FN(fn_tstz_mi_interval)
{
    return add(out, v[0].i, v[1], true, true, err);
}

FN(fn_interval_pl_tstz)
{
    return add(out, v[1].i, v[0], true, false, err);
}

FN(fn_date_pl_interval)
{
    int64_t ts;
    return date_to_timestamp(v[0].i, &ts, err) && add(out, ts, v[1], false, false, err);
}

FN(fn_date_mi_interval)
{
    int64_t ts;
    return date_to_timestamp(v[0].i, &ts, err) && add(out, ts, v[1], false, true, err);
}

FN(fn_interval_pl_date)
{
    int64_t ts;
    return date_to_timestamp(v[1].i, &ts, err) && add(out, ts, v[0], false, false, err);
}

FN(fn_ts_mi)
{
    struct interval r;
    return timestamp_diff(v[0].i, v[1].i, &r, err) && give(out, r, cx);
}

FN(fn_age_ts)
{
    struct interval r;
    return timestamp_age(v[0].i, v[1].i, v[0].i < v[1].i, &r, err) && give(out, r, cx);
}

/* Infinity too where it counts as a number (see timestamp_age()), if the zone lies west. */
static bool age_local(int64_t tstz, int64_t *local, struct err *err)
{
    if (tstz != TIMESTAMP_NOEND || interval_has_infinity())
        return timestamptz_to_timestamp(tstz, local, err);
    *local = tstz;
    return !__builtin_add_overflow(tstz, zone_offset_at(tstz) * USECS_PER_SEC, local) ||
           err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
}

FN(fn_age_tstz)
{
    struct interval r;
    int64_t a, b;
    return age_local(v[0].i, &a, err) && age_local(v[1].i, &b, err) &&
           timestamp_age(a, b, v[0].i < v[1].i, &r, err) && give(out, r, cx);
}

/* ------------------------------------------------------------ time */

/* Of a day: times wrap around at midnight. */
static int64_t wrap(int64_t time)
{
    time %= USECS_PER_DAY;
    return time < 0 ? time + USECS_PER_DAY : time;
}

/* Days and months don't count. Where the sum overflows, Postgres lets it. */
static int64_t time_plus(int64_t time, struct value interval, int sign)
{
    uint64_t step = (uint64_t)interval_load(interval).time;
    return wrap((int64_t)((uint64_t)time + (sign < 0 ? 0 - step : step)));
}

static bool needs_finite(struct value interval, const char *what, struct err *err)
{
    return interval_is_finite(interval_load(interval)) ||
           err_set(err, ERR_DATETIME_OUT_OF_RANGE, "cannot %s", what);
}

#define ADD_INFINITE      "add infinite interval to time"
#define SUBTRACT_INFINITE "subtract infinite interval from time"

FN(fn_time_pl_interval)
{
    return needs_finite(v[1], ADD_INFINITE, err) && fn_int(out, time_plus(v[0].i, v[1], 1));
}

FN(fn_time_mi_interval)
{
    return needs_finite(v[1], SUBTRACT_INFINITE, err) && fn_int(out, time_plus(v[0].i, v[1], -1));
}

FN(fn_interval_pl_time)
{
    return needs_finite(v[0], ADD_INFINITE, err) && fn_int(out, time_plus(v[1].i, v[0], 1));
}

FN(fn_time_mi_time)
{
    return give(out, (struct interval){.time = v[0].i - v[1].i}, cx);
}

FN(fn_interval_time)
{
    return needs_finite(v[0], "convert infinite interval to time", err) &&
           fn_int(out, wrap(interval_load(v[0]).time));
}

FN(fn_time_interval)
{
    return give(out, (struct interval){.time = v[0].i}, cx);
}

static bool timetz_plus(struct value *out, struct value t, struct value interval, int sign,
                        struct eval_ctx *cx)
{
    struct timetz z = timetz_load(t);
    z.time = time_plus(z.time, interval, sign);
    *out = timetz_store(z, cx->arena);
    return true;
}

FN(fn_timetz_pl_interval)
{
    return needs_finite(v[1], ADD_INFINITE, err) && timetz_plus(out, v[0], v[1], 1, cx);
}

FN(fn_timetz_mi_interval)
{
    return needs_finite(v[1], SUBTRACT_INFINITE, err) && timetz_plus(out, v[0], v[1], -1, cx);
}

FN(fn_interval_pl_timetz)
{
    return needs_finite(v[0], ADD_INFINITE, err) && timetz_plus(out, v[1], v[0], 1, cx);
}

FN(fn_timetz_time)
{
    return fn_int(out, timetz_load(v[0]).time);
}

FN(fn_ts_time)
{
    if (!timestamp_is_finite(v[0].i)) {
        *out = value_null();
        return true;
    }
    return fn_int(out, wrap(v[0].i));
}

FN(fn_tstz_time)
{
    int64_t local;
    if (!timestamp_is_finite(v[0].i)) {
        *out = value_null();
        return true;
    }
    return timestamptz_to_timestamp(v[0].i, &local, err) && fn_int(out, wrap(local));
}

FN(fn_tstz_timetz)
{
    int64_t local;
    if (!timestamp_is_finite(v[0].i)) {
        *out = value_null();
        return true;
    }
    if (!timestamptz_to_timestamp(v[0].i, &local, err))
        return false;
    struct timetz z = {wrap(local), zone_offset_at(v[0].i), 0};
    *out = timetz_store(z, cx->arena);
    return true;
}

static bool date_plus_time(struct value *out, int64_t date, int64_t time, const char *message,
                           struct err *err)
{
    int64_t ts;
    if (!date_to_timestamp(date, &ts, err))
        return false;
    if (timestamp_is_finite(ts)) {
        ts += time;
        if (!timestamp_in_range(ts))
            return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "%s", message);
    }
    return fn_int(out, ts);
}

FN(fn_date_pl_time)
{
    return date_plus_time(out, v[0].i, v[1].i, "timestamp out of range", err);
}

FN(fn_time_pl_date)
{
    return date_plus_time(out, v[1].i, v[0].i, "timestamp out of range", err);
}

static bool date_plus_timetz(struct value *out, int64_t date, struct value timetz, struct err *err)
{
    struct timetz z = timetz_load(timetz);
    return date_plus_time(out, date, z.time - z.offset * USECS_PER_SEC,
                          "date out of range for timestamp", err);
}

FN(fn_date_pl_timetz)
{
    return date_plus_timetz(out, v[0].i, v[1], err);
}

FN(fn_timetz_pl_date)
{
    return date_plus_timetz(out, v[1].i, v[0], err);
}

/* ------------------------------------------------------------ length coercion */

/* time(p): rounds half away from zero to p digits of a second. */
static int64_t round_time(int64_t t, int64_t typmod)
{
    static const int64_t units[] = {1000000, 100000, 10000, 1000, 100, 10};
    if (typmod < 0 || typmod >= 6)
        return t;
    int64_t unit = units[typmod];
    return t >= 0 ? (t + unit / 2) / unit * unit : -((-t + unit / 2) / unit * unit);
}

FN(fn_time_typmod)
{
    return fn_int(out, round_time(v[0].i, v[1].i));
}

FN(fn_timetz_typmod)
{
    struct timetz z = timetz_load(v[0]);
    z.time = round_time(z.time, v[1].i);
    *out = timetz_store(z, cx->arena);
    return true;
}

/* ------------------------------------------------------------ constructors */

/* make_date() names the year as it counts, in which 1 BC is 0; make_timestamp() as it was given. */
static bool bad_date(int64_t year, const struct value *v, const char *what, struct err *err)
{
    return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "date %s: %lld-%02lld-%02lld", what,
                   (long long)year, (long long)v[1].i, (long long)v[2].i);
}

static bool bad_time(const struct value *v, struct err *err)
{
    if (isnan(v[2].f)) /* never with the sign that printf would show */
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE,
                       "time field value out of range: %lld:%02lld:NaN", (long long)v[0].i,
                       (long long)v[1].i);
    return err_set(err, ERR_DATETIME_OUT_OF_RANGE,
                   "time field value out of range: %lld:%02lld:%02g", (long long)v[0].i,
                   (long long)v[1].i, v[2].f);
}

/* Years BC are negative. */
static bool civil(const struct value *v, int64_t *date)
{
    int64_t year = v[0].i < 0 ? v[0].i + 1 : v[0].i;
    if (v[0].i == 0 || v[1].i < 1 || v[1].i > 12 || v[2].i < 1 || year > 5874898 || year < -4800 ||
        v[2].i > days_in_month(year, (int)v[1].i))
        return false;
    *date = date_from_civil(year, (int)v[1].i, (int)v[2].i);
    return true;
}

FN(fn_make_date)
{
    int64_t date, shown = v[0].i < 0 ? v[0].i + 1 : v[0].i;
    if (!civil(v, &date))
        return bad_date(shown, v, "field value out of range", err);
    if (!date_in_range(date))
        return bad_date(shown, v, "out of range", err);
    return fn_int(out, date);
}

/* hour, minute, second: 24:00:00 and 23:59:60 are times. */
static bool clock_time(const struct value *v, int64_t *time)
{
    double usec = rint(v[2].f * (double)USECS_PER_SEC);
    if (isnan(v[2].f) || v[0].i < 0 || v[0].i > 24 || v[1].i < 0 || v[1].i > 59 || usec < 0 ||
        usec > 60 * (double)USECS_PER_SEC)
        return false;
    *time = v[0].i * USECS_PER_HOUR + v[1].i * USECS_PER_MIN + (int64_t)usec;
    return *time <= USECS_PER_DAY;
}

FN(fn_make_time)
{
    int64_t time;
    if (!clock_time(v, &time))
        return bad_time(v, err);
    return fn_int(out, time);
}

static bool make_timestamp(const struct value *v, int64_t *out, struct err *err)
{
    int64_t date, time;
    if (!civil(v, &date))
        return bad_date(v[0].i, v, "field value out of range", err);
    if (!clock_time(v + 3, &time))
        return bad_time(v + 3, err);
    if (__builtin_mul_overflow(date, USECS_PER_DAY, out) ||
        __builtin_add_overflow(*out, time, out) || !timestamp_in_range(*out))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
    return true;
}

FN(fn_make_timestamp)
{
    int64_t ts;
    return make_timestamp(v, &ts, err) && fn_int(out, ts);
}

FN(fn_make_timestamptz)
{
    int64_t ts;
    return make_timestamp(v, &ts, err) && timestamp_to_timestamptz(ts, &ts, err) && fn_int(out, ts);
}

/* ------------------------------------------------------------ bins */

/* date_bin(stride, source, origin): the start of source's stride, counted from origin. */
FN(fn_date_bin)
{
    struct interval stride = interval_load(v[0]);
    int64_t step, diff, bins;
    if (!timestamp_is_finite(v[1].i))
        return fn_int(out, v[1].i);
    if (!timestamp_is_finite(v[2].i))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "origin out of range");
    if (!interval_is_finite(stride))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE,
                       "timestamps cannot be binned into infinite intervals");
    if (stride.month)
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                       "timestamps cannot be binned into intervals containing months or years");
    if (__builtin_mul_overflow((int64_t)stride.day, USECS_PER_DAY, &step) ||
        __builtin_add_overflow(step, stride.time, &step))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "interval out of range");
    if (step <= 0)
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "stride must be greater than zero");
    if (__builtin_sub_overflow(v[1].i, v[2].i, &diff))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "interval out of range");
    bins = diff / step;
    if (diff % step < 0)
        bins--;
    if (__builtin_mul_overflow(bins, step, &diff) || __builtin_add_overflow(v[2].i, diff, &diff) ||
        !timestamp_in_range(diff))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
    return fn_int(out, diff);
}

/* ------------------------------------------------------------ zones given as an offset */

static bool zone_of(struct value v, int64_t *usec, struct err *err)
{
    struct interval iv = interval_load(v);
    struct buf text;
    *usec = iv.time / USECS_PER_SEC * USECS_PER_SEC;
    if (!interval_is_finite(iv))
        return err_set(err, "22023", "interval time zone must be finite");
    if (!iv.month && !iv.day)
        return true;
    buf_init(&text);
    interval_print(iv, &text);
    err_set(err, "22023", "interval time zone \"%s\" must not include months or days",
            buf_cstr(&text));
    buf_fini(&text);
    return false;
}

/* Of UTC, as expr.c has seen to. */
FN(fn_utc_tstz)
{
    return fn_int(out, v[1].i);
}

FN(fn_utc_ts)
{
    return fn_int(out, v[1].i);
}

FN(fn_izone_tstz)
{
    int64_t zone;
    if (!timestamp_is_finite(v[1].i))
        return fn_int(out, v[1].i);
    if (!zone_of(v[0], &zone, err))
        return false;
    if (__builtin_add_overflow(v[1].i, zone, &zone) || !timestamp_in_range(zone))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
    return fn_int(out, zone);
}

FN(fn_izone_ts)
{
    int64_t zone;
    if (!timestamp_is_finite(v[1].i))
        return fn_int(out, v[1].i);
    if (!zone_of(v[0], &zone, err))
        return false;
    if (__builtin_sub_overflow(v[1].i, zone, &zone) || !timestamp_in_range(zone))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
    return fn_int(out, zone);
}
