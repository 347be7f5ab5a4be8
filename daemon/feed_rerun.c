/*
 * feed_rerun: plans whose statement Postgres is asked again: when, and as of which LSN the answer is.
 *
 *      its tables are published          answer accepted
 *   WAITING ──▶ wanted ──▶ running ──▶ back ──────────────▶ LIVE ──a table is touched──▶ wanted …
 *                 ▲                      │ the stream must pass the snapshot's WAL position first;
 *                 └── not a prefix, lock ┘ then prefix.h decides
 *
 * There is no replaying of transactions into a result, so the snapshot itself must show a state that
 * the stream went through, as far as the plan's tables go. If it does, the answer bears the LSN of
 * the last touch it shows and holds until the first touch it doesn't; the worker is told both. A
 * first answer bears the stream's position, where everything lies that was written before the tables
 * were published. If it doesn't, the answer is thrown away and the statement is run again.
 *
 * All plans that are wanted go in one job, and there is one at a time: so runs are coalesced, and
 * results of different plans belong together. A plan that is touched without end is asked at most
 * half of the time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/feed_int.h"
#include "daemon/log.h"
#include "daemon/rerun.h"

#define TOUCHES_MAX (1u << 20) /* more are not kept; a run under way is then begun anew */
#define PAUSE_FIRST 1          /* ms: a commit that no snapshot shows yet is soon shown */
#define PAUSE_MAX   10000

void rerun_job_free(struct rerun_job *job)
{
    for (size_t i = 0; i < job->n; i++) {
        plan_unref(job->items[i].plan);
        free(job->items[i].leaves);
        bag_fini(&job->items[i].rows);
    }
    free(job->items);
    snapshot_fini(&job->snap);
    free(job);
}

/* ---- plans --------------------------------------------------------------------------------- */

void feed_rerun_add(struct feed *f, struct fed_plan *p)
{
    p->rerun = NEW(struct fed_rerun);
    VEC_PUSH(f->reruns, p);
    feed_rerun_restart(f, p);
}

void feed_rerun_remove(struct feed *f, struct fed_plan *p)
{
    for (size_t i = 0; i < f->reruns.n; i++)
        if (f->reruns.v[i] == p)
            f->reruns.v[i] = f->reruns.v[--f->reruns.n];
    VEC_FREE(p->rerun->touches);
    free(p->rerun);
    p->rerun = NULL;
}

void feed_rerun_restart(struct feed *f, struct fed_plan *p)
{
    struct fed_rerun *r = p->rerun;
    r->wanted = r->fresh = true;
    r->doomed = r->running;
    r->told = false;
    r->base = f->ing.position;
    r->touches.n = 0;
    r->retry_at = r->pause = r->due_at = 0;
    f->rerun_work = true;
}

void feed_rerun_forget_jobs(struct feed *f)
{
    for (size_t i = 0; i < f->reruns.n; i++)
        f->reruns.v[i]->rerun->running = false;
    if (f->rerun_back)
        rerun_job_free(f->rerun_back);
    f->rerun_back = NULL;
    f->rerun_out = false;
}

void feed_rerun_wake_at(struct feed *f, uint64_t when)
{
    if (!f->rerun_at || when < f->rerun_at)
        f->rerun_at = when;
}

/* ---- touches ------------------------------------------------------------------------------- */

/* The list is as long as a run lasts. Beyond all measure it is given up: what was touched until now
 * must then be shown by the next answer. */
static void forget_touches(struct fed_rerun *r, lsn_t end)
{
    r->doomed = r->running;
    r->fresh = true;
    r->base = end;
    r->touches.n = 0;
}

static void touch(struct feed *f, struct fed_plan *p, uint32_t xid, lsn_t end)
{
    struct fed_rerun *r = p->rerun;
    if (r->touches.n >= TOUCHES_MAX)
        forget_touches(r, end);
    VEC_PUSH(r->touches, ((struct touch){end, xid}));
    r->wanted = true;
    f->rerun_work = true;
    if (p->state != FED_LIVE || r->told)
        return;
    r->told = true;
    outbox_touched(f->out, p->plan, end);
}

