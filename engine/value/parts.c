/*
 * parts: see parts.h.
 *
 * Within quotes array_out puts a backslash before a quote or a backslash; record_out and range_out
 * double them. A doubled backslash reads the same by both rules, a doubled quote does not: whether it
 * is one is what `doubled` tells.
 */
#include "engine/value/parts.h"

#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------ one part */

static bool is_end(const char *stops, char c)
{
    return strchr(stops, c) != NULL && c;
}

/* From p to where the part ends; *plain: there is nothing to unescape between its quotes. */
static const char *find_end(const struct parts *r, const char *stops, bool *plain)
{
    bool in_quotes = false;
    const char *p = r->p;
    *plain = true;
    for (; p < r->end; p++) {
        if (*p == '"') {
            *plain = *plain && (p == r->p || in_quotes);
            in_quotes = !in_quotes;
        } else if (*p == '\\') {
            *plain = false;
            p += p + 1 < r->end;
        } else if (!in_quotes && (*p == r->delim || is_end(stops, *p))) {
            break;
        }
    }
    return p > r->end ? r->end : p;
}

static struct part unescape(const char *s, const char *end, bool doubled, struct arena *a)
{
    char *copy = arena_alloc(a, (size_t)(end - s));
    struct part out = {.text = copy};
    bool in_quotes = false;
    for (; s < end; s++) {
        if (*s == '\\' && s + 1 < end)
            copy[out.len++] = *++s;
        else if (*s == '"' && doubled && in_quotes && s + 1 < end && s[1] == '"')
            copy[out.len++] = *++s;
        else if (*s == '"')
            in_quotes = !in_quotes;
        else
            copy[out.len++] = *s;
    }
    return out;
}

/* Up to the delimiter or one of the stops, which is not read over. */
static struct part read_part(struct parts *r, const char *stops, bool doubled, bool *quoted)
{
    bool plain;
    const char *start = r->p, *end = find_end(r, stops, &plain);
    r->p = end;
    *quoted = start < end && *start == '"';
    if (!*quoted && plain)
        return (struct part){.text = start, .len = (size_t)(end - start)};
    if (*quoted && plain && end - start >= 2 && end[-1] == '"')
        return (struct part){.text = start + 1, .len = (size_t)(end - start) - 2};
    return unescape(start, end, doubled, r->a);
}

bool part_value(const struct type *t, const struct part *p, struct arena *a, struct value *out)
{
    struct err err;
    *out = value_null();
    return p->null || value_parse(t, p->text, p->len, a, out, &err);
}

/* ------------------------------------------------------------ arrays */

static int32_t read_number(const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    int64_t n = 0;
    for (p += negative; p < end && *p >= '0' && *p <= '9' && n < INT32_MAX; p++)
        n = n * 10 + (*p - '0');
    return (int32_t)(negative ? -n : n);
}

/* Bounds that aren't 1 stand before the elements: [0:1][2:3]={…}. */
static void read_bounds(struct parts *r, struct array_dims *d)
{
    int n = 0;
    while (r->p < r->end && *r->p == '[' && n < MAX_DIMENSIONS) {
        d->lower[n++] = read_number(r->p + 1, r->end);
        const char *close = memchr(r->p, ']', (size_t)(r->end - r->p));
        r->p = close ? close + 1 : r->end;
    }
    if (n && r->p < r->end && *r->p == '=')
        r->p++;
}

void array_open(const struct type *t, struct value v, struct arena *a, struct parts *out)
{
    struct array_dims d;
    *out =
        (struct parts){(const char *)v.p, (const char *)v.p + v.len, t->delim ? t->delim : ',', a};
    read_bounds(out, &d);
    if (out->p < out->end && *out->p != '{')
        out->delim = ' '; /* int2vector and oidvector */
}

