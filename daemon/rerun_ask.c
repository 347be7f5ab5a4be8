/*
 * rerun_ask: the transaction in which the statements of a job are answered.
 *
 *     names ─▶ BEGIN ─▶ lock each statement's tables ─▶ snapshot ─▶ each statement ─▶ COMMIT
 *
 * A statement that fails must not take the others with it, so each has savepoints around its locks and
 * its run; they keep the transaction's snapshot.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/rerun_int.h"
#include "daemon/snapshot.h"
#include "engine/host/answer.h"
#include "engine/value/json.h"

bool rerun_exec(struct pgconn *c, struct err *err, const char *fmt, ...)
{
    struct buf sql = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&sql, fmt, ap);
    va_end(ap);
    bool ok = pgconn_exec(c, buf_cstr(&sql), err);
    buf_fini(&sql);
    return ok;
}

/* ---- locks --------------------------------------------------------------------------------- */

/* The names of all tables, and of their OIDs those still there. Before BEGIN: it takes a snapshot. */
static PGresult *look_up_names(struct pgconn *c, const struct rerun_job *job, struct err *err)
{
    struct buf oids = {0};
    buf_addc(&oids, '{');
    for (size_t i = 0; i < job->n; i++)
        for (size_t k = 0; k < job->items[i].nleaves; k++)
            buf_addf(&oids, "%s%u", oids.len > 1 ? "," : "", job->items[i].leaves[k]);
    buf_addc(&oids, '}');
    const char *values[] = {buf_cstr(&oids)};
    PGresult *res = pgconn_query(c,
                                 "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || "
                                 "pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c "
                                 "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                                 "WHERE c.oid = ANY ($1::pg_catalog.oid[])",
                                 1, NULL, values, err);
    buf_fini(&oids);
    return res;
}

static const char *name_of(const PGresult *names, uint32_t oid)
{
    for (int i = 0; i < PQntuples(names); i++)
        if (strtoul(PQgetvalue(names, i, 0), NULL, 10) == oid)
            return PQgetvalue(names, i, 1);
    return NULL;
}

static bool lock_table(struct pgconn *c, const PGresult *names, uint32_t oid, struct err *err)
{
    const char *name = name_of(names, oid);
    /* The watch notices it too, and has the last word. */
    if (!name)
        return err_set(err, "55006", "table %u does not exist any more", oid);
    return rerun_exec(c, err, "LOCK TABLE ONLY %s IN ACCESS SHARE MODE", name);
}

/* Errors that may be gone at the next attempt, and that are not the statement's. */
static bool is_passing(const struct err *err)
{
    static const char *const passing[] = {"08", "25", "40",    "53",    "55",   "57P",
                                          "58", "XX", "42P01", "3F000", "42704"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strncmp(err->sqlstate, passing[i], strlen(passing[i])) == 0)
            return true;
    return false;
}

/* Back to before the statement; a session that can't do that is of no use. */
static bool go_back(struct pgconn *c, struct err *err)
{
    return c->pg && rerun_exec(c, err, "ROLLBACK TO SAVEPOINT s") &&
           rerun_exec(c, err, "RELEASE SAVEPOINT s");
}

/* False: the session is lost. */
static bool lock_item(struct pgconn *c, const PGresult *names, struct rerun_item *item,
                      struct err *err)
{
    if (!rerun_exec(c, err, "SAVEPOINT s"))
        return false;
    for (size_t i = 0; i < item->nleaves; i++) {
        if (lock_table(c, names, item->leaves[i], &item->err))
            continue;
        item->outcome = is_passing(&item->err) ? RERUN_AGAIN : RERUN_ENDED;
        return go_back(c, err);
    }
    item->outcome = RERUN_ROWS;
    return rerun_exec(c, err, "RELEASE SAVEPOINT s");
}

/* ---- the snapshot -------------------------------------------------------------------------- */

/*
 * The first statement that takes it. A standby's names no running transactions. What the statements
 * leave unqualified is in pg_catalog, whatever the role's search path begins with.
 */
