/*
 * bag: a multiset of byte strings (packed rows, encoded lines), as weights by content.
 *
 * The cached view of a plan is a bag of rows; netting out a run of deltas uses a bag of lines. Cost
 * is O(1) an operation, whatever it holds. Entries whose weight becomes zero are gone. Weights may
 * be negative while differences are being collected.
 */
#ifndef PALIMPSEST_HOST_BAG_H
#define PALIMPSEST_HOST_BAG_H

#include <stddef.h>
#include <stdint.h>

struct bag_entry {
    struct bag_entry *next; /* in its bucket */
    int64_t weight;         /* never 0 */
    uint32_t hash;
    uint32_t len;
    uint8_t bytes[];
};

struct bag {
    struct bag_entry **buckets; /* owned; a power of two of them, or NULL while empty */
    size_t nbuckets;
    size_t nentries;
    int64_t total; /* sum of weights */
    size_t bytes;  /* memory held by entries and buckets */
};

void bag_init(struct bag *b);
void bag_fini(struct bag *b);
void bag_clear(struct bag *b);

/* Adds weight (not 0) to the entry with these bytes and returns its new weight. */
int64_t bag_add(struct bag *b, const void *bytes, size_t len, int64_t weight);
int64_t bag_weight(const struct bag *b, const void *bytes, size_t len); /* 0 if absent */

/* All entries, in no order: start with {0}, until NULL. No change in between. */
struct bag_cursor {
    size_t bucket;
    const struct bag_entry *entry;
};
const struct bag_entry *bag_next(const struct bag *b, struct bag_cursor *c);

#endif
