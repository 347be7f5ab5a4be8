/*
 * Coming back: a client whose connection ended subscribes again with the LSN it had got to, and is sent
 * what it missed and nothing else; where that can't be said exactly, RESYNC and a SNAPSHOT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/e2e/harness.h"

static PGconn *db;
static struct client *c;

static struct client *connect_client(void)
{
    struct client *new = client_connect(daemon_under_test->port);
    new->timeout_ms = 40000;
    return new;
}

static void begin(void)
{
    db = cluster_connect(cluster);
    c = connect_client();
}

static void end(void)
{
    client_close(c);
    PQfinish(db);
}

static lsn_t wal_lsn(void)
{
    lsn_t lsn = 0;
    char *text = sql_value(db, "SELECT pg_current_wal_insert_lsn()");
    ck_assert(lsn_parse(text, strlen(text), &lsn));
    free(text);
    return lsn;
}

/* A member of STATUS. */
static unsigned status(const char *member)
{
    char key[64];
    client_send(c, "STATUS");
    char *line = client_expect_prefix(c, "STATUS ");
    snprintf(key, sizeof key, "\"%s\":", member);
    const char *at = strstr(line, key);
    ck_assert_msg(at != NULL, "%s in %s", key, line);
    unsigned n = (unsigned)strtoul(at + strlen(key), NULL, 10);
    free(line);
    return n;
}

/* Of the plan whose statement contains the text, by LIST; -1: there is none. */
static int subscribers_of(const char *text)
{
    int n = -1;
    client_send(c, "LIST");
    char *line = client_expect_prefix(c, "PLANS ");
    unsigned long plans = strtoul(line + 6, NULL, 10);
    free(line);
    while (plans--) {
        line = client_read_line(c);
        if (strstr(line, text))
            n = atoi(strstr(line, "\"subscribers\":") + 14);
        free(line);
    }
    return n;
}

static void wait_subscribers(const char *text, int want)
{
    for (int i = 0; i < 400 && subscribers_of(text) != want; i++)
        usleep(20000);
    ck_assert_int_eq(subscribers_of(text), want);
}

/* SYNC is refused with 57P03 while the daemon has no Postgres: asks until it is answered. */
static void sync_when_back(struct client *who)
{
    for (int i = 0; i < 400; i++) {
        client_send(who, "SYNC");
        char *line = client_read_line(who);
        while (line && client_apply(who, line))
            line = client_read_line(who);
        bool synced = line && strncmp(line, "SYNCED", 6) == 0;
        if (!synced && (!line || !strstr(line, "57P03")))
            die("SYNC was answered by %s", line ? line : "the end");
        free(line);
        if (synced)
            return;
        usleep(50000);
    }
    die("the daemon did not come back");
}

/* ---- lingering ----------------------------------------------------------------------------- */

START_TEST(a_plan_lingers_when_its_connection_has_ended_and_no_longer)
{
    sql_run(db, "CREATE TABLE lg(id int PRIMARY KEY)");
    struct client *one = connect_client();
    client_live(one, "a", "SELECT id FROM lg");
    client_live(one, "b", "SELECT - id FROM lg");
    client_send(one, "RELEASE b");
    free(client_expect_prefix(one, "RELEASED b"));
    client_live(one, "q", "SELECT id + 1 FROM lg");
    ck_assert_int_eq(subscribers_of("- id"), -1);
    ck_assert_int_eq(subscribers_of("SELECT lg.id FROM lg"), 1);
    unsigned lingering = status("plans_lingering");
    client_close(one);
    wait_subscribers("SELECT lg.id FROM lg", 0);
    ck_assert_uint_ge(status("plans_lingering"), lingering + 1);
    ck_assert_uint_ge(status("plans"), status("plans_lingering"));
    sql_run(db, "INSERT INTO lg VALUES (1)");
    struct view *v = client_live(c, "again", "SELECT id FROM lg"); /* takes it up */
    client_sync(c);
    view_must_equal(db, v, "SELECT id FROM lg");
    ck_assert_int_eq(subscribers_of("SELECT lg.id FROM lg"), 1);
    usleep(2500000); /* longer than engine.linger: it isn't forgotten that it is used */
    ck_assert_int_eq(subscribers_of("SELECT lg.id FROM lg"), 1);
    client_send(c, "RELEASE again");
    free(client_expect_prefix(c, "RELEASED again"));
    ck_assert_int_eq(subscribers_of("SELECT lg.id FROM lg"), -1);
    one = connect_client();
    client_live(one, "a", "SELECT id FROM lg");
    client_send(one, "QUIT");
    free(client_expect_prefix(one, "BYE"));
    client_close(one);
    wait_subscribers("SELECT lg.id FROM lg", 0);
    wait_subscribers("SELECT lg.id FROM lg", -1); /* engine.linger later */
    ck_assert_uint_eq(status("plans_lingering"), 0);
}
END_TEST

