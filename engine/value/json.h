/*
 * json: building JSON text the way Postgres's to_json() does.
 */
#ifndef PALIMPSEST_VALUE_JSON_H
#define PALIMPSEST_VALUE_JSON_H

#include "engine/value/value.h"

/* A JSON string with its quotes; s is UTF-8. */
void json_add_string(struct buf *b, const char *s, size_t len);

/* JSON text without the white space between its tokens. */
void json_add_compact(struct buf *b, const char *s, size_t len);

/* What to_json() gives for a value of t whose text form is s. */
void json_add_text_form(struct buf *b, const struct type *t, const char *s, size_t len);

#endif
