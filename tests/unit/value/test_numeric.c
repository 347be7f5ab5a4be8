/*
 * Numerics against what Postgres answered: arithmetic, roundings, casts, text, order, running sums.
 */
#include "engine/value/numeric.h"
#include "engine/value/float.h"
#include "tests/unit/value/fixture.h"

static struct arena arena;
static struct buf text;

static void setup(void)
{
    arena_init(&arena);
    buf_init(&text);
}

static void teardown(void)
{
    arena_fini(&arena);
    buf_fini(&text);
}

static struct value parse(const char *s)
{
    struct value v;
    struct err err;
    ck_assert_msg(numeric_parse(s, strlen(s), &arena, &v, &err), "%s: %s", s, err.message);
    return v;
}

static const char *print(struct value v)
{
    buf_reset(&text);
    numeric_print(v, &text);
    return buf_cstr(&text);
}

typedef bool binary_fn(struct value x, struct value y, struct arena *a, struct value *out,
                       struct err *err);

static const struct {
    const char *op;
    binary_fn *fn;
} binary_ops[] = {{"+", numeric_add}, {"-", numeric_sub}, {"*", numeric_mul},
                  {"/", numeric_div}, {"%", numeric_mod}, {"div", numeric_div_trunc}};

static binary_fn *find_binary(const char *op)
{
    for (size_t i = 0; i < sizeof binary_ops / sizeof *binary_ops; i++)
        if (strcmp(binary_ops[i].op, op) == 0)
            return binary_ops[i].fn;
    return NULL;
}

static bool to_int_text(struct value x, int bytes, struct err *err)
{
    int64_t i;
    if (!numeric_to_int(x, bytes, &i, err))
        return false;
    buf_add_i64(&text, i);
    return true;
}

static bool to_float_text(struct value x, bool is_float4, struct err *err)
{
    double d;
    char out[FLOAT_TEXT_MAX];
    if (!numeric_to_float(x, is_float4, &d, err))
        return false;
    buf_add(&text, out, float_print(d, is_float4, out));
    return true;
}

/* Computes op into text; false with the error. */
static bool compute(const char *op, const char *xs, const char *ys, struct err *err)
{
    struct value x, y, out;
    buf_reset(&text);
    if (!numeric_parse(xs, strlen(xs), &arena, &x, err))
        return false;
    bool ok = true;
    binary_fn *fn = find_binary(op);
    if (fn || strcmp(op, "cmp") == 0)
        y = parse(ys);
    if (strcmp(op, "cmp") == 0) {
        int c = numeric_cmp(x, y);
        buf_add_i64(&text, (c > 0) - (c < 0));
        ck_assert_int_eq((c > 0) - (c < 0), -((numeric_cmp(y, x) > 0) - (numeric_cmp(y, x) < 0)));
        if (c == 0)
            ck_assert_uint_eq(numeric_hash(x), numeric_hash(y));
        return true;
    }
    if (strncmp(op, "int", 3) == 0)
        return to_int_text(x, op[3] - '0', err);
    if (strncmp(op, "float", 5) == 0)
        return to_float_text(x, op[5] == '4', err);
    if (fn)
        ok = fn(x, y, &arena, &out, err);
    else if (strcmp(op, "round") == 0)
        ok = numeric_round(x, atoi(ys), &arena, &out, err);
    else if (strcmp(op, "trunc") == 0)
        ok = numeric_trunc(x, atoi(ys), &arena, &out, err);
    else if (strcmp(op, "typmod") == 0)
        ok = numeric_apply_typmod(x, (12 << 16 | (atoi(ys) & 0x7FF)) + 4, &arena, &out, err);
    else if (strcmp(op, "ceil") == 0)
        ok = numeric_ceil(x, &arena, &out, err);
    else if (strcmp(op, "floor") == 0)
        ok = numeric_floor(x, &arena, &out, err);
    else if (strcmp(op, "neg") == 0)
        out = numeric_neg(x, &arena);
    else if (strcmp(op, "abs") == 0)
        out = numeric_abs(x, &arena);
    else if (strcmp(op, "text") == 0)
        out = x;
    else
        ck_abort_msg("unknown operation %s", op);
    if (ok)
        numeric_print(out, &text);
    return ok;
}

