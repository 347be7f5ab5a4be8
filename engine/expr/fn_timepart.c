/*
 * fn_timepart: extract(), date_part() and date_trunc() of intervals and times.
 *
 * Called through pgfuncs.def. The fields of an interval are those it prints, each with its sign; its
 * epoch counts a year as 365.25 days and a month as 30. Units are those of unit.h.
 */
#include "engine/expr/unit.h"
#include "engine/value/interval.h"

/* Hours, minutes, seconds of a time; false: the unit is of a day or longer. */
static bool clock_part(enum unit unit, int64_t time, struct part_number *p)
{
    int64_t usec = time % USECS_PER_MIN;
    *p = (struct part_number){.value = usec};
    switch (unit) {
    case UNIT_MICROSECONDS: return true;
    case UNIT_MILLISECONDS: p->scale = 3; return true;
    case UNIT_SECOND: p->scale = 6; return true;
    case UNIT_MINUTE: p->value = time / USECS_PER_MIN % 60; return true;
    case UNIT_HOUR: p->value = time / USECS_PER_HOUR; return true;
    default: return false;
    }
}

/* date_part's seconds are a sum of two doubles in Postgres. */
static bool clock_float(enum unit unit, int64_t time, struct value *out)
{
    struct part_number p;
    double sec = (double)(time % USECS_PER_MIN / USECS_PER_SEC);
    double usec = (double)(time % USECS_PER_SEC);
    if (unit == UNIT_SECOND)
        return fn_float(out, sec + usec / 1000000.0);
    if (unit == UNIT_MILLISECONDS)
        return fn_float(out, sec * 1000.0 + usec / 1000.0);
    return clock_part(unit, time, &p) && part_float(p, out);
}

/* ------------------------------------------------------------ interval */

static bool calendar_part(enum unit unit, struct interval iv, int64_t *out)
{
    int32_t year = iv.month / 12, month = iv.month % 12;
    switch (unit) {
    case UNIT_DAY: *out = iv.day; return true;
    case UNIT_MONTH: *out = month; return true;
    case UNIT_QUARTER: *out = month / 3 + 1; return true;
    case UNIT_YEAR: *out = year; return true;
    case UNIT_DECADE: *out = year / 10; return true;
    case UNIT_CENTURY: *out = year / 100; return true;
    case UNIT_MILLENNIUM: *out = year / 1000; return true;
    default: return false;
    }
}

/* Seconds in the months and days: a year is four times 1461 quarters of a day. */
static int64_t calendar_seconds(struct interval iv)
{
    int64_t quarters =
        (int64_t)(iv.month / 12) * 1461 + (int64_t)(iv.month % 12) * 120 + (int64_t)iv.day * 4;
    return quarters * (SECS_PER_DAY / 4);
}

/* Parts that are bounded by the next larger one are NULL, the others infinite. */
static struct part_number infinite_part(enum unit unit, struct interval iv)
{
    struct part_number p = {.negative = iv.month < 0};
    p.infinite = unit == UNIT_HOUR || unit == UNIT_DAY || unit == UNIT_YEAR ||
                 unit == UNIT_DECADE || unit == UNIT_CENTURY || unit == UNIT_MILLENNIUM ||
                 unit == UNIT_EPOCH;
    p.null = !p.infinite;
    return p;
}

FN(fn_extract_interval)
{
    struct interval iv = interval_load(v[1]);
    struct part_number p = {.scale = 0};
    enum unit unit;
    int64_t n;
    if (!unit_find(v[0], OID_INTERVAL, &unit, err))
        return false;
    if (!interval_is_finite(iv))
        return part_numeric(infinite_part(unit, iv), cx->arena, out, err);
    if (unit == UNIT_EPOCH) {
        p.value = (int128_t)calendar_seconds(iv) * USECS_PER_SEC + iv.time;
        p.scale = 6;
        if (p.value != (int64_t)p.value) {
            *out = numeric_from_int128(p.value, 6, cx->arena);
            return true;
        }
    } else if (calendar_part(unit, iv, &n)) {
        p.value = n;
    } else if (!clock_part(unit, iv.time, &p)) {
        return unit_unsupported(v[0], OID_INTERVAL, err);
    }
    return part_numeric(p, cx->arena, out, err);
}

