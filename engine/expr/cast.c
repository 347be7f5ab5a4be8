/*
 * cast: casts that go through text (CoerceViaIO): a value printed by its type, read by another.
 *
 * Called from EXPR_VIA_IO nodes. Printing is value_print(), the output functions of Postgres.
 * Reading is what Postgres's input functions accept and how they complain. Dates, times and
 * intervals are read only in the form they are printed in: what else Postgres makes of a string
 * ("Jan 8", "2 hours ago") is asked of it, by the node's second argument; where it can't be asked the
 * row is refused (0A000) rather than guessed.
 *
 * To add a target: a reader in `readers`.
 */
#include <limits.h>
#include <strings.h>

#include "engine/expr/eval.h"
#include "engine/value/datetime.h"
#include "engine/value/float.h"
#include "engine/value/numeric.h"

typedef bool reader(const struct type *to, struct value text, struct arena *a, struct value *out,
                    struct err *err);

#define SHOWN(v) ((v).len > 400 ? 400 : (int)(v).len), (const char *)(v).p

static bool bad_syntax(const struct type *to, struct value text, struct err *err)
{
    return err_set(err, ERR_INVALID_TEXT, "invalid input syntax for type %s: \"%.*s\"", to->name,
                   SHOWN(text));
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct value stripped(struct value v)
{
    while (v.len && is_blank(v.p[0])) {
        v.p++;
        v.len--;
    }
    while (v.len && is_blank(v.p[v.len - 1]))
        v.len--;
    return v;
}

/* v begins `word`, in any case, with at least `min` letters. */
static bool abbreviates(struct value v, const char *word, size_t min)
{
    return v.len >= min && v.len <= strlen(word) &&
           strncasecmp((const char *)v.p, word, v.len) == 0;
}

static bool read_bool(const struct type *to, struct value text, struct arena *a, struct value *out,
                      struct err *err)
{
    struct value v = stripped(text);
    (void)a;
    if (abbreviates(v, "true", 1) || abbreviates(v, "yes", 1) || abbreviates(v, "on", 2) ||
        (v.len == 1 && v.p[0] == '1'))
        *out = value_bool(true);
    else if (abbreviates(v, "false", 1) || abbreviates(v, "no", 1) || abbreviates(v, "off", 2) ||
             (v.len == 1 && v.p[0] == '0'))
        *out = value_bool(false);
    else
        return bad_syntax(to, text, err);
    return true;
}

static bool read_int(const struct type *to, struct value text, struct arena *a, struct value *out,
                     struct err *err)
{
    int64_t max = to->kind == TYPE_INT2 ? INT16_MAX : to->kind == TYPE_INT4 ? INT32_MAX : INT64_MAX;
    struct value v = stripped(text);
    uint64_t limit, r = 0;
    bool negative;
    uint32_t i = 0;
    (void)a;
    negative = v.len && v.p[0] == '-';
    limit = (uint64_t)max + negative;
    if (v.len && (v.p[0] == '-' || v.p[0] == '+'))
        i++;
    if (i == v.len)
        return bad_syntax(to, text, err);
    for (; i < v.len; i++) {
        uint8_t digit = (uint8_t)(v.p[i] - '0');
        if (digit > 9)
            return bad_syntax(to, text, err);
        if (r > (limit - digit) / 10)
            return err_set(err, ERR_NUMERIC_OUT_OF_RANGE,
                           "value \"%.*s\" is out of range for type %s", SHOWN(text), to->name);
        r = r * 10 + digit;
    }
    *out = value_int(negative ? (int64_t)-r : (int64_t)r);
    return true;
}

static bool read_float(const struct type *to, struct value text, struct arena *a, struct value *out,
                       struct err *err)
{
    double d;
    (void)a;
    if (!float_parse((const char *)text.p, text.len, to->kind == TYPE_FLOAT4, &d, err))
        return false;
    *out = value_float(d);
    return true;
}

static bool read_numeric(const struct type *to, struct value text, struct arena *a,
                         struct value *out, struct err *err)
{
    (void)to;
    return numeric_parse((const char *)text.p, text.len, a, out, err);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 hex digits, a hyphen allowed after each fourth, braces around all of it allowed. */
static bool read_uuid(const struct type *to, struct value text, struct arena *a, struct value *out,
                      struct err *err)
{
    struct value v = text;
    uint8_t *id = arena_alloc(a, 16);
    uint32_t at = 0;
    if (v.len && v.p[0] == '{') {
        if (v.p[v.len - 1] != '}')
            return bad_syntax(to, text, err);
        v = value_bytes(v.p + 1, v.len - 2);
    }
    for (int i = 0; i < 16; i++) {
        int high = at + 1 < v.len ? hex_digit(v.p[at]) : -1;
        int low = at + 1 < v.len ? hex_digit(v.p[at + 1]) : -1;
        if (high < 0 || low < 0)
            return bad_syntax(to, text, err);
        id[i] = (uint8_t)(high << 4 | low);
        at += 2;
        if (i % 2 == 1 && i < 15 && at < v.len && v.p[at] == '-')
            at++;
    }
    if (at != v.len)
        return bad_syntax(to, text, err);
    *out = value_bytes(id, 16);
    return true;
}

static bool read_datetime(const struct type *to, struct value text, struct arena *a,
                          struct value *out, struct err *err)
{
    const char *s = (const char *)text.p;
    int64_t i;
    bool ok;
    (void)a;
    if (to->kind == TYPE_DATE)
        ok = date_parse(s, text.len, &i, err);
    else if (to->kind == TYPE_TIME)
        ok = time_parse(s, text.len, &i, err);
    else if (to->kind == TYPE_TIMESTAMP)
        ok = timestamp_parse(s, text.len, &i, err);
    else
        ok = timestamptz_parse(s, text.len, &i, err);
    if (!ok)
        return err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                       "reading \"%.*s\" as %s is not supported: only the ISO form is", SHOWN(text),
                       to->name);
    *out = value_int(i);
    return true;
}

static bool read_own_form(const struct type *to, struct value text, struct arena *a,
                          struct value *out, struct err *err)
{
    return value_parse(to, (const char *)text.p, text.len, a, out, err) ||
           err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                   "reading \"%.*s\" as %s is not supported: only the form it is printed in is",
                   SHOWN(text), to->name);
}

