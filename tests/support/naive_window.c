/*
 * naive_window: window functions row by row: for each, a look at every other row of its partition.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/expr/win_classes.h"
#include "tests/support/naive.h"

/* One partition: its rows in order, and the peer group of each. */
struct part {
    const struct nop *n;
    const struct layout *layout;
    const uint8_t **row;
    int64_t *group;
    int64_t nrows;
    struct arena *a;
};

static bool eval_at(const struct part *p, const struct expr *e, int64_t row, struct value *out)
{
    struct err err;
    struct eval_ctx cx = {.layout = {p->layout}, .row = {p->row[row]}, .arena = p->a};
    return expr_eval(e, &cx, out, &err);
}

/* ------------------------------------------------------------ frames */

/* Whether place `at` is on the right side of the bound of place `from`, counting places. */
static bool inside_by_number(const struct win_bound *b, bool end, int64_t from, int64_t at)
{
    int64_t bound = from;
    if (b->kind == BOUND_UNBOUNDED)
        return true;
    if (b->kind == BOUND_PRECEDING)
        bound -= b->offset.i;
    if (b->kind == BOUND_FOLLOWING)
        bound += b->offset.i;
    return end ? at <= bound : at >= bound;
}

/* The same by distance in the first sort column, an int4. */
static bool inside_by_distance(const struct part *p, const struct win_bound *b, bool end,
                               int64_t from, int64_t at)
{
    const struct sort_key *k = &p->n->keys[0];
    struct value x = row_get(p->layout, p->row[from], k->col);
    struct value y = row_get(p->layout, p->row[at], k->col);
    int64_t sign = (b->kind == BOUND_PRECEDING ? -1 : 1) * (k->desc ? -1 : 1);
    if (x.null || y.null)
        return end ? p->group[at] <= p->group[from] : p->group[at] >= p->group[from];
    int64_t bound = x.i + sign * b->offset.i;
    return end == k->desc ? y.i >= bound : y.i <= bound;
}

static bool inside(const struct part *p, const struct win_frame *f, const struct win_bound *b,
                   bool end, int64_t from, int64_t at)
{
    bool offset = b->kind == BOUND_PRECEDING || b->kind == BOUND_FOLLOWING;
    if (f->mode == FRAME_ROWS)
        return inside_by_number(b, end, from, at);
    if (f->mode == FRAME_RANGE && offset)
        return inside_by_distance(p, b, end, from, at);
    return inside_by_number(b, end, p->group[from], p->group[at]);
}

static bool in_frame(const struct part *p, const struct win_frame *f, int64_t from, int64_t at)
{
    bool peer = p->group[from] == p->group[at];
    if (f->exclude == EXCLUDE_CURRENT_ROW && from == at)
        return false;
    if (f->exclude == EXCLUDE_GROUP && peer)
        return false;
    if (f->exclude == EXCLUDE_TIES && peer && from != at)
        return false;
    return inside(p, f, &f->start, false, from, at) && inside(p, f, &f->end, true, from, at);
}

/* ------------------------------------------------------------ functions */

static bool aggregate(const struct part *p, const struct window_call *c, int64_t from,
                      struct value *out)
{
    const struct agg_spec *spec = &c->agg.spec;
    void *state = arena_zalloc(p->a, spec->cls->state_size);
    struct err err;
    bool ok = true;
    for (int64_t at = 0; at < p->nrows && ok; at++) {
        struct value args[AGG_MAX_ARGS], passes = value_bool(true);
        if (!in_frame(p, c->frame, from, at))
            continue;
        ok = !c->agg.filter || eval_at(p, c->agg.filter, at, &passes);
        if (!ok || passes.null || !passes.i)
            continue;
        for (uint32_t i = 0; i < spec->nown && ok; i++)
            ok = eval_at(p, c->agg.args[i], at, &args[i]);
        if (ok && !agg_skips(spec, args))
            spec->cls->add(spec, state, args, 1);
    }
    ok = ok && spec->cls->result(spec, state, p->a, out, &err);
    if (ok)
        *out = value_dup(spec->result.type, *out, p->a);
    if (spec->cls->fini)
        spec->cls->fini(spec, state);
    return ok;
}

/* How many rows come before or with the peers of this one. */
static int64_t rows_until(const struct part *p, int64_t group)
{
    int64_t n = 0;
    for (int64_t at = 0; at < p->nrows; at++)
        n += p->group[at] <= group;
    return n;
}

