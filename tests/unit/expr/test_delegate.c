/*
 * delegate: what is asked of Postgres, how often, and what becomes of errors and of silence. The
 * host is a fake that knows two functions of texts: f(a) is a with "!" behind it and fails for
 * "bad"; g(a, b) is both together.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/vec.h"
#include "engine/circuit/circuit.h"
#include "engine/expr/delegate.h"
#include "engine/expr/pgfuncs.h"

static struct arena arena;
static struct delegator *delegator;
static size_t questions, rows_asked;
static bool silent;
static struct column_type text, boolean;

/* ------------------------------------------------------------ the fake */

/* The elements of an array literal; as many as max. */
static size_t elements(const char *s, struct delegate_text *out, struct arena *a)
{
    size_t n = 0;
    for (s++; *s && *s != '}'; s += *s == ',') {
        char *to = arena_alloc(a, strlen(s) + 1);
        out[n] = (struct delegate_text){.p = to, .null = *s != '"'};
        if (*s != '"') {
            s += 4;
        } else {
            for (s++; *s != '"'; s++)
                to[out[n].len++] = *s == '\\' ? *++s : *s;
            s++;
        }
        n++;
    }
    return n;
}

static bool is_text(struct delegate_text t, const char *s)
{
    return !t.null && t.len == strlen(s) && memcmp(t.p, s, t.len) == 0;
}

static enum delegate_outcome fake(void *ctx, const char *sql, size_t nparams,
                                  const char *const *params, struct arena *a,
                                  struct delegate_answer *out, struct err *err)
{
    struct delegate_text *args[2] = {NULL, NULL}, *cells;
    size_t n = 0;
    (void)ctx;
    questions++;
    if (silent) {
        err_set(err, ERR_CANNOT_CONNECT_NOW, "no answer");
        return DELEGATE_LOST;
    }
    for (size_t k = 0; k < nparams; k++) {
        args[k] = ARENA_ARRAY(a, struct delegate_text, 20000);
        n = elements(params[k], args[k], a);
    }
    rows_asked += n;
    cells = ARENA_ARRAY(a, struct delegate_text, n);
    for (size_t i = 0; i < n; i++) {
        struct delegate_text x = args[0][i], y = nparams > 1 ? args[1][i] : x;
        bool is_f = strncmp(sql, "SELECT f(", 9) == 0;
        if (is_f && is_text(x, "bad")) {
            err_set(err, "22023", "f of bad");
            return DELEGATE_FAILED;
        }
        cells[i] = x;
        cells[i].null = x.null || y.null;
        if (cells[i].null)
            continue;
        cells[i].p =
            arena_printf(a, "%.*s%.*s", (int)x.len, x.p, is_f ? 1 : (int)y.len, is_f ? "!" : y.p);
        cells[i].len = (uint32_t)strlen(cells[i].p);
    }
    *out = (struct delegate_answer){n, 1, cells};
    return DELEGATE_ANSWERED;
}

static void setup(void)
{
    const struct delegate_host host = {.ask = fake};
    arena_init(&arena);
    delegator = delegator_new(&host, 100000);
    delegator_enter(delegator);
    delegate_begin();
    text = (struct column_type){type_native(OID_TEXT), -1, &collation_c};
    boolean = (struct column_type){type_native(OID_BOOL), -1, NULL};
    questions = rows_asked = 0;
    silent = false;
}

static void teardown(void)
{
    delegator_free(delegator);
    arena_fini(&arena);
}

/* ------------------------------------------------------------ expressions */

static const struct expr *call(const char *name, const struct expr *x, const struct expr *y)
{
    static const char *const arrays[] = {"text[]", "text[]"};
    struct delegate_call *c = ARENA_NEW(&arena, struct delegate_call);
    struct delegate_part *parts = ARENA_ARRAY(&arena, struct delegate_part, 3);
    const struct expr *args[2] = {x, y};
    parts[0] = (struct delegate_part){arena_printf(&arena, "%s(", name), 0};
    parts[1] = (struct delegate_part){", ", 1};
    parts[y ? 2 : 1] = (struct delegate_part){")", -1};
    *c = (struct delegate_call){
        .label = name, .parts = parts, .nparts = y ? 3 : 2, .arrays = arrays};
    return expr_delegated(&arena, c, args, y ? 2 : 1, text);
}

static const struct expr *column(uint32_t i)
{
    return expr_column(&arena, 0, i, text);
}

static const struct expr *constant(const char *s)
{
    return expr_const(&arena, value_bytes(s, strlen(s)), text);
}

