/*
 * Random circuits over random changes, against the naive oracle after every step.
 *
 * Few distinct keys and small weights, so that rows cancel, groups die and come back, and counts
 * cross zero all the time. SEED=n replays a run; ROUNDS=n makes more circuits.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/naive.h"

#define STEPS    25
#define MAX_ROWS 300 /* no operator is put where its result may be larger */
#define MAX_NOPS 8

static uint64_t rng;

static uint32_t below(uint32_t n)
{
    rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((rng >> 33) % n);
}

static bool chance(uint32_t n)
{
    return below(n) == 0;
}

struct world {
    struct arena arena; /* the circuit's expressions and the sources' rows */
    struct arena step;  /* one evaluation */
    struct circuit *c;
    struct nop *nops[MAX_NOPS + 2];
    double size[MAX_NOPS + 2]; /* rows at most, roughly */
    size_t n;
    struct rel seen; /* the output as the deltas say */
};

static struct column_type type_of(uint32_t oid)
{
    return (struct column_type){.type = type_native(oid), .typmod = -1};
}

/* ------------------------------------------------------------ sources */

static void add_nop(struct world *w, struct nop *n, double size)
{
    naive_build(n, w->c);
    w->size[w->n] = size;
    w->nops[w->n++] = n;
}

static void add_source(struct world *w)
{
    struct column_type cts[3] = {type_of(OID_INT4), type_of(OID_INT4), type_of(OID_NUMERIC)};
    struct nop *n = ARENA_NEW(&w->arena, struct nop);
    struct layout *l = layout_new(cts, 3);
    n->kind = NOP_SOURCE;
    n->layout = l;
    add_nop(w, n, 10);
    layout_unref(l);
}

static struct value numeric(struct world *w, const char *s)
{
    struct value v;
    struct err err;
    ck_assert(value_parse(type_native(OID_NUMERIC), s, strlen(s), &w->step, &v, &err));
    return v;
}

static const uint8_t *random_row(struct world *w, const struct layout *l)
{
    static const char *const spellings[] = {"1.0", "1.00", "2", "-0.5", "0", "0.000"};
    const uint8_t *row;
    struct err err;
    struct value vals[3] = {chance(6) ? value_null() : value_int(below(4)), value_int(below(3)),
                            chance(6) ? value_null() : numeric(w, spellings[below(6)])};
    ck_assert(row_pack(l, vals, &w->step, &row, &err));
    return row;
}

/* ------------------------------------------------------------ random expressions */

static bool find_column(const struct layout *l, uint32_t oid, uint32_t *col)
{
    uint32_t start = below(l->ncols ? l->ncols : 1);
    for (uint32_t i = 0; i < l->ncols; i++) {
        *col = (start + i) % l->ncols;
        if (l->cols[*col].ct.type->oid == oid)
            return true;
    }
    return false;
}

static const struct expr *column(struct world *w, const struct layout *l, int input, uint32_t col)
{
    return expr_column(&w->arena, input, col, l->cols[col].ct);
}

static const struct expr *call(struct world *w, uint32_t oid, const struct expr *x,
                               const struct expr *y, uint32_t result)
{
    struct err err;
    const struct expr *args[2] = {x, y};
    const struct expr *e = expr_func(&w->arena, oid, "f", args, 2, type_of(result), NULL, &err);
    ck_assert_ptr_nonnull(e);
    return e;
}

/* An int4: a column, a sum, or a quotient that may divide by zero. NULL: there is no int4 column. */
static const struct expr *random_int(struct world *w, const struct layout *l)
{
    uint32_t a, b;
    if (!find_column(l, OID_INT4, &a) || !find_column(l, OID_INT4, &b))
        return NULL;
    if (chance(4))
        return call(w, 177, column(w, l, 0, a), column(w, l, 0, b), OID_INT4); /* + */
    if (chance(5))
        return call(w, 154, column(w, l, 0, a), column(w, l, 0, b), OID_INT4); /* / */
    return column(w, l, 0, a);
}

static const struct expr *random_condition(struct world *w, const struct layout *l)
{
    static const uint32_t ops[] = {65, 66, 147, 144}; /* = < > <> of int4 */
    const struct expr *x = random_int(w, l), *y = random_int(w, l);
    if (!x || !y)
        return NULL;
    if (chance(2))
        y = expr_const(&w->arena, value_int(below(3)), type_of(OID_INT4));
    return call(w, ops[below(4)], x, y, OID_BOOL);
}

