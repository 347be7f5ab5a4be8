/*
 * status: see status.h.
 */
#include "daemon/status.h"

#include <stdio.h>
#include <unistd.h>

#include "daemon/analyst.h"
#include "daemon/clock.h"
#include "daemon/memory.h"
#include "daemon/reader.h"
#include "daemon/server.h"
#include "daemon/version.h"
#include "daemon/worker.h"
#include "protocol/json.h"
#include "protocol/reply.h"

static uint64_t rss_bytes(void)
{
    unsigned long long total, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%llu %llu", &total, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static const char *stream_text(enum stream_state state)
{
    switch (state) {
    case STREAM_CONNECTING: return "connecting";
    case STREAM_STREAMING: return "streaming";
    case STREAM_STOPPED: return "stopped";
    }
    return "unknown";
}

static lsn_t least_worker_lsn(const struct server *srv)
{
    lsn_t least = UINT64_MAX;
    for (size_t i = 0; i < srv->nworkers; i++) {
        lsn_t lsn = worker_lsn(srv->workers[i]);
        if (lsn < least)
            least = lsn;
    }
    return least;
}

static size_t worker_steps_waiting(const struct server *srv)
{
    size_t n = 0;
    for (size_t i = 0; i < srv->nworkers; i++)
        n += worker_backlog(srv->workers[i]);
    return n;
}

/* Both are null where there is nothing to say. */
static void write_error(struct json *j, const char *name, const char *hint_name,
                        const struct err *err)
{
    bool is_set = err && err_is_set(err);
    json_str(j, name, is_set ? err->message : NULL);
    json_str(j, hint_name, is_set && err->hint[0] ? err->hint : NULL);
}

static void write_postgres(struct json *j, struct server *srv)
{
    struct reader_status rs;
    reader_status(srv->reader, &rs);
    lsn_t applied = least_worker_lsn(srv);
    json_str(j, "postgres", stream_text(rs.state));
    write_error(j, "postgres_error", "postgres_hint",
                rs.state == STREAM_STREAMING ? NULL : &rs.last_error);
    json_uint(j, "tables_waiting", rs.tables_waiting);
    write_error(j, "tables_error", "tables_hint", rs.tables_waiting ? &rs.table_error : NULL);
    json_lsn(j, "lsn_received", rs.received);
    json_lsn(j, "lsn_applied", applied);
    json_uint(j, "lag_bytes", rs.received > applied ? rs.received - applied : 0);
    json_uint(j, "transactions", rs.txns);
    json_uint(j, "changes", rs.changes);
    json_uint(j, "stored_rows", rs.store_rows);
    json_uint(j, "stored_bytes", rs.store_bytes);
}

static void write_verify(struct json *j, struct server *srv)
{
    struct reader_status rs;
    reader_status(srv->reader, &rs);
    const struct verify_stats *v = &rs.verify;
    json_uint(j, "verifications", v->verifications);
    json_uint(j, "audits", v->audits);
    json_uint(j, "audits_skipped", v->audits_skipped);
    json_uint(j, "divergences", v->divergences);
    if (!v->divergences)
        return;
    json_open(j, "last_divergence", '{');
    json_str(j, "plan", v->last_plan);
    json_uint(j, "seconds_ago", (clock_ms() - v->last_at) / 1000);
    json_close(j);
}

static void write_clients(struct json *j, struct server *srv)
{
    json_uint(j, "subscriptions", COUNTED(srv->subscriptions));
    json_uint(j, "connections", COUNTED(srv->connections));
    json_uint(j, "connections_accepted", COUNTED(srv->accepted));
    json_uint(j, "connections_refused", COUNTED(srv->refused));
    json_uint(j, "requests", COUNTED(srv->requests));
    json_uint(j, "statements_analysed", analyst_asked(srv->analyst));
    json_uint(j, "snapshots_sent", COUNTED(srv->snapshots));
    json_uint(j, "deltas_sent", COUNTED(srv->deltas));
    json_uint(j, "bytes_sent", COUNTED(srv->bytes_sent));
    json_uint(j, "times_lagged", COUNTED(srv->lagged));
    json_uint(j, "times_resumed", COUNTED(srv->resumed));
}

void status_write(struct server *srv, struct buf *b)
{
    struct buf text;
    buf_init(&text);
    struct json j = json_begin(&text);
    json_open(&j, NULL, '{');
    json_str(&j, "version", PALIMPSEST_VERSION);
    json_uint(&j, "uptime_s", (clock_ms() - srv->started_ms) / 1000);
    write_postgres(&j, srv);
    size_t lingering, plans = registry_count(srv->registry, &lingering);
    json_uint(&j, "plans", plans);
    json_uint(&j, "plans_lingering", lingering);
    write_clients(&j, srv);
    write_verify(&j, srv);
    json_uint(&j, "workers", srv->nworkers);
    json_uint(&j, "io_threads", srv->nloops);
    json_uint(&j, "steps_waiting", worker_steps_waiting(srv));
    json_uint(&j, "rss_bytes", rss_bytes());
    json_uint(&j, "memory_used", memory_used());
    json_uint(&j, "memory_limit", memory_limit());
    json_uint(&j, "plans_failed_for_memory", memory_plans_ended());
    json_uint(&j, "output_queued", COUNTED(srv->output_queued));
    json_close(&j);
    reply_status(b, text.data, text.len);
    buf_fini(&text);
}

/* ---- LIST ---------------------------------------------------------------------------------- */

struct listing {
    struct buf lines;
    size_t n;
};

static const char *state_text(int state)
{
    switch ((enum plan_state)state) {
    case PLAN_SEEDING: return "seeding";
    case PLAN_LIVE: return "live";
    case PLAN_FAILED: return "failed";
    case PLAN_REBUILDING: return "rebuilding";
    }
    return "unknown";
}

static void list_plan(void *arg, struct plan *p)
{
    struct listing *list = arg;
    struct reply_plan r = {
        .plan = p->spec->key,
        .sql = p->spec->sql,
        .mode = p->spec->rerun ? "rerun" : "incremental",
        .state = state_text(COUNTED(p->state)),
        .subscribers = (uint64_t)COUNTED(p->subscribers),
        .rows = COUNTED(p->rows),
        .bytes = COUNTED(p->bytes),
        .lsn = COUNTED(p->lsn),
    };
    reply_list_plan(&list->lines, &r);
    list->n++;
}

void status_list(struct server *srv, struct buf *b)
{
    struct listing list = {0};
    struct alloc_guard *guard = alloc_suspend(); /* the registry is locked */
    registry_each(srv->registry, list_plan, &list);
    alloc_resume(guard);
    reply_list(b, list.n);
    buf_add(b, list.lines.data, list.lines.len);
    buf_fini(&list.lines);
}
