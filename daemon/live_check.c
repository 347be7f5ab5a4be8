/*
 * live_check: see live_check.h.
 */
#include "daemon/live_check.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/memory.h"
#include "daemon/reader.h"
#include "engine/host/answer.h"
#include "engine/host/encode.h"

#define LOG_BYTES (16u * 1024 * 1024)

/* ---- what is told in the meantime ---------------------------------------------------------- */

static void clear_log(struct live_log *log)
{
    for (size_t i = 0; i < log->told.n; i++)
        payload_unref(log->told.v[i].payload);
    VEC_FREE(log->told);
    log->bytes = 0;
}

void live_check_forget(struct live_plan *lp)
{
    if (!lp->log)
        return;
    clear_log(lp->log);
    free(lp->log);
    lp->log = NULL;
}

void live_check_record(struct live_plan *lp)
{
    live_check_forget(lp);
    if (!lp->host)
        return;
    lp->log = NEW(struct live_log);
    lp->log->broken = plan_host_state(lp->host) != PLAN_LIVE;
}

static void break_log(struct live_log *log)
{
    log->broken = true;
    clear_log(log);
}

void live_check_tell(struct live_plan *lp, const struct plan_event *ev)
{
    struct live_log *log = lp->log;
    if (!log || log->broken)
        return;
    if (plan_host_state(lp->host) != PLAN_LIVE) {
        break_log(log);
    } else if (ev->payload) {
        VEC_PUSH(log->told, ((struct told){worker_lsn(lp->worker), payload_ref(ev->payload)}));
        log->bytes += ev->payload->len;
        if (log->bytes > LOG_BYTES)
            break_log(log);
    }
}

/* Adds what the view has gained since the answer, so that it doesn't count. False: it isn't known. */
static bool take_back(const struct live_plan *lp, const struct wmsg_check *m, struct bag *left)
{
    if (m->until == LSN_MAX)
        return true;
    if (!lp->log || lp->log->broken)
        return false;
    for (size_t i = 0; i < lp->log->told.n; i++) {
        const struct told *t = &lp->log->told.v[i];
        if (t->payload->lsn < m->until)
            continue;
        if (t->from < m->shown)
            return false;
        encode_collect_lines(t->payload, left);
    }
    return true;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static void report(struct plan *plan, const struct verdict *v)
{
    struct rmsg_checked *m = NEW(struct rmsg_checked);
    m->m.kind = R_CHECKED;
    m->plan = plan_ref(plan);
    m->verdict = *v;
    registry_tell_reader(plan->registry, &m->m);
}

static void set_state(char to[6], const struct err *err)
{
    memcpy(to, err->sqlstate, sizeof err->sqlstate);
}

/* One of them, or both, have an error in place of rows. Two errors are as good as equal: of several
 * rows in error either may come upon any first. */
static void judge_errors(const struct live_plan *lp, const struct err *err, int64_t rows,
                         struct verdict *v)
{
    bool failed = plan_host_state(lp->host) == PLAN_FAILED;
    if (failed && err) {
        v->kind = VERDICT_SAME;
        return;
    }
    v->kind = VERDICT_DIFFERS;
    v->missing = failed ? (uint64_t)rows : 0;
    v->extra = failed ? 0 : plan_host_rows(lp->host);
    if (failed)
        set_state(v->plan_error, plan_host_error(lp->host));
    if (err)
        set_state(v->postgres_error, err);
}

static bool can_compare(const struct live_plan *lp)
{
    enum plan_state state = lp && lp->host ? plan_host_state(lp->host) : PLAN_SEEDING;
    return lp && lp->host && lp->current && !lp->lost &&
           (state == PLAN_LIVE || state == PLAN_FAILED);
}

static void compare(struct live_plan *lp, struct wmsg_check *m, struct verdict *v)
{
    const struct err *err = err_is_set(&m->err) ? &m->err : NULL;
    uint64_t rows = (uint64_t)m->rows.total;
    v->kind = VERDICT_AGAIN;
    if (!can_compare(lp))
        return;
    if (err || plan_host_state(lp->host) == PLAN_FAILED) {
        if (m->until == LSN_MAX)
            judge_errors(lp, err, m->rows.total, v);
    } else if (take_back(lp, m, &m->rows)) {
        plan_host_compare(lp->host, &m->rows);
        compare_judge(&m->rows, &lp->plan->spec->doubt, rows, v);
    }
}

void live_check(struct live_plan *lp, struct wmsg_check *m)
{
    struct verdict v = {.lsn = m->lsn};
    compare(lp, m, &v);
    report(m->plan, &v);
    if (lp)
        live_check_forget(lp);
}

void live_check_give_up(struct live_plan *lp, const struct wmsg_check *m)
{
    struct verdict v = {.kind = VERDICT_UNSURE};
    memory_refuse("the comparison was given up", &v.err);
    report(m->plan, &v);
    if (lp)
        live_check_forget(lp);
}

/* ---- reruns -------------------------------------------------------------------------------- */

/* The texts of an answer's rows. */
static void add_texts(const struct bag *answer, struct bag *texts)
{
    struct bag_cursor c = {0};
    const struct bag_entry *e;
    while ((e = bag_next(answer, &c)))
        bag_add(texts, answer_text(e->bytes), answer_head(e->bytes).len, e->weight);
}

static void fini_bag(void *bag)
{
    bag_fini(bag);
}

static void compare_answer(struct live_plan *lp, const struct wmsg_answer *m, struct verdict *v)
{
    const struct err *err = err_is_set(&m->err) ? &m->err : NULL;
    struct bag left;
    if (err || plan_host_state(lp->host) == PLAN_FAILED) {
        judge_errors(lp, err, m->rows.total, v);
        return;
    }
    struct alloc_cleanup cleanup;
    bag_init(&left);
    alloc_cleanup(&cleanup, fini_bag, &left);
    add_texts(&m->rows, &left);
    plan_host_compare(lp->host, &left);
    compare_judge(&left, &lp->plan->spec->doubt, (uint64_t)m->rows.total, v);
    alloc_cleanup_done(&cleanup);
    bag_fini(&left);
}

/* If something was touched, or the time counts, the view is what the answer says from now on, and that
 * is all that can be said. */
void live_check_answer(struct live_plan *lp, const struct wmsg_answer *m)
{
    struct verdict v = {.lsn = m->lsn, .rows = (uint64_t)m->rows.total};
    if (!lp->host)
        v.kind = VERDICT_AGAIN;
    bool same = lp->holds == LSN_MAX && !lp->plan->spec->rerun->timed;
    if (same && can_compare(lp))
        compare_answer(lp, m, &v);
    lp->diverged |= v.kind == VERDICT_DIFFERS;
    report(lp->plan, &v);
}
