/*
 * bind_window: window functions.
 *
 * They are met one by one while the select list is bound, above the grouping. Each becomes a column
 * of a window node; nodes are made when the select list is complete, one above the other, one for
 * each PARTITION BY and ORDER BY that is different (frames may differ within a node):
 *
 *     SELECT rank() OVER w, sum(x + 1) OVER (ORDER BY y) FROM t WINDOW w AS (PARTITION BY a % 2 ORDER BY b)
 *
 *     window by y: sum(x + 1)
 *       window of each a % 2 by b: rank()
 *         project …, a % 2
 *
 * What is partitioned and ordered by are entries of the select list; those that are no plain columns
 * are computed below the lowest node, by a projection that leaves all other columns what they are.
 * Offsets of frames are constants: they are evaluated, and checked, here.
 */
#include "engine/sql/bind.h"

#include "engine/sql/refuse.h"

/* Windows with one PARTITION BY and ORDER BY. */
struct window_def {
    const struct pgnode *clause; /* the first of them */
    uint32_t rel;
    struct {
        const struct pgnode **v;
        size_t n, cap;
    } nodes; /* of the calls: column no - 1 */
    struct {
        struct window_call *v;
        size_t n, cap;
    } calls;
};

struct window_frame {
    const struct pgnode *clause;
    const struct win_frame *frame;
};

struct windowing {
    struct {
        struct window_def **v;
        size_t n, cap;
    } defs;
    struct {
        struct window_frame *v;
        size_t n, cap;
    } frames;
};

/* ------------------------------------------------------------ frames */

/* WINDOWCLAUSE's frameOptions. */
enum {
    OPTION_RANGE = 0x2,
    OPTION_GROUPS = 0x8,
    START_UNBOUNDED_PRECEDING = 0x20,
    END_UNBOUNDED_FOLLOWING = 0x100,
    START_OFFSET_PRECEDING = 0x800,
    END_OFFSET_PRECEDING = 0x1000,
    START_OFFSET_FOLLOWING = 0x2000,
    END_OFFSET_FOLLOWING = 0x4000,
    OPTION_EXCLUDE_CURRENT_ROW = 0x8000,
    OPTION_EXCLUDE_GROUP = 0x10000,
    OPTION_EXCLUDE_TIES = 0x20000
};

/* Which fields and bits make a bound. */
static const struct bound_form {
    const char *name, *offset, *in_range;
    int64_t unbounded, preceding, following;
} bound_forms[2] = {
    {"starting", "startOffset", "startInRangeFunc", START_UNBOUNDED_PRECEDING,
     START_OFFSET_PRECEDING, START_OFFSET_FOLLOWING},
    {"ending", "endOffset", "endInRangeFunc", END_UNBOUNDED_FOLLOWING, END_OFFSET_PRECEDING,
     END_OFFSET_FOLLOWING},
};

static bool bind_offset(struct binder *b, const struct pgnode *clause, const struct bound_form *f,
                        enum win_mode mode, struct win_bound *out)
{
    if (!bind_constant(b, pgn_field(clause, f->offset), "a window frame", &out->offset_ct,
                       &out->offset))
        return false;
    if (out->offset.null)
        return err_set(b->err, "22004", "frame %s offset must not be null", f->name);
    if (mode == FRAME_RANGE) {
        out->in_range = in_range_lookup(pgn_oid(clause, f->in_range));
        return out->in_range || err_soft(b->err, "a RANGE frame with an offset of type %s",
                                         out->offset_ct.type->name);
    }
    if (out->offset_ct.type->oid != OID_INT8)
        return bind_broken(b, "a frame offset that isn't bigint");
    return out->offset.i >= 0 ||
           err_set(b->err, "22013", "frame %s offset must not be negative", f->name);
}

static bool bind_bound(struct binder *b, const struct pgnode *clause, const struct bound_form *f,
                       enum win_mode mode, struct win_bound *out)
{
    int64_t options = pgn_int(clause, "frameOptions");
    *out = (struct win_bound){.kind = BOUND_CURRENT};
    if (options & f->unbounded)
        out->kind = BOUND_UNBOUNDED;
    else if (options & f->preceding)
        out->kind = BOUND_PRECEDING;
    else if (options & f->following)
        out->kind = BOUND_FOLLOWING;
    bool offset = out->kind == BOUND_PRECEDING || out->kind == BOUND_FOLLOWING;
    return !offset || bind_offset(b, clause, f, mode, out);
}

