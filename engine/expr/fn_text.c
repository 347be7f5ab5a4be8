/*
 * fn_text: functions on text, varchar and char(n), but for comparison (fn_cmp.c) and LIKE
 * (fn_like.c).
 *
 * Called through pgfuncs.def. Text is valid UTF-8, as it comes from the database; lengths and
 * positions count characters. Results that are a part of an argument borrow its bytes; others are
 * built in the arena of the evaluation, bounded by TEXT_MAX as in Postgres.
 *
 * lower() and upper() follow the collation: ASCII only in "C", else each character through libc's
 * table for that locale, which is what Postgres does for a libc collation of a UTF-8 database.
 */
#include <locale.h>
#include <wctype.h>

#include "engine/expr/fn_text.h"

#define TEXT_MAX 0x3fffffff /* bytes of a value, its 4-byte header included */

static inline bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

static bool too_long(struct err *err)
{
    return err_set(err, "54000", "requested length too large");
}

static bool out_slice(struct value *out, struct value v, size_t from, size_t to)
{
    *out = value_bytes(v.p + from, to - from);
    return true;
}

size_t text_char_len(const uint8_t *p, size_t left)
{
    size_t n = 1;
    while (n < left && is_continuation(p[n]))
        n++;
    return n;
}

static int64_t char_count(struct value v)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < v.len; i++)
        n += !is_continuation(v.p[i]);
    return n;
}

/* The byte offset after n characters; v.len when it has fewer. */
static size_t char_offset(struct value v, int64_t n)
{
    size_t i = 0;
    while (n-- > 0 && i < v.len)
        i += text_char_len(v.p + i, v.len - i);
    return i;
}

static uint32_t unpadded_len(struct value v)
{
    uint32_t n = v.len;
    while (n && v.p[n - 1] == ' ')
        n--;
    return n;
}

FN(fn_textcat)
{
    size_t len = (size_t)v[0].len + v[1].len;
    uint8_t *p;
    if (len > TEXT_MAX - 4)
        return too_long(err);
    p = arena_alloc(cx->arena, len);
    if (v[0].len)
        memcpy(p, v[0].p, v[0].len);
    if (v[1].len)
        memcpy(p + v[0].len, v[1].p, v[1].len);
    *out = value_bytes(p, len);
    return true;
}

FN(fn_text_length)
{
    return fn_int(out, char_count(v[0]));
}
FN(fn_octet_length)
{
    return fn_int(out, v[0].len);
}
FN(fn_bit_length)
{
    return fn_int(out, (int64_t)v[0].len * 8);
}

FN(fn_bpchar_length)
{
    return fn_int(out, char_count(value_bytes(v[0].p, unpadded_len(v[0]))));
}

/* The characters from `start` (1-based, may be below) up to but excluding `end`. */
static bool substring(struct value *out, struct value s, int64_t start, int64_t end)
{
    size_t from, to;
    if (start < 1)
        start = 1;
    from = char_offset(s, start - 1);
    to = end <= start ? from
                      : from + char_offset(value_bytes(s.p + from, s.len - from), end - start);
    return out_slice(out, s, from, to);
}

FN(fn_substr)
{
    return substring(out, v[0], v[1].i, INT64_MAX);
}

FN(fn_substr_len)
{
    if (v[2].i < 0)
        return err_set(err, "22011", "negative substring length not allowed");
    return substring(out, v[0], v[1].i, v[1].i + v[2].i);
}

/* left(s, -n): all but the last n characters; right likewise. */
FN(fn_left)
{
    int64_t n = v[1].i < 0 ? char_count(v[0]) + v[1].i : v[1].i;
    return out_slice(out, v[0], 0, char_offset(v[0], n));
}

FN(fn_right)
{
    int64_t n = v[1].i < 0 ? -v[1].i : char_count(v[0]) - v[1].i;
    return out_slice(out, v[0], char_offset(v[0], n), v[0].len);
}

/* Whether the n bytes of one character at p are a character of set. */
static bool in_set(struct value set, const uint8_t *p, size_t n)
{
    for (size_t i = 0, m; i < set.len; i += m) {
        m = text_char_len(set.p + i, set.len - i);
        if (m == n && memcmp(set.p + i, p, n) == 0)
            return true;
    }
    return false;
}

static bool trim(struct value *out, struct value s, struct value set, bool left, bool right)
{
    size_t from = 0, to = s.len;
    while (left && from < to) {
        size_t n = text_char_len(s.p + from, to - from);
        if (!in_set(set, s.p + from, n))
            break;
        from += n;
    }
    while (right && to > from) {
        size_t start = to - 1;
        while (start > from && is_continuation(s.p[start]))
            start--;
        if (!in_set(set, s.p + start, to - start))
            break;
        to = start;
    }
    return out_slice(out, s, from, to);
}

#define BLANK value_bytes(" ", 1)
FN(fn_btrim)
{
    return trim(out, v[0], v[1], true, true);
}
FN(fn_ltrim)
{
    return trim(out, v[0], v[1], true, false);
}
FN(fn_rtrim)
{
    return trim(out, v[0], v[1], false, true);
}
FN(fn_btrim1)
{
    return trim(out, v[0], BLANK, true, true);
}
FN(fn_ltrim1)
{
    return trim(out, v[0], BLANK, true, false);
}

