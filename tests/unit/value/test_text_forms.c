/*
 * What a value looks like, in and out, against what Postgres answered: floats, JSON of native and
 * opaque types, constants of the node tree.
 */
#include "engine/value/datetime.h"
#include "engine/value/float.h"
#include "engine/value/json.h"
#include "engine/value/numeric.h"
#include "tests/unit/value/fixture.h"

static struct arena arena;
static struct buf text;

static void setup(void)
{
    arena_init(&arena);
    buf_init(&text);
    datetime_set_zone("UTC");
}

static void teardown(void)
{
    arena_fini(&arena);
    buf_fini(&text);
}

static const char *print(const struct type *t, struct value v)
{
    buf_reset(&text);
    value_print(t, v, &text);
    return buf_cstr(&text);
}

static const char *to_json(const struct type *t, struct value v)
{
    buf_reset(&text);
    value_to_json(t, v, &text);
    return buf_cstr(&text);
}

static struct value parse(const struct type *t, const char *s)
{
    struct value v;
    struct err err;
    ck_assert_msg(value_parse(t, s, strlen(s), &arena, &v, &err), "%s: %s", s, err.message);
    return v;
}

/* ------------------------------------------------------------ floats */

static double from_bits(const char *hex, bool is_float4)
{
    uint64_t bits = strtoull(hex, NULL, 16);
    uint32_t bits4 = (uint32_t)bits;
    double d;
    float f;
    memcpy(&d, &bits, sizeof d);
    memcpy(&f, &bits4, sizeof f);
    return is_float4 ? (double)f : d;
}

START_TEST(floats_have_postgres_shortest_text)
{
    struct fixture f;
    int n = 0;
    fixture_open(&f, "floats.tsv");
    for (; fixture_next(&f); n++) {
        bool is_float4 = f.field[0][0] == '4';
        const struct type *t = type_native(is_float4 ? OID_FLOAT4 : OID_FLOAT8);
        struct value v = value_float(from_bits(f.field[1], is_float4)), num;
        struct err err;
        ck_assert_str_eq(print(t, v), f.field[2]);
        ck_assert_str_eq(to_json(t, v), f.field[3]);
        struct value back = parse(t, f.field[2]);
        ck_assert_msg(memcmp(&back.f, &v.f, sizeof v.f) == 0, "%s reads back as %.17g", f.field[2],
                      back.f);
        ck_assert(numeric_from_double(v.f, is_float4, &arena, &num, &err));
        buf_reset(&text);
        numeric_print(num, &text);
        ck_assert_str_eq(buf_cstr(&text), f.field[4]);
    }
    ck_assert_int_gt(n, 300);
}
END_TEST

START_TEST(random_floats_read_back)
{
    uint64_t x = 88172645463325252ULL;
    for (int i = 0; i < 20000; i++) {
        double d, back;
        char out[FLOAT_TEXT_MAX];
        struct err err;
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(&d, &x, sizeof d);
        if (isnan(d))
            continue;
        size_t n = float_print(d, false, out);
        ck_assert(float_parse(out, n, false, &back, &err));
        ck_assert_msg(back == d, "%.*s for %.17g", (int)n, out, d);
        ck_assert_uint_eq(float_key(back), float_key(d));
    }
}
END_TEST

