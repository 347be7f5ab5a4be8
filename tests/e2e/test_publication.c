/*
 * The publication is changed under the daemon's feet: what was written while a table's changes were
 * not in the stream must be in the view nevertheless, noticed without a further write; and what can't
 * be kept live under the publication as it is now must say so.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void must_be_right(struct client *of, struct view *v, const char *sql)
{
    sync_when_back(of);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_uint_eq(v->resyncs, 0);
}

START_TEST(dropped_while_nobody_writes)
{
    const char *sql = "SELECT id FROM idle";
    sql_run(db, "CREATE TABLE idle(id int PRIMARY KEY); INSERT INTO idle VALUES (1)");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "DROP PUBLICATION palimpsest");
    wait_for_sql(db, "SELECT count(*) = 1 FROM pg_publication_tables WHERE tablename = 'idle'");
    sql_run(db, "INSERT INTO idle VALUES (2)");
    client_wait_deltas(c, v, 1);
    must_be_right(c, v, sql);
}
END_TEST

START_TEST(dropped_and_written_to)
{
    const char *sql = "SELECT k, count(*) FROM dropped GROUP BY k";
    sql_run(db, "CREATE TABLE dropped(id bigserial PRIMARY KEY, k int)");
    struct view *v = client_live(c, "v", sql);
    for (int i = 0; i < 3; i++) {
        sql_run(db, "INSERT INTO dropped(k) VALUES (1)");
        sql_run(db, "BEGIN; INSERT INTO dropped(k) VALUES (1); DROP PUBLICATION palimpsest;"
                    "INSERT INTO dropped(k) VALUES (2); COMMIT");
        sql_run(db, "UPDATE dropped SET k = k + 1; INSERT INTO dropped(k) VALUES (1), (7)");
        client_wait_deltas(c, v, v->deltas + 1);
        must_be_right(c, v, sql);
    }
}
END_TEST

START_TEST(a_table_taken_out_is_put_back)
{
    const char *sql = "SELECT id FROM taken", *rerun = "SELECT count(*) FROM taken WHERE now() > "
                                                       "'2000-01-01'";
    sql_run(db, "CREATE TABLE taken(id int PRIMARY KEY); INSERT INTO taken VALUES (1)");
    struct view *v = client_live(c, "v", sql), *w = client_live(c, "w", rerun);
    sql_run(db, "ALTER PUBLICATION palimpsest DROP TABLE taken");
    sql_run(db, "INSERT INTO taken VALUES (2); DELETE FROM taken WHERE id = 1");
    client_wait_deltas(c, v, 1); /* nobody writes any more */
    must_be_right(c, v, sql);
    sql_run(db, "INSERT INTO taken VALUES (3)");
    must_be_right(c, v, sql);
    must_be_right(c, w, rerun);
    sql_run(db,
            "CREATE TABLE lone(id int PRIMARY KEY); ALTER PUBLICATION palimpsest SET TABLE lone;"
            "INSERT INTO taken VALUES (4)");
    client_wait_deltas(c, v, 3);
    must_be_right(c, v, sql);
}
END_TEST

/* Too quickly for a look at the catalog to fall in between. */
START_TEST(taken_out_and_put_back_at_once)
{
    const char *sql = "SELECT id, a FROM toggled";
    sql_run(db, "CREATE TABLE toggled(id int PRIMARY KEY, a int);"
                "INSERT INTO toggled SELECT g, g FROM generate_series(1, 10) g");
    struct view *v = client_live(c, "v", sql);
    sql_run(db, "ALTER PUBLICATION palimpsest DROP TABLE toggled");
    sql_run(db, "UPDATE toggled SET a = 0 WHERE id < 5");
    sql_run(db, "ALTER PUBLICATION palimpsest ADD TABLE toggled");
    client_wait_deltas(c, v, 1);
    must_be_right(c, v, sql);
    sql_run(db, "ALTER PUBLICATION palimpsest SET (publish = 'insert')");
    sql_run(db, "UPDATE toggled SET a = -1 WHERE id > 5");
    sql_run(db, "ALTER PUBLICATION palimpsest SET (publish = 'insert, update, delete, truncate')");
    client_wait_deltas(c, v, 2);
    must_be_right(c, v, sql);
}
END_TEST

