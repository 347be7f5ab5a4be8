/*
 * alloc: memory in two kinds, by what its size depends on.
 *
 * Small, fixed-size allocations use xmalloc() and friends: when they fail the process aborts. The
 * state lives in Postgres and the service manager restarts us; code that limps on after a failed
 * 64-byte allocation is never tested and always wrong.
 *
 * Anything whose size is set by data (a result, a transaction, a line) uses the try_ forms, which
 * return NULL and must be turned into an error with an SQLSTATE by the caller.
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

void *try_malloc(size_t size);
void *try_realloc(void *p, size_t size);

/* A new zeroed object of a type; the form used for every struct in the tree. */
#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

#endif
