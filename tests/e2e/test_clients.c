/*
 * Clients of all kinds: bad input, limits, slow readers, half-closed connections. Whatever one of
 * them does, it gets a clear error, and neither its connection nor the others are lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    return client_connect(daemon_under_test->port);
}

static void must_answer(struct client *c, const char *request, const char *prefix)
{
    client_send(c, "%s", request);
    char *line = client_read_line(c);
    if (!line || strncmp(line, prefix, strlen(prefix)) != 0)
        die("%s was answered by %s, not %s", request, line ? line : "the end", prefix);
    free(line);
}

START_TEST(bad_requests_get_an_error_and_nothing_is_lost)
{
    static const char *const cases[][2] = {
        {"", "ERROR - 08P01"},
        {"NONSENSE", "ERROR - 08P01"},
        {"SUBSCRIBE", "ERROR - 08P01"},
        {"SUBSCRIBE a", "ERROR a 08P01"},
        {"SUBSCRIBE b@d SELECT 1", "ERROR - 08P01"},
        {"RELEASE nobody", "ERROR nobody 42704"},
        {"{", "ERROR - 08P01"},
        {"{\"op\":\"subscribe\"}", "ERROR - 08P01"},
        {"{\"op\":\"fly\",\"id\":\"x\"}", "ERROR "},
        {"{\"op\":\"subscribe\",\"id\":\"j\",\"sql\":\"SELECT 1\",\"since\":\"0-1\"}",
         "ERROR j 08P01"},
        {"{\"op\":\"subscribe\",\"id\":\"j\",\"sql\":\"SELECT 1\",\"min_interval_ms\":86400001}",
         "ERROR j 08P01"},
        {"SUBSCRIBE n @named", "ERROR n 0A000"},
        {"AUTH u p", "ERROR - 0A000"},
        {"MARKS maybe", "ERROR - 08P01"},
        {"VERIFY v", "ERROR v 42704"},
        {"PROGRESS maybe", "ERROR - 08P01"},
        {"SYNC 12", "ERROR - 08P01"},
        {"SUBSCRIBE s SELEKT 1", "ERROR s 42601"},
        {"SUBSCRIBE s SELECT * FROM no_such_table", "ERROR s 42P01"},
        {"SUBSCRIBE s SELECT 1; SELECT 2", "ERROR s 42601"},
        {"SUBSCRIBE s SELECT nothing FROM pg_class", "ERROR s 42703"},
        {"SUBSCRIBE s SELECT relname FROM pg_class", "ERROR s 0A000"},
        {"SUBSCRIBE s INSERT INTO x VALUES (1)", "ERROR s "},
        {"SUBSCRIBE s DROP TABLE x", "ERROR s 0A000"},
        {"SUBSCRIBE s BEGIN", "ERROR s 0A000"},
        {"SUBSCRIBE s SELECT random()", "ERROR s 0A000"},
        {"SUBSCRIBE s SELECT $1::int", "ERROR s "},
        {"SUBSCRIBE s SELECT 1 /* open", "ERROR s 42601"},
        {"SUBSCRIBE s SELECT 'open", "ERROR s 42601"},
    };
    struct client *c = new_client();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (*cases[i][0])
            must_answer(c, cases[i][0], cases[i][1]);
        must_answer(c, "ping Still.There", "PONG Still.There");
    }
    client_close(c);
}
END_TEST

START_TEST(statements_with_comments_and_semicolons_are_fine)
{
    struct client *c = new_client();
    static const char *const fine[] = {"SELECT 1;",    "SELECT 1 -- one", "SELECT /* ; */ 1",
                                       "select ';--'", "(SELECT 1)",      "VALUES (1), (2)"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        char id[8];
        snprintf(id, sizeof id, "f%zu", i);
        struct view *v = client_subscribe(c, id, fine[i]);
        client_wait_snapshot(c, v);
        if (v->error && !strstr(v->error, "VALUES"))
            die("%s: %s", fine[i], v->error);
    }
    client_close(c);
}
END_TEST

