/*
 * Set-returning functions, one by one: what they give for arguments in their text form.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/expr/srf.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static const struct type *array_of(uint32_t elem)
{
    static struct type like;
    like = (struct type){.oid = 100000 + elem, .kind = TYPE_OPAQUE, .rep = REP_BYTES};
    like.name = "array";
    like.json = JSON_ARRAY;
    like.delim = ',';
    like.elem = type_native(elem);
    return &like;
}

static const struct type *json_type(void)
{
    static struct type like = {.oid = OID_JSON, .kind = TYPE_OPAQUE, .rep = REP_BYTES};
    like.name = "json";
    like.json = JSON_INLINE;
    return &like;
}

static const struct expr *constant(const struct type *t, const char *text)
{
    struct column_type ct = {t, -1, t->oid == OID_TEXT ? &collation_c : NULL};
    struct value v = value_null();
    struct err err;
    if (text)
        ck_assert(value_parse(t, text, strlen(text), &arena, &v, &err));
    return expr_const(&arena, v, ct);
}

/* Rows as text: values of a row after ' ', rows after ';'. Of an error its SQLSTATE. */
static const char *rows_of(uint32_t oid, const struct expr *const *args, size_t nargs,
                           const struct type *const *types, size_t ncols)
{
    struct column_type cols[2];
    struct srf_call c = {srf_lookup(oid), "f", NULL, nargs, cols, ncols};
    struct eval_ctx cx = {.arena = &arena};
    struct srf_rows rows;
    struct buf b;
    struct err err;
    for (size_t i = 0; i < ncols; i++)
        cols[i] = (struct column_type){types[i], -1, NULL};
    c.args = arena_memdup(&arena, args, nargs * sizeof *args);
    ck_assert_ptr_nonnull(c.srf);
    if (!srf_eval(&c, &cx, &rows, &err))
        return arena_strdup(&arena, err.sqlstate);
    buf_init(&b);
    for (size_t i = 0; i < rows.n; i++) {
        buf_adds(&b, i ? ";" : "");
        for (size_t k = 0; k < ncols; k++) {
            const struct value *v = &rows.v[i * ncols + k];
            buf_adds(&b, k ? " " : "");
            if (v->null)
                buf_adds(&b, "NULL");
            else
                value_print(types[k], *v, &b);
        }
    }
    const char *text = arena_strdup(&arena, buf_cstr(&b));
    buf_fini(&b);
    return text;
}

static const char *series(uint32_t oid, uint32_t type, const char *from, const char *to,
                          const char *step)
{
    const struct type *t = type_native(type);
    const struct expr *args[3] = {constant(t, from), constant(t, to), NULL};
    if (step)
        args[2] = constant(t, step);
    return rows_of(oid, args, step ? 3 : 2, &t, 1);
}

START_TEST(series_stop_where_postgres_does)
{
    ck_assert_str_eq(series(1067, OID_INT4, "1", "3", NULL), "1;2;3");
    ck_assert_str_eq(series(1067, OID_INT4, "3", "1", NULL), "");
    ck_assert_str_eq(series(1067, OID_INT4, NULL, "1", NULL), "");
    ck_assert_str_eq(series(1066, OID_INT4, "3", "-2", "-2"), "3;1;-1");
    ck_assert_str_eq(series(1066, OID_INT4, "1", "2", "0"), "22023");
    ck_assert_str_eq(series(1066, OID_INT4, "2147483646", "2147483647", "1"),
                     "2147483646;2147483647");
    ck_assert_str_eq(series(1066, OID_INT4, "-2147483647", "-2147483648", "-1000"), "-2147483647");
    ck_assert_str_eq(series(1069, OID_INT8, "9223372036854775806", "9223372036854775807", NULL),
                     "9223372036854775806;9223372036854775807");
    ck_assert_str_eq(series(3259, OID_NUMERIC, "1.0", "2", "0.25"), "1.0;1.25;1.50;1.75;2.00");
    ck_assert_str_eq(series(3260, OID_NUMERIC, "1", "2.5", NULL), "1;2");
    ck_assert_str_eq(series(3260, OID_NUMERIC, "NaN", "2.5", NULL), "22023");
    ck_assert_str_eq(series(3259, OID_NUMERIC, "1", "2.5", "Infinity"), "22023");
    ck_assert_str_eq(series(1069, OID_INT8, "1", "10000000", NULL), "54000");
}
END_TEST

