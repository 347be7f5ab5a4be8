/*
 * fuzz_round: see fuzz.h.
 *
 * Compared are the exact texts; where they differ, once more with the numbers' spelling taken out
 * (1.0 and 1.00 are one group, and which of them it shows is open) and floats to 13 digits. An error
 * of a statement marked risky may be one that Postgres's plan doesn't meet, or the reverse.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/fuzz/fuzz.h"

#define MAX_ROWS 2000

/* ---- generating ------------------------------------------------------------------------------ */

static bool succeeds(PGconn *db, const char *before, const char *sql)
{
    struct buf b;
    buf_init(&b);
    buf_addf(&b, "%s%s", before, sql);
    PGresult *res = PQexec(db, buf_cstr(&b));
    ExecStatusType st = PQresultStatus(res);
    PQclear(res);
    buf_fini(&b);
    return st == PGRES_TUPLES_OK || st == PGRES_COMMAND_OK;
}

static char *text_of(const struct node *n)
{
    struct buf b;
    size_t len;
    buf_init(&b);
    node_print(n, &b);
    buf_addc(&b, '\0');
    return buf_take(&b, &len);
}

static void make_schema(PGconn *db, const struct fuzz_case *c)
{
    sql_run(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    for (size_t i = 0; i < c->schema.list.n; i++)
        sql_run(db, "%s", c->schema.list.v[i]);
}

void fuzz_add(struct fuzz_case *c, PGconn *db, struct node *n, bool risky)
{
    char *text = text_of(n);
    if (succeeds(db, "EXPLAIN ", text)) {
        VEC_PUSH(c->statements, n);
        VEC_PUSH(c->risky, risky);
    }
    free(text);
}

void fuzz_begin(struct fuzz_case *c, struct gen *g, PGconn *db)
{
    *c = (struct fuzz_case){0};
    gen_schema(g);
    gen_schema_texts(g, &c->schema);
    make_schema(db, c);
    if (gen_chance(g, 40)) {
        char *text = text_of(gen_view(g));
        if (!g->risky && succeeds(db, "", text)) {
            VEC_PUSH(c->schema.list, arena_strdup(g->arena, text));
            gen_view_done(g);
        }
        free(text);
    }
    for (int i = 0; i < FUZZ_CHANGES; i++) {
        struct fuzz_change change = {0};
        gen_transaction(g, &change.texts);
        VEC_PUSH(c->changes, change);
    }
}

void fuzz_case_fini(struct fuzz_case *c)
{
    VEC_FREE(c->schema.list);
    VEC_FREE(c->statements);
    VEC_FREE(c->risky);
    for (size_t i = 0; i < c->changes.n; i++)
        VEC_FREE(c->changes.v[i].texts.list);
    VEC_FREE(c->changes);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool starts_number(const char *s, const char *line)
{
    return (*s >= '0' && *s <= '9') || (*s == '-' && s[1] >= '0' && s[1] <= '9' && s > line);
}

/* Numbers in one spelling, also those inside of strings. */
static void level(char **line)
{
    struct buf b;
    size_t len;
    buf_init(&b);
    for (char *s = *line; *s;) {
        if (starts_number(s, *line)) {
            char *end;
            double d = strtod(s, &end);
            buf_addf(&b, "%.13g", d == 0 ? 0.0 : d);
            s = end;
        } else {
            buf_addc(&b, *s++);
        }
    }
    buf_addc(&b, '\0');
    free(*line);
    *line = buf_take(&b, &len);
}

static bool equal_when_levelled(struct answer *want, struct answer *have, struct buf *diff)
{
    for (size_t i = 0; i < want->n; i++)
        level(&want->lines[i]);
    for (size_t i = 0; i < have->n; i++)
        level(&have->lines[i]);
    return !answer_diff(want, have, diff);
}

static bool rows_are_right(const struct live *l, struct answer *want, struct buf *why)
{
    struct answer have;
    struct buf levelled;
    bool right = true;
    view_rows(l->view, &have);
    if (answer_diff(want, &have, why)) {
        buf_init(&levelled);
        right = equal_when_levelled(want, &have, &levelled);
        fuzz_shared->counts.spelling += right;
        buf_fini(&levelled);
    }
    answer_fini(&have);
    return right;
}

/* Compares one view; a text in `why` if it is wrong. */
static bool is_right(const struct live *l, bool risky, PGconn *db, struct buf *why)
{
    const struct view *v = l->view;
    struct answer want;
    bool right = true;
    if (v->released && v->error && strncmp(v->error, "53", 2) == 0)
        return true; /* a limit is no fault */
    if (v->broken || v->released) {
        buf_addf(why, "broken: %s\n", v->broken ? v->broken : v->error ? v->error : "RELEASED");
        return false;
    }
    judge_ask(db, l->st->sql, NULL, v->ncols, &want);
    fuzz_shared->counts.comparisons++;
    if (!want.ok && strcmp(want.sqlstate, "57014") == 0) {
        fuzz_shared->counts.comparisons--; /* too long for the judge */
    } else if (want.ok != !v->failed) {
        right = risky;
        fuzz_shared->counts.disputed += risky;
        if (!right)
            buf_addf(why, "Postgres: %.300s\nview: %s\n", want.ok ? "answers" : want.message,
                     v->failed ? v->error : "has a result");
    } else if (want.ok) {
        right = rows_are_right(l, &want, why);
    } else {
        fuzz_shared->counts.failing++;
    }
    answer_fini(&want);
    return right;
}

/* ---- a round --------------------------------------------------------------------------------- */

struct round {
    PGconn *db;
    struct client *c;
    const struct fuzz_case *fc;
    struct statement *st; /* by number in the case */
    struct live *live;
    bool *ignored;
    size_t n;
    bool wrong;
};

static void note_reason(const char *error)
{
    const char *m = strstr(error, "\"message\":\""), *why = strstr(error, "\"reason\":\"");
    char text[100];
    snprintf(text, sizeof text, "%.90s",
             m     ? m + strlen("\"message\":\"")
             : why ? why + strlen("\"reason\":\"")
                   : error);
    text[strcspn(text, "\"")] = '\0';
    for (int i = 0; i < FUZZ_REASONS; i++) {
        struct fuzz_reason *r = &fuzz_shared->reasons[i];
        if (r->n && strcmp(r->text, text) != 0)
            continue;
        memcpy(r->text, text, sizeof text);
        r->n++;
        return;
    }
}

static void note_wrong(struct round *r, size_t i, int change, const char *why)
{
    struct live *l = &r->live[i];
    struct buf b;
    r->ignored[i] = true;
    fuzz_shared->counts.wrong++;
    if (r->wrong)
        return;
    r->wrong = true;
    fuzz_shared->statement = (int)i;
    fuzz_shared->change = change;
    buf_init(&b);
    buf_addf(&b, "%s: %s\n%s", LIVE_MODE_NAMES[l->mode], l->st->sql, why);
    if (l->mode != LIVE_REFUSED)
        live_explain(l, r->c, &b);
    snprintf(fuzz_shared->report, sizeof fuzz_shared->report, "%s", buf_cstr(&b));
    buf_fini(&b);
}

/* Not too large, not too slow. */
static bool is_handy(PGconn *db, const char *sql)
{
    struct buf b;
    buf_init(&b);
    buf_addf(&b, "SELECT 1 FROM (%s) q OFFSET %d LIMIT 1", sql, MAX_ROWS);
    PGresult *res = PQexec(db, buf_cstr(&b));
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    bool yes = PQntuples(res) == 0 && !(state && strcmp(state, "57014") == 0);
    PQclear(res);
    buf_fini(&b);
    return yes;
}

static void subscribe(struct round *r, int pick)
{
    for (size_t i = 0; i < r->n; i++) {
        char id[24];
        r->st[i] = (struct statement){text_of(r->fc->statements.v[i]), NULL, EXPECT_ANYTHING, 0};
        r->ignored[i] =
            (pick >= 0 && (int)i != pick) || (!r->fc->foreign && !is_handy(r->db, r->st[i].sql));
        snprintf(id, sizeof id, "s%zu", i);
        if (!r->ignored[i])
            live_begin(&r->live[i], r->c, id, &r->st[i]);
    }
    for (size_t i = 0; i < r->n; i++) {
        struct live *l = &r->live[i];
        if (r->ignored[i])
            continue;
        live_settle(l, r->c, r->db);
        fuzz_shared->counts.statements++;
        fuzz_shared->counts.modes[l->mode]++;
        if (l->mode == LIVE_REFUSED || l->mode == LIVE_RERUN)
            note_reason(l->mode == LIVE_RERUN ? l->view->accepted : l->view->error);
        if (l->wrong && strncmp(l->view->error, "53", 2) != 0) /* a limit is no fault */
            note_wrong(r, i, -1, l->wrong);
        r->ignored[i] |= l->mode == LIVE_REFUSED || (r->fc->foreign && l->mode == LIVE_RERUN) ||
                         !is_handy(r->db, l->st->sql);
    }
}

static void compare(struct round *r, int change)
{
    client_sync(r->c);
    for (size_t i = 0; i < r->n; i++) {
        struct buf why;
        if (r->ignored[i])
            continue;
        buf_init(&why);
        if (!is_right(&r->live[i], r->fc->risky.v[i], r->db, &why))
            note_wrong(r, i, change, buf_cstr(&why));
        buf_fini(&why);
    }
}

/* Types whose equal values may be spelled differently: then neither rows nor order are one. */
static bool has_spellings(const char *accepted)
{
    return strstr(accepted, "\"numeric\"") || strstr(accepted, "\"double precision\"") ||
           strstr(accepted, "\"jsonb\"") || strstr(accepted, "\"interval\"");
}

/* One who comes now gets what is there, in order. */
static void compare_late(struct round *r)
{
    struct client *late = client_connect(fuzz_daemon->port);
    late->timeout_ms = r->c->timeout_ms;
    for (size_t i = 0; i < r->n; i++) {
        struct live *l = &r->live[i];
        if (r->ignored[i] || r->fc->risky.v[i] || l->view->failed || l->view->released ||
            has_spellings(l->view->accepted))
            continue;
        fuzz_shared->counts.comparisons++;
        if (!live_check_late(l, late, r->db))
            note_wrong(r, i, FUZZ_CHANGES - 1, l->wrong);
    }
    client_close(late);
}

/* Sometimes two transactions are compared as one, so that the daemon may fold them. */
static bool is_compared(const struct round *r, size_t change)
{
    return change % 4 != 1 || change + 1 == r->fc->changes.n;
}

static enum outcome play(struct round *r, int pick)
{
    subscribe(r, pick);
    compare(r, -1);
    for (size_t i = 0; i < r->fc->changes.n; i++) {
        const struct gen_texts *t = &r->fc->changes.v[i].texts;
        if (!succeeds(r->db, "BEGIN", ""))
            return OUTCOME_INVALID;
        for (size_t k = 0; k < t->list.n; k++)
            if (!succeeds(r->db, "", t->list.v[k])) /* a savepoint that shrinking has dropped */
                return OUTCOME_INVALID;
        if (!succeeds(r->db, "COMMIT", ""))
            return OUTCOME_INVALID;
        fuzz_shared->counts.commits++;
        if (is_compared(r, i))
            compare(r, (int)i);
        if (r->wrong && pick >= 0)
            break;
    }
    if (!r->wrong)
        compare_late(r);
    return r->wrong ? OUTCOME_WRONG : OUTCOME_RIGHT;
}

static enum outcome run_here(struct fuzz_case *fc, int pick)
{
    struct round r = {.db = cluster_connect(fuzz_cluster)};
    sql_run(r.db, "SET statement_timeout = '2s'");
    make_schema(r.db, fc);
    if (pick >= 0) {
        char *text = text_of(fc->statements.v[pick]);
        if (!succeeds(r.db, "EXPLAIN ", text))
            return OUTCOME_INVALID;
        free(text);
    }
    r.c = client_connect(fuzz_daemon->port);
    r.c->timeout_ms = 60000;
    r.fc = fc;
    r.n = fc->statements.n;
    r.st = xcalloc(r.n, sizeof *r.st);
    r.live = xcalloc(r.n, sizeof *r.live);
    r.ignored = xcalloc(r.n, sizeof *r.ignored);
    enum outcome outcome = play(&r, pick);
    client_close(r.c);
    PQfinish(r.db);
    return outcome;
}

enum outcome fuzz_run(struct fuzz_case *c, int pick)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(run_here(c, pick)); /* no clean-up: the parent owns the servers */
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) &&
        (WEXITSTATUS(status) == OUTCOME_RIGHT || WEXITSTATUS(status) == OUTCOME_WRONG ||
         WEXITSTATUS(status) == OUTCOME_INVALID))
        return (enum outcome)WEXITSTATUS(status);
    return OUTCOME_DIED;
}
