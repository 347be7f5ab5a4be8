/*
 * Postgres goes away and comes back: clients stay connected, views are made current again, and what
 * changed in between arrives as an ordinary DELTA. And the daemon's own beginning and end: starting
 * without Postgres, stopping without a trace.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/waiting.h"

static PGconn *db;
static struct client *c;

static void begin(void)
{
    db = cluster_connect(cluster);
    c = client_connect(daemon_under_test->port);
    c->timeout_ms = 40000;
}

static void end(void)
{
    client_close(c);
    PQfinish(db);
}

static struct view *live(const char *id, const char *sql)
{
    return client_live(c, id, sql);
}

START_TEST(a_killed_walsender_is_a_delta_and_no_resync)
{
    const char *sql = "SELECT k, count(*) FROM killed GROUP BY k";
    sql_run(db, "CREATE TABLE killed(id bigserial PRIMARY KEY, k int);"
                "INSERT INTO killed(k) SELECT g %% 5 FROM generate_series(1, 100) g");
    struct view *v = live("v", sql);
    for (int round = 0; round < 3; round++) {
        sql_run(db,
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots; "
                "INSERT INTO killed(k) VALUES (1), (2), (%d)",
                round + 10);
        client_wait_deltas(c, v, v->deltas + 1);
        sync_when_back(c);
        view_must_equal(db, v, sql);
    }
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_uint_eq(v->resyncs, 0);
}
END_TEST

START_TEST(all_sessions_cut_while_writing)
{
    const char *sql = "SELECT k, sum(id) FROM cut GROUP BY k";
    sql_run(db, "CREATE TABLE cut(id bigserial PRIMARY KEY, k int)");
    struct view *v = live("v", sql);
    for (int i = 0; i < 40; i++) {
        sql_run(db,
                "INSERT INTO cut(k) SELECT g %% 5 FROM generate_series(1, 20) g;"
                "UPDATE cut SET k = k + 1 WHERE id %% 9 = %d",
                i % 9);
        if (i % 8 == 5)
            sql_run(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                        "application_name LIKE 'palimpsestd%%'");
        client_drain(c, 20);
    }
    sync_when_back(c);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->snapshots, 1);
}
END_TEST

START_TEST(a_restart_of_postgres_is_a_delta_too)
{
    const char *sql = "SELECT id, t FROM restarted";
    sql_run(db, "CREATE TABLE restarted(id int PRIMARY KEY, t text); INSERT INTO restarted VALUES "
                "(1, 'a'), (2, 'b')");
    struct view *v = live("v", sql);
    PQfinish(db);
    cluster_stop_fast(cluster);
    client_send(c, "QUERY q SELECT 1");
    char *line = client_expect_prefix(c, "ERROR q ");
    ck_assert_ptr_nonnull(strstr(line, "57P03"));
    free(line);
    cluster_run(cluster);
    db = cluster_connect(cluster);
    sql_run(db, "DELETE FROM restarted WHERE id = 1; INSERT INTO restarted VALUES (3, 'c')");
    client_wait_deltas(c, v, 1);
    sync_when_back(c);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->snapshots, 1);
}
END_TEST

START_TEST(rows_committed_asynchronously_and_lost_in_a_crash_are_not_kept)
{
    sql_run(db, "CREATE TABLE lost(id int PRIMARY KEY, a int); INSERT INTO lost VALUES (1, 1);"
                "CHECKPOINT");
    struct view *first = live("first", "SELECT id FROM lost");
    sql_run(db, "SET synchronous_commit = off");
    for (int i = 2; i < 40; i++)
        sql_run(db, "INSERT INTO lost VALUES (%d, %d)", i, i);
    /* Another column: the table is read in a snapshot that shows what is about to be lost. */
    struct view *v = client_subscribe(c, "v", "SELECT id, a FROM lost");
    while (!v->accepted) {
        char *line = client_read_line(c);
        if (!line || !client_apply(c, line) || v->error)
            die("not accepted: %s", v->error ? v->error : "?");
    }
    PQfinish(db);
    cluster_kill(cluster);
    cluster_run(cluster);
    db = cluster_connect(cluster);
    sync_when_back(c);
    view_must_equal(db, first, "SELECT id FROM lost");
    view_must_equal(db, v, "SELECT id, a FROM lost");
    sql_run(db, "INSERT INTO lost VALUES (100, 1), (101, 2)");
    sync_when_back(c);
    view_must_equal(db, v, "SELECT id, a FROM lost");
}
END_TEST

START_TEST(an_asynchronous_commit_is_pushed_by_sync)
{
    sql_run(db, "CREATE TABLE async(id int PRIMARY KEY); SET synchronous_commit = off");
    struct view *v = live("v", "SELECT count(*) FROM async");
    sql_run(db, "INSERT INTO async VALUES (1)");
    client_sync(c); /* well before wal_writer_delay, which is 10 s here */
    ck_assert_uint_eq(v->deltas, 1);
}
END_TEST

