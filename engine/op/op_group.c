/*
 * op_group: GROUP BY with aggregates.
 *
 * Law       out(g) = one row (key of g, aggregates over the rows of g) for each group with rows; so
 *           d(out) = -(old row of g) + (new row of g) for each group that the step touches
 * State     per group: the number of rows, the aggregates' states, one representative of the key;
 *           per DISTINCT aggregate: the count of every distinct argument in every group
 * Cost      O(aggregates) a change and two results a touched group. min and max: O(log n), see
 *           agg_ordered
 * NULLs     in a key are equal to each other: one group. An aggregate that is strict doesn't see rows
 *           whose argument is NULL
 * Weights   a group is there while its row count is above 0; with a negative one after a step the circuit is broken
 * Traps     without keys there is exactly one row, even over no input, from the first step on. Keys
 *           are equal by type (1.0 = 1.00): what shows is a spelling that a row of the group has,
 *           the one that came first as long as it is there. DISTINCT adds and removes the same spelling of a value.
 *           An argument that fails adds the row's weight to the error set; a result that fails (sum
 *           out of range) is an error as long as the group is in that state, and the group has no
 *           output row
 * See also  keymap.h, expr/agg.h
 */
#include <assert.h>
#include <stdlib.h>

#include "engine/arrange/keymap.h"
#include "engine/arrange/spellings.h"
#include "engine/op/group_agg.h"

/* The head of a group's record; the aggregates' states follow. */
struct group {
    int64_t n;        /* weight of its rows */
    uint32_t touched; /* in this step */
};

#define GROUP_HEAD  16
#define AHEAD       24 /* changes between asking for memory and using it */
#define MANY_GROUPS 4096

struct touched {
    uint32_t handle;
    const uint8_t *before; /* the group's row, NULL if it had none; in the step's arena */
};

struct group_op {
    struct op op;
    const struct expr *const *key_exprs; /* borrowed */
    struct keyspec *spec;                /* owned; of input rows */
    struct keymap groups;
    struct agg *aggs; /* owned */
    size_t naggs;
    struct value *vals; /* owned; room for an output row */
    VEC(struct touched) touched;
    size_t spellings;   /* offset of struct spellings in a group's record; 0: keys have one */
    bool has_outside;   /* some aggregate's state owns memory outside of the record */
    size_t state_bytes; /* how much of it there is */
};

static void *state_of(const struct agg *a, struct group *group)
{
    return (uint8_t *)group + a->offset;
}

static struct spellings *spellings_of(const struct group_op *g, struct group *group)
{
    return (struct spellings *)((uint8_t *)group + g->spellings);
}

/* The group's key as it shows. */
static const uint8_t *key_row(const struct group_op *g, uint32_t handle)
{
    const uint8_t *representative = keymap_row(&g->groups, handle);
    if (!g->spellings)
        return representative;
    return spellings_shown(spellings_of(g, keymap_payload(&g->groups, handle)), representative);
}

/* Memory that the group's aggregates hold outside of its record. */
static size_t outside_bytes(const struct group_op *g, struct group *group)
{
    size_t n = g->spellings ? spellings_bytes(spellings_of(g, group)) : 0;
    for (size_t i = 0; i < g->naggs && g->has_outside; i++)
        if (g->aggs[i].call->spec.cls->bytes)
            n += g->aggs[i].call->spec.cls->bytes(&g->aggs[i].call->spec,
                                                  state_of(&g->aggs[i], group));
    return n;
}

/* ------------------------------------------------------------ results */

/* With direct arguments, which are worked out from the group's key. */
static bool finish_agg(struct group_op *g, uint32_t handle, const struct agg *a, struct value *out,
                       struct op_env *env)
{
    const struct agg_spec *spec = &a->call->spec;
    struct eval_ctx cx = {
        .layout = {g->groups.layout}, .row = {key_row(g, handle)}, .arena = env->step};
    struct value direct[AGG_MAX_DIRECT];
    for (uint32_t i = 0; i < spec->ndirect; i++)
        if (!op_eval(a->call->direct[i], &cx, &direct[i], &env->err))
            return false;
    return spec->cls->finish(spec, state_of(a, keymap_payload(&g->groups, handle)), direct,
                             env->step, out, &env->err);
}

/* The group's output row, or NULL: there is none, or a result fails, which counts `weight` times. */
static const uint8_t *group_row(struct group_op *g, uint32_t handle, int64_t weight,
                                struct op_env *env)
{
    struct group *group = keymap_payload(&g->groups, handle);
    const uint8_t *key = key_row(g, handle), *row;
    uint32_t nkeys = g->spec->n;
    if (group->n <= 0 && nkeys)
        return NULL;
    for (uint32_t i = 0; i < nkeys; i++)
        g->vals[i] = row_get(g->groups.layout, key, i);
    for (size_t i = 0; i < g->naggs; i++) {
        const struct agg_spec *spec = &g->aggs[i].call->spec;
        struct value *out = &g->vals[nkeys + i];
        bool ok = spec->cls->finish ? finish_agg(g, handle, &g->aggs[i], out, env)
                                    : spec->cls->result(spec, state_of(&g->aggs[i], group),
                                                        env->step, out, &env->err);
        if (!ok) {
            errset_add(env->errors, &env->err, weight);
            return NULL;
        }
    }
    if (!row_pack(g->op.layout, g->vals, env->step, &row, &env->err)) {
        errset_add(env->errors, &env->err, weight);
        return NULL;
    }
    return row;
}

