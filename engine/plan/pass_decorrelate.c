/*
 * pass_decorrelate: dependent joins become ordinary ones.
 *
 * The binder makes a dependent join for every subquery in an expression and every LATERAL item: a
 * join whose right side may use columns of the left one. It says what is to be answered, "for each
 * row on the left all of the right for that row", and can't be run. Here each becomes, from the
 * inside out, the first that applies of
 *
 *     a plain join          where the right side doesn't look left
 *     a join on what looks  where only conditions look left (pulled.h): WHERE t.x = o.y becomes the
 *                           key, also of a grouping, a DISTINCT or a LIMIT on the way
 *     the left side pushed  where the right side does to each row by itself what it does (a LATERAL
 *     through               VALUES or function call): with all its columns through it (carry.h)
 *     a join by case        else: D, the distinct values of the columns looked at, is pushed through
 *                           the right side, and the join is on equal values, NULLs equal to NULLs
 *
 * The left side is then needed twice and becomes a shared body, whose columns keep their identities
 * by a projection above the reference.
 *
 *     SELECT (SELECT sum(1 / t.z) FROM t WHERE t.x = o.x) FROM o
 *
 * takes the last way although its condition is an equality: summed up by t.x beforehand, a t.z = 0
 * under an x that is in no o would fail where Postgres doesn't. See pulled.c.
 *
 * Post-condition: no dependent join is left, and no column is used that isn't there. Statements are
 * foreign data: what can't be made so is an error.
 */
#include "engine/plan/carry.h"
#include "engine/plan/pulled.h"

struct decorrelation {
    struct pass_ctx *c;
    struct err *err;
};

/* ------------------------------------------------------------ looks */

/* Without what makes no difference to whether there is a row. */
static struct logical *for_existence(const struct logical *n)
{
    struct logical *r = n->in[1];
    for (;;) {
        bool plain_limit = r->kind == LOGICAL_TOPK && r->limit != 0 && !r->offset && !n->nconds;
        if (r->kind != LOGICAL_DISTINCT && !plain_limit)
            return r;
        r = r->in[0];
    }
}

/*
 * Whether there is a row doesn't depend on how many there are: a semi join that looks at the outer
 * columns may as well make pairs, and then its conditions can be met outside.
 *
 *     EXISTS (SELECT FROM t WHERE EXISTS (SELECT FROM u WHERE u.x = t.x AND u.y = o.y))
 */
static struct logical *as_pairs(struct decorrelation *d, struct logical *n,
                                const struct logical *outer)
{
    bool semi = n->kind == LOGICAL_JOIN && n->join == JOIN_SEMI;
    if (n->kind == LOGICAL_FILTER || n->kind == LOGICAL_PROJECT)
        n->in[0] = as_pairs(d, n->in[0], outer);
    if (!semi || !node_uses(n, outer->cols, outer->ncols))
        return n;
    struct logical *j = logical_join(d->c->arena, JOIN_INNER, as_pairs(d, n->in[0], outer),
                                     as_pairs(d, n->in[1], outer));
    j->conds = n->conds;
    j->nconds = n->nconds;
    return j;
}

/* The columns of the left side that the right one uses. */
static struct lcol *columns_used(struct decorrelation *d, const struct logical *n, size_t *nused)
{
    const struct logical *left = n->in[0];
    struct lcol *used = ARENA_ARRAY(d->c->arena, struct lcol, left->ncols);
    *nused = 0;
    if (tree_uses(n->in[1], left->cols, left->ncols))
        for (size_t i = 0; i < left->ncols; i++)
            if (tree_uses(n->in[1], &left->cols[i], 1))
                used[(*nused)++] = left->cols[i];
    return used;
}

/* ------------------------------------------------------------ on conditions */

static struct exprs conds_of(struct decorrelation *d, const struct logical *n, struct pulled *p)
{
    struct exprs conds = {0};
    exprs_append(d->c->arena, &conds, p->conds.v, p->conds.n);
    for (size_t i = 0; i < n->nconds; i++)
        AVEC_PUSH(d->c->arena, conds, expr_subst(d->c->arena, n->conds[i], pulled_expr, p));
    return conds;
}

