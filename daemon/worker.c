/*
 * worker: the thread, its mailbox and the table that finds the plans a leaf concerns. See worker.h;
 * what happens inside one plan is in live_plan.c.
 */
#include "daemon/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/ages.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/delegate_session.h"
#include "daemon/live_check.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/thread.h"
#include "engine/base/hash.h"

/* Which plans read a leaf. Few leaves, many steps: a small open hash of vectors. */
struct leaf_readers {
    uint32_t relid; /* 0 = free */
    VEC(struct live_plan *) plans;
};

struct worker {
    int no;
    pthread_t thread;
    struct mailbox box;
    struct delegate_session delegate;
    struct plan_limits limits;
    struct loop *const *loops; /* borrowed */
    size_t nloops;
    VEC(struct live_plan *) plans;   /* all, owned */
    VEC(struct leaf_readers) leaves; /* open addressing, size a power of two */
    size_t nleaves;
    VEC(struct live_plan *) touched; /* by the step under way */
    lsn_t progress_sent;
    bool resuming; /* someone may wait for an LSN to be passed */
    struct ages ages;
    atomic_uint_least64_t lsn;
    atomic_size_t backlog; /* steps posted and not finished */
    struct worker_stats stats;
};

struct worker *worker_new(int no, const struct plan_limits *limits, size_t delegated_bytes,
                          struct loop *const *loops, size_t nloops)
{
    struct worker *w = NEW(struct worker);
    w->no = no;
    w->limits = *limits;
    w->loops = loops;
    w->nloops = nloops;
    mailbox_init(&w->box);
    delegate_session_init(&w->delegate, delegated_bytes);
    return w;
}

int worker_no(const struct worker *w)
{
    return w->no;
}

struct loop *const *worker_loops(const struct worker *w, size_t *n)
{
    *n = w->nloops;
    return w->loops;
}

lsn_t worker_lsn(const struct worker *w)
{
    return atomic_load_explicit(&w->lsn, memory_order_acquire);
}

size_t worker_backlog(const struct worker *w)
{
    return atomic_load_explicit(&w->backlog, memory_order_relaxed);
}

const struct worker_stats *worker_stats(const struct worker *w)
{
    return &w->stats;
}

void worker_post(struct worker *w, struct msg *m)
{
    if (m->kind == W_STEP)
        atomic_fetch_add_explicit(&w->backlog, 1, memory_order_relaxed);
    mailbox_post(&w->box, m);
}

/* ---- leaf → plans -------------------------------------------------------------------------- */

static struct leaf_readers *leaf_slot(struct worker *w, uint32_t relid)
{
    if (!w->leaves.n)
        return NULL;
    size_t i = hash_mix(0, relid) & (w->leaves.n - 1);
    while (w->leaves.v[i].relid && w->leaves.v[i].relid != relid)
        i = (i + 1) & (w->leaves.n - 1);
    return &w->leaves.v[i];
}

static void grow_leaves(struct worker *w)
{
    struct leaf_readers *old = w->leaves.v;
    size_t n = w->leaves.n;
    w->leaves.n = w->leaves.cap = n ? n * 2 : 64;
    w->leaves.v = xcalloc(w->leaves.n, sizeof *w->leaves.v);
    for (size_t i = 0; i < n; i++)
        if (old[i].relid)
            *leaf_slot(w, old[i].relid) = old[i];
    free(old);
}

static void leaf_add(struct worker *w, uint32_t relid, struct live_plan *lp)
{
    if (w->nleaves * 2 >= w->leaves.n)
        grow_leaves(w);
    struct leaf_readers *s = leaf_slot(w, relid);
    if (!s->relid) {
        s->relid = relid;
        w->nleaves++;
    }
    for (size_t i = 0; i < s->plans.n; i++)
        if (s->plans.v[i] == lp)
            return;
    VEC_PUSH(s->plans, lp);
}

