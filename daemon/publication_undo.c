/*
 * publication_undo: leaves the user's database as we found it.
 *
 * At a clean stop the tables that this process added to the publication are dropped from it, and
 * the publication itself if this process made it and nobody else has put anything in. A daemon that
 * crashes leaves them, which costs the user some WAL volume and nothing else. All is best effort and
 * bounded in time: a stop must not hang on somebody's lock.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/publication.h"

static atomic_bool created;

void publication_note_created(void)
{
    atomic_store(&created, true);
}

/* NULL on failure: what was asked is logged. */
static PGresult *ask(struct pgconn *c, const char *sql, const char *const *values, size_t n)
{
    struct err err;
    PGresult *res = pgconn_query(c, sql, n, NULL, values, &err);
    if (!res)
        log_warn("the publication is left as it is: %s", err.message);
    return res;
}

/* Our own replication session may take a moment to go away after we have closed it. */
static bool is_alone(struct pgconn *c)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    for (int i = 0; i < 5; i++) {
        PGresult *res = ask(c,
                            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity "
                            "WHERE datname = pg_catalog.current_database() "
                            "AND application_name LIKE 'palimpsestd replication%'",
                            NULL, 0);
        if (!res)
            return false;
        bool alone = strcmp(PQgetvalue(res, 0, 0), "0") == 0;
        PQclear(res);
        if (alone)
            return true;
        nanosleep(&pause, NULL);
    }
    log_info("the publication is left as it is: another daemon may be using it");
    return false;
}

/* $1: name, $2: OIDs of the tables added. True: nothing is in it but those. */
static bool holds_only_ours(struct pgconn *c, const char *const *values)
{
    PGresult *res = ask(c,
                        "SELECT pub.puballtables OR EXISTS (SELECT FROM "
                        "pg_catalog.pg_get_publication_tables($1) t "
                        "WHERE t.relid <> ALL ($2::pg_catalog.oid[])) "
                        "FROM pg_catalog.pg_publication pub WHERE pub.pubname = $1",
                        values, 2);
    bool ours = res && PQntuples(res) == 1 && PQgetvalue(res, 0, 0)[0] == 'f';
    PQclear(res);
    return ours;
}

static void drop_tables(struct pgconn *c, const char *pub, const char *const *values)
{
    struct err err;
    PGresult *res = ask(c,
                        "SELECT " QUOTED_NAME " FROM pg_catalog.pg_publication pub "
                        "JOIN pg_catalog.pg_publication_rel pr ON pr.prpubid = pub.oid "
                        "JOIN pg_catalog.pg_class c ON c.oid = pr.prrelid "
                        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                        "WHERE pub.pubname = $1 AND c.oid = ANY ($2::pg_catalog.oid[])",
                        values, 2);
    for (int i = 0; c->pg && i < PQntuples(res); i++) {
        const char *table = PQgetvalue(res, i, 0);
        if (hydrate_exec(c, &err, "ALTER PUBLICATION %s DROP TABLE ONLY %s", pub, table))
            log_info("dropped table %s from the publication", table);
        else
            log_warn("table %s stays in the publication: %s", table, err.message);
    }
    PQclear(res);
}

static void undo(struct pgconn *c, const struct config *cfg, const char *oids)
{
    struct err err;
    const char *name = cfg->postgres_publication;
    const char *values[] = {name, oids};
    struct buf quoted = {0};
    pg_quote_name(&quoted, name);
    const char *pub = buf_cstr(&quoted);
    if (!atomic_load(&created) || !holds_only_ours(c, values))
        drop_tables(c, pub, values);
    else if (hydrate_exec(c, &err, "DROP PUBLICATION %s", pub))
        log_info("dropped the publication %s", name);
    else
        log_warn("the publication %s is left: %s", name, err.message);
    buf_fini(&quoted);
}

/* A session of its own: the hydrator's is told to stop. */
static void undo_in_session(const struct config *cfg, const char *oids)
{
    struct pgstop never;
    struct pgconn c;
    struct err err;
    pgstop_init(&never);
    pgconn_init(&c, PGCONN_SNAPSHOT, &never);
    if (!pgconn_open(&c, &err) || !hydrate_exec(&c, &err, "SET statement_timeout = 2000") ||
        !hydrate_exec(&c, &err, "SET lock_timeout = 500"))
        log_warn("the publication is left as it is: %s", err.message);
    else if (is_alone(&c))
        undo(&c, cfg, oids);
    pgconn_close(&c);
    pgstop_fini(&never);
}

void publication_clean_up(struct publication *p, const struct config *cfg)
{
    VEC(uint32_t) added = {0};
    struct buf oids = {0};
    for (size_t i = 0; i < p->tables.n; i++) {
        if (p->tables.v[i].added)
            VEC_PUSH(added, p->tables.v[i].relid);
    }
    pg_oid_array(&oids, added.v, added.n);
    if (added.n || atomic_load(&created))
        undo_in_session(cfg, buf_cstr(&oids));
    buf_fini(&oids);
    VEC_FREE(added);
}
