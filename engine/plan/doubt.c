/*
 * doubt: see doubt.h. What single values may be is in doubt_value.c.
 */
#include "engine/plan/doubt.h"

#include "engine/plan/doubt_int.h"

/* ------------------------------------------------------------ what tells rows apart */

static bool has_id(const struct doubt_ids *ids, uint32_t rel, uint32_t no)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i].rel == rel && ids->v[i].no == no)
            return true;
    return false;
}

static void add_id(struct doubting *d, struct doubt_ids *ids, uint32_t rel, uint32_t no)
{
    if (!has_id(ids, rel, no))
        AVEC_PUSH(d->arena, *ids, ((struct logical_id){rel, no}));
}

/* What doesn't hold for each leaf alone: a table's own indexes say nothing of its children. */
static bool scan_is_unique(const struct logical *n, const struct doubt_ids *ids)
{
    const struct logical_table *t = n->table;
    for (size_t i = 0; t->nleaves > 1 && i < t->nleaves; i++)
        if (t->leaves[i] == t->oid)
            return false;
    for (size_t i = 0; i < t->ntelling; i++) {
        bool all = true;
        for (uint32_t no = 1; no <= 64 && all; no++)
            all = !(t->unique[i] >> (no - 1) & 1) || has_id(ids, n->rel, no);
        if (all)
            return true;
    }
    return false;
}

static bool has_all(const struct doubt_ids *ids, const struct lcol *cols, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!has_id(ids, cols[i].rel, cols[i].no))
            return false;
    return true;
}

/* The columns that make the key's expressions, where all of them are columns. */
static bool key_ids(struct doubting *d, const struct expr *const *keys, size_t n,
                    struct doubt_ids *out)
{
    for (size_t i = 0; i < n; i++) {
        if (keys[i]->kind != EXPR_COLUMN)
            return false;
        add_id(d, out, keys[i]->rel, keys[i]->col);
    }
    return true;
}

/* Columns equal to those that are known are known. */
static struct doubt_ids with_partners(struct doubting *d, const struct logical *n,
                                      const struct doubt_ids *ids)
{
    struct doubt_ids all = {0};
    for (size_t i = 0; i < ids->n; i++)
        AVEC_PUSH(d->arena, all, ids->v[i]);
    for (size_t i = 0; n->join == JOIN_INNER && i < n->nkeys; i++) {
        const struct expr *l = n->lkeys[i], *r = n->rkeys[i];
        if (l->kind != EXPR_COLUMN || r->kind != EXPR_COLUMN)
            continue;
        if (has_id(&all, l->rel, l->col))
            add_id(d, &all, r->rel, r->col);
        else if (has_id(&all, r->rel, r->col))
            add_id(d, &all, l->rel, l->col);
    }
    return all;
}

static bool join_is_unique(struct doubting *d, const struct logical *n, const struct doubt_ids *ids)
{
    struct doubt_ids all = with_partners(d, n, ids), lkey = {0}, rkey = {0};
    bool left = doubt_is_unique(d, n->in[0], &all);
    if (n->join == JOIN_SEMI || n->join == JOIN_ANTI)
        return left;
    bool right = doubt_is_unique(d, n->in[1], &all);
    if (left && right)
        return true;
    if (n->join == JOIN_FULL)
        return false;
    if (left)
        return key_ids(d, n->rkeys, n->nkeys, &rkey) && doubt_is_unique(d, n->in[1], &rkey);
    return right && n->join == JOIN_INNER && key_ids(d, n->lkeys, n->nkeys, &lkey) &&
           doubt_is_unique(d, n->in[0], &lkey);
}

static bool project_is_unique(struct doubting *d, const struct logical *n,
                              const struct doubt_ids *ids)
{
    struct doubt_ids below = {0};
    for (size_t i = 0; i < n->ncols; i++)
        if (n->exprs[i]->kind == EXPR_COLUMN && has_id(ids, n->cols[i].rel, n->cols[i].no))
            add_id(d, &below, n->exprs[i]->rel, n->exprs[i]->col);
    return doubt_is_unique(d, n->in[0], &below);
}

