/*
 * Each operator's corner cases, one by one, with the wanted answers written out.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/naive.h"

#define MAX_COLS 4

static struct arena arena;
static struct circuit *c;
static struct rel seen; /* the output, as the deltas say */

static void setup(void)
{
    arena_init(&arena);
    c = circuit_new();
}

static void teardown(void)
{
    circuit_free(c);
    rel_fini(&seen);
    arena_fini(&arena);
}

static struct column_type type_of(uint32_t oid)
{
    return (struct column_type){
        .type = type_native(oid), .typmod = -1, .collation = oid == OID_TEXT ? &collation_c : NULL};
}

static struct op *source(size_t n, const uint32_t *oids)
{
    struct column_type cts[MAX_COLS];
    for (size_t i = 0; i < n; i++)
        cts[i] = type_of(oids[i]);
    struct layout *l = layout_new(cts, n);
    struct op *op = op_source(c, l, "t");
    layout_unref(l);
    return op;
}

#define SOURCE(...)                                                                                \
    source(sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[]){__VA_ARGS__})

/* A row from words: "1 a NULL". */
static const uint8_t *row_of(const struct layout *l, const char *words)
{
    struct value vals[MAX_COLS];
    struct err err;
    const uint8_t *row;
    const char *p = words;
    for (uint32_t i = 0; i < l->ncols; i++) {
        size_t len = strcspn(p, " ");
        vals[i] = value_null();
        if (strncmp(p, "NULL", len) != 0 || len != 4)
            ck_assert_msg(value_parse(l->cols[i].ct.type, arena_strndup(&arena, p, len), len,
                                      &arena, &vals[i], &err),
                          "%s", err.message);
        p += len + (p[len] == ' ');
    }
    ck_assert(row_pack(l, vals, &arena, &row, &err));
    return row;
}

static void push(struct op *op, int64_t weight, const char *words)
{
    circuit_push(c, op, row_of(op_layout(op), words), weight);
}

static int cmp_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines "±w [json]", sorted, with blanks between. */
static const char *print_delta(const struct layout *l, const struct delta *d)
{
    char **lines = ARENA_ARRAY(&arena, char *, d->n);
    struct buf b;
    for (size_t i = 0; i < d->n; i++) {
        buf_init(&b);
        buf_addf(&b, "%+lld", (long long)d->v[i].weight);
        row_to_json(l, d->v[i].row, &b);
        lines[i] = arena_strndup(&arena, b.data, b.len);
        buf_fini(&b);
    }
    qsort(lines, d->n, sizeof *lines, cmp_lines);
    buf_init(&b);
    for (size_t i = 0; i < d->n; i++)
        buf_addf(&b, "%s%s", i ? " " : "", lines[i]);
    const char *s = arena_strndup(&arena, b.len ? b.data : "", b.len);
    buf_fini(&b);
    return s;
}

/* Runs a step; its delta must print like this. */
static void step(const char *want)
{
    const struct layout *l = circuit_output_layout(c);
    const struct delta *d = circuit_step(c);
    ck_assert_str_eq(print_delta(l, d), want);
    ck_assert(rel_apply(&seen, l, d, &arena));
}

static const struct expr *col(const struct op *op, int input, uint32_t i)
{
    return expr_column(&arena, input, i, op_layout(op)->cols[i].ct);
}

static const struct expr **cols(const struct op *op, size_t n, const uint32_t *which)
{
    const struct expr **e = ARENA_ARRAY(&arena, const struct expr *, n);
    for (size_t i = 0; i < n; i++)
        e[i] = col(op, 0, which[i]);
    return e;
}

#define COLS(op, ...)                                                                              \
    cols(op, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[]){__VA_ARGS__})

static const struct expr *call(uint32_t oid, const struct expr *x, const struct expr *y,
                               uint32_t result)
{
    struct err err;
    const struct expr *args[2] = {x, y};
    const struct expr *e = expr_func(&arena, oid, "f", args, 2, type_of(result), NULL, &err);
    ck_assert_ptr_nonnull(e);
    return e;
}

static struct group_agg agg(uint32_t oid, const struct op *in, int arg, uint32_t result)
{
    struct group_agg g = {0};
    struct err err;
    struct column_type ct = op_layout(in)->cols[arg < 0 ? 0 : arg].ct;
    ck_assert(agg_lookup(oid, "agg", &ct, arg >= 0, type_of(result), NULL, &g.spec, &err));
    if (arg >= 0)
        g.args[0] = col(in, 0, (uint32_t)arg);
    return g;
}

