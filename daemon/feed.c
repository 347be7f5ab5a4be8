/*
 * feed: plans and their states; every change of one goes through feed_set_state(). See feed.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/feed_int.h"
#include "daemon/log.h"

void feed_set_state(struct feed *f, struct fed_plan *p, enum fed_state state)
{
    f->nwaiting -= p->state == FED_WAITING;
    f->nseeding -= p->state == FED_SEEDING;
    p->state = state;
    p->seed_need = 0;
    p->seed_cursor = 0;
    f->nwaiting += p->state == FED_WAITING;
    f->nseeding += p->state == FED_SEEDING;
}

void feed_wake_at(struct feed *f, uint64_t when)
{
    if (!f->retry_at || when < f->retry_at)
        f->retry_at = when;
}

bool feed_needs(const struct fed_plan *p, const struct leaf *leaf)
{
    for (size_t i = 0; i < p->needs.n; i++) {
        if (p->needs.v[i].leaf == leaf)
            return true;
    }
    return false;
}

/* ---- plans come and go --------------------------------------------------------------------- */

static struct need *need_of(struct feed *f, struct fed_plan *p, uint32_t relid)
{
    struct leafmap_entry *e = leafmap_get(&f->ing.map, relid);
    if (!e->leaf)
        e->leaf = leaf_new(relid);
    for (size_t i = 0; i < p->needs.n; i++) {
        if (p->needs.v[i].leaf == e->leaf)
            return &p->needs.v[i];
    }
    e->leaf->users++;
    e->leaf->watchers += p->rerun || p->watched;
    VEC_PUSH(p->needs, ((struct need){.leaf = e->leaf}));
    return &p->needs.v[p->needs.n - 1];
}

static void set_leaves(struct source_leaves *to, const uint32_t *leaves, size_t n)
{
    to->v = xrealloc(to->v, (n ? n : 1) * sizeof *to->v);
    if (n)
        memcpy(to->v, leaves, n * sizeof *leaves);
    to->n = n;
}

static void find_needs(struct feed *f, struct fed_plan *p)
{
    const struct plan_spec *spec = p->plan->spec;
    for (size_t i = 0; i < spec->nsources; i++) {
        for (size_t j = 0; j < p->leaves[i].n; j++) {
            struct need *n = need_of(f, p, p->leaves[i].v[j]);
            VEC_PUSH(n->sources, &spec->sources[i]);
        }
    }
}

void feed_add_plan(struct feed *f, struct plan *plan)
{
    const struct plan_spec *spec = plan->spec;
    struct fed_plan *p = NEW(struct fed_plan);
    p->plan = plan;
    p->state = FED_WAITING;
    f->nwaiting++;
    p->leaves = xcalloc(spec->nsources ? spec->nsources : 1, sizeof *p->leaves);
    for (size_t i = 0; i < spec->nsources; i++)
        set_leaves(&p->leaves[i], spec->sources[i].leaves, spec->sources[i].nleaves);
    if (spec->rerun)
        feed_rerun_add(f, p);
    find_needs(f, p);
    VEC_PUSH(f->plans, p);
    outbox_count_plan(f->out, plan, true);
}

static void release_leaf(struct feed *f, const struct fed_plan *p, struct leaf *leaf)
{
    leaf->watchers -= p->rerun || p->watched;
    if (--leaf->users)
        return;
    struct hydration *h = leaf->reading;
    for (size_t i = 0; h && i < h->leaves.n; i++) {
        if (h->leaves.v[i] == leaf)
            h->leaves.v[i] = h->leaves.v[--h->leaves.n];
    }
    leafmap_find(&f->ing.map, leaf->relid)->leaf = NULL;
    leaf_free(leaf);
}

/* What is collected for the workers may hold rows of leaves that go now; it keeps their layouts. */
static void release_leaves(struct feed *f, struct fed_plan *p)
{
    for (size_t i = 0; i < p->needs.n; i++) {
        release_leaf(f, p, p->needs.v[i].leaf);
        VEC_FREE(p->needs.v[i].sources);
    }
    VEC_FREE(p->needs);
}

