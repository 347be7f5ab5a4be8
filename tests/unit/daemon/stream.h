/*
 * stream: a walsender in miniature for unit tests: writes pgoutput messages and feeds them to an
 * ingest. Rows are given as one string, fields parted by '|': "7|text", NULL as "~", unchanged
 * TOAST as "^".
 */
#ifndef PALIMPSEST_TEST_DAEMON_STREAM_H
#define PALIMPSEST_TEST_DAEMON_STREAM_H

#include <check.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ingest.h"

static inline void put8(struct buf *b, uint8_t v)
{
    buf_addc(b, (char)v);
}

static inline void put16(struct buf *b, uint16_t v)
{
    v = htobe16(v);
    buf_add(b, &v, sizeof v);
}

static inline void put32(struct buf *b, uint32_t v)
{
    v = htobe32(v);
    buf_add(b, &v, sizeof v);
}

static inline void put64(struct buf *b, uint64_t v)
{
    v = htobe64(v);
    buf_add(b, &v, sizeof v);
}

static inline void put_tuple(struct buf *b, char kind, const char *row)
{
    uint16_t n = 1;
    for (const char *p = row; *p; p++)
        n += *p == '|';
    put8(b, (uint8_t)kind);
    put16(b, n);
    for (const char *p = row;; p++) {
        const char *end = strchrnul(p, '|');
        if (end - p == 1 && *p == '~') {
            put8(b, 'n');
        } else if (end - p == 1 && *p == '^') {
            put8(b, 'u');
        } else {
            put8(b, 't');
            put32(b, (uint32_t)(end - p));
            buf_add(b, p, (size_t)(end - p));
        }
        if (!*end)
            return;
        p = end;
    }
}

/* Hands the message over and empties the buffer. */
static inline void send_msg(struct ingest *ing, struct buf *b)
{
    struct err err = {0};
    ck_assert_msg(ingest_message(ing, b->data, b->len, &err), "%s", err.message);
    buf_fini(b);
    buf_init(b);
}

static inline void send_begin(struct ingest *ing, uint32_t xid)
{
    struct buf b = {0};
    put8(&b, 'B');
    put64(&b, 0);
    put64(&b, 0);
    put32(&b, xid);
    send_msg(ing, &b);
}

static inline void send_commit(struct ingest *ing, lsn_t end)
{
    struct buf b = {0};
    put8(&b, 'C');
    put8(&b, 0);
    put64(&b, end - 8);
    put64(&b, end);
    put64(&b, 0);
    send_msg(ing, &b);
}

/* cols: "id:20:1,n:23:0": name, type, whether it is part of the identity. */
static inline void send_relation(struct ingest *ing, uint32_t relid, char replident,
                                 const char *cols)
{
    struct buf b = {0};
    uint16_t n = 1;
    for (const char *p = cols; *p; p++)
        n += *p == ',';
    put8(&b, 'R');
    put32(&b, relid);
    buf_add(&b, "public\0t", 9);
    put8(&b, (uint8_t)replident);
    put16(&b, n);
    for (const char *p = cols; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        char name[64];
        unsigned type, key;
        ck_assert_int_eq(sscanf(p, "%63[^:]:%u:%u", name, &type, &key), 3);
        put8(&b, (uint8_t)key);
        buf_add(&b, name, strlen(name) + 1);
        put32(&b, type);
        put32(&b, UINT32_MAX);
    }
    send_msg(ing, &b);
}

static inline void send_insert(struct ingest *ing, uint32_t relid, const char *row)
{
    struct buf b = {0};
    put8(&b, 'I');
    put32(&b, relid);
    put_tuple(&b, 'N', row);
    send_msg(ing, &b);
}

/* kind: 'K', 'O', or 0 for an UPDATE that doesn't say. */
static inline void send_update(struct ingest *ing, uint32_t relid, char kind, const char *old,
                               const char *row)
{
    struct buf b = {0};
    put8(&b, 'U');
    put32(&b, relid);
    if (kind)
        put_tuple(&b, kind, old);
    put_tuple(&b, 'N', row);
    send_msg(ing, &b);
}

static inline void send_delete(struct ingest *ing, uint32_t relid, char kind, const char *old)
{
    struct buf b = {0};
    put8(&b, 'D');
    put32(&b, relid);
    put_tuple(&b, kind, old);
    send_msg(ing, &b);
}

static inline void send_truncate(struct ingest *ing, uint32_t relid)
{
    struct buf b = {0};
    put8(&b, 'T');
    put32(&b, 1);
    put8(&b, 0);
    put32(&b, relid);
    send_msg(ing, &b);
}

