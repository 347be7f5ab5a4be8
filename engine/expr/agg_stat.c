/*
 * agg_stat: variance and stddev, of the population and of a sample, of integers and numeric.
 *
 * Law: with n values, their sum S and the sum Q of their squares, var_pop is (nQ - S²) / n²; of a
 * sample the divisor is n(n - 1). All three are linear and exact, so a retraction leaves no trace;
 * the result is rounded once, with Postgres's scales (value/numeric_stat.c).
 *
 * State: of integers the sums lie in place: 128 bits, and 192 for the squares, which no number of
 * bigints that memory can hold overflows; of numeric two exact running sums.
 */
#include "engine/expr/agg_classes.h"
#include "engine/value/numeric.h"

struct int_stat {
    int64_t n;
    uint64_t sum[2];     /* in two's complement, lowest word first */
    uint64_t squares[3]; /* the same */
};

static void add_square(struct int_stat *s, int64_t x, int64_t weight)
{
    uint64_t m = x < 0 ? -(uint64_t)x : (uint64_t)x;
    uint64_t w = weight < 0 ? -(uint64_t)weight : (uint64_t)weight;
    unsigned __int128 square = (unsigned __int128)m * m;
    unsigned __int128 low = (unsigned __int128)(uint64_t)square * w;
    unsigned __int128 high = (square >> 64) * w + (low >> 64);
    uint64_t term[3] = {(uint64_t)low, (uint64_t)high, (uint64_t)(high >> 64)};
    unsigned __int128 carry = 0;
    if (weight < 0) { /* ~term + 1 */
        carry = 1;
        for (int i = 0; i < 3; i++)
            term[i] = ~term[i];
    }
    for (int i = 0; i < 3; i++) {
        carry += (unsigned __int128)s->squares[i] + term[i];
        s->squares[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

static void int_add(const struct agg_spec *spec, void *state, const struct value *args,
                    int64_t weight)
{
    struct int_stat *s = state;
    unsigned __int128 sum = (unsigned __int128)s->sum[1] << 64 | s->sum[0];
    (void)spec;
    s->n += weight;
    sum += (unsigned __int128)((int128_t)args[0].i * weight);
    s->sum[0] = (uint64_t)sum;
    s->sum[1] = (uint64_t)(sum >> 64);
    add_square(s, args[0].i, weight);
}

/* The squares as a numeric: at most 192 bits, in three digits of base 2^64. */
static bool squares_of(const struct int_stat *s, struct arena *a, struct value *out,
                       struct err *err)
{
    struct value base = numeric_from_int128((int128_t)1 << 64, 0, a);
    *out = numeric_from_int64(0, a);
    for (int i = 2; i >= 0; i--)
        if (!numeric_mul(*out, base, a, out, err) ||
            !numeric_add(*out, numeric_from_int128((int128_t)s->squares[i], 0, a), a, out, err))
            return false;
    return true;
}

static bool int_variance(const void *state, bool sample, bool root, struct arena *a,
                         struct value *out, struct err *err)
{
    const struct int_stat *s = state;
    struct value squares;
    *out = value_null();
    if (s->n <= (sample ? 1 : 0))
        return true;
    int128_t sum = (int128_t)((unsigned __int128)s->sum[1] << 64 | s->sum[0]);
    return squares_of(s, a, &squares, err) && numeric_variance(s->n, numeric_from_int128(sum, 0, a),
                                                               squares, sample, root, a, out, err);
}

struct numeric_stat {
    int64_t n;
    int64_t huge;                      /* values whose squares are no numerics any more */
    struct numeric_sum *sum, *squares; /* owned; NULL before the first value */
};

static void numeric_stat_add(const struct agg_spec *spec, void *state, const struct value *args,
                             int64_t weight)
{
    struct numeric_stat *s = state;
    struct arena scratch;
    struct value square;
    struct err err;
    (void)spec;
    if (!s->sum) {
        s->sum = numeric_sum_new();
        s->squares = numeric_sum_new();
    }
    s->n += weight;
    numeric_sum_add(s->sum, args[0], weight);
    if (numeric_is_nan(args[0]) || numeric_is_inf(args[0]))
        return;
    arena_init(&scratch);
    if (numeric_mul(args[0], args[0], &scratch, &square, &err))
        numeric_sum_add(s->squares, square, weight);
    else
        s->huge += weight;
    arena_fini(&scratch);
}

static bool numeric_variance_of(const void *state, bool sample, bool root, struct arena *a,
                                struct value *out, struct err *err)
{
    const struct numeric_stat *s = state;
    struct value sum, squares;
    *out = value_null();
    if (s->n <= (sample ? 1 : 0))
        return true;
    if (s->huge)
        return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "value overflows numeric format");
    return numeric_sum_result(s->sum, a, &sum, err) &&
           numeric_sum_result(s->squares, a, &squares, err) &&
           numeric_variance(s->n, sum, squares, sample, root, a, out, err);
}

static void numeric_stat_fini(const struct agg_spec *spec, void *state)
{
    struct numeric_stat *s = state;
    (void)spec;
    numeric_sum_free(s->sum);
    numeric_sum_free(s->squares);
}

static size_t numeric_stat_bytes(const struct agg_spec *spec, const void *state)
{
    const struct numeric_stat *s = state;
    (void)spec;
    return s->sum ? numeric_sum_bytes(s->sum) + numeric_sum_bytes(s->squares) : 0;
}

#define DEFINE(suffix, sample, root)                                                               \
    static bool int_##suffix(const struct agg_spec *spec, const void *state, struct arena *a,      \
                             struct value *out, struct err *err)                                   \
    {                                                                                              \
        (void)spec;                                                                                \
        return int_variance(state, sample, root, a, out, err);                                     \
    }                                                                                              \
    static bool numeric_##suffix(const struct agg_spec *spec, const void *state, struct arena *a,  \
                                 struct value *out, struct err *err)                               \
    {                                                                                              \
        (void)spec;                                                                                \
        return numeric_variance_of(state, sample, root, a, out, err);                              \
    }                                                                                              \
    const struct agg_class agg_##suffix##_int = {.name = #suffix,                                  \
                                                 .state_size = sizeof(struct int_stat),            \
                                                 .strict = true,                                   \
                                                 .add = int_add,                                   \
                                                 .result = int_##suffix};                          \
    const struct agg_class agg_##suffix##_numeric = {.name = #suffix,                              \
                                                     .state_size = sizeof(struct numeric_stat),    \
                                                     .strict = true,                               \
                                                     .add = numeric_stat_add,                      \
                                                     .result = numeric_##suffix,                   \
                                                     .fini = numeric_stat_fini,                    \
                                                     .bytes = numeric_stat_bytes}

DEFINE(var_pop, false, false);
DEFINE(var_samp, true, false);
DEFINE(stddev_pop, false, true);
DEFINE(stddev_samp, true, true);
