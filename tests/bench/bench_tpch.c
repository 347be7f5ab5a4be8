/*
 * bench_tpch: the 22 queries of TPC-H as live views, one after the other: what a commit costs each,
 * against Postgres answering it again, and what it keeps in memory.
 *
 *     bench_tpch [--scale 0.1] [--only N] [--quick] [--json FILE]
 *
 * Schema, data and queries are those of tests/sql/tpch.sql, where the answers are compared with
 * Postgres's. A commit is refresh-like: new orders with n lines in all, or the oldest orders with
 * some n lines deleted, in turn. It is timed from COMMIT's return until the daemon has sent
 * everything up to it (SYNC); the walsender's share of that, in which no view has a part, is measured
 * with a view that never changes and printed as the floor.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon_proc.h"
#include "tests/e2e/script.h"

#define SCRIPT "tests/sql/tpch.sql"
#define FLOOR  "SELECT l_orderkey FROM lineitem WHERE l_orderkey < 0"

static const struct {
    int lines, rounds;
} commits[] = {{1, 10}, {100, 6}, {10000, 4}};

#define NCOMMITS (sizeof commits / sizeof *commits)

struct figures {
    char mode[16];
    double seed_ms, requery_ms, mib;
    double commit_ms[NCOMMITS];
};

static struct cluster *pg;
static PGconn *db;
static bool quick;

/* ---- the database ---------------------------------------------------------------------------- */

static void load(const struct script *sc, double scale)
{
    for (size_t i = 0; i < sc->schema.list.n; i++)
        if (strncmp(sc->schema.list.v[i].sql, "SELECT tpch_load", 16) != 0)
            sql_run(db, "%s", sc->schema.list.v[i].sql);
    sql_run(db, "SELECT tpch_load(%g)", scale);
    sql_run(db, "VACUUM ANALYZE");
    sql_run(db, "CHECKPOINT");
}

static double requery_ms(const char *sql)
{
    struct samples s = {0};
    for (int i = 0; i < 3; i++) {
        int64_t t0 = bench_ns();
        sql_run(db, "%s", sql);
        samples_add(&s, (double)(bench_ns() - t0) / 1e6);
    }
    double m = samples_at(&s, 0.5);
    VEC_FREE(s.v);
    return m;
}

/* ---- the daemon ------------------------------------------------------------------------------ */

static struct daemon_proc *start_daemon(void)
{
    static const char *const sets[] = {"limits.result_rows=10000000", "limits.output_bytes=1G",
                                       NULL};
    return daemon_start(pg->conninfo, sets, true);
}

/* From the commit's return until all of it has been sent; the server isn't asked in between. */
static double commit_ms(struct client *c, int lines, bool insert)
{
    sql_run(db, "SELECT %s(%d)", insert ? "tpch_refresh" : "tpch_retire", lines);
    int64_t t0 = bench_ns();
    char *lsn = sql_value(db, "SELECT pg_current_wal_insert_lsn()");
    client_send(c, "SYNC %s", lsn);
    free(client_expect_prefix(c, "SYNCED "));
    double ms = (double)(bench_ns() - t0) / 1e6;
    free(lsn);
    return ms;
}

/* The number behind "name": in a JSON text. */
static double json_number(const char *json, const char *name)
{
    char key[40];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(json, key);
    return at ? strtod(at + strlen(key), NULL) : NAN;
}

/* What the plan holds, the circuit's state and its cached view. */
static double plan_mib(struct client *c, const char *key)
{
    double bytes = NAN;
    client_send(c, "LIST");
    char *head = client_expect_prefix(c, "PLANS ");
    long n = strtol(head + 6, NULL, 10);
    free(head);
    for (long i = 0; i < n; i++) {
        char *line = client_read_line(c);
        if (line && strstr(line, key))
            bytes = json_number(line, "bytes");
        free(line);
    }
    return bytes / 1048576;
}

static void member(const char *json, const char *name, char *out, size_t size)
{
    char key[40];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = json ? strstr(json, key) : NULL;
    snprintf(out, size, "%.*s", at ? (int)strcspn(at + strlen(key), "\"") : 0,
             at ? at + strlen(key) : "");
}

