/*
 * feed_verify: plans whose rows are held against Postgres's answer, on request and by the audit.
 *
 *     wanted ──▶ ASKED ──▶ BACK ──▶ COMPARING ──▶ the askers are told
 *       ▲          │ Postgres  │ the stream   │ the worker
 *       │          │ answers   │ is there     ├──▶ wrong: heal, and wanted once more
 *       └──────────┴───────────┴──────────────┘ not comparable: again, after a pause
 *
 * One plan at a time, so that a busy daemon isn't kept busier and one answer is in memory. The answer
 * must be that of an LSN, for which the leaves of the plan tell when they are changed (prefix.h), just
 * as with a rerun. The worker is told for which LSNs it stands and goes back to them (live_check.h). A
 * rerun is simply asked again, and its worker compares before it takes the answer over.
 *
 * What becomes of the verdict, and of a wrong plan, is feed_verdict.c's.
 *
 * The audit wants one plan each interval, the next one in the list, unless the workers are behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/feed_int.h"
#include "daemon/log.h"
#include "daemon/rerun.h"

#define TOUCHES_MAX   (1u << 20)
#define RERUN_WAIT_MS 60000
#define LAG_STEPS     16 /* the workers are behind: no audit now */

static const char over[] = "the plan has come to an end";
static const char unreachable[] = "Postgres can't be reached just now";

/* ---- who wants to know --------------------------------------------------------------------- */

void feed_verify_want(struct feed *f, struct fed_plan *p)
{
    f->check.nwanted += !p->verify.wanted;
    p->verify.wanted = true;
}

static void want_no_more(struct feed *f, struct fed_plan *p)
{
    f->check.nwanted -= p->verify.wanted;
    p->verify.wanted = false;
}

static void tell_unsure(struct feed *f, const struct feed_asker *who, const char *sqlstate,
                        const char *message)
{
    struct verdict v = {.kind = VERDICT_UNSURE};
    err_set(&v.err, sqlstate, "%s", message);
    if (f->tell)
        f->tell(f->tell_arg, who, &v);
}

void feed_verify(struct feed *f, struct plan *plan, const struct feed_asker *who)
{
    struct fed_plan *p = feed_find_plan(f, plan);
    if (!p || p->state == FED_ENDED) {
        tell_unsure(f, who, ERR_QUERY_CANCELED, over);
        return;
    }
    if (!f->streaming) {
        tell_unsure(f, who, ERR_CANNOT_CONNECT_NOW, unreachable);
        return;
    }
    VEC_PUSH(p->verify.waiting, *who);
    feed_verify_want(f, p);
}

static void refuse_waiting(struct feed *f, struct fed_plan *p, const char *sqlstate,
                           const char *why)
{
    for (size_t i = 0; i < p->verify.waiting.n; i++)
        tell_unsure(f, &p->verify.waiting.v[i], sqlstate, why);
    want_no_more(f, p);
    VEC_FREE(p->verify.waiting);
}

static void refuse_current(struct feed *f, const char *sqlstate, const char *why)
{
    for (size_t i = 0; i < f->check.askers.n; i++)
        tell_unsure(f, &f->check.askers.v[i], sqlstate, why);
    f->check.askers.n = 0;
}

/* ---- what happens meanwhile ---------------------------------------------------------------- */

void feed_verify_watch(struct fed_plan *p, bool on)
{
    if (p->watched == on || p->rerun)
        return;
    p->watched = on;
    for (size_t i = 0; i < p->needs.n; i++)
        p->needs.v[i].leaf->watchers += on ? 1 : UINT32_MAX;
}

void feed_verify_touched(struct feed *f, struct leaf *const *leaves, size_t n, uint32_t xid,
                         lsn_t end)
{
    struct feed_check *c = &f->check;
    bool reads = false;
    if (!c->plan || !c->plan->watched || c->doomed)
        return;
    for (size_t i = 0; i < n && !reads; i++)
        reads = feed_needs(c->plan, leaves[i]);
    if (!reads)
        return;
    c->doomed = c->touches.n >= TOUCHES_MAX;
    VEC_PUSH(c->touches, ((struct touch){end, xid}));
}

void feed_verify_stale(struct feed *f, struct fed_plan *p)
{
    if (f->check.plan == p)
        f->check.doomed = true;
}

