/*
 * The hand-over from snapshot to stream: each trap forced, not waited for.
 *
 * The tables are written by sessions that are held at the wrong moment: a commit that is in the WAL
 * but not visible yet (a synchronous standby that isn't there), a transaction that is open while
 * its table is published, a rewrite that holds its lock, a prepared transaction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

static PGconn *db;
static struct client *c;

static void begin(void)
{
    db = cluster_connect(cluster);
    c = client_connect(daemon_under_test->port);
    c->timeout_ms = 30000;
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

static void set_sync_standby(const char *name)
{
    sql_run(db, "SET synchronous_commit = local");
    sql_run(db, "ALTER SYSTEM SET synchronous_standby_names = '%s'", name);
    sql_run(db, "SELECT pg_reload_conf()");
    usleep(200000);
}

START_TEST(a_commit_decoded_before_any_snapshot_shows_it_is_not_lost)
{
    sql_run(db, "CREATE TABLE h1(id int PRIMARY KEY, a int, b int); INSERT INTO h1 VALUES (1,1,1)");
    struct view *first = live("first", "SELECT id, a FROM h1");
    PGconn *writer = cluster_connect(cluster);
    set_sync_standby("nobody");
    sql_run(writer, "SET synchronous_commit = on");
    ck_assert_int_eq(PQsendQuery(writer, "INSERT INTO h1 VALUES (2, 2, 2)"), 1);
    client_wait_deltas(c, first, 1); /* decoded, though its writer still waits */
    char *visible = sql_value(db, "SELECT count(*) FROM h1");
    ck_assert_str_eq(visible, "1");
    free(visible);
    /* Another column: the table is read again, in a snapshot that doesn't show row 2. */
    struct view *second = client_subscribe(c, "second", "SELECT id, b FROM h1");
    usleep(1500000);
    client_drain(c, 100);
    set_sync_standby("");
    PGresult *res = PQgetResult(writer);
    ck_assert_int_eq(PQresultStatus(res), PGRES_COMMAND_OK);
    PQclear(res);
    client_wait_snapshot(c, second);
    client_sync(c);
    view_must_equal(db, first, "SELECT id, a FROM h1");
    view_must_equal(db, second, "SELECT id, b FROM h1");
    PQfinish(writer);
}
END_TEST

START_TEST(a_transaction_open_while_its_table_is_published_arrives_whole)
{
    PGconn *writer = cluster_connect(cluster);
    sql_run(db, "CREATE TABLE h4(id int PRIMARY KEY, a int)");
    sql_run(writer, "BEGIN; INSERT INTO h4 VALUES (1, 1)");
    struct view *v = client_subscribe(c, "v", "SELECT id, a FROM h4");
    usleep(700000);
    sql_run(writer, "INSERT INTO h4 VALUES (2, 2)");
    usleep(700000);
    sql_run(writer, "INSERT INTO h4 VALUES (3, 3); COMMIT");
    client_wait_snapshot(c, v);
    ck_assert_ptr_null(v->error);
    client_sync(c);
    view_must_equal(db, v, "SELECT id, a FROM h4");
    sql_run(writer, "UPDATE h4 SET a = a + 1");
    client_sync(c);
    view_must_equal(db, v, "SELECT id, a FROM h4");
    PQfinish(writer);
}
END_TEST

START_TEST(a_rewrite_under_way_is_waited_for)
{
    PGconn *writer = cluster_connect(cluster);
    sql_run(db, "CREATE TABLE h2(id int PRIMARY KEY, a int); INSERT INTO h2 SELECT g, g FROM "
                "generate_series(1, 5) g");
    sql_run(writer, "BEGIN; ALTER TABLE h2 ALTER a TYPE bigint");
    struct view *v = client_subscribe(c, "v", "SELECT id FROM h2");
    usleep(1200000);
    sql_run(writer, "COMMIT");
    client_wait_snapshot(c, v);
    ck_assert_ptr_null(v->error);
    client_sync(c);
    view_must_equal(db, v, "SELECT id FROM h2");
    PQfinish(writer);
}
END_TEST

