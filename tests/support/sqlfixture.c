/*
 * sqlfixture: see sqlfixture.h. What is wrong with a fixture aborts: it is ours.
 */
#include "tests/support/sqlfixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 12

static void die(const char *what, const char *about)
{
    fprintf(stderr, "fixture: %s: %s\n", what, about);
    abort();
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("cannot open", path);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *text = xmalloc((size_t)n + 1);
    if (fread(text, 1, (size_t)n, f) != (size_t)n)
        die("cannot read", path);
    text[n] = '\0';
    fclose(f);
    return text;
}

/* Splits a line in place; missing fields are "". */
static char **split(struct fixture *f, char *line)
{
    char **v = ARENA_ARRAY(&f->arena, char *, MAX_FIELDS);
    size_t n = 0;
    for (char *p = line; p && n < MAX_FIELDS; n++) {
        v[n] = p;
        p = strchr(p, '\t');
        if (p)
            *p++ = '\0';
    }
    while (n < MAX_FIELDS)
        v[n++] = arena_strdup(&f->arena, "");
    return v;
}

static uint32_t oid(const char *s)
{
    return (uint32_t)strtoul(s, NULL, 10);
}

/* ------------------------------------------------------------ catalog */

static const struct type *find_type(struct fixture *f, uint32_t o)
{
    const struct type *t = type_native(o);
    for (size_t i = 0; i < f->types.n && !t; i++)
        if (f->types.v[i]->oid == o)
            t = f->types.v[i];
    return t;
}

static void add_type(struct fixture *f, char **v)
{
    struct type t = {.oid = oid(v[1]), .kind = TYPE_OPAQUE, .rep = REP_BYTES, .name = v[2]};
    if (type_native(t.oid))
        return;
    t.json = *v[4] == 'A' ? JSON_ARRAY : *v[3] == 'c' ? JSON_COMPOSITE : JSON_STRING;
    if (t.oid == OID_JSON || t.oid == OID_JSONB)
        t.json = JSON_INLINE;
    if (t.json == JSON_ARRAY)
        t.order = ORDER_ARRAY;
    if (t.json == JSON_COMPOSITE)
        t.order = ORDER_RECORD;
    t.delim = ',';
    t.elem = t.json == JSON_ARRAY ? find_type(f, oid(v[5])) : NULL;
    t.text_is_identity = *v[3] == 'e' || t.oid == OID_OID || t.oid == OID_NAME;
    VEC_PUSH(f->types, type_new(&t));
}

static void add_collation(struct fixture *f, char **v)
{
    VEC_PUSH(f->collations, collation_new(oid(v[1]), v[2], *v[3], v[4], *v[5] == 't'));
}

static const struct collation *find_collation(struct fixture *f, uint32_t o)
{
    for (size_t i = 0; i < f->collations.n; i++)
        if (f->collations.v[i]->oid == o)
            return f->collations.v[i];
    return NULL;
}

static void add_table(struct fixture *f, char **v)
{
    struct cat_table *t = ARENA_NEW(&f->arena, struct cat_table);
    *t = (struct cat_table){.oid = oid(v[1]),
                            .schema = v[2],
                            .name = v[3],
                            .relkind = *v[4],
                            .persistence = *v[5],
                            .replident = *v[6],
                            .is_catalog = *v[7] == 't',
                            .row_security = *v[8] == 't',
                            .view_tree = *v[9] ? v[9] : NULL};
    VEC_PUSH(f->tables, t);
}

static struct cat_table *find_table(struct fixture *f, uint32_t o)
{
    for (size_t i = 0; i < f->tables.n; i++)
        if (f->tables.v[i]->oid == o)
            return f->tables.v[i];
    return NULL;
}

#define MAX_COLS   32
#define MAX_LEAVES 8

static void add_column(struct fixture *f, char **v)
{
    struct cat_table *t = find_table(f, oid(v[1]));
    struct cat_column *cols = (struct cat_column *)t->cols;
    if (!cols)
        t->cols = cols = ARENA_ARRAY(&f->arena, struct cat_column, MAX_COLS);
    bool dropped = *v[4] == 't';
    cols[t->ncols++] =
        (struct cat_column){v[3],
                            (int16_t)atoi(v[2]),
                            dropped,
                            *v[5] == 't',
                            {dropped ? type_native(OID_INT4) : find_type(f, oid(v[6])), atoi(v[7]),
                             find_collation(f, oid(v[8]))}};
}

