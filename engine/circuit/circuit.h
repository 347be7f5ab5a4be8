/*
 * circuit: one plan's operators, and the step that runs them.
 *
 *     struct circuit *c = circuit_new();
 *     struct op *src = op_source(c, layout, "events");
 *     struct op *out = op_group(c, src, …);
 *     circuit_set_output(c, out);
 *     circuit_push(c, src, row, +1);
 *     const struct delta *d = circuit_step(c);     // net change of the output, consolidated
 *
 * A step sees the net change of one or more whole transactions. The delta it returns is consolidated
 * (each distinct row once, no zero weight) and valid until the next push. Cost of a step follows
 * the size of the changes, never that of the state.
 *
 * Erroneous rows: an expression that fails for a row adds the row's weight to the circuit's error
 * set instead of to its output; when all of it has been retracted the circuit is healthy again.
 *
 * Memory: operators count what they hold; circuit_bytes() sums it up in O(operators).
 */
#ifndef PALIMPSEST_CIRCUIT_CIRCUIT_H
#define PALIMPSEST_CIRCUIT_CIRCUIT_H

#include "engine/op/op.h"

struct circuit *circuit_new(void);
/* The body of a recursion in outer, which runs it: their errors are one set, and what it asks of
 * Postgres is part of outer's step. */
struct circuit *circuit_new_nested(struct circuit *outer);
void circuit_free(struct circuit *c); /* frees its operators too */
void circuit_set_output(struct circuit *c, struct op *out);
const struct layout *circuit_output_layout(const struct circuit *c); /* borrowed */

/* Adds a change to a source's pending input. The row (in the source's layout) is copied. */
void circuit_push(struct circuit *c, struct op *source, const uint8_t *row, int64_t weight);
/* The same without the copy: the caller keeps the row unchanged until circuit_step() returns. */
void circuit_push_borrowed(struct circuit *c, struct op *source, const uint8_t *row,
                           int64_t weight);
const struct delta *circuit_step(struct circuit *c);

/* A question to Postgres has gone unanswered, or the state makes no sense: it and the output are
 * void, no step does anything any more. The plan is to be built anew. */
bool circuit_is_lost(const struct circuit *c);
/* It is lost because more of a row was retracted than there was: an expression gave another answer
 * for the same row than before. Functions that are called immutable and aren't do that. */
bool circuit_is_broken(const struct circuit *c);
/* The error Postgres would raise for the statement now, or NULL. */
const struct err *circuit_error(const struct circuit *c);

uint64_t circuit_bytes(const struct circuit *c);
size_t circuit_op_count(const struct circuit *c);
/* Appends one line (no newline) that describes operator i, counted from the sources, with its state. */
void circuit_describe(const struct circuit *c, size_t i, struct buf *b);
/* What operator i holds; false where it keeps no state. */
bool circuit_op_stats(const struct circuit *c, size_t i, struct op_stats *out);

#endif
