/*
 * loop_int: what loop.c and loop_turn.c share.
 */
#ifndef PALIMPSEST_DAEMON_LOOP_INT_H
#define PALIMPSEST_DAEMON_LOOP_INT_H

#include "daemon/loop.h"

/* The oldest message not handled yet, or NULL. */
struct msg *loop_next_message(struct loop *l);
/* Of those put aside. */
struct msg *loop_next_answer(struct loop *l);
void loop_put_aside(struct loop *l, struct msg *m);
void loop_handle_message(struct loop *l, struct msg *m);

/* All of a turn but libevent's part. */
void loop_finish_turn(struct loop *l);
/* Something is left for the next turn, which mustn't wait for libevent then. */
bool loop_has_work(const struct loop *l);

#endif
