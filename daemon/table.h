/*
 * table: an intrusive hash table, for the few lookups a loop makes by number, name or pointer.
 *
 * A member of the table embeds struct table_link; the table owns only its buckets. The caller
 * computes the hash and compares candidates: table_first() and table_next() walk those with the
 * same hash. Removal during a walk is allowed for the member just returned once next was taken.
 */
#ifndef PALIMPSEST_DAEMON_TABLE_H
#define PALIMPSEST_DAEMON_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_link {
    struct table_link *next; /* in the same bucket */
    uint64_t hash;
};

struct table {
    struct table_link **buckets; /* owned; cap is a power of two, or 0 */
    size_t n, cap;
    struct table_link **old; /* owned; half as many, those before `moved` are empty; NULL = none */
    size_t moved;
};

#define TABLE_MEMBER(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

void table_init(struct table *t);
void table_fini(struct table *t); /* must be empty */
void table_add(struct table *t, struct table_link *l, uint64_t hash);
void table_remove(struct table *t, struct table_link *l);
struct table_link *table_first(const struct table *t, uint64_t hash);
struct table_link *table_next(const struct table_link *l);

#endif
