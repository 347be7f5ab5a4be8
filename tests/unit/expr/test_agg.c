/*
 * The laws of aggregates (agg.h): adding and taking away leaves no trace, order doesn't matter,
 * result() changes nothing. Random multisets with few distinct values are changed step by step, and
 * after each the state must answer as a fresh one fed with the net content, in another order. The
 * seed is printed; PALIMPSEST_SEED repeats a run.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/alloc.h"
#include "engine/expr/agg.h"
#include "engine/expr/ordset.h"

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
    rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(rng >> 33) % n;
}

static void seed(void)
{
    const char *s = getenv("PALIMPSEST_SEED");
    rng = s ? strtoull(s, NULL, 10) : (uint64_t)time(NULL);
    fprintf(stderr, "seed %llu\n", (unsigned long long)rng);
}

struct agg_case {
    uint32_t agg, arg, result; /* OIDs */
    const char *values[12];    /* as text */
};

#define INTS "0", "1", "-1", "2", "32767", "-32768", "77", "-3"
#define BIGINTS                                                                                    \
    "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "77", "3037000500", "-4000000000"
#define NUMERICS                                                                                   \
    "0", "1.0", "1.00", "-2.5", "0.000001", "123456789012345678901234567890.5", "NaN", "Infinity", \
        "-Infinity", "7", "-7.10"
#define FLOATS                                                                                     \
    "0", "-0", "0.1", "-0.1", "1e300", "-1e300", "1e-300", "5e-324", "NaN", "Infinity",            \
        "-Infinity", "3"
#define REALS "0", "-0", "0.1", "3e38", "-3e38", "1e-45", "NaN", "Infinity", "16777217", "-1.5"
#define SMALL "0.1", "0.2", "-0.3", "1e10", "7", "-7", "1e-10"
#define TEXTS "", "a", "b", "ab", "B", "zz", "zzz", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct agg_case cases[] = {
    {2147, 23, 20, {INTS}},         {2109, 21, 20, {INTS}},         {2108, 23, 20, {INTS}},
    {2107, 20, 1700, {BIGINTS}},    {2102, 21, 1700, {INTS}},       {2101, 23, 1700, {INTS}},
    {2100, 20, 1700, {BIGINTS}},    {2114, 1700, 1700, {NUMERICS}}, {2103, 1700, 1700, {NUMERICS}},
    {2110, 700, 700, {REALS}},      {2111, 701, 701, {FLOATS}},     {2105, 701, 701, {FLOATS}},
    {2104, 700, 701, {REALS}},      {2131, 20, 20, {BIGINTS}},      {2116, 23, 23, {INTS}},
    {2136, 701, 701, {FLOATS}},     {2120, 701, 701, {FLOATS}},     {2146, 1700, 1700, {NUMERICS}},
    {2130, 1700, 1700, {NUMERICS}}, {2145, 25, 25, {TEXTS}},        {2129, 25, 25, {TEXTS}},
    {2517, 16, 16, {"t", "f"}},     {2518, 16, 16, {"t", "f"}},     {2236, 21, 21, {INTS}},
    {2241, 20, 20, {BIGINTS}},      {6166, 20, 20, {BIGINTS}},      {2718, 20, 1700, {BIGINTS}},
    {2641, 20, 1700, {BIGINTS}},    {2725, 23, 1700, {INTS}},       {2712, 20, 1700, {BIGINTS}},
    {2723, 1700, 1700, {NUMERICS}}, {2646, 1700, 1700, {NUMERICS}}, {2729, 1700, 1700, {NUMERICS}},
    {2717, 1700, 1700, {NUMERICS}}, {2722, 701, 701, {FLOATS}},     {2645, 701, 701, {FLOATS}},
    {2716, 701, 701, {FLOATS}},     {2643, 701, 701, {SMALL}},      {2728, 701, 701, {SMALL}},
};

static struct column_type column_type(uint32_t oid)
{
    return (struct column_type){type_native(oid), -1, oid == OID_TEXT ? &collation_c : NULL};
}

struct fixture {
    struct agg_spec spec;
    struct value v[12];
    size_t n;
    struct arena a, scratch;
};

static void fixture_init(struct fixture *f, const struct agg_case *c)
{
    struct column_type arg = column_type(c->arg);
    struct err err;
    memset(f, 0, sizeof *f);
    arena_init(&f->a);
    arena_init(&f->scratch);
    ck_assert_msg(agg_lookup(c->agg, "aggregate", &arg, 1, column_type(c->result), arg.collation,
                             &f->spec, &err),
                  "%s", err.message);
    for (; f->n < 12 && c->values[f->n]; f->n++)
        ck_assert(value_parse(arg.type, c->values[f->n], strlen(c->values[f->n]), &f->a,
                              &f->v[f->n], &err));
}

