/*
 * bind_recursive: WITH RECURSIVE as LOGICAL_RECURSE.
 *
 * Postgres has checked the form: a UNION [ALL] of a part without and a part with the one reference
 * to itself, which isn't on the nullable side of an outer join, nor in a subquery expression or an
 * aggregate. The reference becomes a SELF leaf; the rest is bound as anywhere else. What makes the
 * recursive part one circuit for all iterations is done by plan/pass_iterate.
 *
 * A LIMIT without an ORDER BY is read only until it is full, which ends a recursion that has no end:
 *
 *     WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t LIMIT 10
 *
 * That can't be had by changes: which rows come first is how Postgres goes about it.
 */
#include "engine/sql/bind.h"

#include <string.h>

/* The defaults of limits.recursion_depth and limits.recursion_rows. */
#define RECURSION_DEPTH 100000
#define RECURSION_ROWS  1000000

/* Columns and names as the WITH query gives them. */
static struct lcol *recursive_cols(struct binder *b, const struct cte_entry *e, uint32_t rel,
                                   const struct setop_type *types)
{
    const struct pgnode *names = pgn_field(e->node, "ctecolnames");
    struct lcol *cols = ARENA_ARRAY(b->arena, struct lcol, types->n);
    for (size_t i = 0; i < types->n; i++)
        cols[i] = (struct lcol){rel, (uint32_t)i + 1, types->v[i],
                                i < names->n ? arena_strdup(b->arena, names->items[i]->text) : ""};
    return cols;
}

static bool have_equality(struct binder *b, const struct setop_type *types)
{
    for (size_t i = 0; i < types->n; i++)
        if (!bind_needs_equality(b, &types->v[i], "UNION"))
            return false;
    return true;
}

static struct logical *bind_parts(struct binder *b, struct scope *sc, struct cte_entry *e,
                                  const struct pgnode *node)
{
    struct logical *n = logical_new(b->arena, LOGICAL_RECURSE, 2);
    struct logical_rec *rec = ARENA_NEW(b->arena, struct logical_rec);
    struct setop_type types;
    rec->spec = (struct recursion_spec){
        .name = arena_strdup(b->arena, pgn_str(e->node, "ctename")),
        .distinct = !pgn_bool(node, "all"),
        .max_iterations = b->in->recursion_depth ? b->in->recursion_depth : RECURSION_DEPTH,
        .max_rows = b->in->recursion_rows ? b->in->recursion_rows : RECURSION_ROWS};
    if (!bind_setop_types(b, node, &types) || (rec->spec.distinct && !have_equality(b, &types)))
        return NULL;
    rec->rel = b->next_rel++;
    rec->ncols = types.n;
    n->rel = b->next_rel++;
    n->rec = rec;
    n->cols = recursive_cols(b, e, n->rel, &types);
    n->ncols = types.n;
    if (!(n->in[0] = bind_setop_branch(b, sc, pgn_field(node, "larg"), &types)))
        return NULL;
    e->rec = rec;
    e->rec_cols = n->cols;
    n->in[1] = bind_setop_branch(b, sc, pgn_field(node, "rarg"), &types);
    e->rec = NULL;
    return n->in[1] ? n : NULL;
}

struct logical *bind_recursive(struct binder *b, struct scope *home, struct cte_entry *e)
{
    const struct pgnode *query = pgn_field(e->node, "ctequery");
    const struct pgnode *node = pgn_field(query, "setOperations");
    struct scope sc;
    if (!pgn_is(node, "SETOPERATIONSTMT") || pgn_int(node, "op") != 1) {
        bind_broken(b, "a recursive WITH query of unknown form");
        return NULL;
    }
    if (b->depth >= BIND_MAX_DEPTH) {
        err_set(b->err, "54001", "the statement is nested too deeply");
        return NULL;
    }
    if (!bind_open_scope(b, query, home, &sc))
        return NULL;
    b->depth++;
    struct logical *n = bind_parts(b, &sc, e, node);
    b->depth--;
    return n;
}

struct logical *bind_self(struct binder *b, const struct cte_entry *e, struct rte *rte)
{
    struct logical *n = logical_new(b->arena, LOGICAL_SELF, 0);
    n->rel = b->next_rel++;
    n->rec = e->rec;
    n->ncols = e->rec->ncols;
    n->cols = arena_memdup(b->arena, e->rec_cols, n->ncols * sizeof *n->cols);
    for (size_t i = 0; i < n->ncols; i++)
        n->cols[i].rel = n->rel;
    rte->bound = true;
    rte->cols = arena_memdup(b->arena, n->cols, n->ncols * sizeof *n->cols);
    rte->ncols = n->ncols;
    return n;
}
