/*
 * history: the recent deltas of a plan, for subscribers that fell behind or come back.
 *
 * Each entry leads from one emitted state to the next; together they are a chain without gaps.
 * Bounded in bytes, and by whoever calls history_forget(): the oldest go first. The net change over
 * any stretch is found from the encoded lines alone, since equal rows have equal lines.
 *
 * A state was reached at the LSN of the delta that led to it, and is the answer at all LSNs up to the
 * next commit that changes it. A delta may be that of several commits, and then nobody knows what the
 * answer was in between:
 *
 *     Δ100            Δ120 = net of 110, 115 and 120        Δ130
 *      │  state of 100  │ ? ? ? ? ? ? ? ? │  state of 120   │
 *      100 … … … … … 109                 120 … … … … … … 129
 *                     └ holds                              └ holds
 *
 * So someone who says that he holds the state as of an LSN is believed only outside of such ranges.
 * Where nothing changed over one, an entry without rows stands for it.
 */
#ifndef PALIMPSEST_HOST_HISTORY_H
#define PALIMPSEST_HOST_HISTORY_H

#include "engine/base/vec.h"
#include "engine/host/payload.h"

struct history_entry {
    lsn_t from;              /* of the state before it… */
    lsn_t holds;             /* …which is the answer up to this LSN */
    struct payload *payload; /* one reference */
};

struct history {
    VEC(struct history_entry) entries; /* oldest at first */
    size_t first;
    size_t bytes;
    size_t max_bytes;
    lsn_t base; /* the oldest state known is the answer from this LSN on */
};

void history_init(struct history *h, size_t max_bytes);
void history_fini(struct history *h);
/* Forgets all that led to the newest state. */
void history_clear(struct history *h);
/* Begins anew with a state that is the answer from base on. */
void history_start(struct history *h, lsn_t base);
/* Takes a reference of its own. */
void history_add(struct history *h, lsn_t from, lsn_t holds, struct payload *payload);
/* Drops what led to states at or before upto. */
void history_forget(struct history *h, lsn_t upto);
/* Whether the answer as of since is a state from which the chain leads on; *first is then the number of
 * the first entry after it, entries.n if it is the newest state. */
bool history_find(const struct history *h, lsn_t since, size_t *first);
/*
 * The net change from the state at `since` to the newest one (whose LSN is `now`), as a payload
 * that may have no rows; NULL if the chain doesn't reach back to `since`.
 */
struct payload *history_net(const struct history *h, lsn_t since, lsn_t now);

#endif
