/*
 * win_value: the window functions that answer a value of another row: lag and lead by distance in
 * the partition, first_value, last_value and nth_value by place in the frame.
 *
 * Distances and places are taken from the current row, as are lag's and lead's defaults; the value
 * is evaluated at the row it comes from, and only there.
 */
#include "engine/expr/win_classes.h"

/* Of lag and lead: the value `sign` times the offset away. */
static bool shifted(const struct win_spec *spec, struct win_ctx *x, int sign, struct value *out,
                    struct err *err)
{
    struct value offset = value_int(1);
    if (spec->nargs > 1 && !win_arg(spec, x, 1, x->at, &offset, err))
        return false;
    *out = value_null();
    if (offset.null)
        return true;
    int64_t row = (int64_t)x->at + sign * offset.i;
    if (row >= 0 && row < (int64_t)x->part->n)
        return win_arg(spec, x, 0, (size_t)row, out, err);
    return spec->nargs < 3 || win_arg(spec, x, 2, x->at, out, err);
}

static bool lag(const struct win_spec *spec, struct win_ctx *x, struct value *out, struct err *err)
{
    return shifted(spec, x, -1, out, err);
}

static bool lead(const struct win_spec *spec, struct win_ctx *x, struct value *out, struct err *err)
{
    return shifted(spec, x, 1, out, err);
}

/* The value at the frame's row of that number, counted from 0; NULL where there is none. */
static bool nth_of_frame(const struct win_spec *spec, struct win_ctx *x, uint64_t nth,
                         struct value *out, struct err *err)
{
    const struct win_rows *f = x->frame;
    for (size_t i = 0; i < f->n; i++) {
        uint64_t n = f->span[i].to - f->span[i].from;
        if (nth < n)
            return win_arg(spec, x, 0, f->span[i].from + nth, out, err);
        nth -= n;
    }
    *out = value_null();
    return true;
}

static bool first_value(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                        struct err *err)
{
    return nth_of_frame(spec, x, 0, out, err);
}

static bool last_value(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                       struct err *err)
{
    const struct win_rows *f = x->frame;
    *out = value_null();
    return !f->n || win_arg(spec, x, 0, f->span[f->n - 1].to - 1, out, err);
}

static bool nth_value(const struct win_spec *spec, struct win_ctx *x, struct value *out,
                      struct err *err)
{
    struct value nth;
    if (!win_arg(spec, x, 1, x->at, &nth, err))
        return false;
    *out = value_null();
    if (nth.null)
        return true;
    if (nth.i <= 0)
        return err_set(err, "22016", "argument of nth_value must be greater than zero");
    return nth_of_frame(spec, x, (uint64_t)nth.i - 1, out, err);
}

const struct win_class win_lag = {.name = "lag", .eval = lag};
const struct win_class win_lead = {.name = "lead", .eval = lead};
const struct win_class win_first_value = {
    .name = "first_value", .framed = true, .eval = first_value};
const struct win_class win_last_value = {.name = "last_value", .framed = true, .eval = last_value};
const struct win_class win_nth_value = {.name = "nth_value", .framed = true, .eval = nth_value};
