/*
 * The node reader: what Postgres writes, what later versions may write, and bytes nobody wrote.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/sql/pgnode.h"
#include "tests/support/sqlfixture.h"

static struct arena arena;
static struct err err;

static void setup(void)
{
    arena_init(&arena);
    err_clear(&err);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static struct pgnode *read_text(const char *text)
{
    return pgnode_read(text, strlen(text), &arena, &err);
}

START_TEST(fields_are_found_by_name)
{
    struct pgnode *n = read_text("{VAR :varno 1 :varattno -2 :inh true :relkind r :alias <> "
                                 ":resname a\\ b\\{c :quoted \"\" :later (o 1 2)}");
    ck_assert_ptr_nonnull(n);
    ck_assert(pgn_is(n, "VAR"));
    ck_assert_int_eq(pgn_int(n, "varno"), 1);
    ck_assert_int_eq(pgn_int(n, "varattno"), -2);
    ck_assert(pgn_bool(n, "inh"));
    ck_assert_int_eq(pgn_char(n, "relkind"), 'r');
    ck_assert(pgn_is_null(pgn_field(n, "alias")));
    ck_assert_ptr_null(pgn_str(n, "alias"));
    ck_assert_str_eq(pgn_str(n, "resname"), "a b{c");
    ck_assert_str_eq(pgn_str(n, "quoted"), "");
    ck_assert(pgn_is_null(pgn_field(n, "nosuch")));
    ck_assert_int_eq(pgn_int(pgn_field(n, "nosuch"), "deeper"), 0);
    ck_assert_int_eq(pgn_field(n, "later")->list, 'o');
    ck_assert_int_eq(pgn_atom_int(pgn_field(n, "later")->items[1]), 2);
}
END_TEST

START_TEST(values_may_look_like_labels_and_brackets)
{
    struct pgnode *n = read_text("{A :x :y :colnames (\"a\\ b\" \"\\\"q\\\"\" \"\\<\\>\") :n 2}");
    ck_assert_ptr_nonnull(n);
    ck_assert_str_eq(pgn_str(n, "x"), ":y");
    const struct pgnode *l = pgn_field(n, "colnames");
    ck_assert_uint_eq(l->n, 3);
    ck_assert_str_eq(l->items[0]->text, "a b");
    ck_assert_str_eq(l->items[1]->text, "\"q\"");
    ck_assert_int_eq(pgn_int(n, "n"), 2);
}
END_TEST

START_TEST(constants_are_bytes)
{
    struct pgnode *n =
        read_text("{CONST :constvalue 4 [ -1 0 0 127 -128 0 0 0 ] :constlen 4 :empty 0 [ ]}");
    ck_assert_ptr_nonnull(n);
    const struct pgnode *d = pgn_field(n, "constvalue");
    ck_assert_int_eq(d->kind, PGN_DATUM);
    ck_assert_uint_eq(d->len, 8);
    ck_assert_mem_eq(d->text, "\xff\0\0\x7f\x80\0\0\0", 8);
    ck_assert_int_eq(pgn_int(n, "constlen"), 4);
    ck_assert_uint_eq(pgn_field(n, "empty")->len, 0);
}
END_TEST

START_TEST(later_versions_read_the_same)
{
    struct pgnode *a = read_text("{QUERY :rtable ({RANGETBLENTRY :rtekind 0 :perminfoindex 1}) "
                                 ":rteperminfos ({RTEPERMISSIONINFO :relid 5 :inh true}) "
                                 ":targetList ({TARGETENTRY :expr {VAR :varno 1 :varattno 2 "
                                 ":varnullingrels (b 3) :varreturningtype 0}}) :numbers 1 2 3}");
    ck_assert_ptr_nonnull(a);
    const struct pgnode *te = pgn_field(a, "targetList")->items[0];
    ck_assert_int_eq(pgn_int(pgn_field(te, "expr"), "varattno"), 2);
    ck_assert_int_eq(pgn_int(a, "numbers"), 1);
    ck_assert(pgn_is(read_text("{RTE :rtekind 1}"), "RANGETBLENTRY"));
}
END_TEST

static bool equal(const char *a, const char *b)
{
    return pgn_equal(read_text(a), read_text(b), NULL, NULL);
}

START_TEST(equality_ignores_spelling_only)
{
    ck_assert(equal("{OP :opno 1 :location 4 :args ({V :n 1})}",
                    "{OP :opno 1 :location 9 :args ({V :n 1})}"));
    ck_assert(equal("{F :funcformat 1}", "{F :funcformat 2}"));
    ck_assert(!equal("{OP :opno 1 :location 4}", "{OP :opno 2 :location 4}"));
    ck_assert(!equal("{OP :args ({V :n 1})}", "{OP :args ({V :n 1} {V :n 1})}"));
    ck_assert(!equal("{C :constvalue 1 [ 1 0 ]}", "{C :constvalue 1 [ 2 0 ]}"));
    ck_assert(!equal("{A :x <>}", "{A :x 0}"));
}
END_TEST

static const char *const broken[] = {
    "",
    "{",
    "}",
    "(",
    ")",
    "{A",
    "{A :x",
    "{A :x}",
    "{A x 1}",
    "{A :x 1",
    "(1 2",
    "{ :x 1}",
    "{A :v 4 [ 1",
    "{A :v 4 [ 999 ]}",
    "{A :v 4 [ x ]}",
    "{} {}",
    "{A} {B}",
    "\\",
    "{A :x \\",
    "(o 1",
    "{A :v 1 [ 11111111111 ]}",
    "{A :v 1 [ 1}",
};

START_TEST(broken_text_is_an_error)
{
    ck_assert_msg(read_text(broken[_i]) == NULL || strcmp(broken[_i], "\\") == 0, "%s", broken[_i]);
}
END_TEST

START_TEST(depth_is_bounded)
{
    size_t n = 100000;
    char *text = malloc(n);
    memset(text, '(', n);
    ck_assert_ptr_null(pgnode_read(text, n, &arena, &err));
    ck_assert_str_eq(err.sqlstate, "54001");
    free(text);
}
END_TEST

/* Captured trees, cut short and with bytes changed. */
START_TEST(damaged_trees_never_crash)
{
    struct fixture *f = fixture_load("tests/unit/sql/fixtures/pg15.txt");
    unsigned seed = 1;
    for (size_t i = 0; i < f->statements.n; i += 5) {
        size_t len = strlen(f->statements.v[i].tree);
        for (int round = 0; round < 40; round++) {
            char *copy = xstrndup(f->statements.v[i].tree, len);
            size_t end = len;
            for (int k = 0; k < 3; k++)
                copy[(size_t)rand_r(&seed) % len] = "{}()[]:\\\" <>0a"[rand_r(&seed) % 14];
            if (round % 2)
                end = (size_t)rand_r(&seed) % len;
            struct err e;
            err_clear(&e);
            struct pgnode *n = pgnode_read(copy, end, &arena, &e);
            ck_assert((n != NULL) != err_is_set(&e));
            free(copy);
            arena_reset(&arena);
        }
    }
    fixture_free(f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pgnode");
    TCase *t = tcase_create("reader");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, fields_are_found_by_name);
    tcase_add_test(t, values_may_look_like_labels_and_brackets);
    tcase_add_test(t, constants_are_bytes);
    tcase_add_test(t, later_versions_read_the_same);
    tcase_add_test(t, equality_ignores_spelling_only);
    tcase_add_loop_test(t, broken_text_is_an_error, 0, sizeof broken / sizeof *broken);
    tcase_add_test(t, depth_is_bounded);
    tcase_add_test(t, damaged_trees_never_crash);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
