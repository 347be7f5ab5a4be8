/*
 * world: see world.h.
 */
#include "tests/faults/world.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "engine/base/buf.h"
#include "engine/base/vec.h"
#include "tests/faults/report.h"
#include "tests/faults/statements.h"

#define LOG_LINES 40

/* ---- the daemon ---------------------------------------------------------------------------- */

/* Small limits, so that they are met; a choice of them, so that combinations are. */
static const char *const choices[][3] = {
    {"engine.workers=1", "engine.workers=2", "engine.workers=3"},
    {"engine.io_threads=1", "engine.io_threads=2", "engine.io_threads=2"},
    {"limits.output_bytes=64k", "limits.output_bytes=256k", "limits.output_bytes=16M"},
    {"limits.history_bytes=0", "limits.history_bytes=64k", "limits.history_bytes=4M"},
    {"postgres.ring_bytes=64k", "postgres.ring_bytes=1M", "postgres.ring_bytes=64M"},
    {"postgres.pending_bytes=1M", "postgres.pending_bytes=256M", "postgres.pending_bytes=256M"},
    {"engine.backlog_steps=1", "engine.backlog_steps=8", "engine.backlog_steps=64"},
    {"engine.backlog_bytes=1M", "engine.backlog_bytes=64M", "engine.backlog_bytes=64M"},
    {"postgres.flush_interval=0", "postgres.flush_interval=0", "postgres.flush_interval=50ms"},
    {"postgres.slot=", "postgres.slot=", "postgres.slot=faults"},
    {"engine.linger=0", "engine.linger=2s", "engine.linger=10s"},
    {"engine.audit_interval=0", "engine.audit_interval=0", "engine.audit_interval=100ms"},
};
#define NCHOICES (sizeof choices / sizeof choices[0])

static void start_daemon(struct world *w)
{
    char conninfo[100];
    const char *sets[NCHOICES + 8];
    size_t n = 0;
    for (; n < NCHOICES && !w->production; n++)
        sets[n] = choices[n][rng_below(&w->rng, 3)];
    if (w->production) { /* but what is kept for a while must be full soon, to see it level */
        sets[n++] = "limits.history_bytes=128k";
        sets[n++] = "limits.history_age=1min";
        sets[n++] = "postgres.ring_bytes=8M";
        sets[n++] = "limits.delegated_bytes=4M";
        sets[n++] = "engine.audit_interval=2s";
    }
    sets[n++] = "postgres.transaction_bytes=1M";
    sets[n++] = "postgres.reconnect_max=400ms";
    sets[n++] = "postgres.schema_poll=100ms";
    sets[n++] = "engine.rerun_interval=300ms";
    sets[n++] = "daemon.drain_timeout=500ms";
    sets[n] = NULL;
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%d user=postgres dbname=postgres",
             net_port(w->pg_net));
    w->daemon = daemon_start(conninfo, sets, false);
    net_target_tcp(w->client_net, w->daemon->port);
    atomic_store(&w->port, w->daemon->port);
}

/* It has ended. Its log is shown if it did not end well. */
static void retire_daemon(struct world *w, const char *how, int status)
{
    struct daemon_proc *d = w->daemon;
    bool complained =
        daemon_log_contains(d, "Sanitizer") || daemon_log_contains(d, "runtime error:");
    d->pid = 0;
    w->daemon = NULL;
    if (!complained && status == 0) {
        daemon_free(d);
        return;
    }
    report_wrong("the daemon %s (status %x)", how, (unsigned)status);
    daemon_show_log(d);
    fflush(stderr);
    close(d->log);
    free(d);
}

void world_restart_daemon(struct world *w, int how)
{
    kill(w->daemon->pid, SIGCONT); /* if it is stopped it can't end */
    if (how == SIGKILL) {
        daemon_kill(w->daemon);
        retire_daemon(w, "complained", 0);
    } else {
        retire_daemon(w, "did not end well", daemon_stop(w->daemon));
    }
    w->restarts++;
    start_daemon(w);
}

void world_check_daemon(struct world *w)
{
    int status;
    if (waitpid(w->daemon->pid, &status, WNOHANG) != w->daemon->pid)
        return;
    retire_daemon(w, "died", status ? status : -1);
    start_daemon(w);
}

/* ---- Postgres ------------------------------------------------------------------------------ */

void world_restart_postgres(struct world *w, int how)
{
    kill(w->cluster->pid, SIGCONT); /* who is stopped can't end */
    cluster_signal_backends(w->cluster, SIGCONT);
    if (how == SIGKILL)
        cluster_kill(w->cluster);
    else
        cluster_stop(w->cluster, how);
    cluster_run(w->cluster);
}

