/*
 * pgcopy: the splitter of pgcopy.h.
 *
 * A tab inside a value arrives as \t, so every raw tab is a separator, with or without escapes: cut
 * at tabs first, unescape each field after. A field that is \N and nothing else is NULL; an escaped
 * "\N" of a text value arrives as \\N.
 */
#include "protocol/pgcopy.h"

#include <string.h>

static bool wrong_count(size_t n, struct err *err)
{
    return err_set(err, ERR_PROTOCOL, "malformed COPY row from Postgres: it hasn't %zu fields", n);
}

static bool cut(char *line, size_t len, struct pg_field *fields, size_t n, struct err *err)
{
    char *p = line, *end = line + len;
    if (n == 0)
        return len == 0 || wrong_count(n, err);
    for (size_t i = 0; i < n; i++) {
        char *tab = memchr(p, '\t', (size_t)(end - p));
        if ((tab == NULL) != (i == n - 1))
            return wrong_count(n, err);
        char *stop = tab ? tab : end;
        fields[i] = (struct pg_field){p, (uint32_t)(stop - p), PG_TEXT};
        p = tab ? tab + 1 : end;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape after a backslash stands for; *p is moved behind it. */
static char unescape_one(const char **p, const char *end)
{
    static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
    char c = *(*p)++;
    const char *known = c ? strchr(from, c) : NULL;
    if (known)
        return to[known - from];
    if (c >= '0' && c <= '7') {
        int v = c - '0';
        for (int i = 0; i < 2 && *p < end && **p >= '0' && **p <= '7'; i++)
            v = v * 8 + *(*p)++ - '0';
        return (char)v;
    }
    if (c == 'x' && *p < end && hex_digit(**p) >= 0) {
        int v = hex_digit(*(*p)++);
        if (*p < end && hex_digit(**p) >= 0)
            v = v * 16 + hex_digit(*(*p)++);
        return (char)v;
    }
    return c;
}

static bool unescape(struct pg_field *f, char *start)
{
    const char *end = start + f->len, *p = memchr(start, '\\', f->len);
    if (!p)
        return true;
    if (f->len == 2 && start[1] == 'N') {
        *f = (struct pg_field){NULL, 0, PG_NULL};
        return true;
    }
    char *out = start + (p - start);
    while (p < end) {
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        if (++p == end)
            return false;
        *out++ = unescape_one(&p, end);
    }
    f->len = (uint32_t)(out - start);
    return true;
}

bool pgcopy_split(char *line, size_t len, struct pg_field *fields, size_t n, struct err *err)
{
    if (len && line[len - 1] == '\n')
        len--;
    if (len > UINT32_MAX)
        return err_set(err, ERR_PROTOCOL, "malformed COPY row from Postgres: it is too long");
    if (!cut(line, len, fields, n, err))
        return false;
    if (!len || !memchr(line, '\\', len))
        return true;
    for (size_t i = 0; i < n; i++)
        if (!unescape(&fields[i], line + (fields[i].data - line)))
            return err_set(err, ERR_PROTOCOL,
                           "malformed COPY row from Postgres: it ends in a backslash");
    return true;
}
