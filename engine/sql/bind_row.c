/*
 * bind_row: arrays and rows in expressions: ARRAY[…], ANY and ALL, ROW(…), comparisons of rows, rows
 * of whole tables.
 *
 * Arrays of one dimension are native, and what takes a row apart again: (a, b) < (c, d),
 * ROW(a, b) IS NULL. Where the row itself is wanted Postgres makes it.
 */
#include "engine/sql/bind_row.h"

#include <string.h>

#include "engine/sql/bind_delegate.h"
#include "engine/sql/refuse.h"

/* ------------------------------------------------------------ arrays */

/* ARRAY[…] of these. */
static const struct expr *array_of(struct binder *b, const struct pgnode *node,
                                   const struct expr *const *v, size_t n)
{
    struct column_type ct;
    if (!bind_type(b, pgn_oid(node, "array_typeid"), -1, pgn_oid(node, "array_collid"), &ct))
        return NULL;
    if (!pgn_bool(node, "multidims")) {
        const struct expr *e = expr_array(b->arena, v, n, ct, b->err);
        if (e || !bind_can_delegate(b))
            return bind_fold(b, e);
    }
    return delegated_array(b, node, v, n, ct);
}

const struct expr *bind_array(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    size_t n;
    const struct expr **v = bind_args(b, sc, pgn_field(node, "elements"), &n);
    return v ? array_of(b, node, v, n) : NULL;
}

const struct expr *bind_array_op(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *args = pgn_field(node, "args");
    size_t n;
    bool ok;
    if (args->n != 2) {
        bind_broken(b, "an array operator without two arguments");
        return NULL;
    }
    const struct pgnode *list = args->items[1];
    const struct collation *coll = bind_input_collation(b, node, &ok);
    const struct expr *x = ok ? bind_expr(b, sc, args->items[0]) : NULL;
    if (!x)
        return NULL;
    if (!pgn_is(list, "ARRAYEXPR") || pgn_bool(list, "multidims")) {
        const struct expr *array = bind_expr(b, sc, list);
        if (!array)
            return NULL;
        const struct expr *in = expr_in_array(b->arena, pgn_oid(node, "opfuncid"),
                                              pgn_bool(node, "useOr"), x, array, coll, b->err);
        if (in || !bind_can_delegate(b))
            return bind_fold(b, in);
        return delegated_array_op(b, node, x, array);
    }
    const struct expr **items = bind_args(b, sc, pgn_field(list, "elements"), &n);
    if (!items)
        return NULL;
    const struct expr *e = expr_in(b->arena, pgn_oid(node, "opfuncid"), pgn_bool(node, "useOr"), x,
                                   items, n, coll, b->err);
    if (e || !bind_can_delegate(b))
        return bind_fold(b, e);
    const struct expr *array = array_of(b, list, items, n);
    return array ? delegated_array_op(b, node, x, array) : NULL;
}

/* ------------------------------------------------------------ rows */

/* ROW(…) IS [NOT] NULL: all of its fields are. */
static const struct expr *bind_row_null_test(struct binder *b, struct scope *sc,
                                             const struct pgnode *row, bool negated)
{
    size_t n;
    const struct expr **v = bind_args(b, sc, pgn_field(row, "args"), &n);
    for (size_t i = 0; v && i < n; i++)
        v[i] = bind_fold(b, expr_is_null(b->arena, v[i], negated));
    return v ? bind_fold(b, expr_bool(b->arena, EXPR_AND, v, n)) : NULL;
}

/* op(x, y) of the comparison under way. */
static const struct expr *compare(struct binder *b, uint32_t funcid, const struct expr *x,
                                  const struct expr *y, const struct collation *coll)
{
    const struct expr *args[2] = {x, y};
    struct column_type boolean = {type_native(OID_BOOL), -1, NULL};
    return expr_func(b->arena, funcid, NULL, args, 2, boolean, coll, b->err);
}

static const struct expr *negation(struct binder *b, const struct expr *e)
{
    return expr_bool(b->arena, EXPR_NOT, &e, 1);
}

/*
 * (x, …) < (y, …): the first pair that isn't equal decides, and one with a NULL leaves it open:
 *
 *     CASE WHEN x IS NULL OR y IS NULL THEN NULL WHEN x < y THEN true WHEN y < x THEN false ELSE …
 *
 * With <= the tests are NOT y <= x and NOT x <= y. The last pair is compared by the operator itself.
 */
