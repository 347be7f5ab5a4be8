/*
 * fn_jsonb: looking into jsonb: -> ->> #> #>> @> <@ ? ?| ?&, jsonb_typeof(), jsonb_array_length(),
 * casts of scalars.
 *
 * Called through pgfuncs.def. A document is text in Postgres's canonical form (value/jsonb.h), so
 * what is taken out of it is a slice, nothing is copied. Functions that make new documents are not
 * here.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/expr/pgfuncs.h"
#include "engine/value/jsonb.h"
#include "engine/value/numeric.h"
#include "engine/value/parts.h"

static bool give(struct value *out, bool found)
{
    if (!found)
        *out = value_null();
    return true;
}

/* As ->> shows it: a string without its quotes, null as NULL. */
static bool give_text(struct value *out, bool found, struct eval_ctx *cx)
{
    if (!found || jsonb_kind_of(*out) == JSONB_NULL)
        return give(out, false);
    if (jsonb_kind_of(*out) == JSONB_STRING)
        *out = jsonb_string(*out, cx->arena);
    return true;
}

/* A scalar on its own counts as an array of one here. */
static bool element(struct value v, int64_t index, struct value *out)
{
    if (jsonb_kind_of(v) >= JSONB_ARRAY)
        return jsonb_element(v, index, out);
    *out = v;
    return index == 0 || index == -1;
}

FN(fn_jsonb_field)
{
    return give(out, jsonb_field(v[0], v[1], out));
}

FN(fn_jsonb_field_text)
{
    return give_text(out, jsonb_field(v[0], v[1], out), cx);
}

FN(fn_jsonb_element)
{
    return give(out, element(v[0], v[1].i, out));
}

FN(fn_jsonb_element_text)
{
    return give_text(out, element(v[0], v[1].i, out), cx);
}

/* ------------------------------------------------------------ paths */

/* A step into an array is a number, as strtol() reads it, and nothing else. */
static bool step_index(const struct part *step, struct arena *a, int64_t *index)
{
    char *text = arena_strndup(a, step->text, step->len), *end;
    errno = 0;
    *index = strtol(text, &end, 10);
    return end != text && !*end && !errno && *index == (int32_t)*index;
}

static bool step_into(struct value v, const struct part *step, struct arena *a, struct value *out)
{
    int64_t index;
    switch (jsonb_kind_of(v)) {
    case JSONB_OBJECT: return jsonb_field(v, value_bytes(step->text, step->len), out);
    case JSONB_ARRAY: return step_index(step, a, &index) && jsonb_element(v, index, out);
    default: return false;
    }
}

/* A NULL anywhere in the path makes the result NULL, even behind a step that leads nowhere. */
static bool follow(const struct expr *e, struct eval_ctx *cx, const struct value *v,
                   struct value *out)
{
    struct parts path;
    struct part step;
    bool found = true;
    array_open(e->args[1]->ct.type, v[1], cx->arena, &path);
    *out = v[0];
    while (found && array_next(&path, &step))
        found = !step.null && step_into(*out, &step, cx->arena, out);
    return found;
}

FN(fn_jsonb_path)
{
    return give(out, follow(e, cx, v, out));
}

FN(fn_jsonb_path_text)
{
    return give_text(out, follow(e, cx, v, out), cx);
}

/* ------------------------------------------------------------ containment */

/* Postgres gives up where its stack ends. */
#define DEPTH_MAX 5000

struct descent {
    int depth;
    bool too_deep;
};

static bool contains(struct value v, struct value part, struct descent *d);

static bool has_member(struct value array, struct value part, struct descent *d)
{
    struct jsonb_iter it;
    struct value key, member;
    bool scalar = jsonb_kind_of(part) < JSONB_ARRAY;
    jsonb_open(array, &it);
    while (jsonb_next(&it, &key, &member)) {
        if (jsonb_kind_of(member) != jsonb_kind_of(part))
            continue;
        if (scalar ? jsonb_same(member, part) : contains(member, part, d))
            return true;
    }
    return false;
}

/* Keys are compared as they are escaped. */
static bool raw_field(struct value object, struct value key, struct value *out)
{
    struct jsonb_iter it;
    struct value k;
    jsonb_open(object, &it);
    while (jsonb_next(&it, &k, out))
        if (k.len == key.len && (!k.len || memcmp(k.p, key.p, k.len) == 0))
            return true;
    return false;
}

/* Both are containers of the same kind. */
static bool all_contained(struct value v, struct value part, struct descent *d)
{
    struct jsonb_iter it;
    struct value key, member, found;
    jsonb_open(part, &it);
    while (jsonb_next(&it, &key, &member)) {
        if (key.null) {
            if (!has_member(v, member, d))
                return false;
        } else if (!raw_field(v, key, &found) || jsonb_kind_of(found) != jsonb_kind_of(member) ||
                   !contains(found, member, d)) {
            return false;
        }
    }
    return true;
}

