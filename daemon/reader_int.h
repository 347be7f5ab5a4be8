/*
 * reader_int: what reader.c and reader_stream.c share. Nobody else includes it.
 */
#ifndef PALIMPSEST_DAEMON_READER_INT_H
#define PALIMPSEST_DAEMON_READER_INT_H

#include <pthread.h>

#include "daemon/feed.h"
#include "daemon/log.h"
#include "daemon/reader.h"
#include "daemon/walsender.h"

struct reader {
    const struct config *cfg; /* borrowed: main's, of the start */
    pthread_t thread;
    bool started;
    struct mailbox box;
    atomic_bool stopping;
    struct outbox out;
    struct feed feed;
    struct walsender *ws; /* NULL: not connected */
    struct walsender_memory ws_memory;
    bool kept;                 /* between two sessions: the feed is as the last one left it */
    char *conninfo;            /* owned: as of the last attempt to connect; NULL = none yet */
    uint64_t silence;          /* ms: postgres.silence_timeout, as of the last look */
    struct log_repeat trouble; /* why there is no stream */
    bool paused;               /* the workers have too much: read no more */
    bool seeding;              /* seeds are under way: read no more */
    bool wants_ack;
    uint64_t window_at, window_txns; /* ns; ingest's count then */
    bool flooded;
    size_t txn_messages; /* of the transaction under way, or the last one */
    uint64_t acked_at, heard_at, asked_at, progress_at, caught_up_at; /* ms */
    uint64_t system_id;                      /* of the server last connected to; 0 = none yet */
    uint32_t database;                       /* likewise, its OID */
    uint32_t timeline;                       /* likewise */
    atomic_uint_least64_t round_at;          /* ms: for the watchdog */
    atomic_size_t marks_wanted;              /* by so many connections */
    atomic_uint_least64_t turned_at;         /* LSN; see reader_turned_at() */
    atomic_uint_least64_t received, applied; /* LSNs, fresher than status */
    pthread_mutex_t lock;                    /* of status */
    struct reader_status status;
};

/* reader.c */
void reader_serve_mailbox(struct reader *r); /* not inside a transaction */
void reader_sign_of_life(struct reader *r);  /* for the watchdog */
/* After every round. Who sees `applied` sees the `received` that it follows from. */
void reader_publish_positions(struct reader *r);
void reader_publish_status(struct reader *r, enum stream_state state, const struct err *err);

/* Whether postgres.conninfo names another server, role or way than the one last connected by: then
 * err is set. Another password is none. */
bool reader_is_redirected(const struct reader *r, const struct config *cfg, struct err *err);

/* reader_stream.c: until the session is over (err) or R_STOP. */
void reader_stream(struct reader *r, struct err *err);

#endif
