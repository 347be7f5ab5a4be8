/*
 * ingest: see ingest.h. One function a message kind.
 */
#include "daemon/ingest.h"

#include <assert.h>
#include <string.h>

#include "protocol/utf8.h"

void ingest_init(struct ingest *ing, const struct ingest_events *events, void *arg)
{
    memset(ing, 0, sizeof *ing);
    ing->events = events;
    ing->arg = arg;
    ing->max_txn_bytes = ing->max_pending_bytes = SIZE_MAX;
    ring_init(&ing->ring, SIZE_MAX, SIZE_MAX);
    rawtx_builder_init(&ing->cur);
    arena_init(&ing->scratch);
    ing->decoder = xmalloc(sizeof *ing->decoder);
}

void ingest_drop_hydrations(struct ingest *ing)
{
    while (ing->hydrations) {
        struct hydration *h = ing->hydrations;
        ing->hydrations = h->next;
        hydration_free(h);
    }
}

void ingest_fini(struct ingest *ing)
{
    ingest_drop_hydrations(ing);
    step_unref(ing->step);
    rawtx_builder_fini(&ing->cur);
    VEC_FREE(ing->touched);
    ingest_forget_marks(ing);
    ring_clear(&ing->ring);
    leafmap_fini(&ing->map);
    arena_fini(&ing->scratch);
    free(ing->decoder);
}

static void forget_touched(struct ingest *ing)
{
    for (size_t i = 0; i < ing->touched.n; i++)
        ing->touched.v[i]->touched = false;
    ing->touched.n = 0;
}

void ingest_lose_rows(struct ingest *ing)
{
    ingest_drop_hydrations(ing);
    step_unref(ing->step);
    ing->step = NULL;
    ing->nchanges = 0;
    rawtx_builder_reset(&ing->cur);
    forget_touched(ing);
    ingest_forget_marks(ing);
    for (size_t i = 0; i < ing->map.size; i++) {
        if (ing->map.v[i].leaf)
            leaf_lose(ing->map.v[i].leaf);
    }
    ing->in_txn = ing->overflow = ing->reseeds = false;
}

void ingest_restart(struct ingest *ing, lsn_t position)
{
    ingest_lose_rows(ing);
    ring_clear(&ing->ring);
    leafmap_forget_relations(&ing->map);
    ing->position = position;
}

/* ---- the step under way -------------------------------------------------------------------- */

size_t ingest_step_bytes(const struct ingest *ing)
{
    return ing->step ? ing->step->arena.bytes + ing->nchanges * sizeof(struct change) : 0;
}

struct step *ingest_take_step(struct ingest *ing)
{
    struct step *s = ing->step;
    assert(!ing->in_txn);
    if (s)
        s->bytes = ingest_step_bytes(ing);
    ing->step = NULL;
    ing->nchanges = 0;
    return s;
}

static struct step *need_step(struct ingest *ing)
{
    if (!ing->step)
        ing->step = ing->events->new_step(ing->arg);
    return ing->step;
}

static void mark_overflow(struct ingest *ing, struct leaf *leaf)
{
    leaf->overflow = true;
    ing->reseeds = true;
}

/* The step has grown too large. What was collected for its leaves is of no use without the rest, so
 * it goes; their plans are seeded anew at the commit. */
static void overflow(struct ingest *ing)
{
    struct step *s = ing->step;
    ing->overflow = true;
    for (size_t i = 0; i < s->fragments.n; i++) {
        struct leafmap_entry *e = leafmap_find(&ing->map, s->fragments.v[i].relid);
        if (e && e->leaf)
            mark_overflow(ing, e->leaf);
    }
    ing->step = step_new();
    ing->step->ntxns = s->ntxns;
    ing->step->lsn = s->lsn;
    ing->nchanges = 0;
    step_unref(s);
}

static void check_size(struct ingest *ing)
{
    if (ing->step && !ing->overflow && ingest_step_bytes(ing) > ing->max_txn_bytes)
        overflow(ing);
}

/* ---- leaves -------------------------------------------------------------------------------- */

static void lose_leaf(struct ingest *ing, struct leaf *leaf, const struct err *why)
{
    leaf_lose(leaf);
    ing->events->lost(ing->arg, leaf, why);
}

static void explain(enum apply_result r, uint32_t relid, struct err *err)
{
    if (r == APPLY_MISFIT)
        err_set(err, ERR_INTERNAL, "table %u is not what it was when it was read", relid);
    else if (r == APPLY_MISSING)
        err_set(err, ERR_INTERNAL, "a row of table %u is not where it should be", relid);
}

