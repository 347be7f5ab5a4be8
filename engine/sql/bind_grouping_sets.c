/*
 * bind_grouping_sets: GROUPING SETS, ROLLUP, CUBE and grouping().
 *
 * What stands in GROUP BY is multiplied out to a list of sets of keys; each set is a group node of
 * its own over the same rows (a shared CTE), and their union is the grouping. A key that a set
 * doesn't have is NULL in its rows; grouping() is a constant of each.
 *
 *     SELECT a, b, count(*), grouping(a, b) FROM t GROUP BY ROLLUP (a, b)
 *
 *     union   (a, b, count, 0)  group by a, b  ─┐
 *             (a, NULL, count, 1)  group by a  ─┼─ shared: FROM, WHERE
 *             (NULL, NULL, count, 3)  aggregate ┘
 *
 * The empty set is an aggregate without keys, so it has a row over no input too. A set that comes
 * twice gives its rows twice, unless GROUP BY DISTINCT. Columns that follow from keys (functional
 * dependency) are keys of every set: Postgres lets them pass only where each set has what they
 * depend on.
 */
#include "engine/sql/bind_agg.h"

/* Each set is an operator; a CUBE of eight columns is the limit. */
#define MAX_SETS 256
#define MAX_KEYS 64

enum set_kind { /* Postgres's GroupingSetKind */
    SET_EMPTY,
    SET_SIMPLE,
    SET_ROLLUP,
    SET_CUBE,
    SET_SETS
};

static void push_set(struct binder *b, struct grouping_sets *out, grouping_set set)
{
    AVEC_PUSH(b->scratch, *out, set);
}

/* The keys that a list of sort/group references names. */
static bool keys_of(struct binder *b, const struct grouping *g, const struct pgnode *refs,
                    grouping_set *out)
{
    *out = 0;
    for (uint32_t i = 0; i < refs->n; i++) {
        int64_t ref = pgn_atom_int(refs->items[i]);
        size_t k = 0;
        while (k < g->refs.n && g->refs.v[k] != ref)
            k++;
        if (!ref || k == g->refs.n)
            return bind_broken(b, "a grouping set of an unknown column");
        *out |= (grouping_set)1 << k;
    }
    return true;
}

/* The parts of a ROLLUP or CUBE: a column each, or several in parentheses. */
static bool parts_of(struct binder *b, const struct grouping *g, const struct pgnode *node,
                     struct grouping_sets *parts)
{
    const struct pgnode *content = pgn_field(node, "content");
    for (uint32_t i = 0; i < content->n; i++) {
        grouping_set set;
        if (!keys_of(b, g, pgn_field(content->items[i], "content"), &set))
            return false;
        push_set(b, parts, set);
    }
    return true;
}

static bool too_many(struct binder *b)
{
    return err_soft(b->err, "GROUP BY of more than %d grouping sets", MAX_SETS);
}

static bool expand_rollup(struct binder *b, const struct grouping *g, const struct pgnode *node,
                          struct grouping_sets *out)
{
    struct grouping_sets parts = {0};
    if (!parts_of(b, g, node, &parts))
        return false;
    for (size_t len = parts.n + 1; len-- > 0;) {
        grouping_set set = 0;
        for (size_t i = 0; i < len; i++)
            set |= parts.v[i];
        push_set(b, out, set);
    }
    return true;
}

static bool expand_cube(struct binder *b, const struct grouping *g, const struct pgnode *node,
                        struct grouping_sets *out)
{
    struct grouping_sets parts = {0};
    if (!parts_of(b, g, node, &parts))
        return false;
    if (parts.n > 8)
        return too_many(b);
    for (size_t which = 0; which < (size_t)1 << parts.n; which++) {
        grouping_set set = 0;
        for (size_t i = 0; i < parts.n; i++)
            if (which >> i & 1)
                set |= parts.v[i];
        push_set(b, out, set);
    }
    return true;
}

static bool expand(struct binder *b, const struct grouping *g, const struct pgnode *node,
                   struct grouping_sets *out, int depth)
{
    const struct pgnode *content = pgn_field(node, "content");
    grouping_set set;
    if (depth > PGNODE_MAX_DEPTH)
        return bind_broken(b, "grouping sets nested too deeply");
    switch (pgn_int(node, "kind")) {
    case SET_EMPTY: push_set(b, out, 0); return true;
    case SET_SIMPLE:
        if (!keys_of(b, g, content, &set))
            return false;
        push_set(b, out, set);
        return true;
    case SET_ROLLUP: return expand_rollup(b, g, node, out);
    case SET_CUBE: return expand_cube(b, g, node, out);
    case SET_SETS:
        for (uint32_t i = 0; i < content->n; i++)
            if (!expand(b, g, content->items[i], out, depth + 1))
                return false;
        return out->n <= MAX_SETS || too_many(b);
    default: return bind_broken(b, "a grouping set of unknown kind");
    }
}

