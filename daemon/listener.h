/*
 * listener: the sockets clients connect to.
 *
 * Lives on the first loop and deals connections out to all of them in turn. Who is not let in (see
 * admission.h) is told 53300. Without descriptors a reserved one is given up to accept and close, so that clients don't hang, and
 * accepting pauses.
 */
#ifndef PALIMPSEST_DAEMON_LISTENER_H
#define PALIMPSEST_DAEMON_LISTENER_H

#include "daemon/conn.h"
#include "engine/base/err.h"

struct config;
struct listener;

/* Opens the sockets; nothing is accepted yet. NULL with err (F0000). */
struct listener *listener_new(struct server *server, const struct config *cfg, struct err *err);
/* Begins to accept, on this loop. */
void listener_start(struct listener *ls, struct loop *l);
/* Closes the sockets and removes those in the file system. */
void listener_stop(struct listener *ls);
void listener_free(struct listener *ls);

#endif
