/*
 * naive: the operators as their definitions say, without increments or indexes: the oracle.
 *
 * A query is a tree (or a graph) of struct nop, made by hand or at random. naive_build() makes the
 * circuit's operators of it; naive_eval() computes its result from the sources' current rows, with
 * nothing but loops and the functions of value.h and expr.h. Results are compared by the types'
 * equality, since which spelling of equal rows is shown is not defined.
 */
#ifndef PALIMPSEST_TESTS_NAIVE_H
#define PALIMPSEST_TESTS_NAIVE_H

#include "engine/base/vec.h"
#include "engine/circuit/circuit.h"

struct rel {
    VEC(struct change) rows; /* positive weights; rows may repeat */
    int64_t errors;          /* weight of what failed on the way */
};

enum nop_kind {
    NOP_SOURCE,
    NOP_ONE_ROW,
    NOP_MAP,
    NOP_FLATMAP, /* of generate_series() over int4 with two arguments */
    NOP_FILTER,
    NOP_JOIN,
    NOP_GROUP,
    NOP_DISTINCT,
    NOP_UNION,
    NOP_SETOP,
    NOP_TOPK,
    NOP_WINDOW
};

struct nop {
    enum nop_kind kind;
    struct nop *in[3];
    size_t nins;
    const struct layout *layout;    /* of the output; borrowed from op, or of the source */
    const struct expr **exprs;      /* map, group and left join keys; filter: one */
    const struct expr **right_keys; /* join */
    size_t nexprs;
    enum join_kind join;
    const struct expr *residual;
    const bool *nullsafe; /* by key; NULL = none */
    const struct flatmap_spec *flatmap;
    struct group_agg *aggs;
    size_t naggs;
    enum setop_kind setop;
    struct sort_key *keys;
    size_t nkeys;
    const struct expr **part; /* topk, window: plain columns */
    size_t npart;
    struct window_call *calls;
    size_t ncalls;
    int64_t limit, offset;
    bool with_ties;
    struct rel source; /* NOP_SOURCE: its rows now, kept by naive_push() */
    struct op *op;     /* set by naive_build() */
    struct rel memo;
    bool done;
};

/* The inputs are built already. */
void naive_build(struct nop *n, struct circuit *c);
/* Pushes into the circuit and keeps source in step. The row is copied into a. */
void naive_push(struct nop *source, struct circuit *c, const uint8_t *row, int64_t weight,
                struct arena *a);
/* The result, in n->memo; forget it with naive_forget() before the next. */
const struct rel *naive_eval(struct nop *n, struct arena *a);
void naive_forget(struct nop *n);

/* in: one member a change, in the order of n's keys and then of the rows' bytes (naive_window.c). */
typedef int naive_cmp(const struct nop *n, const uint8_t *a, const uint8_t *b);
void naive_window(const struct nop *n, const struct rel *in, naive_cmp *cmp_keys, struct rel *out,
                  struct arena *a);

/* Adds a delta to a relation by bytes; false if a weight becomes negative. */
bool rel_apply(struct rel *r, const struct layout *l, const struct delta *d, struct arena *a);
bool rel_same(const struct layout *l, const struct rel *a, const struct rel *b);
bool row_same(const struct layout *l, const uint8_t *a, const uint8_t *b);
void rel_print(const struct layout *l, const struct rel *r, struct buf *b);
void rel_fini(struct rel *r);

#endif
