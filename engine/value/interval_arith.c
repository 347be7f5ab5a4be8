/*
 * interval_arith: arithmetic of intervals, and of moments with them. See interval.h.
 *
 * Multiplying and dividing carry fractions downwards (half a month is 15 days, half a day 12 hours)
 * with Postgres's steps of rounding, in doubles, so that the last microsecond is the same.
 */
#include "engine/value/interval.h"

#include <limits.h>
#include <math.h>
#include <stdatomic.h>

#define DAYS_PER_MONTH 30

static bool out_of_range(struct err *err)
{
    return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "interval out of range");
}

static bool ts_out_of_range(struct err *err)
{
    return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
}

/* ------------------------------------------------------------ infinity */

static atomic_bool have_infinity;

void interval_have_infinity(bool have)
{
    atomic_store_explicit(&have_infinity, have, memory_order_relaxed);
}

bool interval_has_infinity(void)
{
    return atomic_load_explicit(&have_infinity, memory_order_relaxed);
}

/* Where a or b is infinite the sum is too, if they don't contradict each other. */
static bool infinite_sum(struct interval a, struct interval b, struct interval *out,
                         struct err *err)
{
    bool a_finite = interval_is_finite(a);
    if (!a_finite && !interval_is_finite(b) && (a.month < 0) != (b.month < 0))
        return out_of_range(err);
    *out = a_finite ? b : a;
    return true;
}

static bool opposite(struct interval a, struct interval *out)
{
    *out = interval_infinity(a.month > 0);
    return true;
}

/* The difference of two moments of which one is infinite at least. */
static bool infinite_diff(int64_t a, int64_t b, const char *message, struct interval *out,
                          struct err *err)
{
    if (!interval_has_infinity())
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "%s", message);
    if (a == b)
        return out_of_range(err);
    *out = interval_infinity(timestamp_is_finite(a) ? b > 0 : a < 0);
    return true;
}

/* ------------------------------------------------------------ sums */

bool interval_add(struct interval a, struct interval b, struct interval *out, struct err *err)
{
    if (!interval_is_finite(a) || !interval_is_finite(b))
        return infinite_sum(a, b, out, err);
    if (__builtin_add_overflow(a.month, b.month, &out->month) ||
        __builtin_add_overflow(a.day, b.day, &out->day) ||
        __builtin_add_overflow(a.time, b.time, &out->time))
        return out_of_range(err);
    return true;
}

bool interval_sub(struct interval a, struct interval b, struct interval *out, struct err *err)
{
    if (!interval_is_finite(b))
        return opposite(b, &b) && infinite_sum(a, b, out, err);
    if (!interval_is_finite(a))
        return infinite_sum(a, b, out, err);
    if (__builtin_sub_overflow(a.month, b.month, &out->month) ||
        __builtin_sub_overflow(a.day, b.day, &out->day) ||
        __builtin_sub_overflow(a.time, b.time, &out->time))
        return out_of_range(err);
    return true;
}

bool interval_neg(struct interval a, struct interval *out, struct err *err)
{
    return interval_sub((struct interval){0}, a, out, err);
}

/* ------------------------------------------------------------ times a number */

static double round_usec(double sec)
{
    return rint(sec * 1000000.0) / 1000000.0;
}

static bool fits_int32(double d)
{
    return !isnan(d) && d <= INT_MAX && d >= INT_MIN;
}

static bool fits_int64(double d)
{
    return !isnan(d) && d >= -9223372036854775808.0 && d < 9223372036854775808.0;
}

/* What the whole months and days leave over goes to the days and to the time. months and days are
 * the exact products. */
static bool cascade(double months, double days, double time, struct interval *out, struct err *err)
{
    if (!fits_int32(months) || !fits_int32(days))
        return out_of_range(err);
    out->month = (int32_t)months;
    out->day = (int32_t)days;
    double rest_days = round_usec((months - out->month) * DAYS_PER_MONTH);
    double rest_sec =
        round_usec((days - out->day + rest_days - (int)rest_days) * (double)SECS_PER_DAY);
    if (fabs(rest_sec) >= SECS_PER_DAY) {
        int whole = (int)(rest_sec / SECS_PER_DAY);
        if (__builtin_add_overflow(out->day, whole, &out->day))
            return out_of_range(err);
        rest_sec -= whole * SECS_PER_DAY;
    }
    if (__builtin_add_overflow(out->day, (int32_t)rest_days, &out->day))
        return out_of_range(err);
    time = rint(time + rest_sec * (double)USECS_PER_SEC);
    if (!fits_int64(time))
        return out_of_range(err);
    out->time = (int64_t)time;
    return true;
}

