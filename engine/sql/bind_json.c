/*
 * bind_json: see bind_json.h. IS JSON, JSON_OBJECT and JSON_ARRAY, JSON(), JSON_SCALAR(),
 * JSON_SERIALIZE(), and JSON_EXISTS, JSON_QUERY, JSON_VALUE.
 *
 * What the syntax leaves to a default is written out, since the tree has it. A value with a format
 * (JSONVALUEEXPR) is what the analysis made of it.
 */
#include "engine/sql/bind_json.h"

#include "engine/sql/deparse.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

const struct expr *bind_json_value(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *formatted = pgn_field(node, "formatted_expr");
    return bind_expr(b, sc, pgn_is_null(formatted) ? pgn_field(node, "raw_expr") : formatted);
}

static bool add_expr(struct deparse *d, struct scope *sc, const struct pgnode *node)
{
    const struct expr *e = d->failed ? NULL : bind_expr(d->b, sc, node);
    if (e)
        deparse_arg(d, e, 0);
    d->failed |= !e;
    return e != NULL;
}

const struct expr *bind_json_test(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    static const char *const kinds[] = {"", " OBJECT", " ARRAY", " SCALAR"};
    int64_t kind = pgn_int(node, "item_type");
    struct deparse d;
    deparse_init(&d, b);
    deparse_label(&d, "is json");
    add_expr(&d, sc, pgn_field(node, "expr"));
    if (kind < 0 || kind >= (int64_t)COUNT(kinds))
        deparse_refuse(&d, "IS JSON");
    else
        deparse_textf(&d, " IS JSON%s%s", kinds[kind],
                      pgn_bool(node, "unique_keys") ? " WITH UNIQUE KEYS" : "");
    return deparse_finish(&d, (struct column_type){type_native(OID_BOOL), -1, NULL});
}

/* ------------------------------------------------------------ what makes JSON */

enum { /* nodes/primnodes.h, JsonConstructorType */
    MAKE_OBJECT = 1,
    MAKE_ARRAY = 2,
    MAKE_PARSED = 5,
    MAKE_SCALAR = 6,
    MAKE_TEXT = 7
};

static bool result_type(struct binder *b, const struct pgnode *node, struct column_type *ct)
{
    const struct pgnode *returning = pgn_field(node, "returning");
    uint32_t oid = pgn_oid(returning, "typid");
    bool is_text = oid == OID_TEXT || oid == OID_VARCHAR || oid == OID_BPCHAR;
    return bind_type(b, oid, (int32_t)pgn_int(returning, "typmod"), is_text ? 100 : 0, ct);
}

static void add_returning(struct deparse *d, const struct pgnode *node)
{
    const struct pgnode *returning = pgn_field(node, "returning");
    deparse_text(d, " RETURNING ");
    deparse_type(d, pgn_oid(returning, "typid"), (int32_t)pgn_int(returning, "typmod"));
}

/* Values, or keys and values. */
static void add_members(struct deparse *d, struct scope *sc, const struct pgnode *node, bool keys)
{
    const struct pgnode *args = pgn_field(node, "args");
    for (uint32_t i = 0; i < args->n; i++) {
        if (i)
            deparse_text(d, keys && i % 2 ? " VALUE " : ", ");
        if (!add_expr(d, sc, args->items[i]))
            return;
    }
    if (args->n)
        deparse_text(d, pgn_bool(node, "absent_on_null") ? " ABSENT ON NULL" : " NULL ON NULL");
    if (keys && args->n)
        deparse_text(d, pgn_bool(node, "unique") ? " WITH UNIQUE KEYS" : " WITHOUT UNIQUE KEYS");
    add_returning(d, node);
}

static void add_made(struct deparse *d, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *args = pgn_field(node, "args");
    int64_t kind = pgn_int(node, "type");
    static const char *const heads[] = {
        [MAKE_OBJECT] = "JSON_OBJECT(", [MAKE_ARRAY] = "JSON_ARRAY(",    [MAKE_PARSED] = "JSON(",
        [MAKE_SCALAR] = "JSON_SCALAR(", [MAKE_TEXT] = "JSON_SERIALIZE(",
    };
    if (kind < MAKE_OBJECT || kind > MAKE_TEXT || !heads[kind] ||
        (kind >= MAKE_PARSED && args->n != 1)) {
        deparse_refuse(d, "a JSON constructor");
        return;
    }
    deparse_text(d, heads[kind]);
    if (kind == MAKE_OBJECT || kind == MAKE_ARRAY)
        add_members(d, sc, node, kind == MAKE_OBJECT);
    else
        add_expr(d, sc, args->items[0]);
    if (kind == MAKE_PARSED && pgn_bool(node, "unique"))
        deparse_text(d, " WITH UNIQUE KEYS");
    if (kind == MAKE_TEXT)
        add_returning(d, node);
    deparse_text(d, ")");
}