static struct group_agg *agg_list(size_t n, const struct group_agg *list)
{
    return arena_memdup(&arena, list, n * sizeof *list);
}

/* ------------------------------------------------------------ stateless */

START_TEST(one_row_is_asserted_once)
{
    circuit_set_output(c, op_one_row(c));
    step("+1[]");
    step("");
}
END_TEST

START_TEST(an_update_of_unread_columns_is_no_change)
{
    struct op *s = SOURCE(OID_INT4);
    circuit_set_output(c, s);
    push(s, -1, "7");
    push(s, 1, "7");
    step("");
    push(s, 1, "7");
    push(s, 1, "8");
    push(s, 1, "7");
    step("+1[8] +2[7]");
}
END_TEST

START_TEST(a_filter_keeps_only_what_is_true)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    circuit_set_output(c, op_filter(c, s, call(66, col(s, 0, 0), col(s, 0, 1), OID_BOOL)));
    push(s, 1, "1 2");
    push(s, 1, "2 1");
    push(s, 1, "NULL 1");
    step("+1[1,2]");
}
END_TEST

START_TEST(an_error_lives_as_long_as_its_row)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    const struct expr **e = COLS(s, 0);
    e[0] = call(154, col(s, 0, 0), col(s, 0, 1), OID_INT4);
    circuit_set_output(c, op_map(c, s, e, 1));
    push(s, 1, "6 2");
    push(s, 2, "6 0");
    step("+1[3]");
    ck_assert_str_eq(circuit_error(c)->sqlstate, ERR_DIVISION_BY_ZERO);
    push(s, -1, "6 0");
    push(s, 1, "9 3");
    step("+1[3]");
    ck_assert_ptr_nonnull(circuit_error(c));
    push(s, -1, "6 0");
    step("");
    ck_assert_ptr_null(circuit_error(c));
}
END_TEST

/* ------------------------------------------------------------ group */

START_TEST(no_key_means_one_row_even_over_nothing)
{
    struct op *s = SOURCE(OID_INT4);
    struct group_agg list[] = {agg(2803, s, -1, OID_INT8), agg(2108, s, 0, OID_INT8)};
    circuit_set_output(c, op_group(c, s, NULL, 0, agg_list(2, list), 2));
    step("+1[0,null]");
    step("");
    push(s, 2, "5");
    step("+1[2,10] -1[0,null]");
    push(s, -2, "5");
    step("+1[0,null] -1[2,10]");
}
END_TEST

START_TEST(a_first_step_with_rows_asserts_only_their_result)
{
    struct op *s = SOURCE(OID_INT4);
    struct group_agg list[] = {agg(2803, s, -1, OID_INT8)};
    circuit_set_output(c, op_group(c, s, NULL, 0, agg_list(1, list), 1));
    push(s, 3, "5");
    step("+1[3]");
}
END_TEST

START_TEST(null_is_a_group_and_empty_groups_go)
{
    struct op *s = SOURCE(OID_TEXT, OID_INT4);
    struct group_agg list[] = {agg(2803, s, -1, OID_INT8), agg(2147, s, 1, OID_INT8)};
    circuit_set_output(c, op_group(c, s, COLS(s, 0), 1, agg_list(2, list), 2));
    push(s, 1, "NULL 1");
    push(s, 1, "NULL NULL");
    push(s, 1, "x NULL");
    step("+1[\"x\",1,0] +1[null,2,1]");
    push(s, -1, "x NULL");
    push(s, -1, "NULL 1");
    push(s, 1, "NULL 2");
    step("-1[\"x\",1,0]");
}
END_TEST

START_TEST(a_group_shows_a_spelling_that_is_there)
{
    struct op *s = SOURCE(OID_NUMERIC);
    struct group_agg list[] = {agg(2803, s, -1, OID_INT8)};
    circuit_set_output(c, op_group(c, s, COLS(s, 0), 1, agg_list(1, list), 1));
    push(s, 1, "1.0");
    push(s, 1, "1.00");
    step("+1[1.0,2]");
    push(s, -1, "1.0");
    step("+1[1.00,1] -1[1.0,2]");
    push(s, 1, "1.000");
    step("+1[1.00,2] -1[1.00,1]");
    push(s, -1, "1.00");
    step("+1[1.000,1] -1[1.00,2]");
    push(s, 1, "1.0");
    step("+1[1.0,2] -1[1.000,1]");
    push(s, -1, "1.000");
    push(s, -1, "1.0");
    step("-1[1.0,2]");
    push(s, 1, "1.00");
    step("+1[1.00,1]");
}
END_TEST

