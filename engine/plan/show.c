/*
 * show: the one printer of logical plans. EXPLAIN takes its operators' texts from here, the golden
 * tests print whole trees.
 *
 *     top 8 by total DESC NULLS FIRST
 *       project category_id = events.category_id, n = count, total = sum
 *         group by events.category_id: count(), sum(events.value)
 *           scan public.events: events.category_id, events.value
 */
#include "engine/plan/physical.h"

/* Expressions are printed with names for their columns: they are rewritten to positions in a list
 * of the inputs' columns, which gives expr_print() its names. */
struct naming {
    struct arena arena;
    const struct logical *n;
    const char **names;
    struct lcol *made; /* what a FLATMAP's condition can see besides its input */
    size_t nmade;
};

static const char *name_of(struct arena *a, const struct lcol *c)
{
    return c->name && c->name[0] ? c->name : arena_printf(a, "r%u.%u", c->rel, c->no % 100000);
}

static void naming_init(struct naming *nm, const struct logical *n)
{
    size_t total, at = 0;
    *nm = (struct naming){.n = n};
    arena_init(&nm->arena);
    if (n->kind == LOGICAL_FLATMAP)
        nm->made = logical_made(&nm->arena, n, &nm->nmade);
    total = nm->nmade;
    for (size_t i = 0; i < n->nin; i++)
        total += n->in[i]->ncols;
    nm->names = ARENA_ARRAY(&nm->arena, const char *, total);
    for (size_t i = 0; i < n->nin; i++)
        for (size_t k = 0; k < n->in[i]->ncols; k++)
            nm->names[at++] = name_of(&nm->arena, &n->in[i]->cols[k]);
    for (size_t i = 0; i < nm->nmade; i++) {
        const struct lcol *c = logical_find(n, nm->made[i].rel, nm->made[i].no);
        nm->names[at++] = name_of(&nm->arena, c ? c : &nm->made[i]);
    }
}

static const struct expr *to_position(void *ctx, const struct expr *column)
{
    struct naming *nm = ctx;
    uint32_t at = 0;
    for (size_t i = 0; i < nm->n->nin; i++)
        for (size_t k = 0; k < nm->n->in[i]->ncols; k++, at++) {
            const struct lcol *c = &nm->n->in[i]->cols[k];
            if (c->rel == column->rel && c->no == column->col)
                return expr_column(&nm->arena, 0, at, column->ct);
        }
    for (size_t i = 0; i < nm->nmade; i++, at++)
        if (nm->made[i].rel == column->rel && nm->made[i].no == column->col)
            return expr_column(&nm->arena, 0, at, column->ct);
    return NULL;
}

static void print_expr(struct naming *nm, const struct expr *e, struct buf *b)
{
    expr_print(expr_subst(&nm->arena, e, to_position, nm), nm->names, b);
}

static void print_exprs(struct naming *nm, const struct expr *const *v, size_t n,
                        const char *separator, struct buf *b)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_adds(b, separator);
        print_expr(nm, v[i], b);
    }
}

static void print_cols(struct naming *nm, const struct lcol *cols, size_t n, struct buf *b)
{
    for (size_t i = 0; i < n; i++) {
        buf_adds(b, i ? ", " : "");
        buf_adds(b, name_of(&nm->arena, &cols[i]));
    }
}

/* ------------------------------------------------------------ kinds */

static void print_project(struct naming *nm, struct buf *b)
{
    const struct logical *n = nm->n;
    buf_adds(b, "project ");
    for (size_t i = 0; i < n->ncols; i++) {
        buf_adds(b, i ? ", " : "");
        if (n->cols[i].name[0])
            buf_addf(b, "%s = ", n->cols[i].name);
        print_expr(nm, n->exprs[i], b);
    }
}

static void print_join(struct naming *nm, struct buf *b)
{
    static const char *const kinds[] = {[JOIN_INNER] = "inner",
                                        [JOIN_LEFT] = "left",
                                        [JOIN_FULL] = "full",
                                        [JOIN_SEMI] = "semi",
                                        [JOIN_ANTI] = "anti"};
    const struct logical *n = nm->n;
    if (!n->nkeys && !n->nconds) {
        buf_addf(b, "%s join, all pairs", kinds[n->join]);
        return;
    }
    buf_addf(b, "%s join", kinds[n->join]);
    for (size_t i = 0; i < n->nkeys; i++) {
        buf_adds(b, i ? " and " : " on ");
        print_expr(nm, n->lkeys[i], b);
        buf_adds(b, n->nullsafe && n->nullsafe[i] ? " is " : " = ");
        print_expr(nm, n->rkeys[i], b);
    }
    if (n->nconds) {
        buf_adds(b, n->nkeys ? ", if " : " if ");
        print_exprs(nm, n->conds, n->nconds, " and ", b);
    }
}

