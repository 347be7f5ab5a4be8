/*
 * Subscriptions that ask again: when it comes at a bad moment. DDL while a plan is being seeded, while
 * the stream is down, again and again; under a lock; for clients that are slow, that follow cuts, whose
 * view has failed; for many at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

static PGconn *db, *other;
static struct client *c;

static void begin(void)
{
    db = cluster_connect(cluster);
    other = cluster_connect(cluster);
    c = client_connect(daemon_under_test->port);
    c->timeout_ms = 40000;
}

static void end(void)
{
    client_close(c);
    PQfinish(other);
    PQfinish(db);
}

static void wait_until(const bool *done)
{
    for (int i = 0; i < 400 && !*done; i++)
        client_drain(c, 50);
    ck_assert(*done);
}

/* The table is published only once the writer has ended: until then the plan waits for its rows. */
START_TEST(columns_change_while_the_plan_is_seeded)
{
    const char *sql = "SELECT id, a FROM seeding";
    sql_run(db,
            "CREATE TABLE seeding(id int PRIMARY KEY, a int); INSERT INTO seeding VALUES (1, 1)");
    sql_run(other, "BEGIN; INSERT INTO seeding VALUES (2, 2)");
    struct view *v = client_subscribe(c, "v", sql);
    while (!v->accepted)
        client_drain(c, 10);
    sql_run(other, "ALTER TABLE seeding ALTER a TYPE text USING 'x' || a; COMMIT");
    client_wait_snapshot(c, v);
    client_sync(c);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->resyncs, 0); /* there was nothing to replace… */
    ck_assert_uint_eq(v->accepts, 2); /* …but columns that had been told */
    ck_assert_ptr_nonnull(strstr(v->accepted, "\"text\""));
}
END_TEST

START_TEST(a_column_goes_while_the_plan_is_seeded)
{
    sql_run(db, "CREATE TABLE going(id int PRIMARY KEY, a int); INSERT INTO going VALUES (1, 1)");
    sql_run(other, "BEGIN; INSERT INTO going VALUES (2, 2)");
    struct view *v = client_subscribe(c, "v", "SELECT id, a FROM going");
    while (!v->accepted)
        client_drain(c, 10);
    sql_run(other, "ALTER TABLE going DROP COLUMN a; COMMIT");
    wait_until(&v->released);
    ck_assert_ptr_nonnull(strstr(v->error, "column \\\"a\\\" does not exist"));
}
END_TEST

START_TEST(columns_change_while_the_stream_is_down)
{
    sql_run(db, "CREATE TABLE down(id int PRIMARY KEY, a int, b int);"
                "INSERT INTO down VALUES (1, 1, 1), (2, 2, 2)");
    struct view *same = client_live(c, "same", "SELECT id, a FROM down"),
                *gone = client_live(c, "gone", "SELECT id, b FROM down"),
                *wide = client_live(c, "wide", "SELECT * FROM down");
    sql_run(db,
            "BEGIN; ALTER TABLE down DROP COLUMN b; ALTER TABLE down ALTER a TYPE int USING a + 1;"
            "SELECT pg_terminate_backend(pid) FROM pg_stat_replication; COMMIT;"
            "INSERT INTO down VALUES (3, 3)");
    wait_until(&gone->released);
    ck_assert_ptr_nonnull(strstr(gone->error, "42703"));
    while (wide->snapshots < 2 || same->rows.total < 3)
        client_drain(c, 20);
    client_sync(c);
    view_must_equal(db, same, "SELECT id, a FROM down");
    view_must_equal(db, wide, "SELECT * FROM down");
    ck_assert_uint_eq(same->snapshots, 1);
    ck_assert_uint_eq(wide->accepts, 2);
}
END_TEST

/* Nothing is written in between: LSNs grow all the same, and each difference begins at the last one. */
/* The table is asked for on behalf of all at once, of whom some are of before and some of after. */
START_TEST(a_column_of_several_plans_gets_another_type)
{
    const char *sqls[] = {"SELECT id, s FROM several", "SELECT count(*) AS n FROM several",
                          "SELECT s, count(*) AS n FROM several GROUP BY s"};
    struct view *v[3];
    sql_run(db, "CREATE TABLE several(id int PRIMARY KEY, s text, v int);"
                "INSERT INTO several SELECT i, i, i FROM generate_series(1, 5) i");
    for (int i = 0; i < 3; i++)
        v[i] = client_live(c, (const char *[]){"x", "y", "z"}[i], sqls[i]);
    for (int round = 0; round < 4; round++) {
        sql_run(db, round % 2 ? "ALTER TABLE several ALTER s TYPE text USING s::text"
                              : "ALTER TABLE several ALTER s TYPE int USING s::int * 2");
        client_sync(c);
        sql_run(db, "UPDATE several SET v = v + 1; DELETE FROM several WHERE id = %d", round + 1);
        client_sync(c);
        for (int i = 0; i < 3; i++) {
            ck_assert_msg(!v[i]->error, "%s", v[i]->error);
            view_must_equal(db, v[i], sqls[i]);
        }
    }
    ck_assert_uint_eq(v[1]->resyncs, 0);
}
END_TEST

