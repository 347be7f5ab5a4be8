/*
 * alloc: memory, or an error where that is sound, or the end.
 *
 * A small allocation that fails is no error of anybody's: code that limps on after 64 missing bytes is
 * never tested and always wrong. So there is a reserve, taken at start. When the system refuses, the
 * reserve is given back, alloc_is_short() says so, and the allocation is tried again, for a second
 * if need be: meanwhile others refuse what costs memory and free what can be freed (daemon/memory.h),
 * after which the reserve is taken again. Only when even that doesn't help the process ends, with a
 * line that says why; the state is in Postgres and the service manager restarts us.
 *
 * What is sized by data (a state, a view, the rows of a step) is asked for by xmalloc_data() and its
 * like. A thread that can do without the work it is doing puts a guard around it:
 *
 *     struct alloc_guard g;
 *     if (ALLOC_GUARDED(&g)) {
 *         …
 *         alloc_unguard(&g);
 *     } else {
 *         … it was given up: there was no memory for it
 *     }
 *
 * Inside, such an allocation doesn't return (it is a longjmp to the guard) when the system refuses it, or
 * when the budget is used up (alloc_set_over()) or memory is short, and this piece of work has taken more than a little.
 * So whoever calls xmalloc_data() has to be in a state that can be freed: allocate first, then change.
 * What lies on the stack in between is lost, unless it was named by alloc_cleanup(). Nothing that is
 * locked may be left that way: no lock is held across such a call. A plain xmalloc() of many bytes
 * leaves to the guard too when the system refuses it: rather a leak than the end.
 *
 * Threads: all functions may be called from any thread; a guard belongs to the one that set it.
 */
#ifndef PALIMPSEST_BASE_ALLOC_H
#define PALIMPSEST_BASE_ALLOC_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));

/* A new zeroed object of a type; the form used for every struct in the tree. */
#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

/* The same for what is sized by data: may leave to the guard. */
void *xmalloc_data(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc_data(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc_data(void *p, size_t size) __attribute__((returns_nonnull));

struct alloc_cleanup {
    struct alloc_cleanup *outer;
    void (*fn)(void *arg);
    void *arg;
};

struct alloc_guard {
    jmp_buf at;
    struct alloc_guard *outer;
    struct alloc_cleanup *cleanups; /* newest first */
    size_t bytes;                   /* taken by xmalloc_data() and its like since it was set */
};

#define ALLOC_GUARDED(g) (alloc_guard_set(g), setjmp((g)->at) == 0)
void alloc_guard_set(struct alloc_guard *g);
void alloc_unguard(struct alloc_guard *g);
/* fn(arg) is called if the work is given up, until it is taken back; in the order of a stack. Outside
 * of a guard nothing happens. */
void alloc_cleanup(struct alloc_cleanup *c, void (*fn)(void *arg), void *arg);
void alloc_cleanup_done(const struct alloc_cleanup *c);
/* What is not to be left in the middle, because it outlives the work: no guard until it is resumed. */
struct alloc_guard *alloc_suspend(void);
void alloc_resume(struct alloc_guard *g);
/* Leaves to the guard for a limit of our own; without one it is the end. */
void alloc_give_up(const char *why) __attribute__((noreturn));
/* Leaves to the guard as an allocation of so many bytes would, if the budget is used up. */
void alloc_check(size_t bytes);

/* Takes the reserve if it isn't there; false: it can't be had. */
bool alloc_reserve(size_t bytes);
size_t alloc_reserved(void); /* bytes of it now */
/* The system has refused memory since the reserve was last taken. */
bool alloc_is_short(void);
/* The budget is used up, or no longer. */
void alloc_set_over(bool over);

#endif
