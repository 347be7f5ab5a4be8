/*
 * walsender_open: from nothing to a running stream.
 *
 *   connect ─▶ IDENTIFY_SYSTEM ─▶ checks ─▶ publication ─▶ slot and its snapshot ─▶ START_REPLICATION
 *                                      └──▶ the slot of before, if the stream can go on ─▶ the same
 *
 * The order matters. The publication must be there before the slot: the walsender looks it up as of
 * the WAL it decodes, and a slot older than its publication fails for ever. The slot is made inside
 * a transaction that takes over its snapshot, because that alone tells which transactions the
 * stream will never carry (see snapshot_covers()).
 *
 * Everything is one simple query at a time: the replication protocol knows no other.
 */
#include "daemon/walsender_int.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/pgconn.h"
#include "daemon/publication.h"
#include "daemon/snapshot.h"
#include "engine/base/alloc.h"
#include "engine/base/buf.h"

struct opening {
    struct walsender *w;
    const struct config *cfg;
    walsender_wait_fn *wait;
    void *arg;
    struct walsender_memory *mem;
    uint64_t limit; /* ms: how long an answer may take */
    struct err *err;
};

#define PATIENCE_MAX 6 /* doublings */

const char *walsender_message(const struct walsender *w)
{
    static _Thread_local char line[400];
    const char *s = PQerrorMessage(w->conn);
    size_t n = 0;
    for (; *s && n < sizeof line - 1; s++)
        line[n++] = *s == '\n' || *s == '\t' ? ' ' : *s;
    while (n && line[n - 1] == ' ')
        n--;
    line[n] = '\0';
    return n ? line : "closed by the server";
}

bool walsender_result_error(const struct walsender *w, const PGresult *res, const char *what,
                            struct err *err)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
    err_set(err, state ? state : ERR_CANNOT_CONNECT_NOW, "%s: %s", what,
            text ? text : walsender_message(w));
    return hint ? err_hint(err, "%s", hint) : false;
}

static bool interrupted(struct opening *o)
{
    return err_set(o->err, ERR_ADMIN_SHUTDOWN, "stopped while connecting");
}

static bool is_too_late(struct opening *o, uint64_t deadline, const char *what)
{
    if (clock_ms() < deadline)
        return false;
    err_set(o->err, ERR_CANNOT_CONNECT_NOW, "%s: Postgres did not answer in time", what);
    return true;
}

/* Until PQgetResult() wouldn't block, or there is nothing more to wait for. False with err. */
static bool wait_for_result(struct opening *o, uint64_t deadline, const char *what)
{
    PGconn *conn = o->w->conn;
    int unsent;
    while ((unsent = PQflush(conn)) > 0 || PQisBusy(conn)) {
        short events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
        if (!o->wait(o->arg, PQsocket(conn), events, 1000))
            return interrupted(o);
        if (!PQconsumeInput(conn))
            break;
        if (PQisBusy(conn) && is_too_late(o, deadline, what))
            return false;
    }
    return true;
}

/* One statement, to its last result. NULL with err. */
static PGresult *query(struct opening *o, const char *sql, const char *what)
{
    PGconn *conn = o->w->conn;
    PGresult *last = NULL, *res;
    if (!PQsendQuery(conn, sql)) {
        err_set(o->err, ERR_CANNOT_CONNECT_NOW, "%s: %s", what, walsender_message(o->w));
        return NULL;
    }
    uint64_t deadline = clock_ms() + o->limit;
    for (;;) {
        if (!wait_for_result(o, deadline, what)) {
            PQclear(last);
            return NULL;
        }
        res = PQgetResult(conn);
        if (!res)
            break;
        PQclear(last);
        last = res;
        if (PQresultStatus(res) == PGRES_COPY_BOTH)
            break;
    }
    ExecStatusType st = PQresultStatus(last);
    if (st == PGRES_TUPLES_OK || st == PGRES_COMMAND_OK || st == PGRES_COPY_BOTH)
        return last;
    walsender_result_error(o->w, last, what, o->err);
    PQclear(last);
    return NULL;
}

static bool command(struct opening *o, const char *sql, const char *what)
{
    PGresult *res = query(o, sql, what);
    PQclear(res);
    return res != NULL;
}

