/*
 * win_frame: which rows of its partition a window's frame holds for the current row.
 *
 * A frame is two bounds and what is left out between them. Bounds count rows (ROWS), peer groups
 * (GROUPS) or distance in the ORDER BY column (RANGE); offsets are constants of the statement and
 * known not to be NULL, nor negative except RANGE's, whose type says when it looks at them.
 *
 * As the current row goes on, both bounds do too: the cursor of a RANGE frame with offsets goes on
 * from where it was, so that a partition costs a comparison a row and bound.
 */
#ifndef PALIMPSEST_EXPR_WIN_FRAME_H
#define PALIMPSEST_EXPR_WIN_FRAME_H

#include "engine/expr/in_range.h"
#include "engine/expr/win.h"

enum win_mode {
    FRAME_ROWS,
    FRAME_RANGE,
    FRAME_GROUPS
};

enum win_bound_kind {
    BOUND_UNBOUNDED, /* the partition's first row as a start, its last as an end */
    BOUND_CURRENT,   /* the row; in RANGE and GROUPS its peers */
    BOUND_PRECEDING,
    BOUND_FOLLOWING
};

struct win_bound {
    enum win_bound_kind kind;
    struct value offset;   /* PRECEDING, FOLLOWING: bigint, or for RANGE of offset_ct */
    in_range_fn *in_range; /* RANGE with an offset; else NULL */
    struct column_type offset_ct;
};

enum win_exclude {
    EXCLUDE_NOTHING,
    EXCLUDE_CURRENT_ROW,
    EXCLUDE_GROUP,
    EXCLUDE_TIES
};

struct win_frame {
    enum win_mode mode;
    struct win_bound start, end;
    enum win_exclude exclude;
};

/* How a RANGE frame with offsets reads its rows. */
struct win_order {
    uint32_t col;
    bool desc, nulls_first;
};

/* Zeros, but for the first three, at the beginning of a partition. */
struct win_cursor {
    const struct win_frame *frame;
    const struct win_part *part;
    const struct win_order *order;
    size_t start, end; /* of RANGE with offsets: where the last row's were */
};

/* Of row `at`; called for 0, 1, 2… False: a RANGE offset is negative, or fails. */
MUST_CHECK bool win_frame_at(struct win_cursor *c, size_t at, struct arena *scratch,
                             struct win_rows *out, struct err *err);

/* Appends "rows between 1 preceding and current row". */
void win_frame_print(const struct win_frame *f, struct buf *b);

#endif
