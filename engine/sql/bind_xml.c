/*
 * bind_xml: the expressions of SQL/XML, delegated to Postgres.
 */
#include "engine/sql/bind_delegate.h"

#include <string.h>

#include "engine/sql/deparse.h"

enum xml_op { /* nodes/primnodes.h, XmlExprOp */
    XML_CONCAT,
    XML_ELEMENT,
    XML_FOREST,
    XML_PARSE,
    XML_PI,
    XML_ROOT,
    XML_SERIALIZE,
    XML_DOCUMENT
};

struct xml {
    struct deparse d;
    const struct expr **named, **args;
    const struct pgnode *names;
    size_t nnamed, nargs;
};

/* Names are in the tree as XML has them; one with an escape in it isn't turned back. */
static void add_name(struct xml *x, const char *name)
{
    if (!name || strstr(name, "_x"))
        deparse_refuse(&x->d, "an XML name with an escape in it");
    else
        deparse_quoted(&x->d, name, '"');
}

static void add_named(struct xml *x)
{
    for (size_t i = 0; i < x->nnamed; i++) {
        deparse_text(&x->d, i ? ", " : "");
        deparse_arg(&x->d, x->named[i], 0);
        deparse_text(&x->d, " AS ");
        add_name(x, i < x->names->n ? x->names->items[i]->text : NULL);
    }
}

static void add_element(struct xml *x, const struct pgnode *node)
{
    deparse_text(&x->d, "XMLELEMENT(NAME ");
    add_name(x, pgn_str(node, "name"));
    if (x->nnamed) {
        deparse_text(&x->d, ", XMLATTRIBUTES(");
        add_named(x);
        deparse_text(&x->d, ")");
    }
    for (size_t i = 0; i < x->nargs; i++) {
        deparse_text(&x->d, ", ");
        deparse_arg(&x->d, x->args[i], 0);
    }
    deparse_text(&x->d, ")");
}

static bool is_true(const struct expr *e)
{
    return e->kind == EXPR_CONST && !e->value.null && e->value.i;
}

static void add_parse(struct xml *x, const char *option)
{
    bool preserve = x->nargs == 2 && is_true(x->args[1]);
    deparse_textf(&x->d, "XMLPARSE(%s ", option);
    deparse_arg(&x->d, x->args[0], 0);
    deparse_text(&x->d, preserve ? " PRESERVE WHITESPACE)" : " STRIP WHITESPACE)");
}

static void add_root(struct xml *x)
{
    static const char *const standalone[] = {"YES", "NO", "NO VALUE"};
    const struct expr *version = x->args[1], *alone = x->args[2];
    bool fixed = alone->kind == EXPR_CONST && !alone->value.null;
    deparse_text(&x->d, "XMLROOT(");
    deparse_arg(&x->d, x->args[0], 0);
    deparse_text(&x->d, ", VERSION ");
    if (version->kind == EXPR_CONST && version->value.null)
        deparse_text(&x->d, "NO VALUE");
    else
        deparse_arg(&x->d, version, 0);
    if (!fixed)
        deparse_refuse(&x->d, "XMLROOT");
    else if (alone->value.i >= 0 && alone->value.i < 3)
        deparse_textf(&x->d, ", STANDALONE %s", standalone[alone->value.i]);
    deparse_text(&x->d, ")");
}

static void add_serialize(struct xml *x, const struct pgnode *node, const char *option)
{
    deparse_textf(&x->d, "XMLSERIALIZE(%s ", option);
    deparse_arg(&x->d, x->args[0], 0);
    deparse_text(&x->d, " AS ");
    deparse_type(&x->d, pgn_oid(node, "type"), -1);
    deparse_text(&x->d, ")");
}

static void add_list(struct xml *x, const char *name)
{
    deparse_text(&x->d, name);
    deparse_args(&x->d, x->args, x->nargs, 0);
    deparse_text(&x->d, ")");
}

static void add_xml(struct xml *x, const struct pgnode *node)
{
    static const size_t least[] = {0, 0, 0, 1, 0, 3, 1, 1}; /* arguments, by op */
    const char *option = pgn_int(node, "xmloption") == 0 ? "DOCUMENT" : "CONTENT";
    int64_t op = pgn_int(node, "op");
    if (op < XML_CONCAT || op > XML_DOCUMENT || x->nargs < least[op]) {
        deparse_refuse(&x->d, "an XML expression");
        return;
    }
    switch ((enum xml_op)op) {
    case XML_CONCAT: add_list(x, "XMLCONCAT("); break;
    case XML_ELEMENT: add_element(x, node); break;
    case XML_FOREST:
        deparse_text(&x->d, "XMLFOREST(");
        add_named(x);
        deparse_text(&x->d, ")");
        break;
    case XML_PARSE: add_parse(x, option); break;
    case XML_PI:
        deparse_text(&x->d, "XMLPI(NAME ");
        add_name(x, pgn_str(node, "name"));
        if (x->nargs)
            deparse_text(&x->d, ", ");
        deparse_args(&x->d, x->args, x->nargs, 0);
        deparse_text(&x->d, ")");
        break;
    case XML_ROOT: add_root(x); break;
    case XML_SERIALIZE: add_serialize(x, node, option); break;
    case XML_DOCUMENT:
        deparse_arg(&x->d, x->args[0], 0);
        deparse_text(&x->d, " IS DOCUMENT");
        break;
    }
}

static const struct expr **bind_list(struct binder *b, struct scope *sc, const struct pgnode *list,
                                     size_t *n)
{
    const struct expr **v = ARENA_ARRAY(b->arena, const struct expr *, list->n + 1);
    *n = list->n;
    for (uint32_t i = 0; i < list->n; i++)
        if (!(v[i] = bind_expr(b, sc, list->items[i])))
            return NULL;
    return v;
}

const struct expr *bind_xml(struct binder *b, struct scope *sc, const struct pgnode *node)
{
    struct xml x = {.names = pgn_field(node, "arg_names")};
    struct column_type ct;
    int64_t op = pgn_int(node, "op");
    uint32_t type = op == XML_DOCUMENT    ? OID_BOOL
                    : op == XML_SERIALIZE ? pgn_oid(node, "type")
                                          : 142;
    x.named = bind_list(b, sc, pgn_field(node, "named_args"), &x.nnamed);
    x.args = x.named ? bind_list(b, sc, pgn_field(node, "args"), &x.nargs) : NULL;
    if (!x.args || !bind_type(b, type, -1, op == XML_SERIALIZE ? 100 : 0, &ct))
        return NULL;
    deparse_init(&x.d, b);
    deparse_label(&x.d, "xml");
    add_xml(&x, node);
    return deparse_finish(&x.d, ct);
}
