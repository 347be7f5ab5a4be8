/*
 * pass_decorrelate, rule by rule: dependent joins put together by hand, and what they become.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/plan/passes.h"
#include "engine/plan/physical.h"

#define INT4_EQ  65
#define INT4_LT  66
#define INT4_DIV 154

static struct arena arena;
static struct pass_ctx c;
static struct err err;

static void setup(void)
{
    arena_init(&arena);
    c = (struct pass_ctx){.arena = &arena, .next_rel = 100};
    err_clear(&err);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static struct column_type int4(void)
{
    return (struct column_type){type_native(OID_INT4), -1, NULL};
}

static struct column_type boolean(void)
{
    return (struct column_type){type_native(OID_BOOL), -1, NULL};
}

/* A table of three integers, name.a, name.b and name.c. */
static struct logical *scan(uint32_t rel, const char *name)
{
    static const char *const names[] = {"a", "b", "c"};
    struct logical *n = logical_new(&arena, LOGICAL_SCAN, 0);
    struct logical_table *t = ARENA_NEW(&arena, struct logical_table);
    *t = (struct logical_table){.oid = rel, .schema = "s", .name = name, .colnames = names};
    t->ncols = n->ncols = 3;
    n->rel = rel;
    n->table = t;
    n->cols = ARENA_ARRAY(&arena, struct lcol, 3);
    for (uint32_t i = 0; i < 3; i++)
        n->cols[i] =
            (struct lcol){rel, i + 1, int4(), arena_printf(&arena, "%s.%s", name, names[i])};
    return n;
}

static const struct expr *col(const struct logical *n, size_t i)
{
    return lcol_expr(&arena, &n->cols[i]);
}

static const struct expr *call(uint32_t fn, const struct expr *x, const struct expr *y,
                               struct column_type ct)
{
    const struct expr *args[2] = {x, y};
    return expr_func(&arena, fn, NULL, args, 2, ct, NULL, &err);
}

static const struct expr *eq(const struct expr *x, const struct expr *y)
{
    return call(INT4_EQ, x, y, boolean());
}

static const struct expr *lt(const struct expr *x, const struct expr *y)
{
    return call(INT4_LT, x, y, boolean());
}

static struct logical *where(struct logical *n, const struct expr *cond)
{
    struct exprs conds = {0};
    AVEC_PUSH(&arena, conds, cond);
    return logical_filter(&arena, n, &conds);
}

static struct logical *project(struct logical *n, const struct expr *e)
{
    return logical_project(&arena, n, c.next_rel++, &e, NULL, 1);
}

static struct logical *apply(enum join_kind kind, struct logical *l, struct logical *r)
{
    struct logical *j = logical_join(&arena, kind, l, r);
    j->dependent = true;
    return j;
}

/* A grouping without keys: count(*), max(e). */
static struct logical *aggregate(struct logical *in, const struct expr *e)
{
    struct column_type int8 = {type_native(OID_INT8), -1, NULL}, arg = int4();
    struct logical *n = logical_new(&arena, LOGICAL_GROUP, 1);
    n->in[0] = in;
    n->rel = c.next_rel++;
    n->naggs = n->ncols = 2;
    n->aggs = ARENA_ARRAY(&arena, struct group_agg, 2);
    n->aggno = ARENA_ARRAY(&arena, uint32_t, 2);
    n->cols = ARENA_ARRAY(&arena, struct lcol, 2);
    n->aggs[1].args[0] = e;
    ck_assert(agg_lookup(2803, "count(*)", NULL, 0, int8, NULL, &n->aggs[0].spec, &err));
    ck_assert(agg_lookup(2116, "max", &arg, 1, int4(), NULL, &n->aggs[1].spec, &err));
    for (uint32_t i = 0; i < 2; i++) {
        n->aggno[i] = 100000 + i;
        n->cols[i] = (struct lcol){n->rel, n->aggno[i], n->aggs[i].spec.result, i ? "max" : "n"};
    }
    return n;
}

/* What becomes of it, as text; checked to be a plan. */
static void becomes(struct logical *n, const char *want)
{
    struct buf b;
    struct logical *root = pass_decorrelate(&c, n, &err);
    ck_assert_msg(root != NULL, "%s", err.message);
    ck_assert(logical_is_valid(root));
    buf_init(&b);
    logical_show(root, &b);
    ck_assert_str_eq(buf_cstr(&b), want);
    buf_fini(&b);
}

