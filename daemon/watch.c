/*
 * watch: see watch.h. One session, one loop: requests as they come, and at their times the poll of
 * the catalog and the flush.
 *
 * DDL writes no row changes, so the catalog is looked at. What is compared of each table in use is a
 * text of what the daemon relies on (kind, identity, file, children, publication, types' labels) and
 * the list of its columns. A column that was added changes nothing for anyone; everything else makes
 * the reader read the table again, which sends nothing if nothing has changed. A view is different:
 * its definition is in the plan, so the plan ends and its subscribers ask again.
 */
#include "daemon/watch.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/pgconn.h"
#include "daemon/reader.h"
#include "daemon/watch_plan.h"
#include "daemon/worker.h"
#include "engine/base/alloc.h"

struct fingerprint {
    uint32_t relid;
    char *core;    /* owned */
    char *columns; /* owned; "\n" after each */
    char *tree;    /* owned; of the tables below it */
};

struct watch {
    pthread_t thread;
    struct mailbox box;
    struct pgstop stop;
    struct pgconn conn;
    struct reader *reader;        /* borrowed */
    struct registry *registry;    /* borrowed */
    VEC(struct fingerprint) seen; /* by ascending relid */
    uint64_t sessions;            /* of conn, when seen was filled */
    uint64_t poll_at, flush_at;   /* ms */
};

/* ---- SYNC ------------------------------------------------------------------------------------ */

/* A transactional message is a commit of its own: it flushes the WAL before it, and the stream shows
 * its position however idle the server is. */
#define POSITION_AND_FLUSH                                                                         \
    "SELECT pg_catalog.pg_current_wal_insert_lsn(), "                                              \
    "pg_catalog.pg_logical_emit_message(true, 'palimpsest', 'sync')"

static bool ask_position(struct watch *w, lsn_t *lsn, struct err *err)
{
    PGresult *res = pgconn_query_fresh(&w->conn, POSITION_AND_FLUSH, err);
    if (!res)
        return false;
    const char *text = PQgetvalue(res, 0, 0);
    bool ok = lsn_parse(text, strlen(text), lsn) ||
              err_set(err, ERR_PROTOCOL, "the WAL position can't be read");
    PQclear(res);
    return ok;
}

/* All that wait get one answer: each was posted before the question was asked. */
static void answer_syncs(struct msg *list, lsn_t lsn, const struct err *err)
{
    for (struct msg *m = list, *next; m; m = next) {
        struct sync_request *r = (struct sync_request *)m;
        next = m->next;
        r->lsn = lsn;
        r->err = *err;
        m->kind = L_SYNCED;
        loop_post(r->loop, m);
    }
}

static void serve_syncs(struct watch *w, struct msg *list)
{
    struct err err;
    lsn_t lsn = 0;
    err_clear(&err);
    ask_position(w, &lsn, &err);
    answer_syncs(list, lsn, &err);
}

/* ---- the tables in use ------------------------------------------------------------------------ */

struct used {
    VEC(uint32_t) relids;
};

static void collect(void *arg, struct plan *p)
{
    struct used *u = arg;
    for (size_t i = 0; i < p->spec->nsources; i++) {
        const struct plan_source *s = &p->spec->sources[i];
        VEC_PUSH(u->relids, s->table);
        for (size_t j = 0; j < s->nleaves; j++)
            VEC_PUSH(u->relids, s->leaves[j]);
    }
    for (size_t i = 0; i < p->spec->nviews; i++)
        VEC_PUSH(u->relids, p->spec->views[i].oid);
}

static int compare_oids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_unique(struct used *u)
{
    size_t n = 0;
    if (u->relids.n)
        qsort(u->relids.v, u->relids.n, sizeof *u->relids.v, compare_oids);
    for (size_t i = 0; i < u->relids.n; i++)
        if (i == 0 || u->relids.v[i] != u->relids.v[n - 1])
            u->relids.v[n++] = u->relids.v[i];
    u->relids.n = n;
}

