/*
 * srf_json: the members and elements of json and jsonb values, from their text.
 *
 * The text of a part of a jsonb is a part of its text, and a part of a json is shown as it was
 * written, so both are taken apart without being built up again. The text is Postgres's, hence valid;
 * only what its own functions complain about is looked for: \u0000 and broken surrogates, where a
 * string is turned into text.
 */
#include <ctype.h>

#include "engine/expr/srf.h"

#define ERR_INVALID_PARAMETER "22023"
#define ERR_UNTRANSLATABLE    "22P05"

struct json_text {
    const char *p, *end;
};

static void skip_blanks(struct json_text *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\n' || *t->p == '\t' || *t->p == '\r'))
        t->p++;
}

static void skip_string(struct json_text *t)
{
    for (t->p++; t->p < t->end && *t->p != '"'; t->p++)
        if (*t->p == '\\' && t->p + 1 < t->end)
            t->p++;
    t->p += t->p < t->end;
}

/* Over one value; returns its text. Nested ones by counting brackets. */
static struct value skip_value(struct json_text *t)
{
    size_t depth = 0;
    skip_blanks(t);
    const char *start = t->p;
    while (t->p < t->end) {
        char ch = *t->p;
        if (ch == '"') {
            skip_string(t);
        } else if (ch == '[' || ch == '{') {
            depth++;
            t->p++;
        } else if (ch == ']' || ch == '}') {
            if (!depth)
                break;
            depth--;
            t->p++;
        } else if (!depth && (ch == ',' || ch == ':' || isspace((unsigned char)ch))) {
            break;
        } else {
            t->p++;
        }
        if (!depth && (ch == '"' || ch == ']' || ch == '}'))
            break;
    }
    return value_bytes(start, (size_t)(t->p - start));
}

/* ------------------------------------------------------------ strings */

static bool read_hex4(const char *p, const char *end, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        if (p + i >= end || !isxdigit((unsigned char)p[i]))
            return false;
        char ch = (char)tolower((unsigned char)p[i]);
        *out = *out << 4 | (uint32_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
    }
    return true;
}

