/*
 * ingest: pgoutput's messages become changes of leaves, transaction by transaction.
 *
 * The reader gives it every message of the stream in order. Each change is applied at once to its
 * leaf's store and added to the step under way (nothing of a transaction comes before its commit is
 * certain); to the `next` store of a leaf that is catching up; and, as it came, to the ring and to
 * the hydrations that are out. Tables nobody reads cost one look at their OID and a copy into the
 * ring.
 *
 *           BEGIN                        COMMIT: txns + 1, position
 *   IDLE ──────────▶ IN TRANSACTION ─────────────────────────────▶ IDLE
 *                     │ changes larger than max_txn_bytes
 *                     ▼
 *                    OVERFLOWN: stores go on, the step is emptied; at COMMIT events.reseed() for
 *                    each leaf it touched
 *
 * A leaf whose picture turns out wrong (a row missing, a column that no longer fits) is lost at
 * once: events.lost(). Stores may be looked at only when no transaction is under way.
 *
 * Pure logic: no I/O, no clock. Belongs to the reader's thread.
 */
#ifndef PALIMPSEST_DAEMON_INGEST_H
#define PALIMPSEST_DAEMON_INGEST_H

#include <stdatomic.h>

#include "daemon/handover.h"
#include "engine/host/payload.h"

/* Of the watch's messages in the WAL. */
#define INGEST_SYNC_PREFIX "palimpsest.sync"

struct ingest_events {
    struct step *(*new_step)(void *arg); /* an empty one, the ingest's */
    /* The leaf's rows were given up; its plans must be told and the table read again. */
    void (*lost)(void *arg, struct leaf *leaf, const struct err *why);
    /* The leaf's changes are not in the step, but its store is right: seed its plans anew. Also for
     * a leaf without store, which then counts as lost. */
    void (*reseed)(void *arg, struct leaf *leaf);
    /* At COMMIT: the transaction changed these leaves, which have watchers. */
    void (*touched)(void *arg, struct leaf *const *leaves, size_t n, uint32_t xid, lsn_t end);
};

struct ingest {
    const struct ingest_events *events;
    void *arg;
    size_t max_txn_bytes, max_pending_bytes;
    struct leafmap map;
    struct ring ring;
    struct hydration *hydrations; /* owned list */
    struct step *step;            /* owned; changes not given away yet; NULL = none */
    lsn_t position;               /* everything committed up to here is in stores and step */
    bool in_txn;
    bool synced;                       /* the watch's message outside transactions has gone by */
    bool overflow;                     /* the transaction under way is too large */
    bool reseeds;                      /* some leaf is marked as overflown */
    uint32_t xid;                      /* of it */
    uint64_t seq;                      /* of it, or of the next one */
    size_t nchanges;                   /* in step */
    VEC(struct leaf *) touched;        /* borrowed: by the transaction under way; have watchers */
    const atomic_size_t *marks_wanted; /* borrowed; by so many; NULL: by nobody, ever */
    /* Tokens of the transaction under way, or of the last one, with its LSN, until they are forgotten;
     * one reference each. */
    VEC(struct payload *) marks;
    size_t marks_bytes, marks_ignored; /* of it; those that can't be lines, or are too many */
    struct rawtx_builder cur;
    struct arena scratch;
    struct pgo_decoder *decoder; /* owned */
    uint64_t txns, changes;      /* so far; a caller sees by txns that a COMMIT went by */
};

void ingest_init(struct ingest *ing, const struct ingest_events *events, void *arg);
void ingest_fini(struct ingest *ing);
/* A new session with the server: ring, relations, hydrations and all rows are forgotten. The leaves
 * stay, without rows. */
void ingest_restart(struct ingest *ing, lsn_t position);

/* The transaction under way will come once more, from its beginning, and is in the stores in part: all
 * rows and what was not given away is forgotten. What the stream has carried so far is not. */
void ingest_lose_rows(struct ingest *ing);
/* What is being read is of no use any more. */
void ingest_drop_hydrations(struct ingest *ing);

/* One message. False with err: the stream makes no sense and the session must end. */
MUST_CHECK bool ingest_message(struct ingest *ing, const char *msg, size_t len, struct err *err);
/* The owner has taken what it wants of them, after a COMMIT. */
void ingest_forget_marks(struct ingest *ing);
/* A keepalive: everything committed up to lsn has been sent. */
void ingest_alive(struct ingest *ing, lsn_t lsn);
/* The changes collected so far, given away: NULL if there are none. Not inside a transaction. */
struct step *ingest_take_step(struct ingest *ing);
/* Bytes of the changes collected. */
size_t ingest_step_bytes(const struct ingest *ing);

#endif
