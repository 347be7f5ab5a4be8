/*
 * The main job, end to end: a live SELECT over TCP from a real Postgres, by the examples a user
 * would try first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

static PGconn *db;

static void connect_db(void)
{
    db = cluster_connect(cluster);
}

static void disconnect_db(void)
{
    PQfinish(db);
}

static struct client *new_client(void)
{
    return client_connect(daemon_under_test->port);
}

static void make_events(const char *name)
{
    sql_run(db,
            "CREATE TABLE %s(id bigint PRIMARY KEY, category_id int, value bigint);"
            "INSERT INTO %s SELECT g, g %% 10, g FROM generate_series(1, 100) g",
            name, name);
}

START_TEST(initial_rows_then_retract_and_assert_when_a_row_joins_a_group)
{
    const char *sql = "SELECT category_id, count(*) AS n FROM joins_group GROUP BY category_id";
    make_events("joins_group");
    struct client *c = new_client();
    struct view *v = client_live(c, "top", sql);
    view_must_equal(db, v, sql);
    ck_assert_ptr_nonnull(strstr(v->accepted, "\"mode\":\"incremental\""));
    ck_assert_ptr_nonnull(strstr(v->accepted,
                                 "\"columns\":[{\"name\":\"category_id\",\"type\":\"integer\"},"
                                 "{\"name\":\"n\",\"type\":\"bigint\"}]"));
    sql_run(db, "INSERT INTO joins_group VALUES (1001, 7, 5)");
    client_wait_deltas(c, v, 1);
    ck_assert_str_eq(buf_cstr(&v->last_block), "- [7,10]\n+ [7,11]\n");
    view_must_equal(db, v, sql);
    client_close(c);
}
END_TEST

START_TEST(two_rows_of_one_commit_make_one_delta_at_one_lsn)
{
    const char *sql = "SELECT id, value FROM one_delta";
    make_events("one_delta");
    struct client *c = new_client();
    struct view *v = client_live(c, "all", sql);
    sql_run(db, "BEGIN; INSERT INTO one_delta VALUES (1001, 1, 1);"
                "INSERT INTO one_delta VALUES (1002, 1, 2); COMMIT");
    client_sync(c);
    ck_assert_uint_eq(v->deltas, 1);
    ck_assert_uint_eq(v->last_asserts, 2);
    ck_assert_uint_eq(v->last_retracts, 0);
    view_must_equal(db, v, sql);
    client_close(c);
}
END_TEST

START_TEST(a_commit_that_changes_nothing_sends_nothing)
{
    make_events("nothing");
    struct client *c = new_client();
    struct view *v = client_live(c, "v", "SELECT count(*) FROM nothing WHERE value > 50");
    sql_run(db, "UPDATE nothing SET value = value + 1 WHERE id = 3");
    sql_run(db, "BEGIN; INSERT INTO nothing VALUES (2000, 1, 99); DELETE FROM nothing WHERE id = "
                "2000; COMMIT");
    sql_run(db, "BEGIN; DELETE FROM nothing WHERE id > 50; ROLLBACK");
    client_sync(c);
    ck_assert_uint_eq(v->deltas, 0);
    client_close(c);
}
END_TEST

START_TEST(a_late_joiner_gets_the_view_after_the_last_delta_and_the_next_one_like_everyone)
{
    const char *sql = "SELECT category_id, sum(value) AS total FROM late GROUP BY category_id";
    make_events("late");
    struct client *early = new_client(), *late = new_client();
    struct view *v1 = client_live(early, "a", sql);
    sql_run(db, "UPDATE late SET value = value * 2 WHERE category_id = 3");
    client_wait_deltas(early, v1, 1);
    struct view *v2 = client_live(late, "b", sql);
    ck_assert_uint_ge(v2->lsn, v1->lsn);
    view_must_equal(db, v2, sql);
    sql_run(db, "DELETE FROM late WHERE id = 44");
    client_wait_deltas(early, v1, 2);
    client_wait_deltas(late, v2, 1);
    ck_assert_uint_eq(v1->lsn, v2->lsn);
    ck_assert_str_eq(buf_cstr(&v1->last_block), buf_cstr(&v2->last_block));
    view_must_equal(db, v2, sql);
    client_close(early);
    client_close(late);
}
END_TEST

static int count_plans(struct client *c, const char *needle)
{
    client_send(c, "LIST");
    char *line = client_expect_prefix(c, "PLANS ");
    int n = atoi(line + 6), found = 0;
    free(line);
    for (int i = 0; i < n; i++) {
        line = client_read_line(c);
        ck_assert_ptr_nonnull(line);
        found += strstr(line, needle) != NULL;
        free(line);
    }
    return found;
}

START_TEST(releasing_one_of_two_subscribers_keeps_the_plan_and_the_last_drops_it)
{
    make_events("shared_plan");
    struct client *a = new_client(), *b = new_client(), *watcher = new_client();
    struct view *va = client_live(a, "a", "SELECT count(*) FROM shared_plan");
    struct view *vb = client_live(b, "b", "select  count( * )  from shared_plan AS s");
    ck_assert_int_eq(strncmp(va->accepted, vb->accepted, 26), 0);
    ck_assert_int_eq(count_plans(watcher, "shared_plan"), 1);
    client_send(a, "RELEASE a");
    while (!va->released) {
        char *line = client_read_line(a);
        ck_assert(client_apply(a, line));
    }
    ck_assert_int_eq(count_plans(watcher, "shared_plan"), 1);
    sql_run(db, "INSERT INTO shared_plan VALUES (1001, 1, 1)");
    client_wait_deltas(b, vb, 1);
    client_close(b); /* the end of the last connection frees it too */
    for (int i = 0; i < 200 && count_plans(watcher, "shared_plan"); i++)
        usleep(20000);
    ck_assert_int_eq(count_plans(watcher, "shared_plan"), 0);
    client_sync(a);
    client_close(a);
    client_close(watcher);
}
END_TEST