static const struct expr *random_any(struct world *w, const struct layout *l)
{
    const struct expr *e = chance(2) ? random_int(w, l) : NULL;
    return e ? e : column(w, l, 0, below(l->ncols));
}

/* ------------------------------------------------------------ random operators */

static bool same_types(const struct layout *a, const struct layout *b)
{
    if (a->ncols != b->ncols)
        return false;
    for (uint32_t i = 0; i < a->ncols; i++)
        if (a->cols[i].ct.type != b->cols[i].ct.type)
            return false;
    return true;
}

static bool make_map(struct world *w, struct nop *n)
{
    n->nexprs = 1 + below(3);
    n->exprs = ARENA_ARRAY(&w->arena, const struct expr *, n->nexprs);
    for (size_t i = 0; i < n->nexprs; i++)
        n->exprs[i] = random_any(w, n->in[0]->layout);
    return true;
}

static bool make_filter(struct world *w, struct nop *n)
{
    n->nexprs = 1;
    n->exprs = ARENA_ARRAY(&w->arena, const struct expr *, 1);
    n->exprs[0] = random_condition(w, n->in[0]->layout);
    return n->exprs[0];
}

static bool make_join(struct world *w, struct nop *n)
{
    const struct layout *l = n->in[0]->layout, *r = n->in[1]->layout;
    uint32_t a, b;
    bool self = n->in[0] == n->in[1] && chance(2); /* one arrangement for both sides */
    n->join = self ? JOIN_INNER : (enum join_kind)below(5);
    bool *nullsafe = ARENA_ARRAY(&w->arena, bool, 2);
    nullsafe[0] = chance(4);
    nullsafe[1] = chance(4);
    n->nullsafe = nullsafe;
    n->exprs = ARENA_ARRAY(&w->arena, const struct expr *, 2);
    n->right_keys = ARENA_ARRAY(&w->arena, const struct expr *, 2);
    for (uint32_t i = below(8) ? 0 : 2; i < 1 + below(2); i++) {
        uint32_t col = below(l->ncols);
        if (!find_column(r, l->cols[col].ct.type->oid, &b))
            continue;
        n->exprs[n->nexprs] = column(w, l, 0, col);
        n->right_keys[n->nexprs++] = column(w, r, 0, self ? col : b);
    }
    if (chance(6) && n->nexprs && n->exprs[0]->ct.type->oid == OID_INT4)
        n->exprs[0] = random_int(w, l);
    if (chance(3) && find_column(l, OID_INT4, &a) && find_column(r, OID_INT4, &b))
        n->residual = call(w, 66, column(w, l, 0, a), column(w, r, 1, b), OID_BOOL);
    return true;
}

static bool random_agg(struct world *w, const struct layout *l, struct group_agg *g)
{
    static const struct {
        uint32_t oid, arg, result;
    } calls[] = {{2803, 0, OID_INT8},           {2147, OID_INT4, OID_INT8},
                 {2108, OID_INT4, OID_INT8},    {2132, OID_INT4, OID_INT4},
                 {2116, OID_INT4, OID_INT4},    {2114, OID_NUMERIC, OID_NUMERIC},
                 {2101, OID_INT4, OID_NUMERIC}, {2725, OID_INT4, OID_NUMERIC},
                 {3175, OID_INT4, OID_TEXT},    {3984, OID_INT4, OID_INT4}};
    uint32_t pick = below(sizeof calls / sizeof calls[0]), col = 0;
    struct column_type arg = type_of(calls[pick].arg ? calls[pick].arg : OID_INT4);
    struct err err;
    size_t nargs = calls[pick].arg != 0;
    if (nargs && !find_column(l, calls[pick].arg, &col))
        return false;
    ck_assert_msg(agg_lookup(calls[pick].oid, "agg", &arg, nargs, type_of(calls[pick].result), NULL,
                             &g->spec, &err),
                  "%s", err.message);
    if (nargs)
        g->args[0] = column(w, l, 0, col);
    g->distinct = nargs && chance(3);
    g->filter = chance(4) ? random_condition(w, l) : NULL;
    return true;
}

static bool make_group(struct world *w, struct nop *n)
{
    const struct layout *l = n->in[0]->layout;
    n->nexprs = below(3);
    n->exprs = ARENA_ARRAY(&w->arena, const struct expr *, 2);
    for (size_t i = 0; i < n->nexprs; i++)
        n->exprs[i] = random_any(w, l);
    n->aggs = ARENA_ARRAY(&w->arena, struct group_agg, 3);
    for (uint32_t i = 1 + below(3); i > 0; i--)
        n->naggs += random_agg(w, l, &n->aggs[n->naggs]);
    return n->naggs + n->nexprs > 0;
}

