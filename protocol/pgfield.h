/*
 * pgfield: one column's value as Postgres sends it, in the stream (pgoutput.h) and in a COPY
 * (pgcopy.h): the same struct for both, so that one function builds rows from either.
 */
#ifndef PALIMPSEST_PROTOCOL_PGFIELD_H
#define PALIMPSEST_PROTOCOL_PGFIELD_H

#include <stdint.h>

/* The most columns a table or a result of Postgres can have (MaxTupleAttributeNumber). */
#define PG_COLUMNS_MAX 1664

enum pg_field_kind {
    PG_NULL,
    PG_TEXT,     /* data, len: the type's text form; not NUL-terminated */
    PG_BINARY,   /* data, len: the type's binary form; only when asked for */
    PG_UNCHANGED /* a TOAST value that the UPDATE left as it was: look in the old row */
};

struct pg_field {
    const char *data; /* borrowed from the message or the line */
    uint32_t len;
    uint32_t kind; /* enum pg_field_kind */
};

#endif
