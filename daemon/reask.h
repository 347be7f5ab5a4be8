/*
 * reask: subscriptions whose plan has ended, because the schema or the server's history is no longer
 * what it was made for, ask again what their statement means, by themselves.
 *
 *      plan ends            analysed            the new plan has a state
 *   ──────────────▶ asking ──────────▶ waiting ──────────────────────────▶ the client gets it
 *                    ▲  │ ▲              │
 *      Postgres can't│  │ └──────────────┘ that plan ends too: asked once more, after a pause
 *      be reached    └──┤
 *                       └── the statement is wrong now ──▶ ERROR, released
 *
 * A question is asked once for all subscriptions of a plan on this loop that have the same statement and
 * are in the same position. It lives until each of them has a state. What the client gets then:
 *
 *   it held the last state of its plan, columns as before   DELTA: the difference
 *   anything else                                           RESYNC, ACCEPTED if columns differ, SNAPSHOT
 *
 * A plan whose tables can't be read as the statement needs them, right after it was analysed, won't
 * ever be: it is not asked for a second time. Nor is one that changes again and again without end.
 *
 * Belongs to the loop's thread.
 */
#ifndef PALIMPSEST_DAEMON_REASK_H
#define PALIMPSEST_DAEMON_REASK_H

#include "daemon/analyst.h"
#include "daemon/sub.h"

struct question {
    struct table_link by_no; /* while Postgres is being asked */
    size_t refs;             /* of subscriptions, and one while Postgres is being asked */
    uint64_t no;
    struct statement *statement;  /* one reference */
    struct sub *subs;             /* who waits for the answer; by fan_next */
    struct question *next;        /* in the loop's list, forming or later */
    bool is_later;                /* it is in that list */
    struct payload *former;       /* one reference: what the clients hold; NULL = not known */
    bool timeline;                /* the server has another history */
    unsigned round;               /* asked so often without getting a state */
    uint64_t ask_at, pause;       /* ms: not before; how long after the next failure */
    const struct plan_spec *spec; /* one reference; the answer */
};

/* L_ENDED: the subscription leaves its plan and asks again. False: it is at its end. */
bool reask_begin(struct sub *s, const struct lmsg_plan *m);
/* After the subscriptions of a plan have begun: sends the questions. */
void reask_send(struct loop *l);
/* Takes the analysis. */
void reask_answered(struct loop *l, struct analysis *a);
/* Once a second: what is to be asked later. */
void reask_tick(struct loop *l);
/* The subscription has a state, or ends. Also if it has no question. */
void reask_leave(struct sub *s);

/* A request to analyse the statement, to be completed. */
struct analysis *reask_analysis(struct loop *l, const struct statement *st);

#endif
