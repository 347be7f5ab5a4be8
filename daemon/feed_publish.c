/*
 * feed_publish: the tables of reruns are put in the stream: the hydrator publishes them without reading
 * them.
 */
#include <string.h>

#include "daemon/feed_int.h"
#include "daemon/log.h"

static bool is_published(const struct leaf *leaf)
{
    return leaf->published || leaf->layout;
}

bool feed_are_published(const struct fed_plan *p)
{
    for (size_t i = 0; i < p->needs.n; i++)
        if (!is_published(p->needs.v[i].leaf))
            return false;
    return true;
}

/* Asks for those tables of the plan that are not known to be published. */
void feed_request_publishing(struct feed *f, struct fed_plan *p)
{
    VEC(struct hydrate_table) tables = {0};
    for (size_t i = 0; i < p->needs.n; i++) {
        struct leaf *leaf = p->needs.v[i].leaf;
        if (is_published(leaf) || leaf->asked)
            continue;
        if (leaf->retry_at > f->now) {
            feed_rerun_wake_at(f, leaf->retry_at);
            continue;
        }
        leaf->asked = true;
        VEC_PUSH(tables, ((struct hydrate_table){.relid = leaf->relid}));
    }
    if (!tables.n)
        return;
    struct hydrate_job *job = NEW(struct hydrate_job);
    job->m.kind = R_HYDRATED;
    job->epoch = f->epoch;
    job->publish = true;
    job->tables = tables.v;
    job->ntables = tables.n;
    f->ask(f->ask_arg, &job->m);
}

static void end_readers(struct feed *f, const struct leaf *leaf, const struct err *err)
{
    for (size_t i = 0; i < f->reruns.n; i++)
        if (f->reruns.v[i]->state == FED_WAITING && feed_needs(f->reruns.v[i], leaf))
            feed_end_plan(f, f->reruns.v[i], err);
}

static void take_published(struct feed *f, struct leaf *leaf, const struct hydrate_job *job,
                           const struct hydrate_table *t)
{
    const struct err *err = err_is_set(&job->err) ? &job->err : &t->err;
    leaf->asked = false;
    if (!err_is_set(err)) {
        leaf->published = true;
        feed_table_is_well(leaf);
        return;
    }
    feed_retry_later(f, leaf);
    feed_rerun_wake_at(f, leaf->retry_at);
    if (!t->permanent) {
        feed_table_trouble(f, leaf, "is not in the stream yet", err);
        return;
    }
    feed_table_refused(f, leaf, err);
    end_readers(f, leaf, err); /* the leaf may be gone */
}

void feed_rerun_published(struct feed *f, struct hydrate_job *job)
{
    for (size_t i = 0; job->epoch == f->epoch && i < job->ntables; i++) {
        struct leafmap_entry *e = leafmap_find(&f->ing.map, job->tables[i].relid);
        if (e && e->leaf)
            take_published(f, e->leaf, job, &job->tables[i]);
    }
    f->rerun_work = true;
    hydrate_job_free(job);
}
