/*
 * fan: many subscribers in one thread, for the daemon and for Redis: connects, subscribes, and then
 * counts how many times a marker passes on all sockets together.
 */
#ifndef TESTS_BENCH_FAN_H
#define TESTS_BENCH_FAN_H

#include <stddef.h>
#include <stdint.h>

struct fan;

/* Opens n connections to port, sends `hello` on each and waits until each has received `ready`
 * once. Then every occurrence of `marker` counts as a delivery. */
struct fan *fan_start(int port, size_t n, const char *hello, const char *ready, const char *marker);
uint64_t fan_deliveries(struct fan *f);
void fan_wait(struct fan *f, uint64_t deliveries); /* in all */
void fan_stop(struct fan *f);

#endif
