/*
 * array_text: building the text form of an array as array_out prints it, element by element.
 *
 * Arrays are carried in their text form or read from it (value_parse), so whoever makes one from
 * values writes its text. Elements that need quotes get them by array_out's rules.
 */
#ifndef PALIMPSEST_VALUE_ARRAY_TEXT_H
#define PALIMPSEST_VALUE_ARRAY_TEXT_H

#include "engine/value/parts.h"

/* Appends an element whose text form is s, in quotes where it needs them. */
void array_text_add(struct buf *b, const char *s, size_t len, char delim);
/* Appends the element v of type elem; NULL is NULL. */
void array_text_add_value(struct buf *b, const struct type *elem, struct value v, char delim);
/* What stands between the elements of an array type. */
char array_text_delim(const struct type *array);
/* A whole array: bounds where they aren't 1, and v in storage order. */
void array_print(const struct type *array, const struct array_dims *dims, const struct value *v,
                 struct buf *b);
/* A bound as range_out prints it, in quotes where it needs them. */
void range_add_bound(struct buf *b, const char *s, size_t len);
/* The text as a value of the array type; copied into a. */
MUST_CHECK bool array_text_value(const struct type *array, const struct buf *text, struct arena *a,
                                 struct value *out, struct err *err);

#endif
