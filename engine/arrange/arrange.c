/*
 * arrange: see arrange.h.
 *
 * The first entry of a list keeps the number of its entries where the others keep `prev`, so that
 * the hash table needs eight bytes a key and no record of its own:
 *
 *     keys[hash] ──▶ first ──next──▶ entry ──next──▶ entry
 *                    HEAD|MANY?|n ◀──prev── entry ◀──prev──
 *
 * A key with more than LIST_MAX entries has all of them in the table `rows` as well (flag MANY), and
 * leaves it again when it shrinks to LIST_MIN. New entries go behind the first, so that the first,
 * and with it the slot in `keys`, seldom changes.
 */
#include "engine/arrange/arrange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"

#define LIST_MAX   8
#define LIST_MIN   4
#define HEAD       ARRANGE_TOP
#define MANY       0x40000000u
#define COUNT      0x3fffffffu
#define INLINE_MAX 512 /* longer rows are malloc'ed */

#define WEIGHT_WIDE INT16_MIN

void arrange_init(struct arrange *a, const struct keyspec *spec, size_t payload)
{
    memset(a, 0, sizeof *a);
    a->spec = spec;
    a->layout = spec->layout;
    a->payload = (uint32_t)payload;
    slab_init(&a->slab, 2, INLINE_MAX + ARRANGE_DATA + payload);
    htab_init(&a->keys);
    htab_init(&a->rows);
    htab_init(&a->wides);
}

static void free_outline(void *arg, uint32_t handle)
{
    struct arrange *a = arg;
    for (; handle; handle = arrange_next(a, handle))
        if (arrange_at(a, handle)->next & ARRANGE_TOP)
            free((void *)arrange_row(a, handle));
}

void arrange_fini(struct arrange *a)
{
    arrange_settle(a);
    if (a->outline_bytes)
        htab_each(&a->keys, free_outline, a);
    slab_fini(&a->slab);
    htab_fini(&a->keys);
    htab_fini(&a->rows);
    htab_fini(&a->wides);
    VEC_FREE(a->wide);
    VEC_FREE(a->dead);
}

size_t arrange_bytes(const struct arrange *a)
{
    return slab_bytes(&a->slab) + a->keys.bytes + a->rows.bytes + a->wides.bytes +
           a->outline_bytes + a->wide.cap * sizeof *a->wide.v + a->dead.cap * sizeof *a->dead.v;
}

/* ------------------------------------------------------------ weights */

static uint32_t wide_hash(uint32_t handle)
{
    return (uint32_t)(hash_mix(0, handle) >> 32);
}

static uint32_t wide_find(const struct arrange *a, uint32_t handle, struct hpos *at)
{
    for (uint32_t i = htab_first(&a->wides, wide_hash(handle), at); i; i = htab_next(at))
        if (a->wide.v[i - 1].handle == handle)
            return i;
    return 0;
}

int64_t arrange_wide_weight(const struct arrange *a, uint32_t handle)
{
    struct hpos at;
    uint32_t i = wide_find(a, handle, &at);
    assert(i);
    return a->wide.v[i - 1].weight;
}

/* The last of the array takes the place of the removed one. */
static void wide_remove(struct arrange *a, uint32_t handle)
{
    struct hpos at, moved;
    uint32_t i = wide_find(a, handle, &at);
    uint32_t last = (uint32_t)a->wide.n;
    htab_remove(&a->wides, &at);
    if (i != last) {
        bool found = wide_find(a, a->wide.v[last - 1].handle, &moved) == last;
        assert(found);
        if (found)
            htab_set(&moved, i);
        a->wide.v[i - 1] = a->wide.v[last - 1];
    }
    a->wide.n--;
}

