/*
 * op_topk: LIMIT and OFFSET over an order, with or without ties.
 *
 * Law       T: the input as a sequence of rows in order, a row of weight w being w equal members;
 *           out = T[offset, end), where end = offset + limit, or with ties the first place from there
 *           on at which the sort keys change.
 *           w copies of r that come in at rank p move what was behind them up by w. So, in terms of the
 *           sequence after: the members at [max(p + w, offset), offset + w) have come in at the front,
 *           those at [max(p + w, end), end + w) have gone out at the back, and the part of [p, p + w)
 *           inside the window is new. Taking them away is the same with the signs turned.
 *           With ties the end moves too: then the old window and the new are compared
 * State     all rows of the input, in order: any of them may move up after a retraction. With ties:
 *           the window as well
 * Cost      O(log n) a change, whatever limit and offset; with ties O(log n) a change and O(window)
 *           a step that reaches into it
 * NULLs     sort as the keys say, first or last
 * Weights   asserts go before retracts, so that no row is ever negative; where each row comes at most
 *           once that can't be, and the order is the input's: a row and what it became are often near
 *           each other, and the tree doesn't grow only to shrink
 * Traps     a total order: ties are broken by the rows' bytes, or the window would depend on history.
 *           offset + limit may not fit 64 bits. LIMIT 0 WITH TIES is empty
 * See also  topset.h
 */
#include <assert.h>
#include <stdlib.h>

#include "engine/arrange/topset.h"
#include "engine/op/op_impl.h"

/* No set is as heavy as that, and sums of two such ranks don't overflow. */
#define RANK_MAX ((int64_t)1 << 61)

struct topk {
    struct op op;
    struct topset set;
    struct sort_key *keys; /* owned */
    int64_t limit;         /* as asked for; -1 = none */
    int64_t from, to;      /* the window without ties: ranks, at most RANK_MAX */
    bool with_ties;
    struct delta window;   /* with ties: what is out; rows of the set */
    struct delta previous; /* with ties: what was, during a step */
};

/* ------------------------------------------------------------ without ties */

struct emission {
    struct op *op;
    int64_t sign;
};