START_TEST(an_id_lives_once)
{
    struct client *c = new_client();
    struct view *v = client_subscribe(c, "one", "SELECT 1");
    client_wait_snapshot(c, v);
    must_answer(c, "SUBSCRIBE one SELECT 2", "ERROR one 42710");
    must_answer(c, "RELEASE one", "RELEASED one");
    must_answer(c, "RELEASE one", "ERROR one 42704");
    client_close(c);
    c = new_client(); /* one connection's ids mean nothing to another */
    v = client_subscribe(c, "one", "SELECT 1");
    client_wait_snapshot(c, v);
    ck_assert_ptr_null(v->error);
    client_close(c);
}
END_TEST

START_TEST(released_while_being_analysed_no_line_bears_the_id)
{
    struct client *c = new_client();
    sql_run(db, "CREATE TABLE quick(id int PRIMARY KEY); INSERT INTO quick VALUES (1)");
    for (int i = 0; i < 50; i++) {
        client_send(c, "SUBSCRIBE x%d SELECT count(*) FROM quick\nRELEASE x%d", i, i);
        for (bool released = false; !released;) {
            char *line = client_read_line(c), want[32];
            snprintf(want, sizeof want, "RELEASED x%d", i);
            released = strcmp(line, want) == 0;
            free(line);
        }
    }
    client_send(c, "PING end");
    char *line = client_read_line(c);
    ck_assert_str_eq(line, "PONG end");
    free(line);
    client_close(c);
}
END_TEST

START_TEST(garbage_bytes_are_refused_line_by_line)
{
    struct client *c = new_client();
    client_send_bytes(c, "PING a\0b\n", 9);
    client_send_bytes(c, "PING \xff\xfe\n", 8);
    client_send_bytes(c, "PING ok\r\n", 9);
    for (int i = 0; i < 2; i++) {
        char *line = client_read_line(c);
        ck_assert_int_eq(strncmp(line, "ERROR - 08P01", 13), 0);
        free(line);
    }
    char *line = client_read_line(c);
    ck_assert_str_eq(line, "PONG ok");
    free(line);
    client_close(c);
}
END_TEST

START_TEST(a_line_too_long_is_refused_and_skipped)
{
    struct client *c = new_client();
    char *big = malloc(3 << 20);
    memset(big, 'x', 3 << 20);
    big[(3 << 20) - 1] = '\n';
    client_send_bytes(c, big, 3 << 20);
    char *line = client_read_line(c);
    ck_assert_int_eq(strncmp(line, "ERROR - 08P01", 13), 0);
    free(line);
    must_answer(c, "PING", "PONG");
    free(big);
    client_close(c);
}
END_TEST

START_TEST(one_byte_at_a_time_is_a_request_too)
{
    struct client *c = new_client();
    const char *s = "PING slow\n";
    for (; *s; s++) {
        client_send_bytes(c, s, 1);
        usleep(2000);
    }
    char *line = client_read_line(c);
    ck_assert_str_eq(line, "PONG slow");
    free(line);
    client_close(c);
}
END_TEST

START_TEST(too_many_connections_are_refused_with_53300)
{
    struct client *c[60];
    int refused = 0;
    for (int i = 0; i < 60; i++) {
        c[i] = client_connect(daemon_under_test->port);
        char *line = client_try_line(c[i], i < 40 ? 0 : 1000, NULL);
        refused += line && strncmp(line, "ERROR - 53300", 13) == 0;
        free(line);
    }
    ck_assert_int_ge(refused, 20); /* listen.max_connections is 40 here */
    for (int i = 0; i < 60; i++)
        client_close(c[i]);
    for (int i = 0; i < 100; i++) { /* room again */
        struct client *again = client_connect(daemon_under_test->port);
        client_send(again, "PING");
        char *line = client_read_line(again);
        bool ok = line && strncmp(line, "PONG", 4) == 0;
        free(line);
        client_close(again);
        if (ok)
            return;
        usleep(20000);
    }
    ck_abort_msg("no room after all had gone");
}
END_TEST

