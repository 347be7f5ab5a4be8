/*
 * Captured statements: what they become (plan, or error), compared with a golden file; which of
 * them share a key; and over two states of the captured tables, what their circuits answer,
 * compared with what Postgres answered.
 *
 * UPDATE_GOLDEN=1 rewrites the golden file; read the difference before committing it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan/physical.h"
#include "tests/support/sqlfixture.h"

#define FIXTURE "tests/unit/sql/fixtures/pg15.txt"
#define NEWER   "tests/unit/sql/fixtures/pg17.txt"
#define GOLDEN  "tests/unit/sql/fixtures/golden.txt"

static struct fixture *fixture;

static void setup(void)
{
    fixture = fixture_load(FIXTURE);
}

static void teardown(void)
{
    fixture_free(fixture);
}

/* ------------------------------------------------------------ golden */

static void print_plan(const struct fixture_statement *s, struct buf *b)
{
    struct err err;
    struct plan_spec *p = fixture_plan(fixture, s, &err);
    buf_addf(b, "-- %s: %s\n", s->name, s->sql);
    if (p) {
        logical_show(p->root, b);
    } else {
        buf_addf(b, "%s %s\n", err.sqlstate, err.message);
        if (err.hint[0])
            buf_addf(b, "hint: %s\n", err.hint);
    }
    buf_addc(b, '\n');
    plan_spec_unref(p);
}

static char *read_golden(void)
{
    FILE *f = fopen(GOLDEN, "rb");
    ck_assert_msg(f != NULL, "no %s", GOLDEN);
    char *text = calloc(1, 1 << 20);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    ck_assert(n < (1 << 20) - 1);
    fclose(f);
    return text;
}

START_TEST(every_statement_is_planned_or_refused_as_before)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < fixture->statements.n; i++)
        print_plan(&fixture->statements.v[i], &b);
    if (getenv("UPDATE_GOLDEN")) {
        FILE *f = fopen(GOLDEN, "wb");
        fwrite(b.data, 1, b.len, f);
        fclose(f);
    }
    char *want = read_golden();
    const char *have = buf_cstr(&b), *w = want;
    while (*have && *have == *w) {
        have++;
        w++;
    }
    ck_assert_msg(*have == *w, "differs from %s at:\n%.300s\nexpected:\n%.300s", GOLDEN, have, w);
    free(want);
    buf_fini(&b);
}
END_TEST

static char *shown(struct fixture *f, const struct fixture_statement *s)
{
    struct err err;
    struct buf b;
    size_t len;
    struct plan_spec *p = fixture_plan(f, s, &err);
    buf_init(&b);
    if (p)
        logical_show(p->root, &b);
    else
        buf_addf(&b, "%s %s\n", err.sqlstate, err.message);
    plan_spec_unref(p);
    buf_addc(&b, '\0');
    return buf_take(&b, &len);
}

/* Its trees have fields that 15 doesn't know, and lack some that it has. */
START_TEST(the_trees_of_a_newer_postgres_become_the_same_plans)
{
    struct fixture *newer = fixture_load(NEWER);
    ck_assert_uint_ge(newer->statements.n, 30);
    for (size_t i = 0; i < newer->statements.n; i++) {
        const struct fixture_statement *s = &newer->statements.v[i];
        char *theirs = shown(newer, s), *ours = shown(fixture, fixture_statement(fixture, s->name));
        ck_assert_msg(strcmp(theirs, ours) == 0, "%s\n17:\n%s\n15:\n%s", s->sql, theirs, ours);
        free(theirs);
        free(ours);
    }
    fixture_free(newer);
}
END_TEST

START_TEST(what_can_not_be_kept_live_is_refused_and_the_rest_is_not)
{
    for (size_t i = 0; i < fixture->statements.n; i++) {
        const struct fixture_statement *s = &fixture->statements.v[i];
        struct err err;
        struct plan_spec *p = fixture_plan(fixture, s, &err);
        bool refused = strcmp(s->kind, "refuse") == 0;
        ck_assert_msg(refused == (p == NULL), "%s: %s", s->name, p ? "accepted" : err.message);
        ck_assert_msg(p || strcmp(err.sqlstate, "XX000") != 0, "%s: %s", s->name, err.message);
        plan_spec_unref(p);
    }
}
END_TEST