static void free_plan(struct feed *f, struct fed_plan *p)
{
    feed_set_state(f, p, FED_ENDED);
    feed_verify_gone(f, p);
    release_leaves(f, p);
    if (p->rerun)
        feed_rerun_remove(f, p);
    for (size_t i = 0; i < p->plan->spec->nsources; i++)
        free(p->leaves[i].v);
    free(p->leaves);
    plan_unref(p->plan);
    free(p);
}

void feed_drop_plan(struct feed *f, struct plan *plan)
{
    for (size_t i = 0; i < f->plans.n; i++) {
        struct fed_plan *p = f->plans.v[i];
        if (p->plan != plan)
            continue;
        f->plans.v[i] = f->plans.v[--f->plans.n];
        outbox_plan(f->out, W_DROP, plan);
        outbox_count_plan(f->out, plan, false);
        free_plan(f, p);
        return;
    }
}

static void end_plan(struct feed *f, struct fed_plan *p, const struct err *err,
                     enum end_cause cause)
{
    if (p->state == FED_ENDED)
        return;
    feed_set_state(f, p, FED_ENDED);
    feed_verify_gone(f, p);
    release_leaves(f, p);
    outbox_end(f->out, p->plan, err, cause);
}

void feed_end_plan(struct feed *f, struct fed_plan *p, const struct err *err)
{
    end_plan(f, p, err, END_REFUSED);
}

void feed_end_all(struct feed *f, const struct err *err)
{
    for (size_t i = 0; i < f->plans.n; i++)
        end_plan(f, f->plans.v[i], err, END_TIMELINE);
}

/* ---- plans lose their footing -------------------------------------------------------------- */

void feed_make_stale(struct feed *f, struct fed_plan *p)
{
    if (p->state == FED_ENDED)
        return;
    feed_verify_stale(f, p);
    if (p->started)
        outbox_plan(f->out, W_STALE, p->plan);
    p->started = false;
    feed_set_state(f, p, FED_WAITING);
    if (p->rerun)
        feed_rerun_restart(f, p);
}

void feed_make_stale_on(struct feed *f, const struct leaf *leaf)
{
    for (size_t i = 0; i < f->plans.n; i++) {
        if (feed_needs(f->plans.v[i], leaf))
            feed_make_stale(f, f->plans.v[i]);
    }
}

struct fed_plan *feed_find_plan(const struct feed *f, const struct plan *plan)
{
    for (size_t i = 0; i < f->plans.n; i++)
        if (f->plans.v[i]->plan == plan)
            return f->plans.v[i];
    return NULL;
}

void feed_reseed(struct feed *f, struct plan *plan, uint64_t now_ms)
{
    struct fed_plan *p = feed_find_plan(f, plan);
    if (!p)
        return;
    bool again = p->pause && now_ms - p->lost_at < 2 * f->limits.retry_max;
    p->pause = again ? p->pause * 2 : f->limits.retry_min;
    if (p->pause > f->limits.retry_max)
        p->pause = f->limits.retry_max;
    p->lost_at = now_ms;
    p->retry_at = now_ms + p->pause;
    log_info("plan %s starts over", plan->spec->key);
    feed_make_stale(f, p);
}

static void lost_event(void *arg, struct leaf *leaf, const struct err *why)
{
    log_error("%s; it is read again", why->message);
    feed_make_stale_on(arg, leaf);
}

static void reseed_event(void *arg, struct leaf *leaf)
{
    struct feed *f = arg;
    log_info("table %u: truncated, or changed in a very large transaction; its plans start over",
             leaf->relid);
    if (!leaf->store)
        leaf_lose(leaf);
    feed_make_stale_on(f, leaf);
}

void feed_lose_leaf(struct feed *f, struct leaf *leaf)
{
    if (leaf->reading)
        leaf->reading->doomed = true;
    leaf_lose(leaf);
    feed_make_stale_on(f, leaf);
}

void feed_schema_changed(struct feed *f, const uint32_t *relids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct leafmap_entry *e = leafmap_find(&f->ing.map, relids[i]);
        struct leaf *leaf = e ? e->leaf : NULL;
        if (!leaf)
            continue;
        log_info("table %u has changed; it is read again", relids[i]);
        feed_lose_leaf(f, leaf);
    }
}

