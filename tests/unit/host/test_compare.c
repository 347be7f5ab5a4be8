/*
 * compare: a view's rows against an answer's, with and without doubts about numbers; and that a plan
 * whose state was made wrong doesn't pass.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host/compare.h"
#include "engine/host/encode.h"
#include "engine/host/plan_host.h"
#include "engine/plan/physical.h"

/* Rows parted by blanks; added with that weight. */
static void add(struct bag *b, const char *rows, int64_t weight)
{
    for (size_t n; *rows; rows += n + (rows[n] == ' ')) {
        n = strcspn(rows, " ");
        bag_add(b, rows, n, weight);
    }
}

/* "same 3", "differs +1 -2 [[1]] [[2],[3]]", "unsure 0A000". */
static const char *judge(const char *answer, const char *view, const struct plan_doubt *d)
{
    static char out[1000];
    struct verdict v = {0};
    struct bag left;
    bag_init(&left);
    add(&left, answer, 1);
    uint64_t rows = (uint64_t)left.total;
    add(&left, view, -1);
    compare_judge(&left, d, rows, &v);
    bag_fini(&left);
    if (v.kind == VERDICT_SAME)
        snprintf(out, sizeof out, "same %llu", (unsigned long long)v.rows);
    else if (v.kind == VERDICT_UNSURE)
        snprintf(out, sizeof out, "unsure %s", v.err.sqlstate);
    else
        snprintf(out, sizeof out, "differs +%llu -%llu %s %s", (unsigned long long)v.missing,
                 (unsigned long long)v.extra, v.missing_rows ? v.missing_rows : "",
                 v.extra_rows ? v.extra_rows : "");
    verdict_fini(&v);
    return out;
}

static const struct plan_doubt none;

START_TEST(rows_are_compared_as_a_multiset)
{
    ck_assert_str_eq(judge("", "", &none), "same 0");
    ck_assert_str_eq(judge("[1] [2] [1]", "[1] [1] [2]", &none), "same 3");
    ck_assert_str_eq(judge("[1] [2]", "[1] [1] [2]", &none), "differs +0 -1  [[1]]");
    ck_assert_str_eq(judge("[1] [1] [2]", "[2]", &none), "differs +2 -0 [[1]] ");
    ck_assert_str_eq(judge("[1.0]", "[1.00]", &none), "differs +1 -1 [[1.0]] [[1.00]]");
    const char *many = judge("[1] [2] [3] [4] [5]", "", &none);
    ck_assert_ptr_nonnull(strstr(many, "differs +5 -0 [["));
    int commas = 0;
    for (const char *p = many; *p; p++)
        commas += *p == ',';
    ck_assert_int_eq(commas, 2); /* three rows are shown */
}
END_TEST

START_TEST(where_all_is_in_doubt_only_equality_says_something)
{
    const struct plan_doubt d = {.why = "LIMIT"};
    ck_assert_str_eq(judge("[1] [2]", "[2] [1]", &d), "same 2");
    ck_assert_str_eq(judge("[1] [2]", "[2] [3]", &d), "unsure 0A000");
}
END_TEST

START_TEST(digits_in_doubt_are_compared_by_nearness)
{
    const enum doubt cols[] = {DOUBT_NONE, DOUBT_DIGITS};
    const struct plan_doubt d = {.columns = cols, .ncolumns = 2};
    ck_assert_str_eq(judge("[1,0.30000000000000004]", "[1,0.3]", &d), "same 1");
    ck_assert_str_eq(judge("[1,0.3] [1,0.3]", "[1,0.30000000000000004] [1,0.3]", &d), "same 2");
    ck_assert_str_eq(judge("[1,1e+20]", "[1,1.00000000000001e+20]", &d), "same 1");
    ck_assert_str_eq(judge("[1,1e-17]", "[1,0]", &d), "same 1"); /* what cancelled out */
    ck_assert_str_eq(judge("[1,0.3]", "[1,0.30001]", &d), "differs +1 -1 [[1,0.3]] [[1,0.30001]]");
    ck_assert_str_eq(judge("[1,0.3]", "[2,0.3]", &d), "differs +1 -1 [[1,0.3]] [[2,0.3]]");
    ck_assert_str_eq(judge("[1,null]", "[1,0.3]", &d), "differs +1 -1 [[1,null]] [[1,0.3]]");
    ck_assert_str_eq(judge("[1,\"NaN\"]", "[1,\"NaN\"]", &d), "same 1");
    ck_assert_str_eq(judge("[1,\"NaN\"]", "[1,1]", &d), "differs +1 -1 [[1,\"NaN\"]] [[1,1]]");
    /* Each row has one partner. */
    ck_assert_str_eq(judge("[1,0.3] [1,0.30000000000000004]", "[1,0.3]", &d),
                     "differs +1 -0 [[1,0.30000000000000004]] ");
}
END_TEST

