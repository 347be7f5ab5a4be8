/*
 * bind_from: the FROM clause. Each item becomes a logical node, and the range-table entry learns
 * which column identities stand for it; from then on a Var finds its column there.
 *
 * Views are bound from the query they were defined by, as if written in place. A CTE is bound at its
 * first reference and shared by the others; one that is referenced but once is put in place of its
 * reference when the whole statement is bound (plan/passes).
 */
#include "engine/sql/bind.h"

#include <string.h>

#include "engine/plan/carry.h"
#include "engine/sql/bind_row.h"
#include "engine/sql/refuse.h"

struct rte *bind_find_rte(struct binder *b, struct scope *sc, int64_t rtindex)
{
    if (rtindex >= 1 && rtindex <= (int64_t)sc->nrtes)
        return &sc->rtes[rtindex - 1];
    bind_broken(b, "a range-table index out of range");
    return NULL;
}

static void set_cols(struct rte *rte, const struct lcol *cols, size_t n)
{
    rte->bound = true;
    rte->cols = cols;
    rte->ncols = n;
}

/* ------------------------------------------------------------ tables and views */

static const struct logical_table *copy_table(struct binder *b, const struct cat_table *t,
                                              bool only)
{
    struct logical_table *lt = ARENA_NEW(b->arena, struct logical_table);
    const char **names = ARENA_ARRAY(b->arena, const char *, t->ncols);
    bool *generated = ARENA_ARRAY(b->arena, bool, t->ncols);
    const uint32_t *leaves = only ? t->leaves_only : t->leaves;
    for (size_t i = 0; i < t->ncols; i++) {
        names[i] = arena_strdup(b->arena, t->cols[i].name);
        generated[i] = t->cols[i].generated;
    }
    lt->oid = t->oid;
    lt->schema = arena_strdup(b->arena, t->schema);
    lt->name = arena_strdup(b->arena, t->name);
    lt->nleaves = only ? t->nleaves_only : t->nleaves;
    lt->leaves = arena_memdup(b->arena, leaves, lt->nleaves * sizeof *leaves);
    lt->only = only; /* also where nothing is below the table: something may be later */
    lt->colnames = names;
    lt->generated = generated;
    lt->ncols = t->ncols;
    lt->unique = arena_memdup(b->arena, t->unique, t->nunique * sizeof *t->unique);
    lt->nunique = t->nunique;
    lt->ntelling = t->ntelling;
    return lt;
}

/* A partition may be foreign, a child unlogged. */
static bool check_leaves(struct binder *b, const struct logical_table *t)
{
    for (size_t i = 0; i < t->nleaves; i++) {
        if (t->leaves[i] == t->oid)
            continue;
        const struct cat_table *leaf = b->cat->table(b->cat->ctx, t->leaves[i], b->err);
        if (!leaf || !refuse_check_table(leaf, b->err))
            return false;
    }
    return true;
}

static struct logical *bind_table(struct binder *b, struct rte *rte, const struct cat_table *t)
{
    struct logical *n = logical_new(b->arena, LOGICAL_SCAN, 0);
    struct lcol *by_attno = ARENA_ARRAY(b->arena, struct lcol, t->ncols);
    n->rel = b->next_rel++;
    n->table = copy_table(b, t, !pgn_bool(rte->node, "inh"));
    if (!check_leaves(b, n->table))
        return NULL;
    n->cols = ARENA_ARRAY(b->arena, struct lcol, t->ncols);
    for (size_t i = 0; i < t->ncols; i++) {
        if (t->cols[i].dropped)
            continue;
        by_attno[i] =
            (struct lcol){n->rel, (uint32_t)i + 1, t->cols[i].ct,
                          arena_printf(b->arena, "%s.%s", n->table->name, n->table->colnames[i])};
        n->cols[n->ncols++] = by_attno[i];
    }
    set_cols(rte, by_attno, t->ncols);
    return n;
}

