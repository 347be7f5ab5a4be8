/*
 * gen_query: SELECT in its forms, set operations, WITH. See gen.h.
 *
 * Every query has the columns c1, c2… of the types that are asked for. LIMIT and DISTINCT ON stand
 * only over an order of all columns.
 */
#include "tests/fuzz/gen.h"

#define N(kind, ...) node_new(g->arena, kind, __VA_ARGS__)

static struct node *where(struct gen *g, struct gen_scope *s)
{
    return gen_chance(g, 45) ? node_optional(N(K_TEXT_ONLY, " WHERE %n", gen_bool(g, s, 2))) : NULL;
}

static struct node *add_to_list(struct gen *g, struct node *list, struct node *e, unsigned i)
{
    return node_append(g->arena, list, N(K_TEXT_ONLY, "%s%n AS c%d", i ? ", " : "", e, (int)i + 1));
}

static struct node *plain(struct gen *g, struct gen_scope *s, const enum kind *types, unsigned n,
                          int depth)
{
    struct node *from = gen_from(g, s, 1 + gen_pick(g, depth > 1 ? 3 : 2)), *list = NULL;
    bool windows = gen_has(g, GEN_WINDOW) && gen_chance(g, 25), outer = g->placed;
    g->placed = false;
    for (unsigned i = 0; i < n; i++)
        list = add_to_list(g, list,
                           windows && gen_chance(g, 60) ? gen_window(g, s, types[i])
                                                        : gen_expr(g, s, types[i], depth),
                           i);
    struct node *w = where(g, s);
    g->placed = outer;
    return N(K_QUERY, "SELECT %s%n FROM %n%n", gen_chance(g, 12) ? "DISTINCT " : "", list, from, w);
}

/* ---- GROUP BY -------------------------------------------------------------------------------- */

struct grouping {
    struct node *keys[3];
    enum kind types[3];
    unsigned n;
};

static struct node *group_by(struct gen *g, const struct grouping *k)
{
    struct node *a = k->keys[0], *b = k->n > 1 ? k->keys[1] : k->keys[0];
    switch (gen_pick(g, 10)) {
    case 0: return N(K_TEXT_ONLY, " GROUP BY ROLLUP (%n, %n)", a, b);
    case 1: return N(K_TEXT_ONLY, " GROUP BY CUBE (%n, %n)", a, b);
    case 2: return N(K_TEXT_ONLY, " GROUP BY GROUPING SETS ((%n), (%n, %n), ())", a, b, a);
    default: break;
    }
    struct node *list = NULL;
    for (unsigned i = 0; i < k->n; i++)
        list = node_append(g->arena, list, N(K_TEXT_ONLY, "%s%n", i ? ", " : "", k->keys[i]));
    return N(K_TEXT_ONLY, " GROUP BY %n", list);
}

/* A key of the type, an aggregate of it, or a literal. */
static struct node *grouped_expr(struct gen *g, struct gen_scope *s, const struct grouping *k,
                                 enum kind type)
{
    struct node *agg;
    for (unsigned i = 0; i < k->n; i++)
        if (k->types[i] == type && gen_chance(g, 60))
            return k->keys[i];
    agg = gen_aggregate(g, s, type);
    if (!agg)
        return gen_literal(g, type);
    return gen_chance(g, 15) ? N(type, "coalesce(%n, %n)", agg, gen_literal(g, type)) : agg;
}

static struct node *grouped(struct gen *g, struct gen_scope *s, const enum kind *types, unsigned n,
                            int depth)
{
    struct node *from = gen_from(g, s, 1 + gen_pick(g, depth > 1 ? 3 : 2)), *list = NULL;
    struct grouping k = {.n = gen_pick(g, 4)};
    for (unsigned i = 0; i < k.n; i++) {
        k.types[i] = i < n && gen_chance(g, 60) ? types[i] : gen_type(g);
        /* A constant key would be a position. */
        struct gen_scope here = {.cols = {s->cols.v, s->cols.n, 0}};
        k.keys[i] = gen_column_ref(g, &here, k.types[i]);
        if (!k.keys[i]) {
            k.types[i] = K_INT;
            k.keys[i] = gen_column_ref(g, &here, K_INT);
        }
        if (!k.keys[i]) {
            k.n = i;
            break;
        }
        if (k.types[i] == K_INT && gen_chance(g, 25))
            k.keys[i] = N(K_INT, "(%n %% 2)", k.keys[i]);
    }
    for (unsigned i = 0; i < n; i++)
        list = add_to_list(g, list, grouped_expr(g, s, &k, types[i]), i);
    struct node *w = where(g, s), *by = k.n ? group_by(g, &k) : NULL, *having = NULL;
    if (gen_chance(g, 25)) {
        enum kind t = gen_chance(g, 50) ? K_BIG : K_INT;
        having = node_optional(
            N(K_TEXT_ONLY, " HAVING %n > %n", grouped_expr(g, s, &k, t), gen_literal(g, t)));
    }
    return N(K_QUERY, "SELECT %n FROM %n%n%n%n", list, from, w, by, having);
}

