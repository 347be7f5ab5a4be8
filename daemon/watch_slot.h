/*
 * watch_slot: why is there no stream yet? Part of the watch.
 *
 * A new slot waits for every transaction under way to end; one that somebody forgot (idle in
 * transaction, prepared) holds it up for ever, in silence. So while there is no stream the session
 * that waits is looked at, and who blocks it is logged, once, and in STATUS.
 */
#ifndef PALIMPSEST_DAEMON_WATCH_SLOT_H
#define PALIMPSEST_DAEMON_WATCH_SLOT_H

#include "daemon/log.h"
#include "daemon/pgconn.h"

struct reader;

struct slot_watch {
    uint64_t since;     /* ms: without a stream from then on; 0 = there is one */
    uint64_t looked_at; /* ms: when blockers were found */
    struct log_repeat trouble;
};

/* At every poll, with an open session. */
void watch_slot(struct slot_watch *s, struct pgconn *c, struct reader *reader);

#endif
