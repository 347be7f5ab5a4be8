/*
 * alloc: memory, or the end.
 *
 * When an allocation fails the process aborts: the state lives in Postgres and the service manager
 * restarts us; code that limps on after a failed 64-byte allocation is never tested and always
 * wrong. What is sized by data (a line, a transaction, a result, a queue) has a limit in the
 * configuration and is refused with an SQLSTATE before it gets here.
 *
 * Threads: all functions may be called from any thread.
 */
#ifndef PALIMPSEST_BASE_ALLOC_H
#define PALIMPSEST_BASE_ALLOC_H

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));

/* A new zeroed object of a type; the form used for every struct in the tree. */
#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

#endif