static void apply_to_current(struct ingest *ing, struct leaf *leaf, struct relation *rel,
                             const struct pgo_message *m)
{
    struct err err;
    struct apply_target t = {
        .leaf = leaf->layout, .store = leaf->store, .map = &leaf->map, .arena = &ing->scratch};
    size_t before = 0;
    if (ing->overflow)
        mark_overflow(ing, leaf);
    if (!leaf->overflow) {
        struct step *s = need_step(ing);
        t.arena = &s->arena;
        t.out = &step_fragment(s, leaf->layout)->changes;
        before = t.out->n;
    } else if (!leaf->store) {
        return;
    }
    enum apply_result r = apply_change(&t, rel, m, &err);
    if (r != APPLY_OK) {
        explain(r, leaf->relid, &err);
        lose_leaf(ing, leaf, &err);
        return;
    }
    if (t.out)
        ing->nchanges += t.out->n - before;
    check_size(ing);
}

static void apply_to_next(struct ingest *ing, struct leaf *leaf, struct relation *rel,
                          const struct pgo_message *m)
{
    struct err err;
    struct apply_target t = {.leaf = store_leaf(leaf->next),
                             .store = leaf->next,
                             .map = &leaf->next_map,
                             .arena = &ing->scratch};
    if (apply_change(&t, rel, m, &err) != APPLY_OK)
        leaf->reading->doomed = true;
}

static bool is_pending(const struct leaf *leaf)
{
    return leaf->reading && !leaf->reading->back;
}

static bool is_catching_up(const struct leaf *leaf)
{
    return leaf->next && !leaf->reading->skip && !leaf->reading->doomed;
}

static void touch(struct ingest *ing, struct leaf *leaf)
{
    if (!leaf->watchers || leaf->touched)
        return;
    leaf->touched = true;
    VEC_PUSH(ing->touched, leaf);
}

/* ---- marks --------------------------------------------------------------------------------- */

#define MARK_PREFIX "palimpsest"
#define MARK_MAX    1024

void ingest_forget_marks(struct ingest *ing)
{
    for (size_t i = 0; i < ing->marks.n; i++)
        payload_unref(ing->marks.v[i]);
    VEC_FREE(ing->marks);
    ing->marks_bytes = ing->marks_ignored = 0;
}

