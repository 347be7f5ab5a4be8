/*
 * ingest: what the messages of each kind of table do to its store and to the step.
 */
#include "tests/unit/daemon/stream.h"

#define T    100u
#define COLS "id:20:1,a:23:0,b:25:0"

static struct ingest ing;
static int lost, reseeded;

static void lost_event(void *arg, struct leaf *leaf, const struct err *why)
{
    (void)arg, (void)leaf, (void)why;
    lost++;
}

static void reseed_event(void *arg, struct leaf *leaf)
{
    (void)arg, (void)leaf;
    reseeded++;
}

static struct step *new_step_event(void *arg)
{
    (void)arg;
    return step_new();
}

static const struct ingest_events events = {new_step_event, lost_event, reseed_event, NULL};

static void setup(void)
{
    lost = reseeded = 0;
    ingest_init(&ing, &events, NULL);
}

static void teardown(void)
{
    ingest_fini(&ing);
}

/* The changes of the transactions so far. */
static void expect_step(const char *want)
{
    struct step *s = ingest_take_step(&ing);
    ck_assert_str_eq(show_step(s), want);
    step_unref(s);
}

static struct leaf *keyed(const char *layout)
{
    send_relation(&ing, T, 'd', COLS);
    return add_leaf(&ing, make_layout(T, 'd', layout));
}

START_TEST(changes_by_key)
{
    struct leaf *l = keyed(COLS);
    send_begin(&ing, 700);
    send_insert(&ing, T, "1|10|x");
    send_insert(&ing, T, "2|20|y");
    send_update(&ing, T, 0, NULL, "1|11|x");
    send_delete(&ing, T, 'K', "2|~|~");
    send_commit(&ing, 1000);
    ck_assert_str_eq(show_store(l->store), "1|11|x");
    ck_assert_uint_eq(ing.position, 1000);
    ck_assert_uint_eq(ing.step->ntxns, 1);
    ck_assert_uint_eq(ing.step->lsn, 1000);
    expect_step("+1:1|10|x +1:2|20|y -1:1|10|x +1:1|11|x -1:2|20|y");
}
END_TEST

START_TEST(only_needed_columns)
{
    struct leaf *l = keyed("id:20:1,b:25:0");
    send_begin(&ing, 700);
    send_insert(&ing, T, "1|10|x");
    send_update(&ing, T, 0, NULL, "1|99|x"); /* nothing that is looked at */
    send_update(&ing, T, 0, NULL, "1|99|z");
    send_commit(&ing, 1000);
    ck_assert_str_eq(show_store(l->store), "1|z");
    expect_step("+1:1|x -1:1|x +1:1|z");
}
END_TEST

START_TEST(key_update_with_unchanged_toast)
{
    struct leaf *l = keyed(COLS);
    store_put(l->store, "1|10|long");
    send_begin(&ing, 700);
    send_update(&ing, T, 'K', "1|~|~", "5|10|^");
    send_update(&ing, T, 0, NULL, "5|12|^");
    send_commit(&ing, 1000);
    ck_assert_str_eq(show_store(l->store), "5|12|long");
    expect_step("-1:1|10|long +1:5|10|long -1:5|10|long +1:5|12|long");
}
END_TEST

START_TEST(null_and_empty)
{
    struct leaf *l = keyed(COLS);
    send_begin(&ing, 700);
    send_insert(&ing, T, "1|~|");
    send_update(&ing, T, 0, NULL, "1|~|~");
    send_commit(&ing, 1000);
    ck_assert_str_eq(show_store(l->store), "1|~|~");
    expect_step("+1:1|~| -1:1|~| +1:1|~|~");
}
END_TEST

START_TEST(index_identity)
{
    send_relation(&ing, T, 'i', "id:20:0,a:23:1,b:25:1");
    struct leaf *l = add_leaf(&ing, make_layout(T, 'i', "a:23:1,b:25:1"));
    store_put(l->store, "10|x");
    send_begin(&ing, 700);
    send_update(&ing, T, 'K', "~|10|x", "1|10|y");
    send_insert(&ing, T, "2|10|x");
    send_delete(&ing, T, 'K', "~|10|y");
    send_commit(&ing, 1000);
    ck_assert_str_eq(show_store(l->store), "10|x");
    expect_step("-1:10|x +1:10|y +1:10|x -1:10|y");
}
END_TEST

