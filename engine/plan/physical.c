/*
 * physical: identities to positions; see physical.h.
 *
 * A node's rows come out of some operator (`from`) whose row may hold more columns than the node
 * gives, in another order, and the same one under two names: the list of struct place says which
 * column is where. A projection of plain columns costs no operator at all, it only renames places.
 * Rows are made to be exactly the node's columns where they are kept (join inputs, top-k) or where
 * position counts (distinct, set operations, the output).
 */
#include "engine/plan/planner.h"

#include <assert.h>

/* ------------------------------------------------------------ positions */

const struct place *stream_find(const struct stream *s, uint32_t rel, uint32_t no)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->places[i].rel == rel && s->places[i].no == no)
            return &s->places[i];
    return NULL;
}

struct positions {
    struct arena *a;
    const struct stream *s[2];
};

static const struct expr *position_of(void *ctx, const struct expr *column)
{
    struct positions *ps = ctx;
    for (int i = 0; i < 2 && ps->s[i]; i++) {
        const struct place *at = stream_find(ps->s[i], column->rel, column->col);
        if (at)
            return expr_column(ps->a, i, at->at, column->ct);
    }
    assert(!"a column without a place");
    return NULL;
}

/* Not folded again: a position isn't a constant. */
static const struct expr *positional(struct planner *p, const struct expr *e,
                                     const struct stream *left, const struct stream *right)
{
    struct positions ps = {p->a, {left, right}};
    return expr_subst(p->a, e, position_of, &ps);
}

static const struct expr **positional_all(struct planner *p, const struct expr *const *v, size_t n,
                                          const struct stream *s)
{
    const struct expr **out = ARENA_ARRAY(p->a, const struct expr *, n);
    for (size_t i = 0; i < n; i++)
        out[i] = positional(p, v[i], s, NULL);
    return out;
}

/* Conditions as one, tried in order. */
static const struct expr *conjunction(struct planner *p, const struct logical *n,
                                      const struct stream *left, const struct stream *right)
{
    const struct expr **v = ARENA_ARRAY(p->a, const struct expr *, n->nconds);
    if (!n->nconds)
        return NULL;
    for (size_t i = 0; i < n->nconds; i++)
        v[i] = positional(p, n->conds[i], left, right);
    return n->nconds == 1 ? v[0] : expr_bool(p->a, EXPR_AND, v, n->nconds);
}

/* ------------------------------------------------------------ operators */

struct physical_op *planner_add_op(struct planner *p, enum physical_kind kind,
                                   const struct stream *const *ins, size_t nin, const char *text)
{
    struct physical_op op = {.kind = kind, .text = text, .nin = nin};
    size_t *in = ARENA_ARRAY(p->a, size_t, nin);
    for (size_t i = 0; i < nin; i++)
        in[i] = ins[i]->op;
    op.in = in;
    AVEC_PUSH(p->a, *p->phys, op);
    return &p->phys->v[p->phys->n - 1];
}

const char *planner_text(struct planner *p, const struct logical *n)
{
    struct buf b;
    buf_init(&b);
    logical_describe(n, &b);
    const char *text = arena_strndup(p->a, b.data ? b.data : "", b.len);
    buf_fini(&b);
    return text;
}

/* The last operator's row as it is: cols[i] at position i. */
struct stream planner_fresh_stream(struct planner *p, const struct lcol *cols, size_t n)
{
    struct stream s = {.op = p->phys->n - 1, .width = (uint32_t)n, .n = n};
    s.places = ARENA_ARRAY(p->a, struct place, n);
    for (size_t i = 0; i < n; i++)
        s.places[i] = (struct place){cols[i].rel, cols[i].no, (uint32_t)i};
    return s;
}

