/*
 * publication: see publication.h. What is done at the end is in publication_undo.c.
 *
 *     look up all tables ─▶ missing: add ─▶ trusted
 *                       └▶ there: wait for old writers ─▶ trusted
 */
#include "daemon/publication.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "engine/base/buf.h"

void publication_init(struct publication *p)
{
    memset(p, 0, sizeof *p);
}

void publication_fini(struct publication *p)
{
    VEC_FREE(p->tables);
}

static struct pub_table *find(struct publication *p, uint32_t relid)
{
    for (size_t i = 0; i < p->tables.n; i++) {
        if (p->tables.v[i].relid == relid)
            return &p->tables.v[i];
    }
    VEC_PUSH(p->tables, ((struct pub_table){.relid = relid}));
    return &p->tables.v[p->tables.n - 1];
}

static bool is_true(const PGresult *res, int row, int col)
{
    return PQgetvalue(res, row, col)[0] == 't';
}

/* ---- the publication itself ---------------------------------------------------------------- */

bool publication_is_fit(const char *name, bool all_kinds, bool via_root, struct err *err)
{
    if (!all_kinds) {
        err_set(err, "55000", "publication %s must publish insert, update, delete and truncate",
                name);
        return err_hint(err, "ALTER PUBLICATION … SET (publish = 'insert, update, delete, "
                             "truncate');");
    }
    if (via_root) {
        err_set(err, "55000", "publication %s must not set publish_via_partition_root", name);
        return err_hint(err, "ALTER PUBLICATION … SET (publish_via_partition_root = false);");
    }
    return true;
}

/*
 * Dropped while we stream, so it is made again. The walsender reads the catalog as it was at each
 * change it decodes: if any was made while there was no publication, the stream ends and begins
 * anew, and else there is nothing to be missed.
 */
static bool make_publication(struct pgconn *c, const char *name, struct err *err)
{
    char why[sizeof err->message];
    struct buf sql = {0};
    buf_adds(&sql, "CREATE PUBLICATION ");
    pg_quote_name(&sql, name);
    bool ok = pgconn_exec(c, buf_cstr(&sql), err);
    if (ok) {
        publication_note_created();
        log_info("made the publication %s", name);
    } else if (c->pg) {
        memcpy(why, err->message, sizeof why);
        err_set(err, err->sqlstate, "the publication is not there and can't be made: %.400s", why);
        err_hint(err, "Let the database's owner run: %s", buf_cstr(&sql));
    }
    buf_fini(&sql);
    return ok;
}

static bool check_publication(struct pgconn *c, const char *name, struct err *err)
{
    PGresult *res = pgconn_query(c,
                                 "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate, "
                                 "pubviaroot FROM pg_catalog.pg_publication WHERE pubname = $1",
                                 1, NULL, &name, err);
    if (!res)
        return false;
    bool found = PQntuples(res) == 1;
    bool all = found && is_true(res, 0, 0), via_root = found && is_true(res, 0, 1);
    PQclear(res);
    return found ? publication_is_fit(name, all, via_root, err) : make_publication(c, name, err);
}

/* ---- what the catalog says of the tables --------------------------------------------------- */

enum {
    COL_OID,
    COL_NAME,
    COL_KIND,
    COL_PERSISTENCE,
    COL_IDENTITY,
    COL_ROW_SECURITY,
    COL_PUBLISHED,
    COL_FILTERED,
    COL_SINCE,
    COL_WRITER,
    COL_XMAX
};

/*
 * COL_SINCE: several rows may publish a table (itself, a partitioned table above it, its schema,
 * FOR ALL TABLES); the oldest counts. COL_WRITER: the oldest open transaction that has a lock only
 * writers take. The snapshot is taken before pg_locks is looked at, so who is not there any more
 * has become visible.
 */
