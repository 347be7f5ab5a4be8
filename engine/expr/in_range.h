/*
 * in_range: how far a value may be from another, for RANGE frames with an offset.
 *
 * What Postgres's in_range support functions answer: whether val <= base ± offset (less) or
 * val >= base ± offset, without failing where the sum would be out of the type's range. Found by the
 * pg_proc OID the analysed window names.
 *
 * To add a type: its function and its lines in in_range.c.
 */
#ifndef PALIMPSEST_EXPR_IN_RANGE_H
#define PALIMPSEST_EXPR_IN_RANGE_H

#include "engine/value/value.h"

/* sub: base - offset. None of the values is NULL. False: the offset is negative (22013) or the sum
 * fails. */
typedef bool in_range_fn(struct value val, struct value base, struct value offset, bool sub,
                         bool less, bool *in, struct arena *scratch, struct err *err);

/* NULL: no native version. */
in_range_fn *in_range_lookup(uint32_t funcid);

#endif
