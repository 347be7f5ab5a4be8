/*
 * bind_expr: scalar expressions, one function a node tag, found in a table.
 *
 * Operators and functions come resolved to their pg_proc OID; engine/expr has a native version, or
 * Postgres is asked for their values when the plan runs (bind_delegate.h). What is constant is folded
 * at once. Volatility is asked of the catalog only for functions that have no native version: those
 * in the table are immutable, or stable only by settings that the daemon pins.
 *
 * To bind another node: its line in the table at the end, and its line out of refuse.c.
 */
#include "engine/sql/bind.h"

#include <string.h>

#include "engine/expr/pgfuncs.h"
#include "engine/sql/bind_delegate.h"
#include "engine/sql/bind_json.h"
#include "engine/sql/bind_row.h"
#include "engine/sql/refuse.h"

const struct collation *bind_input_collation(struct binder *b, const struct pgnode *node, bool *ok)
{
    uint32_t oid = pgn_oid(node, "inputcollid");
    const struct collation *c = oid ? b->cat->collation(b->cat->ctx, oid, b->err) : NULL;
    *ok = !oid || c;
    return c;
}

const struct expr **bind_args(struct binder *b, struct scope *sc, const struct pgnode *list,
                              size_t *n)
{
    const struct expr **args = ARENA_ARRAY(b->arena, const struct expr *, list->n + 1);
    for (uint32_t i = 0; i < list->n; i++)
        if (!(args[i] = bind_expr(b, sc, list->items[i])))
            return NULL;
    *n = list->n;
    return args;
}

const struct expr *bind_fold(struct binder *b, const struct expr *e)
{
    return e ? expr_fold(b->arena, e) : NULL;
}

bool bind_can_delegate(struct binder *b)
{
    if (!b->cat->names || !b->err->soft)
        return false;
    err_clear(b->err);
    return true;
}

/* ------------------------------------------------------------ functions and operators */

/* Says why a function without a native version can't be had at all. */
static const struct expr *refuse_call(struct binder *b, uint32_t funcid)
{
    char volatility = 0;
    const char *name = b->cat->function_name(b->cat->ctx, funcid, &volatility);
    err_clear(b->err);
    refuse_function(name, volatility, b->err);
    return NULL;
}

/* Native functions take their arguments as they are declared. */
static bool are_in_order(const struct pgnode *args)
{
    for (uint32_t i = 0; i < args->n; i++)
        if (pgn_is(args->items[i], "NAMEDARGEXPR") && pgn_int(args->items[i], "argnumber") != i)
            return false;
    return true;
}

static const struct expr *bind_call(struct binder *b, struct scope *sc, const struct pgnode *node,
                                    const char *func, const char *type, const char *coll)
{
    struct column_type result;
    size_t n;
    bool ok;
    const struct collation *in = bind_input_collation(b, node, &ok);
    uint32_t funcid = pgn_oid(node, func);
    if (!funcid)
        bind_broken(b, "an operator without its function");
    if (!ok || !funcid || !bind_type(b, pgn_oid(node, type), -1, pgn_oid(node, coll), &result))
        return NULL;
    const struct expr **args = bind_args(b, sc, pgn_field(node, "args"), &n);
    if (!args)
        return NULL;
    const struct expr *e = NULL;
    if (are_in_order(pgn_field(node, "args")))
        e = expr_func(b->arena, funcid, NULL, args, n, result, in, b->err);
    else
        err_soft(b->err, "a function with named arguments");
    if (e)
        return bind_fold(b, e);
    if (!bind_can_delegate(b))
        return b->err->soft && !pgfunc_lookup(funcid) ? refuse_call(b, funcid) : NULL;
    return pgn_is(node, "FUNCEXPR") ? delegated_func(b, node, args, n, result)
                                    : delegated_op(b, node, args, n, result);
}

static const struct expr *bind_func(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    if (pgn_bool(node, "funcretset"))
        return bind_target_srf(b, sc, node);
    return bind_call(b, sc, node, "funcid", "funcresulttype", "funccollid");
}

static const struct expr *bind_op(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    if (pgn_bool(node, "opretset")) {
        err_soft(b->err, "a set-returning operator");
        return NULL;
    }
    return bind_call(b, sc, node, "opfuncid", "opresulttype", "opcollid");
}

