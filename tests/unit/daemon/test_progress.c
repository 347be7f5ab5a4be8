/*
 * progress: consistent cuts over several workers, written as the lines a client would see.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/progress.c"
#include "engine/base/buf.h"

#define WORKERS 3

static struct progress p;
static lsn_t passed[WORKERS];

static void begin(enum progress_mode mode)
{
    progress_init(&p, WORKERS);
    p.mode = mode;
    memset(passed, 0, sizeof passed);
}

static void hold(int worker, uint64_t sub, lsn_t lsn)
{
    struct held h = {.lsn = lsn, .sub = sub, .payload = payload_new(lsn, 0, NULL, 0)};
    progress_hold(&p, worker, &h);
}

/* All that can be done now: "1@100" gives subscription 1 its change of 100, "=100" states it. */
static const char *advance(void)
{
    static char text[4096];
    struct buf b;
    struct held h;
    enum progress_step step;
    buf_init(&b);
    while ((step = progress_next(&p, passed, &h)) != PROGRESS_WAIT) {
        if (step == PROGRESS_STATE)
            buf_addf(&b, "=%d ", (int)h.lsn);
        else
            buf_addf(&b, "%d@%d ", (int)h.sub, (int)h.lsn);
        held_fini(&h);
    }
    snprintf(text, sizeof text, "%s", buf_cstr(&b));
    buf_fini(&b);
    return text;
}

START_TEST(one_worker_states_every_commit)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    hold(0, 1, 100);
    hold(0, 1, 110);
    ck_assert_str_eq(advance(), "");
    passed[0] = 100;
    ck_assert_str_eq(advance(), "1@100 =100 ");
    passed[0] = 120;
    ck_assert_str_eq(advance(), "1@110 =110 ");
    ck_assert_str_eq(advance(), "");
    progress_fini(&p);
}
END_TEST

START_TEST(two_workers_advance_together_in_lsn_order)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    progress_join(&p, 2);
    hold(0, 1, 100);
    hold(0, 1, 120);
    hold(2, 2, 100);
    hold(2, 2, 110);
    passed[0] = 120;
    ck_assert_str_eq(advance(), "");
    passed[2] = 110;
    ck_assert_str_eq(advance(), "1@100 2@100 =100 2@110 =110 ");
    passed[2] = 130;
    ck_assert_str_eq(advance(), "1@120 =120 ");
    progress_fini(&p);
}
END_TEST

START_TEST(lsns_begin_anew_with_another_history)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    progress_raise_floor(&p, 900);
    hold(0, 1, 1000);
    passed[0] = 1000;
    ck_assert_str_eq(advance(), "1@1000 =1000 ");
    passed[0] = 20;
    progress_turn_back(&p);
    hold(0, 2, 30);
    ck_assert_str_eq(advance(), "");
    passed[0] = 30;
    ck_assert_str_eq(advance(), "2@30 =30 ");
    progress_fini(&p);
}
END_TEST

START_TEST(reruns_come_late_and_hold_up_to_a_limit)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    progress_join(&p, 1); /* the rerun's */
    hold(0, 1, 100);
    hold(0, 1, 110);
    hold(0, 1, 120);
    passed[0] = passed[1] = 120;
    p.limit = 99; /* touched at 100 */
    ck_assert_str_eq(advance(), "");
    /* Answered as of 110, and it holds up to 119. */
    hold(WORKERS, 2, 110);
    progress_raise_floor(&p, 110);
    p.limit = 119;
    ck_assert_str_eq(advance(), "1@100 1@110 2@110 =110 ");
    hold(WORKERS, 3, 120); /* two reruns, not in the order of their answers */
    hold(WORKERS, 2, 115);
    progress_raise_floor(&p, 120);
    p.limit = LSN_MAX;
    ck_assert_str_eq(advance(), "2@115 1@120 3@120 =120 ");
    progress_fini(&p);
}
END_TEST

START_TEST(a_late_subscription_on_a_slow_worker_takes_no_statement_back)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    hold(0, 1, 100);
    passed[0] = 110;
    passed[1] = 80;
    ck_assert_str_eq(advance(), "1@100 =100 ");
    progress_join(&p, 1);
    progress_raise_floor(&p, 80); /* it was seeded as of 80 */
    hold(1, 2, 90);
    passed[1] = 90;
    ck_assert_str_eq(advance(), "2@90 ");
    passed[1] = 100;
    ck_assert_str_eq(advance(), "=100 ");
    progress_fini(&p);
}
END_TEST

START_TEST(workers_without_subscriptions_hold_nothing_back)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    progress_join(&p, 1);
    progress_leave(&p, 1);
    hold(0, 1, 100);
    passed[0] = 100;
    ck_assert_str_eq(advance(), "1@100 =100 ");
    progress_fini(&p);
}
END_TEST

START_TEST(what_is_not_current_holds_the_cut_back)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    progress_block(&p);
    hold(0, 1, 100);
    passed[0] = 100;
    ck_assert_str_eq(advance(), "");
    progress_unblock(&p);
    ck_assert_str_eq(advance(), "1@100 =100 ");
    progress_fini(&p);
}
END_TEST

START_TEST(no_statement_below_a_jump)
{
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    progress_join(&p, 1);
    progress_raise_floor(&p, 115);
    hold(0, 1, 100);
    hold(0, 1, 110);
    hold(0, 1, 120);
    passed[0] = passed[1] = 112;
    ck_assert_str_eq(advance(), "1@100 1@110 ");
    passed[0] = passed[1] = 118;
    ck_assert_str_eq(advance(), "=115 ");
    passed[0] = passed[1] = 120;
    ck_assert_str_eq(advance(), "1@120 =120 ");
    progress_fini(&p);
}
END_TEST

