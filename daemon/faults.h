/*
 * faults: making the daemon's own state wrong, for the tests that prove that it is found out. Only in
 * what `make FAULTS=1` builds, and in build/palimpsestd-faults; anywhere else nothing of it is there.
 *
 *     "weight"   a change that a plan takes in counts one too many
 *     "row"      a row doesn't get into its table's store
 */
#ifndef PALIMPSEST_DAEMON_FAULTS_H
#define PALIMPSEST_DAEMON_FAULTS_H

#include <stdbool.h>

#ifdef PALIMPSEST_FAULTS
/* True once, when there is a file of that name in the directory named by PALIMPSEST_FAULTS; then the
 * file is gone. */
bool faults_strike(const char *name);
#define FAULT(name) faults_strike(name)
#else
#define FAULT(name) false
#endif

#endif
