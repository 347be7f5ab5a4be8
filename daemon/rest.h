/*
 * rest: subscriptions with a min_interval_ms that missed a change because they were sent one just before.
 *
 * Each is on its loop's heap until its time is up, and is then caught up by one net DELTA (sub.h). Who
 * misses nothing isn't here, so that a subscription which is idle costs nothing, and of a hundred thousand
 * that rest one timer knows.
 *
 * Belongs to the loop's thread.
 */
#ifndef PALIMPSEST_DAEMON_REST_H
#define PALIMPSEST_DAEMON_REST_H

#include <stdint.h>

#include "engine/base/vec.h"

struct event;
struct loop;
struct sub;

struct rest {
    VEC(struct sub *) heap; /* the earliest first; each knows its place */
    struct event *timer;    /* owned */
    uint64_t set_to;        /* ms: the timer; 0 = it isn't set */
};

void rest_init(struct loop *l);
void rest_fini(struct loop *l);
/* It rests until its interval is over; then sub_end_rest() is called. */
void rest_add(struct sub *s);
void rest_remove(struct sub *s);

#endif