/* ---- around it ------------------------------------------------------------------------------- */

static struct node *select_any(struct gen *g, struct gen_scope *outer, const enum kind *types,
                               unsigned n, int depth)
{
    struct gen_scope s = {.outer = outer};
    struct node *q = gen_has(g, GEN_GROUP) && gen_chance(g, 35) ? grouped(g, &s, types, n, depth)
                                                                : plain(g, &s, types, n, depth);
    gen_scope_fini(&s);
    return q;
}

static struct node *order_of_columns(struct gen *g, unsigned n)
{
    struct node *list = NULL;
    for (unsigned i = 0; i < n; i++)
        list = node_append(g->arena, list,
                           N(K_TEXT_ONLY, "%s%d%s", i ? ", " : "", (int)i + 1, gen_direction(g)));
    return list;
}

static struct node *limited(struct gen *g, struct node *q, unsigned n)
{
    static const char *const limits[] = {" LIMIT 1",          " LIMIT 3",
                                         " LIMIT 5",          " OFFSET 1",
                                         " LIMIT 2 OFFSET 1", " FETCH FIRST 2 ROWS WITH TIES"};
    unsigned which = gen_pick(g, 6);
    if (which == 5) /* over a lone min() or max(), Postgres 15 fails with 21000 */
        g->risky = true;
    return N(K_QUERY, "%n ORDER BY %n%s", q, order_of_columns(g, n), limits[which]);
}

static struct node *set_operation(struct gen *g, struct gen_scope *outer, const enum kind *types,
                                  unsigned n, int depth)
{
    static const char *const words[] = {" UNION ",         " UNION ALL ", " INTERSECT ",
                                        " INTERSECT ALL ", " EXCEPT ",    " EXCEPT ALL "};
    struct node *a = gen_query(g, outer, types, n, depth - 1);
    struct node *b = gen_query(g, outer, types, n, depth - 1);
    return N(K_QUERY, "(%n)%s(%n)", a, words[gen_pick(g, 6)], b);
}

static struct node *distinct_on(struct gen *g, struct gen_scope *outer, const enum kind *types,
                                unsigned n, int depth)
{
    struct node *q = select_any(g, outer, types, n, depth);
    const char *alias = gen_name(g, "d");
    return N(K_QUERY, "SELECT DISTINCT ON (c1) * FROM (%n) AS %s ORDER BY %n", q, alias,
             order_of_columns(g, n));
}

struct node *gen_query(struct gen *g, struct gen_scope *outer, const enum kind *types, unsigned n,
                       int depth)
{
    g->budget -= 2;
    if (depth > 0 && g->budget > 0) {
        unsigned r = gen_pick(g, 100);
        if (r < 16 && gen_has(g, GEN_SETOP))
            return set_operation(g, outer, types, n, depth);
        if (r >= 16 && r < 21 && gen_has(g, GEN_LIMIT))
            return distinct_on(g, outer, types, n, depth);
        if (r >= 21 && r < 35 && gen_has(g, GEN_LIMIT))
            return limited(g, select_any(g, outer, types, n, depth), n);
    }
    return select_any(g, outer, types, n, depth > 0 ? depth : 0);
}

struct node *gen_scalar_query(struct gen *g, struct gen_scope *outer, enum kind type, int depth)
{
    struct gen_scope s = {.outer = outer};
    struct node *q = NULL, *e;
    g->budget -= 2;
    if (g->budget > 0 && gen_chance(g, 70)) {
        struct node *from = gen_from(g, &s, 1 + gen_pick(g, 2));
        if ((e = gen_aggregate(g, &s, type)))
            q = N(type, "(SELECT %n FROM %n%n)", e, from, where(g, &s));
    }
    gen_scope_fini(&s);
    if (!q && gen_chance(g, 10)) {
        g->risky = true; /* more than one row */
        return N(type, "(%n)", select_any(g, outer, &type, 1, depth));
    }
    if (!q)
        q = N(type, "(%n ORDER BY 1 LIMIT 1)", select_any(g, outer, &type, 1, depth));
    return q;
}

