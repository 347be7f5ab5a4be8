/*
 * doubt_value: what of a value may be otherwise when Postgres is asked again. See doubt.h.
 *
 * To add an aggregate: its name in one of the lists; what is in none of them is in doubt.
 */
#include "engine/expr/pgfuncs.h"
#include "engine/plan/doubt_int.h"

void doubt_all(struct doubting *d, const char *why)
{
    if (!d->why)
        d->why = why;
}

enum doubt doubt_because(struct doubting *d, const char *why)
{
    if (!d->because)
        d->because = why;
    return DOUBT_ALL;
}

void doubt_note(struct doubting *d, uint32_t rel, uint32_t no, enum doubt doubt)
{
    if (doubt > doubt_of_column(d, rel, no))
        AVEC_PUSH(d->arena, d->columns, ((struct doubt_column){rel, no, doubt}));
}

enum doubt doubt_of_column(const struct doubting *d, uint32_t rel, uint32_t no)
{
    enum doubt most = DOUBT_NONE;
    for (size_t i = 0; i < d->columns.n; i++) {
        const struct doubt_column *c = &d->columns.v[i];
        if (c->rel == rel && c->no == no && c->doubt > most)
            most = c->doubt;
    }
    return most;
}

/* ------------------------------------------------------------ expressions */

static bool is_float(const struct type *t)
{
    return t->kind == TYPE_FLOAT8 || t->kind == TYPE_FLOAT4;
}

/* What becomes of a doubt on the way through a function: digits stay digits in floats, spellings
 * stay spellings in numbers; in anything else they may decide. */
static enum doubt passed_on(struct doubting *d, const struct expr *e, enum doubt of_args)
{
    const struct type *t = e->ct.type;
    bool plain = e->kind == EXPR_FUNC || e->kind == EXPR_RELABEL || e->kind == EXPR_COALESCE;
    if (of_args == DOUBT_NONE || of_args == DOUBT_ALL)
        return of_args;
    if (plain && (is_float(t) || (of_args == DOUBT_SPELLING && t->kind == TYPE_NUMERIC)))
        return of_args;
    return doubt_because(d, "what is calculated from values that are in doubt");
}