START_TEST(too_many_subscriptions_are_refused_with_53400)
{
    struct client *c = new_client();
    for (int i = 0; i < 25; i++)
        client_send(c, "SUBSCRIBE s%d SELECT %d", i, i);
    int refused = 0, snapshots = 0;
    while (refused + snapshots < 25) {
        char *line = client_read_line(c);
        refused += strncmp(line, "ERROR ", 6) == 0 && strstr(line, " 53400 ") != NULL;
        snapshots += strncmp(line, "SNAPSHOT ", 9) == 0;
        free(line);
    }
    ck_assert_int_eq(refused, 5); /* limits.subscriptions_per_connection is 20 here */
    client_close(c);
}
END_TEST

START_TEST(a_result_too_large_is_refused_with_53400)
{
    sql_run(db, "CREATE TABLE wide(id int PRIMARY KEY); INSERT INTO wide SELECT generate_series(1, "
                "30000)");
    struct client *c = new_client();
    struct view *v = client_subscribe(c, "w", "SELECT id FROM wide");
    client_wait_snapshot(c, v);
    ck_assert_ptr_nonnull(v->error); /* limits.result_rows is 20000 here */
    ck_assert_ptr_nonnull(strstr(v->error, "53400"));
    struct view *ok = client_subscribe(c, "ok", "SELECT id FROM wide WHERE id <= 20000");
    client_wait_snapshot(c, ok);
    ck_assert(ok->has_snapshot);
    sql_run(db, "INSERT INTO wide VALUES (0)");
    while (!ok->released) {
        char *line = client_read_line(c);
        ck_assert(client_apply(c, line));
    }
    ck_assert_ptr_nonnull(strstr(ok->error, "53400"));
    client_close(c);
}
END_TEST

START_TEST(a_slow_reader_is_resynchronised_and_delays_nobody)
{
    sql_run(db, "CREATE TABLE slow(id int PRIMARY KEY, t text);"
                "INSERT INTO slow SELECT g, repeat('x', 200) FROM generate_series(1, 2000) g");
    struct client *slow = new_client(), *quick = new_client();
    struct view *vs = client_subscribe(slow, "s", "SELECT id, t FROM slow");
    struct view *vq = client_subscribe(quick, "q", "SELECT id, t FROM slow");
    client_wait_snapshot(slow, vs);
    client_wait_snapshot(quick, vq);
    quick->timeout_ms = 30000;
    for (int i = 0; i < 60; i++) { /* 60 deltas of a MB; the slow one reads nothing */
        sql_run(db, "UPDATE slow SET t = repeat(chr(97 + %d), 200)", i % 26);
        client_wait_deltas(quick, vq, (unsigned)i + 1);
    }
    slow->timeout_ms = 30000;
    client_sync(slow);
    view_must_equal(db, vs, "SELECT id, t FROM slow");
    ck_assert_uint_lt(vs->deltas, 60);
    sql_run(db, "DELETE FROM slow WHERE id > 10");
    client_sync(slow);
    view_must_equal(db, vs, "SELECT id, t FROM slow");
    client_close(slow);
    client_close(quick);
}
END_TEST

START_TEST(quit_answers_everything_first)
{
    struct client *c = new_client();
    client_send(c, "QUERY q SELECT 1\nPING x\nQUIT");
    bool snapshot = false, bye = false;
    char *line;
    while ((line = client_read_line(c))) {
        ck_assert(!bye);
        snapshot |= strncmp(line, "SNAPSHOT q", 10) == 0;
        bye = strcmp(line, "BYE") == 0;
        free(line);
    }
    ck_assert(snapshot && bye);
    client_close(c);
}
END_TEST

