/*
 * delegate_call: a delegated call as the memo's key and as SQL. Between delegate.c and the
 * constructor of EXPR_DELEGATED only.
 */
#ifndef PALIMPSEST_EXPR_DELEGATE_CALL_H
#define PALIMPSEST_EXPR_DELEGATE_CALL_H

#include "engine/expr/delegate.h"

/* Appends the call's identity and its argument values. */
void delegate_key(const struct expr *e, const struct value *v, struct buf *key);
/* Argument k out of such a key. */
struct delegate_text delegate_key_text(const struct expr *e, const uint8_t *key, uint32_t k,
                                       struct arena *a);
/* Whether no text among the values names a moment; false with the error set. */
bool delegate_is_timeless(const struct expr *e, const struct value *v, struct err *err);
/* The question that answers each row on its own, with a value, or with SQLSTATE, message, detail and
 * hint; setup makes the function that it calls. False where it can't be put. */
bool delegate_question_each(const struct expr *e, struct buf *setup, struct buf *sql);
/* Fills in id and sql; everything else of the call is set. */
void delegate_call_finish(struct delegate_call *call, const struct expr *const *args, size_t nargs,
                          const struct column_type *result, struct arena *a);

#endif
