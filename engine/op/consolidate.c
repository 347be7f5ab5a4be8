/*
 * consolidate: see consolidate.h. A few changes are compared with each other; more go through a
 * table of positions, indexed by a hash of the row.
 */
#include "engine/op/consolidate.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/vec.h"

#define FEW 6

static bool same_row(const struct layout *l, const uint8_t *a, const uint8_t *b)
{
    if (a == b)
        return true;
    uint32_t len = row_len(l, a);
    return row_len(l, b) == len && (len == 0 || memcmp(a, b, len) == 0);
}

static void add_by_scan(const struct layout *l, struct delta *out, const struct change *c)
{
    for (size_t i = 0; i < out->n; i++)
        if (same_row(l, out->v[i].row, c->row)) {
            out->v[i].weight += c->weight;
            return;
        }
    VEC_PUSH(*out, *c);
}

static void add_by_table(const struct layout *l, struct delta *out, const struct change *c,
                         uint32_t *table, size_t mask)
{
    uint64_t h = hash_bytes(c->row, row_len(l, c->row));
    size_t i = h & mask;
    for (; table[i]; i = (i + 1) & mask) {
        struct change *o = &out->v[table[i] - 1];
        if (same_row(l, o->row, c->row)) {
            o->weight += c->weight;
            return;
        }
    }
    VEC_PUSH(*out, *c);
    table[i] = (uint32_t)out->n;
}

static void drop_zeros(struct delta *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].weight)
            d->v[n++] = d->v[i];
    d->n = n;
}

void consolidate(const struct layout *l, const struct delta *in, struct arena *arena,
                 struct delta *out)
{
    if (in->n <= FEW) {
        for (size_t i = 0; i < in->n; i++)
            add_by_scan(l, out, &in->v[i]);
    } else {
        size_t slots = 16;
        while (slots < in->n * 2)
            slots *= 2;
        uint32_t *table = arena_zalloc(arena, slots * sizeof *table);
        for (size_t i = 0; i < in->n; i++)
            add_by_table(l, out, &in->v[i], table, slots - 1);
    }
    drop_zeros(out);
}
