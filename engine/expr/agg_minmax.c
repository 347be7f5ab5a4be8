/*
 * agg_minmax: min(x) and max(x), from an ordered multiset of the group's values (ordset.h).
 *
 * Not linear: after the least value is retracted the next one must be known, so all are kept.
 * State: 24 bytes for up to one distinct fixed-width value, from there about 24 bytes a value.
 * Of values that compare equal but print differently (1.0, 1.00) Postgres answers the one it met
 * last; here it is the first by its bytes for min and the last for max.
 *
 * "single", the value of a scalar subquery's one row, is kept the same way: while there are several
 * nobody reads it, but any of them may be the one that stays.
 */
#include "engine/expr/agg_classes.h"
#include "engine/expr/ordset.h"

static void minmax_add(const struct agg_spec *spec, void *state, const struct value *args,
                       int64_t weight)
{
    struct ordset_type t = ordset_of(&spec->args[0]);
    ordset_add(state, &t, args[0], weight);
}

static bool end_of(const struct agg_spec *spec, const void *state, bool greatest, struct value *out)
{
    struct ordset_type t = ordset_of(&spec->args[0]);
    if (!ordset_first(state, &t, greatest, out))
        *out = value_null();
    return true;
}

static bool min_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    (void)a, (void)err;
    return end_of(spec, state, false, out);
}

static bool max_result(const struct agg_spec *spec, const void *state, struct arena *a,
                       struct value *out, struct err *err)
{
    (void)a, (void)err;
    return end_of(spec, state, true, out);
}

static void minmax_fini(const struct agg_spec *spec, void *state)
{
    ordset_fini(state, rep_is_blob(spec->args[0].type->rep));
}

static size_t minmax_bytes(const struct agg_spec *spec, const void *state)
{
    return ordset_bytes(state, rep_is_blob(spec->args[0].type->rep));
}

#define MINMAX(cname, result_fn)                                                                   \
    {                                                                                              \
        .name = cname, .state_size = sizeof(struct ordset), .strict = true, .add = minmax_add,     \
        .result = result_fn, .fini = minmax_fini, .bytes = minmax_bytes,                           \
    }

const struct agg_class agg_min = MINMAX("min", min_result);
const struct agg_class agg_max = MINMAX("max", max_result);
const struct agg_class agg_single_class = MINMAX("single", min_result);
