/*
 * gen_expr: expressions of a wanted type over what is in sight. See gen.h.
 *
 * Numbers stay small: products only of a value and a literal, so that nothing overflows. What can
 * fail at run time sets g->risky: where Postgres evaluates it is then up to its planner.
 */
#include "tests/fuzz/gen.h"

#define N(kind, ...) node_new(g->arena, kind, __VA_ARGS__)

void gen_scope_fini(struct gen_scope *s)
{
    VEC_FREE(s->cols);
}

struct node *gen_literal(struct gen *g, enum kind type)
{
    const char *v = gen_value(g, type);
    if ((type == K_INT || type == K_BOOL || type == K_NUM) && v[0] != 'N')
        return N(type, v[0] == '-' ? "(%s)" : "%s", v);
    return N(type, v[0] == '-' ? "(%s)::%s" : "%s::%s", v, KIND_TYPES[type]);
}

struct node *gen_column_ref(struct gen *g, struct gen_scope *s, enum kind type)
{
    for (; s; s = gen_chance(g, 70) ? s->outer : NULL) {
        unsigned count = 0;
        for (size_t i = 0; i < s->cols.n; i++)
            count += s->cols.v[i].type == type;
        if (!count || (s->outer && gen_chance(g, 25)))
            continue;
        unsigned which = gen_pick(g, count);
        for (size_t i = 0; i < s->cols.n; i++)
            if (s->cols.v[i].type == type && which-- == 0)
                return N(type, "%s", s->cols.v[i].name);
    }
    return NULL;
}

static struct node *leaf(struct gen *g, struct gen_scope *s, enum kind type)
{
    struct node *n = gen_chance(g, 85) ? gen_column_ref(g, s, type) : NULL;
    return n ? n : gen_literal(g, type);
}

#define E(type) gen_expr(g, s, type, depth - 1)
#define B       gen_bool(g, s, depth - 1)

/* What every type has. */
static struct node *common(struct gen *g, struct gen_scope *s, enum kind t, int depth)
{
    switch (gen_pick(g, 9)) {
    case 0: return N(t, "coalesce(%n, %n)", E(t), E(t));
    case 1: return N(t, "nullif(%n, %n)", E(t), E(t));
    case 2: return N(t, "CASE WHEN %n THEN %n ELSE %n END", B, E(t), E(t));
    case 3: return N(t, "CASE WHEN %n THEN %n WHEN %n THEN %n END", B, E(t), B, E(t));
    case 4: return N(t, "CASE %n WHEN 1 THEN %n WHEN 2 THEN %n END", E(K_INT), E(t), E(t));
    case 5: return N(t, "%s(%n, %n)", gen_chance(g, 50) ? "greatest" : "least", E(t), E(t));
    default: return gen_has(g, GEN_SUBQUERY) ? gen_scalar_query(g, s, t, depth - 1) : leaf(g, s, t);
    }
}

static struct node *int_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 14)) {
    case 0: return N(K_INT, "(%n + %n)", E(K_INT), E(K_INT));
    case 1: return N(K_INT, "(%n - %n)", E(K_INT), E(K_INT));
    case 2: return N(K_INT, "(%n * %d)", E(K_INT), (int)gen_pick(g, 4));
    case 3: return N(K_INT, "(%n %% 3)", E(K_INT));
    case 4: return N(K_INT, "abs(%n)", E(K_INT));
    case 5: return N(K_INT, "length(%n)", E(K_TEXT));
    case 6: return N(K_INT, "(%n - %n)", E(K_DATE), E(K_DATE));
    case 7: return N(K_INT, "(%n)::int", E(K_BOOL));
    case 8: return N(K_INT, "cardinality(%n)", E(K_ARR));
    case 9: return N(K_INT, "(%n)[%d]", E(K_ARR), 1 + (int)gen_pick(g, 2));
    case 10: return N(K_INT, "(%n & %n)", E(K_INT), E(K_INT));
    case 11: return N(K_INT, "extract(day FROM %n)::int", E(K_DATE));
    case 12: return N(K_INT, "(%n / 2)", E(K_INT));
    default:
        if (!gen_chance(g, 15))
            return N(K_INT, "(-%n)", E(K_INT));
        g->risky = true;
        return N(K_INT, "(10 / %n)", E(K_INT));
    }
}