static void add_leaf(struct fixture *f, char **v)
{
    struct cat_table *t = find_table(f, oid(v[1]));
    if (!t->leaves) {
        t->leaves = ARENA_ARRAY(&f->arena, uint32_t, MAX_LEAVES);
        t->leaves_only = ARENA_ARRAY(&f->arena, uint32_t, 1);
    }
    ((uint32_t *)t->leaves)[t->nleaves++] = oid(v[2]);
    if (*v[3] == 't')
        ((uint32_t *)t->leaves_only)[t->nleaves_only++] = oid(v[2]);
}

static const struct cat_table *cat_table(void *ctx, uint32_t o, struct err *err)
{
    const struct cat_table *t = find_table(ctx, o);
    if (!t)
        err_set(err, "42P01", "relation %u does not exist", o);
    return t;
}

static const struct type *cat_type(void *ctx, uint32_t o, struct err *err)
{
    const struct type *t = find_type(ctx, o);
    if (!t)
        err_set(err, ERR_UNDEFINED_OBJECT, "type %u does not exist", o);
    return t;
}

static const struct collation *cat_collation(void *ctx, uint32_t o, struct err *err)
{
    const struct collation *c = find_collation(ctx, o);
    if (!c)
        err_set(err, ERR_UNDEFINED_OBJECT, "collation %u does not exist", o);
    return c;
}

static const char *cat_function(void *ctx, uint32_t o, char *volatility)
{
    struct fixture *f = ctx;
    for (size_t i = 0; i < f->functions.n; i++)
        if (oid(f->functions.v[i][1]) == o) {
            *volatility = *f->functions.v[i][3];
            return f->functions.v[i][2];
        }
    *volatility = 'i';
    return "unknown";
}

static bool cat_function_facts(void *ctx, uint32_t o, struct cat_function *out, struct err *err)
{
    struct fixture *f = ctx;
    char volatility;
    const char *signature = cat_function(ctx, o, &volatility);
    (void)err;
    *out =
        (struct cat_function){.signature = signature,
                              .name = arena_strndup(&f->arena, signature, strcspn(signature, "(")),
                              .volatility = volatility,
                              .builtin = o < 16384};
    return true;
}

static bool cat_sorts_descending(void *ctx, uint32_t operator)
{
    (void)ctx;
    return operator== 521 || operator== 413 || operator== 666;
}

static const struct type *cat_array_type(void *ctx, uint32_t o, struct err *err)
{
    struct fixture *f = ctx;
    for (size_t i = 0; i < f->types.n; i++)
        if (f->types.v[i]->elem && f->types.v[i]->elem->oid == o)
            return f->types.v[i];
    const struct type *elem = cat_type(ctx, o, err);
    if (!elem)
        return NULL;
    char name[100];
    snprintf(name, sizeof name, "%s[]", elem->name);
    struct type t = {.oid = o + 100000, .kind = TYPE_OPAQUE, .rep = REP_BYTES, .name = name};
    t.json = JSON_ARRAY;
    t.delim = ',';
    t.elem = elem;
    return type_new(&t);
}

/* ------------------------------------------------------------ records */

static struct fixture_data *data_of(struct fixture *f, uint32_t table, const char *columns)
{
    for (size_t i = 0; i < f->data.n; i++)
        if (f->data.v[i].table == table)
            return &f->data.v[i];
    struct fixture_data d = {.table = table, .columns = columns};
    VEC_PUSH(f->data, d);
    return &f->data.v[f->data.n - 1];
}