START_TEST(a_row_as_a_whole_gets_a_column)
{
    const char *sql = "SELECT row_to_json(t) AS j FROM wider t",
               *other_sql = "SELECT id FROM wider";
    sql_run(db, "CREATE TABLE wider(id int PRIMARY KEY, s text);"
                "INSERT INTO wider VALUES (1, 'a'), (2, 'b')");
    struct view *v = client_live(c, "v", sql), *w = client_live(c, "w", other_sql);
    sql_run(db, "ALTER TABLE wider ADD COLUMN z int DEFAULT 7");
    client_sync(c);
    view_must_equal(db, v, sql);
    sql_run(db, "UPDATE wider SET s = s || z");
    client_sync(c);
    view_must_equal(db, v, sql);
    view_must_equal(db, w, other_sql);
    ck_assert(!v->failed);
    ck_assert_uint_eq(v->resyncs, 0);
    ck_assert_uint_eq(w->deltas, 0);
}
END_TEST

START_TEST(a_view_redefined_again_and_again)
{
    const char *sql = "SELECT id, n FROM again_view";
    sql_run(db, "CREATE TABLE again(id int PRIMARY KEY, n int);"
                "INSERT INTO again SELECT g, g FROM generate_series(1, 50) g;"
                "CREATE VIEW again_view AS SELECT id, n FROM again");
    struct view *v = client_live(c, "v", sql);
    for (unsigned i = 1; i <= 6; i++) {
        sql_run(db, "CREATE OR REPLACE VIEW again_view AS SELECT id, n + %u AS n FROM again", i);
        client_sync(c);
        view_must_equal(db, v, sql);
        ck_assert_uint_eq(v->deltas, i);
    }
    ck_assert_uint_eq(v->snapshots, 1);
    sql_run(db, "CREATE OR REPLACE VIEW again_view AS SELECT id, n + 6 + 0 AS n FROM again");
    client_sync(c);
    ck_assert_uint_eq(v->deltas, 6); /* another definition, the same rows */
    sql_run(db, "UPDATE again SET n = 0 WHERE id < 5");
    client_sync(c);
    view_must_equal(db, v, sql);
}
END_TEST

START_TEST(a_table_is_locked_when_its_statement_is_asked_again)
{
    const char *sql = "SELECT id FROM shut_view";
    sql_run(db, "CREATE TABLE shut(id int PRIMARY KEY); INSERT INTO shut VALUES (1), (2);"
                "CREATE VIEW shut_view AS SELECT id FROM shut");
    struct view *v = client_live(c, "v", sql);
    sql_run(other, "CREATE OR REPLACE VIEW shut_view AS SELECT id FROM shut WHERE id > 1");
    sql_run(other, "BEGIN; LOCK TABLE shut IN ACCESS EXCLUSIVE MODE");
    client_drain(c, 2500);
    ck_assert(!v->released);
    sql_run(other, "COMMIT");
    client_wait_deltas(c, v, 1);
    client_sync(c);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->snapshots, 1);
}
END_TEST

START_TEST(a_failed_view_is_redefined)
{
    const char *sql = "SELECT id, q FROM failing_view";
    sql_run(db,
            "CREATE TABLE failing(id int PRIMARY KEY, d int); INSERT INTO failing VALUES (1, 1);"
            "CREATE VIEW failing_view AS SELECT id, 10 / d AS q FROM failing");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "INSERT INTO failing VALUES (2, 0)");
    wait_until(&v->failed);
    sql_run(
        db,
        "CREATE OR REPLACE VIEW failing_view AS SELECT id, 10 / d AS q FROM failing WHERE d > 0");
    client_wait_deltas(c, v, 1);
    ck_assert(!v->failed);
    view_must_equal(db, v, sql); /* the rows are those of before it failed, and it is said */
    ck_assert_uint_eq(v->last_asserts + v->last_retracts, 0);
    sql_run(db, "CREATE OR REPLACE VIEW failing_view AS SELECT id, 1 / d AS q FROM failing");
    for (int i = 0; i < 400 && !v->failed; i++)
        client_drain(c, 50);
    ck_assert(v->failed);
    sql_run(db, "DELETE FROM failing WHERE d = 0");
    client_sync(c);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->snapshots, 1);
}
END_TEST

