/*
 * plan_rerun: the spec of a statement that Postgres is asked again.
 *
 * It has the tables to watch in place of a circuit. What is told of the result (columns, sort keys)
 * is read off the analysed tree; its rows come as Postgres prints them, in Postgres's order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/plan/plan.h"
#include "engine/sql/refuse.h"
#include "engine/sql/rerun.h"

/* ------------------------------------------------------------ what is told of the result */

static void set_columns(struct plan_spec *s, const struct plan_input *in,
                        const struct pgnode *targets)
{
    bool named = in->type_names != NULL;
    s->columns = ARENA_ARRAY(&s->arena, struct plan_column, targets->n + 1);
    for (uint32_t i = 0; i < targets->n; i++) {
        const char *name = pgn_str(targets->items[i], "resname");
        if (pgn_bool(targets->items[i], "resjunk"))
            continue;
        named = named && in->type_names[s->ncolumns];
        s->columns[s->ncolumns] =
            (struct plan_column){arena_strdup(&s->arena, name ? name : "?column?"),
                                 arena_strdup(&s->arena, named ? in->type_names[s->ncolumns] : ""),
                                 {0}};
        s->ncolumns++;
    }
}

/* The place of the sorted expression among the visible columns; beyond them where it is none. */
static uint32_t column_of(const struct plan_spec *s, const struct pgnode *targets, int64_t ref)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < targets->n; i++) {
        bool junk = pgn_bool(targets->items[i], "resjunk");
        if (ref && pgn_int(targets->items[i], "ressortgroupref") == ref)
            return junk ? (uint32_t)s->ncolumns : at;
        at += !junk;
    }
    return (uint32_t)s->ncolumns;
}

static void set_order(struct plan_spec *s, const struct catalog *cat, const struct pgnode *query)
{
    const struct pgnode *clauses = pgn_field(query, "sortClause");
    const struct pgnode *targets = pgn_field(query, "targetList");
    s->order = ARENA_ARRAY(&s->arena, struct sort_key, clauses->n);
    s->norder = clauses->n;
    for (uint32_t i = 0; i < clauses->n; i++) {
        const struct pgnode *c = clauses->items[i];
        s->order[i] = (struct sort_key){column_of(s, targets, pgn_int(c, "tleSortGroupRef")),
                                        cat->sorts_descending(cat->ctx, pgn_oid(c, "sortop")),
                                        pgn_bool(c, "nulls_first")};
    }
}

/* ------------------------------------------------------------ what is read */

static void set_sources(struct plan_spec *s, const struct rerun_facts *facts)
{
    s->sources = ARENA_ARRAY(&s->arena, struct plan_source, facts->tables.n);
    s->nsources = facts->tables.n;
    for (size_t i = 0; i < facts->tables.n; i++) {
        const struct cat_table *t = facts->tables.v[i].t;
        bool only = facts->tables.v[i].only;
        const uint32_t *leaves = only ? t->leaves_only : t->leaves;
        size_t n = only ? t->nleaves_only : t->nleaves;
        s->sources[i] = (struct plan_source){.table = t->oid,
                                             .schema = arena_strdup(&s->arena, t->schema),
                                             .name = arena_strdup(&s->arena, t->name),
                                             .only = only,
                                             .nleaves = n};
        s->sources[i].leaves = arena_memdup(&s->arena, leaves, n * sizeof *leaves);
    }
}

void plan_spec_ask(struct plan_spec *s, const struct plan_input *in)
{
    const char **values = ARENA_ARRAY(&s->arena, const char *, in->nparams + 1);
    uint32_t *types = ARENA_ARRAY(&s->arena, uint32_t, in->nparams + 1);
    for (size_t i = 0; i < in->nparams; i++) {
        struct buf text = {0};
        types[i] = in->param_types[i].type->oid;
        if (in->params[i].null)
            continue;
        value_print(in->param_types[i].type, in->params[i], &text);
        values[i] = arena_strndup(&s->arena, text.len ? text.data : "", text.len);
        buf_fini(&text);
    }
    s->question = (struct plan_question){.sql = arena_strdup(&s->arena, in->qualified),
                                         .params = values,
                                         .param_types = types,
                                         .nparams = in->nparams};
}

/* ------------------------------------------------------------ the key */

static void set_key(struct plan_spec *s, const struct plan_input *in, const struct pgnode *query)
{
    struct buf b = {0};
    buf_addf(&b, "rerun %016" PRIx64 " %s", rerun_hash(query),
             in->environment ? in->environment : "");
    for (size_t i = 0; i < s->question.nparams; i++) {
        const char *v = s->question.params[i];
        buf_addf(&b, " %u:%zu:%s", s->question.param_types[i], v ? strlen(v) : SIZE_MAX,
                 v ? v : "");
    }
    snprintf(s->key, sizeof s->key, "%016" PRIx64, (uint64_t)XXH3_64bits(b.data, b.len));
    buf_fini(&b);
}

static const struct pgnode *read_query(const struct plan_input *in, struct arena *scratch,
                                       struct err *err)
{
    const struct pgnode *n = pgnode_read(in->tree, strlen(in->tree), scratch, err);
    while (n && n->kind == PGN_LIST && n->n == 1)
        n = n->items[0];
    if (n && !pgn_is(n, "QUERY")) {
        refuse(err, "more than one statement");
        return NULL;
    }
    return n;
}

static bool fill(struct plan_spec *s, const struct plan_input *in, const struct catalog *cat,
                 const char *what, struct arena *scratch, struct err *err)
{
    struct rerun_facts facts = {{0}};
    struct plan_rerun *r = ARENA_NEW(&s->arena, struct plan_rerun);
    const struct pgnode *query = read_query(in, scratch, err);
    bool ok = query && rerun_look(query, cat, scratch, &facts, err);
    if (ok) {
        s->rerun = r;
        r->what = arena_strdup(&s->arena, what);
        r->timed = facts.timed;
        s->doubt.why = facts.doubt;
        r->ordered = pgn_field(query, "sortClause")->n > 0;
        s->sql = arena_strdup(&s->arena, in->sql ? in->sql : "");
        set_sources(s, &facts);
        plan_spec_ask(s, in);
        set_columns(s, in, pgn_field(query, "targetList"));
        set_order(s, cat, query);
        set_key(s, in, query);
    }
    VEC_FREE(facts.tables);
    return ok;
}

struct plan_spec *plan_spec_rerun(const struct plan_input *in, const struct catalog *cat,
                                  const struct err *why, struct err *err)
{
    struct plan_spec *s = NEW(struct plan_spec);
    struct arena scratch;
    char what[ERR_WHAT_MAX];
    err_what(why, what);
    err_clear(err);
    atomic_init(&s->refs, 1);
    arena_init(&s->arena);
    arena_init(&scratch);
    bool ok = fill(s, in, cat, what, &scratch, err);
    arena_fini(&scratch);
    if (ok)
        return s;
    plan_spec_unref(s);
    return NULL;
}
