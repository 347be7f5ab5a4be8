/*
 * cluster: a private, throw-away Postgres for tests, the demo and the benchmarks.
 *
 * Lives in a new directory under TMPDIR with its socket in it, listens on nothing else, and is gone
 * with the program: cluster_free() stops it and removes the directory, also when a test fails
 * (atexit) or the program is interrupted. Postgres refuses to run as root, so then it runs as user
 * postgres (or nobody). The binaries are those of PG_BINDIR. For those of another Debian, as root,
 * PG_CHROOT names its root directory; PG_BINDIR and TMPDIR are then inside of it.
 *
 * Every function exits the program with a message when it can't do its work: without the server no
 * test means anything.
 */
#ifndef TESTS_E2E_CLUSTER_H
#define TESTS_E2E_CLUSTER_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <sys/types.h>

struct cluster {
    char dir[128];      /* everything is in here; also the socket's directory */
    char conninfo[256]; /* for the superuser, database postgres */
    pid_t pid;          /* postmaster, a child of ours; 0 while stopped */
};

/* settings: "name=value" strings for postgresql.conf, NULL-terminated; may be NULL. */
struct cluster *cluster_start(const char *const *settings);
/* A physical standby that follows the primary asynchronously. */
struct cluster *cluster_start_standby(const struct cluster *primary);
void cluster_free(struct cluster *c);

void cluster_stop_fast(struct cluster *c); /* SIGINT: disconnects everyone */
void cluster_stop(struct cluster *c,
                  int sig); /* SIGINT, SIGTERM or SIGQUIT: as Postgres takes them */
void cluster_stop_at_once(struct cluster *c); /* SIGQUIT: as a crash, but in order */
void cluster_kill(struct cluster *c); /* SIGKILL to the postmaster, then what is left of it */
void cluster_run(struct cluster *c);  /* again, after one of these */
/* To every child of the postmaster; returns how many there were. */
unsigned cluster_signal_backends(const struct cluster *c, int sig);
/* One of Postgres's own programs, on the stopped cluster: argv[0] as cluster_program() gives it, paths
 * as this program knows them, NULL-terminated. */
void cluster_run_program(struct cluster *c, const char *const *argv);
void cluster_program(const char *name, char *out, size_t size); /* full path of a Postgres binary */

PGconn *cluster_connect(const struct cluster *c);
/* Runs one or more commands; any error ends the program. */
void sql_run(PGconn *conn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first column of the first row, malloc'd; NULL if there is none or it is NULL. */
char *sql_value(PGconn *conn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Runs commands and returns the SQLSTATE, "" for success. Static storage. */
const char *sql_state(PGconn *conn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
