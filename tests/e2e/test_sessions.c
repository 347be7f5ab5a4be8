/*
 * The processes behind the daemon's sessions are ended, killed and stopped, one by one and all together:
 * a backend that is killed takes the whole server down with it, and up again under the same postmaster.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/waiting.h"

static PGconn *db;
static struct daemon_proc *d;
static struct client *c;
static const char *slot; /* the setting that the daemon is started with */

/* Every kind of session is in use by these. */
static const char *const kinds[] = {
    "SELECT k, count(*), sum(id) FROM mixed GROUP BY k",
    "SELECT id, thrice(k) FROM mixed WHERE id % 3 = 0",
    "SELECT max(id) FROM mixed WHERE now() > '2000-01-01'",
};
#define KINDS 3
static struct view *v[KINDS];

static void begin(void)
{
    const char *const sets[] = {slot, "postgres.reconnect_min=10ms", "postgres.reconnect_max=100ms",
                                "postgres.silence_timeout=500ms", NULL};
    db = cluster_connect(cluster);
    sql_run(db, "DROP TABLE IF EXISTS mixed; CREATE TABLE mixed(id bigserial PRIMARY KEY, k int);"
                "CREATE OR REPLACE FUNCTION thrice(int) RETURNS int LANGUAGE plpgsql IMMUTABLE "
                "AS 'BEGIN RETURN 3 * $1; END'");
    d = daemon_start(cluster->conninfo, sets, true);
    c = client_connect(d->port);
    c->timeout_ms = 40000;
    for (int i = 0; i < KINDS; i++) {
        char id[8];
        snprintf(id, sizeof id, "v%d", i);
        v[i] = client_live(c, id, kinds[i]);
    }
}

static void end(void)
{
    client_close(c);
    daemon_free(d);
    PQfinish(db);
}

static void write_rows(int i)
{
    sql_run(db,
            "INSERT INTO mixed(k) SELECT g %% 7 + %d FROM generate_series(1, 10) g;"
            "UPDATE mixed SET k = k + 1 WHERE id %% 11 = %d; DELETE FROM mixed WHERE id %% 23 = %d",
            i % 5, i % 11, i % 23);
}

static void all_must_be_right(void)
{
    sync_when_back(c);
    for (int i = 0; i < KINDS; i++) {
        view_must_equal(db, v[i], kinds[i]);
        ck_assert_uint_eq(v[i]->snapshots, 1);
        ck_assert_uint_eq(v[i]->resyncs, 0);
    }
}

START_TEST(each_is_terminated_at_some_moment)
{
    static const char *const names[] = {"replication", "analyst",  "tables",
                                        "watch",       "delegate", "rerun"};
    unsigned seed = harness_seed();
    for (int i = 0; i < 18; i++) {
        char id[16];
        write_rows(i);
        snprintf(id, sizeof id, "w%d", i);
        client_send(c, "QUERY %s SELECT count(*) + %d FROM mixed", id, i); /* analyst and tables */
        usleep(rand_r(&seed) % 10000);
        sql_run(db,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
                "'palimpsestd %s'",
                names[i % 6]);
        write_rows(i + 1);
        for (;;) { /* the answer, or 57P03 */
            char *line = client_read_line(c);
            ck_assert_ptr_nonnull(line);
            bool done = strstr(line, id) &&
                        (strncmp(line, "RELEASED", 8) == 0 || strncmp(line, "ERROR", 5) == 0);
            if (strstr(line, id) && strncmp(line, "SNAPSHOT", 8) == 0)
                free(client_read_line(c)); /* its row */
            if (!strstr(line, id) && client_apply(c, line))
                continue;
            free(line);
            if (done)
                break;
        }
    }
    all_must_be_right();
}
END_TEST

static void kill_one(const char *what)
{
    char *pid = sql_value(db, "SELECT pid FROM pg_stat_activity WHERE %s LIMIT 1", what);
    if (!pid)
        return;
    kill(atoi(pid), SIGKILL);
    free(pid);
    for (int i = 0; PQstatus(db) == CONNECTION_OK; i++) { /* the postmaster needs a moment */
        ck_assert_int_lt(i, 600);
        sql_state(db, "SELECT 1");
        usleep(10000);
    }
    PQfinish(db);
    for (int i = 0; PQping(cluster->conninfo) != PQPING_OK; i++) {
        ck_assert_int_lt(i, 600);
        usleep(20000);
    }
    db = cluster_connect(cluster);
    sql_run(db, "SET synchronous_commit = off");
}

/* With asynchronous commits, which a crash takes back though snapshots have shown them. */
START_TEST(a_backend_is_killed_and_all_with_it)
{
    static const char *const whom[] = {
        "application_name = 'palimpsestd tables'", "application_name = 'palimpsestd replication'",
        "backend_type = 'walwriter'", "backend_type = 'checkpointer'",
        "application_name = 'palimpsestd rerun'"};
    sql_run(db, "SET synchronous_commit = off");
    for (int i = 0; i < 3; i++) {
        char id[16], sql[100];
        write_rows(i);
        snprintf(id, sizeof id, "w%d", i);
        snprintf(sql, sizeof sql, "SELECT count(*), sum(k) FROM mixed WHERE id <> %d", -i);
        struct view *w = client_subscribe(c, id, sql);
        write_rows(i + 1);
        kill_one(whom[i]);
        write_rows(i + 2);
        client_wait_snapshot(c, w);
        all_must_be_right();
        if (w->has_snapshot)
            view_must_equal(db, w, sql);
    }
}
END_TEST

START_TEST(an_immediate_stop)
{
    write_rows(1);
    PQfinish(db);
    cluster_stop_at_once(cluster);
    cluster_run(cluster);
    db = cluster_connect(cluster);
    write_rows(2);
    all_must_be_right();
}
END_TEST

/* Stopped for longer than the daemon waits, and for less. */
START_TEST(a_walsender_stands_still)
{
    for (int i = 0; i < 4; i++) {
        char *pid = sql_value(db, "SELECT pid FROM pg_stat_replication");
        int silences = daemon_log_count(d, "Postgres has been silent");
        ck_assert_ptr_nonnull(pid);
        kill(atoi(pid), SIGSTOP);
        write_rows(i);
        if (i % 2)
            client_drain(c, 200);
        else
            while (daemon_log_count(d, "Postgres has been silent") == silences)
                usleep(10000);
        kill(atoi(pid), SIGCONT);
        write_rows(i + 1);
        all_must_be_right();
        free(pid);
        wait_for_sql(db, "SELECT count(*) = 1 FROM pg_stat_replication");
    }
}
END_TEST

/* All of it with a temporary slot and with a named one, with which a stream goes on. */
static void use_temporary(void)
{
    slot = "postgres.slot=";
    begin();
}

static void use_named(void)
{
    slot = "postgres.slot=own";
    begin();
}

static void add_tests(Suite *s, const char *name, SFun start)
{
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, start, end);
    tcase_add_test(t, each_is_terminated_at_some_moment);
    tcase_add_test(t, a_backend_is_killed_and_all_with_it);
    tcase_add_test(t, an_immediate_stop);
    tcase_add_test(t, a_walsender_stands_still);
    suite_add_tcase(s, t);
}

int main(void)
{
    static const char *const settings[] = {"wal_writer_delay = 10s", NULL};
    Suite *s = suite_create("sessions");
    add_tests(s, "temporary slot", use_temporary);
    add_tests(s, "named slot", use_named);
    SRunner *runner = srunner_create(s);
    cluster = cluster_start(settings);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    cluster_free(cluster);
    return failed ? 1 : 0;
}
