/*
 * live_subs: a live plan and single subscribers: those who join, catch up, come from another plan,
 * or wait for a view; and who asks how it runs. See live_plan.h.
 *
 * A subscriber whose plan ended because the schema changed joins the plan that its statement has now.
 * If it holds what the old one sent last, it gets the difference between the two views: found from the
 * lines alone, once for all who come from the same plan.
 *
 * One that comes back with an LSN waits until that is a state we can say something of: the plan is live,
 * and its worker has passed the LSN. Then the history knows the state, or it is too old.
 */
#include <assert.h>
#include <stdlib.h>

#include "daemon/live_plan.h"
#include "daemon/loop.h"
#include "engine/host/encode.h"

struct lmsg_plan *live_plan_message(struct live_plan *lp, enum loop_msg_kind kind, uint64_t sub)
{
    bool has_err = kind == L_FAILED || kind == L_ENDED;
    struct lmsg_plan *m = xcalloc(1, has_err ? sizeof *m : offsetof(struct lmsg_plan, err));
    m->m.kind = kind;
    m->plan = plan_ref(lp->plan);
    m->sub = sub;
    m->lsn = lp->host ? plan_host_lsn(lp->host) : 0;
    m->current = lp->current;
    m->holds = lp->holds;
    m->cause = lp->cause;
    return m;
}

/* ---- to one of them -------------------------------------------------------------------------- */

/* The LSN that a subscriber gets the view with, which is behind the one it holds: the view is that of
 * all LSNs from its own to where the worker has come. */
static lsn_t lsn_behind(struct live_plan *lp, lsn_t held)
{
    lsn_t lsn = plan_host_lsn(lp->host), passed = worker_lsn(lp->worker);
    if (held && lp->current && lp->holds == LSN_MAX && passed > lsn)
        lsn = passed;
    if (held && lsn <= held)
        lsn = held + 1;
    if (held)
        plan_host_follow(lp->host, lsn);
    return lsn;
}

static void send_snapshot(struct live_plan *lp, const struct waiting_sub *ws)
{
    struct lmsg_plan *m = live_plan_message(lp, L_SNAPSHOT, ws->sub);
    m->payload = plan_host_snapshot(lp->host);
    m->resync = ws->resync;
    m->lsn = lsn_behind(lp, ws->behind);
    loop_post(ws->loop, &m->m);
}

static void forget_difference(struct difference *d)
{
    payload_unref(d->from);
    payload_unref(d->net);
    *d = (struct difference){0};
}

static struct payload *difference(struct live_plan *lp, struct payload *from)
{
    struct difference *d = &lp->difference;
    lsn_t at = plan_host_lsn(lp->host);
    if (d->from != from || d->at != at) {
        struct payload *view = plan_host_snapshot(lp->host);
        payload_unref(view); /* the host keeps it; there may be no memory for the rest */
        forget_difference(d);
        d->net = encode_difference(from, view, at);
        d->from = payload_ref(from);
        d->at = at;
    }
    return payload_ref(d->net);
}

static void send_difference(struct live_plan *lp, const struct waiting_sub *ws)
{
    struct lmsg_plan *m = live_plan_message(lp, L_DIFFERENCE, ws->sub);
    m->payload = difference(lp, ws->former);
    m->lsn = lsn_behind(lp, ws->behind);
    loop_post(ws->loop, &m->m);
}

static void send_view(struct live_plan *lp, const struct waiting_sub *ws)
{
    if (ws->former)
        send_difference(lp, ws);
    else
        send_snapshot(lp, ws);
}

static void send_failed(struct live_plan *lp, struct loop *loop, uint64_t sub)
{
    struct lmsg_plan *m = live_plan_message(lp, L_FAILED, sub);
    m->lsn = worker_lsn(lp->worker);
    m->err = *plan_host_error(lp->host);
    loop_post(loop, &m->m);
}

static void send_ended(struct live_plan *lp, struct loop *loop, uint64_t sub)
{
    struct lmsg_plan *m = live_plan_message(lp, L_ENDED, sub);
    m->err = lp->end;
    loop_post(loop, &m->m);
}

/* ---- coming back ------------------------------------------------------------------------------ */

lsn_t live_plan_holds(const struct live_plan *lp)
{
    lsn_t passed = worker_lsn(lp->worker);
    return lp->holds < passed ? lp->holds : passed;
}

/* Whether the history, such as it is, says what there is to say about the state at since. */
static bool can_tell(const struct live_plan *lp, lsn_t since)
{
    return plan_host_state(lp->host) == PLAN_LIVE && lp->current && since <= live_plan_holds(lp);
}

static void add_missed(void *arg, struct payload *payload)
{
    struct lmsg_plan *m = arg;
    if (payload->nrows)
        VEC_PUSH(m->missed, payload_ref(payload));
}

