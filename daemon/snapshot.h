/*
 * snapshot: which transactions a snapshot of Postgres shows, as pg_current_snapshot() prints it.
 *
 * The text is "xmin:xmax:xip,xip…" (pg_snapshot, src/backend/utils/adt/xid8funcs.c), with 64-bit
 * transaction ids. The struct is in reader.h, for the messages that carry it.
 */
#ifndef PALIMPSEST_DAEMON_SNAPSHOT_H
#define PALIMPSEST_DAEMON_SNAPSHOT_H

#include "daemon/reader.h"

/* Sets xmin, xmax and xip (sorted, owned; what was there is freed) and leaves the other members.
 * False, and nothing changed, if the text is no snapshot. */
bool snapshot_parse(const char *s, struct snapshot *out);

#endif