START_TEST(a_distinct_sum_takes_out_what_it_took_in)
{
    struct op *s = SOURCE(OID_INT4, OID_NUMERIC);
    struct group_agg list[] = {agg(2114, s, 1, OID_NUMERIC), agg(2147, s, 1, OID_INT8)};
    list[0].distinct = list[1].distinct = true;
    circuit_set_output(c, op_group(c, s, COLS(s, 0), 1, agg_list(2, list), 2));
    push(s, 1, "1 2.0");
    push(s, 1, "1 2.000");
    push(s, 1, "1 NULL");
    push(s, 1, "1 3");
    step("+1[1,5.0,2]");
    push(s, -1, "1 2.0");
    step("+1[1,5.000,2] -1[1,5.0,2]");
    push(s, -1, "1 2.000");
    step("+1[1,3,1] -1[1,5.000,2]");
}
END_TEST

START_TEST(a_filtered_aggregate_sees_only_its_rows)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    struct group_agg list[] = {agg(2803, s, -1, OID_INT8), agg(2803, s, -1, OID_INT8)};
    list[0].filter = call(66, col(s, 0, 0), col(s, 0, 1), OID_BOOL);
    circuit_set_output(c, op_group(c, s, NULL, 0, agg_list(2, list), 2));
    push(s, 1, "1 2");
    push(s, 1, "2 1");
    push(s, 1, "NULL 1");
    step("+1[1,3]");
}
END_TEST

START_TEST(a_sum_out_of_range_is_an_error_until_it_is_back)
{
    struct op *s = SOURCE(OID_INT8);
    struct group_agg list[] = {agg(2108, s, 0, OID_INT8)};
    struct column_type int4 = type_of(OID_INT4);
    struct err err;
    ck_assert(agg_lookup(2108, "sum", &int4, 1, type_of(OID_INT8), NULL, &list[0].spec, &err));
    circuit_set_output(c, op_group(c, s, NULL, 0, agg_list(1, list), 1));
    push(s, 1, "9223372036854775807");
    step("+1[9223372036854775807]");
    push(s, 1, "1");
    step("-1[9223372036854775807]");
    ck_assert_str_eq(circuit_error(c)->sqlstate, ERR_NUMERIC_OUT_OF_RANGE);
    push(s, -1, "1");
    push(s, -1, "9223372036854775807");
    push(s, 1, "4");
    step("+1[4]");
    ck_assert_ptr_null(circuit_error(c));
}
END_TEST

/* ------------------------------------------------------------ joins */

static struct op *join_on_first(struct op *l, struct op *r, enum join_kind kind,
                                const struct expr *residual, bool null_safe)
{
    struct op *j = op_join(c, l, r, kind, COLS(l, 0), COLS(r, 0), 1, residual, &null_safe);
    circuit_set_output(c, j);
    return j;
}

START_TEST(a_null_key_matches_nothing)
{
    struct op *l = SOURCE(OID_INT4, OID_TEXT), *r = SOURCE(OID_INT4, OID_TEXT);
    join_on_first(l, r, JOIN_FULL, NULL, false);
    push(l, 1, "NULL a");
    push(r, 1, "NULL b");
    step("+1[null,\"a\",null,null] +1[null,null,null,\"b\"]");
    push(l, -1, "NULL a");
    step("-1[null,\"a\",null,null]");
}
END_TEST

START_TEST(a_null_safe_key_matches_null)
{
    struct op *l = SOURCE(OID_INT4, OID_TEXT), *r = SOURCE(OID_INT4, OID_TEXT);
    join_on_first(l, r, JOIN_INNER, NULL, true);
    push(l, 2, "NULL a");
    push(r, 3, "NULL b");
    push(r, 1, "0 c");
    step("+6[null,\"a\",null,\"b\"]");
}
END_TEST

