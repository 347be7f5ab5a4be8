/*
 * pgconn_error: what Postgres and libpq say, as our errors: one line, the SQLSTATE, and what to do.
 *
 * Why a connection was refused libpq tells only in words, which may be in any language; asked to be
 * verbose it puts the SQLSTATE among them, and that is what the hints go by.
 */
#include "daemon/pgconn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST_SERVER 140000

void pgconn_copy_line(char *dst, size_t size, const char *src)
{
    size_t n = 0;
    for (; *src && n < size - 1; src++)
        dst[n++] = *src == '\n' || *src == '\t' ? ' ' : *src;
    while (n && dst[n - 1] == ' ')
        n--;
    dst[n] = '\0';
}

bool pgconn_result_error(const PGresult *res, const char *fallback, struct err *err)
{
    char line[400];
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
    const char *detail = PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL);
    const char *position = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
    pgconn_copy_line(line, sizeof line, fallback);
    err_set(err, state && strlen(state) == 5 ? state : ERR_CANNOT_CONNECT_NOW, "%s",
            text    ? text
            : *line ? line
                    : "the connection to Postgres was lost");
    if (hint)
        err_hint(err, "%s", hint);
    if (detail)
        err_detail(err, "%s", detail);
    if (position)
        err->position = atoi(position);
    return false;
}

/* ---- a refused connection ------------------------------------------------------------------- */

/* "FATAL:  28P01: password…": the length of "28P01: " at p, or 0. */
static size_t sqlstate_at(const char *p)
{
    for (int i = 0; i < 5; i++)
        if (!isdigit((unsigned char)p[i]) && !isupper((unsigned char)p[i]))
            return 0;
    return p[5] == ':' && p[6] == ' ' ? 7 : 0;
}

/* The text without what being verbose has added; the last SQLSTATE in it, if any, is copied out. */
static void simplify(const char *text, char *out, size_t size, char state[6])
{
    size_t n = 0;
    while (*text && n < size - 1) {
        size_t skip = n >= 3 && memcmp(out + n - 3, ":  ", 3) == 0 ? sqlstate_at(text) : 0;
        if (skip) {
            memcpy(state, text, 5);
            text += skip;
        } else if (*text == '\n' && strncmp(text + 1, "LOCATION:", 9) == 0) {
            text += 1 + strcspn(text + 1, "\n");
        } else {
            out[n++] = *text++;
        }
    }
    out[n] = '\0';
}

/* By SQLSTATE or the beginning of one; NULL: there is nothing to advise. */
static const char *advice(const char *state, enum pgconn_purpose purpose)
{
    static const struct {
        const char *state, *text;
    } known[] = {
        {"28P01",
         "Mend the password in postgres.conninfo or in libpq's password file; both are read "
         "again (the former after SIGHUP) at the next attempt."},
        {"28", "pg_hba.conf must let the role in from this host, and the role must have LOGIN."},
        {"3D000", "Create the database, or mend postgres.conninfo."},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(state, known[i].state, strlen(known[i].state)) == 0)
            return known[i].text;
    if (strcmp(state, "53300") == 0)
        return purpose == PGCONN_STREAM
                   ? "Raise max_wal_senders (or max_connections), or end who takes up the places."
                   : "Raise max_connections, or end who takes up the places.";
    if (strcmp(state, "42501") == 0)
        return purpose == PGCONN_STREAM ? "ALTER ROLE … REPLICATION; for the role we connect as."
                                        : "GRANT CONNECT ON DATABASE … to the role we connect as.";
    return NULL;
}

bool pgconn_connect_error(const PGconn *pg, enum pgconn_purpose purpose, struct err *err)
{
    char text[1000], line[400], state[6] = "";
    simplify(PQerrorMessage(pg), text, sizeof text, state);
    pgconn_copy_line(line, sizeof line, text);
    err_set(err, ERR_CANNOT_CONNECT_NOW, "Postgres can't be reached just now: %s",
            *line ? line : "the connection was lost");
    const char *hint = advice(state, purpose);
    if (hint)
        err_hint(err, "%s", hint);
    return false;
}

/* ---- an unfit server ------------------------------------------------------------------------ */

bool pgconn_is_known_version(int version, struct err *err)
{
    if (version >= OLDEST_SERVER)
        return true;
    return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                   "the server is Postgres %d; only 14 and later can be read from",
                   version / 10000);
}

bool pgconn_is_fit(bool standby, bool logical, struct err *err)
{
    if (standby) {
        err_set(err, ERR_CANNOT_CONNECT_NOW,
                "the server is a standby; a live view needs the primary");
        return err_hint(err, "Promote it, or let postgres.conninfo name the primary.");
    }
    if (!logical) {
        err_set(err, "55000", "wal_level must be logical");
        return err_hint(err, "Set wal_level = logical in postgresql.conf and restart Postgres.");
    }
    return true;
}
