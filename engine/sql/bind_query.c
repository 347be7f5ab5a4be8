/*
 * bind_query: one SELECT, clause by clause, in the order in which they take effect:
 *
 *     FROM → WHERE → GROUP BY, aggregates → HAVING → window functions → select list → DISTINCT
 *          → ORDER BY, LIMIT
 *
 * Set operations take the place of all before the select list. The select list is a projection
 * whose columns (rel, resno) are the identity the query's result is known by outside; columns made
 * only for sorting or grouping (resjunk) are among them and are dropped by pruning.
 */
#include "engine/sql/bind.h"

#include <string.h>

#include "engine/sql/pgops.h"
#include "engine/sql/refuse.h"

bool bind_broken(struct binder *b, const char *what)
{
    if (err_is_set(b->err))
        return false;
    err_set(b->err, ERR_INTERNAL, "could not understand the analysed statement: %s", what);
    b->err->soft = true; /* Postgres can */
    return false;
}

bool bind_needs_equality(struct binder *b, const struct column_type *ct, const char *what)
{
    if (type_has_equality(ct))
        return true;
    if (ct->collation && !ct->collation->deterministic)
        return err_soft(b->err, "%s over collation \"%s\"", what, ct->collation->name);
    return err_soft(b->err, "%s over type %s", what, ct->type->name);
}

/* ------------------------------------------------------------ scopes */

