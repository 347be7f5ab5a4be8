/*
 * plan_host: see plan_host.h.
 *
 * Three multisets of output rows carry the whole of it:
 *
 *   view     what the circuit's output adds up to now
 *   unsent   the part of it that subscribers have not been told (while FAILED, or while seeding)
 *   stale    during a rebuild: what subscribers hold, kept aside while view is built anew
 *
 * Invariant: what was last emitted = view − unsent, or stale while rebuilding. In the normal case
 * (LIVE) unsent is empty and a step's delta is encoded straight from the circuit's output.
 */
#include "engine/host/plan_host.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/host/bag.h"
#include "engine/host/encode.h"
#include "engine/host/history.h"

struct plan_host {
    const struct plan_spec *spec; /* counted */
    struct plan_limits limits;
    enum plan_state state;
    struct circuit *circuit; /* owned; NULL for a rerun */
    struct op **sources;     /* owned array of borrowed operators */
    struct encoder encoder;
    struct bag view, unsent, stale;
    bool has_view;    /* some state was emitted */
    bool told_error;  /* since the last emitted state: its end is told too */
    bool broken;      /* the view would have held a row less than no times */
    bool overflowed;  /* while seeding: grew past any hope of fitting */
    lsn_t lsn;        /* of the last emitted state… */
    lsn_t holds;      /* …which has been the answer up to here, if the plan is FAILED since */
    lsn_t floor;      /* what is emitted is behind it */
    struct err error; /* while FAILED */
    struct payload *snapshot; /* cached encoding of the emitted state; one reference or NULL */
    struct payload *net;      /* the last answer of plan_host_changes_since(), likewise… */
    lsn_t net_since;          /* …and what it is since */
    struct history history;
};

static void build_circuit(struct plan_host *p)
{
    if (p->spec->rerun) {
        encoder_init(&p->encoder, p->spec, NULL);
        return;
    }
    p->circuit = plan_build(p->spec, p->sources);
    encoder_init(&p->encoder, p->spec, circuit_output_layout(p->circuit));
}

struct plan_host *plan_host_new(const struct plan_spec *spec, const struct plan_limits *limits)
{
    struct plan_host *p = NEW(struct plan_host);
    p->spec = plan_spec_ref(spec);
    p->limits = *limits;
    p->state = PLAN_SEEDING;
    p->sources = xcalloc(spec->nsources, sizeof *p->sources);
    bag_init(&p->view);
    bag_init(&p->unsent);
    bag_init(&p->stale);
    history_init(&p->history, limits->history_bytes);
    p->holds = LSN_MAX;
    build_circuit(p);
    return p;
}

static void forget_snapshot(struct plan_host *p)
{
    payload_unref(p->snapshot);
    p->snapshot = NULL;
}

/* Also when the history is no more what it was: it may not reach back as far. */
static void forget_net(struct plan_host *p)
{
    payload_unref(p->net);
    p->net = NULL;
}

void plan_host_free(struct plan_host *p)
{
    if (!p)
        return;
    forget_snapshot(p);
    forget_net(p);
    history_fini(&p->history);
    bag_fini(&p->view);
    bag_fini(&p->unsent);
    bag_fini(&p->stale);
    if (p->circuit)
        circuit_free(p->circuit);
    free(p->sources);
    plan_spec_unref(p->spec);
    free(p);
}

void plan_host_push(struct plan_host *p, size_t source, const uint8_t *row, int64_t weight)
{
    assert(source < p->spec->nsources);
    circuit_push_borrowed(p->circuit, p->sources[source], row, weight);
}

/* False: a row is there less than no times now. A difference may be like that, a view may not. */
static bool add_all(const struct layout *l, const struct delta *d, struct bag *bag)
{
    bool sound = true;
    for (size_t i = 0; i < d->n; i++)
        sound &= bag_add(bag, d->v[i].row, row_len(l, d->v[i].row), d->v[i].weight) >= 0;
    return sound;
}

/* The view is what has been told, so what can't be told is taken back. */
static bool change_view(struct plan_host *p, const struct delta *d)
{
    const struct layout *l = p->encoder.layout;
    if (add_all(l, d, &p->view))
        return true;
    for (size_t i = 0; i < d->n; i++)
        bag_add(&p->view, d->v[i].row, row_len(l, d->v[i].row), -d->v[i].weight);
    p->broken = true;
    return false;
}

