/*
 * feed_verdict: what comes of holding a plan against Postgres's answer; see feed_verify.c.
 *
 *     same        the askers are told VERIFIED; a plan that was wrong before is right again
 *     differs     they are told DIVERGED; the plan is built anew from tables that are read again (what is
 *                 wrong may be the store) and verified once more; still wrong, it is left alone until it
 *                 was right once
 *     again       there was no moment to compare at: once more, after a pause
 *     unsure      they are told why
 */
#include <stdio.h>
#include <string.h>

#include "daemon/feed_int.h"
#include "daemon/log.h"

#define TRIES_MAX   40
#define PAUSE_FIRST 1 /* ms */
#define PAUSE_MAX   500

static void tell_all(struct feed *f, const struct verdict *v)
{
    struct feed_check *c = &f->check;
    for (size_t i = 0; i < c->askers.n; i++)
        f->tell(f->tell_arg, &c->askers.v[i], v);
    c->askers.n = 0;
}

void feed_verify_finish(struct feed *f)
{
    struct feed_check *c = &f->check;
    if (c->plan && c->recorded)
        outbox_plan(f->out, W_FORGET, c->plan->plan);
    if (c->plan)
        feed_verify_watch(c->plan, false);
    c->stage = CHECK_IDLE;
    c->plan = NULL;
    c->askers.n = 0;
    VEC_FREE(c->touches);
}

void feed_verify_try_again(struct feed *f)
{
    struct feed_check *c = &f->check;
    struct fed_plan *p = c->plan;
    struct fed_verify *v = p ? &p->verify : NULL;
    if (v && ++v->tries > TRIES_MAX) {
        struct verdict unsure = {.kind = VERDICT_UNSURE};
        err_set(&unsure.err, ERR_QUERY_CANCELED,
                "under the present load there was no moment at which Postgres's answer could be "
                "compared");
        tell_all(f, &unsure);
        f->check.stats.audits_skipped += v->audit;
        v->tries = 0;
        v->audit = v->healing = false;
    } else if (v) {
        for (size_t i = 0; i < c->askers.n; i++)
            VEC_PUSH(v->waiting, c->askers.v[i]);
        v->pause = v->tries == 1              ? PAUSE_FIRST
                   : v->pause * 2 > PAUSE_MAX ? PAUSE_MAX
                                              : v->pause * 2;
        v->retry_at = f->now + v->pause;
        feed_verify_want(f, p);
    }
    feed_verify_finish(f);
}

static void heal(struct feed *f, struct fed_plan *p)
{
    if (p->rerun)
        return; /* the answer that showed it is the state now */
    outbox_plan(f->out, W_DIVERGED, p->plan);
    for (size_t i = 0; i < p->needs.n; i++)
        feed_lose_leaf(f, p->needs.v[i].leaf);
    if (!p->needs.n)
        feed_make_stale(f, p);
}

static void log_divergence(const struct fed_plan *p, const struct verdict *v)
{
    char lsn[LSN_TEXT_MAX];
    lsn_print(v->lsn, lsn);
    log_error(
        "plan %s is not what Postgres answers at %s: %llu rows missing, %llu too many%s%s%s%s; "
        "it is built anew: %.500s",
        p->plan->spec->key, lsn, (unsigned long long)v->missing, (unsigned long long)v->extra,
        v->plan_error[0] ? ", failed with " : "", v->plan_error,
        v->postgres_error[0] ? ", Postgres fails with " : "", v->postgres_error,
        p->plan->spec->sql);
}

static void found_wrong(struct feed *f, struct fed_plan *p, const struct verdict *v)
{
    struct verify_stats *s = &f->check.stats;
    bool known = p->verify.healing || p->verify.unhealed;
    if (p->verify.healing)
        log_error(
            "plan %s is still not what Postgres answers, after its tables were read again; is "
            "a function that it calls marked immutable and isn't?",
            p->plan->spec->key);
    p->verify.unhealed = known;
    p->verify.healing = false;
    if (known)
        return;
    s->divergences++;
    snprintf(s->last_plan, sizeof s->last_plan, "%s", p->plan->spec->key);
    s->last_at = f->now;
    log_divergence(p, v);
    p->verify.healing = !p->rerun;
    heal(f, p);
    if (p->verify.healing)
        feed_verify_want(f, p);
}

static void found_right(struct fed_plan *p)
{
    if (p->verify.healing)
        log_info("plan %s is right again", p->plan->spec->key);
    p->verify.healing = p->verify.unhealed = false;
}

void feed_verify_conclude(struct feed *f, const struct verdict *v)
{
    struct feed_check *c = &f->check;
    struct fed_plan *p = c->plan;
    bool sure = v->kind == VERDICT_SAME || v->kind == VERDICT_DIFFERS;
    tell_all(f, v);
    feed_verify_finish(f);
    if (!p)
        return;
    c->stats.verifications += sure;
    c->stats.audits += sure && p->verify.audit;
    c->stats.audits_skipped += !sure && p->verify.audit;
    p->verify.audit = false;
    p->verify.tries = 0;
    p->verify.retry_at = 0;
    if (v->kind == VERDICT_SAME)
        found_right(p);
    else if (v->kind == VERDICT_DIFFERS)
        found_wrong(f, p, v);
    else
        p->verify.healing = false;
}

void feed_checked(struct feed *f, struct plan *plan, struct verdict *v)
{
    struct feed_check *c = &f->check;
    if (c->stage == CHECK_COMPARING && (!c->plan || c->plan->plan == plan)) {
        if (!c->plan)
            feed_verify_finish(f);
        else if (c->doomed || v->kind == VERDICT_AGAIN)
            feed_verify_try_again(f);
        else
            feed_verify_conclude(f, v);
    }
    verdict_fini(v);
}
