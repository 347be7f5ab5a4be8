/*
 * Storms, in small: many connections, and many statements, at once. What 10,000 connections cost is
 * measured by tests/bench/bench_load.c; here is what must not depend on how many there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
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
    struct client *c = client_connect(daemon_under_test->port);
    c->timeout_ms = 60000;
    return c;
}

static long status_number(struct client *c, const char *member)
{
    char key[64];
    client_send(c, "STATUS");
    char *line = client_expect_prefix(c, "STATUS ");
    snprintf(key, sizeof key, "\"%s\":", member);
    char *p = strstr(line, key);
    if (!p)
        die("STATUS has no %s: %s", member, line);
    long v = strtol(p + strlen(key), NULL, 10);
    free(line);
    return v;
}

/* ---- statements ---------------------------------------------------------------------------- */

#define STATEMENTS 300

START_TEST(equal_statements_that_wait_are_analysed_once)
{
    struct client *c = new_client(), *look = new_client();
    struct view *v[3 * STATEMENTS];
    sql_run(db, "CREATE TABLE many(id int PRIMARY KEY, v int); INSERT INTO many SELECT g, 0 FROM "
                "generate_series(1, 300) g");
    long before = status_number(look, "statements_analysed");
    for (int i = 0; i < 3 * STATEMENTS; i++) {
        char id[16], sql[80];
        snprintf(id, sizeof id, "s%d", i);
        snprintf(sql, sizeof sql, "SELECT v FROM many WHERE id = %d", i % STATEMENTS + 1);
        v[i] = client_subscribe(c, id, sql);
    }
    for (int i = 0; i < 3 * STATEMENTS; i++)
        client_wait_snapshot(c, v[i]);
    long asked = status_number(look, "statements_analysed") - before;
    ck_assert_int_ge(asked, STATEMENTS);
    ck_assert_int_le(asked, STATEMENTS * 3 / 2);
    ck_assert_int_eq(status_number(look, "plans"), STATEMENTS);
    sql_run(db, "UPDATE many SET v = id");
    client_sync(c);
    for (int i = 0; i < 3 * STATEMENTS; i++)
        ck_assert_uint_eq(v[i]->deltas, 1);
    client_close(c);
    client_close(look);
}
END_TEST

/* The answer that the first one got is not for who asks after the view was made anew, though
 * statements have been waiting all the time. */
START_TEST(what_was_asked_before_a_change_is_asked_again_after_it)
{
    struct client *busy = new_client(), *c = new_client();
    sql_run(db, "CREATE TABLE under(id int PRIMARY KEY); INSERT INTO under VALUES (1);"
                "CREATE VIEW over AS SELECT id AS no0 FROM under");
    for (int round = 1; round <= 3; round++) {
        struct view *last = NULL, *before, *after;
        char id[16], sql[80], want[16];
        snprintf(id, sizeof id, "before%d", round);
        before = client_subscribe(c, id, "SELECT * FROM over");
        for (int i = 0; i < 100; i++) {
            snprintf(id, sizeof id, "b%d_%d", round, i);
            snprintf(sql, sizeof sql, "SELECT id + %d FROM under", round * 100 + i);
            last = client_subscribe(busy, id, sql);
        }
        while (!before->accepted)
            client_drain(c, 1);
        sql_run(db, "DROP VIEW over; CREATE VIEW over AS SELECT id AS no%d FROM under", round);
        snprintf(id, sizeof id, "after%d", round);
        after = client_subscribe(c, id, "SELECT * FROM over");
        client_wait_snapshot(c, after);
        snprintf(want, sizeof want, "\"no%d\"", round);
        if (!after->accepted || !strstr(after->accepted, want))
            die("not %s: %s", want, after->accepted ? after->accepted : after->error);
        client_wait_snapshot(busy, last);
    }
    client_close(busy);
    client_close(c);
}
END_TEST

/* ---- connections --------------------------------------------------------------------------- */

#define CROWD 300

/* All subscribe a statement that nobody has had before, most of them leave before it is there. */
START_TEST(a_crowd_that_leaves_while_its_plan_is_made_leaves_nothing)
{
    struct client *look = new_client(), *crowd[CROWD];
    sql_run(db, "CREATE TABLE crowded(id int PRIMARY KEY, v int); "
                "INSERT INTO crowded SELECT g, g FROM generate_series(1, 20000) g");
    for (int round = 0; round < 3; round++) {
        sql_run(db, "BEGIN; LOCK TABLE crowded IN ACCESS EXCLUSIVE MODE");
        struct view *last = NULL;
        for (int i = 0; i < CROWD; i++) {
            char sql[2][80];
            crowd[i] = client_connect(daemon_under_test->port);
            snprintf(sql[0], sizeof *sql, "SELECT count(*) + %d FROM crowded", round);
            snprintf(sql[1], sizeof *sql, "SELECT sum(v) + %d FROM crowded", round);
            client_subscribe(crowd[i], "a", sql[0]);
            struct view *v = client_subscribe(crowd[i], "b", sql[1]);
            last = last ? last : v;
        }
        for (int i = 1; i < CROWD; i++)
            client_close(crowd[i]);
        sql_run(db, "COMMIT");
        client_wait_snapshot(*crowd, last);
        client_close(*crowd);
        while (status_number(look, "connections") > 1 || status_number(look, "plans") > 0)
            client_drain(look, 5);
        ck_assert_int_eq(status_number(look, "subscriptions"), 0);
    }
    client_close(look);
}
END_TEST

/* More than are written to, and more than are taken apart, in one turn of a loop. Some are gone while
 * the others are being told. */
START_TEST(a_commit_that_concerns_a_crowd_reaches_all_who_stay)
{
    struct client *look = new_client(), **crowd = xcalloc(2 * CROWD, sizeof *crowd);
    struct view **views = xcalloc(2 * CROWD, sizeof *views);
    sql_run(db, "CREATE TABLE told(id int PRIMARY KEY, v int); INSERT INTO told VALUES (1, 0)");
    for (int i = 0; i < 2 * CROWD; i++) {
        crowd[i] = new_client();
        views[i] = client_subscribe(crowd[i], "t", "SELECT id, v FROM told");
    }
    for (int i = 0; i < 2 * CROWD; i++)
        client_wait_snapshot(crowd[i], views[i]);
    for (int round = 1; round <= 10; round++) {
        sql_run(db, "UPDATE told SET v = %d", round);
        for (int i = round - 1; i < 2 * CROWD; i += 10)
            if (i % 20 == round - 1)
                client_close(crowd[i]), crowd[i] = NULL;
    }
    for (int i = 0; i < 2 * CROWD; i++) {
        if (!crowd[i])
            continue;
        client_sync(crowd[i]);
        view_must_equal(db, views[i], "SELECT id, v FROM told");
        client_close(crowd[i]);
    }
    while (status_number(look, "connections") > 1 || status_number(look, "plans") > 0)
        client_drain(look, 5);
    client_close(look);
    free(crowd);
    free(views);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("storms");
    TCase *t = tcase_create("storms");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, connect_db, disconnect_db);
    tcase_add_test(t, equal_statements_that_wait_are_analysed_once);
    tcase_add_test(t, what_was_asked_before_a_change_is_asked_again_after_it);
    tcase_add_test(t, a_crowd_that_leaves_while_its_plan_is_made_leaves_nothing);
    tcase_add_test(t, a_commit_that_concerns_a_crowd_reaches_all_who_stay);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return harness_main(suite());
}
