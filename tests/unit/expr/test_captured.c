/*
 * Every function of pgfuncs.def, casts through text and aggregates against captured answers of a
 * real Postgres (captured.txt, made by capture.sql, which describes the format). Runs at the top of
 * the tree.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/vec.h"
#include "engine/expr/agg.h"
#include "engine/expr/expr.h"
#include "engine/value/datetime.h"

#define MAX_ARGS 8

struct line {
    char **field;
    size_t n;
};

static VEC(struct line) lines;
static VEC(struct line) errors; /* by number */
static struct arena memory;
static const struct collation *collation;
static size_t ncases, nwrong;

static struct line split(char *s)
{
    VEC(char *) fields = {0};
    for (char *tab; (tab = strchr(s, '\t')); s = tab + 1) {
        *tab = '\0';
        VEC_PUSH(fields, s);
    }
    VEC_PUSH(fields, s);
    return (struct line){fields.v, fields.n};
}

static void load(void)
{
    FILE *f = fopen("tests/unit/expr/captured.txt", "r");
    char *s = NULL;
    size_t cap = 0;
    ssize_t len;
    ck_assert_ptr_nonnull(f);
    arena_init(&memory);
    datetime_set_zone("America/New_York");
    collation = collation_new(100, "default", 'c', "C.UTF-8", true);
    VEC_PUSH(errors, (struct line){0});
    while ((len = getline(&s, &cap, f)) > 0) {
        if (s[len - 1] == '\n')
            s[len - 1] = '\0';
        struct line l = split(arena_strdup(&memory, s));
        VEC_PUSH(lines, l);
        if (strcmp(l.field[0], "E") == 0)
            VEC_PUSH(errors, l);
    }
    free(s);
    fclose(f);
}

static struct line set_named(const char *name)
{
    for (size_t i = 0; i < lines.n; i++)
        if (strcmp(lines.v[i].field[0], "S") == 0 && strcmp(lines.v[i].field[1], name) == 0)
            return (struct line){lines.v[i].field + 2, lines.v[i].n - 2};
    ck_abort_msg("no set %s", name);
}

static struct column_type type_of(const char *oid)
{
    uint32_t o = (uint32_t)strtoul(oid, NULL, 10);
    const struct type *t = type_native(o);
    if (!t)
        t = type_new(&(struct type){.oid = o,
                                    .kind = TYPE_OPAQUE,
                                    .name = "opaque",
                                    .order = o == OID_MONEY ? ORDER_MONEY : ORDER_BYTES,
                                    .text_is_identity = true});
    return (struct column_type){t, -1,
                                t->kind == TYPE_TEXT || t->kind == TYPE_BPCHAR ? collation : NULL};
}

static struct value parse(const struct column_type *ct, const char *s, struct arena *a)
{
    struct value v = value_null();
    struct err err;
    if (strcmp(s, "\\N") != 0)
        ck_assert_msg(value_parse(ct->type, s, strlen(s), a, &v, &err), "%s: %s", s, err.message);
    return v;
}

/* Compares an answer with the captured one; a date we refuse to read may be an error there too. */
static void expect(const char *captured, const struct type *t, bool ok, struct value v,
                   const struct err *err, const char *what)
{
    struct buf b;
    bool same;
    buf_init(&b);
    if (!ok)
        buf_addf(&b, "!%s %s", err->sqlstate, err->message);
    else if (v.null)
        buf_adds(&b, "\\N");
    else
        value_print(t, v, &b);
    if (captured[0] == '!' && captured[1] >= '0' && captured[1] <= '9') {
        struct line e = errors.v[atoi(captured + 1)];
        size_t n = strlen(e.field[3]) > 400 ? 400 : strlen(e.field[3]);
        same = !ok && strcmp(e.field[2], err->sqlstate) == 0 &&
               strncmp(e.field[3], err->message, n) == 0;
        captured = e.field[3];
    } else {
        same = strcmp(buf_cstr(&b), captured) == 0;
    }
    ncases++;
    if (!same && ++nwrong < 60)
        printf("%s: %.200s, Postgres: %.200s\n", what, buf_cstr(&b), captured);
    buf_fini(&b);
}

struct call {
    uint32_t oid;
    struct column_type result;
    size_t nargs;
    struct column_type type[MAX_ARGS];
    struct line set[MAX_ARGS];
    size_t at[MAX_ARGS]; /* which of each set */
};