static struct node *big_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 5)) {
    case 0: return N(K_BIG, "(%n)::bigint", E(K_INT));
    case 1: return N(K_BIG, "(%n + %n)", E(K_BIG), E(K_INT));
    case 2: return N(K_BIG, "(%n - %n)", E(K_BIG), E(K_BIG));
    case 3: return N(K_BIG, "(%n %% 5)", E(K_BIG));
    default: return N(K_BIG, "(%n * 2)", E(K_BIG));
    }
}

static struct node *num_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 10)) {
    case 0: return N(K_NUM, "(%n + %n)", E(K_NUM), E(K_NUM));
    case 1: return N(K_NUM, "(%n - %n)", E(K_NUM), E(K_INT));
    case 2: return N(K_NUM, "(%n * 1.5)", E(K_NUM));
    case 3: return N(K_NUM, "round(%n, 1)", E(K_NUM));
    case 4: return N(K_NUM, "(%n / 4)", E(K_NUM));
    case 5: return N(K_NUM, "abs(%n)", E(K_NUM));
    case 6: return N(K_NUM, "(%n)::numeric", E(K_INT));
    case 7: return N(K_NUM, "trunc(%n)", E(K_NUM));
    case 8: return N(K_NUM, "extract(epoch FROM %n)", E(K_TS));
    default: return N(K_NUM, "(%n)::numeric(8,2)", E(K_NUM));
    }
}

static struct node *float_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 5)) {
    case 0: return N(K_FLOAT, "(%n + %n)", E(K_FLOAT), E(K_FLOAT));
    case 1: return N(K_FLOAT, "(%n * 2)", E(K_FLOAT));
    case 2: return N(K_FLOAT, "(%n)::float8", E(K_INT));
    case 3: return N(K_FLOAT, "floor(%n)", E(K_FLOAT));
    default: return N(K_FLOAT, "(%n / 2)", E(K_FLOAT));
    }
}

static struct node *text_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 14)) {
    case 0: return N(K_TEXT, "(%n || %n)", E(K_TEXT), E(K_TEXT));
    case 1: return N(K_TEXT, "upper(%n)", E(K_TEXT));
    case 2: return N(K_TEXT, "lower(%n)", E(K_TEXT));
    case 3: return N(K_TEXT, "left(%n, %d)", E(K_TEXT), (int)gen_pick(g, 3));
    case 4: return N(K_TEXT, "substr(%n, 2)", E(K_TEXT));
    case 5: return N(K_TEXT, "(%n)::text", E(gen_type(g)));
    case 6: return N(K_TEXT, "replace(%n, 'a', 'x')", E(K_TEXT));
    case 7: return N(K_TEXT, "(%n ->> 'a')", E(K_JSON));
    case 8: return N(K_TEXT, "to_char(%n, 'YYYY-MM')", E(K_DATE));
    case 9: return N(K_TEXT, "lpad(%n, 3, '*')", E(K_TEXT));
    case 10: return N(K_TEXT, "concat(%n, '-', %n)", E(K_TEXT), E(K_INT));
    case 11: return N(K_TEXT, "split_part(%n, ' ', 1)", E(K_TEXT));
    case 12: return N(K_TEXT, "regexp_replace(%n, '[ab]', '<\\&>')", E(K_TEXT));
    default: return N(K_TEXT, "jsonb_typeof(%n)", E(K_JSON));
    }
}

static struct node *date_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 4)) {
    case 0: return N(K_DATE, "(%n + %n)", E(K_DATE), E(K_INT));
    case 1: return N(K_DATE, "(%n)::date", E(K_TS));
    case 2: return N(K_DATE, "(%n - %d)", E(K_DATE), (int)gen_pick(g, 40));
    default: return N(K_DATE, "date_trunc('month', %n)::date", E(K_TS));
    }
}

static struct node *ts_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 4)) {
    case 0: return N(K_TS, "(%n + interval '1 day')", E(K_TS));
    case 1: return N(K_TS, "(%n)::timestamp", E(K_DATE));
    case 2: return N(K_TS, "date_trunc('day', %n)", E(K_TS));
    default: return N(K_TS, "(%n - interval '1 month')", E(K_TS));
    }
}

