/*
 * A Postgres that won't have us: settings, roles, passwords, places that are taken. The daemon lives
 * on, says once in its log and at any time in STATUS what is wrong and what to do about it, and when
 * that is mended goes on by itself, clients and all.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/waiting.h"

static PGconn *db;
static struct daemon_proc *d;
static struct client *c;
static struct view *v;
static int ids;

static const char view_sql[] = "SELECT id, a FROM kept";

/* A daemon with a view, under this conninfo. */
static void follow(const char *conninfo)
{
    static const char *const sets[] = {"postgres.reconnect_min=20ms", "postgres.reconnect_max=50ms",
                                       NULL};
    d = daemon_start(conninfo, sets, true);
    c = client_connect(d->port);
    c->timeout_ms = 40000;
    v = client_live(c, "v", view_sql);
}

static void begin(void)
{
    db = cluster_connect(cluster);
    sql_run(db, "DROP TABLE IF EXISTS kept; CREATE TABLE kept(id int PRIMARY KEY, a int);"
                "INSERT INTO kept VALUES (0, 0); GRANT SELECT ON kept TO PUBLIC");
    ids = 1;
}

static void end(void)
{
    sql_run(db, "ALTER SYSTEM RESET ALL");
    client_close(c);
    daemon_free(d);
    PQfinish(db);
}

static void cut(void)
{
    sql_run(db,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
            "'palimpsestd%%'");
}

static void restart(void)
{
    PQfinish(db);
    cluster_stop_fast(cluster);
    cluster_run(cluster);
    db = cluster_connect(cluster);
}

static void write_a_row(void)
{
    sql_run(db, "INSERT INTO kept VALUES (%d, %d)", ids, ids);
    ids++;
}

/* After a good many attempts: STATUS says what is wrong, the log has said it once. */
static void must_say(const char *error, const char *hint)
{
    wait_for_status(d->port, error);
    char *line = status_line(d->port);
    ck_assert_msg(strstr(line, "\"postgres\":\"connecting\"") && strstr(line, hint), "%s", line);
    free(line);
    usleep(300000); /* some more attempts */
    int lines = daemon_log_count(d, error);
    if (lines != 1)
        daemon_show_log(d);
    ck_assert_int_eq(lines, 1);
}

/* What happened meanwhile comes as one difference. */
static void must_recover(void)
{
    unsigned deltas = v->deltas;
    write_a_row();
    client_wait_deltas(c, v, deltas + 1);
    sync_when_back(c);
    view_must_equal(db, v, view_sql);
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_uint_eq(v->resyncs, 0);
    wait_for_status(d->port, "\"postgres\":\"streaming\",\"postgres_error\":null");
}

/* ---- settings of the server ------------------------------------------------------------------ */

START_TEST(wal_level_replica)
{
    follow(cluster->conninfo);
    sql_run(db, "ALTER SYSTEM SET wal_level = 'replica'");
    restart();
    write_a_row();
    must_say("wal_level must be logical", "Set wal_level = logical in postgresql.conf");
    client_send(c, "SUBSCRIBE w SELECT 1");
    char *line = client_expect_prefix(c, "ERROR w 55000 ");
    free(line);
    sql_run(db, "ALTER SYSTEM SET wal_level = 'logical'");
    sql_run(db, "ALTER SYSTEM SET max_wal_senders = 0");
    restart();
    must_say("exceeds max_wal_senders", "Raise max_wal_senders");
    sql_run(db, "ALTER SYSTEM RESET max_wal_senders");
    sql_run(db, "ALTER SYSTEM RESET wal_level");
    restart();
    must_recover();
}
END_TEST

START_TEST(no_replication_slot_is_free)
{
    follow(cluster->conninfo);
    sql_run(db,
            "SELECT pg_create_physical_replication_slot('p' || g) FROM generate_series(1, 9) g");
    cut();
    while (strcmp(sql_state(db, "SELECT pg_create_physical_replication_slot('p10')"), ""))
        cut();
    must_say("all replication slots are in use", "Free one or increase max_replication_slots");
    sql_run(db, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "
                "slot_name LIKE 'p_%%'");
    must_recover();
}
END_TEST

START_TEST(a_standby_until_it_is_promoted)
{
    char path[200];
    follow(cluster->conninfo);
    write_a_row();
    PQfinish(db);
    cluster_stop_fast(cluster);
    snprintf(path, sizeof path, "%s/data/standby.signal", cluster->dir);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
    if (geteuid() == 0) {
        struct stat st;
        snprintf(path, sizeof path, "%s/data/PG_VERSION", cluster->dir);
        ck_assert_int_eq(stat(path, &st), 0);
        snprintf(path, sizeof path, "%s/data/standby.signal", cluster->dir);
        ck_assert_int_eq(chown(path, st.st_uid, st.st_gid), 0);
    }
    cluster_run(cluster);
    db = cluster_connect(cluster);
    must_say("the server is a standby; a live view needs the primary", "Promote it");
    client_send(c, "SUBSCRIBE w SELECT 1");
    char *line = client_expect_prefix(c, "ERROR w 57P03 ");
    free(line);
    sql_run(db, "SELECT pg_promote()");
    write_a_row();
    sync_when_back(c);
    view_must_equal(db, v, view_sql);
}
END_TEST

/* ---- roles and passwords --------------------------------------------------------------------- */

/* Before everything else in pg_hba.conf, which is put back by "". */
static void set_hba(const char *first)
{
    char path[200];
    snprintf(path, sizeof path, "%s/data/pg_hba.conf", cluster->dir);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "%s\nlocal all all trust\nlocal replication all trust\n", first);
    fclose(f);
    sql_run(db, "SELECT pg_reload_conf()");
    usleep(
        100000); /* the postmaster reads it when it gets to it, and nobody can ask whether it has */
}

