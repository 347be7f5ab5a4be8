/*
 * rerun: see rerun.h. One generic walk: a node is looked at for what its tag means here, then all of
 * its fields are walked.
 */
#include "engine/sql/rerun.h"

#define XXH_INLINE_ALL
#include <string.h>
#include <xxhash.h>

#include "engine/sql/refuse.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct look {
    const struct catalog *cat;
    struct arena *scratch;
    struct rerun_facts *facts;
    VEC(uint32_t) views;     /* walked or being walked */
    VEC(uint32_t) functions; /* found fit */
    struct err *err;
    int depth;
};

#define MAX_DEPTH 4000 /* of nodes within nodes, views included */

static bool walk(struct look *l, const struct pgnode *n);

/* ------------------------------------------------------------ relations */

static bool look_at_leaves(struct look *l, const struct cat_table *t, bool only)
{
    for (size_t i = 0; i < (only ? t->nleaves_only : t->nleaves); i++) {
        uint32_t oid = only ? t->leaves_only[i] : t->leaves[i];
        const struct cat_table *leaf = oid == t->oid ? t : l->cat->table(l->cat->ctx, oid, l->err);
        if (!leaf || !refuse_check_table(leaf, l->err))
            return false;
    }
    return true;
}

static bool look_at_table(struct look *l, const struct cat_table *t, bool only)
{
    for (size_t i = 0; i < l->facts->tables.n; i++)
        if (l->facts->tables.v[i].t == t && l->facts->tables.v[i].only == only)
            return true;
    VEC_PUSH(l->facts->tables, ((struct rerun_table){t, only}));
    return look_at_leaves(l, t, only);
}

/* Its own tree has a range-table entry for itself. */
static bool look_at_view(struct look *l, const struct cat_table *t)
{
    for (size_t i = 0; i < l->views.n; i++)
        if (l->views.v[i] == t->oid)
            return true;
    VEC_PUSH(l->views, t->oid);
    if (!t->view_tree)
        return err_set(l->err, ERR_INTERNAL, "view \"%s\" without a definition", t->name);
    const struct pgnode *tree = pgnode_read(t->view_tree, strlen(t->view_tree), l->scratch, l->err);
    return tree && walk(l, tree);
}

static bool look_at_rte(struct look *l, const struct pgnode *rte)
{
    if (!pgn_is_null(pgn_field(rte, "tablesample")))
        return refuse(l->err, "TABLESAMPLE");
    if (pgn_field(rte, "securityQuals")->n)
        return refuse(l->err, "a table with row-level security");
    if (pgn_int(rte, "rtekind") == 7)
        return refuse(l->err, "a transition table");
    if (pgn_int(rte, "rtekind") != 0)
        return true;
    const struct cat_table *t = l->cat->table(l->cat->ctx, pgn_oid(rte, "relid"), l->err);
    if (!t || !refuse_check_table(t, l->err))
        return false;
    return t->relkind == 'v' ? look_at_view(l, t) : look_at_table(l, t, !pgn_bool(rte, "inh"));
}

/* ------------------------------------------------------------ queries and expressions */

static void doubt(struct look *l, const char *why)
{
    if (!l->facts->doubt)
        l->facts->doubt = why;
}

/* Those whose result doesn't hang on the order of rows, by its type: numbers that are exact, truth
 * values, dates and times. */
static void look_at_order(struct look *l, const struct pgnode *n)
{
    static const uint32_t exact[] = {OID_INT2, OID_INT4, OID_INT8,      OID_NUMERIC,
                                     OID_BOOL, OID_DATE, OID_TIMESTAMP, OID_TIMESTAMPTZ,
                                     OID_TIME, OID_MONEY};
    uint32_t type = pgn_oid(n, "aggtype");
    if (pgn_is(n, "WINDOWFUNC"))
        doubt(l, "a window function");
    if (pgn_is(n, "SUBLINK") && pgn_int(n, "subLinkType") == 6) /* ARRAY(…) */
        doubt(l, "an array of rows in no order");
    if (!pgn_is(n, "AGGREF"))
        return;
    for (size_t i = 0; i < COUNT(exact); i++)
        if (type == exact[i])
            return;
    doubt(l, "an aggregate that may depend on the order of its rows");
}

/* What makes a query more than a question. Those that only the binder can't do are no matter. */
static bool look_at_query(struct look *l, const struct pgnode *query)
{
    struct err err;
    if (!pgn_is_null(pgn_field(query, "limitCount")) ||
        !pgn_is_null(pgn_field(query, "limitOffset")))
        doubt(l, "LIMIT or OFFSET");
    if (pgn_bool(query, "hasDistinctOn"))
        doubt(l, "DISTINCT ON");
    if (refuse_check_query(query, &err) || err.soft)
        return true;
    *l->err = err;
    return false;
}

static bool look_at_function(struct look *l, uint32_t oid)
{
    struct cat_function f;
    if (!oid)
        return true;
    for (size_t i = 0; i < l->functions.n; i++)
        if (l->functions.v[i] == oid)
            return true;
    VEC_PUSH(l->functions, oid);
    return l->cat->function(l->cat->ctx, oid, &f, l->err) &&
           rerun_check_function(&f, &l->facts->timed, l->err);
}

/* CURRENT_DATE to LOCALTIMESTAMP, then the names of roles and of the database. */
static bool look_at_sql_value(struct look *l, const struct pgnode *n)
{
    int64_t op = pgn_int(n, "op");
    if (op == 14) /* our sessions have a search path of their own */
        return refuse(l->err, "CURRENT_SCHEMA");
    l->facts->timed |= op < 9;
    return true;
}