/* Two arguments and an equality function: IS DISTINCT FROM, NULLIF. */
static const struct expr *bind_by_equality(struct binder *b, struct scope *sc,
                                           const struct pgnode *node)
{
    const struct pgnode *list = pgn_field(node, "args");
    struct column_type result;
    size_t n;
    bool ok;
    const struct collation *coll = bind_input_collation(b, node, &ok);
    uint32_t eq = pgn_oid(node, "opfuncid");
    const struct expr **args = ok ? bind_args(b, sc, list, &n) : NULL;
    if (!args)
        return NULL;
    if (n != 2 || !eq) {
        bind_broken(b, "an equality without two arguments");
        return NULL;
    }
    /* The result of NULLIF is the first argument or NULL, so it has that argument's type. */
    bool distinct = pgn_is(node, "DISTINCTEXPR");
    result = distinct ? (struct column_type){type_native(OID_BOOL), -1, NULL} : args[0]->ct;
    const struct expr *e = distinct
                               ? expr_distinct(b->arena, eq, args[0], args[1], coll, false, b->err)
                               : expr_nullif(b->arena, eq, args[0], args[1], result, coll, b->err);
    return !e && bind_can_delegate(b) ? delegated_op(b, node, args, n, result) : bind_fold(b, e);
}

/* ------------------------------------------------------------ logic */

/* What is evaluated only where cond holds, from here on; for the subqueries in it. */
static void only_where(struct binder *b, struct scope *sc, const struct expr *cond)
{
    const struct expr *both[2] = {sc->guard, cond};
    if (sc->query && pgn_bool(sc->query, "hasSubLinks"))
        sc->guard = sc->guard ? expr_bool(b->arena, EXPR_AND, both, 2) : cond;
}

/* Arguments of which each is evaluated only if those before it leave the answer open. */
static const struct expr **bind_args_in_turn(struct binder *b, struct scope *sc,
                                             const struct pgnode *list, enum expr_kind kind,
                                             size_t *n)
{
    const struct expr **args = ARENA_ARRAY(b->arena, const struct expr *, list->n + 1);
    const struct expr *saved = sc->guard;
    for (uint32_t i = 0; i < list->n; i++) {
        if (!(args[i] = bind_expr(b, sc, list->items[i])))
            return NULL;
        if (kind == EXPR_COALESCE)
            only_where(b, sc, expr_is_null(b->arena, args[i], false));
        else if (kind != EXPR_NOT)
            only_where(
                b, sc,
                expr_bool_test(b->arena, args[i], kind == EXPR_AND ? IS_NOT_FALSE : IS_NOT_TRUE));
    }
    sc->guard = saved;
    *n = list->n;
    return args;
}

static const struct expr *bind_bool(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const char *op = pgn_str(node, "boolop");
    size_t n;
    enum expr_kind kind = EXPR_NOT;
    if (op && strcmp(op, "and") == 0)
        kind = EXPR_AND;
    else if (op && strcmp(op, "or") == 0)
        kind = EXPR_OR;
    const struct expr **args = bind_args_in_turn(b, sc, pgn_field(node, "args"), kind, &n);
    if (!args)
        return NULL;
    if (!op || !n || (kind == EXPR_NOT && n != 1)) {
        bind_broken(b, "a boolean operator of unknown form");
        return NULL;
    }
    return bind_fold(b, expr_bool(b->arena, kind, args, n));
}

static const struct expr *bind_boolean_test(struct binder *b, struct scope *sc,
                                            const struct pgnode *node)
{
    int64_t test = pgn_int(node, "booltesttype");
    const struct expr *arg = bind_expr(b, sc, pgn_field(node, "arg"));
    if (test < IS_TRUE || test > IS_NOT_UNKNOWN)
        bind_broken(b, "a boolean test of unknown kind");
    if (!arg || test < IS_TRUE || test > IS_NOT_UNKNOWN)
        return NULL;
    return bind_fold(b, expr_bool_test(b->arena, arg, (enum bool_test)test));
}

/* ------------------------------------------------------------ conditionals */

static const struct expr *bind_case_test(struct binder *b, struct scope *sc,
                                         const struct pgnode *node)
{
    (void)node;
    if (!sc->case_arg)
        bind_broken(b, "a CASE value outside of CASE");
    return sc->case_arg;
}

static bool bind_case_branches(struct binder *b, struct scope *sc, const struct pgnode *node,
                               struct exprs *args)
{
    const struct pgnode *whens = pgn_field(node, "args");
    for (uint32_t i = 0; i < whens->n; i++) {
        const struct expr *when = bind_expr(b, sc, pgn_field(whens->items[i], "expr"));
        const struct expr *outside = sc->guard;
        if (!when)
            return false;
        only_where(b, sc, when);
        const struct expr *then = bind_expr(b, sc, pgn_field(whens->items[i], "result"));
        if (!then)
            return false;
        sc->guard = outside;
        only_where(b, sc, expr_bool_test(b->arena, when, IS_NOT_TRUE));
        AVEC_PUSH(b->arena, *args, when);
        AVEC_PUSH(b->arena, *args, then);
    }
    return true;
}