START_TEST(a_truncate_under_way_is_waited_for)
{
    PGconn *writer = cluster_connect(cluster);
    sql_run(db, "CREATE TABLE h2t(id int PRIMARY KEY, a int); INSERT INTO h2t SELECT g, g FROM "
                "generate_series(1, 5) g");
    struct view *first = live("first", "SELECT id FROM h2t");
    sql_run(writer, "BEGIN; TRUNCATE h2t; INSERT INTO h2t VALUES (9, 9)");
    struct view *v = client_subscribe(c, "v", "SELECT id, a FROM h2t");
    usleep(700000);
    sql_run(writer, "COMMIT");
    client_wait_snapshot(c, v);
    client_sync(c);
    view_must_equal(db, first, "SELECT id FROM h2t");
    view_must_equal(db, v, "SELECT id, a FROM h2t");
    PQfinish(writer);
}
END_TEST

START_TEST(a_transaction_prepared_before_the_snapshot_arrives_when_it_commits)
{
    sql_run(db, "CREATE TABLE h5(id int PRIMARY KEY, a int, b int); INSERT INTO h5 VALUES (1,1,1)");
    struct view *first = live("first", "SELECT id, a FROM h5");
    sql_run(db, "BEGIN; INSERT INTO h5 VALUES (2, 2, 2); UPDATE h5 SET b = 7 WHERE id = 1;"
                "PREPARE TRANSACTION 'h5'");
    struct view *second = live("second", "SELECT id, b FROM h5");
    view_must_equal(db, second, "SELECT id, b FROM h5");
    sql_run(db, "INSERT INTO h5 VALUES (3, 3, 3)");
    client_sync(c);
    sql_run(db, "COMMIT PREPARED 'h5'");
    client_sync(c);
    view_must_equal(db, first, "SELECT id, a FROM h5");
    view_must_equal(db, second, "SELECT id, b FROM h5");
}
END_TEST

START_TEST(writers_flat_out_while_plans_are_seeded)
{
    enum {
        PLANS = 12
    };
    struct view *v[PLANS];
    char sql[PLANS][128];
    sql_run(db, "CREATE TABLE busy(id bigserial PRIMARY KEY, k int, v int);"
                "INSERT INTO busy(k, v) SELECT g %% 7, g FROM generate_series(1, 20000) g");
    PGconn *w[3];
    for (int i = 0; i < 3; i++) {
        w[i] = cluster_connect(cluster);
        char text[512];
        snprintf(text, sizeof text,
                 "DO $$ BEGIN FOR i IN 1..3000 LOOP INSERT INTO busy(k, v) VALUES (i %% 7, i); "
                 "UPDATE busy SET v = v + 1 WHERE id = 1 + (i * 31 + %d * 17) %% 20000; "
                 "IF i %% 10 = 0 THEN DELETE FROM busy WHERE id = 1 + (i * 13 + %d) %% 20000; END "
                 "IF; COMMIT; END LOOP; END $$",
                 i, i);
        ck_assert_int_eq(PQsendQuery(w[i], text), 1);
    }
    for (int i = 0; i < PLANS; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        /* Odd ones need a column that the even ones don't: the table is read again and again. */
        snprintf(sql[i], sizeof sql[i],
                 i % 2 ? "SELECT k, count(*), sum(v) FROM busy WHERE id > %d "
                         "GROUP BY k"
                       : "SELECT k, count(*) FROM busy WHERE k <> %d GROUP BY k",
                 i);
        v[i] = client_subscribe(c, id, sql[i]);
        client_drain(c, 60);
    }
    for (int i = 0; i < 3; i++) {
        PGresult *res;
        while ((res = PQgetResult(w[i])))
            PQclear(res);
        PQfinish(w[i]);
    }
    client_sync(c);
    for (int i = 0; i < PLANS; i++) {
        ck_assert(v[i]->has_snapshot);
        view_must_equal(db, v[i], sql[i]);
    }
}
END_TEST