static void touch(struct group_op *g, uint32_t handle, bool is_new, struct op_env *env)
{
    struct group *group = keymap_payload(&g->groups, handle);
    if (group->touched)
        return;
    struct touched t = {handle, is_new ? NULL : group_row(g, handle, -1, env)};
    VEC_PUSH(g->touched, t);
    group->touched = 1;
    g->state_bytes -= outside_bytes(g, group);
}

/* ------------------------------------------------------------ the step */

/* The group of a row; made if it isn't there. 0: its key fails. */
static uint32_t find_group(struct group_op *g, const uint8_t *row, int64_t weight,
                           struct op_env *env)
{
    bool has_null;
    const uint8_t *key;
    if (!keyspec_eval(g->spec, row, &env->scratch, g->vals, &env->err)) {
        errset_add(env->errors, &env->err, weight);
        return 0;
    }
    uint32_t hash = keyspec_hash(g->spec, g->vals, &has_null);
    uint32_t handle = keymap_find(&g->groups, hash, g->vals);
    bool is_new = !handle;
    if ((is_new || g->spellings) &&
        !row_pack(g->groups.layout, g->vals, &env->scratch, &key, &env->err)) {
        errset_add(env->errors, &env->err, weight);
        return 0;
    }
    if (is_new)
        handle = keymap_insert(&g->groups, hash, key);
    touch(g, handle, is_new, env);
    if (g->spellings)
        spellings_count(spellings_of(g, keymap_payload(&g->groups, handle)), g->groups.layout,
                        keymap_row(&g->groups, handle), key, weight);
    return handle;
}

static void fini_states(void *arg, uint32_t handle)
{
    struct group_op *g = arg;
    struct group *group = keymap_payload(&g->groups, handle);
    if (g->spellings)
        spellings_fini(spellings_of(g, group));
    for (size_t i = 0; i < g->naggs; i++)
        if (g->aggs[i].call->spec.cls->fini)
            g->aggs[i].call->spec.cls->fini(&g->aggs[i].call->spec, state_of(&g->aggs[i], group));
}

static bool same_row(const struct layout *l, const uint8_t *a, const uint8_t *b)
{
    uint32_t len = row_len(l, a);
    return row_len(l, b) == len && memcmp(a, b, len) == 0;
}

/* Emits what has become of a touched group, and forgets it if it has no rows left. */
static void finish_group(struct group_op *g, const struct touched *t, struct op_env *env)
{
    struct group *group = keymap_payload(&g->groups, t->handle);
    const uint8_t *after = group_row(g, t->handle, 1, env);
    env->broken |= group->n < 0;
    group->touched = 0;
    if (!t->before || !after || !same_row(g->op.layout, t->before, after)) {
        if (t->before)
            op_emit(&g->op, t->before, -1);
        if (after)
            op_emit(&g->op, after, 1);
    }
    if (group->n == 0 && g->spec->n) {
        fini_states(g, t->handle);
        keymap_remove(&g->groups, t->handle);
    } else {
        g->state_bytes += outside_bytes(g, group);
    }
}

static void settle(struct group_op *g)
{
    keymap_settle(&g->groups);
    for (size_t i = 0; i < g->naggs; i++)
        if (g->aggs[i].seen)
            group_distinct_settle(g->aggs[i].seen);
}

/* Asks for the memory that changes further on will need: their rows and, where there are more groups
 * than a cache holds, their groups. Only for keys that cost nothing to read twice. */
static void prefetch(const struct group_op *g, const struct delta *in, size_t i)
{
    if (i + AHEAD < in->n)
        __builtin_prefetch(in->v[i + AHEAD].row);
    if (keymap_count(&g->groups) < MANY_GROUPS || !keyspec_is_one_int(g->spec))
        return;
    for (int stage = 1; stage <= 2; stage++) {
        bool has_null;
        size_t k = i + AHEAD - AHEAD / 3 * (size_t)stage;
        if (k >= in->n)
            continue;
        struct value v = key_part_int(&g->spec->part[0], in->v[k].row);
        keymap_prefetch(&g->groups, keyspec_hash(g->spec, &v, &has_null), stage);
    }
}

