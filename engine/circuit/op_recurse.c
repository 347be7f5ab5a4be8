/*
 * op_recurse: WITH RECURSIVE: what a base gives, and what a body makes of that again and again.
 *
 * Law       X is a relation of rows tagged with the iteration that derived them. With Q the body, a
 *           circuit over X and the relations outside, whose output keeps the tag of the row of X it is
 *           made of, and L the loop edge,
 *               X[0] = L(base)      X[i + 1] = L(Q(X, …)[i])      out = X without tags
 *           UNION ALL: L is the identity. UNION: L lets each distinct row pass at the least iteration
 *           that derives it (loop_edge.h).
 *           A step: changes of the outside run through Q once, over X as it was, and fall into a
 *           bucket for each tag, d(base) into bucket 0. Then the turns, i ascending: bucket i passes
 *           L, is applied to X, runs through Q and falls into bucket i + 1, until all are empty. A
 *           derivation always has a larger tag than what it is made of: nothing supports itself, and
 *           counting is exact for retractions too
 * State     that of the body's operators, X among them; UNION: the derivations of each distinct row
 * Cost      in proportion to the derivations that change, and the iterations they reach
 * NULLs     UNION: are equal
 * Weights   UNION ALL: any; UNION: rows pass once
 * Traps     a recursion that doesn't end: at max_iterations, and while X holds more than max_rows, only
 *           retractions pass; what else would waits in its bucket. While something waits there is an
 *           error in the error set. It goes when the data is such that nothing has to wait: X is exact
 *           then, since waiting is all that happened to it. The body's errors count in the outer set
 * See also  loop_edge.h; plan/pass_iterate.c, which gives the body its tags
 */
#include <assert.h>
#include <stdlib.h>

#include "engine/circuit/circuit.h"
#include "engine/op/consolidate.h"
#include "engine/op/loop_edge.h"
#include "engine/op/op_impl.h"

/* What waits for the turn of its iteration. */
struct bucket {
    struct delta in;   /* owned array; tagged rows, in the step's arena or in `held` */
    VEC(uint32_t) due; /* UNION: rows to be settled */
    bool fresh;        /* something has come in since it was last looked at */
    bool waits;        /* something stayed */
};

struct recurse {
    struct op op;
    const struct recursion_spec *spec; /* borrowed */
    struct circuit *body;              /* owned */
    struct op *self, **sources;        /* borrowed from body; sources: owned array */
    const struct layout *tagged;       /* borrowed from self */
    struct loop_edge edge;             /* UNION */
    VEC(struct bucket) buckets;        /* by iteration */
    size_t highest;                    /* buckets from here on are empty */
    struct arena held;                 /* rows that wait longer than a step */
    int64_t rows;                      /* weight of X */
    struct value *vals;                /* owned; room for a tagged row */
    VEC(uint32_t) settling;            /* UNION: rows of this turn */
    struct delta passing;              /* owned; tagged rows of this turn */
    struct err error;                  /* in the error set, if set */
};

/* ------------------------------------------------------------ rows and their tags */

/* l: of the row, which has the columns and maybe a tag. */
static const uint8_t *tag(struct recurse *r, const struct layout *l, const uint8_t *row,
                          uint32_t iteration, struct op_env *env)
{
    uint32_t n = r->op.layout->ncols;
    const uint8_t *out;
    for (uint32_t i = 0; i < n; i++)
        r->vals[i] = row_get(l, row, i);
    r->vals[n] = value_int(iteration);
    return row_pack(r->tagged, r->vals, env->step, &out, &env->err) ? out : NULL;
}

static const uint8_t *untag(struct recurse *r, const uint8_t *row, struct op_env *env)
{
    const uint8_t *out;
    for (uint32_t i = 0; i < r->op.layout->ncols; i++)
        r->vals[i] = row_get(r->tagged, row, i);
    return row_pack(r->op.layout, r->vals, env->step, &out, &env->err) ? out : NULL;
}

/* ------------------------------------------------------------ buckets */

static struct bucket *bucket_at(struct recurse *r, uint32_t iteration)
{
    while (r->buckets.n <= iteration) {
        struct bucket empty = {{0}};
        VEC_PUSH(r->buckets, empty);
    }
    if (r->highest <= iteration)
        r->highest = iteration + 1;
    r->buckets.v[iteration].fresh = true;
    return &r->buckets.v[iteration];
}

static void put_row(struct recurse *r, uint32_t iteration, const uint8_t *row, int64_t weight)
{
    struct bucket *b = bucket_at(r, iteration);
    struct change c = {row, weight};
    VEC_PUSH(b->in, c);
}

/* The row, tagged with its iteration, into that bucket. */
static void derive(struct recurse *r, const struct layout *l, const struct change *c,
                   uint32_t iteration, struct op_env *env)
{
    const uint8_t *tagged = tag(r, l, c->row, iteration, env);
    if (tagged)
        put_row(r, iteration, tagged, c->weight);
    else
        errset_add(env->errors, &env->err, c->weight);
}

