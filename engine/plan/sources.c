/*
 * sources: which tables a plan reads, and which of their columns.
 *
 * A table that is read twice is one source, with the columns that any of its scans needs; each scan
 * finds its own among them. FROM ONLY is another source than the table with its children.
 */
#include <assert.h>

#include "engine/plan/physical.h"
#include "engine/sql/refuse.h"

struct collecting {
    struct arena *a;
    struct plan_spec *spec;
    const struct logical_table **tables;
    uint8_t **needed; /* of each table: flags by attnum - 1 */
    struct err *err;
};

size_t sources_find(const struct plan_spec *spec, const struct logical_table *const *tables,
                    const struct logical_table *t)
{
    size_t i = 0;
    while (i < spec->nsources && (tables[i]->oid != t->oid || tables[i]->only != t->only))
        i++;
    return i;
}

static void collect_tables(struct collecting *c, const struct logical *n)
{
    for (size_t i = 0; i < n->nin; i++)
        collect_tables(c, n->in[i]);
    if (n->kind != LOGICAL_SCAN)
        return;
    size_t at = sources_find(c->spec, c->tables, n->table);
    if (at == c->spec->nsources) {
        c->tables[at] = n->table;
        c->needed[at] = ARENA_ARRAY(c->a, uint8_t, n->table->ncols);
        c->spec->nsources++;
    }
    for (size_t i = 0; i < n->ncols; i++)
        c->needed[at][n->cols[i].no - 1] = 1;
}

/* The type of a table's column, from whichever scan has it. */
static const struct lcol *scan_column_in(const struct logical *n, const struct logical_table *t,
                                         uint32_t no)
{
    if (n->kind != LOGICAL_SCAN || n->table->oid != t->oid || n->table->only != t->only)
        return NULL;
    return logical_find(n, n->rel, no);
}

static const struct lcol *scan_column(const struct logical *n, const struct logical_table *t,
                                      uint32_t no)
{
    const struct lcol *c = scan_column_in(n, t, no);
    for (size_t i = 0; i < n->nin && !c; i++)
        c = scan_column(n->in[i], t, no);
    return c;
}

static struct column_type column_type(const struct collecting *c, const struct logical_ctes *ctes,
                                      const struct logical_table *t, uint32_t no)
{
    const struct lcol *col = scan_column(c->spec->root, t, no);
    for (size_t i = 0; i < ctes->n && !col; i++)
        col = scan_column(ctes->v[i]->root, t, no);
    assert(col);
    return col->ct;
}

static bool make_source(struct collecting *c, const struct logical_ctes *ctes, size_t at)
{
    const struct logical_table *t = c->tables[at];
    struct plan_source *s = &c->spec->sources[at];
    const char **names = ARENA_ARRAY(c->a, const char *, t->ncols);
    struct column_type *types = ARENA_ARRAY(c->a, struct column_type, t->ncols);
    uint32_t *attnums = ARENA_ARRAY(c->a, uint32_t, t->ncols);
    *s = (struct plan_source){
        .table = t->oid, .schema = t->schema, .name = t->name, .only = t->only};
    s->leaves = t->leaves;
    s->nleaves = t->nleaves;
    for (size_t i = 0; i < t->ncols; i++) {
        if (!c->needed[at][i])
            continue;
        if (t->generated[i])
            return err_soft(c->err, "generated column \"%s\" of table \"%s\"", t->colnames[i],
                            t->name);
        names[s->ncols] = t->colnames[i];
        attnums[s->ncols] = (uint32_t)i + 1;
        types[s->ncols++] = column_type(c, ctes, t, (uint32_t)i + 1);
    }
    s->colnames = names;
    s->attnums = attnums;
    s->cols = types;
    s->layout = layout_new(types, s->ncols);
    return true;
}

static size_t count_scans(const struct logical *n)
{
    size_t total = n->kind == LOGICAL_SCAN;
    for (size_t i = 0; i < n->nin; i++)
        total += count_scans(n->in[i]);
    return total;
}

static void collect_all(struct collecting *c, const struct logical_ctes *ctes)
{
    size_t max = count_scans(c->spec->root);
    for (size_t i = 0; i < ctes->n; i++)
        max += count_scans(ctes->v[i]->root);
    c->tables = ARENA_ARRAY(c->a, const struct logical_table *, max);
    c->needed = ARENA_ARRAY(c->a, uint8_t *, max);
    collect_tables(c, c->spec->root);
    for (size_t i = 0; i < ctes->n; i++)
        collect_tables(c, ctes->v[i]->root);
}

bool sources_plan(struct plan_spec *spec, const struct logical_table ***tables, struct err *err)
{
    struct collecting c = {.a = &spec->arena, .spec = spec, .err = err};
    struct logical_ctes ctes;
    bool ok = true;
    logical_ctes(spec->root, &ctes);
    collect_all(&c, &ctes);
    spec->sources = ARENA_ARRAY(c.a, struct plan_source, spec->nsources);
    for (size_t i = 0; i < spec->nsources && ok; i++)
        ok = make_source(&c, &ctes, i);
    VEC_FREE(ctes);
    *tables = c.tables;
    return ok;
}
