/*
 * value: what can be done with a value, by the kind of its type. JSON is in json.c, constants of
 * the node tree in datum.c; the inside of a difficult type in its own file.
 *
 * Every switch over the kind is complete and without default, so that the compiler names the places
 * to touch when a kind is added.
 */
#include "engine/value/value.h"

#include <assert.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/value/collation.h"
#include "engine/value/datetime.h"
#include "engine/value/float.h"
#include "engine/value/interval.h"
#include "engine/value/numeric.h"
#include "engine/value/opaque.h"

/* ------------------------------------------------------------ text in */

static bool bad_syntax(const struct type *t, const char *s, size_t len, struct err *err)
{
    return err_set(err, ERR_INVALID_TEXT, "invalid input syntax for type %s: \"%.*s\"", t->name,
                   (int)(len < 200 ? len : 200), s);
}

/* Postgres's own output: an optional minus and digits without needless zeros. */
static bool parse_int(const char *s, size_t len, uint64_t max, int64_t *out)
{
    bool neg = len && *s == '-';
    const char *p = s + neg, *end = s + len;
    uint64_t u = 0;
    if (p == end || end - p > 19)
        return false;
    for (; p < end; p++) {
        unsigned d = (unsigned)*p - '0';
        if (d > 9)
            return false;
        u = u * 10 + d;
    }
    *out = neg ? (int64_t)(0 - u) : (int64_t)u;
    return u <= max + neg;
}

