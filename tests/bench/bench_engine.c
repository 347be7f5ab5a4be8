/*
 * bench_engine: the engine alone: no Postgres, no socket, one thread.
 *
 *     bench_engine [--quick] [--json FILE] [--only group|join]
 *
 * The floor is a loop written by hand for the one aggregate, in the same run and fed with the same
 * text: a hash table of category → count, sum that gives out the old and the new row of each group.
 * The other measure is what differential dataflow took for the same steps on a machine of this kind
 * (two cores, recorded once, so only good for orders of magnitude). Times are CPU times of the
 * thread, which never waits; every figure is the median of several rounds, the spread noted under it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/alloc.h"
#include "engine/circuit/circuit.h"
#include "engine/op/op_impl.h"
#include "tests/bench/bench.h"

#define GROUPS 1000

static bool quick;
static size_t nevents = 600000, njoin = 1000000;
static uint64_t rng = 88172645463325252ULL;
static struct arena plan; /* expressions and rows, for the whole run */

static uint64_t next_random(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

static int64_t cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static struct column_type type_of(uint32_t oid)
{
    return (struct column_type){.type = type_native(oid), .typmod = -1};
}

/* ------------------------------------------------------------ figures */

static void figure(const char *what, struct samples *s, double scale, const char *unit,
                   double floor_ns, double goal)
{
    double median = samples_at(s, 0.5);
    bench_row(what, median / scale, unit, floor_ns > 0 ? median / floor_ns : NAN, goal, "the loop");
    bench_note("    min %.4g, median %.4g, max %.4g %s over %zu rounds", samples_at(s, 0) / scale,
               median / scale, samples_at(s, 1) / scale, unit, s->v.n);
}

static void against_differential(const char *what, struct samples *s, double theirs_ns, double goal)
{
    double ours = samples_at(s, 0.5);
    bench_row(what, ours / 1000, "µs", ours / theirs_ns, goal, "differential");
}

static double rss_mib(void)
{
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &skip, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* ------------------------------------------------------------ the events, as text and as rows */

struct events {
    const struct layout *layout;
    char **text; /* "category\tvalue" */
    const uint8_t **rows;
    size_t n;
};

static void parse_field(const struct type *t, const char **p, struct value *v, struct arena *a)
{
    struct err err;
    size_t len = strcspn(*p, "\t");
    if (!value_parse(t, *p, len, a, v, &err))
        abort();
    *p += len + 1;
}

static const uint8_t *parse_row(const struct layout *l, const char *text, struct arena *a)
{
    struct value vals[2];
    const uint8_t *row;
    struct err err;
    for (uint32_t i = 0; i < 2; i++)
        parse_field(l->cols[i].ct.type, &text, &vals[i], a);
    if (!row_pack(l, vals, a, &row, &err))
        abort();
    return row;
}

static struct events make_events(size_t n)
{
    struct column_type cts[2] = {type_of(OID_INT4), type_of(OID_INT8)};
    struct events e = {layout_new(cts, 2), xcalloc(n, sizeof(char *)),
                       xcalloc(n, sizeof(uint8_t *)), n};
    for (size_t i = 0; i < n; i++) {
        e.text[i] = arena_printf(&plan, "%d\t%d", (int)(next_random() % GROUPS),
                                 (int)(next_random() % 1000000));
        e.rows[i] = parse_row(e.layout, e.text[i], &plan);
    }
    return e;
}

/* ------------------------------------------------------------ the loop */

struct loop_group {
    int32_t category;
    bool taken;
    int64_t n, sum;
    int64_t old_n, old_sum; /* when it was first touched in the step */
    bool touched;
};

struct loop_out {
    int32_t category;
    int64_t n, sum;
    int weight;
};

#define LOOP_SLOTS 4096

static struct loop_group loop_table[LOOP_SLOTS];
static struct loop_out loop_out[2 * GROUPS];
static uint32_t loop_touched[GROUPS];

static struct loop_group *loop_find(int32_t category)
{
    uint32_t i = ((uint32_t)category * 2654435761u) >> 20;
    while (loop_table[i].taken && loop_table[i].category != category)
        i = (i + 1) % LOOP_SLOTS;
    loop_table[i].taken = true;
    loop_table[i].category = category;
    return &loop_table[i];
}

static int64_t loop_number(const char **p)
{
    int64_t v = 0;
    for (; **p >= '0' && **p <= '9'; ++*p)
        v = v * 10 + (**p - '0');
    ++*p;
    return v;
}

/* One step over n lines of text; returns the number of output rows. */
static size_t loop_step(char *const *text, size_t n)
{
    size_t touched = 0, out = 0;
    for (size_t i = 0; i < n; i++) {
        const char *p = text[i];
        int32_t category = (int32_t)loop_number(&p);
        struct loop_group *g = loop_find(category);
        if (!g->touched) {
            g->touched = true;
            g->old_n = g->n;
            g->old_sum = g->sum;
            loop_touched[touched++] = (uint32_t)(g - loop_table);
        }
        g->n++;
        g->sum += loop_number(&p);
    }
    for (size_t i = 0; i < touched; i++) {
        struct loop_group *g = &loop_table[loop_touched[i]];
        g->touched = false;
        if (g->old_n)
            loop_out[out++] = (struct loop_out){g->category, g->old_n, g->old_sum, -1};
        loop_out[out++] = (struct loop_out){g->category, g->n, g->sum, 1};
    }
    return out;
}

/* ------------------------------------------------------------ the circuits */

static const struct expr *column(const struct layout *l, uint32_t col)
{
    return expr_column(&plan, 0, col, l->cols[col].ct);
}

static struct group_agg aggregate(uint32_t oid, const struct layout *l, int col, uint32_t result)
{
    struct group_agg g = {0};
    struct err err;
    if (!agg_lookup(oid, "agg", col < 0 ? NULL : &l->cols[col].ct, col >= 0, type_of(result), NULL,
                    &g.spec, &err))
        abort();
    if (col >= 0)
        g.args[0] = column(l, (uint32_t)col);
    return g;
}

struct bench_plan {
    struct circuit *c;
    struct op *in[2];
    struct op *stateful;
};

/* SELECT category, count(*), sum(value) … GROUP BY category [ORDER BY sum DESC LIMIT 8] */
static struct bench_plan group_plan(const struct layout *l, bool top)
{
    static struct group_agg aggs[2];
    static const struct expr *keys[1];
    static const struct sort_key by_sum = {.col = 2, .desc = true, .nulls_first = true};
    struct bench_plan p = {.c = circuit_new()};
    aggs[0] = aggregate(2803, l, -1, OID_INT8);
    aggs[1] = aggregate(2107, l, 1, OID_NUMERIC);
    keys[0] = column(l, 0);
    p.in[0] = op_source(p.c, l, "events");
    p.stateful = op_group(p.c, p.in[0], keys, 1, aggs, 2);
    circuit_set_output(p.c, top ? op_topk(p.c, p.stateful, NULL, 0, &by_sum, 1, 8, 0, false)
                                : p.stateful);
    return p;
}

static struct bench_plan join_plan(const struct layout *l)
{
    static const struct expr *keys[1];
    struct bench_plan p = {.c = circuit_new()};
    keys[0] = column(l, 0);
    p.in[0] = op_source(p.c, l, "a");
    p.in[1] = op_source(p.c, l, "b");
    p.stateful = op_join(p.c, p.in[0], p.in[1], JOIN_INNER, keys, keys, 1, NULL, NULL);
    circuit_set_output(p.c, p.stateful);
    return p;
}

static size_t sink; /* what results add up to, so that nothing is optimised away */

static void step_rows(struct bench_plan *p, int side, const uint8_t *const *rows, size_t n,
                      int64_t weight)
{
    for (size_t i = 0; i < n; i++)
        circuit_push_borrowed(p->c, p->in[side], rows[i], weight);
    sink += circuit_step(p->c)->n;
}

/* From text, as the daemon gets it. */
static void step_text(struct bench_plan *p, const struct layout *l, char *const *text, size_t n)
{
    static struct arena rows;
    arena_reset(&rows);
    for (size_t i = 0; i < n; i++)
        circuit_push_borrowed(p->c, p->in[0], parse_row(l, text[i], &rows), 1);
    sink += circuit_step(p->c)->n;
}

/* ------------------------------------------------------------ group */

enum {
    SEED,
    ONE,
    THOUSAND,
    KINDS
};

struct group_samples {
    struct samples s[KINDS];
};

#define SINGLES 200 /* single steps in one sample: a clock reading costs as much as a loop's step */

static void sample_loop(const struct events *e, struct group_samples *out)
{
    memset(loop_table, 0, sizeof loop_table);
    int64_t t = cpu_ns();
    sink += loop_step(e->text, e->n);
    samples_add(&out->s[SEED], (double)(cpu_ns() - t));
    t = cpu_ns();
    for (size_t i = 0; i < SINGLES; i++)
        sink += loop_step(&e->text[next_random() % e->n], 1);
    samples_add(&out->s[ONE], (double)(cpu_ns() - t) / SINGLES);
    t = cpu_ns();
    sink += loop_step(e->text + next_random() % (e->n - 1000), 1000);
    samples_add(&out->s[THOUSAND], (double)(cpu_ns() - t));
}

static void sample_group(const struct events *e, bool top, bool text, struct group_samples *out)
{
    struct bench_plan p = group_plan(e->layout, top);
    int64_t t = cpu_ns();
    if (text)
        step_text(&p, e->layout, e->text, e->n);
    else
        step_rows(&p, 0, e->rows, e->n, 1);
    samples_add(&out->s[SEED], (double)(cpu_ns() - t));
    for (size_t i = 0; i < SINGLES; i++) { /* the first steps after a seed give its memory back */
        step_text(&p, e->layout, &e->text[next_random() % e->n], 1);
        step_rows(&p, 0, &e->rows[next_random() % e->n], 1, 1);
    }
    t = cpu_ns();
    for (size_t i = 0; i < SINGLES; i++) {
        size_t at = next_random() % e->n;
        if (text)
            step_text(&p, e->layout, &e->text[at], 1);
        else
            step_rows(&p, 0, &e->rows[at], 1, 1);
    }
    samples_add(&out->s[ONE], (double)(cpu_ns() - t) / SINGLES);
    for (size_t i = 0; i < 20; i++) {
        size_t at = next_random() % (e->n - 1000);
        t = cpu_ns();
        if (text)
            step_text(&p, e->layout, e->text + at, 1000);
        else
            step_rows(&p, 0, e->rows + at, 1000, 1);
        samples_add(&out->s[THOUSAND], (double)(cpu_ns() - t));
    }
    circuit_free(p.c);
}

static void report_group(const char *name, struct group_samples *s, struct group_samples *loop,
                         double goal_one)
{
    bench_section(name);
    figure("seed, a row", &s->s[SEED], (double)nevents, "ns", samples_at(&loop->s[SEED], 0.5), NAN);
    figure("a step of 1 row", &s->s[ONE], 1000, "µs", samples_at(&loop->s[ONE], 0.5), goal_one);
    figure("a step of 1,000 rows", &s->s[THOUSAND], 1000, "µs", samples_at(&loop->s[THOUSAND], 0.5),
           NAN);
}

static void bench_group(void)
{
    struct events e = make_events(nevents);
    static struct group_samples loop, rows, text, top, top_text;
    for (int round = 0; round < (quick ? 3 : 9); round++) {
        sample_loop(&e, &loop);
        sample_group(&e, false, false, &rows);
        sample_group(&e, false, true, &text);
        sample_group(&e, true, false, &top);
        sample_group(&e, true, true, &top_text);
    }
    report_group("the loop: count and sum by hand, from text", &loop, &loop, NAN);
    report_group("count and sum, from text", &text, &loop, 6);
    report_group("count and sum, from packed rows", &rows, &loop, 6);
    if (!quick)
        against_differential("seed", &rows.s[SEED], 64e6, 0.5);
    against_differential("a step of 1 row", &rows.s[ONE], 7800, 0.2);
    against_differential("a step of 1,000 rows", &rows.s[THOUSAND], 122e3, 0.5);
    report_group("count and sum with the top 8, from text", &top_text, &loop, NAN);
    report_group("count and sum with the top 8, from packed rows", &top, &loop, NAN);
    against_differential("a step of 1 row", &top.s[ONE], 82e3, 0.5);
    against_differential("a step of 1,000 rows", &top.s[THOUSAND], 405e3, 0.5);
}

/* ------------------------------------------------------------ join */

#define SEED_BATCH 100000

static void join_samples(struct bench_plan *p, const uint8_t *const *rows, struct samples *one,
                         struct samples *thousand)
{
    for (int round = 0; round < (quick ? 20 : 200); round++) {
        int side = round & 1;
        const uint8_t *const *at = rows + next_random() % (njoin - 1000);
        int64_t t = cpu_ns();
        for (int i = 0; i < 20; i++)
            step_rows(p, side, at + i, 1, 1);
        for (int i = 0; i < 20; i++)
            step_rows(p, side, at + i, 1, -1);
        samples_add(one, (double)(cpu_ns() - t) / 40);
        for (int64_t w = 1; w >= -1; w -= 2) {
            at = rows + next_random() % (njoin - 1000);
            t = cpu_ns();
            step_rows(p, side, at, 1000, w);
            samples_add(thousand, (double)(cpu_ns() - t));
            step_rows(p, side, at, 1000, -w);
        }
    }
}

static void bench_join(void)
{
    struct column_type cts[2] = {type_of(OID_INT4), type_of(OID_INT8)};
    struct layout *l = layout_new(cts, 2);
    const uint8_t **rows = xcalloc(njoin, sizeof *rows);
    struct samples one = {0}, thousand = {0}, seed = {0};
    for (size_t i = 0; i < njoin; i++) {
        struct value vals[2] = {value_int((int64_t)(next_random() % njoin)), value_int((int64_t)i)};
        struct err err;
        if (!row_pack(l, vals, &plan, &rows[i], &err))
            abort();
    }
    double before = rss_mib();
    struct bench_plan p = join_plan(l);
    int64_t t = cpu_ns();
    for (size_t i = 0; i < njoin; i += SEED_BATCH)
        for (int side = 0; side < 2; side++)
            step_rows(&p, side, rows + i, njoin - i < SEED_BATCH ? njoin - i : SEED_BATCH, 1);
    samples_add(&seed, (double)(cpu_ns() - t));
    step_rows(&p, 0, rows, 0, 1);
    double held = rss_mib() - before;
    join_samples(&p, rows, &one, &thousand);
    bench_section("a join of two inputs on an integer key");
    bench_note("%zu rows a side", njoin);
    figure("seed, a row", &seed, 2 * (double)njoin, "ns", 0, NAN);
    figure("a step of 1 row", &one, 1000, "µs", 0, NAN);
    figure("a step of 1,000 rows", &thousand, 1000, "µs", 0, NAN);
    against_differential("a step of 1 row", &one, 10e3, 0.5);
    against_differential("a step of 1,000 rows", &thousand, 1.5e6, 0.5);
    bench_row("memory held, resident", held, "MiB", quick ? NAN : held / 118, quick ? NAN : 1,
              "differential");
    bench_row("memory held, by its own account",
              (double)p.stateful->cls->stats(p.stateful).bytes / (1 << 20), "MiB", NAN, NAN, "");
    circuit_free(p.c);
}

int main(int argc, char **argv)
{
    const char *json = NULL, *only = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            quick = true;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--quick] [--json FILE] [--only group|join]\n", argv[0]);
            return 2;
        }
    }
    if (quick) {
        nevents /= 10;
        njoin /= 10;
    }
    if (!only || strcmp(only, "group") == 0)
        bench_group();
    if (!only || strcmp(only, "join") == 0)
        bench_join();
    fprintf(stderr, "(%zu output changes)\n", sink);
    return json && !bench_write_json(json);
}