static struct logical *joined(struct decorrelation *d, enum join_kind kind, struct logical *l,
                              struct logical *r, const struct exprs *conds)
{
    if (r->kind == LOGICAL_ONE_ROW && (kind == JOIN_INNER || (kind == JOIN_LEFT && !conds->n)))
        return logical_filter(d->c->arena, l, conds);
    struct logical *j = logical_join(d->c->arena, kind, l, r);
    j->conds = conds->v;
    j->nconds = conds->n;
    return j;
}

/* n's columns over a join that gives its left side's and what the right side's are made of. */
static struct logical *with_columns(struct decorrelation *d, const struct logical *n,
                                    struct logical *in, struct pulled *p)
{
    struct logical *out = logical_keep(d->c->arena, in, n->cols, n->ncols);
    for (size_t i = 0; i < n->ncols; i++)
        out->exprs[i] = expr_subst(d->c->arena, out->exprs[i], pulled_expr, p);
    return out;
}

static struct column_type boolean(void)
{
    return (struct column_type){type_native(OID_BOOL), -1, NULL};
}

/*
 * A column of the right side where there may be no row: one made of the outer row, or that may
 * fail, is computed above the join, and only where there is a row.
 *
 *     o LEFT JOIN LATERAL (SELECT o.x + 1 AS y FROM t WHERE t.x = o.x) s ON true
 */
struct optional {
    struct decorrelation *d;
    struct pulled *p;
    struct exprs below;
    struct {
        struct lcol *v;
        size_t n, cap;
    } cols;
    struct lcol there;
};

static void pass_below(struct optional *o, const struct lcol *c, const struct expr *e)
{
    for (size_t i = 0; i < o->cols.n; i++)
        if (o->cols.v[i].rel == c->rel && o->cols.v[i].no == c->no)
            return;
    AVEC_PUSH(o->d->c->arena, o->cols, *c);
    AVEC_PUSH(o->d->c->arena, o->below, e);
}

static void split_column(struct optional *o, const struct lcol *c)
{
    struct arena *a = o->d->c->arena;
    struct pulled *p = o->p;
    for (size_t i = 0; i < p->cols.n; i++) {
        if (p->cols.v[i].rel != c->rel || p->cols.v[i].no != c->no)
            continue;
        const struct expr *e = p->exprs.v[i];
        if (expr_is_safe(e) && !expr_refs_any(e, p->outer, p->nouter)) {
            pass_below(o, c, e);
            p->exprs.v[i] = lcol_expr(a, c);
        } else {
            const struct expr *args[3] = {lcol_expr(a, &o->there), e,
                                          expr_const(a, value_null(), e->ct)};
            p->exprs.v[i] = expr_case(a, args, 3, e->ct);
        }
    }
}

/* `rest` with the columns that can be computed there, and one that is true. */
static struct logical *optional_side(struct decorrelation *d, struct logical *rest,
                                     struct pulled *p, const struct logical *right)
{
    struct arena *a = d->c->arena;
    struct optional o = {d, p, {0}, {0}, {d->c->next_rel++, 1, boolean(), "there"}};
    pass_below(&o, &o.there, expr_const(a, value_bool(true), boolean()));
    for (size_t i = 0; i < rest->ncols; i++)
        pass_below(&o, &rest->cols[i], lcol_expr(a, &rest->cols[i]));
    for (size_t i = 0; i < right->ncols; i++)
        split_column(&o, &right->cols[i]);
    struct logical *side = logical_keep(a, rest, o.cols.v, o.cols.n);
    side->exprs = o.below.v;
    return side;
}

/* The right side has one row for each left one, though the join may find none. */
static struct logical *join_one(struct decorrelation *d, const struct logical *n,
                                struct logical *rest, struct pulled *p)
{
    struct arena *a = d->c->arena;
    struct exprs on = {0};
    struct logical *j = joined(d, JOIN_LEFT, n->in[0], rest, &p->conds);
    if (n->join == JOIN_LEFT)
        return n->nconds ? NULL : with_columns(d, n, j, p);
    for (size_t i = 0; i < n->nconds; i++)
        AVEC_PUSH(a, on, expr_subst(a, n->conds[i], pulled_expr, p));
    if (n->join == JOIN_ANTI) {
        const struct expr *all =
            on.n ? expr_bool(a, EXPR_AND, on.v, on.n) : expr_const(a, value_bool(true), boolean());
        on.n = 0;
        AVEC_PUSH(a, on, expr_fold(a, expr_bool_test(a, all, IS_NOT_TRUE)));
    }
    return with_columns(d, n, logical_filter(a, j, &on), p);
}

