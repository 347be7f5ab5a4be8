/*
 * pgnode: see pgnode.h.
 *
 * Tokens are those of Postgres's reader: white space separates; parentheses and braces stand alone;
 * a backslash takes the next byte literally; "<>" alone is the null pointer. Children of the node
 * being read are collected on one stack shared by all levels and copied to the arena when their
 * parent is complete, so nothing is allocated that an error would leak.
 */
#include "engine/sql/pgnode.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/vec.h"

struct token {
    const char *start;
    size_t len;   /* as written; 0 at the end of the text */
    bool escaped; /* holds a backslash */
};

struct reader {
    const char *p, *end;
    struct arena *arena;
    struct err *err;
    int depth;
    VEC(struct pgnode *) items;
    VEC(const char *) names;
};

static const struct pgnode null_node = {.kind = PGN_NULL, .text = ""};

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_delimiter(char c)
{
    return c == '(' || c == ')' || c == '{' || c == '}';
}

static struct token next_token(struct reader *r)
{
    struct token t = {0};
    while (r->p < r->end && is_space(*r->p))
        r->p++;
    t.start = r->p;
    if (r->p < r->end && is_delimiter(*r->p)) {
        r->p++;
        t.len = 1;
        return t;
    }
    while (r->p < r->end && !is_space(*r->p) && !is_delimiter(*r->p)) {
        if (*r->p == '\\' && r->p + 1 < r->end) {
            t.escaped = true;
            r->p++;
        }
        r->p++;
    }
    t.len = (size_t)(r->p - t.start);
    return t;
}

static struct token peek_token(struct reader *r)
{
    const char *saved = r->p;
    struct token t = next_token(r);
    r->p = saved;
    return t;
}

static bool token_is(struct token t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.start, s, t.len) == 0;
}

static bool is_label(struct token t)
{
    return t.len > 1 && t.start[0] == ':';
}

static struct pgnode *malformed(struct reader *r, const char *what)
{
    if (!err_is_set(r->err))
        err_set(r->err, ERR_INTERNAL, "could not read Postgres's node tree: %s", what);
    return NULL;
}

/* The token's text without escapes, in the arena. */
static const char *token_text(struct reader *r, struct token t, uint32_t *len)
{
    char *s = arena_strndup(r->arena, t.start, t.len);
    size_t n = t.len;
    if (t.escaped) {
        n = 0;
        for (size_t i = 0; i < t.len; i++) {
            if (s[i] == '\\' && i + 1 < t.len)
                i++;
            s[n++] = s[i];
        }
        s[n] = '\0';
    }
    *len = (uint32_t)n;
    return s;
}

static struct pgnode *new_node(struct reader *r, enum pgnode_kind kind)
{
    struct pgnode *n = ARENA_NEW(r->arena, struct pgnode);
    n->kind = kind;
    n->text = "";
    return n;
}

static struct pgnode *read_value(struct reader *r);

/* What was pushed on the stack since `base` becomes the node's items. */
static void take_items(struct reader *r, struct pgnode *n, size_t base)
{
    n->n = (uint32_t)(r->items.n - base);
    if (n->n)
        n->items = arena_memdup(r->arena, r->items.v + base, n->n * sizeof *n->items);
    r->items.n = base;
}

/* After the length and "[": bytes as signed or unsigned decimal numbers up to "]". */
static struct pgnode *read_datum(struct reader *r)
{
    struct pgnode *n = new_node(r, PGN_DATUM);
    const char *p = r->p;
    size_t count = 0;
    while (p < r->end && *p != ']')
        count += is_space(*p++);
    char *bytes = arena_alloc(r->arena, count + 1);
    size_t len = 0;
    for (;;) {
        struct token t = next_token(r);
        if (!t.len)
            return malformed(r, "a constant without an end");
        if (token_is(t, "]"))
            break;
        char number[8] = "";
        char *stop;
        if (t.len >= sizeof number || len >= count)
            return malformed(r, "a constant's byte");
        memcpy(number, t.start, t.len);
        long v = strtol(number, &stop, 10);
        if (*stop || stop == number || v < -128 || v > 255)
            return malformed(r, "a constant's byte");
        bytes[len++] = (char)v;
    }
    bytes[len] = '\0';
    n->text = bytes;
    n->len = (uint32_t)len;
    return n;
}

