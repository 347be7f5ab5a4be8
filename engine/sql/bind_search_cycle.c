/*
 * bind_search_cycle: the SEARCH and CYCLE clauses of WITH RECURSIVE, as columns of the recursion.
 *
 * As Postgres rewrites them (its rewriteSearchCycle.c), with r the row of the columns named:
 *
 *                                   of the base           of what the body makes of a row s
 *     SEARCH DEPTH FIRST BY … SET q   q = ARRAY[r]          q = s.q || r
 *     SEARCH BREADTH FIRST BY …       q = ROW(0, r.*)       q = ROW(iteration, r.*)
 *     CYCLE … SET m TO v DEFAULT d    m = d                 m = CASE WHEN r = ANY (s.p) THEN v ELSE d END
 *       USING p                       p = ARRAY[r]          p = s.p || r
 *
 * and a row whose m is v goes no further. What the body's columns are is known only once it is
 * bound, so this is done in two parts; what s is, only plan/pass_iterate knows.
 */
#include "engine/sql/bind.h"

#include <string.h>

struct clauses {
    struct binder *b;
    const struct pgnode *cte, *search, *cycle;
    bool breadth;
    const struct lcol *row; /* what the row's columns are, by position */
    size_t nrow;
};

static struct clauses clauses_of(struct binder *b, const struct pgnode *cte)
{
    struct clauses c = {b, cte, pgn_field(cte, "search_clause"), pgn_field(cte, "cycle_clause")};
    if (!pgn_is_null(c.search))
        c.breadth = pgn_bool(c.search, "search_breadth_first");
    return c;
}

/* ROW(columns of that list), first before them. */
static const struct expr *row_of(const struct clauses *c, const struct pgnode *list,
                                 const struct expr *first)
{
    const struct pgnode *names = pgn_field(c->cte, "ctecolnames");
    struct arena *a = c->b->arena;
    const struct expr **args = ARENA_ARRAY(a, const struct expr *, list->n + 1);
    const char **fields = ARENA_ARRAY(a, const char *, list->n + 1);
    size_t n = 0;
    if (first) {
        fields[n] = "*DEPTH*";
        args[n++] = first;
    }
    for (uint32_t i = 0; i < list->n; i++)
        for (uint32_t k = 0; k < names->n && k < c->nrow; k++)
            if (strcmp(names->items[k]->text, list->items[i]->text) == 0) {
                fields[n] = arena_strdup(a, list->items[i]->text);
                args[n++] = lcol_expr(a, &c->row[k]);
                break;
            }
    return expr_row(a, fields, args, n);
}

static struct column_type bigint(void)
{
    return (struct column_type){type_native(OID_INT8), -1, NULL};
}

static const struct expr *append(const struct clauses *c, const struct expr *path,
                                 const struct expr *row)
{
    struct column_type none = {type_native(OID_TEXT), -1, NULL};
    return expr_append(c->b->arena, path ? path : expr_const(c->b->arena, value_null(), none), row);
}

/* ------------------------------------------------------------ the base */

struct extra {
    const char *name[3];
    const struct expr *expr[3];
    size_t n;
};

static void add_extra(struct extra *x, const char *name, const struct expr *e)
{
    x->name[x->n] = name ? name : "";
    x->expr[x->n++] = e;
}

static const struct expr *mark(const struct clauses *c, struct scope *sc, const char *field)
{
    const struct expr *e = bind_expr(c->b, sc, pgn_field(c->cycle, field));
    if (e && e->kind == EXPR_CONST && e->value.null) {
        err_soft(c->b->err, "a CYCLE clause with a mark that is NULL");
        return NULL;
    }
    return e;
}

static bool base_extra(const struct clauses *c, struct scope *sc, struct extra *x)
{
    struct arena *a = c->b->arena;
    if (!pgn_is_null(c->search)) {
        const struct pgnode *list = pgn_field(c->search, "search_col_list");
        const struct expr *zero = expr_const(a, value_int(0), bigint());
        add_extra(x, pgn_str(c->search, "search_seq_column"),
                  c->breadth ? row_of(c, list, zero) : append(c, NULL, row_of(c, list, NULL)));
    }
    if (pgn_is_null(c->cycle))
        return true;
    const struct expr *no = mark(c, sc, "cycle_mark_default");
    add_extra(x, pgn_str(c->cycle, "cycle_mark_column"), no);
    add_extra(x, pgn_str(c->cycle, "cycle_path_column"),
              append(c, NULL, row_of(c, pgn_field(c->cycle, "cycle_col_list"), NULL)));
    return no != NULL;
}

