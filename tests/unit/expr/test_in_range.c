/*
 * in_range, against answers of Postgres 15: infinities, NaN, ends of types, months.
 */
#include <check.h>
#include <string.h>

#include "engine/expr/in_range.h"

static const struct {
    uint32_t fn, type, offset_type;
    const char *val, *base, *offset;
    bool sub, less, want;
} cases[] = {
    {4133, OID_DATE, OID_INTERVAL, "2020-02-29", "-infinity", "1 mon", true, false, true},
    {4133, OID_DATE, OID_INTERVAL, "2020-02-29", "2020-01-31", "1 mon", false, false, true},
    {4133, OID_DATE, OID_INTERVAL, "2020-02-29", "2020-01-31", "29 days", true, true, false},
    {4133, OID_DATE, OID_INTERVAL, "2020-02-29", "2020-03-31", "29 days", true, true, true},
    {4133, OID_DATE, OID_INTERVAL, "infinity", "-infinity", "1 mon", false, true, false},
    {4133, OID_DATE, OID_INTERVAL, "infinity", "-infinity", "1 mon", true, true, false},
    {4133, OID_DATE, OID_INTERVAL, "infinity", "-infinity", "29 days", false, true, false},
    {4133, OID_DATE, OID_INTERVAL, "infinity", "-infinity", "29 days", true, true, false},
    {4133, OID_DATE, OID_INTERVAL, "infinity", "2020-03-31", "1 mon", false, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "-Infinity", "Infinity", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "-Infinity", "Infinity", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "0", "1", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "0", "1", true, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "Infinity", "0", false, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "Infinity", "1", false, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "Infinity", "Infinity", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "-Infinity", "NaN", "Infinity", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "-Infinity", "1", false, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "-Infinity", "1", true, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "-Infinity", "1", true, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "-Infinity", "Infinity", false, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "0", "Infinity", false, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "Infinity", "0", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "Infinity", "1", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "Infinity", "Infinity", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "NaN", "0", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "NaN", "1", false, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "NaN", "Infinity", false, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "NaN", "Infinity", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "1", "NaN", "Infinity", true, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "-Infinity", "0", false, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "-Infinity", "1", false, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "-Infinity", "1", true, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "-Infinity", "Infinity", true, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "0", "0", true, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "0", "1", true, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "0", "Infinity", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "Infinity", "0", false, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "Infinity", "Infinity", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "Infinity", "Infinity", true, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "NaN", "0", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "NaN", "0", true, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "NaN", "0", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "NaN", "1", false, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "NaN", "1", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "NaN", "Infinity", false, false, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "Infinity", "NaN", "Infinity", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "-Infinity", "1", true, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "0", "0", false, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "0", "1", false, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "0", "1", true, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "0", "Infinity", true, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "0", "Infinity", true, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "Infinity", "0", true, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "Infinity", "1", false, true, false},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "NaN", "0", false, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "NaN", "1", true, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "NaN", "1", true, true, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "NaN", "Infinity", false, false, true},
    {4139, OID_FLOAT8, OID_FLOAT8, "NaN", "NaN", "Infinity", true, false, true},
    {4127, OID_INT4, OID_INT8, "-1", "-2147483648", "0", false, false, true},
    {4127, OID_INT4, OID_INT8, "-1", "-2147483648", "0", false, true, false},
    {4127, OID_INT4, OID_INT8, "2147483647", "-2147483648", "9223372036854775807", false, true,
     true},
    {4127, OID_INT4, OID_INT8, "2147483647", "-2147483648", "9223372036854775807", true, true,
     false},
    {4136, OID_INTERVAL, OID_INTERVAL, "1 mon 00:00:01", "-1 mons", "29 days", false, true, false},
    {4136, OID_INTERVAL, OID_INTERVAL, "30 days", "-1 mons", "2 mons", true, true, false},
    {4136, OID_INTERVAL, OID_INTERVAL, "30 days", "-1 mons", "29 days", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "-Infinity", "1.00", false, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "-Infinity", "Infinity", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "0.5", "1.00", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "0.5", "Infinity", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "Infinity", "1.00", true, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "Infinity", "Infinity", false, false, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "NaN", "1.00", false, false, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "NaN", "1.00", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "NaN", "Infinity", true, false, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "-Infinity", "NaN", "Infinity", true, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "-Infinity", "1.00", false, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "-Infinity", "1.00", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "-Infinity", "1.00", true, true, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "-Infinity", "Infinity", true, true, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "0.5", "Infinity", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "Infinity", "1.00", true, false, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "Infinity", "Infinity", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1", "NaN", "1.00", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "-Infinity", "1.00", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "-Infinity", "Infinity", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "0.5", "1.00", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "0.5", "Infinity", false, false, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "0.5", "Infinity", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "Infinity", "1.00", true, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "NaN", "1.00", true, false, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "1.5", "NaN", "1.00", true, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "Infinity", "-Infinity", "1.00", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "Infinity", "0.5", "1.00", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "Infinity", "Infinity", "Infinity", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "Infinity", "NaN", "1.00", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "Infinity", "NaN", "1.00", true, false, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "Infinity", "NaN", "1.00", true, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "-Infinity", "1.00", true, true, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "-Infinity", "Infinity", false, true, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "0.5", "1.00", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "0.5", "1.00", true, true, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "0.5", "Infinity", false, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "Infinity", "Infinity", false, true, false},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "NaN", "1.00", false, true, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "NaN", "1.00", true, false, true},
    {4141, OID_NUMERIC, OID_NUMERIC, "NaN", "NaN", "Infinity", true, false, true},
    {4137, OID_TIME, OID_INTERVAL, "01:00:00", "00:30:00", "1 day 01:00:00", false, false, false},
    {4137, OID_TIME, OID_INTERVAL, "01:00:00", "00:30:00", "1 day 01:00:00", true, true, false},
    {4137, OID_TIME, OID_INTERVAL, "01:00:00", "23:30:00", "00:30:00", false, false, false},
    {4137, OID_TIME, OID_INTERVAL, "01:00:00", "23:30:00", "00:30:00", false, true, true},
    {4137, OID_TIME, OID_INTERVAL, "01:00:00", "23:30:00", "00:30:00", true, false, false},
    {4137, OID_TIME, OID_INTERVAL, "01:00:00", "23:30:00", "1 day 01:00:00", false, false, false},
    {4137, OID_TIME, OID_INTERVAL, "01:00:00", "23:30:00", "1 day 01:00:00", true, false, false},
    {4137, OID_TIME, OID_INTERVAL, "23:00:00", "00:30:00", "00:30:00", true, true, false},
    {4137, OID_TIME, OID_INTERVAL, "23:00:00", "00:30:00", "1 day 01:00:00", false, true, false},
    {4137, OID_TIME, OID_INTERVAL, "23:00:00", "23:30:00", "00:30:00", false, false, false},
    {4134, OID_TIMESTAMP, OID_INTERVAL, "2020-02-29 12:00:00", "infinity", "1 mon", false, true,
     true},
    {4134, OID_TIMESTAMP, OID_INTERVAL, "2020-02-29 12:00:00", "infinity", "1 mon", true, true,
     true},
};

