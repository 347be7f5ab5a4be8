/*
 * physical_recurse: a recursion's body as a list of operators within the list.
 *
 * The body's first operator gives the recursive rows, columns in order and the iteration behind them.
 * Every subtree of the body that doesn't depend on the recursion is planned outside, as large as it
 * can be, and is an input of the recursion and of the body; so what is joined to a tree of parts is
 * kept by the join inside the body, and computed once, outside.
 */
#include "engine/plan/planner.h"

static bool depends(const struct logical *n, const struct logical_rec *rec)
{
    if (n->kind == LOGICAL_SELF)
        return n->rec == rec;
    for (size_t i = 0; i < n->nin; i++)
        if (depends(n->in[i], rec))
            return true;
    return n->kind == LOGICAL_CTE && depends(n->cte->root, rec);
}

/* The operator of the body that gives the rows of the one outside. */
static size_t import_op(struct planner *p, size_t outside, const char *text)
{
    for (size_t i = 0; i < p->imports.n; i++)
        if (p->imports.v[i].outside == outside)
            return p->imports.v[i].inside;
    struct physical_op *op = planner_add_op(p, PHYS_INPUT, NULL, 0, text);
    struct import import = {outside, p->phys->n - 1};
    op->source = p->imports.n + 1;
    AVEC_PUSH(p->a, p->imports, import);
    return import.inside;
}

bool plan_import(struct planner *p, const struct logical *n, struct stream *out)
{
    if (!p->outer || depends(n, p->rec))
        return false;
    *out = planner_node(p->outer, n);
    const char *text = arena_printf(p->a, "from outside: %s", planner_text(p, n));
    out->op = import_op(p, out->op, text);
    return true;
}

struct stream plan_self(struct planner *p, const struct logical *n)
{
    struct stream s = {.op = 0, .width = (uint32_t)p->rec->ncols + 1, .n = n->ncols};
    s.places = ARENA_ARRAY(p->a, struct place, n->ncols);
    for (size_t i = 0; i < n->ncols; i++)
        s.places[i] = (struct place){n->cols[i].rel, n->cols[i].no, n->cols[i].no - 1};
    return s;
}

/* Fills the list of the body's planner. */
static void plan_body(struct planner *body, const struct logical *n)
{
    const char *text = arena_printf(body->a, "recursive %s", n->rec->spec.name);
    planner_add_op(body, PHYS_INPUT, NULL, 0, text)->source = 0;
    struct stream s = planner_node(body, n->in[1]);
    body->phys->output = planner_exact(body, s, n->in[1]->cols, n->in[1]->ncols).op;
}

struct stream plan_recurse(struct planner *p, const struct logical *n)
{
    struct planner body = {.spec = p->spec, .a = p->a, .outer = p, .rec = n->rec};
    struct stream base =
        planner_exact(p, planner_node(p, n->in[0]), n->in[0]->cols, n->in[0]->ncols);
    struct lcol *cols = ARENA_ARRAY(p->a, struct lcol, n->rec->ncols);
    body.phys = ARENA_NEW(p->a, struct physical);
    plan_body(&body, n);
    struct stream *outside = ARENA_ARRAY(p->a, struct stream, body.imports.n);
    const struct stream **ins = ARENA_ARRAY(p->a, const struct stream *, body.imports.n + 1);
    ins[0] = &base;
    for (size_t i = 0; i < body.imports.n; i++) {
        outside[i].op = body.imports.v[i].outside;
        ins[i + 1] = &outside[i];
    }
    struct physical_op *op =
        planner_add_op(p, PHYS_RECURSE, ins, body.imports.n + 1, planner_text(p, n));
    physical_share(p->a, body.phys);
    op->recursion = n->rec->spec;
    op->body = body.phys;
    for (size_t i = 0; i < n->rec->ncols; i++)
        cols[i] = (struct lcol){n->rel, (uint32_t)i + 1, n->in[0]->cols[i].ct, ""};
    return planner_fresh_stream(p, cols, n->rec->ncols);
}
