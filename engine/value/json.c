/*
 * json: to_json() from the text forms Postgres prints.
 *
 * Opaque values are text, so arrays and composites are taken apart here by the rules of array_out
 * and record_out, element by element, each shaped by its own type. Input is Postgres's own output:
 * text that doesn't follow the rules is shown as far as it can be read, and never read beyond its
 * end.
 *
 * To add a shape: a constant in enum json_shape, a case in add_opaque().
 */
#include "engine/value/json.h"

#include <assert.h>
#include <strings.h>

#include "engine/value/datetime.h"

/* ------------------------------------------------------------ strings and white space */

/* 0: as it is; 'u': \u00xx; else the letter after the backslash. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '"': return '"';
    case '\\': return '\\';
    default: return c < 0x20 ? 'u' : 0;
    }
}

void json_add_string(struct buf *b, const char *s, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t plain = 0; /* start of what needs no escape */
    buf_addc(b, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        char escape = escape_of(c);
        buf_add(b, s + plain, i - plain);
        buf_addc(b, '\\');
        buf_addc(b, escape);
        if (escape == 'u') {
            char code[4] = {'0', '0', hex[c >> 4], hex[c & 15]};
            buf_add(b, code, sizeof code);
        }
        plain = i + 1;
    }
    buf_add(b, s + plain, len - plain);
    buf_addc(b, '"');
}

void json_add_compact(struct buf *b, const char *s, size_t len)
{
    bool in_string = false;
    char *p = buf_reserve(b, len), *start = p;
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        if (!in_string && (c == ' ' || c == '\n' || c == '\t' || c == '\r'))
            continue;
        *p++ = c;
        if (c == '"')
            in_string = !in_string;
        else if (c == '\\' && in_string && i + 1 < len)
            *p++ = s[++i];
    }
    b->len += (size_t)(p - start);
}

/* ------------------------------------------------------------ arrays and composites */

struct reader {
    const char *p, *end;
    char delim;
    struct buf token; /* the element or field read last, unescaped */
    bool quoted;      /* it had quotes, so it isn't NULL whatever it says */
};

static void reader_init(struct reader *r, const char *s, size_t len, char delim)
{
    *r = (struct reader){.p = s, .end = s + len, .delim = delim};
    buf_init(&r->token);
}

static char peek(const struct reader *r)
{
    return r->p < r->end ? *r->p : '\0';
}

/* Reads up to an unquoted delimiter or closing character. In record_out's output a quote within
 * quotes is doubled; array_out has a backslash before it. */
static void read_token(struct reader *r, char close)
{
    bool in_quotes = false;
    buf_reset(&r->token);
    r->quoted = false;
    for (; r->p < r->end; r->p++) {
        char c = *r->p;
        if (c == '"') {
            r->quoted = true;
            if (in_quotes && r->p + 1 < r->end && r->p[1] == '"')
                buf_addc(&r->token, *++r->p);
            else
                in_quotes = !in_quotes;
        } else if (c == '\\' && r->p + 1 < r->end) {
            buf_addc(&r->token, *++r->p);
        } else if (!in_quotes && (c == r->delim || c == close)) {
            return;
        } else {
            buf_addc(&r->token, c);
        }
    }
}

static void add_token(struct buf *b, const struct reader *r, const struct type *t)
{
    json_add_text_form(b, t, r->token.data, r->token.len);
}

static bool token_is_null_word(const struct reader *r)
{
    return !r->quoted && r->token.len == 4 && strncasecmp(r->token.data, "NULL", 4) == 0;
}

#define MAX_DIMENSIONS 6 /* Postgres's own limit, and ours on the recursion */

static void add_dimension(struct buf *b, struct reader *r, const struct type *elem, int depth);

static void add_element(struct buf *b, struct reader *r, const struct type *elem, int depth)
{
    if (peek(r) == '{' && depth < MAX_DIMENSIONS) {
        add_dimension(b, r, elem, depth + 1);
        return;
    }
    read_token(r, '}');
    if (token_is_null_word(r))
        buf_add(b, "null", 4);
    else
        add_token(b, r, elem);
}

/* At an opening brace; depth counts from 1. */
static void add_dimension(struct buf *b, struct reader *r, const struct type *elem, int depth)
{
    buf_addc(b, '[');
    r->p++;
    if (peek(r) != '}')
        for (;;) {
            add_element(b, r, elem, depth);
            if (peek(r) != r->delim)
                break;
            r->p++;
            buf_addc(b, ',');
        }
    if (r->p < r->end)
        r->p++;
    buf_addc(b, ']');
}

/* int2vector and oidvector are arrays printed without braces, with blanks in between. */
static void add_vector(struct buf *b, struct reader *r, const struct type *elem)
{
    const char *separator = "";
    r->delim = ' ';
    buf_addc(b, '[');
    while (r->p < r->end) {
        read_token(r, ' ');
        buf_adds(b, separator);
        add_token(b, r, elem);
        separator = ",";
        r->p += r->p < r->end;
    }
    buf_addc(b, ']');
}

