/*
 * agg_json: json_agg and json_object_agg.
 *
 * Law: the text that Postgres writes, blanks and line breaks included, over the group's rows in
 * order; NULL of no rows. A value is what to_json() gives for it, a json value the text it is.
 *
 *     [1, 2, null]    [{"a":1}, \n {"a":2}]    { "a" : 1, "b" : 2 }
 *
 * Traps: a composite or array after the first one stands on a line of its own. A key that is NULL,
 * or that is an array, composite or JSON, is an error. Keys may come twice.
 */
#include <string.h>

#include "engine/expr/agg_classes.h"
#include "engine/expr/agg_rows.h"
#include "engine/value/json.h"

#define ERR_INVALID_PARAMETER "22023"

static bool is_opaque(const struct type *t, enum json_shape shape)
{
    return t->kind == TYPE_OPAQUE && t->json == shape;
}

static bool is_structured(const struct type *t)
{
    return is_opaque(t, JSON_ARRAY) || is_opaque(t, JSON_COMPOSITE);
}

bool agg_json_can_show(const struct type *t)
{
    if (t->kind != TYPE_OPAQUE)
        return true;
    switch (t->json) {
    case JSON_STRING:
    case JSON_INLINE: return true;
    case JSON_ARRAY: return !is_opaque(t->elem, JSON_INLINE) && agg_json_can_show(t->elem);
    case JSON_COMPOSITE:
        for (size_t i = 0; i < t->nfields; i++)
            if (is_opaque(t->fields[i].type, JSON_INLINE) || !agg_json_can_show(t->fields[i].type))
                return false;
        return true;
    case JSON_UNKNOWN: break;
    }
    return false;
}

static void add_value(struct buf *b, const struct type *t, struct value v)
{
    if (!v.null && is_opaque(t, JSON_INLINE))
        buf_add(b, (const char *)v.p, v.len);
    else
        value_to_json(t, v, b);
}

/* ------------------------------------------------------------ json_agg */

struct listing {
    const struct type *type;
    struct buf *b;
};

static bool add_element(void *ctx, const struct value *vals, int64_t weight)
{
    struct listing *l = ctx;
    for (int64_t k = 0; k < weight; k++) {
        bool first = l->b->len == 1;
        if (!first)
            buf_adds(l->b, ", ");
        if (!first && !vals[0].null && is_structured(l->type))
            buf_adds(l->b, "\n ");
        add_value(l->b, l->type, vals[0]);
    }
    return true;
}

static struct value copied(const struct buf *b, struct arena *a)
{
    return value_bytes(arena_memdup(a, b->data, b->len), b->len);
}

static bool json_result(const struct agg_spec *spec, const void *state, struct arena *a,
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
    *out = copied(&b, a);
    buf_fini(&b);
    return true;
}

const struct agg_class agg_json = {ROWS_CLASS("json_agg", json_result)};

/* ------------------------------------------------------------ json_object_agg */

bool agg_json_key(const struct type *t, struct value key, struct buf *b, struct err *err)
{
    if (key.null)
        return err_set(err, ERR_INVALID_PARAMETER, "field name must not be null");
    if (is_structured(t) || is_opaque(t, JSON_INLINE))
        return err_set(err, ERR_INVALID_PARAMETER,
                       "key value must be scalar, not array, composite, or json");
    size_t start = b->len;
    value_to_json(t, key, b);
    if (b->data[start] == '"')
        return true;
    buf_addc(b, '"'); /* a number or boolean: the same in quotes */
    buf_addc(b, '"');
    memmove(b->data + start + 1, b->data + start, b->len - start - 2);
    b->data[start] = '"';
    return true;
}

struct pairing {
    const struct agg_spec *spec;
    struct buf *b;
    struct err *err;
};

static bool add_pair(void *ctx, const struct value *vals, int64_t weight)
{
    struct pairing *p = ctx;
    for (int64_t k = 0; k < weight; k++) {
        if (p->b->len > 2)
            buf_adds(p->b, ", ");
        if (!agg_json_key(p->spec->args[0].type, vals[0], p->b, p->err))
            return false;
        buf_adds(p->b, " : ");
        add_value(p->b, p->spec->args[1].type, vals[1]);
    }
    return true;
}

static bool object_result(const struct agg_spec *spec, const void *state, struct arena *a,
                          struct value *out, struct err *err)
{
    struct buf b;
    struct pairing p = {spec, &b, err};
    *out = value_null();
    if (ordset_total(state) <= 0)
        return true;
    buf_init(&b);
    buf_adds(&b, "{ ");
    bool ok = rows_each(spec, state, add_pair, &p);
    buf_adds(&b, " }");
    if (ok)
        *out = copied(&b, a);
    buf_fini(&b);
    return ok;
}

const struct agg_class agg_json_object = {ROWS_CLASS("json_object_agg", object_result)};