START_TEST(a_half_closed_connection_still_gets_its_answers)
{
    struct client *c = new_client();
    client_send(c, "QUERY q SELECT 1\nSUBSCRIBE s SELECT 2");
    shutdown(c->fd, SHUT_WR);
    int snapshots = 0;
    char *line;
    while ((line = client_read_line(c))) {
        snapshots += strncmp(line, "SNAPSHOT ", 9) == 0;
        free(line);
    }
    ck_assert_int_eq(snapshots, 2);
    client_close(c);
}
END_TEST

START_TEST(ten_thousand_pipelined_requests_are_all_answered)
{
    struct client *c = new_client();
    struct buf b;
    buf_init(&b);
    for (int i = 0; i < 10000; i++)
        buf_addf(&b, "PING %d\n", i);
    client_send_bytes(c, b.data, b.len);
    for (int i = 0; i < 10000; i++) {
        char want[32], *line = client_read_line(c);
        snprintf(want, sizeof want, "PONG %d", i);
        ck_assert_str_eq(line, want);
        free(line);
    }
    buf_fini(&b);
    client_close(c);
}
END_TEST

START_TEST(tables_that_cannot_be_kept_live_are_refused_by_name)
{
    sql_run(db, "CREATE TABLE noid(a int); INSERT INTO noid VALUES (1);"
                "CREATE UNLOGGED TABLE unlog(a int PRIMARY KEY);"
                "CREATE MATERIALIZED VIEW mat AS SELECT 1 AS a;"
                "CREATE TABLE rls(a int PRIMARY KEY); CREATE ROLE reader LOGIN;");
    struct client *c = new_client();
    static const char *const cases[][3] = {
        {"n", "SELECT * FROM unlog", "unlogged"},
        {"m", "SELECT * FROM mat", "materialized"},
        {"i", "SELECT * FROM noid", "REPLICA IDENTITY FULL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct view *v = client_subscribe(c, cases[i][0], cases[i][1]);
        client_wait_snapshot(c, v);
        ck_assert_ptr_nonnull(v->error);
        if (!strstr(v->error, cases[i][2]))
            die("%s: %s", cases[i][1], v->error);
    }
    /* And the application's own writes to the table without identity go on. */
    sql_run(db, "UPDATE noid SET a = 2; DELETE FROM noid");
    client_close(c);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("clients");
    TCase *t = tcase_create("clients");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, connect_db, disconnect_db);
    tcase_add_test(t, bad_requests_get_an_error_and_nothing_is_lost);
    tcase_add_test(t, statements_with_comments_and_semicolons_are_fine);
    tcase_add_test(t, an_id_lives_once);
    tcase_add_test(t, released_while_being_analysed_no_line_bears_the_id);
    tcase_add_test(t, garbage_bytes_are_refused_line_by_line);
    tcase_add_test(t, a_line_too_long_is_refused_and_skipped);
    tcase_add_test(t, one_byte_at_a_time_is_a_request_too);
    tcase_add_test(t, too_many_connections_are_refused_with_53300);
    tcase_add_test(t, too_many_subscriptions_are_refused_with_53400);
    tcase_add_test(t, a_result_too_large_is_refused_with_53400);
    tcase_add_test(t, a_slow_reader_is_resynchronised_and_delays_nobody);
    tcase_add_test(t, quit_answers_everything_first);
    tcase_add_test(t, a_half_closed_connection_still_gets_its_answers);
    tcase_add_test(t, ten_thousand_pipelined_requests_are_all_answered);
    tcase_add_test(t, tables_that_cannot_be_kept_live_are_refused_by_name);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    static const char *const sets[] = {"listen.max_connections=40",
                                       "limits.subscriptions_per_connection=20",
                                       "limits.result_rows=20000", "limits.output_bytes=4M", NULL};
    harness_daemon_sets = sets;
    return harness_main(suite());
}
