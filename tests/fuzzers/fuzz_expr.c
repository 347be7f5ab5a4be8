/*
 * Expressions: random trees over typed columns and constants, through the constructors that the binder
 * uses, then evaluated on one row.
 *
 * What a function's arguments are is read from the captured answers of Postgres
 * (tests/unit/expr/captured.txt); what those leave out is listed here. Every tree is made twice from
 * the same bytes: over the columns of a row, and over constants of the same values, folded. Laws:
 *
 * * both give the same value, if both give one; what fails over constants fails over the row;
 * * a value is one of its type: it prints, and what was printed is read back as it;
 * * functions are strict; IS NULL, IS TRUE… and DISTINCT FROM are never NULL.
 */
#include "engine/base/vec.h"
#include "engine/expr/expr.h"
#include "engine/expr/pgfuncs.h"
#include "engine/value/datetime.h"
#include "tests/fuzzers/types.h"

#define ARGS_MAX  8
#define NODES_MAX 40
#define COLUMNS   6

struct signature {
    uint32_t oid;
    const char *name;
    size_t nargs;
    size_t result, args[ARGS_MAX]; /* indexes of types */
};

static VEC(struct signature) signatures;
static const struct column_type *types;
static size_t ntypes;

/* ------------------------------------------------------------ signatures */

/* Its index, or ntypes. */
static size_t type_of(uint32_t oid)
{
    size_t i = 0;
    while (i < ntypes && types[i].type->oid != oid)
        i++;
    return i;
}

static void add_signature(uint32_t oid, uint32_t result, const uint32_t *args, size_t nargs)
{
    const struct pgfunc *f = pgfunc_lookup(oid);
    struct signature s = {.oid = oid, .nargs = nargs, .result = type_of(result)};
    if (!f || s.result == ntypes || nargs > ARGS_MAX)
        return;
    s.name = f->name;
    for (size_t i = 0; i < nargs; i++)
        if ((s.args[i] = type_of(args[i])) == ntypes)
            return;
    VEC_PUSH(signatures, s);
}

/* "F oid,oid,… result arg:set…" */
static void read_line(char *line)
{
    uint32_t args[ARGS_MAX];
    size_t n = 0;
    char *save, *oids = strtok_r(line + 2, "\t", &save), *result = strtok_r(NULL, "\t", &save);
    for (char *arg; n < ARGS_MAX && (arg = strtok_r(NULL, "\t", &save)); n++)
        args[n] = (uint32_t)strtoul(arg, NULL, 10);
    for (char *oid = strtok_r(oids, ",", &save); oid; oid = strtok_r(NULL, ",", &save))
        add_signature((uint32_t)strtoul(oid, NULL, 10), (uint32_t)strtoul(result, NULL, 10), args,
                      n);
}

static void read_captured(void)
{
    FILE *f = fopen("tests/unit/expr/captured.txt", "re");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    must_say(f, "captured.txt: run tests from the source root");
    while ((len = getline(&line, &cap, f)) > 0) {
        line[len - (line[len - 1] == '\n')] = '\0';
        if (strncmp(line, "F\t", 2) == 0)
            read_line(line);
    }
    free(line);
    fclose(f);
}

#define INTS     1007
#define TEXTS    1009
#define INTRANGE 3904
#define INTMULTI 4451
#define ENUM     60001
#define RECORD   60000

