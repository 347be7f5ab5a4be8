/*
 * marks: MARK lines of a connection: the tokens that writers put into their transactions.
 *
 * The reader finds them in the stream (pg_logical_emit_message(true, 'palimpsest', token)) and gives
 * them to every loop while some connection wants any. A connection with MARKS on keeps each until its
 * subscriptions have been sent everything up to the commit, as a SYNC with that LSN would; so they come
 * in the order of the commits. They wait too while the client doesn't read, up to limits.output_bytes:
 * beyond it the connection ends, since a mark that is left out would be waited for in vain.
 *
 * Belongs to the loop's thread.
 */
#ifndef PALIMPSEST_DAEMON_MARKS_H
#define PALIMPSEST_DAEMON_MARKS_H

#include <stdbool.h>

#include "daemon/mailbox.h"
#include "engine/base/vec.h"
#include "engine/host/payload.h"

struct conn;
struct loop;

struct mark {
    struct payload *token; /* one reference; lsn is the commit's */
    uint64_t last_sub;     /* newest subscription of the loop when it came */
    lsn_t due;             /* cut_is_sent()'s */
};

struct marks { /* all zero: off */
    bool on;
    VEC(struct mark) waiting; /* oldest at first */
    size_t first;
    size_t bytes; /* of those waiting */
};

struct lmsg_marks { /* L_MARKS: of one commit, in its order */
    struct msg m;
    VEC(struct payload *) tokens; /* owned; one reference each */
};

void marks_set(struct conn *c, bool on);
/* To all connections of the loop that want them; frees the message. */
void marks_take(struct loop *l, struct lmsg_marks *m);
/* Sends those whose time has come. */
void marks_give_out(struct conn *c);
bool marks_are_waiting(const struct conn *c);
/* LSNs begin anew: what waits is of another history of the server. */
void marks_forget(struct conn *c);
void marks_fini(struct conn *c);

#endif
