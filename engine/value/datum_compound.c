/*
 * datum_compound: constants that have parts, from Postgres's binary form to the text that they are
 * carried as.
 *
 * A part lies at the alignment of its type, counted from the start of the object; a varlena with a
 * header of one byte lies anywhere. Nothing in the bytes is trusted: whatever would be read beyond
 * their end makes the constant one that we can't read.
 */
#include <arpa/inet.h>
#include <string.h>

#include "engine/value/array_text.h"
#include "engine/value/datum.h"
#include "engine/value/parts.h"

/* ------------------------------------------------------------ parts */

/* pg_type's typlen, typalign and typbyval. len -1: a varlena. */
struct storage {
    int len;
    unsigned align;
    bool byval;
};

static bool storage_of(const struct type *t, struct storage *out);

static bool opaque_storage(const struct type *t, struct storage *out)
{
    struct storage bound;
    *out = (struct storage){-1, 4, false};
    switch (t->order) {
    case ORDER_RANGE:
        if (!storage_of(t->elem, &bound))
            return false;
        out->align = bound.align == 8 ? 8 : 4;
        return true;
    case ORDER_HEX:
    case ORDER_UNSIGNED: *out = (struct storage){8, 8, true}; return true;
    case ORDER_NETWORK:
    case ORDER_JSONB: return true;
    default: return t->oid == OID_JSON || t->oid == OID_BIT || t->oid == OID_VARBIT;
    }
}

static bool storage_of(const struct type *t, struct storage *out)
{
    switch (t->kind) {
    case TYPE_BOOL: *out = (struct storage){1, 1, true}; return true;
    case TYPE_INT2: *out = (struct storage){2, 2, true}; return true;
    case TYPE_INT4:
    case TYPE_DATE:
    case TYPE_FLOAT4:
    case TYPE_OID:
    case TYPE_ENUM: *out = (struct storage){4, 4, true}; return true;
    case TYPE_INT8:
    case TYPE_FLOAT8:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_TIME: *out = (struct storage){8, 8, true}; return true;
    case TYPE_UUID: *out = (struct storage){16, 1, false}; return true;
    case TYPE_INTERVAL: *out = (struct storage){16, 8, false}; return true;
    case TYPE_TIMETZ: *out = (struct storage){12, 8, false}; return true;
    case TYPE_TEXT:
        *out = t->oid == OID_NAME ? (struct storage){64, 1, false} : (struct storage){-1, 4, false};
        return true;
    case TYPE_NUMERIC:
    case TYPE_BPCHAR:
    case TYPE_BYTEA: *out = (struct storage){-1, 4, false}; return true;
    case TYPE_OPAQUE: return opaque_storage(t, out);
    }
    return false;
}

struct reader {
    const uint8_t *start;
    size_t at, len;
};

static size_t aligned(size_t n, unsigned align)
{
    return (n + align - 1) / align * align;
}

/* The bytes of the next part. */
static bool next_bytes(struct reader *r, const struct storage *s, struct bytes *out)
{
    size_t n = (size_t)s->len;
    if (s->len >= 0 || (r->at < r->len && !r->start[r->at]))
        r->at = aligned(r->at, s->align);
    if (s->len < 0) {
        struct bytes content;
        if (r->at >= r->len || !datum_strip(r->start + r->at, r->len - r->at, &content))
            return false;
        n = (size_t)(content.p - (r->start + r->at)) + content.len;
    }
    if (r->at > r->len || n > r->len - r->at)
        return false;
    *out = (struct bytes){r->start + r->at, n};
    r->at += n;
    return true;
}

static bool next_part(struct reader *r, const struct type *t, struct arena *a, struct value *out)
{
    struct storage s;
    struct bytes b;
    struct err err;
    uint8_t datum[8] = {0};
    if (!storage_of(t, &s) || !next_bytes(r, &s, &b))
        return false;
    if (!s.byval)
        return value_from_datum(t, b.p, b.len, false, a, out, &err);
    memcpy(datum, b.p, b.len);
    return value_from_datum(t, datum, sizeof datum, true, a, out, &err);
}

