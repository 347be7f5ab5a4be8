/*
 * group_diff: "recompute what the group was and what it is, and emit the difference", for operators
 * whose output for a group of rows is a function of all of them: right for any such function,
 * however little it can be maintained.
 *
 * The owner is an operator with one input. Its rows are kept by group, each in order; the callback
 * computes the output of one group. It is called for every group that a step touches, with the rows
 * as they were and with those that are, and what both give cancels. Nothing of a group's output is
 * kept. An untouched group costs nothing and never changes.
 *
 * The callback must answer the same for the same rows, to the byte, errors included. Rows of a group
 * come in the order of the sort keys, then of their bytes, so that it may rely on their order.
 *
 * See also arrange/partset.h, which holds the rows.
 */
#ifndef PALIMPSEST_OP_GROUP_DIFF_H
#define PALIMPSEST_OP_GROUP_DIFF_H

#include "engine/arrange/partset.h"
#include "engine/op/op_impl.h"

/* Appends the output rows of a group to out, each of weight 1, made in env->step; a row that fails is
 * left out and counted `sign` times in env->errors. n is not 0. */
typedef void group_diff_fn(void *ctx, const uint8_t *const *rows, size_t n, int64_t sign,
                           struct op_env *env, struct delta *out);

struct group_touched {
    uint32_t handle;
    size_t start, n; /* its output before, in `before` */
};

struct group_diff {
    struct partset groups;
    group_diff_fn *fn;
    void *ctx; /* borrowed */
    VEC(struct group_touched) touched;
    VEC(const uint8_t *) rows; /* of the group in hand; a row of weight 2 comes twice */
    struct delta before, after, changes;
};

/* group over input 0; they and keys are borrowed. Without any, all rows are one group. */
void group_diff_init(struct group_diff *g, const struct layout *in, const struct expr *const *group,
                     size_t ngroup, const struct sort_key *keys, size_t nkeys, group_diff_fn *fn,
                     void *ctx);
void group_diff_fini(struct group_diff *g);
/* Takes op's input in and emits the change of its output; its class is consolidated by that. */
void group_diff_step(struct group_diff *g, struct op *op, struct op_env *env);
struct op_stats group_diff_stats(const struct group_diff *g);

#endif