START_TEST(when_there_is_no_room_the_oldest_lingering_plan_goes)
{
    sql_run(db, "CREATE TABLE room(id int PRIMARY KEY)");
    struct client *gone = connect_client();
    client_live(gone, "v", "SELECT id FROM room WHERE id > -1");
    client_close(gone);
    wait_subscribers("FROM room", 0);
    for (int i = 0; i < 20; i++) { /* limits.plans */
        char id[8], sql[64];
        snprintf(id, sizeof id, "v%d", i);
        snprintf(sql, sizeof sql, "SELECT id FROM room WHERE id = %d", i);
        client_live(c, id, sql);
    }
    ck_assert_uint_eq(status("plans_lingering"), 0);
    ck_assert_uint_eq(status("plans"), 20);
    struct view *v = client_subscribe(c, "more", "SELECT id FROM room WHERE id > 100");
    client_wait_snapshot(c, v);
    ck_assert_ptr_nonnull(v->error);
    for (int i = 0; i < 20; i++) {
        client_send(c, "RELEASE v%d", i);
        free(client_expect_prefix(c, "RELEASED v"));
    }
}
END_TEST

START_TEST(a_lingering_plan_whose_table_is_dropped_is_gone)
{
    sql_run(db, "CREATE TABLE dropped(id int PRIMARY KEY)");
    struct client *one = connect_client();
    client_live(one, "v", "SELECT id FROM dropped");
    client_close(one);
    wait_subscribers("FROM dropped", 0);
    sql_run(db, "DROP TABLE dropped");
    wait_subscribers("FROM dropped", -1);
    sql_run(db, "CREATE TABLE dropped(id int PRIMARY KEY)");
    struct view *v = client_live(c, "v", "SELECT id FROM dropped");
    sql_run(db, "INSERT INTO dropped VALUES (7)");
    client_sync(c);
    view_must_equal(db, v, "SELECT id FROM dropped");
}
END_TEST

/* ---- since --------------------------------------------------------------------------------- */

/* The connection ends; what it held can still be looked at. */
static void leave(struct client *one, const char *plan, int others)
{
    shutdown(one->fd, SHUT_RDWR);
    wait_subscribers(plan, others);
}

