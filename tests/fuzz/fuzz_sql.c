/*
 * fuzz-sql: random statements against Postgres for as long as one likes. See fuzz.h.
 *
 *     SECONDS=3600  how long (20)
 *     SEED=n        the first round's seed (the clock); ROUNDS=n stops after so many rounds
 *     RERUN=1       statements that can't be maintained by changes are run again, not refused
 *     SMITH=1       sqlsmith's statements instead of ours
 *     FAILURES=n    stops after that many failures, each made small and printed (3)
 *
 * A failure ends as a script that can be put into tests/sql. The exit status is 1 if there was any.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "tests/fuzz/fuzz.h"

struct fuzz_shared *fuzz_shared;
struct cluster *fuzz_cluster;
struct daemon_proc *fuzz_daemon;

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *s = getenv(name);
    return s && *s ? strtoul(s, NULL, 10) : otherwise;
}

static void start_daemon(void)
{
    static const char *sets[] = {"limits.subscriptions_per_connection=2000", "limits.plans=5000",
                                 "engine.allow_rerun=off", NULL};
    if (setting("RERUN", 0))
        sets[2] = NULL;
    fuzz_daemon = daemon_start(fuzz_cluster->conninfo, sets, true);
}

bool fuzz_revive(void)
{
    if (!daemon_has_ended(fuzz_daemon))
        return false;
    daemon_show_log(fuzz_daemon);
    start_daemon();
    return true;
}

static void show_failure(struct fuzz_case *c, struct arena *a, bool died)
{
    if (!died) {
        fputs(fuzz_shared->report, stdout);
        fuzz_shrink(c, a, fuzz_shared->statement, fuzz_shared->change, stdout);
    }
    for (size_t i = 0; died && i < c->statements.n; i++)
        if (fuzz_run(c, (int)i) == OUTCOME_DIED) {
            fuzz_revive();
            fuzz_shrink(c, a, (int)i, FUZZ_CHANGES - 1, stdout);
            break;
        }
}

static void generate(struct fuzz_case *c, struct gen *g, uint64_t seed)
{
    PGconn *db = cluster_connect(fuzz_cluster);
    fuzz_begin(c, g, db);
    if (setting("SMITH", 0))
        fuzz_add_smith(c, g->arena, db, seed);
    for (int i = 0; !c->foreign && i < FUZZ_STATEMENTS; i++) {
        struct node *n = gen_statement(g);
        fuzz_add(c, db, n, g->risky);
    }
    PQfinish(db);
}

static unsigned one_round(uint64_t seed)
{
    struct arena arena;
    struct gen g;
    struct fuzz_case c;
    arena_init(&arena);
    gen_init(&g, &arena, seed);
    generate(&c, &g, seed);
    enum outcome outcome = fuzz_run(&c, -1);
    fuzz_shared->counts.rounds++;
    if (outcome != OUTCOME_RIGHT) {
        printf("---- failure: SEED=%llu ROUNDS=1\n", (unsigned long long)seed);
        fflush(stdout);
        if (outcome == OUTCOME_DIED) {
            fuzz_shared->counts.crashes++;
            fuzz_revive();
        }
        show_failure(&c, &arena, outcome == OUTCOME_DIED);
        printf("----\n");
        fflush(stdout);
    }
    fuzz_case_fini(&c);
    gen_fini(&g);
    arena_fini(&arena);
    return outcome != OUTCOME_RIGHT;
}

static void print_counts(unsigned failures)
{
    const struct fuzz_counts *n = &fuzz_shared->counts;
    for (int i = 0; i < FUZZ_REASONS && fuzz_shared->reasons[i].n; i++)
        printf("%6lu  %s\n", fuzz_shared->reasons[i].n, fuzz_shared->reasons[i].text);
    printf(
        "%lu rounds, %lu statements: %lu incremental, %lu rerun, %lu refused; %lu commits, %lu "
        "comparisons (%lu failing alike, %lu spelled otherwise, %lu errors disputed), %lu wrong, "
        "%lu crashes\n",
        n->rounds, n->statements, n->modes[LIVE_INCREMENTAL], n->modes[LIVE_RERUN],
        n->modes[LIVE_REFUSED], n->commits, n->comparisons, n->failing, n->spelling, n->disputed,
        n->wrong, n->crashes);
    /* check's summary, for tests/run. */
    printf("%u%%: Checks: 1, Failures: %d, Errors: 0\n", failures ? 0 : 100, failures ? 1 : 0);
}

int main(void)
{
    /* make test has rounds of its own: the same ones every time, known to end within the time. */
    uint64_t seed = setting("SEED", setting("FUZZ_SEED", (unsigned long)time(NULL) * 1000));
    unsigned long rounds = setting("ROUNDS", setting("FUZZ_ROUNDS", 0)),
                  limit = setting("FAILURES", 3);
    time_t end = time(NULL) + (time_t)setting("SECONDS", 20);
    unsigned failures = 0;
    fuzz_shared =
        mmap(NULL, sizeof *fuzz_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fuzz_shared == MAP_FAILED)
        die("no memory");
    fuzz_cluster = cluster_start(NULL);
    start_daemon();
    printf("seed %llu\n", (unsigned long long)seed);
    for (unsigned long i = 0; rounds ? i < rounds : time(NULL) < end; i++) {
        failures += one_round(seed + i);
        if (failures >= limit)
            break;
    }
    print_counts(failures);
    daemon_free(fuzz_daemon);
    cluster_free(fuzz_cluster);
    return failures ? 1 : 0;
}
