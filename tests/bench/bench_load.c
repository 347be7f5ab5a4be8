/*
 * bench_load: 10,000 connections with 200,000 subscriptions: what they cost in memory, what a commit
 * costs beside them, and how long storms last.
 *
 *     bench_load [--quick] [--json FILE] [--only LETTERS]
 *
 *     a   connections that do nothing; all at once; one statement, cold, 20 times on each of them;
 *         commits that 10, 1,000 and all 200,000 concern; STATUS and LIST beside them; all gone at once
 *     b   the same number of subscriptions, of 1,000 statements
 *     c   1,000 connections come and go every second, while others write and others listen
 *
 * At the end of a and b 500 of the views are compared with what Postgres answers. --quick takes a
 * tenth of the connections.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define CONNECTIONS 10000
#define STATEMENTS  1000
#define HOT         "SELECT id, v FROM hot"

static bool quick;
static size_t connections;
static struct cluster *pg;
static PGconn *db;

static void make_tables(void)
{
    sql_run(db, "CREATE TABLE hot(id int PRIMARY KEY, v bigint);"
                "INSERT INTO hot SELECT g, 0 FROM generate_series(1, 3) g;"
                "CREATE TABLE few(id int PRIMARY KEY, v bigint);"
                "INSERT INTO few VALUES (1, 0);"
                "CREATE TABLE more(id int PRIMARY KEY, v bigint);"
                "INSERT INTO more VALUES (1, 0);"
                "CREATE TABLE lone(id int PRIMARY KEY, at bigint);"
                "INSERT INTO lone VALUES (1, 0);"
                "CREATE TABLE items(id int PRIMARY KEY, grp int, v bigint);"
                "INSERT INTO items SELECT g, g %% 1000, 0 FROM generate_series(0, 9999) g;");
}

static double seconds_since(int64_t t0)
{
    return (double)(bench_ns() - t0) / 1e9;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void plain(double value, const char *unit, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void plain(double value, const char *unit, const char *fmt, ...)
{
    char label[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(label, sizeof label, fmt, ap);
    va_end(ap);
    bench_row(label, value, unit, NAN, NAN, "");
}

struct memory {
    double resident, heap; /* bytes */
};

/* The heap's own count is brought up to date once a second. */
static struct memory memory_of(struct crowd *c)
{
    bench_sleep_us(1500000);
    return (struct memory){.resident = (double)daemon_rss_kb(c->d) * 1024,
                           .heap = crowd_status(c, "memory_used")};
}

/* What each of n costs, and the goal as what is allowed. */
static void memory_each(const char *what, struct memory before, struct crowd *c, size_t n,
                        double goal)
{
    struct memory now = memory_of(c);
    double each = (now.resident - before.resident) / (double)n;
    char label[128];
    snprintf(label, sizeof label, "resident memory of %s", what);
    bench_row(label, each, "B", each / goal, 1, "the goal");
    plain((now.heap - before.heap) / (double)n, "B", "  of it in use");
}

/* How old news is for subscribers that are not concerned by what goes on. */
static double lone_news(const struct crowd *c, const char *beside, double alone)
{
    struct honest h;
    char label[128];
    honest_start(&h, c, 1);
    bench_sleep_us(quick ? 1000000 : 4000000);
    honest_stop(&h);
    double p50 = samples_at(&h.ages, 0.5);
    snprintf(label, sizeof label, "a lone subscription %s, p50", beside);
    bench_row(label, p50, "us", alone > 0 ? p50 / alone : NAN, NAN, "alone");
    plain(samples_at(&h.ages, 0.99), "us", "a lone subscription %s, p99", beside);
    honest_fini(&h);
    return p50;
}

/* The same while a storm lasts. */
static void storm_begins(struct honest *h, const struct crowd *c)
{
    honest_start(h, c, 1);
    bench_sleep_us(100000);
}

static void storm_ends(struct honest *h, double alone)
{
    honest_stop(h);
    double p50 = samples_at(&h->ages, 0.5);
    bench_row("  a lone subscription meanwhile, p50", p50, "us", p50 / alone, NAN, "alone");
    plain(samples_at(&h->ages, 0.99), "us", "  a lone subscription meanwhile, p99");
    plain(samples_at(&h->ages, 1), "us", "  a lone subscription meanwhile, longest");
    honest_fini(h);
}

