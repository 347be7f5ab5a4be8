/*
 * naive: see naive.h. Slow on purpose: every definition is written down as directly as it can be.
 */
#include "tests/support/naive.h"

#include <assert.h>
#include <string.h>

/* ------------------------------------------------------------ relations */

static bool bytes_equal(const struct layout *l, const uint8_t *a, const uint8_t *b)
{
    return row_len(l, a) == row_len(l, b) && memcmp(a, b, row_len(l, a)) == 0;
}

bool row_same(const struct layout *l, const uint8_t *a, const uint8_t *b)
{
    for (uint32_t i = 0; i < l->ncols; i++)
        if (!value_same(&l->cols[i].ct, row_get(l, a, i), row_get(l, b, i)))
            return false;
    return true;
}

static void rel_add(struct rel *r, const uint8_t *row, int64_t weight)
{
    struct change c = {row, weight};
    if (weight)
        VEC_PUSH(r->rows, c);
}

static bool rel_add_bytes(struct rel *r, const struct layout *l, const uint8_t *row, int64_t weight,
                          struct arena *a)
{
    for (size_t i = 0; i < r->rows.n; i++)
        if (bytes_equal(l, r->rows.v[i].row, row)) {
            r->rows.v[i].weight += weight;
            if (!r->rows.v[i].weight)
                r->rows.v[i] = r->rows.v[--r->rows.n];
            return i == r->rows.n || r->rows.v[i].weight > 0;
        }
    rel_add(r, arena_memdup(a, row, row_len(l, row)), weight);
    return weight > 0;
}

bool rel_apply(struct rel *r, const struct layout *l, const struct delta *d, struct arena *a)
{
    bool ok = true;
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].weight < 0)
            ok &= rel_add_bytes(r, l, d->v[i].row, d->v[i].weight, a);
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].weight > 0)
            ok &= rel_add_bytes(r, l, d->v[i].row, d->v[i].weight, a);
    return ok;
}

static int64_t weight_of(const struct layout *l, const struct rel *r, const uint8_t *row)
{
    int64_t w = 0;
    for (size_t i = 0; i < r->rows.n; i++)
        if (row_same(l, r->rows.v[i].row, row))
            w += r->rows.v[i].weight;
    return w;
}

bool rel_same(const struct layout *l, const struct rel *a, const struct rel *b)
{
    for (size_t i = 0; i < a->rows.n; i++)
        if (weight_of(l, a, a->rows.v[i].row) != weight_of(l, b, a->rows.v[i].row))
            return false;
    for (size_t i = 0; i < b->rows.n; i++)
        if (weight_of(l, a, b->rows.v[i].row) != weight_of(l, b, b->rows.v[i].row))
            return false;
    return true;
}

void rel_print(const struct layout *l, const struct rel *r, struct buf *b)
{
    for (size_t i = 0; i < r->rows.n; i++) {
        buf_addf(b, "  %+lld ", (long long)r->rows.v[i].weight);
        row_to_json(l, r->rows.v[i].row, b);
        buf_addc(b, '\n');
    }
}

void rel_fini(struct rel *r)
{
    VEC_FREE(r->rows);
    r->errors = 0;
}

/* ------------------------------------------------------------ rows and expressions */

struct ctx {
    struct nop *n;
    struct rel *out;
    struct arena *a;
};

static bool eval_on(const struct expr *e, const struct layout *l, const uint8_t *row,
                    struct arena *a, struct value *out)
{
    struct err err;
    struct eval_ctx cx = {.layout = {l}, .row = {row}, .arena = a};
    return expr_eval(e, &cx, out, &err);
}

static bool eval_list(const struct expr **exprs, size_t n, const struct layout *l,
                      const uint8_t *row, struct arena *a, struct value *out)
{
    for (size_t i = 0; i < n; i++)
        if (!eval_on(exprs[i], l, row, a, &out[i]))
            return false;
    return true;
}

static const uint8_t *pack(const struct layout *l, const struct value *vals, struct arena *a)
{
    const uint8_t *row = NULL;
    struct err err;
    bool ok = row_pack(l, vals, a, &row, &err);
    assert(ok);
    return ok ? row : NULL;
}