/* Equal statements and different ones, on connections that follow cuts and on one that doesn't. */
START_TEST(many_subscriptions_ask_at_once)
{
    enum {
        EACH = 60
    };
    const char *sql = "SELECT id, n FROM crowd_view WHERE n > $1";
    struct client *cuts = client_connect(daemon_under_test->port);
    sql_run(db, "CREATE TABLE crowd(id int PRIMARY KEY, n int);"
                "INSERT INTO crowd SELECT g, g FROM generate_series(1, 30) g;"
                "CREATE VIEW crowd_view AS SELECT id, n FROM crowd");
    struct view *plain[EACH], *cut[EACH];
    cuts->timeout_ms = 40000;
    for (int i = 0; i < EACH; i++) {
        char id[16], params[16];
        snprintf(id, sizeof id, "v%d", i);
        snprintf(params, sizeof params, "[%d]", i % 3 * 10);
        plain[i] = client_subscribe_json(c, id, sql, params);
        cut[i] = client_subscribe_json(cuts, id, sql, params);
    }
    for (int i = 0; i < EACH; i++) {
        client_wait_snapshot(c, plain[i]);
        client_wait_snapshot(cuts, cut[i]);
    }
    client_send(cuts, "PROGRESS each");
    sql_run(db, "UPDATE crowd SET n = n + 1 WHERE id = 7;"
                "CREATE OR REPLACE VIEW crowd_view AS SELECT id, n * 2 AS n FROM crowd;"
                "UPDATE crowd SET n = n + 1 WHERE id = 8");
    client_sync(c);
    client_sync(cuts);
    for (int i = 0; i < EACH; i++) {
        struct view *both[] = {plain[i], cut[i]};
        char bound[80];
        snprintf(bound, sizeof bound, "SELECT id, n FROM crowd_view WHERE n > %d", i % 3 * 10);
        for (int k = 0; k < 2; k++) {
            view_must_equal(db, both[k], bound);
            ck_assert_uint_eq(both[k]->snapshots, 1);
            ck_assert_uint_eq(both[k]->resyncs, 0);
        }
    }
    unsigned stated = cuts->nprogress;
    sql_run(db, "UPDATE crowd SET n = n + 100");
    while (cuts->nprogress == stated)
        client_drain(cuts, 10);
    client_close(cuts);
}
END_TEST

/* Its connection takes nothing while the schema changes; what it holds then is not certain. */
START_TEST(a_slow_reader_when_the_schema_changes)
{
    const char *sql = "SELECT id, t FROM slow_view";
    static const char *const sets[] = {"limits.output_bytes=65536", NULL};
    struct daemon_proc *d = daemon_start(cluster->conninfo, sets, true);
    struct client *slow = client_connect(d->port), *fast = client_connect(d->port);
    slow->timeout_ms = fast->timeout_ms = 40000;
    sql_run(db, "CREATE TABLE slow(id int PRIMARY KEY, t text);"
                "INSERT INTO slow SELECT g, repeat('x', 1000) FROM generate_series(1, 500) g;"
                "CREATE VIEW slow_view AS SELECT id, t FROM slow");
    struct view *v = client_live(slow, "v", sql), *w = client_live(fast, "w", sql);
    for (int i = 0; i < 60; i++) {
        sql_run(db, "UPDATE slow SET t = repeat('%c', 1000)", 'a' + i % 26);
        client_sync(fast);
    }
    sql_run(db, "CREATE OR REPLACE VIEW slow_view AS SELECT id, t || '!' AS t FROM slow");
    client_sync(fast);
    view_must_equal(db, w, sql);
    ck_assert_uint_eq(w->snapshots, 1);
    client_sync(slow);
    view_must_equal(db, v, sql);
    sql_run(db, "DELETE FROM slow WHERE id > 10");
    client_sync(slow);
    view_must_equal(db, v, sql);
    client_close(slow);
    client_close(fast);
    daemon_free(d);
}
END_TEST

/* Nobody asks, nothing is written: the look at the catalog alone finds it. */
START_TEST(it_is_noticed_by_itself)
{
    const char *sql = "SELECT id, n FROM quiet_view";
    struct timespec from, to;
    sql_run(db, "CREATE TABLE quiet(id int PRIMARY KEY, n int); INSERT INTO quiet VALUES (1, 1);"
                "CREATE VIEW quiet_view AS SELECT id, n FROM quiet");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "CREATE OR REPLACE VIEW quiet_view AS SELECT id, n + 1 AS n FROM quiet");
    clock_gettime(CLOCK_MONOTONIC, &from);
    client_wait_deltas(c, v, 1);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("noticed after %.2f s\n", s);
    ck_assert(s < 5); /* a second, on a machine that isn't busy with something else */
    view_must_equal(db, v, sql);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reask");
    TCase *t = tcase_create("reask");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, columns_change_while_the_plan_is_seeded);
    tcase_add_test(t, a_column_goes_while_the_plan_is_seeded);
    tcase_add_test(t, columns_change_while_the_stream_is_down);
    tcase_add_test(t, a_column_of_several_plans_gets_another_type);
    tcase_add_test(t, a_row_as_a_whole_gets_a_column);
    tcase_add_test(t, a_view_redefined_again_and_again);
    tcase_add_test(t, a_table_is_locked_when_its_statement_is_asked_again);
    tcase_add_test(t, a_failed_view_is_redefined);
    tcase_add_test(t, many_subscriptions_ask_at_once);
    tcase_add_test(t, a_slow_reader_when_the_schema_changes);
    tcase_add_test(t, it_is_noticed_by_itself);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return harness_main(suite());
}
