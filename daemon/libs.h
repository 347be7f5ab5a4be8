/*
 * libs: how libraries are told to allocate as we do (engine/base/alloc.h).
 *
 * GMP's own answer to a failed allocation is to abort at once, libevent's and jansson's is an error in
 * the middle of something. libpq and ICU report theirs, and we pass them on.
 */
#ifndef PALIMPSEST_DAEMON_LIBS_H
#define PALIMPSEST_DAEMON_LIBS_H

/* Before any of them is used. */
void libs_use_our_allocator(void);

#endif
