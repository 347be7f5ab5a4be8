/*
 * circuit: the list of operators and the step; see circuit.h.
 *
 * The life of a step's memory: rows that are pushed, rows that operators make and the deltas between
 * them all stay until the first push after the step (or the next step), so that the caller may read
 * the result in peace. begin_step() is the one place where it goes.
 */
#include "engine/circuit/circuit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/op/consolidate.h"
#include "engine/expr/delegate.h"
#include "engine/op/op_impl.h"

#define KEEP_CHANGES 8192 /* deltas with more room than that are given back after the step */

struct circuit {
    VEC(struct op *) ops; /* owned; in topological order: inputs come before their readers */
    struct op *output;    /* borrowed from ops */
    struct arena arena;   /* of the step */
    struct errset errors;
    struct op_env env;
    struct delta result; /* owned; the consolidated output, where the operator's own isn't */
    struct delta empty;
    bool nested;
    bool fresh; /* nothing of an earlier step is left in the arena */
    bool lost;
};

struct circuit *circuit_new(void)
{
    struct circuit *c = NEW(struct circuit);
    arena_init(&c->arena);
    errset_init(&c->errors);
    arena_init(&c->env.scratch);
    c->env.step = &c->arena;
    c->env.errors = &c->errors;
    c->env.first = true;
    c->fresh = true;
    return c;
}

struct circuit *circuit_new_nested(struct circuit *outer)
{
    struct circuit *c = circuit_new();
    c->env.errors = outer->env.errors;
    c->nested = true;
    return c;
}

static void op_free(struct op *op)
{
    if (op->cls->free)
        op->cls->free(op);
    layout_unref(op->layout);
    VEC_FREE(op->out);
    free(op->ins);
    free(op->askers);
    free(op);
}

void circuit_free(struct circuit *c)
{
    if (!c)
        return;
    for (size_t i = c->ops.n; i-- > 0;)
        op_free(c->ops.v[i]);
    VEC_FREE(c->ops);
    VEC_FREE(c->result);
    arena_fini(&c->arena);
    arena_fini(&c->env.scratch);
    errset_fini(&c->errors);
    free(c);
}

void circuit_add(struct circuit *c, struct op *op, const struct op_class *cls,
                 const struct layout *layout, struct op *const *ins, size_t nins)
{
    op->cls = cls;
    op->layout = layout;
    op->no = c->ops.n;
    op->nins = nins;
    op->ins = xcalloc(nins, sizeof(struct op *));
    for (size_t i = 0; i < nins; i++)
        op->ins[i] = ins[i];
    op->result = &op->out;
    VEC_PUSH(c->ops, op);
}

void op_asks(struct op *op, size_t input, const struct expr *const *exprs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!expr_is_delegated(exprs[i]))
            continue;
        op->askers = xrealloc(op->askers, (op->naskers + 1) * sizeof *op->askers);
        op->askers[op->naskers++] = (struct op_asker){exprs[i], input};
    }
}

void circuit_set_output(struct circuit *c, struct op *out)
{
    c->output = out;
}

const struct layout *circuit_output_layout(const struct circuit *c)
{
    return c->output->layout;
}

const struct layout *op_layout(const struct op *op)
{
    return op->layout;
}

/* ------------------------------------------------------------ the step */

static void empty_delta(struct delta *d)
{
    d->n = 0;
    if (d->cap > KEEP_CHANGES)
        VEC_FREE(*d);
}

static void begin_step(struct circuit *c)
{
    if (c->fresh)
        return;
    for (size_t i = 0; i < c->ops.n; i++)
        empty_delta(&c->ops.v[i]->out);
    empty_delta(&c->result);
    arena_reset(&c->arena);
    c->fresh = true;
}

/* An UPDATE of columns the plan doesn't read retracts and asserts one row: nobody need see it. */
static bool cancels_last(struct op *source, const uint8_t *row, int64_t weight)
{
    struct delta *d = &source->out;
    if (!d->n || d->v[d->n - 1].weight != -weight)
        return false;
    const uint8_t *last = d->v[d->n - 1].row;
    uint32_t len = row_len(source->layout, last);
    if (row_len(source->layout, row) != len || (len && memcmp(last, row, len) != 0))
        return false;
    d->n--;
    return true;
}

void circuit_push_borrowed(struct circuit *c, struct op *source, const uint8_t *row, int64_t weight)
{
    assert(!source->nins);
    begin_step(c);
    if (weight && !cancels_last(source, row, weight))
        op_emit(source, row, weight);
}

