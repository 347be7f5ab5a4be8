/*
 * pgconn_int: what pgconn.c, pgconn_rows.c and pgconn_kept.c share. Nobody else includes it.
 */
#ifndef PALIMPSEST_DAEMON_PGCONN_INT_H
#define PALIMPSEST_DAEMON_PGCONN_INT_H

#include "daemon/pgconn.h"

/* Where to connect, by libpq's names of these. */
struct pgconn_hosts {
    char host[2048], hostaddr[2048], port[512];
};
/* The conninfo's several hosts, beginning with that one, counted round and round. False: there are none,
 * and the conninfo is to be taken as it is. */
bool pgconn_hosts_from(const char *conninfo, unsigned first, struct pgconn_hosts *out);

/* The session is gone or of no use: closes it and sets the time of the next attempt. Return false. */
bool pgconn_lose(struct pgconn *c, struct err *err);
bool pgconn_lose_unreachable(struct pgconn *c, struct err *err);
/* Waits for the socket until the deadline (clock_ms(), 0 = none). False: stopped, or too late. */
bool pgconn_wait_socket(const struct pgconn *c, short events, uint64_t deadline, struct err *err);
/* From now on an answer may take as long as the purpose allows; then the session is lost. */
void pgconn_begin_waiting(struct pgconn *c);
/* What was sent is on its way. */
bool pgconn_flush(struct pgconn *c, struct err *err);
/* Waits until PQgetResult() wouldn't block. */
bool pgconn_wait_result(struct pgconn *c, struct err *err);
/* All results of what was sent; the last good one, or NULL with the first failed one's error. */
PGresult *pgconn_finish(struct pgconn *c, struct err *err);

#endif