static bool cte_is_unique(struct doubting *d, const struct logical *n, const struct doubt_ids *ids)
{
    struct doubt_ids below = {0};
    for (size_t i = 0; i < n->ncols; i++) {
        const struct lcol *out = &n->cte->out[n->cols[i].no - 1];
        if (has_id(ids, n->cols[i].rel, n->cols[i].no))
            add_id(d, &below, out->rel, out->no);
    }
    return doubt_is_unique(d, n->cte->root, &below);
}

static bool group_is_unique(const struct logical *n, const struct doubt_ids *ids)
{
    for (uint32_t no = 1; no <= n->nexprs; no++)
        if (!has_id(ids, n->rel, no))
            return false;
    return true;
}

static bool has_part(const struct logical *n, const struct doubt_ids *ids)
{
    for (size_t i = 0; i < n->npart; i++)
        if (!has_id(ids, n->part[i].rel, n->part[i].no))
            return false;
    return true;
}

bool doubt_is_unique(struct doubting *d, const struct logical *n, const struct doubt_ids *ids)
{
    switch (n->kind) {
    case LOGICAL_SCAN: return scan_is_unique(n, ids);
    case LOGICAL_ONE_ROW: return true;
    case LOGICAL_CTE: return cte_is_unique(d, n, ids);
    case LOGICAL_PROJECT: return project_is_unique(d, n, ids);
    case LOGICAL_JOIN: return join_is_unique(d, n, ids);
    case LOGICAL_GROUP: return group_is_unique(n, ids);
    case LOGICAL_TOPK:
        return (n->limit == 1 && !n->with_ties && has_part(n, ids)) ||
               doubt_is_unique(d, n->in[0], ids);
    case LOGICAL_DISTINCT:
        return has_all(ids, n->cols, n->ncols) || doubt_is_unique(d, n->in[0], ids);
    case LOGICAL_FILTER:
    case LOGICAL_WINDOW: return doubt_is_unique(d, n->in[0], ids);
    default: return false;
    }
}

/* The columns by which the rows of a TOPK or a WINDOW are ordered and parted. */
static struct doubt_ids order_ids(struct doubting *d, const struct logical *n)
{
    struct doubt_ids ids = {0};
    for (size_t i = 0; i < n->nsort; i++)
        add_id(d, &ids, n->sort[i].rel, n->sort[i].no);
    for (size_t i = 0; i < n->npart; i++)
        add_id(d, &ids, n->part[i].rel, n->part[i].no);
    return ids;
}

/* ------------------------------------------------------------ nodes */

/* Rows hang on the order or the equality of these. */
static void ids_decide(struct doubting *d, const struct doubt_ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (doubt_of_column(d, ids->v[i].rel, ids->v[i].no) > DOUBT_SPELLING)
            doubt_all(d, "an order or a key whose values are in doubt");
}

/* Rows hang on these; by equality of type, so that spellings don't matter where they are bare. */
static void keys_decide(struct doubting *d, const struct expr *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum doubt x = doubt_of_expr(d, keys[i]);
        if (x > DOUBT_SPELLING || (x && keys[i]->kind != EXPR_COLUMN))
            doubt_all(d, "a key whose values are in doubt");
    }
}

static void conds_decide(struct doubting *d, const struct expr *const *conds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (doubt_of_expr(d, conds[i]))
            doubt_all(d, "a condition on values that are in doubt");
}

/* Equal rows become one, of which any spelling may be shown. */
static void cols_are_merged(struct doubting *d, const struct lcol *cols, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (doubt_of_column(d, cols[i].rel, cols[i].no) > DOUBT_SPELLING)
            doubt_all(d, "DISTINCT or a set operation over values that are in doubt");
        doubt_note(d, cols[i].rel, cols[i].no, doubt_of_spelling(d, &cols[i].ct));
    }
}

