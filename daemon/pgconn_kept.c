/*
 * pgconn_kept: questions that a session asks again and again, see pgconn.h. Of a question about the
 * catalog most of the time goes into parsing and planning it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/pgconn.h"
#include "daemon/pgconn_int.h"

static bool is_new(const struct pgconn *c)
{
    return c->kept_session != c->sessions;
}

/* The name of the statement is its place. */
static void name_of(size_t place, char name[32])
{
    snprintf(name, 32, "palimpsest_%zu", place);
}

static size_t find(struct pgconn *c, const char *sql)
{
    if (is_new(c))
        c->kept.n = 0;
    c->kept_session = c->sessions;
    for (size_t i = 0; i < c->kept.n; i++)
        if (c->kept.v[i] == sql)
            return i;
    return c->kept.n;
}

static bool prepare(struct pgconn *c, const char *sql, const char *name, struct err *err)
{
    pgconn_begin_waiting(c);
    if (!PQsendPrepare(c->pg, name, sql, 0, NULL))
        return pgconn_lose_unreachable(c, err);
    PGresult *res = pgconn_finish(c, err);
    PQclear(res);
    if (res)
        VEC_PUSH(c->kept, sql);
    return res != NULL;
}

PGresult *pgconn_query_kept(struct pgconn *c, const char *sql, size_t nparams,
                            const char *const *params, struct err *err)
{
    char name[32];
    if (!c->pg) {
        *err = c->last;
        return NULL;
    }
    size_t place = find(c, sql);
    name_of(place, name);
    if (place == c->kept.n && !prepare(c, sql, name, err))
        return NULL;
    pgconn_begin_waiting(c);
    if (!PQsendQueryPrepared(c->pg, name, (int)nparams, params, NULL, NULL, 0)) {
        pgconn_lose_unreachable(c, err);
        return NULL;
    }
    return pgconn_finish(c, err);
}

PGresult *pgconn_query_about(struct pgconn *c, const char *sql, uint32_t oid, struct err *err)
{
    char text[16];
    const char *const params[] = {text};
    snprintf(text, sizeof text, "%u", oid);
    return pgconn_query_kept(c, sql, 1, params, err);
}
