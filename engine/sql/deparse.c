/*
 * deparse: see deparse.h.
 */
#include "engine/sql/deparse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/sql/refuse.h"

#define MAX_ARGS  400 /* of a question; each is an array parameter */
#define MAX_LABEL 120

void deparse_init(struct deparse *d, struct binder *b)
{
    *d = (struct deparse){.b = b};
    if (!b->cat->names)
        deparse_refuse(d, "an expression without a native version");
}

void deparse_refuse(struct deparse *d, const char *what)
{
    if (!d->failed)
        err_soft(d->b->err, "%s", what);
    d->failed = true;
}

/* ------------------------------------------------------------ text */

void deparse_text(struct deparse *d, const char *sql)
{
    buf_adds(&d->text, sql);
}

void deparse_textf(struct deparse *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&d->text, fmt, ap);
    va_end(ap);
}

void deparse_quoted(struct deparse *d, const char *s, char quote)
{
    buf_addc(&d->text, quote);
    for (; *s; s++) {
        if (*s == quote)
            buf_addc(&d->text, quote);
        buf_addc(&d->text, *s);
    }
    buf_addc(&d->text, quote);
}

void deparse_label(struct deparse *d, const char *label)
{
    if (d->label.len < MAX_LABEL)
        buf_addf(&d->label, "%s%s", d->label.len ? ", " : "", label);
}

/* Ends the part under way; behind it stands argument arg. */
static void end_part(struct deparse *d, int32_t arg)
{
    struct delegate_part p = {arena_strndup(d->b->arena, buf_cstr(&d->text), d->text.len), arg};
    AVEC_PUSH(d->b->arena, d->parts, p);
    buf_reset(&d->text);
}

/* ------------------------------------------------------------ names */

static const struct cat_type_name *type_name(struct deparse *d, uint32_t type, int32_t typmod)
{
    const struct catalog *cat = d->b->cat;
    if (d->failed)
        return NULL;
    const struct cat_type_name *t = cat->names->type(cat->ctx, type, typmod, d->b->err);
    d->failed = !t;
    return t;
}

void deparse_type(struct deparse *d, uint32_t type, int32_t typmod)
{
    const struct cat_type_name *t = type_name(d, type, typmod);
    if (t)
        deparse_text(d, t->sql);
}

static void add_name(struct deparse *d, const char *sql)
{
    d->failed = !sql;
    if (sql)
        deparse_text(d, sql);
}

void deparse_field(struct deparse *d, uint32_t type, uint32_t funcid, int no)
{
    const struct catalog *cat = d->b->cat;
    if (!d->failed)
        add_name(d, cat->names->field(cat->ctx, type, funcid, no, d->b->err));
}

static bool is_lasting(const struct cat_call *f, uint32_t funcid)
{
    return f->volatility == 'i' ||
           (f->volatility == 's' && f->is_builtin && deparse_is_pinned(f->name, funcid));
}

static const struct cat_call *checked_function(struct deparse *d, uint32_t funcid)
{
    const struct catalog *cat = d->b->cat;
    char volatility;
    if (d->failed)
        return NULL;
    const struct cat_call *f = cat->names->function(cat->ctx, funcid, d->b->err);
    if (f && f->may_execute && is_lasting(f, funcid)) {
        d->cost += f->cost;
        buf_adds(&d->marks, f->mark);
        return f;
    }
    if (f && !f->may_execute)
        err_set(d->b->err, "42501", "permission denied for function %s", f->name);
    else if (f)
        refuse_function(cat->function_name(cat->ctx, funcid, &volatility), f->volatility,
                        d->b->err);
    d->failed = true;
    return NULL;
}

void deparse_check_function(struct deparse *d, uint32_t funcid)
{
    (void)checked_function(d, funcid);
}

void deparse_function(struct deparse *d, uint32_t funcid)
{
    const struct cat_call *f = checked_function(d, funcid);
    if (!f)
        return;
    deparse_text(d, f->sql);
    deparse_label(d, f->name);
}

void deparse_operator(struct deparse *d, uint32_t opno, uint32_t funcid)
{
    const struct cat_call *f = checked_function(d, funcid);
    const struct catalog *cat = d->b->cat;
    if (!f)
        return;
    const struct cat_operator *op = cat->names->op(cat->ctx, opno, d->b->err);
    add_name(d, op ? op->sql : NULL);
    deparse_label(d, f->name);
}

/* ------------------------------------------------------------ types that can travel */

#define MAX_TYPE_DEPTH 20

/* Their text names objects of the catalog, as the session's search path has it. */
static bool is_of_catalog(uint32_t oid)
{
    static const uint32_t oids[] = {24,   1033, 2202, 2203, 2204, 2205,
                                    2206, 3734, 3769, 4089, 4096, 4191};
    for (size_t i = 0; i < sizeof oids / sizeof *oids; i++)
        if (oids[i] == oid)
            return true;
    return false;
}

static bool has_catalog_text(const struct type *t, int depth)
{
    if (depth > MAX_TYPE_DEPTH || is_of_catalog(t->oid))
        return true;
    if (t->elem && has_catalog_text(t->elem, depth + 1))
        return true;
    for (size_t i = 0; i < t->nfields; i++)
        if (has_catalog_text(t->fields[i].type, depth + 1))
            return true;
    return false;
}

