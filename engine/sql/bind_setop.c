/*
 * bind_setop: UNION, INTERSECT and EXCEPT, nested as Postgres's SETOPERATIONSTMT has them.
 *
 * The leaves are subqueries of the range table. The analysed tree leaves the casts of their columns
 * to the type of the operation to the planner, so each branch gets a projection that casts. The
 * select list above refers to the leftmost leaf; here that entry comes to stand for the result.
 */
#include "engine/sql/bind.h"

#include <string.h>

#include "engine/sql/pgops.h"
#include "engine/sql/refuse.h"

static bool same_types(const struct setop_type *a, const struct setop_type *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].type != b->v[i].type || a->v[i].collation != b->v[i].collation)
            return false;
    return true;
}

bool bind_setop_types(struct binder *b, const struct pgnode *node, struct setop_type *out)
{
    const struct pgnode *types = pgn_field(node, "colTypes");
    const struct pgnode *typmods = pgn_field(node, "colTypmods");
    const struct pgnode *collations = pgn_field(node, "colCollations");
    if (typmods->n != types->n || collations->n != types->n)
        return bind_broken(b, "a set operation without column types");
    out->n = types->n;
    out->v = ARENA_ARRAY(b->arena, struct column_type, types->n);
    for (uint32_t i = 0; i < types->n; i++)
        if (!bind_type(b, (uint32_t)pgn_atom_int(types->items[i]),
                       (int32_t)pgn_atom_int(typmods->items[i]),
                       (uint32_t)pgn_atom_int(collations->items[i]), &out->v[i]))
            return false;
    return true;
}

const struct expr *bind_coerce(struct binder *b, const struct expr *e, struct column_type to)
{
    uint32_t funcid = 0;
    struct expr *cast = NULL;
    if (e->ct.type == to.type && e->ct.collation == to.collation)
        return e;
    switch (pgops_implicit_cast(e->ct.type->oid, to.type->oid, &funcid)) {
    case CAST_SAME:
    case CAST_RELABEL: cast = expr_relabel(b->arena, e, to, b->err); break;
    case CAST_FUNC:
        cast = expr_func(b->arena, funcid, NULL, &e, 1, to, e->ct.collation, b->err);
        break;
    case CAST_NONE:
        err_soft(b->err, "a set operation of types %s and %s", e->ct.type->name, to.type->name);
    }
    return cast ? expr_fold(b->arena, cast) : NULL;
}

static struct logical *bind_node(struct binder *b, struct scope *sc, const struct pgnode *node,
                                 struct setop_type *types, int depth);

/* One input in the types of the operation above it. */
static struct logical *bind_branch(struct binder *b, struct scope *sc, const struct pgnode *node,
                                   const struct setop_type *types, int depth)
{
    struct logical *n;
    const struct lcol *cols;
    size_t ncols;
    if (pgn_is(node, "RANGETBLREF")) {
        int64_t rtindex = pgn_int(node, "rtindex");
        if (!(n = bind_rte(b, sc, rtindex)))
            return NULL;
        cols = sc->rtes[rtindex - 1].cols;
        ncols = sc->rtes[rtindex - 1].ncols;
    } else {
        struct setop_type own;
        if (!(n = bind_node(b, sc, node, &own, depth + 1)))
            return NULL;
        cols = n->cols;
        ncols = n->ncols;
    }
    if (ncols != types->n) {
        bind_broken(b, "a set operation over different numbers of columns");
        return NULL;
    }
    const struct expr **exprs = ARENA_ARRAY(b->arena, const struct expr *, ncols);
    const char **names = ARENA_ARRAY(b->arena, const char *, ncols);
    for (size_t i = 0; i < ncols; i++) {
        exprs[i] = bind_coerce(b, lcol_expr(b->arena, &cols[i]), types->v[i]);
        if (!exprs[i])
            return NULL;
        names[i] = cols[i].name;
    }
    return logical_project(b->arena, n, b->next_rel++, exprs, names, ncols);
}

struct logical *bind_setop_branch(struct binder *b, struct scope *sc, const struct pgnode *node,
                                  const struct setop_type *types)
{
    return bind_branch(b, sc, node, types, 0);
}

static bool is_union(const struct pgnode *node)
{
    return pgn_is(node, "SETOPERATIONSTMT") && pgn_int(node, "op") == 1;
}

struct branches {
    struct logical **v;
    size_t n, cap;
};

