/*
 * datum: constants of the node tree, from the bytes of a Datum to a value.
 *
 * The bytes are those Postgres's server process holds in memory, in its byte order: little endian
 * is assumed, as the catalog loader checks. By-value types are the 8 bytes of the Datum,
 * fixed-length ones the object, varlenas the object with its header of one or four bytes (a
 * compressed or out-of-line one never stands in a tree).
 */
#include "engine/value/datum.h"

#include <string.h>

#include "engine/value/float.h"
#include "engine/value/interval.h"
#include "engine/value/numeric_rep.h"

#define OID_CSTRING 2275
/* Four decimal digits each, and those at either end may be partly used. */
#define BASE_DIGITS_MAX ((NUMERIC_INT_DIGITS + NUMERIC_DSCALE_MAX) / 4 + 2)

bool datum_unknown(const struct type *t, struct err *err)
{
    err_soft(err, "a constant of type %s", t->name);
    return err_hint(err, "Pass the value as a parameter ($1).");
}

bool datum_strip(const uint8_t *p, size_t len, struct bytes *out)
{
    if (len >= 1 && (p[0] & 1)) {
        size_t total = p[0] >> 1;
        *out = (struct bytes){p + 1, total - 1};
        return total >= 1 && total <= len;
    }
    if (len < 4 || (p[0] & 3) != 0)
        return false;
    uint32_t header;
    memcpy(&header, p, sizeof header);
    *out = (struct bytes){p + 4, (header >> 2) - 4};
    return header >> 2 >= 4 && header >> 2 <= len;
}

/* ------------------------------------------------------------ numeric */

static uint16_t load_u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

struct disk_numeric {
    bool neg;
    int dscale;
    int weight; /* of the first base-10000 digit */
    struct bytes digits;
};

static void read_short_header(struct bytes b, uint16_t h, struct disk_numeric *n)
{
    n->neg = h & 0x2000;
    n->dscale = (h & 0x1F80) >> 7;
    n->weight = (h & 0x3F) - (h & 0x40);
    n->digits = (struct bytes){b.p + 2, b.len - 2};
}

static bool read_long_header(struct bytes b, uint16_t h, struct disk_numeric *n)
{
    n->neg = (h & 0xC000) == 0x4000;
    n->dscale = h & 0x3FFF;
    if (b.len < 4)
        return false;
    n->weight = (int16_t)load_u16(b.p + 2);
    n->digits = (struct bytes){b.p + 4, b.len - 4};
    return true;
}

static bool finite_numeric(const struct disk_numeric *n, struct arena *a, struct value *out,
                           struct err *err)
{
    long ndigits = (long)(n->digits.len / 2);
    mpz_t z;
    if (ndigits > BASE_DIGITS_MAX) /* Postgres has none; the time grows with the square */
        return num_overflows(err);
    mpz_init(z);
    for (long i = 0; i < ndigits; i++) {
        mpz_mul_ui(z, z, 10000);
        mpz_add_ui(z, z, load_u16(n->digits.p + 2 * i));
    }
    if (n->neg)
        mpz_neg(z, z);
    /* The last digit stands for 10000^(weight - ndigits + 1); beyond dscale there are only zeros.
     */
    num_shift_round_big(z, 4 * (n->weight - ndigits + 1) + n->dscale);
    bool ok = num_store_big(z, n->dscale, a, out, err);
    mpz_clear(z);
    return ok;
}

static bool from_numeric(const struct type *t, struct bytes b, struct arena *a, struct value *out,
                         struct err *err)
{
    struct disk_numeric n;
    if (b.len < 2)
        return datum_unknown(t, err);
    uint16_t h = load_u16(b.p);
    switch (h & 0xF000) {
    case 0xC000: *out = numeric_nan; return true;
    case 0xD000: *out = numeric_pinf; return true;
    case 0xF000: *out = numeric_ninf; return true;
    }
    if ((h & 0xC000) == 0x8000)
        read_short_header(b, h, &n);
    else if (!read_long_header(b, h, &n))
        return datum_unknown(t, err);
    return finite_numeric(&n, a, out, err);
}

/* ------------------------------------------------------------ by value */

/* The OID of the label's row in pg_enum. */
static bool from_enum(const struct type *t, uint32_t oid, struct value *out, struct err *err)
{
    const struct type_label *label = type_enum_label(t, oid);
    if (!label)
        return datum_unknown(t, err);
    *out = value_bytes(label->name, label->len);
    return true;
}

