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
 * One row for each of the OIDs that is there, ascending; one that is a table's and a function's has
 * two. $1: OIDs, $2: publication. Nothing in it depends on settings of the session but the privileges:
 * names and numbers only. Everything is looked up for all relations at once: for a thousand tables,
 * a question about each by itself takes a second.
 */
static const char fingerprint_sql[] = /* format, for add_statement() */
    "WITH RECURSIVE u AS MATERIALIZED (SELECT c.oid, c.relname, c.relnamespace, c.relkind, "
    "c.relpersistence, c.relreplident, c.relfilenode, c.relrowsecurity, c.relhassubclass, "
    "c.relispartition FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1)), "
    /* leaves: what is below it, itself included */
    "tree(root, oid) AS (SELECT u.oid, u.oid FROM u WHERE u.relhassubclass UNION "
    "SELECT t.root, i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON "
    "i.inhparent = t.oid WHERE NOT i.inhdetachpending), "
    "leaves AS (SELECT t.root, pg_catalog.string_agg(t.oid::pg_catalog.text, ',' ORDER BY t.oid) "
    "AS v FROM tree t JOIN pg_catalog.pg_class k ON k.oid = t.oid WHERE k.relkind <> 'p' "
    "GROUP BY t.root), "
    /* in the publication, by itself or by one above: who was taken out and put back has another
     * OID there; %s: by_schema */
    "up(leaf, oid) AS (SELECT u.oid, i.inhparent FROM u JOIN pg_catalog.pg_inherits i ON "
    "i.inhrelid = u.oid WHERE u.relispartition UNION SELECT up.leaf, i.inhparent FROM up JOIN "
    "pg_catalog.pg_inherits i ON i.inhrelid = up.oid), "
    "members(relid, oid) AS (SELECT u.oid, u.oid FROM u UNION ALL SELECT leaf, oid FROM up), "
    "published AS (SELECT p.relid, pg_catalog.string_agg(p.entry::pg_catalog.text, ',' ORDER BY "
    "p.entry) AS v FROM (SELECT m.relid, r.oid AS entry FROM members m JOIN "
    "pg_catalog.pg_publication_rel r ON r.prrelid = m.oid JOIN pg_catalog.pg_publication n ON "
    "n.oid = r.prpubid WHERE n.pubname = $2%s) p GROUP BY p.relid), "
    "columns AS (SELECT a.attrelid, pg_catalog.string_agg(pg_catalog.concat(a.attnum, ' ', "
    "a.atttypid, ' ', a.atttypmod, ' ', a.attcollation, ' ', pg_catalog.translate(a.attname, "
    "E'\n', ' '), E'\n'), '' ORDER BY a.attnum) AS v FROM pg_catalog.pg_attribute a WHERE "
    "a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped GROUP BY a.attrelid), "
    "identity AS (SELECT x.indrelid, pg_catalog.string_agg(pg_catalog.concat(x.indexrelid, ':', "
    "x.indkey), ',' ORDER BY x.indexrelid) AS v FROM pg_catalog.pg_index x WHERE "
    "x.indrelid = ANY ($1) AND x.indisvalid AND (x.indisreplident OR x.indisprimary) "
    "GROUP BY x.indrelid), "
    /* enums and composites, and arrays of them */
    "typed AS MATERIALIZED (SELECT DISTINCT a.attrelid, t.oid, t.typelem, t.typbasetype FROM "
    "pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE "
    "a.attrelid = ANY ($1) AND a.attnum > 0 AND a.atttypid >= 16384), "
    "labels AS (SELECT t.attrelid, pg_catalog.string_agg(pg_catalog.concat(e.enumtypid, ':', "
    "e.enumlabel), ',' ORDER BY e.enumtypid, e.enumsortorder) AS v FROM typed t JOIN "
    "pg_catalog.pg_enum e ON e.enumtypid IN (t.oid, t.typelem, t.typbasetype) "
    "GROUP BY t.attrelid), "
    "fields AS (SELECT t.attrelid, pg_catalog.string_agg(pg_catalog.concat(f.attrelid, ':', "
    "f.attname, ':', f.atttypid), ',' ORDER BY f.attrelid, f.attnum) AS v FROM typed t JOIN "
    "pg_catalog.pg_type s ON s.oid IN (t.oid, t.typelem, t.typbasetype) AND s.typtype = 'c' "
    "JOIN pg_catalog.pg_attribute f ON f.attrelid = s.typrelid AND f.attnum > 0 AND NOT "
    "f.attisdropped GROUP BY t.attrelid) "
    "SELECT c.oid, "
    "pg_catalog.concat_ws(' ', CASE WHEN c.relkind IN ('r', 'p') THEN c.relfilenode END, "
    "c.relreplident, i.v, p.v, "
    /* what the publication publishes: every ALTER of it makes another row version */
    "(SELECT pg_catalog.concat(o.oid, ':', o.xmin) FROM pg_catalog.pg_publication o WHERE "
    "o.pubname = $2)), "
    "pg_catalog.concat_ws(' ', c.relkind, c.relpersistence, c.relrowsecurity, i.v, "
    "pg_catalog.has_table_privilege(c.oid, 'SELECT'), l.v, f.v), "
    "n.nspname, c.relname, k.v, "
    "COALESCE(t.v, CASE WHEN c.relkind <> 'p' THEN c.oid::pg_catalog.text END), "
    "(SELECT " CATALOG_VIEW_MARK " FROM pg_catalog.pg_rewrite r WHERE c.relkind = 'v' AND "
    "r.ev_class = c.oid AND r.rulename = '_RETURN') "
    "FROM u c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN columns k ON k.attrelid = c.oid LEFT JOIN identity i ON i.indrelid = c.oid "
    "LEFT JOIN published p ON p.relid = c.oid LEFT JOIN leaves t ON t.root = c.oid "
    "LEFT JOIN labels l ON l.attrelid = c.oid LEFT JOIN fields f ON f.attrelid = c.oid "
    "UNION ALL SELECT p.oid, NULL, NULL, NULL, NULL, NULL, NULL, " CATALOG_FUNCTION_MARK
    " FROM pg_catalog.pg_proc p WHERE p.oid = ANY ($1) ORDER BY 1";

