/*
 * op_join: inner, left, full, semi and anti joins on equal keys, with an optional further condition.
 *
 * Law       pairs     d(A x B) = A x dB + dA x B'          (x: same key and the residual is true)
 *           a row of a preserved side is matched while its match count M is above 0; with D = [M > 0]
 *           LEFT      pairs + A (1 - D) x NULLs            FULL: the same for both sides
 *           SEMI      A D                                  ANTI: A (1 - D)
 *           d(A D) = A dD + dA D'  where dD is caused by dB alone, D' counts in B'
 * State     both sides arranged by key. Where there is a residual and a preserved side, the match
 *           count of each of its rows; without a residual D is the same for all rows of a key: it is
 *           whether the other side has that key at all, and needs no state
 * Cost      O(pairs affected) a change. SEMI and ANTI without residual: O(1) but for a key that
 *           appears or disappears on the right, which costs the number of its rows on the left
 * NULLs     a NULL in a key matches nothing (such rows aren't kept), unless that key is null-safe: then
 *           it is a value like any other. A residual that is NULL is no match
 * Weights   pairs multiply. The sides' weights are never negative between steps; within one they may
 *           be, so presence of a key is compared before the first and after the last change of it
 * Traps     one side old, the other new: the right changes go first, against the old left; then the
 *           left ones, against the new right. A residual needs match counts per row, not per key.
 *           NOT IN isn't ANTI: it needs "the right side holds a NULL" and "is empty" as well. Semi
 *           joins keep whole rows of the right side: project it to what is compared. A failing key or
 *           residual counts in the error set, by the same law
 * See also  arrange.h, concat.h; op_join_self.c for an inner join of one operator with itself
 */
#include <assert.h>
#include <stdlib.h>

#include "engine/arrange/arrange.h"
#include "engine/op/concat.h"
#include "engine/op/op_impl.h"

/* A key that this step has changed, and whether the side had rows of it before. */
struct touched_key {
    uint32_t hash;
    bool was_there;
    const uint8_t *row; /* one that has the key */
};

/* A row whose match count this step has changed. */
struct touched_row {
    uint32_t handle;
    bool was_matched;
};

struct side {
    struct keyspec *spec; /* owned */
    struct arrange arr;
    bool preserved; /* whether rows of it go out alone, by their being matched or not */
    const struct expr *const *keys; /* borrowed */
};

struct join {
    struct op op;
    enum join_kind kind;
    struct side side[2];
    struct concat concat;
    const struct expr *residual; /* borrowed; NULL = none */
    bool counted;                /* match counts are kept: residual and a preserved side */
    struct value *vals;          /* owned; the key of the change under way */
    VEC(struct touched_key) keys;
    struct htab key_index; /* indexes + 1 into keys, once there are many */
    VEC(struct touched_row) rows;
};

/* ------------------------------------------------------------ match counts (payload of entries) */

/* The count doubled, plus 1 while the row is in join.rows. */
static int64_t count_get(const struct arrange *a, uint32_t handle)
{
    int64_t m;
    memcpy(&m, arrange_payload(a, handle), sizeof m);
    return m;
}

static void count_set(const struct arrange *a, uint32_t handle, int64_t m)
{
    memcpy(arrange_payload(a, handle), &m, sizeof m);
}

static void count_add(struct join *j, const struct arrange *a, uint32_t handle, int64_t weight)
{
    int64_t m = count_get(a, handle);
    if (!(m & 1)) {
        struct touched_row t = {handle, m > 0};
        VEC_PUSH(j->rows, t);
        m |= 1;
    }
    count_set(a, handle, m + 2 * weight);
}

/* ------------------------------------------------------------ output */

static bool emits_pairs(enum join_kind kind)
{
    return kind == JOIN_INNER || kind == JOIN_LEFT || kind == JOIN_FULL;
}

static void emit_concat(struct join *j, const uint8_t *left, const uint8_t *right, int64_t weight,
                        struct op_env *env)
{
    const uint8_t *row = concat_rows(&j->concat, left, right, env->step, &env->err);
    if (row)
        op_emit(&j->op, row, weight);
    else
        errset_add(env->errors, &env->err, weight);
}

