/*
 * handover: which transactions a snapshot shows. See handover.h.
 */
#include "daemon/handover.h"

#include <stdlib.h>
#include <string.h>

uint64_t xid_widen(uint32_t xid, uint64_t ref)
{
    /* Live xids are less than 2^31 apart, so the signed difference is the true one. */
    int32_t distance = (int32_t)(xid - (uint32_t)ref);
    return ref + (uint64_t)(int64_t)distance;
}

static bool in_progress(const struct snapshot *s, uint64_t xid)
{
    size_t lo = 0, hi = s->nxip;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->xip[mid] < xid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->nxip && s->xip[lo] == xid;
}

bool snapshot_shows64(const struct snapshot *s, uint64_t xid)
{
    /* Never by xmin alone: a prepared transaction holds it back for days. */
    return xid < s->xmin || (xid < s->xmax && !in_progress(s, xid));
}

bool snapshot_shows(const struct snapshot *s, uint32_t xid)
{
    return snapshot_shows64(s, xid_widen(xid, s->xmax));
}

bool snapshot_covers(const struct snapshot *s, const struct snapshot *origin)
{
    for (size_t i = 0; i < s->nxip; i++) {
        if (snapshot_shows64(origin, s->xip[i]))
            return false;
    }
    for (uint64_t xid = s->xmax; xid < origin->xmax; xid++) {
        if (snapshot_shows64(origin, xid))
            return false;
    }
    return true;
}

void snapshot_fini(struct snapshot *s)
{
    free(s->xip);
    memset(s, 0, sizeof *s);
}

/* ---- hydrations ---------------------------------------------------------------------------- */

struct hydration *hydration_new(uint64_t start)
{
    struct hydration *h = NEW(struct hydration);
    h->start = start;
    rawtx_builder_init(&h->cur);
    txlog_init(&h->pending);
    return h;
}

void hydration_free(struct hydration *h)
{
    for (size_t i = 0; i < h->leaves.n; i++) {
        h->leaves.v[i]->reading = NULL;
        leaf_drop_next(h->leaves.v[i]);
    }
    VEC_FREE(h->leaves);
    rawtx_builder_fini(&h->cur);
    txlog_clear(&h->pending);
    snapshot_fini(&h->snap);
    free(h);
}

void hydration_add_leaf(struct hydration *h, struct leaf *leaf)
{
    leaf->reading = h;
    VEC_PUSH(h->leaves, leaf);
}

void hydration_keep(struct hydration *h, struct relation *rel, const char *msg, size_t len,
                    size_t max_bytes)
{
    if (h->doomed)
        return;
    size_t left = max_bytes > h->pending.bytes ? max_bytes - h->pending.bytes : 0;
    rawtx_builder_add(&h->cur, rel, msg, len, left);
    if (h->cur.overflow) {
        h->doomed = true;
        txlog_clear(&h->pending);
    }
}

void hydration_begin_txn(struct hydration *h, uint32_t xid)
{
    h->skip = h->back && snapshot_shows(&h->snap, xid);
}

void hydration_end_txn(struct hydration *h, uint64_t seq, uint32_t xid, lsn_t end_lsn)
{
    h->skip = false;
    if (h->doomed)
        rawtx_builder_reset(&h->cur);
    else if (h->cur.body.len)
        txlog_push(&h->pending, rawtx_builder_take(&h->cur, seq, xid, end_lsn));
}

struct replay {
    struct hydration *h;
    const struct leafmap *map;
    struct pgo_decoder *decoder;
    struct arena arena;
};

static bool replay_truncate(struct replay *rp, const struct pgo_message *m)
{
    for (size_t i = 0; i < m->truncate.n; i++) {
        struct leafmap_entry *e = leafmap_find(rp->map, pgo_truncate_relid(m, i));
        if (e && e->leaf && e->leaf->reading == rp->h && e->leaf->next)
            store_clear(e->leaf->next);
    }
    return true;
}

static bool replay_message(struct replay *rp, struct relation *rel, const char *msg, size_t len,
                           struct err *err)
{
    struct pgo_message m;
    struct leafmap_entry *e = rel ? leafmap_find(rp->map, rel->relid) : NULL;
    struct leaf *leaf = e ? e->leaf : NULL;
    if (rel && (!leaf || leaf->reading != rp->h || !leaf->next))
        return true; /* the ring has all tables */
    if (!pgo_decode(rp->decoder, msg, len, &m, err))
        return false;
    if (!rel)
        return replay_truncate(rp, &m);
    arena_reset(&rp->arena);
    struct apply_target t = {.leaf = store_leaf(leaf->next),
                             .store = leaf->next,
                             .map = &leaf->next_map,
                             .arena = &rp->arena};
    switch (apply_change(&t, rel, &m, err)) {
    case APPLY_OK: return true;
    case APPLY_MISFIT: return err_set(err, ERR_INTERNAL, "table %u has changed", rel->relid);
    case APPLY_MISSING:
        return err_set(err, ERR_INTERNAL, "a row of table %u is not where it should be",
                       rel->relid);
    case APPLY_BAD: break;
    }
    return false;
}

static bool replay_txn(struct replay *rp, const struct rawtx *t, struct err *err)
{
    size_t pos = 0, len;
    const char *msg;
    struct relation *rel;
    while (rawtx_next(t, &pos, &msg, &len, &rel)) {
        if (!replay_message(rp, rel, msg, len, err))
            return false;
    }
    return true;
}

static bool replay_all(struct replay *rp, const struct ring *ring, struct err *err)
{
    const struct snapshot *s = &rp->h->snap;
    struct rawtx *t = NULL;
    while (ring_next_unseen(ring, s, rp->h->start, &t)) {
        if (!replay_txn(rp, t, err))
            return false;
    }
    if (t)
        return err_set(err, ERR_INTERNAL, "transaction %u was too large to keep", t->xid);
    for (t = rp->h->pending.head; t; t = t->next) {
        if (!snapshot_shows(s, t->xid) && !replay_txn(rp, t, err))
            return false;
    }
    return true;
}

bool hydration_replay(struct hydration *h, struct snapshot snap, const struct snapshot *origin,
                      const struct ring *ring, const struct leafmap *map, struct err *err)
{
    snapshot_fini(&h->snap);
    h->snap = snap;
    h->back = true;
    if (h->doomed)
        return err_set(err, ERR_INTERNAL, "more was written meanwhile than is kept");
    if (!snapshot_covers(&snap, origin) || !ring_reaches(ring, &snap))
        return err_set(err, ERR_INTERNAL, "transactions are neither in the snapshot nor at hand");
    struct replay rp = {.h = h, .map = map, .decoder = xmalloc(sizeof(struct pgo_decoder))};
    arena_init(&rp.arena);
    bool ok = replay_all(&rp, ring, err);
    arena_fini(&rp.arena);
    free(rp.decoder);
    txlog_clear(&h->pending);
    return ok;
}