static int sign_of(struct interval iv)
{
    __int128 span = interval_span(iv);
    return (span > 0) - (span < 0);
}

/* An infinite interval times a number, or any times infinity; zero and infinity have no product. */
static bool infinite_product(struct interval a, double factor, struct interval *out,
                             struct err *err)
{
    if (isnan(factor) || factor == 0 || !sign_of(a))
        return out_of_range(err);
    *out = interval_infinity((factor < 0) != (sign_of(a) < 0));
    return true;
}

bool interval_mul(struct interval a, double factor, struct interval *out, struct err *err)
{
    if (!interval_is_finite(a) || (isinf(factor) && interval_has_infinity()))
        return infinite_product(a, factor, out, err);
    return cascade(a.month * factor, a.day * factor, (double)a.time * factor, out, err);
}

bool interval_div(struct interval a, double divisor, struct interval *out, struct err *err)
{
    if (divisor == 0.0)
        return err_set(err, ERR_DIVISION_BY_ZERO, "division by zero");
    if (!interval_is_finite(a))
        return isinf(divisor) ? out_of_range(err) : infinite_product(a, divisor, out, err);
    return cascade(a.month / divisor, a.day / divisor, (double)a.time / divisor, out, err);
}

/* ------------------------------------------------------------ justify */

/* Moves whole units from `low` to *high and makes the signs of both agree. */
static bool carry(int64_t *low, int32_t *high, int64_t unit)
{
    int64_t whole = *low / unit, sum;
    if (__builtin_add_overflow((int64_t)*high, whole, &sum) || sum != (int32_t)sum)
        return false;
    *high = (int32_t)sum;
    *low -= whole * unit;
    return true;
}

static void agree(int64_t *low, int32_t *high, int64_t unit)
{
    if (*high > 0 && *low < 0) {
        *low += unit;
        (*high)--;
    } else if (*high < 0 && *low > 0) {
        *low -= unit;
        (*high)++;
    }
}

bool interval_justify_hours(struct interval a, struct interval *out, struct err *err)
{
    *out = a;
    if (!interval_is_finite(a))
        return true;
    if (!carry(&a.time, &a.day, USECS_PER_DAY))
        return out_of_range(err);
    agree(&a.time, &a.day, USECS_PER_DAY);
    *out = a;
    return true;
}

bool interval_justify_days(struct interval a, struct interval *out, struct err *err)
{
    int64_t day = a.day;
    *out = a;
    if (!interval_is_finite(a))
        return true;
    if (!carry(&day, &a.month, DAYS_PER_MONTH))
        return out_of_range(err);
    agree(&day, &a.month, DAYS_PER_MONTH);
    a.day = (int32_t)day;
    *out = a;
    return true;
}

bool interval_justify(struct interval a, struct interval *out, struct err *err)
{
    int64_t day;
    *out = a;
    if (!interval_is_finite(a))
        return true;
    /* Days and time of one sign may overflow together where they would not apart. */
    if ((a.day > 0 && a.time > 0) || (a.day < 0 && a.time < 0)) {
        day = a.day;
        if (!carry(&day, &a.month, DAYS_PER_MONTH))
            return out_of_range(err);
        a.day = (int32_t)day;
    }
    if (!carry(&a.time, &a.day, USECS_PER_DAY))
        return out_of_range(err);
    day = a.day;
    if (!carry(&day, &a.month, DAYS_PER_MONTH))
        return out_of_range(err);
    if (a.month > 0 && (day < 0 || (day == 0 && a.time < 0))) {
        day += DAYS_PER_MONTH;
        a.month--;
    } else if (a.month < 0 && (day > 0 || (day == 0 && a.time > 0))) {
        day -= DAYS_PER_MONTH;
        a.month++;
    }
    a.day = (int32_t)day;
    agree(&a.time, &a.day, USECS_PER_DAY);
    *out = a;
    return true;
}

/* ------------------------------------------------------------ moments */