/* Functions of arrays, documents, ranges and their like. */
static void add_compound(void)
{
    static const struct {
        uint32_t oid, result, args[3];
    } list[] = {{744, OID_BOOL, {INTS, INTS}},
                {744, OID_BOOL, {TEXTS, TEXTS}},
                {391, OID_BOOL, {INTS, INTS}},
                {382, OID_INT4, {TEXTS, TEXTS}},
                {748, OID_INT4, {INTS}},
                {2091, OID_INT4, {INTS, OID_INT4}},
                {2092, OID_INT4, {INTS, OID_INT4}},
                {2176, OID_INT4, {TEXTS, OID_INT4}},
                {2747, OID_BOOL, {INTS, INTS}},
                {2748, OID_BOOL, {TEXTS, TEXTS}},
                {2749, OID_BOOL, {INTS, INTS}},
                {3179, OID_INT4, {INTS}},
                {515, INTS, {INTS, INTS}},
                {2981, OID_BOOL, {RECORD, RECORD}},
                {2983, OID_BOOL, {RECORD, RECORD}},
                {2580, OID_FLOAT8, {OID_JSONB}},
                {3207, OID_INT4, {OID_JSONB}},
                {3210, OID_TEXT, {OID_JSONB}},
                {3214, OID_TEXT, {OID_JSONB, OID_TEXT}},
                {3215, OID_JSONB, {OID_JSONB, OID_INT4}},
                {3216, OID_TEXT, {OID_JSONB, OID_INT4}},
                {3217, OID_JSONB, {OID_JSONB, TEXTS}},
                {3940, OID_TEXT, {OID_JSONB, TEXTS}},
                {3449, OID_NUMERIC, {OID_JSONB}},
                {3450, OID_INT2, {OID_JSONB}},
                {3451, OID_INT4, {OID_JSONB}},
                {3452, OID_INT8, {OID_JSONB}},
                {3453, OID_FLOAT4, {OID_JSONB}},
                {3478, OID_JSONB, {OID_JSONB, OID_TEXT}},
                {3556, OID_BOOL, {OID_JSONB}},
                {4043, OID_BOOL, {OID_JSONB, OID_JSONB}},
                {4039, OID_BOOL, {OID_JSONB, OID_JSONB}},
                {4046, OID_BOOL, {OID_JSONB, OID_JSONB}},
                {4050, OID_BOOL, {OID_JSONB, OID_JSONB}},
                {4047, OID_BOOL, {OID_JSONB, OID_TEXT}},
                {4048, OID_BOOL, {OID_JSONB, TEXTS}},
                {4049, OID_BOOL, {OID_JSONB, TEXTS}},
                {3508, OID_BOOL, {ENUM, ENUM}},
                {3510, OID_BOOL, {ENUM, ENUM}},
                {3855, OID_BOOL, {INTRANGE, INTRANGE}},
                {3870, OID_INT4, {INTRANGE, INTRANGE}},
                {4244, OID_BOOL, {INTMULTI, INTMULTI}},
                {4273, OID_INT4, {INTMULTI, INTMULTI}},
                {921, OID_BOOL, {OID_INET, OID_INET}},
                {3562, OID_INET, {OID_INET, OID_INET}},
                {3231, OID_BOOL, {OID_PG_LSN, OID_PG_LSN}},
                {5034, OID_BOOL, {OID_XID8, OID_XID8}}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        size_t n = 0;
        while (n < 3 && list[i].args[n])
            n++;
        add_signature(list[i].oid, list[i].result, list[i].args, n);
    }
}

/* ------------------------------------------------------------ trees */

struct maker {
    struct input in;
    bool consts;  /* constants in the place of columns, and everything folded */
    size_t nodes; /* so far */
    size_t column_type[COLUMNS];
    struct value column[COLUMNS];
};

static struct arena arena;

static const struct expr *folded(const struct maker *m, const struct expr *e)
{
    return m->consts ? expr_fold(&arena, e) : e;
}

/* Texts that some function has an ear for. */
static void add_word(struct input *in, struct buf *b)
{
    static const char *const words[] = {
        "year",   "month",   "day",        "hour",     "minute",       "second",       "epoch",
        "week",   "dow",     "doy",        "quarter",  "century",      "decade",       "millennium",
        "julian", "isoyear", "isodow",     "timezone", "microseconds", "milliseconds", "hex",
        "base64", "escape",  "2024-02-29", "12.50",    "1 day",        "{1,2}",        "%a_"};
    buf_adds(b, words[in_below(in, sizeof words / sizeof *words)]);
}

static const struct expr *constant(struct maker *m, size_t type)
{
    const struct type *t = types[type].type;
    struct value v = value_null();
    struct buf b = {0};
    struct err err;
    uint8_t how = in_byte(&m->in) % 8;
    if (how) {
        if (t->oid == OID_TEXT && how > 4)
            add_word(&m->in, &b);
        else
            fuzz_value_text(&m->in, t, &b);
        const char *text = arena_strndup(&arena, b.len ? b.data : "", b.len);
        must(value_parse(t, text, b.len, &arena, &v, &err));
        buf_fini(&b);
    }
    return expr_const(&arena, v, types[type]);
}

/* A small number: how often, how wide, which one. */
static const struct expr *small_number(struct maker *m)
{
    return expr_const(&arena, value_int(in_byte(&m->in) % 12 - 2), types[type_of(OID_INT4)]);
}

static const struct expr *leaf(struct maker *m, size_t type)
{
    uint32_t first = in_below(&m->in, COLUMNS);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        uint32_t c = (first + i) % COLUMNS;
        if (m->column_type[c] != type)
            continue;
        if (m->consts)
            return expr_const(&arena, m->column[c], types[type]);
        return expr_column(&arena, 0, c, types[type]);
    }
    return constant(m, type);
}

static const struct expr *any(struct maker *m, size_t type, int depth);

/* Those whose result could be as long as their number says. */
static bool may_explode(const char *name)
{
    return strcmp(name, "repeat") == 0 || strcmp(name, "lpad") == 0 || strcmp(name, "rpad") == 0 ||
           strcmp(name, "bpchar") == 0;
}

