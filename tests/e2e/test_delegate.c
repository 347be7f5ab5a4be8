/*
 * Functions that Postgres computes for a running plan, while the session for that is lost, Postgres
 * is restarted in the middle of a question, or doesn't answer in time: never a wrong row, never a
 * FAILED, and the other plans go on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

#define SESSION "application_name = 'palimpsestd delegate'"

static PGconn *db;
static struct client *c;

/* slow() takes as many milliseconds as its argument says behind the colon. */
static void begin(void)
{
    db = cluster_connect(cluster);
    c = client_connect(daemon_under_test->port);
    c->timeout_ms = 40000;
    sql_run(db,
            "CREATE OR REPLACE FUNCTION slow(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
            "$$BEGIN PERFORM pg_sleep(split_part(t, ':', 2)::float8 / 1000); RETURN "
            "upper(t); END$$");
}

static void end(void)
{
    client_close(c);
    PQfinish(db);
}

static bool is_asking(void)
{
    char *n = sql_value(db, "SELECT count(*) FROM pg_stat_activity WHERE " SESSION
                            " AND state = 'active' AND query LIKE '%%slow%%'");
    bool asking = strcmp(n, "0") != 0;
    free(n);
    return asking;
}

static void wait_until_asking(void)
{
    for (int i = 0; i < 500 && !is_asking(); i++)
        usleep(10000);
}

static void sync_when_back(void)
{
    for (int i = 0; i < 400; i++) {
        client_send(c, "SYNC");
        char *line = client_read_line(c);
        while (line && client_apply(c, line))
            line = client_read_line(c);
        if (!line)
            die("the client was disconnected");
        bool synced = strncmp(line, "SYNCED", 6) == 0;
        free(line);
        if (synced)
            return;
        usleep(50000);
    }
    die("the daemon did not come back");
}

static void must_be_unharmed(struct view *v, const char *sql)
{
    sync_when_back();
    view_must_equal(db, v, sql);
    ck_assert(!v->error);
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_uint_eq(v->resyncs, 0);
}

