/*
 * Transactions that are not like others: of thousands of savepoints, prepared and committed much
 * later, committed but waiting for a standby, larger than memory should be; and the numbers that
 * transactions have, when 32 bits are over. The cluster of this program begins shortly before that.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/waiting.h"

static PGconn *db;
static struct daemon_proc *d;
static struct client *c;

static void begin(void)
{
    static const char *const sets[] = {"postgres.transaction_bytes=1M",
                                       "postgres.reconnect_max=100ms", NULL};
    db = cluster_connect(cluster);
    d = daemon_start(cluster->conninfo, sets, true);
    c = client_connect(d->port);
    c->timeout_ms = 40000;
}

static void end(void)
{
    client_close(c);
    daemon_free(d);
    PQfinish(db);
}

static void must_be_right(struct view *v, const char *sql)
{
    sync_when_back(c);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_uint_eq(v->resyncs, 0);
}

/* Each takes a number of its own. */
static void use_up_numbers(int n)
{
    sql_run(
        db,
        "DO $$ BEGIN FOR i IN 1..%d LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$",
        n);
}

static bool is_past_32_bits(void)
{
    char *v =
        sql_value(db, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::numeric > 4294967296");
    bool yes = strcmp(v, "t") == 0;
    free(v);
    return yes;
}

START_TEST(the_numbers_begin_anew)
{
    const char *sql = "SELECT id, a FROM numbers", *late = "SELECT count(*), sum(a) FROM numbers";
    sql_run(db,
            "CREATE TABLE numbers(id int PRIMARY KEY, a int); INSERT INTO numbers VALUES (1, 1)");
    ck_assert(!is_past_32_bits());
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "BEGIN; INSERT INTO numbers VALUES (2, 2); UPDATE numbers SET a = 7 WHERE id = 1;"
                "PREPARE TRANSACTION 'old'");
    PGconn *other = cluster_connect(cluster);
    sql_run(other, "BEGIN; INSERT INTO numbers VALUES (3, 3)");
    /* Read while some have old numbers, with snapshots on either side. */
    struct view *before = client_live(c, "before", late);
    use_up_numbers(2500);
    ck_assert(is_past_32_bits());
    struct view *after = client_live(c, "after", "SELECT max(a), min(id) FROM numbers");
    sql_run(db, "INSERT INTO numbers VALUES (4, 4)");
    sql_run(other, "INSERT INTO numbers VALUES (5, 5); COMMIT");
    sql_run(db, "COMMIT PREPARED 'old'");
    sql_run(db, "DELETE FROM numbers WHERE id = 3");
    must_be_right(v, sql);
    must_be_right(before, late);
    must_be_right(after, "SELECT max(a), min(id) FROM numbers");
    PQfinish(other);
}
END_TEST

START_TEST(a_storm_of_savepoints)
{
    const char *sql = "SELECT id, a FROM storm";
    sql_run(db, "CREATE TABLE storm(id int PRIMARY KEY, a int)");
    struct view *v = client_live(c, "v", sql);
    sql_run(
        db,
        "DO $$ BEGIN FOR i IN 1..10000 LOOP BEGIN INSERT INTO storm VALUES (i, 0);"
        "UPDATE storm SET a = a + 1 WHERE id = i / 2;"
        "IF i %% 2 = 0 THEN RAISE EXCEPTION 'no'; END IF; EXCEPTION WHEN raise_exception THEN NULL;"
        "END; END LOOP; END $$");
    must_be_right(v, sql);
    ck_assert_uint_eq(v->deltas, 1);
    struct view *w = client_live(c, "w", "SELECT count(*) FROM storm");
    view_must_equal(db, w, "SELECT count(*) FROM storm");
}
END_TEST

START_TEST(prepared_and_committed_much_later)
{
    const char *sql = "SELECT id FROM later";
    sql_run(db, "CREATE TABLE later(id int PRIMARY KEY)");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "BEGIN; INSERT INTO later VALUES (1); PREPARE TRANSACTION 'p1'");
    sql_run(db, "BEGIN; INSERT INTO later VALUES (2); PREPARE TRANSACTION 'p2'");
    sql_run(db, "INSERT INTO later VALUES (3)");
    struct view *w = client_live(c, "w", "SELECT count(*) FROM later"); /* read meanwhile */
    sql_run(db, "COMMIT PREPARED 'p1'");
    sql_run(db, "ROLLBACK PREPARED 'p2'");
    must_be_right(v, sql);
    must_be_right(w, "SELECT count(*) FROM later");
    /* A new slot must wait for one, and says so. */
    sql_run(db, "BEGIN; INSERT INTO later VALUES (4); PREPARE TRANSACTION 'p3'");
    sql_run(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
    sql_run(db, "INSERT INTO later VALUES (5)");
    wait_for_status(d->port, "the new slot waits for a prepared transaction to end");
    sql_run(db, "COMMIT PREPARED 'p3'");
    must_be_right(v, sql);
    must_be_right(w, "SELECT count(*) FROM later");
}
END_TEST