bool bind_search_cycle(struct binder *b, struct scope *sc, const struct pgnode *cte,
                       struct logical *n)
{
    struct clauses c = clauses_of(b, cte);
    struct extra x = {.n = 0};
    size_t own = n->ncols;
    c.row = n->in[0]->cols;
    c.nrow = n->in[0]->ncols;
    if (!base_extra(&c, sc, &x))
        return false;
    if (!x.n)
        return true;
    const struct expr **exprs = ARENA_ARRAY(b->arena, const struct expr *, own + x.n);
    struct lcol *cols = ARENA_ARRAY(b->arena, struct lcol, own + x.n);
    for (size_t i = 0; i < own; i++) {
        exprs[i] = lcol_expr(b->arena, &n->in[0]->cols[i]);
        cols[i] = n->cols[i];
    }
    for (size_t i = 0; i < x.n; i++) {
        exprs[own + i] = x.expr[i];
        cols[own + i] = (struct lcol){n->rel, (uint32_t)(own + i) + 1, x.expr[i]->ct,
                                      arena_strdup(b->arena, x.name[i])};
        if (n->rec->spec.distinct && !bind_needs_equality(b, &x.expr[i]->ct, "UNION"))
            return false;
    }
    n->in[0] = logical_project(b->arena, n->in[0], b->next_rel++, exprs, NULL, own + x.n);
    n->cols = cols;
    n->ncols = n->rec->ncols = own + x.n;
    n->rec->nextra = x.n;
    return true;
}

/* ------------------------------------------------------------ the body */

/* Extra column i of the row that the body goes on from; i = nextra: its iteration. */
static const struct expr *of_self(const struct clauses *c, const struct logical *n, size_t i)
{
    size_t own = n->rec->ncols - n->rec->nextra;
    struct lcol col = {n->rec->rel, (uint32_t)i + 1,
                       i < n->rec->nextra ? n->cols[own + i].ct : bigint(), ""};
    return lcol_expr(c->b->arena, &col);
}

#define INT8_PLUS 463

static const struct expr *next_iteration(const struct clauses *c, const struct logical *n)
{
    const struct expr *args[2] = {of_self(c, n, n->rec->nextra),
                                  expr_const(c->b->arena, value_int(1), bigint())};
    return expr_func(c->b->arena, INT8_PLUS, NULL, args, 2, bigint(), NULL, c->b->err);
}

bool bind_search_cycle_body(struct binder *b, const struct pgnode *cte, struct logical *n)
{
    struct clauses c = clauses_of(b, cte);
    struct scope empty = {0};
    struct arena *a = b->arena;
    size_t at = 0;
    c.row = n->in[1]->cols;
    c.nrow = n->in[1]->ncols;
    if (!n->rec->nextra)
        return true;
    n->rec->extra = ARENA_ARRAY(a, const struct expr *, n->rec->nextra);
    if (!pgn_is_null(c.search)) {
        const struct pgnode *list = pgn_field(c.search, "search_col_list");
        n->rec->extra[at] = c.breadth ? row_of(&c, list, next_iteration(&c, n))
                                      : append(&c, of_self(&c, n, at), row_of(&c, list, NULL));
        at++;
    }
    if (pgn_is_null(c.cycle))
        return true;
    const struct expr *row = row_of(&c, pgn_field(c.cycle, "cycle_col_list"), NULL);
    const struct expr *yes = mark(&c, &empty, "cycle_mark_value");
    const struct expr *no = mark(&c, &empty, "cycle_mark_default");
    if (!yes || !no || !bind_needs_equality(b, &yes->ct, "CYCLE"))
        return false;
    const struct expr *args[3] = {expr_on_path(a, row, of_self(&c, n, at + 1)), yes, no};
    n->rec->stop = expr_same(a, of_self(&c, n, at), yes);
    n->rec->extra[at] = expr_case(a, args, 3, yes->ct);
    n->rec->extra[at + 1] = append(&c, of_self(&c, n, at + 1), row);
    return true;
}
