/*
 * ordset_walk: reading an ordered multiset: by position, by rank, from end to end. See ordset.h.
 */
#include "engine/expr/ordset_node.h"

int64_t ordset_total(const struct ordset *s)
{
    return s->tree ? s->tree->root->total : s->one.weight;
}

struct value ordset_nth(const struct ordset *s, const struct ordset_type *t, int64_t k)
{
    if (!s->tree)
        return key_value(t, s->one.key);
    const struct node *n = s->tree->root;
    uint32_t i = 0;
    while (!n->leaf) {
        for (i = 0; i + 1 < n->n && k >= n->at[i].child.node->total; i++)
            k -= n->at[i].child.node->total;
        n = n->at[i].child.node;
    }
    for (i = 0; i + 1 < n->n && k >= n->at[i].entry.weight; i++)
        k -= n->at[i].entry.weight;
    return key_value(t, n->at[i].entry.key);
}

/* How many of the node's first keys are below what is probed for. */
static uint32_t keys_below(const struct node *n, const struct ordset_type *t, ordset_probe *cmp,
                           const void *ctx)
{
    uint32_t lo = 0, hi = n->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (cmp(ctx, key_value(t, n->at[mid].entry.key)) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int64_t ordset_count_below(const struct ordset *s, const struct ordset_type *t, ordset_probe *cmp,
                           const void *ctx)
{
    int64_t below = 0;
    if (!s->tree)
        return s->one.weight && cmp(ctx, key_value(t, s->one.key)) < 0 ? s->one.weight : 0;
    for (const struct node *n = s->tree->root;;) {
        uint32_t k = keys_below(n, t, cmp, ctx);
        if (n->leaf) {
            for (uint32_t i = 0; i < k; i++)
                below += n->at[i].entry.weight;
            return below;
        }
        if (k == 0)
            return below;
        /* All of the children before the last one that begins below are. */
        for (uint32_t i = 0; i + 1 < k; i++)
            below += n->at[i].child.node->total;
        n = n->at[k - 1].child.node;
    }
}

static bool each_in(const struct node *n, const struct ordset_type *t, ordset_visit *fn, void *ctx)
{
    for (uint32_t i = 0; i < n->n; i++) {
        const struct ordset_entry *e = &n->at[i].entry;
        if (!n->leaf ? !each_in(n->at[i].child.node, t, fn, ctx)
                     : !fn(ctx, key_value(t, e->key), e->weight))
            return false;
    }
    return true;
}

bool ordset_each(const struct ordset *s, const struct ordset_type *t, ordset_visit *fn, void *ctx)
{
    if (s->tree)
        return each_in(s->tree->root, t, fn, ctx);
    return !s->one.weight || fn(ctx, key_value(t, s->one.key), s->one.weight);
}
