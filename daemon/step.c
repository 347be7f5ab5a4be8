/*
 * step: counting and freeing of steps and leaf layouts. See step.h.
 */
#include "daemon/step.h"

#include <stdlib.h>

#include "engine/base/alloc.h"

struct leaf_layout *leaf_layout_ref(struct leaf_layout *l)
{
    atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
    return l;
}

void leaf_layout_unref(struct leaf_layout *l)
{
    if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < l->ncols; i++)
        free(l->names[i]);
    free(l->names);
    free(l->attnums);
    free(l->typeids);
    free(l->key);
    layout_unref(l->layout);
    free(l);
}

struct step *step_new(void)
{
    struct step *s = NEW(struct step);
    atomic_init(&s->refs, 1);
    arena_init(&s->arena);
    return s;
}

struct step *step_ref(struct step *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

static void clear_fragments(struct step *s)
{
    for (size_t i = 0; i < s->fragments.n; i++) {
        free(s->fragments.v[i].changes.v);
        leaf_layout_unref(s->fragments.v[i].leaf);
    }
    s->fragments.n = 0;
}

void step_unref(struct step *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    clear_fragments(s);
    VEC_FREE(s->fragments);
    arena_fini(&s->arena);
    free(s);
}

void step_reset(struct step *s)
{
    clear_fragments(s);
    arena_reset(&s->arena);
    s->lsn = 0;
    s->ntxns = 0;
    s->bytes = 0;
}

struct fragment *step_fragment(struct step *s, struct leaf_layout *leaf)
{
    for (size_t i = s->fragments.n; i-- > 0;)
        if (s->fragments.v[i].leaf == leaf)
            return &s->fragments.v[i];
    struct fragment f = {.relid = leaf->relid, .leaf = leaf_layout_ref(leaf)};
    VEC_PUSH(s->fragments, f);
    return &s->fragments.v[s->fragments.n - 1];
}