START_TEST(what_was_missed_comes_delta_by_delta)
{
    const char *sql = "SELECT k, count(*), sum(n) FROM since GROUP BY k";
    sql_run(db, "CREATE TABLE since(id bigserial PRIMARY KEY, k int, n int);"
                "INSERT INTO since(k, n) SELECT g %% 4, g FROM generate_series(1, 40) g");
    struct client *one = connect_client();
    struct view *v = client_live(one, "v", sql);
    unsigned resumed = status("times_resumed");
    sql_run(db, "INSERT INTO since(k, n) VALUES (1, 1)");
    client_wait_deltas(one, v, 1);
    struct client *frozen = connect_client(); /* reads no further */
    struct view *f = client_live(frozen, "v", sql);
    sql_run(db, "INSERT INTO since(k, n) VALUES (2, 1)");
    client_wait_deltas(one, v, 2);
    /* Nothing missed. */
    leave(one, "FROM since", 1);
    struct client *two = connect_client();
    v = client_resume(two, "v", sql, v, v->lsn);
    client_sync(two);
    client_close(one);
    ck_assert_uint_eq(v->snapshots + v->deltas + v->resyncs, 0);
    view_must_equal(db, v, sql);
    /* Three commits missed: each by itself. */
    leave(two, "FROM since", 1);
    lsn_t now = wal_lsn();
    for (int i = 0; i < 3; i++) {
        sql_run(db, "UPDATE since SET n = n + 1 WHERE k = %d", i);
        usleep(30000);
    }
    one = connect_client();
    v = client_resume(one, "v", sql, v, now);
    client_sync(one);
    ck_assert_uint_eq(v->deltas, 3);
    ck_assert_uint_eq(v->snapshots + v->resyncs, 0);
    view_must_equal(db, v, sql);
    client_close(two);
    /* From further back, while others go on. */
    struct view *old = client_resume(one, "old", sql, f, f->lsn);
    client_sync(one);
    ck_assert_uint_eq(old->deltas, 4);
    view_must_equal(db, old, sql);
    client_close(frozen);
    ck_assert_uint_eq(status("times_resumed"), resumed + 3);
    client_close(one);
}
END_TEST

START_TEST(an_lsn_from_before_the_plan_or_of_another_history_is_too_old)
{
    const char *sql = "SELECT id FROM hist";
    sql_run(db, "CREATE TABLE hist(id int PRIMARY KEY); INSERT INTO hist VALUES (1)");
    lsn_t before = wal_lsn();
    sql_run(db, "INSERT INTO hist VALUES (2)");
    struct view nothing = {.ncols = 1};
    struct view *v = client_resume(c, "v", sql, &nothing, before);
    client_sync(c);
    ck_assert_uint_eq(v->resyncs, 1);
    ck_assert_uint_eq(v->snapshots, 1);
    ck_assert_str_eq(v->reason, "since_too_old");
    view_must_equal(db, v, sql);
    struct view *w = client_resume(c, "w", sql, &nothing, wal_lsn() + (1u << 30));
    client_sync(c);
    ck_assert_uint_eq(w->snapshots, 1);
    ck_assert_str_eq(w->reason, "since_too_old");
    view_must_equal(db, w, sql);
    /* But what the server has reached is a state, though we may have to wait for it. */
    struct view *x = client_resume(c, "x", sql, w, wal_lsn());
    client_sync(c);
    ck_assert_uint_eq(x->snapshots + x->deltas + x->resyncs, 0);
    view_must_equal(db, x, sql);
}
END_TEST

START_TEST(many_missed_deltas_come_as_their_net_change)
{
    const char *sql = "SELECT id, t FROM net";
    sql_run(db, "CREATE TABLE net(id int PRIMARY KEY, t text);"
                "INSERT INTO net SELECT g, repeat('x', 1000) FROM generate_series(1, 50) g");
    struct client *one = connect_client();
    struct view *v = client_live(one, "v", sql);
    client_live(c, "other", sql); /* by which we see that all is done */
    leave(one, "FROM net", 1);
    for (int i = 0; i < 10; i++) /* 10 × 100 kB, and limits.output_bytes is 1 MB */
        sql_run(db, "UPDATE net SET t = repeat('%d', 1000)", i);
    client_sync(c);
    struct client *two = connect_client();
    v = client_resume(two, "v", sql, v, v->lsn);
    client_sync(two);
    ck_assert_uint_eq(v->deltas, 1);
    ck_assert_uint_eq(v->last_asserts, 50);
    view_must_equal(db, v, sql);
    client_close(one);
    client_close(two);
}
END_TEST

