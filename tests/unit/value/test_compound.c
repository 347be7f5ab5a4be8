/*
 * Order, equality and hashing of the types that have parts, and of those that are more than a number:
 * each against a list that Postgres would sort so. Between equal ones stands a '='.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/value/collation.h"
#include "engine/value/interval.h"
#include "engine/value/jsonb.h"
#include "engine/value/parts.h"
#include "engine/value/value.h"

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

static struct value parse(const struct type *t, const char *s)
{
    struct value v;
    struct err err;
    ck_assert_msg(value_parse(t, s, strlen(s), &arena, &v, &err), "%s: %s", s, err.message);
    return v;
}

static const struct type *of_order(enum text_order order, const struct type *elem)
{
    return type_new(&(struct type){.oid = 50000 + order + (elem ? elem->oid * 100 : 0),
                                   .kind = TYPE_OPAQUE,
                                   .name = "it",
                                   .json = order == ORDER_ARRAY ? JSON_ARRAY : JSON_STRING,
                                   .order = order,
                                   .elem = elem,
                                   .collation = &collation_c,
                                   .delim = ','});
}

/* Strictly rising, but for an item after "=", which equals the one before. Ends with NULL. */
static void rises(const struct type *t, const char *const *items)
{
    struct column_type ct = {t, -1, &collation_c};
    struct value v[64];
    int rank[64], n = 0;
    for (size_t i = 0; items[i]; i++) {
        bool same = strcmp(items[i], "=") == 0;
        i += same;
        rank[n] = n ? rank[n - 1] + !same : 0;
        v[n] = parse(t, items[i]);
        buf_reset(&text);
        value_print(t, v[n++], &text);
        ck_assert_str_eq(buf_cstr(&text), items[i]);
    }
    ck_assert(type_has_order(&ct) && type_has_equality(&ct));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            int want = (rank[i] > rank[k]) - (rank[i] < rank[k]), have = value_cmp(&ct, v[i], v[k]);
            ck_assert_msg((have > 0) - (have < 0) == want, "%.*s and %.*s: %d", (int)v[i].len,
                          (const char *)v[i].p, (int)v[k].len, (const char *)v[k].p, have);
            ck_assert_int_eq(value_same(&ct, v[i], v[k]), want == 0);
            if (want == 0)
                ck_assert_uint_eq(value_hash(&ct, v[i]), value_hash(&ct, v[k]));
        }
}

#define RISES(t, ...) rises(t, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(intervals_count_a_month_as_30_days)
{
    RISES(type_native(OID_INTERVAL), "-infinity", "-178000000 years",
          "-1 years -2 mons +3 days -04:05:06.7", "-1 mons", "=", "-30 days", "-00:00:00.000001",
          "00:00:00", "=", "1 mon -30 days", "00:00:01", "24:00:00", "=", "1 day",
          "1 day 00:00:00.5", "1 mon", "=", "30 days", "=", "720:00:00", "1 year", "=", "360 days",
          "365 days", "178000000 years", "infinity");
}
END_TEST

START_TEST(times_with_a_zone_are_ordered_by_their_instant)
{
    RISES(type_native(OID_TIMETZ), "00:00:00+14", "10:00:00+00", "13:00:00+02", "12:00:00+01",
          "23:59:59.999999-05:30");
    RISES(type_native(OID_TIME), "00:00:00", "00:00:00.000001", "12:34:56.789", "24:00:00");
}
END_TEST

START_TEST(arrays_compare_their_elements_first)
{
    RISES(of_order(ORDER_ARRAY, type_native(OID_INT4)), "{}", "{1}", "{1,2}", "[0:1]={1,3}",
          "{1,3}", "{1,NULL}", "{2}", "{10}", "{NULL}");
    RISES(of_order(ORDER_ARRAY, type_native(OID_NUMERIC)), "{}", "{1.0,2.50}", "=", "{1,2.5}",
          "{1,3}", "{{1},{3}}", "{NaN}", "{NULL}");
    RISES(of_order(ORDER_ARRAY, type_native(OID_TEXT)), "{}", "{\"\"}", "{NULL2}", "{a}",
          "{\"a b\"}", "{\"a\\\"b\"}", "{b,NULL}", "{NULL}");
}
END_TEST

START_TEST(jsonb_orders_by_kind_then_size)
{
    RISES(of_order(ORDER_JSONB, NULL), "[]", "null", "\"\"", "\"a\"", "\"b\"", "-1", "1", "=",
          "1.00", "1.5", "false", "true", "[1]", "[2]", "[1, \"a\"]", "[1, 2]", "[[], 1]", "{}",
          "{\"a\": 1}", "=", "{\"a\": 1.0}", "{\"a\": 2}", "{\"b\": 0}",
          "{\"a\": 1, \"b\": [1, {\"c\": null}]}");
}
END_TEST

