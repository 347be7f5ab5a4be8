/*
 * script: a file of tests/sql: schema, statements to keep live, and changes.
 *
 * Three sections, @schema, @queries and @changes, of statements that end in ';' at a line's end;
 * lines that begin with "--" are comments. A script is named after the construct that it is about.
 * A query may begin with words that say what is expected of it, none meaning that it must be
 * accepted as incremental:
 *
 *     rerun:          it must be accepted, in any mode
 *     refuse:         it must be refused with 0A000
 *     any:            refused with 0A000 or accepted: nobody has promised anything yet
 *     params [7,"x"]: the values of $1, $2… as a JSON array; after one of the above, if any
 *
 * A line "@since 17" says that older servers can't read it: there it isn't run.
 *
 * Whatever is accepted must be right in every mode.
 */
#ifndef TESTS_E2E_SCRIPT_H
#define TESTS_E2E_SCRIPT_H

#include <stddef.h>

#include "engine/base/vec.h"

enum expected {
    EXPECT_INCREMENTAL,
    EXPECT_ACCEPTED,
    EXPECT_REFUSED,
    EXPECT_ANYTHING
};

struct statement {
    char *sql;    /* owned */
    char *params; /* JSON array or NULL; owned */
    enum expected expected;
    unsigned line; /* of the file, where it begins */
};

struct statements {
    VEC(struct statement) list;
};

struct script {
    int since; /* major version of Postgres; 0 = any */
    struct statements schema, queries, changes;
};

void script_read(struct script *sc, const char *path);
void script_fini(struct script *sc);

#endif
