/*
 * fanout: see fanout.h.
 *
 * The hot path is fan_delta(): one header per subscriber, and a reference to the payload. A
 * subscription takes part only in the state LIVE (see sub.h); the order of the mailbox makes that
 * exact: whatever the worker sent before it answered an attach is for others.
 */
#include "daemon/fanout.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/accepted.h"
#include "daemon/reask.h"
#include "daemon/server.h"
#include "protocol/reply.h"

static struct buf *line(struct conn *c)
{
    buf_reset(&c->loop->line);
    return &c->loop->line;
}

/* ---- to one subscription ------------------------------------------------------------------- */

static void send_failed(struct sub *s, lsn_t lsn, const struct err *err)
{
    struct buf *b = line(s->conn);
    reply_failed(b, s->id, lsn, err);
    conn_send(s->conn, b);
}

static struct buf *delta_header(const struct sub *s, lsn_t lsn, uint64_t n)
{
    struct loop *l = s->conn->loop;
    struct buf *b = line(s->conn);
    if (l->rest.len == 0 || l->rest_lsn != lsn || l->rest_n != n) {
        buf_reset(&l->rest);
        reply_delta_rest(&l->rest, lsn, n);
        l->rest_lsn = lsn;
        l->rest_n = n;
    }
    reply_delta_id(b, s->id, s->id_len);
    buf_add(b, l->rest.data, l->rest.len);
    return b;
}

/* A block was taken back: its subscription has what it had before it. */
static void taken_back_cb(void *arg, const struct outq_mark *m)
{
    struct loop *l = arg;
    struct sub *s = m->sub ? sub_find(l, m->sub) : NULL;
    if (!s || (s->state != SUB_LIVE && s->state != SUB_RESTING))
        return;
    s->lsn = m->before;
    sub_lag(s);
}

static void note_sent(struct sub *s, lsn_t lsn)
{
    s->lsn = lsn;
    s->sent_ms = s->conn->loop->now_ms;
}

static void send_delta(struct sub *s, lsn_t lsn, struct payload *payload)
{
    struct conn *c = s->conn;
    if (!conn_has_room(c, payload->len)) {
        outq_take_back(&c->out, taken_back_cb, c->loop);
        sub_lag(s);
        return;
    }
    struct buf *b = delta_header(s, lsn, payload->nrows);
    conn_send_droppable(c, b, payload, s->no, s->lsn);
    note_sent(s, lsn);
    COUNT(c->loop->server->deltas, 1);
}

static void deliver(struct sub *s, lsn_t lsn, struct payload *payload)
{
    if (sub_must_rest(s))
        sub_rest(s);
    else
        send_delta(s, lsn, payload);
}

static void release_query(struct sub *s)
{
    struct conn *c = s->conn;
    struct buf *b = line(c);
    reply_released(b, s->id);
    conn_send(c, b);
    sub_free(s);
}

/* What stands before a SNAPSHOT that replaces what the client holds, or knows. */
static void announce(struct sub *s, const struct lmsg_plan *m)
{
    const struct question *q = s->question;
    struct buf *b = line(s->conn);
    enum resync_reason reason = RESYNC_SCHEMA_CHANGED;
    if (s->resuming)
        reason = RESYNC_SINCE_TOO_OLD;
    else if (q && q->timeline)
        reason = RESYNC_TIMELINE;
    else if (!q && s->state == SUB_CATCHING)
        reason = RESYNC_SLOW_CONSUMER;
    if ((s->has_state || s->resuming) && (m->resync || q))
        reply_resync(b, s->id, reason);
    if (q && accepted_columns(q->spec) != s->columns) {
        accepted_write(b, s->id, q->spec);
        s->columns = accepted_columns(q->spec);
    }
}

/* The client has the state of its plan. */
static void become_live(struct sub *s, lsn_t lsn)
{
    s->has_state = true;
    s->lsn = lsn;
    s->failed = s->was_failed = s->resuming = false;
    reask_leave(s);
    if (s->kind != SUB_SUBSCRIBE)
        return;
    progress_raise_floor(&s->conn->progress, lsn);
    sub_set_state(s, SUB_LIVE);
    sub_catch_up_next(s->conn);
}

static void take_snapshot(struct sub *s, struct lmsg_plan *m)
{
    struct conn *c = s->conn;
    if (!conn_has_room(c, m->payload->len)) {
        sub_lag(s);
        return;
    }
    announce(s, m);
    struct buf *b = &c->loop->line;
    reply_snapshot(b, s->id, m->lsn, m->payload->nrows);
    conn_send_block(c, b, m->payload);
    COUNT(c->loop->server->snapshots, 1);
    note_sent(s, m->lsn);
    become_live(s, m->lsn);
    if (s->kind == SUB_QUERY)
        release_query(s);
}

/* From the last state of a plan that is no more to that of the one in its place. It is never taken
 * back: no history leads from the one to the other. */
