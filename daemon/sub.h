/*
 * sub: one subscription (or QUERY, or EXPLAIN under way) of one connection.
 *
 *     ANALYZING ──plan──▶ ATTACHING ──SNAPSHOT──▶ LIVE ──queue full──▶ LAGGING ──drained──▶ CATCHING
 *         │                   │                    ▲ │ │                  │                   │
 *         │                   │                    │ │ │   net DELTA, or RESYNC and SNAPSHOT  │
 *         │                   │                    └─┼─┼──────────────────┼───────────────────┘
 *         └───── error ───────┴────── RELEASE, end of the connection or of the plan ──▶ freed
 *
 *     LIVE ──a DELTA too soon after the last (min_interval_ms)──▶ RESTING ──the time is up──▶ CATCHING
 *     any of them with a plan ──the plan ends: schema or history is another──▶ ANALYZING, once more
 *
 * What may be trusted: in LIVE the client has been sent (or queued, or has held for its cut) every
 * change up to `lsn`, and gets the next; in all other states deltas of the plan are not for it. A
 * LAGGING subscription without a state waits for its first SNAPSHOT. One that came with a state of
 * its own (since) becomes LIVE with the deltas it missed, or with RESYNC and a SNAPSHOT. While there is
 * a question (reask.h), what the client holds is of a plan that is no more.
 *
 * Other threads know a subscription by its number only. When an answer comes for a number that is
 * gone, the answer is dropped: so RELEASE works in every state.
 */
#ifndef PALIMPSEST_DAEMON_SUB_H
#define PALIMPSEST_DAEMON_SUB_H

#include "daemon/conn.h"
#include "daemon/statement.h"
#include "daemon/worker.h"

enum sub_kind {
    SUB_SUBSCRIBE,
    SUB_QUERY,
    SUB_EXPLAIN
};

enum sub_state {
    SUB_ANALYZING,
    SUB_ATTACHING,
    SUB_LIVE,
    SUB_RESTING,
    SUB_LAGGING,
    SUB_CATCHING
};

struct sub {
    struct table_link by_no, by_id;
    uint64_t no;
    enum sub_kind kind;
    enum sub_state state;
    struct conn *conn; /* borrowed: it owns us */
    struct sub *conn_prev, *conn_next;
    struct fan *fan; /* NULL until the plan is known */
    struct sub *fan_prev, *fan_next;
    struct statement *statement; /* one reference; NULL at first */
    struct question *question;   /* one reference; until there is a state of the plan asked for */
    uint64_t columns;            /* those of the last ACCEPTED, see accepted.h */
    lsn_t lsn;                   /* of the state the client has */
    lsn_t since;                 /* says it holds the state of this LSN… */
    uint64_t sent_ms;            /* when it was last sent a DELTA or SNAPSHOT */
    uint32_t interval_ms;        /* least time from then to the next DELTA; 0 = none */
    uint32_t rest_at;            /* RESTING: its place in the loop's heap, counted from 1; else 0 */
    bool resuming;               /* …and hasn't been given one by us… */
    bool foreign;                /* …and it may be of another history */
    bool has_state;              /* the client was sent a SNAPSHOT */
    bool asking;                 /* in its question's list: there is no answer yet */
    bool failed;                 /* was told FAILED, and nothing since */
    bool was_failed;             /* by a plan that is no more */
    bool pending;                /* counted in the connection's requests under way */
    bool blocking;               /* counted in the connection's progress */
    bool limiting;               /* counted in the connection's nlimiting */
    uint8_t id_len;
    uint32_t verifying;    /* VERIFYs under way, each a request of the connection's; of them… */
    uint32_t verify_later; /* …those that wait for the plan to be known */
    char id[];             /* no longer than it is: there may be millions */
};

/* The subscriptions of one plan on one loop. */
struct fan {
    struct table_link by_plan;
    struct plan *plan; /* borrowed: each subscription is a user of it */
    struct sub *subs;
    bool stale;  /* the plan is being rebuilt */
    lsn_t holds; /* as lmsg_plan's */
};

struct sub *sub_new(struct conn *c, const char *id, enum sub_kind kind);
struct sub *sub_find(struct loop *l, uint64_t no);
struct sub *sub_find_id(struct conn *c, const char *id);
/* Ends it without a word to the client: detaches and releases the plan. */
void sub_free(struct sub *s);

/* The plan is known: takes over the user of it and asks the worker for a first state. former: see
 * wmsg_attach; borrowed. */
void sub_attach(struct sub *s, struct plan *plan, struct payload *former);
/* Leaves its plan: it is to be analysed again. */
void sub_detach(struct sub *s);
/* Asks whether the plan is right; L_VERIFIED answers. */
void sub_verify(struct sub *s);
void sub_verified(struct sub *s);
void sub_set_state(struct sub *s, enum sub_state state);
void sub_set_failed(struct sub *s, bool failed);
/* Whether the client has (or will have without further ado) everything the workers passed. */
bool sub_is_current(const struct sub *s);

/* What was not queued is dropped: the client gets the net change later. */
void sub_lag(struct sub *s);
/* A DELTA would come too soon: the client gets the net change when its time is up. */
bool sub_must_rest(const struct sub *s);
void sub_rest(struct sub *s);
void sub_end_rest(struct sub *s);
/* Asks for what the next lagging subscription missed, one at a time. */
void sub_catch_up_next(struct conn *c);

struct fan *fan_find(struct loop *l, const struct plan *plan);
void fan_set_stale(struct fan *f, bool stale);
void fan_set_holds(struct fan *f, lsn_t lsn);

#endif
