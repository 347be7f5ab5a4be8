/*
 * memory: how much there may be, how much is in use, and what happens when it is too much.
 *
 * One thread looks, a few times to a hundred times a second, the more often the nearer the limit
 * (limits.max_memory). In use is what the allocator has handed out, not what the kernel counts for us:
 * that falls as soon as something is freed. What others ask is the last look.
 *
 *     over the limit        memory_admit() says no: no new plan, no reading of tables, with 53200; steps
 *                           that take more than a little are given up, and their plan with them
 *                           (engine/base/alloc.h)
 *                           plans that linger go
 *     and it stays so       the plan with the most bytes is ended, its own and those of the stores only it
 *                           needs; then, if that wasn't enough, the next
 *     the system refused    the same, until the reserve of alloc.h is taken again
 *
 * So the daemon and the other plans live. Owned by main; the functions without a struct may be called
 * from any thread.
 */
#ifndef PALIMPSEST_DAEMON_MEMORY_H
#define PALIMPSEST_DAEMON_MEMORY_H

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct memory;
struct server;

/* Takes the reserve and looks for the first time. Nothing is ended before memory_start(). */
struct memory *memory_new(struct server *server);
void memory_start(struct memory *m);
void memory_stop(struct memory *m);
void memory_free(struct memory *m);

uint64_t memory_used(void);
uint64_t memory_limit(void);
bool memory_is_over(void);
/* False with 53200, naming what there is no memory for. */
MUST_CHECK bool memory_admit(const char *what, struct err *err);
/* That error, for what was given up. */
void memory_refuse(const char *what, struct err *err);
/* A plan has ended with 53200. */
void memory_count_plan(void);
uint64_t memory_plans_ended(void);

#endif
