/*
 * watch_slot: see watch_slot.h.
 */
#include "daemon/watch_slot.h"

#include <stdio.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/reader.h"

#define PATIENCE_MS 2000
#define AGAIN_MS    1000

/* Our own walsender's blockers: process numbers, 0 for a prepared transaction. */
static const char blockers_sql[] =
    "SELECT pg_catalog.string_agg(DISTINCT b::pg_catalog.text, ', ') FROM "
    "pg_catalog.pg_stat_activity a, pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) b "
    "WHERE a.backend_type = 'walsender' AND a.usename = CURRENT_USER AND "
    "a.application_name = '" PGCONN_STREAM_NAME "'";

/* False: nobody blocks it. */
static bool find_blockers(struct pgconn *c, struct err *why)
{
    struct err err;
    PGresult *res = pgconn_query(c, blockers_sql, 0, NULL, NULL, &err);
    const char *pids = res ? PQgetvalue(res, 0, 0) : "";
    if (strcmp(pids, "0") == 0) {
        err_set(why, ERR_CANNOT_CONNECT_NOW,
                "the new slot waits for a prepared transaction to end, see pg_prepared_xacts");
        err_hint(why, "Commit it or roll it back.");
    } else if (*pids) {
        err_set(why, ERR_CANNOT_CONNECT_NOW,
                "the new slot waits for the transaction of process %s to end", pids);
        err_hint(why, "If it was forgotten, pg_terminate_backend() ends it.");
    }
    bool found = *pids;
    PQclear(res);
    return found;
}

void watch_slot(struct slot_watch *s, struct pgconn *c, struct reader *reader)
{
    struct reader_status status;
    struct err why;
    uint64_t now = clock_ms();
    reader_status(reader, &status);
    if (status.state != STREAM_CONNECTING) {
        memset(s, 0, sizeof *s);
        return;
    }
    if (!s->since)
        s->since = now;
    if (now - s->since < PATIENCE_MS || now - s->looked_at < AGAIN_MS || !find_blockers(c, &why))
        return;
    char text[sizeof why.message + 32];
    s->looked_at = now;
    snprintf(text, sizeof text, "no stream yet: %s", why.message);
    log_repeat(&s->trouble, LOG_LEVEL_WARN, now, text);
    reader_explain(reader, &why);
}
