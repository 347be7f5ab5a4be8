/*
 * The network between the daemon and Postgres: it stalls without closing anything, cuts, closes one
 * way only, and gives out its bytes one by one, for each kind of session. Clients notice nothing but
 * the time it takes; what changed meanwhile is an ordinary DELTA.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/cluster.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/proxy.h"
#include "tests/e2e/waiting.h"

static struct proxy *net;
static struct daemon_proc *d;
static PGconn *db;
static struct client *c;

static void begin(void)
{
    static const char *const sets[] = {"postgres.silence_timeout=400ms",
                                       "postgres.connect_timeout=500ms",
                                       "postgres.statement_timeout=1s",
                                       "postgres.delegate_timeout=500ms",
                                       "engine.rerun_timeout=500ms",
                                       "postgres.reconnect_max=200ms",
                                       NULL};
    db = cluster_connect(cluster);
    net = proxy_start(cluster);
    d = daemon_start(proxy_conninfo(net), sets, true);
    c = client_connect(d->port);
    c->timeout_ms = 40000;
}

static void end(void)
{
    client_close(c);
    daemon_free(d);
    proxy_free(net);
    PQfinish(db);
}

/* Everything is as it should be, and has been told as differences. */
static void must_be_right(struct view *v, const char *sql)
{
    sync_when_back(c);
    view_must_equal(db, v, sql);
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_uint_eq(v->resyncs, 0);
}

START_TEST(a_silent_stream_is_given_up)
{
    const char *sql = "SELECT id, a FROM silent";
    sql_run(db, "CREATE TABLE silent(id int PRIMARY KEY, a int); INSERT INTO silent VALUES (1, 1)");
    struct view *v = client_live(c, "v", sql);
    proxy_set(net, "replication", PROXY_STALL, 0);
    sql_run(db, "INSERT INTO silent VALUES (2, 2)");
    wait_for_status(d->port, "\"postgres\":\"connecting\",\"postgres_error\":\"Postgres has been "
                             "silent for 400 ms\"");
    sql_run(db, "INSERT INTO silent VALUES (3, 3)");
    wait_for_log(d, "no stream from Postgres: timeout while connecting");
    int attempts = proxy_count(net, "replication");
    while (proxy_count(net, "replication") < attempts + 2)
        usleep(20000);
    proxy_set(net, "replication", PROXY_PASS, 0);
    client_wait_deltas(c, v, 1);
    must_be_right(v, sql);
    ck_assert_int_eq(daemon_log_count(d, "Postgres has been silent"), 1);
    ck_assert_int_eq(daemon_log_count(d, "timeout while connecting"), 1);
}
END_TEST

START_TEST(a_stream_that_stalls_within_a_transaction)
{
    const char *sql = "SELECT count(*), sum(id) FROM within";
    sql_run(db, "CREATE TABLE within(id int PRIMARY KEY)");
    struct view *v = client_live(c, "v", sql);
    proxy_set(net, "replication", PROXY_STALL, 5000);
    sql_run(db, "INSERT INTO within SELECT generate_series(1, 1000)");
    wait_for_log(d, "Postgres has been silent");
    proxy_set(net, "replication", PROXY_PASS, 0);
    client_wait_deltas(c, v, 1);
    must_be_right(v, sql);
    ck_assert_uint_eq(v->deltas, 1);
}
END_TEST

START_TEST(an_analysis_is_not_waited_for_without_end)
{
    const char *sql = "SELECT id FROM analysed";
    sql_run(db, "CREATE TABLE analysed(id int PRIMARY KEY)");
    struct view *v = client_live(c, "v", sql);
    proxy_set(net, "analyst", PROXY_STALL, 100);
    struct view *w = client_subscribe(c, "w", "SELECT count(*) FROM analysed");
    sql_run(db, "INSERT INTO analysed VALUES (1)");
    client_wait_deltas(c, v, 1); /* the others go on meanwhile */
    client_wait_snapshot(c, w);
    ck_assert_int_eq(strncmp(w->error, "57P03", 5), 0);
    proxy_set(net, "analyst", PROXY_PASS, 0);
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof id, "x%d", i);
        struct view *x = client_subscribe(c, id, "SELECT count(*) FROM analysed");
        client_wait_snapshot(c, x);
        if (x->has_snapshot)
            break;
        ck_assert_int_eq(strncmp(x->error, "57P03", 5), 0);
        usleep(50000);
    }
    must_be_right(v, sql);
}
END_TEST