START_TEST(keys_of_different_spelling_join)
{
    struct op *l = SOURCE(OID_NUMERIC), *r = SOURCE(OID_NUMERIC);
    join_on_first(l, r, JOIN_INNER, NULL, false);
    push(l, 1, "1.0");
    push(r, 1, "1.000");
    push(r, 1, "-0.0");
    push(l, 1, "0");
    step("+1[0,0.0] +1[1.0,1.000]");
}
END_TEST

START_TEST(integers_of_different_width_join)
{
    struct op *l = SOURCE(OID_INT8), *r = SOURCE(OID_INT4);
    join_on_first(l, r, JOIN_INNER, NULL, false);
    push(l, 1, "-3");
    push(r, 1, "-3");
    push(l, 1, "4294967293");
    step("+1[-3,-3]");
}
END_TEST

START_TEST(a_left_join_counts_matches_of_its_condition)
{
    struct op *l = SOURCE(OID_INT4, OID_INT4), *r = SOURCE(OID_INT4, OID_INT4);
    const struct expr *less = call(66, col(l, 0, 1), col(r, 1, 1), OID_BOOL);
    join_on_first(l, r, JOIN_LEFT, less, false);
    push(l, 1, "1 5");
    push(r, 1, "1 3");
    step("+1[1,5,null,null]");
    push(r, 1, "1 7");
    push(r, 1, "1 8");
    step("+1[1,5,1,7] +1[1,5,1,8] -1[1,5,null,null]");
    push(r, -1, "1 7");
    step("-1[1,5,1,7]");
    push(r, -1, "1 8");
    push(r, -1, "1 3");
    step("+1[1,5,null,null] -1[1,5,1,8]");
}
END_TEST

START_TEST(a_semi_join_asks_only_whether)
{
    struct op *l = SOURCE(OID_INT4, OID_INT4), *r = SOURCE(OID_INT4);
    join_on_first(l, r, JOIN_SEMI, NULL, false);
    push(l, 2, "1 5");
    push(r, 2, "1");
    step("+2[1,5]");
    push(r, -1, "1");
    step("");
    push(r, -1, "1");
    push(l, 1, "1 6");
    step("-2[1,5]");
    push(r, 1, "1");
    push(l, -1, "1 6");
    step("+2[1,5]");
}
END_TEST

START_TEST(a_key_replaced_within_a_step_stays_matched)
{
    struct op *l = SOURCE(OID_INT4), *r = SOURCE(OID_INT4, OID_INT4);
    join_on_first(l, r, JOIN_ANTI, NULL, false);
    push(l, 1, "1");
    push(r, 1, "1 1");
    step("");
    push(r, -1, "1 1");
    push(r, 1, "1 2");
    step("");
    push(r, -1, "1 2");
    step("+1[1]");
}
END_TEST

START_TEST(a_cross_join_needs_no_key)
{
    struct op *l = SOURCE(OID_INT4), *r = SOURCE(OID_TEXT);
    circuit_set_output(c, op_join(c, l, r, JOIN_INNER, NULL, NULL, 0, NULL, false));
    push(l, 1, "1");
    push(l, 1, "NULL");
    push(r, 1, "a");
    step("+1[1,\"a\"] +1[null,\"a\"]");
    push(r, -1, "a");
    push(r, 1, "b");
    step("+1[1,\"b\"] +1[null,\"b\"] -1[1,\"a\"] -1[null,\"a\"]");
}
END_TEST

START_TEST(a_self_join_takes_one_operator_twice)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    join_on_first(s, s, JOIN_INNER, NULL, false);
    push(s, 1, "1 1");
    push(s, 1, "1 2");
    step("+1[1,1,1,1] +1[1,1,1,2] +1[1,2,1,1] +1[1,2,1,2]");
    push(s, -1, "1 1");
    step("-1[1,1,1,1] -1[1,1,1,2] -1[1,2,1,1]");
}
END_TEST

START_TEST(a_failing_condition_is_an_error_while_the_pair_exists)
{
    struct op *l = SOURCE(OID_INT4, OID_INT4), *r = SOURCE(OID_INT4, OID_INT4);
    const struct expr *quotient = call(154, col(l, 0, 1), col(r, 1, 1), OID_INT4);
    const struct expr *zero = expr_const(&arena, value_int(0), type_of(OID_INT4));
    join_on_first(l, r, JOIN_LEFT, call(147, quotient, zero, OID_BOOL), false);
    push(l, 1, "1 5");
    push(r, 1, "1 0");
    step("+1[1,5,null,null]");
    ck_assert_str_eq(circuit_error(c)->sqlstate, ERR_DIVISION_BY_ZERO);
    push(r, -1, "1 0");
    push(r, 1, "1 2");
    step("+1[1,5,1,2] -1[1,5,null,null]");
    ck_assert_ptr_null(circuit_error(c));
}
END_TEST

