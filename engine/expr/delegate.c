/*
 * delegate: the delegator of a thread, its memo and its questions. See delegate.h; how a call is put
 * into SQL is in delegate_call.c.
 *
 * An entry of the memo without an outcome is either in `asked` (somebody will ask for it) or is the
 * one that is being asked for right now. None is left when a question has gone unanswered.
 */
#include "engine/expr/delegate.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/vec.h"
#include "engine/expr/delegate_call.h"
#include "engine/expr/eval.h"
#include "engine/expr/memo.h"

#define QUESTION_ROWS  8192
#define QUESTION_BYTES (4u << 20)

struct asked {
    const struct expr *e;
    struct memo_entry *entry;
};

struct delegator {
    struct delegate_host host;
    struct memo memo;
    bool collecting; /* misses are noted in asked instead of being asked for */
    bool pending;    /* the evaluation under way has met one */
    bool lost;
    size_t max_rows; /* of one question about calls */
    VEC(struct asked) asked;
    struct buf key;
    struct arena arena; /* of the question under way */
};

static _Thread_local struct delegator *current;

struct delegator *delegator_new(const struct delegate_host *host, size_t memo_bytes)
{
    struct delegator *d = NEW(struct delegator);
    d->host = *host;
    d->max_rows = QUESTION_ROWS;
    memo_init(&d->memo, memo_bytes);
    arena_init(&d->arena);
    return d;
}

void delegator_free(struct delegator *d)
{
    if (!d)
        return;
    if (current == d)
        current = NULL;
    memo_fini(&d->memo);
    VEC_FREE(d->asked);
    buf_fini(&d->key);
    arena_fini(&d->arena);
    free(d);
}

size_t delegator_bytes(const struct delegator *d)
{
    return memo_bytes(&d->memo);
}

void delegator_forget(struct delegator *d)
{
    memo_fini(&d->memo); /* which is empty, and as good as new */
}

void delegator_enter(struct delegator *d)
{
    current = d;
}

bool delegate_is_lost(void)
{
    return current && current->lost;
}

void delegate_begin(void)
{
    if (current)
        current->lost = false;
}

static bool no_session(struct err *err)
{
    return err_set(err, ERR_CANNOT_CONNECT_NOW, "Postgres can't be asked just now");
}

/* ------------------------------------------------------------ questions of any kind */

static enum delegate_outcome ask(struct delegator *d, const char *setup,
                                 const struct delegate_question *q, struct arena *a,
                                 struct delegate_answer *out, struct err *err)
{
    const char **params = ARENA_ARRAY(a, const char *, q->nargs);
    if (!d || d->lost) {
        no_session(err);
        return DELEGATE_LOST;
    }
    for (size_t i = 0; i < q->nargs; i++) {
        struct buf b = {0};
        delegate_array(&b, q->args[i], q->nrows);
        params[i] = arena_strndup(a, b.data, b.len);
        buf_fini(&b);
    }
    *out = (struct delegate_answer){0};
    enum delegate_outcome got =
        setup ? d->host.ask_with(d->host.ctx, setup, q->sql, q->nargs, params, a, out, err)
              : d->host.ask(d->host.ctx, q->sql, q->nargs, params, a, out, err);
    d->lost = got == DELEGATE_LOST;
    return got;
}

/* That it takes too long depends on more than the data. */
static bool is_timeout(const struct err *err)
{
    return strcmp(err->sqlstate, ERR_QUERY_CANCELED) == 0;
}

/* The session and the memo outlive the step that asks: it is not given up in here (alloc.h). */
enum delegate_outcome delegate_ask(const struct delegate_question *q, struct arena *a,
                                   struct delegate_answer *out, struct err *err)
{
    struct alloc_guard *guard = alloc_suspend();
    enum delegate_outcome got = ask(current, NULL, q, a, out, err);
    alloc_resume(guard);
    if (got == DELEGATE_FAILED && is_timeout(err)) {
        current->lost = true;
        got = DELEGATE_LOST;
    }
    return got;
}

/* ------------------------------------------------------------ questions about calls */

/* Entries of one call, n of them from v on, as a question; sql NULL: the call's own. */
static enum delegate_outcome ask_rows(struct delegator *d, const char *setup, const char *sql,
                                      const struct asked *v, size_t n, struct delegate_answer *out,
                                      struct err *err)
{
    const struct expr *e = v->e;
    struct delegate_question q = {.sql = sql ? sql : e->call->sql, .nargs = e->nargs, .nrows = n};
    const struct delegate_text **columns =
        ARENA_ARRAY(&d->arena, const struct delegate_text *, e->nargs);
    q.args = columns;
    for (uint32_t k = 0; k < e->nargs; k++) {
        struct delegate_text *column = ARENA_ARRAY(&d->arena, struct delegate_text, n);
        for (size_t i = 0; i < n; i++)
            column[i] = delegate_key_text(e, v[i].entry->key, k, &d->arena);
        columns[k] = column;
    }
    return ask(d, setup, &q, &d->arena, out, err);
}

