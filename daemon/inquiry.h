/*
 * inquiry: what does this statement mean? One statement, asked of Postgres. Called by the analyst.
 */
#ifndef PALIMPSEST_DAEMON_INQUIRY_H
#define PALIMPSEST_DAEMON_INQUIRY_H

#include "daemon/analyst.h"
#include "daemon/pgconn.h"

/* The spec of job's statement with its parameters; one reference. NULL with err: Postgres's own
 * where it has something against the statement. */
const struct plan_spec *inquire(struct pgconn *conn, const struct analysis *job, struct err *err);

#endif