START_TEST(a_transaction_that_nobody_ends)
{
    const char *sql = "SELECT id FROM open";
    sql_run(db, "CREATE TABLE open(id int PRIMARY KEY)");
    struct view *v = client_live(c, "v", sql);
    PGconn *other = cluster_connect(cluster);
    sql_run(other, "BEGIN; INSERT INTO open VALUES (1)");
    sql_run(db, "INSERT INTO open VALUES (2)"); /* those don't wait for it */
    client_wait_deltas(c, v, 1);
    sql_run(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
    char text[100];
    snprintf(text, sizeof text, "waits for the transaction of process %d to end",
             PQbackendPID(other));
    wait_for_status(d->port, text);
    ck_assert_int_eq(daemon_log_count(d, text), 1);
    sql_run(other, "COMMIT");
    client_wait_deltas(c, v, 2);
    must_be_right(v, sql);
    PQfinish(other);
}
END_TEST

/* Flushed, decoded and sent, but nobody sees it until the standby answers, which it never does. */
START_TEST(a_commit_that_waits_for_a_standby)
{
    const char *sql = "SELECT id FROM hung";
    sql_run(db, "CREATE TABLE hung(id int PRIMARY KEY, a int); INSERT INTO hung VALUES (1, 1)");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "SET synchronous_commit = local");
    sql_run(db, "ALTER SYSTEM SET synchronous_standby_names = 'ghost'");
    sql_run(db, "SELECT pg_reload_conf()");
    PGconn *other = cluster_connect(cluster);
    wait_for_sql(db, "SELECT setting = 'ghost' FROM pg_settings WHERE name = "
                     "'synchronous_standby_names'");
    ck_assert_int_eq(PQsendQuery(other, "INSERT INTO hung VALUES (2, 2)"), 1);
    client_wait_deltas(c, v, 1);
    char *seen = sql_value(db, "SELECT count(*) FROM hung");
    ck_assert_str_eq(seen, "1");
    free(seen);
    /* Other columns: it is read again, in a snapshot that doesn't show the row. */
    struct view *w = client_live(c, "w", "SELECT count(*), sum(a) FROM hung");
    sql_run(db, "ALTER SYSTEM RESET synchronous_standby_names");
    sql_run(db, "SELECT pg_reload_conf()");
    PQclear(PQgetResult(other));
    must_be_right(v, sql);
    must_be_right(w, "SELECT count(*), sum(a) FROM hung");
    ck_assert_uint_eq(w->deltas, 0);
    PQfinish(other);
}
END_TEST

/* Beyond postgres.transaction_bytes its tables are read anew: one difference, and bounded memory. */
START_TEST(larger_than_memory_should_be)
{
    const char *sql = "SELECT k, count(*), sum(l.a) FROM l JOIN r USING (k) GROUP BY k";
    sql_run(db, "CREATE TABLE l(id int PRIMARY KEY, k int, a int);"
                "CREATE TABLE r(k int PRIMARY KEY); INSERT INTO r SELECT generate_series(1, 10);"
                "CREATE TABLE foreign_one(id int PRIMARY KEY, t text)");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "BEGIN; INSERT INTO l SELECT g, g %% 12, g FROM generate_series(1, 60000) g;"
                "DELETE FROM r WHERE k = 3; INSERT INTO r VALUES (11); COMMIT");
    client_wait_deltas(c, v, 1);
    must_be_right(v, sql);
    ck_assert(daemon_log_contains(d, "changed in a very large transaction"));
    sql_run(db, "BEGIN; UPDATE l SET a = a + 1; TRUNCATE r; INSERT INTO r VALUES (1), (2); COMMIT");
    must_be_right(v, sql);
    ck_assert_uint_eq(v->deltas, 2);
    int starts = daemon_log_count(d, "very large transaction");
    sql_run(db,
            "INSERT INTO foreign_one SELECT g, repeat('x', 50) FROM generate_series(1, 30000) g");
    sql_run(db, "INSERT INTO l VALUES (0, 1, 1)");
    client_wait_deltas(c, v, 3);
    must_be_right(v, sql);
    ck_assert_int_eq(daemon_log_count(d, "very large transaction"), starts);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("transactions");
    TCase *t = tcase_create("transactions");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, the_numbers_begin_anew);
    tcase_add_test(t, a_storm_of_savepoints);
    tcase_add_test(t, prepared_and_committed_much_later);
    tcase_add_test(t, a_transaction_that_nobody_ends);
    tcase_add_test(t, a_commit_that_waits_for_a_standby);
    tcase_add_test(t, larger_than_memory_should_be);
    suite_add_tcase(s, t);
    return s;
}

/* The next transaction is number 2^32 - 1000. Its state is looked up in a file that doesn't exist. */
static void push_numbers(void)
{
    char path[200], resetwal[256], zeros[8192] = {0};
    struct stat st;
    PGconn *conn = cluster_connect(cluster);
    sql_run(conn, "VACUUM FREEZE");
    PQfinish(conn);
    cluster_stop_fast(cluster);
    snprintf(path, sizeof path, "%s/data/PG_VERSION", cluster->dir);
    if (stat(path, &st) != 0)
        die("no %s", path);
    snprintf(path, sizeof path, "%s/data/pg_xact/0FFF", cluster->dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; f && i < 32; i++)
        fwrite(zeros, 1, sizeof zeros, f);
    if (!f || fclose(f) != 0 || chown(path, st.st_uid, st.st_gid) != 0)
        die("can't write %s", path);
    cluster_program("pg_resetwal", resetwal, sizeof resetwal);
    snprintf(path, sizeof path, "%s/data", cluster->dir);
    cluster_run_program(cluster, (const char *[]){resetwal, "-e", "0", "-u", "4294900000", "-x",
                                                  "4294966296", "-D", path, NULL});
    cluster_run(cluster);
}

int main(void)
{
    static const char *const settings[] = {"wal_writer_delay = 20ms", NULL};
    SRunner *runner = srunner_create(suite());
    cluster = cluster_start(settings);
    push_numbers();
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    cluster_free(cluster);
    return failed ? 1 : 0;
}
