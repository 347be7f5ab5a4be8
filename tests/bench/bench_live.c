/*
 * bench_live: the daemon against a real Postgres, each figure as a ratio to something measured in
 * the same run: a bare pgoutput reader, Postgres answering the statement again, LISTEN/NOTIFY,
 * pg_recvlogical, the same at ten times the size, Redis.
 *
 *     bench_live [--quick] [--json FILE] [--only LETTERS]
 *
 * Phases that are compared take turns, so that a noisy minute hits both.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/bare.h"
#include "tests/bench/fan.h"
#include "tests/bench/reader.h"
#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon_proc.h"

#define HEADLINE                                                                                   \
    "WITH per_category AS (SELECT category_id, COUNT(*) AS n, SUM(value) AS total FROM events "    \
    "GROUP BY category_id) SELECT category_id, n, total FROM per_category ORDER BY total DESC "    \
    "LIMIT 8"
#define PUBLICATION "palimpsest"

static bool quick;
static struct cluster *pg;
static PGconn *db;
static long next_id = 100000000;

static int scaled(int full)
{
    return quick ? (full + 9) / 10 : full;
}

static void load_events(const char *table, long rows)
{
    sql_run(db,
            "CREATE TABLE %s(id bigint PRIMARY KEY, category_id int, value bigint);"
            "INSERT INTO %s SELECT g, g * 7919 %% 1000, g * 31 %% 1009 FROM "
            "generate_series(1::bigint, %ld) g",
            table, table, rows);
    sql_run(db, "VACUUM ANALYZE %s", table);
    sql_run(db, "CHECKPOINT");
}

static struct daemon_proc *start_daemon(void)
{
    static const char *const sets[] = {"limits.result_rows=2000000", "listen.max_connections=10000",
                                       "listen.max_per_address=10000", "limits.output_bytes=64M",
                                       NULL};
    return daemon_start(pg->conninfo, sets, true);
}

/* A statement's text with the table of this size in place of events. */
static void on_table(const char *table, char *out, size_t size)
{
    snprintf(out, size,
             "WITH per_category AS (SELECT category_id, COUNT(*) AS n, SUM(value) AS total FROM %s "
             "GROUP BY category_id) SELECT category_id, n, total FROM per_category ORDER BY total "
             "DESC LIMIT 8",
             table);
}

/* ---- a, d: one commit of many rows ---------------------------------------------------------- */

/* Inserts n rows over all categories, so much that the top 8 change. Returns when COMMIT returned.
 */
static int64_t insert_rows(const char *table, int n)
{
    static long value = 1000;
    sql_run(db,
            "INSERT INTO %s SELECT %ld + g, g %% 1000, %ld + g %% 17 FROM generate_series(1, %d) g",
            table, next_id, value, n);
    int64_t t = bench_ns();
    next_id += n;
    value += 3;
    return t;
}

static void wait_quiet(void)
{
    bench_sleep_us(20000);
}

static void bare_rounds(const char *table, int rows, int rounds, struct samples *out)
{
    struct bare *b = bare_start(pg, PUBLICATION);
    insert_rows(table, 1);
    bare_commit_time(b, 1);
    for (int i = 0; i < rounds; i++) {
        uint64_t n = bare_commits(b) + 1;
        wait_quiet();
        int64_t t0 = insert_rows(table, rows);
        samples_add(out, (double)(bare_commit_time(b, n) - t0) / 1000);
    }
    bare_stop(b);
}

static void daemon_rounds(struct delta_reader *r, const char *table, int rows, int rounds,
                          struct samples *out)
{
    for (int i = 0; i < rounds; i++) {
        uint64_t n = delta_reader_count(r) + 1;
        wait_quiet();
        int64_t t0 = insert_rows(table, rows);
        samples_add(out, (double)(delta_reader_time(r, n) - t0) / 1000);
    }
}

