/*
 * feed_seed: a plan's first rows, copied out of the stores part by part.
 */
#include <string.h>

#include "daemon/feed_int.h"

#define PART_ROWS  65536u
#define PART_BYTES (4u * 1024 * 1024)

static bool has_column(const struct leaf_layout *leaf, const char *name,
                       const struct column_type *ct)
{
    for (uint32_t i = 0; i < leaf->ncols; i++) {
        const struct column_type *have = &leaf->layout->cols[i].ct;
        if (strcmp(leaf->names[i], name) == 0)
            return have->type->oid == ct->type->oid && have->typmod == ct->typmod;
    }
    return false;
}

bool feed_layout_serves(const struct leaf_layout *leaf, const struct need *n)
{
    for (size_t i = 0; i < n->sources.n; i++) {
        const struct plan_source *s = n->sources.v[i];
        for (size_t j = 0; j < s->ncols; j++) {
            if (!has_column(leaf, s->colnames[j], &s->cols[j]))
                return false;
        }
    }
    return true;
}

/* The leaf's rows are here, with all columns that are needed of it. */
bool feed_leaf_serves(const struct need *n)
{
    return n->leaf->layout && n->leaf->store && feed_layout_serves(n->leaf->layout, n);
}

bool feed_can_seed(const struct fed_plan *p)
{
    for (size_t i = 0; i < p->needs.n; i++) {
        if (!feed_leaf_serves(&p->needs.v[i]))
            return false;
    }
    return true;
}

/* The next part of one leaf; NULL when it is done. */
static struct step *next_part(struct fed_plan *p, struct leaf *leaf)
{
    const struct layout *l = leaf->layout->layout;
    struct step *part = NULL;
    struct delta *out = NULL;
    int64_t copies;
    const uint8_t *row;
    while (!part || (out->n < PART_ROWS && part->arena.bytes < PART_BYTES)) {
        row = store_next(leaf->store, &p->seed_cursor, &copies);
        if (!row)
            break;
        if (!part) {
            part = step_new();
            out = &step_fragment(part, leaf->layout)->changes;
        }
        delta_push(out, arena_memdup(&part->arena, row, row_len(l, row)), copies);
    }
    if (part)
        part->bytes = part->arena.bytes + out->n * sizeof *out->v;
    return part;
}

bool feed_seed(struct feed *f, struct fed_plan *p)
{
    lsn_t lsn = f->ing.position;
    while (p->seed_need < p->needs.n) {
        if (outbox_backlog(f->out) >= f->limits.seed_parts)
            return false;
        struct step *part = next_part(p, p->needs.v[p->seed_need].leaf);
        p->started = true;
        if (part) {
            part->lsn = lsn;
            outbox_seed(f->out, p->plan, part, false, lsn);
        } else {
            p->seed_need++;
            p->seed_cursor = 0;
        }
    }
    p->started = true;
    outbox_seed(f->out, p->plan, NULL, true, lsn);
    feed_set_state(f, p, FED_LIVE);
    return true;
}

static bool is_awaited(const struct feed *f, const struct leaf *leaf)
{
    for (size_t i = 0; i < f->plans.n; i++) {
        const struct fed_plan *p = f->plans.v[i];
        if (!p->rerun && (p->state == FED_WAITING || p->state == FED_SEEDING) &&
            feed_needs(p, leaf))
            return true;
    }
    return false;
}

/*
 * A table without identity only grows, so no change needs an old row. With REPLICA IDENTITY FULL the
 * stream has the old rows, but they are those of now: after ALTER TABLE … TYPE … USING, or a label of
 * an enum renamed, it deletes rows that no plan was ever given. That must be noticed before.
 */
static bool needs_old_rows(const struct leaf *leaf)
{
    return leaf->layout->nkey || leaf->layout->replident == 'f';
}

void feed_drop_idle_stores(struct feed *f)
{
    for (size_t i = 0; i < f->ing.map.size; i++) {
        struct leaf *leaf = f->ing.map.v[i].leaf;
        if (leaf && leaf->store && !needs_old_rows(leaf) && !is_awaited(f, leaf)) {
            store_free(leaf->store);
            leaf->store = NULL;
        }
    }
}
