/*
 * answer: the rows of a rerun's result as byte strings for a bag: the row's place in Postgres's order,
 * the length of its JSON text, and the text.
 *
 * The place is 0 throughout where the order doesn't matter, so that equal rows are one entry.
 */
#ifndef PALIMPSEST_HOST_ANSWER_H
#define PALIMPSEST_HOST_ANSWER_H

#include <string.h>

#include "engine/base/buf.h"
#include "engine/host/bag.h"

struct answer_head {
    uint64_t place;
    uint32_t len; /* of the text that follows */
} __attribute__((packed));

static inline struct answer_head answer_head(const uint8_t *row)
{
    struct answer_head h;
    memcpy(&h, row, sizeof h);
    return h;
}

static inline const char *answer_text(const uint8_t *row)
{
    return (const char *)row + sizeof(struct answer_head);
}

/* Adds a row once more; scratch is for putting it together. */
static inline void answer_add(struct bag *b, uint64_t place, const char *text, size_t len,
                              struct buf *scratch)
{
    struct answer_head h = {place, (uint32_t)len};
    buf_reset(scratch);
    buf_add(scratch, &h, sizeof h);
    buf_add(scratch, text, len);
    bag_add(b, scratch->data, scratch->len, 1);
}

#endif