static void set_weight(struct arrange *a, uint32_t handle, int64_t weight)
{
    struct arrange_entry *e = arrange_at(a, handle);
    bool narrow = weight > INT16_MIN && weight <= INT16_MAX;
    struct hpos at;
    if (e->weight == WEIGHT_WIDE && narrow) {
        wide_remove(a, handle);
    } else if (e->weight == WEIGHT_WIDE) {
        a->wide.v[wide_find(a, handle, &at) - 1].weight = weight;
    } else if (!narrow) {
        struct arrange_wide w = {handle, weight};
        VEC_PUSH(a->wide, w);
        htab_insert(&a->wides, wide_hash(handle), (uint32_t)a->wide.n);
    }
    e->weight = narrow ? (int16_t)weight : WEIGHT_WIDE;
}

/* ------------------------------------------------------------ entries */

static size_t entry_size(const struct arrange *a, uint32_t len)
{
    return ARRANGE_DATA + a->payload + (len > INLINE_MAX ? sizeof(void *) : len);
}

static uint32_t entry_new(struct arrange *a, const uint8_t *row, uint32_t len, int64_t weight)
{
    uint32_t handle = slab_alloc(&a->slab, entry_size(a, len));
    struct arrange_entry *e = arrange_at(a, handle);
    uint8_t *data = e->data + a->payload;
    memset(e, 0, ARRANGE_DATA + a->payload);
    if (len > INLINE_MAX) {
        uint8_t *copy = xmalloc_data(len);
        memcpy(copy, row, len);
        memcpy(data, &copy, sizeof copy);
        e->next = ARRANGE_TOP;
        a->outline_bytes += len;
    } else if (len) {
        memcpy(data, row, len);
    }
    set_weight(a, handle, weight);
    a->nrows++;
    return handle;
}

static void entry_free(struct arrange *a, uint32_t handle)
{
    const uint8_t *row = arrange_row(a, handle);
    uint32_t len = row_len(a->layout, row);
    if (arrange_at(a, handle)->next & ARRANGE_TOP) {
        free((void *)row);
        a->outline_bytes -= len;
    }
    slab_free(&a->slab, handle, entry_size(a, len));
}

void arrange_settle(struct arrange *a)
{
    if (!a->dead.n)
        return;
    for (size_t i = 0; i < a->dead.n; i++)
        entry_free(a, a->dead.v[i]);
    a->dead.n = 0;
    if (a->dead.cap > 4096) {
        VEC_FREE(a->dead);
        a->dead.v = NULL;
        a->dead.cap = 0;
    }
    if (!a->nrows)
        slab_trim(&a->slab);
}

static void set_next(struct arrange_entry *e, uint32_t next)
{
    e->next = (e->next & ARRANGE_TOP) | next;
}

static uint32_t row_hash(const uint8_t *row, uint32_t len)
{
    return (uint32_t)(hash_bytes(row, len) >> 32);
}

/* ------------------------------------------------------------ the table of rows */

static uint32_t own_hash(const struct arrange *a, uint32_t handle)
{
    const uint8_t *row = arrange_row(a, handle);
    return row_hash(row, row_len(a->layout, row));
}

static void index_row(struct arrange *a, uint32_t handle)
{
    htab_insert(&a->rows, own_hash(a, handle), handle);
}

static void unindex_row(struct arrange *a, uint32_t handle)
{
    struct hpos at;
    uint32_t h = htab_first(&a->rows, own_hash(a, handle), &at);
    while (h && h != handle)
        h = htab_next(&at);
    assert(h == handle);
    htab_remove(&a->rows, &at);
}

static void index_key(struct arrange *a, uint32_t head)
{
    arrange_at(a, head)->prev |= MANY;
    for (uint32_t h = head; h; h = arrange_next(a, h))
        index_row(a, h);
}

static void unindex_key(struct arrange *a, uint32_t head)
{
    arrange_at(a, head)->prev &= ~MANY;
    for (uint32_t h = head; h; h = arrange_next(a, h))
        unindex_row(a, h);
}

/* ------------------------------------------------------------ lists */

