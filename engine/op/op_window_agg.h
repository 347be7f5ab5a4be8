/*
 * op_window_agg: an aggregate over the frame of one row after the other. Private to op_window*.c.
 *
 * The state holds the rows of the frame. To go on to the next row's frame, rows that are not in it
 * are taken out and new ones are put in: a frame that slides costs a few rows a step whatever its
 * width, and so do the holes that EXCLUDE makes. Arguments are evaluated once a row, when it first
 * comes in. min and max have no such state but a tree over the partition (op_window_extreme.h).
 */
#ifndef PALIMPSEST_OP_OP_WINDOW_AGG_H
#define PALIMPSEST_OP_OP_WINDOW_AGG_H

#include "engine/op/op_window_extreme.h"

struct slide {
    const struct group_agg *call; /* borrowed */
    void *state;                  /* owned; zeros between partitions */
    /* While in a partition; in its arena: */
    const struct win_part *part;
    struct arena *arena;
    struct win_rows in;    /* the rows that are in the state */
    uint8_t *known;        /* what is known of each row's arguments */
    struct value *args;    /* of each row */
    int64_t failed;        /* rows in `in` whose arguments fail */
    struct win_span fails; /* from the first row that was looked at to the first that fails */
    struct value result;
    bool fresh;             /* `result` is that of `in` */
    struct extreme extreme; /* of min and max */
};

void slide_init(struct slide *s, const struct group_agg *call);
void slide_fini(struct slide *s);
void slide_begin(struct slide *s, const struct win_part *part, struct arena *arena);
/* The result over these rows. False: an argument or the result fails. */
MUST_CHECK bool slide_to(struct slide *s, const struct win_rows *frame, struct value *out,
                         struct err *err);
void slide_end(struct slide *s);

#endif