/* Puts another number behind one of the fields that point at something else in the tree. */
static void misdirect(char *tree, unsigned *seed)
{
    static const char *const fields[] = {
        ":varno ",           ":varattno ",    ":rtindex ",     ":ressortgroupref ", ":varlevelsup ",
        ":tleSortGroupRef ", ":ctelevelsup ", ":agglevelsup ", ":jointype ",        ":rtekind ",
        ":subLinkType ",     ":resjunk f",    ":sortop ",      ":booltesttype "};
    const char *field = fields[(size_t)rand_r(seed) % (sizeof fields / sizeof *fields)];
    size_t skip = (size_t)rand_r(seed) % 8;
    char *p = tree;
    for (char *next = strstr(p, field); next && skip-- > 0; next = strstr(next + 1, field))
        p = next;
    if ((p = strstr(p, field)))
        p[strlen(field)] = (char)('0' + rand_r(seed) % 10);
}

START_TEST(trees_that_point_nowhere_are_errors_or_plans_but_no_crash)
{
    unsigned seed = 7;
    size_t plans = 0, errors = 0;
    for (size_t i = 0; i < fixture->statements.n; i++) {
        struct fixture_statement s = fixture->statements.v[i];
        for (int round = 0; round < 20; round++) {
            char *tree = strdup(s.tree);
            struct err err;
            struct fixture_statement copy = s;
            misdirect(tree, &seed);
            copy.tree = tree;
            struct plan_spec *p = fixture_plan(fixture, &copy, &err);
            plans += p != NULL;
            errors += p == NULL;
            plan_spec_unref(p);
            free(tree);
        }
    }
    ck_assert(plans > 100 && errors > 100);
}
END_TEST

/* ------------------------------------------------------------ keys */

static const struct {
    const char *a, *b;
    bool same;
} pairs[] = {
    {"key_a", "key_a_spelled", true},
    {"key_a", "key_a_comma", true},
    {"key_a", "key_a_cte", true},
    {"key_a", "key_p", true},
    {"key_a_other_const", "key_p4", true},
    {"key_view", "key_view_inline", true},
    {"cte_twice", "key_cte_name", true},
    {"key_a", "key_a_other_const", false},
    {"key_p", "key_p4", false},
    {"key_a", "key_a_left", false},
    {"key_a", "key_a_swapped", false},
    {"key_a", "key_a_ordered", false},
    {"key_limit8", "key_limit9", false},
    {"key_limit8", "key_desc", false},
    {"key_only", "key_not_only", false},
    {"key_sum", "key_sum_distinct", false},
    {"key_sum", "key_sum_filter", false},
    {"join_left", "join_left_where", false},
    {"intersect", "intersect_all", false},
    {"union_all", "intersect", false},
};

START_TEST(statements_share_a_key_if_and_only_if_they_mean_the_same)
{
    struct err err;
    struct plan_spec *a = fixture_plan(fixture, fixture_statement(fixture, pairs[_i].a), &err);
    struct plan_spec *b = fixture_plan(fixture, fixture_statement(fixture, pairs[_i].b), &err);
    ck_assert(a && b);
    ck_assert_uint_eq(strlen(a->key), 16);
    ck_assert_msg((strcmp(a->key, b->key) == 0) == pairs[_i].same, "%s and %s: %s %s", pairs[_i].a,
                  pairs[_i].b, a->key, b->key);
    plan_spec_unref(a);
    plan_spec_unref(b);
}
END_TEST

START_TEST(no_two_other_statements_share_a_key)
{
    size_t n = 0;
    struct plan_spec **p = calloc(fixture->statements.n, sizeof *p);
    struct err err;
    for (size_t i = 0; i < fixture->statements.n; i++)
        if (strcmp(fixture->statements.v[i].kind, "run") == 0) {
            p[n] = fixture_plan(fixture, &fixture->statements.v[i], &err);
            if (p[n])
                n++;
        }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(strcmp(p[i]->key, p[k]->key) != 0, "%s\n%s", p[i]->sql, p[k]->sql);
    for (size_t i = 0; i < n; i++)
        plan_spec_unref(p[i]);
    free(p);
}
END_TEST

/* ------------------------------------------------------------ answers */

/* One field of COPY text, unescaped; NULL for \N. */
static const char *copy_field(struct arena *a, const char **p)
{
    const char *start = *p;
    while (**p && **p != '\t')
        (*p)++;
    size_t len = (size_t)(*p - start), n = 0;
    if (**p)
        (*p)++;
    if (len == 2 && memcmp(start, "\\N", 2) == 0)
        return NULL;
    char *s = arena_strndup(a, start, len);
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\\' && i + 1 < len)
            i++;
        s[n++] = s[i];
    }
    s[n] = '\0';
    return s;
}

