/*
 * fanout: what a worker says about a plan becomes lines for each of its subscribers on this loop.
 */
#ifndef PALIMPSEST_DAEMON_FANOUT_H
#define PALIMPSEST_DAEMON_FANOUT_H

#include "daemon/sub.h"

/* What a worker says of a plan: kinds of struct lmsg_plan. Frees the message. */
void fanout_plan_message(struct loop *l, struct lmsg_plan *m);
/* Frees a message that nobody takes any more. */
void fanout_drop(struct lmsg_plan *m);
/* Delivers one change (or failure) that was held for its cut, or drops it if its subscription is
 * gone; takes it over. */
void fanout_held(struct conn *c, struct held *h);

#endif