/* Direct arguments are over the group and not over what it groups: only how many there are is said. */
static void print_agg(struct naming *nm, const struct group_agg *g, struct buf *b)
{
    buf_adds(b, g->spec.cls->name);
    if (g->spec.nargs) { /* count(*) has its star in its name */
        buf_adds(b, g->distinct ? "(DISTINCT " : "(");
        if (!g->spec.ndirect)
            print_exprs(nm, g->args, g->spec.nown, ", ", b);
        for (uint32_t i = 0; i < g->spec.nsort; i++) {
            const struct agg_sort *sort = &g->spec.sort[i];
            buf_adds(b, i ? ", " : g->spec.ndirect ? "ORDER BY " : " ORDER BY ");
            print_expr(nm, g->args[sort->arg], b);
            buf_adds(b, sort->desc ? " DESC" : "");
            if (sort->nulls_first != sort->desc)
                buf_adds(b, sort->nulls_first ? " NULLS FIRST" : " NULLS LAST");
        }
        buf_addc(b, ')');
    }
    if (g->filter) {
        buf_adds(b, " FILTER ");
        print_expr(nm, g->filter, b);
    }
}

static void print_group(struct naming *nm, struct buf *b)
{
    const struct logical *n = nm->n;
    buf_adds(b, n->nexprs ? "group by " : "aggregate");
    print_exprs(nm, n->exprs, n->nexprs, ", ", b);
    for (size_t i = 0; i < n->naggs; i++) {
        buf_adds(b, i ? ", " : ": ");
        print_agg(nm, &n->aggs[i], b);
    }
}

static void print_order(struct naming *nm, struct buf *b)
{
    const struct logical *n = nm->n;
    for (size_t i = 0; i < n->npart; i++) {
        const struct lcol *c = logical_find(n->in[0], n->part[i].rel, n->part[i].no);
        buf_addf(b, "%s%s", i ? ", " : " of each ", c ? name_of(&nm->arena, c) : "?");
    }
    for (size_t i = 0; i < n->nsort; i++) {
        const struct lcol *c = logical_find(n->in[0], n->sort[i].rel, n->sort[i].no);
        buf_addf(b, "%s%s%s%s", i ? ", " : " by ", c ? name_of(&nm->arena, c) : "?",
                 n->sort[i].desc ? " DESC" : "",
                 n->sort[i].nulls_first == n->sort[i].desc ? ""
                 : n->sort[i].nulls_first                  ? " NULLS FIRST"
                                                           : " NULLS LAST");
    }
}

#define MAX_ARGS 30 /* shown of a call, which VALUES is too */

static void print_calls(struct naming *nm, struct buf *b)
{
    const struct logical *n = nm->n;
    buf_adds(b, "for each row ");
    for (size_t i = 0; i < n->ncalls; i++) {
        bool scalar = !n->calls[i].srf || n->calls[i].srf == &srf_rows_of;
        buf_adds(b, i ? ", " : "");
        if (!scalar)
            buf_addf(b, "%s(", n->calls[i].name);
        size_t nargs = n->calls[i].nargs;
        print_exprs(nm, n->calls[i].args, nargs > MAX_ARGS ? MAX_ARGS : nargs, ", ", b);
        buf_adds(b, nargs > MAX_ARGS ? ", …" : "");
        buf_adds(b, scalar ? "" : ")");
    }
    buf_adds(b, n->ordinality ? " with ordinality" : "");
    if (n->outer)
        buf_adds(b, ", or NULLs");
    if (n->nconds) {
        buf_adds(b, n->outer ? " where none is " : " if ");
        print_exprs(nm, n->conds, n->nconds, " and ", b);
    }
}