/* The inputs of a run of UNIONs as one list: what is UNIONed needs no DISTINCT of its own below. */
static bool collect_union(struct binder *b, struct scope *sc, const struct pgnode *node, bool all,
                          const struct setop_type *types, struct branches *out, int depth)
{
    const char *const sides[] = {"larg", "rarg"};
    if (depth > PGNODE_MAX_DEPTH)
        return bind_broken(b, "set operations nested too deeply");
    for (int i = 0; i < 2; i++) {
        const struct pgnode *side = pgn_field(node, sides[i]);
        struct setop_type own;
        if (is_union(side) && (!all || pgn_bool(side, "all"))) {
            if (!bind_setop_types(b, side, &own))
                return false;
            if (same_types(&own, types)) {
                if (!collect_union(b, sc, side, all, types, out, depth + 1))
                    return false;
                continue;
            }
        }
        struct logical *branch = bind_branch(b, sc, side, types, depth);
        if (!branch)
            return false;
        AVEC_PUSH(b->scratch, *out, branch);
    }
    return true;
}

static void setop_cols(struct binder *b, struct logical *n, const struct logical *first,
                       const struct setop_type *types)
{
    n->rel = b->next_rel++;
    n->ncols = types->n;
    n->cols = ARENA_ARRAY(b->arena, struct lcol, types->n);
    for (size_t i = 0; i < types->n; i++)
        n->cols[i] = (struct lcol){n->rel, (uint32_t)i + 1, types->v[i], first->cols[i].name};
}

static struct logical *bind_union(struct binder *b, struct scope *sc, const struct pgnode *node,
                                  const struct setop_type *types, int depth)
{
    struct branches branches = {0};
    bool all = pgn_bool(node, "all");
    struct logical *n = NULL;
    if (collect_union(b, sc, node, all, types, &branches, depth)) {
        n = logical_new(b->arena, LOGICAL_UNION, branches.n);
        memcpy(n->in, branches.v, branches.n * sizeof *n->in);
        setop_cols(b, n, n->in[0], types);
        if (!all)
            n = logical_distinct(b->arena, n);
    }
    return n;
}

static struct logical *bind_intersect_except(struct binder *b, struct scope *sc,
                                             const struct pgnode *node,
                                             const struct setop_type *types, int depth)
{
    bool all = pgn_bool(node, "all"), intersect = pgn_int(node, "op") == 2;
    struct logical *n = logical_new(b->arena, LOGICAL_SETOP, 2);
    n->in[0] = bind_branch(b, sc, pgn_field(node, "larg"), types, depth);
    n->in[1] = n->in[0] ? bind_branch(b, sc, pgn_field(node, "rarg"), types, depth) : NULL;
    if (!n->in[1])
        return NULL;
    n->setop = intersect ? (all ? SETOP_INTERSECT_ALL : SETOP_INTERSECT)
                         : (all ? SETOP_EXCEPT_ALL : SETOP_EXCEPT);
    setop_cols(b, n, n->in[0], types);
    return n;
}

static struct logical *bind_node(struct binder *b, struct scope *sc, const struct pgnode *node,
                                 struct setop_type *types, int depth)
{
    int64_t op = pgn_int(node, "op");
    if (!pgn_is(node, "SETOPERATIONSTMT") || op < 1 || op > 3 || depth > PGNODE_MAX_DEPTH) {
        bind_broken(b, "a set operation of unknown form");
        return NULL;
    }
    if (!bind_setop_types(b, node, types))
        return NULL;
    for (size_t i = 0; i < types->n; i++)
        if (!(op == 1 && pgn_bool(node, "all")) && !bind_needs_equality(b, &types->v[i],
                                                                        op == 1   ? "UNION"
                                                                        : op == 2 ? "INTERSECT"
                                                                                  : "EXCEPT"))
            return NULL;
    return op == 1 ? bind_union(b, sc, node, types, depth)
                   : bind_intersect_except(b, sc, node, types, depth);
}

struct logical *bind_setops(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct setop_type types;
    const struct pgnode *leftmost = node;
    struct logical *n = bind_node(b, sc, node, &types, 0);
    if (!n)
        return NULL;
    while (pgn_is(leftmost, "SETOPERATIONSTMT"))
        leftmost = pgn_field(leftmost, "larg");
    struct rte *rte = bind_find_rte(b, sc, pgn_int(leftmost, "rtindex"));
    if (!rte)
        return NULL;
    rte->cols = n->cols;
    rte->ncols = n->ncols;
    return n;
}