static void step_group(struct op *op, struct op_env *env)
{
    struct group_op *g = (struct group_op *)op;
    const struct delta *in = op_input(op, 0);
    struct eval_ctx cx = {.layout = {op->ins[0]->layout}, .arena = &env->scratch};
    settle(g);
    if (env->first && !g->spec->n)
        touch(g,
              keymap_insert(&g->groups, keyspec_hash(g->spec, g->vals, &(bool){false}),
                            (const uint8_t[1]){0}),
              true, env);
    for (size_t i = 0; i < in->n; i++) {
        prefetch(g, in, i);
        op_env_next_row(env);
        cx.row[0] = in->v[i].row;
        uint32_t handle = find_group(g, in->v[i].row, in->v[i].weight, env);
        if (!handle)
            continue;
        struct group *group = keymap_payload(&g->groups, handle);
        group->n += in->v[i].weight;
        for (size_t k = 0; k < g->naggs; k++)
            group_agg_add(&g->aggs[k], handle, state_of(&g->aggs[k], group), &cx, in->v[i].weight,
                          env);
    }
    for (size_t i = 0; i < g->touched.n; i++)
        finish_group(g, &g->touched.v[i], env);
    g->touched.n = 0;
}

/* ------------------------------------------------------------ life and looks */

static void free_group(struct op *op)
{
    struct group_op *g = (struct group_op *)op;
    htab_each(&g->groups.table, fini_states, g);
    keymap_fini(&g->groups);
    for (size_t i = 0; i < g->naggs; i++)
        group_agg_fini(&g->aggs[i]);
    keyspec_free(g->spec);
    free(g->aggs);
    free(g->vals);
    VEC_FREE(g->touched);
}

static void describe_group(const struct op *op, struct buf *b)
{
    const struct group_op *g = (const struct group_op *)op;
    buf_adds(b, " by ");
    op_describe_exprs(g->key_exprs, g->spec->n, b);
    for (size_t i = 0; i < g->naggs; i++) {
        buf_adds(b, i ? ", " : ": ");
        group_agg_describe(g->aggs[i].call, b);
    }
}

static struct op_stats stats_group(const struct op *op)
{
    const struct group_op *g = (const struct group_op *)op;
    struct op_stats s = {keymap_count(&g->groups), keymap_bytes(&g->groups) + g->state_bytes};
    for (size_t i = 0; i < g->naggs; i++)
        if (g->aggs[i].seen)
            s.bytes += group_distinct_bytes(g->aggs[i].seen);
    s.bytes += g->touched.cap * sizeof *g->touched.v;
    return s;
}

static const struct op_class group_class = {.name = "group",
                                            .step = step_group,
                                            .free = free_group,
                                            .describe = describe_group,
                                            .stats = stats_group,
                                            .consolidated = true};

/* Places the states one after the other; returns the size of all. */
static size_t init_aggs(struct group_op *g, const struct group_agg *aggs, const struct layout *l)
{
    size_t at = GROUP_HEAD;
    for (size_t i = 0; i < g->naggs; i++) {
        size_t size = aggs[i].spec.cls->state_size;
        if (size % 16 == 0) /* may hold an __int128 */
            at = (at + 15) & ~(size_t)15;
        group_agg_init(&g->aggs[i], &aggs[i], at, l);
        at += (size + 7) & ~(size_t)7;
        g->has_outside |= aggs[i].spec.cls->bytes != NULL;
    }
    return at;
}

/* What a group's record has: the states and, where its key has several spellings, these. */
static size_t place_states(struct group_op *g, const struct group_agg *aggs, const struct layout *l)
{
    size_t at = init_aggs(g, aggs, l);
    if (keyspec_is_bytewise(g->spec))
        return at;
    g->spellings = at;
    return at + sizeof(struct spellings);
}

struct op *op_group(struct circuit *c, struct op *in, const struct expr *const *keys, size_t nkeys,
                    const struct group_agg *aggs, size_t naggs)
{
    struct group_op *g = NEW(struct group_op);
    struct column_type *cts = xcalloc(nkeys + naggs, sizeof *cts);
    for (size_t i = 0; i < nkeys; i++)
        cts[i] = keys[i]->ct;
    for (size_t i = 0; i < naggs; i++)
        cts[nkeys + i] = aggs[i].spec.result;
    g->key_exprs = keys;
    g->spec = keyspec_new(in->layout, keys, nkeys, NULL);
    g->naggs = naggs;
    g->aggs = xcalloc(naggs, sizeof *g->aggs);
    g->vals = xcalloc(nkeys + naggs, sizeof *g->vals);
    keymap_init(&g->groups, cts, nkeys, place_states(g, aggs, in->layout));
    circuit_add(c, &g->op, &group_class, layout_new(cts, nkeys + naggs), &in, 1);
    op_asks(&g->op, 0, keys, nkeys);
    for (size_t i = 0; i < naggs; i++) {
        op_asks(&g->op, 0, aggs[i].args, aggs[i].spec.nargs);
        op_asks(&g->op, 0, &aggs[i].filter, aggs[i].filter != NULL);
    }
    free(cts);
    return &g->op;
}