static bool emit_members(void *arg, const uint8_t *row, int64_t count)
{
    const struct emission *e = arg;
    op_emit(e->op, row, e->sign * count);
    return true;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* n copies of row are (being) put in, or taken out, at rank p; the set is as with them out or in. The
 * others' ranks in the set are shifted by `shift` against those without the copies. */
static void emit_shift(struct topk *k, const uint8_t *row, int64_t p, int64_t n, int64_t shift,
                       int64_t sign)
{
    struct emission in = {&k->op, sign}, out = {&k->op, -sign};
    int64_t copies = smaller(p + n, k->to) - larger(p, k->from);
    if (p >= k->to)
        return;
    if (copies > 0)
        op_emit(&k->op, row, sign * copies);
    /* ranks without the copies: [max(p, from - n), min(from, to - n)) enter, [max(p, from, to - n),
     * to) leave */
    topset_range(&k->set, larger(p, k->from - n) + shift, smaller(k->from, k->to - n) + shift,
                 emit_members, &in);
    topset_range(&k->set, larger(larger(p, k->from), k->to - n) + shift, k->to + shift,
                 emit_members, &out);
}

static void apply_change(struct topk *k, const struct change *ch, struct op_env *env)
{
    const uint8_t *kept;
    int64_t w = ch->weight;
    op_env_next_row(env);
    int64_t p = topset_add(&k->set, ch->row, w, k->with_ties ? 0 : k->to, &kept, &env->scratch);
    if (k->with_ties)
        return;
    if (w > 0)
        emit_shift(k, kept, p, w, w, 1);
    else
        emit_shift(k, kept, p, -w, 0, -1);
}

/* ------------------------------------------------------------ with ties */

struct collect {
    struct topk *k;
    const uint8_t *last; /* the row at the last rank of the limit; beyond it only its peers */
};

static bool collect_member(void *arg, const uint8_t *row, int64_t count)
{
    struct collect *c = arg;
    struct change ch = {row, count};
    if (c->last && topset_cmp_keys(&c->k->set, c->last, row) != 0)
        return false;
    VEC_PUSH(c->k->window, ch);
    return true;
}

static void collect_window(struct topk *k)
{
    struct collect c = {k, NULL};
    k->window.n = 0;
    topset_range(&k->set, k->from, k->to, collect_member, &c);
    if (!k->window.n)
        return;
    c.last = k->window.v[k->window.n - 1].row;
    topset_range(&k->set, k->to, RANK_MAX, collect_member, &c);
}

/* Both windows are in order. */
static void emit_difference(struct topk *k)
{
    const struct delta *old = &k->previous, *new = &k->window;
    size_t i = 0, n = 0;
    while (i < old->n || n < new->n) {
        int c = i == old->n ? 1 : n == new->n ? -1 : 0;
        if (!c)
            c = topset_cmp(&k->set, old->v[i].row, new->v[n].row);
        const uint8_t *row = c <= 0 ? old->v[i].row : new->v[n].row;
        int64_t change = 0;
        if (c >= 0)
            change += new->v[n++].weight;
        if (c <= 0)
            change -= old->v[i++].weight;
        if (change)
            op_emit(&k->op, row, change);
    }
}

static void step_ties(struct topk *k)
{
    struct delta swap = k->previous;
    k->previous = k->window;
    k->window = swap;
    collect_window(k);
    emit_difference(k);
}

/* ------------------------------------------------------------ the step */

static void step_topk(struct op *op, struct op_env *env)
{
    struct topk *k = (struct topk *)op;
    const struct delta *in = op_input(op, 0);
    topset_settle(&k->set);
    bool any_order = op->ins[0]->cls->consolidated;
    for (int retracts = any_order; retracts < 2; retracts++)
        for (size_t i = 0; i < in->n; i++)
            if (any_order || (in->v[i].weight < 0) == retracts)
                apply_change(k, &in->v[i], env);
    if (k->with_ties)
        step_ties(k);
}

static void free_topk(struct op *op)
{
    struct topk *k = (struct topk *)op;
    topset_fini(&k->set);
    VEC_FREE(k->window);
    VEC_FREE(k->previous);
    free(k->keys);
}

static void describe_topk(const struct op *op, struct buf *b)
{
    const struct topk *k = (const struct topk *)op;
    buf_adds(b, " order by (");
    for (size_t i = 0; i < k->set.nkeys; i++) {
        const struct sort_key *s = &k->keys[i];
        buf_addf(b, "%s#%u%s", i ? ", " : "", s->col, s->desc ? " desc" : "");
        if (s->nulls_first != s->desc)
            buf_adds(b, s->nulls_first ? " nulls first" : " nulls last");
    }
    buf_addc(b, ')');
    if (k->limit >= 0)
        buf_addf(b, " limit %lld%s", (long long)k->limit, k->with_ties ? " with ties" : "");
    if (k->from)
        buf_addf(b, " offset %lld", (long long)k->from);
}

static struct op_stats stats_topk(const struct op *op)
{
    const struct topk *k = (const struct topk *)op;
    size_t windows = (k->window.cap + k->previous.cap) * sizeof *k->window.v;
    return (struct op_stats){k->set.nrows, topset_bytes(&k->set) + windows};
}

static const struct op_class topk_class = {.name = "top",
                                           .step = step_topk,
                                           .free = free_topk,
                                           .describe = describe_topk,
                                           .stats = stats_topk};

struct op *op_topk(struct circuit *c, struct op *in, const struct sort_key *keys, size_t nkeys,
                   int64_t limit, int64_t offset, bool with_ties)
{
    struct topk *k = NEW(struct topk);
    assert(limit >= -1 && offset >= 0);
    k->keys = xcalloc(nkeys, sizeof *k->keys);
    for (size_t i = 0; i < nkeys; i++)
        k->keys[i] = keys[i];
    k->limit = limit;
    k->from = smaller(offset, RANK_MAX);
    k->to = limit < 0 || limit > RANK_MAX - k->from ? RANK_MAX : k->from + limit;
    k->with_ties = with_ties && k->to != RANK_MAX;
    topset_init(&k->set, in->layout, k->keys, nkeys);
    circuit_add(c, &k->op, &topk_class, layout_ref(in->layout), &in, 1);
    return &k->op;
}
