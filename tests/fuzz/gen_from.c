/*
 * gen_from: what stands in FROM. See gen.h.
 *
 * Every item has an alias of its own, so that its columns can be named from anywhere. A RIGHT or FULL
 * join has no LATERAL item on either side; a FULL join's condition has an equality, as Postgres
 * demands.
 */
#include "tests/fuzz/gen.h"

#define N(kind, ...) node_new(g->arena, kind, __VA_ARGS__)

static void add_column(struct gen *g, struct gen_scope *s, const char *alias, const char *name,
                       enum kind type)
{
    struct gen_column c = {arena_printf(g->arena, "%s.%s", alias, name), type};
    VEC_PUSH(s->cols, c);
}

static struct node *table_item(struct gen *g, struct gen_scope *s)
{
    const struct gen_table *t = &g->tables[gen_pick(g, g->ntables + g->nviews)];
    const char *alias = gen_name(g, "a");
    for (unsigned i = 0; i < t->ncols; i++)
        add_column(g, s, alias, t->cols[i].name, t->cols[i].type);
    return N(K_FROM, "%s AS %s", t->name, alias);
}

static struct node *query_item(struct gen *g, struct gen_scope *s, struct gen_scope *outer,
                               const char *lateral)
{
    enum kind types[3];
    unsigned n = 1 + gen_pick(g, 3);
    const char *alias = gen_name(g, "q");
    for (unsigned i = 0; i < n; i++)
        types[i] = gen_type(g);
    struct node *q = gen_query(g, outer, types, n, 2);
    for (unsigned i = 0; i < n; i++)
        add_column(g, s, alias, arena_printf(g->arena, "c%u", i + 1), types[i]);
    return N(K_FROM, "%s(%n) AS %s", lateral, q, alias);
}

static struct node *cte_item(struct gen *g, struct gen_scope *s)
{
    const struct gen_cte *c = &g->ctes.v[gen_pick(g, (unsigned)g->ctes.n)];
    const char *alias = gen_name(g, "w");
    for (unsigned i = 0; i < c->ncols; i++)
        add_column(g, s, alias, c->cols[i].name, c->cols[i].type);
    return N(K_FROM, "%s AS %s", c->name, alias);
}

static struct node *function_item(struct gen *g, struct gen_scope *s, struct gen_scope *visible)
{
    const char *alias = gen_name(g, "f");
    switch (gen_pick(g, 4)) {
    case 0:
        add_column(g, s, alias, "v", K_INT);
        return N(K_FROM, "generate_series(1, %d) AS %s(v)", 1 + (int)gen_pick(g, 3), alias);
    case 1:
        add_column(g, s, alias, "v", K_INT);
        add_column(g, s, alias, "o", K_BIG);
        return N(K_FROM, "unnest(%n) WITH ORDINALITY AS %s(v, o)", gen_expr(g, visible, K_ARR, 1),
                 alias);
    case 2:
        add_column(g, s, alias, "v", K_INT);
        return N(K_FROM, "unnest(%n) AS %s(v)", gen_expr(g, visible, K_ARR, 1), alias);
    default:
        add_column(g, s, alias, "v", K_INT);
        add_column(g, s, alias, "t", K_TEXT);
        return N(K_FROM, "(VALUES (1, 'a'), (%s, 'b'), (2, NULL)) AS %s(v, t)", gen_value(g, K_INT),
                 alias);
    }
}

/* visible: what a LATERAL item may refer to; outer: what any item may. */
static struct node *item(struct gen *g, struct gen_scope *s, struct gen_scope *visible,
                         struct gen_scope *outer)
{
    unsigned r = gen_pick(g, 100);
    if (g->ctes.n && r < 40)
        return cte_item(g, s);
    if (gen_has(g, GEN_DERIVED) && g->budget > 4 && r >= 85) {
        g->budget -= 3;
        return visible && gen_chance(g, 60) ? query_item(g, s, visible, "LATERAL ")
                                            : query_item(g, s, outer, "");
    }
    if (gen_has(g, GEN_FUNCTION_FROM) && r >= 76)
        return function_item(g, s, visible ? visible : outer);
    return table_item(g, s);
}

/* An equality between the sides, of a type that both have; NULL if there is none. */
static struct node *equality(struct gen *g, struct gen_scope *a, struct gen_scope *b)
{
    static const enum kind keys[] = {K_INT, K_INT, K_INT, K_TEXT, K_BIG, K_NUM, K_DATE};
    for (int i = 0; i < 6; i++) {
        enum kind t = keys[gen_pick(g, 7)];
        struct gen_scope left = {.cols = {a->cols.v, a->cols.n, 0}},
                         right = {.cols = {b->cols.v, b->cols.n, 0}};
        struct node *x = gen_column_ref(g, &left, t), *y = gen_column_ref(g, &right, t);
        if (x && y)
            return N(K_BOOL, "%n = %n", x, y);
    }
    return NULL;
}

static void add_all(struct gen_scope *to, const struct gen_scope *from)
{
    for (size_t i = 0; i < from->cols.n; i++)
        VEC_PUSH(to->cols, from->cols.v[i]);
}

static struct node *condition(struct gen *g, struct gen_scope *s, struct gen_scope *left,
                              struct gen_scope *right, bool full)
{
    struct node *eq = full || gen_chance(g, 85) ? equality(g, left, right) : NULL;
    if (!eq)
        return full ? N(K_TEXT_ONLY, "true") : gen_bool(g, s, 1);
    if (gen_chance(g, 70))
        return eq;
    return N(K_BOOL, "%n%n", eq, node_optional(N(K_TEXT_ONLY, " AND %n", gen_bool(g, s, 1))));
}

static struct node *join(struct gen *g, struct gen_scope *s, struct node *left)
{
    static const char *const words[] = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "};
    struct gen_scope before = {.outer = s->outer}, right = {.outer = s->outer};
    unsigned kind = gen_has(g, GEN_OUTER_JOIN) ? gen_pick(g, 4) : 0;
    add_all(&before, s);
    struct node *r = item(g, &right, kind < 2 ? s : NULL, s->outer);
    add_all(s, &right);
    struct node *on = condition(g, s, &before, &right, kind == 3);
    gen_scope_fini(&before);
    gen_scope_fini(&right);
    return N(K_FROM, "%n%s%n ON %n", left, words[kind], r, on);
}

struct node *gen_from(struct gen *g, struct gen_scope *s, unsigned items)
{
    struct node *n = item(g, s, NULL, s->outer);
    while (--items && g->budget > 0) {
        g->budget--;
        if (gen_chance(g, 75)) {
            n = join(g, s, n);
        } else {
            struct gen_scope right = {.outer = s->outer};
            struct node *r = item(g, &right, s, s->outer);
            add_all(s, &right);
            gen_scope_fini(&right);
            n = N(K_FROM, "%n CROSS JOIN %n", n, r);
        }
    }
    return n;
}
