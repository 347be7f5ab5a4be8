/*
 * refuse: see refuse.h.
 */
#include "engine/sql/refuse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

bool refuse(struct err *err, const char *fmt, ...)
{
    char what[ERR_WHAT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return err_set(err, ERR_FEATURE_NOT_SUPPORTED, "%s can't be kept live", what);
}

/* ------------------------------------------------------------ queries */

/* Clauses by the field that is set where they are used. Those that are no question at all first. */
static const struct {
    const char *field;
    const char *name;
    bool soft;
} clauses[] = {
    {"utilityStmt", "a utility statement", false},
    {"rowMarks", "FOR UPDATE or FOR SHARE", false},
    {"hasForUpdate", "FOR UPDATE or FOR SHARE", false},
    {"hasModifyingCTE", "a data-modifying WITH", false},
};

static bool is_set(const struct pgnode *f)
{
    if (f->kind == PGN_ATOM)
        return strcmp(f->text, "true") == 0;
    return !pgn_is_null(f) && (f->kind != PGN_LIST || f->n > 0);
}

bool refuse_check_query(const struct pgnode *query, struct err *err)
{
    static const char *const commands[] = {
        [2] = "UPDATE", [3] = "INSERT", [4] = "DELETE", [5] = "MERGE"};
    int64_t command = pgn_int(query, "commandType");
    if (!pgn_is(query, "QUERY"))
        return refuse(err, "a statement other than SELECT");
    if (command != 1) {
        bool known = command >= 2 && command < (int64_t)COUNT(commands);
        return refuse(err, "%s", known ? commands[command] : "a statement other than SELECT");
    }
    for (size_t i = 0; i < COUNT(clauses); i++)
        if (is_set(pgn_field(query, clauses[i].field)))
            return (clauses[i].soft ? err_soft : refuse)(err, "%s", clauses[i].name);
    return true;
}

/* ------------------------------------------------------------ FROM */

bool refuse_check_rte(const struct pgnode *rte, struct err *err)
{
    if (!pgn_is_null(pgn_field(rte, "tablesample")))
        return refuse(err, "TABLESAMPLE");
    if (is_set(pgn_field(rte, "securityQuals")))
        return refuse(err, "a table with row-level security");
    switch (pgn_int(rte, "rtekind")) {
    case 0: /* relation */
    case 1: /* subquery */
    case 2: /* join */
    case 3: /* function */
    case 5: /* VALUES */
    case 6: /* CTE */ return true;
    case 4: return err_soft(err, "XMLTABLE or JSON_TABLE");
    case 7: return refuse(err, "a transition table");
    default: return refuse(err, "this kind of FROM item");
    }
}

bool refuse_check_table(const struct cat_table *t, struct err *err)
{
    if (t->is_catalog)
        return refuse(err, "system catalog \"%s.%s\"", t->schema, t->name);
    if (t->persistence == 't')
        return refuse(err, "temporary table \"%s\"", t->name);
    if (t->persistence == 'u') {
        refuse(err, "unlogged table \"%s.%s\"", t->schema, t->name);
        return err_hint(err, "Its changes are not in the WAL. ALTER TABLE ... SET LOGGED.");
    }
    if (t->row_security) {
        refuse(err, "table \"%s.%s\" with row-level security", t->schema, t->name);
        return err_hint(err, "Its policies apply to the daemon's role.");
    }
    switch (t->relkind) {
    case 'r':
    case 'p':
    case 'v': return true;
    case 'f': return refuse(err, "foreign table \"%s.%s\"", t->schema, t->name);
    case 'm':
        refuse(err, "materialized view \"%s.%s\"", t->schema, t->name);
        return err_hint(err, "Subscribe to the query it was made from.");
    case 'S': return refuse(err, "sequence \"%s.%s\"", t->schema, t->name);
    default: return refuse(err, "relation \"%s.%s\"", t->schema, t->name);
    }
}

/* ------------------------------------------------------------ expressions */

bool refuse_function(const char *name, char volatility, struct err *err)
{
    if (volatility == 'v')
        return refuse(err, "volatile function %s", name);
    if (volatility == 's')
        return err_soft(err, "function %s, which is not immutable,", name);
    return err_soft(err, "function %s", name);
}

/* Changes only with the row. A lock taken on a row changes the others, and no stream tells. */
static bool is_settled(int attno)
{
    return attno == -1 || attno == -2 || attno == -6;
}

bool refuse_system_column(int attno, struct err *err)
{
    static const char *const names[] = {"", "ctid", "xmin", "cmin", "cmax", "xmax", "tableoid"};
    static const int by_attno[] = {0, 1, 2, 3, 5, 4, 6}; /* -1 ctid, -2 xmin, -3 cmin, -4 xmax… */
    if (attno == 0)
        return err_soft(err, "a whole-row reference to a table");
    if (attno < 0 && attno > -(int)COUNT(by_attno))
        return (is_settled(attno) ? err_soft : refuse)(err, "system column %s",
                                                       names[by_attno[-attno]]);
    return refuse(err, "a system column");
}

static bool refuse_sql_value(const struct pgnode *node, struct err *err)
{
    static const char *const names[] = {
        "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIME",   "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP",
        "LOCALTIME",    "LOCALTIME",    "LOCALTIMESTAMP", "LOCALTIMESTAMP",    "CURRENT_ROLE",
        "CURRENT_USER", "USER",         "SESSION_USER",   "CURRENT_CATALOG",   "CURRENT_SCHEMA",
    };
    int64_t op = pgn_int(node, "op");
    return err_soft(err, "%s",
                    op >= 0 && op < (int64_t)COUNT(names) ? names[op] : "a session value");
}

/* Node tags by the words a user knows them by. */
static const struct {
    const char *tag;
    const char *name;
    bool hard;
} nodes[] = {
    {"SUBSCRIPTINGREF", "a subscript", false},
    {"NAMEDARGEXPR", "a named argument", false},
    {"FIELDSELECT", "a field of a composite value", false},
    {"FIELDSTORE", "a field assignment", false},
    {"ARRAYCOERCEEXPR", "a cast of an array", false},
    {"CONVERTROWTYPEEXPR", "a cast of a row", false},
    {"ARRAYEXPR", "ARRAY[…]", false},
    {"ROWEXPR", "ROW(…)", false},
    {"ROWCOMPAREEXPR", "a comparison of rows", false},
    {"XMLEXPR", "an XML expression", false},
    {"COERCETODOMAIN", "a cast to a domain", false},
    {"COERCETODOMAINVALUE", "a domain constraint", false},
    {"SETTODEFAULT", "DEFAULT", true},
    {"CURRENTOFEXPR", "CURRENT OF", true},
    {"NEXTVALUEEXPR", "a sequence value", true},
    {"JSONVALUEEXPR", "a JSON expression", false},
    {"JSONCONSTRUCTOREXPR", "a JSON constructor", false},
    {"JSONISPREDICATE", "IS JSON", false},
    {"JSONEXPR", "a JSON query function", false},
};

bool refuse_expr(const struct pgnode *node, struct err *err)
{
    if (node->kind != PGN_NODE)
        return err_soft(err, "an expression of unknown form");
    if (pgn_is(node, "SQLVALUEFUNCTION"))
        return refuse_sql_value(node, err);
    for (size_t i = 0; i < COUNT(nodes); i++)
        if (pgn_is(node, nodes[i].tag))
            return (nodes[i].hard ? refuse : err_soft)(err, "%s", nodes[i].name);
    return err_soft(err, "expression %.64s", node->text);
}
