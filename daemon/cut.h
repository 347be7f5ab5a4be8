/*
 * cut: PROGRESS and SYNC of a connection: what waits until the workers have come far enough.
 *
 * The arithmetic of cuts is in progress.h; here it meets the connection, the clock and the lines.
 */
#ifndef PALIMPSEST_DAEMON_CUT_H
#define PALIMPSEST_DAEMON_CUT_H

#include "daemon/conn.h"

struct sync_request;

/* PROGRESS each|N|off. */
void cut_set_mode(struct conn *c, enum progress_mode mode, uint32_t every_ms);
/* SYNC; without an LSN Postgres is asked for its WAL position. False with err. */
MUST_CHECK bool cut_sync(struct conn *c, bool has_lsn, lsn_t lsn, struct err *err);
/* L_SYNCED: Postgres's answer; frees it. */
void cut_sync_answered(struct loop *l, struct sync_request *r);
/* Whether all subscriptions that existed when last_sub was the newest of the loop have been sent
 * everything up to lsn; and if there are none, whether the workers have come as far. due: 0 at first,
 * and then kept by the caller; as struct sync's. */
bool cut_is_sent(const struct conn *c, uint64_t last_sub, lsn_t lsn, lsn_t *due);
/* Gives out what the workers' progress allows; called at the end of a turn. */
void cut_advance(struct conn *c);
/* What is held for cuts is given out now, at no cut. */
void cut_flush(struct conn *c);
/* A worker has gone back: all that was said of LSNs was about another history of the server, whose
 * subscriptions end. */
void cut_turned_back(struct loop *l);
bool cut_is_waiting(const struct conn *c);
void cut_fini(struct conn *c);

#endif