START_TEST(racing_subscribers_of_one_statement_end_up_with_one_plan)
{
    enum {
        N = 20
    };
    struct client *c[N];
    struct view *v[N];
    make_events("race");
    for (int i = 0; i < N; i++)
        c[i] = new_client();
    for (int i = 0; i < N; i++)
        v[i] = client_subscribe(c[i], "r", "SELECT max(value), min(value) FROM race");
    for (int i = 0; i < N; i++)
        client_wait_snapshot(c[i], v[i]);
    ck_assert_int_eq(count_plans(c[0], "race"), 1);
    sql_run(db, "INSERT INTO race VALUES (1001, 1, 1000000)");
    for (int i = 0; i < N; i++) {
        client_wait_deltas(c[i], v[i], 1);
        ck_assert_str_eq(buf_cstr(&v[i]->last_block), "- [100,1]\n+ [1000000,1]\n");
        client_close(c[i]);
    }
}
END_TEST

START_TEST(the_headline_query_stays_in_order_and_right)
{
    const char *sql =
        "WITH per_category AS (SELECT category_id, COUNT(*) AS n, SUM(value) AS total FROM "
        "headline "
        "GROUP BY category_id) SELECT category_id, n, total FROM per_category ORDER BY total DESC "
        "LIMIT 8";
    make_events("headline");
    struct client *c = new_client();
    struct view *v = client_live(c, "top", sql);
    char *want = judge_text_ordered(db, sql, v->ncols);
    ck_assert_str_eq(buf_cstr(&v->ordered), want);
    free(want);
    ck_assert_ptr_nonnull(strstr(v->accepted, "\"order\":[{\"column\":\"total\",\"desc\":true,"
                                              "\"nulls_first\":true}]"));
    for (int i = 0; i < 30; i++) {
        sql_run(db, "UPDATE headline SET value = value + %d WHERE category_id = %d", i * 7, i % 10);
        client_sync(c);
        view_must_equal(db, v, sql);
    }
    client_close(c);
}
END_TEST

START_TEST(parameters_are_read_as_postgres_reads_them)
{
    make_events("params");
    struct client *c = new_client();
    struct view *v = client_subscribe_json(
        c, "p", "SELECT id FROM params WHERE category_id = $1 AND value < $2 ORDER BY id",
        "[7, \"50\"]");
    client_wait_snapshot(c, v);
    ck_assert_ptr_null(v->error);
    ck_assert_str_eq(buf_cstr(&v->ordered), "[7]\n[17]\n[27]\n[37]\n[47]\n");
    struct view *w = client_subscribe_json(
        c, "q", "SELECT id FROM params WHERE category_id = $1 AND value < $2 ORDER BY id",
        "[8, 20]");
    client_wait_snapshot(c, w);
    ck_assert_str_eq(buf_cstr(&w->ordered), "[8]\n[18]\n");
    client_close(c);
}
END_TEST

START_TEST(query_answers_once_and_keeps_nothing)
{
    make_events("once");
    struct client *c = new_client();
    client_send(c, "QUERY q SELECT count(*), sum(value) FROM once");
    char *line = client_expect_prefix(c, "ACCEPTED q ");
    free(line);
    line = client_expect_prefix(c, "SNAPSHOT q ");
    free(line);
    line = client_read_line(c);
    ck_assert_str_eq(line, "+ [100,5050]");
    free(line);
    line = client_expect_prefix(c, "RELEASED q");
    free(line);
    for (int i = 0; i < 200 && count_plans(c, "once"); i++)
        usleep(20000);
    ck_assert_int_eq(count_plans(c, "once"), 0);
    client_close(c);
}
END_TEST