/* NULL where it can't be done so. */
static struct logical *join_on_conditions(struct decorrelation *d, const struct logical *n,
                                          const struct lcol *used, size_t nused)
{
    struct pulled p = {.c = d->c, .outer = used, .nouter = nused};
    struct logical *rest = pull_conds(&p, n->in[1]);
    if (!rest)
        return NULL;
    if (p.one)
        return join_one(d, n, rest, &p);
    if (n->join == JOIN_LEFT && p.cols.n && (rest->kind != LOGICAL_ONE_ROW || p.conds.n))
        rest = optional_side(d, rest, &p, n->in[1]);
    struct exprs conds = conds_of(d, n, &p);
    struct logical *j = joined(d, n->join, n->in[0], rest, &conds);
    return with_columns(d, n, j, &p);
}

/* ------------------------------------------------------------ the left side twice */

static struct logical *reference(struct decorrelation *d, struct logical_cte *cte)
{
    struct logical *n = logical_new(d->c->arena, LOGICAL_CTE, 0);
    n->cte = cte;
    n->rel = d->c->next_rel++;
    n->ncols = cte->nout;
    n->cols = ARENA_ARRAY(d->c->arena, struct lcol, n->ncols);
    for (size_t i = 0; i < n->ncols; i++) {
        n->cols[i] = cte->out[i];
        n->cols[i].rel = n->rel;
        n->cols[i].no = (uint32_t)i + 1;
    }
    return n;
}

static struct logical_cte *shared(struct decorrelation *d, struct logical *root, const char *name)
{
    struct logical_cte *cte = ARENA_NEW(d->c->arena, struct logical_cte);
    struct lcol *out = arena_memdup(d->c->arena, root->cols, root->ncols * sizeof *out);
    *cte = (struct logical_cte){root, out, root->ncols, 0, name};
    return cte;
}

/* A reference whose columns have the names of the body's. */
static struct logical *as_itself(struct decorrelation *d, struct logical_cte *cte)
{
    struct logical *ref = reference(d, cte);
    struct logical *p = logical_keep(d->c->arena, ref, ref->cols, ref->ncols);
    for (size_t i = 0; i < p->ncols; i++)
        p->cols[i] = cte->out[i];
    return p;
}

/* ------------------------------------------------------------ through */

/* Whether n does to each of its rows by itself what it does, and k such rows give k times that. */
static bool is_linear(const struct logical *n, const struct lcol *used, size_t nused)
{
    if (!tree_uses(n, used, nused))
        return true;
    switch (n->kind) {
    case LOGICAL_FILTER:
    case LOGICAL_FLATMAP:
    case LOGICAL_PROJECT: return is_linear(n->in[0], used, nused);
    case LOGICAL_UNION:
        for (size_t i = 0; i < n->nin; i++)
            if (!is_linear(n->in[i], used, nused))
                return false;
        return true;
    default: return false;
    }
}

/* Hands out the left side itself as the cases, under other names. */
struct whole {
    struct decorrelation *d;
    struct logical_cte *left;
};

static struct logical *whole_source(struct carry *k, struct lcol *out)
{
    struct whole *w = k->ctx;
    struct logical *ref = reference(w->d, w->left);
    memcpy(out, ref->cols, ref->ncols * sizeof *out);
    return ref;
}

static struct logical *push_whole(struct decorrelation *d, const struct logical *n)
{
    struct arena *a = d->c->arena;
    struct whole w = {d, shared(d, n->in[0], "outer")};
    struct carry k = {.c = d->c,
                      .err = d->err,
                      .outer = n->in[0]->cols,
                      .n = n->in[0]->ncols,
                      .ctx = &w,
                      .source = whole_source};
    struct lcol *out = ARENA_ARRAY(a, struct lcol, k.n);
    struct logical *through = carry_through(&k, n->in[1], out);
    struct exprs conds = {0};
    if (!through)
        return NULL;
    exprs_append(a, &conds, n->conds, n->nconds);
    struct logical *named = logical_keep(a, through, n->cols, n->ncols);
    for (size_t i = 0; i < k.n; i++)
        named->exprs[i] = lcol_expr(a, &out[i]);
    return logical_filter(a, named, &conds);
}

