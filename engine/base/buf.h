/*
 * buf: a growing byte buffer, for lines, messages and encoded rows.
 *
 * Owned by whoever embeds it; buf_fini() frees. The content is not NUL-terminated unless buf_cstr()
 * is called. Whoever fills a buffer with foreign data bounds it first; a large one grows by
 * xrealloc_data(), see alloc.h. Threads: one at a time.
 */
#ifndef PALIMPSEST_BASE_BUF_H
#define PALIMPSEST_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    char *data; /* owned */
    size_t len;
    size_t cap;
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);
/* Makes room for `more` bytes after len and returns where they go; len is unchanged. */
char *buf_reserve(struct buf *b, size_t more);
/* Hands the bytes over to the caller, who frees them; the buffer is empty afterwards. */
char *buf_take(struct buf *b, size_t *len);
/* Terminates with NUL (not counted in len) and returns the start. */
const char *buf_cstr(struct buf *b);

static inline void buf_reset(struct buf *b)
{
    b->len = 0;
}

static inline void buf_add(struct buf *b, const void *p, size_t len)
{
    if (b->cap - b->len < len)
        buf_reserve(b, len);
    if (len)
        memcpy(b->data + b->len, p, len);
    b->len += len;
}

static inline void buf_addc(struct buf *b, char c)
{
    if (b->cap == b->len)
        buf_reserve(b, 1);
    b->data[b->len++] = c;
}

void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list ap);
void buf_add_i64(struct buf *b, int64_t v); /* decimal */
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);

#endif
