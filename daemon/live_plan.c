/*
 * live_plan: see live_plan.h. Pushing rows in, telling subscribers what came out.
 *
 *   subscriber            plan LIVE            SEEDING, or FAILED            ended
 *   attaches              SNAPSHOT             waits (FAILED is told why)    ENDED
 *   step changes view     DELTA                –                             –
 *   seed committed        –                    waiting: SNAPSHOT; others DELTA
 */
#include "daemon/live_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/faults.h"
#include "daemon/live_check.h"
#include "daemon/log.h"
#include "daemon/memory.h"
#include "daemon/loop.h"

/* Postgres's MaxTupleAttributeNumber: no table or result has more columns. */
#define MAX_COLUMNS 1664

/* ---- rows in ------------------------------------------------------------------------------- */

static void add_mappings(struct live_plan *lp, size_t source, const uint32_t *leaves, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct row_mapping m = {.relid = leaves[i], .source = source};
        VEC_PUSH(lp->mappings, m);
    }
}

static void clear_mapping(struct row_mapping *m)
{
    leaf_layout_unref(m->leaf);
    free(m->from);
    m->leaf = NULL;
    m->from = NULL;
}

struct live_plan *live_plan_new(struct plan *p, struct worker *w, const struct plan_limits *limits,
                                size_t nloops)
{
    struct live_plan *lp = NEW(struct live_plan);
    lp->plan = plan_ref(p);
    lp->worker = w;
    lp->holds = p->spec->rerun ? 0 : LSN_MAX;
    lp->host = plan_host_new(p->spec, limits);
    lp->subs = xcalloc(nloops, sizeof *lp->subs);
    arena_init(&lp->rows);
    for (size_t i = 0; !p->spec->rerun && i < p->spec->nsources; i++)
        add_mappings(lp, i, p->spec->sources[i].leaves, p->spec->sources[i].nleaves);
    return lp;
}

void live_plan_free(struct live_plan *lp)
{
    live_check_forget(lp);
    plan_host_free(lp->host);
    for (size_t i = 0; i < lp->mappings.n; i++)
        clear_mapping(&lp->mappings.v[i]);
    VEC_FREE(lp->mappings);
    free(lp->subs);
    live_plan_forget_waiting(lp);
    arena_fini(&lp->rows);
    plan_unref(lp->plan);
    free(lp);
}

static uint32_t leaf_position(const struct leaf_layout *leaf, const char *name)
{
    for (uint32_t i = 0; i < leaf->ncols; i++)
        if (strcmp(leaf->names[i], name) == 0)
            return i;
    /* The reader seeds a plan only from leaves that have all its columns. */
    assert(!"a leaf lacks a column that the plan was promised");
    abort();
}

static void map_leaf(struct row_mapping *m, const struct plan_source *src, struct leaf_layout *leaf)
{
    clear_mapping(m);
    m->leaf = leaf_layout_ref(leaf);
    m->from = xcalloc(src->ncols, sizeof *m->from);
    m->identical = src->ncols == leaf->ncols;
    for (uint32_t i = 0; i < src->ncols; i++) {
        m->from[i] = leaf_position(leaf, src->colnames[i]);
        m->identical &= m->from[i] == i;
    }
}

static const uint8_t *map_row(struct live_plan *lp, const struct row_mapping *m,
                              const struct plan_source *src, const uint8_t *row, struct err *err)
{
    const uint8_t *out;
    struct value vals[MAX_COLUMNS];
    for (size_t i = 0; i < src->ncols; i++)
        vals[i] = row_get(m->leaf->layout, row, m->from[i]);
    return row_pack(src->layout, vals, &lp->rows, &out, err) ? out : NULL;
}

static void push_fragment(struct live_plan *lp, struct row_mapping *m, const struct fragment *f)
{
    const struct plan_source *src = &lp->plan->spec->sources[m->source];
    struct err err;
    if (m->leaf != f->leaf)
        map_leaf(m, src, f->leaf);
    for (size_t i = 0; i < f->changes.n; i++) {
        const struct change *c = &f->changes.v[i];
        const uint8_t *row = m->identical ? c->row : map_row(lp, m, src, c->row, &err);
        /* A source row is never larger than the leaf row it is a part of. */
        assert(row);
        plan_host_push(lp->host, m->source, row, c->weight + (c->weight > 0 && FAULT("weight")));
    }
}

