/*
 * Aggregates that keep a group's rows, against a plain sorted array: random rows of (integer or NULL,
 * text or NULL) come and go; after each step strings, lists, percentiles, the mode and ranks must be
 * what the array says. The seed is printed; PALIMPSEST_SEED repeats a run.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/alloc.h"
#include "engine/expr/agg.h"

#define MAX_ROWS 200

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
    rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(rng >> 33) % n;
}

struct row {
    struct value x, t;
};

/* The rows now there, and how the call orders them. */
static struct row rows[MAX_ROWS];
static size_t nrows;
static bool desc, nulls_first;

static const char *const words[] = {"", "a", "b", "ab", "zz", "null"};

static struct row random_row(void)
{
    const char *w = words[rnd(6)];
    struct row r = {value_int((int64_t)rnd(7) - 3), value_bytes(w, strlen(w))};
    if (rnd(6) == 0)
        r.x = value_null();
    if (rnd(6) == 0)
        r.t = value_null();
    return r;
}

static int with_nulls(struct value a, struct value b, int r, bool first)
{
    if (!a.null && !b.null)
        return r;
    return first ? (int)b.null - (int)a.null : (int)a.null - (int)b.null;
}

static int compare_ints(struct value a, struct value b)
{
    return (a.i > b.i) - (a.i < b.i);
}

static int compare_texts(struct value a, struct value b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    int r = n ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.len > b.len) - (a.len < b.len);
}

/* ORDER BY x, then what is left open. */
static int compare_rows(const void *pa, const void *pb)
{
    const struct row *a = pa, *b = pb;
    int r = a->x.null || b->x.null ? 0 : compare_ints(a->x, b->x);
    r = with_nulls(a->x, b->x, desc ? -r : r, nulls_first);
    if (r)
        return r;
    return with_nulls(a->t, b->t, a->t.null || b->t.null ? 0 : compare_texts(a->t, b->t), false);
}

/* nown 1: f(x) ORDER BY x, with t beside it; 2: string_agg(t, ',' ORDER BY x). */
static struct agg_spec spec_of(uint32_t oid, size_t nown, size_t ndirect)
{
    struct column_type x = {type_native(OID_INT4), -1, NULL};
    struct column_type t = {type_native(OID_TEXT), -1, &collation_c};
    struct column_type one[] = {x, t}, two[] = {t, t, x};
    struct agg_sort sort = {nown == 2 ? 2 : 0, desc, nulls_first};
    struct agg_call call = {.fnoid = oid,
                            .name = "aggregate",
                            .args = nown == 2 ? two : one,
                            .nargs = nown + 1,
                            .nown = nown,
                            .sort = &sort,
                            .nsort = 1,
                            .direct = &x,
                            .ndirect = ndirect,
                            .result = nown == 2 ? t : x};
    struct agg_spec spec;
    struct err err;
    ck_assert_msg(agg_resolve(&call, &spec, &err), "%s", err.message);
    return spec;
}

struct under_test {
    struct agg_spec spec;
    void *state;
    bool is_string;
};

static void under_test_init(struct under_test *u, uint32_t oid, size_t nown, bool has_direct)
{
    u->spec = spec_of(oid, nown, has_direct);
    u->state = xcalloc(1, u->spec.cls->state_size);
    u->is_string = nown == 2;
}

static void change(struct under_test *u, const struct row *r, int64_t weight)
{
    struct value args[3] = {r->x, r->t};
    if (u->is_string) {
        args[0] = r->t;
        args[1] = value_bytes(",", 1);
        args[2] = r->x;
    }
    if (!agg_skips(&u->spec, args))
        u->spec.cls->add(&u->spec, u->state, args, weight);
}

static struct value ask(struct under_test *u, const struct value *direct, struct arena *a)
{
    struct value out = value_null();
    struct err err;
    bool ok = u->spec.cls->finish ? u->spec.cls->finish(&u->spec, u->state, direct, a, &out, &err)
                                  : u->spec.cls->result(&u->spec, u->state, a, &out, &err);
    ck_assert_msg(ok, "%s", err.message);
    return out;
}

enum {
    STRING,
    LIST,
    DISC,
    MODE,
    RANK,
    DENSE_RANK,
    PERCENT_RANK,
    CUME_DIST,
    N_TESTED
};

static void expect_text(struct value got, const struct buf *want, bool is_null)
{
    ck_assert_int_eq(got.null, is_null);
    if (!is_null)
        ck_assert_msg(
            got.len == want->len && (!got.len || memcmp(got.p, want->data, want->len) == 0),
            "%.*s, not %.*s", (int)got.len, (const char *)got.p, (int)want->len, want->data);
}