START_TEST(what_looks_at_nothing_is_a_plain_join)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    becomes(apply(JOIN_SEMI, o, where(t, lt(col(t, 0), col(t, 1)))),
            "semi join, all pairs\n"
            "  scan s.o: o.a, o.b, o.c\n"
            "  filter (t.a < t.b)\n"
            "    scan s.t: t.a, t.b, t.c\n");
}
END_TEST

START_TEST(conditions_become_those_of_the_join)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    becomes(apply(JOIN_ANTI, o, where(t, eq(col(t, 0), col(o, 0)))),
            "project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "  anti join if (t.a = o.a)\n"
            "    scan s.o: o.a, o.b, o.c\n"
            "    scan s.t: t.a, t.b, t.c\n");
}
END_TEST

START_TEST(a_column_made_of_the_outer_row_is_null_where_there_is_none)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    struct logical *w = where(t, eq(col(t, 0), col(o, 0)));
    becomes(apply(JOIN_LEFT, o, project(w, call(INT4_DIV, col(t, 1), col(o, 1), int4()))),
            "project o.a = o.a, o.b = o.b, o.c = o.c, CASE WHEN there THEN (t.b / o.b) ELSE "
            "NULL::integer END\n"
            "  left join if (t.a = o.a)\n"
            "    scan s.o: o.a, o.b, o.c\n"
            "    project there = true, t.a = t.a, t.b = t.b, t.c = t.c\n"
            "      scan s.t: t.a, t.b, t.c\n");
}
END_TEST

START_TEST(an_equality_becomes_a_key_of_the_grouping)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    becomes(apply(JOIN_LEFT, o, aggregate(where(t, eq(col(t, 0), col(o, 0))), col(t, 1))),
            "project o.a = o.a, o.b = o.b, o.c = o.c, n = COALESCE(n, '0'::bigint), max = max\n"
            "  left join if (r100.1 = o.a)\n"
            "    scan s.o: o.a, o.b, o.c\n"
            "    group by t.a: count(*), max(t.b)\n"
            "      scan s.t: t.a, t.b, t.c\n");
}
END_TEST

START_TEST(what_can_fail_is_computed_for_the_outer_values_only)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    const struct expr *ratio = call(INT4_DIV, col(t, 1), col(t, 2), int4());
    becomes(apply(JOIN_LEFT, o, aggregate(where(t, eq(col(t, 0), col(o, 0))), ratio)),
            "left join if (o.a IS o.a)\n"
            "  project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "    shared outer\n"
            "  group by o.a: count(*) FILTER there, max((t.b / t.c)) FILTER there\n"
            "    left join if (t.a = o.a)\n"
            "      shared cases\n"
            "      project t.a = t.a, t.b = t.b, t.c = t.c, there = true\n"
            "        scan s.t: t.a, t.b, t.c\n"
            "with cases\n"
            "  distinct\n"
            "    project o.a = o.a\n"
            "      shared outer\n"
            "with outer\n"
            "  scan s.o: o.a, o.b, o.c\n");
}
END_TEST

START_TEST(an_inequality_under_a_grouping_needs_the_outer_values)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    becomes(apply(JOIN_LEFT, o, aggregate(where(t, lt(col(t, 0), col(o, 0))), col(t, 1))),
            "left join if (o.a IS o.a)\n"
            "  project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "    shared outer\n"
            "  group by o.a: count(*) FILTER there, max(t.b) FILTER there\n"
            "    left join if (t.a < o.a)\n"
            "      shared cases\n"
            "      project t.a = t.a, t.b = t.b, t.c = t.c, there = true\n"
            "        scan s.t: t.a, t.b, t.c\n"
            "with cases\n"
            "  distinct\n"
            "    project o.a = o.a\n"
            "      shared outer\n"
            "with outer\n"
            "  scan s.o: o.a, o.b, o.c\n");
}
END_TEST

static struct logical *first(struct logical *in, const struct lcol *by)
{
    struct logical_sort *sort = ARENA_NEW(&arena, struct logical_sort);
    *sort = (struct logical_sort){by->rel, by->no, false, false};
    struct logical *n = logical_topk(&arena, in, sort, 1, NULL, 0);
    n->limit = 1;
    return n;
}

