/*
 * errset: the errors that rows of a circuit raise now, as a multiset.
 *
 * An expression that fails for a row of weight w adds the error w times; when the row is retracted
 * the same expression fails in the same way and takes it out again. What is left are the errors of
 * the rows that exist: the statement is healthy if there are none. Errors are told apart by SQLSTATE,
 * message and detail.
 *
 * Owned by a circuit, filled by its operators.
 */
#ifndef PALIMPSEST_OP_ERRSET_H
#define PALIMPSEST_OP_ERRSET_H

#include "engine/base/htab.h"
#include "engine/base/err.h"

struct errset_entry;

struct errset {
    struct htab table;           /* indexes + 1 into entries */
    struct errset_entry **entry; /* owned */
    uint32_t n, cap;
    uint32_t negative; /* entries with more taken out than was put in; 0 between sound steps */
    size_t bytes;
    struct err shown; /* what errset_first() returned */
};

void errset_init(struct errset *s);
void errset_fini(struct errset *s);
void errset_add(struct errset *s, const struct err *err, int64_t weight);
/* One of the errors, the same one while it is there as far as possible, or NULL. Valid until the next change. */
const struct err *errset_first(struct errset *s);

#endif
