/*
 * marks: see marks.h.
 */
#include "daemon/marks.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/conn.h"
#include "daemon/cut.h"
#include "daemon/reader.h"
#include "daemon/server.h"
#include "protocol/reply.h"

#define MARK_OVERHEAD 64 /* what one costs beside its token */

static size_t cost(const struct mark *m)
{
    return MARK_OVERHEAD + m->token->len;
}

static void drop_oldest(struct marks *ms)
{
    struct mark *m = &ms->waiting.v[ms->first++];
    ms->bytes -= cost(m);
    payload_unref(m->token);
    if (ms->first == ms->waiting.n) {
        VEC_FREE(ms->waiting);
        ms->first = 0;
    }
}

bool marks_are_waiting(const struct conn *c)
{
    return c->marks.first < c->marks.waiting.n;
}

void marks_forget(struct conn *c)
{
    while (marks_are_waiting(c))
        drop_oldest(&c->marks);
}

void marks_set(struct conn *c, bool on)
{
    if (c->marks.on != on)
        reader_want_marks(c->loop->server->reader, on);
    c->marks.on = on;
    if (!on)
        marks_forget(c);
    conn_update_watching(c);
}

void marks_fini(struct conn *c)
{
    marks_set(c, false);
}

static void add(struct conn *c, struct payload *token)
{
    struct marks *ms = &c->marks;
    struct mark m = {.token = payload_ref(token), .last_sub = c->loop->last_sub};
    if (ms->first > 0 && ms->waiting.n == ms->waiting.cap) {
        ms->waiting.n -= ms->first;
        memmove(ms->waiting.v, ms->waiting.v + ms->first, ms->waiting.n * sizeof *ms->waiting.v);
        ms->first = 0;
    }
    VEC_PUSH(ms->waiting, m);
    ms->bytes += cost(&m);
}

static void end_if_too_many(struct conn *c)
{
    struct err err;
    if (c->marks.bytes <= c->loop->output_limit)
        return;
    err_set(&err, ERR_LIMIT_EXCEEDED, "more than %zu bytes of marks wait to be sent",
            c->loop->output_limit);
    err_hint(&err, "limits.output_bytes is the most that may wait for one client.");
    marks_forget(c);
    conn_close(c, &err);
}

void marks_take(struct loop *l, struct lmsg_marks *m)
{
    for (struct conn *c = l->watchers; c; c = c->watch_next) {
        if (!c->marks.on || !conn_takes_output(c))
            continue;
        for (size_t i = 0; i < m->tokens.n; i++)
            add(c, m->tokens.v[i]);
        end_if_too_many(c);
    }
    for (size_t i = 0; i < m->tokens.n; i++)
        payload_unref(m->tokens.v[i]);
    VEC_FREE(m->tokens);
    free(m);
    l->cuts_due = true;
}

void marks_give_out(struct conn *c)
{
    struct marks *ms = &c->marks;
    while (marks_are_waiting(c)) {
        struct mark *m = &ms->waiting.v[ms->first];
        if (!cut_is_sent(c, m->last_sub, m->token->lsn, &m->due) || !conn_has_room(c, cost(m)))
            return;
        buf_reset(&c->loop->line);
        reply_mark(&c->loop->line, m->token->lsn, m->token->data, m->token->len);
        conn_send(c, &c->loop->line);
        drop_oldest(ms);
    }
}
