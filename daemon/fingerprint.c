/*
 * fingerprint: see fingerprint.h. One query for any number of relations.
 */
#include "daemon/fingerprint.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/catalog_load.h"
#include "daemon/config.h"

/*
 * One row for each relid, in order. $1: relids, $2: publication. Nothing in it depends on settings
 * of the session: names and numbers only.
 */
static const char fingerprint_sql[] =
    "WITH published(relid) AS MATERIALIZED (SELECT t.relid FROM pg_catalog.pg_publication p, "
    "pg_catalog.pg_get_publication_tables(p.pubname::pg_catalog.text) t "
    "WHERE p.pubname = $2 AND NOT p.puballtables) "
    "SELECT u.oid, "
    "pg_catalog.concat_ws(' ', c.relname, c.relnamespace, c.relkind, c.relpersistence, "
    "c.relreplident, CASE WHEN c.relkind IN ('r', 'p') THEN c.relfilenode END, c.relrowsecurity, "
    /* identity */
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(x.indexrelid, ':', x.indkey), ',' ORDER BY "
    "x.indexrelid) FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisvalid AND "
    "(x.indisreplident OR x.indisprimary)), "
    "CASE WHEN c.oid IN (SELECT relid FROM published) THEN 'published' ELSE '' END, "
    "pg_catalog.has_table_privilege(c.oid, 'SELECT'), "
    /* one that was taken out and put back has another OID there */
    "(SELECT pg_catalog.string_agg(pr.oid::pg_catalog.text, ',' ORDER BY pr.oid) FROM "
    "pg_catalog.pg_publication_rel pr JOIN pg_catalog.pg_publication p ON p.oid = pr.prpubid "
    "WHERE p.pubname = $2 AND (pr.prrelid = c.oid OR pr.prrelid IN (SELECT "
    "a.relid::pg_catalog.oid FROM pg_catalog.pg_partition_ancestors(c.oid) a))), "
    "%s"
    /* what the publication publishes: every ALTER of it makes another row version */
    "(SELECT pg_catalog.concat(p.oid, ':', p.xmin) FROM pg_catalog.pg_publication p "
    "WHERE p.pubname = $2), "
    /* enums and arrays of them */
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(e.enumtypid, ':', e.enumlabel), ',' ORDER BY "
    "e.oid) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "JOIN pg_catalog.pg_enum e ON e.enumtypid IN (t.oid, t.typelem, t.typbasetype) "
    "WHERE a.attrelid = c.oid AND a.attnum > 0 AND t.oid >= 16384), "
    /* composites and arrays of them */
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(f.attrelid, ':', f.attname, ':', f.atttypid), "
    "',' ORDER BY f.attrelid, f.attnum) FROM pg_catalog.pg_attribute a "
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "JOIN pg_catalog.pg_type s ON s.oid IN (t.oid, t.typelem, t.typbasetype) AND s.typtype = 'c' "
    "JOIN pg_catalog.pg_attribute f ON f.attrelid = s.typrelid AND f.attnum > 0 AND NOT "
    "f.attisdropped WHERE a.attrelid = c.oid AND a.attnum > 0 AND t.oid >= 16384)), "
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(a.attnum, ' ', a.attname, ' ', a.atttypid, "
    "' ', a.atttypmod, ' ', a.attcollation, E'\\n'), '' ORDER BY a.attnum) FROM "
    "pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), "
    /* leaves */
    "(WITH RECURSIVE t(oid) AS (SELECT u.oid UNION SELECT i.inhrelid FROM "
    "pg_catalog.pg_inherits i JOIN t ON i.inhparent = t.oid WHERE NOT i.inhdetachpending) SELECT "
    "pg_catalog.string_agg(t.oid::pg_catalog.text, ',' ORDER BY t.oid) FROM t JOIN "
    "pg_catalog.pg_class k ON k.oid = t.oid WHERE k.relkind <> 'p'), "
    "COALESCE((SELECT pg_catalog.md5(r.ev_action::pg_catalog.text) FROM pg_catalog.pg_rewrite r "
    "WHERE r.ev_class = c.oid AND r.rulename = '_RETURN'), "
    "(SELECT " CATALOG_FUNCTION_MARK " FROM pg_catalog.pg_proc p WHERE p.oid = u.oid)), c.oid "
    "FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u(oid) LEFT JOIN pg_catalog.pg_class c ON "
    "c.oid = u.oid ORDER BY u.oid";

/* Likewise of its schema, which a publication can have since Postgres 15. */
static const char schema_sql[] =
    "(SELECT pg_catalog.string_agg(pn.oid::pg_catalog.text, ',' ORDER BY pn.oid) FROM "
    "pg_catalog.pg_publication_namespace pn JOIN pg_catalog.pg_publication p ON p.oid = pn.pnpubid "
    "JOIN pg_catalog.pg_class s ON s.relnamespace = pn.pnnspid WHERE p.pubname = $2 AND "
    "(s.oid = c.oid OR s.oid IN (SELECT a.relid::pg_catalog.oid FROM "
    "pg_catalog.pg_partition_ancestors(c.oid) a))), ";

static struct fingerprint read_row(const PGresult *res, int row)
{
    bool there = !PQgetisnull(res, row, 5);
    struct fingerprint f = {
        .relid = (uint32_t)strtoul(PQgetvalue(res, row, 0), NULL, 10),
        .core = xstrdup(there ? PQgetvalue(res, row, 1) : ""),
        .columns = xstrdup(PQgetvalue(res, row, 2)),
        .tree = xstrdup(PQgetvalue(res, row, 3)),
    };
    snprintf(f.mark, sizeof f.mark, "%s", PQgetvalue(res, row, 4));
    return f;
}

bool fingerprints_load(struct fingerprints *out, struct pgconn *c, const uint32_t *relids, size_t n,
                       struct err *err)
{
    struct buf oids = {0}, sql = {0};
    const struct config *cfg = config_current();
    pg_oid_array(&oids, relids, n);
    buf_addf(&sql, fingerprint_sql, c->server_version >= 150000 ? schema_sql : "");
    const char *const values[] = {buf_cstr(&oids), cfg->postgres_publication};
    PGresult *res = pgconn_query(c, buf_cstr(&sql), 2, NULL, values, err);
    config_unref(cfg);
    buf_fini(&oids);
    buf_fini(&sql);
    for (int row = 0; res && row < PQntuples(res); row++)
        VEC_PUSH(out->v, read_row(res, row));
    PQclear(res);
    return res != NULL;
}

static void fingerprint_fini(struct fingerprint *f)
{
    free(f->core);
    free(f->columns);
    free(f->tree);
}

void fingerprints_free(struct fingerprints *f)
{
    for (size_t i = 0; i < f->v.n; i++)
        fingerprint_fini(&f->v.v[i]);
    VEC_FREE(f->v);
}

/* Where the relation is, or would go. */
static size_t place(const struct fingerprints *f, uint32_t relid)
{
    size_t low = 0, high = f->v.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (f->v.v[mid].relid < relid)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct fingerprint *fingerprints_find(const struct fingerprints *f, uint32_t relid)
{
    size_t i = place(f, relid);
    return i < f->v.n && f->v.v[i].relid == relid ? &f->v.v[i] : NULL;
}

/* Every line of `before` is also in `after`: columns may have been added, nothing else. */
static bool keeps_columns(const char *before, const char *after)
{
    while (*before) {
        size_t len = strcspn(before, "\n") + 1;
        const char *p = after;
        while (*p && strncmp(p, before, len) != 0)
            p += strcspn(p, "\n") + 1;
        if (!*p)
            return false;
        before += len;
    }
    return true;
}

bool fingerprint_holds(const struct fingerprint *before, const struct fingerprint *after)
{
    return !before->torn && strcmp(before->core, after->core) == 0 &&
           keeps_columns(before->columns, after->columns);
}

/* ---- notes --------------------------------------------------------------------------------- */

static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fingerprints notes; /* under the lock */

/* Takes f over. Of rows read at the one and rows read at the other, some are good no more. */
static void put(struct fingerprints *to, struct fingerprint f)
{
    size_t i = place(to, f.relid);
    if (i < to->v.n && to->v.v[i].relid == f.relid) {
        f.torn |= !fingerprint_holds(&to->v.v[i], &f);
        fingerprint_fini(&to->v.v[i]);
    } else {
        VEC_PUSH(to->v, f);
        memmove(&to->v.v[i + 1], &to->v.v[i], (to->v.n - 1 - i) * sizeof *to->v.v);
    }
    to->v.v[i] = f;
}

/* Moves all of `from` into `to`. */
static void merge(struct fingerprints *to, struct fingerprints *from)
{
    for (size_t i = 0; i < from->v.n; i++)
        put(to, from->v.v[i]);
    VEC_FREE(from->v);
}

void fingerprints_leave(struct fingerprints *f)
{
    pthread_mutex_lock(&notes_lock);
    merge(&notes, f);
    pthread_mutex_unlock(&notes_lock);
}

void fingerprints_pick_up(struct fingerprints *seen)
{
    pthread_mutex_lock(&notes_lock);
    struct fingerprints left = notes;
    memset(&notes, 0, sizeof notes);
    pthread_mutex_unlock(&notes_lock);
    merge(seen, &left);
}
