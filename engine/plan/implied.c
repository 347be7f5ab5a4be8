/*
 * implied: see implied.h.
 */
#include "engine/plan/implied.h"

#include "engine/expr/pgfuncs.h"

/* ------------------------------------------------------------ constants along equalities */

static bool is_equality(const struct expr *e)
{
    return e->kind == EXPR_FUNC && e->nargs == 2 && e->func && e->func->symbol &&
           strcmp(e->func->symbol, "=") == 0;
}

static bool same_type(const struct expr *x, const struct expr *y)
{
    return x->ct.type == y->ct.type && x->ct.collation == y->ct.collation;
}

/* column = constant; *column and *constant say which is which. */
static bool is_pinned(const struct expr *e, const struct expr **column,
                      const struct expr **constant)
{
    if (!is_equality(e))
        return false;
    bool swapped = e->args[0]->kind == EXPR_CONST;
    *column = e->args[swapped];
    *constant = e->args[!swapped];
    return (*column)->kind == EXPR_COLUMN && (*constant)->kind == EXPR_CONST &&
           (*column)->ct.type == (*constant)->ct.type;
}

static bool is_column(const struct expr *x, const struct expr *y)
{
    return x->rel == y->rel && x->col == y->col;
}

static bool says_already(const struct exprs *l, const struct expr *e)
{
    for (size_t i = 0; i < l->n; i++)
        if (expr_equal(l->v[i], e))
            return true;
    return false;
}

/* What `pin` (column = constant) says of the other side of `link` (column = column); or NULL. */
static const struct expr *follow(struct arena *a, const struct expr *pin, const struct expr *link)
{
    const struct expr *column, *constant, *other = NULL;
    struct err err;
    if (!is_pinned(pin, &column, &constant) || !is_equality(link) || link->func != pin->func ||
        link->collation != pin->collation)
        return NULL;
    const struct expr *x = link->args[0], *y = link->args[1];
    if (x->kind != EXPR_COLUMN || y->kind != EXPR_COLUMN || !same_type(x, y))
        return NULL;
    if (is_column(x, column))
        other = y;
    else if (is_column(y, column))
        other = x;
    if (!other)
        return NULL;
    const struct expr *args[2] = {other, constant};
    return expr_func(a, pin->func->oid, NULL, args, 2, pin->ct, pin->collation, &err);
}

void implied_constants(struct arena *a, const struct exprs *known, const struct exprs *links,
                       struct exprs *out)
{
    struct exprs pins = {0};
    exprs_append(a, &pins, known->v, known->n);
    for (size_t i = 0; i < pins.n; i++) /* grows by what is found */
        for (size_t k = 0; k < links->n; k++) {
            const struct expr *e = follow(a, pins.v[i], links->v[k]);
            if (!e || says_already(&pins, e))
                continue;
            AVEC_PUSH(a, pins, e);
            AVEC_PUSH(a, *out, e);
        }
}

/* ------------------------------------------------------------ disjunctions */

static void conjuncts(struct arena *a, const struct expr *e, struct exprs *out)
{
    if (e->kind != EXPR_AND) {
        AVEC_PUSH(a, *out, e);
        return;
    }
    for (uint32_t i = 0; i < e->nargs; i++)
        conjuncts(a, e->args[i], out);
}

static const struct expr *joined(struct arena *a, enum expr_kind kind, const struct exprs *l)
{
    return l->n == 1 ? l->v[0] : expr_fold(a, expr_bool(a, kind, l->v, l->n));
}

const struct expr *implied_by_or(struct arena *a, const struct expr *e, const struct lcol *cols,
                                 size_t n)
{
    struct exprs arms = {0};
    if (e->kind != EXPR_OR)
        return NULL;
    for (uint32_t i = 0; i < e->nargs; i++) {
        struct exprs parts = {0}, ours = {0};
        conjuncts(a, e->args[i], &parts);
        for (size_t k = 0; k < parts.n; k++)
            if (expr_has_columns(parts.v[k]) && expr_refs_only(parts.v[k], cols, n) &&
                expr_is_safe(parts.v[k]))
                AVEC_PUSH(a, ours, parts.v[k]);
        if (!ours.n)
            return NULL;
        AVEC_PUSH(a, arms, joined(a, EXPR_AND, &ours));
    }
    return joined(a, EXPR_OR, &arms);
}

static bool is_in_every_arm(const struct exprs *arms, uint32_t n, const struct expr *e)
{
    for (uint32_t i = 0; i < n; i++)
        if (!says_already(&arms[i], e))
            return false;
    return true;
}

const struct expr *implied_factor(struct arena *a, const struct expr *e)
{
    struct exprs common = {0}, rest = {0};
    if (e->kind != EXPR_OR)
        return e;
    struct exprs *arms = ARENA_ARRAY(a, struct exprs, e->nargs);
    for (uint32_t i = 0; i < e->nargs; i++)
        conjuncts(a, e->args[i], &arms[i]);
    for (size_t k = 0; k < arms[0].n; k++)
        if (is_in_every_arm(arms + 1, e->nargs - 1, arms[0].v[k]) &&
            !says_already(&common, arms[0].v[k]))
            AVEC_PUSH(a, common, arms[0].v[k]);
    if (!common.n)
        return e;
    for (uint32_t i = 0; i < e->nargs; i++) {
        struct exprs own = {0};
        for (size_t k = 0; k < arms[i].n; k++)
            if (!says_already(&common, arms[i].v[k]))
                AVEC_PUSH(a, own, arms[i].v[k]);
        if (!own.n) /* x OR (x AND y) is x */
            return joined(a, EXPR_AND, &common);
        AVEC_PUSH(a, rest, joined(a, EXPR_AND, &own));
    }
    AVEC_PUSH(a, common, joined(a, EXPR_OR, &rest));
    return joined(a, EXPR_AND, &common);
}
