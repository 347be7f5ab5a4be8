/*
 * store: against a plain array of counts, with few keys and many changes; sizes; growth.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/store.h"

#define KEYS 3000

static struct column_type column(uint32_t oid)
{
    return (struct column_type){.type = type_native(oid), .typmod = -1};
}

/* (id bigint, n int, note text), identified by id or, without key, by everything. */
static struct leaf_layout *make_leaf(bool with_key, bool with_text)
{
    struct column_type cols[3] = {column(OID_INT8), column(OID_INT4),
                                  column(with_text ? OID_TEXT : OID_INT8)};
    struct leaf_layout *l = NEW(struct leaf_layout);
    atomic_init(&l->refs, 1);
    l->relid = 4711;
    l->replident = with_key ? 'd' : 'f';
    l->ncols = 3;
    l->names = xcalloc(3, sizeof *l->names);
    l->names[0] = xstrdup("id");
    l->names[1] = xstrdup("n");
    l->names[2] = xstrdup("note");
    l->nkey = with_key;
    l->key = xcalloc(1, sizeof *l->key);
    l->layout = layout_new(cols, 3);
    return l;
}

static const uint8_t *make_row(struct leaf_layout *l, struct arena *a, int64_t id, int64_t n,
                               size_t text_len)
{
    static char text[100000];
    struct err err;
    const uint8_t *row;
    if (!text[0])
        memset(text, 'x', sizeof text);
    struct value v[3] = {value_int(id), value_int(n), value_int(id ^ n)};
    if (l->layout->nvar)
        v[2] = value_bytes(text, text_len);
    ck_assert(row_pack(l->layout, v, a, &row, &err));
    return row;
}

static size_t text_len_of(int64_t id, int64_t n)
{
    if ((id * 31 + n) % 97 == 0)
        return 40000;
    return (size_t)((id * 31 + n) % 97) * 13;
}

/* What the store holds against what it should: n of each id, or copies of (id, 0). */
static void compare(const struct store *s, const int64_t *want, bool with_key, uint64_t rows)
{
    static int64_t got[KEYS];
    uint64_t cursor = 0, seen = 0;
    int64_t copies;
    const uint8_t *row;
    memset(got, 0, sizeof got);
    while ((row = store_next(s, &cursor, &copies))) {
        const struct layout *l = store_leaf(s)->layout;
        int64_t id = row_get(l, row, 0).i;
        got[id] += with_key ? row_get(l, row, 1).i : copies;
        seen += (uint64_t)copies;
    }
    ck_assert_uint_eq(seen, rows);
    ck_assert_uint_eq(store_rows(s), rows);
    for (int i = 0; i < KEYS; i++)
        ck_assert_int_eq(got[i], want[i]);
}

static void random_changes(bool with_key, bool with_text)
{
    static int64_t want[KEYS];
    struct leaf_layout *l = make_leaf(with_key, with_text);
    struct store *s = store_new(l);
    struct arena a;
    uint64_t rows = 0;
    arena_init(&a);
    memset(want, 0, sizeof want);
    for (int i = 0; i < 60000; i++) {
        int64_t id = random() % KEYS, n = with_key ? want[id] : 0, to = 1 + random() % 1000;
        bool insert = random() % 100 < (i / 10000 % 2 ? 30 : 70);
        arena_reset(&a);
        if (with_key && n && insert) {
            const uint8_t *old = make_row(l, &a, id, n, text_len_of(id, n));
            ck_assert(!store_insert(s, old));
            ck_assert(store_replace(s, old, make_row(l, &a, id, to, text_len_of(id, to))));
            want[id] = to;
        } else if (insert) {
            int64_t x = with_key ? to : 0;
            ck_assert(store_insert(s, make_row(l, &a, id, x, text_len_of(id, x))));
            want[id] = with_key ? to : want[id] + 1;
            rows++;
        } else {
            const uint8_t *row = make_row(l, &a, id, with_key ? -7 : 0, text_len_of(id, 0));
            ck_assert(!store_find(s, row) == !want[id]);
            ck_assert(store_delete(s, row) == (want[id] != 0));
            rows -= want[id] != 0;
            want[id] = with_key || !want[id] ? 0 : want[id] - 1;
        }
        if (i % 5000 == 0)
            compare(s, want, with_key, rows);
    }
    compare(s, want, with_key, rows);
    store_clear(s);
    memset(want, 0, sizeof want);
    compare(s, want, with_key, 0);
    arena_fini(&a);
    store_free(s);
}

START_TEST(keyed_fixed)
{
    random_changes(true, false);
}
END_TEST

START_TEST(keyed_text)
{
    random_changes(true, true);
}
END_TEST

START_TEST(multiset_fixed)
{
    random_changes(false, false);
}
END_TEST

START_TEST(multiset_text)
{
    random_changes(false, true);
}
END_TEST

START_TEST(key_change)
{
    struct leaf_layout *l = make_leaf(true, true);
    struct store *s = store_new(l);
    struct arena a;
    arena_init(&a);
    const uint8_t *one = make_row(l, &a, 1, 10, 5), *two = make_row(l, &a, 2, 20, 50);
    ck_assert(store_insert(s, one));
    ck_assert(store_replace(s, one, two));
    ck_assert_ptr_null(store_find(s, one));
    ck_assert(memcmp(store_find(s, two), two, row_len(l->layout, two)) == 0);
    ck_assert(!store_replace(s, one, two));
    ck_assert(store_insert(s, one));
    ck_assert(!store_replace(s, one, two)); /* that identity is taken */
    arena_fini(&a);
    store_free(s);
}
END_TEST

/* A row of (bigint, int, bigint) is 21 bytes; what is around it must stay small. */
START_TEST(bytes_per_row)
{
    struct leaf_layout *l = make_leaf(true, false);
    struct store *s = store_new(l);
    struct arena a;
    uint64_t n = 0, most = 0;
    bool ok = true; /* a ck_assert() a row takes longer than the rows do */
    arena_init(&a);
    for (uint64_t step = 50000; n < 900000; n++) {
        arena_reset(&a);
        ok &= store_insert(s, make_row(l, &a, (int64_t)n, 1, 0));
        if ((n + 1) % step == 0 && store_bytes(s) / (n + 1) > most)
            most = store_bytes(s) / (n + 1);
    }
    printf("%llu bytes a row at most, %llu at the end\n", (unsigned long long)most,
           (unsigned long long)(store_bytes(s) / n));
    ck_assert_uint_le(store_bytes(s) / n, 45);
    ck_assert_uint_le(most, 60); /* while one table is being moved into the next */
    for (uint64_t i = 0; i < n; i++) {
        arena_reset(&a);
        ok &= store_delete(s, make_row(l, &a, (int64_t)i, 0, 0));
    }
    ck_assert(ok);
    ck_assert_uint_eq(store_rows(s), 0);
    arena_fini(&a);
    store_free(s);
}
END_TEST

int main(void)
{
    const char *env = getenv("SEED");
    unsigned seed = env ? (unsigned)strtoul(env, NULL, 10) : (unsigned)time(NULL);
    fprintf(stderr, "SEED=%u\n", seed);
    srandom(seed);
    Suite *s = suite_create("store");
    TCase *tc = tcase_create("store");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, keyed_fixed);
    tcase_add_test(tc, keyed_text);
    tcase_add_test(tc, multiset_fixed);
    tcase_add_test(tc, multiset_text);
    tcase_add_test(tc, key_change);
    tcase_add_test(tc, bytes_per_row);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
