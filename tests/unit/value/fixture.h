/*
 * fixture: reading the files that capture.sql wrote. Tests run from the root of the source tree.
 */
#ifndef TESTS_UNIT_VALUE_FIXTURE_H
#define TESTS_UNIT_VALUE_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_FIELDS 6

struct fixture {
    FILE *file;
    char *line;
    size_t cap;
    int lineno;
    char *field[FIXTURE_FIELDS]; /* "" beyond the last one */
};

static inline void fixture_open(struct fixture *f, const char *name)
{
    char path[256];
    memset(f, 0, sizeof *f);
    snprintf(path, sizeof path, "tests/unit/value/%s", name);
    f->file = fopen(path, "r");
    ck_assert_msg(f->file != NULL, "%s: not found (run tests from the source root)", path);
}

static inline bool fixture_next(struct fixture *f)
{
    static char empty[1];
    ssize_t n = getline(&f->line, &f->cap, f->file);
    if (n < 0) {
        fclose(f->file);
        free(f->line);
        return false;
    }
    f->lineno++;
    if (n && f->line[n - 1] == '\n')
        f->line[n - 1] = '\0';
    char *p = f->line;
    for (int i = 0; i < FIXTURE_FIELDS; i++) {
        f->field[i] = p ? p : empty;
        if (p && (p = strchr(p, '\t')))
            *p++ = '\0';
    }
    return true;
}

#endif