static size_t column_index(const char *columns, const char *name)
{
    size_t at = 0;
    const char *p = columns;
    for (;; at++) {
        size_t len = strcspn(p, ",");
        if (len == strlen(name) && memcmp(p, name, len) == 0)
            return at;
        ck_assert_msg(p[len] != '\0', "no column %s", name);
        p += len + 1;
    }
}

#define MAX_COLS 32

static void push_row(struct circuit *c, struct op *op, const struct plan_source *s,
                     const struct fixture_data *d, const char *line, int64_t weight,
                     struct arena *a)
{
    const char *fields[MAX_COLS] = {0};
    struct value v[MAX_COLS];
    const uint8_t *row;
    struct err err;
    for (size_t i = 0; i < MAX_COLS && *line; i++)
        fields[i] = copy_field(a, &line);
    for (size_t i = 0; i < s->ncols; i++) {
        const char *text = fields[column_index(d->columns, s->colnames[i])];
        v[i] = value_null();
        if (text)
            ck_assert_msg(value_parse(s->cols[i].type, text, strlen(text), a, &v[i], &err), "%s",
                          err.message);
    }
    ck_assert(row_pack(s->layout, v, a, &row, &err));
    circuit_push(c, op, row, weight);
}

static bool is_in(const struct fixture_rows *r, const char *line)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i], line) == 0)
            return true;
    return false;
}

/* Pushes what changes a leaf from one state (-1: empty) to the next. */
static void push_changes(struct circuit *c, struct op *op, const struct plan_source *s,
                         const struct fixture_data *d, int from, int to, struct arena *a)
{
    static const struct fixture_rows none;
    const struct fixture_rows *old = from < 0 ? &none : &d->rows[from], *new = &d->rows[to];
    /* Rows equal in both states may differ in how often they are there: then all of them change. */
    for (size_t i = 0; i < old->n; i++)
        if (!is_in(new, old->v[i]) || i % 3 == 0)
            push_row(c, op, s, d, old->v[i], -1, a);
    for (size_t i = 0; i < new->n; i++)
        if (!is_in(old, new->v[i]))
            push_row(c, op, s, d, new->v[i], 1, a);
    for (size_t i = 0; i < old->n; i++)
        if (is_in(new, old->v[i]) && i % 3 == 0)
            push_row(c, op, s, d, old->v[i], 1, a);
}

/* For leaves with equal rows: simply all of the old out, all of the new in. */
static void replace_all(struct circuit *c, struct op *op, const struct plan_source *s,
                        const struct fixture_data *d, int from, int to, struct arena *a)
{
    for (size_t i = 0; from >= 0 && i < d->rows[from].n; i++)
        push_row(c, op, s, d, d->rows[from].v[i], -1, a);
    for (size_t i = 0; i < d->rows[to].n; i++)
        push_row(c, op, s, d, d->rows[to].v[i], 1, a);
}

static bool has_equal_rows(const struct fixture_data *d)
{
    for (size_t k = 0; k < FIXTURE_STATES; k++)
        for (size_t i = 1; i < d->rows[k].n; i++)
            for (size_t j = 0; j < i; j++)
                if (strcmp(d->rows[k].v[i], d->rows[k].v[j]) == 0)
                    return true;
    return false;
}

static void push_state(const struct plan_spec *p, struct circuit *c, struct op **sources, int to,
                       struct arena *a)
{
    for (size_t i = 0; i < p->nsources; i++)
        for (size_t k = 0; k < p->sources[i].nleaves; k++)
            for (size_t d = 0; d < fixture->data.n; d++)
                if (fixture->data.v[d].table == p->sources[i].leaves[k])
                    (has_equal_rows(&fixture->data.v[d]) ? replace_all : push_changes)(
                        c, sources[i], &p->sources[i], &fixture->data.v[d], to - 1, to, a);
}

/* The visible columns as COPY prints them. */
static char *print_row(const struct plan_spec *p, const struct layout *l, const uint8_t *row)
{
    struct buf b, one;
    buf_init(&b);
    buf_init(&one);
    for (size_t i = 0; i < p->ncolumns; i++) {
        struct value v = row_get(l, row, (uint32_t)i);
        buf_adds(&b, i ? "\t" : "");
        buf_reset(&one);
        if (v.null)
            buf_adds(&b, "\\N");
        else
            value_print(p->columns[i].ct.type, v, &one);
        for (size_t k = 0; k < one.len; k++) {
            if (one.data[k] == '\\')
                buf_addc(&b, '\\');
            buf_addc(&b, one.data[k]);
        }
    }
    buf_fini(&one);
    buf_cstr(&b);
    return b.data;
}

