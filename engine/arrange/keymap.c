/*
 * keymap: see keymap.h. A record is [payload][1 byte: is the row out of line][row or pointer to it].
 */
#include "engine/arrange/keymap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/copy.h"

#define INLINE_MAX 512

void keymap_init(struct keymap *m, const struct column_type *cts, size_t n, size_t payload)
{
    memset(m, 0, sizeof *m);
    m->layout = layout_new(cts, n);
    m->spec = keyspec_new_whole(m->layout);
    m->vals = xcalloc(n, sizeof *m->vals);
    m->payload = (payload + 15) & ~(size_t)15;
    slab_init(&m->slab, 4, m->payload + 1 + INLINE_MAX);
    htab_init(&m->table);
}

static size_t record_size(const struct keymap *m, uint32_t len)
{
    return m->payload + 1 + (len > INLINE_MAX ? sizeof(void *) : len);
}

static void free_outline(void *arg, uint32_t handle)
{
    struct keymap *m = arg;
    const uint8_t *row = keymap_row(m, handle);
    if (row_len(m->layout, row) > INLINE_MAX)
        free((void *)row);
}

void keymap_fini(struct keymap *m)
{
    keymap_settle(m);
    if (m->outline_bytes)
        htab_each(&m->table, free_outline, m);
    slab_fini(&m->slab);
    htab_fini(&m->table);
    VEC_FREE(m->dead);
    keyspec_free(m->spec);
    layout_unref(m->layout);
    free(m->vals);
}

uint32_t keymap_find(const struct keymap *m, uint32_t hash, const struct value *vals)
{
    struct hpos at;
    uint32_t h = htab_first(&m->table, hash, &at);
    while (h && !keyspec_matches(m->spec, keymap_row(m, h), vals, NULL))
        h = htab_next(&at);
    return h;
}

static bool same_row(const struct keymap *m, uint32_t handle, const uint8_t *row, uint32_t len)
{
    const uint8_t *own = keymap_row(m, handle);
    return row_len(m->layout, own) == len && (len == 0 || memcmp(own, row, len) == 0);
}

uint32_t keymap_find_row(const struct keymap *m, uint32_t hash, const uint8_t *row, uint32_t len)
{
    struct hpos at;
    uint32_t h = htab_first(&m->table, hash, &at);
    while (h && !same_row(m, h, row, len))
        h = htab_next(&at);
    return h;
}

uint32_t keymap_insert(struct keymap *m, uint32_t hash, const uint8_t *row)
{
    uint32_t len = row_len(m->layout, row);
    uint32_t handle = slab_alloc(&m->slab, record_size(m, len));
    uint8_t *record = slab_at(&m->slab, handle);
    memset(record, 0, m->payload + 1);
    if (len > INLINE_MAX) {
        uint8_t *copy = xmalloc_data(len);
        memcpy(copy, row, len);
        record[m->payload] = 1;
        memcpy(record + m->payload + 1, &copy, sizeof copy);
        m->outline_bytes += len;
    } else {
        copy_short(record + m->payload + 1, row, len);
    }
    htab_insert(&m->table, hash, handle);
    return handle;
}

static uint32_t hash_of(const struct keymap *m, uint32_t handle)
{
    bool has_null;
    const uint8_t *row = keymap_row(m, handle);
    for (uint32_t i = 0; i < m->layout->ncols; i++)
        m->vals[i] = row_get(m->layout, row, i);
    return keyspec_hash(m->spec, m->vals, &has_null);
}

void keymap_remove(struct keymap *m, uint32_t handle)
{
    struct hpos at;
    uint32_t h = htab_first(&m->table, hash_of(m, handle), &at);
    while (h && h != handle)
        h = htab_next(&at);
    assert(h == handle);
    htab_remove(&m->table, &at);
    VEC_PUSH(m->dead, handle);
}

static void record_free(struct keymap *m, uint32_t handle)
{
    const uint8_t *row = keymap_row(m, handle);
    uint32_t len = row_len(m->layout, row);
    if (len > INLINE_MAX) {
        free((void *)row);
        m->outline_bytes -= len;
    }
    slab_free(&m->slab, handle, record_size(m, len));
}

void keymap_settle(struct keymap *m)
{
    if (!m->dead.n)
        return;
    for (size_t i = 0; i < m->dead.n; i++)
        record_free(m, m->dead.v[i]);
    m->dead.n = 0;
    if (!m->table.count)
        slab_trim(&m->slab);
}

size_t keymap_bytes(const struct keymap *m)
{
    return slab_bytes(&m->slab) + m->table.bytes + m->outline_bytes +
           m->dead.cap * sizeof *m->dead.v;
}