FN(fn_date_part_interval)
{
    struct interval iv = interval_load(v[1]);
    enum unit unit;
    int64_t n;
    if (!unit_find(v[0], OID_INTERVAL, &unit, err))
        return false;
    if (!interval_is_finite(iv))
        return part_float(infinite_part(unit, iv), out);
    if (unit == UNIT_EPOCH)
        return fn_float(out, (double)iv.time / 1000000.0 + 365.25 * SECS_PER_DAY * (iv.month / 12) +
                                 30.0 * SECS_PER_DAY * (iv.month % 12) +
                                 (double)SECS_PER_DAY * iv.day);
    if (calendar_part(unit, iv, &n))
        return fn_float(out, (double)n);
    return clock_float(unit, iv.time, out) || unit_unsupported(v[0], OID_INTERVAL, err);
}

/* Everything below the unit becomes zero; towards zero, whatever the sign. */
FN(fn_trunc_interval)
{
    static const int64_t usecs[] = {1, 1000, USECS_PER_SEC, USECS_PER_MIN, USECS_PER_HOUR};
    struct interval iv = interval_load(v[1]);
    int32_t months = 1;
    enum unit unit;
    if (!unit_find_trunc(v[0], OID_INTERVAL, &unit, err))
        return false;
    switch (unit) {
    case UNIT_QUARTER: months = 3; break;
    case UNIT_YEAR: months = 12; break;
    case UNIT_DECADE: months = 120; break;
    case UNIT_CENTURY: months = 1200; break;
    case UNIT_MILLENNIUM: months = 12000; break;
    default: break;
    }
    if (unit == UNIT_WEEK) {
        unit_unsupported(v[0], OID_INTERVAL, err);
        return err_detail(err, "Months usually have fractional weeks.");
    }
    if (!interval_is_finite(iv)) {
        *out = v[1];
        return true;
    }
    iv.time = unit >= UNIT_DAY ? 0 : iv.time / usecs[unit] * usecs[unit];
    if (unit > UNIT_DAY)
        iv.day = 0;
    iv.month = iv.month / months * months;
    *out = interval_store(iv, cx->arena);
    return true;
}

/* ------------------------------------------------------------ time */

/* offset: of a timetz, seconds east. */
static bool time_part(enum unit unit, uint32_t type, int64_t time, int32_t offset,
                      struct part_number *p)
{
    *p = (struct part_number){.scale = 0};
    if (unit == UNIT_EPOCH) {
        p->value = time - offset * USECS_PER_SEC;
        p->scale = 6;
        return true;
    }
    if (unit >= UNIT_TIMEZONE && type == OID_TIMETZ) {
        p->value = unit == UNIT_TIMEZONE        ? offset
                   : unit == UNIT_TIMEZONE_HOUR ? offset / 3600
                                                : offset / 60 % 60;
        return true;
    }
    return clock_part(unit, time, p);
}

static bool extract(const struct value *v, uint32_t type, int64_t time, int32_t offset,
                    struct arena *a, struct value *out, struct err *err)
{
    struct part_number p;
    enum unit unit;
    if (!unit_find(v[0], type, &unit, err))
        return false;
    if (!time_part(unit, type, time, offset, &p))
        return unit_unsupported(v[0], type, err);
    return part_numeric(p, a, out, err);
}

static bool date_part(const struct value *v, uint32_t type, int64_t time, int32_t offset,
                      struct value *out, struct err *err)
{
    struct part_number p;
    enum unit unit;
    if (!unit_find(v[0], type, &unit, err))
        return false;
    if (unit == UNIT_SECOND || unit == UNIT_MILLISECONDS)
        return clock_float(unit, time, out);
    if (unit == UNIT_EPOCH)
        return fn_float(out, (double)time / 1000000.0 - offset);
    if (!time_part(unit, type, time, offset, &p))
        return unit_unsupported(v[0], type, err);
    return part_float(p, out);
}

FN(fn_extract_time)
{
    return extract(v, OID_TIME, v[1].i, 0, cx->arena, out, err);
}

FN(fn_extract_timetz)
{
    struct timetz t = timetz_load(v[1]);
    return extract(v, OID_TIMETZ, t.time, t.offset, cx->arena, out, err);
}

FN(fn_date_part_time)
{
    return date_part(v, OID_TIME, v[1].i, 0, out, err);
}

FN(fn_date_part_timetz)
{
    struct timetz t = timetz_load(v[1]);
    return date_part(v, OID_TIMETZ, t.time, t.offset, out, err);
}
