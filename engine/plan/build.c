/*
 * build: a spec's list of operators as a circuit, and as EXPLAIN's lines.
 *
 * Runs on the worker that will run the circuit. Everything the operators borrow is in the spec's
 * arena, which is immutable by now; the caller keeps the spec for as long as the circuit.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/plan/physical.h"

static struct op *build_op(struct circuit *c, const struct plan_spec *p,
                           const struct physical_op *o, struct op *const *ins)
{
    switch (o->kind) {
    case PHYS_SOURCE: return op_source(c, p->sources[o->source].layout, o->text);
    case PHYS_ONE_ROW: return op_one_row(c);
    case PHYS_MAP: return op_map(c, ins[0], o->exprs, o->nexprs);
    case PHYS_FILTER: return op_filter(c, ins[0], o->cond);
    case PHYS_JOIN:
        return op_join(c, ins[0], ins[1], o->join, o->lkeys, o->rkeys, o->nkeys, o->cond,
                       o->nullsafe);
    case PHYS_GROUP: return op_group(c, ins[0], o->exprs, o->nexprs, o->aggs, o->naggs);
    case PHYS_DISTINCT: return op_distinct(c, ins[0]);
    case PHYS_UNION: return op_union(c, ins, o->nin);
    case PHYS_SETOP: return op_setop(c, ins[0], ins[1], o->setop);
    case PHYS_TOPK:
        return op_topk(c, ins[0], o->part, o->npart, o->sort, o->nsort, o->limit, o->offset,
                       o->with_ties);
    case PHYS_FLATMAP: return op_flatmap(c, ins[0], &o->flatmap);
    case PHYS_WINDOW:
        return op_window(c, ins[0], o->part, o->npart, o->sort, o->nsort, o->wins, o->nwins);
    case PHYS_RECURSE:
    case PHYS_INPUT: break; /* build_list() */
    }
    return NULL;
}

static const struct layout *tagged_layout(const struct layout *base)
{
    struct column_type ct = {type_native(OID_INT8), -1, NULL};
    struct layout *iteration = layout_new(&ct, 1), *both = layout_concat(base, iteration);
    layout_unref(iteration);
    return both;
}

static struct op *build_recurse(struct circuit *c, const struct plan_spec *p,
                                const struct physical_op *o, struct op *const *ins);

/* Appends the list's operators to the circuit. ins: of a body's recursion; inputs: what to push them
 * to. sources: of the statement's tables. */
static struct op *build_list(struct circuit *c, const struct plan_spec *p,
                             const struct physical *phys, struct op *const *outside,
                             struct op **inputs, struct op **sources)
{
    struct op **ops = xcalloc(phys->n, sizeof(struct op *));
    struct op **ins = xcalloc(phys->n, sizeof(struct op *));
    for (size_t i = 0; i < phys->n; i++) {
        const struct physical_op *o = &phys->v[i];
        for (size_t k = 0; k < o->nin; k++)
            ins[k] = ops[o->in[k]];
        if (o->kind == PHYS_INPUT) {
            const struct layout *l = op_layout(outside[o->source]);
            l = o->source ? layout_ref(l) : tagged_layout(l);
            ops[i] = inputs[o->source] = op_source(c, l, o->text);
            layout_unref(l);
        } else {
            ops[i] = o->kind == PHYS_RECURSE ? build_recurse(c, p, o, ins) : build_op(c, p, o, ins);
        }
        if (o->kind == PHYS_SOURCE)
            sources[o->source] = ops[i];
    }
    assert(circuit_op_count(c) == phys->n);
    struct op *output = ops[phys->output];
    free(ins);
    free(ops);
    return output;
}

static struct op *build_recurse(struct circuit *c, const struct plan_spec *p,
                                const struct physical_op *o, struct op *const *ins)
{
    struct circuit *body = circuit_new_nested(c);
    struct op **inputs = xcalloc(o->nin, sizeof(struct op *));
    circuit_set_output(body, build_list(body, p, o->body, ins, inputs, NULL));
    struct op *op = op_recurse(c, ins, o->nin, &o->recursion, body, inputs[0], inputs + 1);
    free(inputs);
    return op;
}

struct circuit *plan_build(const struct plan_spec *p, struct op **sources)
{
    struct circuit *c = circuit_new();
    circuit_set_output(c, build_list(c, p, p->physical, NULL, NULL, sources));
    return c;
}

static void explain_rerun(const struct plan_spec *p, struct buf *b)
{
    buf_addf(b, "rerun by Postgres, because of %s\n", p->rerun->what);
    for (size_t i = 0; i < p->nsources; i++)
        buf_addf(b, "after changes of %s%s.%s\n", p->sources[i].only ? "only " : "",
                 p->sources[i].schema, p->sources[i].name);
    if (p->rerun->timed)
        buf_addf(b, "and as time goes by\n");
}

/* A body's operators are numbered below their recursion: 3.0, 3.1… */
static void explain_list(const struct physical *phys, const struct circuit *c, const char *number,
                         struct buf *b)
{
    for (size_t i = 0; i < phys->n; i++) {
        const struct physical_op *o = &phys->v[i];
        struct op_stats s;
        char own[64];
        snprintf(own, sizeof own, "%s%zu", number, i);
        buf_addf(b, "%s: %s", own, o->text);
        for (size_t k = 0; k < o->nin; k++)
            buf_addf(b, "%s %s%zu", k ? "," : " <-", number, o->in[k]);
        if (c && circuit_op_stats(c, i, &s))
            buf_addf(b, " [%llu rows, %llu bytes]", (unsigned long long)s.rows,
                     (unsigned long long)s.bytes);
        buf_addc(b, '\n');
        if (o->body) {
            snprintf(own, sizeof own, "%s%zu.", number, i);
            explain_list(o->body, NULL, own, b);
        }
    }
}

void plan_explain(const struct plan_spec *p, const struct circuit *c, struct buf *b)
{
    if (p->rerun)
        explain_rerun(p, b);
    else
        explain_list(p->physical, c, "", b);
}
