/*
 * judge: Postgres's own answer, in the form the daemon sends rows in, to hold against a view.
 */
#include <jansson.h>
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

/* The statement as a table whose rows are the daemon's JSON texts. */
static void wrap(struct buf *b, const char *sql, size_t ncols)
{
    buf_adds(b, "SELECT json_build_array(");
    for (size_t i = 0; i < ncols; i++)
        buf_addf(b, "%sq.c%zu", i ? "," : "", i);
    buf_addf(b, ")::text FROM (%s\n) AS q", sql);
    for (size_t i = 0; i < ncols; i++)
        buf_addf(b, "%sc%zu", i ? "," : "(", i);
    buf_adds(b, ncols ? ")" : "");
}

/* A JSON value as a parameter's text form; NULL for null. */
static char *param_text(const json_t *v)
{
    if (json_is_null(v))
        return NULL;
    if (json_is_string(v))
        return xstrdup(json_string_value(v));
    return json_dumps(v, JSON_ENCODE_ANY);
}

static PGresult *ask_with_params(PGconn *conn, const char *sql, const char *params)
{
    json_t *list = params ? json_loads(params, 0, NULL) : json_array(), *v;
    size_t i, n = json_array_size(list);
    char **values = xcalloc(n, sizeof *values);
    if (!list)
        die("not a JSON array: %s", params);
    json_array_foreach(list, i, v) values[i] = param_text(v);
    PGresult *res =
        PQexecParams(conn, sql, (int)n, NULL, (const char *const *)values, NULL, NULL, 0);
    for (i = 0; i < n; i++)
        free(values[i]);
    free(values);
    json_decref(list);
    return res;
}

void judge_ask(PGconn *conn, const char *sql, const char *params, size_t ncols, struct answer *a)
{
    struct buf b;
    buf_init(&b);
    wrap(&b, sql, ncols);
    PGresult *res = ask_with_params(conn, buf_cstr(&b), params);
    *a = (struct answer){.ok = PQresultStatus(res) == PGRES_TUPLES_OK};
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    snprintf(a->sqlstate, sizeof a->sqlstate, "%s", state ? state : "");
    if (!a->ok)
        a->message = xstrdup(PQerrorMessage(conn));
    a->n = (size_t)PQntuples(res);
    a->lines = xcalloc(a->n, sizeof *a->lines);
    for (size_t i = 0; i < a->n; i++) {
        a->lines[i] = xstrdup(PQgetvalue(res, (int)i, 0));
        json_compact(a->lines[i]);
    }
    PQclear(res);
    buf_fini(&b);
}

void answer_fini(struct answer *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->lines[i]);
    free(a->lines);
    free(a->message);
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
    struct answer a;
    judge_ask(conn, sql, NULL, ncols, &a);
    if (!a.ok)
        die("the judge can't answer %s: %s", sql, a.message);
    return join(a.lines, a.n, sorted);
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
    struct answer a;
    view_rows(v, &a);
    return join(a.lines, a.n, true);
}

void view_rows(const struct view *v, struct answer *a)
{
    struct bag_cursor cur = {0};
    const struct bag_entry *e;
    *a = (struct answer){.ok = true, .lines = xcalloc((size_t)v->rows.total, sizeof *a->lines)};
    while ((e = bag_next(&v->rows, &cur)))
        for (int64_t i = 0; i < e->weight; i++)
            a->lines[a->n++] = xstrndup((const char *)e->bytes, e->len);
}

static void add_row(struct buf *out, const char *sign, const char *line, unsigned *shown)
{
    if ((*shown)++ < 10)
        buf_addf(out, "    %s %.500s\n", sign, line);
}

bool answer_diff(struct answer *want, struct answer *have, struct buf *out)
{
    unsigned missing = 0, extra = 0;
    size_t i = 0, j = 0;
    qsort(want->lines, want->n, sizeof *want->lines, compare_strings);
    qsort(have->lines, have->n, sizeof *have->lines, compare_strings);
    while (i < want->n || j < have->n) {
        int c = i == want->n ? 1 : j == have->n ? -1 : strcmp(want->lines[i], have->lines[j]);
        if (c < 0)
            add_row(out, "missing", want->lines[i], &missing);
        else if (c > 0)
            add_row(out, "extra  ", have->lines[j], &extra);
        i += c <= 0;
        j += c >= 0;
    }
    if (missing + extra)
        buf_addf(out, "    %u missing, %u extra; Postgres has %zu rows\n", missing, extra, want->n);
    return missing + extra > 0;
}

void view_must_equal(PGconn *conn, const struct view *v, const char *sql)
{
    char *want = judge_text(conn, sql, v->ncols), *have = view_text(v);
    if (strcmp(want, have) != 0)
        die("%s: %s\nPostgres answers\n%s\nthe view holds\n%s", v->id, sql, want, have);
    free(want);
    free(have);
}
