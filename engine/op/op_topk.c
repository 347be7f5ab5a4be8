/*
 * op_topk: LIMIT and OFFSET over an order, with or without ties; of all rows or of each partition
 * (DISTINCT ON, LIMIT in a LATERAL subquery).
 *
 * Law       T: the input as a sequence of rows in order, a row of weight w being w equal members;
 *           out = T[offset, end), where end = offset + limit, or with ties the first place from there
 *           on at which the sort keys change.
 *           w copies of r that come in at rank p move what was behind them up by w. So, in terms of the
 *           sequence after: the members at [max(p + w, offset), offset + w) have come in at the front,
 *           those at [max(p + w, end), end + w) have gone out at the back, and the part of [p, p + w)
 *           inside the window is new. Taking them away is the same with the signs turned.
 *           With ties the end moves too: then the old window and the new are compared.
 *           With partitions all of this holds for the rows of each of them by itself
 * State     all rows of the input, in order: any of them may move up after a retraction; by partition
 *           a set, whose memory they share. With ties and no partitions: the window as well
 * Cost      O(log n) a change, whatever limit and offset, n being the rows of the partition; with ties
 *           O(log n) a change and O(window) a step that reaches into it. What a change doesn't touch
 *           costs nothing
 * NULLs     sort as the keys say, first or last. In a partition's key they are equal to each other
 * Weights   asserts go before retracts, so that no row is ever negative; where each row comes at most
 *           once that can't be, and the order is the input's: a row and what it became are often near
 *           each other, and the tree doesn't grow only to shrink
 * Traps     a total order: ties are broken by the rows' bytes, or the window would depend on history.
 *           offset + limit may not fit 64 bits. LIMIT 0 WITH TIES is empty. Partitions are equal by
 *           type (1.0 and 1.00 are one), not by bytes
 * See also  partset.h, topset.h
 */
#include <assert.h>
#include <stdlib.h>

#include "engine/arrange/partset.h"
#include "engine/op/op_impl.h"

/* No set is as heavy as that, and sums of two such ranks don't overflow. */
#define RANK_MAX ((int64_t)1 << 61)

/* With ties: a partition that this step changes, and its window before, in `previous`. */
struct touched {
    uint32_t handle;
    size_t start, n;
};

struct topk {
    struct op op;
    struct partset parts; /* of which `set` is in hand; without partitions it is all there is */
    bool partitioned;
    VEC(struct touched) touched;
    struct sort_key *keys; /* owned */
    int64_t limit;         /* as asked for; -1 = none */
    int64_t from, to;      /* the window without ties: ranks, at most RANK_MAX */
    bool with_ties;
    struct delta window;   /* with ties: what is out; rows of the set */
    struct delta previous; /* with ties: what was, during a step; of all touched partitions */
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
    topset_range(&k->parts.set, larger(p, k->from - n) + shift, smaller(k->from, k->to - n) + shift,
                 emit_members, &in);
    topset_range(&k->parts.set, larger(larger(p, k->from), k->to - n) + shift, k->to + shift,
                 emit_members, &out);
}

static void apply_change(struct topk *k, const struct change *ch, struct op_env *env)
{
    const uint8_t *kept;
    int64_t w = ch->weight;
    op_env_next_row(env);
    int64_t p =
        topset_add(&k->parts.set, ch->row, w, k->with_ties ? 0 : k->to, &kept, &env->scratch);
    if (p == TOPSET_BROKEN)
        env->broken = true;
    if (k->with_ties || p == TOPSET_BROKEN)
        return;
    if (w > 0)
        emit_shift(k, kept, p, w, w, 1);
    else
        emit_shift(k, kept, p, -w, 0, -1);
}

/* ------------------------------------------------------------ with ties */

struct collect {
    const struct topk *k;
    struct delta *into;
    const uint8_t *last; /* the row at the last rank of the limit; beyond it only its peers */
};

static bool collect_member(void *arg, const uint8_t *row, int64_t count)
{
    struct collect *c = arg;
    struct change ch = {row, count};
    if (c->last && topset_cmp_keys(&c->k->parts.set, c->last, row) != 0)
        return false;
    VEC_PUSH(*c->into, ch);
    return true;
}

/* Appends the window of the set in hand. */
static void collect_window(const struct topk *k, struct delta *into)
{
    struct collect c = {k, into, NULL};
    size_t before = into->n;
    topset_range(&k->parts.set, k->from, k->to, collect_member, &c);
    if (into->n == before)
        return;
    c.last = into->v[into->n - 1].row;
    topset_range(&k->parts.set, k->to, RANK_MAX, collect_member, &c);
}