/* The keys are all columns, so that which spelling of a row is shown doesn't matter to the cut. */
static bool make_topk(struct world *w, struct nop *n)
{
    const struct layout *l = n->in[0]->layout;
    uint32_t first = below(l->ncols);
    n->keys = ARENA_ARRAY(&w->arena, struct sort_key, l->ncols);
    for (uint32_t i = 0; i < l->ncols; i++)
        n->keys[i] = (struct sort_key){(first + i) % l->ncols, chance(2), chance(2)};
    n->nkeys = l->ncols;
    n->limit = chance(6) ? -1 : (int64_t)below(6);
    n->offset = chance(2) ? 0 : below(5);
    n->with_ties = chance(3);
    if (n->with_ties && !n->offset)
        n->nkeys = below(l->ncols + 1);
    n->npart = chance(2) ? 0 : 1 + below(2);
    n->part = ARENA_ARRAY(&w->arena, const struct expr *, 2);
    for (size_t i = 0; i < n->npart; i++)
        n->part[i] = column(w, l, 0, below(l->ncols));
    return true;
}

/* x % 5 or a small number: no call gives more than a handful of rows. */
static const struct expr *small_int(struct world *w, const struct layout *l)
{
    const struct expr *x = random_int(w, l);
    const struct expr *five = expr_const(&w->arena, value_int(5), type_of(OID_INT4));
    if (!x || chance(4))
        return expr_const(&w->arena, value_int(below(3)), type_of(OID_INT4));
    return call(w, 156, x, five, OID_INT4); /* % */
}

static bool make_flatmap(struct world *w, struct nop *n)
{
    const struct layout *l = n->in[0]->layout;
    struct flatmap_spec *f = ARENA_NEW(&w->arena, struct flatmap_spec);
    struct srf_call *calls = ARENA_ARRAY(&w->arena, struct srf_call, 2);
    static struct column_type int4;
    int4 = type_of(OID_INT4);
    f->ncalls = 1 + below(2);
    f->calls = calls;
    f->ordinality = chance(2);
    f->outer = chance(2);
    for (size_t i = 0; i < f->ncalls; i++) {
        calls[i] = (struct srf_call){srf_lookup(1067), "f", NULL, 2, &int4, 1};
        calls[i].args = ARENA_ARRAY(&w->arena, const struct expr *, 2);
        for (int k = 0; k < 2; k++)
            calls[i].args[k] = small_int(w, l);
    }
    if (f->outer && chance(2))
        f->cond = call(w, 147, expr_column(&w->arena, 1, 0, int4), small_int(w, l), OID_BOOL);
    uint32_t *outs = ARENA_ARRAY(&w->arena, uint32_t, 4);
    f->outs = outs;
    f->nouts = 1 + below(4);
    for (size_t i = 0; i < f->nouts; i++)
        outs[i] = below(l->ncols + (uint32_t)f->ncalls + f->ordinality);
    n->flatmap = f;
    return true;
}

/* ------------------------------------------------------------ windows */

static struct win_bound random_bound(bool end, bool offsets)
{
    struct win_bound b = {.kind = (enum win_bound_kind)below(offsets ? 4 : 2)};
    b.offset = value_int(below(3));
    b.offset_ct = type_of(OID_INT8);
    (void)end;
    return b;
}

/* RANGE offsets want one int4 to order by. */
static const struct win_frame *random_frame(struct world *w, const struct nop *n, bool total)
{
    struct win_frame *f = ARENA_NEW(&w->arena, struct win_frame);
    const struct layout *l = n->in[0]->layout;
    bool distance = n->nkeys == 1 && l->cols[n->keys[0].col].ct.type->oid == OID_INT4;
    f->mode = (enum win_mode)(total ? below(3) : 1 + below(2));
    bool offsets = f->mode != FRAME_RANGE || distance;
    f->start = random_bound(false, offsets);
    f->end = random_bound(true, offsets);
    for (int i = 0; i < 2 && f->mode == FRAME_RANGE; i++) {
        struct win_bound *b = i ? &f->end : &f->start;
        if (b->kind == BOUND_PRECEDING || b->kind == BOUND_FOLLOWING)
            b->in_range = in_range_lookup(4127);
    }
    f->exclude = chance(2) ? EXCLUDE_NOTHING : (enum win_exclude)below(4);
    return f;
}

