/*
 * live: one statement under judgement: subscribed, its mode looked at, and held against what
 * Postgres answers, as often as the caller likes.
 *
 * What is wrong is a text, not the end of the program, so that a run shows all of it: the statement,
 * the mode, what happened, the rows that differ and the circuit. A statement that was wrong once is
 * not looked at again.
 */
#ifndef TESTS_E2E_LIVE_H
#define TESTS_E2E_LIVE_H

#include "tests/e2e/client.h"
#include "tests/e2e/script.h"

enum live_mode {
    LIVE_REFUSED,
    LIVE_INCREMENTAL,
    LIVE_RERUN
};

struct live {
    const struct statement *st; /* borrowed */
    struct view *view;          /* borrowed from the client */
    enum live_mode mode;
    char *wrong; /* the report; NULL while all is right; owned */
};

extern const char *const LIVE_MODE_NAMES[]; /* by enum live_mode */

/* Sends the subscription. The client becomes tolerant. */
void live_begin(struct live *l, struct client *c, const char *id, const struct statement *st);
/* Waits for the first result or the refusal; sets mode, and wrong if that is not what is expected: a
 * refusal with the error that Postgres itself answers with is. */
void live_settle(struct live *l, struct client *c, PGconn *db);
/* After a SYNC: does the view hold what Postgres answers? Or is it FAILED where Postgres fails? True
 * if so; else wrong is set. strict: the SQLSTATE must be of Postgres's class too. */
bool live_check(struct live *l, PGconn *db, bool strict);
/* Subscribes once more, from another connection, and compares that SNAPSHOT in order. */
bool live_check_late(struct live *l, struct client *late, PGconn *db);
/* Appends what the daemon says about how it runs the statement. */
void live_explain(const struct live *l, struct client *c, struct buf *out);
void live_fini(struct live *l);

#endif
