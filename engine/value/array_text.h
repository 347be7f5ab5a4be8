/*
 * array_text: building the text form of an array as array_out prints it, element by element.
 *
 * Arrays are carried in their text form or read from it (value_parse), so whoever makes one from
 * values writes its text. Elements that need quotes get them by array_out's rules.
 */
#ifndef PALIMPSEST_VALUE_ARRAY_TEXT_H
#define PALIMPSEST_VALUE_ARRAY_TEXT_H

#include "engine/value/value.h"

/* Appends an element whose text form is s, in quotes where it needs them. */
void array_text_add(struct buf *b, const char *s, size_t len, char delim);
/* Appends the element v of type elem; NULL is NULL. */
void array_text_add_value(struct buf *b, const struct type *elem, struct value v, char delim);
/* What stands between the elements of an array type. */
char array_text_delim(const struct type *array);
/* The text as a value of the array type; copied into a. */
MUST_CHECK bool array_text_value(const struct type *array, const struct buf *text, struct arena *a,
                                 struct value *out, struct err *err);

#endif