static struct logical *bind_subquery(struct binder *b, struct scope *parent, struct rte *rte,
                                     const struct pgnode *query)
{
    struct bound sub;
    if (!bind_query(b, query, parent, false, &sub))
        return NULL;
    set_cols(rte, sub.out, sub.nout);
    return sub.root;
}

static struct logical *bind_view(struct binder *b, struct rte *rte, const struct cat_table *t)
{
    if (!t->view_tree) {
        bind_broken(b, "a view without a definition");
        return NULL;
    }
    struct pgnode *tree = pgnode_read(t->view_tree, strlen(t->view_tree), b->scratch, b->err);
    if (!tree)
        return NULL;
    const struct pgnode *query = tree;
    while (query->kind == PGN_LIST && query->n == 1)
        query = query->items[0];
    return bind_subquery(b, NULL, rte, query);
}

static struct logical *bind_relation(struct binder *b, struct rte *rte)
{
    const struct cat_table *t = b->cat->table(b->cat->ctx, pgn_oid(rte->node, "relid"), b->err);
    if (!t || !refuse_check_table(t, b->err))
        return NULL;
    return t->relkind == 'v' ? bind_view(b, rte, t) : bind_table(b, rte, t);
}

/* ------------------------------------------------------------ CTEs */

static struct cte_entry *find_cte(struct binder *b, struct scope *sc, const struct pgnode *rte,
                                  struct scope **home)
{
    const char *name = pgn_str(rte, "ctename");
    int64_t up = pgn_int(rte, "ctelevelsup");
    while (up-- > 0 && sc)
        sc = sc->parent;
    for (size_t i = 0; sc && name && i < sc->nctes; i++) {
        const char *this = pgn_str(sc->ctes[i].node, "ctename");
        if (this && strcmp(this, name) == 0) {
            *home = sc;
            return &sc->ctes[i];
        }
    }
    bind_broken(b, "a WITH query that isn't there");
    return NULL;
}

enum { /* CTEMaterialize */
    CTE_DEFAULT,
    CTE_ALWAYS,
    CTE_NEVER
};

static bool bind_shared(struct binder *b, struct scope *home, struct cte_entry *e)
{
    struct bound body;
    if (e->shared)
        return true;
    if (e->binding)
        return bind_broken(b, "a WITH query that refers to itself");
    e->binding = true;
    if (pgn_bool(e->node, "cterecursive")) {
        if (!(body.root = bind_recursive(b, home, e)))
            return false;
        body.nout = body.root->ncols;
        body.out = arena_memdup(b->arena, body.root->cols, body.nout * sizeof *body.out);
    } else if (!bind_query(b, pgn_field(e->node, "ctequery"), home, false, &body)) {
        return false;
    }
    int64_t materialized = pgn_int(e->node, "ctematerialized");
    e->binding = false;
    e->shared = ARENA_NEW(b->arena, struct logical_cte);
    *e->shared = (struct logical_cte){body.root,
                                      body.out,
                                      body.nout,
                                      0,
                                      arena_strdup(b->arena, pgn_str(e->node, "ctename")),
                                      .apart = materialized == CTE_ALWAYS,
                                      .whole = materialized != CTE_NEVER};
    return true;
}

static struct logical *bind_cte(struct binder *b, struct scope *sc, struct rte *rte)
{
    struct scope *home;
    struct cte_entry *e = find_cte(b, sc, rte->node, &home);
    if (e && e->rec)
        return bind_self(b, e, rte);
    if (e && b->lazy && pgn_bool(e->node, "cterecursive")) {
        err_soft(b->err, "a recursive query under LIMIT without ORDER BY");
        return NULL;
    }
    if (!e || !bind_shared(b, home, e))
        return NULL;
    struct logical *n = logical_new(b->arena, LOGICAL_CTE, 0);
    n->cte = e->shared;
    n->cte->refs++;
    n->rel = b->next_rel++;
    n->ncols = n->cte->nout;
    n->cols = ARENA_ARRAY(b->arena, struct lcol, n->ncols);
    for (size_t i = 0; i < n->ncols; i++) {
        n->cols[i] = n->cte->out[i];
        n->cols[i].rel = n->rel;
        n->cols[i].no = (uint32_t)i + 1;
    }
    set_cols(rte, arena_memdup(b->arena, n->cols, n->ncols * sizeof *n->cols), n->ncols);
    return n;
}

