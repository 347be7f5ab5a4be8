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

/* The leaf with its iteration; out: its extra columns, then that. */
static struct logical *tagged_self(struct carry *k, struct logical *n, struct lcol *out)
{
    const struct logical_rec *rec = n->rec;
    size_t first = rec->ncols - rec->nextra;
    struct logical *self = arena_memdup(k->c->arena, n, sizeof *n);
    self->cols = ARENA_ARRAY(k->c->arena, struct lcol, n->ncols + rec->nextra + 1);
    if (n->ncols)
        memcpy(self->cols, n->cols, n->ncols * sizeof *n->cols);
    for (size_t i = 0; i < rec->nextra; i++)
        out[i] = (struct lcol){n->rel, (uint32_t)(first + i) + 1, rec->extra[i]->ct, ""};
    out[rec->nextra] = iteration_of(self);
    for (size_t i = 0; i <= rec->nextra; i++)
        self->cols[self->ncols++] = out[i];
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

/* What the extra columns' expressions call SELF's columns, by what is carried for them. */
struct carried {
    struct arena *a;
    const struct logical_rec *rec;
    const struct lcol *cols;
};

static const struct expr *carried_column(void *ctx, const struct expr *column)
{
    const struct carried *m = ctx;
    return column->rel == m->rec->rel ? lcol_expr(m->a, &m->cols[column->col - 1]) : NULL;
}

/* The body's own columns, the extra ones, the iteration. */
static struct logical *with_extra(struct pass_ctx *c, struct logical *n, struct logical *body,
                                  const struct lcol *out)
{
    const struct logical_rec *rec = n->rec;
    struct carried m = {c->arena, rec, out};
    struct exprs conds = {0};
    size_t own = n->in[1]->ncols, all = own + rec->nextra + 1;
    struct lcol *cols = ARENA_ARRAY(c->arena, struct lcol, all);
    const struct expr **exprs = ARENA_ARRAY(c->arena, const struct expr *, all);
    if (rec->stop)
        AVEC_PUSH(
            c->arena, conds,
            expr_bool(c->arena, EXPR_NOT,
                      (const struct expr *[]){expr_subst(c->arena, rec->stop, carried_column, &m)},
                      1));
    uint32_t rel = c->next_rel++;
    for (size_t i = 0; i < own; i++) {
        cols[i] = n->in[1]->cols[i];
        exprs[i] = lcol_expr(c->arena, &cols[i]);
    }
    for (size_t i = 0; i < rec->nextra; i++) {
        const struct expr *e = expr_subst(c->arena, rec->extra[i], carried_column, &m);
        cols[own + i] = (struct lcol){rel, (uint32_t)i + 1, e->ct, ""};
        exprs[own + i] = e;
    }
    cols[all - 1] = out[rec->nextra];
    exprs[all - 1] = lcol_expr(c->arena, &out[rec->nextra]);
    struct logical *p = logical_keep(c->arena, logical_filter(c->arena, body, &conds), cols, all);
    p->exprs = exprs;
    return p;
}

static bool tag(struct pass_ctx *c, struct logical *n, struct err *err)
{
    struct carry k = {.c = c,
                      .err = err,
                      .n = n->rec->nextra + 1,
                      .ctx = n->rec,
                      .source = n->rec->nextra ? NULL : iterations,
                      .is_leaf = is_self,
                      .leaf = tagged_self};
    k.outer = ARENA_ARRAY(c->arena, struct lcol, k.n); /* rel 0: never used */
    struct lcol *out = ARENA_ARRAY(c->arena, struct lcol, k.n);
    struct logical *body = carry_through(&k, n->in[1], out);
    if (!body)
        return false;
    n->in[1] = with_extra(c, n, body, out);
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
