/*
 * Dates, timestamps and zones against what Postgres answered, and the ends of their ranges.
 */
#include <inttypes.h>
#include <unistd.h>

#include "engine/value/datetime.h"
#include "engine/value/value.h"
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

static bool zone_is_there(const char *zone)
{
    char path[128];
    if (strchr(zone, ',') || strcmp(zone, "UTC") == 0)
        return true;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    return access(path, R_OK) == 0;
}

static void check_forms(const struct type *t, const struct fixture *f)
{
    struct value v = value_int(strtoll(f->field[2], NULL, 10));
    ck_assert_msg(parse(t, f->field[3]).i == v.i, "line %d: %s reads as %" PRId64, f->lineno,
                  f->field[3], parse(t, f->field[3]).i);
    ck_assert_str_eq(print(t, v), f->field[3]);
    ck_assert_str_eq(to_json(t, v), f->field[4]);
}

static int64_t timestamp_of(const char *s)
{
    return parse(type_native(OID_TIMESTAMP), s).i;
}

static void check_datetime(const struct fixture *f)
{
    const char *kind = f->field[0];
    int64_t i = strtoll(f->field[2], NULL, 10), out;
    struct err err;
    if (strcmp(kind, "date") == 0) {
        check_forms(type_native(OID_DATE), f);
    } else if (strcmp(kind, "timestamp") == 0) {
        check_forms(type_native(OID_TIMESTAMP), f);
        buf_reset(&text);
        date_print(timestamp_to_date(i), &text);
        ck_assert_str_eq(buf_cstr(&text), f->field[5]);
    } else {
        check_forms(type_native(OID_TIMESTAMPTZ), f);
        int64_t local = timestamp_of(f->field[5]);
        if (strcmp(kind, "local") == 0) {
            ck_assert(timestamp_to_timestamptz(local, &out, &err));
            ck_assert_msg(out == i, "line %d: %s is off by %" PRId64 " s", f->lineno, f->field[5],
                          (int64_t)((out - i) / USECS_PER_SEC));
        } else {
            ck_assert(timestamptz_to_timestamp(i, &out, &err));
            ck_assert_int_eq(out, local);
        }
    }
}

START_TEST(dates_and_times_in_several_zones)
{
    struct fixture f;
    int n = 0;
    fixture_open(&f, "datetimes.tsv");
    while (fixture_next(&f)) {
        if (!zone_is_there(f.field[1]))
            continue;
        datetime_set_zone(f.field[1]);
        check_datetime(&f);
        n++;
    }
    ck_assert_int_gt(n, 200);
}
END_TEST

START_TEST(calendar_goes_there_and_back)
{
    for (int64_t d = DATE_MIN; d < DATE_END; d += 9973) {
        int32_t year, month, day;
        date_to_civil(d, &year, &month, &day);
        ck_assert_int_eq(date_from_civil(year, month, day), d);
        ck_assert(month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month));
    }
}
END_TEST

START_TEST(conversions_at_the_ends_of_the_range)
{
    struct err err;
    int64_t out;
    ck_assert(date_to_timestamp(DATE_NOEND, &out, &err) && out == TIMESTAMP_NOEND);
    ck_assert(date_to_timestamptz(DATE_NOBEGIN, &out, &err) && out == TIMESTAMP_NOBEGIN);
    ck_assert_int_eq(timestamp_to_date(TIMESTAMP_NOBEGIN), DATE_NOBEGIN);
    ck_assert(!date_to_timestamp(DATE_END - 1, &out, &err));
    ck_assert_str_eq(err.sqlstate, "22008");
    ck_assert_str_eq(err.message, "date out of range for timestamp");
    ck_assert(date_to_timestamp(DATE_MIN, &out, &err) && out == TIMESTAMP_MIN);
    ck_assert_int_gt(date_cmp_timestamp(DATE_END - 1, TIMESTAMP_END - 1), 0);
    ck_assert_int_lt(date_cmp_timestamp(DATE_END - 1, TIMESTAMP_NOEND), 0);
    ck_assert_int_eq(date_cmp_timestamptz(DATE_NOEND, TIMESTAMP_NOEND), 0);
    datetime_set_zone("<+14>-14");
    ck_assert(!timestamp_to_timestamptz(TIMESTAMP_MIN, &out, &err));
    ck_assert_str_eq(err.message, "timestamp out of range");
    ck_assert_int_lt(timestamp_cmp_timestamptz(TIMESTAMP_MIN, TIMESTAMP_MIN), 0);
    ck_assert_int_gt(timestamp_cmp_timestamptz(TIMESTAMP_MIN, TIMESTAMP_NOBEGIN), 0);
}
END_TEST

START_TEST(dates_refuse_other_text)
{
    static const struct {
        uint32_t oid;
        const char *text;
    } cases[] = {{OID_DATE, "2023-02-29"},
                 {OID_DATE, "2023-13-01"},
                 {OID_DATE, "2023-1-1"},
                 {OID_DATE, "0001-02-29"},
                 {OID_DATE, "2023-01-01 "},
                 {OID_DATE, "9999999-01-01"},
                 {OID_TIMESTAMP, "2023-01-01"},
                 {OID_TIMESTAMP, "2023-01-01 25:00:00"},
                 {OID_TIMESTAMP, "2023-01-01 10:00:00."},
                 {OID_TIMESTAMP, "2023-01-01 10:00:00+00"},
                 {OID_TIMESTAMP, "300000-01-01 00:00:00"},
                 {OID_TIMESTAMPTZ, "2023-01-01 10:00:00"},
                 {OID_TIMESTAMPTZ, "2023-01-01 10:00:00+"},
                 {OID_TIMESTAMPTZ, "2023-01-01 10:00:00+01:"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value v;
        struct err err;
        const char *s = cases[i].text;
        ck_assert_msg(!value_parse(type_native(cases[i].oid), s, strlen(s), &arena, &v, &err),
                      "%s was read", s);
        ck_assert(strncmp(err.sqlstate, "2200", 4) == 0);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("datetime");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, dates_and_times_in_several_zones);
    tcase_add_test(tc, calendar_goes_there_and_back);
    tcase_add_test(tc, conversions_at_the_ends_of_the_range);
    tcase_add_test(tc, dates_refuse_other_text);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