/* ------------------------------------------------------------ items and joins */

/* left: what a function may be applied to; NULL = nothing. */
static struct logical *bind_rte_beside(struct binder *b, struct scope *sc, int64_t rtindex,
                                       struct logical *left)
{
    struct rte *rte = bind_find_rte(b, sc, rtindex);
    if (!rte || !refuse_check_rte(rte->node, b->err))
        return NULL;
    if (rte->bound || ++b->nfroms > BIND_MAX_FROM) {
        err_set(b->err, "54001", "the statement has too many FROM items");
        b->err->soft = true; /* Postgres can */
        return NULL;
    }
    switch (pgn_int(rte->node, "rtekind")) {
    case 0: return bind_relation(b, rte);
    case 1: return bind_subquery(b, sc, rte, pgn_field(rte->node, "subquery"));
    case 3: return bind_range_function(b, sc, rte, left);
    case 5: return bind_values(b, sc, rte);
    case 6: return bind_cte(b, sc, rte);
    default: bind_broken(b, "a FROM item that is a join alias"); return NULL;
    }
}

struct logical *bind_rte(struct binder *b, struct scope *sc, int64_t rtindex)
{
    return bind_rte_beside(b, sc, rtindex, NULL);
}

static struct logical *bind_item(struct binder *b, struct scope *sc, const struct pgnode *item);

/* A function in FROM, which may be applied to what is left of it; otherwise as bind_item(). */
static struct logical *bind_beside(struct binder *b, struct scope *sc, const struct pgnode *item,
                                   struct logical *left, bool *applied)
{
    *applied = false;
    if (!pgn_is(item, "RANGETBLREF"))
        return bind_item(b, sc, item);
    struct logical *n = bind_rte_beside(b, sc, pgn_int(item, "rtindex"), left);
    *applied = n && left && n->kind == LOGICAL_FLATMAP && n->in[0] == left;
    return n && !*applied ? bind_presence(b, sc, pgn_int(item, "rtindex"), n) : n;
}

/* LEFT JOIN LATERAL f(…) ON …: rows without any stay. */
static struct logical *join_applied(struct binder *b, struct logical *n, bool outer,
                                    const struct exprs *conds, const struct applies *with)
{
    if (!outer)
        return bind_applied(b, with, logical_filter(b->arena, n, conds));
    if (with->n) {
        err_soft(b->err, "a subquery in the condition of an outer join with a function");
        return NULL;
    }
    n->outer = true;
    n->conds = conds->v;
    n->nconds = conds->n;
    return n;
}

/* Whether the item may look at those to its left. */
static bool is_lateral(const struct scope *sc, const struct pgnode *item)
{
    int64_t i = pgn_int(item, "rtindex");
    if (pgn_is(item, "JOINEXPR"))
        return is_lateral(sc, pgn_field(item, "larg")) || is_lateral(sc, pgn_field(item, "rarg"));
    return i >= 1 && i <= (int64_t)sc->nrtes && pgn_bool(sc->rtes[i - 1].node, "lateral");
}

/* The conditions of a full join may take rows away from neither side: a subquery in them becomes
 * columns of the side it looks at. */
static bool bind_full_conds(struct binder *b, struct scope *sc, const struct pgnode *quals,
                            struct logical *side[2], struct exprs *conds)
{
    struct applies with = {0}, *saved = sc->applies;
    sc->applies = &with;
    bool ok = bind_conds(b, sc, quals, conds);
    sc->applies = saved;
    for (size_t i = 0; i < with.n && ok; i++) {
        struct applies one = {&with.v[i], 1, 1};
        bool left = tree_uses(with.v[i].right, side[0]->cols, side[0]->ncols);
        if (left && tree_uses(with.v[i].right, side[1]->cols, side[1]->ncols))
            return err_soft(b->err, "a subquery about both sides of a full join");
        side[!left] = bind_applied(b, &one, side[!left]);
    }
    return ok;
}