/* 'now' and 'today' are dates too, wherever the text comes from. */
static bool look_at_io_cast(struct look *l, const struct pgnode *n)
{
    static const uint32_t datetimes[] = {OID_DATE, OID_TIME, OID_TIMETZ, OID_TIMESTAMP,
                                         OID_TIMESTAMPTZ};
    static const uint32_t names[] = {24,   2202, 2203, 2204, 2205, 2206,
                                     3734, 3769, 4089, 4096, 4191};
    uint32_t type = pgn_oid(n, "resulttype");
    for (size_t i = 0; i < COUNT(datetimes); i++)
        l->facts->timed |= type == datetimes[i];
    for (size_t i = 0; i < COUNT(names); i++)
        if (type == names[i])
            return refuse(l->err, "a cast to the name of a catalog object");
    return true;
}

static bool look_at_var(struct look *l, const struct pgnode *n)
{
    int64_t attno = pgn_int(n, "varattno");
    struct err err;
    if (attno >= 0 || refuse_system_column((int)attno, &err) || err.soft)
        return true;
    *l->err = err;
    return false;
}

static bool look_at_other(struct look *l, const struct pgnode *n)
{
    struct err err;
    refuse_expr(n, &err);
    if (err.soft)
        return true;
    *l->err = err;
    return false;
}

static bool look_at(struct look *l, const struct pgnode *n)
{
    static const struct {
        const char *tag;
        bool (*fn)(struct look *, const struct pgnode *);
    } tags[] = {
        {"QUERY", look_at_query},         {"RTE", look_at_rte},
        {"RANGETBLENTRY", look_at_rte},   {"SQLVALUEFUNCTION", look_at_sql_value},
        {"COERCEVIAIO", look_at_io_cast}, {"VAR", look_at_var},
        {"NEXTVALUEEXPR", look_at_other}, {"CURRENTOFEXPR", look_at_other},
        {"SETTODEFAULT", look_at_other},
    };
    static const char *const functions[] = {"funcid", "opfuncid", "aggfnoid", "winfnoid"};
    for (size_t i = 0; i < COUNT(tags); i++)
        if (strcmp(n->text, tags[i].tag) == 0)
            return tags[i].fn(l, n);
    look_at_order(l, n);
    for (size_t i = 0; i < COUNT(functions); i++)
        if (!look_at_function(l, pgn_oid(n, functions[i])))
            return false;
    return true;
}

static bool walk(struct look *l, const struct pgnode *n)
{
    if (l->depth >= MAX_DEPTH)
        return err_set(l->err, "54001", "the statement is nested too deeply");
    if (n->kind == PGN_NODE && !look_at(l, n))
        return false;
    l->depth++;
    bool ok = true;
    for (uint32_t i = 0; ok && i < n->n; i++)
        ok = walk(l, n->items[i]);
    l->depth--;
    return ok;
}

bool rerun_look(const struct pgnode *query, const struct catalog *cat, struct arena *scratch,
                struct rerun_facts *out, struct err *err)
{
    struct look l = {.cat = cat, .scratch = scratch, .facts = out, .err = err};
    bool ok = walk(&l, query);
    VEC_FREE(l.views);
    VEC_FREE(l.functions);
    return ok;
}

/* ------------------------------------------------------------ the hash */

static bool uses_whole_rows(const struct pgnode *n)
{
    if (pgn_is(n, "VAR") && pgn_int(n, "varattno") == 0)
        return true;
    for (uint32_t i = 0; i < n->n; i++)
        if (uses_whole_rows(n->items[i]))
            return true;
    return false;
}

struct hashing {
    XXH3_state_t *state;
    bool names;
};

static void add(struct hashing *h, const void *bytes, size_t len)
{
    XXH3_64bits_update(h->state, &len, sizeof len);
    XXH3_64bits_update(h->state, bytes, len);
}

static bool is_name(const char *field)
{
    return strcmp(field, "alias") == 0 || strcmp(field, "eref") == 0 ||
           strcmp(field, "resname") == 0;
}

static void add_node(struct hashing *h, const struct pgnode *n)
{
    char kind[2] = {(char)n->kind, n->list};
    add(h, kind, sizeof kind);
    add(h, n->text ? n->text : "", n->len);
    add(h, &n->n, sizeof n->n);
    for (uint32_t i = 0; i < n->n; i++) {
        const char *field = n->kind == PGN_NODE ? n->names[i] : NULL;
        if (field && (pgn_is_spelling(field) || (!h->names && is_name(field))))
            continue;
        if (field)
            add(h, field, strlen(field));
        add_node(h, n->items[i]);
    }
}

/* The names of the result's own columns show nowhere in it. */
static void add_query(struct hashing *h, const struct pgnode *query)
{
    for (uint32_t i = 0; i < query->n; i++) {
        const struct pgnode *list = query->items[i];
        add(h, query->names[i], strlen(query->names[i]));
        if (strcmp(query->names[i], "targetList") != 0) {
            add_node(h, list);
            continue;
        }
        for (uint32_t k = 0; k < list->n; k++)
            for (uint32_t f = 0; list->items[k]->kind == PGN_NODE && f < list->items[k]->n; f++)
                if (strcmp(list->items[k]->names[f], "resname") != 0)
                    add_node(h, list->items[k]->items[f]);
    }
}

uint64_t rerun_hash(const struct pgnode *query)
{
    XXH3_state_t state;
    struct hashing h = {&state, uses_whole_rows(query)};
    XXH3_64bits_reset(&state);
    if (query->kind == PGN_NODE)
        add_query(&h, query);
    else
        add_node(&h, query);
    return XXH3_64bits_digest(&state);
}
