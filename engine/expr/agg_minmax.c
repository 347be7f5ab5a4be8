/*
 * agg_minmax: min(x) and max(x), from an ordered multiset of the group's values (ordset.h).
 *
 * Not linear: after the least value is retracted the next one must be known, so all are kept.
 * State: 24 bytes for up to one distinct fixed-width value, from there about 24 bytes a value.
 * Of values that compare equal but print differently (1.0, 1.00) Postgres answers the one it met
 * last; here it is the first by its bytes for min and the last for max.
 */
#include "engine/expr/agg_classes.h"
#include "engine/expr/ordset.h"

static void fixed_add(const struct agg_spec *spec, void *state, const struct value *args,
                      int64_t weight)
{
    ordset_add(state, &spec->args[0], false, args[0], weight);
}

static void blob_add(const struct agg_spec *spec, void *state, const struct value *args,
                     int64_t weight)
{
    ordset_add(state, &spec->args[0], true, args[0], weight);
}

#define DEFINE_RESULT(name, blobs, greatest)                                                       \
    static bool name(const struct agg_spec *spec, const void *state, struct arena *a,              \
                     struct value *out, struct err *err)                                           \
    {                                                                                              \
        (void)a, (void)err;                                                                        \
        if (!ordset_first(state, &spec->args[0], blobs, greatest, out))                            \
            *out = value_null();                                                                   \
        return true;                                                                               \
    }

DEFINE_RESULT(min_result, false, false)
DEFINE_RESULT(max_result, false, true)
DEFINE_RESULT(min_blob_result, true, false)
DEFINE_RESULT(max_blob_result, true, true)

static void fixed_fini(void *state)
{
    ordset_fini(state, false);
}

static void blob_fini(void *state)
{
    ordset_fini(state, true);
}

static size_t fixed_bytes(const void *state)
{
    return ordset_bytes(state, false);
}

static size_t blob_bytes(const void *state)
{
    return ordset_bytes(state, true);
}

#define MINMAX(cname, add_fn, result_fn, fini_fn, bytes_fn)                                        \
    {                                                                                              \
        .name = cname, .state_size = sizeof(struct ordset), .strict = true, .add = add_fn,         \
        .result = result_fn, .fini = fini_fn, .bytes = bytes_fn,                                   \
    }

const struct agg_class agg_min = MINMAX("min", fixed_add, min_result, fixed_fini, fixed_bytes);
const struct agg_class agg_max = MINMAX("max", fixed_add, max_result, fixed_fini, fixed_bytes);
const struct agg_class agg_min_blob =
    MINMAX("min", blob_add, min_blob_result, blob_fini, blob_bytes);
const struct agg_class agg_max_blob =
    MINMAX("max", blob_add, max_blob_result, blob_fini, blob_bytes);
