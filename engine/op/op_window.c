/*
 * op_window: window functions of one PARTITION BY and ORDER BY, each over a frame of its own.
 *
 * Law       out = each row of the input with what the functions say of it, given the rows of its
 *           partition in order; so d(out) = -(all that a touched partition gave) + (all it gives),
 *           and what is the same in both cancels
 * State     the rows of the input, by partition, in order; nothing of the results
 * Cost      a step: O(log n) a change, and twice O(rows recomputed) a partition it touches: from the
 *           first row to the last one whose result may change, which for lag and frames of so many
 *           ROWS are the neighbours of what changed, for running sums and ranks all behind it, for
 *           others the partition (op_window_reach.c). A running sum adds up what is before, too. A
 *           sliding frame costs what enters and leaves it, see op_window_agg.h; min and max O(log
 *           rows) each
 * NULLs     in PARTITION BY they are equal to each other; in ORDER BY they sort as the keys say, and
 *           are peers
 * Weights   a row of weight w is w rows side by side: row_number tells them apart
 * Traps     where ORDER BY leaves the order open, the rows' bytes decide, so that the result depends
 *           on nothing but the rows. What a function doesn't look at can't fail: arguments are
 *           evaluated where they are needed. A row for which one fails is an error while the
 *           partition is as it is, and is left out
 * See also  group_diff.h, expr/win.h, expr/win_frame.h
 */
#include <stdlib.h>
#include <string.h>

#include "engine/expr/delegate.h"
#include "engine/op/concat.h"
#include "engine/op/op_window_agg.h"
#include "engine/op/op_window_int.h"

struct call {
    const struct window_call *spec; /* borrowed */
    size_t frame;                   /* index in frames */
    struct slide slide;             /* of an aggregate */
    struct win_ctx cx;              /* of another function, in the partition in hand */
};

/* A frame that some calls share. */
struct frame {
    struct win_cursor cursor;
    struct win_rows rows; /* of the current row */
    struct err err;       /* if they can't be told */
    bool ok;
    bool needed; /* some call looks at it */
};

struct window {
    struct op op;
    struct group_diff diff;
    struct sort_key *keys; /* owned */
    size_t nkeys;
    const struct expr *const *part; /* borrowed */
    size_t npart;
    struct win_order order; /* of RANGE frames */
    struct call *calls;     /* owned */
    size_t ncalls;
    struct frame *frames; /* owned */
    size_t nframes;
    struct layout *results;     /* counted; of the calls' columns */
    struct concat concat;       /* input ++ results */
    struct value *vals;         /* owned; one a call */
    struct arena arena;         /* of the partition in hand */
    const struct expr **asking; /* owned; arguments with delegated calls */
    size_t nasking;
};

/* ------------------------------------------------------------ a partition */

/* Finds the peer groups. */
static void begin_part(struct window *w, struct win_part *p, const struct group_run *run)
{
    const uint8_t *const *rows = run->rows;
    size_t n = run->n;
    const struct topset *set = &w->diff.groups.set;
    uint32_t *group = arena_alloc(&w->arena, n * sizeof *group);
    uint32_t *start = arena_alloc(&w->arena, (n + 1) * sizeof *start), ngroups = 0;
    for (size_t i = 0; i < n; i++) {
        bool same =
            i && (rows[i] == rows[i - 1] || topset_cmp_keys(set, rows[i - 1], rows[i]) == 0);
        if (!same)
            start[ngroups++] = (uint32_t)i;
        group[i] = ngroups - 1;
    }
    start[ngroups] = (uint32_t)n;
    *p = (struct win_part){w->op.ins[0]->layout, rows, n, run->base, group, start, ngroups};
    for (size_t i = 0; i < w->nframes; i++) {
        struct win_cursor *c = &w->frames[i].cursor;
        *c = (struct win_cursor){.frame = c->frame, .part = p, .order = &w->order};
    }
    for (size_t i = 0; i < w->ncalls; i++) {
        struct call *c = &w->calls[i];
        if (c->spec->is_agg)
            slide_begin(&c->slide, p, &w->arena);
        else
            c->cx =
                (struct win_ctx){.part = p, .frame = &w->frames[c->frame].rows, .arena = &w->arena};
    }
}