static const struct expr *function(struct maker *m, size_t type, int depth)
{
    const struct expr *args[ARGS_MAX];
    const struct signature *s = NULL;
    size_t first = in_below(&m->in, (uint32_t)signatures.n);
    struct err err;
    for (size_t i = 0; i < signatures.n && !s; i++) {
        const struct signature *x = &signatures.v[(first + i) % signatures.n];
        s = x->result == type ? x : NULL;
    }
    if (!s)
        return leaf(m, type);
    for (size_t i = 0; i < s->nargs; i++)
        args[i] = may_explode(s->name) && types[s->args[i]].type->oid == OID_INT4
                      ? small_number(m)
                      : any(m, s->args[i], depth + 1);
    const struct expr *e =
        expr_func(&arena, s->oid, s->name, args, s->nargs, types[type], &collation_c, &err);
    return e ? e : leaf(m, type);
}

/* The function behind "=" of a type, or 0. */
static uint32_t equality_of(size_t type)
{
    for (size_t i = 0; i < signatures.n; i++) {
        const struct signature *s = &signatures.v[i];
        const struct pgfunc *f = pgfunc_lookup(s->oid);
        if (s->nargs == 2 && s->args[0] == type && s->args[1] == type && f->symbol &&
            strcmp(f->symbol, "=") == 0)
            return s->oid;
    }
    return 0;
}

static const struct expr *condition(struct maker *m, int depth)
{
    size_t boolean = type_of(OID_BOOL), type = in_below(&m->in, (uint32_t)ntypes);
    const struct expr *args[4], *e = NULL;
    struct err err;
    uint8_t how = in_byte(&m->in);
    uint32_t eq = equality_of(type);
    size_t n = 2 + how % 3;
    switch (how / 4 % 8) {
    case 0:
    case 1:
        for (size_t i = 0; i < n; i++)
            args[i] = any(m, boolean, depth + 1);
        return expr_bool(&arena, how & 4 ? EXPR_AND : EXPR_OR, args, n);
    case 2: args[0] = any(m, boolean, depth + 1); return expr_bool(&arena, EXPR_NOT, args, 1);
    case 3: return expr_is_null(&arena, any(m, type, depth + 1), how & 1);
    case 4: return expr_bool_test(&arena, any(m, boolean, depth + 1), how % 6);
    default: break;
    }
    args[0] = any(m, type, depth + 1);
    for (size_t i = 1; i < n; i++)
        args[i] = any(m, type, depth + 1);
    if (eq && how / 4 % 8 == 5)
        e = expr_distinct(&arena, eq, args[0], args[1], &collation_c, how & 1, &err);
    else if (eq && how / 4 % 8 == 6)
        e = expr_in(&arena, eq, how & 1, args[0], args + 1, n - 1, &collation_c, &err);
    else if (type_has_equality(&types[type]))
        e = expr_same(&arena, args[0], args[1]);
    return e ? e : leaf(m, boolean);
}

static const struct expr *choice(struct maker *m, size_t type, int depth)
{
    size_t boolean = type_of(OID_BOOL);
    const struct expr *args[5], *e = NULL;
    struct err err;
    uint8_t how = in_byte(&m->in);
    uint32_t eq = equality_of(type);
    if (how % 4 == 0) {
        for (size_t i = 0; i < 5; i++)
            args[i] = any(m, i % 2 || i == 4 ? type : boolean, depth + 1);
        return expr_case(&arena, args, 5, types[type]);
    }
    for (size_t i = 0; i < 3; i++)
        args[i] = any(m, type, depth + 1);
    if (how % 4 == 1)
        return expr_coalesce(&arena, args, 3, types[type]);
    if (how % 4 == 2 && eq)
        e = expr_nullif(&arena, eq, args[0], args[1], types[type], &collation_c, &err);
    else if (type_has_order(&types[type]))
        e = expr_minmax(&arena, how & 4, args, 3, types[type], &collation_c, &err);
    return e ? e : leaf(m, type);
}

/* Through text, to and fro. */
static const struct expr *cast(struct maker *m, size_t type, int depth)
{
    size_t other = in_byte(&m->in) & 1 ? type_of(OID_TEXT) : in_below(&m->in, (uint32_t)ntypes);
    struct err err;
    const struct expr *e = expr_via_io(&arena, any(m, other, depth + 1), types[type], &err);
    return e ? e : leaf(m, type);
}

static const struct expr *any(struct maker *m, size_t type, int depth)
{
    const struct expr *e;
    uint8_t how = in_byte(&m->in) % 16;
    if (!in_more(&m->in) || depth > 6 || m->nodes++ > NODES_MAX || how < 3)
        return leaf(m, type);
    if (how == 3)
        return constant(m, type);
    if (types[type].type->oid == OID_BOOL && how < 10)
        e = condition(m, depth);
    else if (how < 6)
        e = choice(m, type, depth);
    else if (how == 6)
        e = cast(m, type, depth);
    else
        e = function(m, type, depth);
    return folded(m, e);
}