static void take_difference(struct sub *s, struct lmsg_plan *m)
{
    struct conn *c = s->conn;
    bool told = m->payload->nrows > 0 || s->failed || s->was_failed;
    if (told && !conn_has_room(c, m->payload->len)) {
        sub_lag(s);
        return;
    }
    if (told) {
        conn_send_block(c, delta_header(s, m->lsn, m->payload->nrows), m->payload);
        COUNT(c->loop->server->deltas, 1);
        note_sent(s, m->lsn);
    }
    become_live(s, m->lsn);
}

/* The net change since what the client has; nothing is said when there is none. */
static void take_catchup(struct sub *s, struct lmsg_plan *m)
{
    assert(s->state == SUB_CATCHING && s->has_state);
    if (m->payload->nrows > 0)
        send_delta(s, m->lsn, m->payload);
    if (s->state == SUB_LAGGING)
        return;
    s->failed = false;
    progress_raise_floor(&s->conn->progress, m->lsn);
    sub_set_state(s, SUB_LIVE);
    sub_catch_up_next(s->conn);
}

/* What was sent to others while the client was away. The rest, if it is too much just now, comes as a
 * net change from the last delta that is queued. */
static void take_missed(struct sub *s, struct lmsg_plan *m)
{
    COUNT(s->conn->loop->server->resumed, 1);
    become_live(s, m->base);
    progress_raise_floor(&s->conn->progress, m->lsn);
    for (size_t i = 0; i < m->missed.n && s->state == SUB_LIVE; i++)
        send_delta(s, m->missed.v[i]->lsn, m->missed.v[i]);
}

/* Too much is held for cuts that don't come: the connection counts as slow. */
static void drop_held(struct conn *c)
{
    struct held h;
    while (progress_take(&c->progress, &h)) {
        struct sub *s = sub_find(c->loop, h.sub);
        if (s && s->state == SUB_LIVE)
            sub_lag(s);
        held_fini(&h);
    }
    sub_catch_up_next(c);
}

static void hold(struct sub *s, lsn_t lsn, struct payload *payload, const struct err *err)
{
    struct conn *c = s->conn;
    struct held h = {.lsn = lsn, .sub = s->no};
    if (payload)
        h.payload = payload_ref(payload);
    if (err) {
        h.err = NEW(struct err);
        *h.err = *err;
    }
    const struct plan *plan = s->fan->plan;
    int queue = plan->spec->rerun ? (int)c->progress.nworkers : worker_no(plan->worker);
    progress_hold(&c->progress, queue, &h);
    if (outq_bytes(&c->out) + c->progress.held_bytes > c->loop->output_limit)
        drop_held(c);
}

static bool is_held(const struct sub *s)
{
    return s->kind == SUB_SUBSCRIBE && s->conn->progress.mode != PROGRESS_OFF;
}

void fanout_held(struct conn *c, struct held *h)
{
    struct sub *s = sub_find(c->loop, h->sub);
    /* It may have been caught up since, from before this change to after it. */
    bool wanted = s && s->state == SUB_LIVE && h->lsn > s->lsn;
    if (wanted && h->payload)
        deliver(s, h->lsn, h->payload);
    else if (wanted)
        send_failed(s, h->lsn, h->err);
    held_fini(h);
}

/* A QUERY whose answer is an error is over; a subscription waits for better times. */
static void take_failed(struct sub *s, lsn_t lsn, const struct err *err)
{
    struct conn *c = s->conn;
    if (s->failed)
        return;
    if (s->kind == SUB_QUERY) {
        struct buf *b = line(c);
        reply_error(b, s->id, err);
        conn_send(c, b);
        sub_free(s);
        return;
    }
    if (is_held(s) && s->state == SUB_LIVE)
        hold(s, lsn, NULL, err);
    else
        send_failed(s, lsn, err);
    sub_set_failed(s, true);
    if (c->catching_up == s->no) {
        c->catching_up = 0; /* its view may take for ever: others go on */
        sub_catch_up_next(c);
    }
}

static void take_ended(struct sub *s, const struct lmsg_plan *m)
{
    struct conn *c = s->conn;
    if (reask_begin(s, m))
        return;
    struct buf *b = line(c);
    reply_error(b, s->id, &m->err);
    conn_send(c, b);
    sub_free(s);
}

/* ---- to all of a plan ---------------------------------------------------------------------- */

static void fan_delta(struct fan *f, struct lmsg_plan *m)
{
    for (struct sub *s = f->subs; s; s = s->fan_next) {
        if (s->state != SUB_LIVE || !conn_takes_output(s->conn))
            continue;
        s->conn->loop->deliveries++;
        if (s->failed)
            sub_set_failed(s, false);
        if (!m->payload)
            continue; /* only that all is well again */
        if (is_held(s))
            hold(s, m->lsn, m->payload, NULL);
        else
            deliver(s, m->lsn, m->payload);
    }
}