/* ---- commits ------------------------------------------------------------------------------- */

/* Commits, each of which concerns so many subscriptions. */
static void commits(struct crowd *c, const char *what, const char *sql, size_t deliveries,
                    int rounds)
{
    struct samples first = {0}, last = {0};
    struct swarm *s = c->swarm;
    long cpu = daemon_cpu_us(c->d);
    for (int i = 0; i < rounds; i++) {
        uint64_t want = s->counts.deltas + deliveries;
        swarm_mark(s);
        sql_run(db, "%s", sql);
        int64_t t0 = bench_ns();
        swarm_until(s, &s->counts.deltas, want);
        samples_add(&first, (double)(s->first_ns - t0) / 1000);
        samples_add(&last, (double)(s->last_ns - t0) / 1000);
    }
    bench_sleep_us(20000);
    double each = (double)(daemon_cpu_us(c->d) - cpu) / (double)deliveries / rounds;
    plain(samples_at(&first, 0.5), "us", "%s: until the first has it", what);
    plain(samples_at(&last, 0.5), "us", "%s: until the last has it", what);
    plain(each, "us", "%s: daemon's CPU a delivery", what);
    VEC_FREE(first.v);
    VEC_FREE(last.v);
}

/* ---- STATUS and LIST ----------------------------------------------------------------------- */

static void ask(struct crowd *c, const char *request, const char *answer)
{
    client_send(c->ctl, "%s", request);
    char *line = client_expect_prefix(c->ctl, answer);
    int rows = *answer == 'P' ? atoi(line + strlen(answer)) : 0;
    free(line);
    for (int i = 0; i < rows; i++)
        free(client_read_line(c->ctl));
}

/* request NULL: nothing is asked, which is what the others compare with. */
static void asking(struct crowd *c, const char *request, const char *answer, double alone)
{
    struct samples took = {0};
    struct honest h;
    storm_begins(&h, c);
    int64_t until = bench_ns() + (quick ? 1000000000LL : 3000000000LL);
    while (bench_ns() < until) {
        int64_t t0 = bench_ns();
        if (request)
            ask(c, request, answer);
        samples_add(&took, (double)(bench_ns() - t0) / 1000);
        bench_sleep_us(10000);
    }
    if (request) {
        plain(samples_at(&took, 0.5), "us", "%s 100 times a second, p50", request);
        plain(samples_at(&took, 0.99), "us", "%s 100 times a second, p99", request);
    } else {
        bench_note("nothing is asked:");
    }
    storm_ends(&h, alone);
    VEC_FREE(took.v);
}

/* While 1,000 subscriptions (or all of a plan) get 20 commits a second. */
static void ask_beside(struct crowd *c, const char *writes, double alone)
{
    struct writer w;
    writer_start(&w, pg, writes, 20);
    asking(c, NULL, NULL, alone);
    asking(c, "STATUS", "STATUS ", alone);
    asking(c, "LIST", "PLANS ", alone);
    writer_stop(&w);
}

/* ---- storms -------------------------------------------------------------------------------- */

static void all_gone(struct crowd *c, double alone)
{
    struct honest h;
    storm_begins(&h, c);
    int64_t t0 = bench_ns();
    for (size_t i = 0; i < c->swarm->n; i++)
        swarm_close(c->swarm, i);
    plain(seconds_since(t0), "s", "%zu connections closed: the client's own time", c->swarm->n);
    crowd_wait_status(c, "connections", 2);
    crowd_wait_status(c, "subscriptions", 1);
    crowd_wait_status(c, "plans", 1);
    plain(seconds_since(t0), "s", "until the daemon has none of them any more");
    storm_ends(&h, alone);
}

static void all_connect(struct crowd *c, double alone)
{
    struct honest h;
    storm_begins(&h, c);
    plain(crowd_connect(c), "s", "%zu connect at once: until all have HELLO", c->n);
    storm_ends(&h, alone);
}

