/*
 * topset: see topset.h.
 *
 * The priority of a node is a hash of its row. So while descending with a row, a node of lower
 * priority proves that the row isn't below it: that is where a new node goes, and one descent both
 * looks the row up and places it. Weights along the path are brought up to date on the way down.
 */
#include "engine/arrange/topset.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/arrange/abbrev.h"
#include "engine/base/hash.h"

#define INLINE_MAX 512

struct node {
    uint32_t left, right; /* 0 = none */
    uint32_t priority;    /* not below the children's */
    uint32_t outline;     /* data holds a pointer to the row */
    int64_t total;        /* weight of the subtree */
    int64_t weight;       /* of this row; above 0 */
    uint64_t abbrev;      /* of the first sort key */
    uint8_t data[];
};

static struct node *at(const struct topset *t, uint32_t handle)
{
    return slab_at(&t->slab, handle);
}

static const uint8_t *row_of(const struct node *n)
{
    const uint8_t *row = n->data;
    if (n->outline)
        memcpy(&row, n->data, sizeof row);
    return row;
}

static int64_t total(const struct topset *t, uint32_t handle)
{
    return handle ? at(t, handle)->total : 0;
}

int64_t topset_total(const struct topset *t)
{
    return total(t, t->root);
}

/* ------------------------------------------------------------ order */

static int cmp_key(const struct topset *t, const struct sort_key *k, const uint8_t *a,
                   const uint8_t *b)
{
    struct value x = row_get(t->layout, a, k->col), y = row_get(t->layout, b, k->col);
    if (x.null || y.null)
        return x.null == y.null ? 0 : x.null == k->nulls_first ? -1 : 1;
    int c = value_cmp(&t->layout->cols[k->col].ct, x, y);
    return k->desc ? -c : c;
}

int topset_cmp_keys(const struct topset *t, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < t->nkeys; i++) {
        int c = cmp_key(t, &t->keys[i], a, b);
        if (c)
            return c;
    }
    return 0;
}

static int cmp_bytes(const struct layout *l, const uint8_t *a, const uint8_t *b)
{
    uint32_t alen = row_len(l, a), blen = row_len(l, b), min = alen < blen ? alen : blen;
    int c = min ? memcmp(a, b, min) : 0;
    return c ? c : (alen > blen) - (alen < blen);
}

int topset_cmp(const struct topset *t, const uint8_t *a, const uint8_t *b)
{
    if (a == b)
        return 0;
    int c = topset_cmp_keys(t, a, b);
    return c ? c : cmp_bytes(t->layout, a, b);
}

/* What a row is looked up by. */
struct probe {
    const uint8_t *row;
    uint64_t abbrev;
    uint32_t priority;
};

static int cmp_node(const struct topset *t, const struct probe *p, const struct node *n)
{
    if (p->abbrev != n->abbrev)
        return p->abbrev < n->abbrev ? -1 : 1;
    return topset_cmp(t, p->row, row_of(n));
}

static uint64_t abbrev_of(const struct topset *t, const uint8_t *row, struct arena *scratch)
{
    if (!t->nkeys)
        return 0;
    const struct sort_key *k = &t->keys[0];
    struct value v = row_get(t->layout, row, k->col);
    if (v.null)
        return k->nulls_first ? 0 : UINT64_MAX;
    uint64_t a = abbrev(&t->layout->cols[k->col].ct, v, scratch);
    return k->desc ? ~a : a;
}

/* ------------------------------------------------------------ nodes */

void topset_init(struct topset *t, const struct layout *l, const struct sort_key *keys,
                 size_t nkeys)
{
    memset(t, 0, sizeof *t);
    t->layout = l;
    t->keys = keys;
    t->nkeys = nkeys;
    slab_init(&t->slab, 3, sizeof(struct node) + INLINE_MAX);
}

static size_t node_size(uint32_t len)
{
    return sizeof(struct node) + (len > INLINE_MAX ? sizeof(void *) : len);
}

static uint32_t node_new(struct topset *t, const struct probe *p, int64_t weight)
{
    uint32_t len = row_len(t->layout, p->row), handle = slab_alloc(&t->slab, node_size(len));
    struct node *n = at(t, handle);
    memset(n, 0, sizeof *n);
    n->priority = p->priority;
    n->abbrev = p->abbrev;
    n->weight = n->total = weight;
    if (len > INLINE_MAX) {
        uint8_t *copy = xmalloc(len);
        memcpy(copy, p->row, len);
        memcpy(n->data, &copy, sizeof copy);
        n->outline = 1;
        t->outline_bytes += len;
    } else if (len) {
        memcpy(n->data, p->row, len);
    }
    t->nrows++;
    return handle;
}