static uint32_t find_key(const struct arrange *a, uint32_t hash, const struct value *vals,
                         struct arena *scratch, struct hpos *at)
{
    uint32_t h = htab_first(&a->keys, hash, at);
    while (h && !keyspec_matches(a->spec, arrange_row(a, h), vals, scratch))
        h = htab_next(at);
    return h;
}

uint32_t arrange_find(const struct arrange *a, uint32_t hash, const struct value *vals,
                      struct arena *scratch)
{
    struct hpos at;
    return find_key(a, hash, vals, scratch, &at);
}

static bool is_row(const struct arrange *a, uint32_t handle, const uint8_t *row, uint32_t len)
{
    const uint8_t *own = arrange_row(a, handle);
    if (a->layout->nvar && row_len(a->layout, own) != len)
        return false;
    return len == 0 || memcmp(own, row, len) == 0;
}

static uint32_t find_row(const struct arrange *a, uint32_t head, const uint8_t *row, uint32_t len)
{
    uint32_t h;
    if (arrange_at(a, head)->prev & MANY) {
        struct hpos at;
        h = htab_first(&a->rows, row_hash(row, len), &at);
        while (h && !is_row(a, h, row, len))
            h = htab_next(&at);
        return h;
    }
    for (h = head; h && !is_row(a, h, row, len);)
        h = arrange_next(a, h);
    return h;
}

/* Behind the first of its key. */
static void link_entry(struct arrange *a, uint32_t head, uint32_t handle)
{
    struct arrange_entry *first = arrange_at(a, head), *e = arrange_at(a, handle);
    uint32_t second = first->next & ~ARRANGE_TOP;
    set_next(e, second);
    e->prev = head;
    if (second)
        arrange_at(a, second)->prev = handle;
    set_next(first, handle);
    assert((first->prev & COUNT) < COUNT);
    first->prev++;
    if (first->prev & MANY)
        index_row(a, handle);
    else if ((first->prev & COUNT) > LIST_MAX)
        index_key(a, head);
}

static void unlink_entry(struct arrange *a, uint32_t head, uint32_t handle, const struct hpos *at)
{
    uint32_t state = arrange_at(a, head)->prev, next = arrange_next(a, handle);
    if (state & MANY)
        unindex_row(a, handle);
    if (handle != head) {
        uint32_t prev = arrange_at(a, handle)->prev;
        set_next(arrange_at(a, prev), next);
        if (next)
            arrange_at(a, next)->prev = prev;
    } else if (next) {
        head = next;
        htab_set(at, head);
    } else {
        htab_remove(&a->keys, at);
        return;
    }
    arrange_at(a, head)->prev = state - 1;
    if ((state & MANY) && ((state - 1) & COUNT) <= LIST_MIN)
        unindex_key(a, head);
}

static void remove_entry(struct arrange *a, uint32_t head, uint32_t handle, const struct hpos *at)
{
    unlink_entry(a, head, handle, at);
    if (arrange_at(a, handle)->weight == WEIGHT_WIDE)
        wide_remove(a, handle);
    VEC_PUSH(a->dead, handle);
    a->nrows--;
}

uint32_t arrange_add(struct arrange *a, const uint8_t *row, uint32_t hash, const struct value *vals,
                     int64_t weight, struct arena *scratch)
{
    struct hpos at;
    uint32_t len = row_len(a->layout, row);
    uint32_t head = find_key(a, hash, vals, scratch, &at);
    uint32_t handle = head ? find_row(a, head, row, len) : 0;
    if (handle) {
        int64_t sum = arrange_weight(a, handle) + weight;
        if (sum) {
            set_weight(a, handle, sum);
            return handle;
        }
        remove_entry(a, head, handle, &at);
        return 0;
    }
    handle = entry_new(a, row, len, weight);
    if (head) {
        link_entry(a, head, handle);
    } else {
        arrange_at(a, handle)->prev = HEAD | 1;
        htab_insert(&a->keys, hash, handle);
    }
    return handle;
}
