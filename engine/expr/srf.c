/*
 * srf: the table of native set-returning functions, and a call of one. See srf.h.
 */
#include "engine/expr/srf.h"

static const struct srf table[] = {
    {938, 3, srf_series_timestamp, "generate_series", {0}},
    {939, 3, srf_series_timestamptz, "generate_series", {0}},
    {1066, 3, srf_series_int4, "generate_series", {0}},
    {1067, 2, srf_series_int4, "generate_series", {0}},
    {1068, 3, srf_series_int8, "generate_series", {0}},
    {1069, 2, srf_series_int8, "generate_series", {0}},
    {1191, 3, srf_subscripts, "generate_subscripts", {0}},
    {1192, 2, srf_subscripts, "generate_subscripts", {0}},
    {2331, 1, srf_unnest, "unnest", {0}},
    {3208, 1, srf_json_each, "jsonb_each", {OID_TEXT, OID_JSONB}},
    {3219, 1, srf_json_elements, "jsonb_array_elements", {0}},
    {3259, 3, srf_series_numeric, "generate_series", {0}},
    {3260, 2, srf_series_numeric, "generate_series", {0}},
    {3465, 1, srf_json_elements_text, "jsonb_array_elements_text", {0}},
    {3931, 1, srf_json_keys, "jsonb_object_keys", {0}},
    {3932, 1, srf_json_each_text, "jsonb_each_text", {OID_TEXT, OID_TEXT}},
    {3955, 1, srf_json_elements, "json_array_elements", {0}},
    {3957, 1, srf_json_keys, "json_object_keys", {0}},
    {3958, 1, srf_json_each, "json_each", {OID_TEXT, OID_JSON}},
    {3959, 1, srf_json_each_text, "json_each_text", {OID_TEXT, OID_TEXT}},
    {3969, 1, srf_json_elements_text, "json_array_elements_text", {0}},
};

static bool values_rows(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                        struct err *err)
{
    for (size_t i = 0; i < c->nargs; i += c->ncols) {
        struct value *row = srf_row(out, err);
        if (!row)
            return false;
        memcpy(row, args + i, c->ncols * sizeof *row);
    }
    return true;
}

const struct srf srf_values = {.oid = 1, .fn = values_rows, .name = "values", .lax = true};

const struct srf srf_rows_of = {.oid = 2, .nargs = 1, .fn = srf_unnest, .name = "rows"};

const struct srf *srf_lookup(uint32_t oid)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].oid == oid)
            return &table[i];
    return NULL;
}

struct value *srf_row(struct srf_rows *out, struct err *err)
{
    if (out->n == SRF_MAX_ROWS) {
        err_set(err, ERR_PROGRAM_LIMIT, "function %s returns more than %d rows", out->name,
                SRF_MAX_ROWS);
        return NULL;
    }
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 8;
        struct value *v = arena_alloc(out->arena, cap * out->ncols * sizeof *v);
        if (out->n)
            memcpy(v, out->v, out->n * out->ncols * sizeof *v);
        out->v = v;
        out->cap = cap;
    }
    return &out->v[out->n++ * out->ncols];
}

bool srf_eval(const struct srf_call *c, struct eval_ctx *cx, struct srf_rows *out, struct err *err)
{
    struct value *args = arena_alloc(cx->arena, c->nargs * sizeof *args);
    bool has_null = false;
    *out = (struct srf_rows){.arena = cx->arena, .name = c->name, .ncols = c->ncols};
    for (size_t i = 0; i < c->nargs; i++) {
        if (!expr_eval(c->args[i], cx, &args[i], err))
            return false;
        has_null |= args[i].null;
    }
    if (!c->srf)
        return srf_scalar(c, args, out, err);
    return (has_null && !c->srf->lax) || c->srf->fn(c, args, out, err);
}
