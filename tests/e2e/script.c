/*
 * script: line by line. See script.h.
 */
#include "tests/e2e/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/buf.h"
#include "tests/e2e/cluster.h"

static char *read_file(const char *path)
{
    struct buf b;
    size_t len, n;
    FILE *f = fopen(path, "r");
    if (!f)
        die("can't read %s", path);
    buf_init(&b);
    while ((n = fread(buf_reserve(&b, 65536), 1, 65536, f)) > 0)
        b.len += n;
    fclose(f);
    buf_addc(&b, '\0');
    return buf_take(&b, &len);
}

static char *trimmed(const char *s, size_t len)
{
    while (len && strchr(" \n\t", *s))
        s++, len--;
    while (len && strchr(" \n\t;", s[len - 1]))
        len--;
    return xstrndup(s, len);
}

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " ");
}

static const char *take_expected(const char *s, enum expected *expected)
{
    static const struct {
        const char *word;
        enum expected expected;
    } words[] = {
        {"rerun:", EXPECT_ACCEPTED}, {"refuse:", EXPECT_REFUSED}, {"any:", EXPECT_ANYTHING}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(s, words[i].word, strlen(words[i].word)) == 0) {
            *expected = words[i].expected;
            return skip_blanks(s + strlen(words[i].word));
        }
    return s;
}

static const char *take_params(const char *s, char **params, unsigned line)
{
    if (strncmp(s, "params [", 8) != 0)
        return s;
    const char *end = strstr(s, "]:");
    if (!end)
        die("line %u: params without \"]:\"", line);
    *params = xstrndup(s + 7, (size_t)(end + 1 - (s + 7)));
    return skip_blanks(end + 2);
}

static struct statement parse_statement(const char *text, size_t len, unsigned line)
{
    struct statement s = {.line = line};
    char *all = trimmed(text, len);
    const char *p = take_params(take_expected(all, &s.expected), &s.params, line);
    s.sql = xstrdup(p);
    free(all);
    return s;
}

static struct statements *section(struct script *sc, const char *line)
{
    return strncmp(line, "@schema", 7) == 0    ? &sc->schema
           : strncmp(line, "@queries", 8) == 0 ? &sc->queries
                                               : &sc->changes;
}

void script_read(struct script *sc, const char *path)
{
    char *text = read_file(path), *line = text, *start = NULL;
    struct statements *into = NULL;
    unsigned no = 1, first = 0;
    for (; line && *line; no++) {
        char *end = strchr(line, '\n');
        size_t len = end ? (size_t)(end - line) : strlen(line);
        if (strncmp(line, "@since ", 7) == 0) {
            sc->since = atoi(line + 7);
        } else if (*line == '@') {
            into = section(sc, line);
        } else if (len && strncmp(line, "--", 2) != 0) {
            if (!start)
                start = line, first = no;
            if (into && line[len - 1] == ';') {
                VEC_PUSH(into->list, parse_statement(start, (size_t)(line + len - start), first));
                start = NULL;
            }
        }
        line = end ? end + 1 : NULL;
    }
    if (start)
        die("%s: a statement without its section or its ';': %.60s", path, start);
    free(text);
}

static void statements_fini(struct statements *s)
{
    for (size_t i = 0; i < s->list.n; i++) {
        free(s->list.v[i].sql);
        free(s->list.v[i].params);
    }
    VEC_FREE(s->list);
}

void script_fini(struct script *sc)
{
    statements_fini(&sc->schema);
    statements_fini(&sc->queries);
    statements_fini(&sc->changes);
}
