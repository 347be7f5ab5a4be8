/*
 * topset: see topset.h.
 *
 * Rows, their order, and the ways through the tree; its nodes are in topset_node.c.
 */
#include "engine/arrange/topset_tiny.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/arrange/abbrev.h"
#include "engine/base/alloc.h"
#include "engine/base/copy.h"

#define INLINE_MAX 512

/* What a row is looked up by. */
struct probe {
    const uint8_t *row;
    uint64_t abbrev;
};

int64_t topset_total(const struct topset *t)
{
    return t->total;
}

/* ------------------------------------------------------------ records: a flag byte and the row */

static size_t record_size(uint32_t len)
{
    return 1 + (len > INLINE_MAX ? sizeof(void *) : len);
}

static uint32_t record_new(struct topset *t, const uint8_t *row)
{
    uint32_t len = row_len(t->layout, row), handle = slab_alloc(&t->records, record_size(len));
    uint8_t *record = slab_at(&t->records, handle);
    record[0] = len > INLINE_MAX;
    if (len > INLINE_MAX) {
        uint8_t *copy = xmalloc_data(len);
        memcpy(copy, row, len);
        memcpy(record + 1, &copy, sizeof copy);
        t->outline_bytes += len;
    } else {
        copy_short(record + 1, row, len);
    }
    return handle;
}

