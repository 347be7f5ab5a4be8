/*
 * payload: encoded rows of one SNAPSHOT or DELTA, shared by every subscriber of a plan.
 *
 * Encoded once by the worker, then immutable; counted atomically, freed by whoever drops the last
 * reference, on any thread. The lines hold no subscription id: the header line is per subscriber.
 */
#ifndef PALIMPSEST_HOST_PAYLOAD_H
#define PALIMPSEST_HOST_PAYLOAD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/lsn.h"

struct payload {
    atomic_int refs;
    lsn_t lsn;      /* of the state after it */
    uint64_t nrows; /* lines in data */
    size_t len;     /* of data */
    char *data;     /* owned; "+ […]\n" and "- […]\n" lines, retracts first */
};

/* Takes data over. The caller owns one reference. */
struct payload *payload_new(lsn_t lsn, uint64_t nrows, char *data, size_t len);
struct payload *payload_ref(struct payload *p);
void payload_unref(struct payload *p);

#endif
