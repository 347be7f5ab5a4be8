/*
 * plan: a statement's way through sql/ and plan/; see plan.h.
 */
#include "engine/plan/plan.h"

#include <stdlib.h>

#include "engine/plan/doubt.h"
#include "engine/plan/passes.h"
#include "engine/plan/physical.h"
#include "engine/sql/bind.h"
#include "engine/sql/bind_delegate.h"
#include "engine/sql/refuse.h"

/* ------------------------------------------------------------ the result's columns */

#define MAX_TYPE_DEPTH 32

/* to_json() of it is a matter of the text form alone. */
static bool json_is_known(const struct type *t, int depth)
{
    if (t->kind != TYPE_OPAQUE)
        return true;
    if (t->json == JSON_UNKNOWN || depth > MAX_TYPE_DEPTH)
        return false;
    if (t->json == JSON_ARRAY)
        return t->elem && json_is_known(t->elem, depth + 1);
    for (size_t i = 0; t->json == JSON_COMPOSITE && i < t->nfields; i++)
        if (!json_is_known(t->fields[i].type, depth + 1))
            return false;
    return true;
}

static bool set_columns(struct plan_spec *s, const struct plan_input *in, const struct catalog *cat,
                        const struct bound *q, struct err *err)
{
    bool named = in->type_names != NULL;
    s->ncolumns = q->nout;
    s->columns = ARENA_ARRAY(&s->arena, struct plan_column, q->nout);
    for (size_t i = 0; i < q->nout; i++) {
        const struct column_type *ct = &q->out[i].ct;
        named = named && in->type_names[i];
        s->columns[i] = (struct plan_column){
            q->out[i].name, arena_strdup(&s->arena, named ? in->type_names[i] : ct->type->name),
            *ct};
        if (!json_is_known(ct->type, 0) && !cat->names)
            return err_soft(err,
                            "column \"%s\" of type %s, whose JSON form is a function of its own,",
                            q->out[i].name, ct->type->name);
    }
    return true;
}

/* What is shown of the column: itself, or where only Postgres knows its JSON, that. */
static const struct expr *shown(struct plan_spec *s, struct binder *b, const struct lcol *col,
                                size_t i)
{
    const struct expr *e = lcol_expr(&s->arena, col);
    if (json_is_known(col->ct.type, 0))
        return e;
    e = delegated_to_json(b, e);
    if (e)
        s->columns[i].ct = e->ct;
    return e;
}

static size_t position_in(const struct lcol *cols, size_t n, uint32_t rel, uint32_t no)
{
    size_t i = 0;
    while (i < n && (cols[i].rel != rel || cols[i].no != no))
        i++;
    return i;
}

/* The output row: the visible columns, then those that are only sorted by. NULL with b's error. */
static struct logical *output_node(struct plan_spec *s, struct binder *b, const struct bound *q)
{
    struct arena *a = &s->arena;
    struct lcol *cols = ARENA_ARRAY(a, struct lcol, q->nout + q->nsort);
    size_t n = q->nout;
    if (n)
        memcpy(cols, q->out, n * sizeof *cols);
    s->norder = q->nsort;
    s->order = ARENA_ARRAY(a, struct sort_key, q->nsort);
    for (size_t i = 0; i < q->nsort; i++) {
        const struct logical_sort *by = &q->sort[i];
        size_t at = position_in(cols, n, by->rel, by->no);
        if (at == n || (at < q->nout && !json_is_known(cols[at].ct.type, 0))) {
            at = n;
            cols[n++] = *logical_find(q->root, by->rel, by->no);
        }
        s->order[i] = (struct sort_key){(uint32_t)at, by->desc, by->nulls_first};
    }
    const struct expr **exprs = ARENA_ARRAY(a, const struct expr *, n);
    const char **names = ARENA_ARRAY(a, const char *, n);
    for (size_t i = 0; i < n; i++) {
        exprs[i] = i < q->nout ? shown(s, b, &cols[i], i) : lcol_expr(a, &cols[i]);
        if (!exprs[i])
            return NULL;
        names[i] = cols[i].name;
    }
    return logical_project(a, q->root, b->next_rel++, exprs, names, n);
}

/* ------------------------------------------------------------ life */

static bool plan(struct plan_spec *s, const struct plan_input *in, const struct catalog *cat,
                 struct arena *scratch, struct err *err)
{
    struct binder b = {
        .arena = &s->arena, .scratch = scratch, .cat = cat, .in = in, .err = err, .next_rel = 1};
    struct bound q;
    if (!bind_statement(&b, &q) || !set_columns(s, in, cat, &q, err))
        return false;
    struct logical *output = output_node(s, &b, &q);
    if (!output)
        return false;
    struct pass_ctx c = {&s->arena, b.next_rel};
    s->root = pass_decorrelate(&c, pass_inline_ctes(&c, output), err);
    if (!s->root || !pass_iterate(&c, s->root, err))
        return false;
    if (!logical_is_valid(s->root)) /* Postgres can */
        return err_soft(err, "a statement of this form");
    s->root = passes_run(&c, s->root);
    s->sql = arena_strdup(&s->arena, in->sql ? in->sql : "");
    canon_key(s, in->environment, s->key);
    doubt_find(s);
    return physical_plan(s, err);
}

struct plan_spec *plan_spec_new(const struct plan_input *in, const struct catalog *cat,
                                struct err *err)
{
    struct plan_spec *s = NEW(struct plan_spec);
    struct arena scratch;
    err_clear(err);
    atomic_init(&s->refs, 1);
    arena_init(&s->arena);
    arena_init(&scratch);
    bool ok = plan(s, in, cat, &scratch, err);
    arena_fini(&scratch);
    if (ok)
        return s;
    plan_spec_unref(s);
    return NULL;
}

struct plan_spec *plan_spec_ref(const struct plan_spec *p)
{
    struct plan_spec *s = (struct plan_spec *)p; /* all but the count is immutable */
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void plan_spec_unref(const struct plan_spec *p)
{
    struct plan_spec *s = (struct plan_spec *)p;
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->nsources; i++)
        layout_unref(s->sources[i].layout); /* NULL where planning failed half-way */
    arena_fini(&s->arena);
    free(s);
}
