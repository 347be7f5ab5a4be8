/*
 * sub: see sub.h.
 */
#include "daemon/sub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/reader.h"
#include "daemon/reask.h"
#include "daemon/rest.h"
#include "daemon/server.h"
#include "engine/base/hash.h"

static uint64_t hash_id(const struct conn *c, const char *id)
{
    return hash_mix(hash_bytes(id, strlen(id)), (uint64_t)(uintptr_t)c);
}

static uint64_t hash_no(uint64_t no)
{
    return hash_mix(0, no);
}

struct sub *sub_find(struct loop *l, uint64_t no)
{
    for (struct table_link *t = table_first(&l->subs, hash_no(no)); t; t = table_next(t)) {
        struct sub *s = TABLE_MEMBER(t, struct sub, by_no);
        if (s->no == no)
            return s;
    }
    return NULL;
}

struct sub *sub_find_id(struct conn *c, const char *id)
{
    struct table *ids = &c->loop->sub_ids;
    for (struct table_link *t = table_first(ids, hash_id(c, id)); t; t = table_next(t)) {
        struct sub *s = TABLE_MEMBER(t, struct sub, by_id);
        if (s->conn == c && strcmp(s->id, id) == 0)
            return s;
    }
    return NULL;
}

/* ---- what the connection counts ------------------------------------------------------------ */

static bool is_pending(const struct sub *s)
{
    bool live = s->state == SUB_LIVE || s->failed;
    return !live && !s->has_state;
}

bool sub_is_current(const struct sub *s)
{
    return (s->state == SUB_LIVE || s->failed) && s->fan && !s->fan->stale;
}

/* Brings the connection's counts in line with what the subscription is now. */
static void recount(struct sub *s)
{
    struct conn *c = s->conn;
    bool blocking = s->kind == SUB_SUBSCRIBE && !sub_is_current(s);
    if (blocking != s->blocking) {
        (blocking ? progress_block : progress_unblock)(&c->progress);
        s->blocking = blocking;
        c->loop->cuts_due = true;
    }
    bool limiting = s->kind == SUB_SUBSCRIBE && s->fan && s->fan->holds != LSN_MAX;
    c->nlimiting += (size_t)limiting - (size_t)s->limiting;
    s->limiting = limiting;
    bool pending = is_pending(s);
    if (pending != s->pending) {
        (pending ? conn_request_begun : conn_request_done)(c);
        s->pending = pending;
    }
}

void sub_set_state(struct sub *s, enum sub_state state)
{
    if (s->rest_at)
        rest_remove(s);
    if (s->state == SUB_LAGGING)
        s->conn->nlagging--;
    if (state == SUB_LAGGING)
        s->conn->nlagging++;
    if (s->conn->catching_up == s->no && state != SUB_CATCHING)
        s->conn->catching_up = 0;
    s->state = state;
    recount(s);
}

void sub_set_failed(struct sub *s, bool failed)
{
    s->failed = failed;
    recount(s);
}

/* ---- the plan's subscriptions on this loop ------------------------------------------------- */

static uint64_t hash_plan(const struct plan *plan)
{
    return hash_mix(0, plan->id);
}

struct fan *fan_find(struct loop *l, const struct plan *plan)
{
    for (struct table_link *t = table_first(&l->fans, hash_plan(plan)); t; t = table_next(t)) {
        struct fan *f = TABLE_MEMBER(t, struct fan, by_plan);
        if (f->plan == plan)
            return f;
    }
    return NULL;
}

void fan_set_stale(struct fan *f, bool stale)
{
    if (f->stale == stale)
        return;
    f->stale = stale;
    for (struct sub *s = f->subs; s; s = s->fan_next)
        recount(s);
}

void fan_set_holds(struct fan *f, lsn_t lsn)
{
    bool limits = f->holds != LSN_MAX;
    f->holds = lsn;
    if (limits == (lsn != LSN_MAX))
        return;
    for (struct sub *s = f->subs; s; s = s->fan_next)
        recount(s);
}

static void fan_join(struct loop *l, struct sub *s, struct plan *plan)
{
    struct fan *f = fan_find(l, plan);
    if (!f) {
        f = NEW(struct fan);
        f->plan = plan;
        f->holds = LSN_MAX;
        table_add(&l->fans, &f->by_plan, hash_plan(plan));
    }
    s->fan = f;
    s->fan_prev = NULL;
    s->fan_next = f->subs;
    if (f->subs)
        f->subs->fan_prev = s;
    f->subs = s;
}

