/*
 * waiting: thousands come and go, against a plain list. The daemon isn't a library, so its file is
 * compiled into this program.
 */
#include <check.h>
#include <stdlib.h>

#include "daemon/waiting.c"

#define SUBS 3000

/* Never looked into. */
static struct loop *loop_at(size_t i)
{
    static char loops[2];
    return (struct loop *)(void *)&loops[i % 2];
}

static void must_hold(const struct waiting *w, const bool *there, size_t n)
{
    size_t want = 0;
    static bool seen[SUBS];
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < SUBS; i++)
        want += there[i];
    ck_assert_uint_eq(n, want);
    ck_assert_uint_eq(w->subs.n, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t sub = w->subs.v[i].sub;
        ck_assert(there[sub] && !seen[sub]);
        ck_assert_ptr_eq(w->subs.v[i].loop, loop_at(sub));
        seen[sub] = true;
    }
}

START_TEST(who_goes_is_gone_and_the_others_stay)
{
    struct waiting w = {0};
    static bool there[SUBS];
    size_t n = 0;
    srand(7);
    for (int step = 0; step < 40000; step++) {
        size_t i = (size_t)rand() % SUBS;
        if (!there[i]) {
            waiting_add(&w, &(struct waiting_sub){.loop = loop_at(i), .sub = i});
            there[i] = true;
            n++;
        } else if (step % 3) {
            waiting_remove(&w, loop_at(i), i);
            there[i] = false;
            n--;
        } else {
            size_t place = (size_t)rand() % n;
            there[w.subs.v[place].sub] = false;
            waiting_remove_at(&w, place);
            n--;
        }
        waiting_remove(&w, loop_at(i + 1), i); /* of the other loop: another one */
        if (step % 1000 == 0)
            must_hold(&w, there, n);
    }
    must_hold(&w, there, n);
    waiting_clear(&w);
    ck_assert_uint_eq(w.subs.n, 0);
    ck_assert_uint_eq(w.places.count, 0);
}
END_TEST

START_TEST(a_payload_is_let_go_with_who_waits_for_it)
{
    struct waiting w = {0};
    struct payload *p = payload_new(1, 0, NULL, 0);
    for (uint64_t sub = 0; sub < 4; sub++)
        waiting_add(&w, &(struct waiting_sub){.sub = sub, .former = payload_ref(p)});
    ck_assert_int_eq(atomic_load(&p->refs), 5);
    waiting_remove(&w, NULL, 2);
    waiting_remove_at(&w, 0);
    ck_assert_int_eq(atomic_load(&p->refs), 3);
    waiting_clear(&w);
    ck_assert_int_eq(atomic_load(&p->refs), 1);
    payload_unref(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("waiting");
    TCase *t = tcase_create("waiting");
    tcase_add_test(t, who_goes_is_gone_and_the_others_stay);
    tcase_add_test(t, a_payload_is_let_go_with_who_waits_for_it);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
