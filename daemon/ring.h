/*
 * ring: recently decoded transactions, as the bytes they came in.
 *
 * A commit can reach us before any snapshot shows it. A table read at such a snapshot must be given
 * that transaction afterwards, so the latest ones are kept, of all tables: until a snapshot taken
 * by the watch shows them. The memory is bounded: over the limit the oldest lose their bodies and
 * keep their xids; with too many xids the oldest are only remembered as a range. What is asked for
 * and not there is said so, and the table is read again: never wrong, sometimes late.
 *
 * txlog is the plain list of such transactions; hydrations keep one of their own (handover.h).
 * Belongs to the reader's thread. Snapshots are told apart by functions of handover.h.
 */
#ifndef PALIMPSEST_DAEMON_RING_H
#define PALIMPSEST_DAEMON_RING_H

#include "daemon/relation.h"
#include "engine/base/buf.h"

struct snapshot;

/* One committed transaction. Its body is a run of records: struct rawmsg_head, then the message. */
struct rawtx {
    struct rawtx *next;
    uint64_t seq; /* grows by one with each decoded transaction */
    uint32_t xid; /* top level */
    bool whole;   /* false: the body was dropped, or was never kept */
    lsn_t end_lsn;
    size_t bytes;           /* what it counts for */
    size_t len;             /* of body */
    char *body;             /* owned */
    struct relation **rels; /* owned array, counted elements: what rawmsg_head.rel indexes */
    uint32_t nrels;
};

struct rawmsg_head {
    uint32_t len; /* of the message that follows */
    uint32_t rel; /* index into rels; RAWMSG_NO_REL for TRUNCATE */
};
#define RAWMSG_NO_REL UINT32_MAX

void rawtx_free(struct rawtx *t);

/* Collects the messages of the transaction under way. */
struct rawtx_builder {
    struct buf body;
    VEC(struct relation *) rels; /* counted */
    bool overflow;               /* limit reached: no body is kept */
};

void rawtx_builder_init(struct rawtx_builder *b);
void rawtx_builder_fini(struct rawtx_builder *b);
/* Forgets what was collected. */
void rawtx_builder_reset(struct rawtx_builder *b);
/* rel is NULL for TRUNCATE. Beyond `limit` bytes everything is dropped and overflow set. */
void rawtx_builder_add(struct rawtx_builder *b, struct relation *rel, const char *msg, size_t len,
                       size_t limit);
/* The transaction; the builder is empty afterwards. */
struct rawtx *rawtx_builder_take(struct rawtx_builder *b, uint64_t seq, uint32_t xid,
                                 lsn_t end_lsn);

/* Walks a body: start with *pos = 0. False at the end. */
bool rawtx_next(const struct rawtx *t, size_t *pos, const char **msg, size_t *len,
                struct relation **rel);

struct txlog {
    struct rawtx *head, **tail;
    size_t n, bytes;
};

void txlog_init(struct txlog *l);
void txlog_clear(struct txlog *l);
void txlog_push(struct txlog *l, struct rawtx *t); /* takes it */

struct ring {
    struct txlog log;
    struct rawtx *oldest_body; /* in log; NULL = none has one */
    size_t max_bytes;          /* of bodies */
    size_t body_bytes;
    size_t max_xids;
    bool lost;         /* transactions were forgotten altogether… */
    uint32_t lost_xid; /* …the newest xid among them */
};

void ring_init(struct ring *r, size_t max_bytes, size_t max_xids);
void ring_clear(struct ring *r);
void ring_push(struct ring *r, struct rawtx *t); /* takes it */
/* Forgets those with seq >= from that s shows. (Those before may still be missing from an older
 * snapshot that is on its way.) */
void ring_trim(struct ring *r, const struct snapshot *s, uint64_t from);
/*
 * The transactions with seq < before that s doesn't show, oldest first: start with *t = NULL; true
 * with the next one in *t, or false: at the end with *t NULL, and with *t set if this one is needed
 * and its body is gone.
 */
bool ring_next_unseen(const struct ring *r, const struct snapshot *s, uint64_t before,
                      struct rawtx **t);
/* Whether everything that was forgotten altogether is shown by s. */
bool ring_reaches(const struct ring *r, const struct snapshot *s);

#endif
