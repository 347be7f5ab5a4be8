/*
 * agg: which class computes an aggregate, by pg_proc OID.
 *
 * Called by sql/ while it binds a statement. An aggregate that isn't in the table, or whose type or
 * collation has no order we can follow, is refused softly here.
 *
 * To add one: its class in an agg_*.c, a line in agg_classes.h, a line per pg_proc row below.
 */
#include "engine/expr/agg_classes.h"

#define AGG_ANY_ARGS 255

static const struct agg_row {
    uint32_t oid;
    uint8_t nargs; /* the function's own */
    const struct agg_class *cls;
} table[] = {
    {2803, 0, &agg_count_rows},
    {2147, 1, &agg_count_values},
    /* sum: int2, int4, int8, numeric, float4, float8 */
    {2109, 1, &agg_sum_int},
    {2108, 1, &agg_sum_int},
    {2107, 1, &agg_sum_int8},
    {2114, 1, &agg_sum_numeric},
    {2110, 1, &agg_sum_float4},
    {2111, 1, &agg_sum_float8},
    {2113, 1, &agg_sum_interval},
    {2106, 1, &agg_avg_interval},
    /* avg: the same */
    {2102, 1, &agg_avg_int},
    {2101, 1, &agg_avg_int},
    {2100, 1, &agg_avg_int},
    {2103, 1, &agg_avg_numeric},
    {2104, 1, &agg_avg_float},
    {2105, 1, &agg_avg_float},
    /* min and max of everything that has an order */
    {2051, 1, &agg_min},
    {2131, 1, &agg_min},
    {2132, 1, &agg_min},
    {2133, 1, &agg_min},
    {2134, 1, &agg_min},
    {2135, 1, &agg_min},
    {2136, 1, &agg_min},
    {2138, 1, &agg_min},
    {2139, 1, &agg_min},
    {2140, 1, &agg_min},
    {2141, 1, &agg_min},
    {2142, 1, &agg_min},
    {2143, 1, &agg_min},
    {2144, 1, &agg_min},
    {2145, 1, &agg_min},
    {2146, 1, &agg_min},
    {2245, 1, &agg_min},
    {2798, 1, &agg_min},
    {3527, 1, &agg_min},
    {3565, 1, &agg_min},
    {4190, 1, &agg_min},
    {5100, 1, &agg_min},
    {2050, 1, &agg_max},
    {2115, 1, &agg_max},
    {2116, 1, &agg_max},
    {2117, 1, &agg_max},
    {2118, 1, &agg_max},
    {2119, 1, &agg_max},
    {2120, 1, &agg_max},
    {2122, 1, &agg_max},
    {2123, 1, &agg_max},
    {2124, 1, &agg_max},
    {2125, 1, &agg_max},
    {2126, 1, &agg_max},
    {2127, 1, &agg_max},
    {2128, 1, &agg_max},
    {2129, 1, &agg_max},
    {2130, 1, &agg_max},
    {2244, 1, &agg_max},
    {2797, 1, &agg_max},
    {3526, 1, &agg_max},
    {3564, 1, &agg_max},
    {4189, 1, &agg_max},
    {5099, 1, &agg_max},
    {2517, 1, &agg_bool_and},
    {2519, 1, &agg_bool_and}, /* every */
    {2518, 1, &agg_bool_or},
    /* bits: int2, int4, int8 */
    {2236, 1, &agg_bit_and},
    {2238, 1, &agg_bit_and},
    {2240, 1, &agg_bit_and},
    {2237, 1, &agg_bit_or},
    {2239, 1, &agg_bit_or},
    {2241, 1, &agg_bit_or},
    {6164, 1, &agg_bit_xor},
    {6165, 1, &agg_bit_xor},
    {6166, 1, &agg_bit_xor},
    /* variance and stddev of int8, int4, int2, float4, float8, numeric; under both their names */
    {2718, 1, &agg_var_pop_int},
    {2719, 1, &agg_var_pop_int},
    {2720, 1, &agg_var_pop_int},
    {2721, 1, &agg_var_pop_float},
    {2722, 1, &agg_var_pop_float},
    {2723, 1, &agg_var_pop_numeric},
    {2641, 1, &agg_var_samp_int},
    {2642, 1, &agg_var_samp_int},
    {2643, 1, &agg_var_samp_int},
    {2644, 1, &agg_var_samp_float},
    {2645, 1, &agg_var_samp_float},
    {2646, 1, &agg_var_samp_numeric},
    {2148, 1, &agg_var_samp_int},
    {2149, 1, &agg_var_samp_int},
    {2150, 1, &agg_var_samp_int},
    {2151, 1, &agg_var_samp_float},
    {2152, 1, &agg_var_samp_float},
    {2153, 1, &agg_var_samp_numeric},
    {2724, 1, &agg_stddev_pop_int},
    {2725, 1, &agg_stddev_pop_int},
    {2726, 1, &agg_stddev_pop_int},
    {2727, 1, &agg_stddev_pop_float},
    {2728, 1, &agg_stddev_pop_float},
    {2729, 1, &agg_stddev_pop_numeric},
    {2712, 1, &agg_stddev_samp_int},
    {2713, 1, &agg_stddev_samp_int},
    {2714, 1, &agg_stddev_samp_int},
    {2715, 1, &agg_stddev_samp_float},
    {2716, 1, &agg_stddev_samp_float},
    {2717, 1, &agg_stddev_samp_numeric},
    {2154, 1, &agg_stddev_samp_int},
    {2155, 1, &agg_stddev_samp_int},
    {2156, 1, &agg_stddev_samp_int},
    {2157, 1, &agg_stddev_samp_float},
    {2158, 1, &agg_stddev_samp_float},
    {2159, 1, &agg_stddev_samp_numeric},
    {2818, 2, &agg_regr_count},
    {2819, 2, &agg_regr_sxx},
    {2820, 2, &agg_regr_syy},
    {2821, 2, &agg_regr_sxy},
    {2822, 2, &agg_regr_avgx},
    {2823, 2, &agg_regr_avgy},
    {2824, 2, &agg_regr_r2},
    {2825, 2, &agg_regr_slope},
    {2826, 2, &agg_regr_intercept},
    {2827, 2, &agg_covar_pop},
    {2828, 2, &agg_covar_samp},
    {2829, 2, &agg_corr},
    {2335, 1, &agg_array},
    {4053, 1, &agg_array_of_arrays},
    {3538, 2, &agg_string},
    {3545, 2, &agg_string_bytea},
    {3175, 1, &agg_json},
    {3197, 2, &agg_json_object},
    {3267, 1, &agg_jsonb},
    {3270, 2, &agg_jsonb_object},
    {3972, 1, &agg_percentile_disc},
    {3974, 1, &agg_percentile_cont},
    {3976, 1, &agg_percentile_cont_interval},
    {3982, 1, &agg_percentiles_cont_interval},
    {3978, 1, &agg_percentiles_disc},
    {3980, 1, &agg_percentiles_cont},
    {3984, 1, &agg_mode},
    {3986, AGG_ANY_ARGS, &agg_rank},
    {3988, AGG_ANY_ARGS, &agg_percent_rank},
    {3990, AGG_ANY_ARGS, &agg_cume_dist},
    {3992, AGG_ANY_ARGS, &agg_dense_rank},
};

