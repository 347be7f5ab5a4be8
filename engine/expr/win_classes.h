/*
 * win_classes: the classes of window functions, for the table in win.c.
 */
#ifndef PALIMPSEST_EXPR_WIN_CLASSES_H
#define PALIMPSEST_EXPR_WIN_CLASSES_H

#include "engine/expr/win.h"

extern const struct win_class win_row_number, win_rank, win_dense_rank, win_percent_rank,
    win_cume_dist, win_ntile; /* win_rank.c */
extern const struct win_class win_lag, win_lead, win_first_value, win_last_value,
    win_nth_value; /* win_value.c */

#endif