static bool bind_join_conds(struct binder *b, struct scope *sc, const struct pgnode *node,
                            struct logical *side[2], struct exprs *conds, struct applies *with)
{
    const struct pgnode *quals = pgn_field(node, "quals");
    if (pgn_int(node, "jointype") == 2)
        return bind_full_conds(b, sc, quals, side, conds);
    return bind_conds_apart(b, sc, quals, conds, with);
}

/* The join of l and r, where the conditions' subqueries (with) go to the side that may be missing:
 * it then depends on the other one, as a LATERAL item does. */
static struct logical *join_of(struct binder *b, enum join_kind kind, struct logical *l,
                               struct logical *r, const struct exprs *conds,
                               const struct applies *with)
{
    if (kind == JOIN_LEFT)
        r = bind_applied(b, with, r);
    struct logical *n = logical_join(b->arena, kind, l, r);
    n->conds = conds->v;
    n->nconds = conds->n;
    n->dependent = kind == JOIN_LEFT && with->n;
    return n;
}

static struct logical *bind_join(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    static const struct {
        enum join_kind kind;
        bool swapped;
    } kinds[] = {{JOIN_INNER, false}, {JOIN_LEFT, false}, {JOIN_FULL, false}, {JOIN_LEFT, true}};
    const struct pgnode *rarg = pgn_field(node, "rarg");
    int64_t type = pgn_int(node, "jointype");
    struct exprs conds = {0};
    struct applies with = {0};
    struct logical *l = bind_item(b, sc, pgn_field(node, "larg"));
    bool applied;
    struct logical *r = l ? bind_beside(b, sc, rarg, l, &applied) : NULL;
    struct logical *side[2] = {l, r};
    if (!r || !bind_join_conds(b, sc, node, side, &conds, &with))
        return NULL;
    if (type < 0 || type > 3) {
        bind_broken(b, "a join of unknown type");
        return NULL;
    }
    if (applied && type > 1) {
        bind_broken(b, "a function that refers to what is joined later");
        return NULL;
    }
    if (applied)
        return join_applied(b, r, type == 1, &conds, &with);
    bool swapped = kinds[type].swapped;
    struct logical *n = join_of(b, kinds[type].kind, side[swapped], side[!swapped], &conds, &with);
    n->dependent |= !swapped && is_lateral(sc, rarg);
    return kinds[type].kind == JOIN_INNER ? bind_applied(b, &with, n) : n;
}

static struct logical *bind_list(struct binder *b, struct scope *sc, const struct pgnode *list)
{
    struct logical *n = NULL;
    for (uint32_t i = 0; i < list->n; i++) {
        bool applied;
        struct logical *item = bind_beside(b, sc, list->items[i], n, &applied);
        if (!item)
            return NULL;
        if (n && !applied) {
            n = logical_join(b->arena, JOIN_INNER, n, item);
            n->dependent = is_lateral(sc, list->items[i]);
        } else {
            n = item;
        }
    }
    return n ? n : logical_new(b->arena, LOGICAL_ONE_ROW, 0);
}

static struct logical *bind_item(struct binder *b, struct scope *sc, const struct pgnode *item)
{
    bool applied;
    if (pgn_is(item, "RANGETBLREF"))
        return bind_beside(b, sc, item, NULL, &applied);
    if (pgn_is(item, "JOINEXPR"))
        return bind_join(b, sc, item);
    bind_broken(b, "a FROM item of unknown form");
    return NULL;
}

struct logical *bind_from(struct binder *b, struct scope *sc)
{
    return bind_list(b, sc, pgn_field(pgn_field(sc->query, "jointree"), "fromlist"));
}
