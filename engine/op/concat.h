/*
 * concat: puts two packed rows side by side without unpacking them.
 *
 * What joins make their output with. The result is a row of layout_concat(left, right): the null
 * bitmaps joined bit by bit, the fixed columns and the variable bytes of each side copied whole, the
 * end offsets of the right side moved up. It relies on a layout placing columns in order (row.h),
 * which concat_init() asserts.
 */
#ifndef PALIMPSEST_OP_CONCAT_H
#define PALIMPSEST_OP_CONCAT_H

#include "engine/value/row.h"

struct concat {
    const struct layout *left, *right; /* borrowed */
    struct layout *layout;             /* counted; of the result */
    uint8_t *null_left, *null_right;   /* owned; a row of NULLs for either side */
};

void concat_init(struct concat *c, const struct layout *left, const struct layout *right);
void concat_fini(struct concat *c);
/* NULL with 54000 when the row would be too long. */
const uint8_t *concat_rows(const struct concat *c, const uint8_t *left, const uint8_t *right,
                           struct arena *arena, struct err *err);

#endif