static char *put_utf8(char *o, uint32_t c)
{
    if (c < 0x80) {
        *o++ = (char)c;
        return o;
    }
    if (c < 0x800) {
        *o++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *o++ = (char)(0xe0 | c >> 12);
        } else {
            *o++ = (char)(0xf0 | c >> 18);
            *o++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *o++ = (char)(0x80 | (c & 0x3f));
    return o;
}

/* At the 'u' of an escape; leaves *p at its last character. */
static bool read_unicode(const char **p, const char *end, char **o, struct err *err)
{
    uint32_t c, low;
    if (!read_hex4(*p + 1, end, &c))
        return err_set(err, ERR_INVALID_TEXT, "invalid input syntax for type json");
    *p += 4;
    if (!c)
        return err_set(err, ERR_UNTRANSLATABLE, "unsupported Unicode escape sequence");
    if (c >= 0xd800 && c < 0xe000) {
        if (c >= 0xdc00 || *p + 2 >= end || (*p)[1] != '\\' || (*p)[2] != 'u' ||
            !read_hex4(*p + 3, end, &low) || low < 0xdc00 || low >= 0xe000)
            return err_set(err, ERR_INVALID_TEXT, "invalid input syntax for type json");
        *p += 6;
        c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
    }
    *o = put_utf8(*o, c);
    return true;
}

/* A string without its quotes and escapes. */
static bool unescape(struct value s, struct arena *a, struct value *out, struct err *err)
{
    const char *p = (const char *)s.p + 1, *end = (const char *)s.p + s.len - 1;
    char *text = arena_alloc(a, s.len), *o = text;
    for (; p < end; p++) {
        if (*p != '\\') {
            *o++ = *p;
            continue;
        }
        switch (*++p) {
        case 'b': *o++ = '\b'; break;
        case 'f': *o++ = '\f'; break;
        case 'n': *o++ = '\n'; break;
        case 'r': *o++ = '\r'; break;
        case 't': *o++ = '\t'; break;
        case 'u':
            if (!read_unicode(&p, end, &o, err))
                return false;
            break;
        default: *o++ = *p; break;
        }
    }
    *out = value_bytes(text, (size_t)(o - text));
    return true;
}

/* A value as text: strings as what they say, null as NULL. */
static bool as_text(struct value v, struct arena *a, struct value *out, struct err *err)
{
    *out = v;
    if (v.len >= 2 && *v.p == '"')
        return unescape(v, a, out, err);
    if (v.len == 4 && memcmp(v.p, "null", 4) == 0)
        *out = value_null();
    return true;
}

/* ------------------------------------------------------------ arrays */

static bool is_binary(const struct srf_call *c)
{
    return c->srf->name[4] == 'b';
}

static char first_char(struct value v, struct json_text *t)
{
    *t = (struct json_text){(const char *)v.p, (const char *)v.p + v.len};
    skip_blanks(t);
    return t->p < t->end ? *t->p : '\0';
}

/* Moves on to the next member; false at the closing bracket. */
static bool next_member(struct json_text *t)
{
    t->p++; /* the opening bracket or the comma */
    skip_blanks(t);
    return t->p < t->end && *t->p != ']' && *t->p != '}';
}

static bool not_an_array(const struct srf_call *c, char first, struct err *err)
{
    if (is_binary(c))
        return err_set(err, ERR_INVALID_PARAMETER, "cannot extract elements from %s",
                       first == '{' ? "an object" : "a scalar");
    return err_set(err, ERR_INVALID_PARAMETER, "cannot call %s on a %s", c->srf->name,
                   first == '{' ? "non-array" : "scalar");
}

static bool elements(const struct srf_call *c, struct value v, bool text, struct srf_rows *out,
                     struct err *err)
{
    struct json_text t;
    char first = first_char(v, &t);
    if (first != '[')
        return not_an_array(c, first, err);
    while (next_member(&t)) {
        struct value *row = srf_row(out, err);
        if (!row)
            return false;
        *row = skip_value(&t);
        if (text && !as_text(*row, out->arena, row, err))
            return false;
        skip_blanks(&t);
        if (t.p >= t.end || *t.p != ',')
            break;
    }
    return true;
}

bool srf_json_elements(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                       struct err *err)
{
    return elements(c, args[0], false, out, err);
}

bool srf_json_elements_text(const struct srf_call *c, const struct value *args,
                            struct srf_rows *out, struct err *err)
{
    return elements(c, args[0], true, out, err);
}

/* ------------------------------------------------------------ objects */

enum members {
    MEMBERS_KEYS,
    MEMBERS_JSON,
    MEMBERS_TEXT
};

static bool not_an_object(const struct srf_call *c, enum members what, char first, struct err *err)
{
    if (what == MEMBERS_KEYS)
        return err_set(err, ERR_INVALID_PARAMETER, "cannot call %s on %s", c->srf->name,
                       first == '[' ? "an array" : "a scalar");
    if (is_binary(c))
        return err_set(err, ERR_INVALID_PARAMETER, "cannot call %s on a non-object", c->srf->name);
    return err_set(err, ERR_INVALID_PARAMETER, "cannot deconstruct %s",
                   first == '[' ? "an array as an object" : "a scalar");
}

/* json_object_keys() gives a key as often as it is there, jsonb has it once. */
static bool members(const struct srf_call *c, struct value v, enum members what,
                    struct srf_rows *out, struct err *err)
{
    struct json_text t;
    char first = first_char(v, &t);
    if (first != '{')
        return not_an_object(c, what, first, err);
    while (next_member(&t)) {
        struct value *row = srf_row(out, err);
        if (!row || !unescape(skip_value(&t), out->arena, &row[0], err))
            return false;
        skip_blanks(&t);
        t.p += t.p < t.end; /* the colon */
        struct value member = skip_value(&t);
        if (what == MEMBERS_JSON)
            row[1] = member;
        else if (what == MEMBERS_TEXT && !as_text(member, out->arena, &row[1], err))
            return false;
        skip_blanks(&t);
        if (t.p >= t.end || *t.p != ',')
            break;
    }
    return true;
}

bool srf_json_each(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                   struct err *err)
{
    return members(c, args[0], MEMBERS_JSON, out, err);
}

bool srf_json_each_text(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                        struct err *err)
{
    return members(c, args[0], MEMBERS_TEXT, out, err);
}

bool srf_json_keys(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                   struct err *err)
{
    return members(c, args[0], MEMBERS_KEYS, out, err);
}
