/*
 * gen_schema: tables with and without a key, and their rows. See gen.h.
 */
#include <stdio.h>

#include "tests/fuzz/gen.h"

void gen_init(struct gen *g, struct arena *a, uint64_t seed)
{
    *g = (struct gen){.arena = a, .state = seed * 0x9E3779B97F4A7C15u + 0x1234567, .next_id = 1};
    for (int i = 0; i < 8; i++)
        gen_pick(g, 2);
}

void gen_fini(struct gen *g)
{
    VEC_FREE(g->ctes);
}

unsigned gen_pick(struct gen *g, unsigned n)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return n ? (unsigned)((g->state >> 20) % n) : 0;
}

bool gen_chance(struct gen *g, unsigned percent)
{
    return gen_pick(g, 100) < percent;
}

const char *gen_name(struct gen *g, const char *prefix)
{
    return arena_printf(g->arena, "%s%u", prefix, ++g->names);
}

bool gen_has(const struct gen *g, enum gen_feature feature)
{
    return (g->features & feature) != 0;
}

/* int always; of the others and of the features some. */
static void pick_features(struct gen *g)
{
    g->types = 1u << K_INT;
    for (int t = 0; t < K_TYPES; t++)
        if (gen_chance(g, t >= K_JSON ? 25 : 50))
            g->types |= 1u << t;
    for (unsigned f = 1; f < GEN_ALL; f <<= 1)
        if (gen_chance(g, 65))
            g->features |= f;
}

enum kind gen_type(struct gen *g)
{
    static const enum kind often[] = {K_INT,  K_INT,  K_INT,  K_BIG,   K_NUM,   K_NUM,  K_TEXT,
                                      K_TEXT, K_BOOL, K_DATE, K_TS,    K_FLOAT, K_JSON, K_ARR,
                                      K_IV,   K_TIME, K_TZ,   K_RANGE, K_BYTEA};
    enum kind t;
    do
        t = often[gen_pick(g, sizeof often / sizeof *often)];
    while (!(g->types & 1u << t));
    return t;
}

void gen_schema(struct gen *g)
{
    pick_features(g);
    g->large = gen_chance(g, 20);
    g->ntables = 2 + gen_pick(g, GEN_TABLES - 1);
    for (unsigned i = 0; i < g->ntables; i++) {
        struct gen_table *t = &g->tables[i];
        t->name = arena_printf(g->arena, "t%u", i);
        t->keyed = i == 0 || gen_chance(g, 75);
        t->partitioned = t->keyed && gen_chance(g, 15);
        t->ncols = 3 + gen_pick(g, GEN_COLUMNS - 2);
        if (t->ncols > GEN_COLUMNS)
            t->ncols = GEN_COLUMNS;
        for (unsigned c = 0; c < t->ncols; c++) {
            /* The first columns are ints everywhere, so that joins find each other. */
            t->cols[c].name = c == 0 ? "id" : c == 1 ? "k" : arena_printf(g->arena, "c%u", c);
            t->cols[c].type = c < 2 ? K_INT : gen_type(g);
        }
    }
}

static const char *column_type(enum kind type)
{
    return type == K_NUM ? "numeric(6,2)" : KIND_TYPES[type];
}

void gen_schema_texts(struct gen *g, struct gen_texts *out)
{
    for (unsigned i = 0; i < g->ntables; i++) {
        const struct gen_table *t = &g->tables[i];
        struct buf b;
        buf_init(&b);
        buf_addf(&b, "CREATE TABLE %s(id int%s", t->name, t->keyed ? " PRIMARY KEY" : "");
        for (unsigned c = 1; c < t->ncols; c++)
            buf_addf(&b, ", %s %s", t->cols[c].name, column_type(t->cols[c].type));
        buf_addf(&b, ")%s", t->partitioned ? " PARTITION BY HASH (id)" : "");
        VEC_PUSH(out->list, arena_strdup(g->arena, buf_cstr(&b)));
        buf_fini(&b);
        for (int p = 0; t->partitioned && p < 2; p++)
            VEC_PUSH(out->list, arena_printf(g->arena,
                                             "CREATE TABLE %s_%d PARTITION OF %s FOR VALUES WITH "
                                             "(MODULUS 2, REMAINDER %d)",
                                             t->name, p, t->name, p));
        if (!t->keyed)
            VEC_PUSH(out->list,
                     arena_printf(g->arena, "ALTER TABLE %s REPLICA IDENTITY FULL", t->name));
    }
    for (unsigned i = 0; i < g->ntables; i++)
        for (unsigned n = gen_pick(g, g->large ? 40 : 10); n; n--)
            VEC_PUSH(out->list, gen_insert(g, &g->tables[i]));
}