static void must_end(struct view *v, const char *sqlstate, const char *why)
{
    for (int i = 0; i < 100 && !v->error; i++)
        client_drain(c, 50);
    ck_assert_ptr_nonnull(v->error);
    ck_assert_msg(strncmp(v->error, sqlstate, 5) == 0 && strstr(v->error, why), "%s", v->error);
    ck_assert(daemon_log_contains(daemon_under_test, why));
}

START_TEST(what_publishes_too_little_ends_the_plans_and_says_so)
{
    static const struct {
        const char *bad, *good, *sqlstate, *why;
    } cases[] = {
        {"SET (publish = 'insert')", "SET (publish = 'insert, update, delete, truncate')", "55000",
         "must publish insert, update, delete and truncate"},
        {"SET (publish_via_partition_root = true)", "SET (publish_via_partition_root = false)",
         "55000", "must not set publish_via_partition_root"},
        {"SET TABLE little WHERE (id > 1)", "SET TABLE little", "0A000",
         "published with a row filter or a column list"},
        {"SET TABLE little (id)", "SET TABLE little", "0A000",
         "published with a row filter or a column list"},
    };
    sql_run(db, "CREATE TABLE little(id int PRIMARY KEY, a int); INSERT INTO little VALUES (1, 1)");
    for (size_t i = 0; i < (PQserverVersion(db) < 150000 ? 2 : 4); i++) {
        char id[8];
        snprintf(id, sizeof id, "v%zu", i);
        struct view *v = client_live(c, id, "SELECT id FROM little");
        sql_run(db, "ALTER PUBLICATION palimpsest %s", cases[i].bad);
        must_end(v, cases[i].sqlstate, cases[i].why);
        snprintf(id, sizeof id, "w%zu", i);
        struct view *w = client_subscribe(c, id, "SELECT id FROM little");
        client_wait_snapshot(c, w);
        ck_assert_ptr_nonnull(strstr(w->error, cases[i].why));
        sql_run(db, "ALTER PUBLICATION palimpsest %s", cases[i].good);
    }
    client_live(c, "last", "SELECT id FROM little");
}
END_TEST

/* ---- publications made by others ------------------------------------------------------------ */

static struct daemon_proc *start_with(const char *publication, const char *user)
{
    char key[100], conninfo[400];
    const char *sets[] = {key, NULL};
    snprintf(key, sizeof key, "postgres.publication=%s", publication);
    snprintf(conninfo, sizeof conninfo, "%s%s%s", cluster->conninfo, *user ? " user=" : "", user);
    return daemon_start(conninfo, sets, true);
}

START_TEST(for_all_tables)
{
    const char *sql = "SELECT id FROM every";
    sql_run(db, "CREATE TABLE every(id int PRIMARY KEY); CREATE PUBLICATION p_all FOR ALL TABLES");
    struct daemon_proc *d = start_with("p_all", "");
    struct client *e = client_connect(d->port);
    e->timeout_ms = 40000;
    struct view *v = client_live(e, "v", sql);
    sql_run(db, "INSERT INTO every VALUES (1)");
    client_wait_deltas(e, v, 1);
    sql_run(db, "DROP PUBLICATION p_all");
    sql_run(db, "INSERT INTO every VALUES (2)");
    sql_run(db, "CREATE PUBLICATION p_all FOR ALL TABLES");
    client_wait_deltas(e, v, 2);
    must_be_right(e, v, sql);
    client_close(e);
    daemon_free(d);
    char *n = sql_value(db, "DROP PUBLICATION p_all; SELECT count(*) FROM pg_publication WHERE "
                            "pubname = 'p_all'");
    ck_assert_str_eq(n, "0");
    free(n);
}
END_TEST

