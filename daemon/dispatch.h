/*
 * dispatch: from a client's line to what it asks for, and the answers of other threads back to the
 * subscription that asked. To add a verb: a function in dispatch.c and a line in its table.
 */
#ifndef PALIMPSEST_DAEMON_DISPATCH_H
#define PALIMPSEST_DAEMON_DISPATCH_H

#include "daemon/analyst.h"
#include "daemon/conn.h"
#include "daemon/worker.h"

/* One line, borrowed, not NUL-terminated. */
void dispatch_line(struct conn *c, const char *line, size_t len);
/* L_ANALYZED, L_EXPLAINED and L_VERIFIED; all free the message. */
void dispatch_analyzed(struct loop *l, struct analysis *a);
void dispatch_explained(struct loop *l, struct lmsg_explained *m);
void dispatch_verified(struct loop *l, struct lmsg_verified *m);

#endif