START_TEST(a_limit_is_one_of_each_key)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    becomes(apply(JOIN_INNER, o, first(where(t, eq(col(t, 0), col(o, 0))), &t->cols[1])),
            "project o.a = o.a, o.b = o.b, o.c = o.c, t.a = t.a, t.b = t.b, t.c = t.c\n"
            "  inner join if (r100.4 = o.a)\n"
            "    scan s.o: o.a, o.b, o.c\n"
            "    top 1 of each r100.4 by t.b\n"
            "      project t.a = t.a, t.b = t.b, t.c = t.c, t.a\n"
            "        scan s.t: t.a, t.b, t.c\n");
}
END_TEST

START_TEST(a_limit_is_one_of_each_outer_value)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t");
    becomes(apply(JOIN_LEFT, o, first(where(t, lt(col(t, 0), col(o, 0))), &t->cols[1])),
            "left join if (o.a IS o.a)\n"
            "  project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "    shared outer\n"
            "  top 1 of each o.a by t.b\n"
            "    project t.a = t.a, t.b = t.b, t.c = t.c, o.a = o.a\n"
            "      filter (t.a < o.a)\n"
            "        inner join, all pairs\n"
            "          shared cases\n"
            "          scan s.t: t.a, t.b, t.c\n"
            "with cases\n"
            "  distinct\n"
            "    project o.a = o.a\n"
            "      shared outer\n"
            "with outer\n"
            "  scan s.o: o.a, o.b, o.c\n");
}
END_TEST

static struct logical *both(enum logical_kind kind, struct logical *l, struct logical *r)
{
    struct logical *n = logical_new(&arena, kind, 2);
    n->in[0] = l;
    n->in[1] = r;
    n->rel = c.next_rel++;
    n->setop = SETOP_EXCEPT;
    n->ncols = 1;
    n->cols = ARENA_NEW(&arena, struct lcol);
    *n->cols = (struct lcol){n->rel, 1, int4(), "u"};
    return n;
}

START_TEST(rows_made_of_the_outer_row_alone_need_no_join)
{
    struct logical *o = scan(1, "o");
    struct logical *x = project(logical_new(&arena, LOGICAL_ONE_ROW, 0), col(o, 0));
    struct logical *y = project(logical_new(&arena, LOGICAL_ONE_ROW, 0), col(o, 1));
    becomes(apply(JOIN_INNER, o, both(LOGICAL_UNION, x, y)),
            "project o.a = o.a, o.b = o.b, o.c = o.c, u = u\n"
            "  union\n"
            "    project r100.1, o.a = o.a, o.b = o.b, o.c = o.c\n"
            "      project o.a, o.a = o.a, o.b = o.b, o.c = o.c\n"
            "        shared outer\n"
            "    project r101.1, o.a = o.a, o.b = o.b, o.c = o.c\n"
            "      project o.b, o.a = o.a, o.b = o.b, o.c = o.c\n"
            "        shared outer\n"
            "with outer\n"
            "  scan s.o: o.a, o.b, o.c\n");
}
END_TEST

START_TEST(a_set_operation_compares_within_a_case)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t"), *u = scan(3, "u");
    struct logical *x = project(where(t, eq(col(t, 0), col(o, 0))), col(t, 1));
    becomes(apply(JOIN_INNER, o, both(LOGICAL_SETOP, x, project(u, col(u, 0)))),
            "inner join if (o.a IS o.a)\n"
            "  project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "    shared outer\n"
            "  except\n"
            "    project r100.1, o.a = o.a\n"
            "      project t.b, o.a = o.a\n"
            "        filter (t.a = o.a)\n"
            "          inner join, all pairs\n"
            "            shared cases\n"
            "            scan s.t: t.a, t.b, t.c\n"
            "    project r101.1, o.a = o.a\n"
            "      inner join, all pairs\n"
            "        shared cases\n"
            "        project u.a\n"
            "          scan s.u: u.a, u.b, u.c\n"
            "with cases\n"
            "  distinct\n"
            "    project o.a = o.a\n"
            "      shared outer\n"
            "with outer\n"
            "  scan s.o: o.a, o.b, o.c\n");
}
END_TEST

START_TEST(a_full_join_is_of_each_case)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t"), *u = scan(3, "u");
    struct logical *x = where(t, eq(col(t, 0), col(o, 0)));
    becomes(apply(JOIN_INNER, o, logical_join(&arena, JOIN_FULL, x, u)),
            "inner join if (o.a IS o.a)\n"
            "  project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "    shared outer\n"
            "  project t.a = t.a, t.b = t.b, t.c = t.c, u.a = u.a, u.b = u.b, u.c = u.c, o.a = "
            "COALESCE(o.a, o.a)\n"
            "    full join if (o.a IS o.a)\n"
            "      project t.a = t.a, t.b = t.b, t.c = t.c, o.a = o.a\n"
            "        filter (t.a = o.a)\n"
            "          inner join, all pairs\n"
            "            shared cases\n"
            "            scan s.t: t.a, t.b, t.c\n"
            "      inner join, all pairs\n"
            "        shared cases\n"
            "        scan s.u: u.a, u.b, u.c\n"
            "with cases\n"
            "  distinct\n"
            "    project o.a = o.a\n"
            "      shared outer\n"
            "with outer\n"
            "  scan s.o: o.a, o.b, o.c\n");
}
END_TEST

