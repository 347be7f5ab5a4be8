/*
 * types: see types.h. Values have few distinct parts, so that equal, nearly equal and differently
 * spelled ones are frequent.
 */
#include "tests/fuzzers/types.h"

#include "engine/value/array_text.h"
#include "engine/value/json.h"

/* ------------------------------------------------------------ types */

static struct column_type types[TYPES_MAX];
static size_t ntypes;

static const struct type *add(const struct type *t)
{
    bool text = t->kind == TYPE_TEXT || t->kind == TYPE_BPCHAR ||
                (t->order == ORDER_ARRAY && t->elem->kind == TYPE_TEXT);
    must(ntypes < TYPES_MAX);
    types[ntypes++] = (struct column_type){t, -1, text ? &collation_c : NULL};
    return t;
}

static const struct type *opaque(uint32_t oid, const char *name, enum json_shape json,
                                 enum text_order order, const struct type *elem, bool identity)
{
    return add(type_new(&(struct type){.oid = oid,
                                       .kind = TYPE_OPAQUE,
                                       .name = name,
                                       .json = json,
                                       .order = order,
                                       .elem = elem,
                                       .collation = order == ORDER_JSONB ? &collation_c : NULL,
                                       .delim = ',',
                                       .text_is_identity = identity}));
}

static void add_compounds(void)
{
    const struct type *int4 = type_native(OID_INT4), *numeric = type_native(OID_NUMERIC);
    const struct type *text = type_native(OID_TEXT);
    const struct type *jsonb = opaque(OID_JSONB, "jsonb", JSON_INLINE, ORDER_JSONB, NULL, false);
    const struct type *ints = opaque(1007, "integer[]", JSON_ARRAY, ORDER_ARRAY, int4, true);
    opaque(1009, "text[]", JSON_ARRAY, ORDER_ARRAY, text, false);
    opaque(1231, "numeric[]", JSON_ARRAY, ORDER_ARRAY, numeric, false);
    opaque(3807, "jsonb[]", JSON_ARRAY, ORDER_ARRAY, jsonb, false);
    const struct type *range = opaque(3904, "int4range", JSON_STRING, ORDER_RANGE, int4, true);
    const struct type *nums = opaque(3906, "numrange", JSON_STRING, ORDER_RANGE, numeric, false);
    opaque(4451, "int4multirange", JSON_STRING, ORDER_MULTIRANGE, range, true);
    opaque(4532, "nummultirange", JSON_STRING, ORDER_MULTIRANGE, nums, false);
    static struct type_field fields[3];
    fields[0] = (struct type_field){"n", numeric, NULL};
    fields[1] = (struct type_field){"t \"x\"", text, &collation_c};
    fields[2] = (struct type_field){"a", ints, NULL};
    add(type_new(&(struct type){.oid = 60000,
                                .kind = TYPE_OPAQUE,
                                .name = "trio",
                                .json = JSON_COMPOSITE,
                                .order = ORDER_RECORD,
                                .fields = fields,
                                .nfields = 3}));
}

static void add_numbers_in_disguise(void)
{
    static const struct type_label labels[] = {{"sad", 3, 1}, {"ok", 2, 2}, {"glad", 4, 3}};
    opaque(OID_JSON, "json", JSON_INLINE, ORDER_NONE, NULL, false);
    opaque(OID_CHAR, "\"char\"", JSON_STRING, ORDER_BYTES, NULL, true);
    opaque(OID_INET, "inet", JSON_STRING, ORDER_NETWORK, NULL, true);
    opaque(OID_CIDR, "cidr", JSON_STRING, ORDER_NETWORK, NULL, true);
    opaque(OID_MONEY, "money", JSON_STRING, ORDER_MONEY, NULL, true);
    opaque(OID_PG_LSN, "pg_lsn", JSON_STRING, ORDER_HEX, NULL, true);
    opaque(OID_XID8, "xid8", JSON_STRING, ORDER_UNSIGNED, NULL, true);
    opaque(OID_MACADDR, "macaddr", JSON_STRING, ORDER_BYTES, NULL, true);
    opaque(OID_MACADDR8, "macaddr8", JSON_STRING, ORDER_BYTES, NULL, true);
    opaque(OID_VARBIT, "bit varying", JSON_STRING, ORDER_BYTES, NULL, true);
    opaque(OID_UNKNOWN, "unknown", JSON_STRING, ORDER_NONE, NULL, false);
    add(type_new(&(struct type){
        .oid = 60001, .kind = TYPE_ENUM, .name = "mood", .labels = labels, .nlabels = 3}));
}