static const struct win_frame *bind_frame(struct binder *b, struct windowing *w,
                                          const struct pgnode *clause)
{
    int64_t options = pgn_int(clause, "frameOptions");
    for (size_t i = 0; i < w->frames.n; i++)
        if (w->frames.v[i].clause == clause)
            return w->frames.v[i].frame;
    struct win_frame *f = ARENA_NEW(b->arena, struct win_frame);
    f->mode = options & OPTION_GROUPS  ? FRAME_GROUPS
              : options & OPTION_RANGE ? FRAME_RANGE
                                       : FRAME_ROWS;
    f->exclude = options & OPTION_EXCLUDE_CURRENT_ROW ? EXCLUDE_CURRENT_ROW
                 : options & OPTION_EXCLUDE_GROUP     ? EXCLUDE_GROUP
                 : options & OPTION_EXCLUDE_TIES      ? EXCLUDE_TIES
                                                      : EXCLUDE_NOTHING;
    if (!bind_bound(b, clause, &bound_forms[0], f->mode, &f->start) ||
        !bind_bound(b, clause, &bound_forms[1], f->mode, &f->end))
        return NULL;
    if ((f->start.in_range || f->end.in_range) && pgn_field(clause, "orderClause")->n != 1) {
        bind_broken(b, "a RANGE offset without one column to order by");
        return NULL;
    }
    struct window_frame entry = {clause, f};
    AVEC_PUSH(b->scratch, w->frames, entry);
    return f;
}

/* ------------------------------------------------------------ calls */

static const struct pgnode *find_clause(struct binder *b, struct scope *sc, int64_t winref)
{
    const struct pgnode *clauses = sc->query ? pgn_field(sc->query, "windowClause") : NULL;
    for (uint32_t i = 0; clauses && i < clauses->n; i++)
        if (pgn_int(clauses->items[i], "winref") == winref)
            return clauses->items[i];
    bind_broken(b, "a window function without its window");
    return NULL;
}

/* The def of windows that partition and order like this one. */
static struct window_def *find_def(struct binder *b, struct windowing *w,
                                   const struct pgnode *clause)
{
    static const char *const fields[] = {"partitionClause", "orderClause"};
    for (size_t i = 0; i < w->defs.n; i++) {
        bool same = true;
        for (int k = 0; k < 2; k++)
            same &= pgn_equal(pgn_field(w->defs.v[i]->clause, fields[k]),
                              pgn_field(clause, fields[k]), NULL, NULL);
        if (same)
            return w->defs.v[i];
    }
    struct window_def *def = ARENA_NEW(b->scratch, struct window_def);
    def->clause = clause;
    def->rel = b->next_rel++;
    AVEC_PUSH(b->scratch, w->defs, def);
    return def;
}

static bool bind_win_args(struct binder *b, struct scope *sc, const struct pgnode *node, size_t max,
                          const struct expr **out, size_t *n)
{
    const struct pgnode *args = pgn_field(node, "args");
    *n = args->n;
    if (args->n > max)
        return err_soft(b->err, "a window function of more than %zu arguments", max);
    for (uint32_t i = 0; i < args->n; i++)
        if (!(out[i] = bind_expr(b, sc, args->items[i])))
            return false;
    return true;
}

/* An aggregate that keeps an order keeps that of the frame's rows: their number in the partition, which
 * op_window knows, is what it sorts by. */
