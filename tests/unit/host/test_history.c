/*
 * Bags of rows and histories of deltas: the parts of a live plan that need no circuit.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/alloc.h"
#include "engine/host/bag.h"
#include "engine/host/encode.h"
#include "engine/host/history.h"

static struct payload *delta(lsn_t lsn, const char *lines)
{
    uint64_t n = 0;
    for (const char *p = lines; *p; p++)
        n += *p == '\n';
    return payload_new(lsn, n, xstrdup(lines), strlen(lines));
}

static void add(struct history *h, lsn_t from, lsn_t to, const char *lines)
{
    struct payload *p = delta(to, lines);
    history_add(h, from, to - 1, p);
    payload_unref(p);
}

static void must_net(const struct history *h, lsn_t since, lsn_t now, const char *lines)
{
    struct payload *p = history_net(h, since, now);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(p->lsn, now);
    ck_assert_uint_eq(p->len, strlen(lines));
    ck_assert(p->len == 0 || memcmp(p->data, lines, p->len) == 0);
    payload_unref(p);
}

START_TEST(a_bag_counts_and_forgets_what_comes_to_nothing)
{
    struct bag b;
    bag_init(&b);
    ck_assert_int_eq(bag_weight(&b, "x", 1), 0);
    ck_assert_int_eq(bag_add(&b, "x", 1, 2), 2);
    ck_assert_int_eq(bag_add(&b, "x", 1, -3), -1);
    ck_assert_int_eq(bag_add(&b, "", 0, 5), 5);
    ck_assert_int_eq(b.total, 4);
    ck_assert_int_eq(bag_add(&b, "x", 1, 1), 0);
    ck_assert_uint_eq(b.nentries, 1);
    bag_fini(&b);
}
END_TEST

START_TEST(a_bag_agrees_with_an_array_under_random_weights)
{
    enum {
        KEYS = 700
    };
    int64_t want[KEYS] = {0}, total = 0;
    unsigned seed = (unsigned)time(NULL);
    struct bag b;
    bag_init(&b);
    fprintf(stderr, "seed %u\n", seed);
    for (int i = 0; i < 20000; i++) {
        int key = rand_r(&seed) % KEYS;
        int64_t w = rand_r(&seed) % 5 - 2;
        if (w == 0)
            continue;
        want[key] += w;
        total += w;
        ck_assert_int_eq(bag_add(&b, &key, sizeof key, w), want[key]);
    }
    ck_assert_int_eq(b.total, total);
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    size_t n = 0;
    while ((e = bag_next(&b, &c))) {
        int key;
        memcpy(&key, e->bytes, sizeof key);
        ck_assert_int_eq(e->weight, want[key]);
        n++;
    }
    ck_assert_uint_eq(n, b.nentries);
    bag_fini(&b);
    ck_assert_uint_eq(b.bytes, 0);
}
END_TEST

START_TEST(the_net_of_deltas_has_no_row_on_both_sides)
{
    struct history h;
    history_init(&h, 1 << 20);
    add(&h, 10, 20, "- [1]\n+ [2]\n");
    add(&h, 20, 35, "- [2]\n+ [3]\n");
    must_net(&h, 10, 35, "- [1]\n+ [3]\n");
    must_net(&h, 12, 35, "- [1]\n+ [3]\n"); /* nothing changed between 10 and 20 */
    must_net(&h, 20, 35, "- [2]\n+ [3]\n");
    must_net(&h, 35, 35, "");
    add(&h, 35, 40, "- [3]\n+ [1]\n");
    must_net(&h, 10, 40, "");
    ck_assert_ptr_null(history_net(&h, 9, 40));
    history_fini(&h);
}
END_TEST

START_TEST(copies_are_counted)
{
    struct history h;
    history_init(&h, 1 << 20);
    add(&h, 1, 2, "+ [7]\n+ [7]\n+ [7]\n");
    add(&h, 2, 3, "- [7]\n");
    must_net(&h, 1, 3, "+ [7]\n+ [7]\n");
    history_fini(&h);
}
END_TEST

START_TEST(the_oldest_go_when_it_is_full)
{
    struct history h;
    history_init(&h, 3 * (sizeof(struct payload) + 6));
    for (lsn_t l = 1; l < 100; l++)
        add(&h, l, l + 1, "+ [1]\n");
    ck_assert_uint_le(h.bytes, h.max_bytes);
    ck_assert_ptr_null(history_net(&h, 96, 100));
    must_net(&h, 97, 100, "+ [1]\n+ [1]\n+ [1]\n");
    history_fini(&h);
}
END_TEST