static void eval_map(const struct ctx *x, const struct rel *in)
{
    const struct layout *l = x->n->in[0]->layout;
    struct value *vals = ARENA_ARRAY(x->a, struct value, x->n->nexprs);
    for (size_t i = 0; i < in->rows.n; i++) {
        const struct change *c = &in->rows.v[i];
        if (eval_list(x->n->exprs, x->n->nexprs, l, c->row, x->a, vals))
            rel_add(x->out, pack(x->n->layout, vals, x->a), c->weight);
        else
            x->out->errors += c->weight;
    }
}

static void eval_filter(const struct ctx *x, const struct rel *in)
{
    for (size_t i = 0; i < in->rows.n; i++) {
        const struct change *c = &in->rows.v[i];
        struct value v;
        if (!eval_on(x->n->exprs[0], x->n->layout, c->row, x->a, &v))
            x->out->errors += c->weight;
        else if (!v.null && v.i)
            rel_add(x->out, c->row, c->weight);
    }
}

/* ------------------------------------------------------------ flatmap */

struct series {
    int64_t from, to;
    bool none;
};

/* The i-th rows of all series side by side, then i + 1; false behind the last of the longest. */
static bool series_at(const struct flatmap_spec *f, const struct series *s, int64_t i,
                      struct value *made)
{
    bool any = false;
    for (size_t k = 0; k < f->ncalls; k++) {
        bool there = !s[k].none && s[k].from + i <= s[k].to;
        made[k] = there ? value_int(s[k].from + i) : value_null();
        any |= there;
    }
    made[f->ncalls] = value_int(i + 1);
    return any;
}

static const uint8_t *flat_row(const struct ctx *x, const uint8_t *row, const struct value *made)
{
    const struct layout *l = x->n->in[0]->layout;
    struct value *vals = ARENA_ARRAY(x->a, struct value, x->n->flatmap->nouts);
    for (size_t i = 0; i < x->n->flatmap->nouts; i++) {
        uint32_t at = x->n->flatmap->outs[i];
        vals[i] = at >= l->ncols ? made ? made[at - l->ncols] : value_null() : row_get(l, row, at);
    }
    return pack(x->n->layout, vals, x->a);
}

/* 1, 0, or -1 where the condition fails. The calls' columns are int4, the ordinal int8. */
static int flat_holds(const struct ctx *x, const uint8_t *row, const struct value *made)
{
    const struct flatmap_spec *f = x->n->flatmap;
    struct column_type *cts = ARENA_ARRAY(x->a, struct column_type, f->ncalls + 1);
    struct err err;
    struct value v;
    if (!f->cond)
        return 1;
    for (size_t i = 0; i <= f->ncalls; i++)
        cts[i] = (struct column_type){type_native(i < f->ncalls ? OID_INT4 : OID_INT8), -1, NULL};
    struct layout *l = layout_new(cts, f->ncalls + f->ordinality);
    struct eval_ctx cx = {.layout = {x->n->in[0]->layout, l}, .row = {row}, .arena = x->a};
    cx.row[1] = pack(l, made, x->a);
    int holds = expr_eval(f->cond, &cx, &v, &err) ? !v.null && v.i : -1;
    layout_unref(l);
    return holds;
}

static void flatten(const struct ctx *x, const struct change *c)
{
    const struct flatmap_spec *f = x->n->flatmap;
    struct series *s = ARENA_ARRAY(x->a, struct series, f->ncalls);
    struct value *made = ARENA_ARRAY(x->a, struct value, f->ncalls + 1);
    bool matched = false;
    for (size_t i = 0; i < f->ncalls; i++) {
        struct value v[2];
        if (!eval_list(f->calls[i].args, 2, x->n->in[0]->layout, c->row, x->a, v)) {
            x->out->errors += c->weight;
            return;
        }
        s[i] = (struct series){v[0].i, v[1].i, v[0].null || v[1].null};
    }
    for (int64_t i = 0; series_at(f, s, i, made); i++) {
        int holds = flat_holds(x, c->row, made);
        matched |= holds != 0;
        if (holds < 0)
            x->out->errors += c->weight;
        else if (holds)
            rel_add(x->out, flat_row(x, c->row, made), c->weight);
    }
    if (f->outer && !matched)
        rel_add(x->out, flat_row(x, c->row, NULL), c->weight);
}

