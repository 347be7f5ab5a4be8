/*
 * watch: the thread that looks at Postgres from the side: has a table in use changed, where is the
 * WAL, what does a recent snapshot show.
 *
 * It owns one ordinary session. The reader is told of changed tables (R_SCHEMA_CHANGED) and of
 * recent snapshots (R_VISIBLE); an event loop that has a SYNC without an LSN to answer asks for the
 * WAL position.
 */
#ifndef PALIMPSEST_DAEMON_WATCH_H
#define PALIMPSEST_DAEMON_WATCH_H

#include "daemon/mailbox.h"
#include "engine/base/err.h"
#include "engine/base/lsn.h"

struct config;
struct loop;
struct reader;
struct registry;
struct watch;

enum watch_msg_kind {
    WATCH_SYNC = 400, /* a loop: struct sync_request */
    WATCH_STOP
};

/* A loop asks where the WAL is; the same object comes back as L_SYNCED. Every commit that was
 * reported to its client before the request was posted lies below the answer, and what lies below
 * it is flushed, so that the stream will get there without further writes. */
struct sync_request {
    struct msg m;
    struct loop *loop; /* borrowed: whom to answer */
    uint64_t no;       /* the loop's name for the SYNC; carried back */
    lsn_t lsn;         /* result */
    struct err err;    /* result, if it can't be had: 57P03 */
};

struct watch *watch_new(const struct config *cfg, struct reader *reader, struct registry *registry);
void watch_start(struct watch *w);
/* Any thread; the request comes back to r->loop, always. */
void watch_sync(struct watch *w, struct sync_request *r);
void watch_stop(struct watch *w); /* answers what is waiting with 57P01 and joins */
void watch_free(struct watch *w);

#endif
