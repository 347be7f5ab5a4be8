/*
 * cut: see cut.h.
 *
 * A SYNC is answered when each subscription that existed when it came is current, on a worker that
 * has passed the LSN (and for a rerun, with an answer that holds there), and what was held back at
 * that moment has been given out. Not only what is as old as the LSN: commits folded into one step and
 * the difference after a rebuild are held under the LSN that they lead to. Subscriptions are numbered
 * upwards, so "existed then" is a comparison; one that was released in between no longer counts. A MARK
 * waits for the same.
 */
#include "daemon/cut.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#include "daemon/fanout.h"
#include "daemon/reader.h"
#include "daemon/server.h"
#include "daemon/watch.h"
#include "protocol/reply.h"

struct sync {
    struct sync *next;
    uint64_t no;
    uint64_t last_sub; /* newest subscription of the loop when it came */
    bool has_lsn;      /* false: Postgres is being asked */
    lsn_t lsn;
    lsn_t due; /* what is held up to here is to be given out first; 0 = not known yet */
};

/* ---- PROGRESS ------------------------------------------------------------------------------ */

static void state_progress(struct conn *c, lsn_t lsn)
{
    struct buf *b = &c->loop->line;
    buf_reset(b);
    reply_progress(b, lsn);
    conn_send_droppable(c, b, NULL, 0, 0);
}

static lsn_t least_passed(const struct loop *l)
{
    lsn_t least = LSN_MAX;
    for (size_t i = 0; i < l->server->nworkers; i++)
        if (l->passed[i] < least)
            least = l->passed[i];
    return least;
}

/* Up to where the answers of all reruns hold. */
static lsn_t find_limit(const struct conn *c)
{
    lsn_t limit = LSN_MAX;
    for (const struct sub *s = c->nlimiting ? c->subs : NULL; s; s = s->conn_next)
        if (s->limiting && s->fan->holds < limit)
            limit = s->fan->holds;
    return limit;
}

static void give_out(struct conn *c)
{
    struct held h;
    c->progress.limit = find_limit(c);
    for (;;) {
        switch (progress_next(&c->progress, c->loop->passed, &h)) {
        case PROGRESS_WAIT: return;
        case PROGRESS_GIVE: fanout_held(c, &h); break;
        case PROGRESS_STATE: state_progress(c, h.lsn); break;
        }
    }
}

/* PROGRESS N: says how far the connection is, whether anything has changed or not. */
static void progress_due_cb(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    struct progress *p = &c->progress;
    (void)fd, (void)what;
    if (!conn_takes_output(c) || !conn_has_room(c, 0))
        return;
    give_out(c);
    lsn_t cut = progress_cut(p, c->loop->passed);
    if (cut == LSN_MAX)
        cut = least_passed(c->loop);
    if (!progress_can_state(p, cut))
        return;
    p->stated = cut;
    state_progress(c, cut);
}

static void set_timer(struct conn *c, uint32_t every_ms)
{
    struct timeval tv = {.tv_sec = every_ms / 1000, .tv_usec = every_ms % 1000 * 1000};
    if (!c->progress_timer)
        c->progress_timer = event_new(c->loop->base, -1, EV_PERSIST, progress_due_cb, c);
    event_add(c->progress_timer, &tv);
}

static void give_out_all(struct conn *c)
{
    struct held h;
    while (progress_take(&c->progress, &h))
        fanout_held(c, &h);
}

static void find_floor(struct conn *c)
{
    for (struct sub *s = c->subs; s; s = s->conn_next)
        if (s->kind == SUB_SUBSCRIBE && s->has_state)
            progress_raise_floor(&c->progress, s->lsn);
}

void cut_flush(struct conn *c)
{
    if (c->progress.held == 0)
        return;
    give_out_all(c);
    find_floor(c);
}

void cut_turned_back(struct loop *l)
{
    for (struct conn *c = l->conns; c; c = c->next) {
        give_out_all(c);
        progress_turn_back(&c->progress);
        marks_forget(c);
        find_floor(c);
    }
}

void cut_set_mode(struct conn *c, enum progress_mode mode, uint32_t every_ms)
{
    struct progress *p = &c->progress;
    if (c->progress_timer)
        event_del(c->progress_timer);
    p->mode = mode;
    p->owes = false;
    if (mode == PROGRESS_OFF)
        give_out_all(c);
    find_floor(c);
    if (mode == PROGRESS_EVERY)
        set_timer(c, every_ms);
    conn_update_watching(c);
}

