/*
 * memo: see memo.h.
 */
#include "engine/expr/memo.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/hash.h"

void memo_init(struct memo *m, size_t max_bytes)
{
    memset(m, 0, sizeof *m);
    m->max_bytes = max_bytes;
}

static size_t entry_bytes(const struct memo_entry *e)
{
    return sizeof *e + e->key_len + e->data_bytes + sizeof e;
}

static void free_entry(struct memo_entry *e)
{
    if (e)
        free(e->data);
    free(e);
}

static void generation_fini(struct memo_generation *g)
{
    for (uint32_t i = 0; i < g->n; i++)
        free_entry(g->entry[i]);
    free(g->entry);
    htab_fini(&g->table);
    memset(g, 0, sizeof *g);
}

void memo_fini(struct memo *m)
{
    generation_fini(&m->young);
    generation_fini(&m->old);
}

static struct memo_entry *find(const struct memo_generation *g, uint32_t hash, const void *key,
                               size_t len, struct hpos *at)
{
    for (uint32_t i = htab_first(&g->table, hash, at); i; i = htab_next(at)) {
        struct memo_entry *e = g->entry[i - 1];
        if (e->key_len == len && memcmp(e->key, key, len) == 0)
            return e;
    }
    return NULL;
}

static void insert(struct memo_generation *g, struct memo_entry *e)
{
    if (g->n == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 64;
        g->entry = xrealloc(g->entry, g->cap * sizeof(struct memo_entry *));
    }
    g->entry[g->n++] = e;
    g->bytes += entry_bytes(e);
    htab_insert(&g->table, e->hash, g->n);
}

static void take_out(struct memo_generation *g, struct memo_entry *e, const struct hpos *at)
{
    g->entry[at->seg->slots[at->slot].handle - 1] = NULL;
    htab_remove(&g->table, at);
    g->bytes -= entry_bytes(e);
}

struct memo_entry *memo_get(struct memo *m, const void *key, size_t len, bool *is_new)
{
    uint32_t hash = (uint32_t)(hash_bytes(key, len) >> 32);
    struct hpos at;
    struct memo_entry *e = find(&m->young, hash, key, len, &at);
    *is_new = false;
    if (e)
        return e;
    e = find(&m->old, hash, key, len, &at);
    if (e) {
        take_out(&m->old, e, &at);
    } else {
        *is_new = true;
        e = xcalloc(1, sizeof *e + len);
        e->hash = hash;
        e->key_len = (uint32_t)len;
        memcpy(e->key, key, len);
    }
    insert(&m->young, e);
    return e;
}

void memo_drop(struct memo *m, struct memo_entry *e)
{
    struct hpos at;
    struct memo_generation *g = &m->young;
    if (find(g, e->hash, e->key, e->key_len, &at) != e) {
        g = &m->old;
        struct memo_entry *found = find(g, e->hash, e->key, e->key_len, &at);
        assert(found == e);
        (void)found;
    }
    take_out(g, e, &at);
    free_entry(e);
}

/* Entries get their outcome in the generation they were made in: nothing is rotated in between. */
static void set_data(struct memo *m, struct memo_entry *e, const void *p, size_t len)
{
    assert(e->state == MEMO_ASKED);
    e->data = xmalloc(len ? len : 1);
    if (len)
        memcpy(e->data, p, len);
    e->data_bytes = len;
    m->young.bytes += len;
}

void memo_set_value(struct memo *m, struct memo_entry *e, const struct type *t, struct value v)
{
    if (!v.null && (t->rep == REP_BYTES || t->rep == REP_FIXED16)) {
        set_data(m, e, v.p, v.len);
        v.p = e->data;
    }
    e->value = v;
    e->state = MEMO_VALUE;
}

/* SQLSTATE, message, hint and detail, each with its NUL. */
void memo_set_error(struct memo *m, struct memo_entry *e, const struct err *err)
{
    const char *const texts[] = {err->sqlstate, err->message, err->hint, err->detail};
    struct buf b = {0};
    for (int i = 0; i < 4; i++)
        buf_add(&b, texts[i], strlen(texts[i]) + 1);
    set_data(m, e, b.data, b.len);
    buf_fini(&b);
    e->state = MEMO_ERROR;
}

void memo_get_error(const struct memo_entry *e, struct err *err)
{
    const char *state = e->data, *message = state + strlen(state) + 1;
    const char *hint = message + strlen(message) + 1, *detail = hint + strlen(hint) + 1;
    err_set(err, state, "%s", message);
    if (*hint)
        err_hint(err, "%s", hint);
    if (*detail)
        err_detail(err, "%s", detail);
}

void memo_rotate(struct memo *m)
{
    if (m->young.bytes <= m->max_bytes / 2)
        return;
    generation_fini(&m->old);
    m->old = m->young;
    memset(&m->young, 0, sizeof m->young);
}

size_t memo_bytes(const struct memo *m)
{
    return m->young.bytes + m->old.bytes + m->young.table.bytes + m->old.table.bytes;
}
