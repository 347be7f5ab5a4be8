/*
 * judge: Postgres's own answer, in the form the daemon sends rows in, to hold against a view.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"

void json_compact(char *s)
{
    char *out = s;
    bool in_string = false;
    for (; *s; s++) {
        if (in_string && *s == '\\' && s[1]) {
            *out++ = *s++;
        } else if (*s == '"') {
            in_string = !in_string;
        } else if (!in_string && strchr(" \t\r\n", *s)) {
            continue;
        }
        *out++ = *s;
    }
    *out = '\0';
}

static PGresult *ask(PGconn *conn, const char *sql, size_t ncols)
{
    struct buf b;
    buf_init(&b);
    buf_adds(&b, "SELECT json_build_array(");
    for (size_t i = 0; i < ncols; i++)
        buf_addf(&b, "%sq.c%zu", i ? "," : "", i);
    buf_addf(&b, ")::text FROM (%s\n) AS q(", sql);
    for (size_t i = 0; i < ncols; i++)
        buf_addf(&b, "%sc%zu", i ? "," : "", i);
    buf_adds(&b, ")");
    PGresult *res = PQexec(conn, buf_cstr(&b));
    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        die("the judge can't answer %s: %s", sql, PQerrorMessage(conn));
    buf_fini(&b);
    return res;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines joined, each with its newline; frees them. */
static char *join(char **lines, size_t n, bool sorted)
{
    struct buf b;
    size_t len;
    buf_init(&b);
    if (sorted)
        qsort(lines, n, sizeof *lines, compare_strings);
    for (size_t i = 0; i < n; i++) {
        buf_adds(&b, lines[i]);
        buf_addc(&b, '\n');
        free(lines[i]);
    }
    free(lines);
    buf_addc(&b, '\0');
    return buf_take(&b, &len);
}

static char *judge(PGconn *conn, const char *sql, size_t ncols, bool sorted)
{
    PGresult *res = ask(conn, sql, ncols);
    size_t n = (size_t)PQntuples(res);
    char **lines = xcalloc(n, sizeof *lines);
    for (size_t i = 0; i < n; i++) {
        lines[i] = xstrdup(PQgetvalue(res, (int)i, 0));
        json_compact(lines[i]);
    }
    PQclear(res);
    return join(lines, n, sorted);
}

char *judge_text(PGconn *conn, const char *sql, size_t ncols)
{
    return judge(conn, sql, ncols, true);
}

char *judge_text_ordered(PGconn *conn, const char *sql, size_t ncols)
{
    return judge(conn, sql, ncols, false);
}

char *view_text(const struct view *v)
{
    char **lines = xcalloc((size_t)v->rows.total, sizeof *lines);
    struct bag_cursor cur = {0};
    const struct bag_entry *e;
    size_t n = 0;
    while ((e = bag_next(&v->rows, &cur)))
        for (int64_t i = 0; i < e->weight; i++)
            lines[n++] = xstrndup((const char *)e->bytes, e->len);
    return join(lines, n, true);
}

void view_must_equal(PGconn *conn, const struct view *v, const char *sql)
{
    char *want = judge_text(conn, sql, v->ncols), *have = view_text(v);
    if (strcmp(want, have) != 0)
        die("%s: %s\nPostgres answers\n%s\nthe view holds\n%s", v->id, sql, want, have);
    free(want);
    free(have);
}