static const struct expr *equals(const struct expr *x, const char *s)
{
    const struct expr *args[2] = {x, constant(s)};
    struct err err;
    const struct expr *e = expr_func(&arena, 67, NULL, args, 2, boolean, &collation_c, &err);
    ck_assert(e != NULL);
    return e;
}

static struct layout *layout(uint32_t n)
{
    const struct column_type cts[2] = {text, text};
    return layout_new(cts, n);
}

static const uint8_t *row(const struct layout *l, const char *x, const char *y)
{
    struct value v[2] = {value_null(), value_null()};
    const uint8_t *out;
    struct err err;
    if (x)
        v[0] = value_bytes(x, strlen(x));
    if (y)
        v[1] = value_bytes(y, strlen(y));
    ck_assert(row_pack(l, v, &arena, &out, &err));
    return out;
}

/* The value as text, "NULL", or the error's SQLSTATE behind a "#". */
static const char *eval(const struct expr *e, const struct layout *l, const uint8_t *r)
{
    struct eval_ctx cx = {.layout = {l}, .row = {r}, .arena = &arena};
    struct value v;
    struct err err;
    if (!expr_eval(e, &cx, &v, &err))
        return arena_printf(&arena, "#%s", err.sqlstate);
    return v.null ? "NULL" : arena_strndup(&arena, (const char *)v.p, v.len);
}

static void collect(const struct expr *e, const struct layout *l, const uint8_t *const *rows,
                    size_t n)
{
    struct delegate_task *t = ARENA_ARRAY(&arena, struct delegate_task, n);
    for (size_t i = 0; i < n; i++)
        t[i] = (struct delegate_task){.e = e, .layout = {l}, .row = {rows[i]}};
    ck_assert(delegate_collect(t, n));
}

/* ------------------------------------------------------------ tests */

START_TEST(asks_for_one_row_and_remembers)
{
    struct layout *l = layout(1);
    const struct expr *e = call("f", column(0), NULL);
    ck_assert_str_eq(eval(e, l, row(l, "a", NULL)), "a!");
    ck_assert_str_eq(eval(e, l, row(l, "a", NULL)), "a!");
    ck_assert_uint_eq(questions, 1);
    ck_assert_str_eq(eval(e, l, row(l, NULL, NULL)), "NULL");
    ck_assert_str_eq(eval(e, l, row(l, "q\"\\,{}", NULL)), "q\"\\,{}!");
    ck_assert_str_eq(eval(e, l, row(l, "bad", NULL)), "#22023");
    ck_assert_str_eq(eval(e, l, row(l, "bad", NULL)), "#22023");
    ck_assert_uint_eq(questions, 4);
    layout_unref(l);
}
END_TEST

START_TEST(asks_for_many_rows_at_once)
{
    struct layout *l = layout(1);
    const struct expr *e = call("f", column(0), NULL);
    const uint8_t *rows[1000];
    for (int i = 0; i < 1000; i++)
        rows[i] = row(l, arena_printf(&arena, "%d", i % 300), NULL);
    collect(e, l, rows, 1000);
    ck_assert_uint_eq(questions, 1);
    ck_assert_uint_eq(rows_asked, 300);
    ck_assert_str_eq(eval(e, l, rows[299]), "299!");
    ck_assert_uint_eq(questions, 1);
    layout_unref(l);
}
END_TEST

START_TEST(nested_calls_take_as_many_questions)
{
    struct layout *l = layout(2);
    const struct expr *inner = call("g", call("f", column(0), NULL), call("f", column(1), NULL));
    const struct expr *e = call("f", inner, NULL);
    const uint8_t *rows[] = {row(l, "a", "b"), row(l, "b", "c"), row(l, "b", NULL)};
    collect(e, l, rows, 3);
    ck_assert_uint_eq(questions, 3);
    ck_assert_str_eq(eval(e, l, rows[1]), "b!c!!");
    ck_assert_str_eq(eval(e, l, rows[2]), "NULL");
    ck_assert_uint_eq(questions, 3);
    layout_unref(l);
}
END_TEST

/* CASE WHEN x = 'bad' THEN y ELSE f(x) END never asks for f(bad). */
START_TEST(evaluation_is_lazy)
{
    struct layout *l = layout(2);
    const struct expr *args[] = {equals(column(0), "bad"), column(1), call("f", column(0), NULL)};
    const struct expr *e = expr_case(&arena, args, 3, text);
    const uint8_t *rows[] = {row(l, "a", "b"), row(l, "bad", "c")};
    collect(e, l, rows, 2);
    ck_assert_uint_eq(rows_asked, 1);
    ck_assert_str_eq(eval(e, l, rows[0]), "a!");
    ck_assert_str_eq(eval(e, l, rows[1]), "c");
    ck_assert_uint_eq(questions, 1);
    layout_unref(l);
}
END_TEST