static bool parse_bool(const char *s, size_t len, int64_t *out)
{
    *out = len && s[0] == 't';
    return len == 1 && (s[0] == 't' || s[0] == 'f');
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Of the 36 characters, these positions hold a dash. */
static bool uuid_dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool parse_uuid(const char *s, size_t len, struct arena *a, struct value *out)
{
    uint8_t *p = arena_alloc(a, 16);
    size_t n = 0;
    if (len != 36)
        return false;
    for (size_t i = 0; i < 36;) {
        if (uuid_dash_at(i)) {
            if (s[i++] != '-')
                return false;
            continue;
        }
        int hi = hex_digit(s[i]), lo = hex_digit(s[i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        p[n++] = (uint8_t)(hi << 4 | lo);
        i += 2;
    }
    *out = value_bytes(p, 16);
    return true;
}

/* As Postgres prints it with bytea_output = hex. */
static bool parse_bytea(const char *s, size_t len, struct arena *a, struct value *out)
{
    size_t n = (len - 2) / 2;
    if (len < 2 || len % 2 || s[0] != '\\' || s[1] != 'x')
        return false;
    uint8_t *p = arena_alloc(a, n);
    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(s[2 + 2 * i]), lo = hex_digit(s[3 + 2 * i]);
        if (hi < 0 || lo < 0)
            return false;
        p[i] = (uint8_t)(hi << 4 | lo);
    }
    *out = value_bytes(p, n);
    return true;
}

/* A label that the type doesn't know was added since the type was read: its place is unknown. */
static bool parse_enum(const struct type *t, const char *s, size_t len, struct value *out,
                       struct err *err)
{
    *out = value_bytes(s, len);
    return type_enum_place(t, s, len) >= 0 ||
           err_set(err, ERR_INVALID_TEXT, "invalid input value for enum %s: \"%.*s\"", t->name,
                   (int)(len < 200 ? len : 200), s);
}

static bool parse_interval(const char *s, size_t len, struct arena *a, struct value *out,
                           struct err *err)
{
    struct interval iv;
    if (!interval_parse(s, len, &iv, err))
        return false;
    *out = interval_store(iv, a);
    return true;
}

static bool parse_timetz(const char *s, size_t len, struct arena *a, struct value *out,
                         struct err *err)
{
    struct timetz t;
    if (!timetz_parse(s, len, &t.time, &t.offset, err))
        return false;
    *out = timetz_store(t, a);
    return true;
}

bool value_parse(const struct type *t, const char *s, size_t len, struct arena *a,
                 struct value *out, struct err *err)
{
    bool ok = true;
    *out = value_int(0);
    switch (t->kind) {
    case TYPE_BOOL: ok = parse_bool(s, len, &out->i); break;
    case TYPE_INT2: ok = parse_int(s, len, INT16_MAX, &out->i); break;
    case TYPE_INT4: ok = parse_int(s, len, INT32_MAX, &out->i); break;
    case TYPE_INT8: ok = parse_int(s, len, INT64_MAX, &out->i); break;
    case TYPE_FLOAT4: return float_parse(s, len, true, &out->f, err);
    case TYPE_FLOAT8: return float_parse(s, len, false, &out->f, err);
    case TYPE_NUMERIC: return numeric_parse(s, len, a, out, err);
    case TYPE_TEXT:
    case TYPE_BPCHAR:
    case TYPE_OPAQUE: *out = value_bytes(s, len); break;
    case TYPE_DATE: return date_parse(s, len, &out->i, err);
    case TYPE_TIMESTAMP: return timestamp_parse(s, len, &out->i, err);
    case TYPE_TIMESTAMPTZ: return timestamptz_parse(s, len, &out->i, err);
    case TYPE_UUID: ok = parse_uuid(s, len, a, out); break;
    case TYPE_OID: ok = parse_int(s, len, UINT32_MAX, &out->i) && out->i >= 0; break;
    case TYPE_TIME: return time_parse(s, len, &out->i, err);
    case TYPE_TIMETZ: return parse_timetz(s, len, a, out, err);
    case TYPE_INTERVAL: return parse_interval(s, len, a, out, err);
    case TYPE_BYTEA: ok = parse_bytea(s, len, a, out); break;
    case TYPE_ENUM: return parse_enum(t, s, len, out, err);
    }
    return ok || bad_syntax(t, s, len, err);
}

/* ------------------------------------------------------------ text out */

static void print_float(double d, bool is_float4, struct buf *b)
{
    char text[FLOAT_TEXT_MAX];
    size_t len = float_print(d, is_float4, text);
    buf_add(b, text, len);
}

static void print_uuid(const uint8_t *p, struct buf *b)
{
    static const char hex[] = "0123456789abcdef";
    char text[36], *out = text;
    for (size_t i = 0; i < 16; i++) {
        if (uuid_dash_at((size_t)(out - text)))
            *out++ = '-';
        *out++ = hex[p[i] >> 4];
        *out++ = hex[p[i] & 15];
    }
    buf_add(b, text, sizeof text);
}

static void print_bytea(struct value v, struct buf *b)
{
    static const char hex[] = "0123456789abcdef";
    char *p = buf_reserve(b, 2 + 2 * (size_t)v.len);
    *p++ = '\\';
    *p++ = 'x';
    for (uint32_t i = 0; i < v.len; i++) {
        *p++ = hex[v.p[i] >> 4];
        *p++ = hex[v.p[i] & 15];
    }
    b->len += 2 + 2 * (size_t)v.len;
}

static void print_timetz(struct timetz t, struct buf *b)
{
    timetz_print(t.time, t.offset, b);
}

void value_print(const struct type *t, struct value v, struct buf *b)
{
    assert(!v.null);
    switch (t->kind) {
    case TYPE_BOOL: buf_addc(b, v.i ? 't' : 'f'); break;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_OID: buf_add_i64(b, v.i); break;
    case TYPE_FLOAT4: print_float(v.f, true, b); break;
    case TYPE_FLOAT8: print_float(v.f, false, b); break;
    case TYPE_NUMERIC: numeric_print(v, b); break;
    case TYPE_TEXT:
    case TYPE_BPCHAR:
    case TYPE_ENUM:
    case TYPE_OPAQUE: buf_add(b, v.p, v.len); break;
    case TYPE_DATE: date_print(v.i, b); break;
    case TYPE_TIMESTAMP: timestamp_print(v.i, DATETIME_ISO, b); break;
    case TYPE_TIMESTAMPTZ: timestamptz_print(v.i, DATETIME_ISO, b); break;
    case TYPE_UUID: print_uuid(v.p, b); break;
    case TYPE_TIME: time_print(v.i, b); break;
    case TYPE_TIMETZ: print_timetz(timetz_load(v), b); break;
    case TYPE_INTERVAL: interval_print(interval_load(v), b); break;
    case TYPE_BYTEA: print_bytea(v, b); break;
    }
}

/* ------------------------------------------------------------ order */

bool type_has_order(const struct column_type *t)
{
    switch (t->type->kind) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_UUID:
    case TYPE_OID:
    case TYPE_TIME:
    case TYPE_TIMETZ:
    case TYPE_INTERVAL:
    case TYPE_BYTEA:
    case TYPE_ENUM: return true;
    case TYPE_TEXT:
    case TYPE_BPCHAR: return t->collation && t->collation->kind != COLLATION_UNSUPPORTED;
    case TYPE_OPAQUE: return opaque_has_order(t);
    }
    return false;
}

/* Texts of different bytes may be equal. */
static bool is_blind(const struct column_type *t)
{
    return t->collation && !t->collation->deterministic;
}

bool type_has_equality(const struct column_type *t)
{
    switch (t->type->kind) {
    case TYPE_TEXT:
    case TYPE_BPCHAR: return !is_blind(t) || t->collation->kind == COLLATION_ICU;
    case TYPE_OPAQUE: return opaque_has_equality(t);
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_UUID:
    case TYPE_OID:
    case TYPE_TIME:
    case TYPE_TIMETZ:
    case TYPE_INTERVAL:
    case TYPE_BYTEA:
    case TYPE_ENUM: return true;
    }
    return false;
}

/* Of a char(n) only what stands before the trailing blanks. */
static struct value bpchar_trim(struct value v)
{
    v.len = bpchar_len(v);
    return v;
}

int value_cmp(const struct column_type *t, struct value a, struct value b)
{
    switch (t->type->kind) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_OID:
    case TYPE_TIME: return (a.i > b.i) - (a.i < b.i);
    case TYPE_FLOAT4:
    case TYPE_FLOAT8: return float_cmp(a.f, b.f);
    case TYPE_NUMERIC: return numeric_cmp(a, b);
    case TYPE_TEXT: return text_cmp(t->collation, a, b);
    case TYPE_BPCHAR: return text_cmp(t->collation, bpchar_trim(a), bpchar_trim(b));
    case TYPE_UUID: return memcmp(a.p, b.p, 16);
    case TYPE_TIMETZ: return timetz_cmp(timetz_load(a), timetz_load(b));
    case TYPE_INTERVAL: return interval_cmp(interval_load(a), interval_load(b));
    case TYPE_ENUM:
        return type_enum_place(t->type, a.p, a.len) - type_enum_place(t->type, b.p, b.len);
    case TYPE_BYTEA: return text_cmp(NULL, a, b);
    case TYPE_OPAQUE: break;
    }
    return opaque_cmp(t, a, b);
}