bool bind_open_scope(struct binder *b, const struct pgnode *query, struct scope *parent,
                     struct scope *sc)
{
    const struct pgnode *rtable = pgn_field(query, "rtable");
    const struct pgnode *ctes = pgn_field(query, "cteList");
    *sc = (struct scope){.parent = parent, .query = query};
    sc->nrtes = rtable->n;
    sc->rtes = ARENA_ARRAY(b->scratch, struct rte, sc->nrtes);
    for (size_t i = 0; i < sc->nrtes; i++)
        sc->rtes[i].node = rtable->items[i];
    sc->nctes = ctes->n;
    sc->ctes = ARENA_ARRAY(b->scratch, struct cte_entry, sc->nctes);
    for (size_t i = 0; i < sc->nctes; i++) {
        sc->ctes[i].node = ctes->items[i];
        if (!refuse_check_query(pgn_field(ctes->items[i], "ctequery"), b->err))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------ select list */

/* NULL where the select list has no set-returning function. */
static struct bind_srfs *begin_srfs(struct binder *b, struct scope *sc)
{
    return sc->srfs = pgn_bool(sc->query, "hasTargetSRFs") ? bind_srfs_begin(b) : NULL;
}

static bool window_call_has_subquery(const struct pgnode *node)
{
    if (pgn_is(node, "WINDOWFUNC"))
        return bind_has_sublink(node);
    for (uint32_t i = 0; i < node->n; i++)
        if (window_call_has_subquery(node->items[i]))
            return true;
    return false;
}

/* Whether a window is over what subqueries give; else subqueries may look at what windows give. */
static bool windows_use_subqueries(const struct pgnode *targets)
{
    for (uint32_t i = 0; i < targets->n; i++) {
        const struct pgnode *e = pgn_field(targets->items[i], "expr");
        bool sorts = pgn_int(targets->items[i], "ressortgroupref") != 0;
        if (window_call_has_subquery(e) || (sorts && bind_has_sublink(e)))
            return true;
    }
    return false;
}

/* Binds every TARGETENTRY over `in`. */
static struct logical *bind_targets(struct binder *b, struct scope *sc, struct logical *in,
                                    struct bound *out)
{
    const struct pgnode *targets = pgn_field(sc->query, "targetList");
    size_t room = targets->n + BIND_MAX_ORDINALS;
    const struct expr **exprs = ARENA_ARRAY(b->arena, const struct expr *, room);
    const char **names = ARENA_ARRAY(b->arena, const char *, room);
    struct bind_srfs *srfs = begin_srfs(b, sc);
    struct applies applies = {0};
    sc->applies = &applies;
    for (uint32_t i = 0; i < targets->n; i++) {
        const char *name = pgn_str(targets->items[i], "resname");
        exprs[i] = bind_expr(b, sc, pgn_field(targets->items[i], "expr"));
        if (!exprs[i])
            return NULL;
        names[i] = name ? arena_strdup(b->arena, name) : "";
    }
    sc->applies = NULL;
    if (sc->grouping && !(in = bind_grouping_end(b, sc, in)))
        return NULL;
    bool below = !sc->windows || windows_use_subqueries(targets);
    if (below)
        in = bind_applied(b, &applies, in);
    if (sc->windows && !(in = bind_windows_end(b, sc, in, exprs)))
        return NULL;
    if (!below)
        in = bind_applied(b, &applies, in);
    if (srfs)
        in = bind_srfs_end(b, srfs, in, sc->ordinals, &sc->nordinals);
    for (size_t i = 0; i < sc->nordinals; i++)
        exprs[targets->n + i] =
            lcol_expr(b->arena, logical_find(in, sc->ordinals[i].rel, sc->ordinals[i].no));
    struct logical *p =
        logical_project(b->arena, in, b->next_rel++, exprs, names, targets->n + sc->nordinals);
    for (size_t i = 0; i < sc->nordinals; i++)
        sc->ordinals[i] = (struct logical_id){p->rel, p->cols[targets->n + i].no};
    out->out = ARENA_ARRAY(b->arena, struct lcol, targets->n);
    out->nout = 0;
    for (uint32_t i = 0; i < targets->n; i++)
        if (!pgn_bool(targets->items[i], "resjunk"))
            out->out[out->nout++] = p->cols[i];
    return p;
}

int64_t bind_sortgroup_entry(struct binder *b, const struct pgnode *targets,
                             const struct pgnode *clause)
{
    int64_t ref = pgn_int(clause, "tleSortGroupRef");
    for (uint32_t i = 0; i < targets->n; i++)
        if (ref && pgn_int(targets->items[i], "ressortgroupref") == ref)
            return i;
    bind_broken(b, "a sort or group clause without its expression");
    return -1;
}

/* ------------------------------------------------------------ ORDER BY, LIMIT */

bool bind_sort_order(struct binder *b, const struct pgnode *clause, const struct column_type *ct,
                     const char *what, bool *desc)
{
    if (!type_has_order(ct)) {
        if (ct->collation && ct->collation->kind == COLLATION_UNSUPPORTED)
            return err_soft(b->err, "%s under collation \"%s\"", what, ct->collation->name);
        return err_soft(b->err, "%s over type %s", what, ct->type->name);
    }
    if (!pgops_sort(pgn_oid(clause, "sortop"), ct->type, desc))
        return err_soft(b->err, "%s with an operator that is not the default of type %s", what,
                        ct->type->name);
    return true;
}

static bool bind_sort(struct binder *b, struct scope *sc, const struct logical *project,
                      struct bound *out)
{
    const struct pgnode *clauses = pgn_field(sc->query, "sortClause");
    const struct pgnode *targets = pgn_field(sc->query, "targetList");
    out->sort = ARENA_ARRAY(b->arena, struct logical_sort, clauses->n);
    for (uint32_t i = 0; i < clauses->n; i++) {
        const struct pgnode *clause = clauses->items[i];
        struct logical_sort *s = &out->sort[i];
        int64_t at = bind_sortgroup_entry(b, targets, clause);
        if (at < 0)
            return false;
        const struct lcol *c = &project->cols[at];
        *s = (struct logical_sort){c->rel, c->no, false, pgn_bool(clause, "nulls_first")};
        if (!bind_sort_order(b, clause, &c->ct, "ORDER BY", &s->desc))
            return false;
    }
    out->nsort = clauses->n;
    return true;
}

/* LIMIT's or OFFSET's number; `none` where it is left out or NULL. */
static bool bind_row_count(struct binder *b, struct scope *sc, const char *field, const char *name,
                           const char *sqlstate, int64_t none, int64_t *out)
{
    const struct pgnode *node = pgn_field(sc->query, field);
    struct column_type ct;
    struct value v;
    *out = none;
    if (pgn_is_null(node))
        return true;
    if (!bind_constant(b, node, name, &ct, &v))
        return false;
    if (ct.type->oid != OID_INT8)
        return bind_broken(b, "a row count that isn't bigint");
    if (!v.null && v.i < 0)
        return err_set(b->err, sqlstate, "%s must not be negative", name);
    if (!v.null)
        *out = v.i;
    return true;
}

/* SELECT unnest(list) FROM t ORDER BY t.id LIMIT 3: of one row, the first three of its list. */
static void sort_by_ordinals(struct binder *b, const struct scope *sc, struct logical *n)
{
    struct logical_sort *sort =
        ARENA_ARRAY(b->arena, struct logical_sort, n->nsort + sc->nordinals);
    if (n->nsort)
        memcpy(sort, n->sort, n->nsort * sizeof *sort);
    for (size_t i = 0; i < sc->nordinals; i++)
        sort[n->nsort++] =
            (struct logical_sort){.rel = sc->ordinals[i].rel, .no = sc->ordinals[i].no};
    n->sort = sort;
}

static struct logical *bind_limit(struct binder *b, struct scope *sc, struct logical *in,
                                  struct bound *out)
{
    struct logical *n = logical_topk(b->arena, in, out->sort, out->nsort, NULL, 0);
    bool limited = !pgn_is_null(pgn_field(sc->query, "limitCount")) ||
                   !pgn_is_null(pgn_field(sc->query, "limitOffset"));
    if (!limited)
        return in;
    if (!bind_row_count(b, sc, "limitOffset", "OFFSET", "2201X", 0, &n->offset) ||
        !bind_row_count(b, sc, "limitCount", "LIMIT", "2201W", -1, &n->limit))
        return NULL;
    if (n->limit > INT64_MAX - n->offset)
        n->limit = -1;
    if (n->limit < 0 && n->offset == 0)
        return in;
    n->with_ties = pgn_int(sc->query, "limitOption") == 1 && n->limit >= 0;
    if (!n->with_ties && !pgn_field(sc->query, "distinctClause")->n)
        sort_by_ordinals(b, sc, n);
    return n;
}

/* ------------------------------------------------------------ the query */

/* Only what is visible counts: of SELECT DISTINCT count(*) … GROUP BY x the list holds x too. */
static void drop_junk(struct scope *sc, struct logical *project)
{
    const struct pgnode *targets = pgn_field(sc->query, "targetList");
    size_t n = 0;
    for (uint32_t i = 0; i < targets->n; i++) {
        if (pgn_bool(targets->items[i], "resjunk"))
            continue;
        project->cols[n] = project->cols[i];
        project->exprs[n++] = project->exprs[i];
    }
    project->ncols = project->nexprs = n;
}

/* DISTINCT ON: of the rows that are equal on these, the first by the statement's order. Where that
 * leaves it open Postgres shows any; here it is always the same one. */
static struct logical *bind_distinct_on(struct binder *b, struct scope *sc, struct logical *in,
                                        const struct bound *out)
{
    const struct pgnode *clauses = pgn_field(sc->query, "distinctClause");
    const struct pgnode *targets = pgn_field(sc->query, "targetList");
    struct logical_id *part = ARENA_ARRAY(b->arena, struct logical_id, clauses->n);
    for (uint32_t i = 0; i < clauses->n; i++) {
        int64_t at = bind_sortgroup_entry(b, targets, clauses->items[i]);
        if (at < 0 || !bind_needs_equality(b, &in->cols[at].ct, "DISTINCT ON"))
            return NULL;
        part[i] = (struct logical_id){in->cols[at].rel, in->cols[at].no};
    }
    struct logical *n = logical_topk(b->arena, in, out->sort, out->nsort, part, clauses->n);
    n->limit = 1;
    return n;
}

static struct logical *bind_distinct(struct binder *b, struct scope *sc, struct logical *in,
                                     const struct bound *out)
{
    if (!pgn_field(sc->query, "distinctClause")->n)
        return in;
    if (pgn_bool(sc->query, "hasDistinctOn"))
        return bind_distinct_on(b, sc, in, out);
    drop_junk(sc, in);
    for (size_t i = 0; i < in->ncols; i++)
        if (!bind_needs_equality(b, &in->cols[i].ct, "DISTINCT"))
            return NULL;
    return logical_distinct(b->arena, in);
}

static bool has_grouping(const struct pgnode *query)
{
    return pgn_bool(query, "hasAggs") || pgn_field(query, "groupClause")->n ||
           pgn_field(query, "groupingSets")->n || !pgn_is_null(pgn_field(query, "havingQual"));
}

/* FROM, WHERE and the beginning of the grouping. */
static struct logical *bind_source(struct binder *b, struct scope *sc)
{
    const struct pgnode *setops = pgn_field(sc->query, "setOperations");
    struct applies where = {0};
    if (!pgn_is_null(setops))
        return bind_setops(b, sc, setops);
    struct logical *n = bind_from(b, sc);
    if (!n || !bind_filter(b, sc, pgn_field(pgn_field(sc->query, "jointree"), "quals"), &where))
        return NULL;
    if (!has_grouping(sc->query))
        return bind_applied(b, &where, n);
    struct bind_srfs *srfs = begin_srfs(b, sc);
    sc->applies = &where; /* of the grouping's keys too */
    bool ok = bind_grouping_begin(b, sc);
    sc->applies = NULL;
    if (!ok)
        return NULL;
    struct logical_id ordinals[BIND_MAX_ORDINALS];
    size_t nordinals;
    n = bind_applied(b, &where, n);
    return srfs ? bind_srfs_end(b, srfs, n, ordinals, &nordinals) : n;
}

static bool bind_clauses(struct binder *b, struct scope *sc, bool top, struct bound *out)
{
    struct logical *n = bind_source(b, sc);
    bool ordered = top || pgn_bool(sc->query, "hasDistinctOn") ||
                   !pgn_is_null(pgn_field(sc->query, "limitCount")) ||
                   !pgn_is_null(pgn_field(sc->query, "limitOffset"));
    if (!n || !(n = bind_targets(b, sc, n, out)))
        return false;
    if (ordered && !bind_sort(b, sc, n, out))
        return false;
    n = bind_distinct(b, sc, n, out);
    out->root = n ? bind_limit(b, sc, n, out) : NULL;
    return out->root != NULL;
}

/* Whether the rows of this query's FROM are read only as far as a LIMIT, its own or outside of it,
 * needs them. What sorts or groups reads all. */
static bool is_lazy(const struct binder *b, const struct pgnode *query)
{
    if (pgn_field(query, "sortClause")->n || pgn_field(query, "distinctClause")->n ||
        pgn_bool(query, "hasWindowFuncs") || has_grouping(query))
        return false;
    return b->lazy || !pgn_is_null(pgn_field(query, "limitCount"));
}

bool bind_query(struct binder *b, const struct pgnode *query, struct scope *parent, bool top,
                struct bound *out)
{
    struct scope sc;
    bool lazy = b->lazy;
    *out = (struct bound){0};
    if (b->depth >= BIND_MAX_DEPTH)
        return err_soft(b->err, "a statement that is nested so deeply");
    if (!refuse_check_query(query, b->err) || !bind_open_scope(b, query, parent, &sc))
        return false;
    b->depth++;
    b->lazy = is_lazy(b, query);
    bool ok = bind_clauses(b, &sc, top, out);
    b->lazy = lazy;
    b->depth--;
    return ok;
}

/* The one QUERY of a function body, "(({QUERY …}))", or of a plain list. */
static const struct pgnode *only_query(const struct pgnode *n)
{
    while (n->kind == PGN_LIST && n->n == 1)
        n = n->items[0];
    return n;
}

bool bind_statement(struct binder *b, struct bound *out)
{
    struct pgnode *tree = pgnode_read(b->in->tree, strlen(b->in->tree), b->scratch, b->err);
    if (!tree)
        return false;
    const struct pgnode *query = only_query(tree);
    if (query->kind == PGN_LIST)
        return refuse(b->err, "more than one statement");
    return bind_query(b, query, NULL, true, out);
}