/* ---- WITH ------------------------------------------------------------------------------------ */

static struct node *plain_cte(struct gen *g, struct gen_cte *c)
{
    static const char *const hints[] = {"", "", "MATERIALIZED ", "NOT MATERIALIZED "};
    enum kind types[4];
    for (unsigned i = 0; i < c->ncols; i++) {
        types[i] = gen_type(g);
        c->cols[i] = (struct gen_column){arena_printf(g->arena, "c%u", i + 1), types[i]};
    }
    struct node *q = gen_query(g, NULL, types, c->ncols, 2);
    return N(K_TEXT_ONLY, "%s AS %s(%n)", c->name, hints[gen_pick(g, 4)], q);
}

/* Over ints only, and bounded: by UNION over what the tables hold, or by a counter. */
static struct node *recursive_cte(struct gen *g, struct gen_cte *c)
{
    const struct gen_table *t = &g->tables[gen_pick(g, g->ntables)];
    const char *other = gen_chance(g, 50) ? "id" : "k";
    c->ncols = 2;
    c->cols[0] = (struct gen_column){"c1", K_INT};
    c->cols[1] = (struct gen_column){"c2", K_INT};
    if (gen_chance(g, 60))
        return N(K_TEXT_ONLY,
                 "%s(c1, c2) AS (SELECT %s, k FROM %s UNION SELECT r.c1, x.%s FROM %s AS r JOIN %s "
                 "AS x ON x.%s = r.c2)",
                 c->name, other, t->name, gen_chance(g, 50) ? "k" : "id", c->name, t->name,
                 gen_chance(g, 50) ? "id" : "k");
    return N(K_TEXT_ONLY,
             "%s(c1, c2) AS (SELECT k, 0 FROM %s UNION ALL SELECT x.%s, r.c2 + 1 FROM %s AS r JOIN "
             "%s AS x ON x.k = r.c1 WHERE r.c2 < 2)",
             c->name, t->name, other, c->name, t->name);
}

struct node *gen_statement(struct gen *g)
{
    enum kind types[4];
    unsigned n = 1 + gen_pick(g, 4);
    struct node *with = NULL;
    bool recursive = false;
    g->budget = 6 + (int)gen_pick(g, g->large ? 70 : 30);
    g->risky = false;
    g->names = 0;
    g->ctes.n = 0;
    for (unsigned k = gen_has(g, GEN_CTE) && gen_chance(g, 30) ? 1 + gen_pick(g, 2) : 0; k; k--) {
        struct gen_cte c = {.name = gen_name(g, "x"), .ncols = 1 + gen_pick(g, 3)};
        bool rec = gen_has(g, GEN_RECURSIVE) && gen_chance(g, 30);
        struct node *d = rec ? recursive_cte(g, &c) : plain_cte(g, &c);
        recursive |= rec;
        with = node_append(g->arena, with, N(K_TEXT_ONLY, "%s%n", with ? ", " : "", d));
        VEC_PUSH(g->ctes, c);
        g->budget += 6;
    }
    for (unsigned i = 0; i < n; i++)
        types[i] = gen_type(g);
    struct node *q = gen_query(g, NULL, types, n, 3);
    if (!with)
        return q;
    return N(K_TEXT_ONLY, "%n%n",
             node_optional(N(K_TEXT_ONLY, "WITH %s%n ", recursive ? "RECURSIVE " : "", with)), q);
}

struct node *gen_view(struct gen *g)
{
    struct gen_table *v = &g->tables[g->ntables];
    enum kind types[3];
    *v = (struct gen_table){.name = "v0", .ncols = 1 + gen_pick(g, 3)};
    g->budget = 12;
    for (unsigned i = 0; i < v->ncols; i++) {
        types[i] = gen_type(g);
        v->cols[i] = (struct gen_column){arena_printf(g->arena, "c%u", i + 1), types[i]};
    }
    return N(K_TEXT_ONLY, "CREATE VIEW v0 AS %n", gen_query(g, NULL, types, v->ncols, 2));
}

void gen_view_done(struct gen *g)
{
    g->nviews = 1;
}
