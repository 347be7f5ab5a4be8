/*
 * work: see work.h.
 */
#include "tests/faults/work.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "tests/faults/report.h"
#include "tests/faults/statements.h"

struct writer {
    struct work *work;
    unsigned no;
    struct rng rng;
    pthread_t thread;
    PGconn *db;
    unsigned long n; /* its number in `written` */
};

struct work {
    struct world *world;
    bool bank_only;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool going, stop;
    unsigned busy; /* writers inside a transaction */
    atomic_uint pause_ms;
    atomic_ulong commits, rollbacks, errors, transfers;
    struct writer writers[WRITERS];
};

static atomic_ulong written[WRITERS];

unsigned long work_written(unsigned writer)
{
    return atomic_load(&written[writer]);
}

/* ---- one statement ------------------------------------------------------------------------- */

static bool item(PGconn *db, struct rng *r)
{
    int id = rng_between(r, 1, ITEMS), k = rng_between(r, 0, 8), size = rng_between(r, 0, 300);
    switch (rng_below(r, 5)) {
    case 0:
        return world_try(db,
                         "INSERT INTO item VALUES (%d, %d, %d.%02d, 't%d', repeat('%d-', %d)) ON "
                         "CONFLICT (id) DO UPDATE SET k = excluded.k, body = excluded.body",
                         id, k, id, id % 100, id % 13, id, size * 10);
    case 1: return world_try(db, "DELETE FROM item WHERE id = %d", id);
    case 2: /* the body is TOASTed and not in the stream */
        return world_try(db, "UPDATE item SET n = n + 0.25, k = %d WHERE id = %d", k, id);
    case 3:
        return world_try(db, "UPDATE item SET t = 't' || id %% 5 WHERE id BETWEEN %d AND %d", id,
                         id + size / 20);
    default: /* another key, the same TOASTed body */
        return world_try(db, "UPDATE item SET id = %d WHERE id = %d", rng_between(r, 1, ITEMS), id);
    }
}

static bool tag(PGconn *db, struct rng *r)
{
    int id = rng_between(r, 1, ITEMS), l = rng_between(r, 0, 6);
    if (rng_chance(r, 50))
        return world_try(db, "INSERT INTO tag VALUES (%d, 'l%d') ON CONFLICT DO NOTHING", id, l);
    return world_try(db, "DELETE FROM tag WHERE item = %d AND label < 'l%d'", id, l);
}

static bool part(PGconn *db, struct rng *r)
{
    int id = rng_between(r, 1, ITEMS), region = rng_between(r, 0, 4);
    switch (rng_below(r, 4)) {
    case 0:
        return world_try(db,
                         "INSERT INTO part VALUES (%d, %d, %d, 'p%d') ON CONFLICT (id, region) DO "
                         "UPDATE SET v = part.v + 1",
                         id, region, id % 11, id % 17);
    case 1: return world_try(db, "DELETE FROM part WHERE id = %d", id);
    case 2: return world_try(db, "UPDATE part SET v = %d WHERE id = %d", region, id);
    default: /* rows move to another leaf */
        return world_try(db,
                         "UPDATE part p SET region = %d WHERE id = %d AND region = (SELECT "
                         "min(region) FROM part q WHERE q.id = %d)",
                         region, id, id);
    }
}

/* Rows that are there several times, told apart by nothing but ctid. */
static bool full_id(PGconn *db, struct rng *r)
{
    int a = rng_between(r, 0, 9), b = rng_between(r, 0, 3);
    switch (rng_below(r, 3)) {
    case 0:
        return world_try(db,
                         "INSERT INTO full_id SELECT %d, 'b%d', repeat('c', %d) FROM "
                         "generate_series(1, 2)",
                         a, b, a * 700);
    case 1:
        return world_try(db,
                         "DELETE FROM full_id WHERE ctid = ANY (ARRAY(SELECT ctid FROM full_id "
                         "WHERE a = %d LIMIT 3))",
                         a);
    default:
        return world_try(db,
                         "UPDATE full_id SET b = 'b%d' WHERE ctid = (SELECT ctid FROM full_id "
                         "WHERE a = %d LIMIT 1)",
                         b, a);
    }
}

static bool keyed(PGconn *db, struct rng *r)
{
    int id = rng_between(r, 1, 80), v = rng_between(r, 0, 9);
    switch (rng_below(r, 4)) {
    case 0:
        return world_try(db,
                         "INSERT INTO keyed VALUES ('c%d', %d, repeat('k', %d)) ON CONFLICT (code) "
                         "DO UPDATE SET v = excluded.v",
                         id, v, id * 60);
    case 1: return world_try(db, "DELETE FROM keyed WHERE code = 'c%d'", id);
    case 2: return world_try(db, "UPDATE keyed SET v = %d WHERE code = 'c%d'", v, id);
    default:
        return world_try(db, "UPDATE keyed SET code = 'c%d' WHERE code = 'c%d'",
                         rng_between(r, 1, 80), id);
    }
}

static bool node(PGconn *db, struct rng *r)
{
    int id = rng_between(r, 1, 80), parent = rng_between(r, 0, 80);
    switch (rng_below(r, 3)) {
    case 0:
        return world_try(db,
                         "INSERT INTO node VALUES (%d, nullif(%d, 0)) ON CONFLICT (id) DO UPDATE "
                         "SET parent = excluded.parent",
                         id, parent % id);
    case 1: return world_try(db, "DELETE FROM node WHERE id = %d", id);
    default:
        return world_try(db, "UPDATE node SET parent = nullif(%d, 0) WHERE id = %d", parent % id,
                         id);
    }
}