START_TEST(spellings_in_doubt_are_compared_by_value)
{
    const enum doubt cols[] = {DOUBT_SPELLING, DOUBT_NONE};
    const struct plan_doubt d = {.columns = cols, .ncolumns = 2};
    ck_assert_str_eq(judge("[1.0,\"a,]\\\"b\"]", "[1.000,\"a,]\\\"b\"]", &d), "same 1");
    ck_assert_str_eq(judge("[10,1]", "[10.0,1]", &d), "same 1");
    ck_assert_str_eq(judge("[-0,1]", "[0.0,1]", &d), "same 1");
    ck_assert_str_eq(judge("[1.5,{\"a\":[1,2]}]", "[1.50,{\"a\":[1,2]}]", &d), "same 1");
    ck_assert_str_eq(judge("[10,1]", "[1,1]", &d), "differs +1 -1 [[10,1]] [[1,1]]");
    ck_assert_str_eq(judge("[1.0,1.0]", "[1.0,1.00]", &d),
                     "differs +1 -1 [[1.0,1.0]] [[1.0,1.00]]");
}
END_TEST

/* ---- a plan -------------------------------------------------------------------------------- */

static struct column_type int8;
static struct plan_source source;
static struct plan_column column = {.name = "n", .type_name = "bigint"};
static struct physical_op table = {.kind = PHYS_SOURCE, .text = "t"};
static struct physical physical;
static struct plan_spec spec;
static struct plan_host *host;
static struct arena rows;

static void setup(void)
{
    const struct plan_limits limits = {.max_rows = 1000, .history_bytes = 100000};
    int8 = (struct column_type){.type = type_native(OID_INT8), .typmod = -1};
    column.ct = int8;
    source = (struct plan_source){.table = 1, .cols = &int8, .ncols = 1};
    source.layout = layout_new(&int8, 1);
    physical = (struct physical){.v = &table, .n = 1};
    spec = (struct plan_spec){.columns = &column, .ncolumns = 1, .sources = &source, .nsources = 1};
    spec.physical = &physical;
    spec.refs = 1;
    arena_init(&rows);
    host = plan_host_new(&spec, &limits);
}

static void teardown(void)
{
    plan_host_free(host);
    arena_fini(&rows);
    layout_unref(source.layout);
}

static void push(int64_t n, int64_t weight)
{
    struct value v = value_int(n);
    struct err err;
    const uint8_t *row;
    ck_assert(row_pack(source.layout, &v, &rows, &row, &err));
    plan_host_push(host, 0, row, weight);
}

static struct payload *commit(lsn_t lsn)
{
    return plan_host_commit(host, lsn, lsn - 1).payload;
}

/* What is left of the answer when the plan's rows, less those of the delta, are taken out. */
static size_t left_of(const char *answer, const struct payload *later)
{
    struct bag left;
    bag_init(&left);
    add(&left, answer, 1);
    if (later)
        encode_collect_lines(later, &left);
    plan_host_compare(host, &left);
    size_t n = left.nentries;
    bag_fini(&left);
    return n;
}

START_TEST(a_plan_is_compared_as_it_is_and_as_it_was)
{
    push(1, 1);
    push(2, 2);
    payload_unref(commit(100));
    ck_assert_uint_eq(left_of("[1] [2] [2]", NULL), 0);
    push(2, -1);
    push(3, 1);
    struct payload *delta = commit(110);
    ck_assert_uint_eq(left_of("[1] [2] [3]", NULL), 0);
    ck_assert_uint_eq(left_of("[1] [2] [2]", delta), 0);
    ck_assert_uint_ne(left_of("[1] [2] [2]", NULL), 0);
    payload_unref(delta);
    push(3, 1); /* once more than there is */
    payload_unref(commit(120));
    ck_assert_uint_eq(left_of("[1] [2] [3]", NULL), 1);
}
END_TEST

START_TEST(history_does_not_lead_across_a_break)
{
    push(1, 1);
    payload_unref(commit(100));
    push(2, 1);
    payload_unref(commit(110));
    struct payload *net = plan_host_changes_since(host, 100);
    ck_assert_ptr_nonnull(net);
    payload_unref(net);
    plan_host_break_history(host);
    ck_assert_ptr_null(plan_host_changes_since(host, 100));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("compare");
    TCase *t = tcase_create("bags"), *p = tcase_create("plans");
    tcase_add_test(t, rows_are_compared_as_a_multiset);
    tcase_add_test(t, where_all_is_in_doubt_only_equality_says_something);
    tcase_add_test(t, digits_in_doubt_are_compared_by_nearness);
    tcase_add_test(t, spellings_in_doubt_are_compared_by_value);
    tcase_add_checked_fixture(p, setup, teardown);
    tcase_add_test(p, a_plan_is_compared_as_it_is_and_as_it_was);
    tcase_add_test(p, history_does_not_lead_across_a_break);
    suite_add_tcase(s, t);
    suite_add_tcase(s, p);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