static const struct agg_row *find(uint32_t oid)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].oid == oid)
            return &table[i];
    return NULL;
}

static bool refuse_order(const struct agg_call *call, const struct column_type *ct, struct err *err)
{
    if (ct->collation && ct->collation->kind == COLLATION_UNSUPPORTED)
        return err_soft(err, "%s of type %s under collation %s", call->name, ct->type->name,
                        ct->collation->name);
    return err_soft(err, "%s of type %s", call->name, ct->type->name);
}

/* Where the values' order decides the result, it must be one we can follow. */
static bool check_order(const struct agg_call *call, struct agg_spec *spec, struct err *err)
{
    if (spec->cls == &agg_min || spec->cls == &agg_max) {
        spec->args[0].collation = call->collation; /* what min and max compare by */
        if (!type_has_order(&spec->args[0]))
            return refuse_order(call, &spec->args[0], err);
    }
    for (uint32_t i = 0; i < spec->nsort; i++)
        if (!type_has_order(&spec->args[spec->sort[i].arg]))
            return refuse_order(call, &spec->args[spec->sort[i].arg], err);
    return true;
}

/* JSON's text is known to the blank only for some types. */
static bool check_json(const struct agg_call *call, const struct agg_spec *spec, struct err *err)
{
    bool is_json = spec->cls == &agg_json || spec->cls == &agg_json_object;
    bool is_jsonb = spec->cls == &agg_jsonb || spec->cls == &agg_jsonb_object;
    for (uint32_t i = 0; i < spec->nown; i++) {
        const struct type *t = spec->args[i].type;
        if ((is_json && !agg_json_can_show(t)) || (is_jsonb && !agg_jsonb_can_show(t)))
            return err_soft(err, "%s of type %s", call->name, t->name);
    }
    return true;
}

bool agg_resolve(const struct agg_call *call, struct agg_spec *spec, struct err *err)
{
    const struct agg_row *row = find(call->fnoid);
    if (!row || (row->nargs != AGG_ANY_ARGS && row->nargs != call->nown))
        return err_soft(err, "aggregate %s", call->name);
    if (call->nargs > AGG_MAX_ARGS || call->ndirect > AGG_MAX_DIRECT)
        return err_soft(err, "aggregate %s of so many values", call->name);
    *spec = (struct agg_spec){.cls = row->cls,
                              .fnoid = call->fnoid,
                              .nargs = (uint32_t)call->nargs,
                              .nown = (uint32_t)call->nown,
                              .ndirect = (uint32_t)call->ndirect,
                              .result = call->result,
                              .collation = call->collation};
    for (size_t i = 0; i < call->nargs; i++)
        spec->args[i] = call->args[i];
    for (size_t i = 0; i < call->ndirect; i++)
        spec->direct[i] = call->direct[i];
    for (size_t i = 0; i < call->nsort && row->cls->ordered; i++)
        spec->sort[spec->nsort++] = call->sort[i];
    return check_order(call, spec, err) && check_json(call, spec, err);
}

bool agg_lookup(uint32_t aggfnoid, const char *name, const struct column_type *args, size_t nargs,
                struct column_type result, const struct collation *collation, struct agg_spec *spec,
                struct err *err)
{
    struct agg_call call = {.fnoid = aggfnoid,
                            .name = name,
                            .args = args,
                            .nargs = nargs,
                            .nown = nargs,
                            .result = result,
                            .collation = collation};
    return agg_resolve(&call, spec, err);
}

void agg_single(const struct column_type *ct, struct agg_spec *spec)
{
    *spec = (struct agg_spec){.cls = &agg_single_class, .nargs = 1, .nown = 1, .result = *ct};
    spec->args[0] = *ct;
    if (ct->type->rep == REP_BYTES) /* the order of bytes will do, and every type has it */
        spec->args[0] = (struct column_type){type_native(OID_TEXT), -1, &collation_c};
}
