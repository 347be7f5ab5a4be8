/*
 * gen_change: transactions over the tables: rows that come, go and change, also their keys; a
 * savepoint that is rolled back; a table emptied; sometimes nothing is left of it all. See gen.h.
 */
#include "tests/fuzz/gen.h"

static const char *predicate(struct gen *g, const struct gen_table *t)
{
    if (gen_chance(g, 8))
        return "true";
    if (gen_chance(g, 40))
        return arena_printf(g->arena, "id %% %u = %u", 3 + gen_pick(g, 4), gen_pick(g, 3));
    const struct gen_column *c = &t->cols[1 + gen_pick(g, t->ncols - 1)];
    const char *v = gen_value(g, c->type);
    if (v[0] == 'N')
        return arena_printf(g->arena, "%s IS NULL", c->name);
    return arena_printf(g->arena, "%s = %s", c->name, v);
}

static const char *update(struct gen *g, const struct gen_table *t)
{
    if (t->keyed && gen_chance(g, 15)) /* a number is never given twice, so -id is free */
        return arena_printf(g->arena, "UPDATE %s SET id = -id WHERE %s", t->name, predicate(g, t));
    const struct gen_column *c = &t->cols[1 + gen_pick(g, t->ncols - 1)];
    if (c->type == K_INT && gen_chance(g, 30))
        return arena_printf(g->arena, "UPDATE %s SET %s = %s %% 3 + 1 WHERE %s", t->name, c->name,
                            c->name, predicate(g, t));
    return arena_printf(g->arena, "UPDATE %s SET %s = %s WHERE %s", t->name, c->name,
                        gen_value(g, c->type), predicate(g, t));
}

static void one_change(struct gen *g, struct gen_texts *out)
{
    const struct gen_table *t = &g->tables[gen_pick(g, g->ntables)];
    unsigned r = gen_pick(g, 100);
    if (r < 50)
        for (unsigned n = 1 + gen_pick(g, 3); n; n--)
            VEC_PUSH(out->list, gen_insert(g, t));
    else if (r < 75)
        VEC_PUSH(out->list, update(g, t));
    else if (r < 95)
        VEC_PUSH(out->list,
                 arena_printf(g->arena, "DELETE FROM %s WHERE %s", t->name, predicate(g, t)));
    else
        VEC_PUSH(out->list,
                 arena_printf(g->arena, "%s %s", r < 98 ? "TRUNCATE" : "DELETE FROM", t->name));
}

void gen_transaction(struct gen *g, struct gen_texts *out)
{
    for (unsigned n = 1 + gen_pick(g, 4); n; n--) {
        bool undone = gen_chance(g, 8);
        if (undone)
            VEC_PUSH(out->list, "SAVEPOINT s");
        one_change(g, out);
        if (undone)
            VEC_PUSH(out->list, "ROLLBACK TO s");
    }
}
