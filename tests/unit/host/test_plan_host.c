/*
 * plan_host: what subscribers are told when a plan starts over. The plan shows its only table, a
 * column of integers.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host/plan_host.h"
#include "engine/plan/physical.h"

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

/* The lines of what is told, "-[1] +[2] @lsn"; "" for nothing. */
static const char *commit(lsn_t lsn)
{
    static char out[1000];
    size_t n = 0;
    struct plan_event ev = plan_host_commit(host, lsn);
    out[0] = '\0';
    ck_assert(ev.kind == PLAN_DELTA || ev.kind == PLAN_UNCHANGED);
    if (!ev.payload)
        return out;
    for (size_t i = 0; i < ev.payload->len; i++) {
        char c = ev.payload->data[i];
        if (c != ' ')
            out[n++] = c == '\n' ? ' ' : c;
    }
    snprintf(out + n, sizeof out - n, "@%llu", (unsigned long long)ev.payload->lsn);
    payload_unref(ev.payload);
    return out;
}

static void seed(int64_t n)
{
    push(n, 1);
    plan_host_absorb(host);
}

START_TEST(a_rebuild_tells_the_difference)
{
    seed(1);
    ck_assert_str_eq(commit(100), "");
    push(2, 1);
    ck_assert_str_eq(commit(110), "+[2] @110");
    plan_host_rebuild(host);
    seed(7); /* is thrown away: it starts over once more */
    plan_host_rebuild(host);
    seed(1);
    seed(3);
    ck_assert_str_eq(commit(120), "-[2] +[3] @120");
    plan_host_rebuild(host);
    seed(3);
    seed(1);
    ck_assert_str_eq(commit(130), "");
    ck_assert_int_eq(plan_host_state(host), PLAN_LIVE);
    push(1, -1);
    ck_assert_str_eq(commit(140), "-[1] @140");
}
END_TEST

/* DDL changed the rows and was found out after a later commit had been told: one LSN never stands
 * for two states, or who fell behind in the first would never hear of the second. */
START_TEST(another_state_has_another_lsn)
{
    seed(1);
    ck_assert_str_eq(commit(100), "");
    push(2, 1);
    ck_assert_str_eq(commit(110), "+[2] @110");
    plan_host_rebuild(host);
    seed(5);
    ck_assert_str_eq(commit(110), "-[1] -[2] +[5] @111");
    ck_assert_uint_eq(plan_host_lsn(host), 111);
    struct payload *net = plan_host_changes_since(host, 110);
    ck_assert_ptr_nonnull(net);
    ck_assert_uint_eq(net->nrows, 3);
    payload_unref(net);
    push(6, 1);
    ck_assert_str_eq(commit(120), "+[6] @120");
}
END_TEST

/* Nobody is told of what can't be, and the state that was told is what the difference goes from. */
START_TEST(a_view_that_contradicts_itself_is_built_anew)
{
    seed(1);
    ck_assert_str_eq(commit(100), "");
    push(2, -1);
    push(3, 1);
    ck_assert_int_eq(plan_host_commit(host, 110).kind, PLAN_LOST);
    ck_assert(plan_host_is_lost(host) && plan_host_is_broken(host));
    plan_host_rebuild(host);
    ck_assert(!plan_host_is_lost(host));
    seed(1);
    seed(3);
    ck_assert_str_eq(commit(120), "+[3] @120");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plan_host");
    TCase *t = tcase_create("rebuild");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_rebuild_tells_the_difference);
    tcase_add_test(t, another_state_has_another_lsn);
    tcase_add_test(t, a_view_that_contradicts_itself_is_built_anew);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