/* ------------------------------------------------------------ join */

struct keyed {
    struct value *vals;
    bool failed, has_null;
};

static struct keyed *keys_of(const struct ctx *x, const struct rel *r, const struct layout *l,
                             const struct expr **exprs)
{
    struct keyed *k = ARENA_ARRAY(x->a, struct keyed, r->rows.n);
    for (size_t i = 0; i < r->rows.n; i++) {
        k[i].vals = ARENA_ARRAY(x->a, struct value, x->n->nexprs);
        k[i].failed = !eval_list(exprs, x->n->nexprs, l, r->rows.v[i].row, x->a, k[i].vals);
        for (size_t c = 0; c < x->n->nexprs && !k[i].failed; c++)
            k[i].has_null |= k[i].vals[c].null && !(x->n->nullsafe && x->n->nullsafe[c]);
        if (k[i].failed)
            x->out->errors += r->rows.v[i].weight;
    }
    return k;
}

static bool keys_match(const struct nop *n, const struct keyed *a, const struct keyed *b)
{
    if (a->failed || b->failed || a->has_null || b->has_null)
        return false;
    for (size_t i = 0; i < n->nexprs; i++)
        if (!value_same(&n->exprs[i]->ct, a->vals[i], b->vals[i]))
            return false;
    return true;
}

static bool pair_matches(const struct ctx *x, const struct change *l, const struct change *r)
{
    struct value v;
    struct err err;
    struct eval_ctx cx = {.layout = {x->n->in[0]->layout, x->n->in[1]->layout},
                          .row = {l->row, r->row},
                          .arena = x->a};
    if (!x->n->residual)
        return true;
    if (!expr_eval(x->n->residual, &cx, &v, &err)) {
        x->out->errors += l->weight * r->weight;
        return false;
    }
    return !v.null && v.i;
}

static const uint8_t *pair_row(const struct ctx *x, const uint8_t *l, const uint8_t *r)
{
    const struct layout *ll = x->n->in[0]->layout, *rl = x->n->in[1]->layout;
    struct value *vals = ARENA_ARRAY(x->a, struct value, ll->ncols + rl->ncols);
    for (uint32_t i = 0; i < ll->ncols; i++)
        vals[i] = l ? row_get(ll, l, i) : value_null();
    for (uint32_t i = 0; i < rl->ncols; i++)
        vals[ll->ncols + i] = r ? row_get(rl, r, i) : value_null();
    return pack(x->n->layout, vals, x->a);
}

static void eval_join(const struct ctx *x, const struct rel *l, const struct rel *r)
{
    enum join_kind kind = x->n->join;
    struct keyed *lk = keys_of(x, l, x->n->in[0]->layout, x->n->exprs);
    struct keyed *rk = keys_of(x, r, x->n->in[1]->layout, x->n->right_keys);
    bool *rmatched = ARENA_ARRAY(x->a, bool, r->rows.n),
         alone = kind == JOIN_SEMI || kind == JOIN_ANTI;
    for (size_t i = 0; i < l->rows.n; i++) {
        const struct change *lc = &l->rows.v[i];
        bool matched = false;
        for (size_t k = 0; k < r->rows.n; k++) {
            const struct change *rc = &r->rows.v[k];
            if (!keys_match(x->n, &lk[i], &rk[k]) || !pair_matches(x, lc, rc))
                continue;
            matched = rmatched[k] = true;
            if (!alone)
                rel_add(x->out, pair_row(x, lc->row, rc->row), lc->weight * rc->weight);
        }
        if (lk[i].failed)
            continue;
        if (alone && matched == (kind == JOIN_SEMI))
            rel_add(x->out, lc->row, lc->weight);
        if (!alone && kind != JOIN_INNER && !matched)
            rel_add(x->out, pair_row(x, lc->row, NULL), lc->weight);
    }
    for (size_t k = 0; k < r->rows.n && kind == JOIN_FULL; k++)
        if (!rmatched[k] && !rk[k].failed)
            rel_add(x->out, pair_row(x, NULL, r->rows.v[k].row), r->rows.v[k].weight);
}

