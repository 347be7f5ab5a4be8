/*
 * thread: starting the daemon's threads, all with a stack of a size that we chose.
 *
 * The default is whatever RLIMIT_STACK happens to be. Ours holds what recursion there is: statements as
 * deep as the binder takes them (PGNODE_MAX_DEPTH, BIND_MAX_DEPTH), JSON as deep as jansson does.
 *
 * What fails at start-up ends the process with one clear line and status 1: nothing has been promised
 * to anybody yet.
 */
#ifndef PALIMPSEST_DAEMON_THREAD_H
#define PALIMPSEST_DAEMON_THREAD_H

#include <pthread.h>

/* Ends the process if there can be none. name: at most 15 characters. */
void thread_start(pthread_t *t, const char *name, void *(*fn)(void *arg), void *arg);
/* what: that there is none of, with errno. */
void start_failed(const char *what) __attribute__((noreturn));

#endif