/* ------------------------------------------------------------ by case */

static struct logical *case_source(struct carry *k, struct lcol *out)
{
    struct whole *w = k->ctx;
    struct logical *ref = reference(w->d, w->left);
    memcpy(out, ref->cols, ref->ncols * sizeof *out);
    return ref;
}

static bool have_equality(struct decorrelation *d, const struct lcol *used, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!type_has_equality(&used[i].ct))
            return err_soft(d->err, "a correlated subquery over type %s", used[i].ct.type->name);
    return true;
}

static struct logical *join_by_case(struct decorrelation *d, struct logical *n,
                                    const struct lcol *used, size_t nused)
{
    struct arena *a = d->c->arena;
    if (!have_equality(d, used, nused))
        return NULL;
    struct logical_cte *left = shared(d, n->in[0], "outer");
    struct logical *cases = reference(d, left);
    struct logical *keep = logical_keep(a, cases, used, nused);
    uint32_t rel = d->c->next_rel++;
    for (size_t i = 0, at = 0; i < nused; i++) {
        while (left->out[at].rel != used[i].rel || left->out[at].no != used[i].no)
            at++;
        keep->exprs[i] = lcol_expr(a, &cases->cols[at]);
        keep->cols[i].rel = rel;
        keep->cols[i].no = (uint32_t)i + 1;
    }
    struct whole w = {d, shared(d, logical_distinct(a, keep), "cases")};
    struct carry k = {
        .c = d->c, .err = d->err, .outer = used, .n = nused, .ctx = &w, .source = case_source};
    struct lcol *out = ARENA_ARRAY(a, struct lcol, nused);
    struct logical *right = carry_through(&k, n->in[1], out);
    if (!right)
        return NULL;
    struct exprs conds = {0};
    for (size_t i = 0; i < nused; i++)
        AVEC_PUSH(a, conds, expr_same(a, lcol_expr(a, &used[i]), lcol_expr(a, &out[i])));
    exprs_append(a, &conds, n->conds, n->nconds);
    return joined(d, n->join, as_itself(d, left), right, &conds);
}

/* ------------------------------------------------------------ the pass */

static struct logical *decorrelate_join(struct decorrelation *d, struct logical *n)
{
    size_t nused;
    n->dependent = false;
    if (n->join == JOIN_SEMI || n->join == JOIN_ANTI)
        n->in[1] = as_pairs(d, for_existence(n), n->in[0]);
    struct lcol *used = columns_used(d, n, &nused);
    if (!nused)
        return n;
    struct logical *out = join_on_conditions(d, n, used, nused);
    if (!out && n->join == JOIN_INNER && is_linear(n->in[1], used, nused))
        out = push_whole(d, n);
    else if (!out)
        out = join_by_case(d, n, used, nused);
    return out;
}

static struct logical *decorrelate(struct decorrelation *d, struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        if (!(n->in[i] = decorrelate(d, n->in[i])))
            return NULL;
    return n->kind == LOGICAL_JOIN && n->dependent ? decorrelate_join(d, n) : n;
}

static void count_references(struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        count_references(n->in[i]);
    if (n->kind == LOGICAL_CTE)
        n->cte->refs++;
}

/* What is referred to once is put in its place by a later pass. */
static void recount(struct logical *root)
{
    struct logical_ctes ctes;
    logical_ctes(root, &ctes);
    for (size_t i = 0; i < ctes.n; i++)
        ctes.v[i]->refs = 0;
    count_references(root);
    for (size_t i = 0; i < ctes.n; i++)
        count_references(ctes.v[i]->root);
    VEC_FREE(ctes);
}

struct logical *pass_decorrelate(struct pass_ctx *c, struct logical *root, struct err *err)
{
    struct decorrelation d = {c, err};
    struct logical_ctes ctes;
    bool ok = true;
    logical_ctes(root, &ctes);
    for (size_t i = ctes.n; i-- > 0 && ok;) {
        struct logical *body = decorrelate(&d, ctes.v[i]->root);
        ok = body != NULL;
        if (ok)
            ctes.v[i]->root = body;
    }
    VEC_FREE(ctes);
    root = ok ? decorrelate(&d, root) : NULL;
    if (root)
        recount(root);
    return root;
}