/* ------------------------------------------------------------ a run */

struct answer {
    bool ok;
    struct value v;
    struct err err;
    struct buf text;
};

static void evaluate(const struct expr *e, struct eval_ctx *cx, struct answer *a)
{
    err_clear(&a->err);
    a->ok = expr_eval(e, cx, &a->v, &a->err);
    must(a->ok == !err_is_set(&a->err));
    if (a->ok && !a->v.null)
        value_print(e->ct.type, a->v, &a->text);
}

/* Folding may leave out what would have failed, as Postgres's does: f(NULL, 1/0) is NULL there. */
static bool same_answer(const struct answer *row, const struct answer *consts)
{
    if (!row->ok || !consts->ok)
        return !row->ok;
    return row->v.null == consts->v.null && row->text.len == consts->text.len &&
           (!row->text.len || memcmp(row->text.data, consts->text.data, row->text.len) == 0);
}

static const char *show(const struct expr *e)
{
    struct buf b = {0};
    expr_print(e, NULL, &b);
    const char *s = arena_strndup(&arena, b.data, b.len);
    buf_fini(&b);
    return s;
}

static void must_be_of_type(const struct expr *e, const struct answer *a)
{
    struct value again;
    struct buf b = {0};
    struct err err;
    if (!a->ok || a->v.null)
        return;
    bool ok =
        value_parse(e->ct.type, a->text.len ? a->text.data : "", a->text.len, &arena, &again, &err);
    if (!ok && strcmp(err.sqlstate, ERR_DATETIME_OUT_OF_RANGE) == 0)
        return; /* Postgres rounds beyond the range, too */
    must_say(ok, "%s: %.*s: %s", show(e), (int)a->text.len, a->text.data, err.message);
    value_print(e->ct.type, again, &b);
    must_say(b.len == a->text.len && (!b.len || memcmp(b.data, a->text.data, b.len) == 0), "%s",
             show(e));
    if (type_has_equality(&e->ct))
        must_say(value_same(&e->ct, a->v, again), "%s", show(e));
    buf_fini(&b);
}

static void must_be_strict(const struct expr *e, struct eval_ctx *cx, const struct answer *a)
{
    bool never = e->kind == EXPR_IS_NULL || e->kind == EXPR_BOOL_TEST || e->kind == EXPR_DISTINCT ||
                 e->kind == EXPR_SAME;
    must_say(!never || !a->ok || !a->v.null, "%s", show(e));
    for (uint32_t i = 0; e->kind == EXPR_FUNC && a->ok && i < e->nargs; i++) {
        struct value v;
        struct err err;
        if (expr_eval(e->args[i], cx, &v, &err) && v.null)
            must_say(a->v.null, "%s", show(e));
    }
}

static const uint8_t *make_row(struct maker *m, struct layout **layout)
{
    struct column_type cols[COLUMNS];
    const uint8_t *row;
    struct err err;
    for (size_t i = 0; i < COLUMNS; i++) {
        m->column_type[i] = in_below(&m->in, (uint32_t)ntypes);
        cols[i] = types[m->column_type[i]];
        m->column[i] = constant(m, m->column_type[i])->value;
    }
    *layout = layout_new(cols, COLUMNS);
    must(row_pack(*layout, m->column, &arena, &row, &err));
    return (const uint8_t *)exact_copy(row, row_len(*layout, row));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maker m = {.in = {data, data + size}};
    struct layout *layout;
    struct answer from_row = {0}, from_consts = {0};
    arena_init(&arena);
    size_t type = in_below(&m.in, (uint32_t)ntypes);
    const uint8_t *row = make_row(&m, &layout);
    struct eval_ctx cx = {.layout = {layout}, .row = {row}, .arena = &arena};
    struct maker again = m;
    again.consts = true;
    const struct expr *e = any(&m, type, 0), *c = any(&again, type, 0);
    evaluate(e, &cx, &from_row);
    evaluate(c, &cx, &from_consts);
    must_say(same_answer(&from_row, &from_consts), "%s: %.*s; %s: %.*s", show(e),
             from_row.ok ? (int)from_row.text.len : 100,
             from_row.ok ? from_row.text.data : from_row.err.message, show(c),
             from_consts.ok ? (int)from_consts.text.len : 100,
             from_consts.ok ? from_consts.text.data : from_consts.err.message);
    must_be_of_type(e, &from_row);
    must_be_strict(e, &cx, &from_row);
    buf_fini(&from_row.text);
    buf_fini(&from_consts.text);
    free((void *)(uintptr_t)row);
    layout_unref(layout);
    arena_fini(&arena);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    datetime_set_zone("America/New_York");
    types = fuzz_types(&ntypes);
    read_captured();
    add_compound();
    return 0;
}
