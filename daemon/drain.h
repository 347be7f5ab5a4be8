/*
 * drain: signals, and the orderly end.
 *
 *     SIGTERM, SIGINT   stop accepting; every client is told 57P01 and given daemon.drain_timeout
 * to read what is queued for it; loops end when they have no connection left the same again
 * connections are closed at once SIGHUP            the configuration is loaded again
 *
 * Signals are blocked in every thread and read from a descriptor on the first loop, so nothing ever
 * runs in a signal handler. It is also where the service manager is told how we are: ready once
 * Postgres streams, and a sign of life only while the reader and the workers make one.
 */
#ifndef PALIMPSEST_DAEMON_DRAIN_H
#define PALIMPSEST_DAEMON_DRAIN_H

#include "daemon/config.h"
#include "daemon/loop.h"

struct lmsg_drain { /* L_DRAIN */
    struct msg m;
    uint64_t until_ms; /* by clock_ms(); 0 = now */
};

struct supervisor;

/* Before any thread is started: they inherit the mask. */
void signals_block(void);
struct supervisor *supervisor_new(struct server *srv, struct loop *first,
                                  const struct config_source *source);
void supervisor_free(struct supervisor *s);

#endif