/* ------------------------------------------------------------ the body */

/* What the body makes of its pushed inputs: each row belongs to the iteration behind its own. */
static void run_body(struct recurse *r, struct op_env *env)
{
    const struct delta *d = circuit_step(r->body);
    const struct layout *l = circuit_output_layout(r->body);
    for (size_t i = 0; i < d->n; i++)
        derive(r, l, &d->v[i], (uint32_t)row_get(l, d->v[i].row, l->ncols - 1).i + 1, env);
}

/* Applies what passes to X and lets the body see it. */
static void go_round(struct recurse *r, struct op_env *env)
{
    for (size_t i = 0; i < r->passing.n; i++) {
        const struct change *c = &r->passing.v[i];
        const uint8_t *row = untag(r, c->row, env);
        r->rows += c->weight;
        circuit_push_borrowed(r->body, r->self, c->row, c->weight);
        if (row)
            op_emit(&r->op, row, c->weight);
        else
            errset_add(env->errors, &env->err, c->weight);
    }
    if (r->passing.n)
        run_body(r, env);
    r->passing.n = 0;
}

/* ------------------------------------------------------------ a turn */

static void turn_all(struct recurse *r, uint32_t iteration, bool open, struct op_env *env)
{
    struct delta in = r->buckets.v[iteration].in, net = {0};
    r->buckets.v[iteration].in = (struct delta){0};
    consolidate(r->tagged, &in, env->step, &net);
    for (size_t i = 0; i < net.n; i++) {
        if (open || net.v[i].weight < 0) {
            VEC_PUSH(r->passing, net.v[i]);
        } else {
            put_row(r, iteration, net.v[i].row, net.v[i].weight);
            r->buckets.v[iteration].waits = true;
        }
    }
    VEC_FREE(in);
    VEC_FREE(net);
}

/* All rows whose derivations at this iteration have changed, or that were named before. */
static void collect_settling(struct recurse *r, uint32_t iteration, struct op_env *env)
{
    struct bucket *b = &r->buckets.v[iteration];
    bool first;
    for (size_t i = 0; i < b->in.n; i++) {
        const uint8_t *row = untag(r, b->in.v[i].row, env);
        if (!row) {
            errset_add(env->errors, &env->err, b->in.v[i].weight);
            continue;
        }
        uint32_t h = loop_edge_add(&r->edge, row, iteration, b->in.v[i].weight, &first);
        if (first)
            VEC_PUSH(r->settling, h);
    }
    for (size_t i = 0; i < b->due.n; i++)
        if (loop_edge_due(&r->edge, b->due.v[i]))
            VEC_PUSH(r->settling, b->due.v[i]);
    VEC_FREE(b->in);
    VEC_FREE(b->due);
}

static void turn_distinct(struct recurse *r, uint32_t iteration, bool open, struct op_env *env)
{
    collect_settling(r, iteration, env);
    for (size_t i = 0; i < r->settling.n; i++) {
        struct loop_verdict v = loop_edge_settle(&r->edge, r->settling.v[i], iteration, open);
        if (v.again) {
            struct bucket *later = bucket_at(r, v.at);
            VEC_PUSH(later->due, r->settling.v[i]);
        }
        r->buckets.v[iteration].waits |= v.waits;
        if (!v.change)
            continue;
        struct change c = {tag(r, r->op.layout, v.row, iteration, env), v.change};
        if (c.row)
            VEC_PUSH(r->passing, c);
        else
            errset_add(env->errors, &env->err, v.change);
    }
    r->settling.n = 0;
}

static void turn(struct recurse *r, uint32_t iteration, struct op_env *env)
{
    bool open = iteration < r->spec->max_iterations && r->rows <= r->spec->max_rows;
    struct bucket *b = &r->buckets.v[iteration];
    if (!b->fresh && !(open && b->waits))
        return;
    b->waits = false;
    (r->spec->distinct ? turn_distinct : turn_all)(r, iteration, open, env);
    r->buckets.v[iteration].fresh = false;
    go_round(r, env);
}

/* ------------------------------------------------------------ the step */

static bool does_anything_wait(struct recurse *r)
{
    bool waits = false;
    size_t highest = 0;
    for (size_t i = 0; i < r->highest; i++) {
        if (r->buckets.v[i].waits)
            highest = i + 1;
        waits |= r->buckets.v[i].waits;
    }
    r->highest = highest;
    return waits;
}

static void explain(const struct recurse *r, struct err *err)
{
    bool rows = r->rows > r->spec->max_rows;
    err_set(err, ERR_PROGRAM_LIMIT, "WITH RECURSIVE \"%s\" does not end within %lld %s",
            r->spec->name, (long long)(rows ? r->spec->max_rows : r->spec->max_iterations),
            rows ? "rows" : "iterations");
    err_hint(err, "limits.recursion_%s sets the limit.", rows ? "rows" : "depth");
}

