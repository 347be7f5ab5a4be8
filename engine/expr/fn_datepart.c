/*
 * fn_datepart: extract(), date_part() and date_trunc().
 *
 * Called through pgfuncs.def. extract gives numeric, date_part double precision, of the same parts;
 * of a timestamptz they are the parts of the local time. Units are looked up by the names Postgres
 * documents; for a name we don't know or a part we don't compute the row is refused at run time
 * (0A000), since what Postgres does with it may be more than an error.
 *
 * Of an infinite value the parts that grow without end (year, epoch…) are infinite, others NULL.
 */
#include <assert.h>
#include <math.h>

#include "engine/expr/pgfuncs.h"
#include "engine/value/datetime.h"
#include "engine/value/numeric.h"

enum unit {
    UNIT_MICROSECONDS,
    UNIT_MILLISECONDS,
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    UNIT_DECADE,
    UNIT_CENTURY,
    UNIT_MILLENNIUM, /* up to here also for date_trunc */
    UNIT_DOW,
    UNIT_ISODOW,
    UNIT_DOY,
    UNIT_ISOYEAR,
    UNIT_EPOCH
};

static const struct unit_name {
    const char *name;
    enum unit unit;
} unit_names[] = {
    {"century", UNIT_CENTURY},
    {"centuries", UNIT_CENTURY},
    {"day", UNIT_DAY},
    {"days", UNIT_DAY},
    {"decade", UNIT_DECADE},
    {"decades", UNIT_DECADE},
    {"dow", UNIT_DOW},
    {"doy", UNIT_DOY},
    {"epoch", UNIT_EPOCH},
    {"hour", UNIT_HOUR},
    {"hours", UNIT_HOUR},
    {"isodow", UNIT_ISODOW},
    {"isoyear", UNIT_ISOYEAR},
    {"microseconds", UNIT_MICROSECONDS},
    {"millennium", UNIT_MILLENNIUM},
    {"millennia", UNIT_MILLENNIUM},
    {"milliseconds", UNIT_MILLISECONDS},
    {"minute", UNIT_MINUTE},
    {"minutes", UNIT_MINUTE},
    {"month", UNIT_MONTH},
    {"months", UNIT_MONTH},
    {"quarter", UNIT_QUARTER},
    {"second", UNIT_SECOND},
    {"seconds", UNIT_SECOND},
    {"week", UNIT_WEEK},
    {"weeks", UNIT_WEEK},
    {"year", UNIT_YEAR},
    {"years", UNIT_YEAR},
};

static bool find_unit(struct value name, enum unit *unit, const char *function, struct err *err)
{
    for (size_t i = 0; i < sizeof unit_names / sizeof unit_names[0]; i++) {
        const char *n = unit_names[i].name;
        if (strlen(n) == name.len && strncasecmp(n, (const char *)name.p, name.len) == 0) {
            *unit = unit_names[i].unit;
            return true;
        }
    }
    return err_set(err, ERR_FEATURE_NOT_SUPPORTED, "%s with unit \"%.*s\" is not supported",
                   function, name.len > 64 ? 64 : (int)name.len, (const char *)name.p);
}

/* A part as an exact decimal: value * 10^-scale. Only the epoch of the last years needs 128 bits. */
struct part {
    int128_t value;
    int scale;
    bool null, infinite, negative; /* infinite: with its sign */
};

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
    default: assert(!"not a part of a day"); return 0;
    }
}

static struct part infinite_part(enum unit unit, bool negative)
{
    struct part p = {.negative = negative};
    p.infinite = unit == UNIT_YEAR || unit == UNIT_DECADE || unit == UNIT_CENTURY ||
                 unit == UNIT_MILLENNIUM || unit == UNIT_ISOYEAR || unit == UNIT_EPOCH;
    p.null = !p.infinite;
    return p;
}

