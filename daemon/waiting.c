/*
 * waiting: see waiting.h.
 */
#include "daemon/waiting.h"

#include <assert.h>

#include "engine/base/hash.h"

static uint32_t hash_of(const struct loop *loop, uint64_t sub)
{
    return (uint32_t)hash_mix(sub, (uint64_t)(uintptr_t)loop);
}

/* Where the index says that this one is at place i. */
static struct hpos find_place(const struct waiting *w, const struct waiting_sub *ws, size_t i)
{
    struct hpos at;
    uint32_t h = htab_first(&w->places, hash_of(ws->loop, ws->sub), &at);
    while (h && h != i + 1)
        h = htab_next(&at);
    assert(h);
    return at;
}

void waiting_add(struct waiting *w, const struct waiting_sub *ws)
{
    VEC_PUSH(w->subs, *ws);
    w->nresuming += ws->resumes;
    htab_insert(&w->places, hash_of(ws->loop, ws->sub), (uint32_t)w->subs.n);
}

void waiting_remove_at(struct waiting *w, size_t i)
{
    struct waiting_sub gone = w->subs.v[i], last = w->subs.v[w->subs.n - 1];
    struct hpos at = find_place(w, &gone, i);
    htab_remove(&w->places, &at);
    w->nresuming -= gone.resumes;
    w->subs.n--;
    if (i < w->subs.n) {
        at = find_place(w, &last, w->subs.n);
        htab_set(&at, (uint32_t)i + 1);
        w->subs.v[i] = last;
    }
    payload_unref(gone.former);
}

void waiting_remove(struct waiting *w, const struct loop *loop, uint64_t sub)
{
    struct hpos at;
    for (uint32_t h = htab_first(&w->places, hash_of(loop, sub), &at); h; h = htab_next(&at)) {
        const struct waiting_sub *ws = &w->subs.v[h - 1];
        if (ws->loop == loop && ws->sub == sub) {
            waiting_remove_at(w, h - 1);
            return;
        }
    }
}

void waiting_clear(struct waiting *w)
{
    for (size_t i = 0; i < w->subs.n; i++)
        payload_unref(w->subs.v[i].former);
    VEC_FREE(w->subs);
    w->nresuming = 0;
    htab_fini(&w->places);
}
