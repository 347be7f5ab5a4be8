/*
 * The scripts of tests/sql (script.h): after every change each live view is compared with what
 * Postgres answers, and late joiners get theirs in order. All that is wrong is told at the end of
 * its script, which then has failed; what was counted, at the end of the run, a line a construct.
 * Every script begins with an empty schema public.
 *
 * Environment: SQL_SCRIPT=name runs one script, SQL_STATEMENT=line of it only the statement there;
 * SQL_RERUN_OK=name: in that script what should be incremental may be rerun;
 * SQL_TABLE=file writes the counts, tab-separated, and SQL_MODES=file a line a statement.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/base/alloc.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/live.h"
#include "tests/e2e/script.h"

#define DIR_NAME    "tests/sql"
#define MAX_SCRIPTS 100

struct counts {
    unsigned statements, modes[3], changes, comparisons, wrong;
};

static char *names[MAX_SCRIPTS];
static int nnames;
static struct counts *counts; /* by script; shared with the processes that run them */

struct run {
    const char *name;
    struct counts *n;
    PGconn *db;
    struct client *c;
    VEC(struct live) live;
};

static void subscribe_all(struct run *r, const struct script *sc)
{
    const char *only = getenv("SQL_STATEMENT"), *lax = getenv("SQL_RERUN_OK");
    VEC_RESERVE(r->live, sc->queries.list.n + 1);
    for (size_t i = 0; i < sc->queries.list.n; i++) {
        struct statement *st = &sc->queries.list.v[i];
        char id[24];
        if (lax && strcmp(lax, r->name) == 0 && st->expected == EXPECT_INCREMENTAL)
            st->expected = EXPECT_ACCEPTED;
        if (only && *only && strtoul(only, NULL, 10) != st->line)
            continue;
        struct live *l = &r->live.v[r->live.n++];
        snprintf(id, sizeof id, "q%u", st->line);
        live_begin(l, r->c, id, st);
    }
    for (size_t i = 0; i < r->live.n; i++) {
        live_settle(&r->live.v[i], r->c, r->db);
        r->n->statements++;
        r->n->modes[r->live.v[i].mode]++;
    }
}

/* Told once, when it is first seen. */
static void tell(struct run *r, struct live *l, const struct statement *change)
{
    struct buf b;
    buf_init(&b);
    buf_addf(&b, "WRONG %s:%u (%s): %s\n", r->name, l->st->line, LIVE_MODE_NAMES[l->mode],
             l->st->sql);
    if (l->st->params)
        buf_addf(&b, "  params %s\n", l->st->params);
    if (change)
        buf_addf(&b, "  after line %u: %.300s\n", change->line, change->sql);
    buf_addf(&b, "%s", l->wrong);
    if (l->mode != LIVE_REFUSED)
        live_explain(l, r->c, &b);
    fputs(buf_cstr(&b), stderr);
    buf_fini(&b);
    r->n->wrong++;
}

static void compare_all(struct run *r, const struct statement *change)
{
    client_sync(r->c);
    for (size_t i = 0; i < r->live.n; i++) {
        struct live *l = &r->live.v[i];
        if (l->wrong || l->mode == LIVE_REFUSED)
            continue;
        r->n->comparisons++;
        if (!live_check(l, r->db, true))
            tell(r, l, change);
    }
}

static void compare_late(struct run *r, const struct statement *change)
{
    struct client *late = client_connect(daemon_under_test->port);
    late->timeout_ms = r->c->timeout_ms;
    for (size_t i = 0; i < r->live.n; i++) {
        struct live *l = &r->live.v[i];
        if (l->wrong || l->mode == LIVE_REFUSED)
            continue;
        r->n->comparisons++;
        if (!live_check_late(l, late, r->db))
            tell(r, l, change);
    }
    client_close(late);
}

static void write_modes(const struct run *r)
{
    const char *path = getenv("SQL_MODES");
    FILE *f = path && *path ? fopen(path, "a") : NULL;
    if (!f)
        return;
    for (size_t i = 0; i < r->live.n; i++) {
        const struct live *l = &r->live.v[i];
        const char *why = l->mode == LIVE_REFUSED ? l->view->error : l->view->accepted;
        fprintf(f, "%s\t%u\t%d\t%s\t%s\t%.300s\n", r->name, l->st->line, (int)l->st->expected,
                l->wrong ? "wrong" : "right", LIVE_MODE_NAMES[l->mode], why ? why : "");
    }
    fclose(f);
}

static void run_one(struct run *r, const struct statement *st)
{
    PGresult *res = PQexec(r->db, st->sql);
    ExecStatusType status = PQresultStatus(res);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        die("%s:%u: %.200s: %s", r->name, st->line, st->sql, PQerrorMessage(r->db));
    PQclear(res);
}

