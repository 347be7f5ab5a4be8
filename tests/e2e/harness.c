/*
 * harness: see harness.h.
 */
#include "tests/e2e/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct cluster *cluster;
struct daemon_proc *daemon_under_test;
const char *const *harness_pg_settings;
const char *const *harness_daemon_sets;
bool harness_in_one_process;

int harness_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    cluster = cluster_start(harness_pg_settings);
    daemon_under_test = daemon_start(cluster->conninfo, harness_daemon_sets, true);
    if (harness_in_one_process)
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (failed)
        daemon_show_log(daemon_under_test);
    daemon_free(daemon_under_test);
    cluster_free(cluster);
    return failed ? 1 : 0;
}

unsigned harness_seed(void)
{
    const char *s = getenv("SEED");
    unsigned seed = s && *s ? (unsigned)strtoul(s, NULL, 10) : (unsigned)time(NULL);
    fprintf(stderr, "seed %u\n", seed);
    return seed;
}

int harness_scale(int full)
{
    const char *quick = getenv("QUICK");
    return quick && *quick ? (full + 3) / 4 : full;
}