/* True if any source of the plan reads other leaves than before. */
static bool replace_leaves(struct feed *f, struct fed_plan *p, uint32_t table,
                           const uint32_t *leaves, size_t n)
{
    const struct plan_spec *spec = p->plan->spec;
    bool changed = false;
    for (size_t i = 0; i < spec->nsources; i++) {
        struct source_leaves *now = &p->leaves[i];
        if (spec->sources[i].table != table || spec->sources[i].only ||
            (now->n == n && (!n || memcmp(now->v, leaves, n * sizeof *leaves) == 0)))
            continue;
        set_leaves(now, leaves, n);
        outbox_leaves(f->out, p->plan, i, leaves, n);
        changed = true;
    }
    return changed;
}

void feed_tree_changed(struct feed *f, uint32_t table, const uint32_t *leaves, size_t n)
{
    for (size_t i = 0; i < f->plans.n; i++) {
        struct fed_plan *p = f->plans.v[i];
        if (p->state == FED_ENDED || !replace_leaves(f, p, table, leaves, n))
            continue;
        log_info("table %u has other partitions or children; plan %s starts over", table,
                 p->plan->spec->key);
        feed_make_stale(f, p);
        /* The new ones first: a leaf in both lists keeps what it has. */
        struct fed_plan old = *p;
        memset(&p->needs, 0, sizeof p->needs);
        find_needs(f, p);
        release_leaves(f, &old);
    }
}

/* ---- sessions ------------------------------------------------------------------------------ */

static void make_all_stale(struct feed *f)
{
    for (size_t i = 0; i < f->plans.n; i++)
        feed_make_stale(f, f->plans.v[i]);
}

void feed_suspend(struct feed *f)
{
    f->streaming = false;
    f->epoch++;
    feed_rerun_forget_jobs(f);
    feed_verify_suspend(f);
    make_all_stale(f);
    ingest_restart(&f->ing, f->ing.position);
    snapshot_fini(&f->origin);
}

void feed_cut_off(struct feed *f)
{
    if (!f->ing.in_txn)
        return;
    make_all_stale(f);
    ingest_lose_rows(&f->ing);
}

void feed_go_on(struct feed *f)
{
    f->epoch++;
    feed_verify_suspend(f);
    ingest_drop_hydrations(&f->ing);
    for (size_t i = 0; i < f->ing.map.size; i++)
        if (f->ing.map.v[i].leaf)
            f->ing.map.v[i].leaf->asked = false;
    for (size_t i = 0; i < f->reruns.n; i++)
        f->reruns.v[i]->rerun->wanted |= f->reruns.v[i]->rerun->running;
    feed_rerun_forget_jobs(f);
    f->rerun_work = true;
}

void feed_resume(struct feed *f, lsn_t position, struct snapshot origin, int64_t postmaster_start)
{
    f->streaming = true;
    f->origin = origin;
    f->postmaster_start = postmaster_start;
    f->ing.position = position;
    f->retry_at = 0;
    for (size_t i = 0; i < f->ing.map.size; i++) {
        struct leaf *leaf = f->ing.map.v[i].leaf;
        if (!leaf)
            continue;
        leaf->pause = leaf->retry_at = 0;
        leaf->asked = false;
    }
    for (size_t i = 0; i < f->reruns.n; i++)
        feed_rerun_restart(f, f->reruns.v[i]);
}

static void want_before(uint64_t *from, bool wanted, uint64_t start)
{
    if (wanted && start > *from)
        *from = start;
}

/* What was decoded before a snapshot was asked for that isn't here yet, or isn't used yet, may be
 * hidden from it, although a later one shows it. */
static uint64_t oldest_wanted(const struct feed *f)
{
    const struct feed_check *c = &f->check;
    uint64_t from = 0;
    want_before(&from, f->rerun_out || f->rerun_back, f->rerun_start);
    want_before(&from, c->stage == CHECK_ASKED || c->stage == CHECK_BACK, c->start);
    for (const struct hydration *h = f->ing.hydrations; h; h = h->next) {
        want_before(&from, !h->back, h->start);
    }
    return from;
}

