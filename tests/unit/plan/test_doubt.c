/*
 * doubt: which statements have one right answer only. The statements are captured ones; the fixture
 * knows no indexes, so some are looked at with a unique key besides.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sqlfixture.h"

static struct fixture *fixture;

static void setup(void)
{
    fixture = fixture_load("tests/unit/sql/fixtures/pg15.txt");
}

static void teardown(void)
{
    fixture_free(fixture);
}

/* The table's first column is its primary key. */
static void make_key(const char *table)
{
    static const uint64_t first = 1;
    for (size_t i = 0; i < fixture->tables.n; i++) {
        struct cat_table *t = fixture->tables.v[i];
        if (strcmp(t->name, table) == 0) {
            t->unique = &first;
            t->nunique = t->ntelling = 1;
        }
    }
}

/* "" determined; "0120" by column: spelling 1, digits 2; or why. */
static const char *doubt_of(const struct plan_spec *p)
{
    static char out[300];
    size_t n = 0;
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; p->doubt.columns && i < p->ncolumns; i++)
        out[n++] = (char)('0' + p->doubt.columns[i]);
    out[n] = '\0';
    if (p->doubt.why)
        snprintf(out, sizeof out, "%s", p->doubt.why);
    return out;
}

static const char *doubt(const char *name)
{
    struct err err;
    struct plan_spec *p = fixture_plan(fixture, fixture_statement(fixture, name), &err);
    const char *text = doubt_of(p);
    plan_spec_unref(p);
    return text;
}

START_TEST(the_common_statements_are_determined)
{
    static const char *const names[] = {
        "plain",
        "arith",
        "casts",
        "join_inner",
        "join_left",
        "join_full",
        "join_theta",
        "group_none",
        "group_expr",
        "group_having",
        "group_filter_distinct",
        "group_dependent",
        "collate_group",
        "enum_group",
        "distinct",
        "distinct_agg",
        "union_all",
        "union_three",
        "intersect",
        "except_all_nested",
        "order_only",
        "limit_ties",
        "key_limit8",
        "cte_twice",
        "view_nested",
        "partitioned",
        "inherited",
        "exists_sub",
        "in_sub",
        "scalar_sub",
        "window",
        "r_recursive",
        "grouping_sets",
        "window_over_groups",
        "two_level_agg",
        "opaque_through",
        "distinct_array",
        "values",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(!*doubt(names[i]), "%s: %s", names[i], doubt(names[i]));
}
END_TEST

START_TEST(numbers_are_in_doubt_by_column)
{
    ck_assert_str_eq(doubt("group_by"), "0000010");   /* min() of numeric without a scale */
    ck_assert_str_eq(doubt("agg_over_join"), "02");   /* a float sum */
    ck_assert_str_eq(doubt("float_group"), "10");     /* 0 and -0 */
    ck_assert_str_eq(doubt("distinct_numeric"), "1"); /* 1.0 and 1.00 */
    ck_assert_str_eq(doubt("percentile"), "2");
}
END_TEST

START_TEST(what_hangs_on_an_order_that_is_not_given_is_in_doubt)
{
    ck_assert_ptr_nonnull(strstr(doubt("headline"), "LIMIT"));
    ck_assert_ptr_nonnull(strstr(doubt("lateral_sub"), "LIMIT"));
    ck_assert_ptr_nonnull(strstr(doubt("array_sub"), "order of its rows"));
    ck_assert_ptr_nonnull(strstr(doubt("string_agg"), "order of its rows"));
    ck_assert_ptr_nonnull(strstr(doubt("window_ranks"), "window function"));
    ck_assert_ptr_nonnull(strstr(doubt("window_frames"), "window function"));
    ck_assert_ptr_nonnull(strstr(doubt("window_limited"), "in doubt"));
    ck_assert_ptr_nonnull(strstr(doubt("limit_sub_filter"), "LIMIT"));
}
END_TEST

START_TEST(a_unique_key_settles_it)
{
    make_key("events");
    make_key("users");
    ck_assert_str_eq(doubt("string_agg"), "");
    ck_assert_str_eq(doubt("window_ranks"), "");
    ck_assert_str_eq(doubt("window_frames"), "");
    ck_assert_str_eq(doubt("window_limited"), "");
    ck_assert_str_eq(doubt("limit_sub_filter"), "");
    ck_assert_str_eq(doubt("limit_offset"), "");
    ck_assert_ptr_nonnull(strstr(doubt("array_sub"), "order of its rows"));
    ck_assert_ptr_nonnull(strstr(doubt("headline"), "LIMIT"));
}
END_TEST

START_TEST(of_reruns_less_is_known)
{
    static const struct {
        const char *name, *why;
    } cases[] = {{"plain", NULL},        {"group_none", NULL},       {"join_left", NULL},
                 {"window", "window"},   {"headline", "LIMIT"},      {"distinct_on", "DISTINCT"},
                 {"array_sub", "array"}, {"percentile", "aggregate"}};
    struct err why, err;
    err_soft(&why, "x");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fixture_statement *s = fixture_statement(fixture, cases[i].name);
        struct plan_spec *p = fixture_rerun(fixture, s, &why, &err);
        ck_assert_msg(p != NULL, "%s", err.message);
        ck_assert_msg(cases[i].why ? p->doubt.why && strstr(p->doubt.why, cases[i].why)
                                   : !p->doubt.why,
                      "%s: %s", cases[i].name, p->doubt.why);
        plan_spec_unref(p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("doubt");
    TCase *t = tcase_create("doubt");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_common_statements_are_determined);
    tcase_add_test(t, numbers_are_in_doubt_by_column);
    tcase_add_test(t, what_hangs_on_an_order_that_is_not_given_is_in_doubt);
    tcase_add_test(t, a_unique_key_settles_it);
    tcase_add_test(t, of_reruns_less_is_known);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
