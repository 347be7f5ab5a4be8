/*
 * abbrev: see abbrev.h. Integers are exact; floats too, with -0 as 0 and NaN above all; numerics are
 * rounded down to an integer and saturate at the range of int64; of text in the C order and of uuid
 * it is the first eight bytes.
 */
#include "engine/arrange/abbrev.h"

#include <math.h>
#include <string.h>

#include "engine/value/interval.h"
#include "engine/value/numeric.h"

static uint64_t from_int(int64_t i)
{
    return (uint64_t)i ^ 0x8000000000000000ULL;
}

static int64_t saturated(__int128 span)
{
    return span > INT64_MAX ? INT64_MAX : span < INT64_MIN ? INT64_MIN : (int64_t)span;
}

static uint64_t from_float(double d)
{
    uint64_t bits;
    if (isnan(d))
        return UINT64_MAX;
    d += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &d, sizeof bits);
    return bits >> 63 ? ~bits : bits | 0x8000000000000000ULL;
}

/* An integer of up to seven bytes, as most sums are, straight from its encoding (numeric.h). */
static bool small_integer(struct value v, int64_t *i)
{
    uint64_t magnitude = 0;
    if (v.len > 10 || v.p[0] > 1 || v.p[1] || v.p[2])
        return false;
    for (uint32_t k = v.len; k > 3; k--)
        magnitude = magnitude << 8 | v.p[k - 1];
    *i = v.p[0] ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

static uint64_t from_numeric(struct value v, struct arena *scratch)
{
    struct err err;
    int64_t i;
    if (small_integer(v, &i))
        return from_int(i);
    if (numeric_is_nan(v))
        return UINT64_MAX;
    if (numeric_is_inf(v))
        return numeric_sign(v) < 0 ? 0 : UINT64_MAX;
    bool fits = !numeric_dscale(v) || numeric_floor(v, scratch, &v, &err);
    if (fits && numeric_to_int64(v, &i, &err))
        return from_int(i);
    return numeric_sign(v) < 0 ? 0 : UINT64_MAX;
}

static uint64_t from_bytes(struct value v)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < 8; i++)
        n = n << 8 | (i < v.len ? v.p[i] : 0);
    return n;
}

uint64_t abbrev(const struct column_type *t, struct value v, struct arena *scratch)
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
    case TYPE_TIME: return from_int(v.i);
    case TYPE_FLOAT4:
    case TYPE_FLOAT8: return from_float(v.f);
    case TYPE_NUMERIC: return from_numeric(v, scratch);
    case TYPE_UUID:
    case TYPE_BYTEA: return from_bytes(v);
    case TYPE_INTERVAL: return from_int(saturated(interval_span(interval_load(v))));
    case TYPE_TEXT: return t->collation && t->collation->kind == COLLATION_C ? from_bytes(v) : 0;
    case TYPE_BPCHAR:
    case TYPE_TIMETZ:
    case TYPE_ENUM: return 0; /* places of labels move when one is added */
    case TYPE_OPAQUE: return t->type->order == ORDER_BYTES ? from_bytes(v) : 0;
    }
    return 0;
}
