/*
 * win: window functions that are no aggregates, over one partition at a time.
 *
 * A partition is its rows in order, by number, and its peer groups: runs of rows that are equal on
 * the window's ORDER BY. Functions are asked for row 0, 1, 2… in turn. They evaluate their arguments
 * at whatever row they want, and only there: what lag(1 / x) doesn't look at can't fail.
 *
 * A function may be given only the part of the partition that it looks at, see op_window_reach.c.
 *
 * Those that look at the frame get it as up to three spans of rows (win_frame.h).
 *
 * To add one: its function in a win_*.c, its lines in win.c and op_window_reach.c.
 */
#ifndef PALIMPSEST_EXPR_WIN_H
#define PALIMPSEST_EXPR_WIN_H

#include "engine/expr/expr.h"

struct win_part {
    const struct layout *layout;
    const uint8_t *const *rows; /* borrowed; a row of weight 2 comes twice */
    size_t n;
    int64_t base;          /* rows of the partition before rows[0]: these may be a part of it */
    const uint32_t *group; /* of each row: the number of its peer group */
    const uint32_t *start; /* of each group: its first row; behind the last one: n */
    uint32_t ngroups;
};

/* Rows from … to - 1. */
struct win_span {
    size_t from, to;
};

/* The rows of a frame: in order, apart from each other, none empty. */
struct win_rows {
    struct win_span span[3];
    size_t n;
};

/* One call while it goes through a partition. */
struct win_ctx {
    const struct win_part *part;
    size_t at; /* the current row */
    const struct win_rows *frame;
    int64_t state[4];    /* the function's own; zeros at the partition's first row */
    struct arena *arena; /* for results */
};

#define WIN_MAX_ARGS 3

struct win_spec;

struct win_class {
    const char *name;
    bool framed; /* looks at the frame */
    bool (*eval)(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                 struct err *err);
};

struct win_spec {
    const struct win_class *cls;
    uint32_t nargs;
    const struct expr *args[WIN_MAX_ARGS];
    struct column_type result;
};

/* The class of a built-in window function by pg_proc OID and number of arguments, or NULL. */
const struct win_class *win_lookup(uint32_t winfnoid, size_t nargs);

/* An argument at a row. */
static inline bool win_arg(const struct win_spec *spec, const struct win_ctx *x, uint32_t arg,
                           size_t row, struct value *out, struct err *err)
{
    struct eval_ctx cx = {
        .layout = {x->part->layout}, .row = {x->part->rows[row]}, .arena = x->arena};
    return expr_eval(spec->args[arg], &cx, out, err);
}

#endif
