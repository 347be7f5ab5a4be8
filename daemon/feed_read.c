/*
 * feed_read: asking the hydrator for tables, and what becomes of its answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/feed_int.h"
#include "daemon/log.h"

void hydrate_job_free(struct hydrate_job *job)
{
    for (size_t i = 0; i < job->ntables; i++) {
        struct hydrate_table *t = &job->tables[i];
        for (size_t j = 0; j < t->ncols; j++)
            free(t->names[j]);
        free(t->names);
        free((void *)t->types);
        store_free(t->store);
    }
    free(job->tables);
    snapshot_fini(&job->snap);
    free(job);
}

/* ---- asking -------------------------------------------------------------------------------- */

struct wanted {
    VEC(char *) names;
    VEC(struct column_type) types;
};

static void want_column(struct wanted *w, const char *name, const struct column_type *ct)
{
    for (size_t i = 0; i < w->names.n; i++) {
        if (strcmp(w->names.v[i], name) == 0)
            return;
    }
    VEC_PUSH(w->names, xstrdup(name));
    VEC_PUSH(w->types, *ct);
}

static void want_columns(struct wanted *w, const struct need *n)
{
    for (size_t i = 0; i < n->sources.n; i++) {
        const struct plan_source *s = n->sources.v[i];
        for (size_t j = 0; j < s->ncols; j++)
            want_column(w, s->colnames[j], &s->cols[j]);
    }
}

/* What all plans need of the leaf; those of the plan asking come first, so that where two disagree
 * on a type (the table has changed in between) the newer one decides. */
static struct hydrate_table describe(struct feed *f, struct fed_plan *asking, struct leaf *leaf)
{
    struct wanted w = {0};
    for (size_t k = 0; k < asking->needs.n; k++) {
        if (asking->needs.v[k].leaf == leaf)
            want_columns(&w, &asking->needs.v[k]);
    }
    for (size_t i = 0; i < f->plans.n; i++) {
        struct fed_plan *p = f->plans.v[i];
        for (size_t k = 0; k < p->needs.n; k++) {
            if (p->needs.v[k].leaf == leaf)
                want_columns(&w, &p->needs.v[k]);
        }
    }
    return (struct hydrate_table){
        .relid = leaf->relid, .names = w.names.v, .types = w.types.v, .ncols = w.names.n};
}

void feed_request_leaves(struct feed *f, struct fed_plan *p)
{
    struct hydration *h = NULL;
    VEC(struct hydrate_table) tables = {0};
    for (size_t i = 0; i < p->needs.n; i++) {
        struct leaf *leaf = p->needs.v[i].leaf;
        if (leaf->reading || feed_leaf_serves(&p->needs.v[i]))
            continue;
        if (leaf->retry_at > f->now) {
            feed_wake_at(f, leaf->retry_at);
            continue;
        }
        if (!h)
            h = hydration_new(f->ing.seq);
        hydration_add_leaf(h, leaf);
        VEC_PUSH(tables, describe(f, p, leaf));
    }
    if (!h)
        return;
    struct hydrate_job *job = NEW(struct hydrate_job);
    job->m.kind = R_HYDRATED;
    job->epoch = f->epoch;
    job->tables = tables.v;
    job->ntables = tables.n;
    h->job = job;
    h->next = f->ing.hydrations;
    f->ing.hydrations = h;
    f->ask(f->ask_arg, &job->m);
}

/* ---- answers ------------------------------------------------------------------------------- */

void feed_retry_later(struct feed *f, struct leaf *leaf)
{
    leaf->pause = leaf->pause ? leaf->pause * 2 : f->limits.retry_min;
    if (leaf->pause > f->limits.retry_max)
        leaf->pause = f->limits.retry_max;
    leaf->retry_at = f->now + leaf->pause;
    feed_wake_at(f, leaf->retry_at);
}

