/*
 * agg_sum: sum(x) and avg(x) of the integers and of numeric.
 *
 * Integers: a 128-bit sum and a count in the state, nothing allocated; no sum of bigints that
 * memory could hold overflows it. The words are kept apart since a state is aligned to 8 bytes
 * only. sum(bigint) is a numeric, that of the smaller ones a bigint, an error only if the sum
 * itself is out of range (Postgres also fails on a partial sum, which depends on the order of the
 * rows).
 *
 * numeric: value/numeric's running sum, which is exact and knows the display scales of what is in
 * it.
 */
#include "engine/expr/agg_classes.h"
#include "engine/value/numeric.h"

struct int_sum {
    int64_t n;
    uint64_t low;
    uint64_t high; /* of the sum in two's complement */
};

static void int_add(const struct agg_spec *spec, void *state, const struct value *args,
                    int64_t weight)
{
    struct int_sum *s = state;
    unsigned __int128 sum = (unsigned __int128)s->high << 64 | s->low;
    (void)spec;
    s->n += weight;
    sum += (unsigned __int128)((int128_t)args[0].i * weight);
    s->low = (uint64_t)sum;
    s->high = (uint64_t)(sum >> 64);
}

static int128_t int_total(const struct int_sum *s)
{
    return (int128_t)((unsigned __int128)s->high << 64 | s->low);
}

static bool int_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    const struct int_sum *s = state;
    int128_t total = int_total(s);
    (void)spec, (void)a;
    if (total != (int64_t)total)
        return err_set(err, ERR_NUMERIC_OUT_OF_RANGE, "bigint out of range");
    *out = s->n > 0 ? value_int((int64_t)total) : value_null();
    return true;
}

static bool int8_result(const struct agg_spec *spec, const void *state, struct arena *a,
                        struct value *out, struct err *err)
{
    const struct int_sum *s = state;
    (void)spec, (void)err;
    *out = s->n > 0 ? numeric_from_int128(int_total(s), 0, a) : value_null();
    return true;
}

static bool int_avg_result(const struct agg_spec *spec, const void *state, struct arena *a,
                           struct value *out, struct err *err)
{
    const struct int_sum *s = state;
    (void)spec;
    if (s->n <= 0) {
        *out = value_null();
        return true;
    }
    return numeric_div(numeric_from_int128(int_total(s), 0, a), numeric_from_int64(s->n, a), a, out,
                       err);
}

const struct agg_class agg_sum_int = {
    .name = "sum",
    .state_size = sizeof(struct int_sum),
    .strict = true,
    .add = int_add,
    .result = int_result,
};

const struct agg_class agg_sum_int8 = {
    .name = "sum",
    .state_size = sizeof(struct int_sum),
    .strict = true,
    .add = int_add,
    .result = int8_result,
};

const struct agg_class agg_avg_int = {
    .name = "avg",
    .state_size = sizeof(struct int_sum),
    .strict = true,
    .add = int_add,
    .result = int_avg_result,
};

struct numeric_state {
    int64_t n;
    struct numeric_sum *sum; /* owned; NULL while there are no values */
};

static void numeric_state_add(const struct agg_spec *spec, void *state, const struct value *args,
                              int64_t weight)
{
    struct numeric_state *s = state;
    (void)spec;
    s->n += weight;
    if (!s->sum)
        s->sum = numeric_sum_new();
    numeric_sum_add(s->sum, args[0], weight);
}

static bool numeric_sum_of(const struct agg_spec *spec, const void *state, struct arena *a,
                           struct value *out, struct err *err)
{
    const struct numeric_state *s = state;
    (void)spec;
    *out = value_null();
    return s->n <= 0 || numeric_sum_result(s->sum, a, out, err);
}

static bool numeric_avg_of(const struct agg_spec *spec, const void *state, struct arena *a,
                           struct value *out, struct err *err)
{
    const struct numeric_state *s = state;
    (void)spec;
    *out = value_null();
    return s->n <= 0 || numeric_sum_avg(s->sum, s->n, a, out, err);
}

static void numeric_fini(const struct agg_spec *spec, void *state)
{
    struct numeric_state *s = state;
    (void)spec;
    if (s->sum)
        numeric_sum_free(s->sum);
}

static size_t numeric_bytes(const struct agg_spec *spec, const void *state)
{
    const struct numeric_state *s = state;
    (void)spec;
    return s->sum ? numeric_sum_bytes(s->sum) : 0;
}

const struct agg_class agg_sum_numeric = {
    .name = "sum",
    .state_size = sizeof(struct numeric_state),
    .strict = true,
    .add = numeric_state_add,
    .result = numeric_sum_of,
    .fini = numeric_fini,
    .bytes = numeric_bytes,
};

const struct agg_class agg_avg_numeric = {
    .name = "avg",
    .state_size = sizeof(struct numeric_state),
    .strict = true,
    .add = numeric_state_add,
    .result = numeric_avg_of,
    .fini = numeric_fini,
    .bytes = numeric_bytes,
};