static bool take_snapshot(struct pgconn *c, struct snapshot *out, struct err *err)
{
    PGresult *res = pgconn_queryf(
        c, err,
        "SELECT pg_catalog.pg_current_snapshot(), "
        "CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN "
        "pg_catalog.pg_current_wal_insert_lsn() END, "
        "(extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint "
        "- 946684800000000, pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', "
        "'pg_catalog', NULLIF(pg_catalog.current_setting('search_path'), '')), true)");
    if (!res)
        return false;
    const char *lsn = PQgetvalue(res, 0, 1);
    bool ok = !PQgetisnull(res, 0, 1) && lsn_parse(lsn, strlen(lsn), &out->insert_lsn) &&
              snapshot_parse(PQgetvalue(res, 0, 0), out);
    out->postmaster_start = strtoll(PQgetvalue(res, 0, 2), NULL, 10);
    PQclear(res);
    return ok || err_set(err, ERR_CANNOT_CONNECT_NOW, "the snapshot can't be read");
}

/* ---- names --------------------------------------------------------------------------------- */

/* An element of an array literal. */
static void add_element(struct buf *b, const char *s)
{
    buf_adds(b, b->len > 1 ? ",\"" : "\"");
    for (; *s; s++)
        buf_addf(b, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    buf_addc(b, '"');
}

static PGresult *find_renamed(struct pgconn *c, const struct rerun_job *job, struct err *err)
{
    struct buf oids = {0}, names = {0}, name = {0};
    buf_addc(&oids, '{');
    buf_addc(&names, '{');
    for (size_t i = 0; i < job->n; i++)
        for (size_t k = 0; k < job->items[i].plan->spec->nsources; k++) {
            const struct plan_source *s = &job->items[i].plan->spec->sources[k];
            buf_reset(&name);
            pg_quote_name(&name, s->schema);
            buf_addc(&name, '.');
            pg_quote_name(&name, s->name);
            buf_addf(&oids, "%s%u", oids.len > 1 ? "," : "", s->table);
            add_element(&names, buf_cstr(&name));
        }
    buf_addc(&oids, '}');
    buf_addc(&names, '}');
    const char *values[] = {buf_cstr(&oids), buf_cstr(&names)};
    PGresult *res =
        pgconn_query(c,
                     "SELECT t.o FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), "
                     "pg_catalog.unnest($2::pg_catalog.text[])) t(o, n) "
                     "WHERE pg_catalog.to_regclass(t.n)::pg_catalog.oid IS DISTINCT FROM t.o",
                     2, NULL, values, err);
    buf_fini(&oids);
    buf_fini(&names);
    buf_fini(&name);
    return res;
}

static bool is_in(const PGresult *oids, uint32_t oid)
{
    for (int i = 0; i < PQntuples(oids); i++)
        if (strtoul(PQgetvalue(oids, i, 0), NULL, 10) == oid)
            return true;
    return false;
}

/* A table that has another name now, or whose name is another's: the text of the statement doesn't
 * mean what it meant. False: the session is lost. */
static bool check_names(struct pgconn *c, struct rerun_job *job, struct err *err)
{
    PGresult *renamed = find_renamed(c, job, err);
    if (!renamed)
        return false;
    for (size_t i = 0; PQntuples(renamed) && i < job->n; i++) {
        struct rerun_item *item = &job->items[i];
        const struct plan_spec *spec = item->plan->spec;
        for (size_t k = 0; item->outcome == RERUN_ROWS && k < spec->nsources; k++) {
            const struct plan_source *s = &spec->sources[k];
            if (!is_in(renamed, s->table))
                continue;
            item->outcome = RERUN_ENDED;
            err_set(&item->err, "42P01", "relation \"%s.%s\" does not exist any more", s->schema,
                    s->name);
        }
    }
    PQclear(renamed);
    return true;
}

/* ---- a statement --------------------------------------------------------------------------- */

#define ARGUMENTS_MAX 100 /* of a function call */

/*
 * The statement with a row's columns as JSON arrays, each of as many as a call may have. Its columns
 * get names of ours: its own may be missing or equal.
 */
static void add_statement(struct buf *b, const struct plan_spec *spec, uint64_t max_rows)
{
    size_t n = spec->ncolumns;
    buf_adds(b, "SELECT pg_catalog.json_build_array(");
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "%sq.c%zu",
                 i == 0                   ? ""
                 : i % ARGUMENTS_MAX == 0 ? "), pg_catalog.json_build_array("
                                          : ", ",
                 i);
    buf_addf(b, ") FROM (%s\n) AS q", spec->question.sql);
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "%sc%zu", i ? ", " : "(", i);
    buf_addf(b, "%s LIMIT %llu", n ? ")" : "", (unsigned long long)max_rows + 1);
}

