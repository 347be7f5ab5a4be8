/*
 * ordset_node: the B-tree inside an ordset. Between ordset.c, which changes it, and ordset_walk.c,
 * which reads it.
 *
 * A leaf has entries in order. An inner node has children and, beside each, a copy of the least
 * entry's key below it. Every node knows the sum of the weights below it.
 */
#ifndef PALIMPSEST_EXPR_ORDSET_NODE_H
#define PALIMPSEST_EXPR_ORDSET_NODE_H

#include <string.h>

#include "engine/expr/ordset.h"

struct blob {
    uint32_t len;
    uint8_t bytes[];
};

struct node {
    uint16_t n, cap;
    bool leaf;
    int64_t total;
    union {
        struct ordset_entry entry; /* leaf */
        struct {
            uint64_t key; /* least below */
            struct node *node;
        } child;
    } at[];
};

struct ordset_tree {
    struct node *root; /* owned */
    size_t bytes;      /* of nodes and blobs */
};

static inline bool ordset_is_float(const struct ordset_type *t)
{
    return t->ct.type->rep == REP_FLOAT32 || t->ct.type->rep == REP_FLOAT64;
}

static inline const struct blob *key_blob(uint64_t key)
{
    return (const struct blob *)(uintptr_t)key;
}

static inline struct value key_value(const struct ordset_type *t, uint64_t key)
{
    struct value v = {.i = (int64_t)key};
    if (t->blobs)
        return value_bytes(key_blob(key)->bytes, key_blob(key)->len);
    if (ordset_is_float(t))
        memcpy(&v.f, &key, sizeof key);
    return v;
}

#endif
