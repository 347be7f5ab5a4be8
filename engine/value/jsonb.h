/*
 * jsonb: values of type jsonb, carried as the text that Postgres prints: keys of an object in
 * Postgres's order (shorter ones first, then by bytes), each once, one blank after ':' and ','.
 *
 * A part of such a text is itself such a text: what an operator takes out of a document is borrowed
 * from it. Strings of equal value have equal text (escapes are canonical); numbers don't (1.0 and
 * 1.00 are equal).
 */
#ifndef PALIMPSEST_VALUE_JSONB_H
#define PALIMPSEST_VALUE_JSONB_H

#include "engine/value/value.h"

/* In the order in which values of different kinds sort. */
enum jsonb_kind {
    JSONB_NULL,
    JSONB_STRING,
    JSONB_NUMBER,
    JSONB_BOOL,
    JSONB_ARRAY,
    JSONB_OBJECT
};

/* v isn't empty. */
enum jsonb_kind jsonb_kind_of(struct value v);

/* Postgres's order; of strings by the collation, the database's default one. */
int jsonb_cmp(const struct collation *c, struct value a, struct value b);
bool jsonb_same(struct value a, struct value b);
uint64_t jsonb_hash(struct value v);

/* Walking the members of an array or object; of a scalar there are none. key is the text between
 * the quotes, as it is escaped. */
struct jsonb_iter {
    const uint8_t *p, *end;
    bool is_object;
};
void jsonb_open(struct value v, struct jsonb_iter *out);
bool jsonb_next(struct jsonb_iter *it, struct value *key, struct value *member);
uint32_t jsonb_count(struct value v);

/* The member of that key (not escaped), or of that index, from the end when negative; false: none.
 */
bool jsonb_field(struct value v, struct value key, struct value *out);
bool jsonb_element(struct value v, int64_t index, struct value *out);

/* The characters of a JSON string (its text with the quotes), unescaped. */
struct value jsonb_string(struct value v, struct arena *a);

#endif
