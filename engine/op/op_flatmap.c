/*
 * op_flatmap: for each row the rows that set-returning functions give for it.
 *
 * Law       F(r): the rows of all calls for r side by side, the n-th of each together, the shorter ones
 *           filled up with NULLs, and n itself; out = {(r, f) : w for r : w in in, f in F(r)}; outer:
 *           (r, NULLs) too where the condition holds for no f in F(r). So d(out) is the same of d(in)
 * State     none
 * Cost      the calls and their rows, for each change
 * NULLs     a function with a NULL argument gives no rows, if it is strict
 * Weights   kept
 * Traps     two rows may become one: the output is not consolidated. A row for which a call or the
 *           condition fails has no output; its weight goes to the error set instead, once for each
 *           pair that fails. The rows of one input row are in memory at once: see SRF_MAX_ROWS
 * See also  expr/srf.h
 */
#include <stdlib.h>

#include "engine/op/op_impl.h"

struct flatmap {
    struct op op;
    const struct flatmap_spec *spec; /* borrowed */
    struct layout *made;             /* counted; columns of all calls, and the ordinal */
    struct srf_rows *rows;           /* owned; of each call */
    struct value *vals;              /* owned; room for a row of `made` */
    struct value *packed;            /* owned; room for a row of the output */
};

/* The n-th row of all calls into vals. */
static void gather(struct flatmap *f, size_t n)
{
    struct value *v = f->vals;
    for (size_t i = 0; i < f->spec->ncalls; i++) {
        const struct srf_rows *r = &f->rows[i];
        for (size_t k = 0; k < r->ncols; k++)
            *v++ = n < r->n ? r->v[n * r->ncols + k] : value_null();
    }
    if (f->spec->ordinality)
        *v = value_int((int64_t)n + 1);
}

static bool holds(struct flatmap *f, struct eval_ctx *cx, struct op_env *env, bool *yes)
{
    *yes = true;
    if (!f->spec->cond)
        return true;
    if (!row_pack(f->made, f->vals, &env->scratch, &cx->row[1], &env->err))
        return false;
    return expr_holds(f->spec->cond, cx, yes, &env->err);
}

static void emit_row(struct flatmap *f, const struct change *ch, struct op_env *env)
{
    const struct layout *in = f->op.ins[0]->layout;
    const uint8_t *row;
    for (size_t i = 0; i < f->spec->nouts; i++) {
        uint32_t at = f->spec->outs[i];
        f->packed[i] = at < in->ncols ? row_get(in, ch->row, at) : f->vals[at - in->ncols];
    }
    if (row_pack(f->op.layout, f->packed, env->step, &row, &env->err))
        op_emit(&f->op, row, ch->weight);
    else
        errset_add(env->errors, &env->err, ch->weight);
}

static void emit_alone(struct flatmap *f, const struct change *ch, struct op_env *env)
{
    for (uint32_t i = 0; i < f->made->ncols; i++)
        f->vals[i] = value_null();
    emit_row(f, ch, env);
}

static void step_row(struct flatmap *f, const struct change *ch, struct eval_ctx *cx,
                     struct op_env *env)
{
    size_t n = 0;
    bool matched = false;
    for (size_t i = 0; i < f->spec->ncalls; i++) {
        if (!srf_eval(&f->spec->calls[i], cx, &f->rows[i], &env->err)) {
            errset_add(env->errors, &env->err, ch->weight);
            return;
        }
        n = f->rows[i].n > n ? f->rows[i].n : n;
    }
    for (size_t i = 0; i < n; i++) {
        bool yes;
        gather(f, i);
        if (!holds(f, cx, env, &yes)) {
            errset_add(env->errors, &env->err, ch->weight);
            matched = true;
        } else if (yes) {
            emit_row(f, ch, env);
            matched = true;
        }
    }
    if (f->spec->outer && !matched)
        emit_alone(f, ch, env);
}

static void step_flatmap(struct op *op, struct op_env *env)
{
    struct flatmap *f = (struct flatmap *)op;
    const struct delta *in = op_input(op, 0);
    struct eval_ctx cx = {.layout = {op->ins[0]->layout, f->made}, .arena = &env->scratch};
    for (size_t i = 0; i < in->n; i++) {
        op_env_next_row(env);
        cx.row[0] = in->v[i].row;
        step_row(f, &in->v[i], &cx, env);
    }
}

static void free_flatmap(struct op *op)
{
    struct flatmap *f = (struct flatmap *)op;
    layout_unref(f->made);
    free(f->rows);
    free(f->vals);
    free(f->packed);
}

static void describe_flatmap(const struct op *op, struct buf *b)
{
    const struct flatmap *f = (const struct flatmap *)op;
    for (size_t i = 0; i < f->spec->ncalls; i++) {
        const struct srf_call *call = &f->spec->calls[i];
        buf_addf(b, "%s%s", i ? ", " : " ", call->name);
        op_describe_exprs(call->args, call->nargs, b);
    }
}

static const struct op_class flatmap_class = {
    .name = "flatmap", .step = step_flatmap, .free = free_flatmap, .describe = describe_flatmap};

/* Columns of all calls, then the ordinal; cols has room for them. */
static size_t made_columns(const struct flatmap_spec *spec, struct column_type *cols)
{
    size_t n = 0;
    for (size_t i = 0; i < spec->ncalls; i++)
        for (size_t k = 0; k < spec->calls[i].ncols; k++, n++)
            if (cols)
                cols[n] = spec->calls[i].cols[k];
    if (spec->ordinality && cols)
        cols[n] = (struct column_type){type_native(OID_INT8), -1, NULL};
    return n + spec->ordinality;
}

struct op *op_flatmap(struct circuit *c, struct op *in, const struct flatmap_spec *spec)
{
    struct flatmap *f = NEW(struct flatmap);
    size_t n = made_columns(spec, NULL);
    struct column_type *cols = xcalloc(n, sizeof *cols);
    struct column_type *outs = xcalloc(spec->nouts, sizeof *outs);
    f->spec = spec;
    f->rows = xcalloc(spec->ncalls, sizeof *f->rows);
    f->vals = xcalloc(n, sizeof *f->vals);
    f->packed = xcalloc(spec->nouts, sizeof *f->packed);
    made_columns(spec, cols);
    f->made = layout_new(cols, n);
    for (size_t i = 0; i < spec->nouts; i++) {
        uint32_t at = spec->outs[i], width = in->layout->ncols;
        outs[i] = at < width ? in->layout->cols[at].ct : cols[at - width];
    }
    circuit_add(c, &f->op, &flatmap_class, layout_new(outs, spec->nouts), &in, 1);
    for (size_t i = 0; i < spec->ncalls; i++)
        op_asks(&f->op, 0, spec->calls[i].args, spec->calls[i].nargs);
    free(cols);
    free(outs);
    return &f->op;
}