/* Every connection subscribes SUBS times at once: statement(i) is that of the i-th in all. */
static void all_subscribe(struct crowd *c, void (*statement)(char *out, size_t size, size_t i),
                          const char *what, double alone)
{
    struct swarm *s = c->swarm;
    struct honest h;
    size_t n = c->n * SUBS;
    storm_begins(&h, c);
    double asked = crowd_status(c, "statements_analysed");
    uint64_t want = s->counts.snapshots + n;
    int64_t t0 = bench_ns();
    for (size_t i = 0; i < n; i++) {
        char id[16], sql[128];
        snprintf(id, sizeof id, "s%zu", i % SUBS);
        statement(sql, sizeof sql, i);
        crowd_subscribe(c, i / SUBS, id, sql);
        if (i % 1024 == 0)
            swarm_turn(s, 0);
    }
    swarm_until(s, &s->counts.snapshots, want);
    plain(seconds_since(t0), "s", "%s: until all have their SNAPSHOT", what);
    plain(crowd_status(c, "statements_analysed") - asked, "", "%s: times Postgres was asked", what);
    storm_ends(&h, alone);
}

static void judge(struct crowd *c)
{
    bench_note("%zu of the views were compared with Postgres", crowd_judge(c));
}

/* ---- a: one statement ---------------------------------------------------------------------- */

static void hot_statement(char *out, size_t size, size_t i)
{
    (void)i;
    snprintf(out, size, HOT);
}

static void extra(struct crowd *c, const char *sql, size_t n)
{
    uint64_t want = c->swarm->counts.snapshots + n;
    int64_t t0 = bench_ns();
    for (size_t i = 0; i < n; i++)
        crowd_subscribe(c, i, sql, sql + strlen(sql) + 1);
    swarm_until(c->swarm, &c->swarm->counts.snapshots, want);
    plain((double)(bench_ns() - t0) / 1e3 / (double)n, "us", "%zu more subscribe, to \"%s\": each",
          n, sql + strlen(sql) + 1);
}

static void section_a(void)
{
    bench_section("a. connections, and subscriptions of one statement");
    struct crowd *c = crowd_start(pg, db, connections);
    double alone = lone_news(c, "alone", 0);
    struct memory before = memory_of(c);
    all_connect(c, alone);
    memory_each("an idle connection", before, c, c->n, 4096);
    lone_news(c, "beside idle connections", alone);
    before = memory_of(c);
    all_subscribe(c, hot_statement, "one cold statement, 20 times each", alone);
    memory_each("a subscription", before, c, c->n * SUBS, 512);
    extra(c, "few\0SELECT id, v FROM few", 10);
    extra(c, "more\0SELECT id, v FROM more", c->n < 1000 ? c->n : 1000);
    extra(c, "warm\0" HOT, c->n);
    lone_news(c, "beside idle subscriptions", alone);
    commits(c, "10 concerned", "UPDATE few SET v = v + 1", 10, quick ? 50 : 200);
    commits(c, "1,000 concerned", "UPDATE more SET v = v + 1", 1000, quick ? 20 : 100);
    commits(c, "all concerned", "UPDATE hot SET v = v + 1 WHERE id = 1", c->n * (SUBS + 1), 10);
    memory_each("a subscription, after commits", before, c, c->n * (SUBS + 1), 512);
    ask_beside(c, "UPDATE more SET v = %lld", alone);
    judge(c);
    all_gone(c, alone);
    crowd_stop(c);
}

/* ---- b: many statements -------------------------------------------------------------------- */

static void item_statement(char *out, size_t size, size_t i)
{
    snprintf(out, size, "SELECT id, v FROM items WHERE grp = %zu", i * 7919 % STATEMENTS);
}

static void section_b(void)
{
    char what[64];
    bench_section("b. subscriptions of 1,000 statements");
    struct crowd *c = crowd_start(pg, db, connections);
    double alone = lone_news(c, "alone", 0);
    crowd_connect(c);
    struct memory before = memory_of(c);
    all_subscribe(c, item_statement, "1,000 statements, 20 on each connection", alone);
    memory_each("a subscription, plans included", before, c, c->n * SUBS, 512);
    lone_news(c, "beside idle plans", alone);
    size_t each = c->n * SUBS / STATEMENTS;
    snprintf(what, sizeof what, "one plan of 1,000, %zu concerned", each);
    commits(c, what, "UPDATE items SET v = v + 1 WHERE id = 5", each, quick ? 20 : 100);
    snprintf(what, sizeof what, "all 1,000 plans, %zu concerned", c->n * SUBS);
    commits(c, what, "UPDATE items SET v = v + 1 WHERE id < 1000", c->n * SUBS, 10);
    ask_beside(c, "UPDATE items SET v = %lld WHERE id = 5", alone);
    judge(c);
    all_gone(c, alone);
    crowd_stop(c);
}

