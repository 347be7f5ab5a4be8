/*
 * PROGRESS each, told the truth: money is moved between accounts, and every view of a connection says
 * in its own way where it is. At every PROGRESS line all of them must agree, whatever is done to the
 * daemon meanwhile: writers that never rest, commits folded under backlog, a client that reads slowly, a
 * subscription that rests between deltas, one that Postgres answers again, one that comes late, plans
 * that are rebuilt because the stream was cut.
 *
 * A transfer of n from a to b changes Σ balance × id by n × (b − a), which its ledger row says too. So a
 * view that is one commit ahead of another is found out, though the sum of money is the same.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

#define ACCOUNTS 60
#define MONEY    1000LL /* in each at first */
#define WRITERS  3

static PGconn *db;
static atomic_bool stop;

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- writers ------------------------------------------------------------------------------- */

static void transfer(PGconn *conn, unsigned *seed)
{
    int src = rand_r(seed) % ACCOUNTS, dst = rand_r(seed) % ACCOUNTS, n = rand_r(seed) % 9 + 1;
    /* In the order of ids, or two writers would wait for each other. */
    sql_run(conn,
            "UPDATE acct SET balance = balance + CASE id WHEN %d THEN -%d ELSE %d END "
            "WHERE id = %d AND %d <> %d;"
            "UPDATE acct SET balance = balance + CASE id WHEN %d THEN -%d ELSE %d END "
            "WHERE id = %d AND %d <> %d;"
            "INSERT INTO ledger(src, dst, n) VALUES (%d, %d, %d)",
            src, n, n, src < dst ? src : dst, src, dst, src, n, n, src < dst ? dst : src, src, dst,
            src, dst, n);
}

static void *write_transfers(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    PGconn *conn = cluster_connect(cluster);
    while (!atomic_load(&stop)) {
        int burst = rand_r(&seed) % 8 ? 1 : 40;
        for (int i = 0; i < burst; i++)
            transfer(conn, &seed);
        usleep((useconds_t)(rand_r(&seed) % 10000));
    }
    PQfinish(conn);
    return NULL;
}

/* ---- what the views say -------------------------------------------------------------------- */

static const char accounts_sql[] = "SELECT id, balance FROM acct";
static const char groups_sql[] =
    "SELECT id % 7, sum(balance), sum(balance * id) FROM acct GROUP BY 1";
static const char ledger_sql[] = "SELECT sum(n * (dst - src)) FROM ledger";
static const char place_sql[] = "SELECT sum(balance * id) FROM acct";
static const char rerun_sql[] = "SELECT sum(balance * id) FROM acct WHERE ctid IS NOT NULL";
static const char joined_sql[] = "SELECT sum((b.id - a.id) * l.n) FROM ledger l "
                                 "JOIN acct a ON a.id = l.src JOIN acct b ON b.id = l.dst";

/* Σ over the rows of the product of the columns from..to, times the weight. */
static long long add_up(const struct view *v, int from, int to)
{
    struct bag_cursor cursor = {0};
    const struct bag_entry *e;
    long long sum = 0;
    while ((e = bag_next(&v->rows, &cursor))) {
        char text[128];
        long long product = e->weight;
        snprintf(text, sizeof text, "%.*s", (int)e->len, (const char *)e->bytes);
        const char *p = text + 1;
        for (int col = 0; col <= to; col++) {
            long long value = strncmp(p, "null", 4) == 0 ? 0 : strtoll(p, NULL, 10);
            if (col >= from)
                product *= value;
            p += strcspn(p, ",]");
            p += *p == ',';
        }
        sum += product;
    }
    return sum;
}

struct bank {
    struct client *c;
    struct view *accounts, *groups, *ledger, *joined;
    struct view *place, *rested, *again; /* may be NULL */
    long long start;                     /* Σ balance × id before the first transfer */
    unsigned checked;
};

static void must_be(const struct bank *b, const char *what, long long have, long long want)
{
    if (have != want)
        die("at PROGRESS %llX (the %uth) %s is %lld and should be %lld",
            (unsigned long long)b->c->progress, b->checked, what, have, want);
}