START_TEST(a_failed_plan_is_resumed_when_it_recovers)
{
    const char *sql = "SELECT id, 100 / n FROM fail";
    sql_run(db, "CREATE TABLE fail(id int PRIMARY KEY, n int); INSERT INTO fail VALUES (1, 1)");
    struct client *one = connect_client();
    struct view *v = client_live(one, "v", sql);
    lsn_t held = v->lsn;
    sql_run(db, "INSERT INTO fail VALUES (2, 0)");
    free(client_expect_prefix(one, "FAILED v"));
    leave(one, "FROM fail", 0);
    struct client *two = connect_client();
    struct view *w = client_resume(two, "v", sql, v, held);
    while (!w->failed)
        client_drain(two, 10);
    sql_run(db, "UPDATE fail SET n = 5 WHERE id = 2");
    client_sync(two);
    ck_assert_uint_eq(w->deltas, 1);
    ck_assert_uint_eq(w->snapshots, 0);
    view_must_equal(db, w, sql);
    client_close(one);
    client_close(two);
}
END_TEST

START_TEST(across_a_restart_of_postgres_the_difference_comes)
{
    const char *sql = "SELECT id, n FROM restart";
    sql_run(db, "CREATE TABLE restart(id int PRIMARY KEY, n int);"
                "INSERT INTO restart SELECT g, g FROM generate_series(1, 100) g");
    struct client *one = connect_client();
    struct view *v = client_live(one, "v", sql);
    sql_run(db, "DELETE FROM restart WHERE id = 7");
    client_sync(one);
    lsn_t held = v->lsn;
    leave(one, "FROM restart", 0);
    PQfinish(db);
    cluster_stop_fast(cluster);
    cluster_run(cluster);
    db = cluster_connect(cluster);
    sql_run(db, "DELETE FROM restart WHERE id = 8; INSERT INTO restart VALUES (200, 200)");
    struct client *two = connect_client();
    sync_when_back(two);
    struct view *w = client_resume(two, "w", sql, v, held);
    client_sync(two);
    ck_assert_uint_eq(w->deltas, 1);
    ck_assert_uint_eq(w->snapshots + w->resyncs, 0);
    view_must_equal(db, w, sql);
    client_close(one);
    client_close(two);
}
END_TEST

START_TEST(a_rerun_is_resumed_unless_it_depends_on_the_time)
{
    const char *sql = "SELECT id FROM again WHERE ctid IS NOT NULL";
    const char *timed = "SELECT id FROM again WHERE now() IS NOT NULL";
    sql_run(db, "CREATE TABLE again(id int PRIMARY KEY); INSERT INTO again VALUES (1)");
    struct client *one = connect_client();
    struct view *v = client_live(one, "v", sql), *t = client_live(one, "t", timed);
    sql_run(db, "INSERT INTO again VALUES (2)");
    lsn_t held = client_sync(one);
    leave(one, "FROM again", 0);
    sql_run(db, "INSERT INTO again VALUES (3)");
    sql_run(db, "DELETE FROM again WHERE id = 1");
    struct client *two = connect_client();
    struct view *v2 = client_resume(two, "v", sql, v, held);
    struct view *t2 = client_resume(two, "t", timed, t, held);
    client_sync(two);
    ck_assert_uint_eq(v2->snapshots, 0);
    ck_assert_uint_ge(v2->deltas, 1);
    view_must_equal(db, v2, sql);
    ck_assert_str_eq(t2->reason, "since_too_old");
    view_must_equal(db, t2, timed);
    client_close(one);
    client_close(two);
}
END_TEST

/* ---- min_interval_ms ------------------------------------------------------------------------ */

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct pace {
    const struct view *v;
    unsigned seen;
    uint64_t last_ms, least_ms; /* between two deltas */
};