START_TEST(full_identity_duplicates)
{
    send_relation(&ing, T, 'f', "id:20:1,a:23:1,b:25:1");
    struct leaf *l = add_leaf(&ing, make_layout(T, 'f', "a:23:1,b:25:1"));
    store_put(l->store, "7|x");
    store_put(l->store, "7|x");
    store_put(l->store, "7|x");
    send_begin(&ing, 700);
    send_delete(&ing, T, 'O', "1|7|x");
    send_update(&ing, T, 'O', "2|7|x", "2|8|^");
    send_commit(&ing, 1000);
    ck_assert_str_eq(show_store(l->store), "7|x 8|x");
    expect_step("-1:7|x -1:7|x +1:8|x");
    ck_assert_int_eq(lost, 0);
    send_begin(&ing, 701);
    send_delete(&ing, T, 'O', "2|9|x"); /* never seen */
    ck_assert_int_eq(lost, 1);
    send_commit(&ing, 1100);
}
END_TEST

START_TEST(truncate_with_rows)
{
    struct leaf *l = keyed(COLS);
    store_put(l->store, "1|10|x");
    send_begin(&ing, 700);
    send_insert(&ing, T, "2|20|y");
    send_truncate(&ing, T);
    send_insert(&ing, T, "1|11|z");
    send_commit(&ing, 1000);
    ck_assert_str_eq(show_store(l->store), "1|11|z");
    struct step *s = ingest_take_step(&ing);
    ck_assert_uint_eq(s->fragments.v[0].changes.n, 4);
    step_unref(s);
}
END_TEST

START_TEST(truncate_without_rows)
{
    send_relation(&ing, T, 'n', "id:20:0,a:23:0,b:25:0");
    struct leaf *l = add_leaf(&ing, make_layout(T, 'n', "a:23:0"));
    store_free(l->store);
    l->store = NULL;
    send_begin(&ing, 700);
    send_insert(&ing, T, "2|20|y");
    send_truncate(&ing, T);
    send_insert(&ing, T, "2|30|y");
    ck_assert_int_eq(reseeded, 0);
    send_commit(&ing, 1000);
    ck_assert_int_eq(reseeded, 1);
    ck_assert_str_eq(show_store(l->store), "30"); /* what it holds is known now */
}
END_TEST

START_TEST(missing_row)
{
    struct leaf *l = keyed(COLS);
    send_begin(&ing, 700);
    send_delete(&ing, T, 'K', "1|~|~");
    ck_assert_int_eq(lost, 1);
    ck_assert_ptr_null(l->layout);
    send_insert(&ing, T, "1|2|x"); /* of no concern until it is read again */
    send_commit(&ing, 1000);
    ck_assert_int_eq(lost, 1);
}
END_TEST

START_TEST(row_there_already)
{
    struct leaf *l = keyed(COLS);
    store_put(l->store, "1|10|x");
    send_begin(&ing, 700);
    send_insert(&ing, T, "1|2|x");
    ck_assert_int_eq(lost, 1);
    send_commit(&ing, 1000);
}
END_TEST

START_TEST(relation_changes)
{
    struct leaf *l = keyed("id:20:1,b:25:0");
    send_begin(&ing, 700);
    send_relation(&ing, T, 'd', "id:20:1,new:23:0,b:25:0"); /* not needed: fits */
    send_insert(&ing, T, "1|5|x");
    ck_assert_int_eq(lost, 0);
    ck_assert_str_eq(show_store(l->store), "1|x");
    send_relation(&ing, T, 'd', "id:20:1,b:23:0");
    send_insert(&ing, T, "2|5");
    ck_assert_int_eq(lost, 1);
    send_commit(&ing, 1000);
}
END_TEST

START_TEST(identity_changes)
{
    keyed("id:20:1,b:25:0");
    send_begin(&ing, 700);
    send_relation(&ing, T, 'f', "id:20:1,a:23:1,b:25:1");
    send_insert(&ing, T, "2|5|x");
    ck_assert_int_eq(lost, 1);
    send_commit(&ing, 1000);
}
END_TEST