void live_plan_push(struct live_plan *lp, const struct fragment *f)
{
    for (size_t i = 0; i < lp->mappings.n; i++)
        if (lp->mappings.v[i].relid == f->relid)
            push_fragment(lp, &lp->mappings.v[i], f);
}

/* ---- news out ------------------------------------------------------------------------------ */

static void broadcast(struct live_plan *lp, enum loop_msg_kind kind, struct payload *payload,
                      lsn_t lsn, const struct err *err)
{
    size_t n;
    struct loop *const *loops = worker_loops(lp->worker, &n);
    for (size_t i = 0; i < n; i++) {
        if (!lp->subs[i])
            continue;
        struct lmsg_plan *m = live_plan_message(lp, kind, 0);
        m->payload = payload ? payload_ref(payload) : NULL;
        m->lsn = lsn;
        if (err)
            m->err = *err;
        loop_post(loops[i], &m->m);
    }
}

static void publish_stats(struct live_plan *lp)
{
    struct plan *p = lp->plan;
    atomic_store_explicit(&p->rows, plan_host_rows(lp->host), memory_order_relaxed);
    atomic_store_explicit(&p->bytes, plan_host_bytes(lp->host), memory_order_relaxed);
    atomic_store_explicit(&p->lsn, plan_host_lsn(lp->host), memory_order_relaxed);
    atomic_store_explicit(&p->state, (int)plan_host_state(lp->host), memory_order_relaxed);
}

static void start_over(struct live_plan *lp)
{
    if (lp->current)
        lp->held = live_plan_holds(lp);
    lp->current = false;
    lp->unsettled = true;
    live_check_forget(lp);
    if (lp->plan->spec->rerun)
        lp->holds = plan_host_lsn(lp->host); /* and no further, until there is an answer */
    plan_host_rebuild(lp->host);
    for (size_t i = 0; i < lp->mappings.n; i++)
        clear_mapping(&lp->mappings.v[i]);
    broadcast(lp, L_STALE, NULL, 0, NULL);
    publish_stats(lp);
}

/* Steps pass the plan by until it has been seeded again. */
static void lose(struct live_plan *lp)
{
    if (plan_host_is_broken(lp->host))
        log_warn(
            "plan %s: a row gave another result than before; is a function that it calls marked "
            "immutable and isn't? %.200s",
            lp->plan->spec->key, lp->plan->spec->sql);
    lp->lost = true;
    start_over(lp);
    registry_reseed(lp->plan->registry, lp->plan);
}

/* What subscribers hold was wrong, or leads there: no DELTA makes that good. */
static void replace(struct live_plan *lp)
{
    struct payload *view = plan_host_snapshot(lp->host);
    plan_host_break_history(lp->host);
    broadcast(lp, L_DIVERGED, view, view->lsn, NULL);
    payload_unref(view);
}

static void tell(struct live_plan *lp, const struct plan_event *ev, lsn_t lsn)
{
    bool live = plan_host_state(lp->host) == PLAN_LIVE;
    bool settled = lp->unsettled && live;
    bool replaced = lp->diverged && live && ev->payload && ev->payload->nrows;
    lp->unsettled = !live;
    lp->diverged &= !live;
    live_check_tell(lp, ev);
    if (replaced)
        replace(lp);
    else if (ev->kind == PLAN_ERROR)
        broadcast(lp, L_FAILED, NULL, lsn, &ev->err);
    else if (ev->kind == PLAN_DELTA || settled)
        broadcast(lp, L_DELTA, ev->payload, ev->payload ? ev->payload->lsn : lsn, NULL);
}

static void end_if_too_large(struct live_plan *lp)
{
    struct err err;
    publish_stats(lp);
    if (!plan_host_fits(lp->host, &err))
        live_plan_end(lp, &err, END_FINAL);
}

void live_plan_commit(struct live_plan *lp, lsn_t lsn, lsn_t holds)
{
    if (!lp->host || lp->lost)
        return;
    struct plan_event ev = plan_host_commit(lp->host, lsn, holds);
    arena_reset(&lp->rows);
    if (ev.kind == PLAN_LOST) {
        lose(lp);
        return;
    }
    if (ev.kind == PLAN_OVERFLOW) {
        live_plan_end(lp, &ev.err, END_FINAL);
        return;
    }
    /* Those who wait have no state that a DELTA could change: they are served after it is sent. */
    tell(lp, &ev, lsn);
    payload_unref(ev.payload);
    live_plan_serve_waiting(lp);
    end_if_too_large(lp);
}