/* The view: lines and how often each is there. */
struct view {
    VEC(char *) lines;
    VEC(int64_t) weights;
};

static void view_apply(struct view *view, char *line, int64_t weight)
{
    for (size_t i = 0; i < view->lines.n; i++)
        if (strcmp(view->lines.v[i], line) == 0) {
            view->weights.v[i] += weight;
            free(line);
            return;
        }
    VEC_PUSH(view->lines, line);
    VEC_PUSH(view->weights, weight);
}

static void compare(const struct fixture_statement *s, int state, const struct view *view)
{
    const struct fixture_rows *want = &s->answer[state];
    int64_t total = 0;
    for (size_t i = 0; i < view->lines.n; i++) {
        int64_t n = 0;
        for (size_t k = 0; k < want->n; k++)
            n += strcmp(want->v[k], view->lines.v[i]) == 0;
        ck_assert_msg(n == view->weights.v[i], "%s, state %d: row \"%s\" %lld times, not %lld\n%s",
                      s->name, state + 1, view->lines.v[i], (long long)view->weights.v[i],
                      (long long)n, s->sql);
        total += n;
    }
    ck_assert_msg(total == (int64_t)want->n, "%s, state %d: %lld rows, not %zu\n%s", s->name,
                  state + 1, (long long)total, want->n, s->sql);
}

static void run_statement(const struct fixture_statement *s)
{
    struct err err;
    struct arena a;
    struct view view = {0};
    struct plan_spec *p = fixture_plan(fixture, s, &err);
    ck_assert_msg(p != NULL, "%s: %s", s->name, err.message);
    struct op **sources = calloc(p->nsources + 1, sizeof *sources);
    struct circuit *c = plan_build(p, sources);
    arena_init(&a);
    for (int state = 0; state < FIXTURE_STATES; state++) {
        push_state(p, c, sources, state, &a);
        const struct delta *d = circuit_step(c);
        ck_assert_msg(!circuit_error(c), "%s: %s", s->name,
                      circuit_error(c) ? circuit_error(c)->message : "");
        for (size_t i = 0; i < d->n; i++)
            view_apply(&view, print_row(p, circuit_output_layout(c), d->v[i].row), d->v[i].weight);
        compare(s, state, &view);
    }
    for (size_t i = 0; i < view.lines.n; i++)
        free(view.lines.v[i]);
    VEC_FREE(view.lines);
    VEC_FREE(view.weights);
    arena_fini(&a);
    circuit_free(c);
    free(sources);
    plan_spec_unref(p);
}

START_TEST(circuits_answer_as_postgres_did)
{
    size_t failed = 0;
    for (size_t i = 0; i < fixture->statements.n; i++) {
        const struct fixture_statement *s = &fixture->statements.v[i];
        if (strcmp(s->kind, "run") != 0)
            continue;
        const char *only = getenv("ONLY");
        if (!only || strcmp(only, s->name) == 0)
            run_statement(s);
    }
    ck_assert_uint_eq(failed, 0);
}
END_TEST

START_TEST(explain_names_every_operator_of_the_circuit)
{
    struct err err;
    struct plan_spec *p = fixture_plan(fixture, fixture_statement(fixture, "headline"), &err);
    struct op *sources[1];
    struct buf b;
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(p->nsources, 1);
    ck_assert_uint_eq(p->sources[0].ncols, 2);
    ck_assert_str_eq(p->sources[0].colnames[0], "category_id");
    struct circuit *c = plan_build(p, sources);
    buf_init(&b);
    plan_explain(p, c, &b);
    size_t lines = 0;
    for (size_t i = 0; i < b.len; i++)
        lines += b.data[i] == '\n';
    ck_assert_uint_eq(lines, circuit_op_count(c));
    ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "top 8 by sum DESC"));
    buf_fini(&b);
    circuit_free(c);
    plan_spec_unref(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plan");
    TCase *t = tcase_create("golden");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_statement_is_planned_or_refused_as_before);
    tcase_add_test(t, the_trees_of_a_newer_postgres_become_the_same_plans);
    tcase_add_test(t, what_can_not_be_kept_live_is_refused_and_the_rest_is_not);
    tcase_add_test(t, trees_that_point_nowhere_are_errors_or_plans_but_no_crash);
    tcase_add_loop_test(t, statements_share_a_key_if_and_only_if_they_mean_the_same, 0,
                        sizeof pairs / sizeof *pairs);
    tcase_add_test(t, no_two_other_statements_share_a_key);
    tcase_add_test(t, circuits_answer_as_postgres_did);
    tcase_add_test(t, explain_names_every_operator_of_the_circuit);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