/* The columns as the whole row, in order; costs an operator unless they are that already. */
struct stream planner_exact(struct planner *p, struct stream s, const struct lcol *cols, size_t n)
{
    const struct expr **exprs = ARENA_ARRAY(p->a, const struct expr *, n);
    bool is_exact = s.width == n;
    struct buf b;
    buf_init(&b);
    buf_adds(&b, "columns ");
    for (size_t i = 0; i < n; i++) {
        const struct place *at = stream_find(&s, cols[i].rel, cols[i].no);
        assert(at);
        is_exact &= at->at == i;
        exprs[i] = expr_column(p->a, 0, at->at, cols[i].ct);
        buf_addf(&b, "%s%s", i ? ", " : "", cols[i].name[0] ? cols[i].name : "?");
    }
    const char *text = arena_strndup(p->a, b.data, b.len);
    buf_fini(&b);
    if (is_exact)
        return s;
    const struct stream *in = &s;
    struct physical_op *op = planner_add_op(p, PHYS_MAP, &in, 1, text);
    op->exprs = exprs;
    op->nexprs = n;
    return planner_fresh_stream(p, cols, n);
}

/* As planner_exact(), but the order doesn't count. */
static struct stream narrow(struct planner *p, struct stream s, const struct logical *n)
{
    return s.width == n->ncols ? s : planner_exact(p, s, n->cols, n->ncols);
}

static struct stream plan_scan(struct planner *p, const struct logical *n)
{
    size_t i = sources_find(p->spec, p->tables, n->table);
    const struct plan_source *src = &p->spec->sources[i];
    struct stream s = {.op = p->source_ops.v[i], .width = (uint32_t)src->ncols, .n = n->ncols};
    s.places = ARENA_ARRAY(p->a, struct place, n->ncols);
    for (size_t k = 0; k < n->ncols; k++) {
        const struct lcol *c = &n->cols[k];
        uint32_t at = 0;
        while (src->colnames[at] != p->tables[i]->colnames[c->no - 1])
            at++;
        s.places[k] = (struct place){c->rel, c->no, at};
    }
    return s;
}

static struct stream plan_filter(struct planner *p, const struct logical *n)
{
    struct stream s = planner_node(p, n->in[0]);
    const struct stream *in = &s;
    const struct expr *cond = conjunction(p, n, &s, NULL);
    planner_add_op(p, PHYS_FILTER, &in, 1, planner_text(p, n))->cond = cond;
    s.op = p->phys->n - 1;
    return s;
}

static struct stream plan_project(struct planner *p, const struct logical *n)
{
    struct stream s = planner_node(p, n->in[0]);
    const struct stream *in = &s;
    struct stream renamed = {.op = s.op, .width = s.width, .n = n->ncols};
    bool plain = true;
    renamed.places = ARENA_ARRAY(p->a, struct place, n->ncols);
    for (size_t i = 0; i < n->ncols && plain; i++) {
        const struct expr *e = n->exprs[i];
        plain = e->kind == EXPR_COLUMN;
        if (plain)
            renamed.places[i] =
                (struct place){n->cols[i].rel, n->cols[i].no, stream_find(&s, e->rel, e->col)->at};
    }
    if (plain)
        return renamed;
    const struct expr **exprs = positional_all(p, n->exprs, n->nexprs, &s);
    struct physical_op *op = planner_add_op(p, PHYS_MAP, &in, 1, planner_text(p, n));
    op->exprs = exprs;
    op->nexprs = n->nexprs;
    return planner_fresh_stream(p, n->cols, n->ncols);
}

/* Left's places, then right's moved behind them. */
static struct stream side_by_side(struct planner *p, const struct stream *l, const struct stream *r)
{
    struct stream s = {.op = p->phys->n - 1, .width = l->width + r->width, .n = l->n + r->n};
    s.places = ARENA_ARRAY(p->a, struct place, s.n);
    for (size_t i = 0; i < l->n; i++)
        s.places[i] = l->places[i];
    for (size_t i = 0; i < r->n; i++) {
        s.places[l->n + i] = r->places[i];
        s.places[l->n + i].at += l->width;
    }
    return s;
}

static struct stream plan_join(struct planner *p, const struct logical *n)
{
    struct stream l = narrow(p, planner_node(p, n->in[0]), n->in[0]);
    struct stream r = narrow(p, planner_node(p, n->in[1]), n->in[1]);
    const struct stream *ins[2] = {&l, &r};
    const struct expr **lkeys = positional_all(p, n->lkeys, n->nkeys, &l);
    const struct expr **rkeys = positional_all(p, n->rkeys, n->nkeys, &r);
    const struct expr *cond = conjunction(p, n, &l, &r);
    struct physical_op *op = planner_add_op(p, PHYS_JOIN, ins, 2, planner_text(p, n));
    op->join = n->join;
    op->lkeys = lkeys;
    op->rkeys = rkeys;
    op->nullsafe = n->nullsafe;
    op->nkeys = n->nkeys;
    op->cond = cond;
    if (n->join != JOIN_SEMI && n->join != JOIN_ANTI)
        return side_by_side(p, &l, &r);
    l.op = p->phys->n - 1;
    return l;
}

