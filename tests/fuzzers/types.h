/*
 * types: the types that the value targets try, native ones and one or more of each text_order, made as
 * the catalog loader makes them.
 */
#ifndef TESTS_FUZZERS_TYPES_H
#define TESTS_FUZZERS_TYPES_H

#include "engine/value/value.h"
#include "tests/fuzzers/input.h"

#define TYPES_MAX 64

/* Made at the first call. Every text has collation C or none. */
const struct column_type *fuzz_types(size_t *n);

/* A value's text as Postgres would print it: parsed it has only laws to keep. Appended. */
void fuzz_value_text(struct input *in, const struct type *t, struct buf *b);

#endif