/* Within a group the keys are the same, so that they and the order inside the aggregate count. */
static bool is_in_total_order(struct doubting *d, const struct logical *n,
                              const struct group_agg *g)
{
    struct doubt_ids ids = {0};
    for (size_t i = 0; i < n->nexprs; i++)
        if (n->exprs[i]->kind == EXPR_COLUMN)
            add_id(d, &ids, n->exprs[i]->rel, n->exprs[i]->col);
    for (uint32_t i = 0; i < g->spec.nsort; i++) {
        const struct expr *by = g->args[g->spec.sort[i].arg];
        if (by && by->kind == EXPR_COLUMN)
            add_id(d, &ids, by->rel, by->col);
    }
    return g->spec.nsort && doubt_is_unique(d, n->in[0], &ids);
}

static void look_at_group(struct doubting *d, const struct logical *n)
{
    keys_decide(d, n->exprs, n->nexprs);
    for (size_t i = 0; i < n->nexprs; i++) {
        enum doubt x = doubt_of_expr(d, n->exprs[i]);
        enum doubt s = doubt_of_spelling(d, &n->exprs[i]->ct);
        doubt_note(d, n->rel, (uint32_t)i + 1, x > s ? x : s);
    }
    for (size_t i = 0; i < n->naggs; i++) {
        if (n->aggs[i].filter)
            conds_decide(d, &n->aggs[i].filter, 1);
        doubt_note(d, n->rel, n->aggno[i],
                   doubt_of_agg(d, &n->aggs[i], is_in_total_order(d, n, &n->aggs[i])));
    }
}

static void look_at_union(struct doubting *d, const struct logical *n)
{
    for (size_t k = 0; k < n->nin; k++)
        for (size_t i = 0; i < n->ncols; i++)
            doubt_note(d, n->cols[i].rel, n->cols[i].no,
                       doubt_of_column(d, n->in[k]->cols[i].rel, n->in[k]->cols[i].no));
}

static void look_at_setop(struct doubting *d, const struct logical *n)
{
    for (size_t k = 0; k < n->nin; k++)
        cols_are_merged(d, n->in[k]->cols, n->in[k]->ncols);
    for (size_t i = 0; i < n->ncols; i++)
        doubt_note(d, n->cols[i].rel, n->cols[i].no, doubt_of_spelling(d, &n->cols[i].ct));
}

/* All columns are sorted by: rows that are equal on the keys differ in spelling at most. */
static bool sorts_by_all(struct doubting *d, const struct logical *n, const struct doubt_ids *ids)
{
    if (!has_all(ids, n->cols, n->ncols))
        return false;
    for (size_t i = 0; i < n->ncols; i++)
        doubt_note(d, n->cols[i].rel, n->cols[i].no, doubt_of_spelling(d, &n->cols[i].ct));
    return true;
}

static void look_at_topk(struct doubting *d, const struct logical *n)
{
    struct doubt_ids ids = order_ids(d, n);
    if (n->limit < 0 && !n->offset)
        return;
    ids_decide(d, &ids);
    if ((n->with_ties && !n->offset) || doubt_is_unique(d, n->in[0], &ids) ||
        sorts_by_all(d, n, &ids))
        return;
    doubt_all(d, n->npart ? "DISTINCT ON (or a LIMIT of each group) whose ORDER BY doesn't tell "
                            "all rows apart"
                          : "LIMIT or OFFSET whose ORDER BY doesn't tell all rows apart");
}

static void look_at_window(struct doubting *d, const struct logical *n)
{
    struct doubt_ids ids = order_ids(d, n);
    bool total = doubt_is_unique(d, n->in[0], &ids);
    bool sound = true;
    for (size_t i = 0; i < ids.n; i++)
        sound &= doubt_of_column(d, ids.v[i].rel, ids.v[i].no) <= DOUBT_SPELLING;
    for (size_t i = 0; i < n->nwins; i++) {
        enum doubt x = doubt_of_window(d, &n->wins[i], total);
        if (!sound)
            x = doubt_because(d, "a window function over an order that is in doubt");
        doubt_note(d, n->rel, n->winno[i], x);
    }
}