static void note_pace(struct client *who, struct view *v, void *arg)
{
    struct pace *p = arg;
    uint64_t now = now_ms();
    (void)who;
    if (v != p->v || v->deltas + v->snapshots == p->seen)
        return;
    p->seen = v->deltas + v->snapshots;
    if (p->last_ms && now - p->last_ms < p->least_ms)
        p->least_ms = now - p->last_ms;
    p->last_ms = now;
}

START_TEST(with_an_interval_deltas_are_folded)
{
    const char *sql = "SELECT count(*), sum(n) FROM pace";
    sql_run(db, "CREATE TABLE pace(id bigserial PRIMARY KEY, n int)");
    struct view *every = client_live(c, "every", sql);
    struct view *v = client_subscribe_with(c, "v", sql, "\"min_interval_ms\":300");
    struct pace pace = {.v = v, .least_ms = UINT64_MAX};
    c->after_event = note_pace;
    c->after_arg = &pace;
    client_wait_snapshot(c, v);
    ck_assert_ptr_nonnull(strstr(every->accepted, "\"plan\":\""));
    ck_assert_int_eq(
        strncmp(strstr(every->accepted, "\"plan\""), strstr(v->accepted, "\"plan\""), 26), 0);
    uint64_t start = now_ms();
    unsigned commits = 0;
    for (; now_ms() - start < 1500; commits++) {
        sql_run(db, "INSERT INTO pace(n) VALUES (%u)", commits);
        client_drain(c, 10);
    }
    client_sync(c); /* waits for the rest */
    view_must_equal(db, v, sql);
    view_must_equal(db, every, sql);
    /* A rebuild, or a backlog, may make one of a few. */
    ck_assert_uint_le(every->deltas, commits);
    ck_assert_uint_gt(every->deltas, 2 * v->deltas);
    ck_assert_uint_ge(v->deltas, 3);
    ck_assert_uint_le(v->deltas, (now_ms() - start) / 300 + 1);
    ck_assert_uint_ge(pace.least_ms, 250); /* our own clock isn't exact */
    c->after_event = NULL;
}
END_TEST

START_TEST(after_a_quiet_time_a_change_comes_at_once)
{
    const char *sql = "SELECT n FROM quiet";
    sql_run(db, "CREATE TABLE quiet(n int PRIMARY KEY)");
    struct view *v = client_subscribe_with(c, "v", sql, "\"min_interval_ms\":1000");
    client_wait_snapshot(c, v);
    usleep(1050000);
    uint64_t start = now_ms();
    sql_run(db, "INSERT INTO quiet VALUES (1)");
    client_wait_deltas(c, v, 1);
    client_sync(c); /* nothing is missed: it isn't waited for */
    ck_assert_uint_lt(now_ms() - start, 900);
    /* Undone before the time is up: nothing comes. */
    sql_run(db, "INSERT INTO quiet VALUES (2)");
    sql_run(db, "DELETE FROM quiet WHERE n = 2");
    client_sync(c);
    ck_assert_uint_ge(now_ms() - start, 900);
    ck_assert_uint_eq(v->deltas, 1);
    sql_run(db, "INSERT INTO quiet VALUES (3)"); /* and it didn't count */
    start = now_ms();
    client_wait_deltas(c, v, 2);
    ck_assert_uint_lt(now_ms() - start, 900);
    view_must_equal(db, v, sql);
    sql_run(db, "INSERT INTO quiet VALUES (4)");
    client_drain(c, 50);
    client_send(c, "RELEASE v"); /* while it rests */
    free(client_expect_prefix(c, "RELEASED v"));
    client_sync(c);
}
END_TEST

