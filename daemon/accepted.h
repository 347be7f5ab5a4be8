/*
 * accepted: the ACCEPTED line of a statement, and by what to tell whether it shows other columns than
 * the one before.
 */
#ifndef PALIMPSEST_DAEMON_ACCEPTED_H
#define PALIMPSEST_DAEMON_ACCEPTED_H

#include "engine/base/buf.h"
#include "engine/plan/plan.h"

void accepted_write(struct buf *b, const char *id, const struct plan_spec *spec);
/* A hash of the columns' names and types and of the order: what a client relies on. */
uint64_t accepted_columns(const struct plan_spec *spec);

#endif