START_TEST(for_a_schema)
{
    const char *sql = "SELECT id FROM s.t";
    if (PQserverVersion(db) < 150000)
        return;
    sql_run(db, "CREATE SCHEMA s; CREATE TABLE s.t(id int PRIMARY KEY);"
                "CREATE PUBLICATION p_schema FOR TABLES IN SCHEMA s");
    struct daemon_proc *d = start_with("p_schema", "");
    struct client *e = client_connect(d->port);
    e->timeout_ms = 40000;
    struct view *v = client_live(e, "v", sql);
    sql_run(db, "INSERT INTO s.t VALUES (1)");
    client_wait_deltas(e, v, 1);
    sql_run(db, "ALTER PUBLICATION p_schema DROP TABLES IN SCHEMA s");
    sql_run(db, "INSERT INTO s.t VALUES (2)");
    sql_run(db, "ALTER PUBLICATION p_schema ADD TABLES IN SCHEMA s");
    client_wait_deltas(e, v, 2);
    must_be_right(e, v, sql);
    client_close(e);
    daemon_free(d);
    sql_run(db, "DROP PUBLICATION p_schema");
}
END_TEST

/* A role that may read tables and stream, and nothing else. */
START_TEST(a_role_that_may_not_publish)
{
    const char *sql = "SELECT id FROM granted";
    sql_run(db,
            "CREATE ROLE meek LOGIN REPLICATION; CREATE TABLE granted(id int PRIMARY KEY);"
            "CREATE TABLE hidden(id int PRIMARY KEY); CREATE PUBLICATION p_meek FOR TABLE hidden");
    struct daemon_proc *d = start_with("p_meek", "meek");
    struct client *e = client_connect(d->port);
    e->timeout_ms = 40000;
    struct view *v = client_subscribe(e, "v", sql);
    client_wait_snapshot(e, v);
    ck_assert_msg(strncmp(v->error, "42501", 5) == 0, "%s", v->error);
    sql_run(db, "GRANT SELECT ON granted TO meek");
    v = client_subscribe(e, "w", sql);
    client_wait_snapshot(e, v);
    ck_assert_msg(strncmp(v->error, "42501", 5) == 0 &&
                      strstr(v->error, "Let their owner run: ALTER PUBLICATION"),
                  "%s", v->error);
    sql_run(db, "ALTER PUBLICATION p_meek ADD TABLE granted");
    v = client_live(e, "x", sql);
    sql_run(db, "INSERT INTO granted VALUES (1)");
    client_wait_deltas(e, v, 1);
    sql_run(db, "DROP PUBLICATION p_meek; INSERT INTO granted VALUES (2)");
    wait_for_status(d->port, "\"postgres_error\":\"the publication is not there and can't be made");
    sql_run(db, "CREATE PUBLICATION p_meek FOR TABLE granted");
    client_wait_deltas(e, v, 2);
    must_be_right(e, v, sql);
    sql_run(db, "REVOKE SELECT ON granted FROM meek");
    for (int i = 0; i < 100 && !v->error; i++)
        client_drain(e, 50);
    ck_assert_ptr_nonnull(v->error);
    ck_assert_msg(strncmp(v->error, "42501", 5) == 0, "%s", v->error);
    client_close(e);
    daemon_free(d);
    sql_run(db, "DROP PUBLICATION p_meek; DROP TABLE granted; DROP ROLE meek");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("publication");
    TCase *t = tcase_create("publication");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, dropped_while_nobody_writes);
    tcase_add_test(t, dropped_and_written_to);
    tcase_add_test(t, a_table_taken_out_is_put_back);
    tcase_add_test(t, taken_out_and_put_back_at_once);
    tcase_add_test(t, what_publishes_too_little_ends_the_plans_and_says_so);
    tcase_add_test(t, for_all_tables);
    tcase_add_test(t, for_a_schema);
    tcase_add_test(t, a_role_that_may_not_publish);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const settings[] = {"wal_writer_delay = 20ms", NULL};
    static const char *const sets[] = {"postgres.reconnect_max=200ms", NULL};
    harness_pg_settings = settings;
    harness_daemon_sets = sets;
    harness_in_one_process = true;
    return harness_main(suite());
}