/* Postgres 15 and later. */
static const char by_schema[] =
    " UNION ALL SELECT m.relid, s.oid FROM members m JOIN pg_catalog.pg_class c ON c.oid = m.oid "
    "JOIN pg_catalog.pg_publication_namespace s ON s.pnnspid = c.relnamespace JOIN "
    "pg_catalog.pg_publication n ON n.oid = s.pnpubid WHERE n.pubname = $2";

static void add_statement(struct buf *b, const struct pgconn *c)
{
    buf_addf(b, fingerprint_sql, c->server_version >= 150000 ? by_schema : "");
}

/* A few relations are asked for many times over, and planning takes ten times as long as running; for
 * many, the plan that is made without knowing them is a bad one. */
#define PREPARED_MAX 64

static bool prepare(struct pgconn *c, struct err *err)
{
    if (c->prepared == c->sessions)
        return true;
    struct buf sql = {0};
    buf_adds(&sql, "PREPARE fingerprints(pg_catalog.oid[], pg_catalog.name) AS ");
    add_statement(&sql, c);
    bool ok = pgconn_exec(c, "SET plan_cache_mode = force_generic_plan", err) &&
              pgconn_exec(c, buf_cstr(&sql), err);
    buf_fini(&sql);
    if (ok)
        c->prepared = c->sessions;
    return ok;
}

static PGresult *ask_prepared(struct pgconn *c, const char *oids, const char *publication,
                              struct err *err)
{
    struct buf sql = {0};
    buf_addf(&sql, "EXECUTE fingerprints('%s', ", oids);
    pg_quote_literal(&sql, publication);
    buf_adds(&sql, ")");
    PGresult *res = prepare(c, err) ? pgconn_query(c, buf_cstr(&sql), 0, NULL, NULL, err) : NULL;
    buf_fini(&sql);
    return res;
}

static PGresult *ask_once(struct pgconn *c, const char *oids, const char *publication,
                          struct err *err)
{
    static const uint32_t types[] = {1028 /* oid[] */, 19 /* name */};
    const char *const values[] = {oids, publication};
    struct buf sql = {0};
    add_statement(&sql, c);
    PGresult *res = pgconn_query(c, buf_cstr(&sql), 2, types, values, err);
    buf_fini(&sql);
    return res;
}

