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

/* rec, but for its columns, and the node over it. */
static struct logical *recursive_node(struct binder *b, const struct cte_entry *e,
                                      const struct pgnode *node)
{
    struct logical *n = logical_new(b->arena, LOGICAL_RECURSE, 2);
    n->rec = ARENA_NEW(b->arena, struct logical_rec);
    n->rec->spec = (struct recursion_spec){
        .name = arena_strdup(b->arena, pgn_str(e->node, "ctename")),
        .distinct = !pgn_bool(node, "all"),
        .max_iterations = b->in->recursion_depth ? b->in->recursion_depth : RECURSION_DEPTH,
        .max_rows = b->in->recursion_rows ? b->in->recursion_rows : RECURSION_ROWS};
    n->rec->rel = b->next_rel++;
    n->rel = b->next_rel++;
    return n;
}

static struct logical *bind_parts(struct binder *b, struct scope *sc, struct cte_entry *e,
                                  const struct pgnode *node)
{
    struct logical *n = recursive_node(b, e, node);
    struct setop_type types;
    if (!bind_setop_types(b, node, &types) || (n->rec->spec.distinct && !have_equality(b, &types)))
        return NULL;
    n->ncols = n->rec->ncols = types.n;
    n->cols = recursive_cols(b, e, n->rel, &types);
    if (!(n->in[0] = bind_setop_branch(b, sc, pgn_field(node, "larg"), &types)) ||
        !bind_search_cycle(b, sc, e->node, n))
        return NULL;
    e->rec = n->rec;
    e->rec_cols = n->cols;
    n->in[1] = bind_setop_branch(b, sc, pgn_field(node, "rarg"), &types);
    e->rec = NULL;
    if (!n->in[1])
        return NULL;
    return bind_search_cycle_body(b, e->node, n) ? n : NULL;
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
        err_soft(b->err, "a statement that is nested so deeply");
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
    n->ncols = e->rec->ncols - e->rec->nextra;
    n->cols = arena_memdup(b->arena, e->rec_cols, n->ncols * sizeof *n->cols);
    for (size_t i = 0; i < n->ncols; i++)
        n->cols[i].rel = n->rel;
    struct lcol *cols =
        ARENA_ARRAY(b->arena, struct lcol, e->rec->ncols); /* the extra ones: none */
    memcpy(cols, n->cols, n->ncols * sizeof *cols);
    rte->bound = true;
    rte->cols = cols;
    rte->ncols = e->rec->ncols;
    return n;
}
