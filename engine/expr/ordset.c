/*
 * ordset: see ordset.h. The B-tree, as it is changed.
 *
 * The least keys beside an inner node's children and the totals are kept up to date on the way back
 * from every change; a key is never compared after its blob is gone. A full node splits in two and
 * hands the right one to its parent; a node that has lost its last entry is freed by its parent.
 * The root gives up levels of a single child.
 */
#include "engine/expr/ordset_node.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/alloc.h"

#define NODE_MAX   32
#define NODE_FIRST 4 /* capacity of a new leaf */

/* What a call works on. */
struct access {
    struct ordset *set;
    const struct ordset_type *type;
};

static size_t node_bytes(size_t cap)
{
    return sizeof(struct node) + cap * sizeof(((struct node *)0)->at[0]);
}

static size_t blob_size(uint32_t len)
{
    return sizeof(struct blob) + len;
}

static uint64_t key_new(const struct access *x, struct value v)
{
    uint64_t key = (uint64_t)v.i;
    if (x->type->blobs) {
        struct blob *b = xmalloc(blob_size(v.len));
        b->len = v.len;
        if (v.len)
            memcpy(b->bytes, v.p, v.len);
        return (uint64_t)(uintptr_t)b;
    }
    if (ordset_is_float(x->type))
        memcpy(&key, &v.f, sizeof key);
    return key;
}

static size_t key_bytes(const struct access *x, uint64_t key)
{
    return x->type->blobs ? blob_size(key_blob(key)->len) : 0;
}

static void key_free(const struct access *x, uint64_t key)
{
    if (x->type->blobs)
        free((void *)(uintptr_t)key);
}

/* The order, then by spelling. */
static int order(const struct access *x, struct value a, struct value b)
{
    const struct ordset_type *t = x->type;
    uint32_t n;
    int r;
    if (!t->blobs && !ordset_is_float(t))
        return (a.i > b.i) - (a.i < b.i);
    r = t->order ? t->order(t->ctx, a, b) : value_cmp(&t->ct, a, b);
    if (r)
        return r;
    if (!t->blobs)
        return isnan(a.f) ? 0 : (signbit(b.f) != 0) - (signbit(a.f) != 0);
    n = a.len < b.len ? a.len : b.len;
    r = n ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.len > b.len) - (a.len < b.len);
}

