/*
 * bind_levels: an expression of an inner query as one of its outer queries would have written it.
 *
 * An aggregate belongs to the query whose columns it is over, however deep it stands:
 *
 *     SELECT k, (SELECT count(o.x) + i.y FROM i) FROM o GROUP BY k     -- count is over the groups of o
 *
 * To be bound there, all that counts levels in it (columns, aggregates, CTE references) has to count
 * from there; what belongs to subqueries inside of it stays as it is.
 */
#include "engine/sql/bind.h"

#include <stdio.h>
#include <string.h>

static bool counts_levels(const struct pgnode *node, const char *field)
{
    if (strcmp(field, "varlevelsup") == 0)
        return pgn_is(node, "VAR");
    if (strcmp(field, "ctelevelsup") == 0)
        return pgn_is(node, "RANGETBLENTRY") && pgn_int(node, "rtekind") == 6;
    return strcmp(field, "agglevelsup") == 0;
}

static struct pgnode *number(struct binder *b, int64_t n)
{
    struct pgnode *atom = ARENA_NEW(b->scratch, struct pgnode);
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)n);
    *atom = (struct pgnode){.kind = PGN_ATOM, .len = (uint32_t)len};
    atom->text = arena_strdup(b->scratch, text);
    return atom;
}

/* own: levels up to this are within the expression. */
static struct pgnode *lower(struct binder *b, const struct pgnode *node, int64_t by, int64_t own,
                            int depth)
{
    struct pgnode *copy = arena_memdup(b->scratch, node, sizeof *node);
    if (!node->n || depth > PGNODE_MAX_DEPTH)
        return copy;
    own += pgn_is(node, "QUERY");
    copy->items = ARENA_ARRAY(b->scratch, struct pgnode *, node->n);
    for (uint32_t i = 0; i < node->n; i++) {
        const struct pgnode *item = node->items[i];
        int64_t level = pgn_atom_int(item);
        if (node->kind == PGN_NODE && level >= own + by && counts_levels(node, node->names[i]))
            copy->items[i] = number(b, level - by);
        else
            copy->items[i] = lower(b, item, by, own, depth + 1);
    }
    return copy;
}

const struct expr *bind_at_level(struct binder *b, struct scope *sc, const struct pgnode *node,
                                 int64_t up)
{
    struct scope *outer = sc;
    for (int64_t i = 0; i < up && outer; i++)
        outer = outer->parent;
    if (outer && outer->grouping)
        return bind_expr(b, outer, lower(b, node, up, 0, 0));
    bind_broken(b, "an aggregate of an outer query that isn't there");
    return NULL;
}