START_TEST(long_rows_and_heavy_ones_are_kept_too)
{
    struct op *l = SOURCE(OID_INT4, OID_TEXT), *r = SOURCE(OID_INT4);
    char words[3000] = "1 ";
    memset(words + 2, 'x', 2000);
    join_on_first(l, r, JOIN_SEMI, NULL, false);
    push(l, 100000, words);
    ck_assert_uint_eq(circuit_step(c)->n, 0);
    push(r, 40000, "1");
    const struct delta *d = circuit_step(c);
    ck_assert_uint_eq(d->n, 1);
    ck_assert_int_eq(d->v[0].weight, 100000);
    push(l, -99999, words);
    d = circuit_step(c);
    ck_assert_int_eq(d->v[0].weight, -99999);
    push(r, -40000, "1");
    d = circuit_step(c);
    ck_assert_int_eq(d->v[0].weight, -1);
    ck_assert_uint_eq(row_len(op_layout(l), d->v[0].row),
                      row_len(op_layout(l), row_of(op_layout(l), words)));
}
END_TEST

/* ------------------------------------------------------------ sets */

START_TEST(distinct_goes_by_type)
{
    struct op *s = SOURCE(OID_NUMERIC, OID_FLOAT8);
    circuit_set_output(c, op_distinct(c, s));
    push(s, 1, "1.0 0");
    push(s, 1, "1.00 -0");
    push(s, 1, "NULL NaN");
    push(s, 2, "NULL NaN");
    step("+1[1.0,0] +1[null,\"NaN\"]");
    push(s, -1, "1.0 0");
    push(s, -2, "NULL NaN");
    step("+1[1.00,-0] -1[1.0,0]");
    push(s, -1, "1.00 -0");
    push(s, -1, "NULL NaN");
    step("-1[1.00,-0] -1[null,\"NaN\"]");
}
END_TEST

START_TEST(except_and_intersect_count)
{
    struct op *l = SOURCE(OID_INT4), *r = SOURCE(OID_INT4);
    struct op *kinds[] = {op_setop(c, l, r, SETOP_INTERSECT),
                          op_setop(c, l, r, SETOP_INTERSECT_ALL), op_setop(c, l, r, SETOP_EXCEPT),
                          op_setop(c, l, r, SETOP_EXCEPT_ALL)};
    const struct expr *maps[4][2];
    struct op *tagged[4];
    for (int i = 0; i < 4; i++) {
        maps[i][0] = expr_const(&arena, value_int(i), type_of(OID_INT4));
        maps[i][1] = col(kinds[i], 0, 0);
        tagged[i] = op_map(c, kinds[i], maps[i], 2);
    }
    circuit_set_output(c, op_union(c, tagged, 4));
    push(l, 3, "7");
    push(l, 1, "NULL");
    push(r, 1, "7");
    push(r, 2, "NULL");
    step("+1[0,7] +1[0,null] +1[1,7] +1[1,null] +2[3,7]");
    push(r, -1, "7");
    step("+1[2,7] +1[3,7] -1[0,7] -1[1,7]");
}
END_TEST

/* ------------------------------------------------------------ top-k */

static struct op *top(struct op *in, int64_t limit, int64_t offset, bool ties)
{
    static const struct sort_key by_first = {.col = 0, .desc = true};
    struct op *op = op_topk(c, in, NULL, 0, &by_first, 1, limit, offset, ties);
    circuit_set_output(c, op);
    return op;
}

START_TEST(a_row_that_goes_lets_the_next_one_in)
{
    struct op *s = SOURCE(OID_INT4, OID_TEXT);
    top(s, 2, 1, false);
    push(s, 1, "9 a");
    step("");
    push(s, 2, "5 b");
    push(s, 1, "3 c");
    step("+2[5,\"b\"]");
    push(s, -1, "9 a");
    step("+1[3,\"c\"] -1[5,\"b\"]");
    push(s, 1, "4 d");
    step("+1[4,\"d\"] -1[3,\"c\"]");
    push(s, -2, "5 b");
    step("+1[3,\"c\"] -1[4,\"d\"] -1[5,\"b\"]");
}
END_TEST

