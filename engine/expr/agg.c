/*
 * agg: which class computes an aggregate, by pg_proc OID.
 *
 * Called by sql/ while it binds a statement. An aggregate that isn't in the table, or whose type or
 * collation has no order we can follow, is refused here.
 *
 * To add one: its class in an agg_*.c, a line in agg_classes.h, a line per pg_proc row below.
 */
#include "engine/expr/agg_classes.h"

static const struct agg_row {
    uint32_t oid;
    uint8_t nargs;
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
    /* avg: the same */
    {2102, 1, &agg_avg_int},
    {2101, 1, &agg_avg_int},
    {2100, 1, &agg_avg_int},
    {2103, 1, &agg_avg_numeric},
    {2104, 1, &agg_avg_float},
    {2105, 1, &agg_avg_float},
    /* min: int8, int4, int2, float4, float8, date, timestamp, timestamptz, text, numeric, bpchar */
    {2131, 1, &agg_min},
    {2132, 1, &agg_min},
    {2133, 1, &agg_min},
    {2135, 1, &agg_min},
    {2136, 1, &agg_min},
    {2138, 1, &agg_min},
    {2142, 1, &agg_min},
    {2143, 1, &agg_min},
    {2145, 1, &agg_min_blob},
    {2146, 1, &agg_min_blob},
    {2245, 1, &agg_min_blob},
    /* max: the same */
    {2115, 1, &agg_max},
    {2116, 1, &agg_max},
    {2117, 1, &agg_max},
    {2119, 1, &agg_max},
    {2120, 1, &agg_max},
    {2122, 1, &agg_max},
    {2126, 1, &agg_max},
    {2127, 1, &agg_max},
    {2129, 1, &agg_max_blob},
    {2130, 1, &agg_max_blob},
    {2244, 1, &agg_max_blob},
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
};

static const struct agg_row *find(uint32_t oid)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].oid == oid)
            return &table[i];
    return NULL;
}

static bool is_ordered(const struct agg_class *cls)
{
    return cls == &agg_min || cls == &agg_max || cls == &agg_min_blob || cls == &agg_max_blob;
}

bool agg_lookup(uint32_t aggfnoid, const char *name, const struct column_type *args, size_t nargs,
                struct column_type result, const struct collation *collation, struct agg_spec *spec,
                struct err *err)
{
    const struct agg_row *row = find(aggfnoid);
    if (!row || row->nargs != nargs)
        return err_soft(err, "aggregate %s", name);
    *spec = (struct agg_spec){
        .cls = row->cls, .nargs = (uint32_t)nargs, .result = result, .collation = collation};
    for (size_t i = 0; i < nargs; i++)
        spec->args[i] = args[i];
    if (is_ordered(row->cls)) {
        spec->args[0].collation = collation; /* what min and max compare by */
        if (!type_has_order(&spec->args[0]))
            return err_soft(err, "%s of type %s%s%s", name, args[0].type->name,
                            collation ? " under collation " : "", collation ? collation->name : "");
    }
    return true;
}