enum doubt doubt_of_expr(struct doubting *d, const struct expr *e)
{
    enum doubt most = DOUBT_NONE;
    if (e->kind == EXPR_COLUMN)
        return doubt_of_column(d, e->rel, e->col);
    for (uint32_t i = 0; i < e->nargs; i++) {
        enum doubt x = doubt_of_expr(d, e->args[i]);
        most = x > most ? x : most;
    }
    return passed_on(d, e, most);
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* IEEE 754 settles the rest. */
static const char *const of_the_c_library[] = {"dexp", "exp",    "dpow",  "pow", "power", "dlog1",
                                               "ln",   "dlog10", "log10", "log", NULL};

static bool is_of_the_c_library(const struct expr *e)
{
    if (e->kind == EXPR_FUNC && e->func && is_float(e->ct.type) &&
        is_among(e->func->name, of_the_c_library))
        return true;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (is_of_the_c_library(e->args[i]))
            return true;
    return false;
}

enum doubt doubt_of_result(struct doubting *d, const struct expr *e)
{
    enum doubt x = doubt_of_expr(d, e);
    if (x != DOUBT_ALL && is_of_the_c_library(e))
        return is_float(e->ct.type) ? DOUBT_DIGITS
                                    : doubt_because(d, "what is calculated from logarithms");
    return x;
}

/* ------------------------------------------------------------ spellings */

static enum doubt spelling_of(const struct type *t, int32_t typmod, const struct collation *coll)
{
    bool exact = !coll || coll->deterministic;
    switch (t->kind) {
    case TYPE_FLOAT4:
    case TYPE_FLOAT8: return DOUBT_SPELLING; /* 0, -0 */
    case TYPE_NUMERIC: return typmod >= 0 ? DOUBT_NONE : DOUBT_SPELLING;
    case TYPE_TEXT: return exact ? DOUBT_NONE : DOUBT_ALL;
    case TYPE_BPCHAR: return exact && typmod >= 0 ? DOUBT_NONE : DOUBT_ALL;
    case TYPE_INTERVAL: return DOUBT_ALL; /* 24 hours, 1 day */
    case TYPE_OPAQUE: break;
    default: return DOUBT_NONE;
    }
    switch (t->order) {
    case ORDER_ARRAY:
    case ORDER_RANGE:
    case ORDER_MULTIRANGE:
        return t->elem && !spelling_of(t->elem, -1, t->collation ? t->collation : coll) ? DOUBT_NONE
                                                                                        : DOUBT_ALL;
    case ORDER_MONEY:
    case ORDER_HEX:
    case ORDER_UNSIGNED:
    case ORDER_NETWORK: return DOUBT_NONE;
    case ORDER_RECORD:
        for (size_t i = 0; i < t->nfields; i++)
            if (spelling_of(t->fields[i].type, -1, t->fields[i].collation))
                return DOUBT_ALL;
        return t->nfields ? DOUBT_NONE : DOUBT_ALL;
    default: return t->text_is_identity ? DOUBT_NONE : DOUBT_ALL;
    }
}

enum doubt doubt_of_spelling(struct doubting *d, const struct column_type *ct)
{
    enum doubt x = spelling_of(ct->type, ct->typmod, ct->collation);
    return x == DOUBT_ALL ? doubt_because(d, "values that are equal but may be written differently")
                          : x;
}

/* ------------------------------------------------------------ aggregates */

static const char *const counting[] = {"count(*)", "count", "regr_count", NULL};
static const char *const exact[] = {"bool_and",  "bool_or", "bit_and",    "bit_or",
                                    "bit_xor",   "rank",    "dense_rank", "percent_rank",
                                    "cume_dist", NULL};
static const char *const choosing[] = {"min", "max", "single", "mode", "percentile_disc", NULL};
static const char *const summing[] = {"sum",        "avg",         "var_pop",         "var_samp",
                                      "stddev_pop", "stddev_samp", "percentile_cont", NULL};
static const char *const moments[] = {"regr_sxx",  "regr_syy",   "regr_sxy",   "regr_avgx",
                                      "regr_avgy", "regr_r2",    "regr_slope", "regr_intercept",
                                      "covar_pop", "covar_samp", "corr",       NULL};
static const char *const collecting[] = {"array_agg", "string_agg",      "json_agg",
                                         "jsonb_agg", "json_object_agg", NULL};

static bool is_sorted_by(const struct agg_spec *s, uint32_t arg)
{
    for (uint32_t i = 0; i < s->nsort; i++)
        if (s->sort[i].arg == arg)
            return true;
    return false;
}

/* What it shows is sorted by all of itself: rows that are equal there are equal. */
static bool shows_no_order(const struct group_agg *g)
{
    const struct agg_spec *s = &g->spec;
    for (uint32_t i = 0; i < s->nown; i++) {
        bool fixed = g->args[i] && g->args[i]->kind == EXPR_CONST;
        if (!fixed && ((s->nsort ? !is_sorted_by(s, i) : !g->distinct) ||
                       spelling_of(s->args[i].type, s->args[i].typmod, s->args[i].collation)))
            return false;
    }
    return true;
}

static enum doubt doubt_of_args(struct doubting *d, const struct group_agg *g)
{
    enum doubt most = DOUBT_NONE;
    for (uint32_t i = 0; i < g->spec.nargs; i++) {
        enum doubt x = g->args[i] ? doubt_of_expr(d, g->args[i]) : DOUBT_NONE;
        most = x > most ? x : most;
    }
    return most;
}

/* A sum's digits hang on the order of its addends, where they are floats. */
static enum doubt of_sum(struct doubting *d, const struct group_agg *g, enum doubt args)
{
    bool one_of_equals = g->distinct && g->spec.nargs;
    if (args > DOUBT_SPELLING && !is_float(g->spec.result.type))
        return doubt_because(d, "an aggregate of values that are in doubt");
    if (is_float(g->spec.result.type))
        return DOUBT_DIGITS;
    if (g->spec.result.type->kind == TYPE_NUMERIC)
        return args || (one_of_equals && doubt_of_spelling(d, &g->spec.args[0])) ? DOUBT_SPELLING
                                                                                 : DOUBT_NONE;
    return args ? doubt_because(d, "an aggregate of values that are in doubt") : DOUBT_NONE;
}

static enum doubt of_collection(struct doubting *d, const struct group_agg *g, enum doubt args,
                                bool total)
{
    if (args)
        return doubt_because(d, "an aggregate of values that are in doubt");
    return total || shows_no_order(g)
               ? DOUBT_NONE
               : doubt_because(d,
                               "an aggregate that shows the order of its rows, which isn't given");
}

enum doubt doubt_of_agg(struct doubting *d, const struct group_agg *g, bool total)
{
    const char *name = g->spec.cls->name;
    enum doubt args = doubt_of_args(d, g);
    if (args == DOUBT_ALL || (args == DOUBT_DIGITS && g->distinct))
        return doubt_because(d, "an aggregate of values that are in doubt");
    if (is_among(name, counting))
        return DOUBT_NONE;
    if (is_among(name, exact))
        return args ? doubt_because(d, "an aggregate of values that are in doubt") : DOUBT_NONE;
    if (is_among(name, choosing)) {
        enum doubt x = g->spec.nargs ? doubt_of_spelling(d, &g->spec.args[0]) : DOUBT_NONE;
        return g->spec.cls->name[0] == 's' || x < args ? args : x; /* single chooses nothing */
    }
    if (is_among(name, summing))
        return of_sum(d, g, args);
    if (is_among(name, moments))
        return DOUBT_DIGITS;
    if (is_among(name, collecting))
        return of_collection(d, g, args, total);
    return doubt_because(d, "an aggregate that may show the order of its rows, which isn't given");
}

/* ------------------------------------------------------------ window functions */

static const char *const ranking[] = {"rank", "dense_rank", "percent_rank", "cume_dist", NULL};

/* Rows that are equal on the ORDER BY are in the frame together, or not at all. */
static bool takes_peers_together(const struct win_frame *f)
{
    bool whole = f->start.kind == BOUND_UNBOUNDED && f->end.kind == BOUND_UNBOUNDED;
    return (whole || f->mode != FRAME_ROWS) &&
           (f->exclude == EXCLUDE_NOTHING || f->exclude == EXCLUDE_GROUP);
}

enum doubt doubt_of_window(struct doubting *d, const struct window_call *w, bool total)
{
    if (!w->is_agg && is_among(w->win.cls->name, ranking))
        return DOUBT_NONE;
    if (!total && !(w->is_agg && takes_peers_together(w->frame)))
        return doubt_because(d, "a window function whose ORDER BY doesn't tell all rows apart");
    if (w->is_agg && w->agg.filter && doubt_of_expr(d, w->agg.filter))
        return doubt_because(d, "an aggregate of values that are in doubt");
    if (w->is_agg)
        return doubt_of_agg(d, &w->agg, total);
    enum doubt most = DOUBT_NONE;
    for (uint32_t i = 0; i < w->win.nargs; i++) {
        enum doubt x = doubt_of_expr(d, w->win.args[i]);
        most = x > most ? x : most;
    }
    return most;
}