START_TEST(an_offset_beyond_the_end_shows_nothing_until_it_is_reached)
{
    struct op *s = SOURCE(OID_INT4, OID_TEXT);
    top(s, INT64_MAX, INT64_MAX, false);
    push(s, 3, "9 a");
    step("");
    push(s, -3, "9 a");
    step("");
}
END_TEST

START_TEST(no_limit_means_all_behind_the_offset)
{
    struct op *s = SOURCE(OID_INT4, OID_TEXT);
    top(s, -1, 2, false);
    push(s, 1, "9 a");
    push(s, 1, "NULL n");
    push(s, 1, "8 b");
    push(s, 1, "7 c");
    step("+1[7,\"c\"] +1[null,\"n\"]");
    push(s, 5, "10 z");
    step("+1[8,\"b\"] +1[9,\"a\"] +3[10,\"z\"]");
}
END_TEST

START_TEST(limit_zero_is_empty_with_ties_too)
{
    struct op *s = SOURCE(OID_INT4, OID_TEXT);
    top(s, 0, 0, true);
    push(s, 2, "9 a");
    step("");
}
END_TEST

START_TEST(ties_extend_the_window)
{
    struct op *s = SOURCE(OID_INT4, OID_TEXT);
    top(s, 2, 0, true);
    push(s, 1, "9 a");
    push(s, 1, "5 b");
    push(s, 1, "5 c");
    push(s, 1, "3 d");
    step("+1[5,\"b\"] +1[5,\"c\"] +1[9,\"a\"]");
    push(s, 1, "7 e");
    step("+1[7,\"e\"] -1[5,\"b\"] -1[5,\"c\"]");
    push(s, -1, "7 e");
    push(s, -1, "9 a");
    step("+1[5,\"b\"] +1[5,\"c\"] -1[7,\"e\"] -1[9,\"a\"]");
    push(s, -1, "5 b");
    step("+1[3,\"d\"] -1[5,\"b\"]");
}
END_TEST

START_TEST(each_partition_has_a_window_of_its_own)
{
    static const struct sort_key by_second = {.col = 1};
    struct op *s = SOURCE(OID_NUMERIC, OID_INT4);
    circuit_set_output(c, op_topk(c, s, COLS(s, 0), 1, &by_second, 1, 1, 0, false));
    push(s, 1, "1.0 5");
    push(s, 1, "1.00 4");
    push(s, 2, "NULL 7");
    push(s, 1, "NULL 7");
    push(s, 1, "2 1");
    step("+1[1.00,4] +1[2,1] +1[null,7]");
    push(s, -1, "1.00 4");
    push(s, -2, "NULL 7");
    step("+1[1.0,5] -1[1.00,4]");
    push(s, -1, "NULL 7");
    push(s, -1, "2 1");
    push(s, 1, "2 0");
    step("+1[2,0] -1[2,1] -1[null,7]");
    push(s, -1, "1.0 5");
    push(s, -1, "2 0");
    step("-1[1.0,5] -1[2,0]");
}
END_TEST

START_TEST(long_rows_of_partitions_are_kept_too)
{
    static const struct sort_key by_second = {.col = 1};
    struct op *s = SOURCE(OID_INT4, OID_TEXT);
    char words[2000];
    circuit_set_output(c, op_topk(c, s, COLS(s, 0), 1, &by_second, 1, 1, 1, true));
    for (int i = 0; i < 40; i++) {
        snprintf(words, sizeof words, "%d %d%01500d", i % 7, i % 3, i);
        push(s, 1 + i % 2, words);
    }
    ck_assert_uint_ge(circuit_step(c)->n, 7);
}
END_TEST

/* ------------------------------------------------------------ windows */

static struct op *window(struct op *in, const struct window_call *call)
{
    static const struct sort_key by_second = {.col = 1};
    struct window_call *kept = arena_memdup(&arena, call, sizeof *call);
    struct op *op = op_window(c, in, COLS(in, 0), 1, &by_second, 1, kept, 1);
    circuit_set_output(c, op);
    return op;
}

static const struct win_frame running = {
    .mode = FRAME_RANGE, .start = {.kind = BOUND_UNBOUNDED}, .end = {.kind = BOUND_CURRENT}};

