/*
 * admission: how many connections there may be: listen.max_connections in all,
 * listen.max_per_address from one IP address (Unix sockets have none and are not counted by it). However
 * many the configuration allows, the daemon's own descriptors are not given to clients.
 *
 * Asked by the listener, told by every loop: one lock, held for a look-up.
 */
#ifndef PALIMPSEST_DAEMON_ADMISSION_H
#define PALIMPSEST_DAEMON_ADMISSION_H

#include "daemon/conn.h"

struct admission;

struct admission *admission_new(struct server *server);
void admission_free(struct admission *a);
/* False with 53300. */
MUST_CHECK bool admission_enter(struct admission *a, const struct peer *peer, struct err *err);
/* A connection that was let in has ended. */
void admission_leave(struct admission *a, const struct peer *peer);

#endif
