/*
 * leaf: an ordinary table whose rows some plan needs, and the map that finds it by OID.
 *
 *   layout  store   what it is
 *   NULL    NULL    not read yet, or lost: its plans wait
 *   set     set     exact: the rows as of the stream's position
 *   set     NULL    a table without identity, all of whose plans are seeded: INSERTs pass through
 *
 * A leaf that only has watchers (reruns, feed_rerun.c) is never read: it is published or not yet.
 *
 * While the table is read (again), `reading` is set and what comes back from the hydrator stands in
 * `next` until it has caught up with the stream; then it replaces store and layout. So a table that
 * another plan needs more columns of goes on being served meanwhile.
 *
 * The map also keeps the relation version of every table the stream has named in this session:
 * pgoutput doesn't repeat itself. Belongs to the reader's thread.
 */
#ifndef PALIMPSEST_DAEMON_LEAF_H
#define PALIMPSEST_DAEMON_LEAF_H

#include "daemon/apply.h"
#include "daemon/log.h"

struct hydration;

struct leaf {
    uint32_t relid;
    uint32_t users;             /* plans that read it */
    uint32_t watchers;          /* of them, those that only want to know when it changes */
    bool published;             /* its changes are in the stream, whole; also if it has a layout */
    bool asked;                 /* the hydrator is to publish it for them */
    bool touched;               /* by the transaction under way; kept while it has watchers */
    struct leaf_layout *layout; /* counted */
    struct store *store;        /* owned */
    struct colmap map;          /* of layout */
    struct hydration *reading;  /* borrowed; NULL: isn't being read */
    struct store *next;         /* owned; its layout is its own */
    struct colmap next_map;
    uint64_t retry_at, pause;  /* ms: when it may be read again; how long after the last failure */
    struct log_repeat trouble; /* why it couldn't be read or published */
    bool overflow;             /* changes of the transaction under way are dropped: reseed */
};

struct leaf *leaf_new(uint32_t relid);
void leaf_free(struct leaf *l);
/* Its rows are not known any more. */
void leaf_lose(struct leaf *l);
void leaf_drop_next(struct leaf *l);
/* next takes the place of store and layout. */
void leaf_promote(struct leaf *l);

struct leafmap_entry {
    uint32_t relid;       /* 0 = free */
    struct relation *rel; /* counted; NULL: not named in this session */
    struct leaf *leaf;    /* owned; NULL: nobody reads it */
};

struct leafmap {
    struct leafmap_entry *v; /* owned; open addressing */
    size_t n, size;          /* size: a power of two, or 0 */
};

void leafmap_fini(struct leafmap *m);
struct leafmap_entry *leafmap_find(const struct leafmap *m, uint32_t relid); /* or NULL */
/* Found or added. The pointer holds until the next addition. */
struct leafmap_entry *leafmap_get(struct leafmap *m, uint32_t relid);
/* A new session begins: relation versions are forgotten. */
void leafmap_forget_relations(struct leafmap *m);

#endif
