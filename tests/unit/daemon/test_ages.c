/*
 * Which LSN had been reached how long ago.
 */
#include <check.h>

#include "daemon/ages.h"

START_TEST(what_is_old_is_as_old_as_said)
{
    struct ages a = {0};
    for (uint64_t s = 0; s < 1000; s++) {
        lsn_t old = ages_note(&a, s * 1000, 100 + s, 60000);
        if (s < 60)
            ck_assert_uint_eq(old, 0);
        else if (old)
            ck_assert(old <= 100 + s - 60 && old >= 100 + s - 63);
        if (s % 2 == 0 && s >= 62) /* notes are two seconds apart at most */
            ck_assert(old || ages_note(&a, s * 1000 + 999, 100 + s, 60000) || s % 4);
    }
}
END_TEST

START_TEST(a_long_age_has_few_notes_and_a_short_one_many)
{
    struct ages a = {0};
    lsn_t last = 0;
    for (uint64_t s = 0; s < 3 * 3600; s++) {
        lsn_t old = ages_note(&a, s * 1000, 1 + s, 3600000);
        if (old)
            last = old;
    }
    ck_assert(last <= 3 * 3600 - 3600 && last >= 3 * 3600 - 3600 - 3 * 113);
    ck_assert_uint_le(a.n, AGES_NOTES);
    /* Made shorter: what is older than that is old at once. */
    ck_assert_uint_ge(ages_note(&a, 3 * 3600000, 20000, 10000), 3 * 3600 - 10 - 113);
    ck_assert_uint_eq(ages_note(&a, 3 * 3600000 + 1000, 20001, 0), 20001);
}
END_TEST

START_TEST(a_clock_that_is_due_once_a_second)
{
    struct ages a = {0};
    ck_assert(ages_due(&a, 5000));
    ages_note(&a, 5000, 1, 1000);
    ck_assert(!ages_due(&a, 5500));
    ck_assert_int_eq(ages_wait(&a, 5500), 500);
    ck_assert(ages_due(&a, 6000));
}
END_TEST

START_TEST(lsns_that_go_back_are_of_another_history)
{
    struct ages a = {0};
    ages_note(&a, 1000, 500, 2000);
    ages_note(&a, 2000, 600, 2000);
    ck_assert_uint_eq(ages_note(&a, 3500, 300, 2000), 0);
    ck_assert_uint_eq(ages_note(&a, 5500, 310, 2000), 300);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ages");
    TCase *t = tcase_create("ages");
    tcase_add_test(t, what_is_old_is_as_old_as_said);
    tcase_add_test(t, a_long_age_has_few_notes_and_a_short_one_many);
    tcase_add_test(t, a_clock_that_is_due_once_a_second);
    tcase_add_test(t, lsns_that_go_back_are_of_another_history);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