START_TEST(ranges_order_by_lower_then_upper_bound)
{
    const struct type *range = of_order(ORDER_RANGE, type_native(OID_NUMERIC));
    RISES(range, "empty", "(,1)", "(,)", "[1.0,2]", "=", "[1,2.00]", "(1,2)", "(1,2]", "(1,)",
          "[3,4)");
    RISES(of_order(ORDER_MULTIRANGE, range), "{}", "{[1,2)}", "{[1.0,2),[3,4)}", "=",
          "{[1,2),[3,4)}", "{[1,2]}");
    RISES(of_order(ORDER_RANGE, type_native(OID_TEXT)), "empty", "[\"\",a)", "[a,\"b c\"]",
          "[\"a,\"\"b\",c)", "[b,)");
}
END_TEST

START_TEST(rows_compare_field_by_field)
{
    struct type_field fields[] = {{"a", type_native(OID_INT4), NULL},
                                  {"b", type_native(OID_TEXT), &collation_c},
                                  {"c", type_native(OID_NUMERIC), NULL}};
    RISES(type_new(&(struct type){.oid = 60000,
                                  .kind = TYPE_OPAQUE,
                                  .name = "row",
                                  .json = JSON_COMPOSITE,
                                  .order = ORDER_RECORD,
                                  .fields = fields,
                                  .nfields = 3}),
          "(1,a,1.0)", "=", "(1,a,1)", "(1,a,)", "(1,\"a,b\",1)", "(1,,2)", "(2,\"x\"\"\\\\y\",1)",
          "(,,1)");
}
END_TEST

START_TEST(numbers_in_disguise)
{
    RISES(of_order(ORDER_NETWORK, NULL), "9.255.255.255", "10.0.0.0/8", "10.0.0.0/16",
          "10.0.0.1/16", "10.0.0.0", "10.0.0.1", "192.168.0.1", "::", "::1", "2001:db8::/32",
          "2001:db8::1");
    RISES(of_order(ORDER_MONEY, NULL), "-$1,000.00", "-$0.01", "$0.00", "$9.99", "$1,000.00");
    RISES(of_order(ORDER_HEX, NULL), "0/0", "0/FFFFFFFF", "1/0", "A/1", "FFFFFFFF/1");
    RISES(of_order(ORDER_UNSIGNED, NULL), "0", "9", "10", "18446744073709551615");
}
END_TEST

START_TEST(enums_learn_labels)
{
    struct type_label labels[] = {{"b", 1, 10}, {"a", 1, 11}, {"c", 1, 12}, {"new", 3, 12}};
    struct type like = {
        .oid = 70000, .kind = TYPE_ENUM, .name = "e", .labels = labels + 1, .nlabels = 2};
    const struct type *t = type_new(&like);
    struct err err;
    struct value v;
    RISES(t, "a", "c");
    ck_assert(!value_parse(t, "b", 1, &arena, &v, &err));
    ck_assert_str_eq(err.sqlstate, "22P02");
    like.labels = labels;
    like.nlabels = 3;
    ck_assert_ptr_eq(type_new(&like), t);
    RISES(t, "b", "a", "c");
    labels[2] = labels[3];
    ck_assert_ptr_eq(type_new(&like), t);
    RISES(t, "b", "a", "c");
    ck_assert_int_eq(type_enum_place(t, "new", 3), 2);
    ck_assert_str_eq(type_enum_label(t, 12)->name, "new");
    /* Inside an array labels aren't looked up before they are compared. */
    RISES(of_order(ORDER_ARRAY, t), "{a}", "{c}", "{later}", "{later,a}", "{laters}", "{NULL}");
}
END_TEST

START_TEST(broken_text_is_not_read_beyond_its_end)
{
    static const char *const texts[] = {"",      "{",    "{\"",   "{1,", "{{1}",    "[",
                                        "[0:1]", "(",    "(1",    "\"",  "{\"a\":", "[1,",
                                        "(\\",   "{a\\", "[1,\"", "{[1"};
    const enum text_order orders[] = {ORDER_ARRAY, ORDER_RANGE, ORDER_MULTIRANGE, ORDER_JSONB};
    const struct type *range = of_order(ORDER_RANGE, type_native(OID_TEXT));
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            const struct type *t =
                of_order(orders[o], orders[o] == ORDER_MULTIRANGE ? range : type_native(OID_TEXT));
            struct column_type ct = {t, -1, &collation_c};
            size_t len = strlen(texts[i]);
            char *copy = malloc(len ? len : 1);
            struct array_dims dims;
            memcpy(copy, texts[i], len);
            struct value v = value_bytes(copy, len);
            value_hash(&ct, v);
            ck_assert_int_eq(value_cmp(&ct, v, v), 0);
            if (orders[o] == ORDER_ARRAY)
                array_measure(t, v, &dims);
            free(copy);
        }
}
END_TEST

