/*
 * history: the recent deltas of a plan, for subscribers that fell behind.
 *
 * Each entry leads from one emitted state to the next; together they are a chain without gaps.
 * Bounded in bytes: the oldest go first. The net change over any stretch is found from the encoded
 * lines alone, since equal rows have equal lines.
 */
#ifndef PALIMPSEST_HOST_HISTORY_H
#define PALIMPSEST_HOST_HISTORY_H

#include "engine/base/vec.h"
#include "engine/host/payload.h"

struct history_entry {
    lsn_t from;              /* of the state before it */
    struct payload *payload; /* one reference */
};

struct history {
    VEC(struct history_entry) entries; /* oldest at first */
    size_t first;
    size_t bytes;
    size_t max_bytes;
};

void history_init(struct history *h, size_t max_bytes);
void history_fini(struct history *h);
void history_clear(struct history *h);
/* Takes a reference of its own. */
void history_add(struct history *h, lsn_t from, struct payload *payload);
/*
 * The net change from the state at `since` to the newest one (whose LSN is `now`), as a new payload
 * that may have no rows; NULL if the chain doesn't reach back to `since`.
 */
struct payload *history_net(const struct history *h, lsn_t since, lsn_t now);

#endif
