/*
 * input: a fuzzer's bytes as decisions, and what a target says when a law doesn't hold.
 *
 * Every target is one file with LLVMFuzzerTestOneInput(). Those that read bytes take them as they
 * are; those that do things at random (streams, expressions, queues) take each decision from the
 * front of the input, so that small changes of the bytes are small changes of what is done. An
 * empty input decides 0, for ever.
 */
#ifndef TESTS_FUZZERS_INPUT_H
#define TESTS_FUZZERS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Optional, before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct input {
    const uint8_t *p, *end;
};

static inline bool in_more(const struct input *in)
{
    return in->p < in->end;
}

static inline uint8_t in_byte(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

/* 0 to n - 1. */
static inline uint32_t in_below(struct input *in, uint32_t n)
{
    uint32_t v = in_byte(in);
    if (n > 256)
        v = v << 8 | in_byte(in);
    return v % n;
}

static inline uint64_t in_u64(struct input *in)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | in_byte(in);
    return v;
}

/* Up to max bytes, as many as the next byte says; borrowed. */
static inline const uint8_t *in_bytes(struct input *in, size_t max, size_t *len)
{
    size_t n = in_byte(in), left = (size_t)(in->end - in->p);
    const uint8_t *p = in->p;
    n = n < max ? n : max;
    *len = n < left ? n : left;
    in->p += *len;
    return p;
}

/* A copy of exactly that size, so that AddressSanitizer sees a step beyond its end. */
static inline char *exact_copy(const void *p, size_t len)
{
    char *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len)
        memcpy(copy, p, len);
    return copy;
}

/* A law that holds whatever the input is; must_say() tells more when it doesn't. */
#define must_say(condition, ...)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
#define must(condition) must_say(condition, "%s", "")

#endif
