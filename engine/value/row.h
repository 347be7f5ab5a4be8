/*
 * row: a packed, immutable row, and the layout that says where its columns are.
 *
 *     [null bitmap][fixed-width columns][end offsets, uint32 each][bytes of the variable columns]
 *
 * Null columns are zeros (an empty range for variable ones), so that two rows of a layout hold the
 * same values, spelled the same, if and only if their bytes are equal. Nothing is aligned; loads go
 * through memcpy. A layout without variable columns has rows of one constant length.
 *
 * A layout is shared and counted (atomic); rows don't know theirs. A row is at most ROW_MAX bytes.
 */
#ifndef PALIMPSEST_VALUE_ROW_H
#define PALIMPSEST_VALUE_ROW_H

#include <stdatomic.h>
#include <string.h>

#include "engine/value/value.h"

#define ROW_MAX (1u << 30)

struct layout_column {
    struct column_type ct;
    uint32_t offset; /* fixed-width: from the row's start; variable: index among variable columns */
};

struct layout {
    atomic_int refs;
    uint32_t ncols;
    uint32_t nvar;        /* variable-width columns */
    uint32_t ends_offset; /* where the end offsets are; the row's length where nvar is 0 */
    uint32_t var_offset;  /* where the variable bytes begin */
    struct layout_column cols[];
};

struct layout *layout_new(const struct column_type *cols, size_t ncols);
struct layout *
layout_ref(const struct layout *l); /* counted although const: content never changes */
void layout_unref(const struct layout *l);
/* The columns of a followed by those of b; a new layout. */
struct layout *layout_concat(const struct layout *a, const struct layout *b);

/* Packs vals[ncols] into the arena; row_len() tells its length. False (54000) beyond ROW_MAX. */
MUST_CHECK bool row_pack(const struct layout *l, const struct value *vals, struct arena *a,
                         const uint8_t **row, struct err *err);

static inline uint32_t row_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t row_len(const struct layout *l, const uint8_t *row)
{
    if (!l->nvar)
        return l->ends_offset;
    return l->var_offset + row_u32(row + l->ends_offset + 4 * (l->nvar - 1));
}

static inline bool row_is_null(const uint8_t *row, uint32_t col)
{
    return row[col >> 3] >> (col & 7) & 1;
}

/* The value borrows from the row. */
static inline struct value row_get(const struct layout *l, const uint8_t *row, uint32_t col)
{
    const struct layout_column *c = &l->cols[col];
    struct value v = {.null = false};
    if (row_is_null(row, col))
        return value_null();
    switch (c->ct.type->rep) {
    case REP_BOOL: v.i = row[c->offset]; break;
    case REP_INT32: {
        int32_t x;
        memcpy(&x, row + c->offset, sizeof x);
        v.i = x;
        break;
    }
    case REP_INT64: memcpy(&v.i, row + c->offset, sizeof v.i); break;
    case REP_FLOAT32: {
        float x;
        memcpy(&x, row + c->offset, sizeof x);
        v.f = (double)x;
        break;
    }
    case REP_FLOAT64: memcpy(&v.f, row + c->offset, sizeof v.f); break;
    case REP_FIXED16:
        v.p = row + c->offset;
        v.len = 16;
        break;
    case REP_BYTES: {
        const uint8_t *ends = row + l->ends_offset;
        uint32_t start = c->offset ? row_u32(ends + 4 * (c->offset - 1)) : 0;
        v.p = row + l->var_offset + start;
        v.len = row_u32(ends + 4 * c->offset) - start;
        break;
    }
    }
    return v;
}

/* The row as a JSON array, as the wire protocol wants it; appended. */
void row_to_json(const struct layout *l, const uint8_t *row, struct buf *b);

#endif
