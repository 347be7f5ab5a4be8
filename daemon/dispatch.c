/*
 * dispatch: see dispatch.h.
 *
 * SUBSCRIBE, QUERY and EXPLAIN take the same way: a subscription in the state ANALYZING holds the
 * id while the analyst works, then either the plan's worker is asked for a first state, or the
 * circuit is described. Everything else is answered at once.
 */
#include "daemon/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/accepted.h"
#include "daemon/cut.h"
#include "daemon/log.h"
#include "daemon/reader.h"
#include "daemon/reask.h"
#include "daemon/server.h"
#include "daemon/status.h"
#include "daemon/sub.h"
#include "protocol/reply.h"

static struct buf *line_of(struct conn *c)
{
    buf_reset(&c->loop->line);
    return &c->loop->line;
}

static void refuse(struct conn *c, const char *id, const struct err *err)
{
    struct buf *b = line_of(c);
    reply_error(b, id, err);
    conn_send(c, b);
}

/* ---- statements ---------------------------------------------------------------------------- */

static struct analysis *analysis_of(const struct sub *s)
{
    struct analysis *a = reask_analysis(s->conn->loop, s->statement);
    a->sub = s->no;
    a->explain = s->kind == SUB_EXPLAIN;
    a->wants_wal = s->resuming;
    a->keep = s->kind == SUB_SUBSCRIBE && s->conn->loop->linger_ms > 0;
    return a;
}

static void begin_statement(struct conn *c, const struct request *r, enum sub_kind kind)
{
    struct err err;
    if (sub_find_id(c, r->id))
        err_set(&err, ERR_DUPLICATE_OBJECT, "the id \"%s\" is in use on this connection", r->id);
    else if (c->nsubs >= c->loop->subs_limit)
        err_set(&err, ERR_LIMIT_EXCEEDED, "too many subscriptions on this connection (limit %zu)",
                c->loop->subs_limit);
    else if (COUNTED(c->loop->server->subscriptions) >= c->loop->all_subs_limit)
        err_set(&err, ERR_LIMIT_EXCEEDED, "too many subscriptions (limit %zu)",
                c->loop->all_subs_limit);
    else
        err_clear(&err);
    if (err_is_set(&err)) {
        refuse(c, r->id, &err);
        return;
    }
    struct sub *s = sub_new(c, r->id, kind);
    s->statement = statement_intern(&c->loop->statements, r);
    s->resuming = r->has_since;
    s->since = r->since;
    s->interval_ms = r->min_interval_ms;
    analyst_post(c->loop->server->analyst, analysis_of(s));
}

static void do_subscribe(struct conn *c, const struct request *r)
{
    begin_statement(c, r, SUB_SUBSCRIBE);
}

static void do_query(struct conn *c, const struct request *r)
{
    begin_statement(c, r, SUB_QUERY);
}

static void do_explain(struct conn *c, const struct request *r)
{
    begin_statement(c, r, SUB_EXPLAIN);
}

static void do_release(struct conn *c, const struct request *r)
{
    struct sub *s = sub_find_id(c, r->id);
    struct err err;
    if (!s) {
        err_set(&err, ERR_UNDEFINED_OBJECT, "there is no subscription \"%s\" on this connection",
                r->id);
        refuse(c, r->id, &err);
        return;
    }
    struct buf *b = line_of(c);
    reply_released(b, s->id);
    conn_send(c, b);
    sub_free(s);
}

