/*
 * table: members come and go while it grows, against a plain list; equal hashes too. The daemon isn't
 * a library, so its file is compiled into this program.
 */
#include <check.h>
#include <stdbool.h>

#include "daemon/table.c"

#define MEMBERS 5000

struct member {
    int before;
    struct table_link link;
    uint64_t no;
    bool there;
};

static struct member members[MEMBERS];
static struct table table;

/* A few have the same hash, and all of them the same low bits as others. */
static uint64_t hash_of(uint64_t no)
{
    return no / 3 * 0x9e3779b97f4a7c15ULL >> 20;
}

static bool is_found(uint64_t no)
{
    for (struct table_link *t = table_first(&table, hash_of(no)); t; t = table_next(t))
        if (TABLE_MEMBER(t, struct member, link)->no == no)
            return true;
    return false;
}

static void must_hold(void)
{
    size_t n = 0;
    for (uint64_t i = 0; i < MEMBERS; i++) {
        n += members[i].there;
        ck_assert(is_found(i) == members[i].there);
    }
    ck_assert_uint_eq(table.n, n);
}

static void change(uint64_t i)
{
    members[i].no = i;
    if (members[i].there)
        table_remove(&table, &members[i].link);
    else
        table_add(&table, &members[i].link, hash_of(i));
    members[i].there = !members[i].there;
}

START_TEST(all_are_found_however_far_it_has_grown)
{
    table_init(&table);
    srand(11);
    for (uint64_t i = 0; i < MEMBERS; i++) {
        change(i);
        change((uint64_t)rand() % (i + 1));
        ck_assert(is_found(i) == members[i].there);
        if (i % 97 == 0 || i < 100)
            must_hold();
    }
    must_hold();
    for (uint64_t i = 0; i < MEMBERS; i++)
        if (members[i].there)
            change(i);
    must_hold();
    table_fini(&table);
}
END_TEST

/* Each time it doubles, the old buckets are gone before it doubles again. */
START_TEST(it_grows_a_few_buckets_at_a_time)
{
    size_t doubled = 0;
    table_init(&table);
    for (uint64_t i = 0; i < MEMBERS; i++) {
        size_t moved = table.moved, cap = table.cap;
        members[i].there = false;
        change(i);
        if (table.cap == cap && table.old)
            ck_assert_uint_le(table.moved, moved + MOVED_AT_ONCE);
        doubled += table.cap != cap;
    }
    ck_assert_uint_eq(doubled, 8); /* 64 to 8192 */
    must_hold();
    for (uint64_t i = 0; i < MEMBERS; i++)
        change(i);
    table_fini(&table);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("table");
    TCase *t = tcase_create("table");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, all_are_found_however_far_it_has_grown);
    tcase_add_test(t, it_grows_a_few_buckets_at_a_time);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
