/*
 * group_agg: one aggregate of a group operator: how its arguments get from a row into a state.
 *
 * Most aggregates are plain: at most one argument, an integer column. They are added without a call
 * but the class's own.
 */
#ifndef PALIMPSEST_OP_GROUP_AGG_H
#define PALIMPSEST_OP_GROUP_AGG_H

#include "engine/arrange/keyspec.h"
#include "engine/op/group_distinct.h"

struct agg {
    const struct group_agg *call; /* borrowed */
    size_t offset;                /* of the state in the group's record */
    struct group_distinct *seen;  /* owned; NULL without DISTINCT */
    bool plain;          /* at most one argument, an integer column; no FILTER, no DISTINCT */
    struct key_part arg; /* that argument */
};

void group_agg_init(struct agg *a, const struct group_agg *call, size_t offset,
                    const struct layout *l);
void group_agg_fini(struct agg *a);
void group_agg_describe(const struct group_agg *a, struct buf *b);

/* A row into the state of the group with that handle. An argument that fails is an error that
 * weighs as much as the row. */
void group_agg_add_general(const struct agg *a, uint32_t handle, void *state, struct eval_ctx *cx,
                           int64_t weight, struct op_env *env);

static inline void group_agg_add_plain(const struct agg *a, void *state, const uint8_t *row,
                                       int64_t weight)
{
    const struct agg_spec *spec = &a->call->spec;
    struct value arg;
    if (spec->nargs)
        arg = key_part_int(&a->arg, row);
    if (!spec->cls->strict || !spec->nargs || !arg.null)
        spec->cls->add(spec, state, &arg, weight);
}

static inline void group_agg_add(const struct agg *a, uint32_t handle, void *state,
                                 struct eval_ctx *cx, int64_t weight, struct op_env *env)
{
    if (a->plain)
        group_agg_add_plain(a, state, cx->row[0], weight);
    else
        group_agg_add_general(a, handle, state, cx, weight, env);
}

#endif