void feed_rerun_touched(void *feed, struct leaf *const *leaves, size_t n, uint32_t xid, lsn_t end)
{
    struct feed *f = feed;
    feed_verify_touched(f, leaves, n, xid, end);
    for (size_t i = 0; i < f->reruns.n; i++) {
        struct fed_plan *p = f->reruns.v[i];
        bool reads = false;
        for (size_t k = 0; k < n && !reads; k++)
            reads = feed_needs(p, leaves[k]);
        if (reads && p->state != FED_ENDED)
            touch(f, p, xid, end);
    }
}

/* ---- asking -------------------------------------------------------------------------------- */

/* Whether it can be asked now; if not, what is missing is on its way. */
static bool is_ready(struct feed *f, struct fed_plan *p)
{
    struct fed_rerun *r = p->rerun;
    if (p->state == FED_ENDED)
        return false;
    if (r->due_at && r->due_at <= f->now) {
        r->due_at = 0;
        r->wanted = true;
    }
    if (r->due_at)
        feed_rerun_wake_at(f, r->due_at);
    if (!r->wanted || r->running)
        return false;
    if (!feed_are_published(p)) {
        feed_request_publishing(f, p);
        return false;
    }
    if (r->retry_at <= f->now)
        return true;
    feed_rerun_wake_at(f, r->retry_at);
    return false;
}

static struct rerun_item describe(struct fed_plan *p)
{
    struct rerun_item item = {.plan = plan_ref(p->plan), .nleaves = p->needs.n};
    item.leaves = xcalloc(p->needs.n ? p->needs.n : 1, sizeof *item.leaves);
    for (size_t i = 0; i < p->needs.n; i++)
        item.leaves[i] = p->needs.v[i].leaf->relid;
    p->rerun->wanted = p->rerun->doomed = false;
    p->rerun->running = true;
    return item;
}

static void ask(struct feed *f)
{
    VEC(struct rerun_item) items = {0};
    bool timed = false;
    for (size_t i = 0; i < f->reruns.n; i++) {
        struct fed_plan *p = f->reruns.v[i];
        if (!is_ready(f, p) || f->rerun_out || f->rerun_back)
            continue;
        timed |= p->plan->spec->rerun->timed;
        VEC_PUSH(items, describe(p));
    }
    if (!items.n)
        return;
    struct rerun_job *job = NEW(struct rerun_job);
    job->m.kind = R_ANSWERED;
    job->epoch = f->epoch;
    job->items = items.v;
    job->n = items.n;
    job->timed = timed;
    f->rerun_out = true;
    f->rerun_start = f->ing.seq;
    f->ask_rerun(f->ask_rerun_arg, &job->m);
}

/* ---- answers ------------------------------------------------------------------------------- */

void feed_answered(struct feed *f, struct rerun_job *job)
{
    if (job->check) {
        feed_verify_answered(f, job);
        return;
    }
    if (job->epoch != f->epoch || !f->streaming) {
        rerun_job_free(job);
        return;
    }
    f->rerun_out = false;
    f->rerun_back = job;
    f->rerun_work = true;
}

static void try_again(struct feed *f, struct fed_plan *p)
{
    struct fed_rerun *r = p->rerun;
    r->wanted = true;
    r->pause = r->pause ? r->pause * 2 : PAUSE_FIRST;
    if (r->pause > PAUSE_MAX)
        r->pause = PAUSE_MAX;
    r->retry_at = f->now + r->pause;
}

/* The LSN that the answer bears, and the first one it doesn't hold for. False: it is of no LSN. */
static bool find_label(const struct feed *f, const struct fed_plan *p,
                       const struct rerun_item *item, const struct snapshot *s, lsn_t *label,
                       lsn_t *hidden)
{
    const struct fed_rerun *r = p->rerun;
    lsn_t shown;
    if (!snapshot_covers(s, &f->origin) ||
        !prefix_is_old_shown(&f->ing.ring, s, r->base, item->leaves, item->nleaves) ||
        !prefix_of(r->touches.v, r->touches.n, s, &shown, hidden))
        return false;
    if (!r->fresh && !shown && *hidden != LSN_MAX)
        return false; /* nothing new to see yet */
    *label = shown;
    if (r->fresh || !shown)
        *label = f->ing.position < *hidden ? f->ing.position : *hidden - 1;
    return true;
}

static void drop_touches(struct fed_rerun *r, lsn_t upto)
{
    size_t n = 0;
    for (size_t i = 0; i < r->touches.n; i++)
        if (r->touches.v[i].lsn > upto)
            r->touches.v[n++] = r->touches.v[i];
    r->touches.n = n;
}