/* While a seed is coming in, results may be larger than they will be in the end (rows that a later
 * part retracts), so the bound is generous. */
#define SEED_SLACK 4

void plan_host_absorb(struct plan_host *p)
{
    assert(p->state == PLAN_SEEDING || p->state == PLAN_REBUILDING);
    const struct delta *d = circuit_step(p->circuit);
    if (p->overflowed || plan_host_is_lost(p) || !change_view(p, d))
        return;
    if ((uint64_t)p->view.nentries / SEED_SLACK > p->limits.max_rows) {
        p->overflowed = true;
        bag_clear(&p->view);
    }
}

/* Turns view and stale into unsent: what must be told to get from the old state to the new. */
static void difference_after_rebuild(struct plan_host *p)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    bag_clear(&p->unsent);
    while ((e = bag_next(&p->view, &c)))
        bag_add(&p->unsent, e->bytes, e->len, e->weight);
    c = (struct bag_cursor){0};
    while ((e = bag_next(&p->stale, &c)))
        bag_add(&p->unsent, e->bytes, e->len, -e->weight);
    bag_clear(&p->stale);
}

static void drop_changes(void *changes)
{
    free(changes);
}

static struct payload *encode_unsent(struct plan_host *p, lsn_t lsn)
{
    struct change *changes = xmalloc_data(p->unsent.nentries * sizeof *changes);
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    struct alloc_cleanup cleanup;
    size_t n = 0;
    while ((e = bag_next(&p->unsent, &c)))
        changes[n++] = (struct change){.row = e->bytes, .weight = e->weight};
    alloc_cleanup(&cleanup, drop_changes, changes);
    struct payload *payload = encode_delta(&p->encoder, changes, n, lsn);
    alloc_cleanup_done(&cleanup);
    free(changes);
    bag_clear(&p->unsent);
    return payload;
}

static struct plan_event overflow(const struct plan_host *p)
{
    struct plan_event ev = {.kind = PLAN_OVERFLOW};
    err_set(&ev.err, ERR_LIMIT_EXCEEDED, "the result has more than %llu rows",
            (unsigned long long)p->limits.max_rows);
    err_hint(&ev.err, "limits.result_rows sets the largest result that is kept live.");
    return ev;
}

/* Nothing is changed by several commits together, but each alone may have changed something. */
static void note_gap(struct plan_host *p, lsn_t lsn, lsn_t holds)
{
    struct payload *nothing = payload_new(lsn, 0, NULL, 0);
    history_add(&p->history, p->lsn, holds, nothing);
    payload_unref(nothing);
}

/* Remembers and announces the state at lsn, reached by payload (NULL: rows unchanged). */
static struct plan_event emit(struct plan_host *p, struct payload *payload, lsn_t lsn, lsn_t holds)
{
    struct plan_event ev = {.kind = PLAN_UNCHANGED};
    bool first = !p->has_view;
    if (p->holds < holds)
        holds = p->holds;
    /* Who was told of an error is told of its end, even where it left no difference. */
    if (!payload && !first && p->told_error)
        payload = payload_new(lsn, 0, NULL, 0);
    p->state = PLAN_LIVE;
    p->has_view = true;
    p->told_error = false;
    p->holds = LSN_MAX;
    if (first)
        history_start(&p->history, lsn);
    if (!payload) {
        if (first)
            p->lsn = lsn;
        else if (holds + 1 < lsn)
            note_gap(p, lsn, holds);
        return ev;
    }
    forget_snapshot(p);
    forget_net(p);
    if (!first) {
        history_add(&p->history, p->lsn, holds, payload);
        ev.kind = PLAN_DELTA;
        ev.payload = payload_ref(payload);
    }
    p->lsn = lsn;
    payload_unref(payload);
    return ev;
}

