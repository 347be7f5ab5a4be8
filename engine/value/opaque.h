/*
 * opaque: equality and order of values that are carried as text. For value.c only.
 *
 * What kind of text it is says the type's text_order; a type with ORDER_NONE has no order, and an
 * equality only where its text is its identity. The text is taken apart anew for each comparison: equal bytes are the fast way
 * out.
 */
#ifndef PALIMPSEST_VALUE_OPAQUE_H
#define PALIMPSEST_VALUE_OPAQUE_H

#include "engine/value/value.h"

bool opaque_has_equality(const struct column_type *t);
bool opaque_has_order(const struct column_type *t);
int opaque_cmp(const struct column_type *t, struct value a, struct value b);
bool opaque_same(const struct column_type *t, struct value a, struct value b);
uint64_t opaque_hash(const struct column_type *t, struct value v);

#endif