static void do_verify(struct conn *c, const struct request *r)
{
    struct sub *s = sub_find_id(c, r->id);
    struct err err;
    if (s && s->kind == SUB_SUBSCRIBE) {
        sub_verify(s);
        return;
    }
    err_set(&err, ERR_UNDEFINED_OBJECT, "there is no subscription \"%s\" on this connection",
            r->id);
    refuse(c, r->id, &err);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void do_sync(struct conn *c, const struct request *r)
{
    struct err err;
    if (!cut_sync(c, r->has_lsn, r->lsn, &err))
        refuse(c, NULL, &err);
}

static void do_progress(struct conn *c, const struct request *r)
{
    cut_set_mode(c, r->mode, r->every_ms);
}

static void do_marks(struct conn *c, const struct request *r)
{
    marks_set(c, r->on);
}

static void do_list(struct conn *c, const struct request *r)
{
    struct buf *b = line_of(c);
    (void)r;
    status_list(c->loop->server, b);
    conn_send(c, b);
}

static void do_status(struct conn *c, const struct request *r)
{
    struct buf *b = line_of(c);
    (void)r;
    status_write(c->loop->server, b);
    conn_send(c, b);
}

static void do_ping(struct conn *c, const struct request *r)
{
    struct buf *b = line_of(c);
    reply_pong(b, r->word);
    conn_send(c, b);
}

static void do_help(struct conn *c, const struct request *r)
{
    struct buf *b = line_of(c);
    (void)r;
    reply_help(b);
    conn_send(c, b);
}

static void do_quit(struct conn *c, const struct request *r)
{
    (void)r;
    conn_quit(c);
}

/* The parser refuses what has no entry here. */
static void (*const handlers[VERB_COUNT])(struct conn *, const struct request *) = {
    [VERB_SUBSCRIBE] = do_subscribe, [VERB_RELEASE] = do_release,   [VERB_QUERY] = do_query,
    [VERB_SYNC] = do_sync,           [VERB_PROGRESS] = do_progress, [VERB_MARKS] = do_marks,
    [VERB_EXPLAIN] = do_explain,     [VERB_LIST] = do_list,         [VERB_STATUS] = do_status,
    [VERB_PING] = do_ping,           [VERB_VERIFY] = do_verify,     [VERB_HELP] = do_help,
    [VERB_QUIT] = do_quit,
};

void dispatch_line(struct conn *c, const char *line, size_t len)
{
    struct loop *l = c->loop;
    struct request r = {0};
    struct err err;
    COUNT(l->server->requests, 1);
    if (request_parse(line, len, &l->parsed, &r, &err))
        handlers[r.verb](c, &r);
    else
        refuse(c, r.id, &err);
    arena_reset(&l->parsed);
}

/* ---- answers of the analyst ---------------------------------------------------------------- */

static void accept_statement(struct sub *s, struct analysis *a)
{
    struct buf *b = line_of(s->conn);
    accepted_write(b, s->id, a->spec);
    conn_send(s->conn, b);
    s->columns = accepted_columns(a->spec);
    struct plan *plan = a->plan;
    a->plan = NULL; /* its user is now the subscription */
    s->foreign = s->resuming && (s->since > a->wal_lsn ||
                                 s->since <= reader_turned_at(s->conn->loop->server->reader));
    sub_attach(s, plan, NULL);
}

static void explain_finish(struct sub *s, const struct buf *text)
{
    struct conn *c = s->conn;
    struct buf *b = line_of(c);
    reply_explain(b, s->id, text->data, text->len);
    conn_send(c, b);
    sub_free(s);
}

struct plan_search {
    const char *key;
    struct plan *found;
};

static void match_plan(void *arg, struct plan *p)
{
    struct plan_search *search = arg;
    if (!search->found && strcmp(p->spec->key, search->key) == 0)
        search->found = plan_ref(p);
}

/* A live plan is described by its worker, with what it holds now; else the spec says it all. */
static void explain_statement(struct sub *s, const struct analysis *a)
{
    struct loop *l = s->conn->loop;
    struct plan_search search = {.key = a->spec->key};
    registry_each(l->server->registry, match_plan, &search);
    if (search.found) {
        struct wmsg_attach *m = NEW(struct wmsg_attach);
        m->m.kind = W_EXPLAIN;
        m->plan = search.found;
        m->loop = l;
        m->sub = s->no;
        worker_post(search.found->worker, &m->m);
        return;
    }
    struct buf text;
    buf_init(&text);
    plan_explain(a->spec, NULL, &text);
    explain_finish(s, &text);
    buf_fini(&text);
}

void dispatch_analyzed(struct loop *l, struct analysis *a)
{
    if (a->question) {
        reask_answered(l, a);
        return;
    }
    struct sub *s = sub_find(l, a->sub);
    if (s && a->err) {
        refuse(s->conn, s->id, a->err);
        sub_free(s);
    } else if (s && a->explain) {
        explain_statement(s, a);
    } else if (s) {
        accept_statement(s, a);
    }
    analysis_free(a);
}

void dispatch_explained(struct loop *l, struct lmsg_explained *m)
{
    struct sub *s = sub_find(l, m->sub);
    if (s)
        explain_finish(s, &m->text);
    buf_fini(&m->text);
    free(m);
}

static void reply_verdict(struct buf *b, const char *id, const struct verdict *v)
{
    const struct reply_diverged d = {.missing = v->missing,
                                     .extra = v->extra,
                                     .missing_rows = v->missing_rows,
                                     .extra_rows = v->extra_rows,
                                     .plan_error = v->plan_error,
                                     .postgres_error = v->postgres_error};
    if (v->kind == VERDICT_SAME)
        reply_verified(b, id, v->lsn, v->rows);
    else if (v->kind == VERDICT_DIFFERS)
        reply_diverged(b, id, v->lsn, &d);
    else
        reply_unverified(b, id, &v->err);
}

void dispatch_verified(struct loop *l, struct lmsg_verified *m)
{
    struct sub *s = sub_find(l, m->sub);
    if (s && s->verifying) {
        struct buf *b = line_of(s->conn);
        reply_verdict(b, s->id, &m->verdict);
        conn_send(s->conn, b);
        sub_verified(s);
    }
    verdict_fini(&m->verdict);
    free(m);
}