static bool from_opaque_byval(const struct type *t, int64_t i, struct arena *a, struct value *out,
                              struct err *err)
{
    const char *text;
    if (t->oid == OID_CHAR)
        text = arena_printf(a, "%c", (char)i);
    else if (t->oid == OID_PG_LSN)
        text = arena_printf(a, "%X/%X", (uint32_t)((uint64_t)i >> 32), (uint32_t)i);
    else if (t->oid == OID_XID8)
        text = arena_printf(a, "%llu", (unsigned long long)i);
    else
        return datum_unknown(t, err);
    *out = value_bytes(text, strlen(text));
    return true;
}

static bool from_byval(const struct type *t, const uint8_t *datum, struct arena *a,
                       struct value *out, struct err *err)
{
    int64_t i;
    memcpy(&i, datum, sizeof i);
    switch (t->kind) {
    case TYPE_BOOL: *out = value_bool(i & 0xFF); return true;
    case TYPE_INT2: *out = value_int((int16_t)i); return true;
    case TYPE_INT4:
    case TYPE_DATE: *out = value_int((int32_t)i); return true;
    case TYPE_INT8:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_TIME: *out = value_int(i); return true;
    case TYPE_OID: *out = value_int((uint32_t)i); return true;
    case TYPE_FLOAT4: {
        float f;
        memcpy(&f, datum, sizeof f);
        *out = value_float((double)f);
        return true;
    }
    case TYPE_FLOAT8: {
        double d;
        memcpy(&d, datum, sizeof d);
        *out = value_float(d);
        return true;
    }
    case TYPE_ENUM: return from_enum(t, (uint32_t)i, out, err);
    case TYPE_NUMERIC:
    case TYPE_TEXT:
    case TYPE_BPCHAR:
    case TYPE_UUID:
    case TYPE_TIMETZ:
    case TYPE_INTERVAL:
    case TYPE_BYTEA: break;
    case TYPE_OPAQUE: return from_opaque_byval(t, i, a, out, err);
    }
    return datum_unknown(t, err);
}

/* ------------------------------------------------------------ by reference */

static struct value copy_bytes(struct bytes b, struct arena *a)
{
    return value_bytes(arena_memdup(a, b.p, b.len), b.len);
}

/* The opaque types whose text is their bytes, or nearly. */
static bool from_opaque(const struct type *t, const uint8_t *p, size_t len, struct arena *a,
                        struct value *out, struct err *err)
{
    struct bytes b = {p, len};
    switch (t->oid) {
    case OID_UNKNOWN:
    case OID_CSTRING: b.len = strnlen((const char *)p, len); break;
    case OID_JSON:
        if (!datum_strip(p, len, &b))
            return datum_unknown(t, err);
        break;
    default: return datum_compound(t, p, len, a, out, err);
    }
    *out = copy_bytes(b, a);
    return true;
}

/* Objects of a fixed length. An offset counts east here, west in Postgres. */
static bool from_fixed(const struct type *t, const uint8_t *p, size_t len, struct arena *a,
                       struct value *out, struct err *err)
{
    if (t->kind == TYPE_TIMETZ && len >= 12) {
        struct timetz z;
        memcpy(&z, p, 12);
        if (z.time < 0 || z.time > USECS_PER_DAY || z.offset <= -86400 || z.offset >= 86400)
            return datum_unknown(t, err);
        z.offset = -z.offset;
        *out = timetz_store(z, a);
        return true;
    }
    if (t->kind != TYPE_TIMETZ && len == 16) {
        *out = copy_bytes((struct bytes){p, 16}, a);
        return true;
    }
    return datum_unknown(t, err);
}

bool value_from_datum(const struct type *t, const uint8_t *datum, size_t len, bool byval,
                      struct arena *a, struct value *out, struct err *err)
{
    struct bytes b = {datum, len};
    if (byval)
        return len == 8 ? from_byval(t, datum, a, out, err) : datum_unknown(t, err);
    if (t->kind == TYPE_OPAQUE)
        return from_opaque(t, datum, len, a, out, err);
    if (t->rep == REP_FIXED16)
        return from_fixed(t, datum, len, a, out, err);
    if (t->oid == OID_NAME)
        b.len = strnlen((const char *)datum, len);
    else if (!datum_strip(datum, len, &b))
        return datum_unknown(t, err);
    if (t->kind == TYPE_NUMERIC)
        return from_numeric(t, b, a, out, err);
    if (t->kind != TYPE_TEXT && t->kind != TYPE_BPCHAR && t->kind != TYPE_BYTEA)
        return datum_unknown(t, err);
    *out = copy_bytes(b, a);
    return true;
}
