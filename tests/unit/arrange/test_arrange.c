/*
 * The structures under the operators, each against an array that is searched from end to end.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/arrange/abbrev.h"
#include "engine/arrange/arrange.h"
#include "engine/arrange/keymap.h"
#include "engine/arrange/topset.h"

static uint64_t rng;
static struct arena arena, scratch;

static uint32_t below(uint32_t n)
{
    rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((rng >> 33) % n);
}

static void setup(void)
{
    const char *s = getenv("SEED");
    rng = s && *s ? strtoull(s, NULL, 10) : (uint64_t)time(NULL);
    printf("arrange: SEED=%llu\n", (unsigned long long)rng);
    arena_init(&arena);
    arena_init(&scratch);
}

static void teardown(void)
{
    arena_fini(&arena);
    arena_fini(&scratch);
}

static struct column_type type_of(uint32_t oid)
{
    return (struct column_type){
        .type = type_native(oid), .typmod = -1, .collation = oid == OID_TEXT ? &collation_c : NULL};
}

static const uint8_t *make_row(const struct layout *l, const struct value *vals)
{
    const uint8_t *row;
    struct err err;
    ck_assert(row_pack(l, vals, &arena, &row, &err));
    return row;
}

static struct value text(size_t len)
{
    char *s = arena_alloc(&arena, len + 1);
    for (size_t i = 0; i < len; i++)
        s[i] = (char)('a' + below(2));
    return value_bytes(s, len);
}

/* ------------------------------------------------------------ htab */

static bool htab_has(const struct htab *t, uint32_t hash, uint32_t handle, struct hpos *at)
{
    for (uint32_t h = htab_first(t, hash, at); h; h = htab_next(at))
        if (h == handle)
            return true;
    return false;
}

static void count_one(void *arg, uint32_t handle)
{
    *(uint64_t *)arg += handle;
}

START_TEST(a_table_finds_what_it_holds_while_it_splits_and_empties)
{
    struct htab t;
    struct hpos at;
    const uint32_t n = 20000;
    htab_init(&t);
    for (int skew = 0; skew < 2; skew++) {
        uint64_t sum = 0;
        /* skewed: all hashes agree in their top bits, which is what the directory looks at */
        uint32_t step = skew ? 1 : 2654435761u;
        for (uint32_t i = 1; i <= n; i++)
            htab_insert(&t, i * step, i);
        ck_assert_uint_eq(t.count, n);
        htab_each(&t, count_one, &sum);
        ck_assert_uint_eq(sum, (uint64_t)n * (n + 1) / 2);
        for (uint32_t i = 1; i <= n; i++)
            ck_assert(htab_has(&t, i * step, i, &at));
        for (uint32_t i = 1; i <= n; i += 2) {
            ck_assert(htab_has(&t, i * step, i, &at));
            htab_remove(&t, &at);
        }
        for (uint32_t i = 1; i <= n; i++)
            ck_assert(htab_has(&t, i * step, i, &at) == (i % 2 == 0));
        for (uint32_t i = 2; i <= n; i += 2) {
            ck_assert(htab_has(&t, i * step, i, &at));
            htab_remove(&t, &at);
        }
        ck_assert_uint_eq(t.count, 0);
        ck_assert_uint_eq(t.bytes, 0);
    }
    htab_fini(&t);
}
END_TEST

/* ------------------------------------------------------------ arrange */

struct naive_row {
    const uint8_t *row;
    int64_t weight;
};

static int64_t weight_in(const struct arrange *a, uint32_t head, const uint8_t *row, size_t *n)
{
    int64_t w = 0;
    *n = 0;
    for (uint32_t h = head; h; h = arrange_next(a, h)) {
        const uint8_t *own = arrange_row(a, h);
        ++*n;
        if (row_len(a->layout, own) == row_len(a->layout, row) &&
            memcmp(own, row, row_len(a->layout, row)) == 0)
            w += arrange_weight(a, h);
    }
    return w;
}

