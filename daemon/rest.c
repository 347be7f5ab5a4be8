/*
 * rest: see rest.h. A binary heap by time.
 */
#include "daemon/rest.h"

#include <assert.h>
#include <event2/event.h>

#include "daemon/clock.h"
#include "daemon/sub.h"

#define PER_TURN 1000 /* others get their turn too */

/* It is sent nothing while it rests, so this stands still. */
static uint64_t until(const struct sub *s)
{
    return s->sent_ms + s->interval_ms;
}

static void put(struct rest *r, size_t at, struct sub *s)
{
    r->heap.v[at] = s;
    s->rest_at = (uint32_t)at + 1;
}

static void sift_up(struct rest *r, size_t at)
{
    struct sub *s = r->heap.v[at];
    for (size_t up; at > 0; at = up) {
        up = (at - 1) / 2;
        if (until(r->heap.v[up]) <= until(s))
            break;
        put(r, at, r->heap.v[up]);
    }
    put(r, at, s);
}

static void sift_down(struct rest *r, size_t at)
{
    struct sub *s = r->heap.v[at];
    for (size_t down; (down = at * 2 + 1) < r->heap.n; at = down) {
        if (down + 1 < r->heap.n && until(r->heap.v[down + 1]) < until(r->heap.v[down]))
            down++;
        if (until(s) <= until(r->heap.v[down]))
            break;
        put(r, at, r->heap.v[down]);
    }
    put(r, at, s);
}

static void set_timer(struct rest *r)
{
    if (!r->heap.n || (r->set_to && r->set_to <= until(r->heap.v[0])))
        return;
    uint64_t now = clock_ms(), at = until(r->heap.v[0]);
    uint64_t ms = at > now ? at - now : 0;
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    r->set_to = at;
    event_add(r->timer, &tv);
}

void rest_add(struct sub *s)
{
    struct rest *r = &s->conn->loop->resting;
    assert(!s->rest_at);
    VEC_PUSH(r->heap, s);
    sift_up(r, r->heap.n - 1);
    set_timer(r);
}

void rest_remove(struct sub *s)
{
    struct rest *r = &s->conn->loop->resting;
    size_t at = s->rest_at - 1;
    assert(s->rest_at && r->heap.v[at] == s);
    struct sub *last = r->heap.v[--r->heap.n];
    s->rest_at = 0;
    if (last == s)
        return;
    put(r, at, last);
    sift_up(r, at);
    sift_down(r, last->rest_at - 1);
}

static void due_cb(evutil_socket_t fd, short what, void *arg)
{
    struct rest *r = &((struct loop *)arg)->resting;
    uint64_t now = clock_ms();
    (void)fd, (void)what;
    r->set_to = 0;
    for (int i = 0; i < PER_TURN && r->heap.n && until(r->heap.v[0]) <= now; i++)
        sub_end_rest(r->heap.v[0]);
    set_timer(r);
}

void rest_init(struct loop *l)
{
    l->resting.timer = event_new(l->base, -1, 0, due_cb, l);
}

void rest_fini(struct loop *l)
{
    assert(!l->resting.heap.n);
    event_free(l->resting.timer);
    VEC_FREE(l->resting.heap);
}
