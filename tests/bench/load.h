/*
 * load: what the sections of bench_load share: a daemon with its crowd of clients, threads that write
 * at a steady rate, and subscribers whose only business is how old the news is that they get.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/bench/swarm.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon_proc.h"

#define SUBS 20 /* of each connection */

/* A view that is compared with Postgres at the end. */
struct judged {
    struct view *view; /* the swarm's */
    char *sql;         /* owned */
};

struct crowd {
    struct cluster *pg; /* borrowed */
    PGconn *db;         /* borrowed */
    struct daemon_proc *d;
    struct client *ctl; /* asks for STATUS */
    struct swarm *swarm;
    size_t n; /* connections, as much as --quick leaves of it */
    VEC(struct judged) judged;
};

struct crowd *crowd_start(struct cluster *pg, PGconn *db, size_t n);
void crowd_stop(struct crowd *c);
/* All connect at once; seconds until each has its HELLO. */
double crowd_connect(struct crowd *c);
/* Subscribes to a statement with two columns on this connection. Every 400th connection's views are
 * judged. */
void crowd_subscribe(struct crowd *c, size_t member, const char *id, const char *sql);
/* Compares with Postgres what the judged views hold; says how many there were. */
size_t crowd_judge(struct crowd *c);
/* A number of STATUS. */
double crowd_status(struct crowd *c, const char *member);
void crowd_wait_status(struct crowd *c, const char *member, double value);

/* Writes the time (bench_ns) into `table` at a rate, until stopped. */
struct writer {
    pthread_t thread;
    PGconn *db;
    char sql[128]; /* with %lld for the time */
    int per_second;
    atomic_bool stop;
    uint64_t commits;
};

void writer_start(struct writer *w, const struct cluster *pg, const char *sql, int per_second);
void writer_stop(struct writer *w);

/* Subscribers of `SELECT at FROM lone`, beside whatever else goes on. */
struct honest {
    pthread_t thread;
    struct swarm *swarm;
    struct samples ages; /* us */
    struct writer writer;
    atomic_bool stop;
};

void honest_start(struct honest *h, const struct crowd *c, size_t subscribers);
void honest_stop(struct honest *h); /* then read ages; honest_fini */
void honest_fini(struct honest *h);

#endif
