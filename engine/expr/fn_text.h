/*
 * fn_text: what the functions on text share with LIKE.
 */
#ifndef PALIMPSEST_EXPR_FN_TEXT_H
#define PALIMPSEST_EXPR_FN_TEXT_H

#include "engine/expr/pgfuncs.h"

/* Bytes of the UTF-8 character at p, at least 1; `left` bytes are there. */
size_t text_char_len(const uint8_t *p, size_t left);

/* lower() or upper() under a collation that has them (see COLL_CASE). */
MUST_CHECK bool text_change_case(const struct collation *coll, struct value s, bool upper,
                                 struct arena *a, struct value *out, struct err *err);

#endif