START_TEST(operations_give_what_postgres_gives)
{
    struct fixture f;
    int n = 0;
    fixture_open(&f, "numeric_ops.tsv");
    while (fixture_next(&f)) {
        struct err err;
        char got[40000];
        const char *want = f.field[3];
        if (compute(f.field[0], f.field[1], f.field[2], &err)) {
            snprintf(got, sizeof got, "%s", buf_cstr(&text));
            if (strchr(want, 's')) /* the scale only */
                snprintf(got, sizeof got, "%ds", numeric_dscale(parse(buf_cstr(&text))));
        } else {
            snprintf(got, sizeof got, "!%s %s", err.sqlstate, err.message);
        }
        /* A message may be longer than struct err holds. */
        bool same = want[0] == '!' && strlen(got) > 500 ? strncmp(got, want, 500) == 0
                                                        : strcmp(got, want) == 0;
        ck_assert_msg(same, "line %d: %s %s %s\n got %s\nwant %s", f.lineno, f.field[0], f.field[1],
                      f.field[2], got, want);
        arena_reset(&arena);
        n++;
    }
    ck_assert_int_gt(n, 2500);
}
END_TEST

START_TEST(length_overflow_has_postgres_detail)
{
    struct value out;
    struct err err;
    ck_assert(!numeric_apply_typmod(parse("99.995"), (4 << 16 | 2) + 4, &arena, &out, &err));
    ck_assert_str_eq(err.sqlstate, "22003");
    ck_assert_str_eq(err.detail,
                     "A field with precision 4, scale 2 must round to an absolute value "
                     "less than 10^2.");
    ck_assert(!numeric_apply_typmod(parse("1.5"), (2 << 16 | 2) + 4, &arena, &out, &err));
    ck_assert_str_eq(err.detail,
                     "A field with precision 2, scale 2 must round to an absolute value "
                     "less than 1.");
    ck_assert(!numeric_apply_typmod(parse("-inf"), (2 << 16 | 2) + 4, &arena, &out, &err));
    ck_assert_str_eq(err.detail,
                     "A field with precision 2, scale 2 cannot hold an infinite value.");
}
END_TEST