static bool connect_to_server(struct opening *o)
{
    PGconn *conn = o->w->conn = pgconn_start(PGCONN_STREAM, o->cfg, o->mem->failures);
    PostgresPollingStatusType st = PGRES_POLLING_WRITING;
    uint64_t deadline = clock_ms() + (uint64_t)o->cfg->postgres_connect_timeout;
    if (!conn || PQstatus(conn) == CONNECTION_BAD)
        st = PGRES_POLLING_FAILED;
    while (st != PGRES_POLLING_OK) {
        if (st == PGRES_POLLING_FAILED)
            return pgconn_connect_error(conn, PGCONN_STREAM, o->err);
        if (clock_ms() >= deadline)
            return err_set(o->err, ERR_CANNOT_CONNECT_NOW, "timeout while connecting");
        short events = st == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!o->wait(o->arg, PQsocket(conn), events, 200))
            return interrupted(o);
        struct pollfd p = {.fd = PQsocket(conn), .events = events};
        if (poll(&p, 1, 0) > 0)
            st = PQconnectPoll(conn);
    }
    PQsetnonblocking(conn, 1);
    PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
    return pgconn_is_known_version(PQserverVersion(conn), o->err);
}

static bool identify(struct opening *o, struct walsender_info *info)
{
    PGresult *res = query(o, "IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM");
    if (!res)
        return false;
    info->system_id = strtoull(PQgetvalue(res, 0, 0), NULL, 10);
    info->timeline = (uint32_t)strtoul(PQgetvalue(res, 0, 1), NULL, 10);
    PQclear(res);
    res = query(o,
                "SELECT pg_catalog.pg_is_in_recovery(), (extract(epoch from "
                "pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint - 946684800000000, "
                "pg_catalog.current_setting('wal_level'), (SELECT d.oid FROM "
                "pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())",
                "asking for the server's state");
    if (!res)
        return false;
    bool standby = PQgetvalue(res, 0, 0)[0] == 't';
    bool logical = strcmp(PQgetvalue(res, 0, 2), "logical") == 0;
    info->postmaster_start = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
    info->database = (uint32_t)strtoul(PQgetvalue(res, 0, 3), NULL, 10);
    PQclear(res);
    return pgconn_is_fit(standby, logical, o->err);
}

/* Doubles every quote and puts it around. */
static void add_quoted(struct buf *b, const char *s, char quote)
{
    buf_addc(b, quote);
    for (; *s; s++) {
        if (*s == quote)
            buf_addc(b, quote);
        buf_addc(b, *s);
    }
    buf_addc(b, quote);
}

static bool create_publication(struct opening *o)
{
    struct buf sql = {0};
    buf_adds(&sql, "CREATE PUBLICATION ");
    add_quoted(&sql, o->cfg->postgres_publication, '"');
    bool ok = command(o, buf_cstr(&sql), "the publication is not there and can't be made");
    if (!ok) {
        err_hint(o->err, "Let the database's owner run: %s", buf_cstr(&sql));
    } else {
        publication_note_created();
        log_info("made the publication %s", o->cfg->postgres_publication);
    }
    buf_fini(&sql);
    return ok;
}

static bool check_publication(struct opening *o)
{
    struct buf sql = {0};
    buf_adds(&sql, "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate, pubviaroot "
                   "FROM pg_catalog.pg_publication WHERE pubname = ");
    add_quoted(&sql, o->cfg->postgres_publication, '\'');
    PGresult *res = query(o, buf_cstr(&sql), "looking for the publication");
    buf_fini(&sql);
    if (!res)
        return false;
    bool found = PQntuples(res) == 1;
    bool all = found && PQgetvalue(res, 0, 0)[0] == 't';
    bool via_root = found && PQgetvalue(res, 0, 1)[0] == 't';
    PQclear(res);
    if (!found)
        return create_publication(o);
    return publication_is_fit(o->cfg->postgres_publication, all, via_root, o->err);
}

/*
 * Somebody has the slot. If it is the process of our own last stream, whose connection died without
 * the server having heard of it, it is ended: nobody else ever held this slot by that number. It
 * takes a moment, so the next attempt will have the slot.
 */
