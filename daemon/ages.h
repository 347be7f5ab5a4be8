/*
 * ages: which LSN had been reached how long ago.
 *
 * The engine has no clock: its histories are bounded in time by LSNs that someone noted. A note is taken
 * now and then, so that a few dozen of them cover the whole age; what is old by them is older than the
 * age by at most a part of it.
 *
 *     notes:   ○────○────○────○────○────○──  now
 *              └─ age ago: what led to its LSN is old
 *
 * Time comes in as an argument. Belongs to whoever has it.
 */
#ifndef PALIMPSEST_DAEMON_AGES_H
#define PALIMPSEST_DAEMON_AGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/lsn.h"

#define AGES_NOTES 64

struct age_note {
    uint64_t ms;
    lsn_t lsn;
};

struct ages { /* all zero: no notes */
    struct age_note notes[AGES_NOTES];
    size_t first, n; /* a ring */
    uint64_t due_at; /* ms: of the next note */
};

bool ages_due(const struct ages *a, uint64_t now_ms);
/* Milliseconds until then. */
int ages_wait(const struct ages *a, uint64_t now_ms);
/* Notes that lsn is reached now. Returns the LSN that had been reached age_ms ago or longer; 0 if that
 * isn't known. */
lsn_t ages_note(struct ages *a, uint64_t now_ms, lsn_t lsn, uint64_t age_ms);

#endif