/* A leaf layout of columns given as "id:20:1,…" as above; typmod -1. */
static inline struct leaf_layout *make_layout(uint32_t relid, char replident, const char *cols)
{
    struct leaf_layout *l = NEW(struct leaf_layout);
    struct column_type ct[16];
    atomic_init(&l->refs, 1);
    l->relid = relid;
    l->replident = replident;
    l->names = xcalloc(16, sizeof *l->names);
    l->key = xcalloc(16, sizeof *l->key);
    for (const char *p = cols; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        char name[64];
        unsigned type, key;
        ck_assert_int_eq(sscanf(p, "%63[^:]:%u:%u", name, &type, &key), 3);
        ct[l->ncols] = (struct column_type){.type = type_native(type), .typmod = -1};
        l->names[l->ncols] = xstrdup(name);
        if (key && replident != 'f')
            l->key[l->nkey++] = l->ncols;
        l->ncols++;
    }
    l->layout = layout_new(ct, l->ncols);
    return l;
}

/* Puts a row, given as its fields' text, into the store. */
static inline void store_put(struct store *s, const char *row)
{
    const struct layout *l = store_leaf(s)->layout;
    struct value v[16];
    struct arena a;
    struct err err;
    const uint8_t *packed;
    arena_init(&a);
    for (uint32_t i = 0; i < l->ncols; i++) {
        const char *end = strchrnul(row, '|');
        if (end - row == 1 && *row == '~')
            v[i] = value_null();
        else
            ck_assert(value_parse(l->cols[i].ct.type, row, (size_t)(end - row), &a, &v[i], &err));
        row = *end ? end + 1 : end;
    }
    ck_assert(row_pack(l, v, &a, &packed, &err));
    ck_assert(store_insert(s, packed));
    arena_fini(&a);
}

static inline void print_row(const struct layout *l, const uint8_t *row, struct buf *b)
{
    for (uint32_t i = 0; i < l->ncols; i++) {
        if (i)
            buf_addc(b, '|');
        if (row_is_null(row, i))
            buf_addc(b, '~');
        else
            value_print(l->cols[i].ct.type, row_get(l, row, i), b);
    }
}

static inline int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts lines and joins them with a blank; frees them. */
static inline char *join_sorted(char **lines, size_t n)
{
    static char out[65536];
    size_t len = 0;
    out[0] = '\0';
    if (n)
        qsort(lines, n, sizeof *lines, compare_strings);
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%s", i ? " " : "", lines[i]);
        free(lines[i]);
    }
    return out;
}

/* The store's rows in order: "1|a 2|b"; "x3" behind one that is there three times. */
static inline char *show_store(const struct store *s)
{
    VEC(char *) lines = {0};
    uint64_t cursor = 0;
    int64_t copies;
    const uint8_t *row;
    if (!s)
        return strcpy(join_sorted(NULL, 0), "-");
    while ((row = store_next(s, &cursor, &copies))) {
        struct buf b = {0};
        print_row(store_leaf(s)->layout, row, &b);
        if (copies != 1)
            buf_addf(&b, "x%lld", (long long)copies);
        buf_cstr(&b);
        VEC_PUSH(lines, b.data);
    }
    char *out = join_sorted(lines.v, lines.n);
    VEC_FREE(lines);
    return out;
}

/* A step's changes of all leaves in the order they were made: "+1|a -2|b". */
static inline char *show_step(const struct step *s)
{
    static char out[65536];
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; s && i < s->fragments.n; i++) {
        const struct fragment *f = &s->fragments.v[i];
        for (size_t j = 0; j < f->changes.n; j++) {
            struct buf b = {0};
            print_row(f->leaf->layout, f->changes.v[j].row, &b);
            len += (size_t)snprintf(out + len, sizeof out - len, "%s%+lld:%s", len ? " " : "",
                                    (long long)f->changes.v[j].weight, buf_cstr(&b));
            buf_fini(&b);
        }
    }
    return out;
}

/* The leaf of this OID, made known to the ingest with rows of the layout. */
static inline struct leaf *add_leaf(struct ingest *ing, struct leaf_layout *layout)
{
    struct leafmap_entry *e = leafmap_get(&ing->map, layout->relid);
    e->leaf = leaf_new(layout->relid);
    e->leaf->users = 1;
    e->leaf->layout = leaf_layout_ref(layout);
    e->leaf->store = store_new(layout);
    return e->leaf;
}

#endif