START_TEST(a_row_that_comes_renumbers_those_behind_it)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    window(s,
           &(struct window_call){.win = {.cls = win_lookup(3100, 0), .result = type_of(OID_INT8)},
                                 .frame = &running});
    push(s, 2, "1 10");
    push(s, 1, "1 20");
    push(s, 1, "2 5");
    step("+1[1,10,1] +1[1,10,2] +1[1,20,3] +1[2,5,1]");
    push(s, 1, "1 15");
    step("+1[1,15,3] +1[1,20,4] -1[1,20,3]");
    push(s, -1, "1 10");
    push(s, 1, "2 6");
    step("+1[1,15,2] +1[1,20,3] +1[2,6,2] -1[1,10,2] -1[1,15,3] -1[1,20,4]");
    push(s, -1, "2 5");
    push(s, -1, "2 6");
    step("-1[2,5,1] -1[2,6,2]");
}
END_TEST

START_TEST(a_neighbour_sees_its_neighbour_go)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    window(s, &(struct window_call){.win = {.cls = win_lookup(3106, 1),
                                            .nargs = 1,
                                            .args = {col(s, 0, 1)},
                                            .result = type_of(OID_INT4)},
                                    .frame = &running});
    for (int i = 1; i < 40; i++)
        push(s, 1, arena_printf(&arena, "1 %d", i));
    ck_assert(rel_apply(&seen, circuit_output_layout(c), circuit_step(c), &arena));
    push(s, -1, "1 20");
    step("+1[1,21,19] -1[1,20,19] -1[1,21,20]");
    push(s, -1, "1 1");
    push(s, 1, "1 100");
    step("+1[1,100,39] +1[1,2,null] -1[1,1,null] -1[1,2,1]");
}
END_TEST

START_TEST(peers_share_a_running_sum)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    struct window_call call = {.is_agg = true, .agg = agg(2108, s, 1, OID_INT8), .frame = &running};
    window(s, &call);
    push(s, 1, "1 1");
    push(s, 2, "1 2");
    push(s, 1, "1 NULL");
    step("+1[1,1,1] +1[1,null,5] +2[1,2,5]");
    push(s, -1, "1 2");
    step("+1[1,2,3] +1[1,null,3] -1[1,null,5] -2[1,2,5]");
}
END_TEST

START_TEST(an_error_in_a_frame_lasts_as_long_as_the_row)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    struct window_call sum = {.is_agg = true, .agg = agg(2108, s, 1, OID_INT8), .frame = &running};
    const struct expr *ten = expr_const(&arena, value_int(10), type_of(OID_INT4));
    sum.agg.args[0] = call(154, ten, col(s, 0, 1), OID_INT4);
    window(s, &sum);
    push(s, 1, "1 1");
    step("+1[1,1,10]");
    push(s, 1, "1 0");
    circuit_step(c);
    ck_assert_str_eq(circuit_error(c)->sqlstate, "22012");
    push(s, -1, "1 0");
    circuit_step(c);
    ck_assert_ptr_null(circuit_error(c));
}
END_TEST

/* ------------------------------------------------------------ looks */

START_TEST(a_circuit_describes_itself_and_accounts_for_its_memory)
{
    struct op *s = SOURCE(OID_INT4, OID_INT4);
    struct group_agg list[] = {agg(2803, s, -1, OID_INT8), agg(2108, s, 1, OID_INT8)};
    struct buf b;
    list[1].distinct = true;
    struct op *g = op_group(c, s, COLS(s, 0), 1, agg_list(2, list), 2);
    top(g, 8, 0, false);
    uint64_t before = circuit_bytes(c);
    push(s, 1, "1 2");
    circuit_step(c);
    ck_assert_uint_gt(circuit_bytes(c), before);
    buf_init(&b);
    for (size_t i = 0; i < circuit_op_count(c); i++) {
        circuit_describe(c, i, &b);
        buf_addc(&b, '\n');
    }
    const char *all = buf_cstr(&b);
    ck_assert_ptr_nonnull(strstr(all, "0: source t\n"));
    ck_assert_ptr_nonnull(strstr(all, "1: group by (#0): count(*), sum(distinct #1) <- 0 [1 rows"));
    ck_assert_ptr_nonnull(
        strstr(all, "2: top order by (#0 desc nulls last) limit 8 <- 1 [1 rows, "));
    buf_fini(&b);
}
END_TEST