static void print_topk(struct naming *nm, struct buf *b)
{
    const struct logical *n = nm->n;
    if (n->limit < 0)
        buf_adds(b, "all");
    else
        buf_addf(b, "top %lld", (long long)n->limit);
    if (n->offset)
        buf_addf(b, " after %lld", (long long)n->offset);
    buf_adds(b, n->with_ties ? " with ties" : "");
    print_order(nm, b);
}

static void print_win(struct naming *nm, const struct window_call *c, struct buf *b)
{
    bool framed = c->is_agg || c->win.cls->framed;
    uint32_t nargs = c->is_agg ? c->agg.spec.nown : c->win.nargs;
    buf_adds(b, c->is_agg ? c->agg.spec.cls->name : c->win.cls->name);
    if (nargs || !c->is_agg) { /* count(*) has its star in its name */
        buf_addc(b, '(');
        print_exprs(nm, c->is_agg ? c->agg.args : c->win.args, nargs, ", ", b);
        buf_addc(b, ')');
    }
    if (c->is_agg && c->agg.filter) {
        buf_adds(b, " FILTER ");
        print_expr(nm, c->agg.filter, b);
    }
    if (framed) {
        buf_addc(b, ' ');
        win_frame_print(c->frame, b);
    }
}

static void print_window(struct naming *nm, struct buf *b)
{
    const struct logical *n = nm->n;
    buf_adds(b, "window");
    print_order(nm, b);
    for (size_t i = 0; i < n->nwins; i++) {
        buf_adds(b, i ? ", " : ": ");
        print_win(nm, &n->wins[i], b);
    }
}

static void print_kind(struct naming *nm, struct buf *b)
{
    static const char *const setops[] = {
        [SETOP_INTERSECT] = "intersect",
        [SETOP_INTERSECT_ALL] = "intersect all",
        [SETOP_EXCEPT] = "except",
        [SETOP_EXCEPT_ALL] = "except all",
    };
    const struct logical *n = nm->n;
    switch (n->kind) {
    case LOGICAL_SCAN:
        buf_addf(b, "scan %s%s.%s", n->table->only ? "only " : "", n->table->schema,
                 n->table->name);
        buf_adds(b, n->ncols ? ": " : "");
        print_cols(nm, n->cols, n->ncols, b);
        break;
    case LOGICAL_ONE_ROW: buf_adds(b, "one row"); break;
    case LOGICAL_CTE: buf_addf(b, "shared %s", n->cte->name); break;
    case LOGICAL_FILTER:
        buf_adds(b, "filter ");
        print_exprs(nm, n->conds, n->nconds, " and ", b);
        break;
    case LOGICAL_PROJECT: print_project(nm, b); break;
    case LOGICAL_JOIN: print_join(nm, b); break;
    case LOGICAL_GROUP: print_group(nm, b); break;
    case LOGICAL_DISTINCT: buf_adds(b, "distinct"); break;
    case LOGICAL_UNION: buf_adds(b, "union"); break;
    case LOGICAL_SETOP: buf_adds(b, setops[n->setop]); break;
    case LOGICAL_TOPK: print_topk(nm, b); break;
    case LOGICAL_RECURSE:
        buf_addf(b, "recursion %s, union%s", n->rec->spec.name,
                 n->rec->spec.distinct ? "" : " all");
        break;
    case LOGICAL_SELF: buf_addf(b, "recursive %s", n->rec->spec.name); break;
    case LOGICAL_FLATMAP: print_calls(nm, b); break;
    case LOGICAL_WINDOW: print_window(nm, b); break;
    }
}

void logical_describe(const struct logical *n, struct buf *b)
{
    struct naming nm;
    naming_init(&nm, n);
    print_kind(&nm, b);
    arena_fini(&nm.arena);
}

static void show_tree(const struct logical *n, int depth, struct buf *b)
{
    buf_addf(b, "%*s", depth * 2, "");
    logical_describe(n, b);
    buf_addc(b, '\n');
    for (size_t i = 0; i < n->nin; i++)
        show_tree(n->in[i], depth + 1, b);
}

void logical_show(const struct logical *root, struct buf *b)
{
    struct logical_ctes ctes;
    logical_ctes((struct logical *)root, &ctes);
    show_tree(root, 0, b);
    for (size_t i = 0; i < ctes.n; i++) {
        buf_addf(b, "with %s\n", ctes.v[i]->name);
        show_tree(ctes.v[i]->root, 1, b);
    }
    VEC_FREE(ctes);
}
