/*
 * expr_print: an expression as SQL-like text, for EXPLAIN, logs and golden tests.
 *
 * Two expressions that mean different things print differently: constants and casts name their
 * types, functions print by name or by the symbol of their operator, a collation other than the
 * database's default is shown.
 */
#include "engine/expr/delegate.h"
#include "engine/expr/eval.h"

#define DEFAULT_COLLATION 100 /* OID of pg_collation's "default" */

static void print_type(const struct column_type *ct, struct buf *b)
{
    buf_addf(b, "::%s", ct->type->name);
    if (ct->typmod >= 0)
        buf_addf(b, "(%d)", ct->typmod);
}

static void print_quoted(const char *s, size_t len, struct buf *b)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\'')
            buf_addc(b, '\'');
        buf_addc(b, s[i]);
    }
    buf_addc(b, '\'');
}

static void print_const(const struct expr *e, struct buf *b)
{
    struct buf text;
    if (e->value.null) {
        buf_adds(b, "NULL");
        print_type(&e->ct, b);
        return;
    }
    if (e->ct.type->kind == TYPE_BOOL) {
        buf_adds(b, e->value.i ? "true" : "false");
        return;
    }
    if (e->ct.type->kind == TYPE_INT4) {
        buf_add_i64(b, e->value.i);
        return;
    }
    buf_init(&text);
    value_print(e->ct.type, e->value, &text);
    print_quoted(text.data, text.len, b);
    print_type(&e->ct, b);
    buf_fini(&text);
}

static void print_column(const struct expr *e, const char *const *names, struct buf *b)
{
    if (e->rel)
        buf_addf(b, "r%u.%u", e->rel, e->col);
    else if (e->input)
        buf_addf(b, "#%u.%u", e->input, e->col);
    else if (names)
        buf_adds(b, names[e->col]);
    else
        buf_addf(b, "#%u", e->col);
}

static void print_args(const struct expr *e, uint32_t from, const char *separator,
                       const char *const *names, struct buf *b)
{
    buf_addc(b, '(');
    for (uint32_t i = from; i < e->nargs; i++) {
        if (i > from)
            buf_adds(b, separator);
        expr_print(e->args[i], names, b);
    }
    buf_addc(b, ')');
}

static void print_collation(const struct expr *e, struct buf *b)
{
    bool matters = e->kind == EXPR_MINMAX || (e->func && e->func->coll != COLL_NONE);
    if (matters && e->collation && e->collation->oid != DEFAULT_COLLATION)
        buf_addf(b, " COLLATE \"%s\"", e->collation->name);
}

static void print_func(const struct expr *e, const char *const *names, struct buf *b)
{
    const char *symbol = e->func->symbol;
    if (symbol && e->nargs == 2) {
        buf_addc(b, '(');
        expr_print(e->args[0], names, b);
        buf_addf(b, " %s ", symbol);
        expr_print(e->args[1], names, b);
        buf_addc(b, ')');
    } else if (symbol && e->nargs == 1) {
        buf_addf(b, "(%s ", symbol);
        expr_print(e->args[0], names, b);
        buf_addc(b, ')');
    } else {
        buf_adds(b, e->func->name);
        print_args(e, 0, ", ", names, b);
    }
    print_collation(e, b);
}

static void print_case(const struct expr *e, const char *const *names, struct buf *b)
{
    uint32_t i;
    buf_adds(b, "CASE");
    for (i = 0; i + 1 < e->nargs; i += 2) {
        buf_adds(b, " WHEN ");
        expr_print(e->args[i], names, b);
        buf_adds(b, " THEN ");
        expr_print(e->args[i + 1], names, b);
    }
    buf_adds(b, " ELSE ");
    expr_print(e->args[i], names, b);
    buf_adds(b, " END");
}

static void print_in(const struct expr *e, const char *const *names, struct buf *b)
{
    const char *symbol = e->func->symbol ? e->func->symbol : e->func->name;
    buf_addc(b, '(');
    expr_print(e->args[0], names, b);
    buf_addf(b, " %s %s ", symbol, e->flag ? "ANY" : "ALL");
    print_args(e, 1, ", ", names, b);
    buf_addc(b, ')');
    print_collation(e, b);
}

