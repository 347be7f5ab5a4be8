/*
 * eval_path: rows, and lists of rows that a recursion has come by, as SEARCH and CYCLE keep them.
 *
 *     EXPR_ROW       the arguments as a record, in the text form of record_out
 *     EXPR_APPEND    args[0], an array of records, with the record args[1] at its end; NULL is empty
 *     EXPR_ON_PATH   whether the record args[0] is an element of args[1]; fields as grouping
 *                    compares them, NULLs equal
 *
 * The types are made for each use, since to_json() shows a record's fields by their names.
 */
#include <ctype.h>
#include <string.h>

#include "engine/expr/eval.h"
#include "engine/value/array_text.h"
#include "engine/value/parts.h"

#define OID_RECORD_ARRAY 2287

static struct expr *path_node(struct arena *a, enum expr_kind kind, struct column_type ct,
                              const struct expr *const *args, size_t n)
{
    struct expr *e = ARENA_NEW(a, struct expr);
    e->kind = kind;
    e->ct = ct;
    e->args = arena_memdup(a, args, n * sizeof *args);
    e->nargs = (uint32_t)n;
    e->eval = eval_choose(e);
    return e;
}

struct expr *expr_row(struct arena *a, const char *const *names, const struct expr *const *args,
                      size_t n)
{
    struct type_field *fields = ARENA_ARRAY(a, struct type_field, n);
    struct type like = {.oid = OID_RECORD, .kind = TYPE_OPAQUE, .rep = REP_BYTES, .name = "record"};
    for (size_t i = 0; i < n; i++)
        fields[i] = (struct type_field){names[i], args[i]->ct.type, args[i]->ct.collation};
    like.json = JSON_COMPOSITE;
    like.order = ORDER_RECORD;
    like.delim = ',';
    like.fields = fields;
    like.nfields = n;
    return path_node(a, EXPR_ROW, (struct column_type){type_new(&like), -1, NULL}, args, n);
}

struct expr *expr_append(struct arena *a, const struct expr *path, const struct expr *row)
{
    const struct expr *args[2] = {path, row};
    struct type like = {.oid = OID_RECORD_ARRAY, .kind = TYPE_OPAQUE, .rep = REP_BYTES};
    like.name = "record[]";
    like.json = JSON_ARRAY;
    like.order = ORDER_ARRAY;
    like.delim = ',';
    like.elem = row->ct.type;
    return path_node(a, EXPR_APPEND, (struct column_type){type_new(&like), -1, NULL}, args, 2);
}

struct expr *expr_on_path(struct arena *a, const struct expr *row, const struct expr *path)
{
    const struct expr *args[2] = {row, path};
    return path_node(a, EXPR_ON_PATH, (struct column_type){type_native(OID_BOOL), -1, NULL}, args,
                     2);
}

/* ------------------------------------------------------------ evaluation */

static bool needs_quotes(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strchr("\"\\(),", s[i]) || isspace((unsigned char)s[i]))
            return true;
    return !len;
}

static void add_field(struct buf *b, const char *s, size_t len)
{
    bool quotes = needs_quotes(s, len);
    if (!quotes) {
        buf_add(b, s, len);
        return;
    }
    buf_addc(b, '"');
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"' || s[i] == '\\')
            buf_addc(b, s[i]);
        buf_addc(b, s[i]);
    }
    buf_addc(b, '"');
}

static bool finish(struct buf *b, struct eval_ctx *cx, struct value *out)
{
    *out = value_bytes(arena_memdup(cx->arena, b->data, b->len), b->len);
    buf_fini(b);
    return true;
}

bool eval_row(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct buf row = {0}, field = {0};
    bool ok = true;
    buf_addc(&row, '(');
    for (uint32_t i = 0; i < e->nargs && ok; i++) {
        struct value v;
        ok = expr_eval(e->args[i], cx, &v, err);
        buf_adds(&row, i ? "," : "");
        if (!ok || v.null)
            continue;
        buf_reset(&field);
        value_print(e->args[i]->ct.type, v, &field);
        add_field(&row, field.data ? field.data : "", field.len);
    }
    buf_addc(&row, ')');
    buf_fini(&field);
    if (ok)
        return finish(&row, cx, out);
    buf_fini(&row);
    return false;
}

bool eval_append(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct value path, row;
    struct buf b = {0};
    if (!expr_eval(e->args[0], cx, &path, err) || !expr_eval(e->args[1], cx, &row, err))
        return false;
    if (path.null || path.len <= 2)
        buf_addc(&b, '{');
    else
        buf_add(&b, path.p, path.len - 1); /* without the brace */
    buf_adds(&b, b.len > 1 ? "," : "");
    array_text_add(&b, (const char *)row.p, row.len, ',');
    buf_addc(&b, '}');
    return finish(&b, cx, out);
}

bool eval_on_path(const struct expr *e, struct eval_ctx *cx, struct value *out, struct err *err)
{
    struct value row, path;
    struct parts parts;
    struct part p;
    if (!expr_eval(e->args[0], cx, &row, err) || !expr_eval(e->args[1], cx, &path, err))
        return false;
    *out = value_bool(false);
    if (path.null)
        return true;
    array_open(e->args[1]->ct.type, path, cx->arena, &parts);
    while (!out->i && array_next(&parts, &p))
        out->i = value_same(&e->args[0]->ct, row, value_bytes(p.text, p.len));
    return true;
}
