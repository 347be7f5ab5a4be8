/*
 * datetime: calendar arithmetic, the local zone, and conversions between the three types. Their
 * text forms are in datetime_text.c.
 *
 * The zone's rules are libc's: localtime_r() says the offset at an instant, and everything else is
 * derived from that. Where the zone is UTC, as it mostly is, libc isn't asked at all.
 */
#include "engine/value/datetime.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNIX_EPOCH_SECS ((int64_t)UNIX_EPOCH_DAYS * SECS_PER_DAY)

/* ------------------------------------------------------------ calendar */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/*
 * Days are counted in eras of 400 years (146097 days) that begin on 1 March, so that the leap day
 * is the last of its year. 2000-03-01 begins an era and is day 60.
 */
#define DAYS_PER_ERA 146097
#define ERA_START    60

int64_t date_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (era - 5) * DAYS_PER_ERA + day_of_era + ERA_START;
}

void date_to_civil(int64_t days, int32_t *year, int32_t *month, int32_t *day)
{
    days -= ERA_START;
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t doe = days - era * DAYS_PER_ERA;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t month_from_march = (5 * doy + 2) / 153;
    *day = (int32_t)(doy - (153 * month_from_march + 2) / 5 + 1);
    *month = (int32_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = (int32_t)((era + 5) * 400 + yoe + (*month <= 2));
}

int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

void timestamp_to_fields(int64_t ts, struct datetime *dt)
{
    int64_t days = floor_div(ts, USECS_PER_DAY);
    int64_t rest = ts % USECS_PER_DAY;
    if (rest < 0)
        rest += USECS_PER_DAY;
    date_to_civil(days, &dt->year, &dt->month, &dt->day);
    dt->hour = (int32_t)(rest / USECS_PER_HOUR);
    dt->minute = (int32_t)(rest / USECS_PER_MIN % 60);
    dt->second = (int32_t)(rest / USECS_PER_SEC % 60);
    dt->usec = (int32_t)(rest % USECS_PER_SEC);
}

bool timestamp_from_fields(const struct datetime *dt, int64_t *ts)
{
    int64_t days = date_from_civil(dt->year, dt->month, dt->day);
    int64_t rest = dt->hour * USECS_PER_HOUR + dt->minute * USECS_PER_MIN +
                   dt->second * USECS_PER_SEC + dt->usec;
    int64_t whole;
    return !__builtin_mul_overflow(days, USECS_PER_DAY, &whole) &&
           !__builtin_add_overflow(whole, rest, ts);
}

/* ------------------------------------------------------------ the zone */

static bool zone_is_utc; /* set before there are threads, see datetime_set_zone() */

void datetime_set_zone(const char *name)
{
    static const char *const utc[] = {"UTC",       "Etc/UTC",       "UCT",          "Etc/UCT",
                                      "Universal", "Etc/Zulu",      "Zulu",         "Etc/GMT",
                                      "GMT",       "Etc/Universal", "Greenwich",    "UTC0",
                                      "Etc/GMT0",  "GMT0",          "Etc/Greenwich"};
    if (name)
        setenv("TZ", name, 1);
    tzset();
    name = getenv("TZ");
    zone_is_utc = false;
    for (size_t i = 0; name && i < sizeof utc / sizeof *utc; i++)
        zone_is_utc = zone_is_utc || strcmp(name, utc[i]) == 0;
}

/* The offset at a second since 2000-01-01 00:00 UTC. */
static int32_t offset_at_second(int64_t sec)
{
    time_t t = (time_t)(sec + UNIX_EPOCH_SECS);
    struct tm tm;
    if (zone_is_utc || !localtime_r(&t, &tm))
        return 0;
    return (int32_t)tm.tm_gmtoff;
}

int32_t zone_offset_at(int64_t tstz)
{
    return zone_is_utc ? 0 : offset_at_second(floor_div(tstz, USECS_PER_SEC));
}

/* The first second after low, up to high, at which the offset isn't the one at low any more. */
static int64_t find_transition(int64_t low, int64_t high)
{
    int32_t before = offset_at_second(low);
    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;
        if (offset_at_second(mid) == before)
            low = mid;
        else
            high = mid;
    }
    return high;
}

