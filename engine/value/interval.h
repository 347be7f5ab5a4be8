/*
 * interval: the types that are not one number: interval and timetz.
 *
 * An interval has three parts that don't mix in arithmetic (a month is no fixed number of days, a
 * day no fixed number of hours) but do in comparison: there a month is 30 days and a day 24 hours,
 * so that '1 mon' = '30 days' = '720:00:00'. A timetz is ordered by its instant first and then by
 * its offset: equal only where both parts are.
 *
 * Both lie in 16 bytes (REP_FIXED16). Text and error messages are Postgres's.
 */
#ifndef PALIMPSEST_VALUE_INTERVAL_H
#define PALIMPSEST_VALUE_INTERVAL_H

#include <string.h>

#include "engine/value/datetime.h"
#include "engine/value/value.h"

struct interval {
    int64_t time; /* microseconds */
    int32_t day, month;
};

struct timetz {
    int64_t time;   /* microseconds of the local day */
    int32_t offset; /* seconds east of Greenwich */
    int32_t zero;
};

static inline struct interval interval_load(struct value v)
{
    struct interval iv;
    memcpy(&iv, v.p, sizeof iv);
    return iv;
}

static inline struct value interval_store(struct interval iv, struct arena *a)
{
    return value_bytes(arena_memdup(a, &iv, sizeof iv), sizeof iv);
}

static inline struct timetz timetz_load(struct value v)
{
    struct timetz t;
    memcpy(&t, v.p, sizeof t);
    return t;
}

static inline struct value timetz_store(struct timetz t, struct arena *a)
{
    t.zero = 0;
    return value_bytes(arena_memdup(a, &t, sizeof t), sizeof t);
}

/* Since version 17 Postgres has infinite intervals, all of whose parts are extreme; before, what
 * would be one is an error. Called once the server's version is known, from any thread. */
void interval_have_infinity(bool have);
bool interval_has_infinity(void);
static inline bool interval_is_finite(struct interval iv)
{
    return !(iv.month == INT32_MAX && iv.day == INT32_MAX && iv.time == INT64_MAX) &&
           !(iv.month == INT32_MIN && iv.day == INT32_MIN && iv.time == INT64_MIN);
}
static inline struct interval interval_infinity(bool negative)
{
    return negative ? (struct interval){INT64_MIN, INT32_MIN, INT32_MIN}
                    : (struct interval){INT64_MAX, INT32_MAX, INT32_MAX};
}

/* Microseconds, a month counted as 30 days: what intervals are compared by. */
static inline __int128 interval_span(struct interval iv)
{
    return ((__int128)iv.month * 30 + iv.day) * USECS_PER_DAY + iv.time;
}

int interval_cmp(struct interval a, struct interval b);
uint64_t interval_hash(struct interval iv);
int timetz_cmp(struct timetz a, struct timetz b);

/* IntervalStyle postgres, without quotes. */
void interval_print(struct interval iv, struct buf *b);
/* Reads what interval_print() prints; 22007 if it isn't. */
MUST_CHECK bool interval_parse(const char *s, size_t len, struct interval *out, struct err *err);

/* ------------------------------------------------------------ arithmetic */

/* 22008 "interval out of range" where a part overflows. */
MUST_CHECK bool interval_add(struct interval a, struct interval b, struct interval *out,
                             struct err *err);
MUST_CHECK bool interval_sub(struct interval a, struct interval b, struct interval *out,
                             struct err *err);
MUST_CHECK bool interval_neg(struct interval a, struct interval *out, struct err *err);
MUST_CHECK bool interval_mul(struct interval a, double factor, struct interval *out,
                             struct err *err);
MUST_CHECK bool interval_div(struct interval a, double divisor, struct interval *out,
                             struct err *err);
/* Whole days of 24 hours become days; months of 30 days months. */
MUST_CHECK bool interval_justify_hours(struct interval a, struct interval *out, struct err *err);
MUST_CHECK bool interval_justify_days(struct interval a, struct interval *out, struct err *err);
MUST_CHECK bool interval_justify(struct interval a, struct interval *out, struct err *err);

/* A moment and an interval: months first (the day is clamped to the month's last), then days, then
 * the time; zoned: months and days are steps of the local calendar. */
MUST_CHECK bool timestamp_add_interval(int64_t ts, struct interval iv, bool zoned, int64_t *out,
                                       struct err *err);
/* a - b in days and time. */
MUST_CHECK bool timestamp_diff(int64_t a, int64_t b, struct interval *out, struct err *err);
/* age(): a - b by the calendar, in years, months, days and time. Both are local times, whose order
 * may not be that of the instants they stand for. */
MUST_CHECK bool timestamp_age(int64_t a, int64_t b, bool a_is_earlier, struct interval *out,
                              struct err *err);

#endif