static struct value read(uint32_t oid, const char *s, struct arena *a)
{
    struct value v;
    struct err err;
    ck_assert_msg(value_parse(type_native(oid), s, strlen(s), a, &v, &err), "%s", s);
    return v;
}

START_TEST(it_answers_as_postgres_does)
{
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err;
        bool in;
        struct value val = read(cases[i].type, cases[i].val, &a);
        struct value base = read(cases[i].type, cases[i].base, &a);
        struct value offset = read(cases[i].offset_type, cases[i].offset, &a);
        in_range_fn *fn = in_range_lookup(cases[i].fn);
        ck_assert(fn(val, base, offset, cases[i].sub, cases[i].less, &in, &a, &err));
        ck_assert_msg(in == cases[i].want, "%s %s %s %s %s", cases[i].val,
                      cases[i].less ? "<=" : ">=", cases[i].base, cases[i].sub ? "-" : "+",
                      cases[i].offset);
    }
    arena_fini(&a);
}
END_TEST

START_TEST(a_negative_offset_is_an_error)
{
    static const struct {
        uint32_t fn, type, offset_type;
        const char *val, *offset;
    } bad[] = {{4127, OID_INT4, OID_INT8, "1", "-1"},
               {4139, OID_FLOAT8, OID_FLOAT8, "1", "-0.5"},
               {4139, OID_FLOAT8, OID_FLOAT8, "1", "NaN"},
               {4141, OID_NUMERIC, OID_NUMERIC, "1", "-0.01"},
               {4134, OID_TIMESTAMP, OID_INTERVAL, "2020-01-01 00:00:00", "-1 days"},
               {4137, OID_TIME, OID_INTERVAL, "10:00:00", "1 day -00:00:01"}};
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err;
        bool in;
        struct value v = read(bad[i].type, bad[i].val, &a);
        ck_assert(!in_range_lookup(bad[i].fn)(v, v, read(bad[i].offset_type, bad[i].offset, &a),
                                              false, true, &in, &a, &err));
        ck_assert_str_eq(err.sqlstate, "22013");
    }
    arena_fini(&a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("in_range");
    TCase *t = tcase_create("in_range");
    tcase_add_test(t, it_answers_as_postgres_does);
    tcase_add_test(t, a_negative_offset_is_an_error);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