static const struct expr *first_difference(struct binder *b, uint32_t funcid, bool strict,
                                           const struct expr *x, const struct expr *y,
                                           const struct collation *coll, const struct expr *rest)
{
    struct column_type boolean = {type_native(OID_BOOL), -1, NULL};
    const struct expr *nulls[2] = {expr_is_null(b->arena, x, false),
                                   expr_is_null(b->arena, y, false)};
    const struct expr *xy = compare(b, funcid, x, y, coll), *yx = compare(b, funcid, y, x, coll);
    if (!xy || !yx)
        return NULL;
    const struct expr *args[] = {expr_bool(b->arena, EXPR_OR, nulls, 2),
                                 expr_const(b->arena, value_null(), boolean),
                                 strict ? xy : negation(b, yx),
                                 expr_const(b->arena, value_bool(true), boolean),
                                 strict ? yx : negation(b, xy),
                                 expr_const(b->arena, value_bool(false), boolean),
                                 rest};
    return expr_case(b->arena, args, 7, boolean);
}

static uint32_t function_of(struct binder *b, uint32_t opno)
{
    const struct catalog_names *names = b->cat->names;
    const struct cat_operator *op = names ? names->op(b->cat->ctx, opno, b->err) : NULL;
    return op ? op->funcid : 0;
}

static const struct expr *native_row_compare(struct binder *b, const struct pgnode *node,
                                             const struct expr *const *l,
                                             const struct expr *const *r, size_t n)
{
    const struct pgnode *ops = pgn_field(node, "opnos"), *colls = pgn_field(node, "inputcollids");
    int64_t type = pgn_int(node, "rctype"); /* 1 <, 2 <=, 4 >=, 5 > */
    const struct expr *e = NULL;
    for (size_t i = n; i-- > 0;) {
        uint32_t funcid = function_of(b, (uint32_t)pgn_atom_int(ops->items[i]));
        uint32_t oid = i < colls->n ? (uint32_t)pgn_atom_int(colls->items[i]) : 0;
        const struct collation *coll = oid ? b->cat->collation(b->cat->ctx, oid, b->err) : NULL;
        if (!funcid || l[i]->ct.type != r[i]->ct.type) {
            err_soft(b->err, "a comparison of rows");
            return NULL;
        }
        if (oid && !coll)
            return NULL;
        e = e ? first_difference(b, funcid, type == 1 || type == 5, l[i], r[i], coll, e)
              : compare(b, funcid, l[i], r[i], coll);
        if (!e)
            return NULL;
    }
    return e;
}

const struct expr *bind_row_compare(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    size_t nl, nr;
    const struct expr **l = bind_args(b, sc, pgn_field(node, "largs"), &nl);
    const struct expr **r = l ? bind_args(b, sc, pgn_field(node, "rargs"), &nr) : NULL;
    if (!r)
        return NULL;
    if (!nl || nl != nr || pgn_field(node, "opnos")->n != nl) {
        bind_broken(b, "a comparison of rows of unknown form");
        return NULL;
    }
    const struct expr *e = native_row_compare(b, node, l, r, nl);
    return !e && bind_can_delegate(b) ? delegated_row_compare(b, node, l, r, nl) : bind_fold(b, e);
}

const struct expr *bind_row(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    size_t n;
    const struct expr **v = bind_args(b, sc, pgn_field(node, "args"), &n);
    return v ? delegated_row(b, pgn_oid(node, "row_typeid"), NULL, v, n) : NULL;
}

/* ------------------------------------------------------------ rows of whole tables */

static bool has_outer_join(const struct scope *sc)
{
    for (size_t i = 0; i < sc->nrtes; i++)
        if (pgn_int(sc->rtes[i].node, "rtekind") == 2 && pgn_int(sc->rtes[i].node, "jointype"))
            return true;
    return false;
}

/* Whether something in the tree refers to the whole row; level: queries between. */
static bool wants_whole_row(const struct pgnode *n, int64_t rtindex, int64_t level)
{
    if (pgn_is(n, "VAR"))
        return pgn_int(n, "varno") == rtindex && pgn_int(n, "varattno") == 0 &&
               pgn_int(n, "varlevelsup") == level;
    level += pgn_is(n, "QUERY");
    for (uint32_t i = 0; i < n->n; i++)
        if (wants_whole_row(n->items[i], rtindex, level))
            return true;
    return false;
}

/*
 * Above an outer join the row of a table is NULL where there was no partner, and not a row of NULLs:
 *
 *     SELECT to_jsonb(b) FROM a LEFT JOIN b ON …    -- NULL, not {"x": null, "y": null}
 *
 * Which of the two it is can't be told from its columns, so below the join it gets one more.
 */