/* One row for each relid, in order; core is NULL for one that is gone. $1: relids, $2: publication. */
static const char fingerprint_sql[] =
    "SELECT u.oid, pg_catalog.concat_ws(' ', c.relname, c.relnamespace, c.relkind, "
    "c.relpersistence, c.relreplident, CASE WHEN c.relkind <> 'v' THEN c.relfilenode END, "
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(x.indexrelid, x.indkey), ',' ORDER BY "
    "x.indexrelid) FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND (x.indisreplident OR "
    "x.indisprimary)), "
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(e.enumtypid, e.enumlabel), ',' ORDER BY "
    "e.oid) "
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_enum e ON e.enumtypid = a.atttypid "
    "WHERE a.attrelid = c.oid)), "
    "(SELECT pg_catalog.string_agg(pg_catalog.concat(a.attnum, ' ', a.attname, ' ', a.atttypid, ' "
    "', "
    "a.atttypmod, ' ', a.attcollation, E'\\n'), '' ORDER BY a.attnum) FROM "
    "pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), "
    "(WITH RECURSIVE t(oid) AS (SELECT u.oid UNION SELECT i.inhrelid FROM "
    "pg_catalog.pg_inherits i JOIN t ON i.inhparent = t.oid WHERE NOT i.inhdetachpending) SELECT "
    "pg_catalog.string_agg(t.oid::text, ',' ORDER BY t.oid) FROM t JOIN pg_catalog.pg_class k ON "
    "k.oid = t.oid WHERE k.relkind <> 'p'), "
    "(SELECT pg_catalog.md5(r.ev_action::text) FROM pg_catalog.pg_rewrite r WHERE r.ev_class = "
    "c.oid AND r.rulename = '_RETURN') "
    "FROM pg_catalog.unnest($1::oid[]) AS u(oid) LEFT JOIN pg_catalog.pg_class c ON c.oid = u.oid "
    "ORDER BY u.oid";

