/*
 * op_window_agg: see op_window_agg.h.
 */
#include "engine/op/op_window_agg.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/expr/agg_classes.h"

enum known {
    UNKNOWN, /* not looked at yet */
    COUNTS,
    LEFT_OUT, /* by FILTER, or NULL and the aggregate strict */
    FAILS
};

void slide_init(struct slide *s, const struct group_agg *call)
{
    *s = (struct slide){.call = call, .state = xcalloc(1, call->spec.cls->state_size)};
}

static void clear_state(struct slide *s)
{
    const struct agg_class *cls = s->call->spec.cls;
    if (cls->fini)
        cls->fini(&s->call->spec, s->state);
    memset(s->state, 0, cls->state_size);
}

void slide_fini(struct slide *s)
{
    clear_state(s);
    free(s->state);
}

static bool is_extreme(const struct slide *s)
{
    return s->call->spec.cls == &agg_min || s->call->spec.cls == &agg_max;
}

static void grow_tree(struct slide *s);

void slide_begin(struct slide *s, const struct win_part *part, struct arena *arena)
{
    s->part = part;
    s->arena = arena;
    s->in.n = 0;
    s->known = arena_zalloc(arena, part->n);
    s->args = ARENA_ARRAY(arena, struct value, part->n * s->call->spec.nargs);
    s->failed = 0;
    s->fails = (struct win_span){0, 0};
    s->fresh = false;
    if (is_extreme(s))
        grow_tree(s);
}

void slide_end(struct slide *s)
{
    clear_state(s);
}

/* ------------------------------------------------------------ one row */

static enum known look_at(const struct slide *s, size_t row, struct value *args, struct err *err)
{
    const struct group_agg *call = s->call;
    struct eval_ctx cx = {
        .layout = {s->part->layout}, .row = {s->part->rows[row]}, .arena = s->arena};
    bool passes = true;
    if (call->filter && !expr_holds(call->filter, &cx, &passes, err))
        return FAILS;
    if (!passes)
        return LEFT_OUT;
    for (uint32_t i = 0; i < call->spec.nown; i++)
        if (!expr_eval(call->args[i], &cx, &args[i], err))
            return FAILS;
    if (call->spec.nargs > call->spec.nown) /* what it is ordered by */
        args[call->spec.nown] = value_int((int64_t)row);
    return agg_skips(&call->spec, args) ? LEFT_OUT : COUNTS;
}

static void grow_tree(struct slide *s)
{
    size_t n = s->part->n;
    uint32_t *rows = arena_alloc(s->arena, n * sizeof *rows);
    struct err ignored;
    for (size_t i = 0; i < n; i++) {
        enum known known = look_at(s, i, &s->args[i], &ignored);
        s->known[i] = (uint8_t)known;
        rows[i] = known == COUNTS ? (uint32_t)i + 1 : known == FAILS ? EXTREME_FAILS : EXTREME_NONE;
    }
    extreme_build(&s->extreme, &s->call->spec, s->args, rows, n, s->arena);
}

static void add_row(struct slide *s, size_t row, int64_t weight)
{
    const struct agg_spec *spec = &s->call->spec;
    struct value *args = s->args + row * spec->nargs;
    struct err ignored;
    if (s->known[row] == UNKNOWN)
        s->known[row] = (uint8_t)look_at(s, row, args, &ignored);
    if (s->known[row] == COUNTS)
        spec->cls->add(spec, s->state, args, weight);
    else if (s->known[row] == FAILS)
        s->failed += weight;
}

/* ------------------------------------------------------------ from frame to frame */

/* Adds the rows that are in a and not in b. */
static void add_difference(struct slide *s, const struct win_rows *a, const struct win_rows *b,
                           int64_t weight)
{
    for (size_t i = 0; i < a->n; i++) {
        size_t row = a->span[i].from;
        for (size_t k = 0; k < b->n; k++) {
            for (; row < a->span[i].to && row < b->span[k].from; row++)
                add_row(s, row, weight);
            if (row < b->span[k].to)
                row = b->span[k].to;
        }
        for (; row < a->span[i].to; row++)
            add_row(s, row, weight);
    }
}

static bool same_rows(const struct win_rows *a, const struct win_rows *b)
{
    return a->n == b->n && memcmp(a->span, b->span, a->n * sizeof *a->span) == 0;
}

/* The first row of the frame whose arguments fail. As long as the frame is one span, begins at or behind
 * where the last search began, and holds what that found, it is the same. */
static size_t first_failing(struct slide *s, const struct win_rows *frame)
{
    const struct win_span *span = &frame->span[0];
    if (frame->n == 1 && span->from >= s->fails.from && span->from <= s->fails.to &&
        s->fails.to < span->to && s->known[s->fails.to] == FAILS)
        return s->fails.to;
    for (size_t i = 0; i < frame->n; i++)
        for (size_t row = frame->span[i].from; row < frame->span[i].to; row++)
            if (s->known[row] == FAILS) {
                if (frame->n == 1)
                    s->fails = (struct win_span){span->from, row};
                return row;
            }
    return 0;
}

/* That row's error: the same one however the frame was come to, since who counts it now will take it
 * back later. */
static bool first_error(struct slide *s, const struct win_rows *frame, struct err *err)
{
    struct value args[AGG_MAX_ARGS];
    if (look_at(s, first_failing(s, frame), args, err) == FAILS)
        return false;
    return err_set(err, ERR_INTERNAL, "a window's argument fails no more");
}

static bool extreme_over(struct slide *s, const struct win_rows *frame, struct value *out,
                         struct err *err)
{
    uint32_t row = extreme_find(&s->extreme, frame);
    if (row == EXTREME_FAILS)
        return first_error(s, frame, err);
    *out = row == EXTREME_NONE ? value_null() : s->args[row - 1];
    return true;
}

bool slide_to(struct slide *s, const struct win_rows *frame, struct value *out, struct err *err)
{
    const struct agg_spec *spec = &s->call->spec;
    if (is_extreme(s))
        return extreme_over(s, frame, out, err);
    if (!same_rows(&s->in, frame)) {
        add_difference(s, frame, &s->in, 1);
        add_difference(s, &s->in, frame, -1);
        s->in = *frame;
        s->fresh = false;
    }
    if (s->failed)
        return first_error(s, frame, err);
    if (!s->fresh) {
        struct value v;
        if (!spec->cls->result(spec, s->state, s->arena, &v, err))
            return false;
        s->result = v.null ? v : value_dup(spec->result.type, v, s->arena);
        s->fresh = true;
    }
    *out = s->result;
    return true;
}
