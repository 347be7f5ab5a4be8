/*
 * statement: the text and the parameters of a subscription, kept so that Postgres can be asked again
 * what it means when the schema it was made for is no more (reask.h).
 *
 * Interned by the loop: ten thousand subscriptions to one statement hold one object. Counted;
 * belongs to the loop's thread.
 */
#ifndef PALIMPSEST_DAEMON_STATEMENT_H
#define PALIMPSEST_DAEMON_STATEMENT_H

#include <stddef.h>

#include "daemon/table.h"
#include "protocol/request.h"

struct question;

struct statement {
    struct table_link by_text;
    struct table *table; /* borrowed: the loop's */
    size_t refs;
    char *sql;     /* owned; one statement, no trailing ';' */
    char **params; /* owned array of owned texts of $1…; NULL element = SQL NULL */
    size_t nparams;
    struct question *forming; /* reask's, while a message is being handled */
};

/* The loop's object for what the request says, or a new one. One reference. */
struct statement *statement_intern(struct table *t, const struct request *r);
struct statement *statement_ref(struct statement *st);
void statement_unref(struct statement *st); /* NULL: nothing */

#endif
