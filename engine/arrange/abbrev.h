/*
 * abbrev: 64 bits of a value that never contradict its order.
 *
 * If abbrev(a) < abbrev(b) then a < b; equal abbreviations decide nothing. Sorted structures keep it
 * next to the row and compare rows only when it ties. Types without a useful one give a constant.
 */
#ifndef PALIMPSEST_ARRANGE_ABBREV_H
#define PALIMPSEST_ARRANGE_ABBREV_H

#include "engine/value/value.h"

/* v is not NULL. scratch: for numerics under way. */
uint64_t abbrev(const struct column_type *t, struct value v, struct arena *scratch);

#endif