/* Older spellings of tags, so that Postgres 14 reads like 15. */
static const char *canonical_tag(const char *tag)
{
    static const char *const old[][2] = {
        {"RTE", "RANGETBLENTRY"}, {"CASE", "CASEEXPR"},
        {"WHEN", "CASEWHEN"},     {"COALESCE", "COALESCEEXPR"},
        {"MINMAX", "MINMAXEXPR"}, {"ARRAY", "ARRAYEXPR"},
        {"ROW", "ROWEXPR"},       {"ROWCOMPARE", "ROWCOMPAREEXPR"},
    };
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (strcmp(tag, old[i][0]) == 0)
            return old[i][1];
    return tag;
}

/* One field's value. Arrays, written as several atoms, keep the first: no node we look into has one. */
static struct pgnode *read_field(struct reader *r)
{
    struct pgnode *v = read_value(r);
    if (v && v->kind == PGN_ATOM && token_is(peek_token(r), "[")) {
        next_token(r);
        v = read_datum(r);
    }
    while (v) {
        struct token t = peek_token(r);
        if (is_label(t) || token_is(t, "}"))
            break;
        if (!read_value(r))
            return NULL;
    }
    return v;
}

static struct pgnode *read_node(struct reader *r)
{
    struct pgnode *n = new_node(r, PGN_NODE);
    size_t base = r->items.n, name_base = r->names.n;
    struct token tag = next_token(r);
    if (!tag.len || is_delimiter(tag.start[0]))
        return malformed(r, "a node without a name");
    n->text = canonical_tag(token_text(r, tag, &n->len));
    n->len = (uint32_t)strlen(n->text);
    for (;;) {
        struct token t = next_token(r);
        uint32_t len;
        if (token_is(t, "}"))
            break;
        if (!is_label(t))
            return malformed(r, "a field without a name");
        t.start++;
        t.len--;
        const char *name = token_text(r, t, &len);
        struct pgnode *v = read_field(r);
        if (!v)
            return NULL;
        VEC_PUSH(r->items, v);
        VEC_PUSH(r->names, name);
    }
    take_items(r, n, base);
    if (n->n)
        n->names = arena_memdup(r->arena, r->names.v + name_base, n->n * sizeof *n->names);
    r->names.n = name_base;
    return n;
}

static char list_kind(struct reader *r)
{
    struct token t = peek_token(r);
    if (t.len == 1 && strchr("ioxb", t.start[0])) {
        next_token(r);
        return t.start[0];
    }
    return 'n';
}

static struct pgnode *read_list(struct reader *r)
{
    struct pgnode *n = new_node(r, PGN_LIST);
    size_t base = r->items.n;
    n->list = list_kind(r);
    while (!token_is(peek_token(r), ")")) {
        struct pgnode *v = read_value(r);
        if (!v)
            return NULL;
        VEC_PUSH(r->items, v);
    }
    next_token(r);
    take_items(r, n, base);
    return n;
}

static struct pgnode *read_atom(struct reader *r, struct token t)
{
    struct pgnode *n = new_node(r, PGN_ATOM);
    if (token_is(t, "<>")) {
        n->kind = PGN_NULL;
        return n;
    }
    if (t.start[0] == '"' && t.len >= 2 && t.start[t.len - 1] == '"') {
        n->kind = PGN_STRING;
        t.start++;
        t.len -= 2;
    }
    n->text = token_text(r, t, &n->len);
    return n;
}

