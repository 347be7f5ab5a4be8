/*
 * bind_rows: set-returning functions without a native version, and those that return rows of columns
 * that the statement lists.
 *
 * Postgres computes all rows of a call as one value, an array of rows in their order; here it is
 * taken apart again as unnest() does. So a call is a delegated expression like any other: asked for
 * many rows at a time, remembered, its errors data.
 *
 *     FROM t, regexp_matches(t.s, '\\d+', 'g') m
 *
 *     ARRAY(SELECT ROW(s.c1) FROM ROWS FROM (regexp_matches($1, '\\d+', 'g'))
 *           WITH ORDINALITY AS s(c1, o) ORDER BY s.o)::text
 */
#include <string.h>

#include "engine/sql/bind.h"
#include "engine/sql/deparse.h"

struct row_columns {
    struct column_type *v;
    size_t n;
    const struct pgnode *listed; /* by the statement, AS (a int, b text): their names; else NULL */
};

static bool add_column(struct binder *b, struct row_columns *c, uint32_t type, int32_t typmod,
                       uint32_t collation)
{
    return bind_type(b, type, typmod, collation, &c->v[c->n++]);
}

static bool add_columns_of(struct binder *b, struct row_columns *c, const uint32_t *types, size_t n)
{
    c->v = ARENA_ARRAY(b->arena, struct column_type, n);
    for (size_t i = 0; i < n; i++) {
        const struct type *t = b->cat->type(b->cat->ctx, types[i], b->err);
        if (!t || !add_column(b, c, types[i], -1, bind_default_collation(t)))
            return false;
    }
    return true;
}

static bool listed_columns(struct binder *b, const struct pgnode *function, struct row_columns *c)
{
    const struct pgnode *types = pgn_field(function, "funccoltypes");
    const struct pgnode *typmods = pgn_field(function, "funccoltypmods");
    const struct pgnode *collations = pgn_field(function, "funccolcollations");
    c->v = ARENA_ARRAY(b->arena, struct column_type, types->n);
    c->listed = pgn_field(function, "funccolnames");
    if (typmods->n != types->n || collations->n != types->n || c->listed->n != types->n)
        return bind_broken(b, "a function without column types");
    for (uint32_t i = 0; i < types->n; i++)
        if (!add_column(b, c, (uint32_t)pgn_atom_int(types->items[i]),
                        (int32_t)pgn_atom_int(typmods->items[i]),
                        (uint32_t)pgn_atom_int(collations->items[i])))
            return false;
    return true;
}

/* A type's fields, where the item is in FROM: there a row is its columns. */
static bool field_columns(struct binder *b, const struct type *t, struct row_columns *c)
{
    c->v = ARENA_ARRAY(b->arena, struct column_type, t->nfields);
    for (size_t i = 0; i < t->nfields; i++)
        c->v[c->n++] = (struct column_type){t->fields[i].type, -1, t->fields[i].collation};
    return true;
}

static bool out_columns(struct binder *b, uint32_t funcid, struct row_columns *c)
{
    const struct catalog_names *names = b->cat->names;
    const struct cat_columns *out = names ? names->columns(b->cat->ctx, funcid, b->err) : NULL;
    if (!names)
        return err_soft(b->err, "a function in FROM without a native version");
    return out && add_columns_of(b, c, out->types, out->n);
}

static bool find_columns(struct binder *b, const struct pgnode *node, const struct pgnode *function,
                         struct row_columns *c)
{
    uint32_t result = pgn_oid(node, "funcresulttype");
    if (function && pgn_field(function, "funccoltypes")->n)
        return listed_columns(b, function, c);
    if (function && result == OID_RECORD)
        return out_columns(b, pgn_oid(node, "funcid"), c);
    const struct type *t = b->cat->type(b->cat->ctx, result, b->err);
    if (!t)
        return false;
    if (function && t->json == JSON_COMPOSITE)
        return field_columns(b, t, c);
    c->v = ARENA_ARRAY(b->arena, struct column_type, 1);
    return add_column(b, c, result, -1, pgn_oid(node, "funccollid"));
}

/* "c1, c2", each with what comes before. */
static void add_list(struct deparse *d, const struct row_columns *c, const char *before)
{
    for (size_t i = 0; i < c->n; i++)
        deparse_textf(d, "%s%sc%zu", i ? ", " : "", before, i + 1);
}

/* Some functions go by the names. */
static void add_definitions(struct deparse *d, const struct row_columns *c)
{
    for (uint32_t i = 0; i < c->n; i++) {
        deparse_text(d, i ? ", " : " AS (");
        deparse_quoted(d, c->listed->items[i]->text, '"');
        deparse_text(d, " ");
        deparse_type(d, c->v[i].type->oid, c->v[i].typmod);
    }
    deparse_text(d, ")");
}

static const struct expr *rows_value(struct binder *b, const struct pgnode *node,
                                     const struct srf_call *call, const struct row_columns *c)
{
    struct deparse d;
    bool from_text = strncmp(call->name, "json", 4) == 0; /* it reads what is in the JSON */
    deparse_init(&d, b);
    for (size_t i = 0; i < c->n; i++) {
        deparse_check_type(&d, c->v[i].type);
        if (from_text && deparse_holds_time(c->v[i].type))
            deparse_refuse(&d, "a column of dates or times read from JSON");
    }
    deparse_text(&d, "ARRAY(SELECT ROW(");
    add_list(&d, c, "s.");
    deparse_text(&d, ") FROM ROWS FROM (");
    deparse_call(&d, node, call->args, call->nargs);
    if (c->listed)
        add_definitions(&d, c);
    deparse_text(&d, ") WITH ORDINALITY AS s(");
    add_list(&d, c, "");
    deparse_textf(&d, "%so) ORDER BY s.o)::text", c->n ? ", " : "");
    return deparse_finish(&d, (struct column_type){type_native(OID_TEXT), -1, NULL});
}

bool bind_rows_call(struct binder *b, struct scope *sc, const struct pgnode *node,
                    const struct pgnode *function, struct srf_call *out)
{
    struct row_columns c = {0};
    char volatility;
    const char *name = b->cat->function_name(b->cat->ctx, pgn_oid(node, "funcid"), &volatility);
    *out = (struct srf_call){.srf = &srf_rows_of, .name = arena_strdup(b->arena, name)};
    if (!bind_call_args(b, sc, node, out) || !find_columns(b, node, function, &c))
        return false;
    const struct expr *rows = rows_value(b, node, out, &c);
    if (!rows)
        return false;
    out->args = ARENA_ARRAY(b->arena, const struct expr *, 1);
    out->args[0] = rows;
    out->nargs = 1;
    out->cols = c.v;
    out->ncols = c.n;
    out->expand = true;
    return true;
}