static double requery_ms(bool parallel, int rounds)
{
    struct samples s = {0};
    sql_run(db, "SET max_parallel_workers_per_gather = %d", parallel ? 2 : 0);
    for (int i = 0; i < rounds; i++) {
        int64_t t0 = bench_ns();
        sql_run(db, "%s", HEADLINE);
        samples_add(&s, (double)(bench_ns() - t0) / 1e6);
    }
    sql_run(db, "RESET max_parallel_workers_per_gather");
    double m = samples_at(&s, 0.5);
    VEC_FREE(s.v);
    return m;
}

static void note_spread(const char *what, struct samples *s)
{
    bench_note("%s: min %.0f, median %.0f, p90 %.0f, max %.0f us over %zu rounds", what,
               samples_at(s, 0), samples_at(s, 0.5), samples_at(s, 0.9), samples_at(s, 1), s->v.n);
}

static void section_a(void)
{
    struct samples bare = {0}, live = {0};
    bench_section("a. a commit of 1,000 rows, 600,000 in the table: commit's return to last byte");
    for (int turn = 0; turn < 3; turn++) {
        struct daemon_proc *d = start_daemon();
        struct delta_reader *r = delta_reader_start(d->port, HEADLINE, NULL);
        daemon_rounds(r, "events", 1000, scaled(40), &live);
        delta_reader_stop(r);
        daemon_free(d);
        bare_rounds("events", 1000, scaled(40), &bare);
    }
    double floor_us = samples_at(&bare, 0.5), us = samples_at(&live, 0.5);
    double parallel = requery_ms(true, 7), serial = requery_ms(false, 7);
    bench_row("bare pgoutput reader, last row", floor_us, "us", NAN, NAN, "");
    bench_row("daemon, last byte of the delta", us, "us", us / floor_us, 1.3, "the bare reader");
    bench_row("Postgres answering again, parallel", parallel * 1000, "us", us / (parallel * 1000),
              0.1, "(daemon / Postgres)");
    bench_row("Postgres answering again, one process", serial * 1000, "us", us / (serial * 1000),
              0.1, "(daemon / Postgres)");
    note_spread("bare", &bare);
    note_spread("daemon", &live);
    VEC_FREE(bare.v);
    VEC_FREE(live.v);
}

/* ---- b: single-row commits at a steady rate ------------------------------------------------- */

#define RATE 200

static void pace(int64_t *next)
{
    *next += 1000000000LL / RATE;
    int64_t now = bench_ns();
    if (*next > now)
        bench_sleep_us((*next - now) / 1000);
}

typedef int64_t arrival_fn(void *arg, uint64_t n);

static void steady(int commits, arrival_fn *arrival, void *arg, uint64_t already,
                   struct samples *out)
{
    int64_t next = bench_ns();
    for (int i = 0; i < commits; i++) {
        pace(&next);
        int64_t t0 = insert_rows("events", 1);
        samples_add(out, (double)(arrival(arg, already + (uint64_t)i + 1) - t0) / 1000);
    }
}

static int64_t bare_arrival(void *arg, uint64_t n)
{
    return bare_commit_time(arg, n);
}

static int64_t delta_arrival(void *arg, uint64_t n)
{
    return delta_reader_time(arg, n);
}

static void notify_rounds(int commits, struct samples *out)
{
    PGconn *listener = cluster_connect(pg);
    int64_t next = bench_ns();
    sql_run(listener, "LISTEN bench");
    for (int i = 0; i < commits; i++) {
        PGnotify *n;
        pace(&next);
        sql_run(db, "BEGIN; INSERT INTO events VALUES (%ld, 1, 1); NOTIFY bench; COMMIT",
                ++next_id);
        int64_t t0 = bench_ns();
        while (!(n = PQnotifies(listener)))
            PQconsumeInput(listener);
        samples_add(out, (double)(bench_ns() - t0) / 1000);
        PQfreemem(n);
    }
    PQfinish(listener);
}