/* Whether values of the type can be printed and read back on the way. */
static void check_type(struct deparse *d, const struct type *t, const struct cat_type_name *n)
{
    char what[200];
    if (!n || d->failed)
        return;
    snprintf(what, sizeof what, "a function of type %.100s", t->name);
    if (n->io != 'i' || has_catalog_text(t, 0))
        deparse_refuse(d, what);
}

void deparse_check_type(struct deparse *d, const struct type *t)
{
    check_type(d, t, type_name(d, t->oid, -1));
}

/* ------------------------------------------------------------ arguments */

static void add_constant(struct deparse *d, const struct expr *e)
{
    struct buf text = {0};
    if (e->value.null) {
        deparse_text(d, "NULL");
        return;
    }
    value_print(e->ct.type, e->value, &text);
    if (memchr(text.data ? text.data : "", 0, text.len))
        deparse_refuse(d, "a constant with a NUL in it");
    deparse_quoted(d, buf_cstr(&text), '\'');
    buf_fini(&text);
}

static bool same_column(const struct expr *x, const struct expr *y)
{
    return x == y || (x->kind == EXPR_COLUMN && y->kind == EXPR_COLUMN && x->rel == y->rel &&
                      x->col == y->col && x->input == y->input);
}

/* The number of the argument, which may have been there before. */
static int32_t arg_number(struct deparse *d, const struct expr *e, const char *array)
{
    size_t i = 0;
    while (i < d->args.n && !same_column(d->args.v[i], e))
        i++;
    if (i < d->args.n)
        return (int32_t)i;
    if (i == MAX_ARGS) {
        deparse_refuse(d, "an expression of so many arguments");
        return 0;
    }
    if (!d->arrays)
        d->arrays = ARENA_ARRAY(d->b->arena, const char *, MAX_ARGS);
    d->arrays[d->narrays++] = array;
    AVEC_PUSH(d->b->arena, d->args, e);
    return (int32_t)i;
}

static void add_placeholder(struct deparse *d, const struct expr *e, const struct cat_type_name *n)
{
    if (n->is_pseudo) {
        deparse_refuse(d, "a row of no named type as an argument");
        return;
    }
    check_type(d, e->ct.type, n);
    if (!d->failed)
        end_part(d, arg_number(d, e, n->array ? n->array : "text[]"));
}

static void add_delegated(struct deparse *d, const struct expr *e)
{
    const struct delegate_call *c = e->call;
    for (size_t i = 0; i < c->nparts && !d->failed; i++) {
        int32_t arg = c->parts[i].arg;
        deparse_text(d, c->parts[i].text);
        if (arg >= 0)
            end_part(d, arg_number(d, e->args[arg], c->arrays[arg]));
    }
    deparse_label(d, c->label);
    d->cost += c->cost;
    buf_adds(&d->marks, c->marks);
}

/* Texts that a merged call reads as dates must be seen before they travel. */
static bool can_merge(const struct deparse *d, const struct expr *e)
{
    return e->kind == EXPR_DELEGATED && !d->timeless && !e->call->timeless;
}

void deparse_arg(struct deparse *d, const struct expr *e, uint32_t collation)
{
    const struct cat_type_name *n = type_name(d, e->ct.type->oid, -1);
    const struct catalog *cat = d->b->cat;
    if (!n)
        return;
    deparse_text(d, "(");
    if (can_merge(d, e))
        add_delegated(d, e);
    else if (e->kind == EXPR_CONST && !d->timeless)
        add_constant(d, e);
    else
        add_placeholder(d, e, n);
    if (!n->is_pseudo)
        deparse_textf(d, ")::%s", n->sql);
    else
        deparse_text(d, ")");
    if (!n->is_collatable)
        return;
    if (collation) {
        deparse_text(d, " COLLATE ");
        if (!d->failed)
            add_name(d, cat->names->collation(cat->ctx, collation, d->b->err));
    }
}

void deparse_args(struct deparse *d, const struct expr *const *v, size_t n, uint32_t collation)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            deparse_text(d, ", ");
        deparse_arg(d, v[i], collation);
    }
}

/* ------------------------------------------------------------ the end */

static const struct expr *make(struct deparse *d, struct column_type result)
{
    struct delegate_call *c = ARENA_NEW(d->b->arena, struct delegate_call);
    const struct cat_type_name *n = type_name(d, result.type->oid, -1);
    check_type(d, result.type, n);
    if (d->failed)
        return NULL;
    end_part(d, -1);
    c->label = arena_strndup(d->b->arena, buf_cstr(&d->label), d->label.len);
    c->parts = d->parts.v;
    c->nparts = d->parts.n;
    c->arrays = d->arrays;
    c->result = n->is_pseudo ? NULL : arena_strdup(d->b->arena, n->sql);
    c->marks = arena_strndup(d->b->arena, buf_cstr(&d->marks), d->marks.len);
    c->cost = d->cost;
    c->timeless = d->timeless;
    return expr_delegated(d->b->arena, c, d->args.v, d->args.n, result);
}

const struct expr *deparse_finish(struct deparse *d, struct column_type result)
{
    const struct expr *e = d->failed ? NULL : make(d, result);
    buf_fini(&d->text);
    buf_fini(&d->label);
    buf_fini(&d->marks);
    return e;
}
