/*
 * walsender: the replication session with Postgres: connect, slot, stream, acknowledge.
 *
 * Used by the reader's thread alone. Opening goes through several round trips, some of which can
 * take long (a slot waits for all open write transactions): meanwhile the caller's wait function is
 * called, which serves its mailbox and may say stop. Once open, everything is non-blocking.
 *
 * The slot is temporary and dies with the connection, unless one is named in the configuration.
 * That one is used again when a stream goes on after its connection was lost: nothing was missed, so
 * nothing has to be read again, and no open transaction waited for. Else it is made anew, since what
 * it holds is of no use to a state that begins with snapshots. It is dropped at a clean stop.
 *
 * What this file knows of the stream is only the frame (XLogData, keepalive); pgoutput's messages
 * are ingest.h's business.
 */
#ifndef PALIMPSEST_DAEMON_WALSENDER_H
#define PALIMPSEST_DAEMON_WALSENDER_H

#include "daemon/reader.h"

struct config;
struct walsender;

/* What is known of the server and the slot once the stream is open. */
struct walsender_info {
    uint64_t system_id;
    uint32_t timeline;
    lsn_t start;              /* the slot's consistent point: the stream begins after it */
    int64_t postmaster_start; /* microseconds since 2000 */
    uint32_t database;        /* its OID */
    bool resumed;             /* the stream goes on where it was, and origin is as it was */
    struct snapshot origin;   /* what the stream doesn't carry since it was there before; owned */
};

/* Waits until fd is ready for events (poll's) or timeout_ms passed, serving whatever else the
 * caller has to; false = give up. */
typedef bool walsender_wait_fn(void *arg, int fd, short events, int timeout_ms);

/* What one attempt leaves for the next. */
struct walsender_memory {
    int pid;           /* of the server's process for the last stream; 0 = there was none */
    unsigned failures; /* attempts, as pgconn_start() wants them */
    unsigned patience; /* doublings of how long a new slot may keep us waiting without a sign */
    lsn_t resume_at; /* everything up to here is known: go on from there, if possible; 0 = don't */
    struct walsender_info last; /* of the last stream; without its origin */
};

/* NULL with err. */
struct walsender *walsender_open(const struct config *cfg, walsender_wait_fn *wait, void *arg,
                                 struct walsender_memory *mem, struct walsender_info *info,
                                 struct err *err);

int walsender_fd(const struct walsender *w);
bool walsender_wants_write(const struct walsender *w); /* poll for POLLOUT too */

/* Takes what the socket has; false with err when the connection is gone. */
MUST_CHECK bool walsender_receive(struct walsender *w, struct err *err);

enum walsender_event {
    WALSENDER_NOTHING, /* everything received was handed out */
    WALSENDER_DATA,    /* one pgoutput message */
    WALSENDER_ALIVE,   /* keepalive: everything committed up to lsn has been sent */
    WALSENDER_GONE     /* the stream has ended: err */
};

struct walsender_msg {
    const char *data; /* borrowed until the next call */
    size_t len;
    lsn_t lsn;
    bool wants_reply;
};

enum walsender_event walsender_next(struct walsender *w, struct walsender_msg *m, struct err *err);

/* Tells the server that everything up to lsn is taken care of. With ask it answers at once. Never
 * blocks. */
MUST_CHECK bool walsender_acknowledge(struct walsender *w, lsn_t lsn, bool ask, struct err *err);
MUST_CHECK bool walsender_flush(struct walsender *w, struct err *err);

/* Closes the connection. With drop, ends the stream first and drops the slot, within timeout_ms. */
void walsender_close(struct walsender *w, bool drop, int timeout_ms);

#endif
