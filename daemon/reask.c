/*
 * reask: see reask.h.
 */
#include "daemon/reask.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/accepted.h"
#include "daemon/cut.h"
#include "daemon/server.h"
#include "engine/base/hash.h"
#include "protocol/reply.h"

#define ROUNDS_MAX 8
#define PAUSE_MIN  500 /* ms */
#define PAUSE_MAX  10000

struct analysis *reask_analysis(struct loop *l, const struct statement *st)
{
    struct analysis *a = NEW(struct analysis);
    a->m.kind = A_ANALYZE;
    a->loop = l;
    a->sql = xstrdup(st->sql);
    a->nparams = st->nparams;
    a->params = st->nparams ? xcalloc(st->nparams, sizeof *a->params) : NULL;
    for (size_t i = 0; i < st->nparams; i++)
        if (st->params[i])
            a->params[i] = xstrdup(st->params[i]);
    return a;
}

/* ---- questions ----------------------------------------------------------------------------- */

static void remove_later(struct loop *l, struct question *q)
{
    struct question **at = &l->later;
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    q->is_later = false;
}

static void question_unref(struct loop *l, struct question *q)
{
    if (--q->refs)
        return;
    if (q->is_later)
        remove_later(l, q);
    if (q->spec)
        plan_spec_unref(q->spec);
    payload_unref(q->former);
    statement_unref(q->statement);
    free(q);
}

static void put_later(struct loop *l, struct question *q, uint64_t pause)
{
    q->ask_at = l->now_ms + pause;
    q->next = l->later;
    l->later = q;
    q->is_later = true;
}

static void ask(struct loop *l, struct question *q)
{
    struct analysis *a = reask_analysis(l, q->statement);
    q->no = a->question = ++l->last_question;
    q->refs++;
    table_add(&l->questions, &q->by_no, hash_mix(0, q->no));
    analyst_post(l->server->analyst, a);
}

static struct question *find(struct loop *l, uint64_t no)
{
    struct table_link *t = table_first(&l->questions, hash_mix(0, no));
    while (t && TABLE_MEMBER(t, struct question, by_no)->no != no)
        t = table_next(t);
    return t ? TABLE_MEMBER(t, struct question, by_no) : NULL;
}

/* ---- a plan ends --------------------------------------------------------------------------- */

static bool may_ask(const struct sub *s, enum end_cause cause)
{
    unsigned round = s->question ? s->question->round : 0;
    return cause != END_FINAL && round < (cause == END_REFUSED ? 1 : ROUNDS_MAX);
}

/* What the client holds for certain, as a SNAPSHOT. */
static struct payload *held_by(const struct sub *s, const struct lmsg_plan *m)
{
    if (m->cause == END_TIMELINE || !s->has_state)
        return NULL;
    if (s->question)
        return s->question->former;
    return s->state == SUB_LIVE && s->lsn >= m->lsn ? m->payload : NULL;
}

/* The question that the subscription joins: of the same statement, round and so on. */
static struct question *forming(struct loop *l, const struct sub *s, const struct lmsg_plan *m)
{
    struct question *q = s->statement->forming;
    struct payload *former = held_by(s, m);
    bool timeline = m->cause == END_TIMELINE || (s->question && s->question->timeline);
    unsigned round = s->question ? s->question->round + 1 : 1;
    if (q && q->former == former && q->timeline == timeline && q->round == round)
        return q;
    q = NEW(struct question);
    q->statement = statement_ref(s->statement);
    q->former = former ? payload_ref(former) : NULL;
    q->timeline = timeline;
    q->round = round;
    q->next = l->forming;
    l->forming = s->statement->forming = q;
    return q;
}

static void join(struct sub *s, struct question *q)
{
    reask_leave(s);
    q->refs++;
    s->question = q;
    s->fan_prev = NULL;
    s->fan_next = q->subs;
    if (q->subs)
        q->subs->fan_prev = s;
    q->subs = s;
    s->asking = true;
}

bool reask_begin(struct sub *s, const struct lmsg_plan *m)
{
    struct conn *c = s->conn;
    if (!may_ask(s, m->cause))
        return false;
    /* What it was sent is what the difference begins at: nothing of it is held back, or taken back. */
    cut_flush(c);
    outq_pin(&c->out);
    struct question *q = forming(c->loop, s, m);
    s->foreign |= s->resuming; /* what it came with is of a plan that is no more, at best */
    s->was_failed |= s->failed;
    s->failed = false;
    sub_detach(s);
    join(s, q);
    if (q->timeline)
        s->lsn = 0;
    sub_catch_up_next(c);
    return true;
}

void reask_send(struct loop *l)
{
    for (struct question *q = l->forming, *next; q; q = next) {
        next = q->next;
        q->statement->forming = NULL;
        if (q->round == 1)
            ask(l, q);
        else
            put_later(l, q, PAUSE_MIN << (q->round - 2));
    }
    l->forming = NULL;
}

void reask_tick(struct loop *l)
{
    for (struct question **at = &l->later, *q; (q = *at);) {
        if (q->ask_at > l->now_ms) {
            at = &q->next;
            continue;
        }
        *at = q->next;
        q->is_later = false;
        ask(l, q);
    }
}

/* ---- the answer ---------------------------------------------------------------------------- */

static void unlink_sub(struct sub *s)
{
    *(s->fan_prev ? &s->fan_prev->fan_next : &s->question->subs) = s->fan_next;
    if (s->fan_next)
        s->fan_next->fan_prev = s->fan_prev;
    s->fan_prev = s->fan_next = NULL;
    s->asking = false;
}

void reask_leave(struct sub *s)
{
    if (!s->question)
        return;
    if (s->asking)
        unlink_sub(s);
    question_unref(s->conn->loop, s->question);
    s->question = NULL;
}

/* Errors that say nothing of the statement: of the connection, of locks, of the server's state. */
static bool may_pass(const struct err *err)
{
    static const char *const passing[] = {"08", "40", "53000", "53100", "533", "55P03", "57"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strncmp(err->sqlstate, passing[i], strlen(passing[i])) == 0)
            return true;
    return false;
}

static void try_later(struct loop *l, struct question *q)
{
    q->pause = q->pause ? q->pause * 2 : PAUSE_MIN;
    if (q->pause > PAUSE_MAX)
        q->pause = PAUSE_MAX;
    put_later(l, q, q->pause);
}

static void end_all(struct loop *l, struct question *q, const struct err *err)
{
    while (q->subs) {
        struct sub *s = q->subs;
        buf_reset(&l->line);
        reply_error(&l->line, s->id, err);
        conn_send(s->conn, &l->line);
        sub_free(s);
    }
}

static void attach_all(struct loop *l, struct question *q, const struct analysis *a)
{
    uint64_t columns = accepted_columns(a->spec);
    q->spec = plan_spec_ref(a->spec);
    while (q->subs) {
        struct sub *s = q->subs;
        unlink_sub(s);
        sub_attach(s, registry_join(l->server->registry, a->plan),
                   s->columns == columns ? q->former : NULL);
    }
}

void reask_answered(struct loop *l, struct analysis *a)
{
    struct question *q = find(l, a->question);
    table_remove(&l->questions, &q->by_no);
    if (!q->subs)
        ; /* nobody is interested any more */
    else if (!a->err)
        attach_all(l, q, a);
    else if (may_pass(a->err))
        try_later(l, q);
    else
        end_all(l, q, a->err);
    question_unref(l, q);
    analysis_free(a);
}