/* Every commit changes it, so that every one is a delta. */
#define COUNTING "SELECT count(*), max(id) FROM events"

static void section_b(void)
{
    struct samples bare = {0}, live = {0}, notify = {0};
    int commits = scaled(1000);
    bench_section(
        "b. single-row commits, 200 a second: commit's return to the delta on the socket");
    for (int turn = 0; turn < 2; turn++) {
        struct daemon_proc *d = start_daemon();
        struct delta_reader *r = delta_reader_start(d->port, COUNTING, NULL);
        steady(commits, delta_arrival, r, 0, &live);
        delta_reader_stop(r);
        daemon_free(d);
        struct bare *b = bare_start(pg, PUBLICATION);
        steady(commits, bare_arrival, b, 0, &bare);
        bare_stop(b);
        notify_rounds(commits, &notify);
    }
    for (int i = 0; i < 2; i++) {
        double p = i ? 0.99 : 0.5, floor_us = samples_at(&bare, p), us = samples_at(&live, p);
        bench_row(i ? "bare reader, p99" : "bare reader, p50", floor_us, "us", NAN, NAN, "");
        bench_row(i ? "LISTEN/NOTIFY, p99" : "LISTEN/NOTIFY, p50", samples_at(&notify, p), "us",
                  NAN, NAN, "");
        bench_row(i ? "daemon, p99" : "daemon, p50", us, "us", us / floor_us, 2, "the bare reader");
    }
    VEC_FREE(bare.v);
    VEC_FREE(live.v);
    VEC_FREE(notify.v);
}

static void async_rounds(const char *const *sets, bool sync, const char *what)
{
    struct samples s = {0};
    struct daemon_proc *d = daemon_start(pg->conninfo, sets, true);
    struct delta_reader *r = delta_reader_start(d->port, COUNTING, NULL);
    sql_run(db, "SET synchronous_commit = off");
    for (int i = 0; i < scaled(60) + 5; i++) {
        uint64_t n = delta_reader_count(r) + 1;
        bench_sleep_us(50000 + i % 7 * 10000);
        int64_t t0 = insert_rows("events", 1);
        if (sync)
            delta_reader_sync(r);
        samples_add(&s, (double)(delta_reader_time(r, n) - t0) / 1000);
    }
    sql_run(db, "RESET synchronous_commit");
    bench_row(what, samples_at(&s, 0.5), "us", NAN, NAN, "");
    VEC_FREE(s.v);
    delta_reader_stop(r);
    daemon_free(d);
}

static void section_b_async(void)
{
    static const char *const flush[] = {"postgres.flush_interval=5ms", NULL};
    bench_section("b. the same with synchronous_commit = off (WAL is flushed every 200 ms)");
    async_rounds(NULL, false, "daemon, left alone, p50");
    async_rounds(flush, false, "daemon, flush_interval = 5ms, p50");
    async_rounds(NULL, true, "daemon, SYNC after each commit, p50");
}

/* ---- c: backlog ------------------------------------------------------------------------------ */

static void pgbench(const char *script, int clients, int transactions)
{
    char program[256], file[160], text[1024];
    cluster_program("pgbench", program, sizeof program);
    snprintf(file, sizeof file, "%s/script.sql", pg->dir);
    FILE *f = fopen(file, "w");
    if (!f)
        die("can't write %s", file);
    fputs(script, f);
    fclose(f);
    snprintf(
        text, sizeof text,
        "PGOPTIONS='-c synchronous_commit=off' %s -n -h %s -U postgres -c %d -t %d -M prepared "
        "-f %s postgres >%s/pgbench.out 2>&1",
        program, pg->dir, clients, transactions / clients, file, pg->dir);
    if (system(text) != 0)
        die("pgbench failed");
}

