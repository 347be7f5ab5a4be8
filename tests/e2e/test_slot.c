/*
 * The replication slot: named, dropped behind the daemon's back, held by another, by ourselves in an
 * earlier life, invalidated, not ours; and that it never keeps the server's disk from being cleaned.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/proxy.h"
#include "tests/e2e/waiting.h"

static PGconn *db;
static struct daemon_proc *d;
static struct client *c;
static struct view *v;

static const char view_sql[] = "SELECT id, a FROM kept";
static const char *const named[] = {"postgres.slot=own", "postgres.reconnect_min=20ms",
                                    "postgres.reconnect_max=50ms", NULL};

static void begin(void)
{
    db = cluster_connect(cluster);
    sql_run(db, "DROP TABLE IF EXISTS kept; CREATE TABLE kept(id serial PRIMARY KEY, a int);"
                "INSERT INTO kept(a) VALUES (0)");
}

static void end(void)
{
    if (c)
        client_close(c);
    if (d)
        daemon_free(d);
    c = NULL;
    d = NULL;
    char *slots = sql_value(db, "SELECT count(*) FROM pg_replication_slots");
    ck_assert_str_eq(slots, "0"); /* a clean stop drops it */
    free(slots);
    PQfinish(db);
}

static void follow(const char *conninfo)
{
    d = daemon_start(conninfo, named, true);
    c = client_connect(d->port);
    c->timeout_ms = 40000;
    v = client_live(c, "v", view_sql);
}

static void must_recover(void)
{
    unsigned deltas = v->deltas;
    sql_run(db, "INSERT INTO kept(a) VALUES (1)");
    client_wait_deltas(c, v, deltas + 1);
    sync_when_back(c);
    view_must_equal(db, v, view_sql);
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_uint_eq(v->resyncs, 0);
}

