/*
 * partset: see partset.h.
 */
#include "engine/arrange/partset.h"

#include <stdlib.h>
#include <string.h>

void partset_init(struct partset *ps, const struct layout *l, const struct expr *const *part,
                  size_t npart, const struct sort_key *keys, size_t nkeys)
{
    struct column_type *cts = xcalloc(npart, sizeof *cts);
    memset(ps, 0, sizeof *ps);
    for (size_t i = 0; i < npart; i++)
        cts[i] = part[i]->ct;
    topset_init(&ps->set, l, keys, nkeys);
    ps->set.tiny = npart > 0;
    ps->spec = keyspec_new(l, part, npart, NULL);
    keymap_init(&ps->parts, cts, npart, sizeof(struct partset_part));
    free(cts);
}

static void forget(void *arg, uint32_t handle)
{
    struct partset *ps = arg;
    partset_load(ps, handle);
    topset_forget(&ps->set);
}

void partset_fini(struct partset *ps)
{
    if (!keymap_count(&ps->parts)) /* its owner may do without partitions */
        topset_forget(&ps->set);
    else if (ps->set.outline_bytes)
        htab_each(&ps->parts.table, forget, ps);
    topset_load(&ps->set, &(struct topset_root){0});
    topset_fini(&ps->set);
    keymap_fini(&ps->parts);
    keyspec_free(ps->spec);
}

void partset_settle(struct partset *ps)
{
    topset_settle(&ps->set);
    keymap_settle(&ps->parts);
}

size_t partset_bytes(const struct partset *ps)
{
    return topset_bytes(&ps->set) + keymap_bytes(&ps->parts);
}

uint32_t partset_open(struct partset *ps, const uint8_t *row, struct arena *scratch,
                      struct err *err)
{
    struct keymap *m = &ps->parts;
    bool has_null;
    const uint8_t *key;
    if (!keyspec_eval(ps->spec, row, scratch, m->vals, err))
        return 0;
    uint32_t hash = keyspec_hash(ps->spec, m->vals, &has_null);
    uint32_t handle = keymap_find(m, hash, m->vals);
    if (!handle) {
        if (!row_pack(m->layout, m->vals, scratch, &key, err))
            return 0;
        handle = keymap_insert(m, hash, key);
    }
    partset_load(ps, handle);
    return handle;
}

void partset_load(struct partset *ps, uint32_t handle)
{
    topset_load(&ps->set, &partset_part(ps, handle)->set);
}

void partset_close(struct partset *ps, uint32_t handle)
{
    struct partset_part *p = partset_part(ps, handle);
    topset_store(&ps->set, &p->set);
    if (!p->set.total && !p->touched)
        keymap_remove(&ps->parts, handle);
}
