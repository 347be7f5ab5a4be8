/*
 * err: filling in struct err. See err.h for what an error is.
 */
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void err_clear(struct err *e)
{
    memset(e, 0, sizeof *e);
}

/* vsnprintf may cut a multi-byte character in two; step back to its first byte. */
static void format_cut(char *dst, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(dst, size, fmt, ap);
    if (n < 0 || (size_t)n < size)
        return;
    size_t end = size - 1, start = end;
    while (start > 0 && ((unsigned char)dst[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)dst[start - 1];
    size_t want = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (start - 1 + want > end)
        dst[start - 1] = '\0';
}

bool err_set(struct err *e, const char *sqlstate, const char *fmt, ...)
{
    va_list ap;
    err_clear(e);
    snprintf(e->sqlstate, sizeof e->sqlstate, "%s", sqlstate);
    va_start(ap, fmt);
    format_cut(e->message, sizeof e->message, fmt, ap);
    va_end(ap);
    return false;
}

#define NOT_LIVE " can't be kept live"

bool err_soft(struct err *e, const char *fmt, ...)
{
    char what[ERR_WHAT_MAX];
    va_list ap;
    va_start(ap, fmt);
    format_cut(what, sizeof what, fmt, ap);
    va_end(ap);
    err_set(e, ERR_FEATURE_NOT_SUPPORTED, "%s" NOT_LIVE, what);
    e->soft = true;
    return false;
}

void err_what(const struct err *e, char *what)
{
    size_t len = strlen(e->message), tail = sizeof NOT_LIVE - 1;
    if (len >= tail && strcmp(e->message + len - tail, NOT_LIVE) == 0)
        len -= tail;
    while (len && e->message[len - 1] == ',')
        len--;
    if (len >= ERR_WHAT_MAX)
        len = ERR_WHAT_MAX - 1;
    memcpy(what, e->message, len);
    what[len] = '\0';
}

bool err_hint(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    format_cut(e->hint, sizeof e->hint, fmt, ap);
    va_end(ap);
    return false;
}

bool err_detail(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    format_cut(e->detail, sizeof e->detail, fmt, ap);
    va_end(ap);
    return false;
}
