/*
 * clock: monotonic time for deadlines and durations. Wall time is nobody's business here: what
 * orders events is the LSN.
 */
#ifndef PALIMPSEST_DAEMON_CLOCK_H
#define PALIMPSEST_DAEMON_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);
uint64_t clock_ns(void);

#endif