START_TEST(who_comes_back_with_an_interval_gets_one_delta)
{
    const char *sql = "SELECT n FROM back";
    sql_run(db, "CREATE TABLE back(n int PRIMARY KEY)");
    struct view *v = client_live(c, "v", sql);
    struct client *frozen = connect_client();
    struct view *f = client_live(frozen, "f", sql);
    for (int i = 0; i < 5; i++)
        sql_run(db, "INSERT INTO back VALUES (%d)", i);
    client_sync(c);
    ck_assert_uint_eq(v->deltas, 5);
    char lsn[LSN_TEXT_MAX], members[100];
    lsn_print(f->lsn, lsn);
    snprintf(members, sizeof members, "\"since\":\"%s\",\"min_interval_ms\":200", lsn);
    struct view *w = client_subscribe_with(c, "w", sql, members);
    w->has_snapshot = true;
    client_sync(c);
    ck_assert_uint_eq(w->deltas, 1);
    ck_assert_uint_eq(w->snapshots, 0);
    view_must_equal(db, w, sql);
    client_close(frozen);
}
END_TEST

START_TEST(a_resting_plan_that_fails_says_so_and_recovers)
{
    const char *sql = "SELECT n, 10 / n FROM restfail";
    sql_run(db, "CREATE TABLE restfail(n int PRIMARY KEY)");
    struct view *v = client_subscribe_with(c, "v", sql, "\"min_interval_ms\":300");
    client_wait_snapshot(c, v);
    sql_run(db, "INSERT INTO restfail VALUES (1)");
    sql_run(db, "INSERT INTO restfail VALUES (0)");
    while (!v->failed)
        client_drain(c, 10);
    ck_assert_uint_eq(v->deltas, 1); /* the last good result */
    sql_run(db, "DELETE FROM restfail WHERE n = 0; INSERT INTO restfail VALUES (5)");
    client_sync(c);
    view_must_equal(db, v, sql);
    ck_assert(!v->failed);
}
END_TEST

/* ---- marks --------------------------------------------------------------------------------- */

static void marks_on(struct client *who)
{
    client_send(who, "MARKS on");
    client_sync(who);
}

static void must_mark(struct client *who, const char *token)
{
    char *line = client_expect_prefix(who, "MARK ");
    const char *got = strchr(line + 5, ' ') + 1;
    ck_assert_str_eq(got, token);
    free(line);
}

#define EMIT "SELECT pg_logical_emit_message(true, 'palimpsest', "

START_TEST(a_mark_comes_after_the_changes_of_its_transaction)
{
    const char *sql = "SELECT count(*) FROM marked",
               *again = "SELECT max(n) FROM marked WHERE ctid IS NOT NULL";
    sql_run(db, "CREATE TABLE marked(n int PRIMARY KEY)");
    struct view *v = client_live(c, "v", sql), *r = client_live(c, "r", again);
    struct client *other = connect_client(); /* wants none */
    client_live(other, "o", sql);
    struct client *bare = connect_client(); /* has nothing else */
    marks_on(c);
    marks_on(bare);
    for (int i = 0; i < 5; i++) {
        char token[40];
        snprintf(token, sizeof token, "write %d", i);
        sql_run(db, "INSERT INTO marked VALUES (%d); " EMIT "'%s')", i, token);
        must_mark(c, token);
        view_must_equal(db, v, sql);
        view_must_equal(db, r, again);
        must_mark(bare, token);
    }
    /* Without a change that anyone sees; in order; several of one transaction; a savepoint. */
    sql_run(db, EMIT "'a');" EMIT "'b');");
    sql_run(db, "BEGIN; SAVEPOINT s; " EMIT "'never'); ROLLBACK TO s; " EMIT "'c'); COMMIT");
    sql_run(db, "BEGIN; " EMIT "'never'); ROLLBACK");
    sql_run(db, "SELECT pg_logical_emit_message(false, 'palimpsest', 'never');" EMIT "'');" EMIT
                "E'a\\nb');" EMIT "repeat('x', 1025));"
                "SELECT pg_logical_emit_message(true, 'palimpsestd', 'never');"
                "SELECT pg_logical_emit_message(true, 'other', 'never')");
    sql_run(db, EMIT "'grüße')");
    static const char *const want[] = {"a", "b", "c", "grüße"};
    for (size_t i = 0; i < 4; i++) {
        must_mark(c, want[i]);
        must_mark(bare, want[i]);
    }
    client_send(bare, "MARKS off");
    client_sync(bare);
    sql_run(db, EMIT "'nobody')");
    must_mark(c, "nobody");
    client_sync(bare);
    client_sync(other); /* a MARK would end the program */
    client_close(other);
    client_close(bare);
}
END_TEST