START_TEST(floats_refuse_what_postgres_refuses)
{
    static const struct {
        const char *text;
        bool is_float4;
        const char *sqlstate, *message;
    } cases[] = {
        {"1e400", false, "22003", "\"1e400\" is out of range for type double precision"},
        {"1e-400", false, "22003", "\"1e-400\" is out of range for type double precision"},
        {"1e40", true, "22003", "\"1e40\" is out of range for type real"},
        {"1x", false, "22P02", "invalid input syntax for type double precision: \"1x\""},
        {"", true, "22P02", "invalid input syntax for type real: \"\""},
        {"1 2", false, "22P02", "invalid input syntax for type double precision: \"1 2\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err;
        double d;
        ck_assert(!float_parse(cases[i].text, strlen(cases[i].text), cases[i].is_float4, &d, &err));
        ck_assert_str_eq(err.sqlstate, cases[i].sqlstate);
        ck_assert_str_eq(err.message, cases[i].message);
    }
}
END_TEST

/* ------------------------------------------------------------ json */

static const struct type *opaque(const char *name, enum json_shape shape, const struct type *elem)
{
    return type_new(&(struct type){.oid = 1,
                                   .kind = TYPE_OPAQUE,
                                   .name = name,
                                   .json = shape,
                                   .elem = elem,
                                   .delim = strcmp(name, "box[]") == 0 ? ';' : ','});
}

static const struct type *composite(const char *name, const struct type_field *fields, size_t n)
{
    return type_new(&(struct type){.oid = 1,
                                   .kind = TYPE_OPAQUE,
                                   .name = name,
                                   .json = JSON_COMPOSITE,
                                   .fields = fields,
                                   .nfields = n});
}

/* The types that capture.sql used, by the names it gave them. */
static const struct type *type_of(const char *name)
{
    static const struct {
        const char *name;
        uint32_t oid;
    } natives[] = {
        {"text", OID_TEXT},       {"varchar", OID_VARCHAR},     {"bool", OID_BOOL},
        {"int2", OID_INT2},       {"int4", OID_INT4},           {"int8", OID_INT8},
        {"numeric", OID_NUMERIC}, {"float4", OID_FLOAT4},       {"float8", OID_FLOAT8},
        {"date", OID_DATE},       {"timestamp", OID_TIMESTAMP}, {"timestamptz", OID_TIMESTAMPTZ},
        {"uuid", OID_UUID}};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof natives / sizeof *natives; i++)
        if (strcmp(name, natives[i].name) == 0)
            return type_native(natives[i].oid);
    if (len > 2 && strcmp(name + len - 2, "[]") == 0) {
        char elem[64];
        snprintf(elem, sizeof elem, "%.*s", (int)len - 2, name);
        return opaque(name, JSON_ARRAY, type_of(elem));
    }
    if (strncmp(name, "char(", 5) == 0)
        return type_native(OID_BPCHAR);
    if (strncmp(name, "json", 4) == 0)
        return opaque(name, JSON_INLINE, NULL);
    if (strcmp(name, "int2vector") == 0)
        return opaque(name, JSON_ARRAY, type_of("int2"));
    if (strcmp(name, "oidvector") == 0)
        return opaque(name, JSON_ARRAY, type_of("oid"));
    if (strcmp(name, "pg_temp.pair") == 0)
        return composite(name,
                         (struct type_field[]){{"a", type_of("int4")},
                                               {"b \"x\"", type_of("text")},
                                               {"c", type_of("timestamp")},
                                               {"d", type_of("int4[]")}},
                         4);
    if (strcmp(name, "pg_temp.outer_pair") == 0)
        return composite(
            name, (struct type_field[]){{"p", type_of("pg_temp.pair")}, {"n", type_of("numeric")}},
            2);
    return opaque(name, JSON_STRING, NULL);
}

static void unescape(char *s)
{
    char *out = s;
    for (; *s; s++) {
        if (*s == '\\') {
            s++;
            *out++ = *s == 'n' ? '\n' : *s == 't' ? '\t' : *s;
        } else {
            *out++ = *s;
        }
    }
    *out = '\0';
}

START_TEST(json_is_what_to_json_gives)
{
    struct fixture f;
    int n = 0;
    fixture_open(&f, "json.tsv");
    for (; fixture_next(&f); n++) {
        const struct type *t = type_of(f.field[0]);
        struct buf want;
        buf_init(&want);
        /* The tabs in what to_json() kept of a json value are white space, and our separator. */
        for (int i = 2; i < FIXTURE_FIELDS; i++)
            json_add_compact(&want, f.field[i], strlen(f.field[i]));
        unescape(f.field[1]);
        struct value v = parse(t, f.field[1]);
        ck_assert_msg(strcmp(to_json(t, v), buf_cstr(&want)) == 0, "line %d: %s\n got %s\nwant %s",
                      f.lineno, f.field[1], buf_cstr(&text), buf_cstr(&want));
        buf_reset(&text);
        json_add_text_form(&text, t, f.field[1], strlen(f.field[1]));
        ck_assert_str_eq(buf_cstr(&text), buf_cstr(&want));
        buf_fini(&want);
    }
    ck_assert_int_gt(n, 55);
}
END_TEST

START_TEST(json_loses_only_insignificant_blanks)
{
    buf_reset(&text);
    const char *s = " { \"a b\" : \"\\\" \\\\\" ,\t\"c\" : [ 1 , \" \" ]\r\n} ";
    json_add_compact(&text, s, strlen(s));
    ck_assert_str_eq(buf_cstr(&text), "{\"a b\":\"\\\" \\\\\",\"c\":[1,\" \"]}");
}
END_TEST

START_TEST(json_survives_broken_text)
{
    static const char *const types[] = {"int4[]", "text[]", "pg_temp.pair", "pg_temp.pair[]"};
    static const char *const texts[] = {"",     "{",     "{\"", "{1,",    "{{1}",   "[",  "[0:1]",
                                        "(",    "(1,\"", "(\\", "{a\\",   "}",      ")",  "{,}",
                                        "{{{{", "(1",    ",,,", "{\"(\"", "{\"(1,", "[1:"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            /* In memory of its very size, so that a sanitizer sees a read beyond it. */
            size_t len = strlen(texts[k]);
            char *copy = malloc(len ? len : 1);
            memcpy(copy, texts[k], len);
            buf_reset(&text);
            json_add_text_form(&text, type_of(types[i]), copy, len);
            free(copy);
        }
}
END_TEST