START_TEST(by_interval_nothing_is_stated_in_between)
{
    begin(PROGRESS_EVERY);
    progress_join(&p, 0);
    hold(0, 1, 100);
    passed[0] = 100;
    ck_assert_str_eq(advance(), "1@100 ");
    ck_assert_uint_eq(progress_cut(&p, passed), 100);
    progress_fini(&p);
}
END_TEST

START_TEST(by_interval_what_was_given_out_is_not_denied)
{
    begin(PROGRESS_EVERY);
    progress_join(&p, 0);
    hold(0, 1, 100);
    passed[0] = 120;
    ck_assert_str_eq(advance(), "1@100 ");
    ck_assert(progress_can_state(&p, 120));
    ck_assert(!progress_can_state(&p, 0));
    p.limit = 90; /* a rerun that was subscribed to since: its answer is of before 100 */
    ck_assert_uint_eq(progress_cut(&p, passed), 90);
    ck_assert(!progress_can_state(&p, 90));
    ck_assert(progress_can_state(&p, 100));
    progress_raise_floor(&p, 110);
    ck_assert(!progress_can_state(&p, 100));
    progress_fini(&p);
}
END_TEST

START_TEST(cut_of_nobody_is_no_limit)
{
    begin(PROGRESS_EVERY);
    ck_assert(progress_cut(&p, passed) == LSN_MAX);
    progress_join(&p, 1);
    passed[1] = 7;
    ck_assert_uint_eq(progress_cut(&p, passed), 7);
    progress_block(&p);
    ck_assert_uint_eq(progress_cut(&p, passed), 0);
    progress_fini(&p);
}
END_TEST

START_TEST(held_bytes_are_counted_and_taken_oldest_first)
{
    struct held h;
    begin(PROGRESS_EACH);
    progress_join(&p, 0);
    progress_join(&p, 1);
    hold(0, 1, 120);
    hold(1, 2, 110);
    ck_assert_uint_gt(p.held_bytes, 0);
    ck_assert_uint_eq(progress_oldest(&p), 110);
    ck_assert_uint_eq(progress_newest(&p), 120);
    ck_assert(progress_take(&p, &h));
    ck_assert_uint_eq(h.sub, 2);
    held_fini(&h);
    ck_assert_uint_eq(progress_newest(&p), 120);
    ck_assert(progress_take(&p, &h));
    held_fini(&h);
    ck_assert_uint_eq(progress_newest(&p), 0);
    ck_assert(!progress_take(&p, &h));
    ck_assert_uint_eq(p.held_bytes, 0);
    progress_fini(&p);
}
END_TEST

/* The invariant under random schedules: what is given out never goes back in LSN, every statement
 * covers all before it and nothing after, and in the end everything came out. */
START_TEST(random_schedules_keep_the_promise)
{
    srand(11);
    for (int run = 0; run < 200; run++) {
        struct held h;
        enum progress_step step;
        size_t in = 0, out = 0;
        lsn_t last = 0;
        begin(PROGRESS_EACH);
        for (int w = 0; w < WORKERS; w++)
            progress_join(&p, w);
        for (int i = 0; i < 300; i++) {
            int w = rand() % WORKERS;
            passed[w] += (lsn_t)(rand() % 5);
            if (rand() % 2) {
                hold(w, (uint64_t)w, ++passed[w]);
                in++;
            }
            while ((step = progress_next(&p, passed, &h)) != PROGRESS_WAIT) {
                ck_assert_uint_ge(h.lsn, last);
                last = h.lsn;
                ck_assert(step != PROGRESS_STATE || progress_oldest(&p) > h.lsn);
                for (int k = 0; k < WORKERS; k++)
                    ck_assert_uint_ge(passed[k], h.lsn);
                out += step == PROGRESS_GIVE;
                held_fini(&h);
            }
        }
        for (int w = 0; w < WORKERS; w++)
            passed[w] = 100000;
        while ((step = progress_next(&p, passed, &h)) != PROGRESS_WAIT) {
            out += step == PROGRESS_GIVE;
            held_fini(&h);
        }
        ck_assert_uint_eq(in, out);
        ck_assert(!p.owes);
        progress_fini(&p);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("progress");
    TCase *tc = tcase_create("progress");
    tcase_add_test(tc, one_worker_states_every_commit);
    tcase_add_test(tc, two_workers_advance_together_in_lsn_order);
    tcase_add_test(tc, reruns_come_late_and_hold_up_to_a_limit);
    tcase_add_test(tc, a_late_subscription_on_a_slow_worker_takes_no_statement_back);
    tcase_add_test(tc, workers_without_subscriptions_hold_nothing_back);
    tcase_add_test(tc, what_is_not_current_holds_the_cut_back);
    tcase_add_test(tc, no_statement_below_a_jump);
    tcase_add_test(tc, by_interval_nothing_is_stated_in_between);
    tcase_add_test(tc, by_interval_what_was_given_out_is_not_denied);
    tcase_add_test(tc, cut_of_nobody_is_no_limit);
    tcase_add_test(tc, held_bytes_are_counted_and_taken_oldest_first);
    tcase_add_test(tc, lsns_begin_anew_with_another_history);
    tcase_add_test(tc, random_schedules_keep_the_promise);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