static struct fingerprint *find_seen(struct watch *w, uint32_t relid)
{
    for (size_t i = 0; i < w->seen.n; i++)
        if (w->seen.v[i].relid == relid)
            return &w->seen.v[i];
    return NULL;
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

static bool is_same(const struct fingerprint *before, const char *core, const char *columns)
{
    return strcmp(before->core, core) == 0 && keeps_columns(before->columns, columns);
}

static void forget(struct watch *w)
{
    for (size_t i = 0; i < w->seen.n; i++) {
        free(w->seen.v[i].core);
        free(w->seen.v[i].columns);
        free(w->seen.v[i].tree);
    }
    w->seen.n = 0;
}

static void tell_reader(struct watch *w, const struct used *changed)
{
    struct rmsg_schema *m = NEW(struct rmsg_schema);
    m->m.kind = R_SCHEMA_CHANGED;
    m->n = changed->relids.n;
    m->relids = xmalloc(m->n * sizeof *m->relids);
    memcpy(m->relids, changed->relids.v, m->n * sizeof *m->relids);
    reader_post(w->reader, &m->m);
}

/* Compares with what was seen before, and remembers. */
static void compare(struct watch *w, const PGresult *res)
{
    struct used changed = {{0}};
    struct relations_now relations = {{0}};
    VEC(struct fingerprint) now = {0};
    for (int r = 0; r < PQntuples(res); r++) {
        struct fingerprint f = {
            .relid = (uint32_t)strtoul(PQgetvalue(res, r, 0), NULL, 10),
            .core = xstrdup(PQgetvalue(res, r, 1)),
            .columns = xstrdup(PQgetvalue(res, r, 2)),
            .tree = xstrdup(PQgetvalue(res, r, 3)),
        };
        const struct fingerprint *before = find_seen(w, f.relid);
        if (before && !is_same(before, f.core, f.columns)) {
            log_info("table or view %u has changed", f.relid);
            VEC_PUSH(changed.relids, f.relid);
        }
        bool there = *f.core;
        watch_plans_add(&relations, f.relid, there ? f.tree : NULL, PQgetvalue(res, r, 4),
                        there && before && strcmp(before->tree, f.tree) != 0);
        VEC_PUSH(now, f);
    }
    forget(w);
    VEC_FREE(w->seen);
    w->seen.v = now.v;
    w->seen.n = now.n;
    w->seen.cap = now.cap;
    /* Leaves first: one that was dropped may be nobody's any more, and then it isn't missed. */
    watch_plans_check(&relations, w->registry, w->reader);
    if (changed.relids.n)
        tell_reader(w, &changed);
    VEC_FREE(changed.relids);
}

static void poll_tables(struct watch *w)
{
    struct used used = {{0}};
    struct err err;
    struct buf oids;
    registry_each(w->registry, collect, &used);
    sort_unique(&used);
    if (used.relids.n) {
        buf_init(&oids);
        pg_oid_array(&oids, used.relids.v, used.relids.n);
        const char *const values[] = {buf_cstr(&oids)};
        PGresult *res = pgconn_query(&w->conn, fingerprint_sql, 1, NULL, values, &err);
        if (res)
            compare(w, res);
        else
            log_warn("looking at the catalog: %s", err.message);
        PQclear(res);
        buf_fini(&oids);
    } else {
        forget(w);
    }
    VEC_FREE(used.relids);
}

/* "xmin:xmax:xip,…", as pg_snapshot prints itself: xip comes sorted. */
static bool parse_snapshot(const char *s, struct snapshot *out)
{
    char *end;
    VEC(uint64_t) xip = {0};
    memset(out, 0, sizeof *out);
    out->xmin = strtoull(s, &end, 10);
    if (*end != ':')
        return false;
    out->xmax = strtoull(end + 1, &end, 10);
    while ((*end == ':' || *end == ',') && end[1])
        VEC_PUSH(xip, strtoull(end + 1, &end, 10));
    out->xip = xip.v;
    out->nxip = xip.n;
    return true;
}

static void tell_visible(struct watch *w)
{
    struct err err;
    PGresult *res = pgconn_query(&w->conn,
                                 "SELECT pg_catalog.pg_current_snapshot(), (extract(epoch from "
                                 "pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint - "
                                 "946684800000000",
                                 0, NULL, NULL, &err);
    struct snapshot snap;
    if (res && parse_snapshot(PQgetvalue(res, 0, 0), &snap)) {
        struct rmsg_visible *m = NEW(struct rmsg_visible);
        m->m.kind = R_VISIBLE;
        m->snap = snap;
        m->snap.postmaster_start = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
        reader_post(w->reader, &m->m);
    }
    PQclear(res);
}

static void poll_catalog(struct watch *w)
{
    struct err err;
    if (!pgconn_open(&w->conn, &err))
        return;
    tell_visible(w);
    if (w->conn.pg)
        poll_tables(w);
}

/* ---- flush_interval ---------------------------------------------------------------------------- */

static void flush_wal(struct watch *w)
{
    struct err err;
    if (!pgconn_open(&w->conn, &err))
        return;
    PGresult *res = pgconn_query(&w->conn,
                                 "SELECT CASE WHEN pg_catalog.pg_current_wal_insert_lsn() > "
                                 "pg_catalog.pg_current_wal_flush_lsn() THEN "
                                 "pg_catalog.pg_logical_emit_message(true, 'palimpsest', 'flush') "
                                 "END",
                                 0, NULL, NULL, &err);
    PQclear(res);
}

/* ---- the thread -------------------------------------------------------------------------------- */

/* Milliseconds until something is due. */
static int next_due(const struct watch *w, const struct config *cfg)
{
    uint64_t now = clock_ms(), due = w->poll_at;
    if (cfg->postgres_flush_interval && w->flush_at < due)
        due = w->flush_at;
    return due > now ? (int)(due - now) : 0;
}

static void do_what_is_due(struct watch *w, const struct config *cfg)
{
    uint64_t now = clock_ms();
    if (cfg->postgres_flush_interval && w->flush_at <= now) {
        flush_wal(w);
        w->flush_at = clock_ms() + (uint64_t)cfg->postgres_flush_interval;
    }
    if (w->poll_at <= now) {
        poll_catalog(w);
        w->poll_at = clock_ms() + (uint64_t)cfg->postgres_schema_poll;
    }
}

/* Takes W_STOP out of a batch; the rest are SYNCs. */
static struct msg *without_stop(struct msg *list, bool *stop)
{
    struct msg *syncs = NULL, **tail = &syncs;
    for (struct msg *m = list, *next; m; m = next) {
        next = m->next;
        m->next = NULL;
        if (m->kind == WATCH_STOP) {
            *stop = true;
            free(m);
            continue;
        }
        *tail = m;
        tail = &m->next;
    }
    return syncs;
}

static void *watch_main(void *arg)
{
    struct watch *w = arg;
    bool stop = false;
    pthread_setname_np(pthread_self(), "watch");
    while (!stop) {
        const struct config *cfg = config_current();
        struct msg *syncs = without_stop(mailbox_wait(&w->box, next_due(w, cfg)), &stop);
        if (syncs)
            serve_syncs(w, syncs);
        if (!stop)
            do_what_is_due(w, cfg);
        config_unref(cfg);
    }
    pgconn_close(&w->conn);
    return NULL;
}

struct watch *watch_new(const struct config *cfg, struct reader *reader, struct registry *registry)
{
    struct watch *w = NEW(struct watch);
    (void)cfg; /* read anew in every round: it is reloadable */
    w->reader = reader;
    w->registry = registry;
    mailbox_init(&w->box);
    pgstop_init(&w->stop);
    pgconn_init(&w->conn, PGCONN_WATCH, &w->stop);
    return w;
}

void watch_start(struct watch *w)
{
    if (pthread_create(&w->thread, NULL, watch_main, w) != 0)
        abort(); /* at start-up only */
}

void watch_sync(struct watch *w, struct sync_request *r)
{
    r->m.kind = WATCH_SYNC;
    mailbox_post(&w->box, &r->m);
}

void watch_stop(struct watch *w)
{
    struct msg *m = NEW(struct msg);
    m->kind = WATCH_STOP;
    pgstop_trigger(&w->stop);
    mailbox_post(&w->box, m);
    pthread_join(w->thread, NULL);
}

void watch_free(struct watch *w)
{
    for (struct msg *m = mailbox_take(&w->box), *next; m; m = next) {
        next = m->next;
        free(m);
    }
    forget(w);
    VEC_FREE(w->seen);
    mailbox_fini(&w->box);
    pgstop_fini(&w->stop);
    free(w);
}
