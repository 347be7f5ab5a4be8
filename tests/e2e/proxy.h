/*
 * proxy: a network between the daemon and a cluster that can be made bad: TCP on 127.0.0.1, passed on
 * to the cluster's socket by a thread of the test's.
 *
 * Connections are told apart by the application_name in their startup packet, so that a fault can be
 * of the analyst's session alone. A fault concerns the connections of that name that there are and
 * those that come, until it is replaced.
 */
#ifndef TESTS_E2E_PROXY_H
#define TESTS_E2E_PROXY_H

#include "tests/e2e/cluster.h"

enum proxy_fault {
    PROXY_PASS,
    PROXY_STALL,   /* nothing gets through, in neither direction, but nothing is closed */
    PROXY_DRIBBLE, /* what the server sends comes byte by byte, and not fast */
    PROXY_OLD      /* the server calls itself Postgres 13, to new connections */
};

struct proxy;

struct proxy *proxy_start(const struct cluster *c);
void proxy_free(struct proxy *p);
/* For the database postgres as the superuser. */
const char *proxy_conninfo(const struct proxy *p);

/* name: a part of the application_name; "" is all sessions. after: bytes that still get through from
 * the server before a PROXY_STALL begins, for each connection. */
void proxy_set(struct proxy *p, const char *name, enum proxy_fault fault, long after);
/* All of that name. */
void proxy_reset(struct proxy *p, const char *name); /* both ends see a RST or a FIN */
void proxy_half_close(struct proxy *p,
                      const char *name); /* the daemon sees a FIN, the server none */
/* The daemon sees the end, the server sees nothing at all, until proxy_free(). */
void proxy_orphan(struct proxy *p, const char *name);
/* Connections of that name that have been made so far. */
int proxy_count(struct proxy *p, const char *name);

#endif
