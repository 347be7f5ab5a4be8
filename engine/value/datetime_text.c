/*
 * datetime_text: dates and times as Postgres prints them, and back. See datetime.h.
 *
 * Reading takes exactly what is printed in ISO style: year of four digits or more, one blank before
 * the time, up to six decimals, an offset of hours, minutes and seconds, " BC" at the very end.
 */
#include "engine/value/datetime.h"

#include <stdlib.h>

/* ------------------------------------------------------------ out */

static char *put2(char *p, int v)
{
    *p++ = (char)('0' + v / 10);
    *p++ = (char)('0' + v % 10);
    return p;
}

static char *put_year(char *p, int32_t year)
{
    char tmp[12];
    int n = 0;
    do {
        tmp[n++] = (char)('0' + year % 10);
        year /= 10;
    } while (year || n < 4);
    while (n)
        *p++ = tmp[--n];
    return p;
}

static char *put_date(char *p, int32_t year, int month, int day)
{
    p = put_year(p, year > 0 ? year : 1 - year);
    *p++ = '-';
    p = put2(p, month);
    *p++ = '-';
    return put2(p, day);
}

static char *put_time(char *p, const struct datetime *dt)
{
    p = put2(p, dt->hour);
    *p++ = ':';
    p = put2(p, dt->minute);
    *p++ = ':';
    p = put2(p, dt->second);
    if (!dt->usec)
        return p;
    *p++ = '.';
    p = put2(p, dt->usec / 10000);
    p = put2(p, dt->usec / 100 % 100);
    p = put2(p, dt->usec % 100);
    while (p[-1] == '0')
        p--;
    return p;
}

static char *put_offset(char *p, int32_t offset, enum datetime_style style)
{
    int32_t sec = abs(offset), min = sec / 60;
    *p++ = offset < 0 ? '-' : '+';
    p = put2(p, min / 60);
    if (sec % 60 || min % 60 || style == DATETIME_XSD) {
        *p++ = ':';
        p = put2(p, min % 60);
    }
    if (sec % 60) {
        *p++ = ':';
        p = put2(p, sec % 60);
    }
    return p;
}

static char *put_era(char *p, int32_t year)
{
    if (year <= 0) {
        memcpy(p, " BC", 3);
        p += 3;
    }
    return p;
}

#define TEXT_MAX 64

void date_print(int64_t date, struct buf *b)
{
    if (!date_is_finite(date)) {
        buf_adds(b, date == DATE_NOBEGIN ? "-infinity" : "infinity");
        return;
    }
    int32_t year, month, day;
    char text[TEXT_MAX];
    date_to_civil(date, &year, &month, &day);
    char *p = put_era(put_date(text, year, month, day), year);
    buf_add(b, text, (size_t)(p - text));
}

/* local: the timestamp to show; offset is added where zoned. */
static void print_finite(int64_t local, bool zoned, int32_t offset, enum datetime_style style,
                         struct buf *b)
{
    struct datetime dt;
    char text[TEXT_MAX];
    timestamp_to_fields(local, &dt);
    char *p = put_date(text, dt.year, dt.month, dt.day);
    *p++ = style == DATETIME_XSD ? 'T' : ' ';
    p = put_time(p, &dt);
    if (zoned)
        p = put_offset(p, offset, style);
    p = put_era(p, dt.year);
    buf_add(b, text, (size_t)(p - text));
}

static bool print_infinite(int64_t ts, struct buf *b)
{
    if (timestamp_is_finite(ts))
        return false;
    buf_adds(b, ts == TIMESTAMP_NOBEGIN ? "-infinity" : "infinity");
    return true;
}

void timestamp_print(int64_t ts, enum datetime_style style, struct buf *b)
{
    if (!print_infinite(ts, b))
        print_finite(ts, false, 0, style, b);
}

void timestamptz_print(int64_t tstz, enum datetime_style style, struct buf *b)
{
    if (print_infinite(tstz, b))
        return;
    int32_t offset = zone_offset_at(tstz);
    print_finite(tstz + offset * USECS_PER_SEC, true, offset, style, b);
}

static char *put_time_of_day(char *p, int64_t time)
{
    struct datetime dt = {.hour = (int32_t)(time / USECS_PER_HOUR),
                          .minute = (int32_t)(time / USECS_PER_MIN % 60),
                          .second = (int32_t)(time / USECS_PER_SEC % 60),
                          .usec = (int32_t)(time % USECS_PER_SEC)};
    return put_time(p, &dt);
}

void time_print(int64_t time, struct buf *b)
{
    char text[TEXT_MAX];
    buf_add(b, text, (size_t)(put_time_of_day(text, time) - text));
}

void timetz_print(int64_t time, int32_t offset, struct buf *b)
{
    char text[TEXT_MAX];
    char *p = put_offset(put_time_of_day(text, time), offset, DATETIME_ISO);
    buf_add(b, text, (size_t)(p - text));
}

/* ------------------------------------------------------------ in */

struct scan {
    const char *p, *end;
};

/* Between min and max digits. */
static bool scan_number(struct scan *s, int min, int max, int32_t *out)
{
    int n = 0;
    *out = 0;
    while (n < max && s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        *out = *out * 10 + (*s->p++ - '0');
        n++;
    }
    return n >= min;
}