static void print_list(const struct expr *e, uint32_t from, const char *open,
                       const char *const *names, struct buf *b)
{
    buf_adds(b, open);
    for (uint32_t i = from; i < e->nargs; i++) {
        if (i > from)
            buf_adds(b, ", ");
        expr_print(e->args[i], names, b);
    }
    buf_addc(b, ']');
}

/* "(x <suffix>)" */
static void print_test(const struct expr *e, const char *suffix, const char *const *names,
                       struct buf *b)
{
    buf_addc(b, '(');
    expr_print(e->args[0], names, b);
    buf_addf(b, " %s)", suffix);
}

static void print_call(const struct expr *e, const char *name, const char *const *names,
                       struct buf *b)
{
    buf_adds(b, name);
    print_args(e, 0, ", ", names, b);
    print_collation(e, b);
}

static void print_distinct(const struct expr *e, const char *const *names, struct buf *b)
{
    buf_addc(b, '(');
    expr_print(e->args[0], names, b);
    buf_adds(b, e->flag ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
    expr_print(e->args[1], names, b);
    buf_addc(b, ')');
    print_collation(e, b);
}

static void print_delegated(const struct expr *e, const char *const *names, struct buf *b)
{
    buf_addf(b, "delegated: %s ", e->call->label);
    print_args(e, 0, ", ", names, b);
}

void expr_print(const struct expr *e, const char *const *names, struct buf *b)
{
    static const char *const tests[] = {
        [IS_TRUE] = "IS TRUE",       [IS_NOT_TRUE] = "IS NOT TRUE",
        [IS_FALSE] = "IS FALSE",     [IS_NOT_FALSE] = "IS NOT FALSE",
        [IS_UNKNOWN] = "IS UNKNOWN", [IS_NOT_UNKNOWN] = "IS NOT UNKNOWN",
    };
    switch (e->kind) {
    case EXPR_COLUMN: print_column(e, names, b); break;
    case EXPR_CONST: print_const(e, b); break;
    case EXPR_FUNC: print_func(e, names, b); break;
    case EXPR_AND: print_args(e, 0, " AND ", names, b); break;
    case EXPR_OR: print_args(e, 0, " OR ", names, b); break;
    case EXPR_NOT: print_call(e, "NOT ", names, b); break;
    case EXPR_IS_NULL: print_test(e, e->flag ? "IS NOT NULL" : "IS NULL", names, b); break;
    case EXPR_BOOL_TEST: print_test(e, tests[e->op], names, b); break;
    case EXPR_DISTINCT: print_distinct(e, names, b); break;
    case EXPR_ROW: print_call(e, "ROW", names, b); break;
    case EXPR_APPEND: print_args(e, 0, " || ", names, b); break;
    case EXPR_ON_PATH: print_args(e, 0, " IS ON ", names, b); break;
    case EXPR_SAME: print_args(e, 0, " IS ", names, b); break;
    case EXPR_RAISE: buf_adds(b, "ERROR"); break;
    case EXPR_CASE: print_case(e, names, b); break;
    case EXPR_COALESCE: print_call(e, "COALESCE", names, b); break;
    case EXPR_NULLIF: print_call(e, "NULLIF", names, b); break;
    case EXPR_MINMAX: print_call(e, e->flag ? "GREATEST" : "LEAST", names, b); break;
    case EXPR_IN:
    case EXPR_IN_ARRAY: print_in(e, names, b); break;
    case EXPR_ARRAY: print_list(e, 0, "ARRAY[", names, b); break;
    case EXPR_ELEMENT:
        expr_print(e->args[0], names, b);
        print_list(e, 1, "[", names, b);
        break;
    case EXPR_RELABEL:
    case EXPR_VIA_IO:
        expr_print(e->args[0], names, b);
        print_type(&e->ct, b);
        break;
    case EXPR_DELEGATED: print_delegated(e, names, b); break;
    }
}