const struct column_type *fuzz_types(size_t *n)
{
    static const uint32_t natives[] = {
        OID_BOOL,   OID_INT2,    OID_INT4, OID_INT8,      OID_FLOAT4,      OID_FLOAT8, OID_NUMERIC,
        OID_TEXT,   OID_VARCHAR, OID_DATE, OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_UUID,   OID_OID,
        OID_BPCHAR, OID_NAME,    OID_TIME, OID_TIMETZ,    OID_INTERVAL,    OID_BYTEA};
    if (!ntypes) {
        for (size_t i = 0; i < sizeof natives / sizeof *natives; i++)
            add(type_native(natives[i]));
        add_compounds();
        add_numbers_in_disguise();
    }
    *n = ntypes;
    return types;
}

/* ------------------------------------------------------------ values */

static void add_digits(struct input *in, struct buf *b, uint32_t most)
{
    uint32_t n = 1 + in_below(in, most);
    buf_addc(b, (char)('1' + in_below(in, 9)));
    for (uint32_t i = 1; i < n; i++)
        buf_addc(b, "0019"[in_below(in, 4)]);
}

static void add_sign(struct input *in, struct buf *b)
{
    if (in_byte(in) & 1)
        buf_addc(b, '-');
}

static void add_number(struct input *in, struct buf *b)
{
    static const char *const some[] = {"0", "1", "1.0", "1.00", "10", "-1", "0.5", "0.50"};
    uint32_t which = in_below(in, 12);
    if (which < 8) {
        buf_adds(b, some[which]);
        return;
    }
    add_sign(in, b);
    add_digits(in, b, which == 11 ? 60 : 20);
    if (which > 8) {
        buf_addc(b, '.');
        add_digits(in, b, 25);
    }
}

static void add_float(struct input *in, bool is_float4, struct buf *b)
{
    static const char *const some[] = {"0", "-0", "NaN", "Infinity", "-Infinity", "1", "1.5", "-1"};
    uint32_t which = in_below(in, 9);
    if (which < 8) {
        buf_adds(b, some[which]);
        return;
    }
    uint64_t bits = in_u64(in);
    double d;
    memcpy(&d, &bits, sizeof d);
    if (is_float4) {
        uint32_t low = (uint32_t)bits;
        float f;
        memcpy(&f, &low, sizeof f);
        d = (double)f;
    }
    value_print(type_native(is_float4 ? OID_FLOAT4 : OID_FLOAT8), value_float(d), b);
}

static void add_letters(struct input *in, struct buf *b)
{
    static const char *const some[] = {"a", "b", "A", " ",  "\"", "\\",   "{", "}",
                                       "é", ",", "(", "\n", "\t", "NULL", "]", "\xf0\x9f\x98\x80"};
    for (uint32_t n = in_below(in, 6); n; n--)
        buf_adds(b, some[in_below(in, 16)]);
}

static void add_json(struct input *in, int depth, struct buf *b)
{
    static const char *const keys[] = {"\"a\": ", "\"b\": ", "\"aa\": ", "\"\\n\\n\": "};
    uint32_t kind = in_below(in, depth < 4 ? 7 : 5), n = kind > 4 ? in_below(in, 4) : 0;
    switch (kind) {
    case 0: buf_adds(b, "null"); break;
    case 1: buf_adds(b, "true"); break;
    case 2: buf_adds(b, "false"); break;
    case 3: add_number(in, b); break;
    case 4: {
        struct buf s = {0};
        add_letters(in, &s);
        json_add_string(b, s.data, s.len);
        buf_fini(&s);
        break;
    }
    default:
        buf_addc(b, kind == 5 ? '[' : '{');
        for (uint32_t i = 0; i < n; i++) {
            buf_adds(b, i ? ", " : "");
            buf_adds(b, kind == 6 ? keys[i] : "");
            add_json(in, depth + 1, b);
        }
        buf_addc(b, kind == 5 ? ']' : '}');
    }
}