/* The group's keys as a row of their own, which direct arguments are worked out from. */
static struct stream key_stream(struct planner *p, const struct logical *n)
{
    struct stream s = {.width = (uint32_t)n->nexprs, .n = n->nexprs};
    s.places = ARENA_ARRAY(p->a, struct place, n->nexprs);
    for (size_t i = 0; i < n->nexprs; i++)
        s.places[i] = (struct place){n->rel, (uint32_t)i + 1, (uint32_t)i};
    return s;
}

static struct stream plan_group(struct planner *p, const struct logical *n)
{
    struct stream s = planner_node(p, n->in[0]);
    const struct stream *in = &s;
    struct group_agg *aggs = arena_memdup(p->a, n->aggs, n->naggs * sizeof *aggs);
    struct stream key = key_stream(p, n);
    struct lcol *cols = ARENA_ARRAY(p->a, struct lcol, n->nexprs + n->naggs);
    const struct expr **keys = positional_all(p, n->exprs, n->nexprs, &s);
    for (size_t i = 0; i < n->nexprs; i++)
        cols[i] = (struct lcol){n->rel, (uint32_t)i + 1, n->exprs[i]->ct, ""};
    for (size_t i = 0; i < n->naggs; i++) {
        for (size_t k = 0; k < aggs[i].spec.nargs; k++)
            aggs[i].args[k] = positional(p, aggs[i].args[k], &s, NULL);
        for (size_t k = 0; k < aggs[i].spec.ndirect; k++)
            aggs[i].direct[k] = positional(p, aggs[i].direct[k], &key, NULL);
        if (aggs[i].filter)
            aggs[i].filter = positional(p, aggs[i].filter, &s, NULL);
        cols[n->nexprs + i] = (struct lcol){n->rel, n->aggno[i], aggs[i].spec.result, ""};
    }
    struct physical_op *op = planner_add_op(p, PHYS_GROUP, &in, 1, planner_text(p, n));
    op->exprs = keys;
    op->nexprs = n->nexprs;
    op->aggs = aggs;
    op->naggs = n->naggs;
    return planner_fresh_stream(p, cols, n->nexprs + n->naggs);
}

static struct stream plan_distinct(struct planner *p, const struct logical *n)
{
    const struct logical *in = n->in[0];
    struct stream s = planner_exact(p, planner_node(p, in), in->cols, in->ncols);
    const struct stream *ins = &s;
    planner_add_op(p, PHYS_DISTINCT, &ins, 1, planner_text(p, n));
    return planner_fresh_stream(p, in->cols, in->ncols);
}

/* UNION, INTERSECT, EXCEPT: every input exactly as its columns are. */
static struct stream plan_setop(struct planner *p, const struct logical *n)
{
    struct stream *s = ARENA_ARRAY(p->a, struct stream, n->nin);
    const struct stream **ins = ARENA_ARRAY(p->a, const struct stream *, n->nin);
    size_t width = n->in[0]->ncols;
    struct lcol *cols = ARENA_ARRAY(p->a, struct lcol, width);
    for (size_t i = 0; i < n->nin; i++) {
        s[i] = planner_exact(p, planner_node(p, n->in[i]), n->in[i]->cols, n->in[i]->ncols);
        ins[i] = &s[i];
    }
    /* Of an INTERSECT or EXCEPT all columns are there, whatever is needed; see pass_prune. */
    for (size_t i = 0; i < width; i++) {
        uint32_t no = n->kind == LOGICAL_UNION ? n->cols[i].no : (uint32_t)i + 1;
        cols[i] = (struct lcol){n->rel, no, n->in[0]->cols[i].ct, ""};
    }
    struct physical_op *op = planner_add_op(p, n->kind == LOGICAL_UNION ? PHYS_UNION : PHYS_SETOP,
                                            ins, n->nin, planner_text(p, n));
    op->setop = n->setop;
    return planner_fresh_stream(p, cols, width);
}

