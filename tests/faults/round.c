/*
 * round: see round.h.
 */
#include "tests/faults/round.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/e2e/client.h"
#include "tests/faults/report.h"

#define SETTLE_MS 30000
#define NOTICE_MS 5000 /* DDL must have been noticed by then */

unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *s = getenv(name);
    return s && *s ? strtoul(s, NULL, 10) : otherwise;
}

void run_begin(struct run *r, uint64_t seed, bool production)
{
    *r = (struct run){.seed = seed, .bank_only = setting("BANK", 0)};
    r->patience = (unsigned)setting("PATIENCE", setting("CK_TIMEOUT_MULTIPLIER", 1));
    world_begin(&r->world, seed, production);
    r->watch = watch_start(&r->world, seed, r->bank_only);
    r->work = work_start(&r->world, seed, r->bank_only);
    r->scene = (struct scene){.world = &r->world, .watch = r->watch, .rng = rng_from(seed, 3)};
}

/* Plans live a little longer than their last subscription (they may linger). */
static void check_nothing_is_left(struct run *r)
{
    unsigned plans = 1, subscriptions = 1;
    for (int i = 0; i < 600 && plans + subscriptions; i++) {
        struct client *c = client_connect(r->world.daemon->port);
        client_send(c, "STATUS");
        char *line = client_expect_prefix(c, "STATUS ");
        const char *p = strstr(line, "\"plans\":"), *s = strstr(line, "\"subscriptions\":");
        plans = p ? (unsigned)atoi(p + 8) : 0;
        subscriptions = s ? (unsigned)atoi(s + 16) : 0;
        free(line);
        client_close(c);
        sleep_ms(50);
    }
    if (plans + subscriptions)
        report_wrong("%u plans and %u subscriptions are left without clients", plans,
                     subscriptions);
}

void run_end(struct run *r)
{
    work_free(r->work);
    watch_shuffle(r->watch, 0);
    check_nothing_is_left(r);
    watch_free(r->watch);
    PQfinish(r->scene.db);
    world_end(&r->world);
}

const struct fault *run_second_fault(struct run *r, const struct fault *a)
{
    for (int i = 0; i < 20 && rng_chance(&r->scene.rng, 90); i++) {
        const struct fault *b = &faults[rng_below(&r->scene.rng, (unsigned)nfaults)];
        if (b != a && !(a->blocks_sql && b->needs_sql))
            return b;
    }
    return NULL;
}

void run_allow(struct run *r, const struct fault *a, const struct fault *b)
{
    struct watch_allowance sum = a->allows;
    if (b) {
        sum.disconnects |= b->allows.disconnects;
        sum.ends |= b->allows.ends;
        sum.unnoticed |= b->allows.unnoticed;
        sum.gaps |= b->allows.gaps;
    }
    watch_allow(r->watch, &sum);
}

void run_faults(struct run *r, const struct fault *a, const struct fault *b, unsigned ms)
{
    struct scene *s = &r->scene;
    run_allow(r, a, b);
    work_go(r->work, (unsigned)rng_between(&s->rng, 0, 8));
    sleep_ms((unsigned)rng_between(&s->rng, (int)ms / 4, (int)ms));
    a->begin(s);
    sleep_ms((unsigned)rng_between(&s->rng, 1, (int)ms / 2));
    if (b) {
        b->begin(s);
        sleep_ms((unsigned)rng_between(&s->rng, 1, (int)ms / 2));
    }
    if (b && b->end)
        b->end(s);
    if (a->end)
        a->end(s);
    sleep_ms((unsigned)rng_between(&s->rng, 1, (int)ms / 2));
    world_check_daemon(&r->world);
}

/* The judge's session; Postgres may be in recovery still. */
static PGconn *judge_session(struct run *r)
{
    for (int i = 0; i < 600; i++) {
        PGconn *db = scene_db(&r->scene);
        if (db)
            return db;
        sleep_ms(50);
    }
    die("Postgres doesn't come back");
}

/* What the views hold against what the judge says; again if it was the judge who was lost, as a crash
 * may be noticed late. */
static void compare(struct run *r, bool ddl)
{
    uint64_t end = now_ms() + NOTICE_MS * r->patience;
    for (;;) {
        PGconn *db = judge_session(r);
        if (!watch_settle(r->watch, SETTLE_MS * r->patience))
            return;
        unsigned differ = watch_compare(r->watch, db, false);
        if (differ && PQstatus(db) != CONNECTION_OK)
            continue;
        if (!differ || !ddl || now_ms() > end) {
            watch_compare(r->watch, db, true);
            return;
        }
        sleep_ms(100);
    }
}

bool run_compare(struct run *r, bool ddl)
{
    unsigned before = report_count();
    work_pause(r->work);
    compare(r, ddl);
    world_check_daemon(&r->world);
    if (report_count() != before)
        world_show_logs(&r->world);
    watch_go_on(r->watch);
    return report_count() == before;
}
