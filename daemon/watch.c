/*
 * watch: see watch.h. One session, one loop: requests as they come, and at their times the poll of
 * the catalog and the flush.
 *
 * DDL writes no row changes, so the catalog is looked at (fingerprint.h). A table that isn't what it
 * was is read again by the reader, which sends nothing if nothing has changed. Partitions that come
 * and go and views redefined are watch_plan's.
 */
#include "daemon/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/fingerprint.h"
#include "daemon/ingest.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/pgconn.h"
#include "daemon/reader.h"
#include "daemon/snapshot.h"
#include "daemon/thread.h"
#include "daemon/watch_plan.h"
#include "daemon/watch_slot.h"
#include "daemon/worker.h"
#include "engine/base/alloc.h"

struct watch {
    pthread_t thread;
    struct mailbox box;
    struct pgstop stop;
    struct pgconn conn;
    struct reader *reader;     /* borrowed */
    struct registry *registry; /* borrowed */
    struct fingerprints seen;  /* what the rows kept go with, as far as we know */
    uint64_t known;            /* the newest plan that was looked at */
    struct slot_watch slot;
    struct log_repeat trouble;
    uint64_t poll_at, flush_at; /* ms */
};

/* ---- the tables in use ------------------------------------------------------------------------ */

struct used {
    VEC(uint32_t) relids;
    uint64_t last_plan; /* the newest */
};

static void collect(void *arg, struct plan *p)
{
    struct used *u = arg;
    if (p->id > u->last_plan)
        u->last_plan = p->id;
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

/* Partitions that have come since a plan was made: as far as the last look has shown them. */
static void add_leaves_seen(struct watch *w, struct used *u)
{
    size_t n = u->relids.n;
    for (size_t i = 0; i < n; i++) {
        const struct fingerprint *f = fingerprints_find(&w->seen, u->relids.v[i]);
        char *end;
        for (const char *p = f ? f->tree : ""; *p; p = end + (*end == ','))
            VEC_PUSH(u->relids, (uint32_t)strtoul(p, &end, 10));
    }
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
static void compare(struct watch *w, struct fingerprints *now, uint64_t asked)
{
    struct used changed = {0};
    struct relations_now relations = {.known = w->known, .asked = asked};
    for (size_t i = 0; i < now->v.n; i++) {
        const struct fingerprint *f = &now->v.v[i];
        const struct fingerprint *before = fingerprints_find(&w->seen, f->relid);
        if (before && !fingerprint_holds(before, f)) {
            log_info("table or view %u has changed", f->relid);
            VEC_PUSH(changed.relids, f->relid);
        }
        watch_plans_add(&relations, f, before);
    }
    /* Leaves first: one that was dropped may be nobody's any more, and then it isn't missed. */
    watch_plans_check(&relations, w->registry, w->reader);
    fingerprints_free(&w->seen);
    w->seen = *now;
    w->known = asked;
    log_repeat_end(&w->trouble);
    if (changed.relids.n)
        tell_reader(w, &changed);
    VEC_FREE(changed.relids);
}

static void log_trouble(struct watch *w, const struct err *err)
{
    char text[sizeof err->message + 64];
    snprintf(text, sizeof text, "looking at the catalog: %s", err->message);
    log_repeat(&w->trouble, LOG_LEVEL_WARN, clock_ms(), text);
}

static void poll_tables(struct watch *w)
{
    struct used used = {0};
    struct fingerprints now = {{0}};
    struct err err;
    registry_each(w->registry, collect, &used);
    sort_unique(&used);
    add_leaves_seen(w, &used);
    sort_unique(&used);
    if (!used.relids.n)
        fingerprints_free(&w->seen);
    else if (fingerprints_load(&now, &w->conn, used.relids.v, used.relids.n, &err))
        compare(w, &now, used.last_plan);
    else
        log_trouble(w, &err);
    VEC_FREE(used.relids);
}

static void tell_visible(struct watch *w)
{
    struct err err;
    PGresult *res = pgconn_query(&w->conn,
                                 "SELECT pg_catalog.pg_current_snapshot(), (extract(epoch from "
                                 "pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint - "
                                 "946684800000000",
                                 0, NULL, NULL, &err);
    struct snapshot snap = {0};
    if (res && snapshot_parse(PQgetvalue(res, 0, 0), &snap)) {
        struct rmsg_visible *m = NEW(struct rmsg_visible);
        m->m.kind = R_VISIBLE;
        m->snap = snap;
        m->snap.postmaster_start = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
        reader_post(w->reader, &m->m);
    }
    PQclear(res);
}

static bool look_at_tables(struct watch *w)
{
    struct err err;
    fingerprints_pick_up(&w->seen);
    if (!pgconn_open(&w->conn, &err))
        return false;
    poll_tables(w);
    return w->conn.pg != NULL;
}

static void poll_catalog(struct watch *w)
{
    if (!look_at_tables(w))
        return;
    watch_slot(&w->slot, &w->conn, w->reader);
    if (w->conn.pg)
        tell_visible(w);
}

/* ---- SYNC ------------------------------------------------------------------------------------ */

/* The first message is in the stream exactly at its position, which is the answer: the reader stops
 * there to look at what it was told (ingest.h). The second is a commit of its own: it flushes the WAL
 * before it, and the stream gets there however idle the server is. */
#define POSITION_AND_FLUSH                                                                         \
    "SELECT pg_catalog.pg_logical_emit_message(false, '" INGEST_SYNC_PREFIX "', ''), "             \
    "pg_catalog.pg_logical_emit_message(true, '" INGEST_SYNC_PREFIX "', '')"

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

/* DDL that was committed before the SYNC came is in what is answered: the catalog is looked at first,
 * and whoever is concerned is told before the stream can carry the position. */
static void serve_syncs(struct watch *w, struct msg *list)
{
    struct err err;
    lsn_t lsn = 0;
    err_clear(&err);
    look_at_tables(w);
    ask_position(w, &lsn, &err);
    answer_syncs(list, lsn, &err);
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
                                 "pg_catalog.pg_logical_emit_message(true, 'palimpsest.flush', '') "
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
    thread_start(&w->thread, "watch", watch_main, w);
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
    fingerprints_free(&w->seen);
    mailbox_fini(&w->box);
    pgstop_fini(&w->stop);
    free(w);
}