START_TEST(a_transaction_of_a_million_rows_arrives_as_one)
{
    sql_run(db, "CREATE TABLE huge(id bigint PRIMARY KEY, k int, v int); INSERT INTO huge VALUES "
                "(0, 0, 0)");
    struct view *v = live("v", "SELECT k, count(*), sum(v) FROM huge GROUP BY k");
    c->timeout_ms = 120000;
    sql_run(db, "INSERT INTO huge SELECT g, g %% 3, g FROM generate_series(1, %d) g",
            harness_scale(1000000));
    client_wait_deltas(c, v, 1);
    view_must_equal(db, v, "SELECT k, count(*), sum(v) FROM huge GROUP BY k");
    ck_assert_uint_eq(v->deltas, 1);
    sql_run(db, "DELETE FROM huge WHERE id %% 2 = 0");
    client_sync(c);
    view_must_equal(db, v, "SELECT k, count(*), sum(v) FROM huge GROUP BY k");
}
END_TEST

START_TEST(changes_of_the_table_without_row_messages_are_noticed)
{
    sql_run(db, "CREATE TABLE ddl(id int PRIMARY KEY, a int, gone text);"
                "INSERT INTO ddl SELECT g, g FROM generate_series(1, 5) g;"
                "CREATE TABLE parts(id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);"
                "CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (1);"
                "CREATE TABLE part2(k int NOT NULL, id int NOT NULL, PRIMARY KEY (id, k));"
                "INSERT INTO parts VALUES (1, 1); INSERT INTO part2 VALUES (2, 5), (2, 6)");
    struct view *v = live("v", "SELECT id, a FROM ddl");
    struct view *p = live("p", "SELECT id, k FROM parts");
    sql_run(db, "ALTER TABLE ddl ADD COLUMN extra int DEFAULT 3");
    sql_run(db, "ALTER TABLE ddl DROP COLUMN gone");
    sql_run(db, "ALTER TABLE parts ATTACH PARTITION part2 FOR VALUES IN (2)");
    for (int i = 0; i < 40 && p->deltas == 0; i++)
        client_drain(c, 100);
    client_sync(c);
    view_must_equal(db, p, "SELECT id, k FROM parts");
    sql_run(db, "INSERT INTO parts VALUES (7, 2); UPDATE ddl SET a = 9 WHERE id = 2");
    sql_run(db, "VACUUM FULL ddl");
    client_sync(c);
    view_must_equal(db, v, "SELECT id, a FROM ddl");
    view_must_equal(db, p, "SELECT id, k FROM parts");
    sql_run(db, "ALTER TABLE parts DETACH PARTITION part1");
    usleep(1500000);
    client_sync(c);
    view_must_equal(db, p, "SELECT id, k FROM parts");
    sql_run(db, "DROP TABLE part2");
    usleep(1500000);
    client_sync(c);
    view_must_equal(db, p, "SELECT id, k FROM parts");
    sql_run(db, "CREATE TABLE part3 PARTITION OF parts FOR VALUES IN (3);"
                "INSERT INTO parts VALUES (8, 3)");
    for (int i = 0; i < 40 && p->rows.total == 0; i++)
        client_drain(c, 100);
    view_must_equal(db, p, "SELECT id, k FROM parts");
    ck_assert_ptr_null(p->error);
    sql_run(db, "DROP TABLE ddl");
    for (int i = 0; i < 50 && !v->released; i++)
        client_drain(c, 100);
    ck_assert_ptr_nonnull(v->error);
    ck_assert_ptr_nonnull(strstr(v->error, "42P01"));
}
END_TEST

START_TEST(a_rewrite_right_after_the_rows_were_read_is_noticed)
{
    char sql[300], name[16];
    struct view *v[6];
    for (int i = 0; i < 6; i++) {
        snprintf(sql, sizeof sql,
                 "CREATE TABLE rw%d(id int PRIMARY KEY, a int);"
                 "INSERT INTO rw%d VALUES (1, 1), (2, 2)",
                 i, i);
        sql_run(db, sql);
        snprintf(name, sizeof name, "v%d", i);
        snprintf(sql, sizeof sql, "SELECT id, a FROM rw%d", i);
        v[i] = live(name, sql);
        snprintf(sql, sizeof sql, "ALTER TABLE rw%d ALTER a TYPE int USING a + 100", i);
        sql_run(db, sql);
    }
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 40 && v[i]->deltas == 0; k++)
            client_drain(c, 100);
        snprintf(sql, sizeof sql, "SELECT id, a FROM rw%d", i);
        view_must_equal(db, v[i], sql);
    }
}
END_TEST

