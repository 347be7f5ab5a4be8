/*
 * expr: constructors, folding, rewriting.
 *
 * Called by sql/ while it binds a statement and by the planner's passes. Here is where what can't
 * be evaluated exactly is refused: functions without a native version, collations we can't follow,
 * types without an order, casts through text of types whose inside we don't know. A node that was
 * made can be evaluated.
 *
 * Nodes live in the arena they were made in and are never changed after their constructor returns.
 */
#include <assert.h>
#include <strings.h>

#include "engine/expr/delegate_call.h"
#include "engine/expr/eval.h"

static struct expr *node(struct arena *a, enum expr_kind kind, struct column_type ct,
                         const struct expr *const *args, size_t nargs)
{
    struct expr *e = ARENA_NEW(a, struct expr);
    e->kind = kind;
    e->ct = ct;
    e->nargs = (uint32_t)nargs;
    if (nargs)
        e->args = arena_memdup(a, args, nargs * sizeof *args);
    return e;
}

static struct expr *ready(struct expr *e)
{
    e->eval = eval_choose(e);
    return e;
}

static struct column_type boolean(void)
{
    return (struct column_type){type_native(OID_BOOL), -1, NULL};
}

struct expr *expr_column(struct arena *a, int input, uint32_t col, struct column_type ct)
{
    struct expr *e = node(a, EXPR_COLUMN, ct, NULL, 0);
    e->input = (uint8_t)input;
    e->col = col;
    return ready(e);
}

struct expr *expr_const(struct arena *a, struct value v, struct column_type ct)
{
    struct expr *e = node(a, EXPR_CONST, ct, NULL, 0);
    e->value = v;
    return ready(e);
}

static bool is_text(const struct type *t)
{
    return t->kind == TYPE_TEXT || t->kind == TYPE_BPCHAR;
}

static bool can_follow(enum pgfunc_coll need, const struct collation *coll)
{
    if (need == COLL_CASE)
        return coll->deterministic && (coll->ascii_case || coll->lc || coll->icu);
    if (need == COLL_EQ || (need == COLL_SAME && coll->kind != COLLATION_ICU))
        return coll->deterministic;
    return coll->kind != COLLATION_UNSUPPORTED;
}

static bool check_collation(enum pgfunc_coll need, const struct collation *coll, const char *name,
                            struct err *err)
{
    if (need == COLL_NONE || need == COLL_TYPE_EQ || need == COLL_TYPE_ORDER)
        return true;
    if (!coll)
        return err_set(err, "42P22", "could not determine which collation to use for function %s",
                       name);
    if (can_follow(need, coll))
        return true;
    return err_soft(err, "collation \"%s\" in %s", coll->name, name);
}

/* Comparison of any type, by an order of the type's that we must know. */
static bool check_type(enum pgfunc_coll need, const struct type *t, const struct collation *coll,
                       const char *name, struct err *err)
{
    struct column_type ct = {t, -1, coll};
    if ((need == COLL_TYPE_EQ && !type_has_equality(&ct)) ||
        (need == COLL_TYPE_ORDER && !type_has_order(&ct)))
        return err_soft(err, "function %s over type %s", name, t->name);
    return true;
}

/* arg: the first of its arguments, NULL if there are none. */
static const struct pgfunc *find_func(uint32_t oid, const char *name, const struct expr *arg,
                                      size_t nargs, const struct collation *coll, struct err *err)
{
    const struct pgfunc *f = pgfunc_lookup(oid);
    if (!f || f->nargs != nargs) {
        err_soft(err, "function %s", name ? name : f ? f->name : "without a native version");
        return NULL;
    }
    if (!check_collation((enum pgfunc_coll)f->coll, coll, f->name, err) ||
        (arg && !check_type((enum pgfunc_coll)f->coll, arg->ct.type, coll, f->name, err)))
        return NULL;
    return f;
}

/* AT TIME ZONE is native for UTC alone: other zones have rules, and Postgres's are those of its own
 * machine. */
static bool check_zone(const struct pgfunc *f, const struct expr *const *args, struct err *err)
{
    static const char *const names[] = {"UTC", "GMT", "Etc/UTC", "Z"};
    if (f->fn != fn_utc_tstz && f->fn != fn_utc_ts)
        return true;
    const struct value *zone = &args[0]->value;
    bool known = args[0]->kind == EXPR_CONST && !zone->null;
    for (size_t i = 0; known && i < sizeof names / sizeof *names; i++)
        if (zone->len == strlen(names[i]) &&
            strncasecmp((const char *)zone->p, names[i], zone->len) == 0)
            return true;
    return err_soft(err, "function timezone with a zone other than UTC");
}