START_TEST(an_arrangement_agrees_with_an_array)
{
    enum {
        KEYS = 3,
        ROWS = 120
    };
    struct column_type cts[2] = {type_of(OID_INT4), type_of(OID_TEXT)};
    struct layout *l = layout_new(cts, 2);
    const struct expr *key = expr_column(&arena, 0, 0, cts[0]);
    struct keyspec *spec = keyspec_new(l, &key, 1, NULL);
    struct naive_row rows[ROWS];
    struct arrange a;
    arrange_init(&a, spec, 8);
    for (int i = 0; i < ROWS; i++) {
        struct value vals[2] = {value_int(i % KEYS), text(i % 10 ? 1 + below(20) : 600)};
        ((uint8_t *)(uintptr_t)vals[1].p)[0] = (uint8_t)i; /* no two alike */
        rows[i] = (struct naive_row){make_row(l, vals), 0};
    }
    for (int step = 0; step < 20000; step++) {
        int i = (int)below(ROWS), k = i % KEYS;
        struct value v = value_int(k);
        bool has_null;
        uint32_t hash = keyspec_hash(spec, &v, &has_null);
        int64_t w = below(3) ? -rows[i].weight : below(40) ? 1 : 100000;
        /* in long phases most rows go, in others most come: keys grow and shrink past the limits */
        if (step / 2000 % 2 && w >= 0)
            w = -rows[i].weight;
        if (!w)
            continue;
        rows[i].weight += w;
        uint32_t h = arrange_add(&a, rows[i].row, hash, &v, w, &scratch);
        ck_assert((h != 0) == (rows[i].weight != 0));
        size_t n, want = 0;
        uint32_t head = arrange_find(&a, hash, &v, &scratch);
        ck_assert_int_eq(weight_in(&a, head, rows[i].row, &n), rows[i].weight);
        for (int r = k; r < ROWS; r += KEYS)
            want += rows[r].weight != 0;
        ck_assert_uint_eq(n, want);
        if (below(10) == 0)
            arrange_settle(&a);
    }
    arrange_fini(&a);
    keyspec_free(spec);
    layout_unref(l);
}
END_TEST

START_TEST(an_update_costs_the_same_however_many_rows_a_key_has)
{
    enum {
        ROWS = 100000
    };
    struct column_type cts[2] = {type_of(OID_INT4), type_of(OID_INT4)};
    struct layout *l = layout_new(cts, 2);
    const struct expr *key = expr_column(&arena, 0, 0, cts[0]);
    struct keyspec *spec = keyspec_new(l, &key, 1, NULL);
    struct arrange a;
    arrange_init(&a, spec, 0);
    for (int64_t weight = 1; weight >= -1; weight -= 2)
        for (int i = 0; i < ROWS; i++) {
            bool has_null;
            struct value vals[2] = {value_int(7), value_int((i * 7919LL) % ROWS)};
            arrange_add(&a, make_row(l, vals), keyspec_hash(spec, vals, &has_null), vals, weight,
                        &scratch);
        }
    ck_assert_uint_eq(a.nrows, 0);
    arrange_settle(&a);
    arrange_fini(&a);
    keyspec_free(spec);
    layout_unref(l);
}
END_TEST

START_TEST(small_rows_take_less_than_59_bytes_each)
{
    enum {
        ROWS = 1000000
    };
    struct column_type cts[2] = {type_of(OID_INT4), type_of(OID_INT8)};
    struct layout *l = layout_new(cts, 2);
    const struct expr *key = expr_column(&arena, 0, 0, cts[0]);
    struct keyspec *spec = keyspec_new(l, &key, 1, NULL);
    struct arrange a;
    arrange_init(&a, spec, 0);
    for (int i = 0; i < ROWS; i++) {
        bool has_null;
        struct value vals[2] = {value_int(below(ROWS)), value_int(i)};
        arena_reset(&arena);
        arrange_add(&a, make_row(l, vals), keyspec_hash(spec, vals, &has_null), vals, 1, &scratch);
        if (i % 10000 == 0 && i > 50000)
            ck_assert_uint_lt(arrange_bytes(&a) / (size_t)i, 59);
    }
    printf("a row: %.1f bytes\n", (double)arrange_bytes(&a) / ROWS);
    arrange_fini(&a);
    keyspec_free(spec);
    layout_unref(l);
}
END_TEST

/* ------------------------------------------------------------ keymap */

static struct value numeric(const char *s)
{
    struct value v;
    struct err err;
    ck_assert(value_parse(type_native(OID_NUMERIC), s, strlen(s), &arena, &v, &err));
    return v;
}