/* Every set so far with every one of the next item. */
static bool multiply(struct binder *b, struct grouping_sets *sets, const struct grouping_sets *by)
{
    struct grouping_sets product = {0};
    if (sets->n * by->n > MAX_SETS)
        return too_many(b);
    for (size_t i = 0; i < sets->n; i++)
        for (size_t k = 0; k < by->n; k++)
            push_set(b, &product, sets->v[i] | by->v[k]);
    *sets = product;
    return true;
}

static void drop_duplicates(struct grouping_sets *sets)
{
    size_t n = 0;
    for (size_t i = 0; i < sets->n; i++) {
        size_t k = 0;
        while (k < n && sets->v[k] != sets->v[i])
            k++;
        if (k == n)
            sets->v[n++] = sets->v[i];
    }
    sets->n = n;
}

bool grouping_sets_expand(struct binder *b, const struct grouping *g, const struct pgnode *query,
                          struct grouping_sets *out)
{
    const struct pgnode *items = pgn_field(query, "groupingSets");
    *out = (struct grouping_sets){0};
    push_set(b, out, 0);
    if (g->keys.n > MAX_KEYS)
        return err_soft(b->err, "grouping sets of more than %d columns", MAX_KEYS);
    for (uint32_t i = 0; i < items->n; i++) {
        struct grouping_sets by = {0};
        if (!expand(b, g, items->items[i], &by, 0) || !multiply(b, out, &by))
            return false;
    }
    if (pgn_bool(query, "groupDistinct"))
        drop_duplicates(out);
    return true;
}

/* ------------------------------------------------------------ grouping() */

uint32_t bind_grouping_call(struct binder *b, struct grouping *g, const struct pgnode *node)
{
    const struct pgnode *refs = pgn_field(node, "refs");
    size_t i = 0;
    while (i < g->calls.n && !pgn_equal(pgn_field(g->calls.v[i], "refs"), refs, NULL, NULL))
        i++;
    if (i == g->calls.n)
        AVEC_PUSH(b->scratch, g->calls, node);
    return GROUPING_NO_BASE + (uint32_t)i;
}

/* What the call says of a set: the first argument is the highest bit, 1 if it is no key. */
static const struct expr *grouping_bits(struct binder *b, const struct grouping *g,
                                        const struct pgnode *call, grouping_set set)
{
    const struct pgnode *refs = pgn_field(call, "refs");
    struct column_type ct = {type_native(OID_INT4), -1, NULL};
    int64_t bits = 0;
    for (uint32_t i = 0; i < refs->n; i++) {
        int64_t ref = pgn_atom_int(refs->items[i]);
        bool has = false;
        for (size_t k = 0; k < g->refs.n && k < MAX_KEYS; k++)
            has |= g->refs.v[k] == ref && (set >> k & 1);
        bits = bits << 1 | !has;
    }
    return expr_const(b->arena, value_int(bits), ct);
}

/* ------------------------------------------------------------ the union */

/* Columns of the shared rows as one of the references names them. */
struct renaming {
    struct arena *arena;
    const struct logical *ref;
};

static const struct expr *rename_column(void *ctx, const struct expr *column)
{
    const struct renaming *r = ctx;
    const struct logical_cte *cte = r->ref->cte;
    for (size_t i = 0; i < cte->nout; i++)
        if (cte->out[i].rel == column->rel && cte->out[i].no == column->col)
            return lcol_expr(r->arena, &r->ref->cols[i]);
    return NULL;
}

static struct logical *reference(struct binder *b, struct logical_cte *cte)
{
    struct logical *n = logical_new(b->arena, LOGICAL_CTE, 0);
    n->cte = cte;
    cte->refs++;
    n->rel = b->next_rel++;
    n->ncols = cte->nout;
    n->cols = ARENA_ARRAY(b->arena, struct lcol, n->ncols);
    for (size_t i = 0; i < n->ncols; i++) {
        n->cols[i] = cte->out[i];
        n->cols[i].rel = n->rel;
        n->cols[i].no = (uint32_t)i + 1;
    }
    return n;
}

/* Direct arguments are over the keys: each becomes what stands for it. */
struct placing {
    const struct grouping *g;
    const struct expr **where;
};

static const struct expr *place_key(void *ctx, const struct expr *column)
{
    const struct placing *p = ctx;
    bool is_key = column->rel == p->g->rel && column->col >= 1 && column->col <= p->g->keys.n;
    return is_key ? p->where[column->col - 1] : NULL;
}

