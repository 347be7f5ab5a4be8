/*
 * topset_tiny: see topset_tiny.h.
 */
#include "engine/arrange/topset_tiny.h"

static size_t tiny_size(uint32_t cap)
{
    return sizeof(struct tiny) + cap * sizeof(struct tiny_entry);
}

void tiny_begin(struct topset *t)
{
    t->root = slab_alloc(&t->nodes, tiny_size(1));
    t->height = TINY_HEIGHT;
    *tiny_at(t) = (struct tiny){.n = 0, .cap = 1};
}

uint32_t tiny_find(const struct topset *t, const uint8_t *row, bool *found)
{
    const struct tiny *y = tiny_at(t);
    uint32_t lo = 0, hi = y->n;
    *found = false;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        int c = topset_cmp(t, topset_record_row(t, y->e[mid].record), row);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int64_t tiny_rank(const struct topset *t, uint32_t at)
{
    const struct tiny *y = tiny_at(t);
    int64_t rank = 0;
    for (uint32_t i = 0; i < at; i++)
        rank += y->e[i].weight;
    return rank;
}

static void grow(struct topset *t)
{
    uint32_t old = t->root, cap = tiny_at(t)->cap;
    uint32_t new = slab_alloc(&t->nodes, tiny_size(cap * 2));
    memcpy(slab_at(&t->nodes, new), slab_at(&t->nodes, old), tiny_size(cap));
    slab_free(&t->nodes, old, tiny_size(cap));
    t->root = new;
    tiny_at(t)->cap = cap * 2;
}

void tiny_insert(struct topset *t, uint32_t at, uint32_t record, int64_t weight)
{
    if (tiny_at(t)->n == tiny_at(t)->cap)
        grow(t);
    struct tiny *y = tiny_at(t);
    memmove(y->e + at + 1, y->e + at, (y->n - at) * sizeof *y->e);
    y->e[at] = (struct tiny_entry){weight, record};
    y->n++;
}

void tiny_remove(struct topset *t, uint32_t at)
{
    struct tiny *y = tiny_at(t);
    memmove(y->e + at, y->e + at + 1, (y->n - at - 1) * sizeof *y->e);
    if (--y->n)
        return;
    slab_free(&t->nodes, t->root, tiny_size(y->cap));
    t->root = t->height = 0;
}

void tiny_to_tree(struct topset *t, const uint64_t *abbrevs)
{
    struct tiny *y = tiny_at(t);
    uint32_t handle = node_new(t, true);
    struct node *leaf = node_at(t, handle);
    for (uint32_t i = 0; i < y->n; i++) {
        leaf->record[i] = y->e[i].record;
        leaf->weight[i] = y->e[i].weight;
        leaf->abbrev[i] = abbrevs[i];
    }
    leaf->n = y->n;
    slab_free(&t->nodes, t->root, tiny_size(y->cap));
    t->root = handle;
    t->height = 0;
}

void tiny_range(const struct topset *t, int64_t from, int64_t to, topset_fn *fn, void *arg)
{
    const struct tiny *y = tiny_at(t);
    int64_t start = 0;
    for (uint32_t i = 0; i < y->n && start < to; i++) {
        int64_t end = start + y->e[i].weight;
        int64_t lo = start > from ? start : from, hi = end < to ? end : to;
        if (lo < hi && !fn(arg, topset_record_row(t, y->e[i].record), hi - lo))
            return;
        start = end;
    }
}
