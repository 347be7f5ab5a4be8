/*
 * fn_datepart: extract(), date_part() and date_trunc() of dates and timestamps. Those of intervals and
 * times are in fn_timepart.c.
 *
 * Called through pgfuncs.def. extract gives numeric, date_part double precision, of the same parts;
 * of a timestamptz they are the parts of the local time.
 *
 * Of an infinite value the parts that grow without end (year, epoch…) are infinite, others NULL.
 */
#include <assert.h>

#include "engine/expr/unit.h"
#include "engine/value/datetime.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Monday is 1, Sunday 7. */
static int iso_day_of_week(int64_t date)
{
    return (int)(date + 5 - floor_div(date + 5, 7) * 7) + 1;
}

/* The year whose ISO weeks a day is counted in: that of its week's Thursday. */
static int64_t iso_year(int64_t date, int *week)
{
    int32_t y, m, d;
    int64_t thursday = date - iso_day_of_week(date) + 4;
    date_to_civil(thursday, &y, &m, &d);
    *week = (int)((thursday - date_from_civil(y, 1, 1)) / 7) + 1;
    return y;
}

/* Years BC are counted from -1 down where they are shown. */
static int64_t shown_year(int64_t y)
{
    return y > 0 ? y : y - 1;
}

static int64_t century_of(int64_t y, int64_t span)
{
    return y > 0 ? (y + span - 1) / span : -((span - 1 - (y - 1)) / span);
}

static int64_t decade_of(int64_t y)
{
    return y >= 0 ? y / 10 : -((8 - (y - 1)) / 10);
}

/* A part of the calendar day; the unit is none of the time. */
static int64_t calendar_part(enum unit unit, int64_t date)
{
    int32_t y, m, d;
    int week;
    date_to_civil(date, &y, &m, &d);
    switch (unit) {
    case UNIT_DAY: return d;
    case UNIT_MONTH: return m;
    case UNIT_QUARTER: return (m - 1) / 3 + 1;
    case UNIT_YEAR: return shown_year(y);
    case UNIT_DECADE: return decade_of(y);
    case UNIT_CENTURY: return century_of(y, 100);
    case UNIT_MILLENNIUM: return century_of(y, 1000);
    case UNIT_ISODOW: return iso_day_of_week(date);
    case UNIT_DOW: return iso_day_of_week(date) % 7;
    case UNIT_DOY: return date - date_from_civil(y, 1, 1) + 1;
    case UNIT_ISOYEAR: return shown_year(iso_year(date, &week));
    case UNIT_WEEK: iso_year(date, &week); return week;
    case UNIT_JULIAN: return date + EPOCH_JULIAN_DAY;
    default: assert(!"not a part of a day"); return 0;
    }
}

static struct part_number infinite_part(enum unit unit, bool negative)
{
    struct part_number p = {.negative = negative};
    p.infinite = unit == UNIT_YEAR || unit == UNIT_DECADE || unit == UNIT_CENTURY ||
                 unit == UNIT_MILLENNIUM || unit == UNIT_ISOYEAR || unit == UNIT_JULIAN ||
                 unit == UNIT_EPOCH;
    p.null = !p.infinite;
    return p;
}

/* The part of a local time; `instant` is what epoch counts, the same but for timestamptz. */
static struct part_number timestamp_part(enum unit unit, int64_t local, int64_t instant)
{
    struct part_number p = {.scale = 0};
    struct datetime dt;
    if (!timestamp_is_finite(local))
        return infinite_part(unit, local < 0);
    timestamp_to_fields(local, &dt);
    switch (unit) {
    case UNIT_EPOCH:
        p.value = (int128_t)instant + UNIX_EPOCH_DAYS * USECS_PER_DAY;
        p.scale = 6;
        break;
    case UNIT_HOUR: p.value = dt.hour; break;
    case UNIT_MINUTE: p.value = dt.minute; break;
    case UNIT_SECOND:
        p.value = dt.second * USECS_PER_SEC + dt.usec;
        p.scale = 6;
        break;
    case UNIT_MILLISECONDS:
        p.value = dt.second * USECS_PER_SEC + dt.usec;
        p.scale = 3;
        break;
    case UNIT_MICROSECONDS: p.value = dt.second * USECS_PER_SEC + dt.usec; break;
    default: p.value = calendar_part(unit, timestamp_to_date(local)); break;
    }
    return p;
}

