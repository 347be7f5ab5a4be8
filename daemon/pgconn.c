/*
 * pgconn: sessions of Postgres over libpq's asynchronous calls. See pgconn.h.
 *
 * All waiting is done in pgconn_wait_socket(): for the session's socket, or for the order to stop. libpq's
 * blocking calls are used nowhere, because they can't be interrupted.
 */
#include "daemon/pgconn_int.h"

#include <stdatomic.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/thread.h"
#include "engine/base/alloc.h"
#include "engine/value/interval.h"

#define CATALOG_LOCK_MS 100
#define GRACE_MS        5000 /* Postgres's own time limit comes first, if it can say so */
#define KEEPALIVES      "3"

/* ---- stopping ------------------------------------------------------------------------------ */

void pgstop_init(struct pgstop *s)
{
    s->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->efd < 0)
        start_failed("an event descriptor");
}

void pgstop_fini(struct pgstop *s)
{
    close(s->efd);
}

void pgstop_trigger(struct pgstop *s)
{
    uint64_t one = 1;
    while (write(s->efd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

bool pgstop_is_triggered(const struct pgstop *s)
{
    struct pollfd p = {.fd = s->efd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static bool stopped(struct err *err)
{
    return err_set(err, ERR_ADMIN_SHUTDOWN, "the daemon is shutting down");
}

/* Waits for the socket until the deadline (clock_ms(), 0 = none). False: stopped, or too late. */
bool pgconn_wait_socket(const struct pgconn *c, short events, uint64_t deadline, struct err *err)
{
    for (;;) {
        struct pollfd p[2] = {{.fd = PQsocket(c->pg), .events = events},
                              {.fd = c->stop->efd, .events = POLLIN}};
        uint64_t now = clock_ms();
        if (deadline && now >= deadline)
            return err_set(err, ERR_CANNOT_CONNECT_NOW, "Postgres did not answer in time");
        int n = poll(p, 2, deadline ? (int)(deadline - now) : -1);
        if (n > 0 && p[1].revents)
            return stopped(err);
        if (n > 0)
            return true;
    }
}

/* ---- errors -------------------------------------------------------------------------------- */

static void disconnect(struct pgconn *c)
{
    PQfinish(c->pg);
    PQfreemem(c->row);
    PQclear(c->result);
    c->pg = NULL;
    c->row = NULL;
    c->result = NULL;
}

/* The session is gone or of no use: closes it and sets the time of the next attempt. */
bool pgconn_lose(struct pgconn *c, struct err *err)
{
    const struct config *cfg = config_current();
    disconnect(c);
    uint64_t least = (uint64_t)cfg->postgres_reconnect_min;
    uint64_t most = (uint64_t)cfg->postgres_reconnect_max;
    c->pause = c->pause ? c->pause * 2 : least;
    c->pause = c->pause > most ? most : c->pause;
    c->retry_at = clock_ms() + c->pause;
    c->last = *err;
    config_unref(cfg);
    return false;
}

bool pgconn_lose_unreachable(struct pgconn *c, struct err *err)
{
    char line[400];
    pgconn_copy_line(line, sizeof line, PQerrorMessage(c->pg));
    err_set(err, ERR_CANNOT_CONNECT_NOW, "Postgres can't be reached just now: %s",
            *line ? line : "the connection was lost");
    return pgconn_lose(c, err);
}

/* ---- connecting ---------------------------------------------------------------------------- */

void pgconn_init(struct pgconn *c, enum pgconn_purpose purpose, const struct pgstop *stop)
{
    memset(c, 0, sizeof *c);
    c->purpose = purpose;
    c->stop = stop;
}

void pgconn_close(struct pgconn *c)
{
    disconnect(c);
    VEC_FREE(c->kept);
    c->retry_at = c->pause = 0;
}

/* A value for the `options` parameter: blanks and backslashes get a backslash. */
static void add_setting(struct buf *b, const char *name, const char *value)
{
    buf_addf(b, "%s-c %s=", b->len ? " " : "", name);
    for (; *value; value++) {
        if (*value == ' ' || *value == '\\')
            buf_addc(b, '\\');
        buf_addc(b, *value);
    }
}

/* Whole seconds, as both ends want them; 0 leaves it to the system there as well as here. */
static long long idle_seconds(const struct config *cfg)
{
    return ((long long)cfg->postgres_keepalives_idle + 999) / 1000;
}

/*
 * The server's end. A backend whose client's host has died would keep its locks, and a walsender its
 * slot, for the hours that the system's own defaults take. And we answer a walsender's keepalives
 * whatever we do, but no faster than our own timer: a wal_sender_timeout of a second isn't for us.
 */
static void add_dead_peer_settings(struct buf *b, enum pgconn_purpose purpose,
                                   const struct config *cfg)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", idle_seconds(cfg));
    add_setting(b, "tcp_keepalives_idle", text);
    snprintf(text, sizeof text, "%lld", (idle_seconds(cfg) + 1) / 2);
    add_setting(b, "tcp_keepalives_interval", text);
    add_setting(b, "tcp_keepalives_count", KEEPALIVES);
    snprintf(text, sizeof text, "%lld", (long long)cfg->postgres_tcp_user_timeout);
    add_setting(b, "tcp_user_timeout", text);
    if (purpose == PGCONN_STREAM)
        add_setting(b, "wal_sender_timeout", "60s");
}

static void add_settings(struct buf *b, enum pgconn_purpose purpose, const struct config *cfg)
{
    char ms[32];
    bool unlimited = purpose == PGCONN_SNAPSHOT || purpose == PGCONN_STREAM;
    add_setting(b, "DateStyle", "ISO");
    add_setting(b, "IntervalStyle", "postgres");
    add_setting(b, "extra_float_digits", "1");
    add_setting(b, "TimeZone", cfg->engine_timezone);
    add_setting(b, "bytea_output", "hex");
    add_setting(b, "xmlbinary", "base64");
    add_setting(b, "lc_monetary", "C");
    add_setting(b, "lc_numeric", "C");
    add_setting(b, "standard_conforming_strings", "on");
    add_setting(b, "jit",
                "off"); /* what is asked again and again over little isn't worth compiling */
    add_setting(b, "default_transaction_isolation", "read committed");
    add_setting(b, "default_transaction_read_only", purpose == PGCONN_DELEGATE ? "on" : "off");
    add_setting(b, "synchronous_commit", "local"); /* a standby that is away can't hold us up */
    add_setting(b, "idle_in_transaction_session_timeout", "0");
    if (purpose != PGCONN_CATALOG && purpose != PGCONN_RERUN && purpose != PGCONN_DELEGATE)
        add_setting(b, "search_path", ""); /* those run the user's functions */
    long long limit = (long long)cfg->postgres_statement_timeout;
    if (purpose == PGCONN_DELEGATE)
        limit = (long long)cfg->postgres_delegate_timeout;
    if (purpose == PGCONN_RERUN)
        limit = (long long)cfg->engine_rerun_timeout;
    snprintf(ms, sizeof ms, "%lld", unlimited ? 0 : limit);
    add_setting(b, "statement_timeout", ms);
    /* A statement whose table is locked is analysed again later: others needn't wait for it. */
    long long lock = (long long)cfg->postgres_lock_timeout;
    if (purpose == PGCONN_STREAM) /* a new slot waits for the transactions under way, by locks */
        lock = 0;
    if (purpose == PGCONN_CATALOG && lock > CATALOG_LOCK_MS)
        lock = CATALOG_LOCK_MS;
    snprintf(ms, sizeof ms, "%lld", lock);
    add_setting(b, "lock_timeout", ms);
    add_dead_peer_settings(b, purpose, cfg);
}

/* What libpq does with a connection that has died, unless the conninfo says otherwise. */
struct tcp_options {
    char idle[32], interval[32], user_timeout[32];
};

static struct tcp_options tcp_options(const struct config *cfg)
{
    struct tcp_options o;
    snprintf(o.idle, sizeof o.idle, "%lld", idle_seconds(cfg));
    snprintf(o.interval, sizeof o.interval, "%lld", (idle_seconds(cfg) + 1) / 2);
    snprintf(o.user_timeout, sizeof o.user_timeout, "%lld",
             (long long)cfg->postgres_tcp_user_timeout);
    return o;
}

PGconn *pgconn_start(enum pgconn_purpose purpose, const struct config *cfg, unsigned failures)
{
    static const char *const names[] = {"palimpsestd analyst",  "palimpsestd tables",
                                        "palimpsestd rerun",    "palimpsestd watch",
                                        "palimpsestd delegate", PGCONN_STREAM_NAME};
    struct buf settings = {0};
    add_settings(&settings, purpose, cfg);
    struct pgconn_hosts hosts;
    bool several = pgconn_hosts_from(cfg->postgres_conninfo, failures, &hosts);
    const char *const keys[] = {"keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "tcp_user_timeout",
                                "dbname",
                                "options",
                                "client_encoding",
                                "application_name",
                                "replication",
                                several ? "host" : NULL,
                                "hostaddr",
                                "port",
                                NULL};
    const struct tcp_options tcp = tcp_options(cfg);
    const char *const vals[] = {tcp.idle,
                                tcp.interval,
                                KEEPALIVES,
                                tcp.user_timeout,
                                cfg->postgres_conninfo,
                                buf_cstr(&settings),
                                "UTF8",
                                names[purpose],
                                purpose == PGCONN_STREAM ? "database" : "false",
                                hosts.host,
                                hosts.hostaddr,
                                hosts.port,
                                NULL};
    PGconn *pg = PQconnectStartParams(keys, vals, 1);
    if (pg) /* so that a refusal comes with its SQLSTATE */
        PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);
    buf_fini(&settings);
    return pg;
}

static bool connect_failed(struct pgconn *c, struct err *err)
{
    pgconn_connect_error(c->pg, c->purpose, err);
    return pgconn_lose(c, err);
}

/* From the first packet to a session. */
static bool connect_session(struct pgconn *c, const struct config *cfg, struct err *err)
{
    uint64_t deadline = clock_ms() + (uint64_t)cfg->postgres_connect_timeout;
    PostgresPollingStatusType st = PGRES_POLLING_WRITING;
    c->pg = pgconn_start(c->purpose, cfg, c->failures);
    if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD)
        return connect_failed(c, err);
    while (st != PGRES_POLLING_OK) {
        if (st == PGRES_POLLING_FAILED)
            return connect_failed(c, err);
        if (!pgconn_wait_socket(c, st == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, err))
            return pgconn_lose(c, err);
        st = PQconnectPoll(c->pg);
    }
    PQsetnonblocking(c->pg, 1);
    PQsetErrorVerbosity(c->pg, PQERRORS_DEFAULT);
    c->server_version = PQserverVersion(c->pg);
    interval_have_infinity(c->server_version >= 170000);
    return true;
}

static const char check_sql[] =
    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('server_encoding'), "
    "pg_catalog.current_setting('wal_level')";

/* What makes a server unfit is said on every request until somebody has mended it. */
static bool check_server(struct pgconn *c, struct err *err)
{
    if (!pgconn_is_known_version(c->server_version, err))
        return false;
    PGresult *res = pgconn_query(c, check_sql, 0, NULL, NULL, err);
    if (!res)
        return false;
    bool standby = PQgetvalue(res, 0, 0)[0] == 't';
    bool utf8 = strcmp(PQgetvalue(res, 0, 1), "UTF8") == 0;
    bool logical = strcmp(PQgetvalue(res, 0, 2), "logical") == 0;
    PQclear(res);
    if (!utf8)
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                       "a database whose encoding is not UTF8 can't be kept live");
    return pgconn_is_fit(standby, logical, err);
}

static atomic_uint_least64_t servers; /* pgconn_renew() calls */

static bool open_session(struct pgconn *c, struct err *err)
{
    c->server = atomic_load(&servers);
    const struct config *cfg = config_current();
    bool ok = connect_session(c, cfg, err);
    config_unref(cfg);
    if (!ok || !check_server(c, err)) {
        c->failures++;
        return c->pg ? pgconn_lose(c, err) : false;
    }
    c->pause = 0;
    c->sessions++;
    return true;
}

uint64_t pgconn_retry_in(const struct pgconn *c)
{
    uint64_t now = clock_ms();
    return c->pg || now >= c->retry_at ? 0 : c->retry_at - now;
}

void pgconn_renew(void)
{
    atomic_fetch_add(&servers, 1);
}

bool pgconn_is_renewed(const struct pgconn *c)
{
    return c->pg && c->server == atomic_load(&servers);
}

static bool is_usable(const struct pgconn *c)
{
    return c->pg && PQstatus(c->pg) == CONNECTION_OK &&
           (c->server == atomic_load(&servers) || PQtransactionStatus(c->pg) != PQTRANS_IDLE);
}

bool pgconn_open(struct pgconn *c, struct err *err)
{
    if (is_usable(c))
        return true;
    if (c->pg)
        disconnect(c);
    if (pgstop_is_triggered(c->stop))
        return stopped(err);
    if (pgconn_retry_in(c)) {
        *err = c->last;
        return false;
    }
    return open_session(c, err);
}

/* ---- statements ---------------------------------------------------------------------------- */

static long long statement_limit(const struct pgconn *c, const struct config *cfg)
{
    switch (c->purpose) {
    case PGCONN_DELEGATE: return (long long)cfg->postgres_delegate_timeout;
    case PGCONN_RERUN: return (long long)cfg->engine_rerun_timeout;
    case PGCONN_SNAPSHOT: {
        long long lock = (long long)cfg->postgres_lock_timeout;
        long long silence = (long long)cfg->postgres_silence_timeout;
        return (lock > silence ? lock : silence) << c->patience;
    }
    default: return (long long)cfg->postgres_statement_timeout;
    }
}

void pgconn_begin_waiting(struct pgconn *c)
{
    const struct config *cfg = config_current();
    long long limit = statement_limit(c, cfg);
    config_unref(cfg);
    long long grace = limit < GRACE_MS ? limit : GRACE_MS;
    c->deadline = limit ? clock_ms() + (uint64_t)(limit + grace) : 0;
}

bool pgconn_flush(struct pgconn *c, struct err *err)
{
    int unsent;
    while ((unsent = PQflush(c->pg)) > 0) {
        if (!pgconn_wait_socket(c, POLLIN | POLLOUT, c->deadline, err))
            return pgconn_lose(c, err);
        if (!PQconsumeInput(c->pg))
            return pgconn_lose_unreachable(c, err);
    }
    return unsent == 0 ? true : pgconn_lose_unreachable(c, err);
}

/* Waits until PQgetResult() wouldn't block. */
bool pgconn_wait_result(struct pgconn *c, struct err *err)
{
    while (PQisBusy(c->pg)) {
        if (!pgconn_wait_socket(c, POLLIN, c->deadline, err))
            return pgconn_lose(c, err);
        if (!PQconsumeInput(c->pg) && PQisBusy(c->pg))
            return pgconn_lose_unreachable(c, err);
    }
    return true;
}

static bool is_good(const PGresult *res)
{
    ExecStatusType st = PQresultStatus(res);
    return st == PGRES_TUPLES_OK || st == PGRES_COMMAND_OK || st == PGRES_COPY_OUT;
}

/* All results of what was sent; returns the first failed one's error or the last good result. */
PGresult *pgconn_finish(struct pgconn *c, struct err *err)
{
    PGresult *good = NULL, *res;
    bool failed = false;
    if (!pgconn_flush(c, err))
        return NULL;
    for (;;) {
        if (!pgconn_wait_result(c, err)) {
            PQclear(good);
            return NULL;
        }
        if (!(res = PQgetResult(c->pg)))
            break;
        if (!is_good(res) && !failed) {
            failed = true;
            pgconn_result_error(res, PQerrorMessage(c->pg), err);
        }
        PQclear(good);
        good = res;
        if (PQresultStatus(res) == PGRES_COPY_OUT)
            break;
    }
    if (!failed && good)
        return good;
    PQclear(good);
    if (PQstatus(c->pg) != CONNECTION_OK)
        pgconn_lose_unreachable(c, err);
    else if (!failed)
        err_set(err, ERR_PROTOCOL, "Postgres gave no answer");
    return NULL;
}

PGresult *pgconn_query(struct pgconn *c, const char *sql, size_t nparams, const uint32_t *types,
                       const char *const *params, struct err *err)
{
    if (!c->pg) {
        *err = c->last;
        return NULL;
    }
    pgconn_begin_waiting(c);
    if (!PQsendQueryParams(c->pg, sql, (int)nparams, types, params, NULL, NULL, 0)) {
        pgconn_lose_unreachable(c, err);
        return NULL;
    }
    return pgconn_finish(c, err);
}

PGresult *pgconn_query_fresh(struct pgconn *c, const char *sql, struct err *err)
{
    for (bool again = true;; again = false) {
        bool was_open = c->pg != NULL;
        if (!pgconn_open(c, err))
            return NULL;
        PGresult *res = pgconn_query(c, sql, 0, NULL, NULL, err);
        if (res || c->pg || !was_open || !again)
            return res;
        c->retry_at = 0; /* that an idle session has ended says nothing about a new one */
    }
}

PGresult *pgconn_queryf(struct pgconn *c, struct err *err, const char *fmt, ...)
{
    struct buf sql;
    va_list ap;
    buf_init(&sql);
    va_start(ap, fmt);
    buf_addv(&sql, fmt, ap);
    va_end(ap);
    PGresult *res = pgconn_query(c, buf_cstr(&sql), 0, NULL, NULL, err);
    buf_fini(&sql);
    return res;
}

bool pgconn_exec(struct pgconn *c, const char *sql, struct err *err)
{
    PGresult *res = pgconn_query(c, sql, 0, NULL, NULL, err);
    PQclear(res);
    return res != NULL;
}

void pgconn_rollback(struct pgconn *c)
{
    struct err err;
    if (c->pg && PQtransactionStatus(c->pg) != PQTRANS_IDLE && !pgconn_exec(c, "ROLLBACK", &err) &&
        c->pg)
        pgconn_lose(c, &err);
}

PGresult *pgconn_describe(struct pgconn *c, const char *sql, struct err *err)
{
    if (!c->pg) {
        *err = c->last;
        return NULL;
    }
    pgconn_begin_waiting(c);
    if (!PQsendPrepare(c->pg, "", sql, 0, NULL)) {
        pgconn_lose_unreachable(c, err);
        return NULL;
    }
    PGresult *res = pgconn_finish(c, err);
    if (!res)
        return NULL;
    PQclear(res);
    pgconn_begin_waiting(c);
    if (!PQsendDescribePrepared(c->pg, "")) {
        pgconn_lose_unreachable(c, err);
        return NULL;
    }
    return pgconn_finish(c, err);
}

/* ---- text ---------------------------------------------------------------------------------- */

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

void pg_quote_name(struct buf *b, const char *name)
{
    add_quoted(b, name, '"');
}

void pg_quote_literal(struct buf *b, const char *text)
{
    add_quoted(b, text, '\'');
}

void pg_oid_array(struct buf *b, const uint32_t *oids, size_t n)
{
    buf_addc(b, '{');
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "%s%u", i ? "," : "", oids[i]);
    buf_addc(b, '}');
}

#define BRIEF_LOCK_MS 100

long long pgconn_brief_lock_ms(const struct config *cfg)
{
    long long ms = (long long)cfg->postgres_lock_timeout;
    return ms < BRIEF_LOCK_MS ? ms : BRIEF_LOCK_MS;
}
