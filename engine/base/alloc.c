/*
 * alloc: the policy of alloc.h, in one place. Nothing is counted here but what a guarded piece of work
 * takes; memory that is sized by data is accounted for by the module that owns it.
 */
#include "engine/base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_NS   10000000 /* between attempts */
#define RETRIES    100
#define LEAVE_MIN  16384   /* bytes of a plain allocation that may be given up */
#define LITTLE_MAX 1048576 /* bytes that a piece of work may take although the budget is used up */

static _Atomic(void *) reserve;
static atomic_size_t reserve_size;
static atomic_bool is_short, is_over;
static _Thread_local struct alloc_guard *guard;

/* ---- guards -------------------------------------------------------------------------------- */

void alloc_guard_set(struct alloc_guard *g)
{
    g->outer = guard;
    g->cleanups = NULL;
    g->bytes = 0;
    guard = g;
}

void alloc_unguard(struct alloc_guard *g)
{
    guard = g->outer;
}

void alloc_cleanup(struct alloc_cleanup *c, void (*fn)(void *arg), void *arg)
{
    c->fn = fn;
    c->arg = arg;
    c->outer = guard ? guard->cleanups : NULL;
    if (guard)
        guard->cleanups = c;
}

void alloc_cleanup_done(const struct alloc_cleanup *c)
{
    if (guard)
        guard->cleanups = c->outer;
}

__attribute__((noreturn)) static void leave(void)
{
    struct alloc_guard *g = guard;
    guard = g->outer;
    for (struct alloc_cleanup *c = g->cleanups; c; c = c->outer)
        c->fn(c->arg);
    longjmp(g->at, 1);
}

struct alloc_guard *alloc_suspend(void)
{
    struct alloc_guard *g = guard;
    guard = NULL;
    return g;
}

void alloc_resume(struct alloc_guard *g)
{
    guard = g;
}

void alloc_give_up(const char *why)
{
    if (guard)
        leave();
    fprintf(stderr, "palimpsestd: %s\n", why);
    abort();
}

void alloc_check(size_t bytes)
{
    if (!guard)
        return;
    guard->bytes += bytes;
    if (guard->bytes > LITTLE_MAX &&
        (atomic_load_explicit(&is_over, memory_order_relaxed) || alloc_is_short()))
        leave();
}

/* ---- the reserve --------------------------------------------------------------------------- */

bool alloc_reserve(size_t bytes)
{
    void *none = NULL, *p;
    if (atomic_load(&reserve) || bytes == 0)
        return true;
    p = malloc(bytes);
    if (!p)
        return false;
    if (!atomic_compare_exchange_strong(&reserve, &none, p)) {
        free(p);
        return true;
    }
    atomic_store(&reserve_size, bytes);
    atomic_store(&is_short, false);
    return true;
}

size_t alloc_reserved(void)
{
    return atomic_load_explicit(&reserve_size, memory_order_relaxed);
}

bool alloc_is_short(void)
{
    return atomic_load_explicit(&is_short, memory_order_relaxed);
}

void alloc_set_over(bool over)
{
    atomic_store_explicit(&is_over, over, memory_order_relaxed);
}

static void give_reserve_back(void)
{
    atomic_store(&is_short, true);
    atomic_store(&reserve_size, 0);
    free(atomic_exchange(&reserve, NULL));
}

/* ---- allocating ---------------------------------------------------------------------------- */

static void *attempt(void *old, size_t size, bool zeroed)
{
    if (zeroed)
        return calloc(1, size);
    return old ? realloc(old, size) : malloc(size);
}

/* The system has refused. The reserve isn't for who has taken much already and can do without. */
static void *insist(void *old, size_t size, bool zeroed, bool data)
{
    const struct timespec nap = {.tv_nsec = RETRY_NS};
    void *p;
    if (guard && data && guard->bytes > LITTLE_MAX)
        leave();
    give_reserve_back();
    for (int i = 0; i < RETRIES; i++) {
        if ((p = attempt(old, size, zeroed)))
            return p;
        if (guard && (data || size >= LEAVE_MIN))
            leave();
        nanosleep(&nap, NULL);
    }
    fprintf(stderr, "palimpsestd: out of memory allocating %zu bytes\n", size);
    abort();
}

static void *take(void *old, size_t size, bool zeroed, bool data)
{
    size += !size;
    void *p = attempt(old, size, zeroed);
    return p ? p : insist(old, size, zeroed, data);
}

static size_t times(size_t n, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(n, size, &total) ? SIZE_MAX : total;
}

void *xmalloc(size_t size)
{
    return take(NULL, size, false, false);
}

void *xcalloc(size_t n, size_t size)
{
    return take(NULL, times(n, size), true, false);
}

void *xrealloc(void *p, size_t size)
{
    return take(p, size, false, false);
}

void *xmalloc_data(size_t size)
{
    alloc_check(size);
    return take(NULL, size, false, true);
}

void *xcalloc_data(size_t n, size_t size)
{
    alloc_check(times(n, size));
    return take(NULL, times(n, size), true, true);
}

void *xrealloc_data(void *p, size_t size)
{
    alloc_check(size);
    return take(p, size, false, true);
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len)
{
    char *p = xmalloc(len + 1);
    memcpy(p, s, len);
    p[len] = '\0';
    return p;
}
