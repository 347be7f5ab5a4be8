/*
 * gen_agg: aggregates and window functions, with whatever order it takes for one answer only. See
 * gen.h.
 */
#include "tests/fuzz/gen.h"

#define N(kind, ...) node_new(g->arena, kind, __VA_ARGS__)
#define E(type)      gen_expr(g, s, type, 1)

const char *gen_direction(struct gen *g)
{
    static const char *const directions[] = {
        "", "", " DESC", " DESC NULLS LAST", " NULLS FIRST", " DESC"};
    return directions[gen_pick(g, sizeof directions / sizeof *directions)];
}

struct node *gen_total_order(struct gen *g, const struct gen_scope *s)
{
    struct node *list = NULL;
    size_t n = s->cols.n, first = gen_pick(g, (unsigned)n);
    for (size_t i = 0; i < n; i++)
        list = node_append(g->arena, list,
                           N(K_TEXT_ONLY, "%s%s%s", list ? ", " : "",
                             s->cols.v[(first + i) % n].name, gen_direction(g)));
    return list ? list : N(K_TEXT_ONLY, "1");
}

static struct node *filter(struct gen *g, struct gen_scope *s)
{
    return gen_chance(g, 20)
               ? node_optional(N(K_TEXT_ONLY, " FILTER (WHERE %n)", gen_bool(g, s, 1)))
               : NULL;
}

/* One whose result doesn't depend on the order of its input; without FILTER. */
static struct node *unordered(struct gen *g, struct gen_scope *s, enum kind type)
{
    const char *d = gen_chance(g, 25) ? "DISTINCT " : "", *mm = gen_chance(g, 50) ? "min" : "max";
    switch (type) {
    case K_BIG:
        switch (gen_pick(g, 4)) {
        case 0: return N(type, "count(*)");
        case 1: return N(type, "count(%s%n)", d, E(gen_type(g)));
        case 2: return N(type, "sum(%s%n)", d, E(K_INT));
        default: return N(type, "%s(%n)", mm, E(K_BIG));
        }
    case K_NUM:
        switch (gen_pick(g, 7)) {
        case 0: return N(type, "sum(%s%n)", d, E(K_NUM));
        case 1: return N(type, "avg(%s%n)", d, E(K_NUM));
        case 2: return N(type, "avg(%s%n)", d, E(K_INT));
        case 3: return N(type, "sum(%s%n)", d, E(K_BIG));
        case 4: return N(type, "%s(%n)", gen_chance(g, 50) ? "var_pop" : "stddev", E(K_INT));
        case 5: return N(type, "variance(%n)", E(K_NUM));
        default: return N(type, "%s(%n)", mm, E(K_NUM));
        }
    case K_FLOAT:
        return N(type, "%s(%n)",
                 gen_chance(g, 50)   ? mm
                 : gen_chance(g, 50) ? "sum"
                                     : "avg",
                 E(K_FLOAT));
    case K_BOOL: return N(type, "%s(%n)", gen_chance(g, 50) ? "bool_and" : "bool_or", E(K_BOOL));
    case K_INT:
        return N(type, "%s(%n)",
                 gen_chance(g, 70)   ? mm
                 : gen_chance(g, 50) ? "bit_or"
                                     : "bit_and",
                 E(K_INT));
    case K_IV: return N(type, "%s(%n)", gen_chance(g, 60) ? mm : "sum", E(K_IV));
    case K_RANGE: return N(type, "range_merge(range_agg(%n))", E(K_RANGE));
    case K_JSON:
    case K_BYTEA: return NULL;
    default: return N(type, "%s(%n)", mm, E(type));
    }
}

static struct node *ordered(struct gen *g, struct gen_scope *s, enum kind type)
{
    struct node *x;
    switch (type) {
    case K_TEXT:
        x = gen_column_ref(g, s, K_TEXT);
        return x ? gen_chance(g, 40) ? N(type, "string_agg(DISTINCT %n, ',' ORDER BY %n%s)", x, x,
                                         gen_direction(g))
                                     : N(type, "string_agg(%n, '|' ORDER BY %n)", E(K_TEXT),
                                         gen_total_order(g, s))
                 : NULL;
    case K_ARR: return N(type, "array_agg(%n ORDER BY %n)", E(K_INT), gen_total_order(g, s));
    case K_JSON: return N(type, "jsonb_agg(%n ORDER BY %n)", E(gen_type(g)), gen_total_order(g, s));
    case K_INT:
    case K_DATE:
    case K_NUM:
        return N(type, "%s WITHIN GROUP (ORDER BY %n%s)",
                 gen_chance(g, 50) ? "percentile_disc(0.5)" : "mode()", E(type), gen_direction(g));
    case K_FLOAT: return N(type, "percentile_cont(0.25) WITHIN GROUP (ORDER BY %n)", E(K_FLOAT));
    case K_BIG: return N(type, "rank(1) WITHIN GROUP (ORDER BY %n)", E(K_INT));
    default: return NULL;
    }
}

