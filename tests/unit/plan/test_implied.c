/*
 * Conditions that follow from others: constants along equalities, what a disjunction says of one
 * side, common parts of its arms.
 */
#include <check.h>

#include "engine/plan/implied.h"

#define INT4EQ  65
#define INT4LT  66
#define INT4DIV 154

static struct arena arena;
static struct column_type int4, boolean;

static void setup(void)
{
    arena_init(&arena);
    int4 = (struct column_type){type_native(OID_INT4), -1, NULL};
    boolean = (struct column_type){type_native(OID_BOOL), -1, NULL};
}

static void teardown(void)
{
    arena_fini(&arena);
}

static const struct expr *col(uint32_t rel, uint32_t no)
{
    struct lcol c = {rel, no, int4, ""};
    return lcol_expr(&arena, &c);
}

static const struct expr *num(int64_t i)
{
    return expr_const(&arena, value_int(i), int4);
}

static const struct expr *call(uint32_t func, const struct expr *x, const struct expr *y)
{
    struct err err;
    const struct expr *args[2] = {x, y};
    return expr_func(&arena, func, NULL, args, 2, func == INT4DIV ? int4 : boolean, NULL, &err);
}

static const struct expr *eq(const struct expr *x, const struct expr *y)
{
    return call(INT4EQ, x, y);
}

static const struct expr *both(enum expr_kind kind, const struct expr *x, const struct expr *y)
{
    const struct expr *args[2] = {x, y};
    return expr_bool(&arena, kind, args, 2);
}

static void list(struct exprs *l, const struct expr *e)
{
    AVEC_PUSH(&arena, *l, e);
}

START_TEST(a_constant_follows_equalities_as_far_as_they_go)
{
    struct exprs known = {0}, links = {0}, out = {0};
    list(&known, eq(col(1, 1), num(7)));
    list(&links, eq(col(2, 1), col(1, 1)));
    list(&links, eq(col(2, 1), col(3, 4)));
    list(&links, call(INT4LT, col(1, 1), col(4, 1))); /* says nothing exact */
    implied_constants(&arena, &known, &links, &out);
    ck_assert_uint_eq(out.n, 2);
    ck_assert(expr_equal(out.v[0], eq(col(2, 1), num(7))));
    ck_assert(expr_equal(out.v[1], eq(col(3, 4), num(7))));
}
END_TEST

START_TEST(what_is_known_already_does_not_follow_again)
{
    struct exprs known = {0}, links = {0}, out = {0};
    list(&known, eq(col(1, 1), num(7)));
    list(&known, eq(col(2, 1), num(7)));
    list(&links, eq(col(2, 1), col(1, 1)));
    implied_constants(&arena, &known, &links, &out);
    ck_assert_uint_eq(out.n, 0);
}
END_TEST

START_TEST(each_side_of_a_disjunction_of_pairs_knows_its_part)
{
    const struct expr *e =
        both(EXPR_OR, both(EXPR_AND, eq(col(1, 1), num(1)), eq(col(2, 1), num(2))),
             both(EXPR_AND, eq(col(1, 1), num(2)), eq(col(2, 1), num(1))));
    struct lcol left = {1, 1, int4, ""}, other = {3, 1, int4, ""};
    const struct expr *l = implied_by_or(&arena, e, &left, 1);
    ck_assert(l && expr_equal(l, both(EXPR_OR, eq(col(1, 1), num(1)), eq(col(1, 1), num(2)))));
    ck_assert(!implied_by_or(&arena, e, &other, 1));
}
END_TEST

START_TEST(what_may_fail_is_not_brought_forward)
{
    const struct expr *fails = eq(call(INT4DIV, num(1), col(1, 1)), num(1));
    const struct expr *e = both(EXPR_OR, both(EXPR_AND, fails, eq(col(2, 1), num(2))), fails);
    struct lcol left = {1, 1, int4, ""};
    ck_assert(!implied_by_or(&arena, e, &left, 1));
}
END_TEST

START_TEST(what_all_arms_say_is_said_once)
{
    const struct expr *x = eq(col(1, 1), col(2, 1)), *y = eq(col(1, 2), num(1)),
                      *z = eq(col(1, 2), num(2));
    const struct expr *e =
        implied_factor(&arena, both(EXPR_OR, both(EXPR_AND, x, y), both(EXPR_AND, z, x)));
    ck_assert(expr_equal(e, both(EXPR_AND, x, both(EXPR_OR, y, z))));
    ck_assert(expr_equal(implied_factor(&arena, both(EXPR_OR, x, both(EXPR_AND, x, y))), x));
    const struct expr *apart = both(EXPR_OR, y, z);
    ck_assert_ptr_eq(implied_factor(&arena, apart), apart);
}
END_TEST

START_TEST(columns_of_different_relations_are_different_expressions)
{
    ck_assert(expr_equal(col(1, 2), col(1, 2)));
    ck_assert(!expr_equal(col(1, 2), col(2, 2)));
    ck_assert(!expr_equal(col(1, 2), col(1, 1)));
    ck_assert(!expr_equal(num(1), num(2)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("implied");
    TCase *t = tcase_create("implied");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_constant_follows_equalities_as_far_as_they_go);
    tcase_add_test(t, what_is_known_already_does_not_follow_again);
    tcase_add_test(t, each_side_of_a_disjunction_of_pairs_knows_its_part);
    tcase_add_test(t, what_may_fail_is_not_brought_forward);
    tcase_add_test(t, what_all_arms_say_is_said_once);
    tcase_add_test(t, columns_of_different_relations_are_different_expressions);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