static bool scan_char(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool scan_date(struct scan *s, struct datetime *dt)
{
    return scan_number(s, 4, 7, &dt->year) && scan_char(s, '-') &&
           scan_number(s, 2, 2, &dt->month) && scan_char(s, '-') &&
           scan_number(s, 2, 2, &dt->day) && dt->month >= 1 && dt->month <= 12;
}

static bool scan_fraction(struct scan *s, int32_t *usec)
{
    const char *start = s->p;
    if (!scan_number(s, 1, 6, usec))
        return false;
    for (int n = (int)(s->p - start); n < 6; n++)
        *usec *= 10;
    return true;
}

static bool scan_time(struct scan *s, struct datetime *dt)
{
    if (!scan_number(s, 2, 2, &dt->hour) || !scan_char(s, ':') ||
        !scan_number(s, 2, 2, &dt->minute) || !scan_char(s, ':') ||
        !scan_number(s, 2, 2, &dt->second) || dt->hour > 24 || dt->minute > 59 || dt->second > 60)
        return false;
    dt->usec = 0;
    return !scan_char(s, '.') || scan_fraction(s, &dt->usec);
}

static bool scan_offset(struct scan *s, int32_t *offset)
{
    int32_t hour, min = 0, sec = 0;
    bool neg = scan_char(s, '-');
    if ((!neg && !scan_char(s, '+')) || !scan_number(s, 2, 2, &hour))
        return false;
    if (scan_char(s, ':') && !scan_number(s, 2, 2, &min))
        return false;
    if (scan_char(s, ':') && !scan_number(s, 2, 2, &sec))
        return false;
    *offset = (hour * 60 + min) * 60 + sec;
    if (neg)
        *offset = -*offset;
    return true;
}

/* The end of the text: " BC", or nothing. The day can be checked only once the era is known. */
static bool scan_era(struct scan *s, struct datetime *dt)
{
    if (s->end - s->p == 3 && memcmp(s->p, " BC", 3) == 0) {
        dt->year = 1 - dt->year;
        s->p = s->end;
    }
    return s->p == s->end && dt->day >= 1 && dt->day <= days_in_month(dt->year, dt->month);
}

static bool is_word(const char *s, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(s, word, len) == 0;
}

static bool bad_syntax(const char *type, const char *s, size_t len, struct err *err)
{
    return err_set(err, ERR_INVALID_DATETIME, "invalid input syntax for type %s: \"%.*s\"", type,
                   (int)(len < 200 ? len : 200), s);
}

bool date_parse(const char *s, size_t len, int64_t *out, struct err *err)
{
    struct scan sc = {s, s + len};
    struct datetime dt;
    if (is_word(s, len, "infinity")) {
        *out = DATE_NOEND;
        return true;
    }
    if (is_word(s, len, "-infinity")) {
        *out = DATE_NOBEGIN;
        return true;
    }
    if (!scan_date(&sc, &dt) || !scan_era(&sc, &dt))
        return bad_syntax("date", s, len, err);
    *out = date_from_civil(dt.year, dt.month, dt.day);
    return date_in_range(*out) ||
           err_set(err, ERR_DATETIME_OUT_OF_RANGE, "date out of range: \"%.*s\"", (int)len, s);
}

static bool parse_timestamp(const char *s, size_t len, bool zoned, int64_t *out, struct err *err)
{
    const char *type = zoned ? "timestamp with time zone" : "timestamp";
    struct scan sc = {s, s + len};
    struct datetime dt;
    int32_t offset = 0;
    if (is_word(s, len, "infinity")) {
        *out = TIMESTAMP_NOEND;
        return true;
    }
    if (is_word(s, len, "-infinity")) {
        *out = TIMESTAMP_NOBEGIN;
        return true;
    }
    if (!scan_date(&sc, &dt) || !scan_char(&sc, ' ') || !scan_time(&sc, &dt) ||
        (zoned && !scan_offset(&sc, &offset)) || !scan_era(&sc, &dt))
        return bad_syntax(type, s, len, err);
    if (timestamp_from_fields(&dt, out)) {
        *out -= offset * USECS_PER_SEC;
        if (timestamp_in_range(*out))
            return true;
    }
    return err_set(err, ERR_DATETIME_OUT_OF_RANGE, "timestamp out of range: \"%.*s\"", (int)len, s);
}

bool timestamp_parse(const char *s, size_t len, int64_t *out, struct err *err)
{
    return parse_timestamp(s, len, false, out, err);
}

bool timestamptz_parse(const char *s, size_t len, int64_t *out, struct err *err)
{
    return parse_timestamp(s, len, true, out, err);
}

static int64_t usecs_of_day(const struct datetime *dt)
{
    return dt->hour * USECS_PER_HOUR + dt->minute * USECS_PER_MIN + dt->second * USECS_PER_SEC +
           dt->usec;
}

bool time_parse(const char *s, size_t len, int64_t *out, struct err *err)
{
    struct scan sc = {s, s + len};
    struct datetime dt;
    if (!scan_time(&sc, &dt) || sc.p != sc.end)
        return bad_syntax("time", s, len, err);
    *out = usecs_of_day(&dt);
    return *out <= USECS_PER_DAY || bad_syntax("time", s, len, err);
}

bool timetz_parse(const char *s, size_t len, int64_t *out, int32_t *offset, struct err *err)
{
    struct scan sc = {s, s + len};
    struct datetime dt;
    if (!scan_time(&sc, &dt) || !scan_offset(&sc, offset) || sc.p != sc.end)
        return bad_syntax("time with time zone", s, len, err);
    *out = usecs_of_day(&dt);
    return *out <= USECS_PER_DAY || bad_syntax("time with time zone", s, len, err);
}