static double recvlogical_seconds(const char *slot, const char *endpos)
{
    char program[256], text[1024];
    cluster_program("pg_recvlogical", program, sizeof program);
    snprintf(text, sizeof text,
             "%s -h %s -U postgres -d postgres -S %s --start --no-loop -f /dev/null --endpos=%s "
             "-o proto_version=1 -o publication_names=" PUBLICATION " >/dev/null 2>&1",
             program, pg->dir, slot, endpos);
    int64_t t0 = bench_ns();
    if (system(text) != 0)
        die("pg_recvlogical failed");
    return (double)(bench_ns() - t0) / 1e9;
}

/* The WAL is written while the daemon is stopped; then it has it all to read. */
static double daemon_backlog_seconds(void (*write)(void), const char *slot, char **endpos)
{
    struct daemon_proc *d = start_daemon();
    struct delta_reader *r = delta_reader_start(d->port, HEADLINE, NULL);
    sql_run(db, "SELECT pg_create_logical_replication_slot('%s', 'pgoutput')", slot);
    kill(d->pid, SIGSTOP);
    write();
    sql_run(db, "INSERT INTO events VALUES (%ld, 1, 1)", ++next_id);
    *endpos = sql_value(db, "SELECT pg_current_wal_insert_lsn()");
    bench_sleep_us(1000000); /* let the WAL be flushed and the machine be quiet */
    uint64_t syncs = delta_reader_syncs(r);
    delta_reader_sync(r);
    int64_t t0 = bench_ns();
    kill(d->pid, SIGCONT);
    while (delta_reader_syncs(r) == syncs)
        bench_sleep_us(500);
    double seconds = (double)(bench_ns() - t0) / 1e9;
    delta_reader_stop(r);
    daemon_free(d);
    return seconds;
}

static int backlog_commits;

static void write_small(void)
{
    pgbench("INSERT INTO events SELECT nextval('bench_ids'), (random() * 999)::int, 7;\n", 4,
            backlog_commits);
}

static void write_big(void)
{
    for (int i = 0; i < backlog_commits; i++)
        sql_run(db, "INSERT INTO events SELECT nextval('bench_ids'), g %% 1000, 7 FROM "
                    "generate_series(1, 10000) g");
}

static void backlog(const char *what, void (*write)(void), int commits, int rows, const char *slot)
{
    char *endpos, label[96];
    backlog_commits = commits;
    double live = daemon_backlog_seconds(write, slot, &endpos);
    double bare = recvlogical_seconds(slot, endpos);
    sql_run(db, "SELECT pg_drop_replication_slot('%s')", slot);
    free(endpos);
    snprintf(label, sizeof label, "%s, pg_recvlogical to /dev/null", what);
    bench_row(label, commits * (double)rows / bare, "rows/s", NAN, NAN, "");
    snprintf(label, sizeof label, "%s, daemon", what);
    bench_row(label, commits * (double)rows / live, "rows/s", live / bare, 1.25,
              "pg_recvlogical's time");
}

static void section_c(void)
{
    bench_section("c. a backlog read from the start");
    sql_run(db, "CREATE SEQUENCE bench_ids START 2000000000 CACHE 1000");
    int small = quick ? 20000 : 200000, big = quick ? 20 : 200;
    backlog(quick ? "20,000 commits of a row" : "200,000 commits of a row", write_small, small, 1,
            "bench_small");
    backlog(quick ? "20 commits of 10,000 rows" : "200 commits of 10,000 rows", write_big, big,
            10000, "bench_big");
    sql_run(db, "DELETE FROM events WHERE id >= 2000000000");
}

/* ---- d, e: ten times the size --------------------------------------------------------------- */

static const char *const SIZES[] = {"events", "events_10x"};
static const char *const SIZE_NAMES[] = {"600,000 rows", "6,000,000 rows"};