static void look_at_flatmap(struct doubting *d, const struct logical *n)
{
    for (size_t i = 0; i < n->ncalls; i++)
        for (size_t k = 0; k < n->calls[i].nargs; k++)
            if (doubt_of_expr(d, n->calls[i].args[k]))
                doubt_all(d, "a set-returning function of values that are in doubt");
}

/* A body is looked at as if the rows of the recursion were beyond doubt; so they must turn out. */
static void look_at_recursion(struct doubting *d, const struct logical *n)
{
    for (size_t k = 0; k < n->nin; k++)
        for (size_t i = 0; i < n->in[k]->ncols; i++) {
            const struct lcol *c = &n->in[k]->cols[i];
            if (doubt_of_column(d, c->rel, c->no) || doubt_of_spelling(d, &c->ct))
                doubt_all(d, "a recursion over values that are in doubt");
        }
}

static void look_at_cte(struct doubting *d, const struct logical *n)
{
    bool seen = false;
    for (size_t i = 0; i < d->ctes.n; i++)
        seen |= d->ctes.v[i] == n->cte;
    if (!seen) {
        AVEC_PUSH(d->arena, d->ctes, n->cte);
        doubt_look(d, n->cte->root);
    }
    for (size_t i = 0; i < n->ncols; i++) {
        const struct lcol *out = &n->cte->out[n->cols[i].no - 1];
        doubt_note(d, n->cols[i].rel, n->cols[i].no, doubt_of_column(d, out->rel, out->no));
    }
}

void doubt_look(struct doubting *d, const struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        doubt_look(d, n->in[i]);
    conds_decide(d, n->conds, n->nconds);
    switch (n->kind) {
    case LOGICAL_SCAN:
    case LOGICAL_ONE_ROW:
    case LOGICAL_SELF:
    case LOGICAL_FILTER: break;
    case LOGICAL_CTE: look_at_cte(d, n); break;
    case LOGICAL_PROJECT:
        for (size_t i = 0; i < n->ncols; i++)
            doubt_note(d, n->cols[i].rel, n->cols[i].no, doubt_of_result(d, n->exprs[i]));
        break;
    case LOGICAL_JOIN:
        keys_decide(d, n->lkeys, n->nkeys);
        keys_decide(d, n->rkeys, n->nkeys);
        break;
    case LOGICAL_GROUP: look_at_group(d, n); break;
    case LOGICAL_DISTINCT: cols_are_merged(d, n->cols, n->ncols); break;
    case LOGICAL_UNION: look_at_union(d, n); break;
    case LOGICAL_SETOP: look_at_setop(d, n); break;
    case LOGICAL_TOPK: look_at_topk(d, n); break;
    case LOGICAL_FLATMAP: look_at_flatmap(d, n); break;
    case LOGICAL_RECURSE: look_at_recursion(d, n); break;
    case LOGICAL_WINDOW: look_at_window(d, n); break;
    }
}

/* ------------------------------------------------------------ the result */

void doubt_find(struct plan_spec *spec)
{
    struct arena scratch;
    arena_init(&scratch);
    struct doubting d = {.arena = &scratch};
    enum doubt *columns = ARENA_ARRAY(&spec->arena, enum doubt, spec->ncolumns + 1);
    bool any = false;
    doubt_look(&d, spec->root);
    for (size_t i = 0; i < spec->ncolumns; i++) {
        columns[i] = doubt_of_column(&d, spec->root->cols[i].rel, spec->root->cols[i].no);
        if (columns[i] == DOUBT_ALL)
            doubt_all(&d, d.because);
        any |= columns[i] != DOUBT_NONE;
    }
    spec->doubt = (struct plan_doubt){
        .why = d.why, .columns = any ? columns : NULL, .ncolumns = spec->ncolumns};
    arena_fini(&scratch);
}
