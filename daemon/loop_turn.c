/*
 * loop_turn: a loop's turn after libevent's callbacks, see loop.h. Each step takes a bounded part of
 * what there is, and what is left comes first in the next turn. The bounds are so large that what a
 * turn costs beside its work (a look at the sockets) doesn't count, and so small that it takes a few
 * milliseconds.
 *
 * Output is where a crowd is seen: a write is a system call. When only a few connections have become
 * dirty in a turn, they are flushed in it, whoever else is waiting: a commit that concerns one client
 * doesn't wait until one that concerns ten thousand has been written. The others are flushed in the
 * order they came, in every turn some.
 *
 * A connection that ends stays in the queues that it is in; it is skipped there, and taken apart when
 * it has come out of them.
 */
#include "daemon/loop_int.h"

#include <event2/event.h>

#include "daemon/conn.h"
#include "daemon/cut.h"
#include "daemon/worker.h"

#define CALLBACKS_PER_TURN 256 /* of sockets */
#define FLUSHES_PER_TURN   256
#define LINES_PER_TURN     512
/* The analyst gives the same answer to thousands at once, and each of them asks a worker for a first
 * state. As they are let through so are the workers' messages, and a commit waits for a turn, not for
 * the crowd. */
#define ANSWERS_PER_TURN  256
#define MESSAGES_PER_TURN 2048
/* 64 for each flush: when each commit concerns everybody, 64 commits are put together before a write,
 * however many connections there are. */
#define DELIVERIES_PER_TURN 16384
#define BURIED_PER_TURN     2048 /* connections and their subscriptions */

void loop_called(struct loop *l)
{
    if (++l->callbacks == CALLBACKS_PER_TURN)
        event_base_loopbreak(l->base);
}

static void handle_messages(struct loop *l)
{
    struct msg *m;
    l->deliveries = 0;
    for (int i = 0; i < MESSAGES_PER_TURN && l->deliveries < DELIVERIES_PER_TURN;) {
        if (!(m = loop_next_message(l)))
            return;
        if (m->kind == L_ANALYZED) {
            loop_put_aside(l, m);
            continue;
        }
        loop_handle_message(l, m);
        i++;
    }
}

static void handle_answers(struct loop *l)
{
    struct msg *m;
    for (int i = 0; i < ANSWERS_PER_TURN && (m = loop_next_answer(l)); i++)
        loop_handle_message(l, m);
}

static void handle_ready(struct loop *l)
{
    struct conn_queue *q = &l->ready;
    size_t lines = 0;
    /* Those that become ready meanwhile wait for the next turn. */
    for (size_t n = q->n; n > 0 && lines < LINES_PER_TURN; n--) {
        struct conn *c = q->first;
        q->first = c->ready_next;
        if (!q->first)
            q->end = &q->first;
        q->n--;
        c->is_ready = false;
        lines += 1 + conn_handle_lines(c);
    }
}

static void advance_cuts(struct loop *l)
{
    if (!l->cuts_due)
        return;
    l->cuts_due = false;
    for (struct conn *c = l->watchers, *next; c; c = next) {
        next = c->watch_next;
        cut_advance(c);
    }
}

static void flush_first(struct conn_queue *q, size_t n)
{
    for (; n > 0 && q->first; n--) {
        struct conn *c = q->first;
        q->first = c->dirty_next;
        if (!q->first)
            q->end = &q->first;
        q->n--;
        c->is_dirty = false;
        conn_flush(c);
    }
}

static void append(struct conn_queue *to, struct conn_queue *from)
{
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    to->n += from->n;
    *from = (struct conn_queue){.end = &from->first};
}

static void flush_dirty(struct loop *l)
{
    if (l->dirty.n > FLUSHES_PER_TURN)
        append(&l->late, &l->dirty);
    /* No more than there are now: output may come up while others are flushed. */
    flush_first(&l->dirty, l->dirty.n);
    flush_first(&l->late, FLUSHES_PER_TURN);
}

static void bury_dead(struct loop *l)
{
    struct conn **at = &l->dead;
    for (size_t n = 0; *at && n < BURIED_PER_TURN; n++) {
        struct conn *c = *at;
        if (c->is_ready || c->is_dirty) {
            at = &c->dead_next;
            continue;
        }
        *at = c->dead_next;
        n += c->nsubs;
        conn_bury(c);
    }
}

bool loop_has_work(const struct loop *l)
{
    return l->inbox || l->answers || l->ready.n || l->dirty.n || l->late.n || l->cuts_due ||
           l->dead;
}

void loop_finish_turn(struct loop *l)
{
    l->callbacks = 0;
    handle_messages(l);
    handle_answers(l);
    handle_ready(l);
    advance_cuts(l);
    flush_dirty(l);
    bury_dead(l);
    if (l->draining && !l->conns)
        l->stopped = true;
}
