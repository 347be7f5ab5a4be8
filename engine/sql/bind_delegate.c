/*
 * bind_delegate: see bind_delegate.h. What the SQL of each node is; how arguments and names are put
 * into it is in deparse.c.
 */
#include "engine/sql/bind_delegate.h"

#include <stdio.h>
#include <string.h>

#include "engine/sql/deparse.h"

static bool is_collatable(struct deparse *d, const struct expr *e)
{
    const struct catalog *cat = d->b->cat;
    if (d->failed)
        return false;
    const struct cat_type_name *n = cat->names->type(cat->ctx, e->ct.type->oid, -1, d->b->err);
    d->failed = !n;
    return n && n->is_collatable;
}

/* The input collation. A function that is given texts of different collations has none, and may fail
 * for that. */
static uint32_t collation_of(struct deparse *d, const struct pgnode *node,
                             const struct expr *const *args, size_t n)
{
    uint32_t collation = pgn_oid(node, "inputcollid");
    for (size_t i = 0; i < n && !collation; i++)
        if (is_collatable(d, args[i]))
            deparse_refuse(d, "an expression whose collation is not determined");
    return collation;
}

/* ------------------------------------------------------------ functions and operators */

void deparse_call(struct deparse *d, const struct pgnode *node, const struct expr *const *args,
                  size_t n)
{
    const struct pgnode *list = pgn_field(node, "args");
    deparse_function(d, pgn_oid(node, "funcid"));
    uint32_t collation = collation_of(d, node, args, n);
    deparse_text(d, "(");
    for (size_t i = 0; i < n && i < list->n; i++) {
        const char *name = pgn_str(list->items[i], "name");
        if (i)
            deparse_text(d, ", ");
        if (i + 1 == n && pgn_bool(node, "funcvariadic"))
            deparse_text(d, "VARIADIC ");
        if (pgn_is(list->items[i], "NAMEDARGEXPR") && name) {
            deparse_quoted(d, name, '"');
            deparse_text(d, " => ");
        }
        deparse_arg(d, args[i], collation);
    }
    deparse_text(d, ")");
}

const struct expr *delegated_func(struct binder *b, const struct pgnode *node,
                                  const struct expr *const *args, size_t n,
                                  struct column_type result)
{
    struct deparse d;
    deparse_init(&d, b);
    deparse_call(&d, node, args, n);
    return deparse_finish(&d, result);
}

static void add_operation(struct deparse *d, const struct pgnode *node,
                          const struct expr *const *args, size_t n, uint32_t collation)
{
    if (n == 2)
        deparse_arg(d, args[0], collation);
    deparse_text(d, " ");
    deparse_operator(d, pgn_oid(node, "opno"), pgn_oid(node, "opfuncid"));
    deparse_text(d, " ");
    deparse_arg(d, args[n - 1], collation);
}

/* IS DISTINCT FROM and NULLIF look their operator up by name, so they are written out. */
const struct expr *delegated_op(struct binder *b, const struct pgnode *node,
                                const struct expr *const *args, size_t n, struct column_type result)
{
    struct deparse d;
    deparse_init(&d, b);
    uint32_t collation = collation_of(&d, node, args, n);
    if (pgn_is(node, "DISTINCTEXPR")) {
        deparse_text(&d, "CASE pg_catalog.num_nulls(");
        deparse_args(&d, args, n, 0);
        deparse_text(&d, ") WHEN 2 THEN false WHEN 1 THEN true ELSE NOT (");
        add_operation(&d, node, args, n, collation);
        deparse_text(&d, ") END");
    } else if (pgn_is(node, "NULLIFEXPR")) {
        deparse_text(&d, "CASE WHEN ");
        add_operation(&d, node, args, n, collation);
        deparse_text(&d, " THEN NULL ELSE ");
        deparse_arg(&d, args[0], 0);
        deparse_text(&d, " END");
    } else {
        add_operation(&d, node, args, n, collation);
    }
    return deparse_finish(&d, result);
}

