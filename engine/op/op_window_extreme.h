/*
 * op_window_extreme: min and max over any rows of a partition, in O(log n). Private to op_window*.c.
 *
 * A tree over the partition's rows, each node knowing the row with the least (greatest) value below it.
 * So frames may slide, jump and have holes, and of values that are equal but print differently (1.0,
 * 1.00) the one is found that Postgres shows, which goes through the frame in its order: the last of
 * them, the first of char(n).
 */
#ifndef PALIMPSEST_OP_OP_WINDOW_EXTREME_H
#define PALIMPSEST_OP_OP_WINDOW_EXTREME_H

#include "engine/expr/win.h"
#include "engine/op/op.h"

/* What a row is in the tree: its number + 1, or one of these. */
#define EXTREME_NONE  0
#define EXTREME_FAILS UINT32_MAX

struct extreme {
    const struct column_type *ct; /* borrowed */
    const struct value *vals;     /* by row; borrowed */
    bool greatest;
    bool first;     /* of equals */
    size_t leaves;  /* a power of two */
    uint32_t *node; /* node[leaves + i]: row i; in the arena */
};

/* rows[n]: what each row is. */
void extreme_build(struct extreme *x, const struct agg_spec *spec, const struct value *vals,
                   const uint32_t *rows, size_t n, struct arena *arena);
/* Which row it is over these. */
uint32_t extreme_find(const struct extreme *x, const struct win_rows *rows);

#endif