/* Both as constants and as columns of a row: the specialised evaluations are part of it. */
static void one_call(const struct call *c, const char *captured)
{
    static struct arena a;
    const struct expr *consts[MAX_ARGS], *columns[MAX_ARGS];
    struct value v[MAX_ARGS], out = value_null();
    struct layout *layout = layout_new(c->type, c->nargs);
    const uint8_t *row;
    struct buf what;
    struct err err;
    if (!a.first)
        arena_init(&a);
    arena_reset(&a);
    buf_init(&what);
    buf_addf(&what, "%u(", c->oid);
    for (size_t i = 0; i < c->nargs; i++) {
        const char *s = c->set[i].field[c->at[i]];
        buf_addf(&what, i ? ", '%s'" : "'%s'", s);
        v[i] = parse(&c->type[i], s, &a);
        consts[i] = expr_const(&a, v[i], c->type[i]);
        columns[i] = expr_column(&a, 0, (uint32_t)i, c->type[i]);
    }
    buf_adds(&what, ")");
    ck_assert(row_pack(layout, v, &a, &row, &err));
    struct eval_ctx cx = {.layout = {layout}, .row = {row}, .arena = &a};
    for (int form = 0; form < 4; form++) {
        const struct expr *args[MAX_ARGS];
        for (size_t i = 0; i < c->nargs; i++)
            args[i] = form >> (i != 0) & 1 ? columns[i] : consts[i];
        struct expr *e = expr_func(&a, c->oid, "f", args, c->nargs, c->result, collation, &err);
        ck_assert_msg(e, "%s: %s", what.data, err.message);
        bool ok = expr_eval(e, &cx, &out, &err);
        expect(captured, c->result.type, ok, out, &err, buf_cstr(&what));
    }
    layout_unref(layout);
    buf_fini(&what);
}

/* The lines after an F line, for each OID in it. */
static size_t function(size_t at)
{
    struct line head = lines.v[at];
    struct call c = {.result = type_of(head.field[2]), .nargs = head.n - 3};
    size_t rows = 1, last = c.nargs - 1;
    for (size_t i = 0; i < c.nargs; i++) {
        char *spec = arena_strdup(&memory, head.field[3 + i]), *colon = strchr(spec, ':');
        *colon = '\0';
        c.type[i] = type_of(spec);
        c.set[i] = set_named(colon + 1);
        if (i < last)
            rows *= c.set[i].n;
    }
    for (char *oids = head.field[1]; *oids; oids += *oids == ',') {
        c.oid = (uint32_t)strtoul(oids, &oids, 10);
        for (size_t r = 0; r < rows; r++) {
            struct line results = lines.v[at + 1 + r];
            ck_assert_uint_eq(results.n, c.set[last].n);
            for (size_t i = last, rest = r; i-- > 0; rest /= c.set[i].n)
                c.at[i] = rest % c.set[i].n;
            for (c.at[last] = 0; c.at[last] < results.n; c.at[last]++)
                one_call(&c, results.field[c.at[last]]);
        }
    }
    return rows;
}

static void cast(size_t at)
{
    struct line head = lines.v[at], results = lines.v[at + 1], set = set_named(head.field[3]);
    struct column_type from = type_of(head.field[1]), to = type_of(head.field[2]);
    struct arena a;
    arena_init(&a);
    for (size_t i = 0; i < set.n; i++) {
        struct eval_ctx cx = {.arena = &a};
        struct value out = value_null();
        struct err err;
        struct expr *e =
            expr_via_io(&a, expr_const(&a, parse(&from, set.field[i], &a), from), to, &err);
        ck_assert_ptr_nonnull(e);
        bool ok = expr_eval(e, &cx, &out, &err);
        expect(results.field[i], to.type, ok, out, &err, set.field[i]);
        arena_reset(&a);
    }
    arena_fini(&a);
}

static size_t aggregate(size_t at)
{
    struct line head = lines.v[at];
    struct column_type result = type_of(head.field[2]), arg = type_of(head.field[3]);
    struct agg_spec spec;
    struct err err;
    struct arena a;
    size_t i;
    arena_init(&a);
    ck_assert(agg_lookup((uint32_t)atoi(head.field[1]), "aggregate", &arg, 1, result, arg.collation,
                         &spec, &err));
    for (i = at + 1; i < lines.n && !(lines.v[i].field[0][0] == 'A' && lines.v[i].n == 4 &&
                                      atoi(lines.v[i].field[1]) > 2000);
         i++) {
        void *state = xcalloc(1, spec.cls->state_size);
        struct value out = value_null();
        for (size_t k = 1; k < lines.v[i].n; k++) {
            struct value v = parse(&arg, lines.v[i].field[k], &a);
            if (!v.null || !spec.cls->strict)
                spec.cls->add(&spec, state, &v, 1);
        }
        bool ok = spec.cls->result(&spec, state, &a, &out, &err);
        expect(lines.v[i].field[0], result.type, ok, out, &err, head.field[1]);
        if (spec.cls->fini)
            spec.cls->fini(&spec, state);
        free(state);
        arena_reset(&a);
    }
    arena_fini(&a);
    return i - at - 1;
}

START_TEST(captured)
{
    load();
    for (size_t i = 0; i < lines.n; i++) {
        if (strcmp(lines.v[i].field[0], "F") == 0) {
            i += function(i);
        } else if (strcmp(lines.v[i].field[0], "C") == 0) {
            cast(i++);
        } else if (strcmp(lines.v[i].field[0], "A") == 0) {
            i += aggregate(i);
        }
    }
    printf("%zu cases, %zu wrong\n", ncases, nwrong);
    fflush(stdout);
    ck_assert_uint_gt(ncases, 100000);
    ck_assert_uint_eq(nwrong, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("captured");
    TCase *t = tcase_create("captured");
    SRunner *r = srunner_create(s);
    int failed;
    tcase_set_timeout(t, 60);
    tcase_add_test(t, captured);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