static bool eval_call(struct window *w, struct call *c, size_t at, struct value *out,
                      struct err *err)
{
    struct frame *f = &w->frames[c->frame];
    bool framed = c->spec->is_agg || c->spec->win.cls->framed;
    if (framed && !f->ok) {
        *err = f->err;
        return false;
    }
    if (c->spec->is_agg)
        return slide_to(&c->slide, &f->rows, out, err);
    c->cx.at = at;
    return c->spec->win.cls->eval(&c->spec->win, &c->cx, out, err);
}

/* The output row of the current row, or NULL. */
static const uint8_t *output_row(struct window *w, const struct win_part *p, size_t at,
                                 struct op_env *env)
{
    const uint8_t *results;
    struct err ignored;
    for (size_t i = 0; i < w->nframes; i++) {
        struct frame *f = &w->frames[i];
        f->ok = !f->needed || win_frame_at(&f->cursor, at, &w->arena, &f->rows, &f->err);
    }
    bool ok = true; /* the calls behind one that fails go on counting all the same */
    for (size_t i = 0; i < w->ncalls; i++)
        ok &= eval_call(w, &w->calls[i], at, &w->vals[i], ok ? &env->err : &ignored);
    if (!ok || !row_pack(w->results, w->vals, &w->arena, &results, &env->err))
        return NULL;
    return concat_rows(&w->concat, p->rows[at], results, env->step, &env->err);
}

/* What the calls will ask Postgres about these rows is asked at once. */
static void ask(struct window *w, const uint8_t *const *rows, size_t n)
{
    const struct layout *l = w->op.ins[0]->layout;
    struct delegate_task *tasks = arena_alloc(&w->arena, w->nasking * n * sizeof *tasks);
    for (size_t i = 0; i < w->nasking; i++)
        for (size_t k = 0; k < n; k++)
            tasks[i * n + k] =
                (struct delegate_task){.e = w->asking[i], .layout = {l}, .row = {rows[k]}};
    if (w->nasking)
        (void)delegate_collect(tasks, w->nasking * n); /* if it is lost the circuit sees it */
}

static void compute_part(void *ctx, const struct group_run *run, int64_t sign, struct op_env *env,
                         struct delta *out)
{
    struct window *w = ctx;
    struct win_part p;
    ask(w, run->rows, run->n);
    begin_part(w, &p, run);
    for (size_t i = run->from; i < run->to; i++) {
        struct change c = {output_row(w, &p, i, env), 1};
        if (c.row)
            VEC_PUSH(*out, c);
        else
            errset_add(env->errors, &env->err, sign);
    }
    for (size_t i = 0; i < w->ncalls; i++)
        if (w->calls[i].spec->is_agg)
            slide_end(&w->calls[i].slide);
    arena_reset(&w->arena);
}

static void step_window(struct op *op, struct op_env *env)
{
    group_diff_step(&((struct window *)op)->diff, op, env);
}

/* ------------------------------------------------------------ life and looks */

static void free_window(struct op *op)
{
    struct window *w = (struct window *)op;
    group_diff_fini(&w->diff);
    for (size_t i = 0; i < w->ncalls; i++)
        if (w->calls[i].spec->is_agg)
            slide_fini(&w->calls[i].slide);
    concat_fini(&w->concat);
    layout_unref(w->results);
    arena_fini(&w->arena);
    free(w->calls);
    free(w->frames);
    free(w->keys);
    free(w->vals);
    free(w->asking);
}