/* The slot stays, empty: slots are as many as the leaves ever used, and relids come again. */
static void leaf_remove(struct worker *w, uint32_t relid, struct live_plan *lp)
{
    struct leaf_readers *s = leaf_slot(w, relid);
    for (size_t i = 0; i < s->plans.n; i++)
        if (s->plans.v[i] == lp) {
            s->plans.v[i] = s->plans.v[--s->plans.n];
            if (!s->plans.n)
                VEC_FREE(s->plans);
            return;
        }
}

static void each_leaf(struct worker *w, struct live_plan *lp,
                      void (*fn)(struct worker *, uint32_t, struct live_plan *))
{
    for (size_t i = 0; i < lp->mappings.n; i++)
        fn(w, lp->mappings.v[i].relid, lp);
}

/* ---- memory ------------------------------------------------------------------------------- */

/* What a plan does with data of any size is given up when there is no memory for it, and the plan
 * with it; see engine/base/alloc.h. */
static void guarded(struct live_plan *lp, void (*fn)(struct live_plan *lp, const void *arg),
                    const void *arg)
{
    struct alloc_guard g;
    if (ALLOC_GUARDED(&g)) {
        fn(lp, arg);
        alloc_unguard(&g);
    } else {
        live_plan_give_up(lp);
    }
}

static void push_guarded(struct live_plan *lp, const void *fragment)
{
    live_plan_push(lp, fragment);
}

struct step_end {
    lsn_t lsn, holds; /* as live_plan_commit's */
};

static void commit_guarded(struct live_plan *lp, const void *arg)
{
    const struct step_end *end = arg;
    live_plan_commit(lp, end->lsn, end->holds);
}

static void seed_guarded(struct live_plan *lp, const void *part)
{
    live_plan_seed_part(lp, part);
}

static void attach_guarded(struct live_plan *lp, const void *m)
{
    live_plan_attach(lp, m);
}

static void serve_guarded(struct live_plan *lp, const void *arg)
{
    (void)arg;
    live_plan_serve_waiting(lp);
}

static void answer_guarded(struct live_plan *lp, const void *arg)
{
    struct wmsg_answer *m = (struct wmsg_answer *)(uintptr_t)arg;
    if (m->check)
        live_check_answer(lp, m);
    live_plan_answer(lp, &m->rows, err_is_set(&m->err) ? &m->err : NULL, m->lsn, m->until);
}

/* ---- messages ------------------------------------------------------------------------------ */

static void tell_progress(struct worker *w)
{
    lsn_t lsn = worker_lsn(w);
    if (lsn == w->progress_sent)
        return;
    w->progress_sent = lsn;
    for (size_t i = 0; i < w->nloops; i++) {
        struct lmsg_progress *m = NEW(struct lmsg_progress);
        m->m.kind = L_PROGRESS;
        m->worker = w;
        m->lsn = lsn;
        loop_post(w->loops[i], &m->m);
    }
}

static void push_to_readers(struct worker *w, const struct fragment *f)
{
    struct leaf_readers *s = leaf_slot(w, f->relid);
    for (size_t i = 0; s && i < s->plans.n; i++) {
        struct live_plan *lp = s->plans.v[i];
        if (!lp->current)
            continue;
        guarded(lp, push_guarded, f);
        if (!lp->touched) {
            lp->touched = true;
            VEC_PUSH(w->touched, lp);
        }
    }
}

/* A loop with more subscribers than it can serve: we wait, so that steps pile up before us, where
 * the reader sees it and folds them into fewer. Loops never wait for workers. */
static void wait_for_loops(const struct worker *w)
{
    const struct timespec nap = {.tv_nsec = 200000};
    for (size_t i = 0; i < w->nloops; i++)
        while (loop_backlog(w->loops[i]) > LOOP_BACKLOG_MAX)
            nanosleep(&nap, NULL);
}