int32_t zone_offset_local(int64_t ts)
{
    if (zone_is_utc)
        return 0;
    /* No offset is as large as a day, so the instant is within a day of the local time read as UTC.
     */
    int64_t local = floor_div(ts, USECS_PER_SEC);
    int32_t before = offset_at_second(local - SECS_PER_DAY);
    int32_t after = offset_at_second(local + SECS_PER_DAY);
    if (before == after)
        return before;
    int64_t transition = find_transition(local - SECS_PER_DAY, local + SECS_PER_DAY);
    after = offset_at_second(transition);
    if (local - before < transition && local - after < transition)
        return before;
    if (local - before > transition && local - after >= transition)
        return after;
    /* In the gap of a clock set forward, or in the hour that one set back repeats. */
    return before < after ? before : after;
}

/* ------------------------------------------------------------ conversions */

static bool timestamp_range(struct err *err)
{
    return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range");
}

bool timestamp_to_timestamptz(int64_t ts, int64_t *out, struct err *err)
{
    *out = ts;
    if (!timestamp_is_finite(ts))
        return true;
    *out = ts - zone_offset_local(ts) * USECS_PER_SEC;
    return timestamp_in_range(*out) || timestamp_range(err);
}

bool timestamptz_to_timestamp(int64_t tstz, int64_t *out, struct err *err)
{
    *out = tstz;
    if (!timestamp_is_finite(tstz))
        return true;
    *out = tstz + zone_offset_at(tstz) * USECS_PER_SEC;
    return timestamp_in_range(*out) || timestamp_range(err);
}

static bool infinite_date(int64_t date, int64_t *out)
{
    *out = date == DATE_NOBEGIN ? TIMESTAMP_NOBEGIN : TIMESTAMP_NOEND;
    return !date_is_finite(date);
}

static bool date_too_large(struct err *err)
{
    return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "date out of range for timestamp");
}

bool date_to_timestamp(int64_t date, int64_t *out, struct err *err)
{
    if (infinite_date(date, out))
        return true;
    if (date >= TIMESTAMP_END / USECS_PER_DAY)
        return date_too_large(err);
    *out = date * USECS_PER_DAY;
    return true;
}

bool date_to_timestamptz(int64_t date, int64_t *out, struct err *err)
{
    int64_t ts;
    if (!date_to_timestamp(date, &ts, err))
        return false;
    *out = ts;
    if (date_is_finite(date))
        *out = ts - zone_offset_local(ts) * USECS_PER_SEC;
    return !timestamp_is_finite(*out) || timestamp_in_range(*out) || date_too_large(err);
}

int64_t timestamp_to_date(int64_t ts)
{
    if (!timestamp_is_finite(ts))
        return ts == TIMESTAMP_NOBEGIN ? DATE_NOBEGIN : DATE_NOEND;
    return floor_div(ts, USECS_PER_DAY);
}

bool timestamptz_to_date(int64_t tstz, int64_t *out, struct err *err)
{
    int64_t ts = tstz;
    if (timestamp_is_finite(tstz))
        ts += zone_offset_at(tstz) * USECS_PER_SEC;
    *out = timestamp_to_date(ts);
    return !date_is_finite(*out) || date_in_range(*out) || timestamp_range(err);
}

/* ------------------------------------------------------------ comparison across types */

static int cmp_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int date_cmp_timestamp(int64_t date, int64_t ts)
{
    int64_t as_ts;
    if (!infinite_date(date, &as_ts)) {
        if (date >= TIMESTAMP_END / USECS_PER_DAY)
            return ts == TIMESTAMP_NOEND ? -1 : 1;
        as_ts = date * USECS_PER_DAY;
    }
    return cmp_i64(as_ts, ts);
}

int timestamp_cmp_timestamptz(int64_t ts, int64_t tstz)
{
    if (timestamp_is_finite(ts)) {
        ts -= zone_offset_local(ts) * USECS_PER_SEC;
        if (ts >= TIMESTAMP_END)
            return tstz == TIMESTAMP_NOEND ? -1 : 1;
        if (ts < TIMESTAMP_MIN)
            return tstz == TIMESTAMP_NOBEGIN ? 1 : -1;
    }
    return cmp_i64(ts, tstz);
}

int date_cmp_timestamptz(int64_t date, int64_t tstz)
{
    int64_t as_ts;
    if (!infinite_date(date, &as_ts)) {
        if (date >= TIMESTAMP_END / USECS_PER_DAY)
            return tstz == TIMESTAMP_NOEND ? -1 : 1;
        as_ts = date * USECS_PER_DAY;
    }
    return timestamp_cmp_timestamptz(as_ts, tstz);
}
