/*
 * interval: comparison and text. Arithmetic is in interval_arith.c. See interval.h.
 *
 * The text form has a part for each field that isn't zero, each with its own sign: "1 year -2 mons
 * +3 days -04:05:06.7". A plus is printed only after a negative part.
 */
#include "engine/value/interval.h"

#include <stdlib.h>

#include "engine/base/hash.h"

int interval_cmp(struct interval a, struct interval b)
{
    __int128 x = interval_span(a), y = interval_span(b);
    return (x > y) - (x < y);
}

uint64_t interval_hash(struct interval iv)
{
    __int128 span = interval_span(iv);
    return hash_mix(hash_mix(0, (uint64_t)span), (uint64_t)(span >> 64));
}

int timetz_cmp(struct timetz a, struct timetz b)
{
    int64_t x = a.time - a.offset * USECS_PER_SEC, y = b.time - b.offset * USECS_PER_SEC;
    if (x != y)
        return x < y ? -1 : 1;
    return (a.offset < b.offset) - (a.offset > b.offset);
}

/* ------------------------------------------------------------ out */

struct printer {
    struct buf *b;
    bool any, after_negative;
};

static void print_part(struct printer *p, int64_t n, const char *unit)
{
    if (!n)
        return;
    buf_addf(p->b, "%s%s%lld %s%s", p->any ? " " : "", p->after_negative && n > 0 ? "+" : "",
             (long long)n, unit, n == 1 ? "" : "s");
    p->after_negative = n < 0;
    p->any = true;
}

static void print_time(struct printer *p, int64_t time)
{
    uint64_t t = time < 0 ? 0 - (uint64_t)time : (uint64_t)time;
    unsigned usec = (unsigned)(t % USECS_PER_SEC);
    buf_addf(p->b, "%s%s%02llu:%02u:%02u", p->any ? " " : "",
             time < 0            ? "-"
             : p->after_negative ? "+"
                                 : "",
             (unsigned long long)(t / USECS_PER_HOUR), (unsigned)(t / USECS_PER_MIN % 60),
             (unsigned)(t / USECS_PER_SEC % 60));
    if (!usec)
        return;
    buf_addf(p->b, ".%06u", usec);
    while (p->b->data[p->b->len - 1] == '0')
        p->b->len--;
}

void interval_print(struct interval iv, struct buf *b)
{
    struct printer p = {.b = b};
    if (!interval_is_finite(iv)) {
        buf_adds(b, iv.month < 0 ? "-infinity" : "infinity");
        return;
    }
    print_part(&p, iv.month / 12, "year");
    print_part(&p, iv.month % 12, "mon");
    print_part(&p, iv.day, "day");
    if (iv.time || !p.any)
        print_time(&p, iv.time);
}

/* ------------------------------------------------------------ in */

struct scan {
    const char *p, *end;
};

/* Up to 19 digits; false when there is none or they don't fit. */
static bool scan_digits(struct scan *s, int64_t *out)
{
    const char *start = s->p;
    int64_t n = 0;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s->p++ - '0', &n))
            return false;
    *out = n;
    return s->p > start;
}

static bool scan_char(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool scan_fraction(struct scan *s, int64_t *usec)
{
    const char *start = s->p;
    if (!scan_digits(s, usec) || s->p - start > 6)
        return false;
    for (long n = s->p - start; n < 6; n++)
        *usec *= 10;
    return true;
}

/* ":MM:SS.ffffff" after the hours; in unsigned arithmetic, since the least time is -2^63. */
static bool scan_time(struct scan *s, int64_t hours, bool neg, int64_t *out)
{
    int64_t min, sec, usec = 0;
    __int128 t;
    if (!scan_char(s, ':') || !scan_digits(s, &min) || !scan_char(s, ':') ||
        !scan_digits(s, &sec) || min > 59 || sec > 59)
        return false;
    if (scan_char(s, '.') && !scan_fraction(s, &usec))
        return false;
    t = (__int128)hours * USECS_PER_HOUR + min * USECS_PER_MIN + sec * USECS_PER_SEC + usec;
    if (neg)
        t = -t;
    *out = (int64_t)t;
    return t == *out;
}

static bool scan_unit(struct scan *s, const char *unit)
{
    size_t n = strlen(unit);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, unit, n) != 0)
        return false;
    s->p += n;
    scan_char(s, 's');
    return true;
}

static bool add_scaled(int32_t *to, int64_t n, int32_t scale)
{
    int64_t r;
    if (__builtin_mul_overflow(n, scale, &r) || __builtin_add_overflow(r, *to, &r) ||
        r != (int32_t)r)
        return false;
    *to = (int32_t)r;
    return true;
}

static bool scan_part(struct scan *s, struct interval *iv)
{
    int64_t n;
    bool neg = scan_char(s, '-');
    if (!neg)
        scan_char(s, '+');
    if (!scan_digits(s, &n))
        return false;
    if (s->p < s->end && *s->p == ':')
        return scan_time(s, n, neg, &iv->time) && s->p == s->end;
    if (neg)
        n = -n;
    if (!scan_char(s, ' '))
        return false;
    if (scan_unit(s, "year"))
        return add_scaled(&iv->month, n, 12);
    if (scan_unit(s, "mon"))
        return add_scaled(&iv->month, n, 1);
    return scan_unit(s, "day") && add_scaled(&iv->day, n, 1);
}

bool interval_parse(const char *s, size_t len, struct interval *out, struct err *err)
{
    struct scan sc = {s, s + len};
    if ((len == 8 && memcmp(s, "infinity", 8) == 0) ||
        (len == 9 && memcmp(s, "-infinity", 9) == 0)) {
        *out = interval_infinity(*s == '-');
        return true;
    }
    *out = (struct interval){0};
    bool ok = scan_part(&sc, out);
    while (ok && sc.p < sc.end)
        ok = scan_char(&sc, ' ') && scan_part(&sc, out);
    return ok ||
           err_set(err, ERR_INVALID_DATETIME, "invalid input syntax for type interval: \"%.*s\"",
                   (int)(len < 200 ? len : 200), s);
}
