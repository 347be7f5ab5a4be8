/*
 * op_window_extreme: see op_window_extreme.h. Nodes are combined from left to right, since which of
 * two equal values wins depends on which comes first.
 */
#include "engine/op/op_window_extreme.h"

#include "engine/expr/agg_classes.h"

static uint32_t combine(const struct extreme *x, uint32_t a, uint32_t b)
{
    if (a == EXTREME_NONE || b == EXTREME_FAILS)
        return b;
    if (b == EXTREME_NONE || a == EXTREME_FAILS)
        return a;
    int c = value_cmp(x->ct, x->vals[a - 1], x->vals[b - 1]);
    if (x->greatest)
        c = -c;
    return c < 0 || (c == 0 && x->first) ? a : b;
}

void extreme_build(struct extreme *x, const struct agg_spec *spec, const struct value *vals,
                   const uint32_t *rows, size_t n, struct arena *arena)
{
    *x = (struct extreme){.ct = &spec->args[0],
                          .vals = vals,
                          .greatest = spec->cls == &agg_max,
                          .first = spec->args[0].type->kind == TYPE_BPCHAR,
                          .leaves = 1};
    while (x->leaves < n)
        x->leaves *= 2;
    x->node = arena_zalloc(arena, 2 * x->leaves * sizeof *x->node);
    for (size_t i = 0; i < n; i++)
        x->node[x->leaves + i] = rows[i];
    for (size_t i = x->leaves - 1; i > 0; i--)
        x->node[i] = combine(x, x->node[2 * i], x->node[2 * i + 1]);
}

static uint32_t over_span(const struct extreme *x, const struct win_span *span)
{
    uint32_t left = EXTREME_NONE, right = EXTREME_NONE;
    size_t from = span->from + x->leaves, to = span->to + x->leaves;
    for (; from < to; from /= 2, to /= 2) {
        if (from & 1)
            left = combine(x, left, x->node[from++]);
        if (to & 1)
            right = combine(x, x->node[--to], right);
    }
    return combine(x, left, right);
}

uint32_t extreme_find(const struct extreme *x, const struct win_rows *rows)
{
    uint32_t found = EXTREME_NONE;
    for (size_t i = 0; i < rows->n; i++)
        found = combine(x, found, over_span(x, &rows->span[i]));
    return found;
}
