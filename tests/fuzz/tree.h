/*
 * tree: a random statement as a tree of pieces of text, so that it can be made smaller.
 *
 * A node is text with other nodes in it. It says what it is (an expression of a type, a FROM item, a
 * query) and whether the statement may do without it; that is all that shrinking knows about SQL:
 * drop what may be dropped, put a node's own part or a literal in its place, and ask Postgres
 * whether the outcome is still a statement.
 *
 * All of it lives in the generator's arena.
 */
#ifndef TESTS_FUZZ_TREE_H
#define TESTS_FUZZ_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/arena.h"
#include "engine/base/buf.h"

enum kind {
    /* expressions, by type */
    K_INT,
    K_BIG,
    K_NUM,
    K_FLOAT,
    K_TEXT,
    K_BOOL,
    K_DATE,
    K_TS,
    K_JSON,
    K_ARR,
    K_IV,
    K_TIME,
    K_TZ,
    K_RANGE,
    K_BYTEA,
    K_TYPES, /* how many types there are */
    K_FROM = K_TYPES,
    K_QUERY,
    K_TEXT_ONLY /* no meaning of its own */
};

struct node {
    enum kind kind;
    bool optional;
    const char *text;    /* a leaf's; NULL otherwise */
    struct node **parts; /* an inner node's */
    unsigned nparts;
    struct node *instead; /* while shrinking: this one is printed; NULL = itself */
    bool gone;            /* while shrinking: nothing is printed */
};

extern const char *const KIND_TYPES[K_TYPES];    /* SQL names */
extern const char *const KIND_LITERALS[K_TYPES]; /* something simple */

/* fmt with %n for a struct node *, %s for a string, %d for an int; % otherwise is itself. */
struct node *node_new(struct arena *a, enum kind kind, const char *fmt, ...);
struct node *node_optional(struct node *n); /* the same, now optional */
/* b after a, or b alone. */
struct node *node_append(struct arena *a, struct node *before, struct node *after);
void node_print(const struct node *n, struct buf *out);
unsigned node_count(const struct node *n); /* as printed */

/* One at a time makes the tree smaller and asks `fails` whether it is still what is looked for;
 * stops when nothing helps or `fails` has been asked `limit` times. */
void node_shrink(struct arena *a, struct node *root, bool (*fails)(const struct node *, void *),
                 void *arg, unsigned limit);

#endif