struct expr *expr_func(struct arena *a, uint32_t funcid, const char *name,
                       const struct expr *const *args, size_t nargs, struct column_type result,
                       const struct collation *input_collation, struct err *err)
{
    const struct pgfunc *f =
        find_func(funcid, name, nargs ? args[0] : NULL, nargs, input_collation, err);
    struct expr *e;
    if (!f || !check_zone(f, args, err))
        return NULL;
    e = node(a, EXPR_FUNC, result, args, nargs);
    e->func = f;
    e->collation = input_collation;
    return ready(e);
}

struct expr *expr_bool(struct arena *a, enum expr_kind kind, const struct expr *const *args,
                       size_t nargs)
{
    assert(kind == EXPR_AND || kind == EXPR_OR || (kind == EXPR_NOT && nargs == 1));
    return ready(node(a, kind, boolean(), args, nargs));
}

struct expr *expr_is_null(struct arena *a, const struct expr *arg, bool negated)
{
    struct expr *e = node(a, EXPR_IS_NULL, boolean(), &arg, 1);
    e->flag = negated;
    return ready(e);
}

struct expr *expr_bool_test(struct arena *a, const struct expr *arg, enum bool_test test)
{
    struct expr *e = node(a, EXPR_BOOL_TEST, boolean(), &arg, 1);
    e->op = (uint8_t)test;
    return ready(e);
}

struct expr *expr_distinct(struct arena *a, uint32_t eq_funcid, const struct expr *x,
                           const struct expr *y, const struct collation *coll, bool negated,
                           struct err *err)
{
    const struct pgfunc *f = find_func(eq_funcid, "of IS DISTINCT FROM", x, 2, coll, err);
    const struct expr *args[2] = {x, y};
    struct expr *e;
    if (!f)
        return NULL;
    e = node(a, EXPR_DISTINCT, boolean(), args, 2);
    e->func = f;
    e->collation = coll;
    e->flag = negated;
    return ready(e);
}

struct expr *expr_same(struct arena *a, const struct expr *x, const struct expr *y)
{
    const struct expr *args[2] = {x, y};
    assert(type_has_equality(&x->ct));
    return ready(node(a, EXPR_SAME, boolean(), args, 2));
}

struct expr *expr_raise(struct arena *a, enum raise what, struct column_type ct)
{
    struct expr *e = node(a, EXPR_RAISE, ct, NULL, 0);
    e->op = (uint8_t)what;
    return ready(e);
}

struct expr *expr_nullif(struct arena *a, uint32_t eq_funcid, const struct expr *x,
                         const struct expr *y, struct column_type result,
                         const struct collation *coll, struct err *err)
{
    const struct pgfunc *f = find_func(eq_funcid, "of NULLIF", x, 2, coll, err);
    const struct expr *args[2] = {x, y};
    struct expr *e;
    if (!f)
        return NULL;
    e = node(a, EXPR_NULLIF, result, args, 2);
    e->func = f;
    e->collation = coll;
    return ready(e);
}

struct expr *expr_case(struct arena *a, const struct expr *const *args, size_t nargs,
                       struct column_type result)
{
    assert(nargs % 2 == 1);
    return ready(node(a, EXPR_CASE, result, args, nargs));
}

struct expr *expr_coalesce(struct arena *a, const struct expr *const *args, size_t nargs,
                           struct column_type result)
{
    return ready(node(a, EXPR_COALESCE, result, args, nargs));
}

struct expr *expr_minmax(struct arena *a, bool greatest, const struct expr *const *args,
                         size_t nargs, struct column_type result, const struct collation *coll,
                         struct err *err)
{
    const char *name = greatest ? "GREATEST" : "LEAST";
    struct column_type compared = {result.type, result.typmod, coll};
    struct expr *e;
    if (!check_collation(is_text(result.type) ? COLL_ORDER : COLL_NONE, coll, name, err))
        return NULL;
    if (!type_has_order(&compared)) {
        err_soft(err, "%s of type %s", name, result.type->name);
        return NULL;
    }
    e = node(a, EXPR_MINMAX, result, args, nargs);
    e->flag = greatest;
    e->collation = coll;
    return ready(e);
}

struct expr *expr_in(struct arena *a, uint32_t op_funcid, bool use_or, const struct expr *x,
                     const struct expr *const *list, size_t n, const struct collation *coll,
                     struct err *err)
{
    const struct pgfunc *f =
        find_func(op_funcid, use_or ? "of ANY or IN" : "of ALL", x, 2, coll, err);
    const struct expr **args;
    struct expr *e;
    if (!f)
        return NULL;
    args = ARENA_ARRAY(a, const struct expr *, n + 1);
    args[0] = x;
    if (n)
        memcpy(args + 1, list, n * sizeof *args);
    e = node(a, EXPR_IN, boolean(), NULL, 0);
    e->args = args;
    e->nargs = (uint32_t)n + 1;
    e->func = f;
    e->collation = coll;
    e->flag = use_or;
    return ready(e);
}

/* Types that share their bytes with others in Postgres but not their text: OIDs and their aliases,
 * inet (cidr prints a mask it leaves out), bytea of statistics. */