/* The first position of n whose key is not below v; *same: it is v's. */
static uint32_t lower_bound(const struct access *x, const struct node *n, struct value v,
                            bool *same)
{
    uint32_t lo = 0, hi = n->n;
    *same = false;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        int r = order(x, key_value(x->type, n->at[mid].entry.key), v);
        if (r == 0) {
            *same = true;
            return mid;
        }
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct node *node_new(struct ordset_tree *t, bool leaf, uint16_t cap)
{
    struct node *n = xmalloc(node_bytes(cap));
    n->n = 0;
    n->cap = cap;
    n->leaf = leaf;
    n->total = 0;
    t->bytes += node_bytes(cap);
    return n;
}

static void node_free(struct ordset_tree *t, struct node *n)
{
    t->bytes -= node_bytes(n->cap);
    free(n);
}

static void remove_at(struct node *n, uint32_t i)
{
    n->n--;
    memmove(&n->at[i], &n->at[i + 1], (n->n - i) * sizeof n->at[0]);
}

/* Makes room at position i of *np, splitting a full node: then *right gets the upper half, and the
 * place is the one returned. */
static struct node *room_at(struct ordset_tree *t, struct node **np, uint32_t *i,
                            struct node **right)
{
    struct node *n = *np;
    if (n->n == n->cap && n->cap < NODE_MAX) {
        uint16_t cap = (uint16_t)(n->cap * 2);
        t->bytes += node_bytes(cap) - node_bytes(n->cap);
        n = *np = xrealloc(n, node_bytes(cap));
        n->cap = cap;
    } else if (n->n == n->cap) {
        /* Mostly rising values leave full nodes behind. */
        uint16_t keep = *i == n->n ? n->n : NODE_MAX / 2;
        struct node *r = *right = node_new(t, n->leaf, NODE_MAX);
        r->n = (uint16_t)(n->n - keep);
        memcpy(r->at, n->at + keep, r->n * sizeof n->at[0]);
        n->n = keep;
        if (*i > keep || r->n == 0) {
            *i -= keep;
            n = r;
        }
    }
    memmove(&n->at[*i + 1], &n->at[*i], (n->n - *i) * sizeof n->at[0]);
    n->n++;
    return n;
}

static void count(struct node *n)
{
    n->total = 0;
    for (uint32_t i = 0; i < n->n; i++)
        n->total += n->leaf ? n->at[i].entry.weight : n->at[i].child.node->total;
}

/* After a change of that weight below *np, and maybe a split. */
static void recount(struct node *n, struct node *right, int64_t weight)
{
    if (!right) {
        n->total += weight;
        return;
    }
    count(n);
    count(right);
}

static void leaf_add(const struct access *x, struct node **np, struct value v, int64_t weight,
                     struct node **right)
{
    struct ordset_tree *t = x->set->tree;
    struct node *n = *np;
    bool same;
    uint32_t i = lower_bound(x, n, v, &same);
    if (!same) {
        uint64_t key = key_new(x, v);
        n = room_at(t, np, &i, right);
        n->at[i].entry = (struct ordset_entry){key, weight};
        t->bytes += key_bytes(x, key);
        recount(*np, *right, weight);
        return;
    }
    n->total += weight;
    n->at[i].entry.weight += weight;
    if (!n->at[i].entry.weight) {
        t->bytes -= key_bytes(x, n->at[i].entry.key);
        key_free(x, n->at[i].entry.key);
        remove_at(n, i);
    }
}

/* Recursion is as deep as the tree is high: 13 levels hold more than memory does. */
static void node_add(const struct access *x, struct node **np, struct value v, int64_t weight,
                     struct node **right)
{
    struct node *n = *np, *child, *split = NULL;
    bool same;
    uint32_t i;
    if (n->leaf) {
        leaf_add(x, np, v, weight, right);
        return;
    }
    i = lower_bound(x, n, v, &same);
    if (!same && i > 0)
        i--;
    node_add(x, &n->at[i].child.node, v, weight, &split);
    child = n->at[i].child.node;
    if (!child->n) {
        node_free(x->set->tree, child);
        remove_at(n, i);
        n->total += weight;
        return;
    }
    n->at[i].child.key = child->at[0].entry.key;
    if (split) {
        i++;
        n = room_at(x->set->tree, np, &i, right);
        n->at[i].child.key = split->at[0].entry.key;
        n->at[i].child.node = split;
    }
    recount(*np, *right, weight);
}

/* From one value to a tree. */
static void plant(const struct access *x)
{
    struct ordset *s = x->set;
    struct ordset_tree *t = s->tree = NEW(struct ordset_tree);
    t->root = node_new(t, true, NODE_FIRST);
    t->root->n = 1;
    t->root->at[0].entry = s->one;
    t->root->total = s->one.weight;
    t->bytes += key_bytes(x, s->one.key);
    s->one = (struct ordset_entry){0};
}

/* A root of one child is that child; a last entry moves back into the set. */
static void shrink(struct ordset *s)
{
    struct ordset_tree *t = s->tree;
    struct node *root = t->root;
    while (!root->leaf && root->n == 1) {
        t->root = root->at[0].child.node;
        node_free(t, root);
        root = t->root;
    }
    if (root->leaf ? root->n > 1 : root->n > 0)
        return;
    if (root->n)
        s->one = root->at[0].entry;
    free(root);
    free(t);
    s->tree = NULL;
}

static void tree_add(const struct access *x, struct value v, int64_t weight)
{
    struct ordset_tree *t = x->set->tree;
    struct node *right = NULL;
    node_add(x, &t->root, v, weight, &right);
    if (right) {
        struct node *root = node_new(t, false, NODE_MAX);
        root->n = 2;
        root->at[0].child.key = t->root->at[0].entry.key;
        root->at[0].child.node = t->root;
        root->at[1].child.key = right->at[0].entry.key;
        root->at[1].child.node = right;
        count(root);
        t->root = root;
    }
    shrink(x->set);
}

void ordset_add(struct ordset *s, const struct ordset_type *t, struct value v, int64_t weight)
{
    struct access x = {s, t};
    if (!weight)
        return;
    if (!s->tree) {
        if (!s->one.weight) {
            s->one = (struct ordset_entry){key_new(&x, v), weight};
            return;
        }
        if (order(&x, key_value(t, s->one.key), v) == 0) {
            s->one.weight += weight;
            if (!s->one.weight) {
                key_free(&x, s->one.key);
                s->one.key = 0;
            }
            return;
        }
        plant(&x);
    }
    tree_add(&x, v, weight);
}

/* From one end, the first entry with a positive weight. */
static const struct ordset_entry *first_in(const struct node *n, bool greatest)
{
    for (uint32_t k = 0; k < n->n; k++) {
        uint32_t i = greatest ? n->n - 1 - k : k;
        const struct ordset_entry *e = &n->at[i].entry;
        if (!n->leaf)
            e = first_in(n->at[i].child.node, greatest);
        if (e && e->weight > 0)
            return e;
    }
    return NULL;
}

bool ordset_first(const struct ordset *s, const struct ordset_type *t, bool greatest,
                  struct value *out)
{
    const struct ordset_entry *e = s->tree ? first_in(s->tree->root, greatest) : &s->one;
    if (!e || e->weight <= 0)
        return false;
    *out = key_value(t, e->key);
    return true;
}

static void node_free_all(const struct access *x, struct node *n)
{
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->leaf)
            key_free(x, n->at[i].entry.key);
        else
            node_free_all(x, n->at[i].child.node);
    }
    free(n);
}

void ordset_fini(struct ordset *s, bool blobs)
{
    struct ordset_type t = {.blobs = blobs};
    struct access x = {s, &t};
    if (s->tree) {
        node_free_all(&x, s->tree->root);
        free(s->tree);
    } else if (s->one.weight) {
        key_free(&x, s->one.key);
    }
    *s = (struct ordset){0};
}

size_t ordset_bytes(const struct ordset *s, bool blobs)
{
    struct ordset_type t = {.blobs = blobs};
    struct access x = {NULL, &t};
    if (s->tree)
        return sizeof *s->tree + s->tree->bytes;
    return s->one.weight ? key_bytes(&x, s->one.key) : 0;
}
