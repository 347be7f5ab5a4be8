/*
 * unit: the names of units in extract(), date_part() and date_trunc(), and a part as an exact number.
 *
 * Names are those of Postgres's tables, its abbreviations included ("mons", "hrs", "y"); only the
 * first ten characters of a name count.
 */
#ifndef PALIMPSEST_EXPR_UNIT_H
#define PALIMPSEST_EXPR_UNIT_H

#include "engine/expr/pgfuncs.h"
#include "engine/value/numeric.h"

enum unit {
    UNIT_MICROSECONDS,
    UNIT_MILLISECONDS,
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    UNIT_DECADE,
    UNIT_CENTURY,
    UNIT_MILLENNIUM, /* up to here also for date_trunc */
    UNIT_DOW,
    UNIT_ISODOW,
    UNIT_DOY,
    UNIT_ISOYEAR,
    UNIT_JULIAN,
    UNIT_EPOCH,
    UNIT_TIMEZONE,
    UNIT_TIMEZONE_HOUR,
    UNIT_TIMEZONE_MINUTE
};

/* 22023 for a name Postgres doesn't know either; type is for the message. */
MUST_CHECK bool unit_find(struct value name, uint32_t type, enum unit *unit, struct err *err);
/* The same for date_trunc(), which knows fewer names, and 0A000 for a unit it can't truncate to. */
MUST_CHECK bool unit_find_trunc(struct value name, uint32_t type, enum unit *unit, struct err *err);
/* 0A000: the type has no such part. False. */
bool unit_unsupported(struct value name, uint32_t type, struct err *err);

/* A part as an exact decimal: value * 10^-scale. Only the epoch of the last years needs 128 bits. */
struct part_number {
    int128_t value;
    int scale;
    bool null, infinite, negative; /* infinite: with its sign */
};

MUST_CHECK bool part_numeric(struct part_number p, struct arena *a, struct value *out,
                             struct err *err);
/* Divided once, as Postgres does it, so that the last digit is the same. */
bool part_float(struct part_number p, struct value *out);

#endif
