/*
 * pass_window: of a window whose rows are only wanted up to a rank, no more are kept.
 *
 *     SELECT * FROM (SELECT …, row_number() OVER (PARTITION BY a ORDER BY b) AS r FROM t) s WHERE r <= 3
 *
 *     filter r <= 3                          filter r <= 3
 *       window of each a by b: r       →       window of each a by b: r
 *         scan t                                 top 4 of each a by b
 *                                                  scan t
 *
 * The top keeps all of t in order, at O(log n) a change; what a window costs for a partition is then
 * for its first few rows. It is right where no function of the window looks at rows behind the
 * current one: these have the same answers without them. Where a function looks at peers (rank, frames
 * other than ROWS) the last row kept brings its peers along. The filter stays.
 *
 * Errors that only rows behind the limit would raise are not raised, as in Postgres, which stops there
 * too: at the first row that is over the limit, which it has computed by then. So that is kept as well.
 */
#include "engine/expr/pgfuncs.h"
#include "engine/expr/win_classes.h"
#include "engine/plan/passes.h"

/* Comparisons of a bigint with an integer, by pg_proc OID: as "column op constant", and turned round. */
enum comparison {
    CMP_NONE,
    CMP_LE,
    CMP_LT,
    CMP_EQ
};

static enum comparison column_first(uint32_t oid)
{
    switch (oid) {
    case 472: /* int8le(bigint, bigint), int84le, int82le */
    case 478:
    case 1860: return CMP_LE;
    case 470:
    case 476:
    case 1858: return CMP_LT;
    case 467:
    case 474:
    case 1856: return CMP_EQ;
    default: return CMP_NONE;
    }
}

static enum comparison constant_first(uint32_t oid)
{
    switch (oid) {
    case 471: /* int8ge … */
    case 857:
    case 1855: return CMP_LE;
    case 469:
    case 855:
    case 1853: return CMP_LT;
    case 467:
    case 852:
    case 1850: return CMP_EQ;
    default: return CMP_NONE;
    }
}

/* Whether e holds only where the column (*rel, *no) is at most *limit. */
static bool is_limit(const struct expr *e, const struct expr **column, int64_t *limit)
{
    if (e->kind != EXPR_FUNC || e->nargs != 2 || !e->func)
        return false;
    bool turned = e->args[0]->kind == EXPR_CONST;
    const struct expr *col = e->args[turned], *constant = e->args[!turned];
    enum comparison cmp = turned ? constant_first(e->func->oid) : column_first(e->func->oid);
    if (cmp == CMP_NONE || col->kind != EXPR_COLUMN || constant->kind != EXPR_CONST ||
        constant->value.null)
        return false;
    *column = col;
    *limit = constant->value.i;
    if (cmp == CMP_LT && *limit > INT64_MIN)
        --*limit;
    if (*limit < 0)
        *limit = 0;
    return true;
}

/* Whether the call has the same answer without the rows behind the current one, or behind its peers
 * (*peers is set then). */
static bool looks_back_only(const struct window_call *c, bool *peers)
{
    const struct win_class *cls = c->win.cls;
    if (c->is_agg || cls->framed) {
        const struct win_frame *f = c->frame;
        *peers |=
            f->mode != FRAME_ROWS || f->exclude == EXCLUDE_GROUP || f->exclude == EXCLUDE_TIES;
        return f->end.kind == BOUND_CURRENT || f->end.kind == BOUND_PRECEDING;
    }
    if (cls == &win_rank || cls == &win_dense_rank || cls == &win_row_number)
        return true;
    if (cls != &win_lag)
        return false;
    const struct expr *by = c->win.nargs > 1 ? c->win.args[1] : NULL;
    return !by || (by->kind == EXPR_CONST && (by->value.null || by->value.i >= 0));
}

static const struct window_call *find_call(const struct logical *w, const struct expr *column)
{
    for (size_t i = 0; i < w->nwins && column->rel == w->rel; i++)
        if (w->winno[i] == column->col)
            return &w->wins[i];
    return NULL;
}

/* The least limit that the filter's conditions put on row_number() or rank(); -1: none. */
static int64_t limit_of(const struct logical *filter, const struct logical *w, bool *ties)
{
    int64_t least = -1, limit;
    for (size_t i = 0; i < filter->nconds; i++) {
        const struct expr *column;
        const struct window_call *c =
            is_limit(filter->conds[i], &column, &limit) ? find_call(w, column) : NULL;
        if (!c || c->is_agg || (c->win.cls != &win_row_number && c->win.cls != &win_rank))
            continue;
        *ties |= c->win.cls == &win_rank;
        if (least < 0 || limit < least)
            least = limit;
    }
    return least;
}

static void limit_window(struct pass_ctx *c, const struct logical *filter, struct logical *w)
{
    bool ties = false;
    int64_t limit = limit_of(filter, w, &ties);
    for (size_t i = 0; i < w->nwins && limit >= 0; i++)
        if (!looks_back_only(&w->wins[i], &ties))
            limit = -1;
    if (limit < 0 || limit == INT64_MAX)
        return;
    struct logical *top = logical_topk(c->arena, w->in[0], w->sort, w->nsort, w->part, w->npart);
    top->limit = limit + 1;
    top->with_ties = ties;
    w->in[0] = top;
}

struct logical *pass_limit_windows(struct pass_ctx *c, struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        n->in[i] = pass_limit_windows(c, n->in[i]);
    if (n->kind == LOGICAL_FILTER && n->in[0]->kind == LOGICAL_WINDOW)
        limit_window(c, n, n->in[0]);
    return n;
}