static void fixture_fini(struct fixture *f)
{
    arena_fini(&f->a);
    arena_fini(&f->scratch);
}

static void state_free(const struct fixture *f, void *state)
{
    if (f->spec.cls->fini)
        f->spec.cls->fini(&f->spec, state);
    free(state);
}

static void answer(struct fixture *f, const void *state, struct buf *b)
{
    struct value v = value_null();
    struct err err;
    buf_reset(b);
    if (!f->spec.cls->result(&f->spec, state, &f->scratch, &v, &err))
        buf_addf(b, "!%s %s", err.sqlstate, err.message);
    else if (v.null)
        buf_adds(b, "NULL");
    else
        value_print(f->spec.result.type, v, b);
    buf_cstr(b);
    arena_reset(&f->scratch);
}

/* A fresh state fed with `net`, starting somewhere, one row at a time or all at once. */
static void recompute(struct fixture *f, const int64_t *net, struct buf *b)
{
    void *state = xcalloc(1, f->spec.cls->state_size);
    size_t start = rnd((uint32_t)f->n);
    bool single = rnd(2);
    for (size_t k = 0; k < f->n; k++) {
        size_t i = (start + k) % f->n;
        for (int64_t left = net[i]; left; left -= single ? 1 : net[i])
            f->spec.cls->add(&f->spec, state, &f->v[i], single ? 1 : net[i]);
    }
    answer(f, state, b);
    state_free(f, state);
}

static void check_laws(struct fixture *f, uint32_t agg)
{
    void *state = xcalloc(1, f->spec.cls->state_size);
    int64_t net[12] = {0};
    struct buf got, want;
    buf_init(&got);
    buf_init(&want);
    for (int step = 0; step < 400; step++) {
        size_t i = rnd((uint32_t)f->n);
        int64_t w = rnd(3) ? (int64_t)rnd(3) + 1 : -(int64_t)rnd((uint32_t)net[i] + 1);
        if (rnd(8) == 0)
            w = -net[i]; /* empties often */
        if (w)           /* a step may retract first what it asserts */
            f->spec.cls->add(&f->spec, state, &f->v[(i + 1) % f->n], -5);
        if (w)
            f->spec.cls->add(&f->spec, state, &f->v[i], w);
        if (w)
            f->spec.cls->add(&f->spec, state, &f->v[(i + 1) % f->n], 5);
        net[i] += w;
        answer(f, state, &got);
        recompute(f, net, &want);
        ck_assert_msg(strcmp(got.data, want.data) == 0, "aggregate %u, step %d: %s, recomputed %s",
                      agg, step, got.data, want.data);
        answer(f, state, &want); /* the same again */
        ck_assert_str_eq(got.data, want.data);
    }
    for (size_t i = 0; i < f->n; i++)
        if (net[i])
            f->spec.cls->add(&f->spec, state, &f->v[i], -net[i]);
    answer(f, state, &got);
    ck_assert_str_eq(got.data, agg == 2147 ? "0" : "NULL");
    buf_fini(&got);
    buf_fini(&want);
    state_free(f, state);
}

START_TEST(laws)
{
    for (int round = 0; round < 5; round++) {
        struct fixture f;
        fixture_init(&f, &cases[_i]);
        check_laws(&f, cases[_i].agg);
        fixture_fini(&f);
    }
}
END_TEST

/* Sums of random doubles of all sizes against long arithmetic: the sum of x and -x is nothing, and
 * what is left over is exact. */
START_TEST(floats_do_not_drift)
{
    static const struct agg_case c = {2111, 701, 701, {"1"}};
    struct fixture f;
    void *state;
    double x[500];
    struct buf b;
    fixture_init(&f, &c);
    state = xcalloc(1, f.spec.cls->state_size);
    buf_init(&b);
    for (int i = 0; i < 500; i++) {
        x[i] = ldexp((double)rnd(1u << 30) - (1 << 29), (int)rnd(1800) - 900);
        struct value v = value_float(x[i]);
        f.spec.cls->add(&f.spec, state, &v, 1 + i % 3);
    }
    struct value small = value_float(0x1p-1000);
    f.spec.cls->add(&f.spec, state, &small, 3);
    for (int i = 499; i >= 0; i--) {
        struct value v = value_float(-x[i]);
        f.spec.cls->add(&f.spec, state, &v, 1 + i % 3);
    }
    struct value sum;
    struct err err;
    ck_assert(f.spec.cls->result(&f.spec, state, &f.scratch, &sum, &err));
    ck_assert(sum.f == 0x3p-1000);
    buf_fini(&b);
    state_free(&f, state);
    fixture_fini(&f);
}
END_TEST