static bool read_enum(const struct type *to, struct value text, struct arena *a, struct value *out,
                      struct err *err)
{
    return value_parse(to, (const char *)text.p, text.len, a, out, err);
}

static bool read_text(const struct type *to, struct value text, struct arena *a, struct value *out,
                      struct err *err)
{
    (void)to, (void)a, (void)err;
    *out = text;
    return true;
}

static reader *const readers[] = {
    [TYPE_BOOL] = read_bool,
    [TYPE_INT2] = read_int,
    [TYPE_INT4] = read_int,
    [TYPE_INT8] = read_int,
    [TYPE_FLOAT4] = read_float,
    [TYPE_FLOAT8] = read_float,
    [TYPE_NUMERIC] = read_numeric,
    [TYPE_TEXT] = read_text,
    [TYPE_BPCHAR] = read_text,
    [TYPE_DATE] = read_datetime,
    [TYPE_TIMESTAMP] = read_datetime,
    [TYPE_TIMESTAMPTZ] = read_datetime,
    [TYPE_UUID] = read_uuid,
    [TYPE_TIME] = read_datetime,
    [TYPE_TIMETZ] = read_own_form,
    [TYPE_INTERVAL] = read_own_form,
    [TYPE_BYTEA] = read_own_form,
    [TYPE_ENUM] = read_enum,
    [TYPE_OPAQUE] = NULL,
};

bool via_io_is_supported(const struct type *from, const struct type *to)
{
    (void)from; /* every type prints */
    return readers[to->kind] != NULL && to->oid != OID_NAME;
}

bool via_io_is_partial(const struct type *to)
{
    return readers[to->kind] == read_datetime || readers[to->kind] == read_own_form;
}

/* The value's text; bytes that are text already are borrowed. */
static struct value as_text(const struct type *t, struct value v, struct arena *a)
{
    struct buf b;
    if (t->kind == TYPE_TEXT || t->kind == TYPE_BPCHAR || t->kind == TYPE_OPAQUE)
        return v;
    buf_init(&b);
    value_print(t, v, &b);
    v = value_bytes(arena_memdup(a, b.data, b.len), b.len);
    buf_fini(&b);
    return v;
}

bool eval_via_io(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    const struct type *from = e->args[0]->ct.type, *to = e->ct.type;
    struct value v;
    if (!expr_eval(e->args[0], cx, &v, err))
        return false;
    if (v.null) {
        *out = value_null();
        return true;
    }
    if (readers[to->kind](to, as_text(from, v, cx->arena), cx->arena, out, err))
        return true;
    if (e->nargs < 2 || strcmp(err->sqlstate, ERR_FEATURE_NOT_SUPPORTED) != 0)
        return false;
    err_clear(err);
    return expr_eval(e->args[1], cx, out, err);
}
