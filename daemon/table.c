/*
 * table: see table.h. Chained buckets, twice as many when there are as many members as buckets. The
 * old buckets are emptied a few with every member that is added: a table of a million grows without a
 * pause. Until its turn has come an old bucket is where members of its hashes are found, and added.
 */
#include "daemon/table.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/alloc.h"

#define MOVED_AT_ONCE 4

void table_init(struct table *t)
{
    *t = (struct table){0};
}

void table_fini(struct table *t)
{
    assert(t->n == 0);
    free(t->buckets);
    free(t->old);
}

static struct table_link **bucket_of(const struct table *t, uint64_t hash)
{
    size_t i = hash & (t->cap / 2 - 1);
    return t->old && i >= t->moved ? &t->old[i] : &t->buckets[hash & (t->cap - 1)];
}

static void link_in(struct table_link **bucket, struct table_link *l)
{
    l->next = *bucket;
    *bucket = l;
}

static void move_bucket(struct table *t)
{
    for (struct table_link *l = t->old[t->moved], *next; l; l = next) {
        next = l->next;
        link_in(&t->buckets[l->hash & (t->cap - 1)], l);
    }
    if (++t->moved < t->cap / 2)
        return;
    free(t->old);
    t->old = NULL;
}

static void grow(struct table *t)
{
    assert(!t->old);
    t->old = t->buckets;
    t->moved = 0;
    t->cap = t->cap ? t->cap * 2 : 64;
    t->buckets = xcalloc(t->cap, sizeof *t->buckets);
}

void table_add(struct table *t, struct table_link *l, uint64_t hash)
{
    if (t->n == t->cap)
        grow(t);
    for (int i = 0; t->old && i < MOVED_AT_ONCE; i++)
        move_bucket(t);
    l->hash = hash;
    link_in(bucket_of(t, hash), l);
    t->n++;
}

void table_remove(struct table *t, struct table_link *l)
{
    struct table_link **at = bucket_of(t, l->hash);
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
    return t->cap ? same_hash(*bucket_of(t, hash), hash) : NULL;
}

struct table_link *table_next(const struct table_link *l)
{
    return same_hash(l->next, l->hash);
}
