/*
 * op_window_int: between op_window.c and op_window_reach.c.
 */
#ifndef PALIMPSEST_OP_OP_WINDOW_INT_H
#define PALIMPSEST_OP_OP_WINDOW_INT_H

#include "engine/op/group_diff.h"

/* The least that is enough for all of the calls. */
struct group_reach window_reach(const struct window_call *calls, size_t n);

#endif