void circuit_push(struct circuit *c, struct op *source, const uint8_t *row, int64_t weight)
{
    begin_step(c);
    circuit_push_borrowed(c, source, arena_memdup(&c->arena, row, row_len(source->layout, row)),
                          weight);
}

static bool has_input(const struct op *op)
{
    for (size_t i = 0; i < op->nins; i++)
        if (op_input(op, i)->n)
            return true;
    return false;
}

/* What the operator's expressions will ask of Postgres is asked at once for all changes. */
static void ask_ahead(const struct op *op)
{
    size_t n = 0, room = 0;
    for (size_t i = 0; i < op->naskers; i++)
        room += op_input(op, op->askers[i].input)->n;
    if (!room)
        return;
    struct delegate_task *tasks = xcalloc(room, sizeof *tasks);
    for (size_t i = 0; i < op->naskers; i++) {
        const struct op_asker *a = &op->askers[i];
        const struct delta *in = op_input(op, a->input);
        for (size_t k = 0; k < in->n; k++)
            tasks[n++] = (struct delegate_task){
                .e = a->e, .layout = {op->ins[a->input]->layout}, .row = {in->v[k].row}};
    }
    (void)delegate_collect(tasks, n); /* what is lost is seen by whoever evaluates */
    free(tasks);
}

static void step_op(struct circuit *c, struct op *op)
{
    if (op->cls->step && (c->env.first || has_input(op))) {
        ask_ahead(op);
        if (!delegate_is_lost())
            op->cls->step(op, &c->env);
    } else if (op->nins) {
        op->result = &op->out;
    }
}

const struct delta *circuit_step(struct circuit *c)
{
    begin_step(c);
    if (!c->nested)
        delegate_begin();
    for (size_t i = 0; i < c->ops.n && !c->lost; i++) {
        step_op(c, c->ops.v[i]);
        c->lost = delegate_is_lost() || c->env.broken;
    }
    c->env.broken |= c->errors.negative > 0;
    c->lost |= c->env.broken;
    c->env.first = false;
    c->fresh = false;
    op_env_next_row(&c->env);
    if (!c->output || c->lost)
        return &c->empty;
    if (c->output->cls->consolidated)
        return c->output->result;
    consolidate(c->output->layout, c->output->result, &c->arena, &c->result);
    return &c->result;
}

bool circuit_is_lost(const struct circuit *c)
{
    return c->lost;
}

bool circuit_is_broken(const struct circuit *c)
{
    return c->env.broken;
}

const struct err *circuit_error(const struct circuit *c)
{
    return errset_first((struct errset *)&c->errors);
}

/* ------------------------------------------------------------ what it looks like */

static struct op_stats op_stats_of(const struct op *op)
{
    return op->cls->stats ? op->cls->stats(op) : (struct op_stats){0, 0};
}

uint64_t circuit_bytes(const struct circuit *c)
{
    uint64_t n = sizeof *c + c->arena.bytes + c->env.scratch.bytes + c->errors.bytes +
                 c->errors.table.bytes + c->result.cap * sizeof(struct change);
    for (size_t i = 0; i < c->ops.n; i++) {
        const struct op *op = c->ops.v[i];
        n += op_stats_of(op).bytes + op->out.cap * sizeof(struct change) + sizeof *op;
    }
    return n;
}

size_t circuit_op_count(const struct circuit *c)
{
    return c->ops.n;
}

bool circuit_op_stats(const struct circuit *c, size_t i, struct op_stats *out)
{
    const struct op *op = c->ops.v[i];
    *out = op_stats_of(op);
    return op->cls->stats != NULL;
}

void circuit_describe(const struct circuit *c, size_t i, struct buf *b)
{
    const struct op *op = c->ops.v[i];
    buf_addf(b, "%zu: %s", i, op->cls->name);
    if (op->cls->describe)
        op->cls->describe(op, b);
    for (size_t k = 0; k < op->nins; k++)
        buf_addf(b, "%s %zu", k ? "," : " <-", op->ins[k]->no);
    if (op->cls->stats) {
        struct op_stats s = op->cls->stats(op);
        buf_addf(b, " [%llu rows, %llu bytes]", (unsigned long long)s.rows,
                 (unsigned long long)s.bytes);
    }
}

void op_describe_exprs(const struct expr *const *exprs, size_t n, struct buf *b)
{
    buf_addc(b, '(');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_adds(b, ", ");
        expr_print(exprs[i], NULL, b);
    }
    buf_addc(b, ')');
}
