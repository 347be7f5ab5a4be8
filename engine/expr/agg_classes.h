/*
 * agg_classes: the classes of aggregates, for the table in agg.c. One group of lines per agg_*.c.
 */
#ifndef PALIMPSEST_EXPR_AGG_CLASSES_H
#define PALIMPSEST_EXPR_AGG_CLASSES_H

#include "engine/expr/agg.h"

extern const struct agg_class agg_count_rows, agg_count_values; /* agg_count.c */
extern const struct agg_class agg_bool_and, agg_bool_or;
extern const struct agg_class agg_bit_and, agg_bit_or, agg_bit_xor;   /* agg_bits.c */
extern const struct agg_class agg_sum_int, agg_sum_int8, agg_avg_int; /* agg_sum.c */
extern const struct agg_class agg_sum_numeric, agg_avg_numeric;
extern const struct agg_class agg_sum_float4, agg_sum_float8, agg_avg_float; /* agg_float.c */
extern const struct agg_class agg_min, agg_max;                              /* agg_minmax.c */

#endif
