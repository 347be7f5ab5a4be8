/*
 * notify: tells the service manager how we are (the sd_notify protocol, spoken by hand: one
 * datagram to the socket in NOTIFY_SOCKET). Without that variable everything here does nothing.
 */
#ifndef PALIMPSEST_DAEMON_NOTIFY_H
#define PALIMPSEST_DAEMON_NOTIFY_H

#include <stdint.h>

/* Once at start, before there are threads: reads the environment and takes the variables out of it.
 */
void notify_init(void);
void notify_ready(void);
void notify_reloading(void); /* followed by notify_ready() */
void notify_stopping(void);
/* How often notify_watchdog() is wanted, in milliseconds (half the limit); 0 = not at all. */
uint64_t notify_watchdog_ms(void);
void notify_watchdog(void);

#endif
