/*
 * delegate_session: a worker's session for the questions its plans ask of Postgres.
 *
 * Opened with the first question and kept. The host of the worker's delegator (engine/expr/
 * delegate.h): waits for the answer, at most postgres.delegate_timeout, and tells an error that is a
 * property of the data from the server's being unable to answer. A session that turns out to have
 * ended is replaced at once; while Postgres can't be reached questions go unanswered at once, as
 * pgconn.h has it, so that the worker's other plans go on.
 *
 * Read only, with an empty search path. Belongs to one worker's thread.
 */
#ifndef PALIMPSEST_DAEMON_DELEGATE_SESSION_H
#define PALIMPSEST_DAEMON_DELEGATE_SESSION_H

#include "daemon/log.h"
#include "daemon/pgconn.h"
#include "engine/expr/delegate.h"

struct delegate_session {
    struct pgstop stop;
    struct pgconn conn;
    struct delegator *delegator; /* owned */
    uint64_t prepared;           /* the session whose search path is set, as conn.sessions counts */
    struct log_repeat trouble;
};

void delegate_session_init(struct delegate_session *s, size_t memo_bytes);
void delegate_session_fini(struct delegate_session *s); /* when the worker's thread has ended */
/* On the worker's thread, before its first message and after its last. */
void delegate_session_enter(struct delegate_session *s);
void delegate_session_leave(struct delegate_session *s);
/* No question waits any longer. Any thread. */
void delegate_session_stop(struct delegate_session *s);

#endif
