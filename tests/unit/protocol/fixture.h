/*
 * fixture: captured bytes, one message a line in hexadecimal, and noise made of them. For the tests
 * of the decoders; data/capture.sql says where the bytes come from.
 */
#ifndef PALIMPSEST_TEST_PROTOCOL_FIXTURE_H
#define PALIMPSEST_TEST_PROTOCOL_FIXTURE_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/buf.h"

#define FIXTURES "tests/unit/protocol/data/"

/* The bytes of the next line of a .hex file; false at its end. */
static inline bool fixture_next(FILE *f, struct buf *out)
{
    unsigned byte;
    int c = ' ';
    buf_reset(out);
    while (fscanf(f, "%2x", &byte) == 1) {
        buf_addc(out, (char)byte);
        c = getc(f);
        if (c == '\n' || c == EOF)
            return true;
        ungetc(c, f);
    }
    return false;
}

static inline FILE *fixture_open(const char *path)
{
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s: run this from the top of the source tree", path);
    return f;
}

static inline void fixture_read(const char *path, struct buf *out)
{
    FILE *f = fixture_open(path);
    int c;
    while ((c = getc(f)) != EOF)
        buf_addc(out, (char)c);
    fclose(f);
}

/* Seeds random() from $SEED or the clock, and says which. */
static inline void fixture_seed(void)
{
    const char *s = getenv("SEED");
    unsigned seed = s ? (unsigned)strtoul(s, NULL, 10) : (unsigned)time(NULL);
    fprintf(stderr, "SEED=%u\n", seed);
    srandom(seed);
}

/* A copy of the bytes, changed at random, in a block of exactly its length, so that a sanitizer
 * sees a read beyond it. The caller frees it. */
static inline char *fixture_mutate(const struct buf *in, size_t *len)
{
    static const unsigned char edges[] = {0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF, 'n', 't', 'u', 'N', 'K'};
    size_t n = in->len;
    if (random() % 3 == 0)
        n = (size_t)random() % (n + 1);
    if (random() % 8 == 0)
        n += (size_t)random() % 9;
    char *p = calloc(n ? n : 1, 1);
    memcpy(p, in->data, n < in->len ? n : in->len);
    for (long k = random() % 5; n && k > 0; k--) {
        size_t at = (size_t)random() % (random() % 2 && n > 16 ? 16 : n);
        p[at] = random() % 2 ? (char)edges[(size_t)random() % sizeof edges] : (char)random();
    }
    if (n != 0)
        p = realloc(p, n);
    *len = n;
    return p;
}

#endif