static struct pgnode *read_value(struct reader *r)
{
    struct token t = next_token(r);
    struct pgnode *n;
    if (!t.len)
        return malformed(r, "the text ends early");
    if (t.len > 1 || !is_delimiter(t.start[0]))
        return read_atom(r, t);
    if (*t.start == ')' || *t.start == '}')
        return malformed(r, "a bracket that opens nothing");
    if (r->depth >= PGNODE_MAX_DEPTH) {
        err_set(r->err, "54001", "the statement is nested too deeply");
        return NULL;
    }
    r->depth++;
    n = *t.start == '{' ? read_node(r) : read_list(r);
    r->depth--;
    return n;
}

struct pgnode *pgnode_read(const char *text, size_t len, struct arena *a, struct err *err)
{
    struct reader r = {.p = text, .end = text + len, .arena = a, .err = err};
    struct pgnode *n = NULL;
    if (len > PGNODE_MAX_TEXT) {
        err_set(err, "54001", "the statement is too large");
        return NULL;
    }
    n = read_value(&r);
    if (n && next_token(&r).len)
        n = malformed(&r, "something follows its end");
    VEC_FREE(r.items);
    VEC_FREE(r.names);
    return n;
}

/* ------------------------------------------------------------ access */

bool pgn_is(const struct pgnode *n, const char *tag)
{
    return n->kind == PGN_NODE && strcmp(n->text, tag) == 0;
}

const struct pgnode *pgn_field(const struct pgnode *n, const char *name)
{
    if (n->kind == PGN_NODE)
        for (uint32_t i = 0; i < n->n; i++)
            if (strcmp(n->names[i], name) == 0)
                return n->items[i];
    return &null_node;
}

int64_t pgn_atom_int(const struct pgnode *atom)
{
    return atom->kind == PGN_ATOM ? strtoll(atom->text, NULL, 10) : 0;
}

int64_t pgn_int(const struct pgnode *n, const char *name)
{
    return pgn_atom_int(pgn_field(n, name));
}

uint32_t pgn_oid(const struct pgnode *n, const char *name)
{
    return (uint32_t)pgn_int(n, name);
}

bool pgn_bool(const struct pgnode *n, const char *name)
{
    const struct pgnode *f = pgn_field(n, name);
    return f->kind == PGN_ATOM && strcmp(f->text, "true") == 0;
}

char pgn_char(const struct pgnode *n, const char *name)
{
    const struct pgnode *f = pgn_field(n, name);
    return f->kind == PGN_ATOM ? f->text[0] : '\0';
}

const char *pgn_str(const struct pgnode *n, const char *name)
{
    const struct pgnode *f = pgn_field(n, name);
    return f->kind == PGN_ATOM || f->kind == PGN_STRING ? f->text : NULL;
}

/* ------------------------------------------------------------ equality */

bool pgn_is_spelling(const char *name)
{
    static const char *const names[] = {"stmt_location", "stmt_len",     "queryId",
                                        "location",      "varnosyn",     "varattnosyn",
                                        "funcformat",    "coerceformat", "relabelformat",
                                        "convertformat", "row_format"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool equal(const struct pgnode *a, const struct pgnode *b, pgn_resolve_fn *resolve,
                  void *ctx, int depth)
{
    if (resolve) {
        a = resolve(ctx, a);
        b = resolve(ctx, b);
    }
    if (a == b)
        return true;
    if (depth > PGNODE_MAX_DEPTH) /* what is resolved may lead round in circles */
        return false;
    if (a->kind != b->kind || a->len != b->len || a->n != b->n || a->list != b->list ||
        memcmp(a->text, b->text, a->len) != 0)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->kind == PGN_NODE) {
            if (strcmp(a->names[i], b->names[i]) != 0)
                return false;
            if (pgn_is_spelling(a->names[i]))
                continue;
        }
        if (!equal(a->items[i], b->items[i], resolve, ctx, depth + 1))
            return false;
    }
    return true;
}

bool pgn_equal(const struct pgnode *a, const struct pgnode *b, pgn_resolve_fn *resolve, void *ctx)
{
    return equal(a, b, resolve, ctx, 0);
}