/* A row by itself, without a partner. */
static void emit_alone(struct join *j, int side, const uint8_t *row, int64_t weight,
                       struct op_env *env)
{
    if (j->kind == JOIN_SEMI || j->kind == JOIN_ANTI)
        op_emit(&j->op, row, weight);
    else if (side == 0)
        emit_concat(j, row, j->concat.null_right, weight, env);
    else
        emit_concat(j, j->concat.null_left, row, weight, env);
}

/* What a changed row of a preserved side adds by being matched or not. */
static void emit_own(struct join *j, int side, const uint8_t *row, int64_t weight, bool matched,
                     struct op_env *env)
{
    if (j->side[side].preserved && matched == (j->kind == JOIN_SEMI))
        emit_alone(j, side, row, weight, env);
}

/* What an unchanged row of a preserved side adds by becoming matched or unmatched. */
static void emit_crossing(struct join *j, int side, uint32_t handle, bool matched,
                          struct op_env *env)
{
    const struct arrange *a = &j->side[side].arr;
    int64_t weight = arrange_weight(a, handle);
    emit_alone(j, side, arrange_row(a, handle),
               matched == (j->kind == JOIN_SEMI) ? weight : -weight, env);
}

/* ------------------------------------------------------------ touched keys (without counts) */

#define INDEX_FROM 16

static bool same_touched(struct join *j, int side, uint32_t hash, const struct touched_key *t,
                         struct op_env *env)
{
    return t->hash == hash && keyspec_matches(j->side[side].spec, t->row, j->vals, &env->scratch);
}

static bool is_touched(struct join *j, int side, uint32_t hash, struct op_env *env)
{
    if (j->keys.n < INDEX_FROM) {
        for (size_t i = 0; i < j->keys.n; i++)
            if (same_touched(j, side, hash, &j->keys.v[i], env))
                return true;
        return false;
    }
    struct hpos at;
    uint32_t i = htab_first(&j->key_index, hash, &at);
    while (i && !same_touched(j, side, hash, &j->keys.v[i - 1], env))
        i = htab_next(&at);
    return i;
}

/* Remembers whether the side has the key, before its first change. */
static void touch_key(struct join *j, int side, const uint8_t *row, uint32_t hash,
                      struct op_env *env)
{
    if (is_touched(j, side, hash, env))
        return;
    bool there = arrange_find(&j->side[side].arr, hash, j->vals, &env->scratch);
    struct touched_key t = {hash, there, row};
    VEC_PUSH(j->keys, t);
    if (j->keys.n == INDEX_FROM)
        for (uint32_t i = 0; i < INDEX_FROM; i++)
            htab_insert(&j->key_index, j->keys.v[i].hash, i + 1);
    else if (j->keys.n > INDEX_FROM)
        htab_insert(&j->key_index, hash, (uint32_t)j->keys.n);
}

/* Rows of the other side whose key has come or gone on this one. */
static void finish_keys(struct join *j, int side, struct op_env *env)
{
    const struct side *s = &j->side[side], *o = &j->side[!side];
    for (size_t i = 0; i < j->keys.n; i++) {
        const struct touched_key *t = &j->keys.v[i];
        op_env_next_row(env);
        bool ok = keyspec_eval(s->spec, t->row, &env->scratch, j->vals, &env->err);
        assert(ok);
        bool there = ok && arrange_find(&s->arr, t->hash, j->vals, &env->scratch);
        if (there == t->was_there)
            continue;
        uint32_t h = arrange_find(&o->arr, t->hash, j->vals, &env->scratch);
        for (; h; h = arrange_next(&o->arr, h))
            emit_crossing(j, !side, h, there, env);
    }
    j->keys.n = 0;
    htab_fini(&j->key_index);
}

static void finish_rows(struct join *j, int side, struct op_env *env)
{
    const struct arrange *o = &j->side[!side].arr;
    for (size_t i = 0; i < j->rows.n; i++) {
        const struct touched_row *t = &j->rows.v[i];
        int64_t m = count_get(o, t->handle) & ~(int64_t)1;
        env->broken |= m < 0;
        count_set(o, t->handle, m);
        if ((m > 0) != t->was_matched)
            emit_crossing(j, !side, t->handle, m > 0, env);
    }
    j->rows.n = 0;
}

/* ------------------------------------------------------------ one change */

