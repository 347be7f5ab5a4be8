/*
 * watch_int: what the watch's files share. See watch.h.
 *
 *     watch.c          the thread and what the main thread asks of it
 *     watch_conn.c     one connection: socket, requests, what it does next
 *     watch_line.c     what the daemon says, line by line
 *     watch_block.c    a block of rows applied and its promises checked
 *     watch_compare.c  views against Postgres
 */
#ifndef TESTS_FAULTS_WATCH_INT_H
#define TESTS_FAULTS_WATCH_INT_H

#include <poll.h>
#include <pthread.h>

#include "engine/base/buf.h"
#include "engine/base/lsn.h"
#include "engine/base/vec.h"
#include "engine/host/bag.h"
#include "tests/faults/report.h"
#include "tests/faults/watch.h"
#include "tests/faults/work.h"

#define TWINS    (1 << 16)
#define VERIFIES 8

enum client_kind {
    CLIENT_STEADY,
    CLIENT_EACH,
    CLIENT_BANK,
    CLIENT_SLOW,
    CLIENT_CHURN,
    CLIENT_KINDS
};

/* A subscription under way, and its view. */
struct wsub {
    char id[24];
    const struct statement *st;
    bool accepted, live, failed, resync, releasing;
    bool once;        /* a QUERY */
    bool resuming;    /* holds rows of an earlier connection and asked for what it missed */
    bool in_sync;     /* it was accepted when the SYNC under way was sent */
    bool verifying;   /* a VERIFY is under way */
    bool at_progress; /* the last PROGRESS spoke for it */
    size_t ncols;
    struct bag rows;
    uint64_t hash; /* of rows: the sum of their hashes */
    int64_t money; /* the sum of their last columns */
    lsn_t lsn;
    struct buf story; /* its last lines, for a report */
};

/* A subscription that a client means to have. */
struct want {
    const struct statement *st;
    struct wsub *sub;  /* borrowed from the client's subs; NULL = not there (any more) */
    struct wsub *kept; /* owned: of the lost connection, to go on from; NULL = none */
    uint64_t retry_at; /* ms */
    char refused[6];   /* SQLSTATE of the last refusal */
    unsigned refusals; /* in a row with that SQLSTATE */
};

struct block {
    struct wsub *sub; /* NULL = no block under way */
    bool snapshot;
    lsn_t lsn;
    size_t left;
    struct buf lines;
};

struct wclient {
    struct watch *w;
    unsigned no;
    enum client_kind kind;
    bool proxied, greeted;
    int fd; /* -1 = not connected */
    struct buf in, out;
    VEC(struct want) wants;
    VEC(struct wsub *) subs; /* owned */
    struct block block;
    unsigned next_id;
    char asked_about[VERIFIES][24]; /* ids of the latest VERIFYs */
    unsigned nverifies;
    uint64_t connect_at, read_at, act_at, sync_at, verify_at; /* ms */
    bool syncing;                                             /* a SYNC is under way… */
    bool settling;  /* …sent when nobody wrote any more and all views were there */
    bool synced;    /* since the watch began to settle */
    bool told_end;  /* ERROR - 57P01: the daemon says that it closes */
    lsn_t progress; /* of the last PROGRESS */
    unsigned long expected[WRITERS]; /* what the writers had committed before the SYNC */
};

/* What a statement's view was at an LSN, as the first to get there saw it. */
struct twin {
    lsn_t lsn;
    const struct statement *st;
    uint64_t hash;
};

struct watch {
    struct world *world;
    struct rng rng;
    bool bank_only;
    pthread_t thread;
    pthread_mutex_t lock; /* of all that follows */
    bool stop, settling;
    struct watch_allowance allowed;
    struct watch_counts counts;
    unsigned next_no;
    VEC(struct wclient *) clients; /* owned */
    struct twin *twins;            /* owned; by hash, the latest wins */
};

struct wclient *wclient_new(struct watch *w, enum client_kind kind, bool proxied);
void wclient_free(struct wclient *c);
void wclient_disconnect(struct wclient *c);
/* The connection is gone by itself. */
void wclient_lost(struct wclient *c, const char *how);
/* Before and after poll(). */
void wclient_prepare(struct wclient *c, struct pollfd *p, uint64_t now);
void wclient_serve(struct wclient *c, const struct pollfd *p, uint64_t now);
bool wclient_is_ready(const struct wclient *c); /* all it wants is there, or refused for good */
void wclient_send(struct wclient *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* watch_line.c */
void wclient_line(struct wclient *c, char *line, size_t len);
/* watch_block.c */
void wclient_begin_block(struct wclient *c, struct wsub *s, bool snapshot, lsn_t lsn, size_t rows);
void wclient_end_block(struct wclient *c);
/* What it came back with holds. */
void wclient_resumed(struct wclient *c, struct wsub *s);
void wclient_check_cut(struct wclient *c, lsn_t lsn);
void wclient_check_own_writes(struct wclient *c);
void wclient_wrong(struct wclient *c, struct wsub *s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct wsub *wsub_new(struct wclient *c, const struct statement *st, const char *id);
void wsub_free(struct wsub *s);
/* It has left the connection; the want that it was for is asked again. */
void wclient_drop_sub(struct wclient *c, struct wsub *s);
/* Out of the connection's list, no more. */
void wclient_forget_sub(struct wclient *c, const struct wsub *s);
struct want *wclient_want_of(struct wclient *c, const struct wsub *s);

#endif
