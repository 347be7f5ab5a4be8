/*
 * watch_slot: see watch_slot.h.
 */
#include "daemon/watch_slot.h"

#include <string.h>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/reader.h"

#define PATIENCE_MS 3000
#define AGAIN_MS    60000

/* Our own walsender's blockers: process numbers, 0 for a prepared transaction. */
static const char blockers_sql[] =
    "SELECT pg_catalog.string_agg(DISTINCT b::pg_catalog.text, ', ') FROM "
    "pg_catalog.pg_stat_activity a, pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) b "
    "WHERE a.backend_type = 'walsender' AND a.usename = CURRENT_USER AND "
    "a.application_name = '" PGCONN_STREAM_NAME "'";

static void log_blockers(struct pgconn *c)
{
    struct err err;
    PGresult *res = pgconn_query(c, blockers_sql, 0, NULL, NULL, &err);
    const char *pids = res ? PQgetvalue(res, 0, 0) : "";
    if (strcmp(pids, "0") == 0)
        log_warn("no stream yet: the new slot waits for a prepared transaction to end, see "
                 "pg_prepared_xacts");
    else if (*pids)
        log_warn("no stream yet: the new slot waits for the transaction of process %s to end",
                 pids);
    PQclear(res);
}

void watch_slot(struct slot_watch *s, struct pgconn *c, struct reader *reader)
{
    struct reader_status status;
    uint64_t now = clock_ms();
    reader_status(reader, &status);
    if (status.state != STREAM_CONNECTING) {
        memset(s, 0, sizeof *s);
        return;
    }
    if (!s->since)
        s->since = now;
    if (now - s->since < PATIENCE_MS || (s->logged_at && now - s->logged_at < AGAIN_MS))
        return;
    s->logged_at = now;
    log_blockers(c);
}