static void node_free(struct topset *t, uint32_t handle)
{
    struct node *n = at(t, handle);
    const uint8_t *row = row_of(n);
    uint32_t len = row_len(t->layout, row);
    if (n->outline) {
        free((void *)row);
        t->outline_bytes -= len;
    }
    slab_free(&t->slab, handle, node_size(len));
}

void topset_settle(struct topset *t)
{
    if (!t->dead.n)
        return;
    for (size_t i = 0; i < t->dead.n; i++)
        node_free(t, t->dead.v[i]);
    t->dead.n = 0;
    if (!t->nrows)
        slab_trim(&t->slab);
}

static void free_outlines(struct topset *t, uint32_t handle)
{
    for (; handle; handle = at(t, handle)->right) {
        if (at(t, handle)->outline)
            free((void *)row_of(at(t, handle)));
        free_outlines(t, at(t, handle)->left);
    }
}

void topset_fini(struct topset *t)
{
    topset_settle(t);
    if (t->outline_bytes)
        free_outlines(t, t->root);
    slab_fini(&t->slab);
    VEC_FREE(t->dead);
}

size_t topset_bytes(const struct topset *t)
{
    return slab_bytes(&t->slab) + t->outline_bytes + t->dead.cap * sizeof *t->dead.v;
}

/* ------------------------------------------------------------ adding and removing */

static void update_total(struct topset *t, struct node *n)
{
    n->total = n->weight + total(t, n->left) + total(t, n->right);
}

/* Splits a subtree by a row that isn't in it. */
static void split(struct topset *t, uint32_t handle, const struct probe *p, uint32_t *left,
                  uint32_t *right)
{
    if (!handle) {
        *left = *right = 0;
        return;
    }
    struct node *n = at(t, handle);
    if (cmp_node(t, p, n) < 0) {
        *right = handle;
        split(t, n->left, p, left, &n->left);
    } else {
        *left = handle;
        split(t, n->right, p, &n->right, right);
    }
    update_total(t, n);
}

/* One tree of two, all of whose rows are in order. */
static uint32_t merge(struct topset *t, uint32_t left, uint32_t right)
{
    if (!left || !right)
        return left ? left : right;
    struct node *l = at(t, left), *r = at(t, right);
    if (l->priority >= r->priority) {
        l->right = merge(t, l->right, right);
        update_total(t, l);
        return left;
    }
    r->left = merge(t, left, r->left);
    update_total(t, r);
    return right;
}

static void add_to_node(struct topset *t, uint32_t *link, int64_t weight)
{
    uint32_t handle = *link;
    struct node *n = at(t, handle);
    n->weight += weight;
    n->total += weight;
    assert(n->weight >= 0);
    if (n->weight)
        return;
    *link = merge(t, n->left, n->right);
    t->nrows--;
    VEC_PUSH(t->dead, handle);
}

int64_t topset_add(struct topset *t, const uint8_t *row, int64_t weight, const uint8_t **kept,
                   struct arena *scratch)
{
    struct probe p = {row, abbrev_of(t, row, scratch),
                      (uint32_t)(hash_bytes(row, row_len(t->layout, row)) >> 32)};
    uint32_t *link = &t->root;
    int64_t rank = 0;
    while (*link) {
        struct node *n = at(t, *link);
        if (n->priority < p.priority)
            break;
        int c = cmp_node(t, &p, n);
        if (c == 0) {
            rank += total(t, n->left);
            *kept = row_of(n);
            add_to_node(t, link, weight);
            return rank;
        }
        n->total += weight;
        if (c > 0)
            rank += total(t, n->left) + n->weight;
        link = c < 0 ? &n->left : &n->right;
    }
    assert(weight > 0);
    uint32_t handle = node_new(t, &p, weight);
    struct node *n = at(t, handle);
    split(t, *link, &p, &n->left, &n->right);
    update_total(t, n);
    *link = handle;
    *kept = row_of(n);
    return rank + total(t, n->left);
}

/* ------------------------------------------------------------ ranks */

struct range {
    int64_t from, to; /* ranks in the whole tree */
    topset_fn *fn;
    void *arg;
};

static bool visit(const struct topset *t, uint32_t handle, int64_t before, const struct range *r)
{
    if (!handle || before >= r->to || before + at(t, handle)->total <= r->from)
        return true;
    const struct node *n = at(t, handle);
    int64_t start = before + total(t, n->left), end = start + n->weight;
    if (!visit(t, n->left, before, r))
        return false;
    int64_t lo = start > r->from ? start : r->from, hi = end < r->to ? end : r->to;
    if (lo < hi && !r->fn(r->arg, row_of(n), hi - lo))
        return false;
    return visit(t, n->right, end, r);
}

void topset_range(const struct topset *t, int64_t from, int64_t to, topset_fn *fn, void *arg)
{
    struct range r = {from, to, fn, arg};
    if (from < to)
        visit(t, t->root, 0, &r);
}