/* Its arguments: any value, a small int4, and the value's type again. */
static bool random_win(struct world *w, const struct layout *l, bool total, struct win_spec *s)
{
    static const struct {
        uint32_t oid, nargs, result;
        bool total;
    } calls[] = {
        {3101, 0, OID_INT8, false},   {3102, 0, OID_INT8, false}, {3103, 0, OID_FLOAT8, false},
        {3104, 0, OID_FLOAT8, false}, {3100, 0, OID_INT8, true},  {3105, 1, OID_INT4, true},
        {3106, 1, 0, true},           {3107, 2, 0, true},         {3108, 3, 0, true},
        {3109, 1, 0, true},           {3111, 3, 0, true},         {3112, 1, 0, true},
        {3113, 1, 0, true},           {3114, 2, 0, true}};
    uint32_t pick = below(total ? sizeof calls / sizeof calls[0] : 4);
    s->cls = win_lookup(calls[pick].oid, calls[pick].nargs);
    s->nargs = calls[pick].nargs;
    s->args[0] = calls[pick].result
                     ? expr_const(&w->arena, value_int(1 + below(4)), type_of(OID_INT4))
                     : random_any(w, l);
    s->args[1] = chance(2) ? random_int(w, l) : NULL;
    if (!s->args[1])
        s->args[1] = expr_const(&w->arena, value_int(1 + below(2)), type_of(OID_INT4));
    s->args[2] = s->args[0];
    s->result = calls[pick].result ? type_of(calls[pick].result) : s->args[0]->ct;
    return true;
}

/* Where the order isn't total the rows of a peer group are told apart by their bytes, of which it isn't
 * defined what they are: only what is the same for all peers is asked for then. */
static bool make_window(struct world *w, struct nop *n)
{
    const struct layout *l = n->in[0]->layout;
    bool total = chance(2);
    uint32_t first = below(l->ncols);
    n->keys = ARENA_ARRAY(&w->arena, struct sort_key, l->ncols);
    for (uint32_t i = 0; i < l->ncols; i++)
        n->keys[i] = (struct sort_key){(first + i) % l->ncols, chance(2), chance(2)};
    n->nkeys = total ? l->ncols : below(l->ncols + 1);
    n->npart = below(3);
    n->part = ARENA_ARRAY(&w->arena, const struct expr *, 2);
    for (size_t i = 0; i < n->npart; i++)
        n->part[i] = column(w, l, 0, below(l->ncols));
    n->calls = ARENA_ARRAY(&w->arena, struct window_call, 3);
    for (uint32_t i = 1 + below(3); i > 0; i--) {
        struct window_call *c = &n->calls[n->ncalls];
        c->is_agg = chance(2);
        c->frame = n->ncalls && chance(3) ? c[-1].frame : random_frame(w, n, total);
        n->ncalls += c->is_agg ? random_agg(w, l, &c->agg) : random_win(w, l, total, &c->win);
        c->agg.distinct = false;
    }
    return n->ncalls > 0;
}

static bool make_nop(struct world *w, struct nop *n)
{
    switch (n->kind) {
    case NOP_MAP: return make_map(w, n);
    case NOP_FILTER: return make_filter(w, n);
    case NOP_FLATMAP: return make_flatmap(w, n);
    case NOP_JOIN: return make_join(w, n);
    case NOP_GROUP: return make_group(w, n);
    case NOP_TOPK: return make_topk(w, n);
    case NOP_WINDOW: return make_window(w, n);
    case NOP_SETOP: n->setop = (enum setop_kind)below(4); return true;
    default: return true;
    }
}

/* Adds one operator over random earlier ones, or gives up on this try. */
static void add_random(struct world *w)
{
    struct nop *n = ARENA_NEW(&w->arena, struct nop);
    double size = 0;
    size_t first = 0;
    n->kind = NOP_MAP + below(NOP_WINDOW - NOP_MAP + 1);
    n->nins = n->kind == NOP_UNION                          ? 2 + below(2)
              : n->kind == NOP_JOIN || n->kind == NOP_SETOP ? 2
                                                            : 1;
    for (size_t i = 0; i < n->nins; i++) {
        size_t pick = below((uint32_t)w->n);
        if (i && n->kind == NOP_JOIN && chance(4))
            pick = first;
        if (!i)
            first = pick;
        n->in[i] = w->nops[pick];
        size = i && n->kind == NOP_JOIN ? size * w->size[pick] + 10 : size + w->size[pick];
        if (n->kind != NOP_JOIN && !same_types(n->in[0]->layout, n->in[i]->layout))
            return;
        if (!n->in[i]->layout->ncols || n->in[i]->layout->ncols > 9)
            return;
    }
    if (n->kind == NOP_FLATMAP)
        size *= 5;
    if (size > MAX_ROWS || !make_nop(w, n))
        return;
    add_nop(w, n, size);
}