/* Days and microseconds anywhere in the range, mostly near each other. */
static int64_t moment(struct input *in, int64_t least, int64_t end)
{
    switch (in_below(in, 4)) {
    case 0: return least + (int64_t)in_below(in, 8);
    case 1: return end - 1 - (int64_t)in_below(in, 8);
    case 2: return (int64_t)in_below(in, 8);
    default: return (int64_t)((uint64_t)least + in_u64(in) % ((uint64_t)end - (uint64_t)least));
    }
}

static void add_array(struct input *in, const struct type *t, struct buf *b)
{
    struct array_dims dims = {.n = (int)in_below(in, 4)};
    struct value v[64];
    struct arena a;
    size_t n = 1;
    arena_init(&a);
    for (int i = 0; i < dims.n; i++) {
        dims.length[i] = 1 + (int32_t)in_below(in, 3);
        dims.lower[i] = 1 - (int32_t)(in_byte(in) % 8 == 7) * 2;
        n *= (size_t)dims.length[i];
    }
    for (size_t i = 0; dims.n && i < n; i++) {
        struct buf text = {0};
        struct err err;
        v[i] = value_null();
        if (in_byte(in) % 8 == 0)
            continue;
        fuzz_value_text(in, t->elem, &text);
        const char *copy = arena_strndup(&a, text.len ? text.data : "", text.len);
        must(value_parse(t->elem, copy, text.len, &a, &v[i], &err));
        buf_fini(&text);
    }
    array_print(t, &dims, v, b);
    arena_fini(&a);
}

static void add_record(struct input *in, const struct type *t, struct buf *b)
{
    buf_addc(b, '(');
    for (size_t i = 0; i < t->nfields; i++) {
        struct buf text = {0};
        if (i)
            buf_addc(b, ',');
        if (in_byte(in) % 8 == 0)
            continue;
        fuzz_value_text(in, t->fields[i].type, &text);
        range_add_bound(b, text.data, text.len); /* record_out quotes as range_out does */
        buf_fini(&text);
    }
    buf_addc(b, ')');
}

static void add_range(struct input *in, const struct type *t, bool may_be_empty, struct buf *b)
{
    uint8_t flags = in_byte(in);
    if (may_be_empty && flags % 8 == 0) {
        buf_adds(b, "empty");
        return;
    }
    for (int upper = 0; upper < 2; upper++) {
        bool infinite = flags >> (4 + upper) & 1, inc = !infinite && flags >> (6 + upper) & 1;
        buf_adds(b, upper ? "," : inc ? "[" : "(");
        if (!infinite) {
            struct buf text = {0};
            fuzz_value_text(in, t->elem, &text);
            range_add_bound(b, text.data, text.len);
            buf_fini(&text);
        }
        if (upper)
            buf_addc(b, inc ? ']' : ')');
    }
}

static void add_multirange(struct input *in, const struct type *t, struct buf *b)
{
    buf_addc(b, '{');
    for (uint32_t i = 0, n = in_below(in, 4); i < n; i++) {
        if (i)
            buf_addc(b, ',');
        add_range(in, t->elem, false, b);
    }
    buf_addc(b, '}');
}

static void add_network(struct input *in, bool masked, struct buf *b)
{
    static const char *const some[] = {"10.0.0.0", "10.0.0.1", "192.168.1.1", "::1",
                                       "fe80::1",  "::",       "0.0.0.0",     "255.255.255.255"};
    uint32_t which = in_below(in, 8);
    uint32_t most = strchr(some[which], ':') ? 128 : 32, bits = in_below(in, most + 1);
    buf_adds(b, some[which]);
    if (masked || bits < most) /* of an inet the whole address isn't said */
        buf_addf(b, "/%u", bits);
}

