/*
 * loop: a thread that runs libevent and owns the client connections accepted on it.
 *
 * Everything a loop knows (connections, subscriptions, their queues) belongs to its thread; other
 * threads reach it by loop_post() only. It works through its mailbox in batches and writes to the
 * sockets once at the end of each, so that a burst of deltas costs one write per connection.
 */
#ifndef PALIMPSEST_DAEMON_LOOP_H
#define PALIMPSEST_DAEMON_LOOP_H

#include "daemon/mailbox.h"

struct loop;

/* Any thread. The loop owns the message from now on; kinds are enum loop_msg_kind (worker.h). */
void loop_post(struct loop *l, struct msg *m);
int loop_no(const struct loop *l);

#endif