/* ------------------------------------------------------------ group */

/* The distinct argument lists seen so far. */
struct seen {
    VEC(struct value *) args;
};

static bool is_seen(struct seen *s, const struct agg_spec *spec, const struct value *args,
                    struct arena *a)
{
    for (size_t i = 0; i < s->args.n; i++) {
        bool same = true;
        for (uint32_t k = 0; k < spec->nargs; k++)
            same &= value_same(&spec->args[k], s->args.v[i][k], args[k]);
        if (same)
            return true;
    }
    VEC_PUSH(s->args, arena_memdup(a, args, AGG_MAX_ARGS * sizeof *args));
    return false;
}

static bool agg_over(const struct ctx *x, const struct group_agg *g, const struct rel *rows,
                     struct value *out)
{
    const struct layout *l = x->n->in[0]->layout;
    void *state = arena_zalloc(x->a, g->spec.cls->state_size + 16);
    struct seen seen = {0};
    struct err err;
    state = (void *)(((uintptr_t)state + 15) & ~(uintptr_t)15);
    for (size_t i = 0; i < rows->rows.n; i++) {
        const struct change *c = &rows->rows.v[i];
        struct value args[AGG_MAX_ARGS] = {{.null = true}}, pass = value_bool(true);
        if (g->filter && !eval_on(g->filter, l, c->row, x->a, &pass)) {
            x->out->errors += c->weight;
            continue;
        }
        if (pass.null || !pass.i)
            continue;
        if (!eval_list((const struct expr **)g->args, g->spec.nargs, l, c->row, x->a, args)) {
            x->out->errors += c->weight;
            continue;
        }
        if (agg_skips(&g->spec, args))
            continue;
        if (g->distinct && is_seen(&seen, &g->spec, args, x->a))
            continue;
        g->spec.cls->add(&g->spec, state, args, g->distinct ? 1 : c->weight);
    }
    bool ok = g->spec.cls->result(&g->spec, state, x->a, out, &err);
    if (ok && !out->null)
        *out = value_dup(g->spec.result.type, *out, x->a);
    if (g->spec.cls->fini)
        g->spec.cls->fini(&g->spec, state);
    VEC_FREE(seen.args);
    return ok;
}

static void eval_one_group(const struct ctx *x, const struct value *key, const struct rel *rows)
{
    size_t nkeys = x->n->nexprs;
    struct value *vals = ARENA_ARRAY(x->a, struct value, nkeys + x->n->naggs);
    bool ok = true;
    for (size_t i = 0; i < nkeys; i++)
        vals[i] = key[i];
    for (size_t i = 0; i < x->n->naggs; i++)
        if (!agg_over(x, &x->n->aggs[i], rows, &vals[nkeys + i]))
            ok = false;
    if (ok)
        rel_add(x->out, pack(x->n->layout, vals, x->a), 1);
    else
        x->out->errors++;
}

static void eval_group(const struct ctx *x, const struct rel *in)
{
    bool *taken = ARENA_ARRAY(x->a, bool, in->rows.n);
    struct keyed *k = keys_of(x, in, x->n->in[0]->layout, x->n->exprs);
    bool any = false;
    for (size_t i = 0; i < in->rows.n; i++) {
        struct rel rows = {0};
        for (size_t m = i; m < in->rows.n && !taken[i] && !k[i].failed; m++) {
            bool same = !taken[m] && !k[m].failed;
            for (size_t c = 0; c < x->n->nexprs && same; c++)
                same = value_same(&x->n->exprs[c]->ct, k[i].vals[c], k[m].vals[c]);
            if (same) {
                rel_add(&rows, in->rows.v[m].row, in->rows.v[m].weight);
                taken[m] |= m > i;
            }
        }
        if (rows.rows.n) {
            eval_one_group(x, k[i].vals, &rows);
            any = true;
        }
        rel_fini(&rows);
    }
    if (!any && !x->n->nexprs)
        eval_one_group(x, NULL, &(struct rel){0});
}

/* ------------------------------------------------------------ sets and order */

