/*
 * Recursion against its definition, computed anew after every step.
 *
 * Random graphs of few nodes, with edges that come several times, cycles, starts that come and go.
 * The recursive UNION is reachability from the starts; the recursive UNION ALL counts paths, over
 * edges that only lead upwards, or up to a number of steps where there are cycles, or without an end.
 * SEED=n replays a run, ROUNDS=n makes more.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/circuit/circuit.h"
#include "engine/base/vec.h"

#define NODES 7
#define STEPS 60
#define DEPTH 30 /* iterations at most */

static uint64_t rng;

static uint32_t below(uint32_t n)
{
    rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((rng >> 33) % n);
}

struct world {
    struct arena arena;
    struct circuit *c;
    struct op *starts, *edges, *out;
    int64_t start[NODES], edge[NODES][NODES]; /* as pushed */
    int64_t seen[NODES];                      /* as the output says */
    bool distinct, upwards;
    bool tight; /* few rows are allowed: an error says nothing, but without one all is right */
};

static struct column_type type_of(uint32_t oid)
{
    return (struct column_type){.type = type_native(oid), .typmod = -1};
}

static struct op *source(struct circuit *c, size_t n, const uint32_t *oids, const char *label)
{
    struct column_type cts[4];
    for (size_t i = 0; i < n; i++)
        cts[i] = type_of(oids[i]);
    struct layout *l = layout_new(cts, n);
    struct op *op = op_source(c, l, label);
    layout_unref(l);
    return op;
}

static const struct expr **col(struct world *w, uint32_t i, uint32_t oid)
{
    const struct expr **e = ARENA_ARRAY(&w->arena, const struct expr *, 1);
    e[0] = expr_column(&w->arena, 0, i, type_of(oid));
    return e;
}

/* t(node) = starts UNION [ALL] SELECT e.to FROM t JOIN edges e ON e.from = t.node */
static void build(struct world *w, struct recursion_spec *spec)
{
    static const uint32_t ints[2] = {OID_INT4, OID_INT4}, tagged[2] = {OID_INT4, OID_INT8};
    w->c = circuit_new();
    w->starts = source(w->c, 1, ints, "starts");
    w->edges = source(w->c, 2, ints, "edges");
    struct circuit *body = circuit_new_nested(w->c);
    struct op *self = source(body, 2, tagged, "t"), *e = source(body, 2, ints, "e");
    struct op *join =
        op_join(body, self, e, JOIN_INNER, col(w, 0, OID_INT4), col(w, 0, OID_INT4), 1, NULL, NULL);
    const struct expr **exprs = ARENA_ARRAY(&w->arena, const struct expr *, 2);
    exprs[0] = expr_column(&w->arena, 0, 3, type_of(OID_INT4));
    exprs[1] = expr_column(&w->arena, 0, 1, type_of(OID_INT8));
    circuit_set_output(body, op_map(body, join, exprs, 2));
    struct op *ins[2] = {w->starts, w->edges};
    w->out = op_recurse(w->c, ins, 2, spec, body, self, &e);
    circuit_set_output(w->c, w->out);
}

static void push(struct world *w, struct op *op, int64_t weight, int64_t x, int64_t y)
{
    struct value vals[2] = {value_int(x), value_int(y)};
    const uint8_t *row;
    struct err err;
    ck_assert(row_pack(op_layout(op), vals, &w->arena, &row, &err));
    circuit_push(w->c, op, row, weight);
}

static void change_start(struct world *w)
{
    uint32_t x = below(NODES);
    int64_t weight = w->start[x] && below(3) ? -w->start[x] : 1 + below(2);
    w->start[x] += weight;
    push(w, w->starts, weight, x, 0);
}

static void change_edge(struct world *w)
{
    uint32_t x = below(NODES), y = below(NODES);
    if (w->upwards && x >= y)
        return;
    int64_t weight = w->edge[x][y] && below(4) ? -1 : 1;
    w->edge[x][y] += weight;
    push(w, w->edges, weight, x, y);
}

/* What each iteration gives; false: it doesn't end before DEPTH. */
static bool naive(const struct world *w, int64_t sum[NODES])
{
    int64_t now[NODES];
    memcpy(now, w->start, sizeof now);
    memset(sum, 0, NODES * sizeof *sum);
    for (int i = 0;; i++) {
        int64_t next[NODES] = {0}, any = 0;
        for (int x = 0; x < NODES; x++) {
            if (w->distinct)
                now[x] = now[x] && !sum[x];
            sum[x] += now[x];
            any += now[x];
            for (int y = 0; y < NODES; y++)
                next[y] += now[x] * w->edge[x][y];
        }
        if (!any)
            return true;
        if (i == DEPTH || any > INT64_C(1) << 40) /* it grows without end */
            return false;
        memcpy(now, next, sizeof now);
    }
}