/* Takes one record; answers how many lines of rows follow it. */
static size_t add_record(struct fixture *f, char **v, char **rows)
{
    static const struct {
        const char *name;
        void (*add)(struct fixture *f, char **v);
    } kinds[] = {{"type", add_type},
                 {"collation", add_collation},
                 {"table", add_table},
                 {"column", add_column},
                 {"leaf", add_leaf}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(v[0], kinds[i].name) == 0) {
            kinds[i].add(f, v);
            return 0;
        }
    if (strcmp(v[0], "function") == 0) {
        VEC_PUSH(f->functions, v);
        return 0;
    }
    struct fixture_rows r = {rows, (size_t)atoi(v[3])};
    if (strcmp(v[0], "data") == 0) {
        data_of(f, oid(v[1]), v[4])->rows[atoi(v[2]) - 1] = r;
        return r.n;
    }
    if (strcmp(v[0], "answer") == 0) {
        struct fixture_statement *s = (struct fixture_statement *)fixture_statement(f, v[1]);
        s->answer[atoi(v[2]) - 1] = r;
        return r.n;
    }
    struct fixture_statement s = {v[0], v[1], v[2], v[3], v[4]};
    VEC_PUSH(f->statements, s);
    return 0;
}

struct fixture *fixture_load(const char *path)
{
    struct fixture *f = NEW(struct fixture);
    size_t n = 0;
    f->text = read_file(path);
    arena_init(&f->arena);
    for (char *p = f->text; *p; p++)
        n += *p == '\n';
    f->lines = xcalloc(n + 1, sizeof *f->lines);
    char *p = f->text;
    for (size_t i = 0; i < n; i++) {
        f->lines[i] = p;
        p = strchr(p, '\n');
        *p++ = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        size_t rows = add_record(f, split(f, f->lines[i]), f->lines + i + 1);
        for (size_t k = 0; k < rows; k++)
            f->lines[++i]++; /* past the "|" */
    }
    f->catalog = (struct catalog){f,
                                  cat_table,
                                  cat_type,
                                  cat_collation,
                                  cat_function,
                                  cat_function_facts,
                                  cat_sorts_descending,
                                  cat_array_type};
    return f;
}

void fixture_free(struct fixture *f)
{
    VEC_FREE(f->statements);
    VEC_FREE(f->data);
    VEC_FREE(f->tables);
    VEC_FREE(f->types);
    VEC_FREE(f->collations);
    VEC_FREE(f->functions);
    arena_fini(&f->arena);
    free(f->lines);
    free(f->text);
    free(f);
}

const struct fixture_statement *fixture_statement(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->statements.n; i++)
        if (strcmp(f->statements.v[i].name, name) == 0)
            return &f->statements.v[i];
    die("no such statement", name);
    return NULL;
}

/* ------------------------------------------------------------ plans */

#define MAX_PARAMS 4

static uint32_t param_oid(const char *name)
{
    static const struct {
        const char *name;
        uint32_t oid;
    } names[] = {
        {"int4", OID_INT4}, {"int8", OID_INT8}, {"text", OID_TEXT}, {"numeric", OID_NUMERIC}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].oid;
    die("unknown parameter type", name);
    return 0;
}

/* "int4=2;text=a%" */
static size_t read_params(struct fixture *f, const char *text, struct value *values,
                          struct column_type *types)
{
    size_t n = 0;
    char *save, *copy = arena_strdup(&f->arena, text);
    struct err err;
    for (char *p = strtok_r(copy, ";", &save); p && n < MAX_PARAMS;
         p = strtok_r(NULL, ";", &save)) {
        char *v = strchr(p, '=');
        *v++ = '\0';
        types[n] = (struct column_type){type_native(param_oid(p)), -1, NULL};
        values[n] = value_null();
        if (*v && !value_parse(types[n].type, v, strlen(v), &f->arena, &values[n], &err))
            die("bad parameter", v);
        n++;
    }
    return n;
}

static struct plan_spec *make_spec(struct fixture *f, const struct fixture_statement *s,
                                   const struct err *why, struct err *err)
{
    struct value values[MAX_PARAMS];
    struct column_type types[MAX_PARAMS];
    struct plan_input in = {.tree = s->tree,
                            .sql = s->sql,
                            .qualified = s->sql,
                            .params = values,
                            .param_types = types,
                            .environment = "UTC"};
    in.nparams = read_params(f, s->params, values, types);
    return why ? plan_spec_rerun(&in, &f->catalog, why, err) : plan_spec_new(&in, &f->catalog, err);
}

struct plan_spec *fixture_plan(struct fixture *f, const struct fixture_statement *s,
                               struct err *err)
{
    return make_spec(f, s, NULL, err);
}

struct plan_spec *fixture_rerun(struct fixture *f, const struct fixture_statement *s,
                                const struct err *why, struct err *err)
{
    return make_spec(f, s, why, err);
}
