/*
 * catalog_constants: the text of constants whose bytes the engine can't read.
 *
 * A constant of the analysed tree is the bytes of a Datum. Of a type that we know nothing of (a
 * jsonpath, a tsquery, a polygon, a type of an extension) only Postgres can say what they mean, and
 * it has no function for that. But it prints statements: the statement as pg_get_function_sqlbody()
 * prints it, and its views, hold every such constant as 'text'::type, though not which is which. So
 * all of them are given to Postgres once more, as the select list of another probe, and the trees of
 * both are compared: where type and bytes are the same, the text is that of the constant.
 */
#include <string.h>

#include "daemon/catalog_load.h"
#include "engine/base/alloc.h"
#include "engine/sql/pgnode.h"

/* 'text'::type out of printed SQL. */
struct literal {
    const char *sql; /* all of it */
    const char *text;
};

struct literals {
    struct arena *a;
    VEC(struct literal) v;
};

/* ---- reading printed SQL ------------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static const char *skip_quoted(const char *s)
{
    char quote = *s++;
    while (*s && (*s != quote || s[1] == quote))
        s += *s == quote ? 2 : 1;
    return *s ? s + 1 : s;
}

/* The words that may follow in the name of a type as format_type() prints it. */
static const char *skip_more_words(const char *s)
{
    static const char *const more[] = {" varying", " precision", " without time zone",
                                       " with time zone"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (strncmp(s, more[i], strlen(more[i])) == 0 && !is_word(s[strlen(more[i])]))
            return s + strlen(more[i]);
    return s;
}

static const char *skip_typmod(const char *s)
{
    if (*s != '(')
        return s;
    const char *end = s + strcspn(s, ")");
    return *end ? end + 1 : s;
}

/* Past a type's name. */
static const char *skip_type(const char *s)
{
    for (;;) {
        if (*s == '"')
            s = skip_quoted(s);
        else
            while (is_word(*s))
                s++;
        if (*s != '.')
            break;
        s++;
    }
    s = skip_more_words(skip_typmod(skip_more_words(s)));
    s = skip_typmod(s);
    while (s[0] == '[' && s[1] == ']')
        s += 2;
    return s;
}

/* The string at s, which begins with its quote (behind an E where escapes count), to its end. */
static const char *read_string(const char *s, bool escapes, struct buf *text)
{
    for (s++; *s; s++) {
        if (*s == '\'' && s[1] != '\'')
            return s + 1;
        if (*s == '\'' || (escapes && *s == '\\'))
            s++;
        if (*s)
            buf_addc(text, *s);
    }
    return s;
}

static void add_literal(struct literals *out, const char *start, const char *end, const char *type,
                        struct buf *text)
{
    struct literal l = {arena_printf(out->a, "%.*s%s", (int)(end - start), start, type),
                        arena_strndup(out->a, buf_cstr(text), text->len)};
    VEC_PUSH(out->v, l);
}

/* The path of a JSON query function is the one constant that is printed without its type. */
static bool is_path(const char *text)
{
    return *text == '$' || strncmp(text, "strict $", 8) == 0;
}

static void find_literals(const char *s, struct literals *out)
{
    for (const char *before = ""; *s; before = s++) {
        if (*s == '"') {
            s = skip_quoted(s) - 1;
            continue;
        }
        if (*s != '\'')
            continue;
        struct buf text = {0};
        bool escapes = *before == 'E';
        const char *start = escapes ? before : s, *end = read_string(s, escapes, &text);
        const char *type = end;
        if (end[0] == ':' && end[1] == ':')
            end = skip_type(end + 2);
        if (end > type)
            add_literal(out, start, end, "", &text);
        else if (is_path(buf_cstr(&text)))
            add_literal(out, start, end, "::pg_catalog.jsonpath", &text);
        buf_fini(&text);
        s = end - 1;
    }
}

/* ---- asking what they are ------------------------------------------------------------------ */

static PGresult *ask_statement(struct catalog_load *cl, struct err *err)
{
    return pgconn_queryf(cl->conn, err,
                         "SELECT pg_catalog.pg_get_function_sqlbody(oid) FROM pg_catalog.pg_proc "
                         "WHERE proname = 'palimpsest_probe' AND pronamespace = "
                         "pg_catalog.pg_my_temp_schema()");
}

static bool collect(struct catalog_load *cl, struct literals *out, struct err *err)
{
    PGresult *res = ask_statement(cl, err);
    for (size_t i = 0; res; i++) {
        if (PQntuples(res) == 1 && !PQgetisnull(res, 0, 0))
            find_literals(arena_strdup(out->a, PQgetvalue(res, 0, 0)), out);
        PQclear(res);
        if (i == cl->views.n)
            return true;
        res = pgconn_queryf(cl->conn, err, "SELECT pg_catalog.pg_get_viewdef(%u)",
                            cl->views.v[i].oid);
    }
    return false;
}

/* Within a savepoint: what can't be analysed again leaves no trace. */
static char *analyse(struct catalog_load *cl, const struct literals *l, struct err *err)
{
    struct buf sql = {0};
    char *tree = NULL;
    buf_adds(&sql, "CREATE OR REPLACE FUNCTION pg_temp.palimpsest_constants() RETURNS SETOF record "
                   "LANGUAGE sql BEGIN ATOMIC SELECT ");
    for (size_t i = 0; i < l->v.n; i++)
        buf_addf(&sql, "%s%s", i ? ", " : "", l->v.v[i].sql);
    buf_adds(&sql, "; END");
    if (!pgconn_exec(cl->conn, "SAVEPOINT palimpsest_constants", err)) {
        buf_fini(&sql);
        return NULL;
    }
    bool ok = pgconn_exec(cl->conn, buf_cstr(&sql), err);
    PGresult *res = ok ? pgconn_queryf(cl->conn, err,
                                       "SELECT prosqlbody FROM pg_catalog.pg_proc WHERE proname = "
                                       "'palimpsest_constants' AND pronamespace = "
                                       "pg_catalog.pg_my_temp_schema()")
                       : NULL;
    if (res && PQntuples(res) == 1)
        tree = arena_strdup(&cl->arena, PQgetvalue(res, 0, 0));
    PQclear(res);
    buf_fini(&sql);
    if (cl->conn->pg && !pgconn_exec(cl->conn, "ROLLBACK TO SAVEPOINT palimpsest_constants", err))
        return NULL;
    return tree;
}

/* The constant under the casts that a typmod or a domain has put over it. */
static const struct pgnode *constant_of(const struct pgnode *n)
{
    for (int i = 0; i < 8 && n->kind == PGN_NODE && !pgn_is(n, "CONST"); i++) {
        const struct pgnode *args = pgn_field(n, "args");
        n = args->n ? args->items[0] : pgn_field(n, "arg");
    }
    return n;
}

static void remember(struct catalog_load *cl, const struct pgnode *c, const char *text)
{
    const struct pgnode *datum = pgn_field(c, "constvalue");
    struct catalog_constant k = {pgn_oid(c, "consttype"), datum->text, datum->len, text};
    if (pgn_is(c, "CONST") && datum->kind == PGN_DATUM)
        VEC_PUSH(cl->constants, k);
}

static bool learn(struct catalog_load *cl, struct err *err)
{
    struct literals l = {.a = &cl->arena};
    char *text = collect(cl, &l, err) && l.v.n ? analyse(cl, &l, err) : NULL;
    struct pgnode *tree = text ? pgnode_read(text, strlen(text), &cl->arena, err) : NULL;
    const struct pgnode *query = tree;
    while (query && query->kind == PGN_LIST && query->n)
        query = query->items[0];
    for (uint32_t i = 0; query && i < l.v.n; i++) {
        const struct pgnode *targets = pgn_field(query, "targetList");
        if (i < targets->n)
            remember(cl, constant_of(pgn_field(targets->items[i], "expr")), l.v.v[i].text);
    }
    VEC_FREE(l.v);
    cl->constants_views = cl->views.n + 1;
    return query != NULL;
}

static const char *find(const struct catalog_load *cl, uint32_t type, const char *datum, size_t len)
{
    for (size_t i = 0; i < cl->constants.n; i++) {
        const struct catalog_constant *k = &cl->constants.v[i];
        if (k->type == type && k->len == len && memcmp(k->datum, datum, len) == 0)
            return k->text;
    }
    return NULL;
}

const char *catalog_constant_text(void *ctx, uint32_t type, const char *datum, size_t len)
{
    struct catalog_load *cl = ctx;
    struct err err;
    const char *text = find(cl, type, datum, len);
    /* Views that have come into the statement since hold more. */
    if (!text && cl->constants_views <= cl->views.n && learn(cl, &err))
        text = find(cl, type, datum, len);
    return text;
}