/* A whole view in place of what was wrong. What is held for a cut is older, and dropped then. */
static void replace_view(struct sub *s, struct lmsg_plan *m)
{
    struct conn *c = s->conn;
    if (!conn_has_room(c, m->payload->len)) {
        sub_lag(s);
        return;
    }
    struct buf *b = line(c);
    reply_resync(b, s->id, RESYNC_DIVERGED);
    reply_snapshot(b, s->id, m->lsn, m->payload->nrows);
    conn_send_block(c, b, m->payload);
    COUNT(c->loop->server->snapshots, 1);
    note_sent(s, m->lsn);
    if (s->failed)
        sub_set_failed(s, false);
    progress_raise_floor(&c->progress, m->lsn);
}

static void fan_diverged(struct fan *f, struct lmsg_plan *m)
{
    for (struct sub *s = f->subs; s; s = s->fan_next)
        if (s->state == SUB_LIVE && conn_takes_output(s->conn))
            replace_view(s, m);
}

static void fan_failed(struct fan *f, struct lmsg_plan *m)
{
    for (struct sub *s = f->subs, *next; s; s = next) {
        next = s->fan_next;
        if (s->state == SUB_LIVE || s->state == SUB_ATTACHING)
            take_failed(s, m->lsn, &m->err);
    }
}

static void fan_ended(struct loop *l, struct fan *f, struct lmsg_plan *m)
{
    for (struct sub *s = f->subs, *next; s; s = next) {
        next = s->fan_next;
        take_ended(s, m);
    }
    reask_send(l);
}

static void raise_floors(struct fan *f, lsn_t lsn)
{
    for (struct sub *s = f->subs; s; s = s->fan_next)
        if (s->kind == SUB_SUBSCRIBE)
            progress_raise_floor(&s->conn->progress, lsn);
}

/* What the rebuild changed is one step of the client, over everything committed in between. */
static void fan_current(struct fan *f, struct lmsg_plan *m)
{
    raise_floors(f, m->lsn);
    fan_set_stale(f, false);
}

/* A rerun's answer is such a step, from the LSN where the last one ended to its own; it may be empty.
 * Without an LSN it is the news that the answer we have is out of date. */
static void fan_answered(struct fan *f, const struct lmsg_plan *m)
{
    if (!f->plan->spec->rerun)
        return;
    if (f->holds != LSN_MAX && m->lsn)
        raise_floors(f, m->lsn);
    fan_set_holds(f, m->holds);
}

static void to_all(struct loop *l, struct fan *f, struct lmsg_plan *m)
{
    switch (m->m.kind) {
    case L_DELTA:
        if (f->stale && m->current)
            fan_current(f, m);
        fan_answered(f, m);
        fan_delta(f, m);
        break;
    case L_FAILED:
        if (f->stale && m->current)
            fan_current(f, m);
        fan_answered(f, m);
        fan_failed(f, m); /* the last QUERY may take it away */
        break;
    case L_HOLDS:
        if (f->stale && m->current)
            fan_current(f, m);
        fan_answered(f, m);
        break;
    case L_DIVERGED:
        if (f->stale && m->current)
            fan_current(f, m);
        fan_answered(f, m);
        fan_diverged(f, m);
        break;
    case L_STALE: fan_set_stale(f, true); break;
    case L_ENDED: fan_ended(l, f, m); break;
    default: assert(!"a message for one subscription");
    }
}

static void take_state(struct sub *s, struct lmsg_plan *m)
{
    if (m->m.kind == L_SNAPSHOT)
        take_snapshot(s, m);
    else if (m->m.kind == L_DIFFERENCE)
        take_difference(s, m);
    else if (m->m.kind == L_RESUME)
        take_missed(s, m);
    else
        take_catchup(s, m);
}

static void to_one(struct sub *s, struct lmsg_plan *m)
{
    struct fan *f = s->fan;
    switch (m->m.kind) {
    case L_SNAPSHOT:
    case L_CATCHUP:
    case L_RESUME:
    case L_DIFFERENCE:
        fan_set_stale(f, !m->current);
        fan_set_holds(f, m->holds);
        take_state(s, m);
        break;
    case L_FAILED: take_failed(s, m->lsn, &m->err); break;
    case L_ENDED: {
        struct loop *l = s->conn->loop;
        take_ended(s, m);
        reask_send(l);
        break;
    }
    default: assert(!"a message for all of a plan");
    }
}

void fanout_plan_message(struct loop *l, struct lmsg_plan *m)
{
    struct sub *s = m->sub ? sub_find(l, m->sub) : NULL;
    struct fan *f = m->sub ? NULL : fan_find(l, m->plan);
    if (s && s->fan && s->fan->plan == m->plan)
        to_one(s, m);
    else if (f)
        to_all(l, f, m);
    l->cuts_due = true;
    fanout_drop(m);
}

void fanout_drop(struct lmsg_plan *m)
{
    plan_unref(m->plan);
    if (m->payload)
        payload_unref(m->payload);
    for (size_t i = 0; i < m->missed.n; i++)
        payload_unref(m->missed.v[i]);
    VEC_FREE(m->missed);
    free(m);
}
