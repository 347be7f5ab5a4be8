/*
 * Constants of the node tree: any bytes as the Datum of any type.
 *
 * Byte 0 is the type, the low bit of byte 1 whether it is by value. Laws: a value or an error, and
 * the value is one that its type can print, compare with itself and show.
 */
#include "engine/value/datetime.h"
#include "tests/fuzzers/types.h"

static void use(const struct column_type *t, struct value v)
{
    struct buf b = {0};
    must(!v.null);
    value_print(t->type, v, &b);
    value_to_json(t->type, v, &b);
    if (type_has_equality(t)) {
        value_hash(t, v);
        must(value_same(t, v, v));
    }
    if (type_has_order(t))
        must(value_cmp(t, v, v) == 0);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct arena a;
    struct value v;
    struct err err;
    size_t n;
    const struct column_type *types = fuzz_types(&n), *t = &types[in_below(&in, (uint32_t)n)];
    bool byval = in_byte(&in) & 1;
    size_t len = (size_t)(in.end - in.p);
    char *copy = exact_copy(in.p, len);
    arena_init(&a);
    err_clear(&err);
    bool ok = value_from_datum(t->type, (uint8_t *)copy, len, byval, &a, &v, &err);
    must(ok == !err_is_set(&err));
    if (ok)
        use(t, v);
    /* Four bytes may be a number of 131072 digits. */
    must_say(a.bytes <= 65536 + 16384 * size, "%zu bytes", a.bytes);
    arena_fini(&a);
    free(copy);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    datetime_set_zone("Europe/Berlin");
    return 0;
}
