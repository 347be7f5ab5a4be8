/*
 * lexpr: expressions over column identities: what they use, what they become when columns are
 * replaced, what they say about NULLs. Declared in logical.h; used by the passes.
 */
#include "engine/plan/logical.h"

#include "engine/expr/pgfuncs.h"

void exprs_append(struct arena *a, struct exprs *l, const struct expr *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        AVEC_PUSH(a, *l, v[i]);
}

const struct expr *expr_subst(struct arena *a, const struct expr *e, expr_subst_fn *fn, void *ctx)
{
    bool changed = false;
    if (e->kind == EXPR_COLUMN) {
        const struct expr *by = fn(ctx, e);
        return by ? by : e;
    }
    if (!e->nargs)
        return e;
    const struct expr **args = ARENA_ARRAY(a, const struct expr *, e->nargs);
    for (uint32_t i = 0; i < e->nargs; i++) {
        args[i] = expr_subst(a, e->args[i], fn, ctx);
        changed |= args[i] != e->args[i];
    }
    return changed ? expr_fold(a, expr_with_args(a, e, args)) : e;
}

size_t expr_size(const struct expr *e, size_t max)
{
    size_t n = 1;
    for (uint32_t i = 0; i < e->nargs && n < max; i++)
        n += expr_size(e->args[i], max - n);
    return n;
}

static bool is_among(const struct expr *column, const struct lcol *cols, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cols[i].rel == column->rel && cols[i].no == column->col)
            return true;
    return false;
}

bool expr_refs_any(const struct expr *e, const struct lcol *cols, size_t n)
{
    if (e->kind == EXPR_COLUMN)
        return is_among(e, cols, n);
    for (uint32_t i = 0; i < e->nargs; i++)
        if (expr_refs_any(e->args[i], cols, n))
            return true;
    return false;
}

bool expr_refs_only(const struct expr *e, const struct lcol *cols, size_t n)
{
    if (e->kind == EXPR_COLUMN)
        return is_among(e, cols, n);
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!expr_refs_only(e->args[i], cols, n))
            return false;
    return true;
}

bool expr_has_columns(const struct expr *e)
{
    if (e->kind == EXPR_COLUMN)
        return true;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (expr_has_columns(e->args[i]))
            return true;
    return false;
}

static bool is_comparison(const struct pgfunc *f)
{
    static const char *const symbols[] = {"=", "<>", "<", "<=", ">", ">="};
    for (size_t i = 0; f && f->symbol && i < sizeof symbols / sizeof *symbols; i++)
        if (strcmp(f->symbol, symbols[i]) == 0)
            return true;
    return false;
}

bool expr_is_safe(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_COLUMN:
    case EXPR_CONST:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_BOOL_TEST:
    case EXPR_SAME:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_RELABEL: break;
    case EXPR_FUNC:
    case EXPR_DISTINCT:
    case EXPR_IN:
        if (!is_comparison(e->func))
            return false;
        break;
    default: return false;
    }
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!expr_is_safe(e->args[i]))
            return false;
    return true;
}

/* ------------------------------------------------------------ NULLs */

/* Whether e is surely NULL when all these columns are. An error counts as nothing: then the row
 * never gets anywhere. */
static bool is_null_with(const struct expr *e, const struct lcol *cols, size_t n)
{
    switch (e->kind) {
    case EXPR_COLUMN: return is_among(e, cols, n);
    case EXPR_CONST: return e->value.null;
    case EXPR_ELEMENT:
    case EXPR_FUNC: /* every native function is strict */
        for (uint32_t i = 0; i < e->nargs; i++)
            if (is_null_with(e->args[i], cols, n))
                return true;
        return false;
    case EXPR_NOT:
    case EXPR_RELABEL:
    case EXPR_VIA_IO:
    case EXPR_NULLIF: return is_null_with(e->args[0], cols, n);
    case EXPR_IN: /* of an empty list the answer is known without x */
        return e->nargs > 1 && is_null_with(e->args[0], cols, n);
    case EXPR_IN_ARRAY: return is_null_with(e->args[1], cols, n);
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_COALESCE:
    case EXPR_MINMAX:
        for (uint32_t i = 0; i < e->nargs; i++)
            if (!is_null_with(e->args[i], cols, n))
                return false;
        return true;
    case EXPR_IS_NULL:
    case EXPR_BOOL_TEST:
    case EXPR_DISTINCT:
    case EXPR_SAME:
    case EXPR_ROW:
    case EXPR_APPEND:
    case EXPR_ON_PATH:
    case EXPR_RAISE:
    case EXPR_CASE:
    case EXPR_ARRAY:
    case EXPR_DELEGATED: return false;
    }
    return false;
}

static bool test_rejects_nulls(const struct expr *e, const struct lcol *cols, size_t n)
{
    switch ((enum bool_test)e->op) {
    case IS_TRUE: return expr_rejects_nulls(e->args[0], cols, n);
    case IS_FALSE:
    case IS_NOT_UNKNOWN: return is_null_with(e->args[0], cols, n);
    case IS_NOT_TRUE:
    case IS_NOT_FALSE:
    case IS_UNKNOWN: break;
    }
    return false;
}

bool expr_rejects_nulls(const struct expr *e, const struct lcol *cols, size_t n)
{
    switch (e->kind) {
    case EXPR_AND:
        for (uint32_t i = 0; i < e->nargs; i++)
            if (expr_rejects_nulls(e->args[i], cols, n))
                return true;
        return false;
    case EXPR_OR:
        for (uint32_t i = 0; i < e->nargs; i++)
            if (!expr_rejects_nulls(e->args[i], cols, n))
                return false;
        return e->nargs > 0;
    case EXPR_IS_NULL: return e->flag && is_null_with(e->args[0], cols, n);
    case EXPR_BOOL_TEST: return test_rejects_nulls(e, cols, n);
    case EXPR_CONST: return e->value.null || !e->value.i;
    default: return is_null_with(e, cols, n);
    }
}
