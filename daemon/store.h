/*
 * store: the rows of one ordinary table, as of the stream's position, by replica identity.
 *
 * Postgres sends only the key of a deleted row, and no unchanged TOAST values, unless the table has
 * REPLICA IDENTITY FULL. So that no user has to change their tables, the needed columns of the rows
 * are kept here: once per table, for all plans. Plans are seeded from it too. A FULL table has no
 * key: its store is a multiset of whole rows. The store of a table without any identity lives only
 * until the plans waiting for it are seeded.
 *
 * Made and filled by the hydrator, then owned by the reader. Rows are packed in leaf->layout.
 * Cost: O(1) a change, growth included. One thread at a time.
 */
#ifndef PALIMPSEST_DAEMON_STORE_H
#define PALIMPSEST_DAEMON_STORE_H

#include "daemon/step.h"

struct store;

struct store *store_new(struct leaf_layout *leaf); /* takes the reference */
void store_free(struct store *s);
struct leaf_layout *store_leaf(const struct store *s); /* borrowed */

/* The row with the same identity, or NULL. key_row is in leaf->layout; only its identity columns
 * are looked at (all bytes when there is no key). Borrowed until the next change of the store. */
const uint8_t *store_find(const struct store *s, const uint8_t *key_row);
/* Adds a copy. False, and nothing is added, if a row of this identity is there already: then the
 * caller's picture of the table is wrong. Without a key it always succeeds. */
bool store_insert(struct store *s, const uint8_t *row);
/* Removes the row of this identity (one copy of it); false if it is not there. */
bool store_delete(struct store *s, const uint8_t *key_row);
/* The same as a delete of old and an insert of new, cheaper where the identity and the length stay.
 * False: old is not there, or new's identity is taken by another row. old and new are not the
 * store's own. */
bool store_replace(struct store *s, const uint8_t *old, const uint8_t *new);
void store_clear(struct store *s);

uint64_t store_rows(const struct store *s);
uint64_t store_bytes(const struct store *s); /* memory held */

/* All rows, in no order, with how often each is there (always 1 with a key): start with
 * *cursor = 0, until NULL. No change in between. */
const uint8_t *store_next(const struct store *s, uint64_t *cursor, int64_t *copies);

#endif