/* The second plan has the tables read in their new state, before anyone has looked at the catalog. */
START_TEST(a_change_without_row_messages_is_noticed_by_plans_of_before)
{
    sql_run(db, "CREATE TYPE mood AS ENUM ('glad', 'sad');"
                "CREATE TABLE felt(id int PRIMARY KEY, m mood, x int);"
                "CREATE TABLE scaled(id int PRIMARY KEY, a int, x int);"
                "INSERT INTO felt VALUES (1, 'glad', 1); INSERT INTO scaled VALUES (1, 1, 1)");
    struct view *felt = live("felt", "SELECT id, m FROM felt");
    struct view *scaled = live("scaled", "SELECT id, a FROM scaled");
    sql_run(db, "ALTER TYPE mood RENAME VALUE 'glad' TO 'merry';"
                "ALTER TABLE scaled ALTER a TYPE int USING a * 100");
    live("felt2", "SELECT x FROM felt");
    live("scaled2", "SELECT x FROM scaled");
    sql_run(db, "UPDATE scaled SET a = a + 1; UPDATE felt SET x = 2");
    for (int i = 0; i < 60 && (felt->deltas == 0 || scaled->deltas == 0); i++)
        client_drain(c, 100);
    client_sync(c);
    view_must_equal(db, felt, "SELECT id, m FROM felt");
    view_must_equal(db, scaled, "SELECT id, a FROM scaled");
}
END_TEST

/* The stream names the old rows as they are after the rewrite: rows that no view ever had. */
START_TEST(a_rewritten_table_with_identity_FULL_changes_at_once)
{
    sql_run(db, "CREATE TABLE whole(id int, a int); ALTER TABLE whole REPLICA IDENTITY FULL;"
                "INSERT INTO whole SELECT g, g FROM generate_series(1, 9) g");
    struct view *v = live("v", "SELECT a, count(*) FROM whole GROUP BY a");
    struct view *top = live("top", "SELECT a, id FROM whole ORDER BY a LIMIT 3");
    sql_run(db, "ALTER TABLE whole ALTER a TYPE int USING a * 100");
    sql_run(db, "UPDATE whole SET a = a + 1 WHERE id = 1; DELETE FROM whole WHERE id = 2");
    client_sync(c);
    view_must_equal(db, v, "SELECT a, count(*) FROM whole GROUP BY a");
    view_must_equal(db, top, "SELECT a, id FROM whole ORDER BY a LIMIT 3");
}
END_TEST

START_TEST(a_table_taken_out_of_the_publication_is_put_back)
{
    sql_run(db, "CREATE TABLE unpub(id int PRIMARY KEY); INSERT INTO unpub VALUES (1)");
    struct view *v = live("v", "SELECT id FROM unpub");
    sql_run(db, "ALTER PUBLICATION palimpsest DROP TABLE unpub; INSERT INTO unpub VALUES (2)");
    for (int k = 0; k < 40 && v->deltas == 0; k++)
        client_drain(c, 100);
    sql_run(db, "INSERT INTO unpub VALUES (3)");
    client_sync(c);
    view_must_equal(db, v, "SELECT id FROM unpub");
    /* By somebody else, before anyone has looked. */
    unsigned before = v->deltas;
    sql_run(db, "ALTER PUBLICATION palimpsest DROP TABLE unpub");
    sql_run(db, "INSERT INTO unpub VALUES (4)");
    sql_run(db, "ALTER PUBLICATION palimpsest ADD TABLE unpub");
    for (int k = 0; k < 40 && v->deltas == before; k++)
        client_drain(c, 100);
    view_must_equal(db, v, "SELECT id FROM unpub");
}
END_TEST

START_TEST(a_table_without_partitions_may_get_some_or_go)
{
    sql_run(db, "CREATE TABLE bare(id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k)");
    struct view *v = live("v", "SELECT id, k FROM bare");
    sql_run(db, "CREATE TABLE bare1 PARTITION OF bare DEFAULT; INSERT INTO bare VALUES (1, 1)");
    for (int k = 0; k < 40 && v->deltas == 0; k++)
        client_drain(c, 100);
    view_must_equal(db, v, "SELECT id, k FROM bare");
    sql_run(db, "DROP TABLE bare1");
    for (int k = 0; k < 40 && v->deltas < 2; k++)
        client_drain(c, 100);
    view_must_equal(db, v, "SELECT id, k FROM bare");
    sql_run(db, "DROP TABLE bare");
    for (int k = 0; k < 40 && !v->released; k++)
        client_drain(c, 100);
    ck_assert_ptr_nonnull(v->error);
    ck_assert_ptr_nonnull(strstr(v->error, "42P01"));
}
END_TEST

