/*
 * rowcount: how often each row occurs in each of up to two inputs, by the types' equality.
 *
 * The state of distinct and of the set operations, whose output is a function of those counts:
 *
 *     rowcount_begin(rc);
 *     rowcount_apply(rc, delta, 0, env);
 *     rowcount_apply(rc, other, 1, env);
 *     rowcount_emit(rc, op, env, fn, kind);  // fn(kind, counts): how often the row is in the output
 *
 * Rows that are equal but spelled differently (1.0 and 1.00) are one; what goes out is a spelling
 * that a row of input 0 has.
 */
#ifndef PALIMPSEST_OP_ROWCOUNT_H
#define PALIMPSEST_OP_ROWCOUNT_H

#include "engine/arrange/keymap.h"
#include "engine/arrange/spellings.h"
#include "engine/op/op_impl.h"

struct rowcount {
    struct keymap map; /* payload: struct rowcount_counts; unless bytewise, struct spellings too */
    bool bytewise;     /* equal rows have equal bytes */
    VEC(struct rowcount_touched) touched;
};

struct rowcount_counts {
    int64_t n[2];
    uint32_t touched; /* in this step */
};

struct rowcount_spelled {
    struct rowcount_counts counts;
    struct spellings spellings; /* of input 0 */
};

struct rowcount_touched {
    uint32_t handle;
    int64_t before[2];
    const uint8_t *shown; /* before, in the step's arena; NULL: the representative */
};

void rowcount_init(struct rowcount *rc, const struct layout *l);
void rowcount_fini(struct rowcount *rc);
void rowcount_begin(struct rowcount *rc);
void rowcount_apply(struct rowcount *rc, const struct delta *d, int side, struct op_env *env);
void rowcount_emit(struct rowcount *rc, struct op *op, struct op_env *env,
                   int64_t (*fn)(int kind, const int64_t n[2]), int kind);
struct op_stats rowcount_stats(const struct rowcount *rc);

#endif