START_TEST(a_table_is_read_again)
{
    const char *sql = "SELECT count(*), sum(id) FROM big";
    sql_run(db, "CREATE TABLE big(id int PRIMARY KEY, t text);"
                "INSERT INTO big SELECT g, repeat('x', 50) FROM generate_series(1, 20000) g");
    proxy_set(net, "tables", PROXY_STALL, 30000); /* in the middle of the rows */
    struct view *v = client_subscribe(c, "v", sql);
    wait_for_status(d->port, "\"tables_error\":\"Postgres did not answer in time\"");
    proxy_set(net, "tables", PROXY_PASS, 0);
    client_wait_snapshot(c, v);
    must_be_right(v, sql);
    wait_for_status(d->port, "\"tables_waiting\":0,\"tables_error\":null");
}
END_TEST

START_TEST(a_sync_and_the_catalog_survive_it)
{
    const char *sql = "SELECT id, a FROM watched";
    sql_run(db,
            "CREATE TABLE watched(id int PRIMARY KEY, a int); INSERT INTO watched VALUES (1, 1)");
    struct view *v = client_live(c, "v", sql);
    proxy_set(net, "watch", PROXY_STALL, 0);
    client_send(c, "SYNC");
    char *line = client_expect_prefix(c, "ERROR - 57P03 ");
    free(line);
    proxy_set(net, "watch", PROXY_PASS, 0);
    sql_run(db, "ALTER TABLE watched ALTER a SET DATA TYPE int USING a + 1");
    client_wait_deltas(c, v, 1); /* which only the catalog tells */
    must_be_right(v, sql);
}
END_TEST

START_TEST(a_question_of_a_plan_is_asked_again)
{
    const char *sql = "SELECT id, twice(id) FROM asked";
    sql_run(db, "CREATE TABLE asked(id int PRIMARY KEY); INSERT INTO asked VALUES (1);"
                "CREATE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql IMMUTABLE "
                "AS 'BEGIN RETURN 2 * $1; END'");
    struct view *v = client_live(c, "v", sql);
    proxy_set(net, "delegate", PROXY_STALL, 0);
    sql_run(db, "INSERT INTO asked VALUES (2), (3)");
    wait_for_log(d, "a question to Postgres went unanswered: Postgres did not answer in time");
    sql_run(db, "DELETE FROM asked WHERE id = 1");
    proxy_set(net, "delegate", PROXY_PASS, 0);
    client_wait_deltas(c, v, 1);
    must_be_right(v, sql);
}
END_TEST

START_TEST(a_rerun_is_run_again)
{
    const char *sql = "SELECT count(*) FROM run WHERE now() > '2000-01-01'";
    sql_run(db, "CREATE TABLE run(id int PRIMARY KEY); INSERT INTO run VALUES (1)");
    struct view *v = client_live(c, "v", sql);
    proxy_set(net, "rerun", PROXY_STALL, 0);
    sql_run(db, "INSERT INTO run VALUES (2), (3)");
    wait_for_log(d, "could not be run again: Postgres did not answer in time");
    proxy_set(net, "rerun", PROXY_PASS, 0);
    client_wait_deltas(c, v, 1);
    must_be_right(v, sql);
}
END_TEST

/* Every kind of session is in use by these. */
static const char *const all_kinds[] = {
    "SELECT k, count(*), sum(id) FROM mixed GROUP BY k",
    "SELECT id, thrice(k) FROM mixed WHERE id % 3 = 0",
    "SELECT max(id) FROM mixed WHERE now() > '2000-01-01'",
};
#define KINDS 3

static void set_up_mixed(struct view *v[KINDS])
{
    sql_run(db, "CREATE TABLE IF NOT EXISTS mixed(id bigserial PRIMARY KEY, k int);"
                "CREATE OR REPLACE FUNCTION thrice(int) RETURNS int LANGUAGE plpgsql IMMUTABLE "
                "AS 'BEGIN RETURN 3 * $1; END'");
    for (int i = 0; i < KINDS; i++) {
        char id[8];
        snprintf(id, sizeof id, "v%d", i);
        v[i] = client_live(c, id, all_kinds[i]);
    }
}

