/*
 * faults: the fault-injection suite. Each round is a workload, a random fault (sometimes two) at a
 * random moment, quiet, and every client's view compared with Postgres; see round.h for how, watch.h
 * for what is checked all the while, inject.c for the faults.
 *
 *     ROUNDS=200    how many
 *     SEED=n        repeats the choices (the clock); what happens when does differ
 *     FAULT=text    only faults whose name holds the text
 *     BANK=1        only transfers, and only the bank's views
 *     FAILURES=n    stops after so many bad rounds (3)
 *     PATIENCE=n    everything may take n times as long
 *     VERBOSE=1     says what it does
 *
 * make test runs each fault once, with FAULTS_ROUNDS=0 and a fixed seed. The exit status is 1 if
 * anything was wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/alloc.h"
#include "tests/faults/report.h"
#include "tests/faults/round.h"

struct tally {
    unsigned rounds, wrong;
    uint64_t compared, deltas, resyncs;
};

static const struct fault *choose(struct run *r, unsigned round, bool in_turn)
{
    const char *only = getenv("FAULT");
    if (in_turn)
        return &faults[round % nfaults];
    for (;;) {
        const struct fault *f = &faults[rng_below(&r->scene.rng, (unsigned)nfaults)];
        if (!only || !*only || strstr(f->name, only))
            return f;
    }
}

static void add(struct tally *t, const struct watch_counts *a, const struct watch_counts *b,
                unsigned wrong)
{
    t->rounds++;
    t->compared += b->compared - a->compared;
    t->deltas += b->deltas - a->deltas;
    t->resyncs += b->resyncs - a->resyncs;
    t->wrong += wrong;
}

static unsigned one_round(struct run *r, unsigned round, bool in_turn, struct tally *tallies)
{
    char name[120];
    r->scene.rng = rng_from(r->seed, 1000 + round); /* a round's choices are its own */
    const struct fault *a = choose(r, round, in_turn);
    const struct fault *b =
        !in_turn && rng_chance(&r->scene.rng, 30) ? run_second_fault(r, a) : NULL;
    snprintf(name, sizeof name, "%s%s%s", a->name, b ? " + " : "", b ? b->name : "");
    report_context(r->seed, round, name);
    report_note("round %u: %s", round, name);
    struct watch_counts before = watch_counts(r->watch);
    unsigned wrong = report_count();
    uint64_t started = now_ms();
    watch_shuffle(r->watch, (unsigned)(in_turn ? 8 : rng_between(&r->scene.rng, 6, 16)));
    run_faults(r, a, b, in_turn ? 150 : 500);
    run_compare(r, a->allows.unnoticed || (b && b->allows.unnoticed));
    struct watch_counts after = watch_counts(r->watch);
    wrong = report_count() - wrong;
    add(&tallies[a - faults], &before, &after, wrong);
    if (b)
        add(&tallies[b - faults], &before, &after, wrong);
    add(&tallies[nfaults], &before, &after, wrong);
    report_note("round %u: %llu views, %llu deltas, %llu ms", round,
                (unsigned long long)(after.compared - before.compared),
                (unsigned long long)(after.deltas - before.deltas),
                (unsigned long long)(now_ms() - started));
    return wrong;
}

static void print_line(const char *name, const struct tally *t)
{
    if (t->rounds)
        printf("%-34s %6u %8llu %9llu %8llu %6u\n", name, t->rounds,
               (unsigned long long)t->compared, (unsigned long long)t->deltas,
               (unsigned long long)t->resyncs, t->wrong);
}

static void print_tallies(struct run *r, const struct tally *tallies)
{
    struct watch_counts n = watch_counts(r->watch);
    struct work_counts k = work_counts(r->work);
    printf("%-34s %6s %8s %9s %8s %6s\n", "fault", "rounds", "views", "deltas", "resyncs", "wrong");
    for (size_t i = 0; i < nfaults; i++)
        print_line(faults[i].name, &tallies[i]);
    print_line("all rounds", &tallies[nfaults]);
    printf("writers: %lu commits (%lu with transfers), %lu rolled back, %lu failed\n", k.commits,
           k.transfers, k.rollbacks, k.errors);
    printf("clients: %llu connections, %llu lost, %llu subscriptions, %llu went on with "
           "since, %llu were sent whole instead, %llu snapshots, "
           "%llu deltas, %llu rows, %llu FAILED, %llu errors\n",
           (unsigned long long)n.connections, (unsigned long long)n.disconnects,
           (unsigned long long)n.subscriptions, (unsigned long long)n.resumed,
           (unsigned long long)n.too_old, (unsigned long long)n.snapshots,
           (unsigned long long)n.deltas, (unsigned long long)n.rows, (unsigned long long)n.failures,
           (unsigned long long)n.errors);
    printf(
        "checked: %llu totals of the bank, %llu cuts, %llu own writes after %llu SYNCs, %llu views "
        "against another's at the same LSN, %llu VERIFYs (%llu could not be told)\n",
        (unsigned long long)n.totals, (unsigned long long)n.cuts, (unsigned long long)n.own_writes,
        (unsigned long long)n.syncs, (unsigned long long)n.twins, (unsigned long long)n.verified,
        (unsigned long long)n.unverified);
}

int main(void)
{
    struct run r;
    /* Unless ROUNDS says otherwise make test's FAULTS_ROUNDS=0 is each fault in turn. */
    unsigned long rounds = setting("ROUNDS", setting("FAULTS_ROUNDS", 200));
    uint64_t seed = setting("SEED", setting("FAULTS_SEED", (unsigned long)time(NULL)));
    unsigned long limit = setting("FAILURES", 3), bad = 0;
    bool in_turn = rounds == 0;
    struct tally *tallies = xcalloc(nfaults + 1, sizeof *tallies);
    printf("seed %llu\n", (unsigned long long)seed);
    run_begin(&r, seed, false);
    for (unsigned i = 0; i < (in_turn ? nfaults : rounds) && bad < limit; i++)
        bad += one_round(&r, i, in_turn, tallies) > 0;
    report_context(seed, (unsigned)rounds, "after the last round");
    print_tallies(&r, tallies);
    run_end(&r);
    free(tallies);
    unsigned wrong = report_count();
    /* check's summary, for tests/run */
    printf("%u%%: Checks: 1, Failures: %d, Errors: 0\n", wrong ? 0 : 100, wrong ? 1 : 0);
    return wrong ? 1 : 0;
}
