/*
 * rerun_func: which functions may stand in a statement that is asked again.
 *
 * Immutable ones may: their definition is their owner's promise. Volatile ones never. A stable one
 * keeps its result within one statement only, so it matters what it depends on: on settings, which
 * are pinned; on the time; or on tables, catalogs and the state of the server, whose changes no
 * stream brings.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/sql/refuse.h"
#include "engine/sql/rerun.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Built-in stable functions that depend on their arguments and on settings alone. Sorted. */
static const char *const by_settings[] = {
    "anytextcat",
    "array_to_json",
    "array_to_string",
    "concat",
    "concat_ws",
    "convert",
    "convert_from",
    "convert_to",
    "current_database",
    "current_user",
    "date",
    "date_add",
    "date_cmp_timestamptz",
    "date_eq_timestamptz",
    "date_ge_timestamptz",
    "date_gt_timestamptz",
    "date_le_timestamptz",
    "date_lt_timestamptz",
    "date_ne_timestamptz",
    "date_part",
    "date_subtract",
    "date_trunc",
    "extract",
    "format",
    "generate_series",
    "get_current_ts_config",
    "getdatabaseencoding",
    "getpgusername",
    "in_range",
    "interval_pl_timestamptz",
    "json_agg",
    "json_agg_strict",
    "json_build_array",
    "json_build_object",
    "json_object_agg",
    "json_object_agg_strict",
    "json_object_agg_unique",
    "json_object_agg_unique_strict",
    "json_populate_record",
    "json_populate_recordset",
    "json_to_record",
    "json_to_recordset",
    "json_to_tsvector",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_object_agg",
    "jsonb_object_agg_strict",
    "jsonb_object_agg_unique",
    "jsonb_object_agg_unique_strict",
    "jsonb_path_exists_tz",
    "jsonb_path_match_tz",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz",
    "jsonb_path_query_tz",
    "jsonb_populate_record",
    "jsonb_populate_recordset",
    "jsonb_to_record",
    "jsonb_to_recordset",
    "jsonb_to_tsvector",
    "length",
    "make_timestamptz",
    "money",
    "numeric",
    "overlaps",
    "pg_client_encoding",
    "pg_collation_for",
    "pg_typeof",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_literal",
    "quote_nullable",
    "row_to_json",
    "session_user",
    "textanycat",
    "time",
    "timestamp",
    "timestamp_cmp_timestamptz",
    "timestamp_eq_timestamptz",
    "timestamp_ge_timestamptz",
    "timestamp_gt_timestamptz",
    "timestamp_le_timestamptz",
    "timestamp_lt_timestamptz",
    "timestamp_ne_timestamptz",
    "timestamptz",
    "timestamptz_cmp_date",
    "timestamptz_cmp_timestamp",
    "timestamptz_eq_date",
    "timestamptz_eq_timestamp",
    "timestamptz_ge_date",
    "timestamptz_ge_timestamp",
    "timestamptz_gt_date",
    "timestamptz_gt_timestamp",
    "timestamptz_le_date",
    "timestamptz_le_timestamp",
    "timestamptz_lt_date",
    "timestamptz_lt_timestamp",
    "timestamptz_mi_interval",
    "timestamptz_ne_date",
    "timestamptz_ne_timestamp",
    "timestamptz_pl_interval",
    "timetz",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "ts_debug",
    "ts_headline",
    "ts_match_tq",
    "ts_match_tt",
    "ts_parse",
    "ts_token_type",
    "version",
    "websearch_to_tsquery",
    "xml",
    "xml_is_well_formed",
};

/* Those that depend on the time besides; age(x) counts from today. What an enum's labels are changes
 * so rarely that it is asked about in the same way. Sorted. */
static const char *const by_time[] = {
    "age",
    "enum_first",
    "enum_last",
    "enum_range",
    "now",
    "statement_timestamp",
    "transaction_timestamp",
};

/* Extensions whose stable functions in C depend on settings and dictionaries alone. Sorted. */
static const char *const extensions[] = {
    "citext",   "cube", "dict_int", "dict_xsyn", "earthdistance", "fuzzystrmatch", "hstore",
    "intarray", "isn",  "ltree",    "pg_trgm",   "seg",           "unaccent",
};

static int compare(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    return bsearch(name, names, n, sizeof *names, compare) != NULL;
}

bool rerun_check_function(const struct cat_function *f, bool *timed, struct err *err)
{
    if (f->volatility == 'i')
        return true;
    if (f->volatility != 's')
        return refuse(err, "volatile function %s", f->signature);
    if (f->builtin && is_among(f->name, by_time, COUNT(by_time)))
        return *timed = true;
    if (f->builtin && is_among(f->name, by_settings, COUNT(by_settings)))
        return true;
    if (f->extension && f->in_c && is_among(f->extension, extensions, COUNT(extensions)))
        return true;
    refuse(err, "function %s, which is stable and may read what is not in the stream,",
           f->signature);
    if (!f->builtin)
        err_hint(err, "If it depends on its arguments alone, declare it IMMUTABLE.");
    return false;
}