static bool to_local(int64_t ts, bool zoned, struct datetime *dt, int64_t *local, struct err *err)
{
    *local = ts;
    if (zoned && !timestamptz_to_timestamp(ts, local, err))
        return false;
    timestamp_to_fields(*local, dt);
    return true;
}

static bool from_local(int64_t local, bool zoned, int64_t *out, struct err *err)
{
    *out = local;
    if (zoned)
        return timestamp_to_timestamptz(local, out, err);
    return timestamp_in_range(local) || ts_out_of_range(err);
}

static bool add_months(int64_t ts, int32_t months, bool zoned, int64_t *out, struct err *err)
{
    struct datetime dt;
    int64_t local, month, year;
    if (!to_local(ts, zoned, &dt, &local, err))
        return false;
    month = (int64_t)dt.year * 12 + dt.month - 1 + months;
    year = month / 12 - (month % 12 < 0);
    month -= year * 12;
    if (year < -4800 || year > 300000)
        return ts_out_of_range(err);
    dt.year = (int32_t)year;
    dt.month = (int32_t)month + 1;
    if (dt.day > days_in_month(dt.year, dt.month))
        dt.day = days_in_month(dt.year, dt.month);
    return timestamp_from_fields(&dt, &local) ? from_local(local, zoned, out, err)
                                              : ts_out_of_range(err);
}

static bool add_days(int64_t ts, int32_t days, bool zoned, int64_t *out, struct err *err)
{
    struct datetime dt;
    int64_t local, step;
    if (!to_local(ts, zoned, &dt, &local, err))
        return false;
    if (__builtin_mul_overflow((int64_t)days, USECS_PER_DAY, &step) ||
        __builtin_add_overflow(local, step, &local))
        return ts_out_of_range(err);
    return from_local(local, zoned, out, err);
}

bool timestamp_add_interval(int64_t ts, struct interval iv, bool zoned, int64_t *out,
                            struct err *err)
{
    *out = ts;
    if (!interval_is_finite(iv)) {
        *out = iv.month < 0 ? TIMESTAMP_NOBEGIN : TIMESTAMP_NOEND;
        return timestamp_is_finite(ts) || ts == *out || ts_out_of_range(err);
    }
    if (!timestamp_is_finite(ts))
        return true;
    if (iv.month && !add_months(*out, iv.month, zoned, out, err))
        return false;
    if (iv.day && !add_days(*out, iv.day, zoned, out, err))
        return false;
    if (__builtin_add_overflow(*out, iv.time, out) || !timestamp_in_range(*out))
        return ts_out_of_range(err);
    return true;
}

bool timestamp_diff(int64_t a, int64_t b, struct interval *out, struct err *err)
{
    struct interval iv = {0};
    if (!timestamp_is_finite(a) || !timestamp_is_finite(b))
        return infinite_diff(a, b, "cannot subtract infinite timestamps", out, err);
    if (__builtin_sub_overflow(a, b, &iv.time))
        return out_of_range(err);
    return interval_justify_hours(iv, out, err);
}

/* Field by field, the earlier from the later; what is negative borrows from the next larger one, days
 * from the month of the earlier moment. */
bool timestamp_age(int64_t a, int64_t b, bool a_is_earlier, struct interval *out, struct err *err)
{
    struct datetime x, y;
    bool finite = timestamp_is_finite(a) && timestamp_is_finite(b);
    /* Before it had infinite intervals Postgres calculated with the number that infinity is. */
    bool is_number = !interval_has_infinity() && a != TIMESTAMP_NOBEGIN && b != TIMESTAMP_NOBEGIN;
    if (!finite && !is_number)
        return infinite_diff(a, b, "timestamp out of range", out, err);
    timestamp_to_fields(a_is_earlier ? b : a, &x);
    timestamp_to_fields(a_is_earlier ? a : b, &y);
    int64_t time = (x.hour - y.hour) * USECS_PER_HOUR + (x.minute - y.minute) * USECS_PER_MIN +
                   (x.second - y.second) * USECS_PER_SEC + (x.usec - y.usec);
    int32_t day = x.day - y.day, month = (x.year - y.year) * 12 + x.month - y.month;
    if (time < 0) {
        time += USECS_PER_DAY;
        day--;
    }
    while (day < 0) {
        day += days_in_month(y.year, y.month);
        month--;
    }
    *out = (struct interval){time, day, month};
    if (a_is_earlier)
        *out = (struct interval){-time, -day, -month};
    return true;
}