/* ---- SYNC ---------------------------------------------------------------------------------- */

static bool ask_postgres(struct conn *c, uint64_t no, struct err *err)
{
    struct server *srv = c->loop->server;
    struct reader_status rs;
    reader_status(srv->reader, &rs);
    if (rs.state != STREAM_STREAMING)
        return err_set(err, ERR_CANNOT_CONNECT_NOW, "Postgres can't be reached just now");
    struct sync_request *r = NEW(struct sync_request);
    r->loop = c->loop;
    r->no = no;
    watch_sync(srv->watch, r);
    return true;
}

bool cut_sync(struct conn *c, bool has_lsn, lsn_t lsn, struct err *err)
{
    struct loop *l = c->loop;
    uint64_t no = l->last_sync + 1;
    if (!has_lsn && !ask_postgres(c, no, err))
        return false;
    struct sync *s = NEW(struct sync);
    struct sync **tail = &c->syncs;
    while (*tail)
        tail = &(*tail)->next;
    *tail = s;
    s->no = l->last_sync = no;
    s->last_sub = l->last_sub;
    s->has_lsn = has_lsn;
    s->lsn = lsn;
    conn_request_begun(c);
    conn_update_watching(c);
    l->cuts_due = true;
    return true;
}

static void sync_drop(struct conn *c, struct sync **at)
{
    struct sync *s = *at;
    *at = s->next;
    free(s);
    conn_request_done(c);
}

static struct sync **sync_find(struct loop *l, uint64_t no, struct conn **c)
{
    for (*c = l->watchers; *c; *c = (*c)->watch_next)
        for (struct sync **at = &(*c)->syncs; *at; at = &(*at)->next)
            if ((*at)->no == no)
                return at;
    return NULL;
}

void cut_sync_answered(struct loop *l, struct sync_request *r)
{
    struct conn *c;
    struct sync **at = sync_find(l, r->no, &c);
    if (at && err_is_set(&r->err)) {
        buf_reset(&l->line);
        reply_error(&l->line, NULL, &r->err);
        conn_send(c, &l->line);
        sync_drop(c, at);
        conn_update_watching(c);
    } else if (at) {
        (*at)->has_lsn = true;
        (*at)->lsn = r->lsn;
    }
    l->cuts_due = true;
    free(r);
}

static bool is_sent(const struct conn *c, uint64_t last_sub, lsn_t lsn, lsn_t *due, bool *any)
{
    for (const struct sub *s = c->subs; s; s = s->conn_next) {
        if (s->no > last_sub || s->kind == SUB_EXPLAIN)
            continue;
        *any = true;
        if (!sub_is_current(s) || s->fan->holds < lsn ||
            c->loop->passed[worker_no(s->fan->plan->worker)] < lsn)
            return false;
    }
    if (!*due)
        *due = progress_newest(&c->progress);
    return progress_oldest(&c->progress) > *due;
}

bool cut_is_sent(const struct conn *c, uint64_t last_sub, lsn_t lsn, lsn_t *due)
{
    bool any = false;
    return is_sent(c, last_sub, lsn, due, &any) && (any || least_passed(c->loop) >= lsn);
}

static bool is_synced(const struct conn *c, struct sync *sync)
{
    bool any;
    return sync->has_lsn && is_sent(c, sync->last_sub, sync->lsn, &sync->due, &any);
}

static void answer_syncs(struct conn *c)
{
    struct sync **at = &c->syncs;
    while (*at) {
        if (!is_synced(c, *at)) {
            at = &(*at)->next;
            continue;
        }
        struct buf *b = &c->loop->line;
        buf_reset(b);
        reply_synced(b, (*at)->lsn);
        conn_send(c, b);
        sync_drop(c, at);
    }
}

/* ---- both ---------------------------------------------------------------------------------- */

void cut_advance(struct conn *c)
{
    give_out(c);
    answer_syncs(c);
    marks_give_out(c);
    conn_update_watching(c);
}

bool cut_is_waiting(const struct conn *c)
{
    return c->syncs || c->marks.on || c->progress.mode != PROGRESS_OFF;
}

void cut_fini(struct conn *c)
{
    for (struct sync *s = c->syncs, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    c->syncs = NULL;
    marks_fini(c);
    if (c->progress_timer)
        event_free(c->progress_timer);
    progress_fini(&c->progress);
}
