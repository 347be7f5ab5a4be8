/*
 * daemon_proc: the daemon under test as a child process, its log read back for the port it picked.
 */
#ifndef TESTS_E2E_DAEMON_PROC_H
#define TESTS_E2E_DAEMON_PROC_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* What the next daemons may use of a resource of setrlimit(); 0 = as it is. */
extern rlim_t daemon_max_descriptors, daemon_max_address_space;
/* A library loaded before all others into the next daemons; NULL = none. */
extern const char *daemon_preload;

struct daemon_proc {
    pid_t pid; /* 0 once it has ended */
    int port;
    int log; /* a file in memory that holds its stderr */
};

/* Starts PALIMPSESTD (environment; ./palimpsestd if unset) on 127.0.0.1:0 against conninfo; sets
 * are "section.key=value", NULL-terminated, may be NULL. Returns when it listens; with
 * `wait_streaming` when it also streams from Postgres. Ends the program if it doesn't within 20 s.
 */
struct daemon_proc *daemon_start(const char *conninfo, const char *const *sets,
                                 bool wait_streaming);
/* The same with all of its configuration, but for where it listens, from a file. */
struct daemon_proc *daemon_start_with_file(const char *path, bool wait_streaming);
/* SIGTERM and wait; the exit status as waitpid() gives it. */
int daemon_stop(struct daemon_proc *d);
void daemon_kill(struct daemon_proc *d); /* SIGKILL */
/* Whether it has ended by itself. */
bool daemon_has_ended(struct daemon_proc *d);
/* Stops it if it still runs, fails the program unless it exits 0 and its log holds no sanitizer
 * report, and frees. */
void daemon_free(struct daemon_proc *d);
bool daemon_log_contains(const struct daemon_proc *d, const char *text);
/* How often the text stands in the log. */
int daemon_log_count(const struct daemon_proc *d, const char *text);
void daemon_show_log(const struct daemon_proc *d);
long daemon_rss_kb(const struct daemon_proc *d);
/* Open descriptors; threads. */
size_t daemon_descriptors(const struct daemon_proc *d);
size_t daemon_threads(const struct daemon_proc *d);
/* User and system CPU time used so far, in microseconds. */
long daemon_cpu_us(const struct daemon_proc *d);

#endif
