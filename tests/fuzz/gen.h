/*
 * gen: random schemas, statements and transactions, in which what Postgres leaves open doesn't
 * occur: an order is total wherever it decides something (all columns in sight are in it), sums of
 * floats are exact, a name is unique, nothing is volatile.
 *
 * Everything follows from the seed. Few distinct values and many NULLs, so that rows meet.
 *
 *     gen_schema.c  tables and the values in them
 *     gen_change.c  transactions
 *     gen_expr.c    expressions by type; gen_agg.c aggregates and window functions
 *     gen_from.c    FROM: tables, derived tables, functions, joins
 *     gen_query.c   SELECT, set operations, WITH
 */
#ifndef TESTS_FUZZ_GEN_H
#define TESTS_FUZZ_GEN_H

#include <stdint.h>

#include "engine/base/vec.h"
#include "tests/fuzz/tree.h"

enum {
    GEN_TABLES = 3,
    GEN_COLUMNS = 7
};

struct gen_column {
    const char *name; /* as it is written in an expression */
    enum kind type;
};

struct gen_table {
    const char *name;
    struct gen_column cols[GEN_COLUMNS]; /* cols[0] is the key, an int; or there is no key */
    unsigned ncols;
    bool keyed;       /* else REPLICA IDENTITY FULL and duplicates */
    bool partitioned; /* by its key */
};

/* What an expression may refer to. */
struct gen_scope {
    VEC(struct gen_column) cols;
    struct gen_scope *outer; /* NULL = none */
};

struct gen_cte {
    const char *name;
    struct gen_column cols[4];
    unsigned ncols;
};

/* What a round has: each only now and then, so that the others meet more often without it. */
enum gen_feature {
    GEN_SUBQUERY = 1,
    GEN_WINDOW = 2,
    GEN_GROUP = 4,
    GEN_SETOP = 8,
    GEN_CTE = 16,
    GEN_RECURSIVE = 32,
    GEN_FUNCTION_FROM = 64,
    GEN_DERIVED = 128, /* queries in FROM, LATERAL too */
    GEN_OUTER_JOIN = 256,
    GEN_LIMIT = 512,      /* and DISTINCT ON */
    GEN_FUNCTIONS = 1024, /* those of one type only: strings, dates, documents */
    GEN_ALL = 2047
};

struct gen {
    struct arena *arena; /* borrowed */
    uint64_t state;
    unsigned types;                          /* which there are, as bits */
    unsigned features;                       /* enum gen_feature */
    bool large;                              /* more rows, longer statements */
    struct gen_table tables[GEN_TABLES + 1]; /* then a view, if there is one */
    unsigned ntables, nviews;
    VEC(struct gen_cte) ctes; /* in sight */
    unsigned names;           /* aliases given so far */
    int budget;               /* how much the statement may still grow */
    int next_id;
    bool placed; /* this SELECT has a window function that tells equal rows apart: a second one
                    might do it another way round */
    bool risky;  /* the statement has something that may fail at run time */
};

void gen_init(struct gen *g, struct arena *a, uint64_t seed);
void gen_fini(struct gen *g);
unsigned gen_pick(struct gen *g, unsigned n); /* 0…n-1 */
bool gen_chance(struct gen *g, unsigned percent);
bool gen_has(const struct gen *g, enum gen_feature feature);
const char *gen_name(struct gen *g, const char *prefix); /* a new one */
enum kind gen_type(struct gen *g);

/* Statements that make the tables and fill them. */
void gen_schema(struct gen *g);
struct gen_texts {
    VEC(const char *) list;
};
void gen_schema_texts(struct gen *g, struct gen_texts *out);
/* A view that FROM may read, if gen_view_done() says that Postgres has taken it. */
struct node *gen_view(struct gen *g);
void gen_view_done(struct gen *g);
const char *gen_insert(struct gen *g, const struct gen_table *t);
const char *gen_value(struct gen *g, enum kind type); /* a literal, often NULL */
/* The statements of one transaction, BEGIN and COMMIT not included. */
void gen_transaction(struct gen *g, struct gen_texts *out);

struct node *gen_statement(struct gen *g);

/* ---- between the files of the generator ------------------------------------------------------ */

struct node *gen_expr(struct gen *g, struct gen_scope *s, enum kind type, int depth);
struct node *gen_literal(struct gen *g, enum kind type);
/* A column of this type, NULL if there is none in sight. */
struct node *gen_column_ref(struct gen *g, struct gen_scope *s, enum kind type);
struct node *gen_bool(struct gen *g, struct gen_scope *s, int depth);
/* Over the rows of the scope; NULL if there is no such aggregate. */
struct node *gen_aggregate(struct gen *g, struct gen_scope *s, enum kind type);
struct node *gen_window(struct gen *g, struct gen_scope *s, enum kind type);
/* ORDER BY's list of everything in the scope itself, in random order and directions. */
struct node *gen_total_order(struct gen *g, const struct gen_scope *s);
const char *gen_direction(struct gen *g);
/* FROM's content; its columns go into s. */
struct node *gen_from(struct gen *g, struct gen_scope *s, unsigned items);
/* A query with columns c1, c2… of these types. */
struct node *gen_query(struct gen *g, struct gen_scope *outer, const enum kind *types, unsigned n,
                       int depth);
/* One column, at most one row. */
struct node *gen_scalar_query(struct gen *g, struct gen_scope *outer, enum kind type, int depth);
void gen_scope_fini(struct gen_scope *s);

#endif
