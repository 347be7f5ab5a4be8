/*
 * walsender_int: what walsender.c and walsender_open.c share. Nobody else includes it.
 */
#ifndef PALIMPSEST_DAEMON_WALSENDER_INT_H
#define PALIMPSEST_DAEMON_WALSENDER_INT_H

#include <libpq-fe.h>

#include "daemon/walsender.h"

struct walsender {
    PGconn *conn;   /* owned */
    char slot[140]; /* its name as an SQL identifier, quotes and all */
    bool wants_write;
    char *msg; /* owned, by PQfreemem: the message handed out last */
};

/* The connection's last error in one line. */
const char *walsender_message(const struct walsender *w);
/* Sets err from a failed result, its SQLSTATE kept; false. */
bool walsender_result_error(const struct walsender *w, const PGresult *res, const char *what,
                            struct err *err);

#endif