static void ignore_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

PGconn *world_connect(const struct world *w)
{
    PGconn *db = PQconnectdb(w->cluster->conninfo);
    if (PQstatus(db) == CONNECTION_OK) {
        PQsetNoticeProcessor(db, ignore_notice, NULL);
        if (world_try(db, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET extra_float_digits = 1;"
                          "SET client_min_messages = error"))
            return db;
    }
    PQfinish(db);
    return NULL;
}

static PGresult *run(PGconn *db, const char *fmt, va_list ap)
{
    struct buf b;
    buf_init(&b);
    buf_addv(&b, fmt, ap);
    PGresult *res = db ? PQexec(db, buf_cstr(&b)) : NULL;
    buf_fini(&b);
    return res;
}

bool world_try(PGconn *db, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    PGresult *res = run(db, fmt, ap);
    va_end(ap);
    ExecStatusType st = PQresultStatus(res);
    PQclear(res);
    return st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK || st == PGRES_EMPTY_QUERY;
}

long world_change(PGconn *db, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    PGresult *res = run(db, fmt, ap);
    va_end(ap);
    long n = PQresultStatus(res) == PGRES_COMMAND_OK ? strtol(PQcmdTuples(res), NULL, 10) : -1;
    PQclear(res);
    return n;
}

long world_ask(PGconn *db, long otherwise, const char *sql)
{
    PGresult *res = db ? PQexec(db, sql) : NULL;
    if (PQntuples(res) > 0 && !PQgetisnull(res, 0, 0))
        otherwise = strtol(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    return otherwise;
}

/* ---- all of it ----------------------------------------------------------------------------- */

void world_begin(struct world *w, uint64_t seed, bool production)
{
    static const char *const settings[] = {
        "wal_writer_delay = 50ms",      "deadlock_timeout = 100ms",
        "max_wal_size = 4GB",           "restart_after_crash = on",
        "log_min_messages = log",       "wal_sender_timeout = 5s",
        "max_slot_wal_keep_size = 2GB", NULL};
    char path[200];
    *w = (struct world){.rng = rng_from(seed, 1), .production = production};
    w->cluster = cluster_start(settings);
    PGconn *db = cluster_connect(w->cluster);
    statements_make_tables(db);
    PQfinish(db);
    w->pg_net = net_start(seed);
    w->client_net = net_start(seed + 1);
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432", w->cluster->dir);
    net_target_unix(w->pg_net, path);
    start_daemon(w);
}

void world_end(struct world *w)
{
    world_check_daemon(w);
    retire_daemon(w, "did not end well", daemon_stop(w->daemon));
    net_free(w->client_net);
    net_free(w->pg_net);
    cluster_free(w->cluster);
}

static void show_tail(FILE *f, const char *name)
{
    char line[600], *last[LOG_LINES] = {0};
    size_t n = 0;
    while (f && fgets(line, sizeof line, f)) {
        free(last[n % LOG_LINES]);
        last[n++ % LOG_LINES] = xstrdup(line);
    }
    printf("---- the end of %s:\n", name);
    for (size_t i = n > LOG_LINES ? n - LOG_LINES : 0; i < n; i++)
        fputs(last[i % LOG_LINES], stdout);
    for (size_t i = 0; i < LOG_LINES; i++)
        free(last[i]);
}

/* Who waits for whom. */
static void show_sessions(const struct world *w)
{
    PGconn *db = world_connect(w);
    PGresult *res =
        db ? PQexec(db, "SELECT concat_ws(' ', pid, application_name, state, wait_event, "
                        "pg_blocking_pids(pid), left(query, 200)) FROM pg_stat_activity WHERE "
                        "backend_type IN ('client backend', 'walsender') ORDER BY pid")
           : NULL;
    printf("---- sessions:\n");
    for (int i = 0; i < PQntuples(res); i++)
        printf("%s\n", PQgetvalue(res, i, 0));
    PQclear(res);
    PQfinish(db);
}

void world_show_logs(const struct world *w)
{
    char path[200];
    snprintf(path, sizeof path, "/proc/self/fd/%d", w->daemon->log);
    FILE *f = fopen(path, "r");
    show_tail(f, "the daemon's log");
    if (f)
        fclose(f);
    snprintf(path, sizeof path, "%s/log", w->cluster->dir);
    f = fopen(path, "r");
    show_tail(f, "Postgres's log");
    if (f)
        fclose(f);
    show_sessions(w);
    printf("----\n");
    fflush(stdout);
}