/* The error is in the set for as long as something waits. */
static void tell(struct recurse *r, struct op_env *env)
{
    struct err now;
    err_clear(&now);
    if (does_anything_wait(r))
        explain(r, &now);
    if (err_is_set(&now) && err_is_set(&r->error))
        return;
    if (err_is_set(&r->error))
        errset_add(env->errors, &r->error, -1);
    if (err_is_set(&now))
        errset_add(env->errors, &now, 1);
    r->error = now;
}

/* Rows that still wait outlive the step's arena. */
static void hold_rows(struct recurse *r)
{
    struct arena fresh;
    arena_init(&fresh);
    for (size_t i = 0; i < r->highest; i++) {
        struct delta *in = &r->buckets.v[i].in;
        for (size_t k = 0; k < in->n; k++)
            in->v[k].row = arena_memdup(&fresh, in->v[k].row, row_len(r->tagged, in->v[k].row));
    }
    arena_fini(&r->held);
    r->held = fresh;
}

static void push_outside(struct recurse *r)
{
    for (size_t i = 1; i < r->op.nins; i++) {
        const struct delta *d = op_input(&r->op, i);
        for (size_t k = 0; k < d->n; k++)
            circuit_push_borrowed(r->body, r->sources[i - 1], d->v[k].row, d->v[k].weight);
    }
}

static bool has_outside(const struct recurse *r)
{
    for (size_t i = 1; i < r->op.nins; i++)
        if (op_input(&r->op, i)->n)
            return true;
    return false;
}

static void step_recurse(struct op *op, struct op_env *env)
{
    struct recurse *r = (struct recurse *)op;
    const struct delta *base = op_input(op, 0);
    if (r->spec->distinct)
        loop_edge_begin(&r->edge);
    if (env->first || has_outside(r)) {
        push_outside(r);
        run_body(r, env);
    }
    for (size_t i = 0; i < base->n; i++)
        derive(r, r->op.layout, &base->v[i], 0, env);
    for (uint32_t i = 0; i < r->highest && !circuit_is_lost(r->body); i++)
        turn(r, i, env);
    tell(r, env);
    if (err_is_set(&r->error) || r->held.bytes)
        hold_rows(r);
}

/* ------------------------------------------------------------ life and looks */

static void free_recurse(struct op *op)
{
    struct recurse *r = (struct recurse *)op;
    for (size_t i = 0; i < r->buckets.n; i++) {
        VEC_FREE(r->buckets.v[i].in);
        VEC_FREE(r->buckets.v[i].due);
    }
    VEC_FREE(r->buckets);
    VEC_FREE(r->settling);
    VEC_FREE(r->passing);
    if (r->spec->distinct)
        loop_edge_fini(&r->edge);
    arena_fini(&r->held);
    circuit_free(r->body);
    free(r->sources);
    free(r->vals);
}

static void describe_recurse(const struct op *op, struct buf *b)
{
    const struct recurse *r = (const struct recurse *)op;
    buf_addf(b, " %s, union%s", r->spec->name, r->spec->distinct ? "" : " all");
}

static struct op_stats stats_recurse(const struct op *op)
{
    const struct recurse *r = (const struct recurse *)op;
    struct op_stats s = {(uint64_t)r->rows, circuit_bytes(r->body) + r->held.bytes};
    if (r->spec->distinct)
        s.bytes += loop_edge_bytes(&r->edge);
    s.bytes += r->buckets.cap * sizeof *r->buckets.v + r->settling.cap * sizeof *r->settling.v +
               r->passing.cap * sizeof *r->passing.v;
    return s;
}

static const struct op_class recurse_class = {.name = "recurse",
                                              .step = step_recurse,
                                              .free = free_recurse,
                                              .describe = describe_recurse,
                                              .stats = stats_recurse};

struct op *op_recurse(struct circuit *c, struct op *const *ins, size_t nins,
                      const struct recursion_spec *spec, struct circuit *body, struct op *self,
                      struct op *const *sources)
{
    struct recurse *r = NEW(struct recurse);
    r->spec = spec;
    r->body = body;
    r->self = self;
    r->tagged = op_layout(self);
    r->sources = xcalloc(nins, sizeof(struct op *));
    for (size_t i = 0; i + 1 < nins; i++)
        r->sources[i] = sources[i];
    r->vals = xcalloc(r->tagged->ncols, sizeof *r->vals);
    arena_init(&r->held);
    if (spec->distinct)
        loop_edge_init(&r->edge, ins[0]->layout);
    circuit_add(c, &r->op, &recurse_class, layout_ref(ins[0]->layout), ins, nins);
    return &r->op;
}
