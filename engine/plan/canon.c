/*
 * canon: a plan's canonical key.
 *
 * The optimised plan is written down with everything that decides what rows it gives, and nothing
 * that is only spelling: OIDs for tables, types, functions and collations; columns by numbers given
 * in order of appearance, those of tables by their names too; constants by type and text. Table and
 * column aliases, names of CTEs and of output columns, and whether something was a view, a CTE or
 * written in place, don't show. Equal text means the same circuit, so two statements with equal
 * keys may share one.
 *
 * Invariant: a field of struct logical or struct expr that changes results is written here. Who
 * adds one must add it here, or statements that differ would be given each other's rows.
 */
#include "engine/plan/physical.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/expr/delegate.h"
#include "engine/expr/pgfuncs.h"

/* Reminders of the invariant, on 64-bit machines: whoever changes one of these writes the new field
 * down below (for struct physical_op in put_op()), if it changes rows, and then the new size here. */
#define KNOWS_ALL_OF(type, size)                                                                   \
    _Static_assert(sizeof(void *) != 8 || sizeof(type) == (size), "canon.c must know all "         \
                                                                  "of " #type)
KNOWS_ALL_OF(struct expr, 104);
KNOWS_ALL_OF(struct group_agg, 1296);
KNOWS_ALL_OF(struct logical, 280);
KNOWS_ALL_OF(struct physical_op, 288);
KNOWS_ALL_OF(struct recursion_spec, 32);
KNOWS_ALL_OF(struct srf_call, 56);
KNOWS_ALL_OF(struct window_call, 1376);
KNOWS_ALL_OF(struct win_frame, 128);

struct canon {
    struct buf b;
    bool verbatim;      /* relations by the numbers they have in this plan */
    VEC(uint32_t) rels; /* index = canonical number */
};

static void put(struct canon *c, const char *tag, int64_t v)
{
    buf_addf(&c->b, " %s%lld", tag, (long long)v);
}

static void put_rel(struct canon *c, uint32_t rel)
{
    size_t i = 0;
    if (c->verbatim) {
        put(c, "r", rel);
        return;
    }
    while (i < c->rels.n && c->rels.v[i] != rel)
        i++;
    if (i == c->rels.n)
        VEC_PUSH(c->rels, rel);
    put(c, "r", (int64_t)i);
}

static void put_col(struct canon *c, uint32_t rel, uint32_t no)
{
    put_rel(c, rel);
    put(c, ".", no);
}

static void put_type(struct canon *c, const struct column_type *ct)
{
    put(c, "t", ct->type->oid);
    put(c, "m", ct->typmod);
    put(c, "c", ct->collation ? ct->collation->oid : 0);
}

static void put_value(struct canon *c, const struct expr *e)
{
    struct buf text;
    if (e->value.null) {
        buf_adds(&c->b, " null");
        return;
    }
    buf_init(&text);
    value_print(e->ct.type, e->value, &text);
    put(c, "v", (int64_t)text.len);
    buf_addc(&c->b, ':');
    buf_add(&c->b, text.data, text.len);
    buf_fini(&text);
}

static void put_name(struct canon *c, const char *name)
{
    put(c, "s", (int64_t)strlen(name));
    buf_addf(&c->b, ":%s", name);
}

/* The question itself may be long. */
static void put_call(struct canon *c, const struct delegate_call *call)
{
    put(c, "d", (int64_t)call->id[0]);
    put(c, "d", (int64_t)call->id[1]);
}

static void put_expr(struct canon *c, const struct expr *e)
{
    buf_addf(&c->b, " (%d", e->kind);
    put_type(c, &e->ct);
    if (e->kind == EXPR_COLUMN) {
        put_col(c, e->rel, e->col);
        put(c, "p", e->input);
    }
    if (e->kind == EXPR_CONST)
        put_value(c, e);
    put(c, "f", e->func ? e->func->oid : 0);
    put(c, "g", e->flag);
    put(c, "o", e->op);
    put(c, "i", e->collation ? e->collation->oid : 0);
    if (e->kind == EXPR_DELEGATED)
        put_call(c, e->call);
    for (uint32_t i = 0; i < e->nargs; i++)
        put_expr(c, e->args[i]);
    buf_addc(&c->b, ')');
}

static void put_exprs(struct canon *c, const char *tag, const struct expr *const *v, size_t n)
{
    put(c, tag, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        put_expr(c, v[i]);
}

static void put_agg(struct canon *c, const struct group_agg *g, uint32_t no)
{
    buf_addf(&c->b, " agg %s", g->spec.cls->name);
    put(c, "fn", g->spec.fnoid);
    put(c, "n", no);
    put(c, "own", g->spec.nown);
    put(c, "d", g->distinct);
    put_type(c, &g->spec.result);
    put(c, "i", g->spec.collation ? g->spec.collation->oid : 0);
    put_exprs(c, "a", g->args, g->spec.nargs);
    put_exprs(c, "direct", g->direct, g->spec.ndirect);
    for (uint32_t i = 0; i < g->spec.nsort; i++) {
        put(c, "by", g->spec.sort[i].arg);
        put(c, "desc", g->spec.sort[i].desc);
        put(c, "nf", g->spec.sort[i].nulls_first);
    }
    put_exprs(c, "w", &g->filter, g->filter != NULL);
}

static void put_calls(struct canon *c, const struct srf_call *calls, size_t n)
{
    put(c, "calls", (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        put(c, "f", calls[i].srf ? calls[i].srf->oid : 0);
        put(c, "x", calls[i].expand);
        put_exprs(c, "a", calls[i].args, calls[i].nargs);
        for (size_t k = 0; k < calls[i].ncols; k++)
            put_type(c, &calls[i].cols[k]);
    }
}

static void put_bound(struct canon *c, const struct win_bound *b)
{
    put(c, "b", b->kind);
    if (b->kind != BOUND_PRECEDING && b->kind != BOUND_FOLLOWING)
        return;
    struct expr offset = {.value = b->offset, .ct = b->offset_ct};
    put_type(c, &b->offset_ct);
    put_value(c, &offset);
    put(c, "ir", b->in_range != NULL); /* which one follows from the types */
}

static void put_win_expr(void *ctx, const struct expr **e)
{
    put_expr(ctx, *e);
}

static void put_win(struct canon *c, const struct window_call *w, uint32_t no)
{
    if (w->is_agg) {
        put_agg(c, &w->agg, no);
    } else {
        struct window_call *call = (struct window_call *)w; /* nothing is changed */
        buf_addf(&c->b, " win %s", w->win.cls->name);
        put(c, "n", no);
        put_type(c, &w->win.result);
        window_call_each(call, put_win_expr, c);
    }
    put(c, "mode", w->frame->mode);
    put_bound(c, &w->frame->start);
    put_bound(c, &w->frame->end);
    put(c, "hole", w->frame->exclude);
}

/* A plan reads its table by the names of the time it was made, so they are part of what it is.
 *
 *     SELECT a FROM t;
 *     ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME c TO b;
 *     SELECT b FROM t;  -- the same column by number; the first plan would answer with the other
 */
static void put_scan(struct canon *c, const struct logical *n)
{
    const struct logical_table *t = n->table;
    put(c, "table", t->oid);
    put(c, "only", t->only);
    put_name(c, t->schema);
    put_name(c, t->name);
    for (size_t i = 0; i < n->ncols; i++)
        put_name(c, t->colnames[n->cols[i].no - 1]);
}

static void put_node(struct canon *c, const struct logical *n, const struct logical_ctes *ctes)
{
    for (size_t i = 0; i < n->nin; i++)
        put_node(c, n->in[i], ctes);
    buf_addf(&c->b, "\n%d", n->kind);
    put(c, "in", (int64_t)n->nin);
    if (n->kind == LOGICAL_SCAN)
        put_scan(c, n);
    for (size_t i = 0; n->cte && i < ctes->n; i++)
        if (ctes->v[i] == n->cte)
            put(c, "cte", (int64_t)i);
    if (n->rec) {
        put_rel(c, n->rec->rel);
        put(c, "distinct", n->rec->spec.distinct);
    }
    put(c, "join", n->kind == LOGICAL_JOIN ? (int)n->join : -1);
    put(c, "setop", n->kind == LOGICAL_SETOP ? (int)n->setop : -1);
    put_exprs(c, "if", n->conds, n->nconds);
    put_exprs(c, "e", n->exprs, n->nexprs);
    put_exprs(c, "lk", n->lkeys, n->nkeys);
    put_exprs(c, "rk", n->rkeys, n->nkeys);
    for (size_t i = 0; n->nullsafe && i < n->nkeys; i++)
        put(c, "ns", n->nullsafe[i]);
    for (size_t i = 0; i < n->naggs; i++)
        put_agg(c, &n->aggs[i], n->aggno[i]);
    for (size_t i = 0; i < n->nsort; i++) {
        put_col(c, n->sort[i].rel, n->sort[i].no);
        put(c, "desc", n->sort[i].desc);
        put(c, "nf", n->sort[i].nulls_first);
    }
    put(c, "part", (int64_t)n->npart);
    for (size_t i = 0; i < n->npart; i++)
        put_col(c, n->part[i].rel, n->part[i].no);
    for (size_t i = 0; i < n->nwins; i++)
        put_win(c, &n->wins[i], n->winno[i]);
    put(c, "lim", n->limit);
    put(c, "off", n->offset);
    put(c, "ties", n->with_ties);
    put_calls(c, n->calls, n->ncalls);
    put(c, "ord", n->ordinality);
    put(c, "outer", n->outer);
    buf_adds(&c->b, " cols");
    for (size_t i = 0; i < n->ncols; i++) {
        put_col(c, n->cols[i].rel, n->cols[i].no);
        put_type(c, &n->cols[i].ct);
    }
}

/* ------------------------------------------------------------ parts of a plan */

bool expr_equal(const struct expr *a, const struct expr *b)
{
    struct canon x = {.verbatim = true}, y = {.verbatim = true};
    if (a == b)
        return true;
    if (a->kind != b->kind || a->nargs != b->nargs)
        return false;
    put_expr(&x, a);
    put_expr(&y, b);
    bool equal = x.b.len == y.b.len && memcmp(x.b.data, y.b.data, x.b.len) == 0;
    buf_fini(&x.b);
    buf_fini(&y.b);
    return equal;
}

static void put_op(struct canon *c, const struct physical_op *o)
{
    put(c, "join", o->join);
    put(c, "setop", o->setop);
    put_exprs(c, "e", o->exprs, o->nexprs);
    put_exprs(c, "if", &o->cond, o->cond != NULL);
    put_exprs(c, "lk", o->lkeys, o->nkeys);
    put_exprs(c, "rk", o->rkeys, o->nkeys);
    for (size_t i = 0; o->nullsafe && i < o->nkeys; i++)
        put(c, "ns", o->nullsafe[i]);
    for (size_t i = 0; i < o->naggs; i++)
        put_agg(c, &o->aggs[i], (uint32_t)i);
    for (size_t i = 0; i < o->nsort; i++) {
        put(c, "by", o->sort[i].col);
        put(c, "desc", o->sort[i].desc);
        put(c, "nf", o->sort[i].nulls_first);
    }
    put_exprs(c, "part", o->part, o->npart);
    for (size_t i = 0; i < o->nwins; i++)
        put_win(c, &o->wins[i], (uint32_t)i);
    put(c, "lim", o->limit);
    put(c, "off", o->offset);
    put(c, "ties", o->with_ties);
    put_calls(c, o->flatmap.calls, o->flatmap.ncalls);
    put(c, "ord", o->flatmap.ordinality);
    put(c, "outer", o->flatmap.outer);
    put_exprs(c, "on", &o->flatmap.cond, o->flatmap.cond != NULL);
    for (size_t i = 0; i < o->flatmap.nouts; i++)
        put(c, "out", o->flatmap.outs[i]);
}

bool canon_op(const struct physical_op *o, struct buf *out)
{
    struct canon c = {.b = *out};
    switch (o->kind) {
    case PHYS_MAP:
    case PHYS_FILTER:
    case PHYS_JOIN:
    case PHYS_GROUP:
    case PHYS_DISTINCT:
    case PHYS_UNION:
    case PHYS_SETOP:
    case PHYS_TOPK:
    case PHYS_FLATMAP:

    case PHYS_WINDOW: break;
    default: return false;
    }
    buf_addf(&c.b, "%d <-", o->kind);
    for (size_t i = 0; i < o->nin; i++)
        put(&c, "", (int64_t)o->in[i]);
    put_op(&c, o);
    VEC_FREE(c.rels);
    *out = c.b;
    return true;
}

void canon_key(const struct plan_spec *spec, const char *environment, char out[17])
{
    static const char digits[] = "0123456789abcdef";
    struct canon c = {0};
    struct logical_ctes ctes;
    buf_init(&c.b);
    buf_addf(&c.b, "1 %s\n", environment ? environment : "");
    logical_ctes(spec->root, &ctes);
    for (size_t i = ctes.n; i-- > 0;) {
        buf_addf(&c.b, "\nwith %zu", i);
        put_node(&c, ctes.v[i]->root, &ctes);
        for (size_t k = 0; k < ctes.v[i]->nout; k++)
            put_col(&c, ctes.v[i]->out[k].rel, ctes.v[i]->out[k].no);
    }
    put_node(&c, spec->root, &ctes);
    put(&c, "visible", (int64_t)spec->ncolumns);
    for (size_t i = 0; i < spec->norder; i++) {
        put(&c, "by", spec->order[i].col);
        put(&c, "desc", spec->order[i].desc);
        put(&c, "nf", spec->order[i].nulls_first);
    }
    uint64_t h = XXH3_64bits(c.b.data, c.b.len);
    for (int i = 0; i < 16; i++)
        out[i] = digits[h >> (60 - 4 * i) & 15];
    out[16] = '\0';
    buf_fini(&c.b);
    VEC_FREE(c.rels);
    VEC_FREE(ctes);
}
