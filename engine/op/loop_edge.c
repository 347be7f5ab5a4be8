/*
 * loop_edge: see loop_edge.h.
 *
 * A record is in one of these states; i is the iteration whose turn it is:
 *
 *     at = none               the row doesn't pass
 *     at = a                  it passes at a
 *     at = a, old = p         it passes at a, and the assertion at p > a is still to be retracted
 *     at = none, old = p      a was lost again in the same step
 *
 * Iterations are kept as iteration + 1, 0 = none.
 */
#include "engine/op/loop_edge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    uint32_t iteration;
    int64_t n; /* derivations; never 0 between turns */
};

struct edge_row {
    uint32_t at, old;   /* iteration + 1 */
    uint32_t scheduled; /* turns that will settle it */
    uint32_t n, cap;    /* of tallies, ascending; cap 0: the one is in place */
    bool settling;      /* in the list of the turn under way */
    union {
        struct tally one;
        struct tally *many; /* owned */
    };
};

void loop_edge_init(struct loop_edge *e, const struct layout *rows)
{
    struct column_type *cts = xcalloc(rows->ncols, sizeof *cts);
    for (uint32_t i = 0; i < rows->ncols; i++)
        cts[i] = rows->cols[i].ct;
    keymap_init(&e->map, cts, rows->ncols, sizeof(struct edge_row));
    e->tally_bytes = 0;
    free(cts);
}

static struct edge_row *row_at(const struct loop_edge *e, uint32_t handle)
{
    return keymap_payload(&e->map, handle);
}

static void free_tallies(struct loop_edge *e, struct edge_row *r)
{
    if (r->cap)
        free(r->many);
    e->tally_bytes -= r->cap * sizeof *r->many;
    r->cap = 0;
}

static void free_record(void *arg, uint32_t handle)
{
    free_tallies(arg, row_at(arg, handle));
}

void loop_edge_fini(struct loop_edge *e)
{
    htab_each(&e->map.table, free_record, e);
    keymap_fini(&e->map);
}

void loop_edge_begin(struct loop_edge *e)
{
    keymap_settle(&e->map);
}

/* ------------------------------------------------------------ tallies */

static struct tally *tallies(struct edge_row *r)
{
    return r->cap ? r->many : &r->one;
}

static void grow(struct loop_edge *e, struct edge_row *r)
{
    uint32_t cap = r->cap ? r->cap * 2 : 4;
    struct tally *many = xmalloc(cap * sizeof *many);
    memcpy(many, tallies(r), r->n * sizeof *many);
    e->tally_bytes += cap * sizeof *many;
    free_tallies(e, r);
    r->many = many;
    r->cap = cap;
}

static void add_tally(struct loop_edge *e, struct edge_row *r, uint32_t iteration, int64_t n)
{
    struct tally *v = tallies(r);
    uint32_t i = r->n;
    while (i && v[i - 1].iteration >= iteration)
        i--;
    if (i < r->n && v[i].iteration == iteration) {
        v[i].n += n;
        if (!v[i].n)
            memmove(&v[i], &v[i + 1], (--r->n - i) * sizeof *v);
        return;
    }
    if (r->n == (r->cap ? r->cap : 1)) {
        grow(e, r);
        v = r->many;
    }
    memmove(&v[i + 1], &v[i], (r->n++ - i) * sizeof *v);
    v[i] = (struct tally){iteration, n};
}

/* ------------------------------------------------------------ rows */

static uint32_t find_or_insert(struct loop_edge *e, const uint8_t *row)
{
    struct keymap *m = &e->map;
    bool has_null;
    for (uint32_t i = 0; i < m->layout->ncols; i++)
        m->vals[i] = row_get(m->layout, row, i);
    uint32_t hash = keyspec_hash(m->spec, m->vals, &has_null);
    uint32_t h = keymap_find(m, hash, m->vals);
    return h ? h : keymap_insert(m, hash, row);
}

uint32_t loop_edge_add(struct loop_edge *e, const uint8_t *row, uint32_t iteration, int64_t weight,
                       bool *first)
{
    uint32_t handle = find_or_insert(e, row);
    struct edge_row *r = row_at(e, handle);
    *first = !r->settling;
    r->settling = true;
    add_tally(e, r, iteration, weight);
    return handle;
}

bool loop_edge_due(struct loop_edge *e, uint32_t handle)
{
    struct edge_row *r = row_at(e, handle);
    bool first = !r->settling;
    assert(r->scheduled);
    r->scheduled--;
    r->settling = true;
    return first;
}

static void schedule(struct edge_row *r, struct loop_verdict *v, uint32_t iteration)
{
    assert(!v->again);
    v->again = true;
    v->at = iteration;
    r->scheduled++;
}

static void pass(struct edge_row *r, struct loop_verdict *v, uint32_t iteration)
{
    v->change = 1;
    if (r->at) { /* later: to be taken back there */
        assert(!r->old && r->at > iteration + 1);
        r->old = r->at;
        schedule(r, v, r->old - 1);
    }
    r->at = iteration + 1;
}

static void pass_no_longer(struct edge_row *r, struct loop_verdict *v, uint32_t iteration)
{
    v->change = -1;
    if (r->old == iteration + 1)
        r->old = 0;
    else
        r->at = 0;
}

/* The first derivation after this iteration, or NULL. */
static const struct tally *next_tally(struct edge_row *r, uint32_t iteration)
{
    const struct tally *v = tallies(r);
    for (uint32_t i = 0; i < r->n; i++)
        if (v[i].iteration > iteration)
            return &v[i];
    return NULL;
}

struct loop_verdict loop_edge_settle(struct loop_edge *e, uint32_t handle, uint32_t iteration,
                                     bool open)
{
    struct edge_row *r = row_at(e, handle);
    struct loop_verdict v = {.row = keymap_row(&e->map, handle)};
    const struct tally *first = tallies(r);
    bool wanted = r->n && first->iteration == iteration;
    bool there = r->at == iteration + 1 || r->old == iteration + 1;
    assert(!r->n || first->n > 0);
    r->settling = false;
    v.waits = wanted && !there && !open;
    if (wanted && !there && open)
        pass(r, &v, iteration);
    else if (!wanted && there)
        pass_no_longer(r, &v, iteration);
    else if (there &&
             !r->at) { /* lost a smaller iteration before it was taken back here: it stays */
        r->at = r->old;
        r->old = 0;
    }
    if (v.waits) {
        schedule(r, &v, iteration);
    } else if (!r->at || r->at > iteration + 1) { /* the latter where a smaller one has waited */
        const struct tally *next = next_tally(r, iteration);
        if (next && (!r->at || next->iteration + 1 < r->at))
            schedule(r, &v, next->iteration);
    }
    if (!r->n && !r->at && !r->old && !r->scheduled) {
        free_tallies(e, r);
        keymap_remove(&e->map, handle);
    }
    return v;
}

size_t loop_edge_bytes(const struct loop_edge *e)
{
    return keymap_bytes(&e->map) + e->tally_bytes;
}
