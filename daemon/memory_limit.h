/*
 * memory_limit: how many bytes the daemon may use: limits.max_memory, or three quarters of the least of
 * the machine's memory, the limits of its control groups (both versions) and RLIMIT_AS.
 */
#ifndef PALIMPSEST_DAEMON_MEMORY_LIMIT_H
#define PALIMPSEST_DAEMON_MEMORY_LIMIT_H

#include <stdint.h>

struct config;

/* The machine is looked at once. */
uint64_t memory_limit_of(const struct config *cfg);

#endif
