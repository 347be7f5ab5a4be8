/*
 * rerun_int: what rerun.c and rerun_ask.c share. Nobody else includes it.
 */
#ifndef PALIMPSEST_DAEMON_RERUN_INT_H
#define PALIMPSEST_DAEMON_RERUN_INT_H

#include "daemon/pgconn.h"
#include "daemon/rerun.h"

/* pgconn_exec() of a formatted statement. */
MUST_CHECK bool rerun_exec(struct pgconn *c, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Answers all statements of the job in one snapshot. False: none is answered. */
MUST_CHECK bool rerun_ask(struct pgconn *c, const struct config *cfg, struct rerun_job *job,
                          struct err *err);

#endif