/* The operator of a node that partitions and orders its input's rows. */
static struct physical_op *add_ordered(struct planner *p, enum physical_kind kind,
                                       const struct logical *n, const struct stream *s)
{
    struct sort_key *sort = ARENA_ARRAY(p->a, struct sort_key, n->nsort);
    for (size_t i = 0; i < n->nsort; i++)
        sort[i] = (struct sort_key){stream_find(s, n->sort[i].rel, n->sort[i].no)->at,
                                    n->sort[i].desc, n->sort[i].nulls_first};
    const struct expr **part = ARENA_ARRAY(p->a, const struct expr *, n->npart);
    for (size_t i = 0; i < n->npart; i++) {
        const struct lcol *c = logical_find(n->in[0], n->part[i].rel, n->part[i].no);
        part[i] = expr_column(p->a, 0, stream_find(s, c->rel, c->no)->at, c->ct);
    }
    struct physical_op *op = planner_add_op(p, kind, &s, 1, planner_text(p, n));
    op->sort = sort;
    op->nsort = n->nsort;
    op->part = part;
    op->npart = n->npart;
    return op;
}

static struct stream plan_topk(struct planner *p, const struct logical *n)
{
    struct stream s = narrow(p, planner_node(p, n->in[0]), n->in[0]);
    struct physical_op *op = add_ordered(p, PHYS_TOPK, n, &s);
    op->limit = n->limit;
    op->offset = n->offset;
    op->with_ties = n->with_ties;
    s.op = p->phys->n - 1;
    return s;
}

/* The input's needed columns, then the calls'. A condition sees the calls' columns as input 1. */
static struct stream plan_flatmap(struct planner *p, const struct logical *n)
{
    struct stream s = planner_node(p, n->in[0]), made = {.op = s.op};
    const struct stream *in = &s;
    size_t nmade;
    struct lcol *cols = logical_made(p->a, n, &nmade);
    struct srf_call *calls = arena_memdup(p->a, n->calls, n->ncalls * sizeof *calls);
    uint32_t *outs = ARENA_ARRAY(p->a, uint32_t, n->ncols);
    made.places = ARENA_ARRAY(p->a, struct place, nmade);
    for (made.n = 0; made.n < nmade; made.n++)
        made.places[made.n] = (struct place){cols[made.n].rel, cols[made.n].no, (uint32_t)made.n};
    for (size_t i = 0; i < n->ncalls; i++)
        calls[i].args = positional_all(p, n->calls[i].args, n->calls[i].nargs, &s);
    for (size_t i = 0; i < n->ncols; i++) {
        const struct place *own = stream_find(&made, n->cols[i].rel, n->cols[i].no);
        outs[i] = own ? s.width + own->at : stream_find(&s, n->cols[i].rel, n->cols[i].no)->at;
    }
    const struct expr *cond = conjunction(p, n, &s, &made);
    struct physical_op *op = planner_add_op(p, PHYS_FLATMAP, &in, 1, planner_text(p, n));
    op->flatmap =
        (struct flatmap_spec){calls, n->ncalls, n->ordinality, n->outer, cond, outs, n->ncols};
    return planner_fresh_stream(p, n->cols, n->ncols);
}

struct call_positions {
    struct planner *p;
    const struct stream *s;
};

static void place_call_expr(void *ctx, const struct expr **e)
{
    struct call_positions *c = ctx;
    *e = positional(c->p, *e, c->s, NULL);
}

