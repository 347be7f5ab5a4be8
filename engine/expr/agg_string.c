/*
 * agg_string: string_agg(value, delimiter) of text and of bytea.
 *
 * Law: the values that aren't NULL, in order, each but the first with its own row's delimiter before
 * it (a NULL one is none); NULL of no values.
 * Traps: of two rows with the same value the delimiter belongs to the order too. A bytea
 *           may be its hex text form: what follows the first one comes without its \x.
 */
#include "engine/expr/agg_classes.h"
#include "engine/expr/agg_rows.h"

static void string_add(const struct agg_spec *spec, void *state, const struct value *args,
                       int64_t weight)
{
    if (!args[0].null)
        rows_add(spec, state, args, weight);
}

struct joining {
    struct buf *b;
    uint32_t skip; /* of every value's text, but for the first one's */
    bool any;
};

static void add_text(struct joining *j, struct value v)
{
    uint32_t skip = j->any ? j->skip : 0;
    if (!v.null && v.len > skip)
        buf_add(j->b, (const char *)v.p + skip, v.len - skip);
}

static bool join_string(void *ctx, const struct value *vals, int64_t weight)
{
    struct joining *j = ctx;
    for (int64_t k = 0; k < weight; k++) {
        if (j->any)
            add_text(j, vals[1]);
        add_text(j, vals[0]);
        j->any = true;
    }
    return true;
}

static bool join(const struct agg_spec *spec, const void *state, rows_visit *fn, uint32_t skip,
                 struct arena *a, struct value *out)
{
    struct buf b;
    struct joining j = {.b = &b, .skip = skip};
    *out = value_null();
    if (ordset_total(state) <= 0)
        return true;
    buf_init(&b);
    rows_each(spec, state, fn, &j);
    *out = value_bytes(b.len ? arena_memdup(a, b.data, b.len) : "", b.len);
    buf_fini(&b);
    return true;
}

static bool text_result(const struct agg_spec *spec, const void *state, struct arena *a,
                        struct value *out, struct err *err)
{
    (void)err;
    return join(spec, state, join_string, 0, a, out);
}

static bool bytea_result(const struct agg_spec *spec, const void *state, struct arena *a,
                         struct value *out, struct err *err)
{
    (void)err;
    return join(spec, state, join_string, spec->result.type->kind == TYPE_OPAQUE ? 2 : 0, a, out);
}

#define STRING_CLASS(cname, result_fn)                                                             \
    {                                                                                              \
        .name = cname, .state_size = sizeof(struct ordset), .ordered = true, .add = string_add,    \
        .result = result_fn, .fini = rows_fini, .bytes = rows_bytes,                               \
    }

const struct agg_class agg_string = STRING_CLASS("string_agg", text_result);
const struct agg_class agg_string_bytea = STRING_CLASS("string_agg", bytea_result);