START_TEST(equal_values_hash_alike_at_every_scale)
{
    static const char *const same[][3] = {
        {"1", "1.0", "1.00000000000000000000000000000000000000000000000000000"},
        {"-12.5", "-12.50", "-12.500000000000000000000000000000000000000000000000000000000"},
        {"0", "0.000", "-0.00000000000000000000000000000000000000000000000000000000000"},
        {"123456789012345678901234567890123456789012345678901234567890",
         "123456789012345678901234567890123456789012345678901234567890.0",
         "1234567890"
         "12345678901234567890123456789012345678901234567890.000000000"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        for (size_t k = 1; k < 3; k++) {
            ck_assert_int_eq(numeric_cmp(parse(same[i][0]), parse(same[i][k])), 0);
            ck_assert_uint_eq(numeric_hash(parse(same[i][0])), numeric_hash(parse(same[i][k])));
        }
    ck_assert_uint_ne(numeric_hash(parse("1")), numeric_hash(parse("-1")));
    ck_assert_uint_ne(numeric_hash(parse("1")), numeric_hash(parse("10")));
    ck_assert_uint_ne(numeric_hash(parse("NaN")), numeric_hash(parse("Infinity")));
}
END_TEST

START_TEST(one_text_has_one_encoding)
{
    /* Whatever way a value came about, native or GMP, its bytes are those of its text. */
    struct value big = parse("100000000000000000000000000000000000000000000"), sum, back;
    struct err err;
    ck_assert(numeric_add(big, parse("2.50"), &arena, &sum, &err));
    ck_assert(numeric_sub(sum, big, &arena, &back, &err));
    struct value want = parse("2.50");
    ck_assert_uint_eq(back.len, want.len);
    ck_assert_mem_eq(back.p, want.p, want.len);
    ck_assert_str_eq(print(back), "2.50");
}
END_TEST

START_TEST(endless_digits_are_refused_before_they_are_read)
{
    size_t n = 50000000;
    char *s = malloc(n);
    struct value v;
    struct err err;
    memset(s, '7', n);
    s[1] = '.';
    ck_assert(!numeric_parse(s, n, &arena, &v, &err));
    ck_assert_str_eq(err.message, "value overflows numeric format");
    memset(s, '0', n); /* but any number of zeros may stand in front */
    s[n - 1] = '5';
    ck_assert(numeric_parse(s, n, &arena, &v, &err));
    ck_assert_str_eq(print(v), "5");
    free(s);
}
END_TEST

/* ------------------------------------------------------------ running sums */

static void check_sum(const struct numeric_sum *s, int64_t n, const char *sum, const char *avg,
                      int lineno)
{
    struct value out;
    struct err err;
    if (n == 0)
        return;
    ck_assert(numeric_sum_result(s, &arena, &out, &err));
    ck_assert_msg(strcmp(print(out), sum) == 0, "line %d: sum %s, want %s", lineno, print(out),
                  sum);
    ck_assert(numeric_sum_avg(s, n, &arena, &out, &err));
    ck_assert_msg(strcmp(print(out), avg) == 0, "line %d: avg %s, want %s", lineno, print(out),
                  avg);
}

/* Adds what stays; what doesn't is added first (or last) and taken out again. */
static void fill_sum(struct numeric_sum *s, const char *values, bool others_first)
{
    for (int pass = 0; pass < 3; pass++) {
        char *copy = strdup(values), *save = NULL;
        for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
            int others_in = others_first ? 0 : 1;
            if (*w == '+' && pass == 1 - others_in)
                numeric_sum_add(s, parse(w + 1), 1);
            if (*w == '-' && (pass == others_in || pass == 2))
                numeric_sum_add(s, parse(w + 1), pass == 2 ? -3 : 3);
        }
        free(copy);
    }
}

START_TEST(sums_forget_what_is_taken_out)
{
    struct fixture f;
    int n = 0;
    fixture_open(&f, "numeric_sums.tsv");
    for (; fixture_next(&f); n++)
        for (int first = 0; first < 2; first++) {
            struct numeric_sum *s = numeric_sum_new();
            fill_sum(s, f.field[0], first);
            check_sum(s, atoll(f.field[3]), f.field[1], f.field[2], f.lineno);
            numeric_sum_free(s);
        }
    ck_assert_int_eq(n, 60);
}
END_TEST

START_TEST(sums_survive_the_edge_of_128_bits)
{
    struct numeric_sum *s = numeric_sum_new();
    struct value v = parse("85070591730234615865843651857942052863.9"), out;
    struct err err;
    numeric_sum_add(s, v, INT64_MAX);
    numeric_sum_add(s, parse("0.01"), 1);
    numeric_sum_add(s, parse("1"), -7);
    ck_assert_uint_gt(numeric_sum_bytes(s), 0);
    numeric_sum_add(s, v, -INT64_MAX);
    ck_assert(numeric_sum_result(s, &arena, &out, &err));
    ck_assert_str_eq(print(out), "-6.99");
    numeric_sum_add(s, parse("0.01"), -1);
    numeric_sum_add(s, parse("1"), 8);
    ck_assert(numeric_sum_result(s, &arena, &out, &err));
    ck_assert_str_eq(print(out), "1");
    numeric_sum_free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("numeric");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, operations_give_what_postgres_gives);
    tcase_add_test(tc, length_overflow_has_postgres_detail);
    tcase_add_test(tc, equal_values_hash_alike_at_every_scale);
    tcase_add_test(tc, one_text_has_one_encoding);
    tcase_add_test(tc, endless_digits_are_refused_before_they_are_read);
    tcase_add_test(tc, sums_forget_what_is_taken_out);
    tcase_add_test(tc, sums_survive_the_edge_of_128_bits);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