/* A varlena of n further 32-bit words after the given ones, each `fill`. */
static bool is_constant(const struct type *t, const uint32_t *words, size_t nwords, uint32_t fill,
                        size_t n)
{
    size_t len = 4 * (1 + nwords + n);
    uint32_t *datum = xmalloc(len);
    struct value v;
    struct err err;
    datum[0] = (uint32_t)len << 2;
    memcpy(datum + 1, words, 4 * nwords);
    for (size_t i = 0; i < n; i++)
        datum[1 + nwords + i] = fill;
    bool ok = value_from_datum(t, (const uint8_t *)datum, len, false, &arena, &v, &err);
    free(datum);
    return ok;
}

/* What the lengths in a constant promise isn't believed, and takes neither memory nor time. */
START_TEST(constants_have_bounds)
{
    const struct type *ints = of_order(ORDER_ARRAY, type_native(OID_INT4));
    const struct type *jsonb = type_new(&(struct type){
        .oid = OID_JSONB, .kind = TYPE_OPAQUE, .name = "jsonb", .order = ORDER_JSONB});
    const uint32_t two[] = {1, 0, 23, 2, 1, 7}, fourfold[] = {4, 0, 23, 65536, 65536, 65536, 65536},
                   bound[] = {1, 0, 23, 2, INT32_MAX, 7}, members[] = {0x40000000 + 100000};
    ck_assert(is_constant(ints, two, 6, 8, 1));
    ck_assert(!is_constant(ints, fourfold, 7, 1, 80000));
    ck_assert(!is_constant(ints, bound, 6, 8, 1));
    ck_assert(!is_constant(jsonb, members, 1, 0x40000000, 100000));
    ck_assert(is_constant(type_native(OID_NUMERIC), &(uint32_t){0x00010000}, 1, 0x00010001, 10000));
    ck_assert(!is_constant(type_native(OID_NUMERIC), &(uint32_t){0}, 1, 0x00010001, 2000000));
}
END_TEST

static struct value nested(size_t depth, const char *inside)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < depth; i++)
        buf_addc(&b, '[');
    buf_adds(&b, inside);
    for (size_t i = 0; i < depth; i++)
        buf_addc(&b, ']');
    struct value v = value_bytes(arena_memdup(&arena, b.data, b.len), b.len);
    buf_fini(&b);
    return v;
}

START_TEST(documents_may_be_nested_deeply)
{
    struct column_type ct = {of_order(ORDER_JSONB, NULL), -1, NULL};
    for (size_t depth = 900; depth < 2000; depth += 300) {
        struct value one = nested(depth, "1.0, 2"), same = nested(depth, "1, 2.00"),
                     more = nested(depth, "1, 3");
        ck_assert(value_same(&ct, one, same) && !value_same(&ct, one, more));
        ck_assert_uint_eq(value_hash(&ct, one), value_hash(&ct, same));
        ck_assert_int_eq(value_cmp(&ct, one, same), 0);
        ck_assert_int_lt(value_cmp(&ct, one, more), 0);
        ck_assert_int_gt(value_cmp(&ct, more, one), 0);
    }
    struct value deep = nested(1000000, "1"), deeper = nested(1000000, "1.0");
    ck_assert(value_same(&ct, deep, deeper));
    ck_assert_uint_eq(value_hash(&ct, deep), value_hash(&ct, deeper));
}
END_TEST

START_TEST(members_of_a_document)
{
    struct value doc = value_bytes("{\"a\": [1, {\"b\": \"x\\\"\\u0001\\ty\"}], \"é\": null}", 43),
                 v;
    doc.len = (uint32_t)strlen((const char *)doc.p);
    ck_assert_uint_eq(jsonb_count(doc), 2);
    ck_assert(jsonb_field(doc, value_bytes("é", 2), &v) && jsonb_kind_of(v) == JSONB_NULL);
    ck_assert(!jsonb_field(doc, value_bytes("b", 1), &v));
    ck_assert(jsonb_field(doc, value_bytes("a", 1), &v) && jsonb_element(v, -1, &v));
    ck_assert(jsonb_field(v, value_bytes("b", 1), &v));
    v = jsonb_string(v, &arena);
    ck_assert_uint_eq(v.len, 5);
    ck_assert_mem_eq(v.p, "x\"\001\ty", 5);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("compound");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, intervals_count_a_month_as_30_days);
    tcase_add_test(tc, times_with_a_zone_are_ordered_by_their_instant);
    tcase_add_test(tc, arrays_compare_their_elements_first);
    tcase_add_test(tc, jsonb_orders_by_kind_then_size);
    tcase_add_test(tc, ranges_order_by_lower_then_upper_bound);
    tcase_add_test(tc, rows_compare_field_by_field);
    tcase_add_test(tc, numbers_in_disguise);
    tcase_add_test(tc, enums_learn_labels);
    tcase_add_test(tc, broken_text_is_not_read_beyond_its_end);
    tcase_add_test(tc, constants_have_bounds);
    tcase_add_test(tc, documents_may_be_nested_deeply);
    tcase_add_test(tc, members_of_a_document);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