const struct expr *delegated_array_op(struct binder *b, const struct pgnode *node,
                                      const struct expr *x, const struct expr *array)
{
    const struct expr *args[2] = {x, array};
    struct deparse d;
    deparse_init(&d, b);
    uint32_t collation = collation_of(&d, node, args, 2);
    deparse_arg(&d, x, collation);
    deparse_text(&d, " ");
    deparse_operator(&d, pgn_oid(node, "opno"), pgn_oid(node, "opfuncid"));
    deparse_text(&d, pgn_bool(node, "useOr") ? " ANY (" : " ALL (");
    deparse_arg(&d, array, collation);
    deparse_text(&d, ")");
    return deparse_finish(&d, (struct column_type){type_native(OID_BOOL), -1, NULL});
}

const struct expr *delegated_minmax(struct binder *b, const struct pgnode *node,
                                    const struct expr *const *args, size_t n,
                                    struct column_type result)
{
    bool greatest = pgn_int(node, "op") == 0;
    struct deparse d;
    deparse_init(&d, b);
    uint32_t collation = collation_of(&d, node, args, n);
    d.cost++;
    deparse_label(&d, greatest ? "greatest" : "least");
    deparse_text(&d, greatest ? "GREATEST(" : "LEAST(");
    deparse_args(&d, args, n, collation);
    deparse_text(&d, ")");
    return deparse_finish(&d, result);
}

const struct expr *delegated_row_compare(struct binder *b, const struct pgnode *node,
                                         const struct expr *const *l, const struct expr *const *r,
                                         size_t n)
{
    const struct pgnode *ops = pgn_field(node, "opnos"), *colls = pgn_field(node, "inputcollids");
    const struct catalog *cat = b->cat;
    struct deparse d;
    deparse_init(&d, b);
    for (int side = 0; side < 2; side++) {
        deparse_text(&d, "ROW(");
        for (size_t i = 0; i < n; i++) {
            uint32_t coll = i < colls->n ? (uint32_t)pgn_atom_int(colls->items[i]) : 0;
            deparse_text(&d, i ? ", " : "");
            deparse_arg(&d, side ? r[i] : l[i], coll);
        }
        deparse_text(&d, ")");
        if (side || d.failed || !ops->n)
            continue;
        const struct cat_operator *op =
            cat->names->op(cat->ctx, (uint32_t)pgn_atom_int(ops->items[0]), b->err);
        d.failed = !op;
        deparse_textf(&d, " %s ", op ? op->sql : "");
    }
    deparse_label(&d, "row comparison");
    return deparse_finish(&d, (struct column_type){type_native(OID_BOOL), -1, NULL});
}

/* ------------------------------------------------------------ arrays */

const struct expr *delegated_array(struct binder *b, const struct pgnode *node,
                                   const struct expr *const *v, size_t n, struct column_type result)
{
    struct deparse d;
    (void)node;
    deparse_init(&d, b);
    deparse_label(&d, "array");
    deparse_text(&d, "ARRAY[");
    deparse_args(&d, v, n, 0);
    deparse_text(&d, "]::");
    deparse_type(&d, result.type->oid, -1);
    return deparse_finish(&d, result);
}

/* A subscript may be left out of a slice. */
static bool add_bound(struct deparse *d, struct scope *sc, const struct pgnode *list, uint32_t i)
{
    if (i >= list->n || pgn_is_null(list->items[i]))
        return true;
    const struct expr *e = bind_expr(d->b, sc, list->items[i]);
    if (e)
        deparse_arg(d, e, 0);
    else
        d->failed = true;
    return e != NULL;
}

/* *out stays NULL where the subscript is not one of an array. */
static bool bind_element(struct binder *b, struct scope *sc, const struct expr *x,
                         const struct pgnode *subscripts, struct column_type ct,
                         const struct expr **out)
{
    size_t n;
    const struct expr **v = bind_args(b, sc, subscripts, &n);
    if (!v)
        return false;
    const struct expr *e = expr_element(b->arena, x, v, n, ct, b->err);
    if (!e)
        return bind_can_delegate(b);
    *out = bind_fold(b, e);
    return *out != NULL;
}

