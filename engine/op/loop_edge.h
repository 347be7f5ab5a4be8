/*
 * loop_edge: what of a recursive UNION's rows goes round again: each distinct row once, at the
 * first iteration that derives it.
 *
 * For each distinct row (by type equality; the first spelling seen stands for it) it keeps how often
 * it is derived at which iterations. The row passes at the least of them. When that changes, it is
 * retracted where it passed and asserted where it passes now, each when the turn of that iteration
 * comes: by then all that smaller iterations derive is settled. So a row whose first derivation is
 * lost passes later only if a later derivation has outlived all consequences of the loss, and rows
 * that support only each other disappear.
 *
 * Called by op_recurse, iteration after iteration, ascending: loop_edge_add() for the changes of
 * that iteration, then loop_edge_settle() for every row that it or loop_edge_due() named.
 *
 * Memory: a keymap record a row, and a short list where a row is derived at several iterations.
 */
#ifndef PALIMPSEST_OP_LOOP_EDGE_H
#define PALIMPSEST_OP_LOOP_EDGE_H

#include "engine/arrange/keymap.h"

struct loop_edge {
    struct keymap map;
    size_t tally_bytes; /* of the lists */
};

/* What settling a row at an iteration comes to. */
struct loop_verdict {
    int change;         /* +1: it passes from now on; -1: it does no longer; 0 */
    const uint8_t *row; /* valid until loop_edge_begin() */
    bool again; /* to be settled at iteration `at` too: a later one, or if it waits, this one */
    uint32_t at;
    bool waits; /* it would pass, but nothing may */
};

void loop_edge_init(struct loop_edge *e, const struct layout *rows);
void loop_edge_fini(struct loop_edge *e);
/* At the start of a step, when nobody borrows rows any more. */
void loop_edge_begin(struct loop_edge *e);
/* The row (of the edge's layout) is derived weight times more at the iteration. Returns its handle;
 * *first: it isn't being settled yet. */
uint32_t loop_edge_add(struct loop_edge *e, const uint8_t *row, uint32_t iteration, int64_t weight,
                       bool *first);
/* A row that was to be settled at a later iteration; as above. */
bool loop_edge_due(struct loop_edge *e, uint32_t handle);
/* open: rows may pass; else only retractions do, and what would pass is to be settled again. */
struct loop_verdict loop_edge_settle(struct loop_edge *e, uint32_t handle, uint32_t iteration,
                                     bool open);
size_t loop_edge_bytes(const struct loop_edge *e);

#endif
