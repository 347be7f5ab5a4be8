/*
 * plan_host: what subscribers are told when a plan starts over. The plan shows its only table, a
 * column of integers.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host/answer.h"
#include "engine/host/encode.h"
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
    struct plan_event ev = plan_host_commit(host, lsn, lsn - 1);
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

/* Who comes from another plan holds a state of a later LSN than this one's first. */
START_TEST(what_is_emitted_is_behind_what_is_held)
{
    plan_host_follow(host, 200);
    seed(1);
    ck_assert_str_eq(commit(100), "");
    ck_assert_uint_eq(plan_host_lsn(host), 201);
    plan_host_follow(host, 240);
    plan_host_rebuild(host);
    seed(2);
    ck_assert_str_eq(commit(210), "-[1] +[2] @241");
    push(3, 1);
    ck_assert_str_eq(commit(250), "+[3] @250");
}
END_TEST

static void is_difference(const char *from, const char *to, const char *want)
{
    struct payload *a = payload_new(1, 0, strdup(from), strlen(from)),
                   *b = payload_new(2, 0, strdup(to), strlen(to)), *d = encode_difference(a, b, 3);
    ck_assert_uint_eq(d->len, strlen(want));
    ck_assert(memcmp(d->data ? d->data : "", want, d->len) == 0);
    payload_unref(a);
    payload_unref(b);
    payload_unref(d);
}

START_TEST(from_one_snapshot_to_another)
{
    is_difference("+ [1]\n+ [2]\n+ [2]\n", "+ [2]\n+ [3]\n+ [2]\n", "- [1]\n+ [3]\n");
    is_difference("+ [1]\n", "+ [1]\n+ [1]\n", "+ [1]\n");
    is_difference("+ [2]\n+ [1]\n", "+ [1]\n+ [2]\n", "");
    is_difference("+ [1]\n", "", "- [1]\n");
    is_difference("", "+ [1]\n", "+ [1]\n");
}
END_TEST

