/*
 * opaque: see opaque.h. Arrays, rows and ranges compare their parts by the type of the part, NULLs
 * equal and above everything else.
 *
 * To add an order: a constant in enum text_order, a case in the switches here, and in the catalog
 * loader the types that have it.
 */
#include "engine/value/opaque.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/value/collation.h"
#include "engine/value/jsonb.h"
#include "engine/value/parts.h"

static int sign(int64_t d)
{
    return (d > 0) - (d < 0);
}

static struct column_type element_type(const struct column_type *t)
{
    return (struct column_type){t->type->elem, -1, t->collation};
}

static struct column_type bound_type(const struct type *range)
{
    return (struct column_type){range->elem, -1, range->collation};
}

static struct column_type field_type(const struct type *row, size_t i)
{
    return (struct column_type){row->fields[i].type, -1, row->fields[i].collation};
}

/* ------------------------------------------------------------ what there is */

static bool all_parts(const struct column_type *t, bool (*has)(const struct column_type *))
{
    struct column_type part;
    switch (t->type->order) {
    case ORDER_ARRAY: part = element_type(t); return has(&part);
    case ORDER_RANGE: part = bound_type(t->type); return type_has_order(&part);
    case ORDER_MULTIRANGE: part = bound_type(t->type->elem); return type_has_order(&part);
    case ORDER_RECORD:
        for (size_t i = 0; i < t->type->nfields; i++) {
            part = field_type(t->type, i);
            if (!has(&part))
                return false;
        }
        return true;
    default: return true;
    }
}

bool opaque_has_equality(const struct column_type *t)
{
    return t->type->text_is_identity ||
           (t->type->order != ORDER_NONE && all_parts(t, type_has_equality));
}

bool opaque_has_order(const struct column_type *t)
{
    if (t->type->order == ORDER_NONE)
        return false;
    if (t->type->order == ORDER_JSONB)
        return t->type->collation && t->type->collation->kind != COLLATION_UNSUPPORTED;
    return all_parts(t, type_has_order);
}

/* ------------------------------------------------------------ parts */

/* Of texts that aren't values of the part's type: labels that an enum got after it was read. */
static int cmp_unread(const struct part *a, const struct part *b)
{
    return text_cmp(NULL, value_bytes(a->text, a->len), value_bytes(b->text, b->len));
}

/* NULLs are equal to each other and greater than everything else, and next come texts that can't be
 * read. */
static int cmp_part(const struct column_type *t, const struct part *a, const struct part *b,
                    struct arena *arena)
{
    struct value x, y;
    if (a->null || b->null)
        return a->null - b->null;
    bool a_reads = part_value(t->type, a, arena, &x), b_reads = part_value(t->type, b, arena, &y);
    if (a_reads && b_reads)
        return value_cmp(t, x, y);
    return a_reads || b_reads ? b_reads - a_reads : cmp_unread(a, b);
}

static bool same_part(const struct column_type *t, const struct part *a, const struct part *b,
                      struct arena *arena)
{
    struct value x, y;
    if (a->null || b->null)
        return a->null && b->null;
    bool a_reads = part_value(t->type, a, arena, &x), b_reads = part_value(t->type, b, arena, &y);
    if (a_reads && b_reads)
        return value_same(t, x, y);
    return a_reads == b_reads && cmp_unread(a, b) == 0;
}

static uint64_t hash_part(const struct column_type *t, const struct part *p, struct arena *arena)
{
    struct value v;
    return part_value(t->type, p, arena, &v) ? value_hash(t, v) : 0;
}

/* ------------------------------------------------------------ arrays */

static int cmp_dims(const struct type *t, struct value a, struct value b)
{
    struct array_dims x, y;
    array_measure(t, a, &x);
    array_measure(t, b, &y);
    int r = sign(x.n - y.n);
    for (int i = 0; !r && i < x.n; i++)
        r = sign((int64_t)x.length[i] - y.length[i]);
    for (int i = 0; !r && i < x.n; i++)
        r = sign((int64_t)x.lower[i] - y.lower[i]);
    return r;
}

static int cmp_arrays(const struct column_type *t, struct value a, struct value b,
                      struct arena *arena)
{
    struct column_type elem = element_type(t);
    struct parts x, y;
    struct part p, q;
    array_open(t->type, a, arena, &x);
    array_open(t->type, b, arena, &y);
    for (;;) {
        bool more = array_next(&x, &p), other = array_next(&y, &q);
        if (!more || !other)
            return more != other ? more - other : cmp_dims(t->type, a, b);
        int r = cmp_part(&elem, &p, &q, arena);
        if (r)
            return r;
    }
}

static bool same_arrays(const struct column_type *t, struct value a, struct value b,
                        struct arena *arena)
{
    struct column_type elem = element_type(t);
    struct parts x, y;
    struct part p, q;
    array_open(t->type, a, arena, &x);
    array_open(t->type, b, arena, &y);
    for (;;) {
        bool more = array_next(&x, &p), other = array_next(&y, &q);
        if (!more || !other)
            return more == other && cmp_dims(t->type, a, b) == 0;
        if (!same_part(&elem, &p, &q, arena))
            return false;
    }
}

