/*
 * progress: see progress.h. One queue a worker, in LSN order as the worker sent it; giving out is a
 * merge of the queues.
 */
#include "daemon/progress.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/vec.h"

/* What an entry costs beside its payload's bytes, which are shared. */
#define HELD_OVERHEAD 64

struct held_queue {
    VEC(struct held) entries;
    size_t first; /* entries before it are gone */
    size_t subs;  /* of this connection on this worker */
};

void progress_init(struct progress *p, size_t nworkers)
{
    memset(p, 0, sizeof *p);
    p->nworkers = nworkers;
    p->limit = LSN_MAX;
}

void held_fini(struct held *h)
{
    if (h->payload)
        payload_unref(h->payload);
    free(h->err);
}

void progress_fini(struct progress *p)
{
    struct held h;
    while (progress_take(p, &h))
        held_fini(&h);
    for (size_t i = 0; p->queues && i <= p->nworkers; i++)
        VEC_FREE(p->queues[i].entries);
    free(p->queues);
    p->queues = NULL;
}

static struct held_queue *queue_of(struct progress *p, int worker)
{
    assert(worker >= 0 && (size_t)worker <= p->nworkers);
    if (!p->queues)
        p->queues = xcalloc(p->nworkers + 1, sizeof *p->queues);
    return &p->queues[worker];
}

void progress_join(struct progress *p, int worker)
{
    queue_of(p, worker)->subs++;
}

void progress_leave(struct progress *p, int worker)
{
    struct held_queue *q = queue_of(p, worker);
    assert(q->subs > 0);
    q->subs--;
}

void progress_block(struct progress *p)
{
    p->blocked++;
}

void progress_unblock(struct progress *p)
{
    assert(p->blocked > 0);
    p->blocked--;
}

void progress_raise_floor(struct progress *p, lsn_t lsn)
{
    if (lsn > p->floor)
        p->floor = lsn;
}

void progress_turn_back(struct progress *p)
{
    assert(p->held == 0);
    p->floor = p->stated = p->given = 0;
    p->owes = false;
}

static size_t held_cost(const struct held *h)
{
    return HELD_OVERHEAD + (h->payload ? h->payload->len : 0) + (h->err ? sizeof *h->err : 0);
}

/* The entry added last goes to its place: behind all of its LSN. */
static void sort_in(struct held_queue *q)
{
    struct held h = q->entries.v[q->entries.n - 1];
    size_t i = q->entries.n - 1;
    for (; i > q->first && q->entries.v[i - 1].lsn > h.lsn; i--)
        q->entries.v[i] = q->entries.v[i - 1];
    q->entries.v[i] = h;
}

void progress_hold(struct progress *p, int worker, const struct held *h)
{
    struct held_queue *q = queue_of(p, worker);
    if (q->first > 0 && q->entries.n == q->entries.cap) {
        q->entries.n -= q->first;
        memmove(q->entries.v, q->entries.v + q->first, q->entries.n * sizeof *q->entries.v);
        q->first = 0;
    }
    VEC_PUSH(q->entries, *h);
    sort_in(q);
    p->held++;
    p->held_bytes += held_cost(h);
}

lsn_t progress_cut(const struct progress *p, const lsn_t *passed)
{
    if (p->blocked > 0)
        return 0;
    lsn_t cut = p->limit;
    for (size_t i = 0; p->queues && i < p->nworkers; i++)
        if (p->queues[i].subs > 0 && passed[i] < cut)
            cut = passed[i];
    return cut;
}

static struct held_queue *oldest_queue(const struct progress *p)
{
    struct held_queue *best = NULL;
    for (size_t i = 0; p->held > 0 && i <= p->nworkers; i++) {
        struct held_queue *q = &p->queues[i];
        if (q->first == q->entries.n)
            continue;
        if (!best || q->entries.v[q->first].lsn < best->entries.v[best->first].lsn)
            best = q;
    }
    return best;
}

lsn_t progress_oldest(const struct progress *p)
{
    struct held_queue *q = oldest_queue(p);
    return q ? q->entries.v[q->first].lsn : LSN_MAX;
}

lsn_t progress_newest(const struct progress *p)
{
    lsn_t newest = 0;
    for (size_t i = 0; p->held > 0 && i <= p->nworkers; i++) {
        const struct held_queue *q = &p->queues[i];
        if (q->first < q->entries.n && q->entries.v[q->entries.n - 1].lsn > newest)
            newest = q->entries.v[q->entries.n - 1].lsn;
    }
    return newest;
}

bool progress_take(struct progress *p, struct held *out)
{
    struct held_queue *q = oldest_queue(p);
    if (!q)
        return false;
    *out = q->entries.v[q->first++];
    p->held--;
    p->held_bytes -= held_cost(out);
    if (q->first == q->entries.n) {
        VEC_FREE(q->entries);
        q->first = 0;
    }
    return true;
}

/* The LSN at which what was given out can be stated as a whole. A subscription that comes on a worker
 * which is behind is sent what others have had for long: then there is no cut before that of the last
 * statement is reached again. */
static lsn_t statement(const struct progress *p)
{
    lsn_t due = p->given > p->floor ? p->given : p->floor;
    return due > p->stated ? due : p->stated;
}

bool progress_can_state(const struct progress *p, lsn_t cut)
{
    return cut > 0 && cut >= statement(p);
}

enum progress_step progress_next(struct progress *p, const lsn_t *passed, struct held *out)
{
    lsn_t cut = progress_cut(p, passed);
    lsn_t next = progress_oldest(p);
    lsn_t due = statement(p);
    if (p->owes && due <= cut && due < next) {
        p->owes = false;
        p->stated = due;
        *out = (struct held){.lsn = due};
        return PROGRESS_STATE;
    }
    if (next > cut || !progress_take(p, out))
        return PROGRESS_WAIT;
    if (out->lsn > p->given)
        p->given = out->lsn;
    p->owes = p->mode == PROGRESS_EACH;
    return PROGRESS_GIVE;
}