/* Also the cast of char(n) to text. */
FN(fn_rtrim1)
{
    return out_slice(out, v[0], 0, unpadded_len(v[0]));
}

/* Where needle is in s at or after `from`, or -1. A character never begins inside another. */
static int64_t find(struct value s, struct value needle, size_t from)
{
    const uint8_t *p;
    if (needle.len > s.len - from)
        return -1;
    p = memmem(s.p + from, s.len - from, needle.p, needle.len);
    return p ? p - s.p : -1;
}

FN(fn_strpos)
{
    int64_t at = v[1].len ? find(v[0], v[1], 0) : 0;
    return fn_int(out, at < 0 ? 0 : char_count(value_bytes(v[0].p, (size_t)at)) + 1);
}

FN(fn_starts_with)
{
    return fn_bool(out,
                   v[1].len <= v[0].len && (!v[1].len || memcmp(v[0].p, v[1].p, v[1].len) == 0));
}

FN(fn_replace)
{
    struct value s = v[0], from = v[1], to = v[2];
    size_t hits = 0, len, done = 0, n = 0;
    uint8_t *p;
    *out = s;
    if (!s.len || !from.len)
        return true;
    for (int64_t at = find(s, from, 0); at >= 0; at = find(s, from, (size_t)at + from.len))
        hits++;
    if (!hits)
        return true;
    len = s.len - hits * from.len;
    if (to.len && hits > (TEXT_MAX - 4 - len) / to.len)
        return too_long(err);
    len += hits * to.len;
    p = arena_alloc(cx->arena, len);
    for (int64_t at; (at = find(s, from, done)) >= 0; done = (size_t)at + from.len) {
        memcpy(p + n, s.p + done, (size_t)at - done);
        n += (size_t)at - done;
        if (to.len)
            memcpy(p + n, to.p, to.len);
        n += to.len;
    }
    memcpy(p + n, s.p + done, s.len - done);
    *out = value_bytes(p, len);
    return true;
}

FN(fn_reverse)
{
    uint8_t *p = arena_alloc(cx->arena, v[0].len);
    for (size_t i = 0, n; i < v[0].len; i += n) {
        n = text_char_len(v[0].p + i, v[0].len - i);
        memcpy(p + v[0].len - i - n, v[0].p + i, n);
    }
    *out = value_bytes(p, v[0].len);
    return true;
}

FN(fn_repeat)
{
    size_t times = v[1].i < 0 ? 0 : (size_t)v[1].i, len = v[0].len;
    uint8_t *p;
    if (len && times > (TEXT_MAX - 4) / len)
        return too_long(err);
    p = arena_alloc(cx->arena, len * times);
    for (size_t i = 0; len && i < times; i++)
        memcpy(p + i * len, v[0].p, len);
    *out = value_bytes(p, len * times);
    return true;
}

/* split_part(): a field of s counted from the front, or from the back when n is negative. */
FN(fn_split_part)
{
    struct value s = v[0], sep = v[1];
    int64_t n = v[2].i, fields = 1;
    size_t start = 0;
    if (!n)
        return err_set(err, "22023", "field position must not be zero");
    *out = value_bytes(s.p, 0);
    if (!s.len)
        return true;
    if (!sep.len) {
        if (n == 1 || n == -1)
            *out = s;
        return true;
    }
    for (int64_t at = find(s, sep, 0); at >= 0; at = find(s, sep, (size_t)at + sep.len))
        fields++;
    if (n < 0)
        n += fields + 1;
    if (n < 1 || n > fields)
        return true;
    while (--n)
        start = (size_t)find(s, sep, start) + sep.len;
    int64_t end = find(s, sep, start);
    return out_slice(out, s, start, end < 0 ? s.len : (size_t)end);
}

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
        return too_long(err);
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

FN(fn_bool_text)
{
    *out = v[0].i ? value_bytes("true", 4) : value_bytes("false", 5);
    return true;
}

/* text || anything and the reverse: the other side as a cast to text makes it. */
static struct value printed(const struct type *t, struct value v, struct arena *a)
{
    struct buf b;
    struct value r;
    if (t->kind == TYPE_BOOL)
        return v.i ? value_bytes("true", 4) : value_bytes("false", 5);
    if (t->kind == TYPE_BPCHAR)
        return value_bytes(v.p, unpadded_len(v));
    buf_init(&b);
    value_print(t, v, &b);
    r = value_bytes(arena_memdup(a, b.data, b.len), b.len);
    buf_fini(&b);
    return r;
}

FN(fn_textanycat)
{
    struct value pair[2] = {v[0], printed(e->args[1]->ct.type, v[1], cx->arena)};
    return fn_textcat(e, cx, pair, out, err);
}

FN(fn_anytextcat)
{
    struct value pair[2] = {printed(e->args[0]->ct.type, v[0], cx->arena), v[1]};
    return fn_textcat(e, cx, pair, out, err);
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
    size_t at = char_offset(*s, n);
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
    have = char_count(v[0]);
    if (have >= n)
        return cut(out, n, v[2].i != 0, "character", err);
    p = arena_alloc(cx->arena, v[0].len + (size_t)(n - have));
    if (v[0].len)
        memcpy(p, v[0].p, v[0].len);
    memset(p + v[0].len, ' ', (size_t)(n - have));
    *out = value_bytes(p, v[0].len + (size_t)(n - have));
    return true;
}