static int32_t load_i32(const uint8_t *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* ------------------------------------------------------------ arrays */

struct array {
    struct array_dims dims;
    size_t n;
    const uint8_t *nulls; /* a bit that is set: not NULL. NULL: none are */
    struct reader data;
};

#define ARRAY_HEADER 16        /* varlena header, ndim, dataoffset, elemtype */
#define ELEMENTS_MAX (1 << 20) /* NULLs take a bit each, so the length alone is no bound */

static bool read_array_header(const uint8_t *p, size_t len, struct array *out)
{
    if (len < ARRAY_HEADER || (p[0] & 3))
        return false;
    int32_t ndim = load_i32(p + 4), offset = load_i32(p + 8);
    if (ndim < 0 || ndim > MAX_DIMENSIONS || len < ARRAY_HEADER + 8 * (size_t)ndim)
        return false;
    *out = (struct array){.dims.n = ndim, .n = ndim > 0};
    for (int i = 0; i < ndim; i++) {
        out->dims.length[i] = load_i32(p + ARRAY_HEADER + 4 * i);
        out->dims.lower[i] = load_i32(p + ARRAY_HEADER + 4 * (ndim + i));
        if (out->dims.length[i] <= 0 || out->dims.length[i] > ELEMENTS_MAX ||
            out->dims.lower[i] > INT32_MAX - out->dims.length[i])
            return false;
        out->n *= (size_t)out->dims.length[i];
        if (out->n > ELEMENTS_MAX)
            return false;
    }
    size_t at = ARRAY_HEADER + 8 * (size_t)ndim;
    if (offset)
        out->nulls = p + at;
    if (out->n > len * 8 || offset < 0 || (offset && at + (out->n + 7) / 8 > len))
        return false;
    out->data = (struct reader){p, offset ? (size_t)offset : aligned(at, 8), len};
    return true;
}

static bool from_array(const struct type *t, const uint8_t *p, size_t len, struct arena *a,
                       struct value *out)
{
    struct array array;
    if (!t->elem || !read_array_header(p, len, &array))
        return false;
    struct value *v = arena_zalloc(a, (array.n + 1) * sizeof *v);
    size_t before = a->bytes;
    for (size_t i = 0; i < array.n; i++) {
        v[i].null = array.nulls && !(array.nulls[i / 8] >> (i % 8) & 1);
        if (!v[i].null && !next_part(&array.data, t->elem, a, &v[i]))
            return false;
        if (a->bytes - before > CONSTANT_MAX)
            return false;
    }
    struct buf text;
    buf_init(&text);
    array_print(t, &array.dims, v, &text);
    *out = value_bytes(arena_memdup(a, text.data, text.len), text.len);
    buf_fini(&text);
    return true;
}

/* ------------------------------------------------------------ ranges */

enum {
    RANGE_EMPTY = 1,
    RANGE_LOWER_INC = 2,
    RANGE_UPPER_INC = 4,
    RANGE_LOWER_INF = 8,
    RANGE_UPPER_INF = 16
};

static bool add_bound(struct reader *r, const struct type *t, bool infinite, struct arena *a,
                      struct buf *text)
{
    struct value v;
    struct buf bound;
    if (infinite)
        return true;
    if (!next_part(r, t, a, &v))
        return false;
    buf_init(&bound);
    value_print(t, v, &bound);
    range_add_bound(text, bound.data, bound.len);
    buf_fini(&bound);
    return true;
}

/* Header, the range type's OID, the bounds there are, and a byte of flags at the end. */
static bool from_range(const struct type *t, const uint8_t *p, size_t len, struct arena *a,
                       struct value *out)
{
    struct reader r = {p, 8, len};
    struct buf text;
    if (len < 9 || (p[0] & 3))
        return false;
    uint8_t flags = p[len - 1];
    buf_init(&text);
    if (flags & RANGE_EMPTY)
        buf_adds(&text, "empty");
    else
        buf_addc(&text, flags & RANGE_LOWER_INC ? '[' : '(');
    bool ok = flags & RANGE_EMPTY;
    if (!ok && add_bound(&r, t->elem, flags & RANGE_LOWER_INF, a, &text)) {
        buf_addc(&text, ',');
        ok = add_bound(&r, t->elem, flags & RANGE_UPPER_INF, a, &text);
        buf_addc(&text, flags & RANGE_UPPER_INC ? ']' : ')');
    }
    *out = value_bytes(arena_memdup(a, text.data, text.len), text.len);
    buf_fini(&text);
    return ok;
}

/* ------------------------------------------------------------ others */

/* Family (2 or 3), bits, address. cidr shows its mask even where it is the whole address. */
static bool from_network(const struct type *t, struct bytes b, struct arena *a, struct value *out)
{
    char text[64];
    bool v4 = b.len && b.p[0] == 2;
    int most = v4 ? 32 : 128;
    if (b.len < (v4 ? 6U : 18U) || b.p[1] > most ||
        !inet_ntop(v4 ? AF_INET : AF_INET6, b.p + 2, text, sizeof text))
        return false;
    const char *s = arena_strdup(a, text);
    if (b.p[1] != most || t->oid != OID_INET)
        s = arena_printf(a, "%s/%d", text, b.p[1]);
    *out = value_bytes(s, strlen(s));
    return true;
}

static bool from_bits(struct bytes b, struct arena *a, struct value *out)
{
    int32_t n = b.len < 4 ? -1 : load_i32(b.p);
    if (n < 0 || ((size_t)n + 7) / 8 > b.len - 4)
        return false;
    char *text = arena_alloc(a, (size_t)n);
    for (int32_t i = 0; i < n; i++)
        text[i] = b.p[4 + i / 8] >> (7 - i % 8) & 1 ? '1' : '0';
    *out = value_bytes(text, (size_t)n);
    return true;
}

static bool from_macaddr(const uint8_t *p, size_t len, struct arena *a, struct value *out)
{
    struct buf text;
    buf_init(&text);
    for (size_t i = 0; i < len; i++)
        buf_addf(&text, i ? ":%02x" : "%02x", p[i]);
    *out = value_bytes(arena_memdup(a, text.data, text.len), text.len);
    buf_fini(&text);
    return true;
}

static bool from_jsonb(struct bytes b, struct arena *a, struct value *out)
{
    struct buf text;
    buf_init(&text);
    bool ok = datum_jsonb(b, &text);
    *out = value_bytes(arena_memdup(a, text.data, text.len), text.len);
    buf_fini(&text);
    return ok;
}

static bool by_type(const struct type *t, const uint8_t *p, size_t len, struct arena *a,
                    struct value *out)
{
    struct bytes b;
    if ((t->oid == OID_MACADDR && len == 6) || (t->oid == OID_MACADDR8 && len == 8))
        return from_macaddr(p, len, a, out);
    if (t->order == ORDER_ARRAY)
        return from_array(t, p, len, a, out);
    if (t->order == ORDER_RANGE)
        return from_range(t, p, len, a, out);
    if (!datum_strip(p, len, &b))
        return false;
    if (t->oid == OID_JSONB)
        return from_jsonb(b, a, out);
    if (t->oid == OID_BIT || t->oid == OID_VARBIT)
        return from_bits(b, a, out);
    return t->order == ORDER_NETWORK && from_network(t, b, a, out);
}

bool datum_compound(const struct type *t, const uint8_t *p, size_t len, struct arena *a,
                    struct value *out, struct err *err)
{
    return by_type(t, p, len, a, out) || datum_unknown(t, err);
}
