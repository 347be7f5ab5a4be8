/*
 * waiting: for a daemon that has trouble with its Postgres, to be well again or to say what is wrong.
 */
#ifndef TESTS_E2E_WAITING_H
#define TESTS_E2E_WAITING_H

#include "tests/e2e/client.h"
#include "tests/e2e/daemon_proc.h"

/* SYNC is refused with 57P03 while the daemon has no Postgres: asks until it is answered. */
void sync_when_back(struct client *c);
/* The STATUS line, malloc'd. */
char *status_line(int port);
/* Until STATUS has this text in it; ends the program after 30 s. */
void wait_for_status(int port, const char *text);
/* Until this stands in the log; likewise. */
void wait_for_log(const struct daemon_proc *d, const char *text);
/* Until the query answers true. */
void wait_for_sql(PGconn *db, const char *query);

#endif
