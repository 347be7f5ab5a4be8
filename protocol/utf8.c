/*
 * utf8: the check of utf8.h. Runs of ASCII are skipped eight bytes at a time, since nearly all SQL
 * is ASCII.
 */
#include "protocol/utf8.h"

#include <stdint.h>
#include <string.h>

static size_t skip_ascii(const uint8_t *s, size_t len)
{
    size_t i = 0;
    uint64_t w;
    for (; i + sizeof w <= len; i += sizeof w) {
        memcpy(&w, s + i, sizeof w);
        if (w & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < len && s[i] < 0x80)
        i++;
    return i;
}

/* Length of the character at s, 0 if it isn't one. The second byte's range is what tells overlong
 * forms, surrogates and too large code points from good ones. */
static size_t char_len(const uint8_t *s, size_t len)
{
    uint8_t c = s[0], lo = 0x80, hi = 0xBF;
    size_t n;
    if (c >= 0xC2 && c <= 0xDF) {
        n = 2;
    } else if ((c & 0xF0) == 0xE0) {
        n = 3;
        if (c == 0xE0)
            lo = 0xA0;
        if (c == 0xED)
            hi = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
        n = 4;
        if (c == 0xF0)
            lo = 0x90;
        if (c == 0xF4)
            hi = 0x8F;
    } else {
        return 0;
    }
    if (len < n || s[1] < lo || s[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

bool utf8_valid(const char *str, size_t len)
{
    const uint8_t *s = (const uint8_t *)str;
    for (;;) {
        size_t n = skip_ascii(s, len);
        s += n;
        len -= n;
        if (!len)
            return true;
        n = char_len(s, len);
        if (!n)
            return false;
        s += n;
        len -= n;
    }
}