START_TEST(an_error_is_one_rows_own)
{
    struct layout *l = layout(1);
    const struct expr *e = call("f", column(0), NULL);
    const uint8_t *rows[100];
    for (int i = 0; i < 100; i++)
        rows[i] = row(l, i == 70 ? "bad" : arena_printf(&arena, "%d", i), NULL);
    collect(e, l, rows, 100);
    size_t before = questions;
    for (int i = 0; i < 100; i++)
        ck_assert_str_eq(eval(e, l, rows[i]), i == 70 ? "#22023" : arena_printf(&arena, "%d!", i));
    ck_assert_uint_eq(questions, before);
    ck_assert_uint_lt(questions, 20);
    layout_unref(l);
}
END_TEST

START_TEST(silence_is_no_error_of_the_data)
{
    struct layout *l = layout(1);
    const struct expr *e = call("f", column(0), NULL);
    const uint8_t *r = row(l, "a", NULL);
    silent = true;
    ck_assert_str_eq(eval(e, l, r), "#57P03");
    ck_assert(delegate_is_lost());
    ck_assert_str_eq(eval(e, l, r), "#57P03");
    ck_assert_uint_eq(questions, 1);
    silent = false;
    delegate_begin();
    ck_assert_str_eq(eval(e, l, r), "a!");
    ck_assert(!delegate_is_lost());
    layout_unref(l);
}
END_TEST

START_TEST(memory_is_bounded)
{
    struct layout *l = layout(1);
    const struct expr *e = call("f", column(0), NULL);
    for (int i = 0; i < 20000; i += 100) {
        const uint8_t *rows[100];
        for (int k = 0; k < 100; k++)
            rows[k] = row(l, arena_printf(&arena, "row %d", i + k), NULL);
        collect(e, l, rows, 100);
    }
    ck_assert_uint_eq(questions, 200);
    ck_assert_uint_lt(delegator_bytes(delegator), 400000);
    ck_assert_str_eq(eval(e, l, row(l, "row 19999", NULL)), "row 19999!");
    ck_assert_uint_eq(questions, 200);
    ck_assert_str_eq(eval(e, l, row(l, "row 0", NULL)), "row 0!");
    ck_assert_uint_eq(questions, 201);
    layout_unref(l);
}
END_TEST

/* A filter over a map: one question each; when there is no answer the circuit is void. */
START_TEST(a_circuit_asks_once_an_operator)
{
    struct layout *l = layout(1);
    struct circuit *c = circuit_new();
    const struct expr *twice = call("g", column(0), column(0));
    const struct expr *cond = equals(call("f", column(0), NULL), "77!");
    struct op *src = op_source(c, l, "t");
    struct op *map = op_map(c, src, &twice, 1);
    circuit_set_output(c, op_filter(c, map, cond));
    for (int i = 0; i < 10; i++)
        circuit_push(c, src, row(l, arena_printf(&arena, "%d", i), NULL), 1);
    const struct delta *d = circuit_step(c);
    ck_assert_uint_eq(d->n, 1);
    ck_assert_uint_eq(questions, 2);
    circuit_push(c, src, row(l, "7", NULL), -1);
    d = circuit_step(c);
    ck_assert_uint_eq(d->n, 1);
    ck_assert_int_eq(d->v[0].weight, -1);
    ck_assert_uint_eq(questions, 2);
    silent = true;
    circuit_push(c, src, row(l, "new", NULL), 1);
    ck_assert_uint_eq(circuit_step(c)->n, 0);
    ck_assert(circuit_is_lost(c));
    ck_assert(!circuit_error(c));
    circuit_free(c);
    layout_unref(l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("delegate");
    TCase *tc = tcase_create("delegate");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, asks_for_one_row_and_remembers);
    tcase_add_test(tc, asks_for_many_rows_at_once);
    tcase_add_test(tc, nested_calls_take_as_many_questions);
    tcase_add_test(tc, evaluation_is_lazy);
    tcase_add_test(tc, an_error_is_one_rows_own);
    tcase_add_test(tc, silence_is_no_error_of_the_data);
    tcase_add_test(tc, memory_is_bounded);
    tcase_add_test(tc, a_circuit_asks_once_an_operator);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