static bool bind_win_agg(struct binder *b, struct scope *sc, const struct pgnode *node,
                         struct agg_call *call, struct group_agg *agg)
{
    const struct pgnode *filter = pgn_field(node, "aggfilter");
    uint32_t inputcoll = pgn_oid(node, "inputcollid");
    struct column_type types[AGG_MAX_ARGS], number = {type_native(OID_INT8), -1, NULL};
    struct agg_sort by_number = {0};
    if (!bind_win_args(b, sc, node, AGG_MAX_ARGS - 1, agg->args, &call->nown))
        return false;
    if (!pgn_is_null(filter) && !(agg->filter = bind_expr(b, sc, filter)))
        return false;
    if (inputcoll && !(call->collation = b->cat->collation(b->cat->ctx, inputcoll, b->err)))
        return false;
    for (size_t i = 0; i < call->nown; i++)
        types[i] = agg->args[i]->ct;
    call->args = types;
    call->nargs = call->nown;
    if (!agg_resolve(call, &agg->spec, b->err))
        return false;
    if (!agg->spec.cls->result)
        return err_soft(b->err, "aggregate %s as a window function", call->name);
    if (!agg->spec.cls->ordered)
        return true;
    by_number.arg = (uint32_t)call->nargs;
    types[call->nargs] = number;
    agg->args[call->nargs++] = expr_const(b->arena, value_int(0), number);
    call->sort = &by_number;
    call->nsort = 1;
    return agg_resolve(call, &agg->spec, b->err);
}

static bool bind_call(struct binder *b, struct scope *sc, const struct pgnode *node,
                      struct window_call *call)
{
    char volatility;
    uint32_t fn = pgn_oid(node, "winfnoid");
    const char *name = arena_strdup(b->arena, b->cat->function_name(b->cat->ctx, fn, &volatility));
    struct column_type result;
    size_t nargs;
    call->is_agg = pgn_bool(node, "winagg");
    if (!bind_type(b, pgn_oid(node, "wintype"), -1, pgn_oid(node, "wincollid"), &result))
        return false;
    if (call->is_agg) {
        struct agg_call agg = {.fnoid = fn, .name = name, .result = result};
        return bind_win_agg(b, sc, node, &agg, &call->agg);
    }
    if (!bind_win_args(b, sc, node, WIN_MAX_ARGS, call->win.args, &nargs))
        return false;
    call->win.nargs = (uint32_t)nargs;
    call->win.result = result;
    call->win.cls = win_lookup(fn, nargs);
    return call->win.cls || err_soft(b->err, "window function %s", name);
}

const struct expr *bind_window_func(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *clause = find_clause(b, sc, pgn_int(node, "winref"));
    struct window_call call = {0};
    if (!clause)
        return NULL;
    if (!sc->windows)
        sc->windows = ARENA_NEW(b->scratch, struct windowing);
    struct window_def *def = find_def(b, sc->windows, clause);
    size_t i = 0;
    while (i < def->nodes.n && !pgn_equal(def->nodes.v[i], node, bind_resolve_alias, sc))
        i++;
    if (i == def->nodes.n) {
        call.frame = bind_frame(b, sc->windows, clause);
        if (!call.frame || !bind_call(b, sc, node, &call))
            return NULL;
        AVEC_PUSH(b->scratch, def->nodes, node);
        AVEC_PUSH(b->scratch, def->calls, call);
    }
    struct lcol c = {def->rel, (uint32_t)i + 1, *window_call_type(&def->calls.v[i]), ""};
    return lcol_expr(b->arena, &c);
}

/* ------------------------------------------------------------ nodes */

/* What is partitioned and ordered by, as columns. */
struct window_keys {
    struct binder *b;
    struct logical *in;
    const struct pgnode *targets;
    const struct expr *const *exprs; /* of the targets */
    uint32_t rel;                    /* of those that are computed */
    struct exprs computed;
};

static bool find_key(struct window_keys *k, const struct pgnode *clause, struct logical_id *id,
                     struct column_type *ct)
{
    int64_t at = bind_sortgroup_entry(k->b, k->targets, clause);
    if (at < 0)
        return false;
    const struct expr *e = k->exprs[at];
    *ct = e->ct;
    if (e->kind == EXPR_COLUMN && logical_find(k->in, e->rel, e->col)) {
        *id = (struct logical_id){e->rel, e->col};
        return true;
    }
    size_t i = 0;
    while (i < k->computed.n && k->computed.v[i] != e)
        i++;
    if (i == k->computed.n)
        AVEC_PUSH(k->b->arena, k->computed, e);
    *id = (struct logical_id){k->rel, (uint32_t)i + 1};
    return true;
}

