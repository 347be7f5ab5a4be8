/*
 * errset: see errset.h. Entries are few (one per distinct message), their texts of any length up to
 * those of struct err, so each is one malloc of what it needs.
 */
#include "engine/op/errset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/hash.h"

struct errset_entry {
    int64_t weight; /* never 0 */
    uint32_t hash;
    char sqlstate[6];
    uint32_t message_len, hint_len, detail_len; /* without NUL */
    char text[];                                /* message, hint, detail, each with its NUL */
};

void errset_init(struct errset *s)
{
    memset(s, 0, sizeof *s);
    htab_init(&s->table);
}

void errset_fini(struct errset *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        free(s->entry[i]);
    free(s->entry);
    htab_fini(&s->table);
}

static uint32_t hash_of(const struct err *err)
{
    uint64_t h = hash_bytes(err->sqlstate, strlen(err->sqlstate));
    h = hash_mix(h, hash_bytes(err->message, strlen(err->message)));
    return (uint32_t)(hash_mix(h, hash_bytes(err->detail, strlen(err->detail))) >> 32);
}

static const char *entry_hint(const struct errset_entry *e)
{
    return e->text + e->message_len + 1;
}

static const char *entry_detail(const struct errset_entry *e)
{
    return entry_hint(e) + e->hint_len + 1;
}

static bool is_same(const struct errset_entry *e, const struct err *err)
{
    return strcmp(e->sqlstate, err->sqlstate) == 0 && strcmp(e->text, err->message) == 0 &&
           strcmp(entry_detail(e), err->detail) == 0;
}

static size_t entry_size(const struct errset_entry *e)
{
    return sizeof *e + e->message_len + e->hint_len + e->detail_len + 3;
}

static struct errset_entry *entry_new(const struct err *err, uint32_t hash, int64_t weight)
{
    struct errset_entry head = {.weight = weight, .hash = hash};
    head.message_len = (uint32_t)strlen(err->message);
    head.hint_len = (uint32_t)strlen(err->hint);
    head.detail_len = (uint32_t)strlen(err->detail);
    memcpy(head.sqlstate, err->sqlstate, sizeof head.sqlstate);
    struct errset_entry *e = xmalloc(entry_size(&head));
    memcpy(e, &head, sizeof head);
    memcpy(e->text, err->message, e->message_len + 1);
    memcpy(e->text + e->message_len + 1, err->hint, e->hint_len + 1);
    memcpy(e->text + e->message_len + e->hint_len + 2, err->detail, e->detail_len + 1);
    return e;
}

static uint32_t find_index(const struct errset *s, uint32_t hash, uint32_t index, struct hpos *at)
{
    uint32_t i = htab_first(&s->table, hash, at);
    while (i && i != index)
        i = htab_next(at);
    assert(i);
    return i;
}

/* The last one takes its place. */
static void entry_remove(struct errset *s, uint32_t index, const struct hpos *at)
{
    struct errset_entry *e = s->entry[index - 1], *last = s->entry[s->n - 1];
    struct hpos moved;
    htab_remove(&s->table, at);
    if (index != s->n) {
        find_index(s, last->hash, s->n, &moved);
        htab_set(&moved, index);
        s->entry[index - 1] = last;
    }
    s->n--;
    s->bytes -= entry_size(e);
    free(e);
}

void errset_add(struct errset *s, const struct err *err, int64_t weight)
{
    struct hpos at;
    uint32_t hash = hash_of(err), i = htab_first(&s->table, hash, &at);
    while (i && !is_same(s->entry[i - 1], err))
        i = htab_next(&at);
    if (i) {
        s->negative -= s->entry[i - 1]->weight < 0;
        s->entry[i - 1]->weight += weight;
        s->negative += s->entry[i - 1]->weight < 0;
        if (!s->entry[i - 1]->weight)
            entry_remove(s, i, &at);
        return;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->entry = xrealloc(s->entry, s->cap * sizeof(struct errset_entry *));
    }
    s->negative += weight < 0;
    s->entry[s->n++] = entry_new(err, hash, weight);
    s->bytes += entry_size(s->entry[s->n - 1]);
    htab_insert(&s->table, hash, s->n);
}

const struct err *errset_first(struct errset *s)
{
    if (!s->n)
        return NULL;
    const struct errset_entry *e = s->entry[0];
    err_clear(&s->shown);
    memcpy(s->shown.sqlstate, e->sqlstate, sizeof e->sqlstate);
    memcpy(s->shown.message, e->text, e->message_len + 1);
    memcpy(s->shown.hint, entry_hint(e), e->hint_len + 1);
    memcpy(s->shown.detail, entry_detail(e), e->detail_len + 1);
    return &s->shown;
}