bool array_next(struct parts *r, struct part *out)
{
    bool quoted;
    while (r->p < r->end && (*r->p == '{' || *r->p == '}' || *r->p == r->delim))
        r->p++;
    if (r->p == r->end)
        return false;
    *out = read_part(r, "{}", false, &quoted);
    out->null = !quoted && out->len == 4 && strncasecmp(out->text, "NULL", 4) == 0;
    return true;
}

/* Lengths are those of the first array of each dimension: all others are as long. */
static void count_dimensions(struct parts *r, struct array_dims *d)
{
    int depth = 0;
    bool counted[MAX_DIMENSIONS + 1] = {false}, plain;
    while (r->p < r->end) {
        if (*r->p == '{') {
            if (depth == MAX_DIMENSIONS)
                return;
            d->n = ++depth > d->n ? depth : d->n;
            r->p++;
        } else if (*r->p == '}' || *r->p == r->delim) {
            if (depth && !counted[depth - 1])
                d->length[depth - 1]++;
            if (*r->p++ == '}' && depth)
                counted[--depth] = true;
        } else {
            r->p = find_end(r, "{}", &plain);
        }
    }
}

void array_measure(const struct type *t, struct value v, struct array_dims *out)
{
    struct parts r;
    *out = (struct array_dims){.lower = {1, 1, 1, 1, 1, 1}};
    if (v.len == 2 && memcmp(v.p, "{}", 2) == 0)
        return;
    array_open(t, v, NULL, &r);
    r.p = (const char *)v.p;
    read_bounds(&r, out);
    if (r.delim == ' ') { /* a vector: from 0, no braces, its elements are numbers */
        out->n = 1;
        out->lower[0] = 0;
        for (out->length[0] = 1; r.p < r.end; r.p++)
            out->length[0] += *r.p == ' ';
        return;
    }
    count_dimensions(&r, out);
}

/* ------------------------------------------------------------ rows */

void record_open(struct value v, struct arena *a, struct parts *out)
{
    *out = (struct parts){(const char *)v.p, (const char *)v.p + v.len, ',', a};
}

/* At the parenthesis or the comma before the field. */
bool record_next(struct parts *r, struct part *out)
{
    bool quoted;
    if (r->p == r->end || *r->p == ')')
        return false;
    r->p++;
    *out = read_part(r, ")", true, &quoted);
    out->null = !quoted && !out->len;
    return true;
}

/* ------------------------------------------------------------ ranges */

static struct part read_bound(struct parts *r)
{
    bool quoted;
    struct part p = read_part(r, "])", true, &quoted);
    p.null = !quoted && !p.len;
    return p;
}

void range_read(struct value v, struct arena *a, struct range *out)
{
    struct parts r = {(const char *)v.p, (const char *)v.p + v.len, ',', a};
    *out = (struct range){.empty = v.len == 5 && memcmp(v.p, "empty", 5) == 0,
                          .lower.null = true,
                          .upper.null = true};
    if (out->empty || !v.len)
        return;
    out->lower_inc = *r.p++ == '[';
    out->lower = read_bound(&r);
    r.p += r.p < r.end;
    out->upper = read_bound(&r);
    out->upper_inc = r.p < r.end && *r.p == ']';
}

void multirange_open(struct value v, struct arena *a, struct parts *out)
{
    *out = (struct parts){(const char *)v.p, (const char *)v.p + v.len, ',', a};
    out->p += out->p < out->end;
}

bool multirange_next(struct parts *r, struct value *out)
{
    const char *start;
    bool in_quotes = false;
    r->p += r->p < r->end && *r->p == ',';
    if (r->p == r->end || *r->p == '}')
        return false;
    for (start = r->p; r->p < r->end; r->p++) {
        if (*r->p == '"')
            in_quotes = !in_quotes; /* a doubled one changes it twice */
        else if (*r->p == '\\')
            r->p += r->p + 1 < r->end;
        else if (!in_quotes && r->p > start && (*r->p == ')' || *r->p == ']'))
            break;
    }
    r->p += r->p < r->end;
    *out = value_bytes(start, (size_t)(r->p - start));
    return true;
}
