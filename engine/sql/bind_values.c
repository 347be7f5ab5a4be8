/*
 * bind_values: VALUES in FROM, which a VALUES statement is for Postgres too.
 *
 * All rows are one call of a function that returns them, over one row: the expressions are its
 * arguments. They may look at outer columns, as those of any other function in FROM may; subqueries
 * among them are joined to the one row.
 */
#include "engine/sql/bind.h"

static bool values_types(struct binder *b, const struct pgnode *rte, size_t n,
                         struct column_type *out)
{
    const struct pgnode *types = pgn_field(rte, "coltypes");
    const struct pgnode *typmods = pgn_field(rte, "coltypmods");
    const struct pgnode *collations = pgn_field(rte, "colcollations");
    if (types->n != n || typmods->n != n || collations->n != n)
        return bind_broken(b, "VALUES without column types");
    for (size_t i = 0; i < n; i++)
        if (!bind_type(b, (uint32_t)pgn_atom_int(types->items[i]),
                       (int32_t)pgn_atom_int(typmods->items[i]),
                       (uint32_t)pgn_atom_int(collations->items[i]), &out[i]))
            return false;
    return true;
}

static bool values_row(struct binder *b, struct scope *sc, const struct pgnode *row,
                       struct applies *applies, struct srf_call *call)
{
    struct applies *saved = sc->applies;
    if (row->n != call->ncols)
        return bind_broken(b, "VALUES rows of different lengths");
    for (uint32_t i = 0; i < row->n; i++) {
        sc->applies = applies;
        const struct expr *e = bind_expr(b, sc, row->items[i]);
        sc->applies = saved;
        if (e)
            e = bind_coerce(b, e, call->cols[i]);
        if (!e)
            return false;
        call->args[call->nargs++] = e;
    }
    return true;
}

struct logical *bind_values(struct binder *b, struct scope *sc, struct rte *rte)
{
    const struct pgnode *rows = pgn_field(rte->node, "values_lists");
    const struct pgnode *colnames = pgn_field(pgn_field(rte->node, "eref"), "colnames");
    size_t n = rows->n ? rows->items[0]->n : 0;
    struct column_type *types = ARENA_ARRAY(b->arena, struct column_type, n);
    const char **names = ARENA_ARRAY(b->arena, const char *, n);
    struct srf_call *call = ARENA_NEW(b->arena, struct srf_call);
    struct applies applies = {0};
    if (!rows->n || !values_types(b, rte->node, n, types)) {
        bind_broken(b, "VALUES without rows");
        return NULL;
    }
    *call = (struct srf_call){.srf = &srf_values, .name = "values", .cols = types, .ncols = n};
    call->args = ARENA_ARRAY(b->arena, const struct expr *, rows->n *n);
    for (uint32_t i = 0; i < rows->n; i++)
        if (!values_row(b, sc, rows->items[i], &applies, call))
            return NULL;
    for (size_t i = 0; i < n && i < colnames->n; i++)
        names[i] = arena_strdup(b->arena, colnames->items[i]->text);
    struct logical *one = bind_applied(b, &applies, logical_new(b->arena, LOGICAL_ONE_ROW, 0));
    struct logical *v = logical_flatmap(b->arena, one, b->next_rel++, call, 1, false, names);
    rte->bound = true;
    rte->cols = arena_memdup(b->arena, v->cols + one->ncols, n * sizeof *v->cols);
    rte->ncols = n;
    return v;
}