static void run_step(struct worker *w, struct wmsg_step *m)
{
    struct step *step = m->step;
    const struct step_end end = {step->lsn, step->ntxns == 1 ? step->lsn - 1 : worker_lsn(w)};
    wait_for_loops(w);
    for (size_t i = 0; i < step->fragments.n; i++)
        push_to_readers(w, &step->fragments.v[i]);
    for (size_t i = 0; i < w->touched.n; i++) {
        w->touched.v[i]->touched = false;
        guarded(w->touched.v[i], commit_guarded, &end);
    }
    w->touched.n = 0;
    atomic_store_explicit(&w->lsn, step->lsn, memory_order_release);
    atomic_fetch_add_explicit(&w->stats.steps, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->stats.txns, step->ntxns, memory_order_relaxed);
    atomic_fetch_sub_explicit(&w->backlog, 1, memory_order_relaxed);
    step_unref(step);
}

static void add_plan(struct worker *w, struct wmsg_plan *m)
{
    struct live_plan *lp = live_plan_new(m->plan, w, &w->limits, w->nloops);
    m->plan->live = lp;
    VEC_PUSH(w->plans, lp);
    each_leaf(w, lp, leaf_add);
}

static void drop_plan(struct worker *w, struct wmsg_plan *m)
{
    struct live_plan *lp = m->plan->live;
    for (size_t i = 0; i < w->plans.n; i++)
        if (w->plans.v[i] == lp)
            w->plans.v[i] = w->plans.v[--w->plans.n];
    each_leaf(w, lp, leaf_remove);
    m->plan->live = NULL;
    live_plan_free(lp);
}

/* A plan that isn't whole yet is the first to do without. */
static void seed_part(struct live_plan *lp, const struct step *part)
{
    struct err err;
    if (memory_admit("its tables can't be read", &err))
        guarded(lp, seed_guarded, part);
    else
        live_plan_end(lp, &err, END_FINAL);
}

static void seed(struct worker *w, struct wmsg_seed *m)
{
    struct live_plan *lp = m->plan->live;
    if (m->part)
        seed_part(lp, m->part);
    if (m->last) {
        lp->current = lp->host && !lp->lost;
        guarded(lp, commit_guarded, &(struct step_end){m->lsn, lp->held});
        if (m->lsn > worker_lsn(w))
            atomic_store_explicit(&w->lsn, m->lsn, memory_order_release);
    }
    step_unref(m->part);
}

static void set_leaves(struct worker *w, const struct wmsg_leaves *m)
{
    struct live_plan *lp = m->plan->live;
    each_leaf(w, lp, leaf_remove);
    live_plan_set_leaves(lp, m->source, m->leaves, m->n);
    each_leaf(w, lp, leaf_add);
    free(m->leaves);
}

/* From the watch it may come when the plan has just been dropped. */
static void end_plan(struct live_plan *lp, const struct wmsg_end *m)
{
    if (lp)
        live_plan_end(lp, &m->err, m->cause);
}

/* Without memory for it nothing is said, and the plan goes on. */
static void check(struct wmsg_check *m)
{
    struct alloc_guard g;
    if (ALLOC_GUARDED(&g)) {
        live_check(m->plan->live, m);
        alloc_unguard(&g);
    } else {
        live_check_give_up(m->plan->live, m);
    }
    bag_fini(&m->rows);
}

/* What functions were thought to give is forgotten too: it may be what was wrong. */
static void diverged(struct worker *w, struct wmsg_plan *m)
{
    delegator_forget(w->delegate.delegator);
    live_plan_diverged(m->plan->live);
}

static void answer(struct wmsg_answer *m)
{
    guarded(m->plan->live, answer_guarded, m);
    bag_fini(&m->rows);
}