static void record_free(struct topset *t, uint32_t handle)
{
    const uint8_t *row = topset_record_row(t, handle);
    uint32_t len = row_len(t->layout, row);
    if (len > INLINE_MAX) {
        free((void *)row);
        t->outline_bytes -= len;
    }
    slab_free(&t->records, handle, record_size(len));
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

/* Equal bytes are the common case: it is how a row is found again. */

int topset_cmp(const struct topset *t, const uint8_t *a, const uint8_t *b)
{
    int bytes = a == b ? 0 : cmp_bytes(t->layout, a, b);
    int c = bytes ? topset_cmp_keys(t, a, b) : 0;
    return c ? c : bytes;
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

/* How many entries of the node have an abbreviation below x. In two strides, without a branch, and
 * with few loads that wait for another. */
static uint32_t count_below(const struct node *n, uint64_t x)
{
    const uint64_t *a = n->abbrev;
    uint32_t eights = (uint32_t)(a[7] < x) + (a[15] < x) + (a[23] < x);
    a += 8 * eights;
    return 8 * eights + (a[0] < x) + (a[1] < x) + (a[2] < x) + (a[3] < x) + (a[4] < x) +
           (a[5] < x) + (a[6] < x) + (a[7] < x);
}
_Static_assert(FAN == 32, "count_below() takes four strides of eight");

/* How many entries come before the row, or are it (*equal). Rows are compared only where the
 * abbreviations tie. */
static uint32_t search(const struct topset *t, const struct node *n, const struct probe *p,
                       bool *equal)
{
    uint32_t lo = count_below(n, p->abbrev), hi = lo;
    *equal = false;
    while (hi < n->n && n->abbrev[hi] == p->abbrev)
        hi++;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        int c = topset_cmp(t, topset_record_row(t, n->record[mid]), p->row);
        if (c == 0) {
            *equal = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

void topset_init(struct topset *t, const struct layout *l, const struct sort_key *keys,
                 size_t nkeys)
{
    memset(t, 0, sizeof *t);
    t->layout = l;
    t->keys = keys;
    t->nkeys = nkeys;
    slab_init(&t->records, 2, 1 + INLINE_MAX);
    slab_init(&t->nodes, 3, sizeof(struct node));
}

void topset_settle(struct topset *t)
{
    if (!t->dead.n)
        return;
    for (size_t i = 0; i < t->dead.n; i++)
        record_free(t, t->dead.v[i]);
    t->dead.n = 0;
    if (!t->nrows) {
        slab_trim(&t->records);
        slab_trim(&t->nodes);
    }
}

static bool free_outline(void *arg, const uint8_t *row, int64_t count)
{
    const struct topset *t = arg;
    (void)count;
    if (row_len(t->layout, row) > INLINE_MAX)
        free((void *)row);
    return true;
}

void topset_forget(struct topset *t)
{
    if (t->outline_bytes)
        topset_range(t, 0, t->total, free_outline, t);
    t->root = t->height = 0;
    t->total = 0;
}

void topset_fini(struct topset *t)
{
    topset_settle(t);
    topset_forget(t);
    slab_fini(&t->records);
    slab_fini(&t->nodes);
    VEC_FREE(t->dead);
}

size_t topset_bytes(const struct topset *t)
{
    return slab_bytes(&t->records) + slab_bytes(&t->nodes) + t->outline_bytes +
           t->dead.cap * sizeof *t->dead.v;
}

/* ------------------------------------------------------------ adding */

static const uint8_t *insert(struct topset *t, struct path *p, const struct probe *probe,
                             int64_t weight)
{
    uint32_t record = record_new(t, probe->row);
    path_make_room(t, p);
    struct node *leaf = p->node[0];
    uint32_t at = p->at[0];
    node_open_gap(leaf, at, true);
    leaf->abbrev[at] = probe->abbrev;
    leaf->record[at] = record;
    leaf->weight[at] = weight;
    t->nrows++;
    for (uint32_t level = 1; level <= t->height; level++)
        p->node[level]->weight[p->at[level]] += weight;
    if (at == 0)
        path_fix_first(p, 0, t->height);
    return topset_record_row(t, record);
}

/* ------------------------------------------------------------ removing */

static void remove_row(struct topset *t, struct path *p)
{
    struct node *leaf = p->node[0];
    VEC_PUSH(t->dead, leaf->record[p->at[0]]);
    node_close_gap(leaf, p->at[0], true);
    t->nrows--;
    if (p->at[0] == 0 && leaf->n)
        path_fix_first(p, 0, t->height);
    path_shrink(t, p);
}

/* ------------------------------------------------------------ the way in */

/* Fills in the path to the row or to where it belongs; returns its rank, see topset_add(). No entry
 * weighs less than 1: behind as many as are missing to the bound nothing need be summed up. */
static int64_t descend(const struct topset *t, const struct probe *probe, struct path *p,
                       int64_t bound, bool *found)
{
    uint32_t handle = t->root;
    int64_t rank = 0;
    for (uint32_t level = t->height;; level--) {
        struct node *n = node_at(t, handle);
        uint32_t at = search(t, n, probe, found);
        if (level && !*found && at)
            at--; /* the last child whose first row isn't behind the row */
        p->node[level] = n;
        p->handle[level] = handle;
        p->at[level] = at;
        rank += rank + at < bound ? weight_before(n, at) : at;
        if (!level)
            return rank;
        handle = n->child[at];
    }
}

/* ------------------------------------------------------------ few rows */

static void grow_tree(struct topset *t, struct arena *scratch)
{
    const struct tiny *y = tiny_at(t);
    uint64_t abbrevs[TINY_MAX];
    for (uint32_t i = 0; i < y->n; i++)
        abbrevs[i] = abbrev_of(t, topset_record_row(t, y->e[i].record), scratch);
    tiny_to_tree(t, abbrevs);
}

/* As topset_add(), but false where the rows have become too many: then there is a tree. */
static bool add_tiny(struct topset *t, const uint8_t *row, int64_t weight, const uint8_t **kept,
                     struct arena *scratch, int64_t *rank)
{
    bool found;
    if (!t->root)
        tiny_begin(t);
    uint32_t at = tiny_find(t, row, &found);
    if (!found && tiny_at(t)->n == TINY_MAX) {
        grow_tree(t, scratch);
        return false;
    }
    *rank = TOPSET_BROKEN;
    if (found ? tiny_at(t)->e[at].weight + weight < 0 : weight <= 0)
        return true;
    *rank = tiny_rank(t, at);
    t->total += weight;
    if (!found) {
        uint32_t record = record_new(t, row);
        tiny_insert(t, at, record, weight);
        t->nrows++;
        *kept = topset_record_row(t, record);
        return true;
    }
    struct tiny_entry *e = &tiny_at(t)->e[at];
    e->weight += weight;
    *kept = topset_record_row(t, e->record);
    if (!e->weight) {
        VEC_PUSH(t->dead, e->record);
        t->nrows--;
        tiny_remove(t, at);
    }
    return true;
}

static bool is_tiny(const struct topset *t)
{
    return t->root && t->height == TINY_HEIGHT;
}

int64_t topset_rank(const struct topset *t, const uint8_t *row, int64_t *weight,
                    struct arena *scratch)
{
    if (is_tiny(t)) {
        bool is_there;
        uint32_t at = tiny_find(t, row, &is_there);
        *weight = is_there ? tiny_at(t)->e[at].weight : 0;
        return tiny_rank(t, at);
    }
    struct probe probe = {row, abbrev_of(t, row, scratch)};
    struct path p;
    bool found = false;
    int64_t rank = t->root ? descend(t, &probe, &p, INT64_MAX, &found) : 0;
    *weight = found ? p.node[0]->weight[p.at[0]] : 0;
    return rank;
}

int64_t topset_add(struct topset *t, const uint8_t *row, int64_t weight, int64_t bound,
                   const uint8_t **kept, struct arena *scratch)
{
    int64_t rank_there;
    if (t->tiny && (!t->root || is_tiny(t)) && add_tiny(t, row, weight, kept, scratch, &rank_there))
        return rank_there;
    struct probe probe = {row, abbrev_of(t, row, scratch)};
    struct path p;
    bool found;
    if (!t->root)
        t->root = node_new(t, true);
    int64_t rank = descend(t, &probe, &p, bound, &found);
    if (found ? p.node[0]->weight[p.at[0]] + weight < 0 : weight <= 0)
        return TOPSET_BROKEN;
    t->total += weight;
    if (!found) {
        *kept = insert(t, &p, &probe, weight);
        return rank;
    }
    for (uint32_t level = 0; level <= t->height; level++)
        p.node[level]->weight[p.at[level]] += weight;
    *kept = topset_record_row(t, p.node[0]->record[p.at[0]]);
    if (p.node[0]->weight[p.at[0]] == 0)
        remove_row(t, &p);
    return rank;
}

/* ------------------------------------------------------------ ranks */

struct range {
    int64_t from, to; /* ranks in the whole tree */
    topset_fn *fn;
    void *arg;
};

static bool visit(const struct topset *t, uint32_t handle, uint32_t level, int64_t start,
                  const struct range *r)
{
    const struct node *n = node_at(t, handle);
    for (uint32_t i = 0; i < n->n && start < r->to; i++) {
        int64_t end = start + n->weight[i];
        int64_t lo = start > r->from ? start : r->from, hi = end < r->to ? end : r->to;
        bool go_on = true;
        if (lo < hi && level)
            go_on = visit(t, n->child[i], level - 1, start, r);
        else if (lo < hi)
            go_on = r->fn(r->arg, topset_record_row(t, n->record[i]), hi - lo);
        if (!go_on)
            return false;
        start = end;
    }
    return true;
}

void topset_range(const struct topset *t, int64_t from, int64_t to, topset_fn *fn, void *arg)
{
    struct range r = {from, to, fn, arg};
    if (from < to && is_tiny(t))
        tiny_range(t, from, to, fn, arg);
    else if (from < to && t->root)
        visit(t, t->root, t->height, 0, &r);
}