/* Rounded once, to even: 2^53 + 1 is 2^53, but with anything more it is 2^53 + 2. */
START_TEST(floats_round_once)
{
    static const struct agg_case c = {
        2111, 701, 701, {"9007199254740992", "1", "1e-300", "-1e-300"}};
    struct fixture f;
    void *state;
    struct value sum;
    struct err err;
    fixture_init(&f, &c);
    state = xcalloc(1, f.spec.cls->state_size);
    f.spec.cls->add(&f.spec, state, &f.v[0], 1);
    f.spec.cls->add(&f.spec, state, &f.v[1], 1);
    ck_assert(f.spec.cls->result(&f.spec, state, &f.scratch, &sum, &err));
    ck_assert(sum.f == 9007199254740992.0);
    f.spec.cls->add(&f.spec, state, &f.v[2], 1);
    ck_assert(f.spec.cls->result(&f.spec, state, &f.scratch, &sum, &err));
    ck_assert(sum.f == 9007199254740994.0);
    f.spec.cls->add(&f.spec, state, &f.v[3], 2);
    ck_assert(f.spec.cls->result(&f.spec, state, &f.scratch, &sum, &err));
    ck_assert(sum.f == 9007199254740992.0);
    state_free(&f, state);
    fixture_fini(&f);
}
END_TEST

static size_t number(bool blobs, struct value v)
{
    char text[16] = "";
    if (!blobs)
        return (size_t)v.i;
    memcpy(text, v.p, v.len);
    return strtoul(text, NULL, 10);
}

/* A tree of several levels, grown and shrunk in many orders, against a plain array of counts. */
static void check_tree(bool blobs, uint32_t range)
{
    struct column_type ct = column_type(blobs ? OID_TEXT : OID_INT8);
    struct ordset_type t = ordset_of(&ct);
    struct ordset s = {0};
    int64_t *count = xcalloc(range, sizeof *count);
    size_t held = 0;
    for (uint32_t step = 0; step < 8 * range; step++) {
        bool growing = step < 3 * range || (step > 5 * range && step < 6 * range);
        uint32_t i = step < range ? step : rnd(range);
        int64_t w = growing ? 1 : -count[i];
        char text[16];
        struct value v = value_int(i), least, greatest;
        if (blobs)
            v = value_bytes(text, (size_t)snprintf(text, sizeof text, "%08u", i));
        held += (count[i] == 0 && w) - (size_t)(count[i] && count[i] + w == 0);
        count[i] += w;
        ordset_add(&s, &t, v, w);
        if (step % 7)
            continue;
        uint32_t lo = 0, hi = range;
        while (lo < range && !count[lo])
            lo++;
        while (hi > 0 && !count[hi - 1])
            hi--;
        ck_assert_int_eq(ordset_first(&s, &t, false, &least), lo < range);
        ck_assert_int_eq(ordset_first(&s, &t, true, &greatest), lo < range);
        if (lo == range)
            continue;
        ck_assert_uint_eq(number(blobs, least), lo);
        ck_assert_uint_eq(number(blobs, greatest), hi - 1);
        if (!blobs && held > 1000)
            ck_assert_uint_lt(ordset_bytes(&s, blobs), held * 80);
    }
    for (uint32_t i = 0; i < range; i++) {
        char text[16];
        struct value v = value_int(i);
        if (blobs)
            v = value_bytes(text, (size_t)snprintf(text, sizeof text, "%08u", i));
        ordset_add(&s, &t, v, -count[i]);
    }
    ck_assert_uint_eq(ordset_bytes(&s, blobs), 0);
    ck_assert_ptr_null(s.tree);
    ordset_fini(&s, blobs);
    free(count);
}

START_TEST(trees)
{
    static const uint32_t ranges[] = {1, 2, 5, 33, 200, 3000};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        check_tree(false, ranges[i]);
        check_tree(true, ranges[i]);
    }
}
END_TEST

START_TEST(refusals)
{
    struct column_type text = column_type(OID_TEXT);
    struct agg_spec spec;
    struct err err;
    ck_assert(!agg_lookup(2901, "xmlagg(xml)", &text, 1, text, NULL, &spec, &err));
    ck_assert_str_eq(err.sqlstate, "0A000");
    ck_assert_ptr_nonnull(strstr(err.message, "xmlagg"));
    ck_assert(!agg_lookup(2145, "min(text)", &text, 1, text, NULL, &spec, &err));
    ck_assert_str_eq(err.sqlstate, "0A000");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("agg");
    TCase *t = tcase_create("agg");
    SRunner *r = srunner_create(s);
    int failed;
    seed();
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, laws, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(t, floats_do_not_drift);
    tcase_add_test(t, floats_round_once);
    tcase_add_test(t, trees);
    tcase_add_test(t, refusals);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