START_TEST(an_error_in_a_row_fails_the_plan_until_the_row_goes)
{
    make_events("erring");
    struct client *c = new_client();
    struct view *v =
        client_live(c, "d", "SELECT id, 1000 / value FROM erring WHERE category_id = 1");
    sql_run(db, "INSERT INTO erring VALUES (1001, 1, 0)");
    while (!v->failed) {
        char *line = client_read_line(c);
        ck_assert(client_apply(c, line));
    }
    ck_assert_ptr_nonnull(strstr(v->error, "22012"));
    sql_run(db, "UPDATE erring SET value = 77 WHERE id = 11");
    client_sync(c);
    ck_assert_uint_eq(v->deltas, 0);
    sql_run(db, "DELETE FROM erring WHERE id = 1001");
    client_wait_deltas(c, v, 1);
    view_must_equal(db, v, "SELECT id, 1000 / value FROM erring WHERE category_id = 1");
    client_close(c);
}
END_TEST

/* By number the columns stay what they are, by name they change places: what was planned before isn't
 * what the same tree means after. */
START_TEST(columns_that_swap_names_are_other_columns_to_later_subscribers)
{
    sql_run(db, "CREATE TABLE swaps(id int PRIMARY KEY, a int, b int)");
    sql_run(db, "INSERT INTO swaps VALUES (1, 10, 20)");
    struct client *early = new_client(), *late = new_client();
    struct view *v1 = client_live(early, "a", "SELECT a FROM swaps");
    sql_run(db, "BEGIN; ALTER TABLE swaps RENAME a TO c; ALTER TABLE swaps RENAME b TO a;"
                "ALTER TABLE swaps RENAME c TO b; COMMIT");
    client_wait_deltas(early, v1, 1);
    view_must_equal(db, v1, "SELECT a FROM swaps");
    struct view *v2 = client_live(late, "b", "SELECT b FROM swaps");
    view_must_equal(db, v2, "SELECT b FROM swaps");
    sql_run(db, "INSERT INTO swaps VALUES (2, 100, 200)");
    client_sync(early);
    client_sync(late);
    view_must_equal(db, v1, "SELECT a FROM swaps");
    view_must_equal(db, v2, "SELECT b FROM swaps");
    client_close(early);
    client_close(late);
}
END_TEST

START_TEST(a_dropped_column_ends_only_the_plans_that_read_it)
{
    sql_run(db, "CREATE TABLE narrows(id int PRIMARY KEY, a int, b int)");
    sql_run(db, "INSERT INTO narrows VALUES (1, 10, 20)");
    struct client *c = new_client();
    struct view *a = client_live(c, "a", "SELECT a FROM narrows"),
                *b = client_live(c, "b", "SELECT b FROM narrows");
    sql_run(db, "ALTER TABLE narrows DROP COLUMN b; INSERT INTO narrows VALUES (2, 11)");
    while (!b->released || a->deltas == 0)
        ck_assert(client_apply(c, client_read_line(c)));
    ck_assert_ptr_nonnull(strstr(b->error, "column \\\"b\\\""));
    view_must_equal(db, a, "SELECT a FROM narrows");
    client_close(c);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("main job");
    TCase *t = tcase_create("main job");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, connect_db, disconnect_db);
    tcase_add_test(t, initial_rows_then_retract_and_assert_when_a_row_joins_a_group);
    tcase_add_test(t, two_rows_of_one_commit_make_one_delta_at_one_lsn);
    tcase_add_test(t, a_commit_that_changes_nothing_sends_nothing);
    tcase_add_test(t,
                   a_late_joiner_gets_the_view_after_the_last_delta_and_the_next_one_like_everyone);
    tcase_add_test(t, releasing_one_of_two_subscribers_keeps_the_plan_and_the_last_drops_it);
    tcase_add_test(t, racing_subscribers_of_one_statement_end_up_with_one_plan);
    tcase_add_test(t, the_headline_query_stays_in_order_and_right);
    tcase_add_test(t, parameters_are_read_as_postgres_reads_them);
    tcase_add_test(t, query_answers_once_and_keeps_nothing);
    tcase_add_test(t, an_error_in_a_row_fails_the_plan_until_the_row_goes);
    tcase_add_test(t, columns_that_swap_names_are_other_columns_to_later_subscribers);
    tcase_add_test(t, a_dropped_column_ends_only_the_plans_that_read_it);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return harness_main(suite());
}
