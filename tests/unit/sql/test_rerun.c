/*
 * rerun: what is read off captured trees so that a statement can be asked again: its tables, whether
 * the time matters, what may not be asked, and which statements are the same.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sql/rerun.h"
#include "tests/support/sqlfixture.h"

static struct fixture *fixture;
static struct err why;

static void setup(void)
{
    fixture = fixture_load("tests/unit/sql/fixtures/pg15.txt");
    err_soft(&why, "a window function");
}

static void teardown(void)
{
    fixture_free(fixture);
}

/* By its name or its text. */
static struct plan_spec *spec_of(const char *name, struct err *err)
{
    for (size_t i = 0; i < fixture->statements.n; i++) {
        const struct fixture_statement *s = &fixture->statements.v[i];
        if (strcmp(s->sql, name) == 0 || strcmp(s->name, name) == 0)
            return fixture_rerun(fixture, s, &why, err);
    }
    ck_abort_msg("no statement %s", name);
}

/* "events only parent timed" */
static const char *facts(const char *name)
{
    static char text[400];
    struct err err;
    struct plan_spec *p = spec_of(name, &err);
    text[0] = '\0';
    ck_assert_msg(p != NULL, "%s: %s", name, err.message);
    ck_assert_str_eq(p->rerun->what, "a window function");
    for (size_t i = 0; i < p->nsources; i++) {
        strcat(text, *text ? " " : "");
        strcat(text, p->sources[i].only ? "only " : "");
        strcat(text, p->sources[i].name);
    }
    if (p->rerun->timed)
        strcat(text, *text ? " timed" : "timed");
    plan_spec_unref(p);
    return text;
}

START_TEST(tables_are_found_wherever_they_are_read)
{
    ck_assert_str_eq(facts("SELECT * FROM users"), "users");
    ck_assert_str_eq(
        facts(
            "SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id)"),
        "users orders");
    ck_assert_str_eq(facts("SELECT (SELECT max(id) FROM orders) FROM users"), "users orders");
    ck_assert_str_eq(facts("SELECT ARRAY(SELECT id FROM orders)"), "orders");
    ck_assert_str_eq(facts("SELECT * FROM users u, LATERAL (SELECT amount FROM orders o WHERE "
                           "o.user_id = u.id LIMIT 1) t"),
                     "users orders");
    ck_assert_str_eq(facts("WITH per_category AS (SELECT category_id, COUNT(*) AS n, SUM(value) AS "
                           "total FROM events GROUP BY category_id) SELECT category_id, n, total "
                           "FROM per_category ORDER BY total DESC LIMIT 8"),
                     "events");
    ck_assert_str_eq(facts("SELECT * FROM v_users WHERE score > 8"), "users");
    ck_assert_str_eq(facts("SELECT name, total FROM v_nested"), "users orders");
    ck_assert_str_eq(facts("key_only"), "only parent");
    ck_assert_str_eq(facts("key_not_only"), "parent");
    ck_assert_str_eq(facts("WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE "
                           "n < 5) SELECT n FROM t"),
                     "");
    ck_assert_str_eq(facts("SELECT twice FROM orders"), "orders");
    ck_assert_str_eq(facts("SELECT ctid FROM users"), "users");
}
END_TEST

START_TEST(the_time_is_noticed)
{
    ck_assert_str_eq(facts("SELECT now()"), "timed");
    ck_assert_str_eq(facts("SELECT CURRENT_DATE"), "timed");
}
END_TEST

START_TEST(what_may_not_be_asked_is_refused)
{
    static const char *const names[] = {
        "SELECT random()",
        "SELECT * FROM users FOR UPDATE",
        "WITH d AS (DELETE FROM users RETURNING id) SELECT * FROM d",
        "INSERT INTO holes VALUES (1, 2) RETURNING a",
        "SELECT * FROM users TABLESAMPLE system (10)",
        "SELECT * FROM far_t",
        "SELECT * FROM unlogged_t",
        "SELECT * FROM mixed",
        "SELECT * FROM mat",
        "SELECT relname FROM pg_class",
        "SELECT * FROM secret",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err err;
        ck_assert_msg(spec_of(names[i], &err) == NULL, "%s is accepted", names[i]);
        ck_assert_msg(strcmp(err.sqlstate, "0A000") == 0 && !err.soft, "%s: %s", names[i],
                      err.message);
    }
}
END_TEST

static bool same(const char *a, const char *b)
{
    struct err err;
    struct plan_spec *p = spec_of(a, &err), *q = spec_of(b, &err);
    bool equal = strcmp(p->key, q->key) == 0;
    plan_spec_unref(p);
    plan_spec_unref(q);
    return equal;
}

START_TEST(equal_statements_have_one_key)
{
    ck_assert(same("key_a", "key_a"));
    ck_assert(same("key_a", "key_a_spelled"));
    ck_assert(!same("key_a", "key_a_other_const"));
    ck_assert(!same("key_a", "key_a_swapped"));
    ck_assert(!same("key_a", "key_a_ordered"));
    ck_assert(!same("key_a", "key_a_left"));
    ck_assert(!same("key_p", "key_p4"));
    ck_assert(!same("key_only", "key_not_only"));
    ck_assert(!same("key_limit8", "key_limit9"));
}
END_TEST

START_TEST(the_result_is_described)
{
    struct err err;
    struct plan_spec *p =
        spec_of("WITH per_category AS (SELECT category_id, COUNT(*) AS n, SUM(value) AS total FROM "
                "events GROUP BY category_id) SELECT category_id, n, total FROM per_category ORDER "
                "BY total DESC LIMIT 8",
                &err);
    ck_assert_uint_eq(p->ncolumns, 3);
    ck_assert_str_eq(p->columns[2].name, "total");
    ck_assert(p->rerun->ordered);
    ck_assert_uint_eq(p->norder, 1);
    ck_assert_uint_eq(p->order[0].col, 2);
    plan_spec_unref(p);
}
END_TEST

static bool may(const char *name, char volatility, bool builtin, const char *extension)
{
    struct err err;
    bool timed = false;
    struct cat_function f = {name, name, volatility, builtin, extension != NULL, extension};
    bool ok = rerun_check_function(&f, &timed, &err);
    ck_assert(ok || (strcmp(err.sqlstate, "0A000") == 0 && strstr(err.message, name)));
    ck_assert(!timed || strcmp(name, "now") == 0);
    return ok;
}

START_TEST(functions)
{
    ck_assert(may("lower", 'i', true, NULL));
    ck_assert(may("mine", 'i', false, NULL));
    ck_assert(may("now", 's', true, NULL));
    ck_assert(may("anytextcat", 's', true, NULL));
    ck_assert(may("xml_is_well_formed", 's', true, NULL));
    ck_assert(may("unaccent", 's', false, "unaccent"));
    ck_assert(!may("now", 's', false, NULL));
    ck_assert(!may("mine", 's', false, NULL));
    ck_assert(!may("crosstab", 's', false, "tablefunc"));
    ck_assert(!may("pg_stat_get_numscans", 's', true, NULL));
    ck_assert(!may("table_to_xml", 's', true, NULL));
    ck_assert(!may("random", 'v', true, NULL));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rerun");
    TCase *tc = tcase_create("rerun");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, tables_are_found_wherever_they_are_read);
    tcase_add_test(tc, the_time_is_noticed);
    tcase_add_test(tc, what_may_not_be_asked_is_refused);
    tcase_add_test(tc, equal_statements_have_one_key);
    tcase_add_test(tc, the_result_is_described);
    tcase_add_test(tc, functions);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
