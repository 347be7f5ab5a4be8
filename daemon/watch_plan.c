/*
 * watch_plan: see watch_plan.h.
 */
#include "daemon/watch_plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/reader.h"
#include "daemon/worker.h"

void watch_plans_add(struct relations_now *l, uint32_t oid, const char *leaves, const char *mark,
                     bool changed)
{
    VEC(uint32_t) oids = {0};
    char *end;
    assert(!l->v.n || l->v.v[l->v.n - 1].oid < oid);
    while (leaves && *leaves) {
        VEC_PUSH(oids, (uint32_t)strtoul(leaves, &end, 10));
        leaves = end + (*end == ',');
    }
    struct relation_now r = {
        .oid = oid, .leaves = oids.v, .n = oids.n, .tell = changed, .gone = !leaves};
    snprintf(r.mark, sizeof r.mark, "%s", mark);
    VEC_PUSH(l->v, r);
}

static int compare_oid(const void *key, const void *element)
{
    uint32_t x = *(const uint32_t *)key, y = ((const struct relation_now *)element)->oid;
    return (x > y) - (x < y);
}

static struct relation_now *find(struct relations_now *l, uint32_t oid)
{
    return l->v.n ? bsearch(&oid, l->v.v, l->v.n, sizeof *l->v.v, compare_oid) : NULL;
}

static bool has_leaves(const struct relation_now *r, const struct plan_source *s)
{
    return r->n == s->nleaves && (!r->n || !memcmp(r->leaves, s->leaves, r->n * sizeof *r->leaves));
}

static void end_plan(struct plan *p, const struct err *err)
{
    struct wmsg_end *m = NEW(struct wmsg_end);
    m->m.kind = W_END;
    m->plan = plan_ref(p);
    m->err = *err;
    m->cause = END_CHANGED;
    worker_post(p->worker, &m->m);
}

/* A table without leaves (no partitions yet) has nobody else to miss it. */
static bool source_is_gone(struct relations_now *l, const struct plan_spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->nsources; i++) {
        const struct plan_source *s = &spec->sources[i];
        const struct relation_now *r = find(l, s->table);
        if (r && r->gone)
            return !err_set(err, "42P01", "relation \"%s.%s\" does not exist", s->schema, s->name);
    }
    return false;
}

static bool view_is_another(struct relations_now *l, const struct plan_spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->nviews; i++) {
        const struct relation_now *r = find(l, spec->views[i].oid);
        /* One that isn't in the list has come since Postgres was asked. */
        if (!r || strcmp(r->mark, spec->views[i].mark) == 0)
            continue;
        err_set(err, ERR_FEATURE_NOT_SUPPORTED,
                "a view or function in the statement was redefined or dropped");
        return true;
    }
    return false;
}

/* registry_each() */
static void look_at_plan(void *arg, struct plan *p)
{
    struct relations_now *l = arg;
    const struct plan_spec *spec = p->spec;
    struct err err;
    for (size_t i = 0; i < spec->nsources; i++) {
        struct relation_now *r = find(l, spec->sources[i].table);
        if (r && !r->gone && !spec->sources[i].only && !has_leaves(r, &spec->sources[i]))
            r->tell = true;
    }
    if (source_is_gone(l, spec, &err) || view_is_another(l, spec, &err))
        end_plan(p, &err);
}

void watch_plans_check(struct relations_now *l, struct registry *registry, struct reader *reader)
{
    registry_each(registry, look_at_plan, l);
    for (size_t i = 0; i < l->v.n; i++) {
        struct relation_now *r = &l->v.v[i];
        if (!r->tell) {
            free(r->leaves);
            continue;
        }
        struct rmsg_tree *m = NEW(struct rmsg_tree);
        m->m.kind = R_TREE_CHANGED;
        m->table = r->oid;
        m->leaves = r->leaves;
        m->n = r->n;
        reader_post(reader, &m->m);
    }
    VEC_FREE(l->v);
}
