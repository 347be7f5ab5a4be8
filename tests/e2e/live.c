/*
 * live: see live.h. The order of a snapshot is checked among peers: rows that the statement's
 * ORDER BY doesn't tell apart may stand in any order, if its keys are columns of the result (the
 * daemon says which); for other keys the statement is taken to have a total order.
 */
#include "tests/e2e/live.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "tests/e2e/cluster.h"

const char *const LIVE_MODE_NAMES[] = {"refused", "incremental", "rerun"};

static void complain(struct live *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void complain(struct live *l, const char *fmt, ...)
{
    struct buf b;
    size_t len;
    va_list ap;
    if (l->wrong)
        return;
    buf_init(&b);
    va_start(ap, fmt);
    buf_addv(&b, fmt, ap);
    va_end(ap);
    buf_addc(&b, '\0');
    l->wrong = buf_take(&b, &len);
}

void live_begin(struct live *l, struct client *c, const char *id, const struct statement *st)
{
    c->tolerant = true;
    *l = (struct live){.st = st, .view = client_subscribe_json(c, id, st->sql, st->params)};
}

static void set_mode(struct live *l)
{
    const struct view *v = l->view;
    if (v->error && !v->failed)
        l->mode = LIVE_REFUSED;
    else
        l->mode = v->accepted && strstr(v->accepted, "\"mode\":\"rerun\"") ? LIVE_RERUN
                                                                           : LIVE_INCREMENTAL;
}

/* What Postgres can't answer whatever the tables hold is refused with its own error. */
static bool fails_in_postgres(const struct live *l, PGconn *db)
{
    struct answer a;
    judge_ask(db, l->st->sql, l->st->params, 1, &a);
    bool same = !a.ok && strncmp(l->view->error, a.sqlstate, 5) == 0;
    answer_fini(&a);
    return same;
}

void live_settle(struct live *l, struct client *c, PGconn *db)
{
    const struct view *v = l->view;
    client_wait_snapshot(c, l->view);
    set_mode(l);
    if (l->mode == LIVE_REFUSED && l->st->expected != EXPECT_REFUSED && fails_in_postgres(l, db))
        return;
    if (l->mode == LIVE_REFUSED && strncmp(v->error, "0A000", 5) != 0)
        complain(l, "refused, but not with 0A000: %s\n", v->error);
    else if (l->mode == LIVE_REFUSED && l->st->expected < EXPECT_REFUSED)
        complain(l, "refused: %s\n", v->error);
    else if (l->mode != LIVE_REFUSED && l->st->expected == EXPECT_REFUSED)
        complain(l, "accepted, but must be refused\n");
    else if (l->mode == LIVE_RERUN && l->st->expected == EXPECT_INCREMENTAL)
        complain(l, "rerun, but must be incremental: %s\n", v->accepted);
}

/* Postgres answers with an error: the plan must be FAILED, for a reason of the same class. */
static void check_failure(struct live *l, const struct answer *want, bool strict)
{
    const struct view *v = l->view;
    if (!v->failed)
        complain(l, "Postgres fails with %s (%.200s) but the view has a result\n", want->sqlstate,
                 want->message);
    else if (strict && v->error && !strstr(v->error, "\"sqlstate\""))
        complain(l, "FAILED without a SQLSTATE: %s\n", v->error);
    else if (strict && v->error) {
        const char *p = strstr(v->error, "\"sqlstate\":\"") + strlen("\"sqlstate\":\"");
        if (strncmp(p, want->sqlstate, 2) != 0)
            complain(l, "Postgres fails with %s (%.200s) but FAILED says %s\n", want->sqlstate,
                     want->message, v->error);
    }
}

static void check_rows(struct live *l, struct answer *want)
{
    struct answer have;
    struct buf diff;
    buf_init(&diff);
    view_rows(l->view, &have);
    if (answer_diff(want, &have, &diff))
        complain(l, "%s", buf_cstr(&diff));
    answer_fini(&have);
    buf_fini(&diff);
}

bool live_check(struct live *l, PGconn *db, bool strict)
{
    const struct view *v = l->view;
    struct answer want;
    if (l->mode == LIVE_REFUSED || l->wrong)
        return !l->wrong;
    if (v->broken)
        complain(l, "the protocol's promise is broken: %s\n", v->broken);
    if (v->released)
        complain(l, "ended by the daemon: %s\n", v->error ? v->error : "RELEASED");
    judge_ask(db, l->st->sql, l->st->params, v->ncols, &want);
    if (!want.ok)
        check_failure(l, &want, strict);
    else if (v->failed || !v->has_snapshot)
        complain(l, "FAILED, but Postgres answers: %s\n", v->error ? v->error : "no SNAPSHOT");
    else
        check_rows(l, &want);
    answer_fini(&want);
    return !l->wrong;
}

/* ---- the order of a snapshot ----------------------------------------------------------------- */

/* Positions of the sort keys in the row; -1 = the order is to be taken as total. */
static int find_keys(const char *accepted, size_t keys[16])
{
    json_t *o = json_loads(accepted, 0, NULL), *k, *col;
    json_t *columns = json_object_get(o, "columns");
    size_t i, j;
    int n = 0;
    json_array_foreach(json_object_get(o, "order"), i, k)
    {
        const char *name = json_string_value(json_object_get(k, "column"));
        int found = 0;
        json_array_foreach(
            columns, j,
            col) if (name && strcmp(json_string_value(json_object_get(col, "name")), name) == 0)
        {
            keys[n] = j;
            found++;
        }
        if (found != 1 || ++n == 16) {
            n = -1;
            break;
        }
    }
    json_decref(o);
    return n;
}

static char *key_text(const char *row, const size_t *keys, int n)
{
    json_t *r = json_loads(row, JSON_DECODE_ANY, NULL), *k = json_array();
    for (int i = 0; i < n; i++)
        json_array_append(k, json_array_get(r, keys[i]));
    char *text = json_dumps(k, 0);
    json_decref(r);
    json_decref(k);
    return text;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts each run of rows with equal keys, as Postgres delimits them. */
static void sort_peers(struct answer *want, struct answer *have, const size_t *keys, int n)
{
    for (size_t i = 0, j; i < want->n; i = j) {
        char *first = key_text(want->lines[i], keys, n);
        bool same = true;
        for (j = i + 1; j < want->n && same; j += same) {
            char *next = key_text(want->lines[j], keys, n);
            same = strcmp(first, next) == 0;
            free(next);
        }
        free(first);
        qsort(want->lines + i, j - i, sizeof *want->lines, compare_strings);
        qsort(have->lines + i, j - i, sizeof *have->lines, compare_strings);
    }
}

static void split_lines(const struct buf *text, struct answer *a)
{
    VEC(char *) lines = {0};
    for (size_t at = 0; at < text->len;) {
        const char *p = text->data + at, *nl = memchr(p, '\n', text->len - at);
        VEC_PUSH(lines, xstrndup(p, (size_t)(nl - p)));
        at += (size_t)(nl - p) + 1;
    }
    *a = (struct answer){.ok = true, .lines = lines.v, .n = lines.n};
}

static void compare_in_order(struct live *l, const char *accepted, struct answer *want,
                             struct answer *have)
{
    size_t keys[16];
    int n = find_keys(accepted, keys);
    if (want->n != have->n) {
        complain(l, "a late joiner got %zu rows, Postgres answers %zu\n", have->n, want->n);
        return;
    }
    if (n >= 0)
        sort_peers(want, have, keys, n);
    for (size_t i = 0; i < want->n && !l->wrong; i++)
        if (strcmp(want->lines[i], have->lines[i]) != 0)
            complain(l, "a late joiner's row %zu is %s, Postgres has %s there\n", i + 1,
                     have->lines[i], want->lines[i]);
}

bool live_check_late(struct live *l, struct client *late, PGconn *db)
{
    struct answer want, have;
    if (l->mode == LIVE_REFUSED || l->wrong || l->view->failed)
        return !l->wrong;
    late->tolerant = true;
    struct view *v = client_subscribe_json(late, l->view->id, l->st->sql, l->st->params);
    client_wait_snapshot(late, v);
    if (!v->has_snapshot) {
        complain(l, "a late joiner got no SNAPSHOT but %s\n", v->error);
        return false;
    }
    judge_ask(db, l->st->sql, l->st->params, v->ncols, &want);
    split_lines(&v->ordered, &have);
    if (want.ok)
        compare_in_order(l, v->accepted, &want, &have);
    client_send(late, "RELEASE %s", v->id);
    while (!v->released)
        client_sync(late);
    snprintf(v->id, sizeof v->id, "-"); /* the id may be used again */
    answer_fini(&want);
    answer_fini(&have);
    return !l->wrong;
}

/* ---- EXPLAIN --------------------------------------------------------------------------------- */

void live_explain(const struct live *l, struct client *c, struct buf *out)
{
    json_t *o = json_pack("{s:s, s:s, s:s}", "op", "explain", "id", "explained", "sql", l->st->sql);
    if (l->st->params)
        json_object_set_new(o, "params", json_loads(l->st->params, 0, NULL));
    char *text = json_dumps(o, JSON_COMPACT), *line = NULL;
    client_send(c, "%s", text);
    for (;;) {
        free(line);
        line = client_read_line(c);
        if (!line || strstr(line, " explained ") == strchr(line, ' '))
            break;
        if (client_apply(c, line))
            line = NULL;
    }
    unsigned long n = line && strncmp(line, "EXPLAIN", 7) == 0
                          ? strtoul(line + strlen("EXPLAIN explained "), NULL, 10)
                          : 0;
    if (!n)
        buf_addf(out, "    %s\n", line ? line : "the connection ended");
    free(line);
    while (n-- && (line = client_read_line(c))) {
        buf_addf(out, "    %s\n", line);
        free(line);
    }
    free(text);
    json_decref(o);
}

void live_fini(struct live *l)
{
    free(l->wrong);
}