const struct expr *bind_json_made(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *func = pgn_field(node, "func");
    struct column_type ct;
    struct deparse d;
    if (!pgn_is_null(func) && !pgn_is(func, "FUNCEXPR")) /* JSON_ARRAYAGG and its like */
        return bind_expr(b, sc, func);
    if (!result_type(b, node, &ct))
        return NULL;
    deparse_init(&d, b);
    deparse_label(&d, "json constructor");
    add_made(&d, sc, node);
    return deparse_finish(&d, ct);
}

/* ------------------------------------------------------------ what looks into it */

enum {
    QUERY_EXISTS,
    QUERY_QUERY,
    QUERY_VALUE
};

static void add_behavior(struct deparse *d, struct scope *sc, const struct pgnode *behavior,
                         const char *when)
{
    static const char *const names[] = {"NULL",        "ERROR",        "EMPTY",
                                        "TRUE",        "FALSE",        "UNKNOWN",
                                        "EMPTY ARRAY", "EMPTY OBJECT", "DEFAULT "};
    int64_t kind = pgn_int(behavior, "btype");
    if (pgn_is_null(behavior))
        return;
    if (kind < 0 || kind >= (int64_t)COUNT(names)) {
        deparse_refuse(d, "a JSON query function");
        return;
    }
    deparse_textf(d, " %s", names[kind]);
    if (kind == 8)
        add_expr(d, sc, pgn_field(behavior, "expr"));
    deparse_text(d, when);
}

static void add_passing(struct deparse *d, struct scope *sc, const struct pgnode *node)
{
    const struct pgnode *names = pgn_field(node, "passing_names");
    const struct pgnode *values = pgn_field(node, "passing_values");
    for (uint32_t i = 0; i < values->n && i < names->n; i++) {
        deparse_text(d, i ? ", " : " PASSING ");
        add_expr(d, sc, values->items[i]);
        deparse_text(d, " AS ");
        deparse_quoted(d, names->items[i]->text, '"');
    }
}

static void add_query(struct deparse *d, struct scope *sc, const struct pgnode *node, int64_t op)
{
    static const char *const heads[] = {"JSON_EXISTS(", "JSON_QUERY(", "JSON_VALUE("};
    static const char *const wrappers[] = {"", " WITHOUT WRAPPER", " WITH CONDITIONAL WRAPPER",
                                           " WITH UNCONDITIONAL WRAPPER"};
    int64_t wrapper = pgn_int(node, "wrapper");
    deparse_text(d, heads[op]);
    add_expr(d, sc, pgn_field(node, "formatted_expr"));
    deparse_text(d, ", ");
    add_expr(d, sc, pgn_field(node, "path_spec"));
    add_passing(d, sc, node);
    if (op != QUERY_EXISTS)
        add_returning(d, node);
    if (op == QUERY_QUERY && wrapper >= 0 && wrapper < (int64_t)COUNT(wrappers))
        deparse_text(d, wrappers[wrapper]);
    if (op == QUERY_QUERY && pgn_bool(node, "omit_quotes"))
        deparse_text(d, " OMIT QUOTES");
    if (op != QUERY_EXISTS)
        add_behavior(d, sc, pgn_field(node, "on_empty"), " ON EMPTY");
    add_behavior(d, sc, pgn_field(node, "on_error"), " ON ERROR");
    deparse_text(d, ")");
}

const struct expr *bind_json_query(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    int64_t op = pgn_int(node, "op");
    struct column_type ct = {type_native(OID_BOOL), -1, NULL};
    struct deparse d;
    if (op < QUERY_EXISTS || op > QUERY_VALUE ||
        (op != QUERY_EXISTS && !result_type(b, node, &ct))) {
        if (!b->err->sqlstate[0])
            err_soft(b->err, "a JSON query function");
        return NULL;
    }
    deparse_init(&d, b);
    deparse_label(&d, "json query");
    add_query(&d, sc, node, op);
    return deparse_finish(&d, ct);
}