/* ---- c: churn ------------------------------------------------------------------------------ */

#define HONEST      100
#define CHURN_SPAN  300  /* connections open at a time */
#define CHURN_STEPS 1000 /* a second */

/* Each connects, subscribes, and is gone 0.3 s later, whatever it has got by then. */
static size_t churn(struct crowd *c, int seconds)
{
    struct swarm *s = c->swarm;
    int64_t t0 = bench_ns();
    size_t begin = s->n;
    while (seconds_since(t0) < seconds) {
        size_t due = begin + (size_t)(seconds_since(t0) * CHURN_STEPS);
        for (int i = 0; s->n < due && i < 50; i++) {
            swarm_send(s, swarm_open(s), "SUBSCRIBE t " HOT);
            if (s->n - begin > CHURN_SPAN)
                swarm_close(s, s->n - CHURN_SPAN - 1);
        }
        swarm_turn(s, 1);
    }
    return s->n - begin;
}

static void quiet(struct crowd *c, int seconds)
{
    (void)c;
    bench_sleep_us(seconds * 1000000L);
}

static double honest_news(struct crowd *c, const char *what, double against)
{
    struct honest h;
    char label[128];
    int seconds = quick ? 3 : 20;
    honest_start(&h, c, HONEST);
    if (against > 0)
        plain((double)churn(c, seconds) / seconds, "/s", "connections that came and went");
    else
        quiet(c, quick ? 1 : 5);
    honest_stop(&h);
    double p50 = samples_at(&h.ages, 0.5);
    snprintf(label, sizeof label, "100 subscribers %s, p50", what);
    bench_row(label, p50, "us", against > 0 ? p50 / against : NAN, NAN, "without it");
    plain(samples_at(&h.ages, 0.99), "us", "100 subscribers %s, p99", what);
    plain(samples_at(&h.ages, 1), "us", "100 subscribers %s, longest", what);
    honest_fini(&h);
    return p50;
}

static void section_c(void)
{
    struct writer w;
    bench_section("c. 1,000 connections a second that come, subscribe and go");
    struct crowd *c = crowd_start(pg, db, connections);
    writer_start(&w, pg, "UPDATE hot SET v = %lld WHERE id = 2", 50);
    double alone = honest_news(c, "without churn", 0);
    honest_news(c, "beside churn", alone);
    long rss = daemon_rss_kb(c->d);
    writer_stop(&w);
    for (size_t i = 0; i < c->swarm->n; i++)
        if (c->swarm->members[i])
            swarm_close(c->swarm, i);
    crowd_wait_status(c, "connections", 1);
    crowd_wait_status(c, "plans", 0);
    plain((double)rss / 1024, "MiB", "resident memory at the end of it");
    crowd_stop(c);
}

/* ---- main ---------------------------------------------------------------------------------- */

static bool wanted(const char *only, char letter)
{
    return !only || strchr(only, letter);
}

int main(int argc, char **argv)
{
    const char *json = NULL, *only = NULL;
    static const char *const settings[] = {"wal_sender_timeout = 0", "fsync = off", NULL};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
            json = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else
            die("usage: bench_load [--quick] [--json FILE] [--only LETTERS]");
    }
    signal(SIGPIPE, SIG_IGN);
    connections = quick ? CONNECTIONS / 10 : CONNECTIONS;
    pg = cluster_start(settings);
    db = cluster_connect(pg);
    make_tables();
    if (wanted(only, 'a'))
        section_a();
    if (wanted(only, 'b'))
        section_b();
    if (wanted(only, 'c'))
        section_c();
    PQfinish(db);
    cluster_free(pg);
    return json && !bench_write_json(json) ? 1 : 0;
}
