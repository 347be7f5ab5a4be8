/*
 * fn_datetime: date, timestamp, timestamptz: arithmetic in days, comparison across types, casts,
 * typmod rounding. Parts and truncation are in fn_datepart.c.
 *
 * Called through pgfuncs.def. Within one type comparison is that of integers (fn_int.c). What needs
 * the time zone uses the process's, through value/datetime.
 */
#include "engine/expr/pgfuncs.h"
#include "engine/value/datetime.h"

#define DATE_TIMESTAMP   date_cmp_timestamp(v[0].i, v[1].i)
#define TIMESTAMP_DATE   -date_cmp_timestamp(v[1].i, v[0].i)
#define DATE_TIMESTAMPTZ date_cmp_timestamptz(v[0].i, v[1].i)
#define TIMESTAMPTZ_DATE -date_cmp_timestamptz(v[1].i, v[0].i)
#define TIMESTAMP_TSTZ   timestamp_cmp_timestamptz(v[0].i, v[1].i)
#define TIMESTAMPTZ_TS   -timestamp_cmp_timestamptz(v[1].i, v[0].i)

FN_COMPARISONS(fn_date_ts, DATE_TIMESTAMP)
FN_COMPARISONS(fn_ts_date, TIMESTAMP_DATE)
FN_COMPARISONS(fn_date_tstz, DATE_TIMESTAMPTZ)
FN_COMPARISONS(fn_tstz_date, TIMESTAMPTZ_DATE)
FN_COMPARISONS(fn_ts_tstz, TIMESTAMP_TSTZ)
FN_COMPARISONS(fn_tstz_ts, TIMESTAMPTZ_TS)

static bool add_days(struct value *out, int64_t date, int64_t days, struct err *err)
{
    if (date_is_finite(date)) {
        date += days;
        if (!date_in_range(date))
            return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "date out of range");
    }
    return fn_int(out, date);
}

FN(fn_date_pli)
{
    return add_days(out, v[0].i, v[1].i, err);
}
FN(fn_date_mii)
{
    return add_days(out, v[0].i, -v[1].i, err);
}
FN(fn_int_pl_date)
{
    return add_days(out, v[1].i, v[0].i, err);
}

FN(fn_date_mi)
{
    if (!date_is_finite(v[0].i) || !date_is_finite(v[1].i))
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "cannot subtract infinite dates");
    return fn_int(out, v[0].i - v[1].i);
}

FN(fn_date_isfinite)
{
    return fn_bool(out, date_is_finite(v[0].i));
}
FN(fn_ts_isfinite)
{
    return fn_bool(out, timestamp_is_finite(v[0].i));
}

/* Casts. */
FN(fn_date_to_ts)
{
    int64_t r;
    return date_to_timestamp(v[0].i, &r, err) && fn_int(out, r);
}

FN(fn_date_to_tstz)
{
    int64_t r;
    return date_to_timestamptz(v[0].i, &r, err) && fn_int(out, r);
}

FN(fn_ts_to_date)
{
    return fn_int(out, timestamp_to_date(v[0].i));
}

FN(fn_tstz_to_date)
{
    int64_t r;
    return timestamptz_to_date(v[0].i, &r, err) && fn_int(out, r);
}

FN(fn_ts_to_tstz)
{
    int64_t r;
    return timestamp_to_timestamptz(v[0].i, &r, err) && fn_int(out, r);
}

FN(fn_tstz_to_ts)
{
    int64_t r;
    return timestamptz_to_timestamp(v[0].i, &r, err) && fn_int(out, r);
}

/* timestamp(p): rounds to p digits of a second, half away from 2000-01-01. */
FN(fn_ts_typmod)
{
    static const int64_t units[] = {1000000, 100000, 10000, 1000, 100, 10};
    int64_t t = v[0].i, unit;
    if (!timestamp_is_finite(t) || v[1].i < 0 || v[1].i >= 6)
        return fn_int(out, t);
    unit = units[v[1].i];
    if (t >= 0)
        return fn_int(out, (t + unit / 2) / unit * unit);
    return fn_int(out, -((-t + unit / 2) / unit * unit));
}