static bool slot_is_held(struct opening *o, const char *pid)
{
    char sql[100];
    bool own = o->mem->pid && atoi(pid) == o->mem->pid;
    snprintf(sql, sizeof sql, "SELECT pg_catalog.pg_terminate_backend(%d)", o->mem->pid);
    if (own && !command(o, sql, "ending the process of the last stream"))
        return false;
    err_set(o->err, "55006", "replication slot %s is in use by process %s", o->cfg->postgres_slot,
            pid);
    return err_hint(o->err, own ? "It was ours, and is being ended."
                                : "Is another palimpsestd at work with the same postgres.slot?");
}

/* A slot of that name from an earlier run holds nothing we could use: all is read again. */
static bool drop_old_slot(struct opening *o)
{
    struct buf sql = {0};
    buf_adds(&sql, "SELECT active_pid, plugin = 'pgoutput' AND database = "
                   "pg_catalog.current_database() FROM pg_catalog.pg_replication_slots "
                   "WHERE slot_name = ");
    add_quoted(&sql, o->cfg->postgres_slot, '\'');
    PGresult *res = query(o, buf_cstr(&sql), "looking for the slot");
    buf_fini(&sql);
    if (!res)
        return false;
    bool found = PQntuples(res) == 1;
    bool active = found && !PQgetisnull(res, 0, 0);
    bool ours = found && PQgetvalue(res, 0, 1)[0] == 't';
    char pid[32] = "";
    if (active)
        snprintf(pid, sizeof pid, "%s", PQgetvalue(res, 0, 0));
    PQclear(res);
    if (!found)
        return true;
    if (active)
        return slot_is_held(o, pid);
    if (!ours) {
        err_set(o->err, "55000", "replication slot %s is not one of pgoutput and this database",
                o->cfg->postgres_slot);
        return err_hint(o->err, "Drop it, or name another one in postgres.slot.");
    }
    char drop[200];
    snprintf(drop, sizeof drop, "DROP_REPLICATION_SLOT %s", o->w->slot);
    return command(o, drop, "dropping the old slot");
}

/*
 * Can the stream go on? Only on the same postmaster: one that was started again may have been given
 * another history in between, from a backup or a snapshot of its disk, and nothing would tell.
 */
static bool can_resume(struct opening *o, const struct walsender_info *info)
{
    const struct walsender_info *last = &o->mem->last;
    struct buf sql = {0};
    char lsn[LSN_TEXT_MAX];
    if (!o->mem->resume_at || !o->cfg->postgres_slot[0] || last->system_id != info->system_id ||
        last->timeline != info->timeline || last->database != info->database ||
        last->postmaster_start != info->postmaster_start)
        return false;
    lsn_print(o->mem->resume_at, lsn);
    buf_adds(&sql, "SELECT FROM pg_catalog.pg_replication_slots WHERE plugin = 'pgoutput' "
                   "AND database = pg_catalog.current_database() AND active_pid IS NULL "
                   "AND wal_status <> 'lost' AND restart_lsn IS NOT NULL ");
    buf_addf(&sql,
             "AND confirmed_flush_lsn <= '%s' AND pg_catalog.pg_current_wal_flush_lsn() >= '%s' "
             "AND slot_name = ",
             lsn, lsn);
    add_quoted(&sql, o->cfg->postgres_slot, '\'');
    PGresult *res = query(o, buf_cstr(&sql), "looking for the slot");
    buf_fini(&sql);
    bool found = res && PQntuples(res) == 1;
    PQclear(res);
    return found;
}

