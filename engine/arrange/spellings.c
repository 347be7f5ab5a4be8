/*
 * spellings: see spellings.h. Packed rows are ordered by their bytes alone.
 */
#include "engine/arrange/spellings.h"

static int all_alike(const void *ctx, struct value a, struct value b)
{
    (void)ctx, (void)a, (void)b;
    return 0;
}

static const struct ordset_type rows = {.blobs = true, .order = all_alike};

void spellings_count(struct spellings *s, const struct layout *l, const uint8_t *representative,
                     const uint8_t *row, int64_t weight)
{
    uint32_t len = row_len(l, row);
    if (row_len(l, representative) == len && memcmp(representative, row, len) == 0)
        s->first += weight;
    else
        ordset_add(&s->others, &rows, value_bytes(row, len), weight);
}

const uint8_t *spellings_shown(const struct spellings *s, const uint8_t *representative)
{
    struct value other;
    if (s->first <= 0 && ordset_first(&s->others, &rows, false, &other))
        return other.p;
    return representative;
}

void spellings_fini(struct spellings *s)
{
    ordset_fini(&s->others, true);
}

size_t spellings_bytes(const struct spellings *s)
{
    return ordset_bytes(&s->others, true);
}
