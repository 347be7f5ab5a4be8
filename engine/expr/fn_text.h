/*
 * fn_text: characters in UTF-8 and letter case, for the fn_*.c that deal with text.
 */
#ifndef PALIMPSEST_EXPR_FN_TEXT_H
#define PALIMPSEST_EXPR_FN_TEXT_H

#include "engine/expr/pgfuncs.h"

#define TEXT_MAX 0x3fffffff /* bytes of a value, its 4-byte header included */

/* Not the first byte of a character. */
static inline bool text_is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

int64_t text_char_count(struct value v);
/* The byte offset after n characters; v.len when it has fewer. */
size_t text_char_offset(struct value v, int64_t n);
/* 54000: sets the error, returns false. */
bool text_too_long(struct err *err);

/* Bytes of the UTF-8 character at p, at least 1; `left` bytes are there. */
size_t text_char_len(const uint8_t *p, size_t left);

/* lower() or upper() under a collation that has them (see COLL_CASE). */
MUST_CHECK bool text_change_case(const struct collation *coll, struct value s, bool upper,
                                 struct arena *a, struct value *out, struct err *err);

#endif