START_TEST(a_mark_waits_for_a_subscription_that_rests)
{
    const char *sql = "SELECT n FROM markrest";
    sql_run(db, "CREATE TABLE markrest(n int PRIMARY KEY)");
    struct view *v = client_subscribe_with(c, "v", sql, "\"min_interval_ms\":500");
    client_wait_snapshot(c, v);
    marks_on(c);
    for (int i = 0; i < 3; i++) {
        sql_run(db, "INSERT INTO markrest VALUES (%d); " EMIT "'m%d')", i, i);
        char token[8];
        snprintf(token, sizeof token, "m%d", i);
        must_mark(c, token);
        view_must_equal(db, v, sql);
    }
}
END_TEST

START_TEST(a_client_that_leaves_its_marks_unread_is_ended)
{
    struct client *deaf = connect_client();
    marks_on(deaf);
    marks_on(c);
    for (int i = 0; i < 20; i++) { /* 10 MB: far more than the socket and the limit */
        sql_run(db, "SELECT count(pg_logical_emit_message(true, 'palimpsest', repeat('y', 1000))) "
                    "FROM generate_series(1, 500)");
        for (int k = 0; k < 500; k++) /* others get theirs */
            free(client_expect_prefix(c, "MARK "));
    }
    bool refused = false;
    for (char *line; (line = client_read_line(deaf)); free(line))
        refused |= strncmp(line, "ERROR - 53400", 13) == 0;
    ck_assert(refused);
    client_close(deaf);
}
END_TEST

int main(void)
{
    static const char *const sets[] = {"engine.workers=3",
                                       "engine.io_threads=2",
                                       "engine.linger=2s",
                                       "limits.plans=20",
                                       "limits.output_bytes=1M",
                                       "postgres.schema_poll=100ms",
                                       "postgres.reconnect_max=500ms",
                                       NULL};
    Suite *s = suite_create("delivery");
    TCase *t = tcase_create("delivery");
    harness_daemon_sets = sets;
    harness_in_one_process = true;
    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_plan_lingers_when_its_connection_has_ended_and_no_longer);
    tcase_add_test(t, when_there_is_no_room_the_oldest_lingering_plan_goes);
    tcase_add_test(t, a_lingering_plan_whose_table_is_dropped_is_gone);
    tcase_add_test(t, what_was_missed_comes_delta_by_delta);
    tcase_add_test(t, an_lsn_from_before_the_plan_or_of_another_history_is_too_old);
    tcase_add_test(t, many_missed_deltas_come_as_their_net_change);
    tcase_add_test(t, a_failed_plan_is_resumed_when_it_recovers);
    tcase_add_test(t, across_a_restart_of_postgres_the_difference_comes);
    tcase_add_test(t, a_rerun_is_resumed_unless_it_depends_on_the_time);
    tcase_add_test(t, with_an_interval_deltas_are_folded);
    tcase_add_test(t, after_a_quiet_time_a_change_comes_at_once);
    tcase_add_test(t, who_comes_back_with_an_interval_gets_one_delta);
    tcase_add_test(t, a_resting_plan_that_fails_says_so_and_recovers);
    tcase_add_test(t, a_mark_comes_after_the_changes_of_its_transaction);
    tcase_add_test(t, a_mark_waits_for_a_subscription_that_rests);
    tcase_add_test(t, a_client_that_leaves_its_marks_unread_is_ended);
    suite_add_tcase(s, t);
    return harness_main(s);
}
