/*
 * share: operators that do the same over the same inputs are built once.
 *
 * The list is in topological order, so one walk does it: an operator's inputs have been replaced by
 * the ones that stand for them before its own text (canon_op) is looked up among those kept. What
 * was written twice in the statement (a derived table, a view used by two branches, the two sides of
 * a self-join behind the same filter) then exists once, with one state:
 *
 *     SELECT … FROM pay a JOIN pay b ON …      -- pay: a view that groups; it is grouped once
 *
 * Sharing is safe because an operator's output is a function of its inputs and of what canon_op
 * writes down; a kind that isn't written down is never shared.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/hash.h"
#include "engine/plan/physical.h"

struct kept {
    uint64_t hash;
    struct buf text;
};

/* The kept operator with this text, or n. */
static size_t find(const struct kept *kept, size_t n, const struct kept *k)
{
    for (size_t i = 0; i < n; i++)
        if (kept[i].hash == k->hash && kept[i].text.len == k->text.len && k->text.len &&
            memcmp(kept[i].text.data, k->text.data, k->text.len) == 0)
            return i;
    return n;
}

static void replace_inputs(struct arena *a, struct physical_op *o, const size_t *now)
{
    size_t *in = ARENA_ARRAY(a, size_t, o->nin);
    for (size_t i = 0; i < o->nin; i++)
        in[i] = now[o->in[i]];
    o->in = in;
}

void physical_share(struct arena *a, struct physical *phys)
{
    size_t *now = ARENA_ARRAY(a, size_t, phys->n); /* the new number of each operator */
    struct kept *kept = xcalloc(phys->n ? phys->n : 1, sizeof *kept);
    size_t n = 0;
    for (size_t i = 0; i < phys->n; i++) {
        struct physical_op o = phys->v[i];
        struct kept k = {0};
        replace_inputs(a, &o, now);
        if (canon_op(&o, &k.text))
            k.hash = hash_bytes(k.text.data, k.text.len);
        now[i] = find(kept, n, &k);
        if (now[i] < n) {
            buf_fini(&k.text);
            continue;
        }
        kept[n] = k;
        phys->v[n++] = o;
    }
    phys->output = now[phys->output];
    phys->n = n;
    for (size_t i = 0; i < n; i++)
        buf_fini(&kept[i].text);
    free(kept);
}