/* Handles one message and frees it; false = stop. */
static bool handle(struct worker *w, struct msg *m)
{
    struct wmsg_plan *pm = (struct wmsg_plan *)m;
    struct wmsg_attach *am = (struct wmsg_attach *)m;
    bool go_on = true;
    switch ((enum worker_msg_kind)m->kind) {
    case W_STEP: run_step(w, (struct wmsg_step *)m); break;
    case W_ADD: add_plan(w, pm); break;
    case W_SEED: seed(w, (struct wmsg_seed *)m); break;
    case W_STALE: live_plan_stale(pm->plan->live); break;
    case W_TOUCHED: live_plan_touched(pm->plan->live, ((struct wmsg_touched *)m)->lsn); break;
    case W_ANSWER: answer((struct wmsg_answer *)m); break;
    case W_RECORD: live_check_record(pm->plan->live); break;
    case W_FORGET: live_check_forget(pm->plan->live); break;
    case W_CHECK: check((struct wmsg_check *)m); break;
    case W_DIVERGED: diverged(w, pm); break;
    case W_LEAVES: set_leaves(w, (struct wmsg_leaves *)m); break;
    case W_END: end_plan(pm->plan->live, (struct wmsg_end *)m); break;
    case W_DROP: drop_plan(w, pm); break;
    case W_ATTACH:
        guarded(am->plan->live, attach_guarded, am);
        w->resuming |= am->plan->live->waiting.nresuming > 0;
        payload_unref(am->former);
        break;
    case W_DETACH: live_plan_detach(am->plan->live, am); break;
    case W_EXPLAIN: live_plan_explain(am); break;
    case W_STOP: go_on = false; break;
    }
    /* All kinds but these two begin with the same two members: the message and a plan. */
    if (m->kind != W_STEP && m->kind != W_STOP)
        plan_unref(pm->plan);
    free(m);
    return go_on;
}

/* Those who came back with an LSN that we hadn't reached. */
static void serve_resuming(struct worker *w)
{
    if (!w->resuming)
        return;
    w->resuming = false;
    for (size_t i = 0; i < w->plans.n; i++) {
        if (!w->plans.v[i]->waiting.nresuming)
            continue;
        guarded(w->plans.v[i], serve_guarded, NULL);
        w->resuming |= w->plans.v[i]->waiting.nresuming > 0;
    }
}

/* What led to the states of limits.history_age ago and before is forgotten. */
static void forget_old(struct worker *w)
{
    uint64_t now = clock_ms();
    if (!ages_due(&w->ages, now))
        return;
    const struct config *cfg = config_current();
    lsn_t upto = ages_note(&w->ages, now, worker_lsn(w), (uint64_t)cfg->limits_history_age);
    config_unref(cfg);
    for (size_t i = 0; upto && i < w->plans.n; i++)
        live_plan_forget(w->plans.v[i], upto);
}

static uint64_t cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    bool go_on = true;
    delegate_session_enter(&w->delegate);
    while (go_on) {
        struct msg *m = mailbox_wait(&w->box, ages_wait(&w->ages, clock_ms()));
        while (m) {
            struct msg *next = m->next;
            go_on &= handle(w, m);
            m = next;
        }
        serve_resuming(w);
        tell_progress(w);
        forget_old(w);
        atomic_store_explicit(&w->stats.busy_ns, cpu_ns(), memory_order_relaxed);
    }
    delegate_session_leave(&w->delegate);
    return NULL;
}

void worker_start(struct worker *w)
{
    thread_start(&w->thread, "worker", worker_main, w);
}

void worker_stop(struct worker *w)
{
    struct msg *m = NEW(struct msg);
    m->kind = W_STOP;
    delegate_session_stop(&w->delegate);
    worker_post(w, m);
    pthread_join(w->thread, NULL);
}

/* After the stop: what others still posted is dropped with the references it holds. */
void worker_free(struct worker *w)
{
    for (struct msg *m = mailbox_take(&w->box), *next; m; m = next) {
        next = m->next;
        handle(w, m);
    }
    while (w->plans.n) {
        struct live_plan *lp = w->plans.v[--w->plans.n];
        lp->plan->live = NULL;
        live_plan_free(lp);
    }
    for (size_t i = 0; i < w->leaves.n; i++)
        VEC_FREE(w->leaves.v[i].plans);
    VEC_FREE(w->leaves);
    VEC_FREE(w->plans);
    VEC_FREE(w->touched);
    mailbox_fini(&w->box);
    delegate_session_fini(&w->delegate);
    free(w);
}
