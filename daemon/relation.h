/*
 * relation: a table as the stream describes it, and how its columns become those of a leaf.
 *
 * pgoutput sends a Relation message before the first change of a table and again after the table
 * has changed; what comes after is in that shape. A version is immutable and counted: recent
 * transactions (ring.h) keep the one they were sent in. Belongs to the reader's thread.
 *
 * A colmap is made once for a pair of relation and leaf layout and kept beside the layout. It fits
 * only if every needed column is there with the type and typmod the layout has, and the identity is
 * the same: everything else means that the table must be read again.
 */
#ifndef PALIMPSEST_DAEMON_RELATION_H
#define PALIMPSEST_DAEMON_RELATION_H

#include "daemon/step.h"
#include "protocol/pgoutput.h"

struct relation_column {
    char *name;    /* owned */
    uint32_t type; /* pg_type OID */
    int32_t typmod;
    bool key; /* part of the replica identity */
};

struct relation {
    uint32_t refs;
    uint32_t relid;
    char replident; /* pg_class.relreplident */
    uint32_t ncols;
    struct relation_column cols[];
};

/* A new version from a Relation message; one reference, the caller's. */
struct relation *relation_new(const struct pgo_message *m);
struct relation *relation_ref(struct relation *r);
void relation_unref(struct relation *r);
/* Whether the message says the same as this version. */
bool relation_says(const struct relation *r, const struct pgo_message *m);

struct colmap {
    struct relation *rel;           /* counted; NULL = not made */
    const struct leaf_layout *leaf; /* borrowed */
    bool fits;
    int32_t *to; /* owned; by column of rel: its place in the leaf, or -1 */
};

/* Makes the map for this pair unless it is the one already made. True if it fits. */
bool colmap_set(struct colmap *m, struct relation *rel, const struct leaf_layout *leaf);
void colmap_clear(struct colmap *m);

#endif
