/*
 * prefix: is what a snapshot shows of some tables what they held after one of the commits?
 *
 * Commits become visible in another order than the one they stand in the WAL, so a snapshot may show
 * a later one and lack an earlier. A result computed in it is then that of no moment in the stream.
 * Of tables whose changes are noted (struct touch) it can be told: everything shown must come before
 * everything hidden.
 *
 *     LSN      10    20    30    40
 *     shown     x     x           x      30 is hidden, 40 is shown: no prefix
 *     shown     x     x                  the result of 20, and of all LSNs up to 29
 *
 * Pure logic. Belongs to the reader's thread.
 */
#ifndef PALIMPSEST_DAEMON_PREFIX_H
#define PALIMPSEST_DAEMON_PREFIX_H

#include "daemon/reader.h"
#include "daemon/ring.h"

/* A transaction that changed one of the tables. */
struct touch {
    lsn_t lsn; /* end of its commit record */
    uint32_t xid;
};

/*
 * Of n touches in the order of the stream: the LSN of the last one shown (0: none) and of the first
 * one hidden (LSN_MAX: none). False where what is shown is no prefix.
 */
MUST_CHECK bool prefix_of(const struct touch *t, size_t n, const struct snapshot *s, lsn_t *shown,
                          lsn_t *hidden);
/*
 * Whether s shows every transaction of the ring up to base that changed one of the tables, or may
 * have: bodies of large ones are not kept.
 */
MUST_CHECK bool prefix_is_old_shown(const struct ring *ring, const struct snapshot *s, lsn_t base,
                                    const uint32_t *tables, size_t ntables);

#endif
