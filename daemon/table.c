/*
 * table: see table.h. Chained buckets, doubled when there are as many members as buckets.
 */
#include "daemon/table.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/alloc.h"

void table_init(struct table *t)
{
    *t = (struct table){0};
}

void table_fini(struct table *t)
{
    assert(t->n == 0);
    free(t->buckets);
}

static void link_in(struct table *t, struct table_link *l)
{
    struct table_link **b = &t->buckets[l->hash & (t->cap - 1)];
    l->next = *b;
    *b = l;
}

static void grow(struct table *t)
{
    struct table old = *t;
    t->cap = old.cap ? old.cap * 2 : 64;
    t->buckets = xcalloc(t->cap, sizeof *t->buckets);
    for (size_t i = 0; i < old.cap; i++)
        for (struct table_link *l = old.buckets[i], *next; l; l = next) {
            next = l->next;
            link_in(t, l);
        }
    free(old.buckets);
}

void table_add(struct table *t, struct table_link *l, uint64_t hash)
{
    if (t->n == t->cap)
        grow(t);
    l->hash = hash;
    link_in(t, l);
    t->n++;
}

void table_remove(struct table *t, struct table_link *l)
{
    struct table_link **at = &t->buckets[l->hash & (t->cap - 1)];
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    t->n--;
}

static struct table_link *same_hash(struct table_link *l, uint64_t hash)
{
    while (l && l->hash != hash)
        l = l->next;
    return l;
}

struct table_link *table_first(const struct table *t, uint64_t hash)
{
    return t->cap ? same_hash(t->buckets[hash & (t->cap - 1)], hash) : NULL;
}

struct table_link *table_next(const struct table_link *l)
{
    return same_hash(l->next, l->hash);
}