START_TEST(a_session_lost_while_idle_is_not_noticed)
{
    const char *sql = "SELECT id, slow(t) AS s FROM idle";
    sql_run(db,
            "CREATE TABLE idle(id int PRIMARY KEY, t text); INSERT INTO idle VALUES (1, 'a:0')");
    struct view *v = client_live(c, "v", sql);
    for (int i = 2; i < 5; i++) {
        sql_run(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " SESSION);
        sql_run(db, "INSERT INTO idle VALUES (%d, 'b%d:0')", i, i);
        client_wait_deltas(c, v, v->deltas + 1);
    }
    must_be_unharmed(v, sql);
}
END_TEST

START_TEST(a_session_lost_in_a_question_is_made_good)
{
    const char *sql = "SELECT slow(t) AS s, count(*) AS n FROM lost GROUP BY slow(t)";
    const char *other = "SELECT count(*) FROM lost";
    sql_run(db,
            "CREATE TABLE lost(id int PRIMARY KEY, t text); INSERT INTO lost VALUES (1, 'a:0')");
    struct view *v = client_live(c, "v", sql), *w = client_live(c, "w", other);
    sql_run(db, "INSERT INTO lost VALUES (2, 'b:700'), (3, 'a:0')");
    wait_until_asking();
    for (int i = 0; i < 15; i++) {
        sql_run(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " SESSION);
        if (i == 8)
            sql_run(db, "DELETE FROM lost WHERE id = 1; INSERT INTO lost VALUES (4, 'c:0')");
        client_drain(c, 100);
    }
    must_be_unharmed(v, sql);
    must_be_unharmed(w, other);
}
END_TEST

START_TEST(a_restart_of_postgres_in_a_question)
{
    const char *sql = "SELECT id, slow(t) AS s FROM again WHERE slow(t) <> 'x'";
    sql_run(db,
            "CREATE TABLE again(id int PRIMARY KEY, t text); INSERT INTO again VALUES (1, 'a:0')");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "INSERT INTO again VALUES (2, 'b:900'), (3, 'c:0')");
    wait_until_asking();
    PQfinish(db);
    cluster_stop_fast(cluster);
    usleep(500000);
    cluster_run(cluster);
    db = cluster_connect(cluster);
    sql_run(db, "UPDATE again SET t = 'd:0' WHERE id = 1");
    must_be_unharmed(v, sql);
}
END_TEST

/* One row that takes longer than postgres.delegate_timeout, whatever is done. */
START_TEST(a_question_that_takes_too_long_stops_no_other_plan)
{
    const char *sql = "SELECT id, slow(t) AS s FROM stuck", *other = "SELECT max(id) FROM stuck";
    sql_run(db,
            "CREATE TABLE stuck(id int PRIMARY KEY, t text); INSERT INTO stuck VALUES (1, 'a:0')");
    struct view *v = client_live(c, "v", sql), *w = client_live(c, "w", other);
    sql_run(db, "INSERT INTO stuck VALUES (2, 'b:20000')");
    for (int i = 3; i < 8; i++) {
        sql_run(db, "INSERT INTO stuck VALUES (%d, 'c:0')", i);
        client_wait_deltas(c, w, w->deltas + 1);
    }
    ck_assert(!v->error);
    sql_run(db, "DELETE FROM stuck WHERE id = 2");
    must_be_unharmed(v, sql);
    must_be_unharmed(w, other);
}
END_TEST

/* As with a view. What was answered by the old definition is not what is shown after. */
START_TEST(a_function_that_is_redefined_changes_the_views)
{
    const char *sql = "SELECT id, mark(t) AS m FROM marked";
    sql_run(db, "CREATE FUNCTION mark(t text) RETURNS text IMMUTABLE LANGUAGE sql AS "
                "$$SELECT $1 || '!'$$; CREATE TABLE marked(id int PRIMARY KEY, t text);"
                "INSERT INTO marked VALUES (1, 'a'), (2, 'b')");
    struct view *v = client_live(c, "v", sql);
    view_must_equal(db, v, sql);
    sql_run(db, "CREATE OR REPLACE FUNCTION mark(t text) RETURNS text IMMUTABLE LANGUAGE sql AS "
                "$$SELECT $1 || '?'$$");
    client_wait_deltas(c, v, 1);
    view_must_equal(db, v, sql);
    struct view *w = client_live(c, "w", sql);
    view_must_equal(db, w, sql);
}
END_TEST

/* Each of the rows fails on its own; all are told apart in a few questions. */
/* As when the role calls them itself: its own search path, in either mode. */
START_TEST(functions_that_leave_names_unqualified)
{
    const char *sql = "SELECT id, outer_f(x) AS y, mood_f(x) AS m FROM paths";
    const char *timed = "SELECT id, outer_f(x) AS y, now() > '2020-01-01' AS z FROM paths";
    sql_run(db, "CREATE TABLE paths(id int PRIMARY KEY, x int); INSERT INTO paths VALUES (1, 5);"
                "CREATE TYPE mood AS ENUM ('low', 'high');"
                "CREATE FUNCTION inner_f(i int) RETURNS int IMMUTABLE LANGUAGE sql AS "
                "'SELECT i * 2';"
                "CREATE FUNCTION outer_f(i int) RETURNS int IMMUTABLE LANGUAGE sql AS "
                "'SELECT inner_f(i) + 1';"
                "CREATE FUNCTION mood_f(i int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
                "$$DECLARE m mood := CASE WHEN i > 5 THEN 'high' ELSE 'low' END;"
                "BEGIN RETURN m::text; END$$");
    struct view *v = client_live(c, "v", sql), *w = client_live(c, "w", timed);
    sql_run(db, "INSERT INTO paths VALUES (2, 7); UPDATE paths SET x = 6 WHERE id = 1");
    client_sync(c);
    view_must_equal(db, v, sql);
    view_must_equal(db, w, timed);
}
END_TEST

START_TEST(many_rows_that_fail_and_get_well)
{
    const char *sql = "SELECT id, t::macaddr AS m FROM bad";
    sql_run(db,
            "CREATE TABLE bad(id int PRIMARY KEY, t text); INSERT INTO bad SELECT g, CASE WHEN g "
            "%% 3 = 0 THEN '08:00:2b:01:02:' || g %% 10 || '1' ELSE 'bad ' || g END FROM "
            "generate_series(1, 5000) g");
    struct view *v = client_subscribe(c, "v", sql);
    for (int i = 0; i < 100 && !v->failed; i++)
        client_drain(c, 100);
    ck_assert(v->failed);
    sql_run(db, "UPDATE bad SET t = '08:00:2b:01:02:03' WHERE id %% 3 = 1");
    sql_run(db, "DELETE FROM bad WHERE id %% 3 = 2");
    client_wait_snapshot(c, v);
    sync_when_back();
    view_must_equal(db, v, sql);
}
END_TEST

int main(void)
{
    static const char *const sets[] = {"postgres.delegate_timeout=1500ms",
                                       "postgres.reconnect_max=500ms", "engine.workers=1", NULL};
    harness_daemon_sets = sets;
    harness_in_one_process = true;
    Suite *s = suite_create("delegate");
    TCase *t = tcase_create("delegate");
    tcase_set_timeout(t, 90);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_session_lost_while_idle_is_not_noticed);
    tcase_add_test(t, a_session_lost_in_a_question_is_made_good);
    tcase_add_test(t, a_restart_of_postgres_in_a_question);
    tcase_add_test(t, a_function_that_is_redefined_changes_the_views);
    tcase_add_test(t, functions_that_leave_names_unqualified);
    tcase_add_test(t, many_rows_that_fail_and_get_well);
    tcase_add_test(t, a_question_that_takes_too_long_stops_no_other_plan);
    suite_add_tcase(s, t);
    return harness_main(s);
}