/* What must not be: a retract of a row that isn't there, as of an expression that gave another result
 * before. The circuit says so and does nothing any more. */
static struct op *over(struct op *in, int which)
{
    struct group_agg count = {0};
    struct err err;
    ck_assert(agg_lookup(2803, "count", NULL, 0, type_of(OID_INT8), NULL, &count.spec, &err));
    struct group_agg *aggs = arena_memdup(&arena, &count, sizeof count);
    struct sort_key *by = ARENA_NEW(&arena, struct sort_key);
    switch (which) {
    case 0: return op_distinct(c, in);
    case 1: return op_group(c, in, cols(in, 1, (uint32_t[]){0}), 1, aggs, 1);
    case 2: return op_setop(c, in, in, SETOP_INTERSECT);
    case 3: return op_topk(c, in, NULL, 0, by, 1, 3, 0, false);
    default: return op_topk(c, in, NULL, 0, by, 1, 3, 0, true);
    }
}

START_TEST(a_retract_of_nothing_breaks_the_circuit_and_not_the_program)
{
    struct op *t = SOURCE(OID_INT4);
    circuit_set_output(c, over(t, _i));
    push(t, 1, "1");
    circuit_step(c);
    ck_assert(!circuit_is_broken(c) && !circuit_is_lost(c));
    push(t, -1, "2");
    ck_assert_uint_eq(circuit_step(c)->n, 0);
    ck_assert(circuit_is_broken(c) && circuit_is_lost(c));
    push(t, 1, "3");
    ck_assert_uint_eq(circuit_step(c)->n, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ops");
    TCase *t = tcase_create("ops");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, one_row_is_asserted_once);
    tcase_add_test(t, an_update_of_unread_columns_is_no_change);
    tcase_add_test(t, a_filter_keeps_only_what_is_true);
    tcase_add_test(t, an_error_lives_as_long_as_its_row);
    tcase_add_test(t, no_key_means_one_row_even_over_nothing);
    tcase_add_test(t, a_first_step_with_rows_asserts_only_their_result);
    tcase_add_test(t, null_is_a_group_and_empty_groups_go);
    tcase_add_test(t, a_group_shows_a_spelling_that_is_there);
    tcase_add_test(t, a_distinct_sum_takes_out_what_it_took_in);
    tcase_add_test(t, a_filtered_aggregate_sees_only_its_rows);
    tcase_add_test(t, a_sum_out_of_range_is_an_error_until_it_is_back);
    tcase_add_test(t, a_null_key_matches_nothing);
    tcase_add_test(t, a_null_safe_key_matches_null);
    tcase_add_test(t, keys_of_different_spelling_join);
    tcase_add_test(t, integers_of_different_width_join);
    tcase_add_test(t, a_left_join_counts_matches_of_its_condition);
    tcase_add_test(t, a_semi_join_asks_only_whether);
    tcase_add_test(t, a_key_replaced_within_a_step_stays_matched);
    tcase_add_test(t, a_cross_join_needs_no_key);
    tcase_add_test(t, a_self_join_takes_one_operator_twice);
    tcase_add_test(t, a_failing_condition_is_an_error_while_the_pair_exists);
    tcase_add_test(t, long_rows_and_heavy_ones_are_kept_too);
    tcase_add_test(t, distinct_goes_by_type);
    tcase_add_test(t, except_and_intersect_count);
    tcase_add_test(t, a_row_that_goes_lets_the_next_one_in);
    tcase_add_test(t, an_offset_beyond_the_end_shows_nothing_until_it_is_reached);
    tcase_add_test(t, no_limit_means_all_behind_the_offset);
    tcase_add_test(t, limit_zero_is_empty_with_ties_too);
    tcase_add_test(t, ties_extend_the_window);
    tcase_add_test(t, each_partition_has_a_window_of_its_own);
    tcase_add_test(t, long_rows_of_partitions_are_kept_too);
    tcase_add_test(t, a_row_that_comes_renumbers_those_behind_it);
    tcase_add_test(t, a_neighbour_sees_its_neighbour_go);
    tcase_add_test(t, peers_share_a_running_sum);
    tcase_add_test(t, an_error_in_a_frame_lasts_as_long_as_the_row);
    tcase_add_test(t, a_circuit_describes_itself_and_accounts_for_its_memory);
    tcase_add_loop_test(t, a_retract_of_nothing_breaks_the_circuit_and_not_the_program, 0, 5);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