/* What the last subscribers hold when the plan ends, whether it has failed or not. */
START_TEST(its_last_words_are_what_was_emitted)
{
    seed(1);
    ck_assert_str_eq(commit(100), "");
    push(2, 1);
    ck_assert_str_eq(commit(110), "+[2] @110");
    plan_host_rebuild(host);
    seed(9); /* nobody has been told of it */
    struct payload *last = plan_host_last_words(host);
    ck_assert_uint_eq(last->nrows, 2);
    ck_assert(memmem(last->data, last->len, "[9]", 3) == NULL);
    payload_unref(last);
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

static void note_missed(void *arg, struct payload *payload)
{
    struct buf *b = arg;
    buf_addf(b, "%llu:%llu ", (unsigned long long)payload->lsn, (unsigned long long)payload->nrows);
}

/* "base | lsn:rows …" of what is sent, or "-". */
static const char *resume(lsn_t since, size_t max_bytes)
{
    static char out[200];
    struct buf b;
    lsn_t base = 0;
    buf_init(&b);
    bool ok = plan_host_resume(host, since, max_bytes, note_missed, &b, &base);
    snprintf(out, sizeof out, "%llu | %s", (unsigned long long)base, b.len ? buf_cstr(&b) : "");
    buf_fini(&b);
    return ok ? out : "-";
}

START_TEST(who_comes_back_gets_what_it_missed)
{
    seed(1);
    ck_assert_str_eq(resume(100, 1000), "-");
    ck_assert_str_eq(commit(100), "");
    ck_assert_str_eq(resume(99, 1000), "-");
    ck_assert_str_eq(resume(100, 1000), "100 | ");
    push(2, 1);
    ck_assert_str_eq(commit(110), "+[2] @110");
    push(2, -1);
    ck_assert_str_eq(commit(120), "-[2] @120");
    ck_assert_str_eq(resume(105, 1000), "100 | 110:1 120:1 ");
    ck_assert_str_eq(resume(105, 3), "100 | 120:0 ");
    ck_assert_str_eq(resume(119, 0), "110 | 120:1 ");
    plan_host_forget(host, 110);
    ck_assert_str_eq(resume(105, 1000), "-");
    ck_assert_str_eq(resume(115, 1000), "110 | 120:1 ");
}
END_TEST

/* Two commits that come to nothing together: in between there was a state that we never knew. */
START_TEST(a_run_of_commits_without_a_difference_leaves_a_gap)
{
    seed(1);
    ck_assert_str_eq(commit(100), "");
    push(2, 1);
    push(2, -1);
    ck_assert_int_eq(plan_host_commit(host, 130, 110).kind, PLAN_UNCHANGED);
    ck_assert_str_eq(resume(110, 1000), "100 | 130:0 ");
    ck_assert_str_eq(resume(120, 1000), "-");
    ck_assert_str_eq(resume(130, 1000), "100 | ");
    plan_host_rebuild(host);
    seed(1);
    ck_assert_int_eq(plan_host_commit(host, 180, 150).kind, PLAN_UNCHANGED);
    ck_assert_str_eq(resume(150, 1000), "100 | 180:0 ");
    ck_assert_str_eq(resume(151, 1000), "-");
    push(3, 1);
    ck_assert_str_eq(commit(190), "+[3] @190");
    ck_assert_str_eq(resume(185, 1000), "100 | 190:1 ");
    ck_assert_str_eq(resume(100, 0), "100 | 190:1 ");
}
END_TEST

/* Nobody is told of what can't be, and the state that was told is what the difference goes from. */
START_TEST(a_view_that_contradicts_itself_is_built_anew)
{
    seed(1);
    ck_assert_str_eq(commit(100), "");
    push(2, -1);
    push(3, 1);
    ck_assert_int_eq(plan_host_commit(host, 110, 109).kind, PLAN_LOST);
    ck_assert(plan_host_is_lost(host) && plan_host_is_broken(host));
    plan_host_rebuild(host);
    ck_assert(!plan_host_is_lost(host));
    seed(1);
    seed(3);
    ck_assert_str_eq(commit(120), "+[3] @120");
}
END_TEST

/* ---- whole results --------------------------------------------------------------------------- */

/* What is told of the answer "a b c", or of an error (NULL). */
static const char *answer(struct plan_host *h, const char *words, bool ordered, lsn_t lsn)
{
    static char out[1000];
    struct bag result;
    struct buf scratch = {0};
    struct err err;
    char copy[100], *save;
    uint64_t place = 0;
    size_t n = 0;
    bag_init(&result);
    snprintf(copy, sizeof copy, "%s", words ? words : "");
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        answer_add(&result, ordered ? place++ : 0, w, strlen(w), &scratch);
    err_set(&err, "22012", "division by zero");
    struct plan_event ev = plan_host_answer(h, &result, words ? NULL : &err, lsn, lsn - 1);
    bag_fini(&result);
    buf_fini(&scratch);
    out[0] = '\0';
    if (ev.kind == PLAN_ERROR || ev.kind == PLAN_OVERFLOW)
        return strcpy(out, ev.err.sqlstate);
    if (!ev.payload)
        return out;
    for (size_t i = 0; i < ev.payload->len; i++)
        if (ev.payload->data[i] != ' ')
            out[n++] = ev.payload->data[i] == '\n' ? ' ' : ev.payload->data[i];
    snprintf(out + n, sizeof out - n, "@%llu", (unsigned long long)ev.payload->lsn);
    payload_unref(ev.payload);
    return out;
}

static struct plan_host *rerun_host(bool ordered)
{
    static struct plan_rerun r;
    static struct plan_spec s;
    const struct plan_limits limits = {.max_rows = 5, .history_bytes = 100000};
    r = (struct plan_rerun){.what = "x", .ordered = ordered};
    s = (struct plan_spec){.columns = &column, .ncolumns = 1, .rerun = &r};
    s.refs = 1;
    return plan_host_new(&s, &limits);
}

START_TEST(an_answer_tells_the_difference)
{
    struct plan_host *h = rerun_host(false);
    ck_assert_str_eq(answer(h, "b a a", false, 100), "");
    ck_assert_str_eq(answer(h, "a b a", false, 110), "");
    ck_assert_uint_eq(plan_host_lsn(h), 100);
    ck_assert_str_eq(answer(h, "a b c", false, 120), "-a +c @120");
    ck_assert_str_eq(answer(h, "a b", false, 120), "-c @121"); /* time has gone by */
    plan_host_rebuild(h);
    ck_assert_uint_eq(plan_host_rows(h), 2);
    ck_assert_str_eq(answer(h, "a b c d e f", false, 130), "53400");
    plan_host_free(h);
}
END_TEST

START_TEST(only_the_order_of_an_answer_changes)
{
    struct plan_host *h = rerun_host(true);
    ck_assert_str_eq(answer(h, "c a b", true, 100), "");
    ck_assert_str_eq(answer(h, "x c a b", true, 110), "+x @110");
    struct payload *p = plan_host_snapshot(h);
    ck_assert_int_eq(memcmp(p->data, "+ x\n+ c\n+ a\n+ b\n", p->len), 0);
    payload_unref(p);
    ck_assert_str_eq(answer(h, "b a c x", true, 120), "");
    p = plan_host_snapshot(h);
    ck_assert_int_eq(memcmp(p->data, "+ b\n+ a\n+ c\n+ x\n", p->len), 0);
    payload_unref(p);
    plan_host_free(h);
}
END_TEST

START_TEST(an_error_is_an_answer)
{
    struct plan_host *h = rerun_host(false);
    ck_assert_str_eq(answer(h, NULL, false, 100), "22012");
    ck_assert(!plan_host_has_view(h));
    ck_assert_str_eq(answer(h, "a", false, 110), "");
    ck_assert_str_eq(answer(h, NULL, false, 120), "22012");
    ck_assert_str_eq(answer(h, NULL, false, 130), "");
    ck_assert_str_eq(answer(h, "a", false, 140), "@140"); /* all is well again */
    plan_host_free(h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plan_host");
    TCase *t = tcase_create("rebuild");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_answer_tells_the_difference);
    tcase_add_test(t, only_the_order_of_an_answer_changes);
    tcase_add_test(t, an_error_is_an_answer);
    tcase_add_test(t, a_rebuild_tells_the_difference);
    tcase_add_test(t, what_is_emitted_is_behind_what_is_held);
    tcase_add_test(t, from_one_snapshot_to_another);
    tcase_add_test(t, its_last_words_are_what_was_emitted);
    tcase_add_test(t, another_state_has_another_lsn);
    tcase_add_test(t, who_comes_back_gets_what_it_missed);
    tcase_add_test(t, a_run_of_commits_without_a_difference_leaves_a_gap);
    tcase_add_test(t, a_view_that_contradicts_itself_is_built_anew);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