static void name_slot(struct opening *o)
{
    struct buf name = {0};
    char own[64];
    if (o->cfg->postgres_slot[0]) {
        add_quoted(&name, o->cfg->postgres_slot, '"');
    } else {
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        snprintf(own, sizeof own, "palimpsest_%d_%" PRIx64, (int)getpid(),
                 (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
        add_quoted(&name, own, '"');
    }
    snprintf(o->w->slot, sizeof o->w->slot, "%s", buf_cstr(&name));
    buf_fini(&name);
}

/*
 * A new slot waits for the transactions under way, without a word, and who gives up begins to wait
 * for those of then. So the limit is for a connection that has died unnoticed only: it grows from
 * attempt to attempt.
 */
static PGresult *await_slot(struct opening *o, const char *sql)
{
    uint64_t usual = o->limit;
    o->limit = usual << o->mem->patience;
    PGresult *res = query(o, sql, "creating the replication slot");
    bool late = !res && PQstatus(o->w->conn) == CONNECTION_OK &&
                strcmp(o->err->sqlstate, ERR_CANNOT_CONNECT_NOW) == 0;
    if (res)
        o->mem->patience = 0;
    else if (late && o->mem->patience < PATIENCE_MAX)
        o->mem->patience++;
    o->limit = usual;
    return res;
}

static bool create_slot(struct opening *o, struct walsender_info *info)
{
    char sql[300];
    bool named = o->cfg->postgres_slot[0];
    snprintf(sql, sizeof sql, "CREATE_REPLICATION_SLOT %s %sLOGICAL pgoutput USE_SNAPSHOT",
             o->w->slot, named ? "" : "TEMPORARY ");
    if (!command(o, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN"))
        return false;
    PGresult *res = await_slot(o, sql);
    if (!res)
        return false;
    const char *point = PQgetvalue(res, 0, 1);
    bool ok = lsn_parse(point, strlen(point), &info->start);
    PQclear(res);
    if (!ok)
        return err_set(o->err, ERR_PROTOCOL, "the slot's consistent point can't be read");
    res = query(o, "SELECT pg_catalog.pg_current_snapshot()", "reading the slot's snapshot");
    if (!res)
        return false;
    ok = snapshot_parse(PQgetvalue(res, 0, 0), &info->origin);
    PQclear(res);
    if (!ok)
        return err_set(o->err, ERR_PROTOCOL, "the slot's snapshot can't be read");
    return command(o, "COMMIT", "COMMIT");
}

/* from: 0 = where the slot stands. */
static bool start_stream(struct opening *o, lsn_t from)
{
    struct buf sql = {0}, name = {0};
    char lsn[LSN_TEXT_MAX];
    lsn_print(from, lsn);
    add_quoted(&name, o->cfg->postgres_publication, '"');
    buf_addf(&sql, "START_REPLICATION SLOT %s LOGICAL %s (proto_version '1', publication_names ",
             o->w->slot, lsn);
    add_quoted(&sql, buf_cstr(&name), '\'');
    buf_adds(&sql, ", messages 'true')");
    PGresult *res = query(o, buf_cstr(&sql), "starting the replication stream");
    bool ok = res && PQresultStatus(res) == PGRES_COPY_BOTH;
    if (res && !ok)
        err_set(o->err, ERR_PROTOCOL, "the server didn't start the replication stream");
    PQclear(res);
    buf_fini(&sql);
    buf_fini(&name);
    return ok;
}

/* False without err: it can't. A slot that is there and won't go on is given up too. */
static bool resume(struct opening *o, struct walsender_info *info)
{
    if (!can_resume(o, info))
        return false;
    info->start = o->mem->resume_at;
    info->resumed = start_stream(o, info->start);
    if (!info->resumed)
        o->mem->resume_at = 0;
    return info->resumed;
}

static bool begin_anew(struct opening *o, struct walsender_info *info)
{
    return check_publication(o) && (!o->cfg->postgres_slot[0] || drop_old_slot(o)) &&
           create_slot(o, info) && start_stream(o, 0);
}

struct walsender *walsender_open(const struct config *cfg, walsender_wait_fn *wait, void *arg,
                                 struct walsender_memory *mem, struct walsender_info *info,
                                 struct err *err)
{
    struct walsender *w = NEW(struct walsender);
    struct opening o = {.w = w, .cfg = cfg, .wait = wait, .arg = arg, .mem = mem, .err = err};
    o.limit = (uint64_t)cfg->postgres_silence_timeout;
    memset(info, 0, sizeof *info);
    name_slot(&o);
    bool is_there = connect_to_server(&o) && identify(&o, info);
    mem->failures += !is_there;
    if (is_there && (resume(&o, info) || (!err_is_set(err) && begin_anew(&o, info)))) {
        mem->pid = PQbackendPID(w->conn);
        mem->last = *info;
        memset(&mem->last.origin, 0, sizeof mem->last.origin);
        return w;
    }
    free(info->origin.xip);
    memset(info, 0, sizeof *info);
    walsender_close(w, false, 0);
    return NULL;
}
