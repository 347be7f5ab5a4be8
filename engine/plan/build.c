/*
 * build: a spec's list of operators as a circuit, and as EXPLAIN's lines.
 *
 * Runs on the worker that will run the circuit. Everything the operators borrow is in the spec's
 * arena, which is immutable by now; the caller keeps the spec for as long as the circuit.
 */
#include <assert.h>
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
    }
    return NULL;
}

struct circuit *plan_build(const struct plan_spec *p, struct op **sources)
{
    const struct physical *phys = p->physical;
    struct circuit *c = circuit_new();
    struct op **ops = xcalloc(phys->n, sizeof(struct op *));
    struct op **ins = xcalloc(phys->n, sizeof(struct op *));
    for (size_t i = 0; i < phys->n; i++) {
        const struct physical_op *o = &phys->v[i];
        for (size_t k = 0; k < o->nin; k++)
            ins[k] = ops[o->in[k]];
        ops[i] = build_op(c, p, o, ins);
        if (o->kind == PHYS_SOURCE)
            sources[o->source] = ops[i];
    }
    assert(circuit_op_count(c) == phys->n);
    circuit_set_output(c, ops[phys->output]);
    free(ins);
    free(ops);
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

void plan_explain(const struct plan_spec *p, const struct circuit *c, struct buf *b)
{
    if (p->rerun) {
        explain_rerun(p, b);
        return;
    }
    for (size_t i = 0; i < p->physical->n; i++) {
        const struct physical_op *o = &p->physical->v[i];
        struct op_stats s;
        buf_addf(b, "%zu: %s", i, o->text);
        for (size_t k = 0; k < o->nin; k++)
            buf_addf(b, "%s %zu", k ? "," : " <-", o->in[k]);
        if (c && circuit_op_stats(c, i, &s))
            buf_addf(b, " [%llu rows, %llu bytes]", (unsigned long long)s.rows,
                     (unsigned long long)s.bytes);
        buf_addc(b, '\n');
    }
}
