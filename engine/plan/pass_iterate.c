/*
 * pass_iterate: the body of a recursion becomes one circuit for all iterations.
 *
 * What the statement says of the recursive part holds for one iteration: its reference to itself
 * stands for the rows that the iteration before has added. Here that reference gets one more column,
 * the iteration, which is taken along through everything (carry.h), so that a DISTINCT, a LIMIT or a
 * window in the body is one for each iteration, and comes out as the body's last column.
 *
 *     SELECT DISTINCT e.to, t.i FROM t JOIN e ON e.from = t.at
 *
 * A part of the body that doesn't refer to itself, a branch of a UNION say, gives its rows again in
 * every iteration: the first one, and those in which the reference has a row, since without any
 * Postgres stops.
 *
 * Runs after pass_decorrelate, from the outer recursion to those within its parts: what these carry
 * for it stands before their own iteration. Post-condition: every recursion is_tagged.
 */
#include "engine/plan/carry.h"

static struct lcol iteration_of(const struct logical *self)
{
    return (struct lcol){
        self->rel, (uint32_t)self->rec->ncols + 1, {type_native(OID_INT8), -1, NULL}, "iteration"};
}

static bool is_self(struct carry *k, const struct logical *n)
{
    return n->kind == LOGICAL_SELF && n->rec == k->ctx;
}

static struct logical *tagged_self(struct carry *k, struct logical *n, struct lcol *out)
{
    struct logical *self = arena_memdup(k->c->arena, n, sizeof *n);
    self->cols = ARENA_ARRAY(k->c->arena, struct lcol, n->ncols + 1);
    if (n->ncols)
        memcpy(self->cols, n->cols, n->ncols * sizeof *n->cols);
    *out = self->cols[self->ncols++] = iteration_of(self);
    return self;
}

static struct logical *number(struct carry *k, struct logical *in, const struct expr *e)
{
    static const char *const name = "iteration";
    return logical_project(k->c->arena, in, k->c->next_rel++, &e, &name, 1);
}

/* Every iteration that is gone into, once: the first one, and those that have rows. */
static struct logical *iterations(struct carry *k, struct lcol *out)
{
    struct arena *a = k->c->arena;
    struct logical *self = logical_new(a, LOGICAL_SELF, 0);
    struct logical *u = logical_new(a, LOGICAL_UNION, 2);
    self->rel = k->c->next_rel++;
    self->rec = k->ctx;
    struct lcol i = iteration_of(self);
    self->cols = arena_memdup(a, &i, sizeof i);
    self->ncols = 1;
    u->in[0] = number(k, self, lcol_expr(a, &i));
    u->in[1] = number(k, logical_new(a, LOGICAL_ONE_ROW, 0), expr_const(a, value_int(0), i.ct));
    u->rel = k->c->next_rel++;
    *out = (struct lcol){u->rel, 1, i.ct, i.name};
    u->cols = arena_memdup(a, out, sizeof *out);
    u->ncols = 1;
    return logical_distinct(a, u);
}

static bool tag(struct pass_ctx *c, struct logical *n, struct err *err)
{
    struct lcol unused = {0}, out;
    struct carry k = {.c = c,
                      .err = err,
                      .outer = &unused,
                      .n = 1,
                      .ctx = n->rec,
                      .source = iterations,
                      .is_leaf = is_self,
                      .leaf = tagged_self};
    struct logical *before = n->in[1], *body = carry_through(&k, before, &out);
    if (!body)
        return false;
    struct lcol *cols = ARENA_ARRAY(c->arena, struct lcol, before->ncols + 1);
    if (before->ncols)
        memcpy(cols, before->cols, before->ncols * sizeof *cols);
    cols[before->ncols] = out;
    n->in[1] = logical_keep(c->arena, body, cols, before->ncols + 1);
    n->rec->is_tagged = true;
    return true;
}

static bool iterate(struct pass_ctx *c, struct logical *n, struct err *err)
{
    if (n->kind == LOGICAL_RECURSE && !tag(c, n, err))
        return false;
    for (size_t i = 0; i < n->nin; i++)
        if (!iterate(c, n->in[i], err))
            return false;
    return true;
}

/* Shared bodies from the outer to the inner ones; tagging may put others in their places. */
bool pass_iterate(struct pass_ctx *c, struct logical *root, struct err *err)
{
    struct logical_ctes ctes;
    bool ok = iterate(c, root, err);
    logical_ctes(root, &ctes);
    for (size_t i = 0; i < ctes.n && ok; i++)
        ok = iterate(c, ctes.v[i]->root, err);
    VEC_FREE(ctes);
    return ok;
}