static void add_array(struct buf *b, const struct type *t, const char *s, size_t len)
{
    struct reader r;
    reader_init(&r, s, len, t->delim ? t->delim : ',');
    if (peek(&r) == '[') { /* bounds other than 1: [0:2]={…} */
        const char *brace = memchr(s, '{', len);
        r.p = brace ? brace : r.end;
    }
    if (peek(&r) == '{')
        add_dimension(b, &r, t->elem, 1);
    else
        add_vector(b, &r, t->elem);
    buf_fini(&r.token);
}

static void add_composite(struct buf *b, const struct type *t, const char *s, size_t len)
{
    struct reader r;
    reader_init(&r, s, len, ',');
    r.p += r.p < r.end; /* the parenthesis */
    buf_addc(b, '{');
    for (size_t i = 0; i < t->nfields; i++) {
        if (i)
            buf_addc(b, ',');
        json_add_string(b, t->fields[i].name, strlen(t->fields[i].name));
        buf_addc(b, ':');
        read_token(&r, ')');
        if (!r.quoted && !r.token.len)
            buf_add(b, "null", 4);
        else
            add_token(b, &r, t->fields[i].type);
        r.p += peek(&r) == ',';
    }
    buf_addc(b, '}');
    buf_fini(&r.token);
}

/* ------------------------------------------------------------ by type */

static void add_opaque(struct buf *b, const struct type *t, const char *s, size_t len)
{
    switch (t->json) {
    case JSON_STRING: json_add_string(b, s, len); break;
    case JSON_INLINE: json_add_compact(b, s, len); break;
    case JSON_ARRAY: add_array(b, t, s, len); break;
    case JSON_COMPOSITE: add_composite(b, t, s, len); break;
    case JSON_UNKNOWN: assert(!"an output column of this type is refused"); break;
    }
}

/* Bare, but for what JSON has no number for: NaN and the infinities. */
static void add_number(struct buf *b, const char *s, size_t len)
{
    char last = len ? s[len - 1] : '\0';
    if (last >= '0' && last <= '9')
        buf_add(b, s, len);
    else
        json_add_string(b, s, len);
}

/* Dates are spelled otherwise in JSON than in text. */
static void add_datetime(struct buf *b, const struct type *t, const char *s, size_t len)
{
    struct value v;
    struct err err;
    if (value_parse(t, s, len, NULL, &v, &err))
        value_to_json(t, v, b);
    else
        json_add_string(b, s, len);
}

void json_add_text_form(struct buf *b, const struct type *t, const char *s, size_t len)
{
    switch (t->kind) {
    case TYPE_BOOL: buf_adds(b, len && s[0] == 't' ? "true" : "false"); break;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC: add_number(b, s, len); break;
    case TYPE_TEXT:
    case TYPE_BPCHAR:
    case TYPE_UUID:
    case TYPE_OID:
    case TYPE_TIME:
    case TYPE_TIMETZ:
    case TYPE_INTERVAL:
    case TYPE_BYTEA:
    case TYPE_ENUM: json_add_string(b, s, len); break;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ: add_datetime(b, t, s, len); break;
    case TYPE_OPAQUE: add_opaque(b, t, s, len); break;
    }
}

static void add_datetime_value(struct buf *b, const struct type *t, int64_t i)
{
    buf_addc(b, '"');
    if (t->kind == TYPE_DATE)
        date_print(i, b);
    else if (t->kind == TYPE_TIMESTAMP)
        timestamp_print(i, DATETIME_XSD, b);
    else
        timestamptz_print(i, DATETIME_XSD, b);
    buf_addc(b, '"');
}

/* Prints in place and adds the quotes where the number turns out to be none. */
static void add_number_value(struct buf *b, const struct type *t, struct value v)
{
    size_t start = b->len;
    value_print(t, v, b);
    char last = b->data[b->len - 1];
    if (last >= '0' && last <= '9')
        return;
    buf_reserve(b, 2);
    memmove(b->data + start + 1, b->data + start, b->len - start);
    b->data[start] = '"';
    b->len++;
    buf_addc(b, '"');
}

void value_to_json(const struct type *t, struct value v, struct buf *b)
{
    if (v.null) {
        buf_add(b, "null", 4);
        return;
    }
    switch (t->kind) {
    case TYPE_BOOL: buf_adds(b, v.i ? "true" : "false"); break;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8: buf_add_i64(b, v.i); break;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC: add_number_value(b, t, v); break;
    case TYPE_TEXT:
    case TYPE_BPCHAR:
    case TYPE_ENUM: json_add_string(b, (const char *)v.p, v.len); break;
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ: add_datetime_value(b, t, v.i); break;
    case TYPE_UUID:
    case TYPE_OID:
    case TYPE_TIME:
    case TYPE_TIMETZ:
    case TYPE_INTERVAL:
        buf_addc(b, '"');
        value_print(t, v, b);
        buf_addc(b, '"');
        break;
    case TYPE_BYTEA:
        buf_adds(b, "\"\\"); /* its text begins with a backslash, which JSON doubles */
        value_print(t, v, b);
        buf_addc(b, '"');
        break;
    case TYPE_OPAQUE: add_opaque(b, t, (const char *)v.p, v.len); break;
    }
}