/* Both are containers of the same kind, or scalars. */
static bool contains(struct value v, struct value part, struct descent *d)
{
    if (jsonb_kind_of(part) < JSONB_ARRAY)
        return jsonb_same(v, part);
    d->too_deep |= d->depth == DEPTH_MAX;
    if (d->too_deep)
        return false;
    d->depth++;
    bool all = all_contained(v, part, d);
    d->depth--;
    return all;
}

/* At the top an array may contain a scalar that isn't in an array itself. */
static bool top_contains(struct value v, struct value part, struct descent *d)
{
    if (jsonb_kind_of(v) == JSONB_ARRAY && jsonb_kind_of(part) < JSONB_ARRAY)
        return has_member(v, part, d);
    return jsonb_kind_of(v) == jsonb_kind_of(part) && contains(v, part, d);
}

static bool give_contains(struct value v, struct value part, struct value *out, struct err *err)
{
    struct descent d = {0};
    bool all = top_contains(v, part, &d);
    if (d.too_deep)
        return err_set(err, "54001", "stack depth limit exceeded");
    return fn_bool(out, all);
}

FN(fn_jsonb_contains)
{
    return give_contains(v[0], v[1], out, err);
}

FN(fn_jsonb_contained)
{
    return give_contains(v[1], v[0], out, err);
}

/* ------------------------------------------------------------ existence */

static bool same_bytes(struct value a, struct value b)
{
    return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
}

/* A key of an object, or a string of an array, or the string itself. */
static bool exists(struct value v, struct value name, struct arena *a)
{
    struct jsonb_iter it;
    struct value key, member;
    if (jsonb_kind_of(v) == JSONB_OBJECT)
        return jsonb_field(v, name, &member);
    if (jsonb_kind_of(v) == JSONB_STRING)
        return same_bytes(jsonb_string(v, a), name);
    jsonb_open(v, &it);
    while (jsonb_next(&it, &key, &member))
        if (jsonb_kind_of(member) == JSONB_STRING && same_bytes(jsonb_string(member, a), name))
            return true;
    return false;
}

FN(fn_jsonb_exists)
{
    return fn_bool(out, exists(v[0], v[1], cx->arena));
}

/* NULLs in the list are passed over. */
static bool exists_in(const struct expr *e, struct eval_ctx *cx, const struct value *v, bool all)
{
    struct parts names;
    struct part name;
    array_open(e->args[1]->ct.type, v[1], cx->arena, &names);
    while (array_next(&names, &name))
        if (!name.null && exists(v[0], value_bytes(name.text, name.len), cx->arena) != all)
            return !all;
    return all;
}

FN(fn_jsonb_exists_any)
{
    return fn_bool(out, exists_in(e, cx, v, false));
}

FN(fn_jsonb_exists_all)
{
    return fn_bool(out, exists_in(e, cx, v, true));
}

/* ------------------------------------------------------------ shape and scalars */

static const char *kind_name(struct value v)
{
    static const char *const names[] = {"null", "string", "number", "boolean", "array", "object"};
    return names[jsonb_kind_of(v)];
}

FN(fn_jsonb_typeof)
{
    const char *name = kind_name(v[0]);
    *out = value_bytes(name, strlen(name));
    return true;
}

FN(fn_jsonb_array_length)
{
    if (jsonb_kind_of(v[0]) < JSONB_ARRAY)
        return err_set(err, "22023", "cannot get array length of a scalar");
    if (jsonb_kind_of(v[0]) == JSONB_OBJECT)
        return err_set(err, "22023", "cannot get array length of a non-array");
    return fn_int(out, jsonb_count(v[0]));
}

static bool cannot_cast(struct value v, const struct type *to, struct err *err)
{
    const char *kind = jsonb_kind_of(v) == JSONB_NUMBER ? "numeric" : kind_name(v);
    return err_set(err, "22023", "cannot cast jsonb %s to type %s", kind, to->name);
}

FN(fn_jsonb_bool)
{
    if (jsonb_kind_of(v[0]) != JSONB_BOOL)
        return cannot_cast(v[0], e->ct.type, err);
    return fn_bool(out, v[0].p[0] == 't');
}

static bool number(const struct expr *e, struct eval_ctx *cx, struct value v, struct value *out,
                   struct err *err)
{
    if (jsonb_kind_of(v) != JSONB_NUMBER)
        return cannot_cast(v, e->ct.type, err);
    return numeric_parse((const char *)v.p, v.len, cx->arena, out, err);
}

FN(fn_jsonb_numeric)
{
    return number(e, cx, v[0], out, err);
}

FN(fn_jsonb_int)
{
    struct value n;
    int bytes = e->ct.type->kind == TYPE_INT2 ? 2 : e->ct.type->kind == TYPE_INT4 ? 4 : 8;
    int64_t i;
    return number(e, cx, v[0], &n, err) && numeric_to_int(n, bytes, &i, err) && fn_int(out, i);
}

FN(fn_jsonb_float)
{
    struct value n;
    double d;
    return number(e, cx, v[0], &n, err) &&
           numeric_to_float(n, e->ct.type->kind == TYPE_FLOAT4, &d, err) && fn_float(out, d);
}