START_TEST(json_does_not_recurse_without_end)
{
    size_t n = 10000000;
    char *s = malloc(n);
    memset(s, '{', n);
    buf_reset(&text);
    json_add_text_form(&text, type_of("text[]"), s, n);
    ck_assert_uint_gt(text.len, n - 10);
    free(s);
}
END_TEST

START_TEST(opaque_types_are_interned)
{
    ck_assert_ptr_eq(type_of("pg_temp.pair[]"), type_of("pg_temp.pair[]"));
    ck_assert_ptr_ne(type_of("int4[]"), type_of("int8[]"));
    ck_assert_int_eq(type_of("box")->kind, TYPE_OPAQUE);
}
END_TEST

/* ------------------------------------------------------------ constants */

static size_t read_bytes(const char *s, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (char *end; n < max; s = end) {
        long v = strtol(s, &end, 10);
        if (end == s)
            break;
        out[n++] = (uint8_t)v;
    }
    return n;
}

static const struct type *any_type(uint32_t oid)
{
    const struct type *t = type_native(oid);
    if (t)
        return t;
    return type_new(&(struct type){.oid = oid, .kind = TYPE_OPAQUE, .name = "opaque"});
}

START_TEST(constants_from_their_bytes)
{
    struct fixture f;
    int n = 0;
    fixture_open(&f, "datums.tsv");
    for (; fixture_next(&f); n++) {
        const struct type *t = any_type((uint32_t)atoi(f.field[0]));
        uint8_t bytes[1024];
        size_t len = read_bytes(f.field[2], bytes, sizeof bytes);
        struct value v;
        struct err err;
        bool ok = value_from_datum(t, bytes, len, f.field[1][0] == 't', &arena, &v, &err);
        ck_assert_msg(ok, "line %d: %s", f.lineno, err.message);
        ck_assert_str_eq(print(t, v), f.field[3]);
        if (t->kind == TYPE_NUMERIC) {
            struct value same = parse(t, f.field[3]);
            ck_assert_uint_eq(v.len, same.len);
            ck_assert_mem_eq(v.p, same.p, v.len);
        }
    }
    ck_assert_int_gt(n, 40);
}
END_TEST

START_TEST(constants_with_a_short_header)
{
    struct value v;
    struct err err;
    ck_assert(value_from_datum(type_native(OID_TEXT), (const uint8_t *)"\x09xyz", 4, false, &arena,
                               &v, &err));
    ck_assert_str_eq(print(type_native(OID_TEXT), v), "xyz");
}
END_TEST

START_TEST(constants_we_cannot_read_are_refused)
{
    static const uint8_t bytes[] = {2, 0, 0, 0, 1, 2, 3, 4};
    struct value v;
    struct err err;
    err_clear(&err);
    /* jsonb; a compressed text; a header that claims more than there is; a byval of odd size */
    ck_assert(!value_from_datum(any_type(OID_JSONB), bytes, 8, false, &arena, &v, &err));
    ck_assert_str_eq(err.sqlstate, "0A000");
    ck_assert_str_ne(err.hint, "");
    ck_assert(!value_from_datum(type_native(OID_TEXT), bytes, 8, false, &arena, &v, &err));
    ck_assert(!value_from_datum(type_native(OID_TEXT), (const uint8_t *)"\xffz", 2, false, &arena,
                                &v, &err));
    ck_assert(!value_from_datum(type_native(OID_INT4), bytes, 4, true, &arena, &v, &err));
    ck_assert(!value_from_datum(type_native(OID_NUMERIC), bytes, 0, false, &arena, &v, &err));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("text forms");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, floats_have_postgres_shortest_text);
    tcase_add_test(tc, random_floats_read_back);
    tcase_add_test(tc, floats_refuse_what_postgres_refuses);
    tcase_add_test(tc, json_is_what_to_json_gives);
    tcase_add_test(tc, json_loses_only_insignificant_blanks);
    tcase_add_test(tc, json_survives_broken_text);
    tcase_add_test(tc, json_does_not_recurse_without_end);
    tcase_add_test(tc, opaque_types_are_interned);
    tcase_add_test(tc, constants_from_their_bytes);
    tcase_add_test(tc, constants_with_a_short_header);
    tcase_add_test(tc, constants_we_cannot_read_are_refused);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
