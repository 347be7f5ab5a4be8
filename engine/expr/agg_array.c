/*
 * agg_array: array_agg of values, and of arrays of one shape, which become one of a dimension more.
 *
 * Law: the group's rows in order (agg_rows.h), NULLs among them; of no rows it is NULL.
 * Cost: O(log n) a change, and as long as the result is for a touched group.
 * Errors of arrays, as array_userfuncs.c has them: a NULL one, an empty one, two of other bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/expr/agg_classes.h"
#include "engine/expr/agg_rows.h"
#include "engine/value/array_text.h"

#define ERR_ARRAY_SUBSCRIPT  "2202E"
#define ERR_NULL_NOT_ALLOWED "22004"
#define MAX_DIMENSIONS       6

struct printing {
    const struct type *elem;
    struct buf *b;
    char delim;
};

static bool print_element(void *ctx, const struct value *vals, int64_t weight)
{
    struct printing *p = ctx;
    for (int64_t k = 0; k < weight; k++) {
        if (p->b->len > 1)
            buf_addc(p->b, p->delim);
        array_text_add_value(p->b, p->elem, vals[0], p->delim);
    }
    return true;
}

static bool array_result(const struct agg_spec *spec, const void *state, struct arena *a,
                         struct value *out, struct err *err)
{
    struct buf b;
    struct printing p = {spec->args[0].type, &b, array_text_delim(spec->result.type)};
    *out = value_null();
    if (ordset_total(state) <= 0)
        return true;
    buf_init(&b);
    buf_addc(&b, '{');
    rows_each(spec, state, print_element, &p);
    buf_addc(&b, '}');
    bool ok = array_text_value(spec->result.type, &b, a, out, err);
    buf_fini(&b);
    return ok;
}

const struct agg_class agg_array = {ROWS_CLASS("array_agg", array_result)};

/* ------------------------------------------------------------ arrays of arrays */

/* The bounds of an array, from its text. */
struct shape {
    int n;
    int64_t lower[MAX_DIMENSIONS], len[MAX_DIMENSIONS];
    const char *body; /* at the opening brace */
};

/* Past an element that isn't an array, up to its delimiter or brace. */
static const char *skip_element(const char *p, const char *end, char delim)
{
    bool in_quotes = false;
    for (; p < end && (in_quotes || (*p != delim && *p != '}')); p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (*p == '"')
            in_quotes = !in_quotes;
    }
    return p;
}

/* Counts what is between braces at this depth; the first one at each depth says what all have. */
static const char *measure(const char *p, const char *end, char delim, int depth, struct shape *s)
{
    int64_t len = 0;
    if (depth >= MAX_DIMENSIONS)
        return end;
    p++; /* the brace */
    while (p < end && *p != '}') {
        p = *p == '{' ? measure(p, end, delim, depth + 1, s) : skip_element(p, end, delim);
        len++;
        if (p < end && *p == delim)
            p++;
    }
    s->len[depth] = len;
    if (s->n <= depth)
        s->n = depth + 1;
    return p < end ? p + 1 : p;
}

static void shape_of(const char *text, size_t len, char delim, struct shape *s)
{
    const char *end = text + len, *p = text;
    *s = (struct shape){.lower = {1, 1, 1, 1, 1, 1}};
    for (int i = 0; p < end && *p == '[' && i < MAX_DIMENSIONS; i++) {
        s->lower[i] = strtoll(p + 1, NULL, 10);
        p = memchr(p, ']', (size_t)(end - p));
        p = p ? p + 1 : end;
    }
    if (p < end && *p == '=')
        p++;
    s->body = p;
    if (p < end)
        measure(p, end, delim, 0, s);
    if (s->n == 1 && !s->len[0])
        s->n = 0;
}

static bool same_shape(const struct shape *a, const struct shape *b)
{
    return a->n == b->n && memcmp(a->len, b->len, sizeof a->len) == 0 &&
           memcmp(a->lower, b->lower, sizeof a->lower) == 0;
}

struct stacking {
    const struct type *type; /* of the arrays */
    struct buf *b;
    struct shape first;
    int64_t n;
    char delim;
    struct err *err;
};

static bool check_shape(struct stacking *st, const struct shape *s)
{
    if (!s->n)
        return err_set(st->err, ERR_ARRAY_SUBSCRIPT, "cannot accumulate empty arrays");
    if (st->n == 0) {
        if (s->n >= MAX_DIMENSIONS)
            return err_set(st->err, "54000",
                           "number of array dimensions (%d) exceeds the maximum allowed (%d)",
                           s->n + 1, MAX_DIMENSIONS);
        st->first = *s;
    }
    return same_shape(s, &st->first) ||
           err_set(st->err, ERR_ARRAY_SUBSCRIPT,
                   "cannot accumulate arrays of different dimensionality");
}

static bool stack_array(void *ctx, const struct value *vals, int64_t weight)
{
    struct stacking *st = ctx;
    struct shape s;
    struct buf text;
    if (vals[0].null)
        return err_set(st->err, ERR_NULL_NOT_ALLOWED, "cannot accumulate null arrays");
    buf_init(&text);
    value_print(st->type, vals[0], &text);
    shape_of(text.data, text.len, st->delim, &s);
    bool ok = check_shape(st, &s);
    for (int64_t k = 0; ok && k < weight; k++) {
        if (st->n++)
            buf_addc(st->b, st->delim);
        buf_add(st->b, s.body, (size_t)(text.data + text.len - s.body));
    }
    buf_fini(&text);
    return ok;
}

/* "[1:2][2:3]=" where some bound isn't 1. */
static void add_bounds(const struct stacking *st, struct buf *b)
{
    bool plain = true;
    for (int i = 0; i < st->first.n; i++)
        plain &= st->first.lower[i] == 1;
    if (plain)
        return;
    buf_addf(b, "[1:%lld]", (long long)st->n);
    for (int i = 0; i < st->first.n; i++)
        buf_addf(b, "[%lld:%lld]", (long long)st->first.lower[i],
                 (long long)(st->first.lower[i] + st->first.len[i] - 1));
    buf_addc(b, '=');
}

static bool arrays_result(const struct agg_spec *spec, const void *state, struct arena *a,
                          struct value *out, struct err *err)
{
    struct buf body, b;
    struct stacking st = {.type = spec->args[0].type,
                          .b = &body,
                          .delim = array_text_delim(spec->result.type),
                          .err = err};
    *out = value_null();
    if (ordset_total(state) <= 0)
        return true;
    buf_init(&body);
    buf_init(&b);
    bool ok = rows_each(spec, state, stack_array, &st);
    if (ok) {
        add_bounds(&st, &b);
        buf_addc(&b, '{');
        buf_add(&b, body.data, body.len);
        buf_addc(&b, '}');
        ok = array_text_value(spec->result.type, &b, a, out, err);
    }
    buf_fini(&body);
    buf_fini(&b);
    return ok;
}

const struct agg_class agg_array_of_arrays = {ROWS_CLASS("array_agg", arrays_result)};