static struct plan_event fail(struct plan_host *p, const struct err *error, lsn_t lsn, lsn_t holds)
{
    struct plan_event ev = {.kind = PLAN_UNCHANGED};
    if (holds + 1 < lsn && holds < p->holds)
        p->holds = holds;
    if (p->state != PLAN_FAILED) {
        ev.kind = PLAN_ERROR;
        ev.err = *error;
        p->error = *error;
    }
    p->state = PLAN_FAILED;
    p->told_error = true;
    return ev;
}

/* The first emitted state needs no encoding: there is nobody to whom it would be a difference. */
static struct payload *catch_up(struct plan_host *p, const struct delta *d, lsn_t lsn)
{
    if (d->n || p->unsent.nentries) /* also where only what the rows are sorted by has changed */
        forget_snapshot(p);
    if (p->has_view && p->unsent.nentries == 0)
        return encode_delta(&p->encoder, d->v, d->n, lsn);
    if (p->has_view) {
        (void)add_all(p->encoder.layout, d, &p->unsent);
        return encode_unsent(p, lsn);
    }
    bag_clear(&p->unsent);
    return NULL;
}

void plan_host_follow(struct plan_host *p, lsn_t lsn)
{
    if (lsn > p->floor)
        p->floor = lsn;
}

/* The LSN, or the first one behind what is held. */
static lsn_t behind(lsn_t held, lsn_t lsn)
{
    return held && lsn <= held ? held + 1 : lsn;
}

struct plan_event plan_host_commit(struct plan_host *p, lsn_t lsn, lsn_t holds)
{
    static const struct delta nothing;
    const struct delta *d = circuit_step(p->circuit);
    const struct err *error = circuit_error(p->circuit);
    bool rebuilt = p->state == PLAN_REBUILDING;

    if (plan_host_is_lost(p))
        return (struct plan_event){.kind = PLAN_LOST};
    /* What DDL did before the last commit may be found out after it: another state, a later LSN. */
    lsn = behind(rebuilt && p->lsn > p->floor ? p->lsn : p->floor, lsn);
    if (p->overflowed)
        return overflow(p);
    if (!change_view(p, d))
        return (struct plan_event){.kind = PLAN_LOST};
    if (rebuilt) {
        difference_after_rebuild(p);
        d = &nothing;
    }
    if (!error && (uint64_t)p->view.total > p->limits.max_rows)
        return overflow(p);
    if (error) {
        if (p->has_view)
            (void)add_all(p->encoder.layout, d, &p->unsent);
        return fail(p, error, lsn, holds);
    }
    return emit(p, catch_up(p, d, lsn), lsn, holds);
}

struct plan_event plan_host_answer(struct plan_host *p, struct bag *result, const struct err *error,
                                   lsn_t lsn, lsn_t holds)
{
    struct payload *payload = NULL;
    if (!error && (uint64_t)result->total > p->limits.max_rows) {
        bag_clear(result);
        return overflow(p);
    }
    lsn = behind(p->has_view && p->lsn > p->floor ? p->lsn : p->floor, lsn);
    if (error)
        return fail(p, error, lsn, holds);
    p->stale = p->view;
    p->view = *result;
    bag_init(result);
    difference_after_rebuild(p);
    if (p->unsent.nentries)
        forget_snapshot(p); /* were it only that rows have changed places */
    if (p->has_view)
        payload = encode_unsent(p, lsn);
    bag_clear(&p->unsent);
    return emit(p, payload, lsn, holds);
}

void plan_host_compare(struct plan_host *p, struct bag *left)
{
    assert(p->state == PLAN_LIVE);
    encode_take_out(&p->encoder, &p->view, left);
}

void plan_host_break_history(struct plan_host *p)
{
    forget_net(p);
    history_clear(&p->history);
}

/* What subscribers hold, as a bag of its own: view − unsent. */
static void set_emitted_aside(struct plan_host *p)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    while ((e = bag_next(&p->unsent, &c)))
        bag_add(&p->view, e->bytes, e->len, -e->weight);
    bag_clear(&p->unsent);
    p->stale = p->view;
    bag_init(&p->view);
}

void plan_host_rebuild(struct plan_host *p)
{
    if (p->spec->rerun)
        return;
    circuit_free(p->circuit);
    build_circuit(p);
    p->overflowed = p->broken = false;
    if (p->state == PLAN_LIVE || p->state == PLAN_FAILED) {
        if (p->has_view)
            set_emitted_aside(p);
        p->state = p->has_view ? PLAN_REBUILDING : PLAN_SEEDING;
    }
    bag_clear(&p->view);
    bag_clear(&p->unsent);
}