START_TEST(two_levels_go_from_the_inside_out)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t"), *u = scan(3, "u");
    struct logical *w = where(where(u, eq(col(u, 0), col(t, 0))), eq(col(u, 1), col(o, 1)));
    becomes(apply(JOIN_SEMI, o, apply(JOIN_SEMI, where(t, eq(col(t, 2), col(o, 2))), w)),
            "project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "  semi join if (t.c = o.c) and (u.b = o.b)\n"
            "    scan s.o: o.a, o.b, o.c\n"
            "    inner join if (u.a = t.a)\n"
            "      scan s.t: t.a, t.b, t.c\n"
            "      scan s.u: u.a, u.b, u.c\n");
}
END_TEST

START_TEST(a_shared_body_that_depends_is_carried_once)
{
    struct logical *o = scan(1, "o"), *t = scan(2, "t"), *refs[2];
    struct logical *body = where(t, lt(col(t, 0), col(o, 0)));
    struct logical_cte cte = {body, t->cols, 3, 2, "w"};
    for (uint32_t i = 0; i < 2; i++) {
        refs[i] = logical_new(&arena, LOGICAL_CTE, 0);
        refs[i]->cte = &cte;
        refs[i]->rel = 10 + i;
        refs[i]->ncols = 3;
        refs[i]->cols = ARENA_ARRAY(&arena, struct lcol, 3);
        for (uint32_t k = 0; k < 3; k++)
            refs[i]->cols[k] = (struct lcol){10 + i, k + 1, int4(), t->cols[k].name};
    }
    struct logical *j = logical_join(&arena, JOIN_INNER, refs[0], refs[1]);
    becomes(apply(JOIN_LEFT, o, aggregate(j, col(refs[0], 1))),
            "left join if (o.a IS o.a)\n"
            "  project o.a = o.a, o.b = o.b, o.c = o.c\n"
            "    shared outer\n"
            "  group by o.a: count(*) FILTER there, max(t.b) FILTER there\n"
            "    left join if (o.a IS o.a)\n"
            "      shared cases\n"
            "      project t.a = t.a, t.b = t.b, t.c = t.c, o.a = o.a, t.a = t.a, t.b = t.b, t.c = "
            "t.c, o.a = o.a, there = true\n"
            "        inner join if (o.a IS o.a)\n"
            "          shared w\n"
            "          shared w\n"
            "with w\n"
            "  project t.a = t.a, t.b = t.b, t.c = t.c, o.a = o.a\n"
            "    filter (t.a < o.a)\n"
            "      inner join, all pairs\n"
            "        shared cases\n"
            "        scan s.t: t.a, t.b, t.c\n"
            "with cases\n"
            "  distinct\n"
            "    project o.a = o.a\n"
            "      shared outer\n"
            "with outer\n"
            "  scan s.o: o.a, o.b, o.c\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decorrelate");
    TCase *t = tcase_create("rules");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_looks_at_nothing_is_a_plain_join);
    tcase_add_test(t, conditions_become_those_of_the_join);
    tcase_add_test(t, a_column_made_of_the_outer_row_is_null_where_there_is_none);
    tcase_add_test(t, an_equality_becomes_a_key_of_the_grouping);
    tcase_add_test(t, what_can_fail_is_computed_for_the_outer_values_only);
    tcase_add_test(t, an_inequality_under_a_grouping_needs_the_outer_values);
    tcase_add_test(t, a_limit_is_one_of_each_key);
    tcase_add_test(t, a_limit_is_one_of_each_outer_value);
    tcase_add_test(t, rows_made_of_the_outer_row_alone_need_no_join);
    tcase_add_test(t, a_set_operation_compares_within_a_case);
    tcase_add_test(t, a_full_join_is_of_each_case);
    tcase_add_test(t, two_levels_go_from_the_inside_out);
    tcase_add_test(t, a_shared_body_that_depends_is_carried_once);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