static PGresult *look_up(struct pgconn *c, const char *pubname, const char *oids, struct err *err)
{
    static const char schemas[] =
        "UNION ALL SELECT pn.xmin FROM pg_catalog.pg_publication_namespace pn "
        "JOIN pg_catalog.pg_class s ON s.relnamespace = pn.pnnspid "
        "WHERE pn.pnpubid = pub.oid AND s.oid = ANY (up.oids) ";
    struct buf sql = {0};
    buf_addf(
        &sql,
        "SELECT c.oid, " QUOTED_NAME ", c.relkind, c.relpersistence, "
        "c.relreplident = 'f' OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE " IDENTITY_INDEX
        "), pg_catalog.row_security_active(c.oid), published.relid IS NOT NULL, "
        "EXISTS (SELECT FROM pg_catalog.pg_publication_rel pr WHERE pr.prpubid = pub.oid "
        "AND pr.prrelid = ANY (up.oids) AND pg_catalog.jsonb_strip_nulls(pg_catalog.to_jsonb(pr)) "
        "?| '{prqual,prattrs}'), "
        "(SELECT x.xmin FROM (SELECT pr.xmin FROM pg_catalog.pg_publication_rel pr "
        "WHERE pr.prpubid = pub.oid AND pr.prrelid = ANY (up.oids) "
        "UNION ALL SELECT pub.xmin WHERE pub.puballtables "
        "%s) x(xmin) ORDER BY pg_catalog.age(x.xmin) DESC LIMIT 1), "
        "(SELECT t.transactionid FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_locks t "
        "USING (virtualtransaction) WHERE l.locktype = 'relation' AND l.relation = c.oid "
        "AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d "
        "WHERE d.datname = pg_catalog.current_database()) AND l.granted "
        "AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', "
        "'AccessExclusiveLock') AND t.locktype = 'transactionid' AND t.mode = 'ExclusiveLock' "
        "AND t.granted ORDER BY pg_catalog.age(t.transactionid) DESC LIMIT 1), "
        "pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_publication pub ON pub.pubname = $1 "
        "CROSS JOIN LATERAL (SELECT pg_catalog.array_append(ARRAY(SELECT a.relid::pg_catalog.oid "
        "FROM pg_catalog.pg_partition_ancestors(c.oid) a), c.oid)) up(oids) "
        "LEFT JOIN pg_catalog.pg_get_publication_tables($1) published "
        "ON published.relid = c.oid WHERE c.oid = ANY ($2::pg_catalog.oid[])",
        c->server_version >= 150000 ? schemas : "");
    const char *values[] = {pubname, oids};
    PGresult *res = pgconn_query(c, buf_cstr(&sql), 2, NULL, values, err);
    buf_fini(&sql);
    return res;
}

/* The 64-bit xid nearest to xmax; one that comes out in the future is ancient and frozen: 0. */
static uint64_t widen(uint32_t xid, uint64_t xmax)
{
    int64_t wide = (int64_t)xmax + (int32_t)(xid - (uint32_t)xmax);
    return wide >= (int64_t)xmax || wide < 3 ? 0 : (uint64_t)wide;
}

/*
 * A table that is in the publication already. The first time it is seen there, every open writer
 * may have begun before it was: wait for those. The stream delivers what began later whole.
 */
static bool trust_published(struct pub_table *pt, const PGresult *res, int row, struct reading *r)
{
    uint32_t since = (uint32_t)strtoul(PQgetvalue(res, row, COL_SINCE), NULL, 10);
    uint64_t xmax = strtoull(PQgetvalue(res, row, COL_XMAX), NULL, 10);
    uint64_t writer = 0;
    if (pt->added && pt->since == 0)
        pt->since = since;
    if (pt->since != since || (!pt->whole && !pt->seen)) /* new here, or gone and back */
        *pt = (struct pub_table){.relid = pt->relid, .since = since, .seen = xmax};
    if (pt->whole)
        return true;
    if (!PQgetisnull(res, row, COL_WRITER))
        writer = widen((uint32_t)strtoul(PQgetvalue(res, row, COL_WRITER), NULL, 10), xmax);
    if (writer && writer < pt->seen) {
        err_set(&r->t->err, "55P03",
                "transaction %" PRIu64 " has been writing to table %s since before it was known "
                "to be published",
                writer, r->name);
        return reading_fail(r);
    }
    pt->whole = true;
    return true;
}

/* ---- adding -------------------------------------------------------------------------------- */

static bool has_this_oid(struct pgconn *c, const struct reading *r, struct err *err)
{
    const char *values[] = {r->name};
    PGresult *res =
        pgconn_query(c, "SELECT $1::pg_catalog.regclass::pg_catalog.oid", 1, NULL, values, err);
    if (!res)
        return false;
    bool same = strtoul(PQgetvalue(res, 0, 0), NULL, 10) == r->t->relid;
    PQclear(res);
    return same || err_set(err, "55000", "table %s was renamed meanwhile", r->name);
}

static bool add_table(struct pgconn *c, const struct config *cfg, const struct reading *r,
                      const char *pub, struct err *err)
{
    return hydrate_exec(c, err, "BEGIN") &&
           hydrate_exec(c, err, "SET LOCAL lock_timeout = %lld",
                        (long long)cfg->postgres_lock_timeout) &&
           hydrate_exec(c, err, "LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE", r->name) &&
           has_this_oid(c, r, err) &&
           hydrate_exec(c, err, "ALTER PUBLICATION %s ADD TABLE ONLY %s", pub, r->name) &&
           hydrate_exec(c, err, "COMMIT");
}

