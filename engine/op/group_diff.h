/*
 * group_diff: "recompute what the group was and what it is, and emit the difference", for operators
 * whose output for a group of rows is a function of all of them: right for any such function,
 * however little it can be maintained.
 *
 * The owner is an operator with one input and one output row for each row of it. Rows are kept by
 * group, each in order; the callback computes the output of a run of a group's rows. It is called for
 * every group that a step touches, with the rows as they were and with those that are, and what both
 * give cancels. Nothing of a group's output is kept. An untouched group costs nothing and never
 * changes.
 *
 * How much of a touched group is recomputed is said by its reach: a row that comes or goes concerns so
 * many rows before and behind it, and to compute a row takes so many before and behind it. All that
 * changes in a step lies between two rows which, with all beyond them, stay what they are:
 *
 *     before    … L  a ─ ─ ─ ─ b  R …        the run [a, b) is computed, and its output taken back
 *     after     … L  a ─ ─ ─ ─ ─ b' R …      the run [a, b') is computed, and its output asserted
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

#define GROUP_ALL INT64_MAX

struct group_reach {
    int64_t before, behind; /* a row that changes: rows on either side whose output may change */
    int64_t back, ahead;    /* a row that is computed: rows on either side that this looks at */
    bool peers;             /* all that are equal on the sort keys to those, too */
};

/* Rows of a group, in order; the output of rows[from] … rows[to - 1] is asked for. A row of weight 2
 * comes twice. */
struct group_run {
    const uint8_t *const *rows;
    size_t n, from, to;
    int64_t base; /* rows of the group before rows[0] */
};

/* Appends the output rows to out, each of weight 1, made in env->step; a row that fails is left out and
 * counted `sign` times in env->errors. */
typedef void group_diff_fn(void *ctx, const struct group_run *run, int64_t sign, struct op_env *env,
                           struct delta *out);

/* A group that a step changes. */
struct group_touched {
    uint32_t handle;
    int64_t from, to;    /* the run before */
    int64_t behind;      /* rows of the group behind it, before and after */
    size_t start, count; /* its output before, in `before` */
};

struct group_diff {
    struct partset groups;
    struct group_reach reach;
    group_diff_fn *fn;
    void *ctx; /* borrowed */
    VEC(struct group_touched) touched;
    VEC(uint32_t) handles;     /* of the group of each change */
    VEC(const uint8_t *) rows; /* of the run in hand */
    struct delta before, after, changes;
};

/* group over input 0; they and keys are borrowed. Without any, all rows are one group. */
void group_diff_init(struct group_diff *g, const struct layout *in, const struct expr *const *group,
                     size_t ngroup, const struct sort_key *keys, size_t nkeys,
                     const struct group_reach *reach, group_diff_fn *fn, void *ctx);
void group_diff_fini(struct group_diff *g);
/* Takes op's input in and emits the change of its output; its class is consolidated by that. */
void group_diff_step(struct group_diff *g, struct op *op, struct op_env *env);
struct op_stats group_diff_stats(const struct group_diff *g);

#endif
