/*
 * agg_jsonb: jsonb_agg and jsonb_object_agg.
 *
 * Law: as json_agg and json_object_agg (agg_json.c), but the result is a jsonb: its text is the one
 * way in which Postgres prints the value. Of an object's keys the last of several that are equal
 * counts, and they stand in jsonb's order: shorter ones first, then by bytes.
 *
 * Values whose jsonb needs more than their text (json, arrays, composites) are left to Postgres, see
 * agg_jsonb_can_show().
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/vec.h"
#include "engine/expr/agg_classes.h"
#include "engine/expr/agg_rows.h"
#include "engine/value/json.h"
#include "engine/value/numeric.h"

bool agg_jsonb_can_show(const struct type *t)
{
    return t->kind != TYPE_OPAQUE || t->json == JSON_STRING || t->oid == OID_JSONB;
}

/* A jsonb number is a numeric: 1e+20 is written out. */
static void add_float(struct buf *b, const struct type *t, struct value v)
{
    struct buf text;
    struct arena a;
    struct value number;
    struct err err;
    buf_init(&text);
    arena_init(&a);
    value_to_json(t, v, &text);
    if (memchr(text.data, 'e', text.len) && numeric_parse(text.data, text.len, &a, &number, &err))
        numeric_print(number, b);
    else
        buf_add(b, text.data, text.len);
    arena_fini(&a);
    buf_fini(&text);
}

static void add_value(struct buf *b, const struct type *t, struct value v)
{
    if (!v.null && t->oid == OID_JSONB)
        buf_add(b, (const char *)v.p, v.len);
    else if (!v.null && (t->kind == TYPE_FLOAT4 || t->kind == TYPE_FLOAT8))
        add_float(b, t, v);
    else
        value_to_json(t, v, b);
}

static struct value taken(struct buf *b, struct arena *a)
{
    struct value v = value_bytes(arena_memdup(a, b->data, b->len), b->len);
    buf_fini(b);
    return v;
}

/* ------------------------------------------------------------ jsonb_agg */

struct listing {
    const struct type *type;
    struct buf *b;
};

static bool add_element(void *ctx, const struct value *vals, int64_t weight)
{
    struct listing *l = ctx;
    for (int64_t k = 0; k < weight; k++) {
        if (l->b->len > 1)
            buf_adds(l->b, ", ");
        add_value(l->b, l->type, vals[0]);
    }
    return true;
}

static bool jsonb_result(const struct agg_spec *spec, const void *state, struct arena *a,
                         struct value *out, struct err *err)
{
    struct buf b;
    struct listing l = {spec->args[0].type, &b};
    (void)err;
    *out = value_null();
    if (ordset_total(state) <= 0)
        return true;
    buf_init(&b);
    buf_addc(&b, '[');
    rows_each(spec, state, add_element, &l);
    buf_addc(&b, ']');
    *out = taken(&b, a);
    return true;
}

const struct agg_class agg_jsonb = {ROWS_CLASS("jsonb_agg", jsonb_result)};

/* ------------------------------------------------------------ jsonb_object_agg */

/* A key as its characters, and where its member's text is. */
struct member {
    size_t key, key_len, text, text_len;
};

struct object {
    const struct agg_spec *spec;
    VEC(struct member) members;
    struct buf chars; /* of keys */
    struct buf texts; /* "key": value */
    struct err *err;
};

/* to_json's spelling of booleans and dates, the text form of everything else. */
static void add_key_chars(struct buf *b, const struct type *t, struct value v)
{
    struct buf json;
    if (t->kind != TYPE_BOOL && t->kind != TYPE_DATE && t->kind != TYPE_TIMESTAMP &&
        t->kind != TYPE_TIMESTAMPTZ) {
        value_print(t, v, b);
        return;
    }
    buf_init(&json);
    value_to_json(t, v, &json);
    bool quoted = json.len && json.data[0] == '"';
    buf_add(b, json.data + quoted, json.len - 2 * quoted);
    buf_fini(&json);
}

static bool add_member(void *ctx, const struct value *vals, int64_t weight)
{
    struct object *o = ctx;
    const struct type *t = o->spec->args[0].type;
    struct member m = {.key = o->chars.len, .text = o->texts.len};
    (void)weight; /* the same again changes nothing */
    if (!agg_json_key(t, vals[0], &o->texts, o->err))
        return false;
    add_key_chars(&o->chars, t, vals[0]);
    buf_adds(&o->texts, ": ");
    add_value(&o->texts, o->spec->args[1].type, vals[1]);
    m.key_len = o->chars.len - m.key;
    m.text_len = o->texts.len - m.text;
    VEC_PUSH(o->members, m);
    return true;
}

/* By length, then by bytes. */
static int compare_keys(const char *chars, const struct member *a, const struct member *b)
{
    if (a->key_len != b->key_len)
        return a->key_len < b->key_len ? -1 : 1;
    return a->key_len ? memcmp(chars + a->key, chars + b->key, a->key_len) : 0;
}

/* A merge sort, since the order of equal keys counts. */
static void sort_members(const char *chars, struct member *v, struct member *room, size_t n)
{
    size_t half = n / 2, i = 0, k = half;
    if (n < 2)
        return;
    sort_members(chars, v, room, half);
    sort_members(chars, v + half, room, n - half);
    for (size_t at = 0; at < n; at++) {
        bool first = k == n || (i < half && compare_keys(chars, &v[i], &v[k]) <= 0);
        room[at] = first ? v[i++] : v[k++];
    }
    memcpy(v, room, n * sizeof *v);
}

static void print_object(struct object *o, struct buf *b)
{
    size_t n = o->members.n;
    struct member *v = o->members.v, *room = xcalloc(n, sizeof *room);
    const char *chars = buf_cstr(&o->chars);
    sort_members(chars, v, room, n);
    free(room);
    buf_addc(b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && compare_keys(chars, &v[i], &v[i + 1]) == 0)
            continue;
        if (b->len > 1)
            buf_adds(b, ", ");
        buf_add(b, o->texts.data + v[i].text, v[i].text_len);
    }
    buf_addc(b, '}');
}

static bool object_result(const struct agg_spec *spec, const void *state, struct arena *a,
                          struct value *out, struct err *err)
{
    struct object o = {.spec = spec, .err = err};
    struct buf b;
    *out = value_null();
    if (ordset_total(state) <= 0)
        return true;
    bool ok = rows_each(spec, state, add_member, &o);
    if (ok) {
        buf_init(&b);
        print_object(&o, &b);
        *out = taken(&b, a);
    }
    VEC_FREE(o.members);
    buf_fini(&o.chars);
    buf_fini(&o.texts);
    return ok;
}

const struct agg_class agg_jsonb_object = {ROWS_CLASS("jsonb_object_agg", object_result)};