/* The part of a local time; `instant` is what epoch counts, the same but for timestamptz. */
static struct part timestamp_part(enum unit unit, int64_t local, int64_t instant)
{
    struct part p = {.scale = 0};
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

/* An epoch in microseconds beyond 64 bits: Postgres divides, with the few digits that numeric
 * division keeps of so large a quotient. */
static bool long_epoch(struct part p, struct arena *a, struct value *out, struct err *err)
{
    return numeric_div(numeric_from_int128(p.value, 0, a), numeric_from_int64(USECS_PER_SEC, a), a,
                       out, err) &&
           numeric_round(*out, 6, a, out, err);
}

static bool part_numeric(struct part p, struct arena *a, struct value *out, struct err *err)
{
    if (p.infinite)
        return numeric_parse(p.negative ? "-Infinity" : "Infinity", p.negative ? 9 : 8, a, out,
                             err);
    if (p.value != (int64_t)p.value)
        return long_epoch(p, a, out, err);
    *out = p.null ? value_null() : numeric_from_int128(p.value, p.scale, a);
    return true;
}

/* Divided once, as Postgres does it, so that the last digit is the same. */
static bool part_float(struct part p, struct value *out)
{
    if (p.null) {
        *out = value_null();
        return true;
    }
    if (p.infinite)
        return fn_float(out, p.negative ? -INFINITY : INFINITY);
    return fn_float(out, (double)p.value / (p.scale == 6 ? 1e6 : p.scale == 3 ? 1e3 : 1));
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

static bool date_part_of(enum unit unit, int64_t local, int64_t instant, struct value *out)
{
    if ((unit == UNIT_SECOND || unit == UNIT_MILLISECONDS) && timestamp_is_finite(local))
        return seconds_float(unit, local, out);
    return part_float(timestamp_part(unit, local, instant), out);
}

FN(fn_extract_date)
{
    enum unit unit;
    struct part p = {.scale = 0};
    if (!find_unit(v[0], &unit, "extract from date", err))
        return false;
    if (unit < UNIT_DAY)
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED, "unit \"%.*s\" not supported for type date",
                       (int)v[0].len, (const char *)v[0].p);
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
    enum unit unit;
    return find_unit(v[0], &unit, "extract", err) &&
           part_numeric(timestamp_part(unit, v[1].i, v[1].i), cx->arena, out, err);
}

FN(fn_extract_tstz)
{
    enum unit unit;
    int64_t local;
    return find_unit(v[0], &unit, "extract", err) &&
           timestamptz_to_timestamp(v[1].i, &local, err) &&
           part_numeric(timestamp_part(unit, local, v[1].i), cx->arena, out, err);
}

FN(fn_date_part_date)
{
    enum unit unit;
    int64_t local;
    return find_unit(v[0], &unit, "date_part", err) && date_to_timestamp(v[1].i, &local, err) &&
           date_part_of(unit, local, local, out);
}

FN(fn_date_part_ts)
{
    enum unit unit;
    return find_unit(v[0], &unit, "date_part", err) && date_part_of(unit, v[1].i, v[1].i, out);
}

FN(fn_date_part_tstz)
{
    enum unit unit;
    int64_t local;
    return find_unit(v[0], &unit, "date_part", err) &&
           timestamptz_to_timestamp(v[1].i, &local, err) && date_part_of(unit, local, v[1].i, out);
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

static bool trunc_unit(struct value name, enum unit *unit, struct err *err)
{
    if (!find_unit(name, unit, "date_trunc", err))
        return false;
    if (*unit > UNIT_MILLENNIUM)
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED, "unit \"%.*s\" not supported for date_trunc",
                       (int)name.len, (const char *)name.p);
    return true;
}

FN(fn_trunc_ts)
{
    enum unit unit;
    int64_t r;
    if (!timestamp_is_finite(v[1].i))
        return fn_int(out, v[1].i);
    return trunc_unit(v[0], &unit, err) && truncate_ts(unit, v[1].i, &r, err) && fn_int(out, r);
}

/* Days and longer begin at local midnight, with the offset of then; hours keep that of the value.
 */
FN(fn_trunc_tstz)
{
    enum unit unit;
    int64_t local, r, offset;
    if (!timestamp_is_finite(v[1].i))
        return fn_int(out, v[1].i);
    if (!trunc_unit(v[0], &unit, err) || !timestamptz_to_timestamp(v[1].i, &local, err) ||
        !truncate_ts(unit, local, &r, err))
        return false;
    if (unit >= UNIT_DAY)
        return timestamp_to_timestamptz(r, &r, err) && fn_int(out, r);
    offset = zone_offset_at(v[1].i) * USECS_PER_SEC;
    return fn_int(out, r - offset);
}