static void accept(struct feed *f, struct fed_plan *p, struct rerun_item *item, lsn_t label,
                   lsn_t hidden)
{
    struct fed_rerun *r = p->rerun;
    bool error = item->outcome == RERUN_FAILED;
    lsn_t upto = hidden == LSN_MAX ? f->ing.position : hidden - 1;
    drop_touches(r, upto);
    r->base = upto;
    r->label = label;
    r->fresh = false;
    log_repeat_end(&r->trouble);
    r->told = hidden != LSN_MAX;
    r->wanted = r->touches.n > 0;
    r->pause = 0;
    r->retry_at = f->now + item->took;
    r->due_at = p->plan->spec->rerun->timed ? f->now + f->limits.rerun_interval : 0;
    const struct err *err = error ? &item->err : NULL;
    bool check = feed_verify_answer(f, p, err);
    outbox_answer(f->out, p->plan, &item->rows, err, label, hidden, check);
    p->started = true;
    if (p->state != FED_LIVE)
        feed_set_state(f, p, FED_LIVE);
}

bool feed_rerun_is_no_answer(const struct err *err)
{
    return strncmp(err->sqlstate, "57", 2) == 0 || strncmp(err->sqlstate, "XX", 2) == 0;
}

/* One that takes too long keeps all others waiting. */
static void ask_rarely(struct feed *f, struct fed_rerun *r, uint64_t took)
{
    r->due_at = r->retry_at = f->now + (took * 3 > PAUSE_MAX ? took * 3 : PAUSE_MAX);
}

static void log_trouble(struct feed *f, struct fed_plan *p, const struct err *err)
{
    char text[sizeof err->message + 100];
    snprintf(text, sizeof text, "plan %s could not be run again: %s", p->plan->spec->key,
             err->message);
    log_repeat(&p->rerun->trouble, LOG_LEVEL_WARN, f->now, text);
}

static void settle(struct feed *f, struct fed_plan *p, struct rerun_item *item,
                   const struct snapshot *s)
{
    lsn_t label, hidden;
    p->rerun->running = false;
    if (p->state == FED_ENDED || p->rerun->doomed)
        return; /* it is wanted again */
    if (item->outcome == RERUN_ENDED) {
        feed_end_plan(f, p, &item->err);
    } else if (item->outcome == RERUN_AGAIN) {
        log_trouble(f, p, &item->err);
        try_again(f, p);
    } else if (!find_label(f, p, item, s, &label, &hidden)) {
        log_debug("plan %s: the snapshot shows no prefix of the stream", p->plan->spec->key);
        try_again(f, p);
    } else {
        accept(f, p, item, label, hidden);
        if (item->outcome == RERUN_FAILED && feed_rerun_is_no_answer(&item->err))
            ask_rarely(f, p->rerun, item->took);
    }
}

static struct fed_plan *find(const struct feed *f, const struct plan *plan)
{
    for (size_t i = 0; i < f->reruns.n; i++)
        if (f->reruns.v[i]->plan == plan)
            return f->reruns.v[i];
    return NULL;
}

/* Only when the stream has passed the position read after the snapshot was taken is everything that
 * it shows on disk, and has gone by. */
static bool is_due(const struct feed *f)
{
    return f->rerun_back && f->ing.position >= f->rerun_back->snap.insert_lsn;
}

static void settle_all(struct feed *f)
{
    struct rerun_job *job = f->rerun_back;
    bool same_server = job->snap.postmaster_start == f->postmaster_start;
    f->rerun_back = NULL;
    for (size_t i = 0; i < job->n; i++) {
        struct rerun_item *item = &job->items[i];
        struct fed_plan *p = find(f, item->plan);
        if (!same_server && item->outcome != RERUN_AGAIN) {
            item->outcome = RERUN_AGAIN;
            err_set(&item->err, ERR_CANNOT_CONNECT_NOW, "Postgres was restarted meanwhile");
        }
        if (p)
            settle(f, p, item, &job->snap);
    }
    rerun_job_free(job);
}

void feed_rerun_run(struct feed *f)
{
    bool due = is_due(f);
    if (due || f->rerun_work || (f->rerun_at && f->rerun_at <= f->now)) {
        f->rerun_work = false;
        f->rerun_at = 0;
        if (due)
            settle_all(f);
        ask(f);
    }
    if (f->rerun_at)
        feed_wake_at(f, f->rerun_at);
}
