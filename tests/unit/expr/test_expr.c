/*
 * Nodes of expr.h other than functions: three-valued logic, CASE and its kin, IN lists, folding,
 * rewriting, refusals, printing. What Postgres answers is written out: these rules are the
 * standard's.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/expr/expr.h"

#define INT4EQ  65
#define INT4LT  66
#define INT4NE  144
#define INT4DIV 154
#define INT4PL  177
#define TEXTEQ  67
#define TEXT_LT 740
#define UPPER   871

static struct arena a;
static struct column_type int4, boolean, text, numeric;

static void setup(void)
{
    arena_init(&a);
    int4 = (struct column_type){type_native(OID_INT4), -1, NULL};
    boolean = (struct column_type){type_native(OID_BOOL), -1, NULL};
    text = (struct column_type){type_native(OID_TEXT), -1, &collation_c};
    numeric = (struct column_type){type_native(OID_NUMERIC), -1, NULL};
}

static void teardown(void)
{
    arena_fini(&a);
}

/* t, f, n: the booleans; anything else an integer. */
static const struct expr *b(char c)
{
    return expr_const(&a, c == 'n' ? value_null() : value_bool(c == 't'), boolean);
}

static const struct expr *i4(int64_t i)
{
    return expr_const(&a, value_int(i), int4);
}

static const struct expr *null4(void)
{
    return expr_const(&a, value_null(), int4);
}

static const struct expr *str(const char *s)
{
    return expr_const(&a, value_bytes(s, strlen(s)), text);
}

static const struct expr *call(uint32_t oid, const struct expr *x, const struct expr *y,
                               struct column_type ct)
{
    struct err err;
    const struct expr *args[2] = {x, y};
    struct expr *e = expr_func(&a, oid, "f", args, 2, ct, NULL, &err);
    ck_assert_msg(e, "%s", err.message);
    return e;
}

static const struct expr *by_zero(void)
{
    return call(INT4DIV, i4(1), i4(0), int4);
}

/* t, f or n, or x for an error, or d for a number other than 0 and 1. */
static char eval(const struct expr *e)
{
    struct eval_ctx cx = {.arena = &a};
    struct value v;
    struct err err;
    if (!expr_eval(e, &cx, &v, &err))
        return 'x';
    return v.null ? 'n' : v.i == 1 ? 't' : v.i == 0 ? 'f' : 'd';
}

static int64_t eval_int(const struct expr *e)
{
    struct eval_ctx cx = {.arena = &a};
    struct value v;
    struct err err;
    ck_assert_msg(expr_eval(e, &cx, &v, &err), "%s", err.message);
    ck_assert(!v.null);
    return v.i;
}

static char logic(enum expr_kind kind, const char *args)
{
    const struct expr *list[4];
    size_t n = strlen(args);
    for (size_t i = 0; i < n; i++)
        list[i] = args[i] == 'x' ? call(INT4EQ, by_zero(), i4(1), boolean) : b(args[i]);
    return eval(expr_bool(&a, kind, list, n));
}