static void rename_agg(struct binder *b, struct group_agg *agg, struct renaming *r,
                       struct placing *p)
{
    for (uint32_t k = 0; k < agg->spec.nargs; k++)
        agg->args[k] = expr_subst(b->arena, agg->args[k], rename_column, r);
    for (uint32_t k = 0; k < agg->spec.ndirect; k++)
        agg->direct[k] = expr_subst(b->arena, agg->direct[k], place_key, p);
    if (agg->filter)
        agg->filter = expr_subst(b->arena, agg->filter, rename_column, r);
}

/* The grouping with the keys of one set only; where[i] is what stands for key i of the whole. */
static struct grouping one_set(struct binder *b, const struct grouping *g, grouping_set set,
                               struct renaming *r, const struct expr **where)
{
    struct grouping one = *g;
    one.rel = b->next_rel++;
    one.keys.v = NULL;
    one.keys.n = one.keys.cap = 0;
    for (size_t i = 0; i < g->keys.n; i++) {
        const struct expr *key = g->keys.v[i];
        if (g->refs.v[i] && !(set >> i & 1)) {
            where[i] = expr_const(b->arena, value_null(), key->ct);
            continue;
        }
        AVEC_PUSH(b->scratch, one.keys, expr_subst(b->arena, key, rename_column, r));
        struct lcol c = {one.rel, (uint32_t)one.keys.n, key->ct, ""};
        where[i] = lcol_expr(b->arena, &c);
    }
    one.aggs.v = arena_memdup(b->scratch, g->aggs.v, g->aggs.n * sizeof *g->aggs.v);
    struct placing placing = {g, where};
    for (size_t i = 0; i < g->aggs.n; i++)
        rename_agg(b, &one.aggs.v[i], r, &placing);
    return one;
}

/* One set's groups in the shape of the union: all keys, aggregates, grouping() calls. */
static struct logical *set_branch(struct binder *b, const struct grouping *g, grouping_set set,
                                  struct logical_cte *cte)
{
    struct logical *ref = reference(b, cte);
    struct renaming r = {b->arena, ref};
    size_t n = g->keys.n + g->aggs.n + g->calls.n, at = g->keys.n;
    const struct expr **exprs = ARENA_ARRAY(b->arena, const struct expr *, n);
    struct grouping one = one_set(b, g, set, &r, exprs);
    struct logical *group = bind_group_node(b, &one, ref);
    for (size_t i = 0; i < g->aggs.n; i++) {
        struct lcol c = {one.rel, AGG_NO_BASE + (uint32_t)i, g->aggs.v[i].spec.result, ""};
        exprs[at++] = lcol_expr(b->arena, &c);
    }
    for (size_t i = 0; i < g->calls.n; i++)
        exprs[at++] = grouping_bits(b, g, g->calls.v[i], set);
    return logical_project(b->arena, group, b->next_rel++, exprs, NULL, n);
}

/* For people: a key by its column, an aggregate as the branch's group node has it. */
static const char *union_name(const struct grouping *g, const struct logical *in,
                              const struct logical *branch, size_t i)
{
    const struct logical *group = branch->in[0];
    const struct expr *key = i < g->keys.n ? g->keys.v[i] : NULL;
    const struct lcol *c = NULL;
    if (key && key->kind == EXPR_COLUMN)
        c = logical_find(in, key->rel, key->col);
    else if (!key && i < g->keys.n + g->aggs.n)
        c = &group->cols[group->nexprs + i - g->keys.n];
    return c ? c->name : "";
}

static struct lcol union_col(const struct grouping *g, const struct logical *branch, size_t i)
{
    struct lcol c = branch->cols[i];
    c.rel = g->rel;
    c.no = (uint32_t)i + 1;
    if (i >= g->keys.n)
        c.no = AGG_NO_BASE + (uint32_t)(i - g->keys.n);
    if (i >= g->keys.n + g->aggs.n)
        c.no = GROUPING_NO_BASE + (uint32_t)(i - g->keys.n - g->aggs.n);
    return c;
}

struct logical *bind_group_union(struct binder *b, const struct grouping *g,
                                 const struct grouping_sets *sets, struct logical *in)
{
    struct logical_cte *cte = ARENA_NEW(b->arena, struct logical_cte);
    *cte = (struct logical_cte){.root = in, .nout = in->ncols, .name = "grouped rows"};
    cte->out = arena_memdup(b->arena, in->cols, in->ncols * sizeof *in->cols);
    struct logical *u = logical_new(b->arena, LOGICAL_UNION, sets->n);
    for (size_t i = 0; i < sets->n; i++)
        u->in[i] = set_branch(b, g, sets->v[i], cte);
    u->rel = g->rel;
    u->ncols = u->in[0]->ncols;
    u->cols = ARENA_ARRAY(b->arena, struct lcol, u->ncols);
    for (size_t i = 0; i < u->ncols; i++) {
        u->cols[i] = union_col(g, u->in[0], i);
        u->cols[i].name = union_name(g, in, u->in[0], i);
    }
    return u;
}