/* ------------------------------------------------------------ equality and hash */

static inline bool same_bytes(const uint8_t *a, uint32_t alen, const uint8_t *b, uint32_t blen)
{
    return alen == blen && (alen == 0 || memcmp(a, b, alen) == 0);
}

bool value_same(const struct column_type *t, struct value a, struct value b)
{
    if (a.null || b.null)
        return a.null && b.null;
    switch (t->type->kind) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_OID:
    case TYPE_TIME: return a.i == b.i;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8: return float_cmp(a.f, b.f) == 0;
    case TYPE_NUMERIC: return same_bytes(a.p, a.len, b.p, b.len) || numeric_cmp(a, b) == 0;
    case TYPE_BPCHAR:
        if (is_blind(t))
            return text_same(t->collation, bpchar_trim(a), bpchar_trim(b));
        return same_bytes(a.p, bpchar_len(a), b.p, bpchar_len(b));
    case TYPE_UUID:
    case TYPE_TIMETZ: return memcmp(a.p, b.p, 16) == 0;
    case TYPE_INTERVAL: return interval_cmp(interval_load(a), interval_load(b)) == 0;
    case TYPE_OPAQUE: return opaque_same(t, a, b);
    case TYPE_TEXT:
        if (is_blind(t))
            return text_same(t->collation, a, b);
        break;
    case TYPE_BYTEA:
    case TYPE_ENUM: break;
    }
    assert(type_has_equality(t));
    return same_bytes(a.p, a.len, b.p, b.len);
}

uint64_t value_hash(const struct column_type *t, struct value v)
{
    if (v.null)
        return UINT64_C(0x9E3779B97F4A7C15);
    switch (t->type->kind) {
    case TYPE_BOOL:
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_OID:
    case TYPE_TIME: return hash_mix(0, (uint64_t)v.i);
    case TYPE_FLOAT4:
    case TYPE_FLOAT8: return hash_mix(0, float_key(v.f));
    case TYPE_NUMERIC: return numeric_hash(v);
    case TYPE_BPCHAR:
        if (is_blind(t))
            return text_hash(t->collation, bpchar_trim(v));
        return hash_bytes(v.p, bpchar_len(v));
    case TYPE_UUID:
    case TYPE_TIMETZ: return hash_bytes(v.p, 16);
    case TYPE_INTERVAL: return interval_hash(interval_load(v));
    case TYPE_OPAQUE: return opaque_hash(t, v);
    case TYPE_TEXT:
        if (is_blind(t))
            return text_hash(t->collation, v);
        break;
    case TYPE_BYTEA:
    case TYPE_ENUM: break;
    }
    assert(type_has_equality(t));
    return hash_bytes(v.p, v.len);
}

/* ------------------------------------------------------------ copies */

struct value value_dup(const struct type *t, struct value v, struct arena *a)
{
    if (!v.null && (t->rep == REP_BYTES || t->rep == REP_FIXED16))
        v.p = arena_memdup(a, v.p, v.len);
    return v;
}