static const char *unnest(uint32_t elem, const char *text)
{
    const struct expr *arg = constant(array_of(elem), text);
    const struct type *t = type_native(elem);
    return rows_of(2331, &arg, 1, &t, 1);
}

static const char *subscripts(const char *text, const char *dimension, const char *reverse)
{
    const struct type *t = type_native(OID_INT4);
    const struct expr *args[3] = {constant(array_of(OID_INT4), text), constant(t, dimension), NULL};
    if (reverse)
        args[2] = constant(type_native(OID_BOOL), reverse);
    return rows_of(reverse ? 1191 : 1192, args, reverse ? 3 : 2, &t, 1);
}

START_TEST(arrays_are_taken_apart)
{
    ck_assert_str_eq(unnest(OID_INT4, "{1,NULL,3}"), "1;NULL;3");
    ck_assert_str_eq(unnest(OID_INT4, "{}"), "");
    ck_assert_str_eq(unnest(OID_INT4, "[2:3][-1:0]={{1,2},{3,4}}"), "1;2;3;4");
    ck_assert_str_eq(unnest(OID_TEXT, "{a,\"b,c\",\"d\\\"e\",\"NULL\",null,\"\",\"x\\\\y\"}"),
                     "a;b,c;d\"e;NULL;NULL;;x\\y");
    ck_assert_str_eq(unnest(OID_TEXT, "{\"{}\",\"a b\"}"), "{};a b");
    ck_assert_str_eq(subscripts("{7,8,9}", "1", NULL), "1;2;3");
    ck_assert_str_eq(subscripts("{7,8,9}", "1", "t"), "3;2;1");
    ck_assert_str_eq(subscripts("{7,8,9}", "2", NULL), "");
    ck_assert_str_eq(subscripts("{7,8,9}", "0", NULL), "");
    ck_assert_str_eq(subscripts("{}", "1", NULL), "");
    ck_assert_str_eq(subscripts("[2:4]={7,8,9}", "1", NULL), "2;3;4");
    ck_assert_str_eq(subscripts("[2:4][0:1]={{1,2},{3,4},{5,6}}", "1", NULL), "2;3;4");
    ck_assert_str_eq(subscripts("{{1,2},{3,4},{5,6}}", "2", NULL), "1;2");
    ck_assert_str_eq(subscripts("{{{1},{2}},{{3},{4}},{{5},{6}}}", "1", NULL), "1;2;3");
}
END_TEST

static const char *json(uint32_t oid, const char *text, size_t ncols, bool as_text)
{
    const struct expr *arg = constant(json_type(), text);
    const struct type *types[2] = {type_native(OID_TEXT), type_native(OID_TEXT)};
    if (!as_text)
        types[ncols - 1] = json_type();
    return rows_of(oid, &arg, 1, types, ncols);
}

START_TEST(json_is_taken_apart)
{
    ck_assert_str_eq(json(3955, " [1 , \"a,]\\\"\" , {\"k\" : [2]},null]", 1, false),
                     "1;\"a,]\\\"\";{\"k\" : [2]};null");
    ck_assert_str_eq(json(3969, "[1, \"a\\nb\\u00e9\\ud83d\\ude00\", null, true]", 1, true),
                     "1;a\nb\xc3\xa9\xf0\x9f\x98\x80;NULL;true");
    ck_assert_str_eq(json(3969, "[\"\\u0000\"]", 1, true), "22P05");
    ck_assert_str_eq(json(3955, "[]", 1, false), "");
    ck_assert_str_eq(json(3955, "{}", 1, false), "22023");
    ck_assert_str_eq(json(3219, "1", 1, false), "22023");
    ck_assert_str_eq(json(3958, "{\"a\":1, \"b\" :[1, {}], \"a\": \"x\"}", 2, false),
                     "a 1;b [1, {}];a \"x\"");
    ck_assert_str_eq(json(3959, "{\"a\":null,\"b\":\"x\\\"y\",\"\\u0041\":{}}", 2, true),
                     "a NULL;b x\"y;A {}");
    ck_assert_str_eq(json(3931, "{\"a\": 1, \"b\": {\"c\": 2}}", 1, true), "a;b");
    ck_assert_str_eq(json(3931, "[1]", 1, true), "22023");
    ck_assert_str_eq(json(3958, NULL, 2, false), "");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flatmap");
    TCase *t = tcase_create("functions");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, series_stop_where_postgres_does);
    tcase_add_test(t, arrays_are_taken_apart);
    tcase_add_test(t, json_is_taken_apart);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