START_TEST(keys_are_equal_by_type_and_the_first_spelling_stays)
{
    struct column_type cts[3] = {type_of(OID_NUMERIC), type_of(OID_FLOAT8), type_of(OID_TEXT)};
    struct keymap m;
    bool has_null;
    keymap_init(&m, cts, 3, 8);
    struct value a[3] = {numeric("1.0"), value_float(-0.0), value_null()};
    struct value b[3] = {numeric("1.00"), value_float(0.0), value_null()};
    uint32_t hash = keyspec_hash(m.spec, a, &has_null);
    ck_assert(has_null);
    ck_assert_uint_eq(hash, keyspec_hash(m.spec, b, &has_null));
    uint32_t h = keymap_insert(&m, hash, make_row(m.layout, a));
    ck_assert_uint_eq(keymap_find(&m, hash, b), h);
    ck_assert_uint_eq(row_get(m.layout, keymap_row(&m, h), 0).len, a[0].len);
    ck_assert_mem_eq(row_get(m.layout, keymap_row(&m, h), 0).p, a[0].p, a[0].len);
    b[2] = value_bytes("", 0); /* not NULL */
    ck_assert_uint_eq(keymap_find(&m, keyspec_hash(m.spec, b, &has_null), b), 0);
    ck_assert(!has_null);
    keymap_remove(&m, h);
    ck_assert_uint_eq(keymap_count(&m), 0);
    keymap_fini(&m);
}
END_TEST

/* ------------------------------------------------------------ topset */

struct collected {
    VEC(const uint8_t *) rows;
};

static bool collect(void *arg, const uint8_t *row, int64_t count)
{
    struct collected *c = arg;
    for (int64_t i = 0; i < count; i++)
        VEC_PUSH(c->rows, row);
    return true;
}

/* From the bound on, any rank that is there too will do. */
static bool same_rank(int64_t got, int64_t expected, int64_t bound)
{
    return expected < bound ? got == expected : got >= bound && got <= expected;
}

START_TEST(a_topset_agrees_with_a_sorted_array)
{
    enum {
        ROWS = 60
    };
    struct column_type cts[3] = {type_of(OID_TEXT), type_of(OID_INT4), type_of(OID_NUMERIC)};
    struct layout *l = layout_new(cts, 3);
    struct naive_row rows[ROWS] = {0};
    static const char *const spelled[] = {
        "-1.5", "-1", "0.0", "0.001", "99999999999999999999", "NaN", "-99999999999999999999"};
    for (uint32_t nkeys = 0; nkeys <= 3; nkeys++) {
        struct sort_key keys[3];
        struct topset t;
        struct collected all = {0};
        for (uint32_t i = 0; i < 3; i++)
            keys[i] = (struct sort_key){(i + nkeys) % 3, below(2), below(2)};
        topset_init(&t, l, keys, nkeys);
        t.tiny = nkeys % 2;
        for (int i = 0; i < ROWS; i++) {
            struct value vals[3] = {below(5) ? text(below(12)) : text(700),
                                    below(5) ? value_int((int64_t)below(7) - 3) : value_null(),
                                    below(5) ? numeric(spelled[below(7)]) : value_null()};
            rows[i] = (struct naive_row){make_row(l, vals), 0};
        }
        for (int step = 0; step < 3000; step++) {
            int i = (int)below(step < 1000 ? 11 : ROWS);
            const uint8_t *kept;
            int64_t before = 0, w = below(2) ? -rows[i].weight : 1 + below(3), same = 0;
            if (!w)
                continue;
            arena_reset(&scratch);
            for (int k = 0; k < ROWS; k++) {
                int c = topset_cmp(&t, rows[k].row, rows[i].row);
                before += c < 0 ? rows[k].weight : 0;
                same += c == 0 ? rows[k].weight : 0;
            }
            if (same + w < 0)
                continue;
            int64_t own;
            ck_assert_int_eq(topset_rank(&t, rows[i].row, &own, &scratch), before);
            ck_assert_int_eq(own, same);
            rows[i].weight += w;
            int64_t bound = below(2) ? INT64_MAX : below(40);
            ck_assert(
                same_rank(topset_add(&t, rows[i].row, w, bound, &kept, &scratch), before, bound));
            ck_assert_mem_eq(kept, rows[i].row, row_len(l, rows[i].row));
            if (below(5) == 0)
                topset_settle(&t);
            if (below(20))
                continue;
            int64_t total = 0, from = below(40), to = from + below(40);
            for (int k = 0; k < ROWS; k++)
                total += rows[k].weight;
            ck_assert_int_eq(topset_total(&t), total);
            all.rows.n = 0;
            topset_range(&t, 0, total + 5, collect, &all);
            ck_assert_int_eq((int64_t)all.rows.n, total);
            for (size_t k = 1; k < all.rows.n; k++)
                ck_assert_int_le(topset_cmp(&t, all.rows.v[k - 1], all.rows.v[k]), 0);
            struct collected part = {0};
            topset_range(&t, from, to, collect, &part);
            int64_t end = to < total ? to : total;
            ck_assert_int_eq((int64_t)part.rows.n, end > from ? end - from : 0);
            for (size_t k = 0; k < part.rows.n; k++)
                ck_assert_ptr_eq(part.rows.v[k], all.rows.v[from + (int64_t)k]);
            VEC_FREE(part.rows);
        }
        VEC_FREE(all.rows);
        topset_fini(&t);
    }
    layout_unref(l);
}
END_TEST

