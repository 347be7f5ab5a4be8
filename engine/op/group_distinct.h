/*
 * group_distinct: DISTINCT inside an aggregate: which values each group has seen, and how often.
 *
 * One per DISTINCT aggregate of a group operator, for all its groups. The aggregate is given a value
 * when it appears and has it taken away when it disappears, in a spelling that some row has.
 */
#ifndef PALIMPSEST_OP_GROUP_DISTINCT_H
#define PALIMPSEST_OP_GROUP_DISTINCT_H

#include "engine/op/op_impl.h"

struct group_distinct;

struct group_distinct *group_distinct_new(const struct agg_spec *spec);
void group_distinct_free(struct group_distinct *d);
/* Counts the values among those of the group (its handle); what that changes is added to state. */
void group_distinct_add(struct group_distinct *d, uint32_t group, void *state,
                        const struct value *args, int64_t weight, struct op_env *env);
/* At the start of a step. */
void group_distinct_settle(struct group_distinct *d);
size_t group_distinct_bytes(const struct group_distinct *d);

#endif
