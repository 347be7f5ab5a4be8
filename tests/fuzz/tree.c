/*
 * tree: see tree.h.
 */
#include "tests/fuzz/tree.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/alloc.h"
#include "engine/base/vec.h"

const char *const KIND_TYPES[K_TYPES] = {"int",      "bigint", "numeric",     "float8",    "text",
                                         "bool",     "date",   "timestamp",   "jsonb",     "int[]",
                                         "interval", "time",   "timestamptz", "int4range", "bytea"};
const char *const KIND_LITERALS[K_TYPES] = {"1",
                                            "1::bigint",
                                            "1.5",
                                            "1.5::float8",
                                            "'a'::text",
                                            "true",
                                            "date '2024-01-01'",
                                            "timestamp '2024-01-01'",
                                            "'1'::jsonb",
                                            "'{1}'::int[]",
                                            "interval '1 day'",
                                            "time '12:00'",
                                            "timestamptz '2024-01-01 00:00+00'",
                                            "'[1,3)'::int4range",
                                            "'a'::bytea"};

struct parts {
    VEC(struct node *) list;
};

static struct node *leaf(struct arena *a, const char *s, size_t len)
{
    struct node *n = ARENA_NEW(a, struct node);
    n->kind = K_TEXT_ONLY;
    n->text = arena_strndup(a, s, len);
    return n;
}

static void add_text(struct arena *a, struct parts *p, const char *s, size_t len)
{
    if (len)
        VEC_PUSH(p->list, leaf(a, s, len));
}

struct node *node_new(struct arena *a, enum kind kind, const char *fmt, ...)
{
    struct node *n = ARENA_NEW(a, struct node);
    struct parts p = {0};
    va_list ap;
    va_start(ap, fmt);
    for (const char *s = fmt; *s;) {
        const char *at = strchr(s, '%');
        add_text(a, &p, s, at ? (size_t)(at - s) : strlen(s));
        if (!at)
            break;
        s = at + 2;
        if (at[1] == 'n') {
            struct node *part = va_arg(ap, struct node *);
            if (part)
                VEC_PUSH(p.list, part);
        } else if (at[1] == 's') {
            const char *text = va_arg(ap, const char *);
            add_text(a, &p, text, strlen(text));
        } else if (at[1] == 'd') {
            const char *text = arena_printf(a, "%d", va_arg(ap, int));
            add_text(a, &p, text, strlen(text));
        } else {
            add_text(a, &p, "%", 1);
            s = at + 1;
        }
    }
    va_end(ap);
    n->kind = kind;
    n->nparts = (unsigned)p.list.n;
    n->parts = arena_memdup(a, p.list.v, p.list.n * sizeof *p.list.v);
    VEC_FREE(p.list);
    return n;
}

struct node *node_optional(struct node *n)
{
    n->optional = true;
    return n;
}

struct node *node_append(struct arena *a, struct node *before, struct node *after)
{
    return before ? node_new(a, K_TEXT_ONLY, "%n%n", before, after) : after;
}

void node_print(const struct node *n, struct buf *out)
{
    while (n->instead)
        n = n->instead;
    if (n->gone)
        return;
    if (n->text)
        buf_adds(out, n->text);
    for (unsigned i = 0; i < n->nparts; i++)
        node_print(n->parts[i], out);
}

unsigned node_count(const struct node *n)
{
    unsigned count = 1;
    while (n->instead)
        n = n->instead;
    if (n->gone)
        return 0;
    for (unsigned i = 0; i < n->nparts; i++)
        count += node_count(n->parts[i]);
    return count;
}

/* ---- shrinking ------------------------------------------------------------------------------- */

struct shrink {
    struct arena *arena;
    struct node *root;
    bool (*fails)(const struct node *, void *);
    void *arg;
    unsigned left; /* questions */
    bool progress;
};

/* The nodes below that could stand for one of this kind, the largest first. */
static void find_alike(struct node *n, enum kind kind, struct parts *out)
{
    while (n->instead)
        n = n->instead;
    for (unsigned i = 0; i < n->nparts; i++) {
        struct node *p = n->parts[i];
        if (p->kind == kind && !p->gone)
            VEC_PUSH(out->list, p);
        else
            find_alike(p, kind, out);
    }
}

static bool still_fails(struct shrink *s)
{
    if (!s->left)
        return false;
    s->left--;
    if (!s->fails(s->root, s->arg))
        return false;
    s->progress = true;
    return true;
}

static bool try_instead(struct shrink *s, struct node *n, struct node *other)
{
    struct node *was = n->instead;
    n->instead = other;
    if (still_fails(s))
        return true;
    n->instead = was;
    return false;
}

static bool try_gone(struct shrink *s, struct node *n)
{
    n->gone = true;
    if (still_fails(s))
        return true;
    n->gone = false;
    return false;
}

static void shrink_at(struct shrink *s, struct node *n)
{
    struct node *now = n;
    while (now->instead)
        now = now->instead;
    if (now->gone || (now->optional && try_gone(s, now)))
        return;
    if (now->kind < K_TEXT_ONLY && now->nparts) {
        struct parts alike = {0};
        bool done = false;
        if (now->kind < K_TYPES && node_count(now) > 2)
            done = try_instead(s, now,
                               node_new(s->arena, K_TEXT_ONLY, "%s", KIND_LITERALS[now->kind]));
        if (!done)
            find_alike(now, now->kind, &alike);
        for (size_t i = 0; i < alike.list.n && !done; i++)
            done = try_instead(s, now, alike.list.v[i]);
        VEC_FREE(alike.list);
    }
    while (now->instead)
        now = now->instead;
    for (unsigned i = 0; i < now->nparts && s->left; i++)
        shrink_at(s, now->parts[i]);
}

void node_shrink(struct arena *a, struct node *root, bool (*fails)(const struct node *, void *),
                 void *arg, unsigned limit)
{
    struct shrink s = {a, root, fails, arg, limit, true};
    while (s.progress && s.left) {
        s.progress = false;
        shrink_at(&s, root);
    }
}