static int64_t setop_count(enum setop_kind kind, int64_t a, int64_t b)
{
    switch (kind) {
    case SETOP_INTERSECT: return a && b;
    case SETOP_INTERSECT_ALL: return a < b ? a : b;
    case SETOP_EXCEPT: return a && !b;
    case SETOP_EXCEPT_ALL: return a > b ? a - b : 0;
    }
    return 0;
}

static void eval_counts(const struct ctx *x, const struct rel *l, const struct rel *r)
{
    for (size_t i = 0; i < l->rows.n; i++) {
        const uint8_t *row = l->rows.v[i].row;
        int64_t a = weight_of(x->n->layout, l, row);
        int64_t b = r ? weight_of(x->n->layout, r, row) : 0;
        if (!weight_of(x->n->layout, x->out, row))
            rel_add(x->out, row, r ? setop_count(x->n->setop, a, b) : 1);
    }
}

static int cmp_keys(const struct nop *n, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < n->nkeys; i++) {
        const struct sort_key *k = &n->keys[i];
        const struct layout *l = n->in[0]->layout;
        struct value x = row_get(l, a, k->col), y = row_get(l, b, k->col);
        if (x.null && y.null)
            continue;
        if (x.null || y.null)
            return x.null == k->nulls_first ? -1 : 1;
        int c = value_cmp(&l->cols[k->col].ct, x, y);
        if (c)
            return k->desc ? -c : c;
    }
    return 0;
}

static int cmp_rows(const struct nop *n, const uint8_t *a, const uint8_t *b)
{
    uint32_t alen = row_len(n->in[0]->layout, a), blen = row_len(n->in[0]->layout, b);
    int c = cmp_keys(n, a, b);
    if (!c)
        c = memcmp(a, b, alen < blen ? alen : blen);
    return c ? c : (int)alen - (int)blen;
}

static bool same_part(const struct ctx *x, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < x->n->npart; i++) {
        struct value va, vb;
        bool ok = eval_on(x->n->part[i], x->n->layout, a, x->a, &va) &&
                  eval_on(x->n->part[i], x->n->layout, b, x->a, &vb);
        assert(ok);
        if (!ok || !value_same(&x->n->part[i]->ct, va, vb))
            return false;
    }
    return true;
}

/* The rank of seq[i] in its partition; *last is the row before it there. */
static int64_t rank_of(const struct ctx *x, const struct rel *seq, size_t i, const uint8_t **last)
{
    int64_t rank = 0;
    for (size_t k = 0; k < i; k++)
        if (same_part(x, seq->rows.v[k].row, seq->rows.v[i].row)) {
            rank++;
            if (rank - x->n->offset <= x->n->limit || x->n->limit < 0)
                *last = seq->rows.v[k].row;
        }
    return rank;
}

/* The members in order, one at a time. */
static struct rel sequence(const struct ctx *x, const struct rel *in)
{
    struct rel seq = {0};
    for (size_t i = 0; i < in->rows.n; i++)
        for (int64_t w = 0; w < in->rows.v[i].weight; w++)
            rel_add(&seq, in->rows.v[i].row, 1);
    for (size_t i = 1; i < seq.rows.n; i++)
        for (size_t k = i; k && cmp_rows(x->n, seq.rows.v[k - 1].row, seq.rows.v[k].row) > 0; k--) {
            struct change swap = seq.rows.v[k];
            seq.rows.v[k] = seq.rows.v[k - 1];
            seq.rows.v[k - 1] = swap;
        }
    return seq;
}

static void eval_topk(const struct ctx *x, const struct rel *in)
{
    struct rel seq = sequence(x, in);
    for (size_t i = 0; i < seq.rows.n; i++) {
        const uint8_t *row = seq.rows.v[i].row, *last = NULL;
        int64_t rank = rank_of(x, &seq, i, &last) - x->n->offset;
        bool inside = rank >= 0 && (x->n->limit < 0 || rank < x->n->limit);
        bool tie = x->n->with_ties && x->n->limit > 0 && rank > 0 && !inside &&
                   cmp_keys(x->n, last, row) == 0;
        if (inside || tie)
            rel_add(x->out, row, 1);
    }
    rel_fini(&seq);
}