static void log_table(struct feed *f, struct log_repeat *r, uint32_t relid, const char *what,
                      const struct err *why)
{
    char text[sizeof why->message + sizeof why->hint + 100];
    snprintf(text, sizeof text, "table %u %s: %s%s%s", relid, what, why->message,
             why->hint[0] ? "; hint: " : "", why->hint);
    log_repeat(r, LOG_LEVEL_WARN, f->now, text);
    f->table_err = *why;
}

void feed_table_refused(struct feed *f, const struct leaf *leaf, const struct err *why)
{
    log_table(f, &f->refused, leaf->relid, "can't be kept live", why);
}

void feed_table_trouble(struct feed *f, struct leaf *leaf, const char *what, const struct err *why)
{
    log_table(f, &leaf->trouble, leaf->relid, what, why);
}

void feed_table_is_well(struct leaf *leaf)
{
    leaf->pause = leaf->retry_at = 0;
    log_repeat_end(&leaf->trouble);
}

static void no_table_can_be_read(struct feed *f, const struct err *why)
{
    char text[sizeof why->message + 100];
    snprintf(text, sizeof text, "tables could not be read, trying again: %s", why->message);
    log_repeat(&f->trouble, LOG_LEVEL_WARN, f->now, text);
    f->table_err = *why;
}

/* Takes the hydration out of the list and away; its leaves are asked for again after a pause. */
static void give_up(struct feed *f, struct hydration *h)
{
    struct hydration **link = &f->ing.hydrations;
    while (*link != h)
        link = &(*link)->next;
    *link = h->next;
    for (size_t i = 0; i < h->leaves.n; i++)
        feed_retry_later(f, h->leaves.v[i]);
    hydration_free(h);
}

static void remove_leaf(struct hydration *h, struct leaf *leaf)
{
    for (size_t i = 0; i < h->leaves.n; i++) {
        if (h->leaves.v[i] == leaf)
            h->leaves.v[i] = h->leaves.v[--h->leaves.n];
    }
    leaf->reading = NULL;
}

static bool is_at_fault(const struct plan_source *s, size_t col, const struct hydrate_table *t)
{
    if (strcmp(s->colnames[col], t->bad_column) != 0)
        return false;
    for (size_t i = 0; i < t->ncols; i++)
        if (strcmp(t->names[i], t->bad_column) == 0)
            return t->types[i].type->oid == s->cols[col].type->oid &&
                   t->types[i].typmod == s->cols[col].typmod;
    return false;
}

/* Whether it needs of the leaf what was asked in vain: the column that is at fault, as of the type
 * asked for; the leaf at all where no column is named. */
static bool needs_failed(const struct fed_plan *p, const struct leaf *leaf,
                         const struct hydrate_table *t)
{
    for (size_t k = 0; k < p->needs.n; k++) {
        const struct need *n = &p->needs.v[k];
        if (n->leaf != leaf)
            continue;
        if (!t->bad_column)
            return true;
        for (size_t i = 0; i < n->sources.n; i++)
            for (size_t j = 0; j < n->sources.v[i]->ncols; j++)
                if (is_at_fault(n->sources.v[i], j, t))
                    return true;
    }
    return false;
}

/* Others are served by the next attempt: who doesn't need that column, and who was made since it has
 * another type. */
static void end_waiting(struct feed *f, const struct leaf *leaf, const struct hydrate_table *t)
{
    for (size_t i = 0; i < f->plans.n; i++) {
        struct fed_plan *p = f->plans.v[i];
        if (p->state == FED_WAITING && needs_failed(p, leaf, t))
            feed_end_plan(f, p, &t->err);
    }
}

static void table_failed(struct feed *f, struct hydration *h, struct leaf *leaf,
                         const struct hydrate_table *t)
{
    remove_leaf(h, leaf);
    feed_retry_later(f, leaf);
    if (t->permanent) {
        feed_table_refused(f, leaf, &t->err);
        end_waiting(f, leaf, t); /* the leaf may be gone */
        return;
    }
    feed_table_trouble(f, leaf, "could not be read, trying again", &t->err);
}