static void fan_leave(struct loop *l, struct sub *s)
{
    struct fan *f = s->fan;
    *(s->fan_prev ? &s->fan_prev->fan_next : &f->subs) = s->fan_next;
    if (s->fan_next)
        s->fan_next->fan_prev = s->fan_prev;
    if (!f->subs) {
        table_remove(&l->fans, &f->by_plan);
        free(f);
    }
    s->fan = NULL;
    s->fan_prev = s->fan_next = NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

struct sub *sub_new(struct conn *c, const char *id, enum sub_kind kind)
{
    struct loop *l = c->loop;
    size_t len = strlen(id);
    struct sub *s = xcalloc(1, sizeof *s + len + 1);
    assert(len <= REQUEST_ID_MAX);
    s->no = ++l->last_sub;
    s->kind = kind;
    s->conn = c;
    s->id_len = (uint8_t)len;
    memcpy(s->id, id, len + 1);
    table_add(&l->subs, &s->by_no, hash_no(s->no));
    table_add(&l->sub_ids, &s->by_id, hash_id(c, id));
    s->conn_next = c->subs;
    if (c->subs)
        c->subs->conn_prev = s;
    c->subs = s;
    c->nsubs++;
    COUNT(l->server->subscriptions, 1);
    sub_set_state(s, SUB_ANALYZING);
    return s;
}

static struct wmsg_attach *message(struct sub *s, enum worker_msg_kind kind)
{
    struct wmsg_attach *m = NEW(struct wmsg_attach);
    m->m.kind = kind;
    m->plan = plan_ref(s->fan->plan);
    m->loop = s->conn->loop;
    m->sub = s->no;
    if (s->has_state && s->question)
        m->behind = s->lsn;
    else if (s->has_state)
        m->since = s->lsn;
    else if (s->resuming)
        m->since = s->since;
    return m;
}

static void post(struct sub *s, struct wmsg_attach *m)
{
    worker_post(s->fan->plan->worker, &m->m);
}

/* ---- VERIFY -------------------------------------------------------------------------------- */

static void ask_reader(const struct sub *s)
{
    struct rmsg_verify *m = NEW(struct rmsg_verify);
    m->m.kind = R_VERIFY;
    m->plan = plan_ref(s->fan->plan);
    m->loop = s->conn->loop;
    m->sub = s->no;
    reader_post(s->conn->loop->server->reader, &m->m);
}

void sub_verify(struct sub *s)
{
    s->verifying++;
    conn_request_begun(s->conn);
    if (s->fan)
        ask_reader(s);
    else
        s->verify_later++;
}

void sub_verified(struct sub *s)
{
    s->verifying--;
    conn_request_done(s->conn);
}

/* ---- the plan ------------------------------------------------------------------------------ */

void sub_attach(struct sub *s, struct plan *plan, struct payload *former)
{
    fan_join(s->conn->loop, s, plan);
    if (s->kind == SUB_SUBSCRIBE)
        progress_join(&s->conn->progress, worker_no(plan->worker));
    sub_set_state(s, SUB_ATTACHING);
    struct wmsg_attach *m = message(s, W_ATTACH);
    m->how = s->resuming ? ATTACH_RESUME : ATTACH_NEW;
    m->foreign = s->foreign;
    m->max_bytes = s->interval_ms ? 0 : s->conn->loop->output_limit / 2;
    m->former = former ? payload_ref(former) : NULL;
    post(s, m);
    for (; s->verify_later; s->verify_later--)
        ask_reader(s);
}

/* A client that is gone without RELEASE may come back for what it missed meanwhile. */
static void leave_plan(const struct sub *s, struct plan *plan)
{
    struct loop *l = s->conn->loop;
    if (s->kind == SUB_SUBSCRIBE && s->conn->state == CONN_DEAD && l->linger_ms > 0)
        registry_leave(l->server->registry, plan, l->now_ms);
    else
        registry_release(l->server->registry, plan);
}

static void detach(struct sub *s)
{
    struct plan *plan = s->fan->plan;
    post(s, message(s, W_DETACH));
    if (s->kind == SUB_SUBSCRIBE)
        progress_leave(&s->conn->progress, worker_no(plan->worker));
    fan_leave(s->conn->loop, s);
    leave_plan(s, plan);
}

void sub_detach(struct sub *s)
{
    detach(s);
    sub_set_state(s, SUB_ANALYZING);
}

void sub_free(struct sub *s)
{
    struct conn *c = s->conn;
    struct loop *l = c->loop;
    if (s->blocking)
        progress_unblock(&c->progress);
    c->nlimiting -= s->limiting;
    if (s->pending)
        conn_request_done(c);
    while (s->verifying)
        sub_verified(s);
    if (s->rest_at)
        rest_remove(s);
    if (s->state == SUB_LAGGING)
        c->nlagging--;
    if (c->catching_up == s->no)
        c->catching_up = 0;
    if (s->fan)
        detach(s);
    reask_leave(s);
    statement_unref(s->statement);
    *(s->conn_prev ? &s->conn_prev->conn_next : &c->subs) = s->conn_next;
    if (s->conn_next)
        s->conn_next->conn_prev = s->conn_prev;
    c->nsubs--;
    table_remove(&l->subs, &s->by_no);
    table_remove(&l->sub_ids, &s->by_id);
    atomic_fetch_sub_explicit(&l->server->subscriptions, 1, memory_order_relaxed);
    l->cuts_due = true;
    free(s);
}

/* ---- falling behind ------------------------------------------------------------------------ */

void sub_lag(struct sub *s)
{
    if (s->state == SUB_LAGGING)
        return;
    COUNT(s->conn->loop->server->lagged, 1);
    s->failed = false;
    /* What it is caught up from is settled now. */
    outq_pin(&s->conn->out);
    sub_set_state(s, SUB_LAGGING);
}

static void catch_up(struct sub *s)
{
    struct wmsg_attach *m = message(s, W_ATTACH);
    m->how = ATTACH_CATCH_UP;
    if (!s->has_state)
        m->since = 0;
    post(s, m);
}

void sub_catch_up_next(struct conn *c)
{
    if (c->nlagging == 0 || c->catching_up != 0)
        return;
    struct sub *s = c->subs;
    while (s->state != SUB_LAGGING)
        s = s->conn_next;
    sub_set_state(s, SUB_CATCHING);
    c->catching_up = s->no;
    catch_up(s);
}

/* ---- resting ------------------------------------------------------------------------------- */

bool sub_must_rest(const struct sub *s)
{
    return s->interval_ms && s->conn->loop->now_ms < s->sent_ms + s->interval_ms;
}

void sub_rest(struct sub *s)
{
    sub_set_state(s, SUB_RESTING);
    rest_add(s);
}

void sub_end_rest(struct sub *s)
{
    /* What it is caught up from is settled now. */
    outq_pin(&s->conn->out);
    sub_set_state(s, SUB_CATCHING);
    catch_up(s);
}
