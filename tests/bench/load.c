/*
 * load: see load.h.
 */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define JUDGED_EVERY 400
#define WRITES       200 /* a second, into lone */

/* ---- the crowd ----------------------------------------------------------------------------- */

struct crowd *crowd_start(struct cluster *pg, PGconn *db, size_t n)
{
    static const char *const sets[] = {"listen.max_connections=20000", NULL};
    struct crowd *c = NEW(struct crowd);
    c->pg = pg;
    c->db = db;
    c->n = n;
    c->d = daemon_start(pg->conninfo, sets, true);
    c->ctl = client_connect(c->d->port);
    c->ctl->timeout_ms = 60000;
    c->swarm = swarm_new(c->d->port);
    return c;
}

void crowd_stop(struct crowd *c)
{
    swarm_free(c->swarm);
    client_close(c->ctl);
    daemon_free(c->d);
    for (size_t i = 0; i < c->judged.n; i++)
        free(c->judged.v[i].sql);
    VEC_FREE(c->judged);
    free(c);
}

double crowd_connect(struct crowd *c)
{
    int64_t t0 = bench_ns();
    for (size_t i = 0; i < c->n; i++)
        swarm_open(c->swarm);
    swarm_until(c->swarm, &c->swarm->counts.hellos, c->n);
    return (double)(bench_ns() - t0) / 1e9;
}

void crowd_subscribe(struct crowd *c, size_t member, const char *id, const char *sql)
{
    if (member % JUDGED_EVERY) {
        swarm_send(c->swarm, member, "SUBSCRIBE %s %s", id, sql);
        return;
    }
    struct judged j = {.view = swarm_keep(c->swarm, member, id, sql, 2), .sql = xstrdup(sql)};
    VEC_PUSH(c->judged, j);
}

size_t crowd_judge(struct crowd *c)
{
    uint64_t syncs = c->swarm->counts.syncs;
    for (size_t i = 0; i < c->n; i += JUDGED_EVERY, syncs++)
        swarm_send(c->swarm, i, "SYNC");
    swarm_until(c->swarm, &c->swarm->counts.syncs, syncs);
    for (size_t i = 0; i < c->judged.n; i++)
        view_must_equal(c->db, c->judged.v[i].view, c->judged.v[i].sql);
    return c->judged.n;
}

double crowd_status(struct crowd *c, const char *member)
{
    char key[64];
    client_send(c->ctl, "STATUS");
    char *line = client_expect_prefix(c->ctl, "STATUS ");
    snprintf(key, sizeof key, "\"%s\":", member);
    char *p = strstr(line, key);
    if (!p)
        die("STATUS has no %s: %s", member, line);
    double v = strtod(p + strlen(key), NULL);
    free(line);
    return v;
}

void crowd_wait_status(struct crowd *c, const char *member, double value)
{
    int64_t t0 = bench_ns();
    while (crowd_status(c, member) > value) {
        bench_sleep_us(2000);
        if (bench_ns() - t0 > 120000000000LL)
            die("STATUS: %s is %.0f", member, crowd_status(c, member));
    }
}

/* ---- writers ------------------------------------------------------------------------------- */

static void *write_on(void *arg)
{
    struct writer *w = arg;
    int64_t next = bench_ns();
    while (!atomic_load(&w->stop)) {
        char sql[160];
        snprintf(sql, sizeof sql, w->sql, (long long)bench_ns());
        sql_run(w->db, "%s", sql);
        w->commits++;
        next += 1000000000LL / w->per_second;
        int64_t now = bench_ns();
        if (next > now)
            bench_sleep_us((next - now) / 1000);
        else
            next = now; /* late: not made up for */
    }
    return NULL;
}

void writer_start(struct writer *w, const struct cluster *pg, const char *sql, int per_second)
{
    *w = (struct writer){.per_second = per_second};
    snprintf(w->sql, sizeof w->sql, "%s", sql);
    w->db = cluster_connect(pg);
    if (pthread_create(&w->thread, NULL, write_on, w) != 0)
        die("pthread_create");
}

void writer_stop(struct writer *w)
{
    atomic_store(&w->stop, true);
    pthread_join(w->thread, NULL);
    PQfinish(w->db);
}

/* ---- honest subscribers -------------------------------------------------------------------- */

static void *listen_on(void *arg)
{
    struct honest *h = arg;
    while (!atomic_load(&h->stop))
        swarm_turn(h->swarm, 20);
    return NULL;
}

void honest_start(struct honest *h, const struct crowd *c, size_t subscribers)
{
    memset(h, 0, sizeof *h);
    h->swarm = swarm_new(c->d->port);
    for (size_t i = 0; i < subscribers; i++)
        swarm_send(h->swarm, swarm_open(h->swarm), "SUBSCRIBE lone SELECT at FROM lone");
    swarm_until(h->swarm, &h->swarm->counts.snapshots, subscribers);
    h->swarm->ages = &h->ages;
    if (pthread_create(&h->thread, NULL, listen_on, h) != 0)
        die("pthread_create");
    writer_start(&h->writer, c->pg, "UPDATE lone SET at = %lld", WRITES);
}

void honest_stop(struct honest *h)
{
    writer_stop(&h->writer);
    bench_sleep_us(100000);
    atomic_store(&h->stop, true);
    pthread_join(h->thread, NULL);
    swarm_free(h->swarm);
}

void honest_fini(struct honest *h)
{
    VEC_FREE(h->ages.v);
}