/* It becomes the end of a line of the protocol. */
static bool is_token(const uint8_t *s, size_t len)
{
    if (len < 1 || len > MARK_MAX || !utf8_valid((const char *)s, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if (s[i] < ' ' || s[i] == 0x7F || (s[i] == 0xC2 && s[i + 1] < 0xA0))
            return false;
    return true;
}

static void message(struct ingest *ing, const struct pgo_message *m)
{
    size_t len = m->message.len;
    ing->synced |= !m->message.transactional && !ing->in_txn &&
                   strcmp(m->message.prefix, INGEST_SYNC_PREFIX) == 0;
    if (!m->message.transactional || !ing->in_txn || !ing->marks_wanted ||
        !atomic_load_explicit(ing->marks_wanted, memory_order_relaxed) ||
        strcmp(m->message.prefix, MARK_PREFIX) != 0)
        return;
    if (!is_token(m->message.content, len) || ing->marks_bytes + len > ing->max_txn_bytes) {
        ing->marks_ignored++;
        return;
    }
    char *token = xmalloc(len);
    memcpy(token, m->message.content, len);
    VEC_PUSH(ing->marks, payload_new(0, 0, token, len));
    ing->marks_bytes += len;
}

static void date_marks(struct ingest *ing, lsn_t end)
{
    for (size_t i = 0; i < ing->marks.n; i++)
        ing->marks.v[i]->lsn = end;
}

/* ---- messages ------------------------------------------------------------------------------ */

static bool change(struct ingest *ing, uint32_t relid, const char *msg, size_t len, struct err *err)
{
    struct leafmap_entry *e = leafmap_find(&ing->map, relid);
    struct pgo_message m;
    if (!e || !e->rel || !ing->in_txn)
        return err_set(err, ERR_PROTOCOL, "a change of table %u came out of place", relid);
    struct relation *rel = e->rel;
    struct leaf *leaf = e->leaf;
    rawtx_builder_add(&ing->cur, rel, msg, len, ing->ring.max_bytes);
    if (!leaf)
        return true;
    touch(ing, leaf);
    if (is_pending(leaf))
        hydration_keep(leaf->reading, rel, msg, len, ing->max_pending_bytes);
    if (!leaf->layout && !is_catching_up(leaf))
        return true;
    if (!pgo_decode(ing->decoder, msg, len, &m, err))
        return false;
    ing->changes++;
    arena_reset(&ing->scratch);
    if (leaf->layout)
        apply_to_current(ing, leaf, rel, &m);
    if (is_catching_up(leaf))
        apply_to_next(ing, leaf, rel, &m);
    return true;
}

static void retract_all(struct ingest *ing, struct leaf *leaf)
{
    const struct layout *l = leaf->layout->layout;
    uint64_t cursor = 0;
    int64_t copies;
    const uint8_t *row;
    while (!leaf->overflow && (row = store_next(leaf->store, &cursor, &copies))) {
        struct step *s = need_step(ing);
        struct delta *out = &step_fragment(s, leaf->layout)->changes;
        delta_push(out, arena_memdup(&s->arena, row, row_len(l, row)), -copies);
        ing->nchanges++;
        check_size(ing);
    }
    store_clear(leaf->store);
}

/* A table without identity has no rows here to retract. But now it is known what it holds: nothing. */
static void restart_empty(struct ingest *ing, struct leaf *leaf)
{
    leaf->store = store_new(leaf_layout_ref(leaf->layout));
    mark_overflow(ing, leaf);
}

static void truncate_leaf(struct ingest *ing, struct leaf *leaf)
{
    if (ing->overflow && leaf->layout)
        mark_overflow(ing, leaf);
    if (leaf->store)
        retract_all(ing, leaf);
    else if (leaf->layout)
        restart_empty(ing, leaf);
    if (is_catching_up(leaf))
        store_clear(leaf->next);
}

static void truncate(struct ingest *ing, const struct pgo_message *m, const char *msg, size_t len)
{
    rawtx_builder_add(&ing->cur, NULL, msg, len, ing->ring.max_bytes);
    for (struct hydration *h = ing->hydrations; h; h = h->next) {
        if (!h->back)
            hydration_keep(h, NULL, msg, len, ing->max_pending_bytes);
    }
    for (size_t i = 0; i < m->truncate.n; i++) {
        struct leafmap_entry *e = leafmap_find(&ing->map, pgo_truncate_relid(m, i));
        ing->changes++;
        if (!e || !e->leaf)
            continue;
        touch(ing, e->leaf);
        truncate_leaf(ing, e->leaf);
    }
}

static void relation(struct ingest *ing, const struct pgo_message *m)
{
    struct leafmap_entry *e = leafmap_get(&ing->map, m->relation.relid);
    if (e->rel && relation_says(e->rel, m))
        return;
    relation_unref(e->rel);
    e->rel = relation_new(m);
}

static void begin(struct ingest *ing, const struct pgo_message *m)
{
    ingest_forget_marks(ing);
    ing->in_txn = true;
    ing->xid = m->begin.xid;
    for (struct hydration *h = ing->hydrations; h; h = h->next)
        hydration_begin_txn(h, ing->xid);
}

/* Plans of overflown leaves start over; everybody has to know it before the next step. */
static void end_overflow(struct ingest *ing)
{
    ing->overflow = ing->reseeds = false;
    for (size_t i = 0; i < ing->map.size; i++) {
        struct leaf *leaf = ing->map.v[i].leaf;
        if (!leaf || !leaf->overflow)
            continue;
        leaf->overflow = false;
        ing->events->reseed(ing->arg, leaf);
    }
}

static void commit(struct ingest *ing, const struct pgo_message *m)
{
    lsn_t end = m->commit.end_lsn;
    struct rawtx *t = rawtx_builder_take(&ing->cur, ing->seq, ing->xid, end);
    for (struct hydration *h = ing->hydrations; h; h = h->next)
        hydration_end_txn(h, ing->seq, ing->xid, end);
    if (t->len || !t->whole)
        ring_push(&ing->ring, t);
    else
        rawtx_free(t);
    ing->seq++;
    ing->txns++;
    ing->in_txn = false;
    ing->position = end;
    date_marks(ing, end);
    if (ing->step) {
        ing->step->lsn = end;
        ing->step->ntxns++;
    }
    if (ing->reseeds)
        end_overflow(ing);
    if (ing->touched.n) {
        ing->events->touched(ing->arg, ing->touched.v, ing->touched.n, ing->xid, end);
        forget_touched(ing);
    }
}

bool ingest_message(struct ingest *ing, const char *msg, size_t len, struct err *err)
{
    struct pgo_message m;
    uint32_t relid = pgo_peek_relid(msg, len);
    if (relid)
        return change(ing, relid, msg, len, err);
    if (!pgo_decode(ing->decoder, msg, len, &m, err))
        return false;
    switch (m.kind) {
    case PGO_RELATION: relation(ing, &m); return true;
    case PGO_BEGIN: begin(ing, &m); return true;
    case PGO_MESSAGE: message(ing, &m); return true;
    case PGO_ORIGIN:
    case PGO_TYPE: return true;
    default: break;
    }
    if (!ing->in_txn)
        return err_set(err, ERR_PROTOCOL, "a message '%c' came outside a transaction", *msg);
    if (m.kind == PGO_COMMIT)
        commit(ing, &m);
    else
        truncate(ing, &m, msg, len);
    return true;
}

void ingest_alive(struct ingest *ing, lsn_t lsn)
{
    if (!ing->in_txn && lsn > ing->position)
        ing->position = lsn;
}