/*
 * date_part's seconds are a sum of two doubles in Postgres: whole seconds and the quotient of the
 * rest.
 */
static bool seconds_float(enum unit unit, int64_t local, struct value *out)
{
    struct datetime dt;
    timestamp_to_fields(local, &dt);
    if (unit == UNIT_SECOND)
        return fn_float(out, dt.second + dt.usec / 1000000.0);
    return fn_float(out, dt.second * 1000.0 + dt.usec / 1000.0);
}

/* What there is to a timestamp: its local fields, and for a timestamptz its instant and offset. */
struct moment {
    uint32_t type; /* for messages */
    int64_t local, instant;
    int32_t offset;
};

static bool moment_of(uint32_t type, int64_t ts, struct moment *out, struct err *err)
{
    *out = (struct moment){.type = type, .local = ts, .instant = ts};
    if (type != OID_TIMESTAMPTZ || !timestamp_is_finite(ts))
        return true;
    out->offset = zone_offset_at(ts);
    return timestamptz_to_timestamp(ts, &out->local, err);
}

/* An infinite timestamp has all parts, as NULL; a finite one without a zone none of these. */
static bool zone_part(enum unit unit, const struct moment *m, struct part_number *p)
{
    *p = (struct part_number){.null = !timestamp_is_finite(m->local)};
    if (p->null)
        return true;
    if (m->type != OID_TIMESTAMPTZ)
        return false;
    switch (unit) {
    case UNIT_TIMEZONE: p->value = m->offset; return true;
    case UNIT_TIMEZONE_HOUR: p->value = m->offset / 3600; return true;
    case UNIT_TIMEZONE_MINUTE: p->value = m->offset / 60 % 60; return true;
    default: return false;
    }
}

/* The day, and of the time what part of a day it is. */
static bool julian_numeric(int64_t local, struct arena *a, struct value *out, struct err *err)
{
    int64_t day = floor_div(local, USECS_PER_DAY);
    struct value rest;
    return numeric_div(numeric_from_int64(local - day * USECS_PER_DAY, a),
                       numeric_from_int64(USECS_PER_DAY, a), a, &rest, err) &&
           numeric_add(numeric_from_int64(day + EPOCH_JULIAN_DAY, a), rest, a, out, err);
}

static bool julian_float(int64_t local, struct value *out)
{
    int64_t day = floor_div(local, USECS_PER_DAY);
    int64_t rest = local - day * USECS_PER_DAY;
    double sec = (double)(rest / USECS_PER_SEC) + (double)(rest % USECS_PER_SEC) / 1000000.0;
    return fn_float(out, (double)(day + EPOCH_JULIAN_DAY) + sec / (double)SECS_PER_DAY);
}

static bool extract(const struct value *v, const struct moment *m, struct arena *a,
                    struct value *out, struct err *err)
{
    enum unit unit;
    struct part_number p;
    if (!unit_find(v[0], m->type, &unit, err))
        return false;
    if (unit >= UNIT_TIMEZONE) {
        if (!zone_part(unit, m, &p))
            return unit_unsupported(v[0], m->type, err);
        return part_numeric(p, a, out, err);
    }
    if (unit == UNIT_JULIAN && timestamp_is_finite(m->local))
        return julian_numeric(m->local, a, out, err);
    return part_numeric(timestamp_part(unit, m->local, m->instant), a, out, err);
}

static bool date_part(const struct value *v, const struct moment *m, struct value *out,
                      struct err *err)
{
    enum unit unit;
    struct part_number p;
    if (!unit_find(v[0], m->type, &unit, err))
        return false;
    if (unit >= UNIT_TIMEZONE) {
        if (!zone_part(unit, m, &p))
            return unit_unsupported(v[0], m->type, err);
        return part_float(p, out);
    }
    if (timestamp_is_finite(m->local)) {
        if (unit == UNIT_JULIAN)
            return julian_float(m->local, out);
        if (unit == UNIT_SECOND || unit == UNIT_MILLISECONDS)
            return seconds_float(unit, m->local, out);
    }
    return part_float(timestamp_part(unit, m->local, m->instant), out);
}

