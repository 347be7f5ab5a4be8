/*
 * leaf: see leaf.h.
 */
#include "daemon/leaf.h"

#include <assert.h>
#include <string.h>

#include "engine/base/hash.h"

struct leaf *leaf_new(uint32_t relid)
{
    struct leaf *l = NEW(struct leaf);
    l->relid = relid;
    return l;
}

void leaf_lose(struct leaf *l)
{
    colmap_clear(&l->map);
    store_free(l->store);
    leaf_layout_unref(l->layout);
    l->store = NULL;
    l->layout = NULL;
    l->published = false;
    l->overflow = false;
}

void leaf_drop_next(struct leaf *l)
{
    colmap_clear(&l->next_map);
    store_free(l->next);
    l->next = NULL;
}

void leaf_promote(struct leaf *l)
{
    assert(l->next);
    leaf_lose(l);
    l->published = true;
    l->store = l->next;
    l->layout = leaf_layout_ref(store_leaf(l->store));
    l->map = l->next_map;
    l->next = NULL;
    memset(&l->next_map, 0, sizeof l->next_map);
}

void leaf_free(struct leaf *l)
{
    leaf_lose(l);
    leaf_drop_next(l);
    free(l);
}

void leafmap_fini(struct leafmap *m)
{
    for (size_t i = 0; i < m->size; i++) {
        relation_unref(m->v[i].rel);
        if (m->v[i].leaf)
            leaf_free(m->v[i].leaf);
    }
    free(m->v);
    memset(m, 0, sizeof *m);
}

static struct leafmap_entry *slot_of(const struct leafmap *m, uint32_t relid)
{
    size_t i = hash_mix(0, relid) & (m->size - 1);
    while (m->v[i].relid && m->v[i].relid != relid)
        i = (i + 1) & (m->size - 1);
    return &m->v[i];
}

struct leafmap_entry *leafmap_find(const struct leafmap *m, uint32_t relid)
{
    if (!m->size)
        return NULL;
    struct leafmap_entry *e = slot_of(m, relid);
    return e->relid ? e : NULL;
}

static void grow(struct leafmap *m)
{
    struct leafmap old = *m;
    m->size = old.size ? old.size * 2 : 64;
    m->v = xcalloc(m->size, sizeof *m->v);
    for (size_t i = 0; i < old.size; i++) {
        if (old.v[i].relid)
            *slot_of(m, old.v[i].relid) = old.v[i];
    }
    free(old.v);
}

struct leafmap_entry *leafmap_get(struct leafmap *m, uint32_t relid)
{
    if (m->n * 2 >= m->size)
        grow(m);
    struct leafmap_entry *e = slot_of(m, relid);
    if (!e->relid) {
        e->relid = relid;
        m->n++;
    }
    return e;
}

void leafmap_forget_relations(struct leafmap *m)
{
    for (size_t i = 0; i < m->size; i++) {
        relation_unref(m->v[i].rel);
        m->v[i].rel = NULL;
    }
}