START_TEST(bad_value)
{
    keyed("id:20:1,a:23:0");
    send_begin(&ing, 700);
    send_insert(&ing, T, "1|what|x");
    ck_assert_int_eq(lost, 1);
    send_commit(&ing, 1000);
}
END_TEST

START_TEST(too_large)
{
    struct leaf *l = keyed(COLS);
    char row[64];
    ing.max_txn_bytes = 20000;
    send_begin(&ing, 699);
    send_insert(&ing, T, "0|0|small");
    send_commit(&ing, 900);
    send_begin(&ing, 700);
    for (int i = 1; i < 1000; i++) {
        snprintf(row, sizeof row, "%d|%d|x", i, i);
        send_insert(&ing, T, row);
    }
    ck_assert_int_eq(reseeded, 0);
    send_commit(&ing, 1000);
    ck_assert_int_eq(reseeded, 1);
    ck_assert_uint_eq(store_rows(l->store), 1000); /* the store went on */
    ck_assert(ingest_step_bytes(&ing) < 20000);
    ck_assert_uint_eq(ing.step->ntxns, 2);
    expect_step("");
    send_begin(&ing, 701);
    send_delete(&ing, T, 'K', "5|~|~");
    send_commit(&ing, 1100);
    expect_step("-1:5|5|x");
}
END_TEST

START_TEST(folded_transactions)
{
    keyed(COLS);
    send_begin(&ing, 700);
    send_insert(&ing, T, "1|1|x");
    send_commit(&ing, 1000);
    send_begin(&ing, 701);
    send_commit(&ing, 1010); /* empty: progress only */
    send_begin(&ing, 702);
    send_update(&ing, T, 0, NULL, "1|2|x");
    send_commit(&ing, 1020);
    ck_assert_uint_eq(ing.step->ntxns, 3);
    ck_assert_uint_eq(ing.step->lsn, 1020);
    expect_step("+1:1|1|x -1:1|1|x +1:1|2|x");
    ck_assert_ptr_null(ing.step);
    ingest_alive(&ing, 1015);
    ck_assert_uint_eq(ing.position, 1020);
    ingest_alive(&ing, 1500);
    ck_assert_uint_eq(ing.position, 1500);
}
END_TEST

/* A keepalive inside a transaction says nothing of its commit. */
START_TEST(keepalive_inside_a_transaction)
{
    keyed(COLS);
    send_begin(&ing, 700);
    ingest_alive(&ing, 5000);
    ck_assert_uint_eq(ing.position, 0);
    send_commit(&ing, 1000);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    struct err err;
    struct buf b = {0};
    ck_assert(!ingest_message(&ing, "Q", 1, &err));
    ck_assert(!ingest_message(&ing, "", 0, &err));
    put8(&b, 'I'); /* a table never named, outside a transaction */
    put32(&b, T);
    put_tuple(&b, 'N', "1");
    ck_assert(!ingest_message(&ing, b.data, b.len, &err));
    buf_fini(&b);
    /* A row wider or narrower than its table. */
    keyed(COLS);
    send_begin(&ing, 700);
    send_insert(&ing, T, "1|2");
    ck_assert_int_eq(lost, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ingest");
    TCase *tc = tcase_create("ingest");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, changes_by_key);
    tcase_add_test(tc, only_needed_columns);
    tcase_add_test(tc, key_update_with_unchanged_toast);
    tcase_add_test(tc, null_and_empty);
    tcase_add_test(tc, index_identity);
    tcase_add_test(tc, full_identity_duplicates);
    tcase_add_test(tc, truncate_with_rows);
    tcase_add_test(tc, truncate_without_rows);
    tcase_add_test(tc, missing_row);
    tcase_add_test(tc, row_there_already);
    tcase_add_test(tc, relation_changes);
    tcase_add_test(tc, identity_changes);
    tcase_add_test(tc, bad_value);
    tcase_add_test(tc, too_large);
    tcase_add_test(tc, folded_transactions);
    tcase_add_test(tc, keepalive_inside_a_transaction);
    tcase_add_test(tc, nonsense_is_refused);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
