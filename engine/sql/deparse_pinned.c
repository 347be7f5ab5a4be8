/*
 * deparse_pinned: which of pg_catalog's stable functions depend on settings alone.
 *
 * A stable function may give another result in the next statement. These don't while the settings
 * stay as they are: the time zone, the formats of dates, intervals and floats, the locale of numbers,
 * money and month names, the default text search configuration, the encoding. The daemon pins them,
 * or takes the server's, which all its sessions have in common. All other stable functions look at
 * the time (now, age of one argument), the session (current_user) or the catalog (pg_get_*, has_*,
 * enum_range, casts to regclass), and may change without notice.
 *
 * The table is by name, all stable functions of that name in pg_catalog, but for the exceptions.
 */
#include <string.h>

#include "engine/sql/deparse.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Time zone. */
static const char *const names[] = {
    "date", "date_add", "date_part", "date_subtract", "date_trunc", "extract", "in_range",
    "interval_pl_timestamptz", "make_timestamptz", "overlaps", "time", "timestamp", "timestamptz",
    "timestamptz_mi_interval", "timestamptz_pl_interval", "timetz", "jsonb_path_exists_tz",
    "jsonb_path_match_tz", "jsonb_path_query_array_tz", "jsonb_path_query_first_tz",
    "date_lt_timestamptz", "date_le_timestamptz", "date_eq_timestamptz", "date_gt_timestamptz",
    "date_ge_timestamptz", "date_ne_timestamptz", "date_cmp_timestamptz", "timestamptz_lt_date",
    "timestamptz_le_date", "timestamptz_eq_date", "timestamptz_gt_date", "timestamptz_ge_date",
    "timestamptz_ne_date", "timestamptz_cmp_date", "timestamp_lt_timestamptz",
    "timestamp_le_timestamptz", "timestamp_eq_timestamptz", "timestamp_gt_timestamptz",
    "timestamp_ge_timestamptz", "timestamp_ne_timestamptz", "timestamp_cmp_timestamptz",
    "timestamptz_lt_timestamp", "timestamptz_le_timestamp", "timestamptz_eq_timestamp",
    "timestamptz_gt_timestamp", "timestamptz_ge_timestamp", "timestamptz_ne_timestamp",
    "timestamptz_cmp_timestamp",
    /* How values are printed. */
    "anytextcat", "array_to_json", "array_to_string", "concat", "concat_ws", "format",
    "json_build_array", "json_build_object", "json_populate_record", "jsonb_build_array",
    "jsonb_build_object", "jsonb_populate_record", "quote_literal", "quote_nullable", "row_to_json",
    "textanycat", "to_json", "to_jsonb", "json_populate_recordset", "json_to_record",
    "json_to_recordset", "jsonb_populate_recordset", "jsonb_to_record", "jsonb_to_recordset",
    /* The locale. */
    "money", "numeric", "to_char", "to_date", "to_number", "to_timestamp",
    /* Encodings, XML's option, the text search configuration. */
    "convert", "convert_from", "convert_to", "length", "xml", "xml_is_well_formed",
    "json_to_tsvector", "jsonb_to_tsvector", "phraseto_tsquery", "plainto_tsquery", "to_tsquery",
    "to_tsvector", "ts_headline", "ts_match_tq", "ts_match_tt", "websearch_to_tsquery"};

/* The offset of a zone, today. */
#define TIME_TO_TIMETZ 2047

bool deparse_is_pinned(const char *name, uint32_t funcid)
{
    if (funcid == TIME_TO_TIMETZ)
        return false;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}