static const struct expr *bind_case(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *arg = pgn_field(node, "arg"), *other = pgn_field(node, "defresult");
    const struct expr *saved = sc->case_arg, *outside = sc->guard, *rest;
    struct exprs args = {0};
    struct column_type ct;
    if (!bind_type(b, pgn_oid(node, "casetype"), -1, pgn_oid(node, "casecollid"), &ct))
        return NULL;
    if (!pgn_is_null(arg)) {
        const struct expr *x = bind_expr(b, sc, arg);
        if (!x)
            return NULL;
        sc->case_arg = x;
    }
    bool ok = bind_case_branches(b, sc, node, &args);
    sc->case_arg = saved;
    if (!ok)
        return NULL;
    rest = pgn_is_null(other) ? expr_const(b->arena, value_null(), ct) : bind_expr(b, sc, other);
    sc->guard = outside;
    if (!rest)
        return NULL;
    AVEC_PUSH(b->arena, args, rest);
    return bind_fold(b, expr_case(b->arena, args.v, args.n, ct));
}

static const struct expr *bind_coalesce(struct binder *b, struct scope *sc,
                                        const struct pgnode *node)
{
    struct column_type ct;
    size_t n;
    if (!bind_type(b, pgn_oid(node, "coalescetype"), -1, pgn_oid(node, "coalescecollid"), &ct))
        return NULL;
    const struct expr **args = bind_args_in_turn(b, sc, pgn_field(node, "args"), EXPR_COALESCE, &n);
    return args && n ? bind_fold(b, expr_coalesce(b->arena, args, n, ct)) : NULL;
}

static const struct expr *bind_minmax(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct column_type ct;
    size_t n;
    bool ok;
    const struct collation *coll = bind_input_collation(b, node, &ok);
    if (!ok || !bind_type(b, pgn_oid(node, "minmaxtype"), -1, pgn_oid(node, "minmaxcollid"), &ct))
        return NULL;
    const struct expr **args = bind_args(b, sc, pgn_field(node, "args"), &n);
    if (!args)
        return NULL;
    const struct expr *e =
        expr_minmax(b->arena, pgn_int(node, "op") == 0, args, n, ct, coll, b->err);
    return !e && bind_can_delegate(b) ? delegated_minmax(b, node, args, n, ct) : bind_fold(b, e);
}

/* ------------------------------------------------------------ casts */

static const struct expr *bind_relabel(struct binder *b, struct scope *sc,
                                       const struct pgnode *node)
{
    struct column_type ct;
    const struct expr *arg = bind_expr(b, sc, pgn_field(node, "arg"));
    if (!arg || !bind_type(b, pgn_oid(node, "resulttype"), (int32_t)pgn_int(node, "resulttypmod"),
                           pgn_oid(node, "resultcollid"), &ct))
        return NULL;
    const struct expr *e = expr_relabel(b->arena, arg, ct, b->err);
    return !e && bind_can_delegate(b) ? delegated_cast(b, node, arg, ct) : bind_fold(b, e);
}

static const struct expr *bind_via_io(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct column_type ct;
    const struct expr *arg = bind_expr(b, sc, pgn_field(node, "arg"));
    if (!arg || !bind_type(b, pgn_oid(node, "resulttype"), -1, pgn_oid(node, "resultcollid"), &ct))
        return NULL;
    const struct expr *e = bind_fold(b, expr_via_io(b->arena, arg, ct, b->err)), *other;
    if (!e && bind_can_delegate(b))
        return delegated_cast(b, node, arg, ct);
    if (!e || e->kind != EXPR_VIA_IO || !via_io_is_partial(ct.type) || !b->cat->names)
        return e;
    other = delegated_cast(b, node, arg, ct);
    return other ? expr_via_io_or(b->arena, e, other) : NULL;
}

static const struct expr *bind_collate(struct binder *b, struct scope *sc,
                                       const struct pgnode *node)
{
    const struct expr *arg = bind_expr(b, sc, pgn_field(node, "arg"));
    if (!arg)
        return NULL;
    struct column_type ct = arg->ct;
    ct.collation = b->cat->collation(b->cat->ctx, pgn_oid(node, "collOid"), b->err);
    return ct.collation ? bind_fold(b, expr_relabel(b->arena, arg, ct, b->err)) : NULL;
}