struct node *gen_aggregate(struct gen *g, struct gen_scope *s, enum kind type)
{
    struct node *n = gen_chance(g, 25) || type == K_JSON ? ordered(g, s, type) : NULL;
    if (!n)
        n = unordered(g, s, type);
    return n ? N(type, "%n%n", n, filter(g, s)) : NULL;
}

/* ---- window functions ------------------------------------------------------------------------ */

static const char *frame(struct gen *g)
{
    static const char *const frames[] = {
        "",
        "",
        " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
        " ROWS UNBOUNDED PRECEDING",
        " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
        " RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
        " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
        " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
        " ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW",
        " GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES",
        " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP",
    };
    return frames[gen_pick(g, sizeof frames / sizeof *frames)];
}

static struct node *partition(struct gen *g, struct gen_scope *s)
{
    return gen_chance(g, 60) ? node_optional(N(K_TEXT_ONLY, "PARTITION BY %n ", E(gen_type(g))))
                             : NULL;
}

/* A window whose order is total, so that every frame has one content. */
static struct node *total_window(struct gen *g, struct gen_scope *s)
{
    return N(K_TEXT_ONLY, "(%nORDER BY %n%n)", partition(g, s), gen_total_order(g, s),
             node_optional(N(K_TEXT_ONLY, "%s", frame(g))));
}

/* A window with peers, for what treats them alike. */
static struct node *loose_window(struct gen *g, struct gen_scope *s)
{
    switch (gen_pick(g, 4)) {
    case 0: return N(K_TEXT_ONLY, "(%n)", partition(g, s));
    case 1:
        return N(K_TEXT_ONLY, "(%nORDER BY %n%s RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING)",
                 partition(g, s), E(K_INT), gen_chance(g, 50) ? " DESC" : "");
    case 2:
        return N(K_TEXT_ONLY,
                 "(%nORDER BY %n RANGE BETWEEN interval '1 day' PRECEDING AND CURRENT ROW)",
                 partition(g, s), E(K_DATE));
    default:
        return N(K_TEXT_ONLY, "(%nORDER BY %n%s)", partition(g, s), E(gen_type(g)),
                 gen_direction(g));
    }
}

static struct node *window_function(struct gen *g, struct gen_scope *s, enum kind type)
{
    switch (gen_pick(g, 5)) {
    case 0: return N(type, "lag(%n)", E(type));
    case 1: return N(type, "lead(%n, 2, %n)", E(type), gen_literal(g, type));
    case 2: return N(type, "first_value(%n)", E(type));
    case 3: return N(type, "last_value(%n)", E(type));
    default: return N(type, "nth_value(%n, 2)", E(type));
    }
}

/* NULL where there is none of the type. */
static struct node *windowed_aggregate(struct gen *g, struct gen_scope *s, enum kind type)
{
    struct node *agg;
    switch (type) {
    case K_BIG: agg = N(type, "count(%n)", E(gen_type(g))); break;
    case K_NUM: agg = N(type, "sum(%n)", E(K_NUM)); break;
    case K_BOOL: agg = N(type, "bool_or(%n)", E(K_BOOL)); break;
    case K_JSON:
    case K_ARR:
    case K_RANGE:
    case K_BYTEA: return NULL;
    default: agg = N(type, "max(%n)", E(type)); break;
    }
    return N(type, "%n%n", agg, filter(g, s));
}

struct node *gen_window(struct gen *g, struct gen_scope *s, enum kind type)
{
    static const char *const ranks[] = {"rank()", "dense_rank()"};
    bool may_place = !g->placed;
    if (type == K_BIG && gen_chance(g, 50)) {
        if (may_place && gen_chance(g, 50)) {
            g->placed = true;
            return N(type, "row_number() OVER %n", total_window(g, s));
        }
        return N(type, "%s OVER (%nORDER BY %n)", ranks[gen_pick(g, 2)], partition(g, s),
                 E(gen_type(g)));
    }
    if (type == K_FLOAT && gen_chance(g, 50))
        return N(type, "%s OVER (%nORDER BY %n)",
                 gen_chance(g, 50) ? "percent_rank()" : "cume_dist()", partition(g, s),
                 E(gen_type(g)));
    bool place = may_place && gen_chance(g, 50);
    struct node *f = place ? gen_chance(g, 60) ? window_function(g, s, type)
                             : type == K_INT   ? N(type, "ntile(2)")
                                               : windowed_aggregate(g, s, type)
                           : windowed_aggregate(g, s, type);
    if (!f)
        return gen_expr(g, s, type, 1);
    g->placed |= place;
    return N(type, "%n OVER %n", f, place ? total_window(g, s) : loose_window(g, s));
}