void live_plan_touched(struct live_plan *lp, lsn_t lsn)
{
    if (!lp->host || lsn > lp->holds)
        return;
    lp->holds = lsn - 1;
    broadcast(lp, L_HOLDS, NULL, 0, NULL);
}

void live_plan_answer(struct live_plan *lp, struct bag *rows, const struct err *err, lsn_t lsn,
                      lsn_t until)
{
    if (!lp->host)
        return;
    lsn_t holds = !lp->current          ? lp->held
                  : lp->holds < LSN_MAX ? lp->holds
                                        : worker_lsn(lp->worker);
    struct plan_event ev = plan_host_answer(lp->host, rows, err, lsn, holds);
    if (ev.kind == PLAN_OVERFLOW) {
        live_plan_end(lp, &ev.err, END_FINAL);
        return;
    }
    lp->current = true;
    tell(lp, &ev, lsn);
    payload_unref(ev.payload);
    live_plan_serve_waiting(lp);
    /* Last: with it a SYNC may be answered. */
    lp->holds = until == LSN_MAX ? LSN_MAX : until - 1;
    broadcast(lp, L_HOLDS, NULL, lsn, NULL);
    live_plan_serve_waiting(lp); /* who knew more than the answer before */
    end_if_too_large(lp);
}

void live_plan_seed_part(struct live_plan *lp, const struct step *part)
{
    if (!lp->host || lp->lost)
        return;
    for (size_t i = 0; i < part->fragments.n; i++)
        live_plan_push(lp, &part->fragments.v[i]);
    plan_host_absorb(lp->host);
    arena_reset(&lp->rows);
    if (plan_host_is_lost(lp->host))
        lose(lp);
    else
        end_if_too_large(lp);
}

void live_plan_diverged(struct live_plan *lp)
{
    lp->diverged = true;
}

void live_plan_stale(struct live_plan *lp)
{
    lp->lost = false;
    if (lp->host)
        start_over(lp);
}

void live_plan_set_leaves(struct live_plan *lp, size_t source, const uint32_t *leaves, size_t n)
{
    if (lp->plan->spec->rerun)
        return; /* it gets no rows */
    for (size_t i = lp->mappings.n; i-- > 0;) {
        if (lp->mappings.v[i].source != source)
            continue;
        clear_mapping(&lp->mappings.v[i]);
        lp->mappings.v[i] = lp->mappings.v[--lp->mappings.n];
    }
    add_mappings(lp, source, leaves, n);
}

/* Whether anyone is there to be told of its end. */
static bool has_subscribers(const struct live_plan *lp)
{
    size_t n, total = 0;
    (void)worker_loops(lp->worker, &n);
    for (size_t i = 0; i < n; i++)
        total += lp->subs[i];
    return total > 0;
}

/* What those who follow hold. Where there is no memory to say it, they get whole views. */
static struct payload *last_words(struct live_plan *lp)
{
    struct alloc_guard g;
    if (!ALLOC_GUARDED(&g))
        return NULL;
    struct payload *last = plan_host_last_words(lp->host);
    alloc_unguard(&g);
    return last;
}

/* The plan can't go on: it leaves the registry, so that the next who asks for the same statement
 * makes a new one, and its subscribers are told, with what the last of them hold. */
void live_plan_end(struct live_plan *lp, const struct err *err, enum end_cause cause)
{
    if (!lp->host)
        return;
    bool wanted = (cause == END_REFUSED || cause == END_CHANGED) && has_subscribers(lp);
    struct payload *last = wanted ? last_words(lp) : NULL;
    lsn_t lsn = plan_host_lsn(lp->host);
    log_info("plan %s ends: %s", lp->plan->spec->key, err->message);
    if (strcmp(err->sqlstate, ERR_OUT_OF_MEMORY) == 0)
        memory_count_plan();
    lp->end = *err;
    lp->cause = cause;
    lp->current = false;
    live_plan_forget_waiting(lp);
    live_check_forget(lp);
    plan_host_free(lp->host);
    lp->host = NULL;
    registry_retire(lp->plan->registry, lp->plan);
    broadcast(lp, L_ENDED, last, lsn, err);
    payload_unref(last);
}

void live_plan_give_up(struct live_plan *lp)
{
    struct err err;
    memory_refuse("the plan was ended", &err);
    live_plan_end(lp, &err, END_FINAL);
}
