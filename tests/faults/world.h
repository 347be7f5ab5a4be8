/*
 * world: the servers of a run: a private Postgres, the daemon, and a proxy before each of them.
 *
 *     clients ──┬────────────▶ daemon ──▶ pg_net ──▶ Postgres ◀── writers, the judge
 *               └▶ client_net ──┘
 *
 * The main thread alone starts and stops servers; the other threads ask for the daemon's port and
 * for new sessions, and cope with both being away.
 */
#ifndef TESTS_FAULTS_WORLD_H
#define TESTS_FAULTS_WORLD_H

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon_proc.h"
#include "tests/faults/net.h"
#include "tests/faults/rng.h"

struct world {
    struct cluster *cluster;
    struct daemon_proc *daemon;
    struct net *pg_net, *client_net;
    struct rng rng;  /* of the daemon's settings */
    bool production; /* the daemon's defaults, instead of limits small enough to be met */
    atomic_int port;
    unsigned restarts; /* of the daemon */
};

void world_begin(struct world *w, uint64_t seed, bool production);
void world_end(struct world *w);

/* A new daemon with other settings. how: a signal; the old one must be there. */
void world_restart_daemon(struct world *w, int how);
/* Reports a daemon that has ended by itself or complained, and starts another. */
void world_check_daemon(struct world *w);
/* SIGKILL, SIGINT (fast), SIGQUIT (immediate): and up again. */
void world_restart_postgres(struct world *w, int how);
/* To Postgres, past the proxy; NULL while it is away. */
PGconn *world_connect(const struct world *w);
/* Runs commands; false if one failed. */
bool world_try(PGconn *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Runs one command and returns how many rows it changed; -1 if it failed. */
long world_change(PGconn *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first value as a number; otherwise if there is none. */
long world_ask(PGconn *db, long otherwise, const char *sql);
/* The ends of both logs. */
void world_show_logs(const struct world *w);

#endif
