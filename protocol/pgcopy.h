/*
 * pgcopy: rows of COPY … TO STDOUT in text format, cut into fields.
 *
 * One call is one row, as libpq's PQgetCopyData() gives it. Unescaping happens in place, so the
 * line must be writable, and the fields point into it. Rows without a backslash, that is nearly
 * all, take a fast path that looks for tabs only.
 */
#ifndef PALIMPSEST_PROTOCOL_PGCOPY_H
#define PALIMPSEST_PROTOCOL_PGCOPY_H

#include <stddef.h>

#include "engine/base/err.h"
#include "protocol/pgfield.h"

/* Fills fields[0..n): PG_NULL or PG_TEXT. 08P01 when the line hasn't exactly n fields, or ends in
 * the middle of an escape. The line may end in \n. */
MUST_CHECK bool pgcopy_split(char *line, size_t len, struct pg_field *fields, size_t n,
                             struct err *err);

#endif