START_TEST(started_without_postgres_it_answers_and_keeps_trying)
{
    PQfinish(db);
    cluster_stop_fast(cluster);
    struct daemon_proc *d = daemon_start(cluster->conninfo, NULL, false);
    struct client *e = client_connect(d->port);
    client_send(e, "SUBSCRIBE a SELECT 1");
    char *line = client_expect_prefix(e, "ERROR a 57P03 ");
    free(line);
    client_send(e, "PING x");
    line = client_expect_prefix(e, "PONG x");
    free(line);
    cluster_run(cluster);
    db = cluster_connect(cluster);
    struct view *v = NULL;
    for (int i = 0; i < 200 && !(v && v->has_snapshot); i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i);
        usleep(50000);
        v = client_subscribe(e, id, "SELECT 42");
        client_wait_snapshot(e, v);
    }
    ck_assert(v->has_snapshot);
    client_close(e);
    daemon_free(d);
}
END_TEST

static int count_slots(void)
{
    char *n = sql_value(db, "SELECT count(*) FROM pg_replication_slots");
    int count = atoi(n);
    free(n);
    return count;
}

/* What a database consists of, except for what a table brings along. */
static char *count_catalog(void)
{
    return sql_value(db, "SELECT concat_ws('/', (SELECT count(*) FROM pg_namespace), "
                         "(SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_trigger), "
                         "(SELECT count(*) FROM pg_event_trigger), "
                         "(SELECT count(*) FROM pg_replication_slots))");
}

START_TEST(stopped_it_tells_clients_exits_0_and_leaves_nothing_behind)
{
    sync_when_back(c); /* the other daemon has its slot again */
    sql_run(db, "CREATE TABLE behind(id int PRIMARY KEY)");
    char *before = count_catalog();
    struct daemon_proc *d = daemon_start(cluster->conninfo, NULL, true);
    struct client *e = client_connect(d->port);
    struct view *v = client_subscribe(e, "v", "SELECT count(*) FROM behind");
    client_wait_snapshot(e, v);
    int status = daemon_stop(d);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    char *line = client_expect_prefix(e, "ERROR - 57P01 ");
    free(line);
    ck_assert_ptr_null(client_read_line(e));
    char *after = count_catalog();
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    client_close(e);
    daemon_free(d);
}
END_TEST

START_TEST(killed_it_leaves_no_slot)
{
    sync_when_back(c);
    struct daemon_proc *d = daemon_start(cluster->conninfo, NULL, true);
    daemon_kill(d);
    for (int i = 0; i < 100; i++) {
        if (count_slots() == 1)
            break;
        usleep(50000);
    }
    ck_assert_int_eq(count_slots(), 1);
    daemon_free(d);
}
END_TEST

/* The old server lives on, and with it the sessions that read tables and the catalog. They must not
 * go on asking it. */
START_TEST(another_server_takes_over)
{
    char link[200], conninfo[300];
    struct cluster *other = cluster_start(harness_pg_settings);
    PGconn *theirs = cluster_connect(other);
    snprintf(link, sizeof link, "%s.link", cluster->dir);
    snprintf(conninfo, sizeof conninfo, "host=%s user=postgres dbname=postgres", link);
    ck_assert_int_eq(symlink(cluster->dir, link), 0);
    sql_run(db, "CREATE TABLE moved(id int PRIMARY KEY); INSERT INTO moved VALUES (1)");
    sql_run(theirs, "CREATE TABLE moved(id int PRIMARY KEY); INSERT INTO moved VALUES (2)");
    struct daemon_proc *d = daemon_start(conninfo, NULL, true);
    struct client *e = client_connect(d->port);
    struct view *v = client_subscribe(e, "v", "SELECT id FROM moved");
    client_wait_snapshot(e, v);
    view_must_equal(db, v, "SELECT id FROM moved");
    client_send(e, "PROGRESS each");
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink(other->dir, link), 0);
    sql_run(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    /* Another history: what was sent means nothing there. */
    for (int i = 0; i < 100 && v->snapshots < 2; i++)
        client_drain(e, 100);
    ck_assert_uint_eq(v->resyncs, 1);
    ck_assert_str_eq(v->reason, "timeline");
    view_must_equal(theirs, v, "SELECT id FROM moved");
    struct view *w = client_subscribe(e, "w", "SELECT id FROM moved");
    client_wait_snapshot(e, w);
    view_must_equal(theirs, w, "SELECT id FROM moved");
    sql_run(theirs, "INSERT INTO moved VALUES (3)"); /* their LSNs are far behind */
    char *progress = client_expect_prefix(e, "PROGRESS ");
    free(progress);
    view_must_equal(theirs, w, "SELECT id FROM moved");
    client_close(e);
    daemon_free(d);
    unlink(link);
    PQfinish(theirs);
    cluster_free(other);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("away");
    TCase *t = tcase_create("away");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_killed_walsender_is_a_delta_and_no_resync);
    tcase_add_test(t, all_sessions_cut_while_writing);
    tcase_add_test(t, an_asynchronous_commit_is_pushed_by_sync);
    tcase_add_test(t, a_restart_of_postgres_is_a_delta_too);
    tcase_add_test(t, rows_committed_asynchronously_and_lost_in_a_crash_are_not_kept);
    tcase_add_test(t, started_without_postgres_it_answers_and_keeps_trying);
    tcase_add_test(t, stopped_it_tells_clients_exits_0_and_leaves_nothing_behind);
    tcase_add_test(t, killed_it_leaves_no_slot);
    tcase_add_test(t, another_server_takes_over);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const settings[] = {"wal_writer_delay = 10s", NULL};
    harness_pg_settings = settings;
    harness_in_one_process = true;
    return harness_main(suite());
}