struct logical *bind_presence(struct binder *b, struct scope *sc, int64_t rtindex,
                              struct logical *n)
{
    struct rte *rte = bind_find_rte(b, sc, rtindex);
    struct column_type boolean = {type_native(OID_BOOL), -1, NULL};
    if (!rte || !has_outer_join(sc) || !wants_whole_row(sc->query, rtindex, -1))
        return n;
    struct logical *p = logical_new(b->arena, LOGICAL_PROJECT, 1);
    p->in[0] = n;
    p->rel = b->next_rel++;
    p->ncols = p->nexprs = n->ncols + 1;
    p->cols = ARENA_ARRAY(b->arena, struct lcol, p->ncols);
    p->exprs = ARENA_ARRAY(b->arena, const struct expr *, p->ncols);
    for (size_t i = 0; i < n->ncols; i++) {
        p->cols[i] = n->cols[i];
        p->exprs[i] = lcol_expr(b->arena, &n->cols[i]);
    }
    rte->present = (struct lcol){p->rel, 1, boolean, ""};
    p->cols[n->ncols] = rte->present;
    p->exprs[n->ncols] = expr_const(b->arena, value_bool(true), boolean);
    return p;
}

/* Column no of what the VAR means the whole row of. */
static const struct pgnode *column_of(struct binder *b, const struct pgnode *var, size_t no)
{
    struct pgnode *copy = arena_memdup(b->scratch, var, sizeof *var);
    struct pgnode *attno = ARENA_NEW(b->scratch, struct pgnode);
    *attno = (struct pgnode){.kind = PGN_ATOM, .text = arena_printf(b->scratch, "%zu", no)};
    attno->len = (uint32_t)strlen(attno->text);
    copy->items = arena_memdup(b->scratch, var->items, var->n * sizeof(struct pgnode *));
    for (uint32_t i = 0; i < var->n; i++)
        if (strcmp(var->names[i], "varattno") == 0)
            copy->items[i] = attno;
    return copy;
}

/* Whether all columns are NULL, or none is; where there was no partner, all are. */
static const struct expr *table_null_test(struct binder *b, struct scope *sc,
                                          const struct pgnode *var, bool negated)
{
    struct scope *home = sc;
    struct exprs tests = {0};
    for (int64_t up = pgn_int(var, "varlevelsup"); up > 0 && home; up--)
        home = home->parent;
    struct rte *rte = home ? bind_find_rte(b, home, pgn_int(var, "varno")) : NULL;
    if (!rte || !rte->bound) {
        bind_broken(b, "a row of a table that isn't there");
        return NULL;
    }
    for (size_t i = 0; i < rte->ncols; i++) {
        if (!rte->cols[i].rel)
            continue;
        const struct expr *e = bind_expr(b, sc, column_of(b, var, i + 1));
        if (!e)
            return NULL;
        AVEC_PUSH(b->arena, tests, bind_fold(b, expr_is_null(b->arena, e, negated)));
    }
    return bind_fold(b, expr_bool(b->arena, EXPR_AND, tests.v, tests.n));
}

const struct expr *bind_null_test(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *tested = pgn_field(node, "arg");
    bool negated = pgn_int(node, "nulltesttype") == 1, row = pgn_bool(node, "argisrow");
    if (row && pgn_is(tested, "ROWEXPR"))
        return bind_row_null_test(b, sc, tested, negated);
    if (row && pgn_is(tested, "VAR") && pgn_int(tested, "varattno") == 0)
        return table_null_test(b, sc, tested, negated);
    const struct expr *arg = bind_expr(b, sc, tested);
    if (!arg)
        return NULL;
    return row ? delegated_null_test(b, arg, negated)
               : bind_fold(b, expr_is_null(b->arena, arg, negated));
}

/* The row, or NULL where the presence column is. */
static const struct expr *row_or_null(struct binder *b, const struct rte *rte,
                                      const struct expr *row)
{
    const struct expr *present = lcol_expr(b->arena, &rte->present);
    const struct expr *args[] = {expr_is_null(b->arena, present, false),
                                 expr_const(b->arena, value_null(), row->ct), row};
    return expr_case(b->arena, args, 3, row->ct);
}

const struct expr *bind_whole_row(struct binder *b, struct scope *sc, const struct rte *rte,
                                  const struct pgnode *var)
{
    const struct expr **v = ARENA_ARRAY(b->arena, const struct expr *, rte->ncols + 1);
    const char **names = ARENA_ARRAY(b->arena, const char *, rte->ncols + 1);
    const struct pgnode *given = pgn_field(pgn_field(rte->node, "eref"), "colnames");
    size_t n = 0;
    if (!rte->bound || !b->cat->names || (has_outer_join(sc) && !rte->present.rel)) {
        err_soft(b->err, "a whole-row reference to a table");
        return NULL;
    }
    for (size_t i = 0; i < rte->ncols; i++) {
        if (!rte->cols[i].rel)
            continue;
        names[n] = i < given->n ? given->items[i]->text : rte->cols[i].name;
        if (!(v[n++] = bind_expr(b, sc, column_of(b, var, i + 1))))
            return NULL;
    }
    const struct expr *row = delegated_row(b, pgn_oid(var, "vartype"), names, v, n);
    return row && rte->present.rel ? row_or_null(b, rte, row) : row;
}
