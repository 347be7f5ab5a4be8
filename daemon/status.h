/*
 * status: what STATUS and LIST say. Reads counters and the reader's status; any loop's thread.
 */
#ifndef PALIMPSEST_DAEMON_STATUS_H
#define PALIMPSEST_DAEMON_STATUS_H

#include "engine/base/buf.h"

struct server;

/* Both append whole replies. */
void status_write(struct server *srv, struct buf *b);
void status_list(struct server *srv, struct buf *b);

#endif