static void add_opaque(struct input *in, const struct type *t, struct buf *b)
{
    switch (t->order) {
    case ORDER_ARRAY: add_array(in, t, b); return;
    case ORDER_RECORD: add_record(in, t, b); return;
    case ORDER_RANGE: add_range(in, t, true, b); return;
    case ORDER_MULTIRANGE: add_multirange(in, t, b); return;
    case ORDER_JSONB: add_json(in, 0, b); return;
    case ORDER_MONEY:
        add_sign(in, b);
        buf_addf(b, "$%u,%03u.%02u", 1 + in_below(in, 9), in_below(in, 1000), in_below(in, 100));
        return;
    case ORDER_HEX: buf_addf(b, "%X/%X", in_below(in, 3), in_below(in, 60000)); return;
    case ORDER_UNSIGNED: add_digits(in, b, 19); return;
    case ORDER_NETWORK: add_network(in, t->oid == OID_CIDR, b); return;
    case ORDER_BYTES:
    case ORDER_NONE: break;
    }
    if (t->oid == OID_JSON)
        add_json(in, 0, b);
    else
        add_letters(in, b);
}

static void add_native(const struct type *t, struct value v, struct buf *b)
{
    value_print(t, v, b);
}

static void add_sixteen(struct input *in, const struct type *t, struct buf *b)
{
    static const char *const some[] = {"1 mon",   "30 days",  "720:00:00",      "1 year",
                                       "-1 days", "00:00:00", "1 mon -30 days", "-00:00:00.5"};
    static const char *const offsets[] = {"+00", "+02", "-05:30", "+15:59:59"};
    if (t->kind == TYPE_INTERVAL) {
        buf_adds(b, some[in_below(in, 8)]);
    } else if (t->kind == TYPE_TIMETZ) {
        add_native(type_native(OID_TIME), value_int(moment(in, 0, 86400000001)), b);
        buf_adds(b, offsets[in_below(in, 4)]);
    } else {
        uint8_t id[16] = {0};
        id[in_below(in, 16)] = in_byte(in);
        add_native(t, value_bytes(id, 16), b);
    }
}

void fuzz_value_text(struct input *in, const struct type *t, struct buf *b)
{
    static const char *const labels[] = {"sad", "ok", "glad"};
    switch (t->kind) {
    case TYPE_BOOL: buf_addc(b, "ft"[in_below(in, 2)]); break;
    case TYPE_INT2: buf_add_i64(b, moment(in, INT16_MIN, INT16_MAX)); break;
    case TYPE_INT4: buf_add_i64(b, moment(in, INT32_MIN, INT32_MAX)); break;
    case TYPE_INT8: buf_add_i64(b, moment(in, INT64_MIN, INT64_MAX)); break;
    case TYPE_OID: buf_add_i64(b, moment(in, 0, UINT32_MAX)); break;
    case TYPE_FLOAT4: add_float(in, true, b); break;
    case TYPE_FLOAT8: add_float(in, false, b); break;
    case TYPE_NUMERIC: add_number(in, b); break;
    case TYPE_TEXT:
    case TYPE_BPCHAR: add_letters(in, b); break;
    case TYPE_DATE: add_native(t, value_int(moment(in, -2451545, 2145031949)), b); break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        add_native(t, value_int(moment(in, -211813488000000000, 9223371331200000000)), b);
        break;
    case TYPE_TIME: add_native(t, value_int(moment(in, 0, 86400000001)), b); break;
    case TYPE_UUID:
    case TYPE_TIMETZ:
    case TYPE_INTERVAL: add_sixteen(in, t, b); break;
    case TYPE_BYTEA: {
        size_t len;
        const uint8_t *p = in_bytes(in, 6, &len);
        add_native(t, value_bytes(p, len), b);
        break;
    }
    case TYPE_ENUM: buf_adds(b, labels[in_below(in, 3)]); break;
    case TYPE_OPAQUE: add_opaque(in, t, b); break;
    }
}
