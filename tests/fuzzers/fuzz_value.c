/*
 * The text forms of values: any bytes, read as one of the types; then a second one, to compare with.
 *
 * Byte 0 is the type, byte 1 the length of the first text. Laws: a value or an error; what was read
 * and printed is read as the same value, which then prints alike; nothing that is done with a value
 * reads beyond its bytes, whatever they are. That equality and order are what they should be is for
 * texts that Postgres may print: see fuzz_laws.c.
 */
#include "engine/value/datetime.h"
#include "engine/value/interval.h"
#include "engine/value/jsonb.h"
#include "engine/value/parts.h"
#include "protocol/utf8.h"
#include "tests/fuzzers/types.h"

static struct arena arena;

static void must_be_stable(const struct column_type *t, struct value v)
{
    struct buf once = {0}, twice = {0};
    struct value again;
    struct err err;
    value_print(t->type, v, &once);
    char *copy = exact_copy(once.data, once.len);
    bool ok = value_parse(t->type, copy, once.len, &arena, &again, &err);
    must_say(ok, "%s: %.*s: %s", t->type->name, (int)once.len, once.data, err.message);
    value_print(t->type, again, &twice);
    must_say(once.len == twice.len && (!once.len || memcmp(once.data, twice.data, once.len) == 0),
             "%s: %.*s, %.*s", t->type->name, (int)once.len, once.data, (int)twice.len, twice.data);
    must(t->type->kind == TYPE_OPAQUE || value_same(t, v, again));
    free(copy);
    buf_fini(&once);
    buf_fini(&twice);
}

static void take_apart(const struct type *t, struct value v)
{
    struct parts r;
    struct part p;
    struct value key, member, range;
    struct array_dims dims;
    struct range bounds;
    struct jsonb_iter it;
    switch (t->order) {
    case ORDER_ARRAY:
        array_measure(t, v, &dims);
        must(dims.n >= 0 && dims.n <= MAX_DIMENSIONS);
        for (array_open(t, v, &arena, &r); array_next(&r, &p);)
            must(p.null || part_value(t->elem, &p, &arena, &member) || true);
        break;
    case ORDER_RECORD:
        for (record_open(v, &arena, &r); record_next(&r, &p);)
            ;
        break;
    case ORDER_RANGE: range_read(v, &arena, &bounds); break;
    case ORDER_MULTIRANGE:
        for (multirange_open(v, &arena, &r); multirange_next(&r, &range);)
            range_read(range, &arena, &bounds);
        break;
    case ORDER_JSONB:
        for (jsonb_open(v, &it); jsonb_next(&it, &key, &member);) {
            jsonb_field(v, key, &range);
            if (jsonb_kind_of(member) == JSONB_STRING)
                jsonb_string(member, &arena);
        }
        jsonb_element(v, -1, &member);
        break;
    default: break;
    }
}

static void use(const struct column_type *t, struct value v)
{
    struct buf b = {0};
    must_be_stable(t, v);
    value_to_json(t->type, v, &b);
    if (type_has_equality(t)) {
        value_hash(t, v);
        value_same(t, v, v);
    }
    if (t->type->kind == TYPE_OPAQUE)
        take_apart(t->type, v);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct value v[2];
    bool ok[2];
    char *copies[2];
    size_t n, len;
    const struct column_type *types = fuzz_types(&n), *t = &types[in_below(&in, (uint32_t)n)];
    arena_init(&arena);
    for (int i = 0; i < 2; i++) {
        struct err err;
        const uint8_t *p = in.p;
        if (i)
            len = (size_t)(in.end - in.p);
        else
            p = in_bytes(&in, 255, &len);
        copies[i] = exact_copy(p, len);
        err_clear(&err);
        ok[i] = value_parse(t->type, copies[i], len, &arena, &v[i], &err);
        must(ok[i] == !err_is_set(&err));
        if (ok[i])
            use(t, v[i]);
    }
    if (ok[0] && ok[1] && type_has_equality(t))
        must(value_same(t, v[0], v[1]) == value_same(t, v[1], v[0]) ||
             t->type->kind == TYPE_OPAQUE);
    if (ok[0] && ok[1] && type_has_order(t))
        value_cmp(t, v[0], v[1]);
    free(copies[0]);
    free(copies[1]);
    arena_fini(&arena);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    datetime_set_zone("Europe/Berlin");
    return 0;
}