static void eval_window(const struct ctx *x, const struct rel *in)
{
    struct rel seq = sequence(x, in);
    naive_window(x->n, &seq, cmp_keys, x->out, x->a);
    rel_fini(&seq);
}

/* ------------------------------------------------------------ the tree */

static void eval_node(const struct ctx *x)
{
    struct nop *n = x->n;
    const struct rel *in = n->nins ? &n->in[0]->memo : NULL;
    switch (n->kind) {
    case NOP_SOURCE:
        for (size_t i = 0; i < n->source.rows.n; i++)
            rel_add(x->out, n->source.rows.v[i].row, n->source.rows.v[i].weight);
        break;
    case NOP_ONE_ROW: rel_add(x->out, arena_zalloc(x->a, 1), 1); break;
    case NOP_MAP: eval_map(x, in); break;
    case NOP_FILTER: eval_filter(x, in); break;
    case NOP_FLATMAP:
        for (size_t i = 0; i < in->rows.n; i++)
            flatten(x, &in->rows.v[i]);
        break;
    case NOP_JOIN: eval_join(x, in, &n->in[1]->memo); break;
    case NOP_GROUP: eval_group(x, in); break;
    case NOP_DISTINCT: eval_counts(x, in, NULL); break;
    case NOP_UNION:
        for (size_t i = 0; i < n->nins; i++)
            for (size_t k = 0; k < n->in[i]->memo.rows.n; k++)
                rel_add(x->out, n->in[i]->memo.rows.v[k].row, n->in[i]->memo.rows.v[k].weight);
        break;
    case NOP_SETOP: eval_counts(x, in, &n->in[1]->memo); break;
    case NOP_TOPK: eval_topk(x, in); break;
    case NOP_WINDOW: eval_window(x, in); break;
    }
}

const struct rel *naive_eval(struct nop *n, struct arena *a)
{
    if (n->done)
        return &n->memo;
    for (size_t i = 0; i < n->nins; i++)
        naive_eval(n->in[i], a);
    eval_node(&(struct ctx){n, &n->memo, a});
    n->done = true;
    return &n->memo;
}

void naive_forget(struct nop *n)
{
    rel_fini(&n->memo);
    n->done = false;
}

void naive_push(struct nop *source, struct circuit *c, const uint8_t *row, int64_t weight,
                struct arena *a)
{
    circuit_push(c, source->op, row, weight);
    rel_add_bytes(&source->source, source->layout, row, weight, a);
}

static struct op *build_op(const struct nop *n, struct circuit *c)
{
    struct op *in = n->nins ? n->in[0]->op : NULL, *ins[3];
    for (size_t i = 0; i < n->nins; i++)
        ins[i] = n->in[i]->op;
    switch (n->kind) {
    case NOP_SOURCE: return op_source(c, n->layout, "source");
    case NOP_ONE_ROW: return op_one_row(c);
    case NOP_MAP: return op_map(c, in, n->exprs, n->nexprs);
    case NOP_FILTER: return op_filter(c, in, n->exprs[0]);
    case NOP_FLATMAP: return op_flatmap(c, in, n->flatmap);
    case NOP_JOIN:
        return op_join(c, in, ins[1], n->join, n->exprs, n->right_keys, n->nexprs, n->residual,
                       n->nullsafe);
    case NOP_GROUP: return op_group(c, in, n->exprs, n->nexprs, n->aggs, n->naggs);
    case NOP_DISTINCT: return op_distinct(c, in);
    case NOP_UNION: return op_union(c, ins, n->nins);
    case NOP_SETOP: return op_setop(c, in, ins[1], n->setop);
    case NOP_TOPK:
        return op_topk(c, in, n->part, n->npart, n->keys, n->nkeys, n->limit, n->offset,
                       n->with_ties);
    case NOP_WINDOW:
        return op_window(c, in, n->part, n->npart, n->keys, n->nkeys, n->calls, n->ncalls);
    }
    return NULL;
}

void naive_build(struct nop *n, struct circuit *c)
{
    n->op = build_op(n, c);
    n->layout = op_layout(n->op);
}
