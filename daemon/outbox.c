/*
 * outbox: see outbox.h.
 */
#include "daemon/outbox.h"

#include <assert.h>
#include <string.h>

/* A step counts at least this much: its own structures and the messages that carry it. */
#define STEP_OVERHEAD 1024

#define SPARE_STEPS 64           /* at most so many are kept for reuse… */
#define SPARE_BYTES (64u * 1024) /* …and none that has grown larger */

static size_t weight(const struct step *s)
{
    return s->bytes + STEP_OVERHEAD;
}

void outbox_fini(struct outbox *o)
{
    for (size_t i = o->first; i < o->sent.n; i++)
        step_unref(o->sent.v[i]);
    for (size_t i = 0; i < o->spare.n; i++)
        step_unref(o->spare.v[i]);
    VEC_FREE(o->sent);
    VEC_FREE(o->spare);
    VEC_FREE(o->nplans);
    memset(o, 0, sizeof *o);
}

/* Keeps the caller's reference until the workers are done with it. */
static void remember(struct outbox *o, struct step *s)
{
    if (o->first == o->sent.n) {
        o->first = o->sent.n = 0;
    } else if (o->first >= 64 && o->first >= o->sent.n / 2) {
        o->sent.n -= o->first;
        memmove(o->sent.v, o->sent.v + o->first, o->sent.n * sizeof *o->sent.v);
        o->first = 0;
    }
    VEC_PUSH(o->sent, s);
    o->bytes += weight(s);
}

struct step *outbox_new_step(struct outbox *o)
{
    return o->spare.n ? o->spare.v[--o->spare.n] : step_new();
}

static void let_go(struct outbox *o, struct step *s)
{
    if (o->spare.n >= SPARE_STEPS || s->arena.bytes > SPARE_BYTES) {
        step_unref(s);
        return;
    }
    step_reset(s);
    VEC_PUSH(o->spare, s);
}

void outbox_count_plan(struct outbox *o, const struct plan *p, bool more)
{
    while (o->nplans.n < o->nworkers)
        VEC_PUSH(o->nplans, 0);
    for (size_t i = 0; i < o->nworkers; i++) {
        if (o->workers[i] == p->worker)
            o->nplans.v[i] += more ? 1 : (size_t)-1;
    }
}

static bool has_plans(const struct outbox *o, size_t worker)
{
    return worker < o->nplans.n && o->nplans.v[worker];
}

static void post_step(struct outbox *o, size_t worker, struct step *s)
{
    struct wmsg_step *m = NEW(struct wmsg_step);
    m->m.kind = W_STEP;
    m->step = step_ref(s);
    worker_post(o->workers[worker], &m->m);
}

void outbox_step(struct outbox *o, struct step *s)
{
    assert(s->lsn >= o->lsn);
    o->lsn = s->lsn;
    for (size_t i = 0; i < o->nworkers; i++) {
        if (has_plans(o, i))
            post_step(o, i, s);
        else
            o->behind = true;
    }
    remember(o, s);
}

void outbox_catch_up(struct outbox *o)
{
    struct step *s = outbox_new_step(o);
    s->lsn = o->lsn;
    for (size_t i = 0; i < o->nworkers; i++) {
        if (!has_plans(o, i))
            post_step(o, i, s);
    }
    o->behind = false;
    remember(o, s);
}

void outbox_seed(struct outbox *o, struct plan *p, struct step *part, bool last, lsn_t lsn)
{
    struct wmsg_seed *m = NEW(struct wmsg_seed);
    m->m.kind = W_SEED;
    m->plan = plan_ref(p);
    m->part = part ? step_ref(part) : NULL;
    m->last = last;
    m->lsn = lsn;
    worker_post(p->worker, &m->m);
    if (part)
        remember(o, part);
}

void outbox_plan(struct outbox *o, enum worker_msg_kind kind, struct plan *p)
{
    struct wmsg_plan *m = NEW(struct wmsg_plan);
    (void)o;
    m->m.kind = kind;
    m->plan = plan_ref(p);
    worker_post(p->worker, &m->m);
}

void outbox_leaves(struct outbox *o, struct plan *p, size_t source, const uint32_t *leaves,
                   size_t n)
{
    struct wmsg_leaves *m = NEW(struct wmsg_leaves);
    (void)o;
    m->m.kind = W_LEAVES;
    m->plan = plan_ref(p);
    m->source = source;
    m->leaves = xcalloc(n ? n : 1, sizeof *m->leaves);
    if (n)
        memcpy(m->leaves, leaves, n * sizeof *leaves);
    m->n = n;
    worker_post(p->worker, &m->m);
}

void outbox_touched(struct outbox *o, struct plan *p, lsn_t lsn)
{
    struct wmsg_touched *m = NEW(struct wmsg_touched);
    (void)o;
    m->m.kind = W_TOUCHED;
    m->plan = plan_ref(p);
    m->lsn = lsn;
    worker_post(p->worker, &m->m);
}

void outbox_answer(struct outbox *o, struct plan *p, struct bag *rows, const struct err *err,
                   lsn_t lsn, lsn_t until, bool check)
{
    struct wmsg_answer *m = NEW(struct wmsg_answer);
    (void)o;
    m->m.kind = W_ANSWER;
    m->plan = plan_ref(p);
    m->rows = *rows;
    bag_init(rows);
    if (err)
        m->err = *err;
    m->lsn = lsn;
    m->until = until;
    m->check = check;
    worker_post(p->worker, &m->m);
}

void outbox_check(struct outbox *o, struct plan *p, struct bag *rows, const struct err *err,
                  lsn_t shown, lsn_t until, lsn_t lsn)
{
    struct wmsg_check *m = NEW(struct wmsg_check);
    (void)o;
    m->m.kind = W_CHECK;
    m->plan = plan_ref(p);
    m->rows = *rows;
    bag_init(rows);
    if (err)
        m->err = *err;
    m->shown = shown;
    m->until = until;
    m->lsn = lsn;
    worker_post(p->worker, &m->m);
}

void outbox_end(struct outbox *o, struct plan *p, const struct err *err, enum end_cause cause)
{
    struct wmsg_end *m = NEW(struct wmsg_end);
    (void)o;
    m->m.kind = W_END;
    m->plan = plan_ref(p);
    m->err = *err;
    m->cause = cause;
    worker_post(p->worker, &m->m);
}

size_t outbox_backlog(struct outbox *o)
{
    while (o->first < o->sent.n) {
        struct step *s = o->sent.v[o->first];
        /* Only this thread gives references away: one left is ours. */
        if (atomic_load_explicit(&s->refs, memory_order_acquire) != 1)
            break;
        o->bytes -= weight(s);
        o->first++;
        let_go(o, s);
    }
    return o->sent.n - o->first;
}