static struct node *json_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 6)) {
    case 0: return N(K_JSON, "(%n -> 'a')", E(K_JSON));
    case 1: return N(K_JSON, "(%n -> 0)", E(K_JSON));
    case 2: return N(K_JSON, "jsonb_build_object('k', %n)", E(K_INT));
    case 3: return N(K_JSON, "jsonb_build_array(%n, %n)", E(K_TEXT), E(K_INT));
    case 4: return N(K_JSON, "to_jsonb(%n)", E(gen_type(g)));
    default: return N(K_JSON, "(%n #> '{b,0}')", E(K_JSON));
    }
}

static struct node *interval_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 4)) {
    case 0: return N(K_IV, "(%n + %n)", E(K_IV), E(K_IV));
    case 1: return N(K_IV, "(-%n)", E(K_IV));
    case 2: return N(K_IV, "(%n - %n)", E(K_TS), E(K_TS));
    default: return N(K_IV, "(%n * 2)", E(K_IV));
    }
}

static struct node *moment_expr(struct gen *g, struct gen_scope *s, enum kind t, int depth)
{
    if (t == K_TIME)
        return gen_chance(g, 50) ? N(t, "(%n)::time", E(K_TS)) : N(t, "(%n + %n)", E(t), E(K_IV));
    switch (gen_pick(g, 3)) {
    case 0: return N(t, "(%n AT TIME ZONE 'Europe/Berlin')", E(K_TS));
    case 1: return N(t, "(%n + interval '2 hours')", E(t));
    default: return N(t, "date_trunc('month', %n, 'UTC')", E(t));
    }
}

static struct node *range_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 3)) {
    case 0: return N(K_RANGE, "(%n * %n)", E(K_RANGE), E(K_RANGE));
    case 1: return N(K_RANGE, "range_merge(%n, %n)", E(K_RANGE), E(K_RANGE));
    default: return N(K_RANGE, "int4range(%n, 9)", N(K_INT, "(%n %% 3)", E(K_INT)));
    }
}

static struct node *bytea_expr(struct gen *g, struct gen_scope *s, int depth)
{
    return gen_chance(g, 50) ? N(K_BYTEA, "(%n || %n)", E(K_BYTEA), E(K_BYTEA))
                             : N(K_BYTEA, "convert_to(%n, 'UTF8')", E(K_TEXT));
}

static struct node *array_expr(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 5)) {
    case 0: return N(K_ARR, "ARRAY[%n, %n]", E(K_INT), E(K_INT));
    case 1: return N(K_ARR, "(%n || %n)", E(K_ARR), E(K_INT));
    case 2: return N(K_ARR, "(%n || %n)", E(K_ARR), E(K_ARR));
    case 3: return N(K_ARR, "array_remove(%n, 1)", E(K_ARR));
    default: {
        static const enum kind one[] = {K_INT};
        return N(K_ARR, "ARRAY(%n ORDER BY 1)", gen_query(g, s, one, 1, depth - 1));
    }
    }
}

static struct node *compare(struct gen *g, struct gen_scope *s, int depth)
{
    static const char *const ops[] = {
        "=", "=", "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"};
    enum kind t = gen_type(g);
    return N(K_BOOL, "(%n %s %n)", E(t), ops[gen_pick(g, sizeof ops / sizeof *ops)], E(t));
}

static struct node *subquery_test(struct gen *g, struct gen_scope *s, int depth)
{
    static const char *const ops[] = {"= ANY", "<> ALL", "< ANY", ">= ALL", "<> ANY", "= ALL"};
    enum kind types[2] = {gen_type(g), gen_type(g)};
    switch (gen_pick(g, 6)) {
    case 0: return N(K_BOOL, "EXISTS (%n)", gen_query(g, s, types, 1, depth - 1));
    case 1: return N(K_BOOL, "NOT EXISTS (%n)", gen_query(g, s, types, 1, depth - 1));
    case 2: return N(K_BOOL, "(%n IN (%n))", E(types[0]), gen_query(g, s, types, 1, depth - 1));
    case 3: return N(K_BOOL, "(%n NOT IN (%n))", E(types[0]), gen_query(g, s, types, 1, depth - 1));
    case 4:
        return N(K_BOOL, "((%n, %n) IN (%n))", E(types[0]), E(types[1]),
                 gen_query(g, s, types, 2, depth - 1));
    default:
        return N(K_BOOL, "(%n %s (%n))", E(types[0]), ops[gen_pick(g, 6)],
                 gen_query(g, s, types, 1, depth - 1));
    }
}

