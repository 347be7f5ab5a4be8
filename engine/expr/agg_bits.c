/*
 * agg_bits: bit_and, bit_or, bit_xor of smallint, integer, bigint.
 *
 * A bit of the conjunction is set if it is in all values, of the disjunction if it is in any: so
 * how many values have each bit is what must be known after a retraction. The counts (64 of them,
 * for any width: negative values are extended) are allocated with the first value. xor is its own
 * inverse: only the parity of a weight counts.
 */
#include "engine/expr/agg_classes.h"

#include <stdlib.h>

#include "engine/base/alloc.h"

#define BITS 64

struct bits {
    int64_t n;
    int64_t *ones; /* BITS counts, owned; NULL before the first value */
};

static void bits_add(const struct agg_spec *spec, void *state, const struct value *args,
                     int64_t weight)
{
    struct bits *s = state;
    (void)spec;
    if (!s->ones)
        s->ones = xcalloc(BITS, sizeof *s->ones);
    s->n += weight;
    for (int i = 0; i < BITS; i++)
        if ((uint64_t)args[0].i >> i & 1)
            s->ones[i] += weight;
}

/* The word of the bits that at least `least` values have. */
static struct value bits_word(const struct bits *s, int64_t least)
{
    uint64_t word = 0;
    for (int i = 0; i < BITS; i++)
        if (s->ones[i] >= least)
            word |= (uint64_t)1 << i;
    return value_int((int64_t)word);
}

static bool bits_and_result(const struct agg_spec *spec, const void *state, struct arena *a,
                            struct value *out, struct err *err)
{
    const struct bits *s = state;
    (void)spec, (void)a, (void)err;
    *out = s->n > 0 ? bits_word(s, s->n) : value_null();
    return true;
}

static bool bits_or_result(const struct agg_spec *spec, const void *state, struct arena *a,
                           struct value *out, struct err *err)
{
    const struct bits *s = state;
    (void)spec, (void)a, (void)err;
    *out = s->n > 0 ? bits_word(s, 1) : value_null();
    return true;
}

static void bits_fini(const struct agg_spec *spec, void *state)
{
    struct bits *s = state;
    (void)spec;
    free(s->ones);
}

static size_t bits_bytes(const struct agg_spec *spec, const void *state)
{
    const struct bits *s = state;
    (void)spec;
    return s->ones ? BITS * sizeof *s->ones : 0;
}

const struct agg_class agg_bit_and = {
    .name = "bit_and",
    .state_size = sizeof(struct bits),
    .strict = true,
    .add = bits_add,
    .result = bits_and_result,
    .fini = bits_fini,
    .bytes = bits_bytes,
};

const struct agg_class agg_bit_or = {
    .name = "bit_or",
    .state_size = sizeof(struct bits),
    .strict = true,
    .add = bits_add,
    .result = bits_or_result,
    .fini = bits_fini,
    .bytes = bits_bytes,
};

struct xor_state {
    int64_t n;
    int64_t word;
};

static void xor_add(const struct agg_spec *spec, void *state, const struct value *args,
                    int64_t weight)
{
    struct xor_state *s = state;
    (void)spec;
    s->n += weight;
    if (weight & 1)
        s->word ^= args[0].i;
}

static bool xor_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    const struct xor_state *s = state;
    (void)spec, (void)a, (void)err;
    *out = s->n > 0 ? value_int(s->word) : value_null();
    return true;
}

const struct agg_class agg_bit_xor = {
    .name = "bit_xor",
    .state_size = sizeof(struct xor_state),
    .strict = true,
    .add = xor_add,
    .result = xor_result,
};