static bool is_there(const struct view *v)
{
    return v && v->has_snapshot && !v->released;
}

static void check_cut(struct bank *b)
{
    if (!is_there(b->accounts) || !is_there(b->groups) || !is_there(b->ledger) ||
        !is_there(b->joined))
        return;
    long long place = b->start + add_up(b->ledger, 0, 0);
    b->checked++;
    must_be(b, "the money in accounts", add_up(b->accounts, 1, 1), ACCOUNTS * MONEY);
    must_be(b, "the money in groups", add_up(b->groups, 1, 1), ACCOUNTS * MONEY);
    must_be(b, "the place of it in accounts", add_up(b->accounts, 0, 1), place);
    must_be(b, "the place of it in groups", add_up(b->groups, 2, 2), place);
    must_be(b, "the place of it in the join", b->start + add_up(b->joined, 0, 0), place);
    if (is_there(b->place))
        must_be(b, "the place", add_up(b->place, 0, 0), place);
    if (is_there(b->rested))
        must_be(b, "the place with an interval", add_up(b->rested, 0, 0), place);
    if (is_there(b->again))
        must_be(b, "the place that is asked again", add_up(b->again, 0, 0), place);
}

/* Reads for a while, now and then slowly. */
static void follow(struct bank *b, int ms, unsigned *seed)
{
    uint64_t end = now_ms() + (uint64_t)ms;
    while (now_ms() < end) {
        char *line = client_try_line(b->c, 20, NULL);
        if (!line)
            continue;
        bool cut = strncmp(line, "PROGRESS ", 9) == 0;
        if (!client_apply(b->c, line))
            die("unexpected: %s", line);
        if (cut)
            check_cut(b);
        if (rand_r(seed) % 300 == 0)
            usleep((useconds_t)(rand_r(seed) % 60000));
    }
}

