/*
 * version: of the daemon, as HELLO, STATUS and --version say it.
 */
#ifndef PALIMPSEST_DAEMON_VERSION_H
#define PALIMPSEST_DAEMON_VERSION_H

#define PALIMPSEST_VERSION "0.1.0"

#endif