static void check_texts(struct under_test *u, struct arena *a)
{
    struct buf string, list;
    size_t strings = 0;
    buf_init(&string);
    buf_init(&list);
    buf_adds(&list, "[");
    for (size_t i = 0; i < nrows; i++) {
        if (i)
            buf_adds(&list, ", ");
        if (rows[i].x.null)
            buf_adds(&list, "null");
        else
            buf_addf(&list, "%lld", (long long)rows[i].x.i);
        if (rows[i].t.null)
            continue;
        if (strings++)
            buf_adds(&string, ",");
        buf_add(&string, (const char *)rows[i].t.p, rows[i].t.len);
    }
    buf_adds(&list, "]");
    expect_text(ask(&u[STRING], NULL, a), &string, strings == 0);
    expect_text(ask(&u[LIST], NULL, a), &list, nrows == 0);
    buf_fini(&string);
    buf_fini(&list);
}

static void check_values(struct under_test *u, struct arena *a)
{
    struct value vals[MAX_ROWS], best = value_null(), got;
    size_t n = 0, best_n = 0;
    double p = rnd(101) / 100.0;
    struct value direct = value_float(p);
    for (size_t i = 0; i < nrows; i++)
        if (!rows[i].x.null)
            vals[n++] = rows[i].x;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n; k++)
            same += vals[k].i == vals[i].i;
        if (same > best_n) {
            best = vals[i];
            best_n = same;
        }
    }
    got = ask(&u[DISC], &direct, a);
    ck_assert_int_eq(got.null, n == 0);
    if (n) {
        size_t at = (size_t)ceil(p * (double)n);
        ck_assert_int_eq(got.i, vals[at ? at - 1 : 0].i);
    }
    got = ask(&u[MODE], NULL, a);
    ck_assert_int_eq(got.null, n == 0);
    if (n)
        ck_assert_int_eq(got.i, best.i);
}

static void check_ranks(struct under_test *u, struct arena *a)
{
    struct row probe = random_row();
    size_t before = 0, upto = 0, distinct = 0;
    for (size_t i = 0; i < nrows; i++) {
        int r = probe.x.null || rows[i].x.null ? 0 : compare_ints(rows[i].x, probe.x);
        r = with_nulls(rows[i].x, probe.x, desc ? -r : r, nulls_first);
        before += r < 0;
        upto += r <= 0;
        bool again = i && rows[i].x.null == rows[i - 1].x.null &&
                     (rows[i].x.null || rows[i].x.i == rows[i - 1].x.i);
        distinct += r < 0 && !again;
    }
    ck_assert_int_eq(ask(&u[RANK], &probe.x, a).i, (int64_t)before + 1);
    ck_assert_int_eq(ask(&u[DENSE_RANK], &probe.x, a).i, (int64_t)distinct + 1);
    ck_assert(ask(&u[PERCENT_RANK], &probe.x, a).f == (nrows ? (double)before / (double)nrows : 0));
    ck_assert(ask(&u[CUME_DIST], &probe.x, a).f == (double)(upto + 1) / (double)(nrows + 1));
}

static void step(struct under_test *u)
{
    bool add = nrows == 0 || (nrows < MAX_ROWS && rnd(5) > 1);
    size_t at = add ? nrows : rnd((uint32_t)nrows);
    struct row r = add ? random_row() : rows[at];
    for (size_t i = 0; i < N_TESTED; i++)
        change(&u[i], &r, add ? 1 : -1);
    rows[at] = add ? r : rows[nrows - 1];
    nrows += add ? 1 : (size_t)-1;
    qsort(rows, nrows, sizeof *rows, compare_rows);
}

START_TEST(against_a_sorted_array)
{
    static const uint32_t oids[] = {3538, 3175, 3972, 3984, 3986, 3992, 3988, 3990};
    struct under_test u[N_TESTED];
    struct arena a;
    desc = _i & 1;
    nulls_first = _i & 2;
    nrows = 0;
    arena_init(&a);
    for (size_t i = 0; i < N_TESTED; i++)
        under_test_init(&u[i], oids[i], i == STRING ? 2 : 1, i != STRING && i != LIST && i != MODE);
    for (int i = 0; i < 600; i++) {
        step(u);
        check_texts(u, &a);
        check_values(u, &a);
        check_ranks(u, &a);
        arena_reset(&a);
    }
    for (; nrows; nrows--)
        for (size_t i = 0; i < N_TESTED; i++)
            change(&u[i], &rows[nrows - 1], -1);
    for (size_t i = 0; i < N_TESTED; i++) {
        ck_assert_uint_eq(u[i].spec.cls->bytes(&u[i].spec, u[i].state), 0);
        u[i].spec.cls->fini(&u[i].spec, u[i].state);
        free(u[i].state);
    }
    arena_fini(&a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("agg_rows");
    TCase *t = tcase_create("agg_rows");
    SRunner *r = srunner_create(s);
    const char *seed = getenv("PALIMPSEST_SEED");
    int failed;
    rng = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    fprintf(stderr, "seed %llu\n", (unsigned long long)rng);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, against_a_sorted_array, 0, 4);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