static void sync_when_back(struct client *c)
{
    for (int i = 0; i < 600; i++) {
        client_send(c, "SYNC");
        char *line = client_read_line(c);
        while (line && client_apply(c, line))
            line = client_read_line(c);
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

/* ---- the tests ----------------------------------------------------------------------------- */

static void open_bank(struct bank *b)
{
    memset(b, 0, sizeof *b);
    db = cluster_connect(cluster);
    sql_run(db,
            "DROP TABLE IF EXISTS acct, ledger;"
            "CREATE TABLE acct(id int PRIMARY KEY, balance bigint);"
            "CREATE TABLE ledger(no bigserial PRIMARY KEY, src int, dst int, n int);"
            "INSERT INTO acct SELECT g, %lld FROM generate_series(0, %d) g",
            MONEY, ACCOUNTS - 1);
    for (int i = 0; i < ACCOUNTS; i++)
        b->start += i * MONEY;
    b->c = client_connect(daemon_under_test->port);
    b->c->timeout_ms = 60000;
    client_send(b->c, "PROGRESS each");
    b->accounts = client_live(b->c, "accounts", accounts_sql);
    b->groups = client_live(b->c, "groups", groups_sql);
    b->ledger = client_live(b->c, "ledger", ledger_sql);
    b->joined = client_live(b->c, "joined", joined_sql);
}

static void close_bank(struct bank *b)
{
    sync_when_back(b->c);
    view_must_equal(db, b->accounts, accounts_sql);
    view_must_equal(db, b->groups, groups_sql);
    view_must_equal(db, b->ledger, ledger_sql);
    view_must_equal(db, b->joined, joined_sql);
    client_close(b->c);
    PQfinish(db);
}

static void start_writers(pthread_t threads[WRITERS], unsigned seeds[WRITERS], unsigned seed)
{
    atomic_store(&stop, false);
    for (unsigned i = 0; i < WRITERS; i++) {
        seeds[i] = seed + i;
        pthread_create(&threads[i], NULL, write_transfers, &seeds[i]);
    }
}

static void stop_writers(pthread_t threads[WRITERS])
{
    atomic_store(&stop, true);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(views_agree_at_every_cut_under_load)
{
    struct bank b;
    pthread_t threads[WRITERS];
    unsigned seed = harness_seed(), seeds[WRITERS];
    open_bank(&b);
    start_writers(threads, seeds, seed);
    for (int round = 0; round < harness_scale(6); round++) {
        char id[16];
        snprintf(id, sizeof id, "late%d", round);
        follow(&b, 500, &seed);
        b.place = client_subscribe(b.c, id, place_sql);
        follow(&b, 300, &seed);
        client_send(b.c, "RELEASE %s", id);
        follow(&b, 100, &seed);
        if (round % 2)
            sql_run(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
    }
    stop_writers(threads);
    ck_assert_uint_ge(b.checked, 20);
    close_bank(&b);
}
END_TEST

START_TEST(so_they_do_beside_one_that_rests_and_one_that_is_asked_again)
{
    struct bank b;
    pthread_t threads[WRITERS];
    unsigned seed = harness_seed(), seeds[WRITERS];
    open_bank(&b);
    start_writers(threads, seeds, seed);
    follow(&b, 200, &seed);
    b.rested = client_subscribe_with(b.c, "rested", place_sql, "\"min_interval_ms\":100");
    follow(&b, harness_scale(4) * 500, &seed);
    b.again = client_subscribe(b.c, "again", rerun_sql);
    sql_run(db, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
    follow(&b, harness_scale(4) * 500, &seed);
    stop_writers(threads);
    unsigned before = b.checked;
    for (int i = 0; i < 20 && b.checked < before + 3; i++) { /* slower writers: surely some cuts */
        transfer(db, &seed);
        follow(&b, 300, &seed);
    }
    ck_assert_uint_ge(b.checked, before + 3);
    sync_when_back(b.c);
    view_must_equal(db, b.rested, place_sql);
    view_must_equal(db, b.again, rerun_sql);
    close_bank(&b);
}
END_TEST

/* A client that reads in fits and starts gets net changes, and its neighbours notice nothing. */
START_TEST(a_client_that_reads_slowly_is_right_in_the_end_and_delays_nobody)
{
    struct bank b, slow;
    pthread_t threads[WRITERS];
    unsigned seed = harness_seed(), seeds[WRITERS];
    open_bank(&b);
    memset(&slow, 0, sizeof slow);
    slow.c = client_connect(daemon_under_test->port);
    slow.c->timeout_ms = 60000;
    struct view *wide =
        client_live(slow.c, "wide", "SELECT id, balance, repeat('x', 2000) FROM acct");
    long rss = daemon_rss_kb(daemon_under_test);
    start_writers(threads, seeds, seed);
    for (int round = 0; round < harness_scale(8); round++) {
        follow(&b, 400, &seed); /* meanwhile nothing is read by the slow one */
        client_drain(slow.c, rand_r(&seed) % 50);
    }
    stop_writers(threads);
    unsigned checked = b.checked;
    ck_assert_uint_ge(checked, 20);
#ifndef __SANITIZE_ADDRESS__ /* it keeps what was freed */
    ck_assert_int_lt(daemon_rss_kb(daemon_under_test) - rss, 64 * 1024);
#else
    (void)rss;
#endif
    sync_when_back(slow.c);
    view_must_equal(db, wide, "SELECT id, balance, repeat('x', 2000) FROM acct");
    client_close(slow.c);
    close_bank(&b);
}
END_TEST

int main(void)
{
    static const char *const sets[] = {"engine.workers=3",
                                       "engine.io_threads=2",
                                       "engine.backlog_steps=2",
                                       "limits.output_bytes=256k",
                                       "limits.history_bytes=256k",
                                       "postgres.reconnect_max=300ms",
                                       NULL};
    Suite *s = suite_create("cuts");
    TCase *t = tcase_create("cuts");
    harness_daemon_sets = sets;
    tcase_set_timeout(t, 120);
    tcase_add_test(t, views_agree_at_every_cut_under_load);
    tcase_add_test(t, so_they_do_beside_one_that_rests_and_one_that_is_asked_again);
    tcase_add_test(t, a_client_that_reads_slowly_is_right_in_the_end_and_delays_nobody);
    suite_add_tcase(s, t);
    return harness_main(s);
}