/* Hands each table's store to its leaf, which may be gone by now. */
static void take_tables(struct feed *f, struct hydration *h, struct hydrate_job *job)
{
    for (size_t i = 0; i < job->ntables; i++) {
        struct hydrate_table *t = &job->tables[i];
        struct leafmap_entry *e = leafmap_find(&f->ing.map, t->relid);
        struct leaf *leaf = e ? e->leaf : NULL;
        if (!leaf || leaf->reading != h)
            continue;
        if (t->store) {
            leaf->next = t->store;
            t->store = NULL;
        } else {
            table_failed(f, h, leaf, t);
        }
    }
}

static struct hydration *hydration_of(struct feed *f, const struct hydrate_job *job)
{
    if (job->epoch != f->epoch || !f->streaming)
        return NULL;
    for (struct hydration *h = f->ing.hydrations; h; h = h->next) {
        if (h->job == job)
            return h;
    }
    return NULL;
}

void feed_hydrated(struct feed *f, struct hydrate_job *job)
{
    struct err err;
    if (job->publish) {
        feed_rerun_published(f, job);
        return;
    }
    struct hydration *h = hydration_of(f, job);
    if (!h) { /* of a session that is over */
        hydrate_job_free(job);
        return;
    }
    h->job = NULL;
    if (err_is_set(&job->err)) {
        no_table_can_be_read(f, &job->err);
        give_up(f, h);
        hydrate_job_free(job);
        return;
    }
    log_repeat_end(&f->trouble);
    take_tables(f, h, job);
    struct snapshot snap = job->snap;
    memset(&job->snap, 0, sizeof job->snap);
    bool same_server = snap.postmaster_start == f->postmaster_start;
    if (!hydration_replay(h, snap, &f->origin, &f->ing.ring, &f->ing.map, &err)) {
        log_info("tables are read again: %s", err.message);
        give_up(f, h);
    } else if (!same_server) {
        log_info("tables are read again: Postgres was restarted meanwhile");
        give_up(f, h);
    }
    hydrate_job_free(job);
}

/* The table was rewritten since its plans were seeded, and nothing in the stream said so. */
static bool is_rewritten(const struct leaf *leaf)
{
    return leaf->layout && leaf->layout->file != store_leaf(leaf->next)->file;
}

static void put_into_use(struct feed *f, struct hydration *h)
{
    for (size_t i = 0; i < h->leaves.n; i++) {
        struct leaf *leaf = h->leaves.v[i];
        log_debug("table %u: %llu rows, %llu bytes", leaf->relid,
                  (unsigned long long)store_rows(leaf->next),
                  (unsigned long long)store_bytes(leaf->next));
        if (is_rewritten(leaf))
            feed_make_stale_on(f, leaf);
        leaf_promote(leaf);
        feed_table_is_well(leaf);
    }
}

static bool is_served(const struct fed_plan *p, const struct hydration *h)
{
    for (size_t i = 0; i < p->needs.n; i++) {
        const struct need *n = &p->needs.v[i];
        if (n->leaf->reading == h && !feed_layout_serves(store_leaf(n->leaf->next), n))
            return false;
    }
    return true;
}

/* A plan may have gone live on the old columns after others were asked for. */
static bool takes_columns_away(const struct feed *f, const struct hydration *h)
{
    for (size_t i = 0; i < f->plans.n; i++) {
        if (f->plans.v[i]->state == FED_LIVE && !is_served(f->plans.v[i], h))
            return true;
    }
    return false;
}

void feed_finish_reads(struct feed *f)
{
    struct hydration **link = &f->ing.hydrations;
    while (*link) {
        struct hydration *h = *link;
        bool exact = hydration_is_exact(h, f->ing.position);
        if (!exact && !(h->back && h->doomed)) {
            link = &h->next;
            continue;
        }
        if (!exact || takes_columns_away(f, h)) {
            give_up(f, h);
            link = &f->ing.hydrations;
            continue;
        }
        /* Rows collected so far are in the layouts that are replaced now. */
        feed_flush(f);
        put_into_use(f, h);
        *link = h->next;
        hydration_free(h);
    }
}
