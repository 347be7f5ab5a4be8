/*
 * conn_int: what conn.c and conn_out.c share. Nobody else includes it.
 */
#ifndef PALIMPSEST_DAEMON_CONN_INT_H
#define PALIMPSEST_DAEMON_CONN_INT_H

#include "daemon/conn.h"

/* Is flushed at the end of the turn. */
void conn_list_dirty(struct conn *c);
/* Brings the server's count of queued bytes in line with the queue. */
void conn_count_output(struct conn *c);
/* Writes now, and asks to be told when the socket takes more. May end the connection. */
void conn_try_write(struct conn *c);

#endif
