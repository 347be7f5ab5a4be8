/*
 * topset_node: see topset_node.h.
 */
#include "engine/arrange/topset_node.h"

#include <assert.h>

#define FEW    (FAN / 4)     /* a node with fewer entries looks for a neighbour to join */
#define JOINED (FAN * 3 / 4) /* but not to more than this */

static size_t node_size(bool is_leaf)
{
    return is_leaf ? offsetof(struct node, child) : sizeof(struct node);
}

uint32_t node_new(struct topset *t, bool is_leaf)
{
    uint32_t handle = slab_alloc(&t->nodes, node_size(is_leaf));
    struct node *n = node_at(t, handle);
    n->n = 0;
    memset(n->abbrev, 0xff, sizeof n->abbrev);
    return handle;
}

static void move_entries(struct node *to, uint32_t at, struct node *from, uint32_t first,
                         uint32_t n, bool is_leaf)
{
    memmove(to->abbrev + at, from->abbrev + first, n * sizeof *to->abbrev);
    memmove(to->record + at, from->record + first, n * sizeof *to->record);
    memmove(to->weight + at, from->weight + first, n * sizeof *to->weight);
    if (!is_leaf)
        memmove(to->child + at, from->child + first, n * sizeof *to->child);
}

void node_open_gap(struct node *n, uint32_t at, bool is_leaf)
{
    move_entries(n, at + 1, n, at, n->n - at, is_leaf);
    n->n++;
}

void node_close_gap(struct node *n, uint32_t at, bool is_leaf)
{
    move_entries(n, at, n, at + 1, n->n - at - 1, is_leaf);
    n->abbrev[--n->n] = UINT64_MAX;
}

/* Moves all entries from `keep` on into another node, behind those it has. */
static void move_tail(struct node *from, uint32_t keep, struct node *to, bool is_leaf)
{
    move_entries(to, to->n, from, keep, from->n - keep, is_leaf);
    to->n += from->n - keep;
    for (uint32_t i = keep; i < from->n; i++)
        from->abbrev[i] = UINT64_MAX;
    from->n = keep;
}

/* The entry of a parent that stands for this child. */
static void set_entry(struct node *parent, uint32_t at, const struct node *child)
{
    parent->abbrev[at] = child->abbrev[0];
    parent->record[at] = child->record[0];
    parent->weight[at] = weight_before(child, child->n);
}

void path_fix_first(struct path *p, uint32_t level, uint32_t height)
{
    for (; level < height; level++) {
        struct node *parent = p->node[level + 1];
        uint32_t at = p->at[level + 1];
        parent->abbrev[at] = p->node[level]->abbrev[0];
        parent->record[at] = p->node[level]->record[0];
        if (at)
            return;
    }
}

/* ------------------------------------------------------------ splitting */

/* Splits the full node at a level in two. The path follows the entry it pointed at; what is above
 * has room. */
static void split(struct topset *t, struct path *p, uint32_t level)
{
    struct node *left = p->node[level], *parent = p->node[level + 1];
    uint32_t handle = node_new(t, level == 0), at = p->at[level + 1];
    struct node *right = node_at(t, handle);
    move_tail(left, FAN / 2, right, level == 0);
    node_open_gap(parent, at + 1, false);
    set_entry(parent, at, left);
    set_entry(parent, at + 1, right);
    parent->child[at + 1] = handle;
    if (p->at[level] > FAN / 2 || (level && p->at[level] == FAN / 2)) {
        p->at[level] -= FAN / 2;
        p->at[level + 1]++;
        p->node[level] = right;
        p->handle[level] = handle;
    }
}

static void grow_root(struct topset *t, struct path *p)
{
    uint32_t handle = node_new(t, false);
    struct node *root = node_at(t, handle);
    assert(t->height < MAX_HEIGHT);
    root->n = 1;
    root->child[0] = t->root;
    set_entry(root, 0, node_at(t, t->root));
    t->root = handle;
    t->height++;
    p->node[t->height] = root;
    p->handle[t->height] = handle;
    p->at[t->height] = 0;
}

void path_make_room(struct topset *t, struct path *p)
{
    uint32_t level = 0;
    while (level <= t->height && p->node[level]->n == FAN)
        level++;
    if (level > t->height)
        grow_root(t, p);
    while (level-- > 0)
        split(t, p, level);
}

/* ------------------------------------------------------------ joining */

/* Joins the node with its right neighbour under the same parent, or its left with it, if both have
 * few entries. The path isn't kept up to date below the parent. */
static void join_neighbour(struct topset *t, struct path *p, uint32_t level)
{
    struct node *parent = p->node[level + 1];
    uint32_t at = p->at[level + 1];
    if (at + 1 == parent->n)
        at--;
    struct node *left = node_at(t, parent->child[at]), *right = node_at(t, parent->child[at + 1]);
    if (left->n + right->n > JOINED)
        return;
    move_tail(right, 0, left, level == 0);
    slab_free(&t->nodes, parent->child[at + 1], node_size(level == 0));
    node_close_gap(parent, at + 1, false);
    set_entry(parent, at, left);
}

/* The node at this level has lost an entry. */
static void shrink(struct topset *t, struct path *p, uint32_t level)
{
    struct node *n = p->node[level];
    if (level == t->height) {
        if (n->n == 0) {
            slab_free(&t->nodes, t->root, node_size(level == 0));
            t->root = t->height = 0;
        }
        return;
    }
    struct node *parent = p->node[level + 1];
    uint32_t before = parent->n;
    if (n->n == 0) {
        slab_free(&t->nodes, p->handle[level], node_size(level == 0));
        node_close_gap(parent, p->at[level + 1], false);
        if (parent->n && p->at[level + 1] == 0)
            path_fix_first(p, level + 1, t->height);
    } else if (n->n < FEW && parent->n > 1) {
        join_neighbour(t, p, level);
    }
    if (parent->n < before)
        shrink(t, p, level + 1);
}

/* A root with one child is one level too many. */
static void lower_root(struct topset *t)
{
    while (t->height && node_at(t, t->root)->n == 1) {
        uint32_t child = node_at(t, t->root)->child[0];
        slab_free(&t->nodes, t->root, node_size(false));
        t->root = child;
        t->height--;
    }
}

void path_shrink(struct topset *t, struct path *p)
{
    shrink(t, p, 0);
    lower_root(t);
}
