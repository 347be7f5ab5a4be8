/*
 * sqlfixture: a database captured by tests/unit/sql/capture.py, as a catalog and a list of
 * statements, for tests that need no server.
 *
 * Records, one a line, fields separated by tabs:
 *
 *     type       oid name typtype typcategory typelem
 *     collation  oid name provider locale deterministic
 *     function   oid signature volatility
 *     table      oid schema name relkind persistence replident is_catalog row_security view_tree
 *     column     table attnum name dropped generated type typmod collation
 *     leaf       table leaf is_the_table_itself
 *     run|bind|refuse  name parameters statement tree
 *     data       table state n columns          and n lines "|" + COPY text
 *     answer     statement state n              and n lines "|" + COPY text
 */
#ifndef TESTS_SUPPORT_SQLFIXTURE_H
#define TESTS_SUPPORT_SQLFIXTURE_H

#include "engine/base/vec.h"
#include "engine/plan/plan.h"

#define FIXTURE_STATES 2

struct fixture_rows {
    char **v; /* borrowed from the file's text */
    size_t n;
};

struct fixture_statement {
    const char *kind, *name, *params, *sql, *tree;
    struct fixture_rows answer[FIXTURE_STATES]; /* of kind "run" */
};

struct fixture_data {
    uint32_t table;
    const char *columns; /* comma-separated */
    struct fixture_rows rows[FIXTURE_STATES];
};

struct fixture {
    char *text;   /* owned */
    char **lines; /* owned array */
    struct arena arena;
    VEC(struct fixture_statement) statements;
    VEC(struct fixture_data) data;
    VEC(struct cat_table *) tables;
    VEC(const struct type *) types;
    VEC(const struct collation *) collations;
    VEC(char **) functions; /* fields of the record */
    struct catalog catalog;
};

/* Aborts the test when the file can't be read. */
struct fixture *fixture_load(const char *path);
void fixture_free(struct fixture *f);
const struct fixture_statement *fixture_statement(const struct fixture *f, const char *name);

/* The statement as the daemon would hand it to plan_spec_new(). NULL with err as that. */
struct plan_spec *fixture_plan(struct fixture *f, const struct fixture_statement *s,
                               struct err *err);
/* The same for plan_spec_rerun(). */
struct plan_spec *fixture_rerun(struct fixture *f, const struct fixture_statement *s,
                                const struct err *why, struct err *err);

#endif