static bool prints_differently(uint32_t oid)
{
    static const uint32_t oids[] = {17,   24,   26,   869,  2202, 2203, 2204,
                                    2205, 2206, 3734, 3769, 4089, 4096, 4191};
    for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++)
        if (oids[i] == oid)
            return true;
    return false;
}

static bool is_relabel(const struct type *from, const struct type *to)
{
    if (from->oid == to->oid || (from->oid == OID_CIDR && to->oid == OID_INET))
        return true;
    if (from->kind == TYPE_OPAQUE)
        return is_text(to) || (to->kind == TYPE_OPAQUE && !prints_differently(to->oid));
    if ((from->kind == TYPE_OID && to->kind == TYPE_INT4) ||
        (from->kind == TYPE_INT4 && to->kind == TYPE_OID))
        return true;
    return from->kind == to->kind || (is_text(from) && is_text(to));
}

struct expr *expr_relabel(struct arena *a, const struct expr *arg, struct column_type result,
                          struct err *err)
{
    if (!is_relabel(arg->ct.type, result.type)) {
        err_soft(err, "conversion of %s to %s", arg->ct.type->name, result.type->name);
        return NULL;
    }
    return ready(node(a, EXPR_RELABEL, result, &arg, 1));
}

struct expr *expr_via_io(struct arena *a, const struct expr *arg, struct column_type result,
                         struct err *err)
{
    if (!via_io_is_supported(arg->ct.type, result.type)) {
        err_soft(err, "a cast from %s to %s", arg->ct.type->name, result.type->name);
        return NULL;
    }
    return ready(node(a, EXPR_VIA_IO, result, &arg, 1));
}

struct expr *expr_delegated(struct arena *a, struct delegate_call *call,
                            const struct expr *const *args, size_t nargs, struct column_type result)
{
    struct expr *e = node(a, EXPR_DELEGATED, result, args, nargs);
    delegate_call_finish(call, args, nargs, &result, a);
    e->call = call;
    return ready(e);
}

bool expr_is_delegated(const struct expr *e)
{
    if (e->kind == EXPR_DELEGATED)
        return true;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (expr_is_delegated(e->args[i]))
            return true;
    return false;
}

const struct expr *expr_via_io_or(struct arena *a, const struct expr *via_io,
                                  const struct expr *other)
{
    const struct expr *args[2] = {via_io->args[0], other};
    return ready(node(a, EXPR_VIA_IO, via_io->ct, args, 2));
}

struct expr *expr_with_args(struct arena *a, const struct expr *e, const struct expr *const *args)
{
    struct expr *copy = arena_memdup(a, e, sizeof *e);
    if (e->nargs)
        copy->args = arena_memdup(a, args, e->nargs * sizeof *args);
    return ready(copy);
}

static bool is_const(const struct expr *e)
{
    return e->kind == EXPR_CONST;
}

/* The constant boolean that decides an AND (false) or OR (true), whatever the other arguments. */
static const struct expr *decisive_arg(const struct expr *e)
{
    for (uint32_t i = 0; i < e->nargs; i++) {
        const struct expr *x = e->args[i];
        if (is_const(x) && !x->value.null && (x->value.i != 0) == (e->kind == EXPR_OR))
            return x;
    }
    return NULL;
}

/* AND without its constant trues, OR without its constant falses; an argument alone stands for all.
 * NULLs stay. */
static const struct expr *fold_and_or(struct arena *a, const struct expr *e)
{
    const struct expr *decisive = decisive_arg(e), **kept;
    size_t n = 0;
    if (decisive)
        return decisive;
    kept = ARENA_ARRAY(a, const struct expr *, e->nargs);
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!is_const(e->args[i]) || e->args[i]->value.null)
            kept[n++] = e->args[i];
    if (n == e->nargs)
        return e;
    if (!n)
        return expr_const(a, value_bool(e->kind == EXPR_AND), e->ct);
    return n == 1 ? kept[0] : expr_bool(a, e->kind, kept, n);
}

const struct expr *expr_fold(struct arena *a, const struct expr *e)
{
    struct eval_ctx cx = {.arena = a};
    struct err err;
    struct value v;
    bool all_const = true;
    if (e->kind == EXPR_COLUMN || e->kind == EXPR_CONST || e->kind == EXPR_DELEGATED)
        return e;
    for (uint32_t i = 0; i < e->nargs; i++) {
        all_const &= is_const(e->args[i]);
        if (e->kind == EXPR_FUNC && is_const(e->args[i]) && e->args[i]->value.null)
            return expr_const(a, value_null(), e->ct);
    }
    if (all_const && expr_eval(e, &cx, &v, &err))
        return expr_const(a, v, e->ct);
    return e->kind == EXPR_AND || e->kind == EXPR_OR ? fold_and_or(a, e) : e;
}
