/*
 * loop: a thread that runs libevent and owns the client connections accepted on it.
 *
 * Everything a loop knows (connections, subscriptions, their queues) belongs to its thread; other
 * threads reach it by loop_post() only. A loop works in turns:
 *
 *     libevent's callbacks   sockets become readable or writable, timers; they note what is to be
 *                            done, no more
 *     messages               their output is queued; the analyst's answers after all others
 *     connections with lines each gets a few requests handled
 *     cuts                   PROGRESS and SYNC of those who wait for them
 *     flush                  one writev() for each connection with new output, so that a burst of
 *                            deltas costs one write
 *     bury                   connections that have ended are taken apart and freed
 *
 * Each does a bounded part of what there is (loop_turn.c), so that a crowd that comes, goes or is
 * written to delays others by milliseconds.
 *
 * So nothing that libevent may still call back, and nothing that is being walked, is freed in the
 * middle of a turn. The first loop runs on the main thread and has the listeners and the signals.
 */
#ifndef PALIMPSEST_DAEMON_LOOP_H
#define PALIMPSEST_DAEMON_LOOP_H

#include <pthread.h>
#include <stdatomic.h>

#include "daemon/mailbox.h"
#include "daemon/rest.h"
#include "daemon/table.h"
#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "engine/base/lsn.h"

struct conn;
struct event;
struct event_base;
struct server;

/* Messages between loops; worker.h has those from other threads. */
enum loop_own_kind {
    L_ADOPT = 150, /* a connection accepted for this loop: struct lmsg_adopt (conn.h) */
    L_DRAIN,       /* tell clients that we end; struct lmsg_drain (drain.h) */
};

/* Connections, oldest first, linked through a field of their own for each queue. */
struct conn_queue {
    struct conn *first, **end;
    size_t n;
};

struct loop {
    int no;
    struct server *server; /* borrowed */
    pthread_t thread;
    struct mailbox box;
    struct msg *inbox, **inbox_end;     /* taken from box and not handled yet, oldest first */
    atomic_size_t backlog;              /* messages posted and not handled or put aside */
    struct msg *answers, **answers_end; /* put aside: the analyst's, oldest first */
    struct event_base *base;
    struct event *wake, *tick; /* owned */
    lsn_t *passed;             /* owned; how far each worker has come, as it told us */

    struct conn *conns; /* all, doubly linked */
    size_t nconns;
    struct conn_queue ready; /* have lines to handle */
    struct conn_queue dirty; /* have output to write, since this turn… */
    struct conn_queue late;  /* …and since earlier ones: too many for one */
    struct conn *watchers;   /* wait for a cut: doubly linked */
    struct conn *dead;       /* have ended */
    bool cuts_due;           /* something that cuts depend on has changed */
    size_t callbacks;        /* of sockets in this turn */
    size_t deliveries;       /* queued in this turn */

    struct table subs;    /* by number */
    struct table sub_ids; /* by connection and id */
    struct rest resting;
    struct table fans;                /* by plan */
    struct table statements;          /* by text and parameters */
    struct table questions;           /* reask's, under way; by number */
    struct question *forming, *later; /* reask's: to be asked now; after a pause */
    uint64_t last_question;
    uint64_t last_sub; /* number of the newest subscription */
    uint64_t last_sync;

    struct buf line; /* a line being put together */
    struct buf rest; /* the end of a DELTA's header, of this LSN and count: the same for many */
    lsn_t rest_lsn;
    uint64_t rest_n;
    struct arena parsed; /* the request being handled */

    bool draining; /* ends when the last connection does */
    bool stopped;
    atomic_bool ended; /* nothing is handled any more */
    uint64_t drain_until_ms;
    uint64_t now_ms; /* at the beginning of the turn */

    /* From the configuration in force, looked at once a second. */
    size_t output_limit, pending_limit, subs_limit;
    size_t all_subs_limit, all_output_limit;
    uint64_t first_request_ms, line_time_ms, linger_ms;
};

struct loop *loop_new(int no, struct server *server, size_t nworkers);
void loop_free(struct loop *l); /* after the thread has ended */
/* Runs until the loop has drained; the first loop is run by main, others by loop_start(). */
void loop_run(struct loop *l);
void loop_start(struct loop *l);
void loop_join(struct loop *l);

/* Any thread. The loop owns the message from now on; kinds are enum loop_msg_kind (worker.h). */
void loop_post(struct loop *l, struct msg *m);
/* Messages posted and not handled yet: whoever posts many has to look at it, or a loop that has more
 * subscribers than it can serve would pile them up. Any thread; 0 once the loop has ended. */
size_t loop_backlog(const struct loop *l);
#define LOOP_BACKLOG_MAX 256
/* A socket's callback has come: after so many libevent keeps the rest for the next turn. */
void loop_called(struct loop *l);
int loop_no(const struct loop *l);

#endif
