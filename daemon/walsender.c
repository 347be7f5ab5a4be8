/*
 * walsender: the frame of the stream and the end of it. Opening is in walsender_open.c.
 */
#include "daemon/walsender_int.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/log.h"
#include "protocol/pgoutput.h"

#define POSTGRES_EPOCH 946684800 /* 2000-01-01 in Unix time */

int walsender_fd(const struct walsender *w)
{
    return PQsocket(w->conn);
}

bool walsender_wants_write(const struct walsender *w)
{
    return w->wants_write;
}

static bool gone(struct walsender *w, struct err *err)
{
    return err_set(err, ERR_CANNOT_CONNECT_NOW, "the replication connection is lost: %s",
                   walsender_message(w));
}

bool walsender_receive(struct walsender *w, struct err *err)
{
    return PQconsumeInput(w->conn) ? true : gone(w, err);
}

static enum walsender_event stream_ended(struct walsender *w, struct err *err)
{
    PGresult *res = PQgetResult(w->conn);
    if (PQresultStatus(res) == PGRES_FATAL_ERROR) {
        walsender_result_error(w, res, "the replication stream has ended", err);
    } else {
        gone(w, err);
    }
    PQclear(res);
    return WALSENDER_GONE;
}

enum walsender_event walsender_next(struct walsender *w, struct walsender_msg *m, struct err *err)
{
    PQfreemem(w->msg);
    w->msg = NULL;
    int n = PQgetCopyData(w->conn, &w->msg, 1);
    if (n == 0)
        return WALSENDER_NOTHING;
    if (n < 0)
        return stream_ended(w, err);
    struct frame f;
    if (!frame_decode(w->msg, (size_t)n, &f, err))
        return WALSENDER_GONE;
    m->data = (const char *)f.data;
    m->len = f.len;
    m->lsn = f.end;
    m->wants_reply = f.reply;
    return f.kind == FRAME_WAL ? WALSENDER_DATA : WALSENDER_ALIVE;
}

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ((int64_t)ts.tv_sec - POSTGRES_EPOCH) * 1000000 + ts.tv_nsec / 1000;
}

bool walsender_acknowledge(struct walsender *w, lsn_t lsn, bool ask, struct err *err)
{
    uint8_t reply[STANDBY_STATUS_LEN];
    /* Flushed and applied too: the state is in memory only, and read again if it is lost. */
    standby_status_encode(reply, lsn, lsn, lsn, now_us(), ask);
    if (PQputCopyData(w->conn, (const char *)reply, sizeof reply) < 0)
        return gone(w, err);
    return walsender_flush(w, err);
}

bool walsender_flush(struct walsender *w, struct err *err)
{
    int rc = PQflush(w->conn);
    w->wants_write = rc > 0;
    return rc >= 0 ? true : gone(w, err);
}

/* ---- the end ------------------------------------------------------------------------------- */

static int64_t monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool wait_until(struct walsender *w, int64_t deadline)
{
    int64_t left = deadline - monotonic_ms();
    struct pollfd p = {.fd = PQsocket(w->conn), .events = POLLIN};
    if (PQflush(w->conn) > 0)
        p.events |= POLLOUT;
    if (left <= 0 || poll(&p, 1, (int)left) <= 0)
        return false;
    return PQconsumeInput(w->conn) == 1;
}

/* Reads and drops what is still in the stream. */
static bool end_copy(struct walsender *w, int64_t deadline)
{
    if (PQputCopyEnd(w->conn, NULL) < 0)
        return false;
    for (;;) {
        char *msg = NULL;
        int n = PQgetCopyData(w->conn, &msg, 1);
        PQfreemem(msg);
        if (n < 0)
            return n == -1;
        if (n == 0 && !wait_until(w, deadline))
            return false;
    }
}

static bool drain_results(struct walsender *w, int64_t deadline)
{
    for (;;) {
        while (PQisBusy(w->conn)) {
            if (!wait_until(w, deadline))
                return false;
        }
        PGresult *res = PQgetResult(w->conn);
        if (!res)
            return true;
        PQclear(res);
    }
}

static bool drop_slot(struct walsender *w, int64_t deadline)
{
    char sql[200];
    if (!end_copy(w, deadline) || !drain_results(w, deadline))
        return false;
    snprintf(sql, sizeof sql, "DROP_REPLICATION_SLOT %s", w->slot);
    return PQsendQuery(w->conn, sql) && drain_results(w, deadline);
}

void walsender_close(struct walsender *w, bool drop, int timeout_ms)
{
    if (!w)
        return;
    PQfreemem(w->msg);
    if (drop && !drop_slot(w, monotonic_ms() + timeout_ms))
        log_warn("the stream could not be ended in time; if replication slot %s is not temporary, "
                 "it is still there",
                 w->slot);
    PQfinish(w->conn);
    free(w);
}
