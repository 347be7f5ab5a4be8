/*
 * concat: see concat.h.
 */
#include "engine/op/concat.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/alloc.h"

static uint32_t bitmap_len(const struct layout *l)
{
    return (l->ncols + 7) / 8;
}

static uint32_t fixed_len(const struct layout *l)
{
    return l->ends_offset - bitmap_len(l);
}

/* A row of NULLs is zeros but for its bitmap. */
static uint8_t *null_row(const struct layout *l)
{
    uint8_t *row = xcalloc(1, l->var_offset);
    for (uint32_t i = 0; i < l->ncols; i++)
        row[i >> 3] |= (uint8_t)(1u << (i & 7));
    return row;
}

static void assert_in_order(const struct layout *side, const struct layout *both, uint32_t first,
                            uint32_t fixed_before, uint32_t var_before)
{
    for (uint32_t i = 0; i < side->ncols; i++) {
        uint32_t at = side->cols[i].offset, now = both->cols[first + i].offset;
        if (side->cols[i].ct.type->rep == REP_BYTES)
            assert(now == at + var_before);
        else
            assert(now - bitmap_len(both) == at - bitmap_len(side) + fixed_before);
        (void)at;
        (void)now;
    }
    (void)both;
    (void)first;
    (void)fixed_before;
    (void)var_before;
}

void concat_init(struct concat *c, const struct layout *left, const struct layout *right)
{
    c->left = left;
    c->right = right;
    c->layout = layout_concat(left, right);
    c->null_left = null_row(left);
    c->null_right = null_row(right);
    assert_in_order(left, c->layout, 0, 0, 0);
    assert_in_order(right, c->layout, left->ncols, fixed_len(left), left->nvar);
}

void concat_fini(struct concat *c)
{
    layout_unref(c->layout);
    free(c->null_left);
    free(c->null_right);
}

static void join_bitmaps(const struct concat *c, const uint8_t *left, const uint8_t *right,
                         uint8_t *out)
{
    uint32_t nleft = bitmap_len(c->left), nright = bitmap_len(c->right);
    uint32_t nout = bitmap_len(c->layout), byte = c->left->ncols >> 3, shift = c->left->ncols & 7;
    memset(out, 0, nout);
    memcpy(out, left, nleft);
    for (uint32_t i = 0; i < nright; i++) {
        uint32_t bits = (uint32_t)right[i] << shift;
        out[byte + i] |= (uint8_t)bits;
        if (byte + i + 1 < nout)
            out[byte + i + 1] |= (uint8_t)(bits >> 8);
    }
}

static uint32_t var_len(const struct layout *l, const uint8_t *row)
{
    return l->nvar ? row_u32(row + l->ends_offset + 4 * (l->nvar - 1)) : 0;
}

static void join_variable(const struct concat *c, const uint8_t *left, uint32_t nleft,
                          const uint8_t *right, uint32_t nright, uint8_t *out)
{
    const struct layout *l = c->left, *r = c->right;
    uint8_t *ends = out + c->layout->ends_offset, *bytes = out + c->layout->var_offset;
    memcpy(ends, left + l->ends_offset, 4 * l->nvar);
    for (uint32_t i = 0; i < r->nvar; i++) {
        uint32_t end = row_u32(right + r->ends_offset + 4 * i) + nleft;
        memcpy(ends + 4 * (l->nvar + i), &end, sizeof end);
    }
    memcpy(bytes, left + l->var_offset, nleft);
    memcpy(bytes + nleft, right + r->var_offset, nright);
}

const uint8_t *concat_rows(const struct concat *c, const uint8_t *left, const uint8_t *right,
                           struct arena *arena, struct err *err)
{
    uint32_t nleft = var_len(c->left, left), nright = var_len(c->right, right);
    uint64_t len = (uint64_t)c->layout->var_offset + nleft + nright;
    if (len > ROW_MAX) {
        (void)err_set(err, ERR_PROGRAM_LIMIT, "row is too large: %llu bytes",
                      (unsigned long long)len);
        return NULL;
    }
    uint8_t *out = arena_alloc(arena, len);
    uint8_t *fixed = out + bitmap_len(c->layout);
    join_bitmaps(c, left, right, out);
    memcpy(fixed, left + bitmap_len(c->left), fixed_len(c->left));
    memcpy(fixed + fixed_len(c->left), right + bitmap_len(c->right), fixed_len(c->right));
    if (c->layout->nvar)
        join_variable(c, left, nleft, right, nright, out);
    return out;
}