static void take_answer(struct delegator *d, const struct asked *a, const struct delegate_text *t)
{
    const struct type *type = a->e->ct.type;
    struct value v = value_null();
    struct err err;
    if (t->null || value_parse(type, t->p, t->len, &d->arena, &v, &err))
        memo_set_value(&d->memo, a->entry, type, v);
    else
        memo_set_error(&d->memo, a->entry, &err);
}

static void fail_all(struct delegator *d, const struct asked *v, size_t n, const struct err *err)
{
    for (size_t i = 0; i < n; i++)
        memo_set_error(&d->memo, v[i].entry, err);
}

/* A function that is gone, or may not be called, fails with any arguments and with none. */
static bool fails_without_rows(struct delegator *d, const struct asked *v, struct err *err)
{
    struct delegate_answer answer;
    return v->e->nargs && ask_rows(d, NULL, NULL, v, 0, &answer, err) == DELEGATE_FAILED;
}

/* One call's entries; n > 1 may be too many at a time. */
static enum delegate_outcome ask_once(struct delegator *d, const struct asked *v, size_t n,
                                      struct err *err)
{
    struct delegate_answer answer;
    enum delegate_outcome got = ask_rows(d, NULL, NULL, v, n, &answer, err);
    if (got == DELEGATE_FAILED && is_timeout(err)) {
        d->max_rows = n > 1 ? n / 2 : 1;
        d->lost = n <= 1;
        return d->lost ? DELEGATE_LOST : got;
    }
    if (got != DELEGATE_ANSWERED)
        return got;
    if (answer.nrows != n || answer.ncols != 1) {
        err_set(err, ERR_INTERNAL, "Postgres answered another question");
        fail_all(d, v, n, err);
        return got;
    }
    for (size_t i = 0; i < n; i++)
        take_answer(d, &v[i], &answer.cells[i]);
    d->max_rows = d->max_rows < QUESTION_ROWS / 2 ? d->max_rows * 2 : QUESTION_ROWS;
    return got;
}

#define EACH_ROWS 32 /* from so many on it pays to make a function for it */

static const char *text_of(struct delegator *d, const struct delegate_text *t)
{
    return t->null ? "" : arena_strndup(&d->arena, t->p, t->len);
}

/* Columns of delegate_question_each(). */
static void take_each(struct delegator *d, const struct asked *a, const struct delegate_text *cells)
{
    struct err err;
    if (cells[1].null) {
        take_answer(d, a, cells);
        return;
    }
    err_set(&err, text_of(d, &cells[1]), "%s", text_of(d, &cells[2]));
    if (*text_of(d, &cells[4]))
        err_hint(&err, "%s", text_of(d, &cells[4]));
    if (*text_of(d, &cells[3]))
        err_detail(&err, "%s", text_of(d, &cells[3]));
    memo_set_error(&d->memo, a->entry, &err);
}

/* Rows that fail, among many, in one question. False: it must be done in another way, or is lost. */
static bool ask_each(struct delegator *d, const struct asked *v, size_t n)
{
    struct delegate_answer answer;
    struct buf setup = {0}, sql = {0};
    struct err err;
    bool ok =
        d->host.ask_with && n >= EACH_ROWS && delegate_question_each(v->e, &setup, &sql) &&
        ask_rows(d, buf_cstr(&setup), buf_cstr(&sql), v, n, &answer, &err) == DELEGATE_ANSWERED &&
        answer.nrows == n && answer.ncols == 5;
    for (size_t i = 0; ok && i < n; i++)
        take_each(d, &v[i], &answer.cells[5 * i]);
    buf_fini(&setup);
    buf_fini(&sql);
    return ok;
}

/* An error among many rows is looked for by halves. */
static bool ask_entries(struct delegator *d, const struct asked *v, size_t n, bool checked)
{
    struct err err;
    arena_reset(&d->arena);
    enum delegate_outcome got = ask_once(d, v, n, &err);
    if (got != DELEGATE_FAILED)
        return got == DELEGATE_ANSWERED;
    if (n <= 1 || (!checked && fails_without_rows(d, v, &err))) {
        fail_all(d, v, n, &err);
        return true;
    }
    if (!d->lost && !is_timeout(&err) && ask_each(d, v, n))
        return true;
    return !d->lost && ask_entries(d, v, n / 2, true) && ask_entries(d, v + n / 2, n - n / 2, true);
}

/* As many from v on as one question takes. */
static size_t next_rows(const struct delegator *d, const struct asked *v, size_t n)
{
    size_t i = 0, bytes = 0;
    while (i < n && i < d->max_rows && bytes < QUESTION_BYTES)
        bytes += v[i++].entry->key_len;
    return i;
}

