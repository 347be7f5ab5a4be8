/*
 * What SQL relies on when it compares: three values of one type, as Postgres would print them.
 *
 * Laws: printing what was parsed gives the same text; "=" is reflexive, symmetric and transitive,
 * and the same thing as an order of 0; the order is antisymmetric and transitive; what is equal has
 * one hash; a copy in a packed row is the same value; what is shown to clients is JSON.
 */
#include "engine/value/datetime.h"
#include "engine/value/row.h"
#include "tests/fuzzers/is_json.h"
#include "tests/fuzzers/types.h"

static struct arena arena;

static int sign(int i)
{
    return (i > 0) - (i < 0);
}

/* An opaque value is its text; the others may be spelled in one way only. */
static struct value make(struct input *in, const struct type *t)
{
    struct buf b = {0}, again = {0};
    struct value v;
    struct err err;
    fuzz_value_text(in, t, &b);
    const char *text = arena_strndup(&arena, b.len ? b.data : "", b.len);
    bool ok = value_parse(t, text, b.len, &arena, &v, &err);
    must_say(ok, "%s: %s: %s", t->name, text, err.message);
    value_print(t, v, &again);
    must_say(again.len == b.len && (!b.len || memcmp(again.data, text, b.len) == 0), "%s: %s, %.*s",
             t->name, text, (int)again.len, again.data);
    buf_fini(&b);
    buf_fini(&again);
    return v;
}

static const char *show(const struct type *t, struct value v)
{
    struct buf b = {0};
    value_print(t, v, &b);
    const char *s = arena_strndup(&arena, b.len ? b.data : "", b.len);
    buf_fini(&b);
    return s;
}

static void must_be_equality(const struct column_type *t, const struct value v[3])
{
    for (int i = 0; i < 3; i++) {
        must_say(value_same(t, v[i], v[i]), "%s: %s", t->type->name, show(t->type, v[i]));
        for (int k = 0; k < 3; k++) {
            bool same = value_same(t, v[i], v[k]);
            must(same == value_same(t, v[k], v[i]));
            must_say(!same || value_hash(t, v[i]) == value_hash(t, v[k]), "%s: %s, %s",
                     t->type->name, show(t->type, v[i]), show(t->type, v[k]));
        }
    }
    must(!value_same(t, v[0], v[1]) || !value_same(t, v[1], v[2]) || value_same(t, v[0], v[2]));
}

static void must_be_order(const struct column_type *t, const struct value v[3])
{
    int c[3][3];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            c[i][k] = sign(value_cmp(t, v[i], v[k]));
            must_say(!type_has_equality(t) || (c[i][k] == 0) == value_same(t, v[i], v[k]),
                     "%s: %s, %s: %d", t->type->name, show(t->type, v[i]), show(t->type, v[k]),
                     c[i][k]);
        }
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            int l = 3 - i - k;
            must_say(c[i][k] == -c[k][i], "%s: %s, %s", t->type->name, show(t->type, v[i]),
                     show(t->type, v[k]));
            must_say(i == k || l < 0 || l > 2 || c[i][k] > 0 || c[k][l] > 0 ||
                         c[i][l] == ((c[i][k] | c[k][l]) ? -1 : 0),
                     "%s: %s, %s, %s", t->type->name, show(t->type, v[i]), show(t->type, v[k]),
                     show(t->type, v[l]));
        }
}

static void must_be_json(const struct type *t, struct value v)
{
    struct buf b = {0};
    value_to_json(t, v, &b);
    must_say(is_json(b.data, b.len, true), "%s: %.*s", t->name, (int)b.len, b.data);
    must(!memchr(b.data, '\n', b.len));
    buf_fini(&b);
}

static void must_pack(const struct column_type *t, const struct value v[3])
{
    struct column_type cols[] = {*t, *t, *t, *t};
    struct value vals[] = {v[0], v[1], value_null(), v[2]};
    struct layout *l = layout_new(cols, 4);
    const uint8_t *row;
    struct err err;
    must(row_pack(l, vals, &arena, &row, &err));
    char *copy = exact_copy(row, row_len(l, row));
    must(row_get(l, (uint8_t *)copy, 2).null);
    for (uint32_t i = 0; i < 4; i++) {
        struct value got = row_get(l, (uint8_t *)copy, i);
        must(got.null == vals[i].null);
        must(got.null || strcmp(show(t->type, got), show(t->type, vals[i])) == 0);
    }
    free(copy);
    layout_unref(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct value v[3];
    size_t n;
    const struct column_type *types = fuzz_types(&n), *t = &types[in_below(&in, (uint32_t)n)];
    arena_init(&arena);
    for (int i = 0; i < 3; i++) {
        v[i] = make(&in, t->type);
        must_be_json(t->type, v[i]);
    }
    if (type_has_equality(t))
        must_be_equality(t, v);
    if (type_has_order(t))
        must_be_order(t, v);
    must_pack(t, v);
    arena_fini(&arena);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    datetime_set_zone("Europe/Berlin");
    return 0;
}
