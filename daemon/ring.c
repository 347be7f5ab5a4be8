/*
 * ring: see ring.h.
 */
#include "daemon/ring.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/handover.h"

void rawtx_free(struct rawtx *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->nrels; i++)
        relation_unref(t->rels[i]);
    free(t->rels);
    free(t->body);
    free(t);
}

static void drop_body(struct rawtx *t)
{
    for (uint32_t i = 0; i < t->nrels; i++)
        relation_unref(t->rels[i]);
    free(t->rels);
    free(t->body);
    t->rels = NULL;
    t->body = NULL;
    t->nrels = 0;
    t->len = 0;
    t->bytes = sizeof *t;
    t->whole = false;
}

void rawtx_builder_init(struct rawtx_builder *b)
{
    memset(b, 0, sizeof *b);
}

void rawtx_builder_reset(struct rawtx_builder *b)
{
    for (size_t i = 0; i < b->rels.n; i++)
        relation_unref(b->rels.v[i]);
    b->rels.n = 0;
    buf_reset(&b->body);
    b->overflow = false;
}

void rawtx_builder_fini(struct rawtx_builder *b)
{
    rawtx_builder_reset(b);
    VEC_FREE(b->rels);
    buf_fini(&b->body);
}

static uint32_t rel_number(struct rawtx_builder *b, struct relation *rel)
{
    if (!rel)
        return RAWMSG_NO_REL;
    for (size_t i = b->rels.n; i-- > 0;) {
        if (b->rels.v[i] == rel)
            return (uint32_t)i;
    }
    VEC_PUSH(b->rels, relation_ref(rel));
    return (uint32_t)b->rels.n - 1;
}

void rawtx_builder_add(struct rawtx_builder *b, struct relation *rel, const char *msg, size_t len,
                       size_t limit)
{
    if (b->overflow)
        return;
    if (b->body.len + sizeof(struct rawmsg_head) + len > limit) {
        rawtx_builder_reset(b);
        buf_fini(&b->body);
        buf_init(&b->body);
        b->overflow = true;
        return;
    }
    struct rawmsg_head head = {.len = (uint32_t)len, .rel = rel_number(b, rel)};
    buf_add(&b->body, &head, sizeof head);
    buf_add(&b->body, msg, len);
}

/* Small bodies are copied so that the builder's buffer is reused; large ones change hands. */
#define COPY_MAX (64 * 1024)

struct rawtx *rawtx_builder_take(struct rawtx_builder *b, uint64_t seq, uint32_t xid, lsn_t end_lsn)
{
    struct rawtx *t = NEW(struct rawtx);
    t->seq = seq;
    t->xid = xid;
    t->end_lsn = end_lsn;
    t->whole = !b->overflow;
    if (b->body.len > COPY_MAX) {
        t->body = buf_take(&b->body, &t->len);
    } else if (b->body.len) {
        t->len = b->body.len;
        t->body = memcpy(xmalloc(t->len), b->body.data, t->len);
    }
    if (b->rels.n) {
        t->nrels = (uint32_t)b->rels.n;
        t->rels = xmalloc(b->rels.n * sizeof *t->rels);
        memcpy(t->rels, b->rels.v, b->rels.n * sizeof *t->rels);
    }
    t->bytes = sizeof *t + t->len + t->nrels * sizeof *t->rels;
    b->rels.n = 0; /* the references have moved */
    buf_reset(&b->body);
    b->overflow = false;
    return t;
}

bool rawtx_next(const struct rawtx *t, size_t *pos, const char **msg, size_t *len,
                struct relation **rel)
{
    struct rawmsg_head head;
    if (*pos >= t->len)
        return false;
    memcpy(&head, t->body + *pos, sizeof head);
    *msg = t->body + *pos + sizeof head;
    *len = head.len;
    *rel = head.rel == RAWMSG_NO_REL ? NULL : t->rels[head.rel];
    *pos += sizeof head + head.len;
    return true;
}

void txlog_init(struct txlog *l)
{
    memset(l, 0, sizeof *l);
    l->tail = &l->head;
}

void txlog_clear(struct txlog *l)
{
    for (struct rawtx *t = l->head, *next; t; t = next) {
        next = t->next;
        rawtx_free(t);
    }
    txlog_init(l);
}

void txlog_push(struct txlog *l, struct rawtx *t)
{
    t->next = NULL;
    *l->tail = t;
    l->tail = &t->next;
    l->n++;
    l->bytes += t->bytes;
}

void ring_init(struct ring *r, size_t max_bytes, size_t max_xids)
{
    memset(r, 0, sizeof *r);
    txlog_init(&r->log);
    r->max_bytes = max_bytes;
    r->max_xids = max_xids;
}

void ring_clear(struct ring *r)
{
    txlog_clear(&r->log);
    ring_init(r, r->max_bytes, r->max_xids);
}

static bool xid_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

/* Takes *link out of the log. */
static void forget(struct ring *r, struct rawtx **link)
{
    struct rawtx *t = *link;
    *link = t->next;
    if (!t->next)
        r->log.tail = link;
    r->log.n--;
    r->log.bytes -= t->bytes;
    if (t->whole)
        r->body_bytes -= t->bytes;
    rawtx_free(t);
}

static void forget_oldest(struct ring *r)
{
    struct rawtx *t = r->log.head;
    if (!r->lost || xid_after(t->xid, r->lost_xid))
        r->lost_xid = t->xid;
    r->lost = true;
    if (r->oldest_body == t)
        r->oldest_body = t->next;
    forget(r, &r->log.head);
}

static void skip_bodyless(struct ring *r)
{
    while (r->oldest_body && !r->oldest_body->whole)
        r->oldest_body = r->oldest_body->next;
}

static void drop_oldest_body(struct ring *r)
{
    struct rawtx *t = r->oldest_body;
    r->body_bytes -= t->bytes;
    r->log.bytes -= t->bytes;
    drop_body(t);
    r->log.bytes += t->bytes;
    skip_bodyless(r);
}

void ring_push(struct ring *r, struct rawtx *t)
{
    txlog_push(&r->log, t);
    if (t->whole) {
        r->body_bytes += t->bytes;
        if (!r->oldest_body)
            r->oldest_body = t;
    }
    while (r->body_bytes > r->max_bytes)
        drop_oldest_body(r);
    while (r->log.n > r->max_xids)
        forget_oldest(r);
    skip_bodyless(r);
}

void ring_trim(struct ring *r, const struct snapshot *s, uint64_t from)
{
    struct rawtx **link = &r->log.head;
    while (*link) {
        if ((*link)->seq >= from && snapshot_shows(s, (*link)->xid))
            forget(r, link);
        else
            link = &(*link)->next;
    }
    r->oldest_body = r->log.head;
    skip_bodyless(r);
    if (r->lost && from == 0 && ring_reaches(r, s))
        r->lost = false;
}

bool ring_next_unseen(const struct ring *r, const struct snapshot *s, uint64_t before,
                      struct rawtx **t)
{
    struct rawtx *next = *t ? (*t)->next : r->log.head;
    while (next && next->seq < before && snapshot_shows(s, next->xid))
        next = next->next;
    if (next && next->seq >= before)
        next = NULL;
    *t = next;
    return next && next->whole;
}

bool ring_reaches(const struct ring *r, const struct snapshot *s)
{
    return !r->lost || xid_widen(r->lost_xid, s->xmax) < s->xmin;
}