static void run_changes(struct run *r, const struct script *sc)
{
    compare_all(r, NULL);
    for (size_t i = 0; i < sc->changes.list.n; i++) {
        const struct statement *change = &sc->changes.list.v[i];
        run_one(r, change);
        r->n->changes++;
        compare_all(r, change);
        if (i == sc->changes.list.n / 2 || i + 1 == sc->changes.list.n)
            compare_late(r, change);
    }
}

static void run_all(struct run *r, const struct script *sc)
{
    for (size_t i = 0; i < sc->schema.list.n; i++)
        run_one(r, &sc->schema.list.v[i]);
    subscribe_all(r, sc);
    for (size_t i = 0; i < r->live.n; i++)
        if (r->live.v[i].wrong)
            tell(r, &r->live.v[i], NULL);
    run_changes(r, sc);
    write_modes(r);
}

static void run_script(const char *name, struct counts *n)
{
    char path[300];
    struct script sc = {0};
    struct run r = {.name = name,
                    .n = n,
                    .db = cluster_connect(cluster),
                    .c = client_connect(daemon_under_test->port)};
    r.c->timeout_ms = 60000; /* a script has hundreds of plans to seed */
    snprintf(path, sizeof path, "%s/%s.sql", DIR_NAME, name);
    script_read(&sc, path);
    sql_run(r.db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    if (PQserverVersion(r.db) / 10000 >= sc.since)
        run_all(&r, &sc);
    client_close(r.c);
    PQfinish(r.db);
    for (size_t i = 0; i < r.live.n; i++)
        live_fini(&r.live.v[i]);
    VEC_FREE(r.live);
    script_fini(&sc);
}

START_TEST(script)
{
    run_script(names[_i], &counts[_i]);
    ck_assert_uint_eq(counts[_i].wrong, 0);
}
END_TEST

/* ---- the table ------------------------------------------------------------------------------- */

static void print_counts(FILE *f, const char *fmt, const char *name, const struct counts *n)
{
    fprintf(f, fmt, name, n->statements, n->modes[LIVE_INCREMENTAL], n->modes[LIVE_RERUN],
            n->modes[LIVE_REFUSED], n->changes, n->comparisons, n->wrong);
}

static void print_table(void)
{
    const char *path = getenv("SQL_TABLE");
    FILE *f = path && *path ? fopen(path, "w") : NULL;
    struct counts total = {0};
    const char *pretty =
        "%-16s %5u statements: %u incremental, %u rerun, %u refused; %u changes, %u "
        "comparisons, %u wrong\n";
    const char *plain = "%s\t%u\t%u\t%u\t%u\t%u\t%u\t%u\n";
    if (f)
        fputs("construct\tstatements\tincremental\trerun\trefused\tchanges\tcomparisons\twrong\n",
              f);
    for (int i = 0; i < nnames; i++) {
        const struct counts *n = &counts[i];
        print_counts(stderr, pretty, names[i], n);
        if (f)
            print_counts(f, plain, names[i], n);
        total.statements += n->statements;
        for (int m = 0; m < 3; m++)
            total.modes[m] += n->modes[m];
        total.changes += n->changes;
        total.comparisons += n->comparisons;
        total.wrong += n->wrong;
    }
    print_counts(stderr, pretty, "total", &total);
    if (f) {
        print_counts(f, plain, "total", &total);
        fclose(f);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_scripts(void)
{
    const char *only = getenv("SQL_SCRIPT");
    struct dirent *e;
    DIR *d = opendir(DIR_NAME);
    if (!d)
        die("no %s: run from the top of the source tree", DIR_NAME);
    while ((e = readdir(d)) && nnames < MAX_SCRIPTS) {
        size_t len = strlen(e->d_name);
        if (len <= 4 || strcmp(e->d_name + len - 4, ".sql") != 0)
            continue;
        char *name = xstrndup(e->d_name, len - 4);
        if (!only || !*only || strcmp(only, name) == 0)
            names[nnames++] = name;
        else
            free(name);
    }
    closedir(d);
    qsort(names, (size_t)nnames, sizeof *names, compare_names);
}

int main(void)
{
    find_scripts();
    counts = mmap(NULL, MAX_SCRIPTS * sizeof *counts, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        die("no memory for the counts");
    Suite *s = suite_create("sql");
    TCase *t = tcase_create("sql");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, script, 0, nnames);
    suite_add_tcase(s, t);
    static const char *const sets[] = {"limits.subscriptions_per_connection=2000",
                                       "limits.plans=5000", NULL};
    harness_daemon_sets = sets;
    int status = harness_main(s);
    print_table();
    return status;
}