/* From the window that was to the one that is; both are in order. */
static void emit_difference(struct topk *k, const struct change *old, size_t nold)
{
    const struct delta *new = &k->window;
    size_t i = 0, n = 0;
    while (i < nold || n < new->n) {
        int c = i == nold ? 1 : n == new->n ? -1 : 0;
        if (!c)
            c = topset_cmp(&k->parts.set, old[i].row, new->v[n].row);
        const uint8_t *row = c <= 0 ? old[i].row : new->v[n].row;
        int64_t change = 0;
        if (c >= 0)
            change += new->v[n++].weight;
        if (c <= 0)
            change -= old[i++].weight;
        if (change)
            op_emit(&k->op, row, change);
    }
}

static void step_ties(struct topk *k)
{
    struct delta swap = k->previous;
    k->previous = k->window;
    k->window = swap;
    k->window.n = 0;
    collect_window(k, &k->window);
    emit_difference(k, k->previous.v, k->previous.n);
}

/* ------------------------------------------------------------ partitions */

/* Keeps the window of the partition in hand as it is before the step. */
static void touch(struct topk *k, uint32_t handle)
{
    struct partset_part *p = partset_part(&k->parts, handle);
    struct touched t = {handle, k->previous.n, 0};
    if (p->touched)
        return;
    p->touched = 1;
    collect_window(k, &k->previous);
    t.n = k->previous.n - t.start;
    VEC_PUSH(k->touched, t);
}

static void apply_to_part(struct topk *k, const struct change *ch, struct op_env *env)
{
    op_env_next_row(env);
    uint32_t handle = partset_open(&k->parts, ch->row, &env->scratch, &env->err);
    if (!handle) {
        errset_add(env->errors, &env->err, ch->weight);
        return;
    }
    if (k->with_ties)
        touch(k, handle);
    apply_change(k, ch, env);
    partset_close(&k->parts, handle);
}

static void finish_parts(struct topk *k)
{
    for (size_t i = 0; i < k->touched.n; i++) {
        const struct touched *t = &k->touched.v[i];
        partset_part(&k->parts, t->handle)->touched = 0;
        partset_load(&k->parts, t->handle);
        k->window.n = 0;
        collect_window(k, &k->window);
        emit_difference(k, k->previous.v + t->start, t->n);
        partset_close(&k->parts, t->handle);
    }
    k->touched.n = k->previous.n = k->window.n = 0;
}

/* ------------------------------------------------------------ the step */

static void step_topk(struct op *op, struct op_env *env)
{
    struct topk *k = (struct topk *)op;
    const struct delta *in = op_input(op, 0);
    partset_settle(&k->parts);
    bool any_order = op->ins[0]->cls->consolidated;
    for (int retracts = any_order; retracts < 2; retracts++)
        for (size_t i = 0; i < in->n; i++)
            if (any_order || (in->v[i].weight < 0) == retracts) {
                if (k->partitioned)
                    apply_to_part(k, &in->v[i], env);
                else
                    apply_change(k, &in->v[i], env);
            }
    if (k->partitioned)
        finish_parts(k);
    else if (k->with_ties)
        step_ties(k);
}

/* ------------------------------------------------------------ life and looks */

static void free_topk(struct op *op)
{
    struct topk *k = (struct topk *)op;
    partset_fini(&k->parts);
    VEC_FREE(k->touched);
    VEC_FREE(k->window);
    VEC_FREE(k->previous);
    free(k->keys);
}

static void describe_topk(const struct op *op, struct buf *b)
{
    const struct topk *k = (const struct topk *)op;
    const struct keyspec *spec = k->parts.spec;
    for (uint32_t i = 0; i < spec->n; i++) {
        buf_adds(b, i ? ", " : " of each (");
        expr_print(spec->part[i].expr, NULL, b);
    }
    buf_adds(b, spec->n ? ") order by (" : " order by (");
    for (size_t i = 0; i < k->parts.set.nkeys; i++) {
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
    windows += k->touched.cap * sizeof *k->touched.v;
    return (struct op_stats){k->parts.set.nrows, partset_bytes(&k->parts) + windows};
}

static const struct op_class topk_class = {.name = "top",
                                           .step = step_topk,
                                           .free = free_topk,
                                           .describe = describe_topk,
                                           .stats = stats_topk};

struct op *op_topk(struct circuit *c, struct op *in, const struct expr *const *part, size_t npart,
                   const struct sort_key *keys, size_t nkeys, int64_t limit, int64_t offset,
                   bool with_ties)
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
    k->partitioned = npart > 0;
    partset_init(&k->parts, in->layout, part, npart, k->keys, nkeys);
    circuit_add(c, &k->op, &topk_class, layout_ref(in->layout), &in, 1);
    return &k->op;
}