const struct expr *bind_subscript(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *upper = pgn_field(node, "refupperindexpr");
    const struct pgnode *lower = pgn_field(node, "reflowerindexpr");
    struct column_type ct;
    struct deparse d;
    const struct expr *x = bind_expr(b, sc, pgn_field(node, "refexpr")), *element = NULL;
    if (!x || !bind_type(b, pgn_oid(node, "refrestype"), (int32_t)pgn_int(node, "reftypmod"),
                         pgn_oid(node, "refcollid"), &ct))
        return NULL;
    if (!lower->n && !bind_element(b, sc, x, upper, ct, &element))
        return NULL;
    if (element)
        return element;
    deparse_init(&d, b);
    deparse_label(&d, lower->n ? "slice" : "subscript");
    deparse_text(&d, "(");
    deparse_arg(&d, x, 0);
    deparse_text(&d, ")");
    for (uint32_t i = 0; i < upper->n; i++) {
        deparse_text(&d, "[");
        bool ok = add_bound(&d, sc, lower, i);
        if (lower->n)
            deparse_text(&d, ":");
        ok = ok && add_bound(&d, sc, upper, i);
        deparse_text(&d, "]");
        if (!ok)
            break;
    }
    return deparse_finish(&d, ct);
}

/* ------------------------------------------------------------ casts */

static bool time_within(const struct type *t, int depth)
{
    switch (t->oid) {
    case OID_DATE:
    case OID_TIME:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
    case 1266: /* timetz */
    case 3908: /* tsrange */
    case 3910: /* tstzrange */
    case 3912: /* daterange */
    case 4533: /* their multiranges */
    case 4534:
    case 4535: return true;
    }
    if (depth > 8)
        return true;
    if (t->elem && time_within(t->elem, depth + 1))
        return true;
    for (size_t i = 0; i < t->nfields; i++)
        if (time_within(t->fields[i].type, depth + 1))
            return true;
    return false;
}

bool deparse_holds_time(const struct type *t)
{
    return time_within(t, 0);
}

/* The functions that a cast of an array calls for its elements. */
static void check_functions(struct deparse *d, const struct pgnode *node)
{
    for (uint32_t i = 0; i < node->n; i++)
        check_functions(d, node->items[i]);
    if (pgn_is(node, "FUNCEXPR"))
        deparse_check_function(d, pgn_oid(node, "funcid"));
}

const struct expr *delegated_cast(struct binder *b, const struct pgnode *node,
                                  const struct expr *arg, struct column_type result)
{
    bool via_text = pgn_is(node, "COERCEVIAIO") || pgn_is(node, "ARRAYCOERCEEXPR");
    struct deparse d;
    char label[100];
    deparse_init(&d, b);
    snprintf(label, sizeof label, "cast to %.80s", result.type->name);
    deparse_label(&d, label);
    d.cost += pgn_is(node, "COERCEVIAIO") ? 2 : 0;
    d.timeless = via_text && deparse_holds_time(result.type) && !deparse_holds_time(arg->ct.type);
    check_functions(&d, pgn_field(node, "elemexpr"));
    deparse_text(&d, "(");
    deparse_arg(&d, arg, 0);
    deparse_text(&d, ")::");
    deparse_type(&d, pgn_oid(node, "resulttype"), result.typmod);
    return deparse_finish(&d, result);
}

const struct expr *bind_cast(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct column_type ct;
    const struct expr *arg = bind_expr(b, sc, pgn_field(node, "arg"));
    if (!arg ||
        !bind_type(b, pgn_oid(node, "resulttype"),
                   pgn_is(node, "CONVERTROWTYPEEXPR") ? -1 : (int32_t)pgn_int(node, "resulttypmod"),
                   pgn_oid(node, "resultcollid"), &ct))
        return NULL;
    return delegated_cast(b, node, arg, ct);
}

/* ------------------------------------------------------------ composite values */

const struct expr *delegated_null_test(struct binder *b, const struct expr *arg, bool negated)
{
    struct deparse d;
    deparse_init(&d, b);
    deparse_label(&d, negated ? "row is not null" : "row is null");
    deparse_text(&d, "(");
    deparse_arg(&d, arg, 0);
    deparse_text(&d, negated ? ") IS NOT NULL" : ") IS NULL");
    return deparse_finish(&d, (struct column_type){type_native(OID_BOOL), -1, NULL});
}

