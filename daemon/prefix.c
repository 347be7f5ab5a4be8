/*
 * prefix: see prefix.h.
 */
#include "daemon/prefix.h"

#include "daemon/handover.h"

bool prefix_of(const struct touch *t, size_t n, const struct snapshot *s, lsn_t *shown,
               lsn_t *hidden)
{
    *shown = 0;
    *hidden = LSN_MAX;
    for (size_t i = 0; i < n; i++) {
        if (snapshot_shows(s, t[i].xid))
            *shown = t[i].lsn;
        else if (*hidden == LSN_MAX)
            *hidden = t[i].lsn;
    }
    return *shown < *hidden;
}

static bool is_among(uint32_t relid, const uint32_t *tables, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tables[i] == relid)
            return true;
    return false;
}

static bool has_truncate(const struct rawtx *t)
{
    size_t pos = 0, len;
    const char *msg;
    struct relation *rel;
    while (rawtx_next(t, &pos, &msg, &len, &rel))
        if (!rel)
            return true;
    return false;
}

static bool may_touch(const struct rawtx *t, const uint32_t *tables, size_t n)
{
    if (!t->whole || has_truncate(t))
        return true;
    for (uint32_t i = 0; i < t->nrels; i++)
        if (is_among(t->rels[i]->relid, tables, n))
            return true;
    return false;
}

bool prefix_is_old_shown(const struct ring *ring, const struct snapshot *s, lsn_t base,
                         const uint32_t *tables, size_t ntables)
{
    if (!ring_reaches(ring, s))
        return false;
    for (const struct rawtx *t = ring->log.head; t && t->end_lsn <= base; t = t->next)
        if (!snapshot_shows(s, t->xid) && may_touch(t, tables, ntables))
            return false;
    return true;
}