/* name => x: a function that is delegated is told the names. */
static const struct expr *bind_named_arg(struct binder *b, struct scope *sc,
                                         const struct pgnode *node)
{
    return bind_expr(b, sc, pgn_field(node, "arg"));
}

/* ------------------------------------------------------------ the table */

typedef const struct expr *bind_fn(struct binder *b, struct scope *sc, const struct pgnode *node);

struct rule {
    const char *tag;
    bind_fn *bind;
};

static const struct rule native[] = {
    {"VAR", bind_var},
    {"CONST", bind_const},
    {"PARAM", bind_param},
    {"FUNCEXPR", bind_func},
    {"OPEXPR", bind_op},
    {"DISTINCTEXPR", bind_by_equality},
    {"NULLIFEXPR", bind_by_equality},
    {"SCALARARRAYOPEXPR", bind_array_op},
    {"BOOLEXPR", bind_bool},
    {"NULLTEST", bind_null_test},
    {"BOOLEANTEST", bind_boolean_test},
    {"CASEEXPR", bind_case},
    {"CASETESTEXPR", bind_case_test},
    {"COALESCEEXPR", bind_coalesce},
    {"MINMAXEXPR", bind_minmax},
    {"RELABELTYPE", bind_relabel},
    {"COERCEVIAIO", bind_via_io},
    {"COLLATEEXPR", bind_collate},
    {"WINDOWFUNC", bind_window_func},
    {"SUBLINK", bind_sublink},
    {"NAMEDARGEXPR", bind_named_arg},
    {"ROWCOMPAREEXPR", bind_row_compare},
};

/* Where Postgres can be asked, see struct catalog_names. */
static const struct rule delegated[] = {
    {"ARRAYEXPR", bind_array},
    {"ROWEXPR", bind_row},
    {"FIELDSELECT", bind_field_select},
    {"SUBSCRIPTINGREF", bind_subscript},
    {"ARRAYCOERCEEXPR", bind_cast},
    {"CONVERTROWTYPEEXPR", bind_cast},
    {"COERCETODOMAIN", bind_cast},
    {"XMLEXPR", bind_xml},
    {"JSONVALUEEXPR", bind_json_value},
    {"JSONISPREDICATE", bind_json_test},
    {"JSONCONSTRUCTOREXPR", bind_json_made},
    {"JSONEXPR", bind_json_query},
};

static bind_fn *find_rule(const struct rule *v, size_t n, const struct pgnode *node)
{
    for (size_t i = 0; i < n; i++)
        if (pgn_is(node, v[i].tag))
            return v[i].bind;
    return NULL;
}

static const struct expr *bind_by_rule(struct binder *b, struct scope *sc,
                                       const struct pgnode *node)
{
    const struct expr *grouped;
    if (!bind_grouped(b, sc, node, &grouped))
        return NULL;
    if (grouped)
        return grouped;
    bind_fn *rule = find_rule(native, sizeof native / sizeof *native, node);
    if (!rule && b->cat->names)
        rule = find_rule(delegated, sizeof delegated / sizeof *delegated, node);
    if (rule)
        return rule(b, sc, node);
    refuse_expr(node, b->err);
    return NULL;
}

const struct expr *bind_expr(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    if (b->expr_depth >= PGNODE_MAX_DEPTH) {
        err_soft(b->err, "an expression that is nested so deeply");
        return NULL;
    }
    /* What goes over many rows isn't evaluated for this one. */
    const struct expr *saved = sc->guard;
    if (pgn_is(node, "AGGREF") || pgn_is(node, "WINDOWFUNC"))
        sc->guard = NULL;
    b->expr_depth++;
    const struct expr *e = bind_by_rule(b, sc, node);
    b->expr_depth--;
    sc->guard = saved;
    if (!e) /* a rule may find no words for what Postgres never writes */
        bind_broken(b, node->text);
    return e;
}

bool bind_conds(struct binder *b, struct scope *sc, const struct pgnode *node, struct exprs *out)
{
    if (pgn_is_null(node))
        return true;
    const char *op = pgn_str(node, "boolop");
    if (pgn_is(node, "BOOLEXPR") && op && strcmp(op, "and") == 0) {
        const struct pgnode *args = pgn_field(node, "args");
        for (uint32_t i = 0; i < args->n; i++)
            if (!bind_conds(b, sc, args->items[i], out))
                return false;
        return true;
    }
    const struct expr *e = bind_expr(b, sc, node);
    if (!e)
        return false;
    AVEC_PUSH(b->arena, *out, e);
    return true;
}