static uint64_t hash_array(const struct column_type *t, struct value v, struct arena *arena)
{
    struct column_type elem = element_type(t);
    struct parts r;
    struct part p;
    uint64_t h = 0x61727261;
    array_open(t->type, v, arena, &r);
    while (array_next(&r, &p))
        h = hash_mix(h, hash_part(&elem, &p, arena));
    return h;
}

/* ------------------------------------------------------------ rows */

static int cmp_records(const struct type *t, struct value a, struct value b, struct arena *arena)
{
    struct parts x, y;
    struct part p, q;
    record_open(a, arena, &x);
    record_open(b, arena, &y);
    for (size_t i = 0; i < t->nfields && record_next(&x, &p) && record_next(&y, &q); i++) {
        struct column_type field = field_type(t, i);
        int r = cmp_part(&field, &p, &q, arena);
        if (r)
            return r;
    }
    return 0;
}

static bool same_records(const struct type *t, struct value a, struct value b, struct arena *arena)
{
    struct parts x, y;
    struct part p, q;
    record_open(a, arena, &x);
    record_open(b, arena, &y);
    for (size_t i = 0; i < t->nfields && record_next(&x, &p) && record_next(&y, &q); i++) {
        struct column_type field = field_type(t, i);
        if (!same_part(&field, &p, &q, arena))
            return false;
    }
    return true;
}

static uint64_t hash_record(const struct type *t, struct value v, struct arena *arena)
{
    struct parts r;
    struct part p;
    uint64_t h = 0x7265636f;
    record_open(v, arena, &r);
    for (size_t i = 0; i < t->nfields && record_next(&r, &p); i++) {
        struct column_type field = field_type(t, i);
        h = hash_mix(h, hash_part(&field, &p, arena));
    }
    return h;
}

/* ------------------------------------------------------------ ranges */

/* Two lower or two upper bounds. Without a bound it is infinite, outwards; of equal bounds the
 * one that takes in its value reaches further. */
static int cmp_bound(const struct column_type *t, const struct part *a, bool a_inc,
                     const struct part *b, bool b_inc, bool lower, struct arena *arena)
{
    int outwards = lower ? -1 : 1;
    if (a->null || b->null)
        return outwards * (a->null - b->null);
    int r = cmp_part(t, a, b, arena);
    return r ? r : outwards * (a_inc - b_inc);
}

static int cmp_ranges(const struct type *t, struct value a, struct value b, struct arena *arena)
{
    struct column_type bound = bound_type(t);
    struct range x, y;
    range_read(a, arena, &x);
    range_read(b, arena, &y);
    if (x.empty || y.empty)
        return y.empty - x.empty;
    int r = cmp_bound(&bound, &x.lower, x.lower_inc, &y.lower, y.lower_inc, true, arena);
    return r ? r : cmp_bound(&bound, &x.upper, x.upper_inc, &y.upper, y.upper_inc, false, arena);
}

static uint64_t hash_range(const struct type *t, struct value v, struct arena *arena)
{
    struct column_type bound = bound_type(t);
    struct range r;
    range_read(v, arena, &r);
    if (r.empty)
        return 1;
    uint64_t h = hash_mix(0x72616e67, (uint64_t)(r.lower_inc | r.upper_inc << 1));
    return hash_mix(hash_mix(h, hash_part(&bound, &r.lower, arena)),
                    hash_part(&bound, &r.upper, arena));
}

static int cmp_multiranges(const struct type *t, struct value a, struct value b,
                           struct arena *arena)
{
    struct parts x, y;
    struct value p, q;
    multirange_open(a, arena, &x);
    multirange_open(b, arena, &y);
    for (;;) {
        bool more = multirange_next(&x, &p), other = multirange_next(&y, &q);
        if (!more || !other)
            return more - other;
        int r = cmp_ranges(t->elem, p, q, arena);
        if (r)
            return r;
    }
}

static uint64_t hash_multirange(const struct type *t, struct value v, struct arena *arena)
{
    struct parts r;
    struct value range;
    uint64_t h = 0x6d756c74;
    multirange_open(v, arena, &r);
    while (multirange_next(&r, &range))
        h = hash_mix(h, hash_range(t->elem, range, arena));
    return h;
}

/* ------------------------------------------------------------ numbers in disguise */

/* Digits only, whatever the locale puts between them; a minus or a parenthesis makes it negative.
 * The digits after the point are always as many. */
static int64_t money_cents(struct value v)
{
    int64_t n = 0;
    bool negative = false;
    for (uint32_t i = 0; i < v.len; i++) {
        if (v.p[i] >= '0' && v.p[i] <= '9')
            n = (int64_t)((uint64_t)n * 10 + (v.p[i] - '0'));
        negative |= v.p[i] == '-' || v.p[i] == '(';
    }
    return negative ? (int64_t)(0 - (uint64_t)n) : n;
}