/* The record type of these fields, as to_json() shows it. */
static const struct type *record_type(struct binder *b, const char *const *names,
                                      const struct expr *const *v, size_t n)
{
    struct type_field *fields = ARENA_ARRAY(b->scratch, struct type_field, n);
    struct type t = {.oid = OID_RECORD, .kind = TYPE_OPAQUE, .rep = REP_BYTES, .name = "record"};
    for (size_t i = 0; i < n; i++) {
        fields[i].name = names ? names[i] : arena_printf(b->scratch, "f%zu", i + 1);
        fields[i].type = v[i]->ct.type;
        fields[i].collation = v[i]->ct.collation;
    }
    t.json = JSON_COMPOSITE;
    t.order = ORDER_RECORD;
    t.delim = ',';
    t.fields = fields;
    t.nfields = n;
    return type_new(&t);
}

const struct expr *delegated_row(struct binder *b, uint32_t type, const char *const *names,
                                 const struct expr *const *v, size_t n)
{
    struct column_type ct = {.typmod = -1};
    struct deparse d;
    ct.type =
        type == OID_RECORD ? record_type(b, names, v, n) : b->cat->type(b->cat->ctx, type, b->err);
    if (!ct.type)
        return NULL;
    deparse_init(&d, b);
    deparse_label(&d, "row");
    if (type == OID_RECORD && names) {
        deparse_text(&d, "(SELECT r FROM (SELECT ");
        for (size_t i = 0; i < n; i++) {
            deparse_text(&d, i ? ", " : "");
            deparse_arg(&d, v[i], 0);
            deparse_text(&d, " AS ");
            deparse_quoted(&d, names[i], '"');
        }
        deparse_text(&d, ") AS r)");
        return deparse_finish(&d, ct);
    }
    deparse_text(&d, "ROW(");
    deparse_args(&d, v, n, 0);
    deparse_text(&d, ")");
    if (type != OID_RECORD) {
        deparse_text(&d, "::");
        deparse_type(&d, type, -1);
    }
    return deparse_finish(&d, ct);
}

/* (x).f: x is a composite value, or the record of a function with OUT parameters. */
const struct expr *bind_field_select(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *arg = pgn_field(node, "arg");
    int64_t no = pgn_int(node, "fieldnum");
    const struct pgnode *args = pgn_field(arg, "args");
    struct column_type ct;
    struct deparse d;
    if (pgn_is(arg, "ROWEXPR") && no >= 1 && no <= (int64_t)args->n)
        return bind_expr(b, sc, args->items[no - 1]);
    const struct expr *x = bind_expr(b, sc, arg);
    if (!x || !bind_type(b, pgn_oid(node, "resulttype"), (int32_t)pgn_int(node, "resulttypmod"),
                         pgn_oid(node, "resultcollid"), &ct))
        return NULL;
    uint32_t type = x->ct.type->oid;
    uint32_t funcid = type == OID_RECORD && pgn_is(arg, "FUNCEXPR") ? pgn_oid(arg, "funcid") : 0;
    deparse_init(&d, b);
    deparse_label(&d, "field");
    deparse_text(&d, "(");
    deparse_arg(&d, x, 0);
    deparse_text(&d, ").");
    if (type != OID_RECORD || funcid)
        deparse_field(&d, type, funcid, (int)no);
    else if (no >= 1 && no <= (int64_t)x->ct.type->nfields)
        deparse_quoted(&d, x->ct.type->fields[no - 1].name, '"');
    else
        deparse_refuse(&d, "a field of a record");
    return deparse_finish(&d, ct);
}

#define FUNC_TO_JSON 3176

const struct expr *delegated_to_json(struct binder *b, const struct expr *e)
{
    struct column_type json = {.typmod = -1};
    struct deparse d;
    json.type = b->cat->type(b->cat->ctx, OID_JSON, b->err);
    if (!json.type)
        return NULL;
    deparse_init(&d, b);
    deparse_function(&d, FUNC_TO_JSON);
    deparse_text(&d, "(");
    deparse_arg(&d, e, 0);
    deparse_text(&d, ")");
    return deparse_finish(&d, json);
}