static bool shape(PGconn *db, struct rng *r)
{
    int id = rng_between(r, 1, 40);
    if (rng_chance(r, 30))
        return world_try(db, "DELETE FROM shape WHERE id = %d", id);
    return world_try(db,
                     "INSERT INTO shape(id, a) VALUES (%d, %d) ON CONFLICT (id) DO UPDATE SET a = "
                     "shape.a + 1",
                     id, id);
}

static bool any_statement(struct writer *w)
{
    static bool (*const kinds[])(PGconn *, struct rng *) = {item, item,    item,  tag,  part,
                                                            part, full_id, keyed, node, shape};
    unsigned kind = rng_below(&w->rng, 10 + 2);
    if (kind < 10)
        return kinds[kind](w->db, &w->rng);
    if (kind == 10 && rng_chance(&w->rng, 1))
        return world_try(w->db, "TRUNCATE log"); /* or it would grow for ever */
    if (kind == 10)
        return world_try(w->db, "INSERT INTO log VALUES (%u, %lu, 'x')", w->no, w->n);
    return world_try(w->db, "SAVEPOINT t") && item(w->db, &w->rng) &&
           world_try(w->db, rng_chance(&w->rng, 50) ? "ROLLBACK TO t" : "RELEASE t");
}

/* ---- one transaction ----------------------------------------------------------------------- */

static bool change(struct writer *w, bool *transfer)
{
    *transfer = w->work->bank_only || rng_chance(&w->rng, 40);
    if (*transfer && !bank_transfer(w->db, &w->rng))
        return false;
    for (int n = rng_between(&w->rng, 0, 5); n > 0 && !w->work->bank_only; n--)
        if (!any_statement(w))
            return false;
    return true;
}

/* A number that is committed for good may be counted on. Some transactions are asynchronous: those
 * leave the number alone, as a crash may take them back. */
static void transaction(struct writer *w)
{
    struct work *k = w->work;
    bool transfer = false, async = rng_chance(&w->rng, 15), taken_back = rng_chance(&w->rng, 7);
    bool ok = world_try(w->db, "BEGIN; SET LOCAL lock_timeout = '300ms'") &&
              (!async || world_try(w->db, "SET LOCAL synchronous_commit = off")) &&
              change(w, &transfer);
    if (ok && !async)
        ok = world_try(w->db,
                       "INSERT INTO written VALUES (%u, %lu) ON CONFLICT (w) DO UPDATE SET n = "
                       "excluded.n",
                       w->no, w->n + 1);
    if (!ok || taken_back) {
        atomic_fetch_add(ok ? &k->rollbacks : &k->errors, 1);
        (void)!world_try(w->db, "ROLLBACK");
    } else if (world_try(w->db, "COMMIT")) {
        atomic_fetch_add(&k->commits, 1);
        atomic_fetch_add(&k->transfers, transfer);
        if (!async)
            atomic_store(&written[w->no], ++w->n);
    } else {
        w->n++; /* it may have been committed: not that number again */
    }
}

static void one_turn(struct writer *w)
{
    if (w->db && PQstatus(w->db) != CONNECTION_OK) {
        PQfinish(w->db);
        w->db = NULL;
    }
    if (!w->db)
        w->db = world_connect(w->work->world);
    if (w->db)
        transaction(w);
    else
        sleep_ms(20);
}

static void *writer_thread(void *arg)
{
    struct writer *w = arg;
    struct work *k = w->work;
    for (;;) {
        pthread_mutex_lock(&k->lock);
        while (!k->going && !k->stop)
            pthread_cond_wait(&k->changed, &k->lock);
        bool stop = k->stop;
        k->busy += !stop;
        pthread_mutex_unlock(&k->lock);
        if (stop)
            break;
        one_turn(w);
        pthread_mutex_lock(&k->lock);
        k->busy--;
        pthread_cond_broadcast(&k->changed);
        pthread_mutex_unlock(&k->lock);
        sleep_ms(rng_below(&w->rng, atomic_load(&k->pause_ms) + 1));
    }
    PQfinish(w->db);
    return NULL;
}

/* ---- from outside -------------------------------------------------------------------------- */

struct work *work_start(struct world *world, uint64_t seed, bool bank_only)
{
    struct work *k = NEW(struct work);
    k->world = world;
    k->bank_only = bank_only;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->changed, NULL);
    for (unsigned i = 0; i < WRITERS; i++) {
        struct writer *w = &k->writers[i];
        *w = (struct writer){.work = k, .no = i, .rng = rng_from(seed, 100 + i)};
        if (pthread_create(&w->thread, NULL, writer_thread, w) != 0)
            die("no thread for a writer");
    }
    return k;
}

void work_go(struct work *k, unsigned pause_ms)
{
    atomic_store(&k->pause_ms, pause_ms);
    pthread_mutex_lock(&k->lock);
    k->going = true;
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->lock);
}

void work_pause(struct work *k)
{
    pthread_mutex_lock(&k->lock);
    k->going = false;
    while (k->busy)
        pthread_cond_wait(&k->changed, &k->lock);
    pthread_mutex_unlock(&k->lock);
}

void work_free(struct work *k)
{
    work_pause(k);
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_broadcast(&k->changed);
    pthread_mutex_unlock(&k->lock);
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(k->writers[i].thread, NULL);
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

struct work_counts work_counts(const struct work *k)
{
    return (struct work_counts){atomic_load(&k->commits), atomic_load(&k->rollbacks),
                                atomic_load(&k->errors), atomic_load(&k->transfers)};
}
