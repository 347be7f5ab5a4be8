/*
 * Equality, order and hash by type; collations; rows and layouts.
 */
#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "engine/value/collation.h"
#include "engine/value/numeric.h"
#include "engine/value/row.h"

static struct arena arena;
static struct buf text;

static void setup(void)
{
    arena_init(&arena);
    buf_init(&text);
}

static void teardown(void)
{
    arena_fini(&arena);
    buf_fini(&text);
}

static struct column_type column(uint32_t oid)
{
    return (struct column_type){type_native(oid), -1, &collation_c};
}

static struct value parse(uint32_t oid, const char *s)
{
    struct value v;
    struct err err;
    ck_assert_msg(value_parse(type_native(oid), s, strlen(s), &arena, &v, &err), "%s", err.message);
    return v;
}

/* ------------------------------------------------------------ order and equality */

/* Values of one type in ascending order; those joined by "=" are equal. */
static const struct {
    uint32_t oid;
    const char *ascending[9];
} orders[] = {
    {OID_BOOL, {"f", "t"}},
    {OID_INT2, {"-32768", "-1", "0", "32767"}},
    {OID_INT4, {"-2147483648", "-1", "0", "2147483647"}},
    {OID_INT8, {"-9223372036854775808", "-1", "0", "9223372036854775807"}},
    {OID_FLOAT4, {"-Infinity", "-1.5", "-0", "=0", "1e-45", "3.4e+38", "Infinity", "NaN"}},
    {OID_FLOAT8, {"-Infinity", "-1.5", "-0", "=0", "5e-324", "1e+300", "Infinity", "NaN"}},
    {OID_NUMERIC, {"-Infinity", "-10.5", "0", "=0.000", "1.0", "=1.00", "Infinity", "NaN"}},
    {OID_TEXT, {"", "A", "B", "a", "a ", "aa", "\xc3\xbc"}},
    {OID_VARCHAR, {"x", "x ", "xy"}},
    {OID_BPCHAR, {"", "=   ", "a", "=a  ", "a b", "b"}},
    {OID_DATE, {"-infinity", "0001-01-01 BC", "1999-12-31", "2000-01-01", "infinity"}},
    {OID_TIMESTAMP, {"-infinity", "1999-12-31 23:59:59.999999", "2000-01-01 00:00:00", "infinity"}},
    {OID_TIMESTAMPTZ, {"-infinity", "2000-01-01 00:00:00+00", "=2000-01-01 01:00:00+01"}},
    {OID_UUID,
     {"00000000-0000-0000-0000-000000000000", "550e8400-e29b-41d4-a716-446655440000",
      "ff0e8400-e29b-41d4-a716-446655440000"}},
};

static int sign(int c)
{
    return (c > 0) - (c < 0);
}

static void check_pair(const struct column_type *ct, struct value a, struct value b, int want)
{
    ck_assert_int_eq(sign(value_cmp(ct, a, b)), want);
    ck_assert_int_eq(sign(value_cmp(ct, b, a)), -want);
    ck_assert_int_eq(value_same(ct, a, b), want == 0);
    if (want == 0)
        ck_assert_uint_eq(value_hash(ct, a), value_hash(ct, b));
    else
        ck_assert_uint_ne(value_hash(ct, a), value_hash(ct, b));
    ck_assert(!value_same(ct, a, value_null()));
}

START_TEST(types_have_postgres_order)
{
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        struct column_type ct = column(orders[o].oid);
        struct value v[9];
        int rank[9], n = 0;
        ck_assert(type_has_order(&ct) && type_has_equality(&ct));
        for (; n < 9 && orders[o].ascending[n]; n++) {
            const char *s = orders[o].ascending[n];
            v[n] = parse(orders[o].oid, s + (*s == '='));
            rank[n] = n == 0 ? 0 : rank[n - 1] + (*s != '=');
        }
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++)
                check_pair(&ct, v[i], v[k], sign(rank[i] - rank[k]));
    }
}
END_TEST

START_TEST(nulls_are_the_same)
{
    struct column_type ct = column(OID_INT4);
    ck_assert(value_same(&ct, value_null(), value_null()));
    ck_assert(!value_same(&ct, value_null(), value_int(0)));
    ck_assert_uint_eq(value_hash(&ct, value_null()), value_hash(&ct, value_null()));
}
END_TEST

