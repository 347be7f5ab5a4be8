/*
 * srf: set-returning functions: from the arguments of one call to its rows.
 *
 * Used by op_flatmap alone, for functions in FROM and in the select list. Native ones are found by
 * their pg_proc OID in srf.c; a call with no function at all is a scalar expression standing in FROM,
 * which gives one row of its value. A call and what it points to live in the plan's arena and are
 * immutable; rows are in an arena that the caller resets.
 *
 * A call gives at most SRF_MAX_ROWS rows: more is an error (54000) of the row that asked for them,
 * since the rows of one call are in memory at once.
 *
 * To add a native function: its line in srf.c, its implementation in the srf_*.c of its arguments'
 * types, cases in tests/unit/op/test_flatmap.c.
 */
#ifndef PALIMPSEST_EXPR_SRF_H
#define PALIMPSEST_EXPR_SRF_H

#include "engine/expr/expr.h"

#define SRF_MAX_ROWS 2000000
struct srf_call;

/* The rows of one call, ncols values each. */
struct srf_rows {
    struct arena *arena; /* of the values and what they point to */
    const char *name;    /* for messages */
    struct value *v;
    size_t ncols, n, cap;
};

/* Adds a row; its ncols values are to be filled in. NULL with 54000 when there are too many. */
struct value *srf_row(struct srf_rows *out, struct err *err);

typedef bool srf_fn(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                    struct err *err);

/* A native function. */
struct srf {
    uint32_t oid;
    uint8_t nargs;
    srf_fn *fn;
    const char *name;  /* pg_proc.proname */
    uint32_t types[2]; /* of the columns, where there are two; else the call says it */
    bool lax;          /* not strict: a NULL argument is as good as others, else it gives no rows */
};

/* VALUES: the arguments are its rows, one behind the other. */
extern const struct srf srf_values;
/* The rows of an array of rows in its text form. */
extern const struct srf srf_rows_of;

struct srf_call {
    const struct srf *srf; /* NULL: args[0] is a scalar */
    const char *name;      /* for people */
    const struct expr **args;
    size_t nargs;
    const struct column_type *cols; /* of the result */
    size_t ncols;
    bool expand; /* the result is a row, whose fields are the columns: of unnest() and scalars */
};

/* NULL when there is no native version. */
const struct srf *srf_lookup(uint32_t oid);

/* Evaluates the call for cx's row; out is emptied first. */
MUST_CHECK bool srf_eval(const struct srf_call *c, struct eval_ctx *cx, struct srf_rows *out,
                         struct err *err);

/* srf_series.c, srf_array.c, srf_json.c */
srf_fn srf_series_int4, srf_series_int8, srf_series_numeric;
srf_fn srf_series_timestamp, srf_series_timestamptz;
srf_fn srf_unnest, srf_subscripts, srf_scalar;
srf_fn srf_json_elements, srf_json_elements_text, srf_json_each, srf_json_each_text, srf_json_keys;

#endif
