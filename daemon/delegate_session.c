/*
 * delegate_session: see delegate_session.h.
 */
#include "daemon/delegate_session.h"

#include <stdio.h>
#include <string.h>

#include "daemon/clock.h"

/* What says that the server can't answer, not that there is no answer: connection exceptions,
 * transaction rollback, insufficient resources, an object in use, operator intervention (but for a
 * question that was too slow, which a smaller one may not be), system errors. */
static bool is_no_answer(const struct err *err)
{
    static const char classes[][3] = {"08", "40", "53", "55", "57", "58"};
    if (strcmp(err->sqlstate, ERR_QUERY_CANCELED) == 0)
        return false;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strncmp(err->sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

static void copy_answer(const PGresult *res, struct arena *a, struct delegate_answer *out)
{
    size_t n = 0;
    out->nrows = (size_t)PQntuples(res);
    out->ncols = (size_t)PQnfields(res);
    struct delegate_text *cells = ARENA_ARRAY(a, struct delegate_text, out->nrows * out->ncols);
    out->cells = cells;
    for (int r = 0; r < (int)out->nrows; r++)
        for (int c = 0; c < (int)out->ncols; c++, n++) {
            cells[n].null = PQgetisnull(res, r, c);
            cells[n].len = (uint32_t)PQgetlength(res, r, c);
            cells[n].p = arena_memdup(a, PQgetvalue(res, r, c), cells[n].len);
        }
}

/* What we leave unqualified is in pg_catalog; the bodies of the user's functions are read with the role's
 * own path, as they are when it calls them. */
static bool open_session(struct pgconn *c, uint64_t *prepared, struct err *err)
{
    if (!pgconn_open(c, err))
        return false;
    if (*prepared == c->sessions)
        return true;
    if (!pgconn_exec(c,
                     "SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', "
                     "'pg_catalog', NULLIF(pg_catalog.current_setting('search_path'), '')), false)",
                     err))
        return false;
    *prepared = c->sessions;
    return true;
}

/* A session that was thought open may have ended while nothing was asked: once more, on a new one. */
static PGresult *ask_fresh(struct delegate_session *s, const char *sql, size_t nparams,
                           const char *const *params, struct err *err)
{
    struct pgconn *c = &s->conn;
    for (bool again = true;; again = false) {
        bool was_open = c->pg != NULL;
        if (!open_session(c, &s->prepared, err))
            return NULL;
        PGresult *res = pgconn_query(c, sql, nparams, NULL, params, err);
        if (res || c->pg || !was_open || !again)
            return res;
        c->retry_at = 0;
    }
}

static void log_trouble(struct delegate_session *s, const struct err *err)
{
    char text[sizeof err->message + 64];
    snprintf(text, sizeof text, "a question to Postgres went unanswered: %s", err->message);
    log_repeat(&s->trouble, LOG_LEVEL_WARN, clock_ms(), text);
}

static enum delegate_outcome ask(void *ctx, const char *sql, size_t nparams,
                                 const char *const *params, struct arena *a,
                                 struct delegate_answer *out, struct err *err)
{
    struct delegate_session *s = ctx;
    PGresult *res = ask_fresh(s, sql, nparams, params, err);
    if (!res && s->conn.pg && !is_no_answer(err))
        return DELEGATE_FAILED;
    if (!res) {
        log_trouble(s, err);
        return DELEGATE_LOST;
    }
    log_repeat_end(&s->trouble);
    copy_answer(res, a, out);
    PQclear(res);
    return DELEGATE_ANSWERED;
}

/* In a transaction that is rolled back. */
static enum delegate_outcome ask_with(void *ctx, const char *setup, const char *sql, size_t nparams,
                                      const char *const *params, struct arena *a,
                                      struct delegate_answer *out, struct err *err)
{
    struct delegate_session *s = ctx;
    enum delegate_outcome got = DELEGATE_FAILED;
    if (open_session(&s->conn, &s->prepared, err) &&
        pgconn_exec(&s->conn, "BEGIN READ WRITE", err) && pgconn_exec(&s->conn, setup, err))
        got = ask(s, sql, nparams, params, a, out, err);
    pgconn_rollback(&s->conn);
    return s->conn.pg ? got : DELEGATE_LOST;
}

void delegate_session_init(struct delegate_session *s, size_t memo_bytes)
{
    const struct delegate_host host = {.ctx = s, .ask = ask, .ask_with = ask_with};
    pgstop_init(&s->stop);
    pgconn_init(&s->conn, PGCONN_DELEGATE, &s->stop);
    s->delegator = delegator_new(&host, memo_bytes);
}

void delegate_session_fini(struct delegate_session *s)
{
    pgconn_close(&s->conn);
    delegator_free(s->delegator);
    pgstop_fini(&s->stop);
}

void delegate_session_enter(struct delegate_session *s)
{
    delegator_enter(s->delegator);
}

void delegate_session_leave(struct delegate_session *s)
{
    delegator_enter(NULL);
    pgconn_close(&s->conn);
}

void delegate_session_stop(struct delegate_session *s)
{
    pgstop_trigger(&s->stop);
}