static void write_mixed(int i)
{
    sql_run(db,
            "INSERT INTO mixed(k) SELECT g %% 7 + %d FROM generate_series(1, 10) g;"
            "UPDATE mixed SET k = k + 1 WHERE id %% 11 = %d; DELETE FROM mixed WHERE id %% 23 = %d",
            i % 5, i % 11, i % 23);
}

START_TEST(cuts_and_half_closed_connections)
{
    static const char *const names[] = {"replication", "analyst", "tables", "watch",
                                        "delegate",    "rerun",   ""};
    struct view *v[KINDS];
    unsigned seed = harness_seed();
    set_up_mixed(v);
    for (int i = 0; i < 28; i++) {
        write_mixed(i);
        client_drain(c, rand_r(&seed) % 30);
        if (i % 2)
            proxy_reset(net, names[i / 2 % 7]);
        else
            proxy_half_close(net, names[i / 2 % 7]);
        write_mixed(i + 1);
        client_drain(c, rand_r(&seed) % 60);
    }
    for (int i = 0; i < KINDS; i++)
        must_be_right(v[i], all_kinds[i]);
}
END_TEST

START_TEST(byte_by_byte)
{
    struct view *v[KINDS];
    proxy_set(net, "replication", PROXY_DRIBBLE, 0);
    proxy_set(net, "delegate", PROXY_DRIBBLE, 0);
    set_up_mixed(v);
    write_mixed(1);
    for (int i = 0; i < KINDS; i++)
        must_be_right(v[i], all_kinds[i]);
    proxy_set(net, "", PROXY_PASS, 0);
}
END_TEST

START_TEST(an_old_server_is_refused_and_a_new_one_taken)
{
    proxy_set(net, "", PROXY_OLD, 0);
    proxy_reset(net, "");
    wait_for_status(d->port, "the server is Postgres 13; only 14 and later can be read from");
    client_send(c, "SUBSCRIBE v SELECT 1");
    char *line = client_expect_prefix(c, "ERROR v 0A000 ");
    free(line);
    proxy_set(net, "", PROXY_PASS, 0);
    sync_when_back(c);
    wait_for_status(d->port, "\"postgres\":\"streaming\",\"postgres_error\":null");
}
END_TEST

/* A host that takes connections and then says nothing comes first in the list. */
START_TEST(one_of_several_hosts_is_mute)
{
    static const char *const sets[] = {"postgres.connect_timeout=300ms",
                                       "postgres.reconnect_max=100ms", NULL};
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t len = sizeof sa;
    int mute = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char conninfo[300];
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(mute, (struct sockaddr *)&sa, sizeof sa), 0);
    ck_assert_int_eq(listen(mute, 64), 0);
    ck_assert_int_eq(getsockname(mute, (struct sockaddr *)&sa, &len), 0);
    const char *port = strstr(proxy_conninfo(net), "port=") + 5;
    snprintf(conninfo, sizeof conninfo,
             "host=127.0.0.1,127.0.0.1 port=%d,%.*s user=postgres dbname=postgres sslmode=disable "
             "gssencmode=disable",
             ntohs(sa.sin_port), (int)strcspn(port, " "), port);
    struct daemon_proc *e = daemon_start(conninfo, sets, true);
    struct client *f = client_connect(e->port);
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof id, "x%d", i);
        struct view *x = client_subscribe(f, id, "SELECT 1");
        client_wait_snapshot(f, x);
        if (x->has_snapshot)
            break;
        ck_assert_int_eq(strncmp(x->error, "57P03", 5), 0);
        usleep(50000);
    }
    sync_when_back(f);
    client_close(f);
    daemon_free(e);
    close(mute);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("network");
    TCase *t = tcase_create("network");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_silent_stream_is_given_up);
    tcase_add_test(t, a_stream_that_stalls_within_a_transaction);
    tcase_add_test(t, an_analysis_is_not_waited_for_without_end);
    tcase_add_test(t, a_table_is_read_again);
    tcase_add_test(t, a_sync_and_the_catalog_survive_it);
    tcase_add_test(t, a_question_of_a_plan_is_asked_again);
    tcase_add_test(t, a_rerun_is_run_again);
    tcase_add_test(t, cuts_and_half_closed_connections);
    tcase_add_test(t, byte_by_byte);
    tcase_add_test(t, an_old_server_is_refused_and_a_new_one_taken);
    tcase_add_test(t, one_of_several_hosts_is_mute);
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
