/*
 * datetime: the calendar and the clock behind date, timestamp and timestamptz.
 *
 * All three count from 2000-01-01: date in days (int32), the timestamps in microseconds (int64),
 * timestamptz in UTC. The proleptic Gregorian calendar, years astronomical in every interface here
 * (0 is 1 BC, as in struct datetime.year); ranges, error messages and the choice among ambiguous
 * local times are Postgres's.
 *
 * The zone is the one of the process: datetime_set_zone() once at start, before there are threads.
 * Everything else may be called from any thread.
 */
#ifndef PALIMPSEST_VALUE_DATETIME_H
#define PALIMPSEST_VALUE_DATETIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"

#define DATE_NOBEGIN      INT32_MIN /* -infinity */
#define DATE_NOEND        INT32_MAX /* infinity */
#define TIMESTAMP_NOBEGIN INT64_MIN
#define TIMESTAMP_NOEND   INT64_MAX

/* Valid finite values are min <= v < end. */
#define DATE_MIN      (-2451545) /* 4714-11-24 BC */
#define DATE_END      2145031949 /* 5874898-01-01 */
#define TIMESTAMP_MIN (-211813488000000000LL)
#define TIMESTAMP_END 9223371331200000000LL /* 294277-01-01 */

#define USECS_PER_SEC  1000000LL
#define USECS_PER_MIN  60000000LL
#define USECS_PER_HOUR 3600000000LL
#define USECS_PER_DAY  86400000000LL
#define SECS_PER_DAY   86400

#define EPOCH_JULIAN_DAY 2451545 /* Julian day number of 2000-01-01 */
#define UNIX_EPOCH_DAYS  10957   /* 1970-01-01 to 2000-01-01 */

struct datetime {
    int32_t year;  /* astronomical: 0 is 1 BC */
    int32_t month; /* 1-12 */
    int32_t day;   /* 1-31 */
    int32_t hour, minute, second;
    int32_t usec;
};

/* Uses the named zone (as in TZ) from now on; NULL keeps that of the environment. */
void datetime_set_zone(const char *name);

static inline bool date_is_finite(int64_t d)
{
    return d != DATE_NOBEGIN && d != DATE_NOEND;
}
static inline bool timestamp_is_finite(int64_t t)
{
    return t != TIMESTAMP_NOBEGIN && t != TIMESTAMP_NOEND;
}
static inline bool date_in_range(int64_t d)
{
    return d >= DATE_MIN && d < DATE_END;
}
static inline bool timestamp_in_range(int64_t t)
{
    return t >= TIMESTAMP_MIN && t < TIMESTAMP_END;
}

/* Days since 2000-01-01 of a calendar day, and back; month 1-12, any year in date's range. */
int64_t date_from_civil(int64_t year, int month, int day);
void date_to_civil(int64_t days, int32_t *year, int32_t *month, int32_t *day);
int days_in_month(int64_t year, int month);

/* Finite values only. timestamp_from_fields() wants valid fields and may give a value out of range,
 * which the caller checks; false: not even an int64 holds it. */
void timestamp_to_fields(int64_t ts, struct datetime *dt);
MUST_CHECK bool timestamp_from_fields(const struct datetime *dt, int64_t *ts);

/* Seconds east of Greenwich of the local zone, at an instant (timestamptz) and for a local time: in
 * the hour that a change of the clock skips the offset before it counts, in the hour it repeats the
 * one after it. Finite values only. */
int32_t zone_offset_at(int64_t tstz);
int32_t zone_offset_local(int64_t ts);

/* Conversions among the three; infinities map to each other. 22008 when out of the target's range.
 */
MUST_CHECK bool timestamp_to_timestamptz(int64_t ts, int64_t *out, struct err *err);
MUST_CHECK bool timestamptz_to_timestamp(int64_t tstz, int64_t *out, struct err *err);
MUST_CHECK bool date_to_timestamp(int64_t date, int64_t *out, struct err *err);
MUST_CHECK bool date_to_timestamptz(int64_t date, int64_t *out, struct err *err);
int64_t timestamp_to_date(int64_t ts);
MUST_CHECK bool timestamptz_to_date(int64_t tstz, int64_t *out, struct err *err);

/* Comparison across types without the range error of a conversion: a date beyond timestamp's range
 * is greater than any finite timestamp. */
int date_cmp_timestamp(int64_t date, int64_t ts);
int date_cmp_timestamptz(int64_t date, int64_t tstz);
int timestamp_cmp_timestamptz(int64_t ts, int64_t tstz);

/* Text forms: ISO style as Postgres's output functions print it ("2024-01-31 BC", with a blank
 * before the time), and the XSD one of to_json ("T" before the time, offset with minutes). No
 * quotes. */
enum datetime_style {
    DATETIME_ISO,
    DATETIME_XSD
};
void date_print(int64_t date, struct buf *b);
void timestamp_print(int64_t ts, enum datetime_style style, struct buf *b);
void timestamptz_print(int64_t tstz, enum datetime_style style, struct buf *b);

/* time is microseconds of the day, 24:00:00 included; a timetz has an offset too, in seconds east of
 * Greenwich. */
void time_print(int64_t time, struct buf *b);
void timetz_print(int64_t time, int32_t offset, struct buf *b);

/* Read the ISO output form back (not all that Postgres takes as input). 22007 if it isn't. */
MUST_CHECK bool date_parse(const char *s, size_t len, int64_t *out, struct err *err);
MUST_CHECK bool timestamp_parse(const char *s, size_t len, int64_t *out, struct err *err);
MUST_CHECK bool timestamptz_parse(const char *s, size_t len, int64_t *out, struct err *err);
MUST_CHECK bool time_parse(const char *s, size_t len, int64_t *out, struct err *err);
MUST_CHECK bool timetz_parse(const char *s, size_t len, int64_t *out, int32_t *offset,
                             struct err *err);

#endif