/* The calls' columns come behind the input's. */
static struct stream plan_window(struct planner *p, const struct logical *n)
{
    struct stream s = narrow(p, planner_node(p, n->in[0]), n->in[0]);
    struct call_positions at = {p, &s};
    if (!n->nwins) /* nobody wants to know */
        return s;
    struct window_call *calls = arena_memdup(p->a, n->wins, n->nwins * sizeof *calls);
    for (size_t i = 0; i < n->nwins; i++)
        window_call_each(&calls[i], place_call_expr, &at);
    struct physical_op *op = add_ordered(p, PHYS_WINDOW, n, &s);
    op->wins = calls;
    op->nwins = n->nwins;
    struct stream out = {.op = p->phys->n - 1, .width = s.width + (uint32_t)n->nwins};
    out.n = s.n + n->nwins;
    out.places = ARENA_ARRAY(p->a, struct place, out.n);
    for (size_t i = 0; i < s.n; i++)
        out.places[i] = s.places[i];
    for (size_t i = 0; i < n->nwins; i++)
        out.places[s.n + i] = (struct place){n->rel, n->winno[i], s.width + (uint32_t)i};
    return out;
}

/* Planned at the first reference; each reference has names of its own for the same columns. */
static struct stream plan_cte(struct planner *p, const struct logical *n)
{
    size_t i = 0;
    while (i < p->shared.n && p->shared.v[i].cte != n->cte)
        i++;
    if (i == p->shared.n) {
        struct stream body = planner_node(p, n->cte->root);
        struct shared shared = {n->cte,
                                planner_exact(p, body, n->cte->root->cols, n->cte->root->ncols)};
        i = p->shared.n;
        AVEC_PUSH(p->a, p->shared, shared);
    }
    struct stream s = p->shared.v[i].stream;
    struct stream out = {.op = s.op, .width = s.width, .n = n->ncols};
    out.places = ARENA_ARRAY(p->a, struct place, n->ncols);
    for (size_t k = 0; k < n->ncols; k++) {
        const struct lcol *c = &n->cte->out[n->cols[k].no - 1];
        out.places[k] = (struct place){n->rel, n->cols[k].no, stream_find(&s, c->rel, c->no)->at};
    }
    return out;
}

struct stream planner_node(struct planner *p, const struct logical *n)
{
    struct stream imported;
    if (plan_import(p, n, &imported))
        return imported;
    switch (n->kind) {
    case LOGICAL_SCAN: return plan_scan(p, n);
    case LOGICAL_ONE_ROW: planner_add_op(p, PHYS_ONE_ROW, NULL, 0, "one row"); break;
    case LOGICAL_CTE: return plan_cte(p, n);
    case LOGICAL_FILTER: return plan_filter(p, n);
    case LOGICAL_PROJECT: return plan_project(p, n);
    case LOGICAL_JOIN: return plan_join(p, n);
    case LOGICAL_GROUP: return plan_group(p, n);
    case LOGICAL_DISTINCT: return plan_distinct(p, n);
    case LOGICAL_UNION:
    case LOGICAL_SETOP: return plan_setop(p, n);
    case LOGICAL_TOPK: return plan_topk(p, n);
    case LOGICAL_FLATMAP: return plan_flatmap(p, n);
    case LOGICAL_RECURSE: return plan_recurse(p, n);
    case LOGICAL_SELF: return plan_self(p, n);
    case LOGICAL_WINDOW: return plan_window(p, n);
    }
    return planner_fresh_stream(p, NULL, 0);
}

static void add_sources(struct planner *p)
{
    for (size_t i = 0; i < p->spec->nsources; i++) {
        const struct plan_source *s = &p->spec->sources[i];
        struct buf b;
        buf_init(&b);
        buf_addf(&b, "source %s%s.%s", p->tables[i]->only ? "only " : "", s->schema, s->name);
        for (size_t k = 0; k < s->ncols; k++)
            buf_addf(&b, "%s%s", k ? ", " : ": ", s->colnames[k]);
        planner_add_op(p, PHYS_SOURCE, NULL, 0, arena_strndup(p->a, b.data, b.len))->source = i;
        AVEC_PUSH(p->a, p->source_ops, p->phys->n - 1);
        buf_fini(&b);
    }
}

bool physical_plan(struct plan_spec *spec, struct err *err)
{
    struct planner p = {.spec = spec, .a = &spec->arena};
    spec->physical = p.phys = ARENA_NEW(&spec->arena, struct physical);
    if (!sources_plan(spec, &p.tables, err))
        return false;
    add_sources(&p);
    struct stream out =
        planner_exact(&p, planner_node(&p, spec->root), spec->root->cols, spec->root->ncols);
    p.phys->output = out.op;
    physical_share(p.a, p.phys);
    return true;
}
