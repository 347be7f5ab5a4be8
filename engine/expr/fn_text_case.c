/*
 * fn_text_case: lower() and upper(), ascii(), and the length coercions of varchar(n) and char(n).
 *
 * Called through pgfuncs.def. Case follows the collation: that of ASCII in "C" and "POSIX", else each
 * character through libc's table for that locale, which is what Postgres does for a libc collation
 * of a UTF-8 database, or the whole by ICU. A cast to a shorter type cuts characters, an assignment only blanks.
 */
#include <locale.h>
#include <wctype.h>

#include "engine/expr/fn_text.h"
#include "engine/value/collation.h"

/* Decodes the character of n bytes at p; false for what isn't UTF-8. */
static bool utf8_decode(const uint8_t *p, size_t n, uint32_t *c)
{
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    if (n > 4 || (n == 1 && p[0] >= 0x80))
        return false;
    *c = p[0] & mask[n];
    for (size_t i = 1; i < n; i++)
        *c = *c << 6 | (p[i] & 0x3f);
    return true;
}

static size_t utf8_encode(uint32_t c, uint8_t *p)
{
    if (c < 0x80) {
        p[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (uint8_t)(0xc0 | c >> 6);
        p[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        p[0] = (uint8_t)(0xe0 | c >> 12);
        p[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        p[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    p[0] = (uint8_t)(0xf0 | c >> 18);
    p[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    p[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    p[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

static uint8_t ascii_case(uint8_t c, bool upper)
{
    if (upper)
        return c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool text_change_case(const struct collation *coll, struct value s, bool upper, struct arena *a,
                      struct value *out, struct err *err)
{
    locale_t lc = coll->ascii_case ? NULL : (locale_t)coll->lc;
    size_t len = 0;
    uint8_t *p;
    if (s.len > TEXT_MAX / 4)
        return text_too_long(err);
    if (coll->icu) {
        *out = icu_change_case(coll, s, upper, a);
        return true;
    }
    p = arena_alloc(a, lc ? (size_t)s.len * 4 : s.len); /* a character may grow to 4 bytes */
    for (size_t i = 0, n; i < s.len; i += n) {
        uint32_t c;
        n = lc ? text_char_len(s.p + i, s.len - i) : 1;
        if (!lc) {
            p[len++] = ascii_case(s.p[i], upper);
            continue;
        }
        if (!utf8_decode(s.p + i, n, &c))
            return err_set(err, "22021", "invalid byte sequence for encoding \"UTF8\"");
        c = (uint32_t)(upper ? towupper_l((wint_t)c, lc) : towlower_l((wint_t)c, lc));
        len += utf8_encode(c, p + len);
    }
    *out = value_bytes(p, len);
    return true;
}

FN(fn_lower)
{
    return text_change_case(e->collation, v[0], false, cx->arena, out, err);
}
FN(fn_upper)
{
    return text_change_case(e->collation, v[0], true, cx->arena, out, err);
}

/* ascii(): the code point of the first character. */
FN(fn_ascii)
{
    uint32_t c = 0;
    if (v[0].len && !utf8_decode(v[0].p, text_char_len(v[0].p, v[0].len), &c))
        return err_set(err, "22021", "invalid byte sequence for encoding \"UTF8\"");
    return fn_int(out, c);
}

static bool all_blank(struct value v, size_t from)
{
    for (size_t i = from; i < v.len; i++)
        if (v.p[i] != ' ')
            return false;
    return true;
}

/* The length coercions: typmod is n + 4; an explicit cast cuts, an implicit one only blanks. */
static bool cut(struct value *s, int64_t n, bool is_explicit, const char *type, struct err *err)
{
    size_t at = text_char_offset(*s, n);
    if (at == s->len)
        return true;
    if (!is_explicit && !all_blank(*s, at))
        return err_set(err, "22001", "value too long for type %s(%d)", type, (int)n);
    s->len = (uint32_t)at;
    return true;
}

FN(fn_varchar_typmod)
{
    *out = v[0];
    return v[1].i < 4 || cut(out, v[1].i - 4, v[2].i != 0, "character varying", err);
}

FN(fn_bpchar_typmod)
{
    int64_t n = v[1].i - 4, have;
    uint8_t *p;
    *out = v[0];
    if (n < 0)
        return true;
    have = text_char_count(v[0]);
    if (have >= n)
        return cut(out, n, v[2].i != 0, "character", err);
    p = arena_alloc(cx->arena, v[0].len + (size_t)(n - have));
    if (v[0].len)
        memcpy(p, v[0].p, v[0].len);
    memset(p + v[0].len, ' ', (size_t)(n - have));
    *out = value_bytes(p, v[0].len + (size_t)(n - have));
    return true;
}