START_TEST(children_of_a_table_count_but_not_for_ONLY)
{
    sql_run(db, "CREATE TABLE par(id int PRIMARY KEY, v int); INSERT INTO par VALUES (1, 1);"
                "CREATE TABLE kid(id int PRIMARY KEY, v int, more text);"
                "INSERT INTO kid VALUES (2, 2, 'x')");
    struct view *all = live("all", "SELECT id, v FROM par");
    struct view *only = live("only", "SELECT id, v FROM ONLY par");
    sql_run(db, "ALTER TABLE kid INHERIT par");
    for (int i = 0; i < 40 && all->deltas == 0; i++)
        client_drain(c, 100);
    sql_run(db, "UPDATE par SET v = v + 1");
    client_sync(c);
    view_must_equal(db, all, "SELECT id, v FROM par");
    view_must_equal(db, only, "SELECT id, v FROM ONLY par");
}
END_TEST

START_TEST(a_view_redefined_changes_what_is_read_through_it)
{
    sql_run(db, "CREATE TABLE under(id int PRIMARY KEY, v int);"
                "INSERT INTO under VALUES (1, 1), (2, 2);"
                "CREATE VIEW over AS SELECT id, v FROM under WHERE v > 1");
    struct view *v = live("through", "SELECT id, v FROM over");
    struct view *direct = live("direct", "SELECT id, v FROM under WHERE v > 1");
    sql_run(db, "CREATE OR REPLACE VIEW over AS SELECT id, v FROM under WHERE v < 2");
    struct view *next = live("next", "SELECT id, v FROM over");
    view_must_equal(db, next, "SELECT id, v FROM over");
    for (int i = 0; i < 40 && v->deltas == 0; i++)
        client_drain(c, 100);
    view_must_equal(db, v, "SELECT id, v FROM over");
    ck_assert_uint_eq(v->snapshots, 1);
    sql_run(db, "INSERT INTO under VALUES (3, 3), (0, 0)");
    client_sync(c);
    view_must_equal(db, v, "SELECT id, v FROM over");
    view_must_equal(db, next, "SELECT id, v FROM over");
    view_must_equal(db, direct, "SELECT id, v FROM under WHERE v > 1");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("hand-over");
    TCase *t = tcase_create("hand-over");
    tcase_set_timeout(t, 240);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_commit_decoded_before_any_snapshot_shows_it_is_not_lost);
    tcase_add_test(t, a_transaction_open_while_its_table_is_published_arrives_whole);
    tcase_add_test(t, a_rewrite_under_way_is_waited_for);
    tcase_add_test(t, a_truncate_under_way_is_waited_for);
    tcase_add_test(t, a_transaction_prepared_before_the_snapshot_arrives_when_it_commits);
    tcase_add_test(t, writers_flat_out_while_plans_are_seeded);
    tcase_add_test(t, a_transaction_of_a_million_rows_arrives_as_one);
    tcase_add_test(t, changes_of_the_table_without_row_messages_are_noticed);
    tcase_add_test(t, a_rewrite_right_after_the_rows_were_read_is_noticed);
    tcase_add_test(t, a_change_without_row_messages_is_noticed_by_plans_of_before);
    tcase_add_test(t, a_rewritten_table_with_identity_FULL_changes_at_once);
    tcase_add_test(t, a_table_taken_out_of_the_publication_is_put_back);
    tcase_add_test(t, a_table_without_partitions_may_get_some_or_go);
    tcase_add_test(t, children_of_a_table_count_but_not_for_ONLY);
    tcase_add_test(t, a_view_redefined_changes_what_is_read_through_it);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const settings[] = {"wal_writer_delay = 10s", NULL};
    harness_pg_settings = settings;
    return harness_main(suite());
}