/* Enough rows for a tree of some height, filled and emptied in different orders. */
START_TEST(a_large_topset_keeps_its_ranks)
{
    enum {
        VALUES = 4096
    };
    static int64_t weights[VALUES];
    struct column_type cts[1] = {type_of(OID_INT4)};
    struct layout *l = layout_new(cts, 1);
    struct sort_key key = {0, false, false};
    struct topset t;
    topset_init(&t, l, &key, 1);
    memset(weights, 0, sizeof weights);
    for (int phase = 0; phase < 8; phase++)
        for (uint32_t step = 0; step < VALUES; step++) {
            /* up, down, or at random; odd phases take away nearly all */
            uint32_t v = phase % 4 < 2 ? below(VALUES) : phase < 4 ? step : VALUES - 1 - step;
            int64_t before = 0, w = phase % 2 ? -weights[v] : 1 + below(2);
            struct value val = value_int(v);
            const uint8_t *kept;
            if (!w || (phase % 2 && below(50) == 0))
                continue;
            for (uint32_t i = 0; i < v; i++)
                before += weights[i];
            weights[v] += w;
            arena_reset(&scratch);
            int64_t bound = below(3) ? INT64_MAX : below(VALUES);
            ck_assert(same_rank(topset_add(&t, make_row(l, &val), w, bound, &kept, &scratch),
                                before, bound));
            if (step % 500)
                continue;
            struct collected all = {0};
            topset_settle(&t);
            topset_range(&t, 0, INT64_MAX, collect, &all);
            ck_assert_int_eq((int64_t)all.rows.n, topset_total(&t));
            size_t k = 0;
            for (uint32_t i = 0; i < VALUES; i++)
                for (int64_t n = 0; n < weights[i]; n++)
                    ck_assert_int_eq(row_get(l, all.rows.v[k++], 0).i, i);
            ck_assert_uint_eq(k, all.rows.n);
            VEC_FREE(all.rows);
        }
    topset_fini(&t);
    layout_unref(l);
}
END_TEST

START_TEST(abbreviations_never_contradict_the_order)
{
    static const char *const spelled[] = {"-Infinity",
                                          "-99999999999999999999",
                                          "-9223372036854775808.5",
                                          "-9223372036854775808",
                                          "-2.5",
                                          "-2.00",
                                          "-1.999",
                                          "-0.001",
                                          "0",
                                          "0.001",
                                          "1",
                                          "1.0",
                                          "1.5",
                                          "9223372036854775807",
                                          "9223372036854775807.1",
                                          "1e30",
                                          "Infinity",
                                          "NaN"};
    struct column_type ct = type_of(OID_NUMERIC);
    size_t n = sizeof spelled / sizeof spelled[0];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            struct value a = numeric(spelled[i]), b = numeric(spelled[k]);
            if (abbrev(&ct, a, &scratch) < abbrev(&ct, b, &scratch))
                ck_assert_msg(value_cmp(&ct, a, b) < 0, "%s, %s", spelled[i], spelled[k]);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("arrange");
    TCase *t = tcase_create("arrange");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_table_finds_what_it_holds_while_it_splits_and_empties);
    tcase_add_test(t, an_arrangement_agrees_with_an_array);
    tcase_add_test(t, an_update_costs_the_same_however_many_rows_a_key_has);
    tcase_add_test(t, small_rows_take_less_than_59_bytes_each);
    tcase_add_test(t, keys_are_equal_by_type_and_the_first_spelling_stays);
    tcase_add_test(t, a_topset_agrees_with_a_sorted_array);
    tcase_add_test(t, a_large_topset_keeps_its_ranks);
    tcase_add_test(t, abbreviations_never_contradict_the_order);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
