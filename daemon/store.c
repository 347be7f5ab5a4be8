/*
 * store: see store.h. Rows lie in a slab; a hash table of (hash, handle) pairs finds them.
 *
 * The table is open addressing with linear probing on the hash's upper bits, so that a table twice
 * as large is filled by one pass in order, without a look at any row. Growth is spread out: the old
 * table stays, read-only but for tombstones, and every change moves a few of its pairs over. A pair
 * is in exactly one of the two.
 *
 * The hash in a pair is 32 bits; rows are compared only when all of them agree.
 */
#include "daemon/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/rowslab.h"
#include "engine/base/hash.h"

#define MIN_BITS   6
#define TOMB       UINT32_MAX /* a handle never gets there */
#define MOVE_BATCH 16         /* pairs of the old table moved at each change */

struct pair {
    uint32_t hash;
    uint32_t handle; /* 0 = empty */
};

struct table {
    struct pair *v; /* owned; NULL: no table */
    uint32_t bits;  /* 2^bits pairs */
    uint64_t n;     /* in use */
};

struct store {
    struct leaf_layout *leaf; /* counted */
    struct table cur, old;    /* old: being moved over to cur */
    uint64_t moved;           /* pairs of old below this index are done with */
    struct rowslab slab;
    uint32_t prefix; /* bytes before a row in its slot: without a key the count of copies */
    uint64_t rows;   /* copies counted */
};

static uint64_t table_size(const struct table *t)
{
    return t->v ? 1ULL << t->bits : 0;
}

static void table_init(struct table *t, uint32_t bits)
{
    t->bits = bits;
    t->n = 0;
    t->v = xcalloc(1ULL << bits, sizeof *t->v);
}

static uint64_t table_home(const struct table *t, uint32_t hash)
{
    return hash >> (32 - t->bits);
}

struct store *store_new(struct leaf_layout *leaf)
{
    struct store *s = NEW(struct store);
    s->leaf = leaf;
    s->prefix = leaf->nkey ? 0 : sizeof(uint64_t);
    rowslab_init(&s->slab, leaf->layout->nvar ? 0 : s->prefix + leaf->layout->ends_offset);
    table_init(&s->cur, MIN_BITS);
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    free(s->cur.v);
    free(s->old.v);
    rowslab_fini(&s->slab);
    leaf_layout_unref(s->leaf);
    free(s);
}

struct leaf_layout *store_leaf(const struct store *s)
{
    return s->leaf;
}

/* The bytes of an identity column; its place is fixed by the layout unless it is of variable width.
 */
static const uint8_t *key_bytes(const struct layout *l, const uint8_t *row, uint32_t col,
                                uint32_t *len)
{
    const struct layout_column *c = &l->cols[col];
    switch (c->ct.type->rep) {
    case REP_BOOL: *len = 1; break;
    case REP_INT32:
    case REP_FLOAT32: *len = 4; break;
    case REP_INT64:
    case REP_FLOAT64: *len = 8; break;
    case REP_FIXED16: *len = 16; break;
    case REP_BYTES: {
        const uint8_t *ends = row + l->ends_offset;
        uint32_t start = c->offset ? row_u32(ends + 4 * (c->offset - 1)) : 0;
        *len = row_u32(ends + 4 * c->offset) - start;
        return row + l->var_offset + start;
    }
    }
    return row + c->offset;
}

static uint32_t hash_row(const struct store *s, const uint8_t *row)
{
    const struct leaf_layout *leaf = s->leaf;
    if (!leaf->nkey)
        return (uint32_t)(hash_bytes(row, row_len(leaf->layout, row)) >> 32);
    uint64_t h = 0;
    for (uint32_t i = 0; i < leaf->nkey; i++) {
        uint32_t len;
        const uint8_t *p = key_bytes(leaf->layout, row, leaf->key[i], &len);
        uint64_t v = 0;
        if (len <= sizeof v)
            memcpy(&v, p, len);
        else
            v = hash_bytes(p, len);
        h = hash_mix(h, v + len);
    }
    /* The mixed value's upper half is the better one. */
    return (uint32_t)(hash_mix(h, leaf->nkey) >> 32);
}

static bool same_identity(const struct store *s, const uint8_t *a, const uint8_t *b)
{
    const struct leaf_layout *leaf = s->leaf;
    const struct layout *l = leaf->layout;
    if (!leaf->nkey) {
        uint32_t len = row_len(l, a);
        return row_len(l, b) == len && memcmp(a, b, len) == 0;
    }
    for (uint32_t i = 0; i < leaf->nkey; i++) {
        uint32_t alen, blen;
        const uint8_t *ap = key_bytes(l, a, leaf->key[i], &alen);
        const uint8_t *bp = key_bytes(l, b, leaf->key[i], &blen);
        if (alen != blen || memcmp(ap, bp, alen) != 0)
            return false;
    }
    return true;
}

static struct pair *probe(const struct store *s, const struct table *t, uint32_t hash,
                          const uint8_t *key_row)
{
    if (!t->v)
        return NULL;
    uint64_t mask = table_size(t) - 1;
    for (uint64_t i = table_home(t, hash);; i = (i + 1) & mask) {
        struct pair *p = &t->v[i];
        if (!p->handle)
            return NULL;
        if (p->hash == hash && p->handle != TOMB &&
            same_identity(s, rowslab_get(&s->slab, p->handle) + s->prefix, key_row))
            return p;
    }
}

static void table_add(struct table *t, struct pair p)
{
    uint64_t mask = table_size(t) - 1, i = table_home(t, p.hash);
    while (t->v[i].handle)
        i = (i + 1) & mask;
    t->v[i] = p;
    t->n++;
}