START_TEST(a_role_that_may_not_stream)
{
    char conninfo[400];
    sql_run(db, "CREATE ROLE r LOGIN REPLICATION; GRANT CREATE ON DATABASE postgres TO r;"
                "ALTER TABLE kept OWNER TO r");
    snprintf(conninfo, sizeof conninfo, "host=%s user=r dbname=postgres", cluster->dir);
    follow(conninfo);
    sql_run(db, "ALTER ROLE r NOREPLICATION");
    cut();
    must_say("for the role we connect as", "REPLICATION");
    ck_assert(!daemon_log_contains(d, "LOCATION"));
    ck_assert(!daemon_log_contains(d, "42501"));
    sql_run(db, "ALTER ROLE r REPLICATION");
    must_recover();
    set_hba("local all r reject");
    cut();
    must_say("pg_hba.conf rejects", "pg_hba.conf must let the role in");
    set_hba("");
    must_recover();
    sql_run(db, "ALTER TABLE kept OWNER TO postgres");
}
END_TEST

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    chmod(path, 0600);
}

START_TEST(a_password_is_rotated)
{
    char conninfo[500], pass[200];
    sql_run(db, "CREATE ROLE pw LOGIN SUPERUSER REPLICATION PASSWORD 'one'");
    set_hba("local all pw scram-sha-256");
    snprintf(pass, sizeof pass, "%s/pgpass", cluster->dir);
    write_text(pass, "*:*:*:pw:one\n");
    snprintf(conninfo, sizeof conninfo, "host=%s user=pw dbname=postgres passfile=%s", cluster->dir,
             pass);
    follow(conninfo);
    sql_run(db, "ALTER ROLE pw PASSWORD 'two'");
    write_a_row();
    client_wait_deltas(c, v, 1); /* a session that is there goes on */
    cut();
    must_say("password authentication failed", "password");
    write_text(pass, "*:*:*:pw:two\n");
    must_recover();
    set_hba("");
}
END_TEST

/* The other way: the password stands in our own configuration. */
START_TEST(a_conninfo_is_reloaded)
{
    char path[200], text[600];
    static const char form[] = "postgres.conninfo = host=%s user=%s dbname=postgres password=%s\n"
                               "postgres.reconnect_min = 20ms\npostgres.reconnect_max = 50ms\n";
    sql_run(db, "CREATE ROLE cf LOGIN SUPERUSER REPLICATION PASSWORD 'one'");
    set_hba("local all cf scram-sha-256");
    snprintf(path, sizeof path, "%s/palimpsestd.conf", cluster->dir);
    snprintf(text, sizeof text, form, cluster->dir, "cf", "one");
    write_text(path, text);
    d = daemon_start_with_file(path, true);
    c = client_connect(d->port);
    c->timeout_ms = 40000;
    v = client_live(c, "v", view_sql);
    sql_run(db, "ALTER ROLE cf PASSWORD 'two'");
    snprintf(text, sizeof text, form, cluster->dir, "cf", "two");
    write_text(path, text);
    kill(d->pid, SIGHUP);
    wait_for_log(d, "reload: postgres.conninfo has changed");
    write_a_row();
    client_wait_deltas(c, v, 1);
    ck_assert_int_eq(daemon_log_count(d, "streaming from"), 1); /* a password alone cuts nothing */
    cut();
    must_recover();
    snprintf(text, sizeof text, form, cluster->dir, "postgres", "none");
    write_text(path, text);
    kill(d->pid, SIGHUP);
    wait_for_sql(db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'postgres' AND "
                     "application_name = 'palimpsestd replication'");
    must_recover();
    client_live(c, "w", "SELECT count(*) FROM kept");
    wait_for_sql(db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'cf'");
    set_hba("");
}
END_TEST

START_TEST(a_database_is_dropped)
{
    char conninfo[400];
    sql_run(db, "CREATE DATABASE gone");
    snprintf(conninfo, sizeof conninfo, "host=%s user=postgres dbname=gone", cluster->dir);
    PGconn *in = PQconnectdb(conninfo);
    sql_run(in, "CREATE TABLE kept(id int PRIMARY KEY, a int)");
    PQfinish(in);
    follow(conninfo);
    do
        cut(); /* a slot that streams keeps the database */
    while (strcmp(sql_state(db, "DROP DATABASE gone WITH (FORCE)"), ""));
    wait_for_status(d->port, "does not exist\",\"postgres_hint\":\"Create the database");
    sql_run(db, "CREATE DATABASE gone");
    for (int i = 0; i < 200 && !v->error; i++)
        client_drain(c, 50);
    ck_assert_ptr_nonnull(v->error);
    ck_assert_msg(strncmp(v->error, "42P01", 5) == 0, "%s", v->error);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("postgres");
    TCase *t = tcase_create("postgres");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, wal_level_replica);
    tcase_add_test(t, no_replication_slot_is_free);
    tcase_add_test(t, a_role_that_may_not_stream);
    tcase_add_test(t, a_password_is_rotated);
    tcase_add_test(t, a_conninfo_is_reloaded);
    tcase_add_test(t, a_database_is_dropped);
    tcase_add_test(t, a_standby_until_it_is_promoted);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const settings[] = {"wal_writer_delay = 20ms", NULL};
    SRunner *runner = srunner_create(suite());
    cluster = cluster_start(settings);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    cluster_free(cluster);
    return failed ? 1 : 0;
}
