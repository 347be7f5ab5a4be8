/*
 * spellings: how the rows of one key spell it.
 *
 * Keys are equal by type: 1.0 and 1.00 are one. What a group or a distinct row shows must be a
 * spelling that some row still has. The record's representative (keymap.h) is one as long as any row
 * is spelled like it; the others are counted beside it, and when it is gone the least of them shows.
 *
 *     INSERT 1.0; INSERT 1.00; DELETE 1.0;    -- SELECT DISTINCT x: 1.00
 *
 * Only for keys that aren't bytewise (keyspec_is_bytewise). Zero is a key without rows. 32 bytes,
 * and nothing else while there is one spelling.
 */
#ifndef PALIMPSEST_ARRANGE_SPELLINGS_H
#define PALIMPSEST_ARRANGE_SPELLINGS_H

#include "engine/expr/ordset.h"
#include "engine/value/row.h"

struct spellings {
    int64_t first;        /* rows spelled as the representative */
    struct ordset others; /* packed keys of the others */
};

/* row: the key as a packed row of layout l, as the representative is. */
void spellings_count(struct spellings *s, const struct layout *l, const uint8_t *representative,
                     const uint8_t *row, int64_t weight);
/* The one to show; borrowed from the map or from s until the next count. */
const uint8_t *spellings_shown(const struct spellings *s, const uint8_t *representative);
static inline bool spellings_is_empty(const struct spellings *s)
{
    return !s->first && !s->others.one.weight && !s->others.tree;
}
void spellings_fini(struct spellings *s);
size_t spellings_bytes(const struct spellings *s);

#endif
