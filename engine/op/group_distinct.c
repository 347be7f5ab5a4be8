/*
 * group_distinct: see group_distinct.h. A record's key is (group, arguments).
 */
#include "engine/op/group_distinct.h"

#include <stdlib.h>

#include "engine/arrange/keymap.h"
#include "engine/arrange/spellings.h"

struct seen {
    int64_t n;
    struct spellings spellings; /* only there if keys aren't bytewise */
};

struct group_distinct {
    const struct agg_spec *spec; /* borrowed */
    struct keymap map;
    bool bytewise;
    size_t spelling_bytes; /* held outside of the records */
};

struct group_distinct *group_distinct_new(const struct agg_spec *spec)
{
    struct group_distinct *d = NEW(struct group_distinct);
    struct column_type cts[1 + AGG_MAX_ARGS] = {{.type = type_native(OID_INT8), .typmod = -1}};
    for (uint32_t i = 0; i < spec->nargs; i++)
        cts[1 + i] = spec->args[i];
    d->spec = spec;
    d->bytewise = key_types_are_bytewise(cts, 1 + spec->nargs);
    keymap_init(&d->map, cts, 1 + spec->nargs, d->bytewise ? sizeof(int64_t) : sizeof(struct seen));
    return d;
}

static void fini_record(void *arg, uint32_t handle)
{
    struct group_distinct *d = arg;
    spellings_fini(&((struct seen *)keymap_payload(&d->map, handle))->spellings);
}

void group_distinct_free(struct group_distinct *d)
{
    if (!d->bytewise)
        htab_each(&d->map.table, fini_record, d);
    keymap_fini(&d->map);
    free(d);
}

void group_distinct_settle(struct group_distinct *d)
{
    keymap_settle(&d->map);
}

size_t group_distinct_bytes(const struct group_distinct *d)
{
    return keymap_bytes(&d->map) + d->spelling_bytes;
}

/* Gives the aggregate the arguments of a packed key, or takes them away. */
static void give(const struct group_distinct *d, void *state, const uint8_t *row, int64_t weight)
{
    struct value args[AGG_MAX_ARGS];
    for (uint32_t i = 0; i < d->spec->nargs; i++)
        args[i] = row_get(d->map.layout, row, 1 + i);
    d->spec->cls->add(d->spec, state, args, weight);
}

/* Counts the spelling; the aggregate sees the one that shows, before and after. */
static void count_spelling(struct group_distinct *d, uint32_t h, void *state, const uint8_t *row,
                           int64_t weight, struct op_env *env)
{
    struct seen *seen = keymap_payload(&d->map, h);
    const uint8_t *first = keymap_row(&d->map, h);
    const uint8_t *shown = spellings_shown(&seen->spellings, first);
    uint32_t len = row_len(d->map.layout, shown);
    const uint8_t *before = shown == first ? first : arena_memdup(&env->scratch, shown, len);
    bool was_there = seen->n > 0, is_there = seen->n + weight > 0;
    d->spelling_bytes -= spellings_bytes(&seen->spellings);
    spellings_count(&seen->spellings, d->map.layout, first, row, weight);
    d->spelling_bytes += spellings_bytes(&seen->spellings);
    const uint8_t *after = spellings_shown(&seen->spellings, first);
    if (was_there && is_there && row_len(d->map.layout, after) == len &&
        memcmp(before, after, len) == 0)
        return;
    if (was_there)
        give(d, state, before, -1);
    if (is_there)
        give(d, state, after, 1);
}

void group_distinct_add(struct group_distinct *d, uint32_t group, void *state,
                        const struct value *args, int64_t weight, struct op_env *env)
{
    struct keymap *m = &d->map;
    const uint8_t *row = NULL;
    bool has_null;
    m->vals[0] = value_int(group);
    for (uint32_t i = 0; i < d->spec->nargs; i++)
        m->vals[1 + i] = args[i];
    uint32_t hash = keyspec_hash(m->spec, m->vals, &has_null), h = keymap_find(m, hash, m->vals);
    if ((!h || !d->bytewise) && !row_pack(m->layout, m->vals, &env->scratch, &row, &env->err)) {
        errset_add(env->errors, &env->err, weight);
        return;
    }
    if (!h)
        h = keymap_insert(m, hash, row);
    struct seen *seen = keymap_payload(m, h);
    if (!d->bytewise)
        count_spelling(d, h, state, row, weight, env);
    else if ((seen->n > 0) != (seen->n + weight > 0))
        give(d, state, keymap_row(m, h), seen->n + weight > 0 ? 1 : -1);
    seen->n += weight;
    /* Within a step 1.00 may go before it has come, while 1.0 is there: that isn't nothing. */
    if (seen->n == 0 && (d->bytewise || spellings_is_empty(&seen->spellings)))
        keymap_remove(m, h);
}