static void add_row(struct rerun_item *item, const PGresult *row, uint64_t place, struct buf *text,
                    struct buf *scratch)
{
    buf_reset(text);
    buf_addc(text, '[');
    for (int i = 0; i < PQnfields(row); i++) {
        if (i)
            buf_addc(text, ',');
        /* without the brackets */
        json_add_compact(text, PQgetvalue(row, 0, i) + 1, (size_t)PQgetlength(row, 0, i) - 2);
    }
    buf_addc(text, ']');
    if (item->bare)
        bag_add(&item->rows, text->data, text->len, 1);
    else
        answer_add(&item->rows, place, text->data, text->len, scratch);
}

static bool take_rows(struct pgconn *c, struct rerun_item *item, struct err *err)
{
    struct buf text = {0}, scratch = {0};
    const struct plan_rerun *rerun = item->plan->spec->rerun;
    bool ordered = rerun && rerun->ordered;
    uint64_t place = 0;
    const PGresult *row;
    bool ok;
    while ((ok = pgconn_rows_next(c, &row, err)) && row) {
        add_row(item, row, place, &text, &scratch);
        place += ordered;
    }
    pgconn_rows_end(c);
    buf_fini(&text);
    buf_fini(&scratch);
    return ok;
}

/* What the statement's own failure means. */
static enum rerun_outcome outcome_of(const struct err *err, bool parsed)
{
    if (!parsed)
        return is_passing(err) && strncmp(err->sqlstate, "42", 2) != 0 &&
                       strncmp(err->sqlstate, "3F", 2) != 0
                   ? RERUN_AGAIN
                   : RERUN_ENDED;
    if (strcmp(err->sqlstate, "42501") == 0)
        return RERUN_ENDED;
    return is_passing(err) && strncmp(err->sqlstate, "XX", 2) != 0 &&
                   strncmp(err->sqlstate, "42", 2) != 0
               ? RERUN_AGAIN
               : RERUN_FAILED;
}

/* False: the session is lost. */
static bool run_item(struct pgconn *c, const struct config *cfg, struct rerun_item *item,
                     struct err *err)
{
    const struct plan_question *q = &item->plan->spec->question;
    uint64_t began = clock_ms();
    struct buf sql = {0};
    bool parsed;
    if (!rerun_exec(c, err, "SAVEPOINT s"))
        return false;
    add_statement(&sql, item->plan->spec, (uint64_t)cfg->limits_result_rows);
    bool ok = pgconn_rows_begin(c, buf_cstr(&sql), q->nparams, q->param_types, q->params, &parsed,
                                &item->err) &&
              take_rows(c, item, &item->err);
    buf_fini(&sql);
    item->took = clock_ms() - began;
    log_debug("ran again in %llu ms: %.200s", (unsigned long long)item->took, q->sql);
    if (ok)
        return rerun_exec(c, err, "RELEASE SAVEPOINT s");
    bag_clear(&item->rows);
    item->outcome = outcome_of(&item->err, parsed);
    return go_back(c, err);
}

/* ---- the transaction ----------------------------------------------------------------------- */

static bool begin(struct pgconn *c, const struct config *cfg, struct err *err)
{
    return rerun_exec(c, err, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") &&
           rerun_exec(c, err, "SET LOCAL lock_timeout = %lld", pgconn_brief_lock_ms(cfg)) &&
           rerun_exec(c, err, "SET LOCAL statement_timeout = %lld",
                      (long long)cfg->engine_rerun_timeout) &&
           rerun_exec(c, err, "SET LOCAL row_security = off");
}

static bool run_statements(struct pgconn *c, const struct config *cfg, struct rerun_job *job,
                           const PGresult *names, struct err *err)
{
    if (!begin(c, cfg, err))
        return false;
    for (size_t i = 0; i < job->n; i++)
        if (!lock_item(c, names, &job->items[i], err))
            return false;
    if (!take_snapshot(c, &job->snap, err) || !check_names(c, job, err))
        return false;
    for (size_t i = 0; i < job->n; i++)
        if (job->items[i].outcome == RERUN_ROWS && !run_item(c, cfg, &job->items[i], err))
            return false;
    return rerun_exec(c, err, "COMMIT");
}

bool rerun_ask(struct pgconn *c, const struct config *cfg, struct rerun_job *job, struct err *err)
{
    PGresult *names = pgconn_open(c, err) ? look_up_names(c, job, err) : NULL;
    bool ok = names && run_statements(c, cfg, job, names, err);
    PQclear(names);
    pgconn_rollback(c);
    return ok;
}