static void describe_call(const struct window_call *c, struct buf *b)
{
    uint32_t nargs = c->is_agg ? c->agg.spec.nown : c->win.nargs;
    buf_addf(b, "%s", c->is_agg ? c->agg.spec.cls->name : c->win.cls->name);
    if (nargs)
        op_describe_exprs(c->is_agg ? c->agg.args : c->win.args, nargs, b);
    if (c->is_agg && c->agg.filter) {
        buf_adds(b, " filter ");
        expr_print(c->agg.filter, NULL, b);
    }
    buf_addc(b, ' ');
    win_frame_print(c->frame, b);
}

static void describe_window(const struct op *op, struct buf *b)
{
    const struct window *w = (const struct window *)op;
    buf_adds(b, " of each ");
    op_describe_exprs(w->part, w->npart, b);
    buf_adds(b, " order by (");
    for (size_t i = 0; i < w->nkeys; i++)
        buf_addf(b, "%s#%u%s", i ? ", " : "", w->keys[i].col, w->keys[i].desc ? " desc" : "");
    buf_adds(b, "): ");
    for (size_t i = 0; i < w->ncalls; i++) {
        buf_adds(b, i ? ", " : "");
        describe_call(w->calls[i].spec, b);
    }
}

static struct op_stats stats_window(const struct op *op)
{
    const struct window *w = (const struct window *)op;
    struct op_stats s = group_diff_stats(&w->diff);
    s.bytes += w->arena.bytes;
    return s;
}

static const struct op_class window_class = {.name = "window",
                                             .step = step_window,
                                             .free = free_window,
                                             .describe = describe_window,
                                             .stats = stats_window,
                                             .consolidated = true};

static size_t find_frame(struct window *w, const struct win_frame *f)
{
    size_t i = 0;
    while (i < w->nframes && w->frames[i].cursor.frame != f)
        i++;
    if (i == w->nframes)
        w->frames[w->nframes++].cursor.frame = f;
    return i;
}

static void init_calls(struct window *w, const struct window_call *calls, size_t n)
{
    struct column_type *cts = xcalloc(n, sizeof *cts);
    w->ncalls = n;
    w->calls = xcalloc(n, sizeof *w->calls);
    w->frames = xcalloc(n, sizeof *w->frames);
    w->vals = xcalloc(n, sizeof *w->vals);
    for (size_t i = 0; i < n; i++) {
        struct call *c = &w->calls[i];
        c->spec = &calls[i];
        c->frame = find_frame(w, calls[i].frame);
        w->frames[c->frame].needed |= calls[i].is_agg || calls[i].win.cls->framed;
        if (calls[i].is_agg)
            slide_init(&c->slide, &calls[i].agg);
        cts[i] = *window_call_type(&calls[i]);
    }
    w->results = layout_new(cts, n);
    free(cts);
}

static void note_asking(void *ctx, const struct expr **e)
{
    struct window *w = ctx;
    if (!expr_is_delegated(*e))
        return;
    w->asking = xrealloc(w->asking, (w->nasking + 1) * sizeof *w->asking);
    w->asking[w->nasking++] = *e;
}

struct op *op_window(struct circuit *c, struct op *in, const struct expr *const *part, size_t npart,
                     const struct sort_key *keys, size_t nkeys, const struct window_call *calls,
                     size_t ncalls)
{
    struct window *w = NEW(struct window);
    w->keys = xcalloc(nkeys, sizeof *w->keys);
    for (size_t i = 0; i < nkeys; i++)
        w->keys[i] = keys[i];
    w->nkeys = nkeys;
    w->part = part;
    w->npart = npart;
    if (nkeys)
        w->order = (struct win_order){keys[0].col, keys[0].desc, keys[0].nulls_first};
    init_calls(w, calls, ncalls);
    concat_init(&w->concat, in->layout, w->results);
    arena_init(&w->arena);
    struct group_reach reach = window_reach(calls, ncalls);
    group_diff_init(&w->diff, in->layout, part, npart, w->keys, nkeys, &reach, compute_part, w);
    circuit_add(c, &w->op, &window_class, layout_ref(w->concat.layout), &in, 1);
    for (size_t i = 0; i < ncalls; i++)
        window_call_each((struct window_call *)&calls[i], note_asking, w);
    return &w->op;
}
