/*
 * The scripts of tests/sql: schema, statements kept live, and changes; after every change each live
 * view is compared with what Postgres answers.
 *
 * A script has three sections, @schema, @queries and @changes, of statements that end in ';' at a
 * line's end. A query line that begins with "refuse:" must be refused with 0A000. Environment:
 * SQL_SCRIPT=name runs one script.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "tests/e2e/harness.h"

#define DIR_NAME "tests/sql"

struct statements {
    VEC(char *) list;
};

struct script {
    struct statements schema, queries, changes;
};

static char *read_file(const char *path)
{
    struct buf b;
    size_t len, n;
    FILE *f = fopen(path, "r");
    if (!f)
        die("can't read %s", path);
    buf_init(&b);
    while ((n = fread(buf_reserve(&b, 65536), 1, 65536, f)) > 0)
        b.len += n;
    fclose(f);
    buf_addc(&b, '\0');
    return buf_take(&b, &len);
}

static char *trimmed(const char *s, size_t len)
{
    while (len && strchr(" \n\t", *s))
        s++, len--;
    while (len && strchr(" \n\t;", s[len - 1]))
        len--;
    return xstrndup(s, len);
}

static void parse(char *text, struct script *sc)
{
    struct statements *into = NULL;
    char *line = text, *start = NULL;
    while (line && *line) {
        char *end = strchr(line, '\n');
        size_t len = end ? (size_t)(end - line) : strlen(line);
        if (*line == '@') {
            into = strncmp(line, "@schema", 7) == 0    ? &sc->schema
                   : strncmp(line, "@queries", 8) == 0 ? &sc->queries
                                                       : &sc->changes;
        } else if (len && strncmp(line, "--", 2) != 0) {
            if (!start)
                start = line;
            if (line[len - 1] == ';') {
                VEC_PUSH(into->list, trimmed(start, (size_t)(line + len - start)));
                start = NULL;
            }
        }
        line = end ? end + 1 : NULL;
    }
    if (start)
        die("a statement without its ';': %.60s", start);
}

struct run {
    PGconn *db;
    struct client *c;
    VEC(struct view *) views;
    VEC(const char *) sql;
    unsigned refused, comparisons;
};

static void subscribe_all(struct run *r, const struct script *sc)
{
    for (size_t i = 0; i < sc->queries.list.n; i++) {
        const char *q = sc->queries.list.v[i];
        bool refuse = strncmp(q, "refuse:", 7) == 0;
        char id[24];
        snprintf(id, sizeof id, "q%zu", i);
        struct view *v = client_subscribe_json(r->c, id, refuse ? q + 7 : q, NULL);
        client_wait_snapshot(r->c, v);
        if (refuse) {
            if (!v->error || !strstr(v->error, "0A000"))
                die("not refused: %s (%s)", q, v->error ? v->error : "accepted");
            r->refused++;
            continue;
        }
        if (v->error && !v->failed)
            die("%s\n%s", q, v->error);
        VEC_PUSH(r->views, v);
        VEC_PUSH(r->sql, q);
    }
}

/* A statement that Postgres answers with an error now must be a FAILED plan. */
static bool postgres_fails(PGconn *db, const char *sql)
{
    struct buf b;
    buf_init(&b);
    buf_addf(&b, "SELECT count(*), max(q::text) FROM (%s\n) q", sql);
    const char *state = sql_state(db, "%s", buf_cstr(&b));
    buf_fini(&b);
    return *state != '\0';
}

/* After FAILED, a result that is what it was before the error is right without a word. */
static void compare_all(struct run *r)
{
    for (size_t i = 0; i < r->views.n; i++, r->comparisons++) {
        if (r->views.v[i]->failed && postgres_fails(r->db, r->sql.v[i]))
            continue;
        if (!r->views.v[i]->has_snapshot)
            die("FAILED, but Postgres answers: %s\n%s", r->sql.v[i], r->views.v[i]->error);
        view_must_equal(r->db, r->views.v[i], r->sql.v[i]);
    }
}

static void statements_fini(struct statements *s)
{
    for (size_t i = 0; i < s->list.n; i++)
        free(s->list.v[i]);
    VEC_FREE(s->list);
}

static void run_script(const char *name)
{
    char path[300];
    struct script sc = {0};
    struct run r = {.db = cluster_connect(cluster), .c = client_connect(daemon_under_test->port)};
    snprintf(path, sizeof path, "%s/%s", DIR_NAME, name);
    char *text = read_file(path);
    parse(text, &sc);
    for (size_t i = 0; i < sc.schema.list.n; i++)
        sql_run(r.db, "%s", sc.schema.list.v[i]);
    subscribe_all(&r, &sc);
    client_sync(r.c);
    compare_all(&r);
    for (size_t i = 0; i < sc.changes.list.n; i++) {
        sql_run(r.db, "%s", sc.changes.list.v[i]);
        client_sync(r.c);
        compare_all(&r);
    }
    fprintf(stderr, "%-16s %zu live, %u refused, %zu changes, %u comparisons\n", name, r.views.n,
            r.refused, sc.changes.list.n, r.comparisons);
    client_close(r.c);
    PQfinish(r.db);
    VEC_FREE(r.views);
    VEC_FREE(r.sql);
    statements_fini(&sc.schema);
    statements_fini(&sc.queries);
    statements_fini(&sc.changes);
    free(text);
}

static char *names[100];
static int nnames;

START_TEST(script)
{
    run_script(names[_i]);
}
END_TEST

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
    while ((e = readdir(d)) && nnames < 100) {
        size_t len = strlen(e->d_name);
        if (len > 4 && strcmp(e->d_name + len - 4, ".sql") == 0 &&
            (!only || strncmp(only, e->d_name, len - 4) == 0))
            names[nnames++] = xstrdup(e->d_name);
    }
    closedir(d);
    qsort(names, (size_t)nnames, sizeof *names, compare_names);
}

int main(void)
{
    find_scripts();
    Suite *s = suite_create("sql");
    TCase *t = tcase_create("sql");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, script, 0, nnames);
    suite_add_tcase(s, t);
    static const char *const sets[] = {"limits.subscriptions_per_connection=2000",
                                       "limits.plans=5000", NULL};
    harness_daemon_sets = sets;
    return harness_main(s);
}
