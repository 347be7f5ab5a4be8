/*
 * eval: which evaluation function a node gets. Between the constructors and eval*.c only.
 */
#ifndef PALIMPSEST_EXPR_EVAL_H
#define PALIMPSEST_EXPR_EVAL_H

#include "engine/expr/pgfuncs.h"

/* Specialised for the node's kind, function and arguments. Everything else in e is set. */
eval_fn *eval_choose(const struct expr *e);

/* Of an EXPR_FUNC; the fast forms of integer columns and constants are in eval_int.c, which answers
 * NULL when it has none. */
eval_fn *eval_choose_int(const struct expr *e);

eval_fn eval_const;
eval_fn eval_column_int32;
eval_fn eval_column_int64;

/* In expr_array.c. */
eval_fn eval_array, eval_element, eval_in_array;
/* In eval_path.c. */
eval_fn eval_row, eval_append, eval_on_path;

/* EXPR_VIA_IO, in cast.c. */
eval_fn eval_via_io;
/* EXPR_DELEGATED, in delegate.c. */
eval_fn eval_delegated;
/* Whether text (or an opaque type's text) can be read as `to`, and `from` be printed as text. */
bool via_io_is_supported(const struct type *from, const struct type *to);

static inline const uint8_t *column_at(const struct expr *e, const struct eval_ctx *cx)
{
    return cx->row[e->input] + cx->layout[e->input]->cols[e->col].offset;
}

#endif
