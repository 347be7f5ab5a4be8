/*
 * srf_array: unnest() and generate_subscripts(), from the text form of an array. In FROM, an element
 * that is a row becomes the columns of one.
 *
 * The text is Postgres's own (array_out): an optional "[1:3][0:1]=" where bounds aren't 1, braces for
 * each dimension, elements in quotes where they need them. int2vector and oidvector are elements with
 * blanks between. Text that doesn't follow the rules is read as far as it goes.
 */
#include <stdlib.h>
#include <strings.h>

#include "engine/expr/srf.h"

#define MAX_DIMENSIONS 6

struct cursor {
    const char *p, *end;
    char delim;
};

static char peek(const struct cursor *c)
{
    return c->p < c->end ? *c->p : '\0';
}

/* Bounds before the '='; returns how many dimensions they are for. */
static int read_bounds(struct cursor *c, int64_t lower[MAX_DIMENSIONS])
{
    int n = 0;
    while (peek(c) == '[' && n < MAX_DIMENSIONS) {
        lower[n++] = strtoll(c->p + 1, NULL, 10);
        const char *close = memchr(c->p, ']', (size_t)(c->end - c->p));
        c->p = close ? close + 1 : c->end;
    }
    if (n && peek(c) == '=')
        c->p++;
    return n;
}

struct element {
    char *text; /* unescaped */
    size_t len;
    bool null;
};

/* Up to an unquoted delimiter or brace. The text goes to room, which is moved on behind it. */
static struct element read_element(struct cursor *c, char **room)
{
    struct element e = {.text = *room};
    bool in_quotes = false, quoted = false;
    for (; c->p < c->end; c->p++) {
        if (*c->p == '"') {
            in_quotes = !in_quotes;
            quoted = true;
        } else if (*c->p == '\\' && c->p + 1 < c->end) {
            e.text[e.len++] = *++c->p;
        } else if (!in_quotes && (*c->p == c->delim || *c->p == '}' || *c->p == '{')) {
            break;
        } else {
            e.text[e.len++] = *c->p;
        }
    }
    *room += e.len;
    e.null = !quoted && e.len == 4 && strncasecmp(e.text, "NULL", 4) == 0;
    return e;
}

/* Up to an unquoted comma or the closing parenthesis; what is empty and has no quotes is NULL. */
static struct element read_field(struct cursor *c, char **room)
{
    struct element e = {.text = *room};
    bool in_quotes = false, quoted = false;
    for (; c->p < c->end; c->p++) {
        if (*c->p == '"') {
            quoted = true;
            if (in_quotes && c->p + 1 < c->end && c->p[1] == '"')
                e.text[e.len++] = *++c->p;
            else
                in_quotes = !in_quotes;
        } else if (*c->p == '\\' && c->p + 1 < c->end) {
            e.text[e.len++] = *++c->p;
        } else if (!in_quotes && (*c->p == ',' || *c->p == ')')) {
            break;
        } else {
            e.text[e.len++] = *c->p;
        }
    }
    c->p += c->p < c->end;
    *room += e.len;
    e.null = !quoted && !e.len;
    return e;
}

/* The fields of a row's text as columns; all NULL where the row is. */
static bool add_row(const struct srf_call *c, const struct element *e, struct srf_rows *out,
                    struct err *err)
{
    struct value *row = srf_row(out, err);
    struct cursor cur = {e->text + 1, e->text + e->len, ','};
    char *room = arena_alloc(out->arena, e->len);
    for (size_t i = 0; row && i < c->ncols; i++) {
        row[i] = value_null();
        if (e->null)
            continue;
        struct element f = read_field(&cur, &room);
        if (!f.null && !value_parse(c->cols[i].type, f.text, f.len, out->arena, &row[i], err))
            return false;
    }
    return row != NULL;
}

static bool add_element(const struct srf_call *c, const struct element *e, struct srf_rows *out,
                        struct err *err)
{
    if (c->expand)
        return add_row(c, e, out, err);
    struct value *row = srf_row(out, err);
    if (!row)
        return false;
    *row = value_null();
    return e->null || value_parse(c->args[0]->ct.type->elem, e->text, e->len, out->arena, row, err);
}

bool srf_unnest(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                struct err *err)
{
    const struct type *t = c->args[0]->ct.type;
    struct cursor cur = {(const char *)args[0].p, (const char *)args[0].p + args[0].len,
                         t->delim ? t->delim : ','};
    int64_t lower[MAX_DIMENSIONS];
    char *room = arena_alloc(out->arena, args[0].len);
    read_bounds(&cur, lower);
    if (cur.p < cur.end && peek(&cur) != '{')
        cur.delim = ' ';
    while (cur.p < cur.end) {
        bool is_mark = *cur.p == '{' || *cur.p == '}' || *cur.p == cur.delim;
        if (is_mark) {
            cur.p++;
            continue;
        }
        struct element e = read_element(&cur, &room);
        if (!add_element(c, &e, out, err))
            return false;
    }
    return true;
}

/* A value standing in FROM: its one row. */
bool srf_scalar(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                struct err *err)
{
    if (c->expand) {
        struct element e = {(char *)args[0].p, args[0].len, args[0].null};
        return add_row(c, &e, out, err);
    }
    struct value *row = srf_row(out, err);
    if (row)
        *row = args[0];
    return row != NULL;
}

/* ------------------------------------------------------------ dimensions */

struct dimensions {
    int n;
    int64_t lower[MAX_DIMENSIONS], length[MAX_DIMENSIONS];
};

/* Over one element, quotes and all. */
static void skip_element(struct cursor *c)
{
    bool in_quotes = false;
    for (; c->p < c->end; c->p++) {
        if (*c->p == '\\')
            c->p += c->p + 1 < c->end;
        else if (*c->p == '"')
            in_quotes = !in_quotes;
        else if (!in_quotes && (*c->p == c->delim || *c->p == '}' || *c->p == '{'))
            return;
    }
}

/* Lengths are those of the first array of each dimension: all others are as long. */
static void measure(struct cursor *c, struct dimensions *d)
{
    int depth = 0;
    bool counted[MAX_DIMENSIONS + 1] = {false};
    while (c->p < c->end) {
        if (*c->p == '{') {
            if (depth == MAX_DIMENSIONS)
                return;
            d->n = ++depth > d->n ? depth : d->n;
            c->p++;
        } else if (*c->p == '}' || *c->p == c->delim) {
            if (depth && !counted[depth - 1])
                d->length[depth - 1]++;
            if (*c->p++ == '}' && depth)
                counted[--depth] = true;
        } else {
            skip_element(c);
        }
    }
}

bool srf_subscripts(const struct srf_call *c, const struct value *args, struct srf_rows *out,
                    struct err *err)
{
    const struct type *t = c->args[0]->ct.type;
    struct cursor cur = {(const char *)args[0].p, (const char *)args[0].p + args[0].len,
                         t->delim ? t->delim : ','};
    struct dimensions d = {.lower = {1, 1, 1, 1, 1, 1}};
    bool reverse = c->nargs > 2 && args[2].i;
    read_bounds(&cur, d.lower);
    if (args[0].len == 2 && memcmp(args[0].p, "{}", 2) == 0)
        return true;
    measure(&cur, &d);
    if (args[1].i < 1 || args[1].i > d.n)
        return true;
    int64_t first = d.lower[args[1].i - 1], n = d.length[args[1].i - 1];
    for (int64_t i = 0; i < n; i++) {
        struct value *row = srf_row(out, err);
        if (!row)
            return false;
        *row = value_int(reverse ? first + n - 1 - i : first + i);
    }
    return true;
}
