/*
 * faults: making the daemon's own state wrong, for the tests that prove that it is found out. Only in
 * builds of `make FAULTS=1`; in all others nothing of it is there.
 */
#ifndef PALIMPSEST_DAEMON_FAULTS_H
#define PALIMPSEST_DAEMON_FAULTS_H

#include <stdint.h>

#ifdef PALIMPSEST_FAULTS
/* Of the next change that a plan takes in, once the file named by PALIMPSEST_FAULT_WEIGHT exists: one
 * too many; the file is gone then. */
int64_t faults_weight(int64_t weight);
#define FAULTY_WEIGHT(weight) faults_weight(weight)
#else
#define FAULTY_WEIGHT(weight) (weight)
#endif

#endif
