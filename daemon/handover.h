/*
 * handover: from the snapshot of a table to the stream, without a gap and without anything twice.
 *
 * A hydration is one job for the hydrator: some leaves, read in one snapshot. What commits
 * meanwhile is kept (pending); what was decoded before but isn't in the snapshot yet is in the
 * ring. When the tables come back, ring and pending are gone through in commit order: a transaction
 * that the snapshot shows is skipped, every other one applied. That is decided by xid and never by
 * LSN, since a commit can be in the stream long before any snapshot shows it.
 *
 *   hydration_new()         R_HYDRATED: hydration_replay()       stream passes insert_lsn
 *   ────────────▶ OUT ───────────────────────────────▶ CATCHING ───────────────────────▶ exact
 *                  │ pending too large, schema changed     │ a row is missing
 *                  └───────────▶ doomed: thrown away, the leaves are asked for again ◀─┘
 *
 * In CATCHING transactions are applied as they come, those that the snapshot shows skipped. Only
 * when the stream has passed the WAL position read after the snapshot is it certain that whatever
 * the snapshot shows is on disk (asynchronous commits) and has gone by.
 *
 * Pure logic: no I/O, no clock. Belongs to the reader's thread.
 */
#ifndef PALIMPSEST_DAEMON_HANDOVER_H
#define PALIMPSEST_DAEMON_HANDOVER_H

#include "daemon/leaf.h"
#include "daemon/reader.h"
#include "daemon/ring.h"

/* The 64-bit xid that the 32 bits of the stream stand for, near `ref` (a snapshot's xmax). */
uint64_t xid_widen(uint32_t xid, uint64_t ref);
/* Whether the snapshot shows the transaction, given by its top-level xid. */
bool snapshot_shows(const struct snapshot *s, uint32_t xid);
bool snapshot_shows64(const struct snapshot *s, uint64_t xid);
/*
 * The stream begins with what `origin` (the slot's own snapshot) doesn't show. A later snapshot can
 * lack transactions that `origin` shows: committed in the WAL before the slot, but still waiting
 * for a synchronous standby. They will never come by: true if s lacks none of them.
 */
bool snapshot_covers(const struct snapshot *s, const struct snapshot *origin);
void snapshot_fini(struct snapshot *s);

struct hydration {
    struct hydration *next;
    const struct hydrate_job
        *job;             /* OUT: borrowed, to know it by; the hydrator's until it is back */
    uint64_t start;       /* transactions with seq >= start are pending, older ones in the ring */
    bool back;            /* CATCHING */
    bool doomed;          /* what comes or came back is of no use */
    bool skip;            /* CATCHING: the snapshot shows the transaction under way */
    struct snapshot snap; /* owned; since it is back */
    struct rawtx_builder cur;  /* OUT: the transaction under way, our leaves only */
    struct txlog pending;      /* OUT: the ones before */
    VEC(struct leaf *) leaves; /* borrowed; leaf->reading points here */
};

struct hydration *hydration_new(uint64_t start);
/* Leaves it too: their `next` is dropped. */
void hydration_free(struct hydration *h);
void hydration_add_leaf(struct hydration *h, struct leaf *leaf);

/* OUT: keeps a message of one of its leaves (rel NULL: TRUNCATE). Beyond max_bytes it is doomed. */
void hydration_keep(struct hydration *h, struct relation *rel, const char *msg, size_t len,
                    size_t max_bytes);
void hydration_begin_txn(struct hydration *h, uint32_t xid);
void hydration_end_txn(struct hydration *h, uint64_t seq, uint32_t xid, lsn_t end_lsn);

/*
 * OUT → CATCHING: the leaves' `next` stores are as of snap (taken over). Brings them up to the end
 * of the last transaction decoded. False: it can't be done and the tables must be read again.
 */
MUST_CHECK bool hydration_replay(struct hydration *h, struct snapshot snap,
                                 const struct snapshot *origin, const struct ring *ring,
                                 const struct leafmap *map, struct err *err);

static inline bool hydration_is_exact(const struct hydration *h, lsn_t position)
{
    return h->back && !h->doomed && position >= h->snap.insert_lsn;
}

#endif
