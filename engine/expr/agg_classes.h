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
extern const struct agg_class agg_sum_interval, agg_avg_interval;            /* agg_interval.c */
extern const struct agg_class agg_min, agg_max;                              /* agg_minmax.c */
extern const struct agg_class agg_var_pop_int, agg_var_samp_int;             /* agg_stat.c */
extern const struct agg_class agg_stddev_pop_int, agg_stddev_samp_int;
extern const struct agg_class agg_var_pop_numeric, agg_var_samp_numeric;
extern const struct agg_class agg_stddev_pop_numeric, agg_stddev_samp_numeric;
extern const struct agg_class agg_var_pop_float, agg_var_samp_float; /* agg_moments.c */
extern const struct agg_class agg_stddev_pop_float, agg_stddev_samp_float;
extern const struct agg_class agg_regr_count, agg_regr_sxx, agg_regr_syy, agg_regr_sxy;
extern const struct agg_class agg_regr_avgx, agg_regr_avgy, agg_regr_r2, agg_regr_slope;
extern const struct agg_class agg_regr_intercept, agg_covar_pop, agg_covar_samp, agg_corr;
extern const struct agg_class agg_array, agg_array_of_arrays;           /* agg_array.c */
extern const struct agg_class agg_string, agg_string_bytea;             /* agg_string.c */
extern const struct agg_class agg_json, agg_json_object;                /* agg_json.c */
extern const struct agg_class agg_percentile_disc, agg_percentile_cont; /* agg_ordered.c */
extern const struct agg_class agg_percentiles_disc, agg_percentiles_cont, agg_mode;
extern const struct agg_class agg_percentile_cont_interval, agg_percentiles_cont_interval;
extern const struct agg_class agg_rank, agg_dense_rank; /* agg_hypothetical.c */
extern const struct agg_class agg_percent_rank, agg_cume_dist;

extern const struct agg_class agg_jsonb, agg_jsonb_object; /* agg_jsonb.c */

/* Whether to_jsonb's text follows from the type's text. */
bool agg_jsonb_can_show(const struct type *t);
/* Whether to_json's text of the type's values is known to the blank. */
bool agg_json_can_show(const struct type *t);
/* Appends a key in quotes; false where it can't be one. */
MUST_CHECK bool agg_json_key(const struct type *t, struct value key, struct buf *b,
                             struct err *err);

extern const struct agg_class agg_single_class;

#endif