/* ------------------------------------------------------------ the run */

static void random_changes(struct world *w)
{
    for (uint32_t i = below(6); i > 0; i--) {
        struct nop *s = w->nops[below(2)];
        struct rel *r = &s->source;
        bool erase = r->rows.n && (r->rows.n > 7 || chance(2));
        if (erase) {
            struct change c = r->rows.v[below((uint32_t)r->rows.n)];
            naive_push(s, w->c, c.row, chance(2) ? -c.weight : -1, &w->arena);
        }
        if (!erase || chance(2))
            naive_push(s, w->c, random_row(w, s->layout), chance(5) ? 2 : 1, &w->arena);
    }
}

static void check_consolidated(const struct layout *l, const struct delta *d)
{
    for (size_t i = 0; i < d->n; i++) {
        ck_assert(d->v[i].weight);
        for (size_t k = 0; k < i; k++)
            ck_assert(row_len(l, d->v[i].row) != row_len(l, d->v[k].row) ||
                      memcmp(d->v[i].row, d->v[k].row, row_len(l, d->v[i].row)));
    }
}

static void describe(const struct world *w, struct buf *b)
{
    for (size_t i = 0; i < circuit_op_count(w->c); i++) {
        circuit_describe(w->c, i, b);
        buf_addc(b, '\n');
    }
}

static void check_step(struct world *w, uint64_t seed, int step)
{
    struct nop *out = w->nops[w->n - 1];
    const struct layout *l = out->layout;
    const struct delta *d = circuit_step(w->c);
    int64_t errors = 0;
    check_consolidated(l, d);
    bool ok = rel_apply(&w->seen, l, d, &w->arena);
    for (size_t i = 0; i < w->n; i++)
        errors += naive_eval(w->nops[i], &w->step)->errors;
    ok &= rel_same(l, &w->seen, &out->memo) && (errors > 0) == (circuit_error(w->c) != NULL);
    if (!ok) {
        struct buf b;
        buf_init(&b);
        describe(w, &b);
        buf_adds(&b, "ours:\n");
        rel_print(l, &w->seen, &b);
        buf_adds(&b, "naive:\n");
        rel_print(l, &out->memo, &b);
        ck_abort_msg("SEED=%llu step %d, %lld errors, circuit error %s\n%s",
                     (unsigned long long)seed, step, (long long)errors,
                     circuit_error(w->c) ? circuit_error(w->c)->message : "none", buf_cstr(&b));
    }
    for (size_t i = 0; i < w->n; i++)
        naive_forget(w->nops[i]);
}

static void run_circuit(uint64_t seed)
{
    struct world w = {0};
    rng = seed * 0x9e3779b97f4a7c15ULL + 1;
    arena_init(&w.arena);
    arena_init(&w.step);
    w.c = circuit_new();
    add_source(&w);
    add_source(&w);
    for (uint32_t tries = 2 + below(8); tries > 0 && w.n < MAX_NOPS; tries--)
        add_random(&w);
    circuit_set_output(w.c, w.nops[w.n - 1]->op);
    for (int step = 0; step < STEPS; step++) {
        if (step)
            random_changes(&w);
        check_step(&w, seed, step);
        arena_reset(&w.step);
    }
    circuit_free(w.c);
    rel_fini(&w.seen);
    for (size_t i = 0; i < 2; i++)
        rel_fini(&w.nops[i]->source);
    arena_fini(&w.arena);
    arena_fini(&w.step);
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);
    return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

START_TEST(random_circuits_agree_with_the_oracle)
{
    uint64_t seed = from_env("SEED", (uint64_t)time(NULL) * 1000);
    uint64_t rounds = from_env("ROUNDS", getenv("SEED") ? 1 : 600);
    printf("random circuits: SEED=%llu ROUNDS=%llu, %d steps each\n", (unsigned long long)seed,
           (unsigned long long)rounds, STEPS);
    for (uint64_t i = 0; i < rounds; i++)
        run_circuit(seed + i);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("random circuit");
    TCase *t = tcase_create("random");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, random_circuits_agree_with_the_oracle);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