const char *gen_value(struct gen *g, enum kind type)
{
    static const char *const values[K_TYPES][8] = {
        [K_INT] = {"0", "1", "1", "2", "2", "3", "4", "-1"},
        [K_BIG] = {"0", "1", "1", "2", "2", "3", "10", "-5"},
        [K_NUM] = {"0", "0.50", "1.00", "1.00", "2.25", "2.25", "-1.00", "10"},
        [K_FLOAT] = {"0", "0.5", "1", "1", "1.5", "2", "-1", "8"},
        [K_TEXT] = {"''", "'a'", "'a'", "'b'", "'ab'", "'B'", "'a b'", "'é'"},
        [K_BOOL] = {"true", "false", "true", "false", "true", "false", "true", "false"},
        [K_DATE] = {"'2024-01-01'", "'2024-01-02'", "'2024-01-02'", "'2024-01-31'", "'2024-02-29'",
                    "'2023-12-31'", "'2024-01-03'", "'2024-01-03'"},
        [K_TS] = {"'2024-01-01'", "'2024-01-01 12:00'", "'2024-01-01 12:00'", "'2024-01-02'",
                  "'2024-01-31 23:59:59.5'", "'2024-02-29 06:30'", "'2023-12-31'", "'2024-01-03'"},
        [K_JSON] = {"'1'", "'\"a\"'", "'{\"a\": 1}'", "'{\"a\": 2, \"b\": [1, 2]}'", "'null'",
                    "'[]'", "'[1, 2]'", "'{\"a\": 1}'"},
        [K_IV] = {"'1 day'", "'1 day'", "'02:00:00'", "'1 mon'", "'-1 day'", "'00:00:00'",
                  "'1 year 2 days'", "'02:00:00'"},
        [K_TIME] = {"'00:00'", "'12:00'", "'12:00'", "'23:59:59.5'", "'06:30'", "'06:30'",
                    "'01:02:03'", "'12:00'"},
        [K_TZ] = {"'2024-01-01 00:00+00'", "'2024-01-01 12:00+02'", "'2024-01-01 12:00+02'",
                  "'2024-03-31 01:30+00'", "'2023-12-31 23:00+00'", "'2024-01-01 00:00+00'",
                  "'2024-07-01 00:00+00'", "'2024-02-29 00:00+00'"},
        [K_RANGE] = {"'empty'", "'[1,3)'", "'[1,3)'", "'[2,5)'", "'(,2)'", "'[3,)'", "'[1,2)'",
                     "'(,)'"},
        [K_BYTEA] = {"''", "'a'", "'a'", "'\\x00'", "'\\xff'", "'ab'", "'b'", "'\\x61'"},
        [K_ARR] = {"'{}'", "'{1}'", "'{1}'", "'{1,2}'", "'{NULL}'", "'{2,1}'", "'{3}'", "'{1,1}'"},
    };
    return gen_chance(g, 15) ? "NULL" : values[type][gen_pick(g, 8)];
}

const char *gen_insert(struct gen *g, const struct gen_table *t)
{
    struct buf b;
    buf_init(&b);
    buf_addf(&b, "INSERT INTO %s VALUES (%d", t->name,
             t->keyed ? g->next_id++ : (int)gen_pick(g, 3));
    for (unsigned c = 1; c < t->ncols; c++)
        buf_addf(&b, ", %s", gen_value(g, t->cols[c].type));
    buf_adds(&b, ")");
    const char *text = arena_strdup(g->arena, buf_cstr(&b));
    buf_fini(&b);
    return text;
}