static double plan_number(int port, const char *table, const char *member)
{
    struct client *c = client_connect(port);
    char *line, *p, key[64];
    double v = 0;
    client_send(c, "LIST");
    line = client_expect_prefix(c, "PLANS ");
    int n = atoi(line + 6);
    free(line);
    snprintf(key, sizeof key, "\"%s\":", member);
    for (int i = 0; i < n; i++) {
        line = client_read_line(c);
        if (strstr(line, table) && (p = strstr(line, key)))
            v = strtod(p + strlen(key), NULL);
        free(line);
    }
    client_close(c);
    return v;
}

static void seed_and_memory(int i, double *seed_s, long *rss_kb)
{
    char sql[512];
    int64_t ns;
    struct daemon_proc *d = start_daemon();
    long before = daemon_rss_kb(d);
    on_table(SIZES[i], sql, sizeof sql);
    struct delta_reader *r = delta_reader_start(d->port, sql, &ns);
    *seed_s = (double)ns / 1e9;
    bench_sleep_us(500000);
    *rss_kb = daemon_rss_kb(d) - before;
    if (i == 0) {
        double rows = 1000, bytes = plan_number(d->port, "events", "bytes");
        bench_row("bytes per group of the headline query", bytes / rows, "B", NAN, NAN, "");
        struct delta_reader *wide = delta_reader_start(
            d->port, "SELECT id, category_id FROM events WHERE id <= 100000", NULL);
        bytes = plan_number(d->port, "100000", "bytes");
        bench_row("bytes per cached row (bigint, int; 100,000 of them)", bytes / 100000, "B", NAN,
                  NAN, "");
        delta_reader_stop(wide);
    }
    delta_reader_stop(r);
    daemon_free(d);
}

static void section_d(void)
{
    struct samples one[2] = {{{0}}}, many[2] = {{{0}}};
    bench_section("d. the same commit with ten times the rows");
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 2; i++) {
            char sql[512];
            struct daemon_proc *d = start_daemon();
            on_table(SIZES[i], sql, sizeof sql);
            struct delta_reader *r = delta_reader_start(d->port, sql, NULL);
            daemon_rounds(r, SIZES[i], 1000, 5, &(struct samples){{0}});
            daemon_rounds(r, SIZES[i], 1000, scaled(40), &many[i]);
            delta_reader_stop(r);
            snprintf(sql, sizeof sql, "SELECT count(*), max(id) FROM %s", SIZES[i]);
            r = delta_reader_start(d->port, sql, NULL);
            daemon_rounds(r, SIZES[i], 1, scaled(200), &one[i]);
            delta_reader_stop(r);
            daemon_free(d);
        }
    for (int k = 0; k < 2; k++) {
        struct samples *s = k ? many : one;
        const char *what = k ? "commit of 1,000 rows" : "commit of 1 row";
        for (int i = 0; i < 2; i++) {
            char label[96];
            double us = samples_at(&s[i], 0.5);
            snprintf(label, sizeof label, "%s, %s", what, SIZE_NAMES[i]);
            bench_row(label, us, "us", i ? us / samples_at(&s[0], 0.5) : NAN, i ? 1.2 : NAN,
                      "600,000 rows");
        }
    }
}

static void section_e(void)
{
    bench_section("e. seeding the headline query, and memory");
    for (int i = 0; i < 2; i++) {
        char label[96];
        double seed;
        long rss;
        seed_and_memory(i, &seed, &rss);
        snprintf(label, sizeof label, "SUBSCRIBE to SNAPSHOT, %s", SIZE_NAMES[i]);
        bench_row(label, seed, "s", NAN, NAN, "");
        snprintf(label, sizeof label, "resident memory for it, %s", SIZE_NAMES[i]);
        bench_row(label, (double)rss / 1024, "MiB", NAN, NAN, "");
        bench_row("  of that a row of the table", (double)rss * 1024 / (i ? 6e6 : 6e5), "B", NAN,
                  NAN, "");
    }
}

/* ---- f: fan-out ------------------------------------------------------------------------------ */

struct fan_result {
    double deliveries_per_s, cpu_us;
};

static long process_cpu_us(pid_t pid)
{
    struct daemon_proc d = {.pid = pid};
    return daemon_cpu_us(&d);
}

