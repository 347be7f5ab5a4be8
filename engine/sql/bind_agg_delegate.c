/*
 * bind_agg_delegate: aggregates without a native version, those of users and extensions among them.
 *
 * The grouping collects the rows of each group that the aggregate is over, as one JSON value
 * (expr/agg_collect.c); above it a delegated expression (deparse.h) has Postgres make the aggregate
 * out of it. So questions are asked for all touched groups at once, the memo knows the others, and an
 * aggregate that fails is an error where its value is used.
 *
 *     SELECT k, range_agg(r ORDER BY id) FROM t GROUP BY k
 *
 *     project   k, (SELECT range_agg(r.e->>0 …::int4range ORDER BY (r.e->>1)::integer, r.n)
 *                   FROM json_array_elements(rows) WITH ORDINALITY AS r(e, n))
 *     group     by k: rows(r, id)
 *
 * FILTER is evaluated here; DISTINCT, ORDER BY and WITHIN GROUP are Postgres's, with the operators
 * that the statement's analysis has found. What the order leaves open is decided by the rows' own, so
 * that a group that isn't touched keeps its value. A change costs as much as its group is long.
 */
#include <string.h>

#include "engine/sql/bind_agg.h"
#include "engine/sql/deparse.h"
#include "engine/sql/refuse.h"

#define OID_FIRST_USER 16384 /* FirstNormalObjectId */

/* An aggregate is as lasting as the functions it is made of; those of Postgres itself that are only
 * stable depend on settings that the daemon pins. */
static bool is_lasting(struct binder *b, const struct agg_call *call)
{
    struct cat_function f;
    if (!b->cat->function || !b->cat->function(b->cat->ctx, call->fnoid, &f, b->err))
        return err_is_set(b->err) ? false : err_soft(b->err, "aggregate %s", call->name);
    if (f.volatility == 'i' || (f.volatility == 's' && f.builtin))
        return true;
    return refuse_function(call->name, f.volatility, b->err);
}

static void add_name(struct deparse *d, const struct agg_call *call)
{
    const struct catalog *cat = d->b->cat;
    if (d->failed)
        return;
    const struct cat_call *f = cat->names->function(cat->ctx, call->fnoid, d->b->err);
    d->failed = !f || !f->may_execute;
    if (f && !f->may_execute)
        err_set(d->b->err, "42501", "permission denied for aggregate %s", f->name);
    if (d->failed)
        return;
    deparse_text(d, f->sql);
    deparse_label(d, f->name);
}

/* Whether a text turns into a value of the type as it was read before: a cast of a user's own need
 * not be what the type's input does. */
static void check_transport(struct deparse *d, const struct type *t)
{
    const struct catalog *cat = d->b->cat;
    if (d->failed)
        return;
    const struct cat_type_name *n = cat->names->type(cat->ctx, t->oid, -1, d->b->err);
    d->failed = !n;
    if (!n)
        return;
    if (n->is_pseudo || t->oid == OID_CHAR ||
        (n->array && t->oid >= OID_FIRST_USER && strcmp(t->name, "citext") != 0))
        deparse_refuse(d, "an aggregate over a type that doesn't travel as text");
    deparse_check_type(d, t);
}

/* The collation that the call's own arguments have together; what is there to be sorted by has its
 * own. */
static uint32_t collation_of(const struct agg_call *call, uint32_t inputcoll, uint32_t i)
{
    const struct collation *own = call->args[i].collation;
    if (!own)
        return 0;
    return i < call->nown && inputcoll ? inputcoll : own->oid;
}

static void add_value(struct deparse *d, const struct agg_call *call, uint32_t inputcoll,
                      uint32_t i)
{
    const struct catalog *cat = d->b->cat;
    uint32_t collation = collation_of(call, inputcoll, i);
    check_transport(d, call->args[i].type);
    deparse_textf(d, "(pg_catalog.json_array_element_text(r.e, %u)::", i);
    deparse_type(d, call->args[i].type->oid, -1);
    if (collation && !d->failed) {
        const char *name = cat->names->collation(cat->ctx, collation, d->b->err);
        d->failed = !name;
        deparse_textf(d, " COLLATE %s", name ? name : "");
    }
    deparse_text(d, ")");
}

static void add_order(struct deparse *d, const struct pgnode *node, const struct bound_call *c,
                      uint32_t inputcoll)
{
    const struct pgnode *clauses = pgn_field(node, "aggorder");
    const struct catalog *cat = d->b->cat;
    for (uint32_t i = 0; i < clauses->n && !d->failed; i++) {
        const struct pgnode *clause = clauses->items[i];
        int32_t at = bind_agg_sorted(d->b, c, clause);
        const struct cat_operator *op =
            at < 0 ? NULL : cat->names->op(cat->ctx, pgn_oid(clause, "sortop"), d->b->err);
        d->failed = !op;
        if (!op)
            break;
        deparse_text(d, i ? ", " : "ORDER BY ");
        add_value(d, &c->call, inputcoll, (uint32_t)at);
        deparse_textf(d, " USING %s NULLS %s", op->sql,
                      pgn_bool(clause, "nulls_first") ? "FIRST" : "LAST");
    }
}

/* "(DISTINCT a, b ORDER BY c)" */
static void add_plain_call(struct deparse *d, const struct pgnode *node, const struct bound_call *c,
                           uint32_t inputcoll)
{
    bool distinct = !pgn_is_null(pgn_field(node, "aggdistinct"));
    bool sorted = pgn_field(node, "aggorder")->n > 0;
    deparse_text(d, distinct ? "(DISTINCT " : "(");
    for (uint32_t i = 0; i < c->call.nown; i++) {
        deparse_text(d, i ? ", " : "");
        if (i + 1 == c->call.nown && pgn_bool(node, "aggvariadic"))
            deparse_text(d, "VARIADIC ");
        add_value(d, &c->call, inputcoll, i);
    }
    if (!c->call.nown)
        deparse_text(d, "*");
    deparse_text(d, " ");
    add_order(d, node, c, inputcoll);
    if (!distinct && c->call.nown)
        deparse_text(d, sorted ? ", r.n" : "ORDER BY r.n");
    deparse_text(d, ")");
}

/* "(0.5) WITHIN GROUP (ORDER BY a)" */
static void add_ordered_call(struct deparse *d, const struct pgnode *node,
                             const struct bound_call *c, uint32_t inputcoll)
{
    if (pgn_bool(node, "aggvariadic"))
        deparse_refuse(d, "VARIADIC in an ordered-set aggregate");
    deparse_text(d, "(");
    deparse_args(d, c->agg->direct, c->call.ndirect, inputcoll);
    deparse_text(d, ") WITHIN GROUP (");
    add_order(d, node, c, inputcoll);
    deparse_text(d, ")");
}

bool bind_agg_collected(struct binder *b, const struct pgnode *node, struct bound_call *c,
                        const struct expr *rows, const struct expr **out)
{
    uint32_t inputcoll = pgn_oid(node, "inputcollid");
    struct deparse d;
    if (!is_lasting(b, &c->call))
        return false;
    deparse_init(&d, b);
    deparse_text(&d, "(SELECT ");
    add_name(&d, &c->call);
    if (pgn_char(node, "aggkind") == 'n')
        add_plain_call(&d, node, c, inputcoll);
    else
        add_ordered_call(&d, node, c, inputcoll);
    deparse_text(&d, " FROM pg_catalog.json_array_elements(");
    deparse_arg(&d, rows, 0);
    deparse_text(&d, ") WITH ORDINALITY AS r(e, n))");
    *out = deparse_finish(&d, c->call.result);
    return *out != NULL;
}
