/*
 * rerun: what must be known of a statement so that Postgres may be asked it again whenever its
 * answer may have changed.
 *
 * The analysed tree is walked through everything it holds: range tables, subqueries, sublinks, CTEs,
 * functions, operators, and the views it reads, down to their base tables. Found are the tables
 * whose changes matter, and whether the time does. What can change the answer without a word in the
 * stream, or is changed by asking, is refused by name: volatile functions, system catalogs, functions
 * that read what we don't see.
 *
 * Nothing is bound, so whatever Postgres understands is fine here. Called by plan/plan_rerun.
 *
 * A built-in stable function is refused unless it is in the tables of rerun_func.c: to accept one,
 * its name there.
 */
#ifndef PALIMPSEST_SQL_RERUN_H
#define PALIMPSEST_SQL_RERUN_H

#include "engine/base/vec.h"
#include "engine/sql/catalog.h"
#include "engine/sql/pgnode.h"

struct rerun_table {
    const struct cat_table *t;
    bool only; /* FROM ONLY */
};

struct rerun_facts {
    VEC(struct rerun_table) tables; /* base tables, each once; VEC_FREE is the caller's */
    bool timed;                     /* the answer depends on the time */
    /* Why the answer may be another when asked again (see plan/doubt.h; more is in doubt here, as
     * nothing is known of rows and keys); NULL = it may not. */
    const char *doubt;
};

/* All that query reads. Trees of views are kept in scratch. */
MUST_CHECK bool rerun_look(const struct pgnode *query, const struct catalog *cat,
                           struct arena *scratch, struct rerun_facts *out, struct err *err);
/* A hash of what the query means: without locations, and without names unless rows are used whole,
 * which shows them. The names of its result columns never count. */
uint64_t rerun_hash(const struct pgnode *query);

/* rerun_func.c: whether calling it again gives the answer of now; timed is set where it depends on
 * the time. */
MUST_CHECK bool rerun_check_function(const struct cat_function *f, bool *timed, struct err *err);

#endif
