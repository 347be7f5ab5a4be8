/*
 * harness: what every end-to-end test program begins with: one cluster, one daemon, one database
 * connection, started before the first test and checked to have ended well after the last.
 *
 * Tests run in forked children (check's default), so a test that dies takes nothing with it; each
 * makes its own clients and names its own tables.
 */
#ifndef TESTS_E2E_HARNESS_H
#define TESTS_E2E_HARNESS_H

#include <check.h>

#include "tests/e2e/client.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/daemon_proc.h"

extern struct cluster *cluster;
extern struct daemon_proc *daemon_under_test;

/* NULL-terminated, may be NULL; set before harness_main(). */
extern const char *const *harness_pg_settings;
extern const char *const *harness_daemon_sets;
/* Tests that stop and start the servers run in the process that is their parent. */
extern bool harness_in_one_process;

/* Starts the servers, runs the suite, stops the servers; the program's exit status. */
int harness_main(Suite *suite);

/* SEED from the environment or the clock; printed, so that a failure can be run again. */
unsigned harness_seed(void);
/* What `full` is, cut down when QUICK is set in the environment or sanitizers make all slow. */
int harness_scale(int full);

#endif