FN(fn_extract_date)
{
    enum unit unit;
    struct part_number p = {.scale = 0};
    if (!unit_find(v[0], OID_DATE, &unit, err))
        return false;
    if (unit < UNIT_DAY || unit >= UNIT_TIMEZONE)
        return unit_unsupported(v[0], OID_DATE, err);
    if (!date_is_finite(v[1].i))
        p = infinite_part(unit, v[1].i < 0);
    else if (unit == UNIT_EPOCH)
        p.value = (v[1].i + UNIX_EPOCH_DAYS) * SECS_PER_DAY;
    else
        p.value = calendar_part(unit, v[1].i);
    return part_numeric(p, cx->arena, out, err);
}

FN(fn_extract_ts)
{
    struct moment m;
    return moment_of(OID_TIMESTAMP, v[1].i, &m, err) && extract(v, &m, cx->arena, out, err);
}

FN(fn_extract_tstz)
{
    struct moment m;
    return moment_of(OID_TIMESTAMPTZ, v[1].i, &m, err) && extract(v, &m, cx->arena, out, err);
}

FN(fn_date_part_date)
{
    struct moment m;
    int64_t ts;
    return date_to_timestamp(v[1].i, &ts, err) && moment_of(OID_TIMESTAMP, ts, &m, err) &&
           date_part(v, &m, out, err);
}

FN(fn_date_part_ts)
{
    struct moment m;
    return moment_of(OID_TIMESTAMP, v[1].i, &m, err) && date_part(v, &m, out, err);
}

FN(fn_date_part_tstz)
{
    struct moment m;
    return moment_of(OID_TIMESTAMPTZ, v[1].i, &m, err) && date_part(v, &m, out, err);
}

/* The first year of the span (10, 100, 1000) that y is in. Decades begin with a 0, others a 1. */
static int64_t span_start(int64_t y, int64_t span)
{
    if (span == 10)
        return y > 0 ? y / 10 * 10 : -((8 - (y - 1)) / 10) * 10;
    return y > 0 ? (y + span - 1) / span * span - (span - 1)
                 : -((span - 1 - (y - 1)) / span) * span + 1;
}

/* The day a unit of a day or more begins on. */
static int64_t truncate_day(enum unit unit, int64_t date)
{
    int32_t y, m, d;
    date_to_civil(date, &y, &m, &d);
    switch (unit) {
    case UNIT_DAY: return date;
    case UNIT_WEEK: return date - iso_day_of_week(date) + 1;
    case UNIT_MONTH: return date_from_civil(y, m, 1);
    case UNIT_QUARTER: return date_from_civil(y, (m - 1) / 3 * 3 + 1, 1);
    case UNIT_YEAR: return date_from_civil(y, 1, 1);
    case UNIT_DECADE: return date_from_civil(span_start(y, 10), 1, 1);
    case UNIT_CENTURY: return date_from_civil(span_start(y, 100), 1, 1);
    default: return date_from_civil(span_start(y, 1000), 1, 1);
    }
}

static bool truncate_ts(enum unit unit, int64_t ts, int64_t *out, struct err *err)
{
    static const int64_t usecs[] = {1, 1000, USECS_PER_SEC, USECS_PER_MIN, USECS_PER_HOUR};
    int64_t day = floor_div(ts, USECS_PER_DAY);
    if (unit < UNIT_DAY) {
        *out = floor_div(ts, usecs[unit]) * usecs[unit];
        return true;
    }
    day = truncate_day(unit, day);
    if (day < DATE_MIN)
        return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
    *out = day * USECS_PER_DAY;
    return true;
}

FN(fn_trunc_ts)
{
    enum unit unit;
    int64_t r;
    if (!timestamp_is_finite(v[1].i))
        return fn_int(out, v[1].i);
    return unit_find_trunc(v[0], OID_TIMESTAMP, &unit, err) && truncate_ts(unit, v[1].i, &r, err) &&
           fn_int(out, r);
}

/* Days and longer begin at local midnight, with the offset of then; hours keep that of the value.
 */
FN(fn_trunc_tstz)
{
    enum unit unit;
    int64_t local, r, offset;
    if (!timestamp_is_finite(v[1].i))
        return fn_int(out, v[1].i);
    if (!unit_find_trunc(v[0], OID_TIMESTAMPTZ, &unit, err) ||
        !timestamptz_to_timestamp(v[1].i, &local, err) || !truncate_ts(unit, local, &r, err))
        return false;
    if (unit >= UNIT_DAY)
        return timestamp_to_timestamptz(r, &r, err) && fn_int(out, r);
    offset = zone_offset_at(v[1].i) * USECS_PER_SEC;
    return fn_int(out, r - offset);
}