static PGresult *ask(struct pgconn *c, const uint32_t *relids, size_t n, struct err *err)
{
    bool prepared = c->purpose == PGCONN_WATCH && n <= PREPARED_MAX;
    const struct config *cfg = config_current();
    struct buf oids = {0};
    pg_oid_array(&oids, relids, n);
    PGresult *res =
        (prepared ? ask_prepared : ask_once)(c, buf_cstr(&oids), cfg->postgres_publication, err);
    buf_fini(&oids);
    config_unref(cfg);
    return res;
}

static struct fingerprint read_row(const PGresult *res, int row)
{
    struct fingerprint f = {
        .relid = (uint32_t)strtoul(PQgetvalue(res, row, 0), NULL, 10),
        .core = xstrdup(PQgetvalue(res, row, 1)),
        .meaning = xstrdup(PQgetvalue(res, row, 2)),
        .schema = xstrdup(PQgetvalue(res, row, 3)),
        .name = xstrdup(PQgetvalue(res, row, 4)),
        .columns = xstrdup(PQgetvalue(res, row, 5)),
        .tree = xstrdup(PQgetvalue(res, row, 6)),
    };
    snprintf(f.mark, sizeof f.mark, "%s", PQgetvalue(res, row, 7));
    return f;
}

static void fingerprint_fini(struct fingerprint *f);

/* The OID is that of a table and of a function: it is the one or the other, and has what it has. */
static void unite(struct fingerprint *f, struct fingerprint other)
{
    if (*other.core) {
        struct fingerprint t = *f;
        *f = other;
        other = t;
    }
    if (!*f->mark)
        memcpy(f->mark, other.mark, sizeof f->mark);
    fingerprint_fini(&other);
}

static struct fingerprint nothing(uint32_t relid)
{
    return (struct fingerprint){.relid = relid,
                                .core = xstrdup(""),
                                .meaning = xstrdup(""),
                                .schema = xstrdup(""),
                                .name = xstrdup(""),
                                .columns = xstrdup(""),
                                .tree = xstrdup("")};
}

bool fingerprints_load(struct fingerprints *out, struct pgconn *c, const uint32_t *relids, size_t n,
                       struct err *err)
{
    PGresult *res = ask(c, relids, n, err);
    int row = 0, rows = res ? PQntuples(res) : 0;
    for (size_t i = 0; res && i < n; i++) {
        struct fingerprint f = nothing(relids[i]);
        while (row < rows && strtoul(PQgetvalue(res, row, 0), NULL, 10) == relids[i])
            unite(&f, read_row(res, row++));
        VEC_PUSH(out->v, f);
    }
    PQclear(res);
    return res != NULL;
}

static void fingerprint_fini(struct fingerprint *f)
{
    free(f->core);
    free(f->meaning);
    free(f->schema);
    free(f->name);
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

/* The line of columns with this number; NULL if there is none. */
static const char *find_column(const char *columns, uint32_t attnum)
{
    for (const char *p = columns; *p; p += strcspn(p, "\n") + 1)
        if (strtoul(p, NULL, 10) == attnum)
            return p;
    return NULL;
}

uint32_t fingerprint_next_altered(const struct fingerprint *before, const struct fingerprint *after,
                                  uint32_t than)
{
    for (const char *p = before->columns; *p; p += strcspn(p, "\n") + 1) {
        uint32_t attnum = (uint32_t)strtoul(p, NULL, 10);
        if (attnum <= than)
            continue;
        const char *q = find_column(after->columns, attnum);
        if (!q || strncmp(p, q, strcspn(p, "\n") + 1) != 0)
            return attnum;
    }
    return 0;
}

bool fingerprint_has_column(const struct fingerprint *f, uint32_t attnum, const char *name)
{
    const char *p = find_column(f->columns, attnum);
    for (int i = 0; p && i < 4; i++)
        p += strcspn(p, " ") + 1;
    for (; p && *name; p++, name++)
        if (*p != (*name == '\n' ? ' ' : *name))
            return false;
    return p && *p == '\n';
}

bool fingerprint_holds(const struct fingerprint *before, const struct fingerprint *after)
{
    return !before->torn && strcmp(before->core, after->core) == 0 &&
           strcmp(before->meaning, after->meaning) == 0 &&
           !fingerprint_next_altered(before, after, 0);
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