static bool value_in_frame(const struct part *p, const struct window_call *c, int64_t from,
                           struct value *out)
{
    struct value nth = value_int(1);
    int64_t seen = 0, found = -1;
    if (c->win.nargs > 1 && !eval_at(p, c->win.args[1], from, &nth))
        return false;
    *out = value_null();
    if (nth.null)
        return true;
    if (nth.i <= 0)
        return false;
    for (int64_t at = 0; at < p->nrows; at++)
        if (in_frame(p, c->frame, from, at) && (++seen == nth.i || c->win.cls == &win_last_value))
            found = at;
    return found < 0 || eval_at(p, c->win.args[0], found, out);
}

static bool value_nearby(const struct part *p, const struct window_call *c, int64_t from,
                         struct value *out)
{
    struct value by = value_int(1);
    if (c->win.nargs > 1 && !eval_at(p, c->win.args[1], from, &by))
        return false;
    *out = value_null();
    if (by.null)
        return true;
    int64_t at = c->win.cls == &win_lag ? from - by.i : from + by.i;
    if (at >= 0 && at < p->nrows)
        return eval_at(p, c->win.args[0], at, out);
    return c->win.nargs < 3 || eval_at(p, c->win.args[2], from, out);
}

/* Buckets of a constant number: the first n % k have one row more. */
static bool ntile(const struct part *p, const struct window_call *c, int64_t from,
                  struct value *out)
{
    struct value k;
    if (!eval_at(p, c->win.args[0], 0, &k) || (!k.null && k.i <= 0))
        return false;
    *out = value_null();
    for (int64_t tile = 1, end = 0; !k.null && end <= from; tile++) {
        end += p->nrows / k.i + (tile <= p->nrows % k.i);
        *out = value_int(tile);
    }
    return true;
}

static bool window_value(const struct part *p, const struct window_call *c, int64_t from,
                         struct value *out)
{
    const struct win_class *cls = c->win.cls;
    int64_t before = rows_until(p, p->group[from] - 1), n = p->nrows;
    if (c->is_agg)
        return aggregate(p, c, from, out);
    if (cls->framed)
        return value_in_frame(p, c, from, out);
    if (cls == &win_lag || cls == &win_lead)
        return value_nearby(p, c, from, out);
    if (cls == &win_ntile)
        return ntile(p, c, from, out);
    if (cls == &win_row_number)
        *out = value_int(from + 1);
    else if (cls == &win_rank)
        *out = value_int(before + 1);
    else if (cls == &win_dense_rank)
        *out = value_int(p->group[from] + 1);
    else if (cls == &win_percent_rank)
        *out = value_float(n > 1 ? (double)before / (double)(n - 1) : 0);
    else
        *out = value_float((double)rows_until(p, p->group[from]) / (double)n);
    return true;
}

/* ------------------------------------------------------------ partitions */

static void add_part(const struct part *p, struct rel *out)
{
    const struct nop *n = p->n;
    uint32_t ncols = p->layout->ncols;
    struct value *vals = ARENA_ARRAY(p->a, struct value, ncols + n->ncalls);
    for (int64_t from = 0; from < p->nrows; from++) {
        struct change c = {NULL, 1};
        struct err err;
        bool ok = true;
        for (uint32_t i = 0; i < ncols; i++)
            vals[i] = row_get(p->layout, p->row[from], i);
        for (size_t i = 0; i < n->ncalls && ok; i++)
            ok = window_value(p, &n->calls[i], from, &vals[ncols + i]);
        if (ok && row_pack(n->layout, vals, p->a, &c.row, &err))
            VEC_PUSH(out->rows, c);
        else
            out->errors++;
    }
}

static bool same_part(const struct part *p, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < p->n->npart; i++) {
        uint32_t col = p->n->part[i]->col;
        if (!value_same(&p->layout->cols[col].ct, row_get(p->layout, a, col),
                        row_get(p->layout, b, col)))
            return false;
    }
    return true;
}

void naive_window(const struct nop *n, const struct rel *in, naive_cmp *cmp_keys, struct rel *out,
                  struct arena *a)
{
    struct part p = {.n = n, .layout = n->in[0]->layout, .a = a};
    size_t total = in->rows.n;
    bool *taken = ARENA_ARRAY(a, bool, total);
    p.row = ARENA_ARRAY(a, const uint8_t *, total);
    p.group = ARENA_ARRAY(a, int64_t, total);
    for (size_t i = 0; i < total; i++) {
        if (taken[i])
            continue;
        p.nrows = 0;
        for (size_t k = i; k < total; k++) {
            if (taken[k] || !same_part(&p, in->rows.v[i].row, in->rows.v[k].row))
                continue;
            taken[k] = true;
            p.group[p.nrows] = 0;
            if (p.nrows)
                p.group[p.nrows] = p.group[p.nrows - 1] +
                                   (cmp_keys(n, p.row[p.nrows - 1], in->rows.v[k].row) != 0);
            p.row[p.nrows++] = in->rows.v[k].row;
        }
        add_part(&p, out);
    }
}