static struct figures measure(struct daemon_proc *d, const char *sql)
{
    struct figures f = {.requery_ms = requery_ms(sql)};
    struct client *c = client_connect(d->port);
    char key[20];
    c->timeout_ms = 600000;
    int64_t t0 = bench_ns();
    struct view *v = client_subscribe_json(c, "q", sql, NULL);
    client_wait_snapshot(c, v);
    f.seed_ms = (double)(bench_ns() - t0) / 1e6;
    member(v->accepted, "mode", f.mode, sizeof f.mode);
    member(v->accepted, "plan", key, sizeof key);
    if (!v->has_snapshot) {
        snprintf(f.mode, sizeof f.mode, "refused");
        client_close(c);
        return f;
    }
    for (size_t i = 0; i < NCOMMITS; i++) {
        struct samples s = {0};
        int rounds = quick ? 2 : commits[i].rounds;
        for (int k = 0; k < rounds; k++)
            samples_add(&s, commit_ms(c, commits[i].lines, k % 2 == 0));
        f.commit_ms[i] = samples_at(&s, 0.5);
        VEC_FREE(s.v);
    }
    f.mib = plan_mib(c, key);
    client_close(c);
    return f;
}

/* ---- the table ------------------------------------------------------------------------------- */

static void tell(const char *name, const struct figures *f)
{
    char what[64];
    printf("%-6s %-11s %8.0f %8.1f", name, f->mode, f->seed_ms, f->requery_ms);
    for (size_t i = 0; i < NCOMMITS; i++) {
        printf(" %8.2f (%6.3f)", f->commit_ms[i], f->commit_ms[i] / f->requery_ms);
        snprintf(what, sizeof what, "%s, commit of %d lines", name, commits[i].lines);
        bench_record(what, f->commit_ms[i], "ms", f->commit_ms[i] / f->requery_ms, NAN,
                     "Postgres answering again");
    }
    printf(" %8.1f\n", f->mib);
    fflush(stdout);
    snprintf(what, sizeof what, "%s, memory", name);
    bench_record(what, f->mib, "MiB", NAN, NAN, "");
}

static void run(const struct script *sc, int only)
{
    struct daemon_proc *d = start_daemon();
    bench_section("TPC-H: from a commit's return to the last byte");
    printf("%-6s %-11s %8s %8s %17s %17s %17s %8s\n", "", "mode", "seed ms", "again ms",
           "1 line ms (ratio)", "100 lines", "10,000 lines", "MiB");
    struct figures floor = measure(d, FLOOR);
    tell("floor", &floor);
    for (size_t i = 0; i < sc->queries.list.n; i++) {
        char name[24];
        snprintf(name, sizeof name, "Q%zu", i + 1);
        if (only && (size_t)only != i + 1)
            continue;
        struct figures f = measure(d, sc->queries.list.v[i].sql);
        tell(name, &f);
    }
    bench_note("resident in the end: %.0f MiB", (double)daemon_rss_kb(d) / 1024);
    daemon_free(d);
}

int main(int argc, char **argv)
{
    static const char *const settings[] = {"wal_sender_timeout = 0", "max_wal_size = 8GB",
                                           "shared_buffers = 512MB", "work_mem = 64MB", NULL};
    const char *json = NULL;
    double scale = 0.1;
    int only = 0;
    struct script sc = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
            json = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = atoi(argv[++i]);
        else if (strcmp(argv[i], "--scale") == 0 && i + 1 < argc)
            scale = strtod(argv[++i], NULL);
        else
            die("usage: bench_tpch [--scale S] [--only N] [--quick] [--json FILE]");
    }
    signal(SIGPIPE, SIG_IGN);
    script_read(&sc, SCRIPT);
    pg = cluster_start(settings);
    db = cluster_connect(pg);
    load(&sc, scale);
    run(&sc, only);
    PQfinish(db);
    cluster_free(pg);
    script_fini(&sc);
    return json && !bench_write_json(json) ? 1 : 0;
}
