/*
 * row: layouts, and packing values into rows. Reading is inline in row.h.
 *
 * Called for every row that is decoded or computed, so packing is two plain passes over the
 * columns: one for the length (only where there are variable columns), one that writes.
 */
#include "engine/value/row.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/alloc.h"

static inline uint32_t rep_width(enum rep rep)
{
    switch (rep) {
    case REP_BOOL: return 1;
    case REP_INT32:
    case REP_FLOAT32: return 4;
    case REP_INT64:
    case REP_FLOAT64: return 8;
    case REP_FIXED16: return 16;
    case REP_BYTES: return 0;
    }
    return 0;
}

static struct layout *layout_alloc(size_t ncols)
{
    struct layout *l = xcalloc(1, sizeof *l + ncols * sizeof l->cols[0]);
    atomic_init(&l->refs, 1);
    l->ncols = (uint32_t)ncols;
    return l;
}

/* Fills in everything but the columns' types. */
static struct layout *layout_place(struct layout *l)
{
    uint32_t at = (l->ncols + 7) / 8;
    for (uint32_t i = 0; i < l->ncols; i++) {
        uint32_t width = rep_width(l->cols[i].ct.type->rep);
        l->cols[i].offset = width ? at : l->nvar++;
        at += width;
    }
    l->ends_offset = at;
    l->var_offset = at + 4 * l->nvar;
    return l;
}

struct layout *layout_new(const struct column_type *cols, size_t ncols)
{
    struct layout *l = layout_alloc(ncols);
    for (size_t i = 0; i < ncols; i++)
        l->cols[i].ct = cols[i];
    return layout_place(l);
}

struct layout *layout_concat(const struct layout *a, const struct layout *b)
{
    struct layout *l = layout_alloc((size_t)a->ncols + b->ncols);
    for (uint32_t i = 0; i < a->ncols; i++)
        l->cols[i].ct = a->cols[i].ct;
    for (uint32_t i = 0; i < b->ncols; i++)
        l->cols[a->ncols + i].ct = b->cols[i].ct;
    return layout_place(l);
}

struct layout *layout_ref(const struct layout *l)
{
    struct layout *counted = (struct layout *)l;
    atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
    return counted;
}

void layout_unref(const struct layout *l)
{
    struct layout *counted = (struct layout *)l;
    if (counted && atomic_fetch_sub_explicit(&counted->refs, 1, memory_order_acq_rel) == 1)
        free(counted);
}

static uint64_t var_bytes(const struct layout *l, const struct value *vals)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < l->ncols; i++)
        if (l->cols[i].ct.type->rep == REP_BYTES && !vals[i].null)
            n += vals[i].len;
    return n;
}

/* Where the next variable column goes: its number and where its bytes begin. */
struct var_cursor {
    uint32_t no;
    uint32_t end;
};

static inline void put_var(const struct layout *l, uint8_t *row, struct var_cursor *at,
                           struct value v)
{
    if (!v.null && v.len) {
        memcpy(row + l->var_offset + at->end, v.p, v.len);
        at->end += v.len;
    }
    memcpy(row + l->ends_offset + 4 * at->no++, &at->end, sizeof at->end);
}

/* Arithmetic makes NaNs of either sign; the bytes of a row know only one. */
static inline void put_fixed(enum rep rep, uint8_t *p, struct value v)
{
    switch (rep) {
    case REP_BOOL: *p = (uint8_t)v.i; break;
    case REP_INT32: {
        int32_t x = (int32_t)v.i;
        memcpy(p, &x, sizeof x);
        break;
    }
    case REP_INT64: memcpy(p, &v.i, sizeof v.i); break;
    case REP_FLOAT32: {
        float x = isnan(v.f) ? NAN : (float)v.f;
        memcpy(p, &x, sizeof x);
        break;
    }
    case REP_FLOAT64: {
        double x = isnan(v.f) ? (double)NAN : v.f;
        memcpy(p, &x, sizeof x);
        break;
    }
    case REP_FIXED16: memcpy(p, v.p, 16); break;
    case REP_BYTES: break;
    }
}

bool row_pack(const struct layout *l, const struct value *vals, struct arena *a,
              const uint8_t **out, struct err *err)
{
    uint64_t len = l->var_offset;
    if (l->nvar) {
        len += var_bytes(l, vals);
        if (len > ROW_MAX)
            return err_set(err, ERR_PROGRAM_LIMIT, "row is too large: %llu bytes",
                           (unsigned long long)len);
    }
    uint8_t *row = arena_alloc(a, len ? len : 1); /* never NULL, even without columns */
    struct var_cursor at = {0, 0};
    uint32_t ncols = l->ncols;
    unsigned nulls = 0; /* of the bitmap's byte being made */
    for (uint32_t i = 0; i < ncols; i++) {
        const struct layout_column *c = &l->cols[i];
        enum rep rep = c->ct.type->rep;
        bool null = vals[i].null;
        nulls |= (unsigned)null << (i & 7);
        if ((i & 7) == 7 || i + 1 == ncols) {
            row[i >> 3] = (uint8_t)nulls;
            nulls = 0;
        }
        if (rep == REP_BYTES)
            put_var(l, row, &at, vals[i]);
        else if (null)
            memset(row + c->offset, 0, rep_width(rep));
        else
            put_fixed(rep, row + c->offset, vals[i]);
    }
    *out = row;
    return true;
}

void row_to_json(const struct layout *l, const uint8_t *row, struct buf *b)
{
    buf_addc(b, '[');
    for (uint32_t i = 0; i < l->ncols; i++) {
        if (i)
            buf_addc(b, ',');
        value_to_json(l->cols[i].ct.type, row_get(l, row, i), b);
    }
    buf_addc(b, ']');
}
