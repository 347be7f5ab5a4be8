/*
 * consolidate: each distinct row of a delta once, with the sum of its weights; none with weight 0.
 *
 * Rows are told apart by their bytes. The order is that of first appearance. Linear in the delta.
 */
#ifndef PALIMPSEST_OP_CONSOLIDATE_H
#define PALIMPSEST_OP_CONSOLIDATE_H

#include "engine/op/op.h"

/* Appends to out, which is empty; working memory comes from the arena. in and out differ. */
void consolidate(const struct layout *l, const struct delta *in, struct arena *arena,
                 struct delta *out);

#endif