static bool bind_keys(struct window_keys *k, const struct window_def *def, struct logical *n)
{
    struct binder *b = k->b;
    const struct pgnode *part = pgn_field(def->clause, "partitionClause");
    const struct pgnode *order = pgn_field(def->clause, "orderClause");
    struct column_type ct;
    struct logical_id id;
    n->npart = part->n;
    n->part = ARENA_ARRAY(b->arena, struct logical_id, part->n);
    for (uint32_t i = 0; i < part->n; i++)
        if (!find_key(k, part->items[i], &n->part[i], &ct) ||
            !bind_needs_equality(b, &ct, "PARTITION BY"))
            return false;
    n->nsort = order->n;
    n->sort = ARENA_ARRAY(b->arena, struct logical_sort, order->n);
    for (uint32_t i = 0; i < order->n; i++) {
        const struct pgnode *clause = order->items[i];
        struct logical_sort *s = &n->sort[i];
        if (!find_key(k, clause, &id, &ct))
            return false;
        *s = (struct logical_sort){id.rel, id.no, false, pgn_bool(clause, "nulls_first")};
        if (!bind_sort_order(b, clause, &ct, "ORDER BY", &s->desc))
            return false;
    }
    return true;
}

/* All columns of `in` as they are, and the computed ones. */
static struct logical *compute_keys(struct window_keys *k)
{
    struct binder *b = k->b;
    size_t n = k->in->ncols + k->computed.n;
    const struct expr **exprs = ARENA_ARRAY(b->arena, const struct expr *, n);
    if (!k->computed.n)
        return k->in;
    for (size_t i = 0; i < n; i++)
        exprs[i] = i < k->in->ncols ? lcol_expr(b->arena, &k->in->cols[i])
                                    : k->computed.v[i - k->in->ncols];
    struct logical *p = logical_project(b->arena, k->in, k->rel, exprs, NULL, n);
    for (size_t i = 0; i < n; i++) {
        if (i < k->in->ncols)
            p->cols[i] = k->in->cols[i];
        else
            p->cols[i].no = (uint32_t)(i - k->in->ncols) + 1;
    }
    return p;
}

/* Puts the node above its input, once that is complete. */
static struct logical *finish_node(struct binder *b, struct logical *n, struct logical *in,
                                   const struct window_def *def)
{
    char volatility;
    n->in[0] = in;
    n->rel = def->rel;
    n->nwins = def->calls.n;
    n->wins = arena_memdup(b->arena, def->calls.v, n->nwins * sizeof *n->wins);
    n->winno = ARENA_ARRAY(b->arena, uint32_t, n->nwins);
    n->ncols = in->ncols + n->nwins;
    n->cols = ARENA_ARRAY(b->arena, struct lcol, n->ncols);
    for (size_t i = 0; i < in->ncols; i++)
        n->cols[i] = in->cols[i];
    for (size_t i = 0; i < n->nwins; i++) {
        const char *name =
            b->cat->function_name(b->cat->ctx, pgn_oid(def->nodes.v[i], "winfnoid"), &volatility);
        size_t len = 0;
        while (name[len] && name[len] != '(')
            len++;
        n->winno[i] = (uint32_t)i + 1;
        n->cols[in->ncols + i] = (struct lcol){n->rel, n->winno[i], *window_call_type(&n->wins[i]),
                                               arena_strndup(b->arena, name, len)};
    }
    return n;
}

struct logical *bind_windows_end(struct binder *b, struct scope *sc, struct logical *in,
                                 const struct expr *const *targets)
{
    struct windowing *w = sc->windows;
    struct window_keys k = {.b = b,
                            .in = in,
                            .targets = pgn_field(sc->query, "targetList"),
                            .exprs = targets,
                            .rel = b->next_rel++};
    struct logical **nodes = ARENA_ARRAY(b->scratch, struct logical *, w->defs.n);
    for (size_t i = 0; i < w->defs.n; i++) {
        nodes[i] = logical_new(b->arena, LOGICAL_WINDOW, 1);
        if (!bind_keys(&k, w->defs.v[i], nodes[i]))
            return NULL;
    }
    in = compute_keys(&k);
    for (size_t i = 0; i < w->defs.n; i++)
        in = finish_node(b, nodes[i], in, w->defs.v[i]);
    return in;
}