START_TEST(three_valued_logic)
{
    static const struct {
        enum expr_kind kind;
        const char *args;
        char result;
    } cases[] = {
        {EXPR_AND, "tt", 't'},  {EXPR_AND, "tf", 'f'},  {EXPR_AND, "tn", 'n'},
        {EXPR_AND, "ft", 'f'},  {EXPR_AND, "ff", 'f'},  {EXPR_AND, "fn", 'f'},
        {EXPR_AND, "nt", 'n'},  {EXPR_AND, "nf", 'f'},  {EXPR_AND, "nn", 'n'},
        {EXPR_OR, "tt", 't'},   {EXPR_OR, "tf", 't'},   {EXPR_OR, "tn", 't'},
        {EXPR_OR, "ft", 't'},   {EXPR_OR, "ff", 'f'},   {EXPR_OR, "fn", 'n'},
        {EXPR_OR, "nt", 't'},   {EXPR_OR, "nf", 'n'},   {EXPR_OR, "nn", 'n'},
        {EXPR_NOT, "t", 'f'},   {EXPR_NOT, "f", 't'},   {EXPR_NOT, "n", 'n'},
        {EXPR_AND, "tnf", 'f'}, {EXPR_OR, "fnt", 't'},  {EXPR_AND, "fx", 'f'},
        {EXPR_OR, "tx", 't'},   {EXPR_AND, "xf", 'x'},  {EXPR_AND, "nx", 'x'},
        {EXPR_OR, "nxt", 'x'},  {EXPR_AND, "ttt", 't'},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(logic(cases[i].kind, cases[i].args) == cases[i].result, "%d %s",
                      cases[i].kind, cases[i].args);
}
END_TEST

START_TEST(boolean_tests)
{
    static const char *const results[] = {
        /* of t, f, n */
        [IS_TRUE] = "tff",      [IS_NOT_TRUE] = "ftt", [IS_FALSE] = "ftf",
        [IS_NOT_FALSE] = "tft", [IS_UNKNOWN] = "fft",  [IS_NOT_UNKNOWN] = "ttf"};
    for (int test = IS_TRUE; test <= IS_NOT_UNKNOWN; test++)
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(eval(expr_bool_test(&a, b("tfn"[i]), (enum bool_test)test)),
                             results[test][i]);
    ck_assert_int_eq(eval(expr_is_null(&a, null4(), false)), 't');
    ck_assert_int_eq(eval(expr_is_null(&a, null4(), true)), 'f');
    ck_assert_int_eq(eval(expr_is_null(&a, i4(0), false)), 'f');
}
END_TEST

START_TEST(distinct_and_nullif)
{
    const struct expr *const v[3] = {i4(1), i4(2), null4()};
    struct err err;
    for (int x = 0; x < 3; x++)
        for (int y = 0; y < 3; y++) {
            ck_assert_int_eq(eval(expr_distinct(&a, INT4EQ, v[x], v[y], NULL, false, &err)),
                             x == y ? 'f' : 't');
            ck_assert_int_eq(eval(expr_distinct(&a, INT4EQ, v[x], v[y], NULL, true, &err)),
                             x == y ? 't' : 'f');
        }
    ck_assert_int_eq(eval(expr_nullif(&a, INT4EQ, v[0], v[0], int4, NULL, &err)), 'n');
    ck_assert_int_eq(eval(expr_nullif(&a, INT4EQ, v[0], v[1], int4, NULL, &err)), 't');
    ck_assert_int_eq(eval(expr_nullif(&a, INT4EQ, v[0], v[2], int4, NULL, &err)), 't');
    ck_assert_int_eq(eval(expr_nullif(&a, INT4EQ, v[2], v[0], int4, NULL, &err)), 'n');
}
END_TEST

START_TEST(sameness_is_that_of_groups)
{
    ck_assert_int_eq(eval(expr_same(&a, null4(), null4())), 't');
    ck_assert_int_eq(eval(expr_same(&a, i4(1), null4())), 'f');
    ck_assert_int_eq(eval(expr_same(&a, i4(1), i4(1))), 't');
    ck_assert_int_eq(eval(expr_same(&a, i4(1), i4(2))), 'f');
}
END_TEST

START_TEST(an_error_is_raised_where_it_is_reached)
{
    const struct expr *raise = expr_fold(&a, expr_raise(&a, RAISE_MANY_ROWS, int4));
    const struct expr *unreached[] = {b('f'), raise, i4(3)}, *reached[] = {b('t'), raise, i4(3)};
    struct eval_ctx cx = {.arena = &a};
    struct value v;
    struct err err;
    ck_assert(expr_eval(expr_case(&a, unreached, 3, int4), &cx, &v, &err));
    ck_assert_int_eq(v.i, 3);
    ck_assert(!expr_eval(expr_case(&a, reached, 3, int4), &cx, &v, &err));
    ck_assert_str_eq(err.sqlstate, "21000");
}
END_TEST

START_TEST(case_and_coalesce)
{
    const struct expr *chosen[] = {b('n'), i4(7), b('f'), by_zero(), b('t'), i4(8), by_zero()};
    const struct expr *otherwise[] = {b('n'), by_zero(), i4(9)};
    const struct expr *failing[] = {call(INT4EQ, by_zero(), i4(1), boolean), i4(1), i4(2)};
    const struct expr *first[] = {null4(), i4(5), by_zero()}, *none[] = {null4(), null4()};
    ck_assert_int_eq(eval_int(expr_case(&a, chosen, 7, int4)), 8);
    ck_assert_int_eq(eval_int(expr_case(&a, otherwise, 3, int4)), 9);
    ck_assert_int_eq(eval(expr_case(&a, failing, 3, int4)), 'x');
    ck_assert_int_eq(eval_int(expr_coalesce(&a, first, 3, int4)), 5);
    ck_assert_int_eq(eval(expr_coalesce(&a, none, 2, int4)), 'n');
}
END_TEST

START_TEST(greatest_and_least)
{
    const struct expr *args[] = {null4(), i4(5), i4(-3), i4(7), null4()}, *none[] = {null4()};
    struct err err;
    ck_assert_int_eq(eval_int(expr_minmax(&a, true, args, 5, int4, NULL, &err)), 7);
    ck_assert_int_eq(eval_int(expr_minmax(&a, false, args, 5, int4, NULL, &err)), -3);
    ck_assert_int_eq(eval(expr_minmax(&a, false, none, 1, int4, NULL, &err)), 'n');
    args[0] = str("a");
    ck_assert_ptr_null(expr_minmax(&a, true, args, 1, text, NULL, &err));
    ck_assert_str_eq(err.sqlstate, "42P22");
}
END_TEST

/* x op ANY/ALL over a list written as 1, 2 and n. */
static char in(uint32_t oid, bool use_or, char x, const char *list)
{
    const struct expr *args[8];
    struct err err;
    size_t n = strlen(list);
    for (size_t i = 0; i < n; i++)
        args[i] = list[i] == 'n' ? null4() : list[i] == 'x' ? by_zero() : i4(list[i] - '0');
    return eval(expr_in(&a, oid, use_or, x == 'n' ? null4() : i4(x - '0'), args, n, NULL, &err));
}

START_TEST(lists)
{
    ck_assert_int_eq(in(INT4EQ, true, '1', "12"), 't');
    ck_assert_int_eq(in(INT4EQ, true, '3', "12"), 'f');
    ck_assert_int_eq(in(INT4EQ, true, '3', "1n2"), 'n');
    ck_assert_int_eq(in(INT4EQ, true, '2', "n2x"), 't');
    ck_assert_int_eq(in(INT4EQ, true, '2', "x2"), 'x');
    ck_assert_int_eq(in(INT4EQ, true, 'n', "12"), 'n');
    ck_assert_int_eq(in(INT4EQ, true, 'n', ""), 'f');
    ck_assert_int_eq(in(INT4NE, false, '3', "12"), 't');
    ck_assert_int_eq(in(INT4NE, false, '1', "n12"), 'f');
    ck_assert_int_eq(in(INT4NE, false, '3', "1n"), 'n');
    ck_assert_int_eq(in(INT4NE, false, 'n', "1"), 'n');
    ck_assert_int_eq(in(INT4NE, false, 'n', ""), 't');
    ck_assert_int_eq(in(INT4LT, false, '1', "23"), 't');
    ck_assert_int_eq(in(INT4LT, true, '3', "123"), 'f');
}
END_TEST

START_TEST(folding)
{
    struct column_type ct = int4;
    const struct expr *column = expr_column(&a, 0, 0, ct), *c;
    const struct expr *less = call(INT4LT, column, i4(3), boolean);
    const struct expr *sides[2] = {less, b('t')};
    c = expr_fold(&a, call(INT4PL, i4(2), i4(3), int4));
    ck_assert_int_eq(c->kind, EXPR_CONST);
    ck_assert_int_eq(c->value.i, 5);
    c = expr_fold(&a, by_zero());
    ck_assert_int_eq(c->kind, EXPR_FUNC);
    ck_assert_int_eq(eval(c), 'x');
    c = expr_fold(&a, call(INT4PL, column, null4(), int4));
    ck_assert(c->kind == EXPR_CONST && c->value.null);
    ck_assert_ptr_eq(expr_fold(&a, less), less);
    ck_assert_ptr_eq(expr_fold(&a, expr_bool(&a, EXPR_AND, sides, 2)), less);
    ck_assert_int_eq(expr_fold(&a, expr_bool(&a, EXPR_OR, sides, 2))->value.i, 1);
    sides[1] = b('n');
    ck_assert_int_eq(expr_fold(&a, expr_bool(&a, EXPR_AND, sides, 2))->kind, EXPR_AND);
    sides[1] = b('f');
    c = expr_fold(&a, expr_bool(&a, EXPR_AND, sides, 2));
    ck_assert(c->kind == EXPR_CONST && !c->value.null && !c->value.i);
}
END_TEST

/* A specialised node with its arguments replaced, by the door and behind its back. */
START_TEST(replaced_arguments)
{
    const struct expr *column = expr_column(&a, 0, 0, int4);
    const struct expr *sum = call(INT4PL, column, i4(3), int4);
    const struct expr *args[2] = {i4(40), i4(2)};
    struct expr copy = *sum;
    ck_assert_int_eq(eval_int(expr_with_args(&a, sum, args)), 42);
    copy.args = args;
    ck_assert_int_eq(eval_int(&copy), 42);
}
END_TEST

START_TEST(refusals)
{
    static const struct type like = {
        .oid = 2205, .kind = TYPE_OPAQUE, .name = "regclass", .text_is_identity = true};
    const struct collation *icu = collation_new(99, "elsewhere", 'x', "und", true);
    const struct collation *blind = collation_new(98, "blind", 'x', "und", false);
    const struct expr *args[2] = {str("a"), str("b")};
    struct column_type oid = {type_new(&like), -1, NULL};
    struct err err;
    ck_assert_ptr_null(expr_func(&a, 2311, "md5(text)", args, 1, text, &collation_c, &err));
    ck_assert_str_eq(err.sqlstate, "0A000");
    ck_assert_ptr_nonnull(strstr(err.message, "md5(text)"));
    ck_assert_ptr_null(expr_func(&a, TEXT_LT, "<", args, 2, boolean, icu, &err));
    ck_assert_str_eq(err.sqlstate, "0A000");
    ck_assert_ptr_nonnull(expr_func(&a, TEXTEQ, "=", args, 2, boolean, icu, &err));
    ck_assert_ptr_null(expr_func(&a, TEXTEQ, "=", args, 2, boolean, blind, &err));
    ck_assert_ptr_null(expr_func(&a, UPPER, "upper", args, 1, text, icu, &err));
    ck_assert_ptr_null(expr_func(&a, TEXTEQ, "=", args, 2, boolean, NULL, &err));
    ck_assert_str_eq(err.sqlstate, "42P22");
    ck_assert_ptr_null(expr_relabel(&a, i4(1), oid, &err));
    ck_assert_str_eq(err.sqlstate, "0A000");
    ck_assert_ptr_null(expr_relabel(&a, str("1"), numeric, &err));
    ck_assert_ptr_nonnull(expr_relabel(&a, args[0], text, &err));
    ck_assert_ptr_null(expr_via_io(&a, args[0], oid, &err));
}
END_TEST

static void prints(const struct expr *e, const char *const *names, const char *expected)
{
    struct buf out;
    buf_init(&out);
    expr_print(e, names, &out);
    ck_assert_str_eq(buf_cstr(&out), expected);
    buf_fini(&out);
}

START_TEST(printing)
{
    static const char *const names[] = {"id", "value"};
    const struct expr *column = expr_column(&a, 0, 1, int4), *right = expr_column(&a, 1, 2, int4);
    const struct expr *less = call(INT4LT, column, i4(10), boolean);
    const struct expr *both[] = {less, expr_is_null(&a, right, true)};
    const struct expr *branches[] = {less, i4(1), null4()}, *list[] = {i4(1), i4(2)};
    const struct expr *s[] = {str("it's")};
    struct column_type varchar = {type_native(OID_VARCHAR), 14, &collation_c};
    struct err err;
    prints(less, NULL, "(#1 < 10)");
    prints(less, names, "(value < 10)");
    prints(expr_bool(&a, EXPR_AND, both, 2), names, "((value < 10) AND (#1.2 IS NOT NULL))");
    prints(expr_case(&a, branches, 3, int4), names,
           "CASE WHEN (value < 10) THEN 1 ELSE NULL::integer END");
    prints(expr_in(&a, INT4EQ, true, column, list, 2, NULL, &err), NULL, "(#1 = ANY (1, 2))");
    prints(expr_func(&a, UPPER, "upper", s, 1, text, &collation_c, &err), NULL,
           "upper('it''s'::text) COLLATE \"C\"");
    prints(expr_relabel(&a, s[0], varchar, &err), NULL, "'it''s'::text::character varying(14)");
    prints(expr_bool_test(&a, less, IS_NOT_TRUE), NULL, "((#1 < 10) IS NOT TRUE)");
    prints(expr_distinct(&a, INT4EQ, column, right, NULL, false, &err), NULL,
           "(#1 IS DISTINCT FROM #1.2)");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("expr");
    TCase *t = tcase_create("expr");
    SRunner *r = srunner_create(s);
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, three_valued_logic);
    tcase_add_test(t, boolean_tests);
    tcase_add_test(t, distinct_and_nullif);
    tcase_add_test(t, sameness_is_that_of_groups);
    tcase_add_test(t, an_error_is_raised_where_it_is_reached);
    tcase_add_test(t, case_and_coalesce);
    tcase_add_test(t, greatest_and_least);
    tcase_add_test(t, lists);
    tcase_add_test(t, folding);
    tcase_add_test(t, replaced_arguments);
    tcase_add_test(t, refusals);
    tcase_add_test(t, printing);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
