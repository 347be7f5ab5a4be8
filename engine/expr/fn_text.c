/*
 * fn_text: functions on text, varchar and char(n), but for comparison (fn_cmp.c), LIKE
 * (fn_like.c), case and length coercions (fn_text_case.c).
 *
 * Called through pgfuncs.def. Text is valid UTF-8, as it comes from the database; lengths and
 * positions count characters. Results that are a part of an argument borrow its bytes; others are
 * built in the arena of the evaluation, bounded by TEXT_MAX as in Postgres.
 */
#include "engine/expr/fn_text.h"

static bool out_slice(struct value *out, struct value v, size_t from, size_t to)
{
    *out = value_bytes(v.p + from, to - from);
    return true;
}

bool text_too_long(struct err *err)
{
    return err_set(err, "54000", "requested length too large");
}

size_t text_char_len(const uint8_t *p, size_t left)
{
    size_t n = 1;
    while (n < left && text_is_continuation(p[n]))
        n++;
    return n;
}

int64_t text_char_count(struct value v)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < v.len; i++)
        n += !text_is_continuation(v.p[i]);
    return n;
}

size_t text_char_offset(struct value v, int64_t n)
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
        return text_too_long(err);
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
    return fn_int(out, text_char_count(v[0]));
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
    return fn_int(out, text_char_count(value_bytes(v[0].p, unpadded_len(v[0]))));
}

/* The characters from `start` (1-based, may be below) up to but excluding `end`. */
static bool substring(struct value *out, struct value s, int64_t start, int64_t end)
{
    size_t from, to;
    if (start < 1)
        start = 1;
    from = text_char_offset(s, start - 1);
    to = end <= start ? from
                      : from + text_char_offset(value_bytes(s.p + from, s.len - from), end - start);
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
    int64_t n = v[1].i < 0 ? text_char_count(v[0]) + v[1].i : v[1].i;
    return out_slice(out, v[0], 0, text_char_offset(v[0], n));
}

/* The negation of the least integer is itself in Postgres, and takes nothing away. */
FN(fn_right)
{
    if (v[1].i == INT32_MIN) {
        *out = v[0];
        return true;
    }
    int64_t n = v[1].i < 0 ? -v[1].i : text_char_count(v[0]) - v[1].i;
    return out_slice(out, v[0], text_char_offset(v[0], n), v[0].len);
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
        while (start > from && text_is_continuation(s.p[start]))
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
    return fn_int(out, at < 0 ? 0 : text_char_count(value_bytes(v[0].p, (size_t)at)) + 1);
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
        return text_too_long(err);
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
        return text_too_long(err);
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
