/*
 * relation: see relation.h.
 */
#include "daemon/relation.h"

#include <stdlib.h>
#include <string.h>

struct relation *relation_new(const struct pgo_message *m)
{
    size_t n = m->relation.ncolumns;
    struct relation *r = xcalloc(1, sizeof *r + n * sizeof r->cols[0]);
    r->refs = 1;
    r->relid = m->relation.relid;
    r->replident = m->relation.replident;
    r->ncols = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        const struct pgo_column *c = &m->relation.columns[i];
        r->cols[i] = (struct relation_column){
            .name = xstrdup(c->name), .type = c->type, .typmod = c->typmod, .key = c->key};
    }
    return r;
}

struct relation *relation_ref(struct relation *r)
{
    r->refs++;
    return r;
}

void relation_unref(struct relation *r)
{
    if (!r || --r->refs)
        return;
    for (uint32_t i = 0; i < r->ncols; i++)
        free(r->cols[i].name);
    free(r);
}

bool relation_says(const struct relation *r, const struct pgo_message *m)
{
    if (r->ncols != m->relation.ncolumns || r->replident != m->relation.replident)
        return false;
    for (uint32_t i = 0; i < r->ncols; i++) {
        const struct relation_column *a = &r->cols[i];
        const struct pgo_column *b = &m->relation.columns[i];
        if (a->type != b->type || a->typmod != b->typmod || a->key != b->key ||
            strcmp(a->name, b->name) != 0)
            return false;
    }
    return true;
}

static bool is_leaf_key(const struct leaf_layout *leaf, uint32_t col)
{
    for (uint32_t i = 0; i < leaf->nkey; i++) {
        if (leaf->key[i] == col)
            return true;
    }
    return false;
}

/* The stream names a domain where the layout has its base type; the typmod is the domain's then. */
static bool same_type(const struct relation_column *c, const struct leaf_layout *leaf, uint32_t col)
{
    const struct column_type *ct = &leaf->layout->cols[col].ct;
    uint32_t type = leaf->typeids ? leaf->typeids[col] : ct->type->oid;
    return c->type == type && (c->typmod == ct->typmod || type != ct->type->oid);
}

/* Places every column and counts what agrees: needed columns found, identity columns found. */
static bool place_columns(struct colmap *m, const struct leaf_layout *leaf)
{
    uint32_t found = 0, keys = 0, rel_keys = 0;
    for (uint32_t i = 0; i < m->rel->ncols; i++) {
        const struct relation_column *c = &m->rel->cols[i];
        m->to[i] = -1;
        rel_keys += c->key;
        for (uint32_t j = 0; j < leaf->ncols; j++) {
            if (strcmp(c->name, leaf->names[j]) != 0)
                continue;
            if (!same_type(c, leaf, j))
                return false;
            m->to[i] = (int32_t)j;
            found++;
            keys += c->key && is_leaf_key(leaf, j);
            break;
        }
    }
    /* Of a FULL table every column is marked as key, and the leaf has none. */
    bool same_identity = m->rel->replident == leaf->replident &&
                         (leaf->replident == 'f' || (keys == leaf->nkey && rel_keys == keys));
    return found == leaf->ncols && same_identity;
}

bool colmap_set(struct colmap *m, struct relation *rel, const struct leaf_layout *leaf)
{
    if (m->rel == rel && m->leaf == leaf)
        return m->fits;
    colmap_clear(m);
    m->rel = relation_ref(rel);
    m->leaf = leaf;
    m->to = xcalloc(rel->ncols ? rel->ncols : 1, sizeof *m->to);
    m->fits = place_columns(m, leaf);
    return m->fits;
}

void colmap_clear(struct colmap *m)
{
    relation_unref(m->rel);
    free(m->to);
    memset(m, 0, sizeof *m);
}
