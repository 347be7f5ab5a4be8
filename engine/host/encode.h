/*
 * encode: rows to the wire lines of a SNAPSHOT or DELTA.
 *
 * A line is "+ [json]\n" or "- [json]\n". Only the visible columns are shown: the first ncolumns of
 * the output row, without those that serve the ORDER BY alone.
 */
#ifndef PALIMPSEST_HOST_ENCODE_H
#define PALIMPSEST_HOST_ENCODE_H

#include "engine/host/bag.h"
#include "engine/host/payload.h"
#include "engine/plan/plan.h"

struct encoder {
    const struct plan_spec *spec; /* borrowed */
    const struct layout *layout; /* of output rows; borrowed; NULL: they are a rerun's (answer.h) */
    bool lines_may_coincide;     /* different rows may have the same line: hidden columns, json */
};

void encoder_init(struct encoder *e, const struct plan_spec *spec, const struct layout *layout);

/* A consolidated change as a DELTA: retracts first, no line on both sides; NULL if nothing is left.
 */
struct payload *encode_delta(const struct encoder *e, const struct change *changes, size_t n,
                             lsn_t lsn);
/* All rows of the bag as a SNAPSHOT, in the statement's ORDER BY order. */
struct payload *encode_snapshot(const struct encoder *e, const struct bag *view, lsn_t lsn);

/* Adds the lines of a DELTA payload to a bag of lines (without sign and newline), by weight. */
void encode_collect_lines(const struct payload *p, struct bag *lines);
/* The DELTA from one SNAPSHOT to another; it may have no rows. */
struct payload *encode_difference(const struct payload *from, const struct payload *to, lsn_t lsn);
/* Takes the rows of the view out of a bag of lines (without sign and newline). */
void encode_take_out(const struct encoder *e, const struct bag *view, struct bag *lines);
/* The bag of lines as a DELTA payload; it may have no rows. */
struct payload *encode_lines(const struct bag *lines, lsn_t lsn);

#endif