typedef void send_fn(void *arg, int n);

/* Waits until nothing has come for a while, and returns when the last delivery was seen. */
static int64_t settle(struct fan *f)
{
    uint64_t n = fan_deliveries(f), now;
    int64_t last = bench_ns();
    while (bench_ns() - last < 200000000) {
        bench_sleep_us(2000);
        if ((now = fan_deliveries(f)) == n)
            continue;
        n = now;
        last = bench_ns();
    }
    return last;
}

/* Where commits may be folded, how many deliveries there will be isn't known beforehand. */
static struct fan_result measure_fan(struct fan *f, pid_t pid, size_t subscribers, int burst,
                                     int messages, send_fn *send_messages, void *arg, bool folds)
{
    struct fan_result res;
    uint64_t before = fan_deliveries(f);
    long cpu = process_cpu_us(pid);
    int64_t busy_ns = 0;
    for (int i = 0; i < messages; i += burst) {
        int64_t t0 = bench_ns();
        send_messages(arg, burst);
        if (!folds)
            fan_wait(f, before + (uint64_t)(i + burst) * subscribers);
        busy_ns += (folds ? settle(f) : bench_ns()) - t0;
    }
    bench_sleep_us(20000);
    uint64_t n = fan_deliveries(f) - before;
    res.deliveries_per_s = (double)n / ((double)busy_ns / 1e9);
    res.cpu_us = (double)(process_cpu_us(pid) - cpu) / (double)n;
    return res;
}

/* n commits that reach the WAL at once: the last one flushes them all. */
static void commit_messages(void *arg, int n)
{
    (void)arg;
    if (n > 1) {
        sql_run(db, "SET synchronous_commit = off");
        sql_run(
            db,
            "DO $$ BEGIN FOR i IN 2..%d LOOP UPDATE ticker SET v = v + 1; COMMIT; END LOOP; END "
            "$$",
            n);
        sql_run(db, "RESET synchronous_commit");
    }
    sql_run(db, "UPDATE ticker SET v = v + 1");
}

struct redis {
    pid_t pid;
    struct client *c;
    char message[256];
};

static void publish_messages(void *arg, int n)
{
    struct redis *r = arg;
    struct buf b;
    buf_init(&b);
    for (int i = 0; i < n; i++)
        buf_addf(&b, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nt\r\n$%zu\r\n%s\r\n", strlen(r->message),
                 r->message);
    client_send_bytes(r->c, b.data, b.len);
    buf_fini(&b);
    for (int i = 0; i < n; i++)
        free(client_read_line(r->c));
}

#define REDIS_PORT 17746

static struct redis *redis_start(size_t message_len)
{
    struct redis *r = NEW(struct redis);
    r->pid = fork();
    if (r->pid == 0) {
        char port[16];
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        snprintf(port, sizeof port, "%d", REDIS_PORT);
        execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
               "--maxclients", "9000", "--logfile", "/dev/null", NULL);
        _exit(127);
    }
    bench_sleep_us(700000);
    if (waitpid(r->pid, NULL, WNOHANG) != 0)
        return free(r), NULL;
    r->c = client_connect_raw(REDIS_PORT);
    memset(r->message, 'm', sizeof r->message - 1);
    r->message[message_len < 255 ? message_len : 255] = '\0';
    memcpy(r->message, "MSG.", 4);
    return r;
}

static void redis_stop(struct redis *r)
{
    client_close(r->c);
    kill(r->pid, SIGTERM);
    waitpid(r->pid, NULL, 0);
    free(r);
}

