/*
 * watch_plan: see watch_plan.h.
 */
#include "daemon/watch_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/reader.h"
#include "daemon/worker.h"

static bool is_same(const struct fingerprint *a, const struct fingerprint *b)
{
    return !strcmp(a->core, b->core) && !strcmp(a->meaning, b->meaning) &&
           !strcmp(a->columns, b->columns) && !strcmp(a->tree, b->tree) &&
           !strcmp(a->mark, b->mark) && !strcmp(a->name, b->name) && !strcmp(a->schema, b->schema);
}

void watch_plans_add(struct relations_now *l, const struct fingerprint *f,
                     const struct fingerprint *before)
{
    VEC(uint32_t) oids = {0};
    char *end;
    assert(!l->v.n || l->v.v[l->v.n - 1].f->relid < f->relid);
    for (const char *p = f->tree; *p; p = end + (*end == ','))
        VEC_PUSH(oids, (uint32_t)strtoul(p, &end, 10));
    struct relation_now r = {.f = f, .before = before, .leaves = oids.v, .n = oids.n};
    r.gone = !*f->core;
    r.different = !before || !is_same(before, f);
    r.remade = before && strcmp(before->meaning, f->meaning) != 0;
    r.tell = !r.gone && before && strcmp(before->tree, f->tree) != 0;
    VEC_PUSH(l->v, r);
}

static int compare_oid(const void *key, const void *element)
{
    uint32_t x = *(const uint32_t *)key, y = ((const struct relation_now *)element)->f->relid;
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

/* A column of the table that the plan reads isn't what it was. Which of them a rerun reads isn't known.
 */
static bool column_is_another(const struct relation_now *r, const struct plan_source *s)
{
    for (size_t i = 0; i < s->ncols; i++)
        if (!fingerprint_has_column(r->f, s->attnums[i], s->colnames[i]))
            return true;
    uint32_t no = 0;
    while (r->before && (no = fingerprint_next_altered(r->before, r->f, no))) {
        bool reads = !s->attnums;
        for (size_t i = 0; i < s->ncols && !reads; i++)
            reads = s->attnums[i] == no;
        if (reads)
            return true;
    }
    return false;
}

static bool source_is_another(const struct relation_now *r, const struct plan_source *s,
                              struct err *err)
{
    /* A table without leaves (no partitions yet) has nobody else to miss it. */
    if (r->gone || strcmp(r->f->name, s->name) != 0 || strcmp(r->f->schema, s->schema) != 0)
        return !err_set(err, "42P01", "relation \"%s.%s\" does not exist", s->schema, s->name);
    if (r->remade || column_is_another(r, s))
        return !err_set(err, "55000", "table %s.%s was altered", s->schema, s->name);
    return false;
}

static bool view_is_another(const struct relation_now *r, const struct plan_view *v,
                            struct err *err)
{
    bool another = strcmp(r->f->mark, v->mark) != 0 || r->remade;
    if (v->columns)
        another = r->before && strcmp(r->before->columns, r->f->columns) != 0;
    return another && !err_set(err, "55000",
                               "a table, view or function in the statement was altered or dropped");
}

/* What isn't in the list has come since Postgres was asked. */
static bool is_another(struct relations_now *l, const struct plan_spec *spec, bool is_new,
                       struct err *err)
{
    for (size_t i = 0; i < spec->nsources; i++) {
        const struct relation_now *r = find(l, spec->sources[i].table);
        if (r && (is_new || r->different) && source_is_another(r, &spec->sources[i], err))
            return true;
    }
    for (size_t i = 0; i < spec->nviews; i++) {
        const struct relation_now *r = find(l, spec->views[i].oid);
        if (r && (is_new || r->different) && view_is_another(r, &spec->views[i], err))
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
    if (p->id > l->asked)
        return; /* what it was made with may be newer than what we have seen */
    for (size_t i = 0; i < spec->nsources; i++) {
        struct relation_now *r = find(l, spec->sources[i].table);
        if (r && !r->gone && !spec->sources[i].only && !has_leaves(r, &spec->sources[i]))
            r->tell = true;
    }
    if (is_another(l, spec, p->id > l->known, &err))
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
        m->table = r->f->relid;
        m->leaves = r->leaves;
        m->n = r->n;
        reader_post(reader, &m->m);
    }
    VEC_FREE(l->v);
}