static bool publish(struct pub_table *pt, struct pgconn *c, const struct config *cfg,
                    struct reading *r)
{
    struct err *err = &r->t->err;
    struct buf pub_name = {0};
    pg_quote_name(&pub_name, cfg->postgres_publication);
    const char *pub = buf_cstr(&pub_name);
    bool ok = add_table(c, cfg, r, pub, err);
    if (ok) {
        *pt = (struct pub_table){.relid = pt->relid, .whole = true, .added = true};
        log_info("added table %s to publication %s", r->name, cfg->postgres_publication);
    } else {
        pgconn_rollback(c);
        if (strcmp(err->sqlstate, "42501") == 0) {
            char why[sizeof err->message];
            memcpy(why, err->message, sizeof why);
            err_set(err, "42501", "table %s is not in publication %s and can't be added: %.300s",
                    r->name, cfg->postgres_publication, why);
            err_hint(err, "Let their owner run: ALTER PUBLICATION %s ADD TABLE ONLY %s;", pub,
                     r->name);
        }
        reading_fail(r);
    }
    buf_fini(&pub_name);
    return ok;
}

/* ---- one table, all tables ----------------------------------------------------------------- */

static bool is_readable(const PGresult *res, int row, struct reading *r)
{
    char kind = PQgetvalue(res, row, COL_KIND)[0];
    if (kind != 'r')
        return reading_refuse(r, ERR_FEATURE_NOT_SUPPORTED, "%s is not an ordinary table", r->name);
    if (PQgetvalue(res, row, COL_PERSISTENCE)[0] != 'p')
        return reading_refuse(r, ERR_FEATURE_NOT_SUPPORTED,
                              "table %s is temporary or unlogged: its changes are not in the WAL",
                              r->name);
    if (is_true(res, row, COL_ROW_SECURITY))
        return reading_refuse(r, "42501", "row-level security hides rows of table %s from us",
                              r->name);
    if (is_true(res, row, COL_FILTERED)) {
        reading_refuse(r, ERR_FEATURE_NOT_SUPPORTED,
                       "table %s is published with a row filter or a column list", r->name);
        return err_hint(&r->t->err, "Publish it whole, or name another publication in "
                                    "postgres.publication.");
    }
    return true;
}

static bool ensure_table(struct publication *p, struct pgconn *c, const struct config *cfg,
                         const PGresult *res, int row, struct reading *r)
{
    if (!is_readable(res, row, r))
        return false;
    struct pub_table *pt = find(p, r->t->relid);
    if (is_true(res, row, COL_PUBLISHED))
        return trust_published(pt, res, row, r);
    if (!is_true(res, row, COL_IDENTITY)) {
        reading_refuse(r, ERR_FEATURE_NOT_SUPPORTED,
                       "table %s has no replica identity: the rows that are changed or deleted "
                       "can't be told from the WAL",
                       r->name);
        return err_hint(&r->t->err, "ALTER TABLE %s REPLICA IDENTITY FULL;", r->name);
    }
    return publish(pt, c, cfg, r);
}

static int row_of(const PGresult *res, uint32_t relid)
{
    for (int i = 0; i < PQntuples(res); i++) {
        if (strtoul(PQgetvalue(res, i, COL_OID), NULL, 10) == relid)
            return i;
    }
    return -1;
}

static PGresult *look_up_all(struct pgconn *c, const char *pub, const struct reading *r, size_t n,
                             struct err *err)
{
    VEC(uint32_t) relids = {0};
    struct buf oids = {0};
    for (size_t i = 0; i < n; i++)
        VEC_PUSH(relids, r[i].t->relid);
    pg_oid_array(&oids, relids.v, relids.n);
    PGresult *res = look_up(c, pub, buf_cstr(&oids), err);
    buf_fini(&oids);
    VEC_FREE(relids);
    return res;
}

/* A publication of the wrong kind is the operator's to mend: nobody should wait for it. */
static bool refuse_all(struct reading *r, size_t n, struct err *err)
{
    if (strcmp(err->sqlstate, "55000") != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        reading_refuse(&r[i], err->sqlstate, "%s", err->message);
        err_hint(&r[i].t->err, "%s", err->hint);
    }
    err_clear(err); /* it is the tables' now */
    return true;
}

bool publication_ensure(struct publication *p, struct pgconn *c, const struct config *cfg,
                        struct reading *r, size_t n, struct err *err)
{
    if (!check_publication(c, cfg->postgres_publication, err))
        return refuse_all(r, n, err);
    PGresult *res = look_up_all(c, cfg->postgres_publication, r, n, err);
    if (!res)
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        int row = row_of(res, r[i].t->relid);
        if (row < 0) {
            reading_refuse(&r[i], "42P01", "table %u does not exist any more", r[i].t->relid);
            continue;
        }
        r[i].name = xstrdup(PQgetvalue(res, row, COL_NAME));
        if (!ensure_table(p, c, cfg, res, row, &r[i]) && !c->pg) {
            *err = r[i].t->err;
            ok = false;
        }
    }
    PQclear(res);
    return ok;
}
