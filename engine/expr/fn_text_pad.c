/*
 * fn_text_pad: lpad(), rpad(), translate(), to_hex(), encode().
 *
 * Called through pgfuncs.def. Lengths and positions count characters, as everywhere in text.
 */
#include <strings.h>

#include "engine/base/buf.h"
#include "engine/expr/fn_text.h"

/* Beyond this Postgres doesn't even try: four bytes a character. */
#define PAD_MAX ((0x3fffffff - 4) / 4)

/* ------------------------------------------------------------ padding */

/* The first n characters of fill repeated. */
static uint8_t *put_fill(uint8_t *p, struct value fill, int64_t n)
{
    for (uint32_t at = 0; n > 0; n--) {
        size_t len = text_char_len(fill.p + at, fill.len - at);
        memcpy(p, fill.p + at, len);
        p += len;
        at += (uint32_t)len;
        if (at == fill.len)
            at = 0;
    }
    return p;
}

static bool pad(struct value s, int64_t n, struct value fill, bool left, struct arena *a,
                struct value *out, struct err *err)
{
    int64_t have = text_char_count(s), missing;
    n = n < 0 ? 0 : n;
    if (n > PAD_MAX && fill.len)
        return err_set(err, ERR_PROGRAM_LIMIT, "requested length too large");
    if (have > n)
        s.len = (uint32_t)text_char_offset(s, n);
    missing = have < n && fill.len ? n - have : 0;
    uint8_t *start = arena_alloc(a, s.len + (size_t)missing * 4), *p = start;
    if (left)
        p = put_fill(p, fill, missing);
    if (s.len)
        memcpy(p, s.p, s.len);
    p += s.len;
    if (!left)
        p = put_fill(p, fill, missing);
    *out = value_bytes(start, (size_t)(p - start));
    return true;
}

FN(fn_lpad)
{
    return pad(v[0], v[1].i, v[2], true, cx->arena, out, err);
}

FN(fn_rpad)
{
    return pad(v[0], v[1].i, v[2], false, cx->arena, out, err);
}

FN(fn_lpad_blank)
{
    return pad(v[0], v[1].i, value_bytes(" ", 1), true, cx->arena, out, err);
}

FN(fn_rpad_blank)
{
    return pad(v[0], v[1].i, value_bytes(" ", 1), false, cx->arena, out, err);
}

/* ------------------------------------------------------------ characters */

/* The character at p among those of set: its number from 0, or -1. */
static int64_t index_in(struct value set, const uint8_t *p, size_t n)
{
    int64_t index = 0;
    for (size_t i = 0, m; i < set.len; i += m, index++) {
        m = text_char_len(set.p + i, set.len - i);
        if (m == n && memcmp(set.p + i, p, n) == 0)
            return index;
    }
    return -1;
}

/* A character of `from` becomes the one at its place in `to`, or goes where `to` is shorter. */
FN(fn_translate)
{
    uint8_t *start = arena_alloc(cx->arena, (size_t)v[0].len * 4), *p = start;
    for (size_t i = 0, n; i < v[0].len; i += n) {
        const uint8_t *c = v[0].p + i;
        n = text_char_len(c, v[0].len - i);
        int64_t index = index_in(v[1], c, n);
        size_t len = n;
        if (index >= 0) {
            size_t at = text_char_offset(v[2], index);
            c = v[2].p + at;
            len = at < v[2].len ? text_char_len(c, v[2].len - at) : 0;
        }
        memcpy(p, c, len);
        p += len;
    }
    *out = value_bytes(start, (size_t)(p - start));
    return true;
}

static bool give_text(struct value *out, const char *s)
{
    *out = value_bytes(s, strlen(s));
    return true;
}

FN(fn_to_hex)
{
    bool is_int4 = e->args[0]->ct.type->kind == TYPE_INT4;
    uint64_t n = is_int4 ? (uint32_t)v[0].i : (uint64_t)v[0].i;
    return give_text(out, arena_printf(cx->arena, "%llx", (unsigned long long)n));
}

/* ------------------------------------------------------------ encode */

static void add_base64(struct buf *b, struct value v)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t line = 0;
    for (uint32_t i = 0; i < v.len; i += 3) {
        uint32_t left = v.len - i, n = (uint32_t)v.p[i] << 16;
        n |= left > 1 ? (uint32_t)v.p[i + 1] << 8 : 0;
        n |= left > 2 ? v.p[i + 2] : 0;
        buf_addc(b, digits[n >> 18]);
        buf_addc(b, digits[n >> 12 & 63]);
        buf_addc(b, left > 1 ? digits[n >> 6 & 63] : '=');
        buf_addc(b, left > 2 ? digits[n & 63] : '=');
        line += 4;
        if (line == 76 && left >= 3) {
            buf_addc(b, '\n');
            line = 0;
        }
    }
}

static void add_escape(struct buf *b, struct value v)
{
    for (uint32_t i = 0; i < v.len; i++) {
        if (!v.p[i] || v.p[i] >= 0x80)
            buf_addf(b, "\\%03o", v.p[i]);
        else if (v.p[i] == '\\')
            buf_adds(b, "\\\\");
        else
            buf_addc(b, (char)v.p[i]);
    }
}

static bool is_word(struct value v, const char *word)
{
    return v.len == strlen(word) && strncasecmp((const char *)v.p, word, v.len) == 0;
}

FN(fn_encode)
{
    struct buf b;
    buf_init(&b);
    if (is_word(v[1], "hex"))
        for (uint32_t i = 0; i < v[0].len; i++)
            buf_addf(&b, "%02x", v[0].p[i]);
    else if (is_word(v[1], "base64"))
        add_base64(&b, v[0]);
    else if (is_word(v[1], "escape"))
        add_escape(&b, v[0]);
    else
        return err_set(err, "22023", "unrecognized encoding: \"%.*s\"",
                       v[1].len > 63 ? 63 : (int)v[1].len, (const char *)v[1].p);
    *out = value_bytes(arena_memdup(cx->arena, b.data, b.len), b.len);
    buf_fini(&b);
    return true;
}