/* Moves what asks the same call as v[0] to the front, in order; returns how many. */
static size_t gather(struct asked *v, size_t n, struct arena *a)
{
    struct asked *others = arena_alloc(a, n * sizeof *v);
    const uint64_t *id = v->e->call->id;
    size_t same = 0, rest = 0;
    for (size_t i = 0; i < n; i++) {
        if (memcmp(v[i].e->call->id, id, sizeof v->e->call->id) == 0)
            v[same++] = v[i];
        else
            others[rest++] = v[i];
    }
    if (rest)
        memcpy(v + same, others, rest * sizeof *v);
    return same;
}

static bool ask_all(struct delegator *d)
{
    struct asked *v = d->asked.v;
    size_t n = d->asked.n;
    bool ok = true;
    while (n) {
        arena_reset(&d->arena);
        size_t same = gather(v, n, &d->arena);
        for (size_t done = 0, rows; ok && done < same; done += rows) {
            rows = next_rows(d, v + done, same - done);
            ok = ask_entries(d, v + done, rows, false);
        }
        for (size_t i = 0; i < same; i++)
            if (v[i].entry->state == MEMO_ASKED)
                memo_drop(&d->memo, v[i].entry);
        v += same;
        n -= same;
    }
    d->asked.n = 0;
    arena_reset(&d->arena);
    return ok;
}

/* ------------------------------------------------------------ evaluation */

static bool outcome(const struct memo_entry *m, struct value *out, struct err *err)
{
    *out = m->value;
    if (m->state == MEMO_ERROR)
        memo_get_error(m, err);
    return m->state == MEMO_VALUE;
}

static bool look_up(struct delegator *d, const struct expr *e, struct value *out, struct err *err)
{
    bool is_new;
    struct memo_entry *m = memo_get(&d->memo, d->key.data, d->key.len, &is_new);
    struct asked a = {e, m};
    if (m->state != MEMO_ASKED)
        return outcome(m, out, err);
    if (d->collecting) {
        if (is_new)
            VEC_PUSH(d->asked, a);
        d->pending = true;
        return no_session(err);
    }
    struct alloc_guard *guard = alloc_suspend();
    bool ok = ask_entries(d, &a, 1, true);
    if (!ok)
        memo_drop(&d->memo, m);
    alloc_resume(guard);
    return ok ? outcome(m, out, err) : no_session(err);
}

/* While questions are collected an argument may be one: the others' are noted in the same round. */
static bool eval_args(struct delegator *d, const struct expr *e, struct eval_ctx *cx,
                      struct value *v, struct err *err)
{
    bool ok = true;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (expr_eval(e->args[i], cx, &v[i], err))
            continue;
        if (!d->pending)
            return false;
        ok = false;
    }
    return ok;
}

bool eval_delegated(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct delegator *d = current;
    struct value *v = arena_alloc(cx->arena, e->nargs * sizeof *v);
    if (!d || d->lost)
        return no_session(err);
    if (!eval_args(d, e, cx, v, err))
        return false;
    if (e->call->timeless && !delegate_is_timeless(e, v, err))
        return false;
    buf_reset(&d->key);
    delegate_key(e, v, &d->key);
    return look_up(d, e, out, err);
}

static bool has_questions(struct delegator *d, const struct delegate_task *t, struct arena *scratch)
{
    struct eval_ctx cx = {
        .layout = {t->layout[0], t->layout[1]}, .row = {t->row[0], t->row[1]}, .arena = scratch};
    struct value v;
    struct err err;
    d->pending = false;
    (void)expr_eval(t->e, &cx, &v, &err);
    arena_reset(scratch);
    return d->pending;
}

static bool collect(struct delegator *d, const struct delegate_task *tasks, size_t n)
{
    struct arena scratch;
    VEC(struct delegate_task) left = {0};
    memo_rotate(&d->memo);
    arena_init(&scratch);
    d->collecting = true;
    for (size_t i = 0; i < n; i++)
        if (has_questions(d, &tasks[i], &scratch))
            VEC_PUSH(left, tasks[i]);
    bool ok = ask_all(d);
    while (ok && left.n) {
        size_t still = 0;
        for (size_t i = 0; i < left.n; i++)
            if (has_questions(d, &left.v[i], &scratch))
                left.v[still++] = left.v[i];
        left.n = still;
        ok = ask_all(d);
    }
    d->collecting = d->pending = false;
    VEC_FREE(left);
    arena_fini(&scratch);
    return ok;
}

bool delegate_collect(const struct delegate_task *tasks, size_t n)
{
    struct delegator *d = current;
    if (!d || d->lost || !n)
        return !delegate_is_lost();
    struct alloc_guard *guard = alloc_suspend();
    bool ok = collect(d, tasks, n);
    alloc_resume(guard);
    return ok;
}
