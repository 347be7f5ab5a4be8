/*
 * waiting: who waits for a plan's view. They come and go by the ten thousand while a plan is being made,
 * so each is found by its name.
 *
 * Owned by a live plan, on its worker.
 */
#ifndef PALIMPSEST_DAEMON_WAITING_H
#define PALIMPSEST_DAEMON_WAITING_H

#include <stdbool.h>

#include "engine/base/htab.h"
#include "engine/base/lsn.h"
#include "engine/base/vec.h"
#include "engine/host/payload.h"

struct loop;

/* Who waits for a first view, or a whole one after falling behind; or for the time at which it can be
 * said what it missed. */
struct waiting_sub {
    struct loop *loop;
    uint64_t sub; /* the loop's name for it */
    bool resync;
    bool resumes;
    lsn_t since;            /* resumes: the state that it says it holds */
    size_t max_bytes;       /* these as wmsg_attach's */
    lsn_t behind;           /* likewise */
    struct payload *former; /* likewise; one reference */
};

struct waiting {
    VEC(struct waiting_sub) subs; /* in no order */
    struct htab places;           /* in it, from 1 on, by loop and sub */
    size_t nresuming;             /* how many of them resume */
};

void waiting_add(struct waiting *w, const struct waiting_sub *ws);
/* Drops the one at this place; the last takes it. */
void waiting_remove_at(struct waiting *w, size_t i);
/* If it waits. */
void waiting_remove(struct waiting *w, const struct loop *loop, uint64_t sub);
void waiting_clear(struct waiting *w);

#endif
