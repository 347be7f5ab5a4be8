/*
 * watch_tree: see watch_tree.h.
 */
#include "daemon/watch_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/reader.h"

void watch_trees_add(struct tree_list *l, uint32_t table, const char *leaves, bool changed)
{
    VEC(uint32_t) oids = {0};
    char *end;
    assert(!l->v.n || l->v.v[l->v.n - 1].table < table);
    while (*leaves) {
        VEC_PUSH(oids, (uint32_t)strtoul(leaves, &end, 10));
        leaves = end + (*end == ',');
    }
    struct table_tree t = {.table = table, .leaves = oids.v, .n = oids.n, .tell = changed};
    VEC_PUSH(l->v, t);
}

static int compare_table(const void *key, const void *element)
{
    uint32_t x = *(const uint32_t *)key, y = ((const struct table_tree *)element)->table;
    return (x > y) - (x < y);
}

static struct table_tree *find(struct tree_list *l, uint32_t table)
{
    return l->v.n ? bsearch(&table, l->v.v, l->v.n, sizeof *l->v.v, compare_table) : NULL;
}

/* registry_each(): the plan may have been made with another tree than that of now. */
static void look_at_plan(void *arg, struct plan *p)
{
    struct tree_list *l = arg;
    for (size_t i = 0; i < p->spec->nsources; i++) {
        const struct plan_source *s = &p->spec->sources[i];
        struct table_tree *t = s->only ? NULL : find(l, s->table);
        if (t && (t->n != s->nleaves ||
                  (t->n && memcmp(t->leaves, s->leaves, t->n * sizeof *t->leaves) != 0)))
            t->tell = true;
    }
}

void watch_trees_tell(struct tree_list *l, struct registry *registry, struct reader *reader)
{
    registry_each(registry, look_at_plan, l);
    for (size_t i = 0; i < l->v.n; i++) {
        struct table_tree *t = &l->v.v[i];
        if (!t->tell) {
            free(t->leaves);
            continue;
        }
        struct rmsg_tree *m = NEW(struct rmsg_tree);
        m->m.kind = R_TREE_CHANGED;
        m->table = t->table;
        m->leaves = t->leaves;
        m->n = t->n;
        reader_post(reader, &m->m);
    }
    VEC_FREE(l->v);
}