void feed_verify_gone(struct feed *f, struct fed_plan *p)
{
    refuse_waiting(f, p, ERR_QUERY_CANCELED, over);
    if (f->check.plan != p)
        return;
    refuse_current(f, ERR_QUERY_CANCELED, over);
    feed_verify_watch(p, false);
    f->check.plan = NULL;
}

/* The job that is out, or the worker's verdict, comes back all the same. */
void feed_verify_suspend(struct feed *f)
{
    struct feed_check *c = &f->check;
    c->doomed = true;
    refuse_current(f, ERR_CANNOT_CONNECT_NOW, unreachable);
    for (size_t i = 0; i < f->plans.n; i++) {
        refuse_waiting(f, f->plans.v[i], ERR_CANNOT_CONNECT_NOW, unreachable);
        if (f->plans.v[i]->verify.healing)
            feed_verify_want(f, f->plans.v[i]);
    }
}

/* ---- asking -------------------------------------------------------------------------------- */

static struct rerun_job *new_job(const struct feed *f, const struct fed_plan *p)
{
    struct rerun_job *job = NEW(struct rerun_job);
    job->m.kind = R_ANSWERED;
    job->epoch = f->epoch;
    job->check = true;
    job->items = xcalloc(1, sizeof *job->items);
    job->n = 1;
    struct rerun_item *item = &job->items[0];
    item->plan = plan_ref(p->plan);
    item->bare = true;
    item->nleaves = p->needs.n;
    item->leaves = xcalloc(p->needs.n ? p->needs.n : 1, sizeof *item->leaves);
    for (size_t i = 0; i < p->needs.n; i++)
        item->leaves[i] = p->needs.v[i].leaf->relid;
    return job;
}

/* All changes until now are with the worker before it begins to keep what it tells. */
static void ask(struct feed *f, struct fed_plan *p)
{
    feed_flush(f);
    feed_verify_watch(p, true);
    outbox_plan(f->out, W_RECORD, p->plan);
    f->check.recorded = true;
    f->ask_check(f->ask_check_arg, &new_job(f, p)->m);
}

static void ask_rerun(struct feed *f, struct fed_plan *p)
{
    p->rerun->check = p->rerun->wanted = true;
    f->rerun_work = true;
    f->check.give_up_at = f->now + RERUN_WAIT_MS;
}

static void begin(struct feed *f, struct fed_plan *p)
{
    struct feed_check *c = &f->check;
    want_no_more(f, p);
    c->plan = p;
    c->stage = CHECK_ASKED;
    c->doomed = false;
    c->base = f->ing.position;
    c->start = f->ing.seq;
    c->touches.n = 0;
    c->give_up_at = 0;
    c->recorded = false;
    for (size_t i = 0; i < p->verify.waiting.n; i++)
        VEC_PUSH(c->askers, p->verify.waiting.v[i]);
    p->verify.waiting.n = 0;
    if (p->rerun)
        ask_rerun(f, p);
    else
        ask(f, p);
}

/* Those that wait their turn come one after the other. */
static void begin_next(struct feed *f)
{
    struct feed_check *c = &f->check;
    for (size_t i = 0; c->nwanted && i < f->plans.n; i++) {
        struct fed_plan *p = f->plans.v[(c->next + i) % f->plans.n];
        if (!p->verify.wanted || p->state != FED_LIVE)
            continue;
        if (p->verify.retry_at > f->now) {
            feed_wake_at(f, p->verify.retry_at);
            continue;
        }
        c->next = (c->next + i + 1) % f->plans.n;
        begin(f, p);
        return;
    }
}

/* ---- answers ------------------------------------------------------------------------------- */

void feed_verify_answered(struct feed *f, struct rerun_job *job)
{
    struct feed_check *c = &f->check;
    c->back = job;
    c->stage = CHECK_BACK;
    c->doomed |= job->epoch != f->epoch;
}

static void forget_job(struct feed_check *c)
{
    if (c->back)
        rerun_job_free(c->back);
    c->back = NULL;
}

static void conclude_unsure(struct feed *f, const struct err *err)
{
    struct verdict v = {.kind = VERDICT_UNSURE, .err = *err};
    feed_verify_conclude(f, &v);
}

bool feed_verify_answer(struct feed *f, struct fed_plan *p, const struct err *err)
{
    struct feed_check *c = &f->check;
    bool mine = p->rerun->check && c->plan == p && c->stage == CHECK_ASKED;
    p->rerun->check = false;
    if (mine && err && feed_rerun_is_no_answer(err)) {
        conclude_unsure(f, err);
        return false;
    }
    if (mine)
        c->stage = CHECK_COMPARING;
    return mine;
}