/* Whether the pair satisfies the residual; one that fails counts in the error set. */
static bool residual_holds(struct join *j, const uint8_t *left, const uint8_t *right,
                           int64_t weight, struct op_env *env)
{
    bool holds;
    struct eval_ctx cx = {
        .layout = {j->concat.left, j->concat.right}, .row = {left, right}, .arena = &env->scratch};
    if (!j->residual)
        return true;
    if (!expr_holds(j->residual, &cx, &holds, &env->err)) {
        errset_add(env->errors, &env->err, weight);
        return false;
    }
    return holds;
}

/* Meets the row with all partners from h on; returns the sum of their weights. */
static int64_t meet_partners(struct join *j, int side, const uint8_t *row, int64_t weight,
                             uint32_t h, struct op_env *env)
{
    const struct arrange *o = &j->side[!side].arr;
    int64_t matches = 0;
    for (; h; h = arrange_next(o, h)) {
        const uint8_t *partner = arrange_row(o, h);
        const uint8_t *left = side ? partner : row, *right = side ? row : partner;
        int64_t w = arrange_weight(o, h);
        if (!residual_holds(j, left, right, weight * w, env))
            continue;
        matches += w;
        if (emits_pairs(j->kind))
            emit_concat(j, left, right, weight * w, env);
        if (j->counted && j->side[!side].preserved)
            count_add(j, o, h, weight);
    }
    return matches;
}

static void step_change(struct join *j, int side, const struct change *ch, struct op_env *env)
{
    struct side *s = &j->side[side];
    const struct arrange *o = &j->side[!side].arr;
    bool has_null, matched;
    op_env_next_row(env);
    if (!keyspec_eval(s->spec, ch->row, &env->scratch, j->vals, &env->err)) {
        errset_add(env->errors, &env->err, ch->weight);
        return;
    }
    uint32_t hash = keyspec_hash(s->spec, j->vals, &has_null);
    if (has_null) {
        emit_own(j, side, ch->row, ch->weight, false, env);
        return;
    }
    int64_t matches = 0;
    uint32_t h = arrange_find(o, hash, j->vals, &env->scratch);
    matched = h;
    if (emits_pairs(j->kind) || j->counted)
        matches = meet_partners(j, side, ch->row, ch->weight, h, env);
    if (j->residual)
        matched = matches > 0;
    emit_own(j, side, ch->row, ch->weight, matched, env);
    if (!j->counted && j->side[!side].preserved)
        touch_key(j, side, ch->row, hash, env);
    h = arrange_add(&s->arr, ch->row, hash, j->vals, ch->weight, &env->scratch);
    if (h && j->counted && s->preserved)
        count_set(&s->arr, h, matches * 2);
}

/*
 * A large state is a cache miss for the slot and another for the entry, on either side. While one
 * change is dealt with, the memory for later ones is asked for, in as many stages. Only for keys
 * that cost nothing to read twice.
 */
#define AHEAD 48

static void prefetch(const struct join *j, int side, const struct delta *in, size_t i)
{
    const struct side *s = &j->side[side], *o = &j->side[!side];
    if (!keyspec_is_one_int(s->spec))
        return;
    if (i + AHEAD < in->n)
        __builtin_prefetch(in->v[i + AHEAD].row);
    for (int stage = 1; stage <= 2; stage++) {
        bool has_null;
        size_t k = i + AHEAD - AHEAD / 3 * (size_t)stage;
        if (k >= in->n)
            continue;
        struct value v = key_part_int(&s->spec->part[0], in->v[k].row);
        uint32_t hash = keyspec_hash(s->spec, &v, &has_null);
        arrange_prefetch(&o->arr, hash, stage);
        arrange_prefetch(&s->arr, hash, stage);
    }
}

static void step_join(struct op *op, struct op_env *env)
{
    struct join *j = (struct join *)op;
    arrange_settle(&j->side[0].arr);
    arrange_settle(&j->side[1].arr);
    for (int side = 1; side >= 0; side--) {
        const struct delta *in = op_input(op, (size_t)side);
        for (size_t i = 0; i < in->n; i++) {
            prefetch(j, side, in, i);
            step_change(j, side, &in->v[i], env);
        }
        finish_keys(j, side, env);
        finish_rows(j, side, env);
    }
}