/* Moves some pairs of the old table over; the last ones free it. */
static void move_some(struct store *s, uint64_t batch)
{
    if (!s->old.v)
        return;
    uint64_t size = table_size(&s->old);
    uint64_t end = size - s->moved < batch ? size : s->moved + batch;
    for (; s->moved < end; s->moved++) {
        struct pair *p = &s->old.v[s->moved];
        if (!p->handle || p->handle == TOMB)
            continue;
        table_add(&s->cur, *p);
        p->handle = TOMB;
        s->old.n--;
    }
    if (s->moved == size) {
        free(s->old.v);
        memset(&s->old, 0, sizeof s->old);
    }
}

/* Makes room for one more pair: at three quarters full the table is replaced by one of twice the
 * size. */
static void make_room(struct store *s)
{
    move_some(s, MOVE_BATCH);
    if (s->cur.n + s->old.n < table_size(&s->cur) / 4 * 3)
        return;
    move_some(s, UINT64_MAX); /* does nothing, by the pace of the batches */
    s->old = s->cur;
    s->moved = 0;
    table_init(&s->cur, s->old.bits + 1);
}

/* Linear probing without tombstones: pairs that were pushed past the gap move back into it. */
static void close_gap(struct table *t, struct pair *gap)
{
    uint64_t mask = table_size(t) - 1, hole = (uint64_t)(gap - t->v);
    for (uint64_t i = (hole + 1) & mask; t->v[i].handle; i = (i + 1) & mask) {
        uint64_t home = table_home(t, t->v[i].hash);
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        t->v[hole] = t->v[i];
        hole = i;
    }
    t->v[hole].handle = 0;
    t->n--;
}

static struct pair *find_pair(const struct store *s, const uint8_t *key_row, uint32_t *hash,
                              bool *in_old)
{
    *hash = hash_row(s, key_row);
    *in_old = false;
    struct pair *p = probe(s, &s->cur, *hash, key_row);
    if (!p && s->old.v) {
        p = probe(s, &s->old, *hash, key_row);
        *in_old = p != NULL;
    }
    return p;
}

const uint8_t *store_find(const struct store *s, const uint8_t *key_row)
{
    uint32_t hash;
    bool in_old;
    struct pair *p = find_pair(s, key_row, &hash, &in_old);
    return p ? rowslab_get(&s->slab, p->handle) + s->prefix : NULL;
}

static void add_copies(const struct store *s, struct pair *p, int64_t n, uint64_t *left)
{
    uint8_t *slot = rowslab_get(&s->slab, p->handle);
    memcpy(left, slot, sizeof *left);
    *left += (uint64_t)n;
    memcpy(slot, left, sizeof *left);
}

bool store_insert(struct store *s, const uint8_t *row)
{
    uint32_t hash;
    bool in_old;
    struct pair *p = find_pair(s, row, &hash, &in_old);
    uint64_t copies = 1;
    if (p) {
        if (s->leaf->nkey)
            return false;
        add_copies(s, p, 1, &copies);
        s->rows++;
        return true;
    }
    make_room(s);
    uint32_t len = row_len(s->leaf->layout, row), handle;
    uint8_t *slot = rowslab_alloc(&s->slab, s->prefix + len, &handle);
    memcpy(slot, &copies, s->prefix);
    memcpy(slot + s->prefix, row, len);
    table_add(&s->cur, (struct pair){.hash = hash, .handle = handle});
    s->rows++;
    return true;
}

bool store_delete(struct store *s, const uint8_t *key_row)
{
    uint32_t hash;
    bool in_old;
    struct pair *p = find_pair(s, key_row, &hash, &in_old);
    if (!p)
        return false;
    s->rows--;
    uint64_t left = 0;
    if (s->prefix)
        add_copies(s, p, -1, &left);
    if (left)
        return true;
    uint8_t *row = rowslab_get(&s->slab, p->handle) + s->prefix;
    rowslab_free(&s->slab, p->handle, s->prefix + row_len(s->leaf->layout, row));
    if (in_old) {
        p->handle = TOMB;
        s->old.n--;
    } else {
        close_gap(&s->cur, p);
    }
    move_some(s, MOVE_BATCH);
    return true;
}

bool store_replace(struct store *s, const uint8_t *old, const uint8_t *new)
{
    const struct layout *l = s->leaf->layout;
    uint32_t hash, len = row_len(l, new);
    bool in_old;
    if (s->leaf->nkey && row_len(l, old) == len && same_identity(s, old, new)) {
        struct pair *p = find_pair(s, old, &hash, &in_old);
        if (p)
            memcpy(rowslab_get(&s->slab, p->handle), new, len);
        return p != NULL;
    }
    return store_delete(s, old) && store_insert(s, new);
}

void store_clear(struct store *s)
{
    free(s->cur.v);
    free(s->old.v);
    memset(&s->old, 0, sizeof s->old);
    table_init(&s->cur, MIN_BITS);
    rowslab_fini(&s->slab);
    s->rows = 0;
}

uint64_t store_rows(const struct store *s)
{
    return s->rows;
}

uint64_t store_bytes(const struct store *s)
{
    return sizeof *s + s->slab.bytes + s->slab.chunks.cap * sizeof *s->slab.chunks.v +
           (table_size(&s->cur) + table_size(&s->old)) * sizeof(struct pair);
}

const uint8_t *store_next(const struct store *s, uint64_t *cursor, int64_t *copies)
{
    const uint8_t *slot = rowslab_next(&s->slab, cursor);
    if (!slot)
        return NULL;
    *copies = 1;
    memcpy(copies, slot, s->prefix);
    return slot + s->prefix;
}
