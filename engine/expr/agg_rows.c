/*
 * agg_rows: see agg_rows.h. A tuple is, for each value, a byte that says whether it is there and its
 * eight bytes, or its length and its bytes.
 */
#include "engine/expr/agg_rows.h"

#include <string.h>

/* ------------------------------------------------------------ tuples */

static void pack(const struct agg_spec *spec, const struct value *args, struct buf *b)
{
    for (uint32_t i = 0; i < spec->nargs; i++) {
        buf_addc(b, args[i].null ? 0 : 1);
        if (args[i].null)
            continue;
        if (rep_is_blob(spec->args[i].type->rep)) {
            buf_add(b, (const char *)&args[i].len, sizeof args[i].len);
            buf_add(b, (const char *)args[i].p, args[i].len);
        } else {
            buf_add(b, (const char *)&args[i].i, sizeof args[i].i); /* or .f: the same bytes */
        }
    }
}

static void unpack(const struct agg_spec *spec, struct value tuple, struct value *vals)
{
    const uint8_t *p = tuple.p;
    for (uint32_t i = 0; i < spec->nargs; i++) {
        vals[i] = value_null();
        if (!*p++)
            continue;
        vals[i].null = false;
        if (rep_is_blob(spec->args[i].type->rep)) {
            memcpy(&vals[i].len, p, sizeof vals[i].len);
            vals[i].p = p + sizeof vals[i].len;
            p = vals[i].p + vals[i].len;
        } else {
            memcpy(&vals[i].i, p, sizeof vals[i].i);
            p += sizeof vals[i].i;
        }
    }
}

/* ------------------------------------------------------------ order */

static int compare(const struct column_type *ct, struct value a, struct value b, bool desc,
                   bool nulls_first)
{
    if (a.null || b.null) {
        int r = (int)a.null - (int)b.null;
        return nulls_first ? -r : r;
    }
    int r = value_cmp(ct, a, b);
    return desc ? -r : r;
}

int rows_compare(const struct agg_spec *spec, const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < spec->nsort; i++) {
        const struct agg_sort *s = &spec->sort[i];
        int r = compare(&spec->args[s->arg], a[s->arg], b[s->arg], s->desc, s->nulls_first);
        if (r)
            return r;
    }
    return 0;
}

static int tuple_order(const void *ctx, struct value a, struct value b)
{
    const struct agg_spec *spec = ctx;
    struct value x[AGG_MAX_ARGS], y[AGG_MAX_ARGS];
    unpack(spec, a, x);
    unpack(spec, b, y);
    int r = rows_compare(spec, x, y);
    for (uint32_t i = 0; i < spec->nargs && !r; i++)
        if (type_has_order(&spec->args[i]))
            r = compare(&spec->args[i], x[i], y[i], false, false);
    return r;
}

static struct ordset_type tuples(const struct agg_spec *spec)
{
    return (struct ordset_type){.blobs = true, .order = tuple_order, .ctx = spec};
}

/* ------------------------------------------------------------ the state */

void rows_add(const struct agg_spec *spec, void *state, const struct value *args, int64_t weight)
{
    struct ordset_type t = tuples(spec);
    struct buf b;
    buf_init(&b);
    pack(spec, args, &b);
    ordset_add(state, &t, value_bytes(b.data, b.len), weight);
    buf_fini(&b);
}

void rows_fini(const struct agg_spec *spec, void *state)
{
    (void)spec;
    ordset_fini(state, true);
}

size_t rows_bytes(const struct agg_spec *spec, const void *state)
{
    (void)spec;
    return ordset_bytes(state, true);
}

struct walk {
    const struct agg_spec *spec;
    rows_visit *fn;
    void *ctx;
};

static bool visit(void *ctx, struct value tuple, int64_t weight)
{
    struct walk *w = ctx;
    struct value vals[AGG_MAX_ARGS];
    unpack(w->spec, tuple, vals);
    return w->fn(w->ctx, vals, weight);
}

bool rows_each(const struct agg_spec *spec, const struct ordset *rows, rows_visit *fn, void *ctx)
{
    struct ordset_type t = tuples(spec);
    struct walk w = {spec, fn, ctx};
    return ordset_each(rows, &t, visit, &w);
}

/* ------------------------------------------------------------ ranks */

struct probe {
    const struct agg_spec *spec;
    const struct value *vals;
    bool or_equal;
};

static int probe_tuple(const void *ctx, struct value tuple)
{
    const struct probe *p = ctx;
    struct value vals[AGG_MAX_ARGS];
    unpack(p->spec, tuple, vals);
    int r = rows_compare(p->spec, vals, p->vals);
    return r == 0 && p->or_equal ? -1 : r;
}

int64_t rows_before(const struct agg_spec *spec, const struct ordset *rows,
                    const struct value *vals, bool or_equal)
{
    struct ordset_type t = tuples(spec);
    struct probe p = {spec, vals, or_equal};
    return ordset_count_below(rows, &t, probe_tuple, &p);
}
