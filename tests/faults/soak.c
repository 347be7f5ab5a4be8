/*
 * soak: the daemon left running under mixed writes, with clients and subscriptions coming and going
 * and a fault now and then, to see whether memory, descriptors and threads stay level.
 *
 *     MINUTES=60    how long; it ends by itself
 *     SEED=n        as in faults.c
 *     CSV=path      the curve (soak.csv)
 *     EVERY=10      seconds between samples
 *     FAULT=text    only faults whose name holds the text
 *
 * The daemon lives as long as the run and has the settings of production. Every 20 to 60 seconds a
 * fault, then a pause of the writers in which every view is compared with Postgres. The exit status
 * is 1 if a view was wrong, if without clients there are more descriptors or threads than in the
 * beginning, or if memory goes on growing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/faults/report.h"
#include "tests/faults/samples.h"

#define PAUSE_MS 25 /* between a writer's transactions: some 200 commits a second in all */
#define BASE_MS  60000
#define FDS_OVER 2 /* sessions of ours that happen to be open */
#define REST_MAX                                                                                   \
    (16u * 1024 * 1024) /* bytes: what is remembered of Postgres's answers, and the like */

static const struct fault *choose(struct run *r)
{
    const char *only = getenv("FAULT");
    for (;;) {
        const struct fault *f = &faults[rng_below(&r->scene.rng, (unsigned)nfaults)];
        if (!f->new_daemon && (!only || !*only || strstr(f->name, only)))
            return f;
    }
}

static void cycle(struct run *r, unsigned no, uint64_t end)
{
    struct rng *rng = &r->scene.rng;
    const struct fault *f = choose(r);
    uint64_t wait = (uint64_t)rng_between(rng, 20000, 60000), now = now_ms();
    report_context(r->seed, no, f->name);
    run_allow(r, f, NULL);
    watch_shuffle(r->watch, (unsigned)rng_between(rng, 8, 24));
    work_go(r->work, PAUSE_MS);
    if (now + wait > end) /* the last one fits in */
        wait = now < end ? end - now : 0;
    sleep_ms((unsigned)wait);
    f->begin(&r->scene);
    sleep_ms((unsigned)rng_between(rng, 100, 4000));
    if (f->end)
        f->end(&r->scene);
    sleep_ms((unsigned)rng_between(rng, 0, 3000));
    world_check_daemon(&r->world);
    bool right = run_compare(r, f->allows.unnoticed);
    printf("          cycle %u: %s: %s\n", no, f->name, right ? "all views are right" : "WRONG");
}

/* What the daemon holds without clients: once it has been warm, and again at the end. */
static struct sample at_rest(struct run *r, struct samples *s, const struct sample *base)
{
    struct sample x = {0};
    work_pause(r->work);
    watch_shuffle(r->watch, 0);
    for (uint64_t end = now_ms() + BASE_MS; now_ms() < end; sleep_ms(500)) {
        x = samples_take(s);
        bool empty = x.plans == 0 && x.subscriptions == 0;
        if (empty && (!base || (x.fds <= base->fds + FDS_OVER && x.threads <= base->threads)))
            break;
    }
    printf("at rest: %ld descriptors, %ld threads, %ld kB, of which %llu in use, %llu plans\n",
           x.fds, x.threads, x.rss_kb, x.memory_used / 1024, x.plans);
    return x;
}

static void check_base(const struct sample *base, const struct sample *now)
{
    if (now->fds > base->fds + FDS_OVER)
        report_wrong("%ld descriptors at rest, %ld in the beginning", now->fds, base->fds);
    if (now->threads > base->threads)
        report_wrong("%ld threads at rest, %ld in the beginning", now->threads, base->threads);
    if (now->memory_used > base->memory_used + REST_MAX)
        report_wrong("%llu bytes in use at rest, %llu in the beginning", now->memory_used,
                     base->memory_used);
    if (now->plans || now->subscriptions)
        report_wrong("%llu plans and %llu subscriptions without clients", now->plans,
                     now->subscriptions);
}

int main(void)
{
    struct run r;
    uint64_t seed = setting("SEED", (unsigned long)time(NULL));
    uint64_t end = now_ms() + setting("MINUTES", 60) * 60000;
    const char *csv = getenv("CSV");
    printf("seed %llu\n", (unsigned long long)seed);
    run_begin(&r, seed, true);
    struct samples *s =
        samples_start(&r, csv ? csv : "soak.csv", (unsigned)setting("EVERY", 10) * 1000);
    report_context(seed, 0, "warming up");
    watch_shuffle(r.watch, 20);
    work_go(r.work, PAUSE_MS);
    sleep_ms(8000);
    run_compare(&r, false);
    struct sample base = at_rest(&r, s, NULL);
    for (unsigned no = 1; now_ms() < end; no++)
        cycle(&r, no, end);
    struct sample last = at_rest(&r, s, &base);
    check_base(&base, &last);
    samples_close(s);
    run_end(&r);
    unsigned wrong = report_count();
    printf("%u wrong\n", wrong);
    return wrong ? 1 : 0;
}