/* Of which LSNs the answer is: from *shown to below *until. False: of none. */
static bool find_span(const struct feed *f, const struct rerun_item *item, const struct snapshot *s,
                      lsn_t *shown, lsn_t *until)
{
    const struct feed_check *c = &f->check;
    if (s->postmaster_start != f->postmaster_start || !snapshot_covers(s, &f->origin) ||
        !prefix_is_old_shown(&f->ing.ring, s, c->base, item->leaves, item->nleaves) ||
        !prefix_of(c->touches.v, c->touches.n, s, shown, until))
        return false;
    if (*shown < c->base)
        *shown = c->base;
    return true;
}

static void hand_over(struct feed *f, struct rerun_item *item, lsn_t shown, lsn_t until)
{
    bool error = item->outcome == RERUN_FAILED;
    lsn_t lsn = until == LSN_MAX ? f->ing.position : until - 1;
    feed_flush(f);
    outbox_check(f->out, item->plan, &item->rows, error ? &item->err : NULL, shown, until, lsn);
    f->check.stage = CHECK_COMPARING;
    f->check.recorded = false; /* with it the worker is done */
}

static void settle(struct feed *f, struct rerun_item *item, const struct snapshot *s)
{
    lsn_t shown, until;
    bool failed = item->outcome == RERUN_FAILED;
    if (item->outcome == RERUN_ENDED || (failed && feed_rerun_is_no_answer(&item->err))) {
        conclude_unsure(f, &item->err);
    } else if (item->outcome == RERUN_AGAIN) {
        log_info("plan %s could not be verified, trying again: %s", item->plan->spec->key,
                 item->err.message);
        feed_verify_try_again(f);
    } else if (!find_span(f, item, s, &shown, &until)) {
        feed_verify_try_again(f);
    } else {
        hand_over(f, item, shown, until);
    }
}

static void take_answer(struct feed *f)
{
    struct feed_check *c = &f->check;
    struct rerun_item *item = &c->back->items[0];
    if (!c->plan)
        feed_verify_finish(f);
    else if (c->doomed)
        feed_verify_try_again(f);
    else if (item->outcome == RERUN_AGAIN || item->outcome == RERUN_ENDED ||
             f->ing.position >= c->back->snap.insert_lsn)
        settle(f, item, &c->back->snap);
    else
        return; /* the stream isn't there yet */
    forget_job(c);
}

static void check_rerun(struct feed *f)
{
    struct feed_check *c = &f->check;
    struct err err;
    if (c->plan && c->plan->state != FED_ENDED && f->now < c->give_up_at) {
        feed_wake_at(f, c->give_up_at);
        return;
    }
    if (c->plan)
        c->plan->rerun->check = false;
    err_set(&err, ERR_QUERY_CANCELED, "Postgres has not answered in time");
    conclude_unsure(f, &err);
}

/* ---- the audit ----------------------------------------------------------------------------- */

static void audit_next(struct feed *f)
{
    struct feed_check *c = &f->check;
    if (!f->plans.n)
        return;
    struct fed_plan *p = f->plans.v[c->audit_next++ % f->plans.n];
    if (p->state != FED_LIVE || p->verify.audit || outbox_backlog(f->out) > LAG_STEPS) {
        c->stats.audits_skipped++;
        return;
    }
    p->verify.audit = true;
    feed_verify_want(f, p);
}

static void audit(struct feed *f)
{
    struct feed_check *c = &f->check;
    uint64_t interval = f->limits.audit_interval;
    if (!interval) {
        c->audit_at = 0;
        return;
    }
    if (!c->audit_at || c->audit_at > f->now + interval)
        c->audit_at = f->now + interval;
    if (c->audit_at <= f->now) {
        c->audit_at = f->now + interval;
        audit_next(f);
    }
    feed_wake_at(f, c->audit_at);
}

void feed_verify_run(struct feed *f)
{
    struct feed_check *c = &f->check;
    audit(f);
    if (c->stage == CHECK_BACK)
        take_answer(f);
    else if (c->stage == CHECK_ASKED && (!c->plan || c->plan->rerun) && c->give_up_at)
        check_rerun(f);
    if (c->stage == CHECK_IDLE)
        begin_next(f);
}

void feed_verify_fini(struct feed *f)
{
    forget_job(&f->check);
    VEC_FREE(f->check.touches);
    VEC_FREE(f->check.askers);
}
