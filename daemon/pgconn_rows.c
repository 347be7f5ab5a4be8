/*
 * pgconn_rows: results that are taken row by row, so that they need no memory as a whole: COPY, and
 * a statement's rows one at a time.
 */
#include <poll.h>

#include "daemon/pgconn_int.h"

#define PATIENCE_MAX 6 /* doublings */

/* ---- COPY ---------------------------------------------------------------------------------- */

bool pgconn_copy_begin(struct pgconn *c, const char *sql, struct err *err)
{
    PGresult *res = pgconn_query(c, sql, 0, NULL, NULL, err);
    bool ok = res && PQresultStatus(res) == PGRES_COPY_OUT;
    if (res && !ok)
        err_set(err, ERR_PROTOCOL, "Postgres did not begin a COPY");
    PQclear(res);
    return ok;
}

/* A table may have no row for us in a whole terabyte, and then it is right to be silent: the next
 * attempt waits longer. */
static bool lose_silent(struct pgconn *c, struct err *err)
{
    if (!pgstop_is_triggered(c->stop) && c->patience < PATIENCE_MAX)
        c->patience++;
    return pgconn_lose(c, err);
}

/* PQgetCopyData() allocates each row; the last one is freed by the next call. */
bool pgconn_copy_row(struct pgconn *c, char **row, size_t *len, struct err *err)
{
    int n;
    PQfreemem(c->row);
    c->row = NULL;
    while ((n = PQgetCopyData(c->pg, &c->row, 1)) == 0) {
        pgconn_begin_waiting(c);
        if (!pgconn_wait_socket(c, POLLIN, c->deadline, err))
            return lose_silent(c, err);
        if (!PQconsumeInput(c->pg))
            return pgconn_lose_unreachable(c, err);
    }
    *row = c->row;
    *len = n > 0 ? (size_t)n : 0;
    if (n > 0)
        return true;
    PGresult *res = pgconn_finish(c, err); /* the end, good or bad */
    PQclear(res);
    if (res)
        c->patience = 0;
    return res != NULL;
}

/* ---- rows ---------------------------------------------------------------------------------- */

bool pgconn_rows_begin(struct pgconn *c, const char *sql, size_t nparams, const uint32_t *types,
                       const char *const *params, bool *parsed, struct err *err)
{
    *parsed = false;
    if (!c->pg) {
        *err = c->last;
        return false;
    }
    pgconn_begin_waiting(c);
    if (!PQsendPrepare(c->pg, "", sql, (int)nparams, types))
        return pgconn_lose_unreachable(c, err);
    PGresult *res = pgconn_finish(c, err);
    PQclear(res);
    if (!res)
        return false;
    *parsed = true;
    pgconn_begin_waiting(c);
    if (!PQsendQueryPrepared(c->pg, "", (int)nparams, params, NULL, NULL, 0) ||
        !PQsetSingleRowMode(c->pg))
        return pgconn_lose_unreachable(c, err);
    return pgconn_flush(c, err);
}

bool pgconn_rows_next(struct pgconn *c, const PGresult **row, struct err *err)
{
    PQclear(c->result);
    c->result = NULL;
    *row = NULL;
    if (!pgconn_wait_result(c, err))
        return false;
    c->result = PQgetResult(c->pg);
    switch (c->result ? PQresultStatus(c->result) : PGRES_TUPLES_OK) {
    case PGRES_SINGLE_TUPLE: *row = c->result; return true;
    case PGRES_TUPLES_OK: return true; /* the end */
    default: break;
    }
    pgconn_result_error(c->result, PQerrorMessage(c->pg), err);
    return PQstatus(c->pg) == CONNECTION_OK ? false : pgconn_lose_unreachable(c, err);
}

void pgconn_rows_end(struct pgconn *c)
{
    struct err ignored;
    PQclear(c->result);
    c->result = NULL;
    if (c->pg && PQtransactionStatus(c->pg) == PQTRANS_ACTIVE)
        PQclear(pgconn_finish(c, &ignored));
}
