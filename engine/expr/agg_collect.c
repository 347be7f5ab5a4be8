/*
 * agg_collect: the rows of a group as one JSON value, for aggregates that Postgres computes.
 *
 * Law: an array of rows in order (agg_rows.h), each an array of its values' text forms, NULL as null;
 * of no rows it is empty, not NULL. bind_agg_delegate.c has the expression that makes the aggregate
 * out of it.
 */
#include "engine/expr/agg_classes.h"
#include "engine/expr/agg_rows.h"
#include "engine/value/json.h"

struct collecting {
    const struct agg_spec *spec;
    struct buf *b;
};

static void add_text(struct buf *b, const struct type *t, struct value v)
{
    struct buf text;
    if (v.null) {
        buf_adds(b, "null");
        return;
    }
    buf_init(&text);
    value_print(t, v, &text);
    json_add_string(b, text.data, text.len);
    buf_fini(&text);
}

static bool collect_row(void *ctx, const struct value *vals, int64_t weight)
{
    struct collecting *c = ctx;
    for (int64_t k = 0; k < weight; k++) {
        buf_adds(c->b, c->b->len > 1 ? ",[" : "[");
        for (uint32_t i = 0; i < c->spec->nargs; i++) {
            if (i)
                buf_addc(c->b, ',');
            add_text(c->b, c->spec->args[i].type, vals[i]);
        }
        buf_addc(c->b, ']');
    }
    return true;
}

static bool collect_result(const struct agg_spec *spec, const void *state, struct arena *a,
                           struct value *out, struct err *err)
{
    struct buf b;
    struct collecting c = {spec, &b};
    (void)err;
    buf_init(&b);
    buf_addc(&b, '[');
    rows_each(spec, state, collect_row, &c);
    buf_addc(&b, ']');
    *out = value_bytes(arena_memdup(a, b.data, b.len), b.len);
    buf_fini(&b);
    return true;
}

static const struct agg_class agg_collect = {ROWS_CLASS("rows", collect_result)};

void agg_collect_spec(const struct column_type *args, size_t nargs, struct column_type json,
                      struct agg_spec *spec)
{
    *spec = (struct agg_spec){
        .cls = &agg_collect, .nargs = (uint32_t)nargs, .nown = (uint32_t)nargs, .result = json};
    for (size_t i = 0; i < nargs; i++)
        spec->args[i] = args[i];
}
