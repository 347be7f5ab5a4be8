/*
 * accepted: see accepted.h.
 */
#include "daemon/accepted.h"

#include <string.h>

#include "engine/base/hash.h"
#include "engine/base/vec.h"
#include "protocol/reply.h"

void accepted_write(struct buf *b, const char *id, const struct plan_spec *spec)
{
    VEC(struct reply_column) columns = {0};
    VEC(struct reply_order) order = {0};
    for (size_t i = 0; i < spec->ncolumns; i++) {
        struct reply_column col = {spec->columns[i].name, spec->columns[i].type_name};
        VEC_PUSH(columns, col);
    }
    for (size_t i = 0; i < spec->norder; i++) {
        const struct sort_key *k = &spec->order[i];
        struct reply_order o = {
            .column = k->col < spec->ncolumns ? spec->columns[k->col].name : NULL,
            .desc = k->desc,
            .nulls_first = k->nulls_first,
        };
        VEC_PUSH(order, o);
    }
    reply_accepted(b, id, spec->key, spec->rerun ? spec->rerun->what : NULL, columns.v, columns.n,
                   order.v, order.n);
    VEC_FREE(columns);
    VEC_FREE(order);
}

static uint64_t hash_text(uint64_t h, const char *s)
{
    return hash_mix(h, hash_bytes(s, strlen(s)));
}

uint64_t accepted_columns(const struct plan_spec *spec)
{
    uint64_t h = 0;
    for (size_t i = 0; i < spec->ncolumns; i++)
        h = hash_text(hash_text(h, spec->columns[i].name), spec->columns[i].type_name);
    for (size_t i = 0; i < spec->norder; i++) {
        const struct sort_key *k = &spec->order[i];
        uint64_t shown = k->col < spec->ncolumns ? k->col + 1 : 0;
        h = hash_mix(h, shown * 4 + k->desc * 2u + k->nulls_first);
    }
    return h;
}