bool plan_host_is_lost(const struct plan_host *p)
{
    return p->broken || circuit_is_lost(p->circuit);
}

bool plan_host_is_broken(const struct plan_host *p)
{
    return p->broken || circuit_is_broken(p->circuit);
}

enum plan_state plan_host_state(const struct plan_host *p)
{
    return p->state;
}

const struct err *plan_host_error(const struct plan_host *p)
{
    return &p->error;
}

lsn_t plan_host_lsn(const struct plan_host *p)
{
    return p->lsn;
}

bool plan_host_has_view(const struct plan_host *p)
{
    return p->has_view;
}

struct payload *plan_host_snapshot(struct plan_host *p)
{
    assert(p->has_view && p->state != PLAN_FAILED);
    if (!p->snapshot) {
        const struct bag *emitted = p->state == PLAN_REBUILDING ? &p->stale : &p->view;
        p->snapshot = encode_snapshot(&p->encoder, emitted, p->lsn);
    }
    return payload_ref(p->snapshot);
}

struct payload *plan_host_last_words(struct plan_host *p)
{
    if (!p->has_view)
        return NULL;
    if (p->state != PLAN_FAILED)
        return plan_host_snapshot(p);
    set_emitted_aside(p);
    return encode_snapshot(&p->encoder, &p->stale, p->lsn);
}

/* Many come with the same question: those who are sent changes together, and rest for as long. */
struct payload *plan_host_changes_since(struct plan_host *p, lsn_t since)
{
    if (p->net && p->net_since == since)
        return payload_ref(p->net);
    struct payload *net = p->has_view ? history_net(&p->history, since, p->lsn) : NULL;
    forget_net(p);
    p->net = net ? payload_ref(net) : NULL;
    p->net_since = since;
    return net;
}

void plan_host_forget(struct plan_host *p, lsn_t upto)
{
    history_forget(&p->history, upto);
}

static size_t bytes_from(const struct history *h, size_t first)
{
    size_t bytes = 0;
    for (size_t i = first; i < h->entries.n; i++)
        bytes += h->entries.v[i].payload->len;
    return bytes;
}

bool plan_host_resume(struct plan_host *p, lsn_t since, size_t max_bytes,
                      void (*fn)(void *arg, struct payload *payload), void *arg, lsn_t *base)
{
    const struct history *h = &p->history;
    size_t i;
    if (!p->has_view || !history_find(h, since, &i))
        return false;
    *base = i < h->entries.n ? h->entries.v[i].from : p->lsn;
    if (i + 1 < h->entries.n && bytes_from(h, i) > max_bytes) {
        struct payload *net = plan_host_changes_since(p, *base);
        fn(arg, net);
        payload_unref(net);
        return true;
    }
    for (; i < h->entries.n; i++)
        fn(arg, h->entries.v[i].payload);
    return true;
}

uint64_t plan_host_rows(const struct plan_host *p)
{
    return (uint64_t)(p->state == PLAN_REBUILDING ? p->stale.total : p->view.total);
}

uint64_t plan_host_bytes(const struct plan_host *p)
{
    return (p->circuit ? circuit_bytes(p->circuit) : 0) + p->view.bytes + p->unsent.bytes +
           p->stale.bytes + p->history.bytes + (p->snapshot ? p->snapshot->len : 0) +
           (p->net ? p->net->len : 0);
}

bool plan_host_fits(const struct plan_host *p, struct err *err)
{
    uint64_t most = p->limits.plan_bytes, bytes = most ? plan_host_bytes(p) : 0;
    if (bytes <= most)
        return true;
    err_set(err, ERR_OUT_OF_MEMORY, "the plan takes %llu bytes", (unsigned long long)bytes);
    return err_hint(err, "limits.plan_bytes, the most that one plan may take, is %llu.",
                    (unsigned long long)most);
}

const struct circuit *plan_host_circuit(const struct plan_host *p)
{
    return p->circuit;
}
