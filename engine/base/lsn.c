/*
 * lsn: text to position and back. See lsn.h.
 */
#include "engine/base/lsn.h"

#include <stdio.h>

int lsn_print(lsn_t lsn, char out[LSN_TEXT_MAX])
{
    return snprintf(out, LSN_TEXT_MAX, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
}

/* One to eight hex digits, as pg_lsn_in takes them. */
static size_t parse_half(const char *s, size_t len, uint32_t *out)
{
    size_t i = 0;
    *out = 0;
    for (; i < len && i < 8; i++) {
        char c = s[i];
        uint32_t d;
        if (c >= '0' && c <= '9')
            d = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            d = (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            d = (uint32_t)(c - 'A' + 10);
        else
            break;
        *out = *out << 4 | d;
    }
    return i;
}

bool lsn_parse(const char *s, size_t len, lsn_t *out)
{
    uint32_t hi, lo;
    size_t n = parse_half(s, len, &hi);
    if (n == 0 || n >= len || s[n] != '/')
        return false;
    size_t m = parse_half(s + n + 1, len - n - 1, &lo);
    if (m == 0 || n + 1 + m != len)
        return false;
    *out = (lsn_t)hi << 32 | lo;
    return true;
}