START_TEST(killed_the_next_one_takes_over)
{
    follow(cluster->conninfo);
    daemon_kill(d);
    client_close(c);
    daemon_free(d);
    sql_run(db, "INSERT INTO kept(a) VALUES (2)");
    char *slots =
        sql_value(db, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'own'");
    ck_assert_str_eq(slots, "1");
    free(slots);
    follow(cluster->conninfo);
    must_recover();
}
END_TEST

/* A connection that is lost costs nothing: no table is read again, no open transaction waited for. */
START_TEST(the_stream_goes_on)
{
    const char *late = "SELECT count(*), sum(a) FROM kept", *rerun = "SELECT max(id) FROM kept "
                                                                     "WHERE now() > '2000-01-01'";
    follow(cluster->conninfo);
    struct view *r = client_live(c, "r", rerun);
    int starts = daemon_log_count(d, "streaming from");
    PGconn *other = cluster_connect(cluster);
    sql_run(other, "BEGIN; INSERT INTO kept(a) VALUES (10)");
    sql_run(db, "BEGIN; INSERT INTO kept(a) VALUES (20); PREPARE TRANSACTION 'p'");
    for (int i = 0; i < 10; i++) {
        char id[8];
        snprintf(id, sizeof id, "w%d", i);
        struct view *w = client_subscribe(c, id, late); /* may be cut while it is made */
        sql_run(db, "INSERT INTO kept(a) VALUES (%d)", i);
        sql_run(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
        sql_run(db, "UPDATE kept SET a = a + 1 WHERE id %% 3 = %d", i % 3);
        client_wait_snapshot(c, w);
        must_recover();
        view_must_equal(db, w, late);
    }
    sql_run(db, "COMMIT PREPARED 'p'");
    sql_run(other, "COMMIT");
    must_recover();
    sync_when_back(c);
    view_must_equal(db, r, rerun);
    ck_assert_int_gt(daemon_log_count(d, "nothing was missed"), 5);
    ck_assert_int_eq(daemon_log_count(d, "streaming from"),
                     starts + daemon_log_count(d, "nothing was missed"));
    PQfinish(other);
}
END_TEST

/* Cut in the middle of one, it begins with that one, and tables are read again. */
START_TEST(the_stream_goes_on_from_the_beginning_of_a_transaction)
{
    struct proxy *net = proxy_start(cluster);
    follow(proxy_conninfo(net));
    PGconn *other = cluster_connect(cluster);
    sql_run(other, "BEGIN; INSERT INTO kept(a) VALUES (10)"); /* a new slot would wait for it */
    for (int i = 0; i < 3; i++) {
        unsigned deltas = v->deltas;
        proxy_set(net, "replication", PROXY_STALL, 20000 + 1000 * i);
        sql_run(db, "INSERT INTO kept(a) SELECT generate_series(1, 3000)");
        usleep(200000); /* the daemon has what got through */
        proxy_reset(net, "replication");
        proxy_set(net, "replication", PROXY_PASS, 0);
        client_wait_deltas(c, v, deltas + 1);
        sync_when_back(c);
        view_must_equal(db, v, view_sql);
        ck_assert_uint_eq(v->deltas, deltas + 1);
    }
    sql_run(other, "COMMIT");
    must_recover();
    ck_assert_int_eq(daemon_log_count(d, "nothing was missed"), 3);
    PQfinish(other);
    client_close(c);
    daemon_free(d);
    c = NULL;
    d = NULL;
    proxy_free(net);
}
END_TEST

START_TEST(dropped_behind_our_back)
{
    follow(cluster->conninfo);
    do
        sql_run(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
    while (*sql_state(db, "SELECT pg_drop_replication_slot('own')"));
    must_recover();
}
END_TEST

START_TEST(held_by_another)
{
    char conninfo[400];
    follow(cluster->conninfo);
    snprintf(conninfo, sizeof conninfo, "%s replication=database", cluster->conninfo);
    PGconn *other = PQconnectdb(conninfo);
    /* Between two of our attempts. */
    PGresult *res = NULL;
    do {
        PQclear(res);
        sql_run(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
        res = PQexec(other, "START_REPLICATION SLOT own LOGICAL 0/0 (proto_version '1', "
                            "publication_names 'palimpsest')");
    } while (PQresultStatus(res) != PGRES_COPY_BOTH);
    PQclear(res);
    wait_for_status(d->port, "replication slot own is in use by process");
    wait_for_status(d->port, "Is another palimpsestd at work with the same postgres.slot?");
    usleep(200000);
    ck_assert_int_eq(daemon_log_count(d, "slot own is in use by process"), 1);
    PQfinish(other);
    must_recover();
}
END_TEST

/* The connection has died and the server doesn't know: the process that held the slot is our own. */
START_TEST(held_by_our_own_last_stream)
{
    struct proxy *net = proxy_start(cluster);
    follow(proxy_conninfo(net));
    proxy_orphan(net, "replication");
    must_recover();
    client_close(c);
    daemon_free(d);
    c = NULL;
    d = NULL;
    proxy_free(net);
}
END_TEST

START_TEST(not_one_of_ours)
{
    sql_run(db, "SELECT pg_create_physical_replication_slot('own')");
    d = daemon_start(cluster->conninfo, named, false);
    wait_for_status(d->port, "replication slot own is not one of pgoutput and this database");
    wait_for_status(d->port, "Drop it, or name another one in postgres.slot.");
    sql_run(db, "SELECT pg_drop_replication_slot('own')");
    wait_for_status(d->port, "\"postgres\":\"streaming\"");
}
END_TEST

/* The daemon stands still for so long that the server gives up keeping its WAL. */
START_TEST(invalidated)
{
    sql_run(db, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    sql_run(db, "SELECT pg_reload_conf()");
    follow(cluster->conninfo);
    kill(d->pid, SIGSTOP);
    sql_run(db, "INSERT INTO kept(a) VALUES (3)");
    for (int i = 0; i < 4; i++) {
        sql_run(db, "CREATE TABLE waste AS SELECT g FROM generate_series(1, 1000) g; DROP TABLE "
                    "waste; SELECT pg_switch_wal()");
        sql_run(db, "CHECKPOINT");
    }
    wait_for_sql(db, "SELECT wal_status = 'lost' FROM pg_replication_slots");
    kill(d->pid, SIGCONT);
    must_recover();
    sql_run(db, "ALTER SYSTEM RESET max_slot_wal_keep_size");
    sql_run(db, "SELECT pg_reload_conf()");
}
END_TEST

/* Our database is idle, its neighbour is busy: the slot must follow, or the disk fills. */
START_TEST(a_busy_neighbour)
{
    char conninfo[400];
    follow(cluster->conninfo);
    sql_run(db, "CREATE DATABASE busy");
    snprintf(conninfo, sizeof conninfo, "host=%s user=postgres dbname=busy", cluster->dir);
    PGconn *busy = PQconnectdb(conninfo);
    sql_run(busy, "CREATE TABLE t(id int, t text)");
    for (int i = 0; i < 3; i++) {
        sql_run(busy, "INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 3000) g");
        char *lsn = sql_value(busy, "SELECT pg_current_wal_lsn()"), sql[200];
        snprintf(
            sql, sizeof sql,
            "SELECT confirmed_flush_lsn >= '%s' FROM pg_replication_slots WHERE slot_name = 'own'",
            lsn);
        wait_for_sql(db, sql);
        free(lsn);
    }
    sql_run(db, "CHECKPOINT; SELECT pg_switch_wal()"); /* a record of the running transactions */
    wait_for_sql(db, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) < 16 << 20 FROM "
                     "pg_replication_slots");
    PQfinish(busy);
    must_recover();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("slot");
    TCase *t = tcase_create("slot");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, killed_the_next_one_takes_over);
    tcase_add_test(t, the_stream_goes_on);
    tcase_add_test(t, the_stream_goes_on_from_the_beginning_of_a_transaction);
    tcase_add_test(t, dropped_behind_our_back);
    tcase_add_test(t, held_by_another);
    tcase_add_test(t, held_by_our_own_last_stream);
    tcase_add_test(t, not_one_of_ours);
    tcase_add_test(t, invalidated);
    tcase_add_test(t, a_busy_neighbour);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const settings[] = {"wal_writer_delay = 20ms", "min_wal_size = 32MB", NULL};
    SRunner *runner = srunner_create(suite());
    cluster = cluster_start(settings);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    cluster_free(cluster);
    return failed ? 1 : 0;
}