static void send_missed(struct live_plan *lp, const struct waiting_sub *ws)
{
    struct lmsg_plan *m = live_plan_message(lp, L_RESUME, ws->sub);
    if (!plan_host_resume(lp->host, ws->since, ws->max_bytes, add_missed, m, &m->base)) {
        m->m.kind = L_SNAPSHOT;
        m->payload = plan_host_snapshot(lp->host);
        m->resync = true;
    }
    loop_post(ws->loop, &m->m);
}

/* What depends on the time isn't the same for everybody who asked as of one LSN. */
static bool can_be_resumed(const struct live_plan *lp)
{
    const struct plan_spec *spec = lp->plan->spec;
    return !spec->rerun || !spec->rerun->timed;
}

void live_plan_forget(struct live_plan *lp, lsn_t upto)
{
    if (lp->host)
        plan_host_forget(lp->host, upto);
}

/* ---- who waits -------------------------------------------------------------------------------- */

/* Who comes from another plan has seen later LSNs than a view that is being rebuilt is of. */
static bool can_show_view(const struct live_plan *lp, const struct waiting_sub *ws)
{
    enum plan_state state = plan_host_state(lp->host);
    return plan_host_has_view(lp->host) &&
           (state == PLAN_LIVE || (state == PLAN_REBUILDING && !ws->behind));
}

void live_plan_forget_waiting(struct live_plan *lp)
{
    waiting_clear(&lp->waiting);
    forget_difference(&lp->difference);
}

/* False: it has to wait on. */
static bool serve(struct live_plan *lp, const struct waiting_sub *ws)
{
    if (ws->resumes ? !can_tell(lp, ws->since) : !can_show_view(lp, ws))
        return false;
    if (ws->resumes)
        send_missed(lp, ws);
    else
        send_view(lp, ws);
    return true;
}

void live_plan_serve_waiting(struct live_plan *lp)
{
    for (size_t i = lp->host ? lp->waiting.subs.n : 0; i-- > 0;) {
        if (serve(lp, &lp->waiting.subs.v[i]))
            waiting_remove_at(&lp->waiting, i);
    }
    forget_difference(&lp->difference);
}

/* ---- they come and go ------------------------------------------------------------------------ */

static void serve_or_wait(struct live_plan *lp, const struct wmsg_attach *a)
{
    struct waiting_sub ws = {.loop = a->loop,
                             .sub = a->sub,
                             .resync = a->how != ATTACH_NEW || a->behind,
                             .resumes =
                                 a->how == ATTACH_RESUME && !a->foreign && can_be_resumed(lp),
                             .since = a->since,
                             .max_bytes = a->max_bytes,
                             .behind = a->behind,
                             .former = a->former};
    if (serve(lp, &ws))
        return;
    if (ws.former)
        payload_ref(ws.former);
    if (ws.behind)
        plan_host_follow(lp->host, ws.behind);
    waiting_add(&lp->waiting, &ws);
    if (plan_host_state(lp->host) == PLAN_FAILED)
        send_failed(lp, a->loop, a->sub);
}

static void catch_up(struct live_plan *lp, const struct wmsg_attach *a)
{
    struct payload *net = plan_host_changes_since(lp->host, a->since);
    if (net) {
        struct lmsg_plan *m = live_plan_message(lp, L_CATCHUP, a->sub);
        m->payload = net;
        loop_post(a->loop, &m->m);
        if (plan_host_state(lp->host) == PLAN_FAILED)
            send_failed(lp, a->loop, a->sub);
    } else {
        serve_or_wait(lp, a);
    }
}

void live_plan_attach(struct live_plan *lp, const struct wmsg_attach *a)
{
    if (a->how != ATTACH_CATCH_UP)
        lp->subs[loop_no(a->loop)]++;
    if (!lp->host)
        send_ended(lp, a->loop, a->sub);
    else if (a->how == ATTACH_CATCH_UP)
        catch_up(lp, a);
    else
        serve_or_wait(lp, a);
}

void live_plan_detach(struct live_plan *lp, const struct wmsg_attach *a)
{
    assert(lp->subs[loop_no(a->loop)] > 0);
    lp->subs[loop_no(a->loop)]--;
    waiting_remove(&lp->waiting, a->loop, a->sub);
}

void live_plan_explain(const struct wmsg_attach *a)
{
    const struct live_plan *lp = a->plan->live; /* NULL: its last user has gone since */
    struct lmsg_explained *m = NEW(struct lmsg_explained);
    m->m.kind = L_EXPLAINED;
    m->sub = a->sub;
    buf_init(&m->text);
    plan_explain(a->plan->spec, lp && lp->host ? plan_host_circuit(lp->host) : NULL, &m->text);
    loop_post(a->loop, &m->m);
}