/* "16/B374D848" in base 16, or a decimal number. */
static uint64_t unsigned_number(struct value v, unsigned base)
{
    uint64_t n = 0, high = 0;
    for (uint32_t i = 0; i < v.len; i++) {
        uint8_t c = v.p[i];
        if (c == '/') {
            high = n << 32;
            n = 0;
        } else {
            n = n * base + (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
    }
    return high | n;
}

struct network {
    int family, bits;
    uint8_t addr[16];
};

static struct network read_network(struct value v)
{
    struct network n = {.family = AF_INET, .bits = -1};
    char text[64];
    size_t len = v.len < sizeof text ? v.len : sizeof text - 1;
    memcpy(text, v.p, len);
    text[len] = '\0';
    char *slash = strchr(text, '/');
    if (slash) {
        *slash = '\0';
        n.bits = atoi(slash + 1);
    }
    if (strchr(text, ':'))
        n.family = AF_INET6;
    inet_pton(n.family, text, n.addr);
    int most = n.family == AF_INET ? 32 : 128;
    if (n.bits < 0 || n.bits > most)
        n.bits = most;
    return n;
}

static int cmp_bits(const uint8_t *a, const uint8_t *b, int bits)
{
    int r = sign(memcmp(a, b, (size_t)bits / 8)), rest = bits % 8;
    if (r || !rest)
        return r;
    return sign((a[bits / 8] >> (8 - rest)) - (b[bits / 8] >> (8 - rest)));
}

static int cmp_networks(struct value a, struct value b)
{
    struct network x = read_network(a), y = read_network(b);
    if (x.family != y.family)
        return x.family == AF_INET ? -1 : 1;
    int r = cmp_bits(x.addr, y.addr, x.bits < y.bits ? x.bits : y.bits);
    if (!r)
        r = sign(x.bits - y.bits);
    return r ? r : sign(memcmp(x.addr, y.addr, sizeof x.addr));
}

/* ------------------------------------------------------------ by kind of text */

static bool same_bytes(struct value a, struct value b)
{
    return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
}

static int cmp_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int cmp_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int cmp_parts(const struct column_type *t, struct value a, struct value b)
{
    struct arena arena;
    int r = 0;
    arena_init(&arena);
    switch (t->type->order) {
    case ORDER_ARRAY: r = cmp_arrays(t, a, b, &arena); break;
    case ORDER_RECORD: r = cmp_records(t->type, a, b, &arena); break;
    case ORDER_RANGE: r = cmp_ranges(t->type, a, b, &arena); break;
    case ORDER_MULTIRANGE: r = cmp_multiranges(t->type, a, b, &arena); break;
    default: assert(!"no parts"); break;
    }
    arena_fini(&arena);
    return r;
}

int opaque_cmp(const struct column_type *t, struct value a, struct value b)
{
    switch (t->type->order) {
    case ORDER_NONE: break;
    case ORDER_BYTES: return text_cmp(NULL, a, b);
    case ORDER_JSONB: return jsonb_cmp(t->type->collation, a, b);
    case ORDER_MONEY: return cmp_i64(money_cents(a), money_cents(b));
    case ORDER_HEX: return cmp_u64(unsigned_number(a, 16), unsigned_number(b, 16));
    case ORDER_UNSIGNED: return cmp_u64(unsigned_number(a, 10), unsigned_number(b, 10));
    case ORDER_NETWORK: return cmp_networks(a, b);
    case ORDER_ARRAY:
    case ORDER_RECORD:
    case ORDER_RANGE:
    case ORDER_MULTIRANGE: return cmp_parts(t, a, b);
    }
    assert(!"a type without an order");
    return 0;
}

static bool same_by_parts(const struct column_type *t, struct value a, struct value b)
{
    struct arena arena;
    bool same;
    arena_init(&arena);
    if (t->type->order == ORDER_ARRAY)
        same = same_arrays(t, a, b, &arena);
    else
        same = same_records(t->type, a, b, &arena);
    arena_fini(&arena);
    return same;
}

bool opaque_same(const struct column_type *t, struct value a, struct value b)
{
    if (same_bytes(a, b))
        return true;
    if (t->type->text_is_identity)
        return false;
    switch (t->type->order) {
    case ORDER_JSONB: return jsonb_same(a, b);
    case ORDER_ARRAY:
    case ORDER_RECORD: return same_by_parts(t, a, b);
    case ORDER_RANGE:
    case ORDER_MULTIRANGE: return cmp_parts(t, a, b) == 0;
    default: return false;
    }
}

uint64_t opaque_hash(const struct column_type *t, struct value v)
{
    struct arena arena;
    uint64_t h = 0;
    if (t->type->text_is_identity)
        return hash_bytes(v.p, v.len);
    arena_init(&arena);
    switch (t->type->order) {
    case ORDER_JSONB: h = jsonb_hash(v); break;
    case ORDER_ARRAY: h = hash_array(t, v, &arena); break;
    case ORDER_RECORD: h = hash_record(t->type, v, &arena); break;
    case ORDER_RANGE: h = hash_range(t->type, v, &arena); break;
    case ORDER_MULTIRANGE: h = hash_multirange(t->type, v, &arena); break;
    default: h = hash_bytes(v.p, v.len); break;
    }
    arena_fini(&arena);
    return h;
}