static size_t entries(const struct history *h)
{
    return h->entries.n - h->first;
}

static void must_find(const struct history *h, lsn_t since, size_t missed)
{
    size_t first;
    ck_assert_msg(history_find(h, since, &first), "%llu", (unsigned long long)since);
    ck_assert_uint_eq(h->entries.n - first, missed);
}

static void must_not_find(const struct history *h, lsn_t since)
{
    size_t first;
    ck_assert_msg(!history_find(h, since, &first), "%llu", (unsigned long long)since);
}

START_TEST(a_state_is_the_answer_until_the_next_commit_that_changes_it)
{
    struct history h;
    history_init(&h, 1 << 20);
    history_start(&h, 10);
    must_not_find(&h, 9);
    must_find(&h, 10, 0);
    must_find(&h, 1000, 0);
    add(&h, 10, 20, "+ [1]\n");
    add(&h, 20, 35, "+ [2]\n");
    must_not_find(&h, 9);
    must_find(&h, 10, 2);
    must_find(&h, 19, 2);
    must_find(&h, 20, 1);
    must_find(&h, 34, 1);
    must_find(&h, 35, 0);
    must_find(&h, 36, 0);
    history_fini(&h);
}
END_TEST

START_TEST(within_a_run_of_commits_nobody_knows_the_state)
{
    struct history h;
    struct payload *run = delta(50, "+ [3]\n");
    history_init(&h, 1 << 20);
    history_start(&h, 10);
    add(&h, 10, 20, "+ [1]\n");
    history_add(&h, 20, 30, run); /* of several, the first of them after 30 */
    payload_unref(run);
    must_find(&h, 20, 1);
    must_find(&h, 30, 1);
    must_not_find(&h, 31);
    must_not_find(&h, 49);
    must_find(&h, 50, 0);
    history_fini(&h);
}
END_TEST

/* A change that comes to light late: until 45 the old state was given out for the answer. */
START_TEST(an_lsn_that_stands_for_two_states_is_no_ones)
{
    struct history h;
    struct payload *late = delta(40, "+ [3]\n");
    history_init(&h, 1 << 20);
    history_start(&h, 10);
    history_add(&h, 10, 45, late);
    payload_unref(late);
    must_find(&h, 39, 1);
    must_not_find(&h, 40);
    must_not_find(&h, 45);
    must_find(&h, 46, 0);
    add(&h, 40, 60, "+ [4]\n");
    must_not_find(&h, 45);
    must_find(&h, 46, 1);
    history_forget(&h, 40);
    must_not_find(&h, 45);
    must_find(&h, 46, 1);
    history_fini(&h);
}
END_TEST

START_TEST(what_is_forgotten_is_not_reached)
{
    struct history h;
    history_init(&h, 1 << 20);
    history_start(&h, 1);
    for (lsn_t l = 1; l < 100; l++)
        add(&h, l, l + 1, "+ [1]\n");
    history_forget(&h, 50);
    ck_assert_uint_eq(entries(&h), 50);
    must_not_find(&h, 49);
    must_find(&h, 50, 50);
    history_forget(&h, 100);
    ck_assert_uint_eq(entries(&h), 0);
    ck_assert_uint_eq(h.bytes, 0);
    must_not_find(&h, 99);
    must_find(&h, 100, 0);
    history_start(&h, 500);
    must_not_find(&h, 499);
    must_find(&h, 500, 0);
    history_fini(&h);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("history");
    TCase *t = tcase_create("history");
    tcase_add_test(t, a_bag_counts_and_forgets_what_comes_to_nothing);
    tcase_add_test(t, a_bag_agrees_with_an_array_under_random_weights);
    tcase_add_test(t, the_net_of_deltas_has_no_row_on_both_sides);
    tcase_add_test(t, copies_are_counted);
    tcase_add_test(t, the_oldest_go_when_it_is_full);
    tcase_add_test(t, a_state_is_the_answer_until_the_next_commit_that_changes_it);
    tcase_add_test(t, within_a_run_of_commits_nobody_knows_the_state);
    tcase_add_test(t, an_lsn_that_stands_for_two_states_is_no_ones);
    tcase_add_test(t, what_is_forgotten_is_not_reached);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