static void check_step(struct world *w, uint64_t seed, int step)
{
    int64_t want[NODES];
    const struct delta *d = circuit_step(w->c);
    bool ends = naive(w, want);
    for (size_t i = 0; i < d->n; i++)
        w->seen[row_get(op_layout(w->out), d->v[i].row, 0).i] += d->v[i].weight;
    const struct err *err = circuit_error(w->c);
    if (w->tight && err)
        return;
    ck_assert_msg(ends == !err, "SEED=%llu step %d: %s", (unsigned long long)seed, step,
                  err ? err->message : "no error");
    for (int x = 0; ends && x < NODES; x++)
        ck_assert_msg(w->seen[x] == want[x], "SEED=%llu step %d: %d has %lld, not %lld",
                      (unsigned long long)seed, step, x, (long long)w->seen[x], (long long)want[x]);
}

static void run(uint64_t seed, bool tight)
{
    struct world w = {.distinct = below(2), .upwards = below(2), .tight = tight};
    int64_t max_rows = tight ? 1 + below(20) : (int64_t)1 << 60;
    struct recursion_spec spec = {"t", w.distinct, DEPTH, max_rows};
    arena_init(&w.arena);
    build(&w, &spec);
    check_step(&w, seed, -1);
    for (int i = 0; i < STEPS; i++) {
        if (!below(3))
            change_start(&w);
        for (uint32_t k = below(4); k > 0; k--)
            change_edge(&w);
        check_step(&w, seed, i);
    }
    for (uint32_t x = 0; x < NODES; x++) {
        push(&w, w.starts, -w.start[x], x, 0);
        w.start[x] = 0;
    }
    check_step(&w, seed, STEPS);
    ck_assert(!circuit_error(w.c));
    circuit_free(w.c);
    arena_fini(&w.arena);
}

START_TEST(every_step_gives_what_the_definition_says)
{
    const char *s = getenv("SEED"), *n = getenv("ROUNDS");
    uint64_t seed = s ? strtoull(s, NULL, 10) : (uint64_t)time(NULL);
    int rounds = s ? 1 : n ? atoi(n) : 300;
    for (int i = 0; i < rounds; i++, seed++) {
        rng = seed * 2654435761u;
        run(seed, seed % 3 == 2);
    }
}
END_TEST

/* A graph that explodes is stopped by the number of rows, and is right again when it is repaired. */
START_TEST(too_many_rows_wait_until_they_are_gone)
{
    struct world w = {0};
    struct recursion_spec spec = {"t", false, DEPTH, 1000};
    arena_init(&w.arena);
    build(&w, &spec);
    w.start[0] = 1;
    push(&w, w.starts, 1, 0, 0);
    for (int x = 0; x < 3; x++)
        for (int y = 0; y < 3; y++) {
            w.edge[x][y] = 1;
            push(&w, w.edges, 1, x, y);
        }
    circuit_step(w.c);
    ck_assert_ptr_nonnull(circuit_error(w.c));
    ck_assert_str_eq(circuit_error(w.c)->sqlstate, ERR_PROGRAM_LIMIT);
    memset(w.seen, 0, sizeof w.seen);
    arena_fini(&w.arena);
    circuit_free(w.c);

    for (int order = 0; order < 2; order++) {
        memset(&w, 0, sizeof w);
        arena_init(&w.arena);
        build(&w, &spec);
        push(&w, w.starts, 1, 0, 0);
        w.start[0] = 1;
        for (int x = 0; x < 3; x++)
            for (int y = 0; y < 3; y++)
                push(&w, w.edges, 1, x, y);
        const struct delta *d = circuit_step(w.c);
        for (size_t i = 0; i < d->n; i++)
            w.seen[row_get(op_layout(w.out), d->v[i].row, 0).i] += d->v[i].weight;
        /* Edges go one a step, or the start goes and comes back. */
        for (int x = 0; x < 3 && !order; x++)
            for (int y = 0; y <= x; y++) {
                push(&w, w.edges, -1, x, y);
                d = circuit_step(w.c);
                for (size_t i = 0; i < d->n; i++)
                    w.seen[row_get(op_layout(w.out), d->v[i].row, 0).i] += d->v[i].weight;
            }
        for (int x = 0; x < 3; x++)
            for (int y = 0; y < 3; y++)
                w.edge[x][y] = !order && y > x;
        if (order) {
            push(&w, w.starts, -1, 0, 0);
            w.start[0] = 0;
        }
        check_step(&w, 0, order);
        ck_assert(!circuit_error(w.c));
        circuit_free(w.c);
        arena_fini(&w.arena);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recurse");
    TCase *t = tcase_create("recurse");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_step_gives_what_the_definition_says);
    tcase_add_test(t, too_many_rows_wait_until_they_are_gone);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