START_TEST(integers_of_all_widths_hash_alike)
{
    struct column_type ct2 = column(OID_INT2), ct8 = column(OID_INT8);
    ck_assert_uint_eq(value_hash(&ct2, value_int(-5)), value_hash(&ct8, value_int(-5)));
}
END_TEST

START_TEST(integers_out_of_range_are_refused)
{
    static const struct {
        uint32_t oid;
        const char *text;
    } cases[] = {{OID_INT2, "32768"},
                 {OID_INT2, "-32769"},
                 {OID_INT4, "2147483648"},
                 {OID_INT8, "9223372036854775808"},
                 {OID_INT8, "-9223372036854775809"},
                 {OID_INT8, "99999999999999999999"},
                 {OID_INT4, ""},
                 {OID_INT4, "-"},
                 {OID_INT4, "1 "},
                 {OID_BOOL, "true"},
                 {OID_UUID, "550e8400-e29b-41d4-a716-44665544000g"},
                 {OID_UUID, "550e8400"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        struct err err;
        const char *s = cases[i].text;
        ck_assert_msg(!value_parse(type_native(cases[i].oid), s, strlen(s), &arena, &v, &err),
                      "%s was read", s);
        ck_assert_str_eq(err.sqlstate, "22P02");
    }
}
END_TEST

/* ------------------------------------------------------------ collations */

START_TEST(collations_we_have_and_have_not)
{
    ck_assert_int_eq(collation_new(1, "c", 'c', "C", true)->kind, COLLATION_C);
    ck_assert_int_eq(collation_new(2, "p", 'c', "POSIX", true)->kind, COLLATION_C);
    ck_assert_int_eq(collation_new(3, "u", 'c', "C.UTF-8", true)->kind, COLLATION_C);
    ck_assert_int_eq(collation_new(4, "b", 'b', "C.UTF-8", true)->kind, COLLATION_C);
    const struct collation *icu = collation_new(5, "de-x-icu", 'i', "de", true);
    ck_assert_int_eq(icu->kind, COLLATION_ICU);
    ck_assert_ptr_eq(icu, collation_new(5, "de-x-icu", 'i', "de", true));
    const struct collation *fuzzy = collation_new(6, "ci", 'i', "und-u-ks-level2", false);
    ck_assert_ptr_ne(icu, fuzzy);

    struct column_type ct = {type_native(OID_TEXT), -1, icu};
    ck_assert(type_has_order(&ct) && type_has_equality(&ct));
    ct.collation = collation_new(8, "elsewhere", 'x', "und", false);
    ck_assert(!type_has_order(&ct) && !type_has_equality(&ct));
    ct.collation = collation_new(7, "nowhere", 'c', "no_SUCH.UTF-8", true);
    ck_assert(!type_has_order(&ct));
}
END_TEST

START_TEST(icu_knows_equality_that_is_not_of_bytes)
{
    struct column_type ct = {type_native(OID_TEXT), -1,
                             collation_new(6, "ci", 'i', "und-u-ks-level2", false)};
    struct value a = value_bytes("Straße", 7), b = value_bytes("STRASSE", 7);
    struct value c = value_bytes("straße", 7);
    ck_assert(value_same(&ct, a, c) && value_cmp(&ct, a, c) == 0);
    ck_assert_uint_eq(value_hash(&ct, a), value_hash(&ct, c));
    ck_assert(!value_same(&ct, a, value_bytes("strasze", 7)));
    ct.collation = collation_new(9, "und", 'i', "und", true);
    ck_assert(!value_same(&ct, a, b) && value_cmp(&ct, c, a) < 0);
    ck_assert(value_cmp(&ct, value_bytes("", 0), value_bytes(NULL, 0)) == 0);
}
END_TEST

START_TEST(libc_compares_short_and_long_texts)
{
    /* A locale every machine has, through the same path as any other. */
    struct collation c = {.kind = COLLATION_LIBC,
                          .deterministic = true,
                          .lc = newlocale(LC_COLLATE_MASK | LC_CTYPE_MASK, "C.UTF-8", NULL)};
    char *a = malloc(3000), *b = malloc(3000);
    if (!c.lc)
        c.lc = newlocale(LC_COLLATE_MASK | LC_CTYPE_MASK, "C", NULL);
    memset(a, 'x', 3000);
    memset(b, 'x', 3000);
    b[2999] = 'y';
    for (uint32_t n = 1; n <= 3000; n += n < 2500 ? 497 : 1) {
        struct value x = value_bytes(a + 3000 - n, n), y = value_bytes(b + 3000 - n, n);
        ck_assert_int_lt(text_cmp(&c, x, y), 0);
        ck_assert_int_gt(text_cmp(&c, y, x), 0);
        ck_assert_int_eq(text_cmp(&c, x, x), 0);
    }
    ck_assert_int_lt(text_cmp(&c, value_bytes("", 0), value_bytes("a", 1)), 0);
    ck_assert_int_eq(text_cmp(&c, value_bytes(NULL, 0), value_bytes("", 0)), 0);
    freelocale(c.lc);
    free(a);
    free(b);
}
END_TEST

START_TEST(opaque_equality_is_that_of_the_text_where_allowed)
{
    struct type like = {
        .oid = 774, .kind = TYPE_OPAQUE, .name = "macaddr8", .text_is_identity = true};
    struct column_type ct = {type_new(&like), -1, NULL};
    ck_assert(type_has_equality(&ct) && !type_has_order(&ct));
    ck_assert(value_same(&ct, value_bytes("\\x00", 4), value_bytes("\\x00", 4)));
    ck_assert(!value_same(&ct, value_bytes("\\x00", 4), value_bytes("\\x01", 4)));
    like.text_is_identity = false;
    ct.type = type_new(&like);
    ck_assert(!type_has_equality(&ct));
}
END_TEST

/* ------------------------------------------------------------ rows */

static const struct {
    uint32_t oid;
    const char *text;
} samples[] = {{OID_BOOL, "t"},
               {OID_TEXT, "one"},
               {OID_INT2, "-7"},
               {OID_NUMERIC, "-12345678901234567890123.50"},
               {OID_INT4, "123456"},
               {OID_UUID, "550e8400-e29b-41d4-a716-446655440000"},
               {OID_INT8, "-9223372036854775808"},
               {OID_TEXT, ""},
               {OID_FLOAT4, "1.1"},
               {OID_FLOAT8, "-0"},
               {OID_BPCHAR, "ab "},
               {OID_DATE, "2024-01-02"},
               {OID_TIMESTAMP, "2024-01-02 03:04:05"}};
#define NSAMPLES (sizeof samples / sizeof *samples)

static struct layout *sample_layout(void)
{
    struct column_type cols[NSAMPLES];
    for (size_t i = 0; i < NSAMPLES; i++)
        cols[i] = column(samples[i].oid);
    return layout_new(cols, NSAMPLES);
}

START_TEST(rows_give_back_what_was_packed)
{
    struct layout *l = sample_layout();
    struct value vals[NSAMPLES];
    struct err err;
    /* Every column NULL in turn, and none. */
    for (size_t null = 0; null <= NSAMPLES; null++) {
        const uint8_t *row, *again;
        for (size_t i = 0; i < NSAMPLES; i++)
            vals[i] = i == null ? value_null() : parse(samples[i].oid, samples[i].text);
        ck_assert(row_pack(l, vals, &arena, &row, &err));
        for (uint32_t i = 0; i < NSAMPLES; i++) {
            struct value v = row_get(l, row, i);
            ck_assert_int_eq(v.null, i == null);
            ck_assert(value_same(&l->cols[i].ct, v, vals[i]));
            vals[i] = v;
        }
        ck_assert(row_pack(l, vals, &arena, &again, &err));
        ck_assert_uint_eq(row_len(l, row), row_len(l, again));
        ck_assert_mem_eq(row, again, row_len(l, row));
    }
    layout_unref(l);
}
END_TEST

START_TEST(rows_are_json_arrays)
{
    struct layout *l = sample_layout();
    struct value vals[NSAMPLES];
    const uint8_t *row;
    struct err err;
    for (size_t i = 0; i < NSAMPLES; i++)
        vals[i] = i == 4 ? value_null() : parse(samples[i].oid, samples[i].text);
    ck_assert(row_pack(l, vals, &arena, &row, &err));
    row_to_json(l, row, &text);
    ck_assert_str_eq(buf_cstr(&text),
                     "[true,\"one\",-7,-12345678901234567890123.50,null,"
                     "\"550e8400-e29b-41d4-a716-446655440000\",-9223372036854775808,\"\",1.1,-0,"
                     "\"ab \",\"2024-01-02\",\"2024-01-02T03:04:05\"]");
    layout_unref(l);
}
END_TEST

START_TEST(fixed_rows_have_one_length)
{
    struct column_type cols[] = {column(OID_INT4), column(OID_INT8), column(OID_INT4)};
    struct layout *l = layout_new(cols, 3);
    const uint8_t *row;
    struct err err;
    ck_assert(row_pack(l, (struct value[]){value_int(1), value_null(), value_int(-1)}, &arena, &row,
                       &err));
    ck_assert_uint_eq(row_len(l, row), 1 + 4 + 8 + 4);
    ck_assert_int_eq(row_get(l, row, 2).i, -1);
    layout_unref(l);
}
END_TEST

START_TEST(layouts_concatenate)
{
    struct column_type a[] = {column(OID_TEXT), column(OID_INT4)};
    struct column_type b[] = {column(OID_INT8), column(OID_TEXT)};
    struct layout *la = layout_new(a, 2), *lb = layout_new(b, 2), *l = layout_concat(la, lb);
    struct layout *none = layout_new(NULL, 0), *same = layout_concat(none, l);
    layout_unref(la);
    layout_unref(lb);
    struct value vals[] = {value_bytes("left", 4), value_int(4), value_int(8),
                           value_bytes("right", 5)};
    const uint8_t *row, *again;
    struct err err;
    ck_assert_uint_eq(l->ncols, 4);
    ck_assert(row_pack(l, vals, &arena, &row, &err));
    ck_assert(row_pack(same, vals, &arena, &again, &err));
    ck_assert_mem_eq(row, again, row_len(l, row));
    ck_assert_uint_eq(row_get(l, row, 3).len, 5);
    ck_assert(row_pack(none, NULL, &arena, &row, &err));
    ck_assert_uint_eq(row_len(none, row), 0);
    layout_unref(layout_ref(l));
    layout_unref(l);
    layout_unref(none);
    layout_unref(same);
}
END_TEST

START_TEST(nans_have_one_spelling)
{
    struct column_type cols[] = {column(OID_FLOAT8), column(OID_FLOAT4)};
    struct layout *l = layout_new(cols, 2);
    const uint8_t *a, *b;
    struct err err;
    double neg = copysign((double)NAN, -1);
    ck_assert(row_pack(l, (struct value[]){value_float(neg), value_float(neg)}, &arena, &a, &err));
    ck_assert(row_pack(l, (struct value[]){value_float((double)NAN), value_float((double)NAN)},
                       &arena, &b, &err));
    ck_assert_mem_eq(a, b, row_len(l, a));
    layout_unref(l);
}
END_TEST

START_TEST(rows_beyond_the_limit_are_refused)
{
    struct column_type cols[] = {column(OID_TEXT), column(OID_TEXT)};
    struct layout *l = layout_new(cols, 2);
    const uint8_t *row;
    struct err err;
    /* Nothing is read of it. */
    struct value huge = {.p = (const uint8_t *)"", .len = ROW_MAX - 4};
    ck_assert(!row_pack(l, (struct value[]){huge, huge}, &arena, &row, &err));
    ck_assert_str_eq(err.sqlstate, "54000");
    layout_unref(l);
}
END_TEST

START_TEST(values_outlive_what_they_came_from)
{
    char *s = strdup("borrowed");
    struct value v = value_dup(type_native(OID_TEXT), value_bytes(s, 8), &arena);
    memset(s, 'x', 8);
    free(s);
    ck_assert_mem_eq(v.p, "borrowed", 8);
    ck_assert(value_dup(type_native(OID_TEXT), value_null(), &arena).null);
    ck_assert_int_eq(value_dup(type_native(OID_INT4), value_int(3), &arena).i, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("value");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, types_have_postgres_order);
    tcase_add_test(tc, nulls_are_the_same);
    tcase_add_test(tc, integers_of_all_widths_hash_alike);
    tcase_add_test(tc, integers_out_of_range_are_refused);
    tcase_add_test(tc, collations_we_have_and_have_not);
    tcase_add_test(tc, icu_knows_equality_that_is_not_of_bytes);
    tcase_add_test(tc, libc_compares_short_and_long_texts);
    tcase_add_test(tc, opaque_equality_is_that_of_the_text_where_allowed);
    tcase_add_test(tc, rows_give_back_what_was_packed);
    tcase_add_test(tc, rows_are_json_arrays);
    tcase_add_test(tc, fixed_rows_have_one_length);
    tcase_add_test(tc, layouts_concatenate);
    tcase_add_test(tc, nans_have_one_spelling);
    tcase_add_test(tc, rows_beyond_the_limit_are_refused);
    tcase_add_test(tc, values_outlive_what_they_came_from);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
