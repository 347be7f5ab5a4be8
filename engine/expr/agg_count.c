/*
 * agg_count: count(*), count(x), bool_and(x) = every(x), bool_or(x).
 *
 * Counts of rows, of true and of false values: linear as they are. A weight counts as that many
 * rows.
 */
#include "engine/expr/agg_classes.h"

struct count {
    int64_t n;
};

static void count_add(const struct agg_spec *spec, void *state, const struct value *args,
                      int64_t weight)
{
    struct count *s = state;
    (void)spec, (void)args;
    s->n += weight;
}

static bool count_result(const struct agg_spec *spec, const void *state, struct arena *a,
                         struct value *out, struct err *err)
{
    const struct count *s = state;
    (void)spec, (void)a, (void)err;
    *out = value_int(s->n);
    return true;
}

const struct agg_class agg_count_rows = {
    .name = "count(*)",
    .state_size = sizeof(struct count),
    .add = count_add,
    .result = count_result,
};

const struct agg_class agg_count_values = {
    .name = "count",
    .state_size = sizeof(struct count),
    .strict = true,
    .add = count_add,
    .result = count_result,
};

struct bools {
    int64_t n[2]; /* of false, of true */
};

static void bools_add(const struct agg_spec *spec, void *state, const struct value *args,
                      int64_t weight)
{
    struct bools *s = state;
    (void)spec;
    s->n[args[0].i != 0] += weight;
}

static bool and_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    const struct bools *s = state;
    (void)spec, (void)a, (void)err;
    *out = s->n[0] + s->n[1] == 0 ? value_null() : value_bool(s->n[0] == 0);
    return true;
}

static bool or_result(const struct agg_spec *spec, const void *state, struct arena *a,
                      struct value *out, struct err *err)
{
    const struct bools *s = state;
    (void)spec, (void)a, (void)err;
    *out = s->n[0] + s->n[1] == 0 ? value_null() : value_bool(s->n[1] != 0);
    return true;
}

const struct agg_class agg_bool_and = {
    .name = "bool_and",
    .state_size = sizeof(struct bools),
    .strict = true,
    .add = bools_add,
    .result = and_result,
};

const struct agg_class agg_bool_or = {
    .name = "bool_or",
    .state_size = sizeof(struct bools),
    .strict = true,
    .add = bools_add,
    .result = or_result,
};