static void fan_rows(size_t n, int burst, struct fan_result d, struct fan_result redis)
{
    char label[96];
    const char *how = burst > 1 ? "bursts of 64" : "one at a time";
    snprintf(label, sizeof label, "%zu subscribers, %s: redis, CPU a delivery", n, how);
    bench_row(label, redis.cpu_us, "us", NAN, NAN, "");
    snprintf(label, sizeof label, "%zu subscribers, %s: daemon, CPU a delivery", n, how);
    bench_row(label, d.cpu_us, "us", d.cpu_us / redis.cpu_us, 1, "redis");
    bench_note("deliveries a second: daemon %.0f, redis %.0f", d.deliveries_per_s,
               redis.deliveries_per_s);
}

static void section_f(void)
{
    static const size_t counts[] = {100, 1000, 5000};
    bench_section("f. subscribers of one plan on loopback, against Redis pub/sub");
    sql_run(db,
            "CREATE TABLE ticker(id int PRIMARY KEY, v bigint); INSERT INTO ticker VALUES (1, 0)");
    struct daemon_proc *d = start_daemon();
    struct redis *r = redis_start(60);
    if (!r) {
        bench_note("redis-server is not installed: left out");
        daemon_free(d);
        return;
    }
    for (size_t k = 0; k < 3; k++) {
        size_t n = counts[k];
        int messages = (int)((quick ? 20000 : 200000) / n) + 1;
        struct fan *live = fan_start(d->port, n, "SUBSCRIBE t SELECT id, v FROM ticker\n",
                                     "SNAPSHOT t", "DELTA t ");
        struct fan *pub = fan_start(REDIS_PORT, n, "SUBSCRIBE t\r\n", "subscribe\r\n", "MSG.");
        for (int burst = 1; burst <= 64; burst += 63) {
            int m = messages < burst * 4 ? burst * 4 : messages / burst * burst;
            struct fan_result a =
                measure_fan(live, d->pid, n, burst, m, commit_messages, NULL, burst > 1);
            struct fan_result b = measure_fan(pub, r->pid, n, burst, m, publish_messages, r, false);
            fan_rows(n, burst, a, b);
        }
        fan_stop(live);
        fan_stop(pub);
    }
    redis_stop(r);
    daemon_free(d);
}

/* ---- main ------------------------------------------------------------------------------------ */

static bool wanted(const char *only, char letter)
{
    return !only || strchr(only, letter);
}

static void noise(void)
{
    struct samples s = {0};
    bench_section("how noisy this run was");
    for (int i = 0; i < 200; i++) {
        int64_t t0 = bench_ns();
        bench_sleep_us(1000);
        samples_add(&s, (double)(bench_ns() - t0) / 1000 - 1000);
    }
    bench_note("a sleep of 1 ms overshoots by %.0f us (median), %.0f us (p99), %.0f us (max)",
               samples_at(&s, 0.5), samples_at(&s, 0.99), samples_at(&s, 1));
    VEC_FREE(s.v);
}

int main(int argc, char **argv)
{
    const char *json = NULL, *only = NULL;
    static const char *const settings[] = {"wal_sender_timeout = 0", "max_wal_size = 8GB",
                                           "shared_buffers = 512MB", NULL};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
            json = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else
            die("usage: bench_live [--quick] [--json FILE] [--only LETTERS]");
    }
    signal(SIGPIPE, SIG_IGN);
    pg = cluster_start(settings);
    db = cluster_connect(pg);
    /* The daemon would make one and drop it again; the bare readers need it too. */
    sql_run(db, "CREATE PUBLICATION " PUBLICATION " FOR ALL TABLES");
    noise();
    load_events("events", 600000);
    if (wanted(only, 'd') || wanted(only, 'e'))
        load_events("events_10x", 6000000);
    if (wanted(only, 'a'))
        section_a();
    if (wanted(only, 'b')) {
        section_b();
        section_b_async();
    }
    if (wanted(only, 'c'))
        section_c();
    if (wanted(only, 'd'))
        section_d();
    if (wanted(only, 'e'))
        section_e();
    if (wanted(only, 'f'))
        section_f();
    PQfinish(db);
    cluster_free(pg);
    return json && !bench_write_json(json) ? 1 : 0;
}