static struct node *typed_test(struct gen *g, struct gen_scope *s, int depth)
{
    switch (gen_pick(g, 6)) {
    case 0: return N(K_BOOL, "(%n LIKE '%%a%%')", E(K_TEXT));
    case 1: return N(K_BOOL, "(%n ~ '^[a-b]')", E(K_TEXT));
    case 2: return N(K_BOOL, "(%n @> %n)", E(K_JSON), E(K_JSON));
    case 3: return N(K_BOOL, "(%n ? 'a')", E(K_JSON));
    case 4: return N(K_BOOL, "(%n @> %n)", E(K_ARR), E(K_ARR));
    default: return N(K_BOOL, "(%n = ANY (%n))", E(K_INT), E(K_ARR));
    }
}

struct node *gen_bool(struct gen *g, struct gen_scope *s, int depth)
{
    enum kind t = gen_type(g);
    if (depth <= 0 || g->budget <= 0)
        return gen_chance(g, 40) ? leaf(g, s, K_BOOL)
                                 : N(K_BOOL, "(%n IS NOT NULL)", leaf(g, s, t));
    g->budget--;
    switch (gen_pick(g, 24)) {
    case 0: return N(K_BOOL, "(%n AND %n)", B, B);
    case 1: return N(K_BOOL, "(%n OR %n)", B, B);
    case 2: return N(K_BOOL, "(NOT %n)", B);
    case 3: return N(K_BOOL, "(%n IS NULL)", E(t));
    case 4: return N(K_BOOL, "(%n IS NOT NULL)", E(t));
    case 5: return N(K_BOOL, "(%n IN (%n, %n))", E(t), gen_literal(g, t), gen_literal(g, t));
    case 6: return N(K_BOOL, "(%n NOT IN (%n, %n))", E(t), gen_literal(g, t), E(t));
    case 7: return N(K_BOOL, "(%n BETWEEN %n AND %n)", E(t), E(t), E(t));
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13: return gen_has(g, GEN_FUNCTIONS) ? typed_test(g, s, depth) : compare(g, s, depth);
    case 14: return N(K_BOOL, "(%n IS NOT TRUE)", B);
    case 15:
    case 16:
    case 17: return gen_has(g, GEN_SUBQUERY) ? subquery_test(g, s, depth) : compare(g, s, depth);
    default: return compare(g, s, depth);
    }
}

struct node *gen_expr(struct gen *g, struct gen_scope *s, enum kind type, int depth)
{
    if (depth <= 0 || g->budget <= 0 || gen_chance(g, 45))
        return leaf(g, s, type);
    g->budget--;
    if (type == K_BOOL && gen_chance(g, 80))
        return gen_bool(g, s, depth);
    if (gen_chance(g, 30) || !gen_has(g, GEN_FUNCTIONS))
        return gen_chance(g, 50) ? common(g, s, type, depth) : leaf(g, s, type);
    switch (type) {
    case K_INT: return int_expr(g, s, depth);
    case K_BIG: return big_expr(g, s, depth);
    case K_NUM: return num_expr(g, s, depth);
    case K_FLOAT: return float_expr(g, s, depth);
    case K_TEXT: return text_expr(g, s, depth);
    case K_DATE: return date_expr(g, s, depth);
    case K_TS: return ts_expr(g, s, depth);
    case K_JSON: return json_expr(g, s, depth);
    case K_ARR: return array_expr(g, s, depth);
    case K_IV: return interval_expr(g, s, depth);
    case K_TIME:
    case K_TZ: return moment_expr(g, s, type, depth);
    case K_RANGE: return range_expr(g, s, depth);
    case K_BYTEA: return bytea_expr(g, s, depth);
    default: return gen_bool(g, s, depth);
    }
}