/* ------------------------------------------------------------ life and looks */

static void free_join(struct op *op)
{
    struct join *j = (struct join *)op;
    for (int i = 0; i < 2; i++) {
        arrange_fini(&j->side[i].arr);
        keyspec_free(j->side[i].spec);
    }
    concat_fini(&j->concat);
    htab_fini(&j->key_index);
    VEC_FREE(j->keys);
    VEC_FREE(j->rows);
    free(j->vals);
}

static void describe_join(const struct op *op, struct buf *b)
{
    static const char *const kinds[] = {" inner", " left", " full", " semi", " anti"};
    const struct join *j = (const struct join *)op;
    size_t n = j->side[0].spec->n;
    buf_adds(b, kinds[j->kind]);
    if (n) {
        buf_adds(b, " on ");
        op_describe_exprs(j->side[0].keys, n, b);
        buf_adds(b, " = ");
        op_describe_exprs(j->side[1].keys, n, b);
    }
    if (j->residual) {
        buf_adds(b, n ? " and " : " on ");
        expr_print(j->residual, NULL, b);
    }
}

static struct op_stats stats_join(const struct op *op)
{
    const struct join *j = (const struct join *)op;
    struct op_stats s = {0, j->keys.cap * sizeof *j->keys.v + j->rows.cap * sizeof *j->rows.v};
    for (int i = 0; i < 2; i++) {
        s.rows += j->side[i].arr.nrows;
        s.bytes += arrange_bytes(&j->side[i].arr);
    }
    return s;
}

static const struct op_class join_class = {.name = "join",
                                           .step = step_join,
                                           .free = free_join,
                                           .describe = describe_join,
                                           .stats = stats_join};

static void side_init(struct join *j, int i, const struct layout *l, const struct expr *const *keys,
                      size_t n, const struct column_type *cts, const bool *nullsafe)
{
    struct side *s = &j->side[i];
    bool left_only = j->kind == JOIN_LEFT || j->kind == JOIN_SEMI || j->kind == JOIN_ANTI;
    s->keys = keys;
    s->spec = keyspec_new(l, keys, n, cts);
    for (size_t k = 0; k < n && nullsafe; k++)
        s->spec->part[k].null_safe = nullsafe[k];
    s->preserved = j->kind == JOIN_FULL || (left_only && i == 0);
    arrange_init(&s->arr, s->spec, j->counted && s->preserved ? sizeof(int64_t) : 0);
}

/* The same plain columns, so that one arrangement serves both sides. */
static bool same_keys(const struct expr *const *l, const struct expr *const *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (l[i]->kind != EXPR_COLUMN || r[i]->kind != EXPR_COLUMN || l[i]->col != r[i]->col)
            return false;
    return true;
}

struct op *op_join(struct circuit *c, struct op *left, struct op *right, enum join_kind kind,
                   const struct expr *const *lkeys, const struct expr *const *rkeys, size_t nkeys,
                   const struct expr *residual, const bool *nullsafe)
{
    if (kind == JOIN_INNER && left == right && same_keys(lkeys, rkeys, nkeys))
        return op_join_self(c, left, lkeys, nkeys, residual, nullsafe);
    struct join *j = NEW(struct join);
    struct op *ins[2] = {left, right};
    struct column_type *cts = xcalloc(nkeys, sizeof *cts);
    for (size_t i = 0; i < nkeys; i++)
        cts[i] = lkeys[i]->ct;
    j->kind = kind;
    j->residual = residual;
    j->counted = residual && kind != JOIN_INNER;
    j->vals = xcalloc(nkeys, sizeof *j->vals);
    side_init(j, 0, left->layout, lkeys, nkeys, cts, nullsafe);
    side_init(j, 1, right->layout, rkeys, nkeys, cts, nullsafe);
    concat_init(&j->concat, left->layout, right->layout);
    htab_init(&j->key_index);
    bool one_side = kind == JOIN_SEMI || kind == JOIN_ANTI;
    circuit_add(c, &j->op, &join_class, layout_ref(one_side ? left->layout : j->concat.layout), ins,
                2);
    op_asks(&j->op, 0, lkeys, nkeys);
    op_asks(&j->op, 1, rkeys, nkeys);
    free(cts);
    return &j->op;
}