void feed_visible(struct feed *f, const struct snapshot *s)
{
    /* A snapshot of an earlier life of the server could show an xid that has since been given to
     * another transaction. */
    if (f->streaming && s->postmaster_start == f->postmaster_start)
        ring_trim(&f->ing.ring, s, oldest_wanted(f));
}

/* ---- running ------------------------------------------------------------------------------- */

void feed_flush(struct feed *f)
{
    struct step *s = ingest_take_step(&f->ing);
    if (s)
        outbox_step(f->out, s);
}

bool feed_is_busy(const struct feed *f)
{
    return f->streaming && (f->nwaiting || f->nseeding || f->ing.hydrations);
}

static void start_or_ask(struct feed *f, struct fed_plan *p)
{
    if (p->retry_at > f->now) {
        feed_wake_at(f, p->retry_at);
        return;
    }
    if (!feed_can_seed(p)) {
        feed_request_leaves(f, p);
        return;
    }
    feed_flush(f);
    feed_set_state(f, p, FED_SEEDING);
}

bool feed_run(struct feed *f, uint64_t now_ms)
{
    assert(!f->ing.in_txn);
    f->now = now_ms;
    f->retry_at = 0;
    if (f->streaming && f->reruns.n)
        feed_rerun_run(f);
    if (f->streaming)
        feed_verify_run(f);
    if (!feed_is_busy(f))
        return true;
    /* A seed under way goes on with the store it was begun with. */
    if (!f->nseeding)
        feed_finish_reads(f);
    for (size_t i = 0; f->nwaiting && i < f->plans.n; i++) {
        if (f->plans.v[i]->state == FED_WAITING && !f->plans.v[i]->rerun)
            start_or_ask(f, f->plans.v[i]);
    }
    if (!f->nseeding)
        return true;
    for (size_t i = 0; i < f->plans.n; i++) {
        if (f->plans.v[i]->state == FED_SEEDING && !feed_seed(f, f->plans.v[i]))
            return false;
    }
    feed_drop_idle_stores(f);
    return true;
}

static struct step *new_step_event(void *arg)
{
    struct feed *f = arg;
    return outbox_new_step(f->out);
}

static const struct ingest_events events = {new_step_event, lost_event, reseed_event,
                                            feed_rerun_touched};

void feed_init(struct feed *f, struct outbox *out)
{
    memset(f, 0, sizeof *f);
    f->out = out;
    ingest_init(&f->ing, &events, f);
}

void feed_fini(struct feed *f)
{
    f->tell = NULL; /* those who asked are gone */
    while (f->plans.n)
        free_plan(f, f->plans.v[--f->plans.n]);
    VEC_FREE(f->plans);
    VEC_FREE(f->reruns);
    feed_rerun_forget_jobs(f);
    feed_verify_fini(f);
    ingest_fini(&f->ing);
    snapshot_fini(&f->origin);
}

size_t feed_tables_waiting(const struct feed *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->ing.map.size; i++)
        n += f->ing.map.v[i].leaf && f->ing.map.v[i].leaf->pause;
    return n;
}

uint64_t feed_store_rows(const struct feed *f)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < f->ing.map.size; i++) {
        const struct leaf *leaf = f->ing.map.v[i].leaf;
        rows += leaf && leaf->store ? store_rows(leaf->store) : 0;
    }
    return rows;
}

static uint64_t leaf_bytes(const struct leaf *leaf)
{
    return (leaf->store ? store_bytes(leaf->store) : 0) +
           (leaf->next ? store_bytes(leaf->next) : 0);
}

uint64_t feed_store_bytes(const struct feed *f)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < f->ing.map.size; i++) {
        const struct leaf *leaf = f->ing.map.v[i].leaf;
        bytes += leaf ? leaf_bytes(leaf) : 0;
    }
    return bytes;
}

void feed_publish_store_bytes(const struct feed *f)
{
    for (size_t i = 0; i < f->plans.n; i++) {
        const struct fed_plan *p = f->plans.v[i];
        uint64_t bytes = 0;
        for (size_t k = 0; k < p->needs.n; k++)
            if (p->needs.v[k].leaf->users == 1)
                bytes += leaf_bytes(p->needs.v[k].leaf);
        atomic_store_explicit(&p->plan->store_bytes, bytes, memory_order_relaxed);
    }
}
